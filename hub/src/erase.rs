//! Erasing one delivery at the hub (PIPL 47): everything personal about it goes, everything proven about it
//! stays.
//!
//! Entries keep header, signature and their leaf in the transparency log and lose salt and body together;
//! the figures keep which events there were. What several deliveries share (a stop's address, a consent, a
//! photo of one handoff) goes with the last of them. Phones that ever had the parcel are told, and an entry
//! that arrives afterwards is emptied on arrival. Files go after the commit, and the database's own log is
//! emptied, because it held the rows too; what a stop in between leaves is swept later.

use std::collections::BTreeSet;

use satchel_protocol::erase::ParcelErasedItem;
use satchel_protocol::feed::StopItem;
use satchel_protocol::ids::{CourierId, DeviceId, Hash32, ParcelId};
use serde::Serialize;
use serde_json::Value;
use sqlx::Row;

use crate::db::{RowExt, Tx};
use crate::doorstep::{ParcelRef, find_parcel};
use crate::error::HubError;
use crate::hub::Hub;
use crate::journal;
use crate::store::{bulk, feed};

/// Entries about `?1`; those about several deliveries only when all of them are erased.
const MARK: &str = "INSERT OR IGNORE INTO erased_entry (parcel_id, device_id, seq) \
    SELECT DISTINCT ?1, device_id, seq FROM ( \
      SELECT device_id, seq FROM attempt WHERE parcel_id = ?1 \
      UNION SELECT device_id, seq FROM correction WHERE parcel_id = ?1 \
      UNION SELECT device_id, seq FROM code_entry WHERE parcel_id = ?1 \
      UNION SELECT device_id, seq FROM pickup WHERE parcel_id = ?1 \
      UNION SELECT device_id, seq FROM parcel_step WHERE parcel_id = ?1 \
      UNION SELECT device_id, seq FROM reminder WHERE parcel_id = ?1 \
      UNION SELECT device_id, seq FROM temperature WHERE parcel_id = ?1 \
      UNION SELECT device_id, seq FROM load_scan WHERE parcel_id = ?1 \
      UNION SELECT device_id, seq FROM rating_appeal WHERE parcel_id = ?1 \
      UNION SELECT r.device_id, r.seq FROM report_parcel r WHERE r.parcel_id = ?1 AND NOT EXISTS ( \
        SELECT 1 FROM report_parcel o WHERE o.device_id = r.device_id AND o.seq = r.seq \
          AND o.parcel_id NOT IN (SELECT parcel_id FROM erasure)) \
      UNION SELECT c.recorder, c.seq FROM consent_parcel c WHERE c.parcel_id = ?1 AND c.recorder <> x'' \
        AND NOT EXISTS (SELECT 1 FROM consent_parcel o WHERE o.recorder = c.recorder AND o.seq = c.seq \
          AND o.parcel_id NOT IN (SELECT parcel_id FROM erasure)) \
      UNION SELECT c.device_id, c.seq FROM call_attempt c JOIN parcel p ON p.stop_id = c.stop_id \
        WHERE p.parcel_id = ?1 AND NOT EXISTS (SELECT 1 FROM parcel o WHERE o.stop_id = c.stop_id \
          AND o.parcel_id NOT IN (SELECT parcel_id FROM erasure)))";

/// Proofs bound by what was marked and by no entry that still speaks. `?2` is the time. The bytes of small ones go
/// with the mark (a trigger of `blob`).
const ERASE_PROOFS: &str = "INSERT INTO blob (hash, kind, size_bytes, received_at_ms, erased_at_ms) \
    SELECT p.hash, min(p.kind), min(p.size_bytes), ?2, ?2 FROM ( \
      SELECT hash, kind, size_bytes, device_id, seq FROM attempt_proof \
      UNION SELECT thumb_hash, kind, 0, device_id, seq FROM attempt_proof WHERE thumb_hash IS NOT NULL \
      UNION SELECT b.hash, 'photo', 0, b.device_id, b.seq FROM entry_blob b) p \
    JOIN erased_entry x ON x.device_id = p.device_id AND x.seq = p.seq AND x.parcel_id = ?1 \
    WHERE NOT EXISTS (SELECT 1 FROM entry_blob b JOIN entry e USING (device_id, seq) \
      WHERE b.hash = p.hash AND e.body IS NOT NULL) \
    GROUP BY p.hash \
    ON CONFLICT (hash) DO UPDATE SET erased_at_ms = ?2, expires_at_ms = NULL \
    RETURNING hash";

