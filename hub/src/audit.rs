//! A count of everything held, for checks: what the demo's summary and the whole-system tests compare
//! with what the phones say.

use satchel_protocol::ids::{AttemptId, CourierId, DeviceId, Hash32, ParcelId};
use serde::{Deserialize, Serialize};
use sqlx::Row;

use crate::db::RowExt;
use crate::error::HubError;
use crate::hub::Hub;

/// Everything the hub holds, in a fixed order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// One per device, by id.
    pub devices: Vec<DeviceAudit>,
    /// One per known parcel, by waybill.
    pub parcels: Vec<ParcelAudit>,
    /// One per rating, oldest first.
    pub ratings: Vec<RatingAudit>,
    /// Alarms nobody has cleared.
    pub open_alarms: i64,
    /// Entries set aside as forged or forked.
    pub set_aside: i64,
    /// Doubts that nobody has judged yet.
    pub open_doubts: i64,
}

/// What is held of one device's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceAudit {
    /// The device.
    pub device: DeviceId,
    /// Its courier.
    pub courier: CourierId,
    /// Entries held.
    pub entries: i64,
    /// Position of the last one; equal to `entries` when there is no gap.
    pub head_seq: i64,
    /// Hash of the last one.
    pub head: Hash32,
    /// Positions that stand open: what came for them does not verify, and nothing says it again.
    #[serde(default)]
    pub wedged: i64,
    /// Whether the log is set aside.
    pub quarantined: bool,
}

/// One parcel and every attempt at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelAudit {
    /// The parcel.
    pub parcel: ParcelId,
    /// Its waybill number.
    pub waybill: String,
    /// Code of its latest outcome.
    pub outcome: Option<String>,
    /// In the order of their log positions.
    pub attempts: Vec<AttemptAudit>,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptAudit {
    /// The visit.
    pub attempt: AttemptId,
    /// Whose log has it.
    pub device: DeviceId,
    /// Where in that log.
    pub seq: i64,
    /// The entry's hash.
    pub hash: Hash32,
    /// Code of the outcome.
    pub outcome: String,
    /// Code of the handoff.
    pub handoff: String,
    /// The consent it rests on.
    pub consent_id: Option<String>,
    /// The phone's time.
    pub occurred_at_ms: i64,
    /// The hub's time.
    pub received_at_ms: i64,
    /// The proofs it names.
    pub proofs: Vec<ProofAudit>,
}

/// One proof of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofAudit {
    /// SHA-256 of its bytes.
    pub hash: Hash32,
    /// Code of its kind.
    pub kind: String,
    /// The signed header binds it.
    pub bound: bool,
    /// The hub holds all its bytes.
    pub complete: bool,
    /// It does not, and its phone says that it cannot bring them any more.
    #[serde(default)]
    pub lost: bool,
}

/// One rating.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatingAudit {
    /// The parcel.
    pub parcel: ParcelId,
    /// Stars, 1 to 5.
    pub stars: i64,
    /// The attempt with its head has arrived.
    pub bound: bool,
    /// Code of what it counts for: verified, present or flagged.
    #[serde(default)]
    pub class: String,
}

