//! Cases: what a customer complains of, claims, asks for or suggests, from the first word to the last.
//!
//! A case has a number at once, a level that follows from its reason (A098, A102), promised times that
//! follow from the level (A096–A103), and a history that only grows. It is opened in the transaction of
//! whatever caused it, together with its journal record: a dissatisfied customer cannot be lost between
//! two tables (A078). Who works on a case writes into the same history.

pub(crate) mod picture;

use chrono::{DateTime, FixedOffset};
use satchel_protocol::ids::{Hash32, ParcelId};
use satchel_protocol::taxonomy::CareReason;
use satchel_protocol::token::base32;
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::hub::Hub;
use crate::journal;
use crate::rating::Answers;
use crate::shares::{self, Link};

const HOUR_MS: i64 = 3_600 * 1_000;

/// What a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaseKind {
    /// A rating of two stars or less.
    LowRating,
    Complaint,
    /// Money or a new parcel is asked for (A134).
    Claim,
    Suggestion,
    /// Delete what is stored about me (PIPL 47).
    Erasure,
    /// Bring it to the door after all.
    Redelivery,
    /// Bring it on another day than the round's.
    AnotherDay,
    /// Bring it somewhere else.
    Address,
    /// Feedback on a station that holds the parcel (A086).
    Station,
    /// A courier's word against a rating; not the customer's case.
    Appeal,
}

impl CaseKind {
    const ALL: [Self; 10] = [
        Self::LowRating,
        Self::Complaint,
        Self::Claim,
        Self::Suggestion,
        Self::Erasure,
        Self::Redelivery,
        Self::AnotherDay,
        Self::Address,
        Self::Station,
        Self::Appeal,
    ];

    /// As stored.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::LowRating => "low_rating",
            Self::Complaint => "complaint",
            Self::Claim => "claim",
            Self::Suggestion => "suggestion",
            Self::Erasure => "erasure",
            Self::Redelivery => "redelivery",
            Self::AnotherDay => "another_day",
            Self::Address => "address",
            Self::Station => "station",
            Self::Appeal => "appeal",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// What is promised to a customer, and what keeps the promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promise {
    /// We contact you (A096).
    Contact,
    /// You get a solution: compensation or a new parcel (A097).
    Solution,
    /// We respond (A099).
    Respond,
    /// You hear how it stands (A100).
    Progress,
    /// It is closed (A101).
    Close,
    /// We answer (A082, A103).
    Answer,
}

impl Promise {
    /// The promises of a level, each with its time from the opening.
    pub(crate) const fn of_level(level: i64) -> &'static [(Self, i64)] {
        match level {
            1 => &[(Self::Contact, 2 * HOUR_MS), (Self::Solution, 24 * HOUR_MS)],
            2 => &[
                (Self::Respond, 4 * HOUR_MS),
                (Self::Progress, 12 * HOUR_MS),
                (Self::Close, 24 * HOUR_MS),
            ],
            _ => &[(Self::Answer, 24 * HOUR_MS)],
        }
    }

    /// Whether an event of this kind keeps it.
    pub(crate) fn kept_by(self, event: &str) -> bool {
        match self {
            Self::Contact => event == "contacted",
            Self::Solution => event == "solution",
            Self::Respond | Self::Answer => {
                matches!(event, "contacted" | "progress" | "solution" | "closed")
            }
            Self::Progress => matches!(event, "progress" | "solution" | "closed"),
            Self::Close => event == "closed",
        }
    }
}

/// What the people at the hub may write into a case's history.
pub(crate) const WORK: [&str; 4] = ["contacted", "progress", "solution", "closed"];

/// A case to be opened.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) kind: CaseKind,
    pub(crate) parcel: Option<ParcelId>,
    pub(crate) rating_id: Option<i64>,
    pub(crate) reason: Option<CareReason>,
    pub(crate) words: String,
    pub(crate) channel: String,
    pub(crate) contact: String,
    pub(crate) lang: &'static str,
}

impl Opening {
    /// The case of a customer who gave few stars, with the reason his items point at.
    pub(crate) fn low_rating(parcel: ParcelId, rating_id: i64, answers: &Answers) -> Self {
        Self {
            kind: CaseKind::LowRating,
            parcel: Some(parcel),
            rating_id: Some(rating_id),
            reason: Some(likely_reason(answers)),
            words: answers.comment.clone().unwrap_or_default(),
            channel: "page".to_owned(),
            contact: String::new(),
            lang: answers.lang,
        }
    }
}