/// Rows that one entry became. Which events there were stays (`parcel_event`).
const PROJECTED: &[&str] = &[
    "attempt",
    "attempt_proof",
    "correction",
    "call_attempt",
    "report",
    "report_parcel",
    "pickup",
    "temperature",
    "code_entry",
    "load_scan",
    "reminder",
    "parcel_step",
];

/// What the hub itself holds about the parcel `?1`.
const OWN: &[&str] = &[
    "UPDATE parcel SET code = NULL, code_digest = NULL, contents = NULL, consents = '[]' WHERE parcel_id = ?1",
    "UPDATE hub_event SET words = NULL WHERE parcel_id = ?1",
    "UPDATE rating_said SET comment = NULL, net = NULL, agent = NULL, browser = NULL WHERE parcel_id = ?1",
    "UPDATE journal SET salt = NULL, body = NULL WHERE seq IN ( \
       SELECT journal_seq FROM rating_said WHERE parcel_id = ?1 \
       UNION SELECT journal_seq FROM care_case WHERE parcel_id = ?1 \
       UNION SELECT journal_seq FROM customer_choice WHERE parcel_id = ?1)",
    // Records of a case's events name their case and nothing else that could be looked up.
    "UPDATE journal SET salt = NULL, body = NULL WHERE kind = 16401 AND EXISTS ( \
       SELECT 1 FROM care_case c WHERE c.parcel_id = ?1 \
         AND json_extract(CAST(journal.body AS TEXT), '$.case') = c.case_id)",
    "UPDATE care_event SET words = '' WHERE case_id IN (SELECT case_id FROM care_case WHERE parcel_id = ?1)",
    "UPDATE care_case SET words = '', contact = '' WHERE parcel_id = ?1",
    "DELETE FROM care_file WHERE case_id IN (SELECT case_id FROM care_case WHERE parcel_id = ?1)",
    "UPDATE customer_choice SET value = '' WHERE parcel_id = ?1",
    "UPDATE rating_appeal SET words = '' WHERE parcel_id = ?1",
    "UPDATE doubt SET answer = iif(answer IS NULL, NULL, ''), why = iif(why IS NULL, NULL, '') \
     WHERE parcel_id = ?1",
    "DELETE FROM look_part WHERE ?1 IS NOT NULL AND hash IN \
       (SELECT hash FROM blob WHERE erased_at_ms IS NOT NULL)",
    "DELETE FROM look WHERE ?1 IS NOT NULL AND hash IN \
       (SELECT hash FROM blob WHERE erased_at_ms IS NOT NULL)",
    "DELETE FROM customer_grant WHERE parcel_id = ?1",
    "DELETE FROM code_tries WHERE parcel_id = ?1",
    "UPDATE wedged SET salt = NULL, body = NULL WHERE instr(header, \
       (SELECT handle FROM parcel WHERE parcel_id = ?1)) > 0",
    "UPDATE entry_conflict SET salt = NULL, body = NULL WHERE instr(header, \
       (SELECT handle FROM parcel WHERE parcel_id = ?1)) > 0",
    // A consent the hub recorded goes with the last of its parcels.
    "DELETE FROM consent WHERE EXISTS (SELECT 1 FROM consent_parcel c WHERE c.recorder = consent.recorder \
       AND c.seq = consent.seq AND c.parcel_id = ?1) \
     AND NOT EXISTS (SELECT 1 FROM consent_parcel c WHERE c.recorder = consent.recorder \
       AND c.seq = consent.seq AND c.parcel_id NOT IN (SELECT parcel_id FROM erasure))",
    "DELETE FROM consent_parcel WHERE parcel_id = ?1",
    // The place is kept to about a kilometre, for figures over a district.
    "UPDATE stop SET address = '', recipient_name = '', recipient_phone = '', \
       lat = round(lat, 2), lng = round(lng, 2) \
     WHERE stop_id = (SELECT stop_id FROM parcel WHERE parcel_id = ?1) AND NOT EXISTS ( \
       SELECT 1 FROM parcel o WHERE o.stop_id = stop.stop_id \
         AND o.parcel_id NOT IN (SELECT parcel_id FROM erasure))",
];

/// What an erasure did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// Entries that lost their content.
    pub entries: u64,
    /// Proofs that are gone.
    pub proofs: usize,
}

/// The hub's record of it.
#[derive(Serialize)]
struct Record<'a> {
    parcel: ParcelId,
    why: &'a str,
}

/// What is to be removed from the disk once the rows are gone.
struct Files {
    entries: u64,
    proofs: Vec<Hash32>,
    uploads: Vec<(DeviceId, Hash32)>,
}