impl Hub {
    /// Counts everything held, in one consistent look.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn audit(&self) -> Result<Audit, HubError> {
        let mut tx = self.db().read().begin().await?;
        let devices = sqlx::query(
            "SELECT d.device_id, d.courier_id, d.quarantined_at_ms IS NOT NULL AS quarantined, \
               (SELECT count(*) FROM entry e WHERE e.device_id = d.device_id) AS entries, \
               (SELECT coalesce(max(seq), 0) FROM entry e WHERE e.device_id = d.device_id) AS head_seq, \
               (SELECT count(*) FROM wedged w WHERE w.device_id = d.device_id \
                  AND repaired_at_ms IS NULL AND replaced_by IS NULL) AS wedged, \
               coalesce((SELECT hash FROM entry e WHERE e.device_id = d.device_id \
                  ORDER BY seq DESC LIMIT 1), zeroblob(32)) AS head \
             FROM device d ORDER BY d.device_id",
        )
        .fetch_all(&mut *tx)
        .await?;
        let parcels = sqlx::query(
            "SELECT p.parcel_id, p.waybill, s.outcome FROM parcel p \
             LEFT JOIN parcel_state s USING (parcel_id) ORDER BY p.waybill, p.parcel_id",
        )
        .fetch_all(&mut *tx)
        .await?;
        let attempts = sqlx::query(
            "SELECT a.*, e.hash FROM attempt a JOIN entry e USING (device_id, seq) \
             ORDER BY a.parcel_id, a.device_id, a.seq",
        )
        .fetch_all(&mut *tx)
        .await?;
        let proofs = sqlx::query(
            "SELECT ap.*, b.hash IS NOT NULL AS complete, b.hash IS NULL AND EXISTS ( \
               SELECT 1 FROM proof_lost l WHERE l.device_id = ap.device_id AND l.hash = ap.hash) AS lost \
             FROM attempt_proof ap LEFT JOIN blob b USING (hash) ORDER BY ap.device_id, ap.seq, ap.ordinal",
        )
        .fetch_all(&mut *tx)
        .await?;
        let ratings = sqlx::query(
            "SELECT parcel_id, stars, bound_seq IS NOT NULL AS bound, class FROM rating ORDER BY rating_id",
        )
        .fetch_all(&mut *tx)
        .await?;
        let open_alarms =
            sqlx::query_scalar("SELECT count(*) FROM alarm WHERE cleared_at_ms IS NULL")
                .fetch_one(&mut *tx)
                .await?;
        let set_aside = sqlx::query_scalar("SELECT count(*) FROM entry_conflict")
            .fetch_one(&mut *tx)
            .await?;
        let open_doubts = sqlx::query_scalar("SELECT count(*) FROM doubt WHERE verdict IS NULL")
            .fetch_one(&mut *tx)
            .await?;
        Ok(Audit {
            devices: devices.iter().map(device).collect::<Result<_, _>>()?,
            parcels: assemble(&parcels, &attempts, &proofs)?,
            ratings: ratings.iter().map(rating).collect::<Result<_, _>>()?,
            open_alarms,
            set_aside,
            open_doubts,
        })
    }
}

type Rows = [sqlx::sqlite::SqliteRow];

fn device(row: &sqlx::sqlite::SqliteRow) -> Result<DeviceAudit, HubError> {
    Ok(DeviceAudit {
        device: row.device("device_id")?,
        courier: row.courier("courier_id")?,
        entries: row.try_get("entries")?,
        head_seq: row.try_get("head_seq")?,
        head: row.hash("head")?,
        wedged: row.try_get("wedged")?,
        quarantined: row.try_get("quarantined")?,
    })
}

fn rating(row: &sqlx::sqlite::SqliteRow) -> Result<RatingAudit, HubError> {
    Ok(RatingAudit {
        parcel: row.parcel("parcel_id")?,
        stars: row.try_get("stars")?,
        bound: row.try_get("bound")?,
        class: row.try_get("class")?,
    })
}

/// Puts proofs to their attempts and attempts to their parcels.
fn assemble(parcels: &Rows, attempts: &Rows, proofs: &Rows) -> Result<Vec<ParcelAudit>, HubError> {
    use std::collections::HashMap;

    let mut proofs_of: HashMap<(DeviceId, i64), Vec<ProofAudit>> = HashMap::new();
    for row in proofs {
        let key = (row.device("device_id")?, row.try_get("seq")?);
        proofs_of.entry(key).or_default().push(ProofAudit {
            hash: row.hash("hash")?,
            kind: row.try_get("kind")?,
            bound: row.try_get("bound")?,
            complete: row.try_get("complete")?,
            lost: row.try_get("lost")?,
        });
    }
    let mut attempts_of: HashMap<ParcelId, Vec<AttemptAudit>> = HashMap::new();
    for row in attempts {
        let (device, seq) = (row.device("device_id")?, row.try_get("seq")?);
        attempts_of
            .entry(row.parcel("parcel_id")?)
            .or_default()
            .push(AttemptAudit {
                attempt: AttemptId(row.uuid("attempt_id")?),
                device,
                seq,
                hash: row.hash("hash")?,
                outcome: row.try_get("outcome")?,
                handoff: row.try_get("handoff")?,
                consent_id: row.try_get("consent_id")?,
                occurred_at_ms: row.try_get("occurred_at_ms")?,
                received_at_ms: row.try_get("received_at_ms")?,
                proofs: proofs_of.remove(&(device, seq)).unwrap_or_default(),
            });
    }
    parcels
        .iter()
        .map(|row| {
            let parcel = row.parcel("parcel_id")?;
            Ok(ParcelAudit {
                parcel,
                waybill: row.try_get("waybill")?,
                outcome: row.try_get("outcome")?,
                attempts: attempts_of.remove(&parcel).unwrap_or_default(),
            })
        })
        .collect()
}
