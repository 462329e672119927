//! Writing a rating: its class, its place in the journal, the case of a customer who is not content,
//! and the word to the courier, all in one transaction.

use satchel_protocol::feed::RatingItem;
use satchel_protocol::taxonomy::RatingClass;
use serde::Serialize;
use sqlx::Row;

use super::desk::{self, Job};
use super::{Answers, LOW_STARS, OpenRating, Said, bind};
use crate::care::{self, Opening};
use crate::db::Tx;
use crate::error::HubError;
use crate::hub::Hub;
use crate::journal;
use crate::shares::{self, CodeCheck, Session};
use crate::store::feed;
use crate::visitor::Visitor;

/// What came of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Submitted {
    /// Written. `verified`: this browser now holds the share.
    Done { rating_id: i64, verified: bool },
    /// Somebody was first.
    TooLate,
    /// The typed code is not this delivery's; nothing was written but the try.
    WrongCode,
    /// The code was tried too often.
    DeadCode,
    /// A head was noted.
    Noted,
}

/// A rating on its way.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) open: OpenRating,
    pub(crate) answers: Answers,
    pub(crate) visitor: Visitor,
    /// The session that a right code opens for this browser.
    pub(crate) session: Session,
}

/// Takes a rating.
pub(crate) async fn submit(hub: &Hub, submission: Submission) -> Result<Submitted, HubError> {
    let done = desk::hand_in(hub, Job::Rate(Box::new(submission))).await?;
    if let Submitted::Done { .. } = done {
        hub.metrics().ratings.add(1);
    }
    Ok(done)
}

/// Remembers when a customer's phone first showed this head: an outside witness of the log.
pub(crate) async fn witness(hub: &Hub, open: &OpenRating) -> Result<(), HubError> {
    if !open.witnessed {
        desk::hand_in(hub, Job::Witness(open.clone())).await?;
    }
    Ok(())
}

/// Writes all jobs in one transaction.
pub(super) async fn write(hub: &Hub, jobs: &[Job]) -> Result<Vec<Submitted>, HubError> {
    let mut tx = hub.db().write().await?;
    let mut done = Vec::with_capacity(jobs.len());
    for job in jobs {
        done.push(match job {
            Job::Witness(open) => {
                note_head(hub, &mut tx, open).await?;
                Submitted::Noted
            }
            Job::Rate(submission) => rate(hub, &mut tx, submission).await?,
        });
    }
    tx.commit().await?;
    Ok(done)
}

async fn note_head(hub: &Hub, tx: &mut Tx, open: &OpenRating) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO witness (parcel_id, device_id, head, first_seen_at_ms) VALUES (?, ?, ?, ?) \
         ON CONFLICT DO NOTHING",
    )
    .bind(&open.parcel.as_bytes()[..])
    .bind(&open.device.as_bytes()[..])
    .bind(&open.head[..])
    .bind(hub.now_ms())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The share that makes a rating count, if one was shown.
enum Share {
    None,
    Session,
    Code,
    Refused(Submitted),
}

async fn share(hub: &Hub, tx: &mut Tx, s: &Submission) -> Result<Share, HubError> {
    if s.open.holds_share {
        return Ok(Share::Session);
    }
    let Some(code) = &s.answers.code else {
        return Ok(Share::None);
    };
    Ok(
        match shares::check_code(hub, tx, s.open.parcel, code).await? {
            CodeCheck::Right => {
                shares::grant(tx, s.session, s.open.parcel, hub.now_ms()).await?;
                Share::Code
            }
            CodeCheck::Wrong => Share::Refused(Submitted::WrongCode),
            CodeCheck::Dead => Share::Refused(Submitted::DeadCode),
        },
    )
}

async fn rate(hub: &Hub, tx: &mut Tx, s: &Submission) -> Result<Submitted, HubError> {
    let last = last_said(tx, s).await?;
    if last.is_some_and(|said| !said.may_change(s.open.holds_share, hub.now_ms())) {
        return Ok(Submitted::TooLate);
    }
    let share = match share(hub, tx, s).await? {
        Share::Refused(why) => return Ok(why),
        Share::None => None,
        Share::Session => Some("session"),
        Share::Code => Some("code"),
    };
    let revision = last.map_or(1, |said| said.revision + 1);
    let rating_id = insert(hub, tx, s, share, revision).await?;
    if !s.open.witnessed {
        note_head(hub, tx, &s.open).await?;
    }
    if i64::from(s.answers.stars) <= LOW_STARS {
        // A078: every customer who is not content has a case, whether or not he asks for one.
        let opening = Opening::low_rating(s.open.parcel, rating_id, &s.answers);
        care::open_once(hub, tx, &opening).await?;
    }
    Ok(Submitted::Done {
        rating_id,
        verified: share.is_some(),
    })
}

