//! What a customer chooses before the delivery. The choice *is* the consent record (A023, A033).
//!
//! It is signed into the journal, stands in the parcel's consents, and goes to the courier's phone as
//! the changed stop in the same transaction, so that what the customer read as confirmed is what the
//! courier's rules will see. The last choice stands and takes every earlier consent back.

use chrono::{FixedOffset, NaiveDate, NaiveTime, TimeZone};
use satchel_protocol::doorstep::{ConsentEvidence, ConsentRecord, ConsentWithdrawnBody};
use satchel_protocol::feed::StopItem;
use satchel_protocol::ids::ParcelId;
use satchel_protocol::taxonomy::{ConsentOrigin, Giver, HandoffKind};
use serde::Serialize;
use sqlx::Row;

use crate::care::{self, CaseKind, Opened, Opening};
use crate::consents;
use crate::db::Tx;
use crate::doorstep;
use crate::error::HubError;
use crate::hub::Hub;
use crate::intake::without_keys;
use crate::journal;
use crate::shares;
use crate::store::{feed, rounds};

/// What can be chosen for one parcel, into one's own hands first.
pub(crate) const HANDOFFS: [HandoffKind; 6] = [
    HandoffKind::Recipient,
    HandoffKind::LeaveAtDoor,
    HandoffKind::Neighbour,
    HandoffKind::Guard,
    HandoffKind::Station,
    HandoffKind::Locker,
];

/// How far ahead a time can be wished.
const MAX_DAYS: i64 = 14;

/// A part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Morning,
    Afternoon,
    Evening,
}

impl Slot {
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        match code {
            "morning" => Some(Self::Morning),
            "afternoon" => Some(Self::Afternoon),
            "evening" => Some(Self::Evening),
            _ => None,
        }
    }

    const fn hours(self) -> (u32, u32) {
        match self {
            Self::Morning => (9, 12),
            Self::Afternoon => (12, 18),
            Self::Evening => (18, 21),
        }
    }
}

/// A wished time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wished {
    pub(crate) day: NaiveDate,
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
}

impl Wished {
    /// Reads a day and a part of it; nothing that is past or further ahead than two weeks.
    pub(crate) fn read(hub: &Hub, day: &str, slot: &str) -> Option<Self> {
        let day: NaiveDate = day.parse().ok()?;
        let zone = FixedOffset::east_opt(hub.config().utc_offset_min.saturating_mul(60))?;
        let at = |hour| {
            let time = NaiveTime::from_hms_opt(hour, 0, 0)?;
            let local = zone.from_local_datetime(&day.and_time(time)).single()?;
            Some(local.timestamp_millis())
        };
        let (first, last) = Slot::from_code(slot)?.hours();
        let wished = Self {
            day,
            start_ms: at(first)?,
            end_ms: at(last)?,
        };
        let ahead_ms = wished.end_ms - hub.now_ms();
        (0..=MAX_DAYS * 24 * 3_600_000)
            .contains(&ahead_ms)
            .then_some(wished)
    }

    /// As stored and as told to people: `2026-08-14 18-21`.
    pub(crate) fn text(&self, slot: &str) -> String {
        let (first, last) = Slot::from_code(slot).map_or((0, 24), Slot::hours);
        format!("{} {first}–{last}", self.day)
    }
}

#[derive(Serialize)]
struct Signed<'a> {
    parcel: String,
    kind: &'a str,
    value: &'a str,
    lang: &'a str,
}

/// Keeps a choice with its journal record and gives its number.
async fn keep(
    hub: &Hub,
    tx: &mut Tx,
    parcel: ParcelId,
    kind: &str,
    value: &str,
    lang: &str,
) -> Result<i64, HubError> {
    let signed = Signed {
        parcel: parcel.to_string(),
        kind,
        value,
        lang,
    };
    let journal_seq = journal::append(hub, tx, journal::CHOICE, &signed).await?;
    let row = sqlx::query(
        "INSERT INTO customer_choice (parcel_id, kind, value, lang, made_at_ms, journal_seq) \
         VALUES (?, ?, ?, ?, ?, ?) RETURNING choice_id",
    )
    .bind(&parcel.as_bytes()[..])
    .bind(kind)
    .bind(value)
    .bind(lang)
    .bind(hub.now_ms())
    .bind(journal_seq)
    .fetch_one(&mut **tx)
    .await?;
    Ok(row.try_get("choice_id")?)
}

