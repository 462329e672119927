//! What the hub wonders about in couriers' logs: a mock position, an impossible way, one photo for two visits.
//!
//! A doubt is a question, never a punishment: nothing is withheld, marked down or hidden because of it. The courier's
//! phone is told which and why, he may answer from there, a person judges with a reason, and all three stay. The
//! search runs beside the requests and looks at each attempt once (`find`), and at each proof once it is held (`look`).

mod find;
mod look;

use satchel_protocol::doubt::DoubtAnswerBody;
use satchel_protocol::feed::DoubtItem;
use satchel_protocol::ids::{CourierId, DeviceId, DoubtId, ParcelId};
use satchel_protocol::taxonomy::{DoubtKind, DoubtVerdict};
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::hub::Hub;
use crate::journal;
use crate::store::entries::CheckedEntry;
use crate::store::feed;

/// Names doubts after what they are about, so that finding one again finds the same.
const DOUBTS: Uuid = Uuid::from_u128(0x3b0a_91d7_5f44_4f0e_8c1e_62a9_d90b_7751);

/// An attempt as the search sees it.
#[derive(Debug, Clone)]
struct Attempt {
    device: DeviceId,
    seq: i64,
    courier: CourierId,
    parcel: ParcelId,
    stop: Vec<u8>,
    occurred_at_ms: i64,
}

impl Attempt {
    fn of(row: &SqliteRow) -> Result<Self, HubError> {
        Ok(Self {
            device: row.device("device_id")?,
            seq: row.try_get("seq")?,
            courier: row.courier("courier_id")?,
            parcel: row.parcel("parcel_id")?,
            stop: row.try_get("stop_id")?,
            occurred_at_ms: row.try_get("occurred_at_ms")?,
        })
    }

    /// Two attempts, the earlier first.
    fn by_time<'a>(&'a self, other: &'a Self) -> (&'a Self, &'a Self) {
        let at = |x: &Self| (x.occurred_at_ms, x.device, x.seq);
        if at(self) <= at(other) {
            (self, other)
        } else {
            (other, self)
        }
    }

    /// One proof may serve all parcels handed over at one door: that is one visit.
    fn is_same_visit(&self, other: &Self) -> bool {
        const VISIT_MS: i64 = 30 * 60 * 1_000;
        self.courier == other.courier
            && self.stop == other.stop
            && self.occurred_at_ms.abs_diff(other.occurred_at_ms) <= VISIT_MS.unsigned_abs()
    }
}

/// What an attempt is compared with.
#[derive(Debug, Clone, Copy, Default)]
struct Against {
    other: Option<(DeviceId, i64)>,
    at_ms: Option<i64>,
    apart_m: Option<i64>,
}

/// Writes a doubt down and tells the courier; one that is known already changes nothing. True if it is new.
async fn raise(
    tx: &mut Tx,
    kind: DoubtKind,
    about: &Attempt,
    against: Against,
    now_ms: i64,
) -> Result<bool, HubError> {
    let name = format!("{}/{}/{}", kind.code(), about.device, about.seq);
    let id = DoubtId(Uuid::new_v5(&DOUBTS, name.as_bytes()));
    let done = sqlx::query(
        "INSERT INTO doubt (doubt_id, kind, device_id, seq, courier_id, parcel_id, occurred_at_ms, \
           other_device, other_seq, other_at_ms, apart_m, raised_at_ms) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(&id.as_bytes()[..])
    .bind(kind.code())
    .bind(&about.device.as_bytes()[..])
    .bind(about.seq)
    .bind(&about.courier.as_bytes()[..])
    .bind(&about.parcel.as_bytes()[..])
    .bind(about.occurred_at_ms)
    .bind(against.other.map(|o| o.0.as_bytes().to_vec()))
    .bind(against.other.map(|o| o.1))
    .bind(against.at_ms)
    .bind(against.apart_m)
    .bind(now_ms)
    .execute(&mut **tx)
    .await?;
    let is_new = done.rows_affected() > 0;
    if is_new {
        tell(tx, id).await?;
    }
    Ok(is_new)
}

/// Puts a doubt as it stands on its courier's feed.
async fn tell(tx: &mut Tx, id: DoubtId) -> Result<(), HubError> {
    let row = sqlx::query("SELECT * FROM doubt WHERE doubt_id = ?")
        .bind(&id.as_bytes()[..])
        .fetch_one(&mut **tx)
        .await?;
    let item = DoubtItem {
        doubt_id: id,
        doubt: row.try_get("kind")?,
        parcel_id: row.parcel("parcel_id")?,
        occurred_at_ms: row.try_get("occurred_at_ms")?,
        other_at_ms: row.try_get("other_at_ms")?,
        apart_m: row.try_get("apart_m")?,
        raised_at_ms: row.try_get("raised_at_ms")?,
        answer: row.try_get("answer")?,
        verdict: row.try_get("verdict")?,
        why: row.try_get("why")?,
    };
    feed::append(tx, row.courier("courier_id")?, DoubtItem::KIND, &item).await
}

/// Files a courier's answer: only to a doubt about himself, the first words stand.
pub(crate) async fn file(tx: &mut Tx, new: &CheckedEntry, now_ms: i64) -> Result<(), HubError> {
    if new.header.kind != DoubtAnswerBody::KIND {
        return Ok(());
    }
    let body = new.entry.body.as_deref();
    let Some(answer) = body.and_then(|body| DoubtAnswerBody::decode(body).ok()) else {
        return Ok(());
    };
    let done = sqlx::query(
        "UPDATE doubt SET answer = ?, answered_at_ms = ? WHERE doubt_id = ? AND answer IS NULL \
           AND courier_id = (SELECT courier_id FROM device WHERE device_id = ?)",
    )
    .bind(&answer.words)
    .bind(now_ms)
    .bind(&answer.doubt.as_bytes()[..])
    .bind(&new.header.device.as_bytes()[..])
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() > 0 {
        tell(tx, answer.doubt).await?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Judged<'a> {
    doubt: String,
    verdict: &'static str,
    why: &'a str,
}

impl Hub {
    /// Looks at what came since the last time. Gives the number of new doubts.
    ///
    /// # Errors
    /// [`HubError`]; what was not looked at is looked at the next time.
    pub async fn look_for_doubts(&self) -> Result<usize, HubError> {
        let new = find::attempts(self).await? + look::proofs(self).await?;
        if new > 0 {
            tracing::info!(new, "doubts for a person to look at");
        }
        Ok(new)
    }

    /// A person's verdict on a doubt, with the reason; signed into the journal and told to the courier. A later
    /// verdict replaces an earlier one, and the journal keeps both.
    ///
    /// # Errors
    /// [`HubError::NoReason`], [`HubError::UnknownDoubt`].
    pub async fn judge_doubt(
        &self,
        id: DoubtId,
        verdict: DoubtVerdict,
        why: &str,
    ) -> Result<(), HubError> {
        let why = journal::reason(why)?;
        let mut tx = self.db().write().await?;
        let done = sqlx::query(
            "UPDATE doubt SET verdict = ?, why = ?, judged_at_ms = ? WHERE doubt_id = ?",
        )
        .bind(verdict.code())
        .bind(why)
        .bind(self.now_ms())
        .bind(&id.as_bytes()[..])
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(HubError::UnknownDoubt);
        }
        let record = Judged {
            doubt: id.to_string(),
            verdict: verdict.code(),
            why,
        };
        journal::append(self, &mut tx, journal::DOUBT_JUDGED, &record).await?;
        tell(&mut tx, id).await?;
        tx.commit().await?;
        Ok(())
    }
}