async fn last_said(tx: &mut Tx, s: &Submission) -> Result<Option<Said>, HubError> {
    let row = sqlx::query(
        "SELECT revision, class = 'verified' AS verified, rated_at_ms, stars FROM rating_said \
         WHERE parcel_id = ? ORDER BY revision DESC LIMIT 1",
    )
    .bind(&s.open.parcel.as_bytes()[..])
    .fetch_optional(&mut **tx)
    .await?;
    row.as_ref().map_or(Ok(None), super::said)
}

/// What the hub signs about a rating. The words are in it, so that they cannot be changed later; they
/// are erasable with the record's body.
#[derive(Serialize)]
struct Signed<'a> {
    parcel: String,
    head: String,
    revision: i64,
    class: &'static str,
    share: Option<&'static str>,
    stars: u8,
    timeliness: Option<u8>,
    attitude: Option<u8>,
    information: Option<u8>,
    tags: &'a [String],
    comment: Option<&'a str>,
}

async fn insert(
    hub: &Hub,
    tx: &mut Tx,
    s: &Submission,
    share: Option<&'static str>,
    revision: i64,
) -> Result<i64, HubError> {
    let (open, answers) = (&s.open, &s.answers);
    let class = match share {
        Some(_) => RatingClass::Verified,
        None => RatingClass::Present,
    };
    let record = Signed {
        parcel: open.parcel.to_string(),
        head: data_encoding::HEXLOWER.encode(&open.head),
        revision,
        class: class.code(),
        share,
        stars: answers.stars,
        timeliness: answers.timeliness,
        attitude: answers.attitude,
        information: answers.information,
        tags: &answers.tags,
        comment: answers.comment.as_deref(),
    };
    let journal_seq = journal::append(hub, tx, journal::RATED, &record).await?;
    let entry = bind::entry_with_head(&mut **tx, open.device, &open.head).await?;
    let now_ms = hub.now_ms();
    let tags = serde_json::to_string(&answers.tags).map_err(|_| HubError::DamagedRow {
        what: "rating tags",
    })?;
    let row = sqlx::query(
        "INSERT INTO rating_said (parcel_id, revision, device_id, courier_id, head, class, share, \
           stars, timeliness, attitude, information, tags, comment, lang, rated_at_ms, net, agent, \
           browser, journal_seq, bound_at_ms, bound_seq) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING rating_id",
    )
    .bind(&open.parcel.as_bytes()[..])
    .bind(revision)
    .bind(&open.device.as_bytes()[..])
    .bind(&open.courier.as_bytes()[..])
    .bind(&open.head[..])
    .bind(class.code())
    .bind(share)
    .bind(i64::from(answers.stars))
    .bind(answers.timeliness.map(i64::from))
    .bind(answers.attitude.map(i64::from))
    .bind(answers.information.map(i64::from))
    .bind(tags)
    .bind(&answers.comment)
    .bind(answers.lang)
    .bind(now_ms)
    .bind(s.visitor.net.map(|n| n.to_vec()))
    .bind(s.visitor.agent.map(|n| n.to_vec()))
    .bind(s.visitor.browser.map(|n| n.to_vec()))
    .bind(journal_seq)
    .bind(entry.map(|_| now_ms))
    .bind(entry.map(|e| e.seq))
    .fetch_one(&mut **tx)
    .await?;
    let item = RatingItem {
        parcel_id: open.parcel,
        stars: answers.stars,
        timeliness: answers.timeliness,
        attitude: answers.attitude,
        information: answers.information,
        tags: answers.tags.clone(),
        comment: answers.comment.clone(),
        rated_at_ms: now_ms,
        bound: entry.is_some(),
        class: class.code().to_owned(),
        flags: Vec::new(),
        hidden: None,
        appeal: None,
    };
    feed::append(tx, open.courier, RatingItem::KIND, &item).await?;
    Ok(row.try_get("rating_id")?)
}