/// Takes the customer's choice of handoff. `false`: it may not be chosen for this parcel.
pub(crate) async fn handoff(
    hub: &Hub,
    parcel: ParcelId,
    chosen: HandoffKind,
    whom: &str,
    lang: &'static str,
) -> Result<bool, HubError> {
    let mut tx = hub.db().write().await?;
    let Some((stop, courier)) = rounds::stop_of(&mut tx, parcel).await? else {
        return Ok(false);
    };
    let Some(item) = stop.parcels.iter().find(|p| p.parcel_id == parcel) else {
        return Ok(false);
    };
    if !HANDOFFS.contains(&chosen) || (item.door_required && leaves_the_door(chosen)) {
        return Ok(false);
    }
    let value = if whom.is_empty() {
        chosen.code().to_owned()
    } else {
        format!("{} {whom}", chosen.code())
    };
    let choice = keep(hub, &mut tx, parcel, "handoff", &value, lang).await?;
    let now_ms = hub.now_ms();
    // The last choice stands: what was agreed before is withdrawn, and the journal keeps both.
    for old in &item.consents {
        let body = ConsentWithdrawnBody {
            consent_id: old.consent_id.clone(),
            withdrawn_at_ms: now_ms,
            stop: None,
        };
        consents::withdraw(&mut tx, &body).await?;
    }
    // Into his own hands needs nobody's consent.
    if chosen != HandoffKind::Recipient {
        let mut given = by_page(choice, parcel, chosen, now_ms);
        given.place = (!whom.is_empty()).then(|| whom.to_owned());
        consents::record(&mut tx, &given).await?;
    }
    if let (Some(courier), Some((stop, _))) = (courier, rounds::stop_of(&mut tx, parcel).await?) {
        // The whole stop as well, for a phone that reads consents with their parcels only.
        feed::append(&mut tx, courier, StopItem::KIND, &without_keys(&stop)?).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// The consent that a click on the page is.
fn by_page(choice: i64, parcel: ParcelId, scope: HandoffKind, given_at_ms: i64) -> ConsentRecord {
    ConsentRecord {
        consent_id: format!("page-{choice}"),
        giver: Giver::Recipient,
        origin: ConsentOrigin::HubPage,
        scope: vec![scope],
        parcels: vec![parcel],
        named_person: None,
        place: None,
        evidence: ConsentEvidence::Page {
            reference: format!("choice/{choice}"),
        },
        given_at_ms,
        expires_at_ms: None,
        withdrawn_at_ms: None,
    }
}

/// Station and locker need the recipient's way; a waybill that says "door" forbids them (Zhejiang
/// Art 31).
pub(crate) fn leaves_the_door(kind: HandoffKind) -> bool {
    matches!(kind, HandoffKind::Station | HandoffKind::Locker)
}

/// Takes a wished time. On the day of the round the courier's phone plans with it at once; another day
/// is the dispatcher's to plan, and gets a case so that it is not forgotten: the customer is shown it.
pub(crate) async fn another_time(
    hub: &Hub,
    parcel: ParcelId,
    wished: Wished,
    text: &str,
    lang: &'static str,
) -> Result<Option<Opened>, HubError> {
    let mut tx = hub.db().write().await?;
    keep(hub, &mut tx, parcel, "time", text, lang).await?;
    let opened = if plan_today(&mut tx, parcel, wished).await? {
        None
    } else {
        let opening = request(CaseKind::AnotherDay, parcel, text, lang);
        Some(care::open(hub, &mut tx, &opening).await?)
    };
    tx.commit().await?;
    Ok(opened)
}

/// Gives the stop the wished window and tells the courier, if its round is of that day.
async fn plan_today(tx: &mut Tx, parcel: ParcelId, wished: Wished) -> Result<bool, HubError> {
    let today: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM parcel JOIN stop USING (stop_id) JOIN route USING (route_id) \
         WHERE parcel_id = ? AND service_date = ?)",
    )
    .bind(&parcel.as_bytes()[..])
    .bind(wished.day.to_string())
    .fetch_one(&mut **tx)
    .await?;
    if !today {
        return Ok(false);
    }
    let Some((mut stop, courier)) = rounds::stop_of(tx, parcel).await? else {
        return Ok(false);
    };
    rounds::set_window(tx, stop.stop_id, wished.start_ms, wished.end_ms).await?;
    stop.window_start_ms = Some(wished.start_ms);
    stop.window_end_ms = Some(wished.end_ms);
    if let Some(courier) = courier {
        feed::append(tx, courier, StopItem::KIND, &without_keys(&stop)?).await?;
    }
    Ok(true)
}