/// The item with the fewest stars says what went wrong; two equally low ones say nothing.
pub(crate) fn likely_reason(answers: &Answers) -> CareReason {
    let items = [
        (answers.timeliness, CareReason::Late),
        (answers.attitude, CareReason::Attitude),
        (answers.information, CareReason::Information),
    ];
    let given = || {
        items
            .iter()
            .filter_map(|(stars, why)| Some(((*stars)?, *why)))
    };
    let Some(lowest) = given().map(|(stars, _)| stars).min() else {
        return CareReason::Other;
    };
    let mut low = given().filter(|(stars, _)| *stars == lowest && *stars <= 3);
    match (low.next(), low.next()) {
        (Some((_, why)), None) => why,
        _ => CareReason::Other,
    }
}

/// A case that was opened or found.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) case_id: i64,
    pub(crate) number: String,
}

impl Opened {
    /// The path of its timeline.
    pub(crate) fn path(&self, hub: &Hub) -> String {
        case_path(hub, self.case_id)
    }
}

/// The private path of a case's timeline.
pub(crate) fn case_path(hub: &Hub, case_id: i64) -> String {
    format!(
        "/c/{}",
        shares::seal(hub, Link::Case, &case_id.to_be_bytes())
    )
}

#[derive(Serialize)]
struct SignedOpening<'a> {
    number: &'a str,
    kind: &'static str,
    parcel: Option<String>,
    reason: Option<&'static str>,
    words: &'a str,
}

/// Opens a case.
pub(crate) async fn open(hub: &Hub, tx: &mut Tx, o: &Opening) -> Result<Opened, HubError> {
    let now_ms = hub.now_ms();
    let number = number(hub, now_ms)?;
    let signed = SignedOpening {
        number: &number,
        kind: o.kind.code(),
        parcel: o.parcel.map(|p| p.to_string()),
        reason: o.reason.map(|r| r.code()),
        words: &o.words,
    };
    let journal_seq = journal::append(hub, tx, journal::CASE_OPENED, &signed).await?;
    let row = sqlx::query(
        "INSERT INTO care_case (number, kind, parcel_id, rating_id, reason, level, words, channel, \
           contact, lang, opened_at_ms, journal_seq) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING case_id",
    )
    .bind(&number)
    .bind(o.kind.code())
    .bind(o.parcel.map(|p| p.as_bytes().to_vec()))
    .bind(o.rating_id)
    .bind(o.reason.map(|r| r.code()))
    .bind(o.reason.map_or(0, |r| i64::from(r.level())))
    .bind(&o.words)
    .bind(&o.channel)
    .bind(&o.contact)
    .bind(o.lang)
    .bind(now_ms)
    .bind(journal_seq)
    .fetch_one(&mut **tx)
    .await?;
    let case_id = row.try_get("case_id")?;
    add_event(hub, tx, case_id, "opened", "").await?;
    Ok(Opened { case_id, number })
}

/// Opens the case of a low rating, unless the delivery has one: a changed mind is not a second case.
pub(crate) async fn open_once(hub: &Hub, tx: &mut Tx, o: &Opening) -> Result<(), HubError> {
    let known: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM care_case WHERE parcel_id = ? AND kind = ?)",
    )
    .bind(o.parcel.map(|p| p.as_bytes().to_vec()))
    .bind(o.kind.code())
    .fetch_one(&mut **tx)
    .await?;
    if !known {
        open(hub, tx, o).await?;
    }
    Ok(())
}

/// Day and chance: people read it out on the telephone, so no letter looks like a digit.
fn number(hub: &Hub, now_ms: i64) -> Result<String, HubError> {
    let zone = FixedOffset::east_opt(hub.config().utc_offset_min.saturating_mul(60));
    let day = match (DateTime::from_timestamp_millis(now_ms), zone) {
        (Some(t), Some(zone)) => t.with_timezone(&zone).format("%y%m%d").to_string(),
        _ => String::new(),
    };
    Ok(format!("{day}-{}", base32(&hub.draw::<5>()?)))
}

#[derive(Serialize)]
struct SignedEvent<'a> {
    case: i64,
    kind: &'a str,
    words: &'a str,
}