impl Hub {
    /// Erases everything personal about one delivery, here and on the phones that had it. Doing it again
    /// empties what has arrived since. `why` is recorded in the journal; keep names out of it.
    ///
    /// # Errors
    /// [`HubError::UnknownParcel`] and [`HubError::AmbiguousWaybill`]; those of database and files.
    pub async fn erase(&self, parcel: &ParcelRef, why: &str) -> Result<Erased, HubError> {
        let why = journal::reason(why)?;
        // Nobody may place a proof between the loss of its row and the loss of its file.
        let gate = self.blobs().gate.write().await;
        let mut tx = self.db().write().await?;
        let parcel = find_parcel(&mut tx, parcel).await?;
        if !is_erased(&mut tx, parcel).await? {
            let record = Record { parcel, why };
            let journal_seq = journal::append(self, &mut tx, journal::ERASED, &record).await?;
            sqlx::query("INSERT INTO erasure (parcel_id, at_ms, journal_seq) VALUES (?, ?, ?)")
                .bind(&parcel.as_bytes()[..])
                .bind(self.now_ms())
                .bind(journal_seq)
                .execute(&mut *tx)
                .await?;
            tell(&mut tx, parcel).await?;
        }
        let files = empty(&mut tx, parcel, self.now_ms()).await?;
        tx.commit().await?;
        for hash in &files.proofs {
            self.blobs().unlink(hash)?;
        }
        for (device, hash) in &files.uploads {
            self.blobs().discard(*device, hash)?;
        }
        drop(gate);
        self.db().empty_log().await?;
        tracing::info!(%parcel, entries = files.entries, proofs = files.proofs.len(), "delivery erased");
        Ok(Erased {
            entries: files.entries,
            proofs: files.proofs.len(),
        })
    }
}

/// Whether a delivery was erased.
pub(crate) async fn is_erased(tx: &mut Tx, parcel: ParcelId) -> Result<bool, HubError> {
    Ok(
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM erasure WHERE parcel_id = ?)")
            .bind(&parcel.as_bytes()[..])
            .fetch_one(&mut **tx)
            .await?,
    )
}

/// Empties what came in for deliveries that were erased before it came.
pub(crate) async fn empty_late(
    tx: &mut Tx,
    touched: &BTreeSet<ParcelId>,
    now_ms: i64,
) -> Result<(), HubError> {
    let erased = sqlx::query(
        "SELECT parcel_id FROM erasure WHERE parcel_id IN (SELECT unhex(value) FROM json_each(?))",
    )
    .bind(bulk::parcels(touched))
    .fetch_all(&mut **tx)
    .await?;
    for row in &erased {
        // Proofs of a batch are rows; a file cannot have come, because its row said it had.
        empty(tx, row.parcel("parcel_id")?, now_ms).await?;
    }
    Ok(())
}

async fn empty(tx: &mut Tx, parcel: ParcelId, now_ms: i64) -> Result<Files, HubError> {
    let id = &parcel.as_bytes()[..];
    sqlx::query(MARK).bind(id).execute(&mut **tx).await?;
    let entries = sqlx::query(
        "UPDATE entry SET salt = NULL, body = NULL WHERE body IS NOT NULL AND (device_id, seq) IN \
           (SELECT device_id, seq FROM erased_entry WHERE parcel_id = ?)",
    )
    .bind(id)
    .execute(&mut **tx)
    .await?
    .rows_affected();
    sqlx::query(
        "UPDATE entry_state SET state = 'erased' WHERE (device_id, seq) IN \
           (SELECT device_id, seq FROM erased_entry WHERE parcel_id = ?)",
    )
    .bind(id)
    .execute(&mut **tx)
    .await?;
    let mut proofs = hashes(tx, ERASE_PROOFS, parcel, now_ms).await?;
    proofs.extend(
        hashes(
            tx,
            "INSERT INTO blob (hash, kind, size_bytes, received_at_ms, erased_at_ms) \
             SELECT DISTINCT f.hash, 'photo', f.size_bytes, ?2, ?2 FROM care_file f \
             JOIN care_case c USING (case_id) WHERE c.parcel_id = ?1 \
             ON CONFLICT (hash) DO UPDATE SET erased_at_ms = ?2, expires_at_ms = NULL \
             RETURNING hash",
            parcel,
            now_ms,
        )
        .await?,
    );
    let mut uploads = Vec::new();
    for hash in &proofs {
        let rows = sqlx::query("DELETE FROM upload WHERE hash = ? RETURNING device_id")
            .bind(&hash.0[..])
            .fetch_all(&mut **tx)
            .await?;
        for row in &rows {
            uploads.push((row.device("device_id")?, *hash));
        }
    }
    answers_to_reports(tx, parcel).await?;
    for table in PROJECTED {
        // The names are constants above.
        let clear = format!(
            "DELETE FROM {table} WHERE (device_id, seq) IN \
               (SELECT device_id, seq FROM erased_entry WHERE parcel_id = ?1)"
        );
        sqlx::query(sqlx::AssertSqlSafe(clear))
            .bind(id)
            .execute(&mut **tx)
            .await?;
    }
    for own in OWN {
        sqlx::query(*own).bind(id).execute(&mut **tx).await?;
    }
    rewrite_feed(tx, parcel).await?;
    Ok(Files {
        entries,
        proofs,
        uploads,
    })
}