/// Books a delivery from the station to the door (A130): a choice, the demand on the parcel's own record,
/// the window if it is of the round's day, and a case for the dispatcher.
pub(crate) async fn book(
    hub: &Hub,
    parcel: ParcelId,
    wished: Wished,
    text: &str,
    lang: &'static str,
) -> Result<Opened, HubError> {
    let mut tx = hub.db().write().await?;
    keep(hub, &mut tx, parcel, "book", text, lang).await?;
    doorstep::demand_redelivery(&mut tx, parcel, hub.now_ms(), Some(text)).await?;
    plan_today(&mut tx, parcel, wished).await?;
    let opening = request(CaseKind::Redelivery, parcel, text, lang);
    let opened = care::open(hub, &mut tx, &opening).await?;
    tx.commit().await?;
    Ok(opened)
}

/// The case of a customer's request about a parcel.
pub(crate) fn request(
    kind: CaseKind,
    parcel: ParcelId,
    words: &str,
    lang: &'static str,
) -> Opening {
    Opening {
        kind,
        parcel: Some(parcel),
        rating_id: None,
        reason: None,
        words: words.to_owned(),
        channel: "page".to_owned(),
        contact: String::new(),
        lang,
    }
}

/// Keeps what a recipient wants for all parcels to come.
pub(crate) async fn standing(
    hub: &Hub,
    parcel: ParcelId,
    wish: HandoffKind,
    lang: &'static str,
) -> Result<bool, HubError> {
    if !HANDOFFS.contains(&wish) {
        return Ok(false);
    }
    let mut tx = hub.db().write().await?;
    let Some((stop, _)) = rounds::stop_of(&mut tx, parcel).await? else {
        return Ok(false);
    };
    keep(hub, &mut tx, parcel, "standing", wish.code(), lang).await?;
    sqlx::query(
        "INSERT INTO standing_wish (recipient, value, made_at_ms) VALUES (?1, ?2, ?3) \
         ON CONFLICT DO UPDATE SET value = ?2, made_at_ms = ?3",
    )
    .bind(&shares::recipient_key(hub, &stop.recipient.phone)[..])
    .bind(wish.code())
    .bind(hub.now_ms())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(true)
}

/// Puts the recipient's standing wish into new parcels, unless the file brought a consent of its own.
pub(crate) async fn add_standing(
    hub: &Hub,
    tx: &mut Tx,
    stop: &mut StopItem,
) -> Result<(), HubError> {
    let wish: Option<(String, i64)> =
        sqlx::query_as("SELECT value, made_at_ms FROM standing_wish WHERE recipient = ?")
            .bind(&shares::recipient_key(hub, &stop.recipient.phone)[..])
            .fetch_optional(&mut **tx)
            .await?;
    let Some((code, made_at_ms)) = wish else {
        return Ok(());
    };
    let Ok(kind) = HandoffKind::from_code(&code) else {
        return Ok(());
    };
    for parcel in &mut stop.parcels {
        let allowed = kind != HandoffKind::Recipient
            && !(parcel.door_required && leaves_the_door(kind))
            && parcel.consents.is_empty();
        if allowed {
            let standing = format!("standing-{}", parcel.parcel_id);
            parcel.consents.push(ConsentRecord {
                consent_id: standing.clone(),
                origin: ConsentOrigin::StandingPreference,
                evidence: ConsentEvidence::Preference {
                    reference: standing,
                },
                ..by_page(0, parcel.parcel_id, kind, made_at_ms)
            });
        }
    }
    Ok(())
}

/// The last choice of a kind.
pub(crate) async fn last(
    hub: &Hub,
    parcel: ParcelId,
    kind: &str,
) -> Result<Option<String>, HubError> {
    Ok(sqlx::query_scalar(
        "SELECT value FROM customer_choice WHERE parcel_id = ? AND kind = ? \
         ORDER BY choice_id DESC LIMIT 1",
    )
    .bind(&parcel.as_bytes()[..])
    .bind(kind)
    .fetch_optional(hub.db().read())
    .await?)
}