/// Adds to a case's history.
pub(crate) async fn add_event(
    hub: &Hub,
    tx: &mut Tx,
    case_id: i64,
    kind: &str,
    words: &str,
) -> Result<(), HubError> {
    let signed = SignedEvent {
        case: case_id,
        kind,
        words,
    };
    journal::append(hub, tx, journal::CASE_EVENT, &signed).await?;
    sqlx::query(
        "INSERT INTO care_event (case_id, ordinal, kind, words, at_ms) \
         SELECT ?1, coalesce(max(ordinal), 0) + 1, ?2, ?3, ?4 FROM care_event WHERE case_id = ?1",
    )
    .bind(case_id)
    .bind(kind)
    .bind(words)
    .bind(hub.now_ms())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Makes the case of a low rating the complaint the customer now spells out; the clock runs from the
/// first word. Without one, opens it.
pub(crate) async fn complain(hub: &Hub, tx: &mut Tx, o: &Opening) -> Result<Opened, HubError> {
    let row = sqlx::query(
        "SELECT case_id, number FROM care_case \
         WHERE parcel_id = ? AND kind IN ('low_rating', 'complaint') ORDER BY case_id DESC LIMIT 1",
    )
    .bind(o.parcel.map(|p| p.as_bytes().to_vec()))
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else {
        return open(hub, tx, o).await;
    };
    let opened = Opened {
        case_id: row.try_get("case_id")?,
        number: row.try_get("number")?,
    };
    sqlx::query(
        "UPDATE care_case SET kind = 'complaint', reason = ?, level = ?, channel = ?, contact = ? \
         WHERE case_id = ?",
    )
    .bind(o.reason.map(|r| r.code()))
    .bind(o.reason.map_or(0, |r| i64::from(r.level())))
    .bind(&o.channel)
    .bind(&o.contact)
    .bind(opened.case_id)
    .execute(&mut **tx)
    .await?;
    add_event(hub, tx, opened.case_id, "complained", &o.words).await?;
    Ok(opened)
}

/// Binds pictures that lie in the store to a case.
pub(crate) async fn add_files(
    hub: &Hub,
    tx: &mut Tx,
    case_id: i64,
    files: &[(Hash32, usize)],
) -> Result<(), HubError> {
    for (hash, size_bytes) in files {
        sqlx::query(
            "INSERT INTO care_file (case_id, hash, size_bytes, added_at_ms) VALUES (?, ?, ?, ?) \
             ON CONFLICT DO NOTHING",
        )
        .bind(case_id)
        .bind(&hash.0[..])
        .bind(i64::try_from(*size_bytes).unwrap_or(i64::MAX))
        .bind(hub.now_ms())
        .execute(&mut **tx)
        .await?;
        add_event(hub, tx, case_id, "evidence", &hash.to_string()).await?;
    }
    Ok(())
}

/// A case as its timeline shows it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) case_id: i64,
    pub(crate) number: String,
    pub(crate) kind: Option<CaseKind>,
    pub(crate) reason: Option<CareReason>,
    pub(crate) level: i64,
    pub(crate) words: String,
    pub(crate) contact: String,
    pub(crate) rating_id: Option<i64>,
    pub(crate) parcel: Option<ParcelId>,
    pub(crate) opened_at_ms: i64,
    pub(crate) events: Vec<Event>,
}

/// One line of a history.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) kind: String,
    pub(crate) words: String,
    pub(crate) at_ms: i64,
}

impl Case {
    pub(crate) fn is_closed(&self) -> bool {
        self.events.iter().any(|e| e.kind == "closed")
    }

    /// Each promise with its end, and when it was kept.
    pub(crate) fn promises(&self) -> Vec<(Promise, i64, Option<i64>)> {
        let kept = |promise: Promise| {
            let event = self.events.iter().find(|e| promise.kept_by(&e.kind));
            event.map(|e| e.at_ms)
        };
        Promise::of_level(self.level)
            .iter()
            .map(|(promise, ms)| (*promise, self.opened_at_ms + ms, kept(*promise)))
            .collect()
    }
}