async fn hashes(
    tx: &mut Tx,
    sql: &'static str,
    parcel: ParcelId,
    now_ms: i64,
) -> Result<Vec<Hash32>, HubError> {
    let rows = sqlx::query(sql)
        .bind(&parcel.as_bytes()[..])
        .bind(now_ms)
        .fetch_all(&mut **tx)
        .await?;
    rows.iter().map(|row| row.hash("hash")).collect()
}

async fn answers_to_reports(tx: &mut Tx, parcel: ParcelId) -> Result<(), HubError> {
    sqlx::query(
        "UPDATE report_answer SET words = NULL WHERE (device_id, report_id) IN ( \
           SELECT r.device_id, r.report_id FROM report r JOIN erased_entry x USING (device_id, seq) \
           WHERE x.parcel_id = ?)",
    )
    .bind(&parcel.as_bytes()[..])
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Tells every courier who ever had the parcel.
async fn tell(tx: &mut Tx, parcel_id: ParcelId) -> Result<(), HubError> {
    let rows = sqlx::query(
        "SELECT d.courier_id FROM assignment a JOIN device d USING (device_id) WHERE a.parcel_id = ?1 \
         UNION SELECT r.courier_id FROM parcel p JOIN stop s USING (stop_id) JOIN route r USING (route_id) \
           WHERE p.parcel_id = ?1 AND r.courier_id IS NOT NULL",
    )
    .bind(&parcel_id.as_bytes()[..])
    .fetch_all(&mut **tx)
    .await?;
    let couriers: Result<BTreeSet<CourierId>, _> =
        rows.iter().map(|r| r.courier("courier_id")).collect();
    for courier in couriers? {
        let item = ParcelErasedItem { parcel_id };
        feed::append(tx, courier, ParcelErasedItem::KIND, &item).await?;
    }
    Ok(())
}

/// A phone that reads its feed again must not be told what was erased: the items say so instead.
async fn rewrite_feed(tx: &mut Tx, parcel_id: ParcelId) -> Result<(), HubError> {
    let damaged = |_| HubError::DamagedRow { what: "feed item" };
    let name = parcel_id.to_string();
    let rows = sqlx::query(
        "SELECT courier_id, seq, kind, data FROM feed_item WHERE instr(data, ?1) > 0 \
           AND kind NOT IN ('parcel_event', 'parcel_erased')",
    )
    .bind(&name)
    .fetch_all(&mut **tx)
    .await?;
    let gone = serde_json::to_string(&ParcelErasedItem { parcel_id }).map_err(damaged)?;
    for row in &rows {
        let kind: &str = row.try_get("kind")?;
        let without = match kind {
            StopItem::KIND => without_parcel(row.try_get("data")?, &name).map_err(damaged)?,
            _ => None,
        };
        let (kind, data) = match &without {
            Some(data) => (kind, data.as_str()),
            None => (ParcelErasedItem::KIND, gone.as_str()),
        };
        sqlx::query("UPDATE feed_item SET kind = ?, data = ? WHERE courier_id = ? AND seq = ?")
            .bind(kind)
            .bind(data)
            .bind(&row.courier("courier_id")?.as_bytes()[..])
            .bind(row.try_get::<i64, _>("seq")?)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// The stop without one of its parcels; `None` if none is left.
fn without_parcel(stop: &str, parcel: &str) -> serde_json::Result<Option<String>> {
    let mut stop: Value = serde_json::from_str(stop)?;
    let Some(parcels) = stop.get_mut("parcels").and_then(Value::as_array_mut) else {
        return Ok(None);
    };
    parcels.retain(|p| p.get("parcel_id").and_then(Value::as_str) != Some(parcel));
    if parcels.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(&stop).map(Some)
}
