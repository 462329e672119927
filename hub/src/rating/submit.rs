//! Writing a rating: its class, its place in the journal, the case of a customer who is not content,
//! and the word to the courier, all in one transaction.

use satchel_protocol::feed::RatingItem;
use satchel_protocol::taxonomy::RatingClass;
use serde::Serialize;
use sqlx::Row;

use super::desk::{self, Job};
use super::{Answers, LOW_STARS, OpenRating, Said, bind};
use crate::care::{self, Opening};
use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::hub::Hub;
use crate::journal;
use crate::shares::{self, CodeCheck, Session};
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
    let found = find(tx, &s.open).await?;
    if found
        .last
        .is_some_and(|said| !said.may_change(s.open.holds_share, hub.now_ms()))
    {
        return Ok(Submitted::TooLate);
    }
    let share = match share(hub, tx, s).await? {
        Share::Refused(why) => return Ok(why),
        Share::None => None,
        Share::Session => Some("session"),
        Share::Code => Some("code"),
    };
    let rating_id = insert(hub, tx, s, share, &found).await?;
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

/// What a new word meets.
struct Found {
    /// The word that stands.
    last: Option<Said>,
    /// Position of the entry whose head the token carries, if it has arrived.
    bound_seq: Option<i64>,
    tip: journal::Tip,
}

/// All of it in one look: each question of its own would cost a turn of the database's thread. An entry that stands
/// open may be said again by a later one; the code was made when it was first said.
const FIND: &str = "\
    SELECT s.revision, s.verified, s.rated_at_ms, s.stars, j.seq AS tip_seq, j.hash AS tip_hash, \
      (SELECT seq FROM entry WHERE hash BETWEEN ?2 AND ?3 AND device_id = ?4 \
         UNION ALL SELECT replaced_by FROM wedged WHERE device_id = ?4 AND hash BETWEEN ?2 AND ?3 \
           AND replaced_by IS NOT NULL LIMIT 1) AS bound_seq \
    FROM (SELECT 1) \
      LEFT JOIN (SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1) j \
      LEFT JOIN (SELECT revision, class = 'verified' AS verified, rated_at_ms, stars \
        FROM rating_said WHERE parcel_id = ?1 ORDER BY revision DESC LIMIT 1) s";

async fn find(tx: &mut Tx, open: &OpenRating) -> Result<Found, HubError> {
    let [low, high] = bind::hashes_with_head(&open.head);
    let row = sqlx::query(FIND)
        .bind(&open.parcel.as_bytes()[..])
        .bind(low)
        .bind(high)
        .bind(&open.device.as_bytes()[..])
        .fetch_one(&mut **tx)
        .await?;
    let tip = match row.try_get("tip_seq")? {
        Some(seq) => journal::Tip {
            seq,
            hash: row.hash("tip_hash")?,
        },
        None => journal::Tip::NONE,
    };
    Ok(Found {
        last: super::said(&row)?,
        bound_seq: row.try_get("bound_seq")?,
        tip,
    })
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

/// The record, the word, the head as witnessed and the news for the courier, in one turn of the database's
/// thread; numbered arguments count over all four. The word comes last, so that its row is the last one written.
const WRITE: &str = "\
    INSERT INTO journal (seq, hash, kind, header, sig, salt, body, at_ms) \
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8); \
    INSERT INTO witness (parcel_id, device_id, head, first_seen_at_ms) VALUES (?9, ?10, ?11, ?8) \
      ON CONFLICT DO NOTHING; \
    INSERT INTO feed_item (courier_id, seq, kind, data) \
      SELECT ?12, coalesce(max(seq), 0) + 1, ?13, ?14 FROM feed_item WHERE courier_id = ?12; \
    INSERT INTO rating_said (parcel_id, device_id, head, rated_at_ms, courier_id, journal_seq, revision, \
        class, share, stars, timeliness, attitude, information, tags, comment, lang, net, agent, browser, \
        bound_at_ms, bound_seq) \
      VALUES (?9, ?10, ?11, ?8, ?12, ?1, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, \
        ?28, ?29)";

async fn insert(
    hub: &Hub,
    tx: &mut Tx,
    s: &Submission,
    share: Option<&'static str>,
    found: &Found,
) -> Result<i64, HubError> {
    let (open, answers) = (&s.open, &s.answers);
    let class = match share {
        Some(_) => RatingClass::Verified,
        None => RatingClass::Present,
    };
    let revision = found.last.map_or(1, |said| said.revision + 1);
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
    let sealed = journal::seal(hub, found.tip, journal::RATED, &record)?;
    let item = news(s, class, sealed.at_ms, found.bound_seq.is_some());
    let damaged = |what| move |_| HubError::DamagedRow { what };
    let item = serde_json::to_string(&item).map_err(damaged("feed item"))?;
    let tags = serde_json::to_string(&answers.tags).map_err(damaged("rating tags"))?;
    let done = sqlx::query(WRITE)
        .bind(sealed.seq)
        .bind(&sealed.entry.hash().0[..])
        .bind(i64::from(sealed.kind.0))
        .bind(&sealed.entry.header)
        .bind(&sealed.entry.sig.0[..])
        .bind(sealed.entry.salt.map(|s| s.0.to_vec()))
        .bind(&sealed.entry.body)
        .bind(sealed.at_ms)
        .bind(&open.parcel.as_bytes()[..])
        .bind(&open.device.as_bytes()[..])
        .bind(&open.head[..])
        .bind(&open.courier.as_bytes()[..])
        .bind(RatingItem::KIND)
        .bind(item)
        .bind(revision)
        .bind(class.code())
        .bind(share)
        .bind(i64::from(answers.stars))
        .bind(answers.timeliness.map(i64::from))
        .bind(answers.attitude.map(i64::from))
        .bind(answers.information.map(i64::from))
        .bind(tags)
        .bind(&answers.comment)
        .bind(answers.lang)
        .bind(s.visitor.net.map(|n| n.to_vec()))
        .bind(s.visitor.agent.map(|n| n.to_vec()))
        .bind(s.visitor.browser.map(|n| n.to_vec()))
        .bind(found.bound_seq.map(|_| sealed.at_ms))
        .bind(found.bound_seq)
        .execute(&mut **tx)
        .await?;
    Ok(done.last_insert_rowid())
}

/// What the courier's phone is told.
fn news(s: &Submission, class: RatingClass, rated_at_ms: i64, bound: bool) -> RatingItem {
    let answers = &s.answers;
    RatingItem {
        parcel_id: s.open.parcel,
        stars: answers.stars,
        timeliness: answers.timeliness,
        attitude: answers.attitude,
        information: answers.information,
        tags: answers.tags.clone(),
        comment: answers.comment.clone(),
        rated_at_ms,
        bound,
        class: class.code().to_owned(),
        flags: Vec::new(),
        hidden: None,
        appeal: None,
    }
}