/// Reads a case with its history.
pub(crate) async fn case(hub: &Hub, case_id: i64) -> Result<Option<Case>, HubError> {
    let row = sqlx::query("SELECT * FROM care_case WHERE case_id = ?")
        .bind(case_id)
        .fetch_optional(hub.db().read())
        .await?;
    let Some(row) = row else { return Ok(None) };
    let events =
        sqlx::query("SELECT kind, words, at_ms FROM care_event WHERE case_id = ? ORDER BY ordinal")
            .bind(case_id)
            .fetch_all(hub.db().read())
            .await?;
    let events = events.iter().map(event).collect::<Result<_, _>>()?;
    read_case(&row, events).map(Some)
}

/// All cases, newest first, with their histories, for the board.
pub(crate) async fn cases(hub: &Hub, limit: i64, skip: i64) -> Result<Vec<Case>, HubError> {
    let rows = sqlx::query("SELECT * FROM care_case ORDER BY case_id DESC LIMIT ? OFFSET ?")
        .bind(limit)
        .bind(skip)
        .fetch_all(hub.db().read())
        .await?;
    let mut out = Vec::with_capacity(rows.len());
    for row in &rows {
        let events = sqlx::query(
            "SELECT kind, words, at_ms FROM care_event WHERE case_id = ? ORDER BY ordinal",
        )
        .bind(row.try_get::<i64, _>("case_id")?)
        .fetch_all(hub.db().read())
        .await?;
        let events = events.iter().map(event).collect::<Result<_, _>>()?;
        out.push(read_case(row, events)?);
    }
    Ok(out)
}

/// The customer's cases about a delivery, newest first; a courier's appeal is none of his.
pub(crate) async fn of_parcel(hub: &Hub, parcel: ParcelId) -> Result<Vec<Opened>, HubError> {
    let rows = sqlx::query(
        "SELECT case_id, number FROM care_case WHERE parcel_id = ? AND kind <> 'appeal' \
         ORDER BY case_id DESC",
    )
    .bind(&parcel.as_bytes()[..])
    .fetch_all(hub.db().read())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Opened {
                case_id: row.try_get("case_id")?,
                number: row.try_get("number")?,
            })
        })
        .collect()
}

fn event(row: &SqliteRow) -> Result<Event, HubError> {
    Ok(Event {
        kind: row.try_get("kind")?,
        words: row.try_get("words")?,
        at_ms: row.try_get("at_ms")?,
    })
}

fn read_case(row: &SqliteRow, events: Vec<Event>) -> Result<Case, HubError> {
    let reason: Option<&str> = row.try_get("reason")?;
    let parcel: Option<&[u8]> = row.try_get("parcel_id")?;
    Ok(Case {
        case_id: row.try_get("case_id")?,
        number: row.try_get("number")?,
        kind: CaseKind::from_code(row.try_get("kind")?),
        reason: reason.and_then(|r| CareReason::from_code(r).ok()),
        level: row.try_get("level")?,
        words: row.try_get("words")?,
        contact: row.try_get("contact")?,
        rating_id: row.try_get("rating_id")?,
        parcel: if parcel.is_some() {
            Some(row.parcel("parcel_id")?)
        } else {
            None
        },
        opened_at_ms: row.try_get("opened_at_ms")?,
        events,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(items: [Option<u8>; 3]) -> Answers {
        Answers {
            stars: 1,
            timeliness: items[0],
            attitude: items[1],
            information: items[2],
            tags: vec![],
            comment: None,
            code: None,
            lang: "en",
        }
    }

    #[test]
    fn the_lowest_item_names_the_reason_and_a_tie_names_none() {
        let reason = |items| likely_reason(&answers(items));
        assert_eq!(reason([Some(1), Some(4), None]), CareReason::Late);
        assert_eq!(reason([Some(5), Some(2), Some(3)]), CareReason::Attitude);
        assert_eq!(reason([None, None, Some(3)]), CareReason::Information);
        assert_eq!(reason([Some(1), Some(1), None]), CareReason::Other);
        assert_eq!(reason([Some(5), Some(4), None]), CareReason::Other);
        assert_eq!(reason([None; 3]), CareReason::Other);
    }

    #[test]
    fn each_level_promises_what_the_procedure_says() {
        let hours = |level| {
            Promise::of_level(level)
                .iter()
                .map(|(_, ms)| ms / HOUR_MS)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (hours(1), hours(2), hours(0)),
            (vec![2, 24], vec![4, 12, 24], vec![24])
        );
        assert!(Promise::Respond.kept_by("contacted") && !Promise::Close.kept_by("contacted"));
    }
}
