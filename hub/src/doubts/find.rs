//! What a single attempt gives away: its position, its clock, where its photos come from.
//!
//! Clocks and ways are compared with the courier's attempt before it, both by the time they happened.

use satchel_protocol::entry::Header;
use satchel_protocol::feed::LatLng;
use satchel_protocol::taxonomy::DoubtKind;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Against, Attempt, raise};
use crate::db::Tx;
use crate::error::HubError;
use crate::hub::Hub;
use crate::import::distance_m;

/// Attempts looked at in one transaction.
const PAGE: i64 = 200;

const MINUTE_MS: i64 = 60_000;
/// Faster than any courier's vehicle (security notes §7, threat 1: 200 km/h).
const MOST_M_PER_S: f64 = 200.0 / 3.6;
/// Two positions this near each other may be one, badly measured.
const LEAST_APART_M: f64 = 1_000.0;
/// A clock that the network sets right moves by less.
const CLOCK_MOVED_MS: i64 = 2 * MINUTE_MS;
/// A photo may be taken when the courier reaches the door, and its attempt completed when he leaves it.
const OLD_PHOTO_MS: i64 = 60 * MINUTE_MS;

const NEW: &str = "\
    SELECT e.leaf, e.header, a.device_id, a.seq, d.courier_id, a.parcel_id, a.stop_id, a.occurred_at_ms, \
      a.lat, a.lng, coalesce(a.accuracy_m, 0.0) AS accuracy_m, coalesce(a.fix_mock, 0) AS fix_mock, \
      EXISTS (SELECT 1 FROM attempt_proof p WHERE p.device_id = a.device_id AND p.seq = a.seq \
        AND p.origin = 'gallery') AS from_gallery, \
      (SELECT min(p.taken_at_ms) FROM attempt_proof p WHERE p.device_id = a.device_id AND p.seq = a.seq) \
        AS taken_at_ms \
    FROM entry e JOIN attempt a USING (device_id, seq) JOIN device d USING (device_id) \
    WHERE e.leaf > ? ORDER BY e.leaf LIMIT ?";

/// The courier's attempt before this one that has what is compared.
const BEFORE: &str = "\
    SELECT e.header, a.device_id, a.seq, d.courier_id, a.parcel_id, a.stop_id, a.occurred_at_ms, a.lat, a.lng, \
      coalesce(a.accuracy_m, 0.0) AS accuracy_m \
    FROM attempt a JOIN device d USING (device_id) JOIN entry e USING (device_id, seq) \
    WHERE d.courier_id = ? AND a.lat IS NOT NULL AND (a.device_id, a.seq) <> (?, ?) \
      AND a.occurred_at_ms <= ? ORDER BY a.occurred_at_ms DESC, a.seq DESC LIMIT 1";

/// The attempt of the same phone before this one, by its log.
const LOGGED_BEFORE: &str = "\
    SELECT e.header, a.device_id, a.seq, d.courier_id, a.parcel_id, a.stop_id, a.occurred_at_ms \
    FROM attempt a JOIN device d USING (device_id) JOIN entry e USING (device_id, seq) \
    WHERE a.device_id = ? AND a.seq < ? ORDER BY a.seq DESC LIMIT 1";

/// Other attempts that name a proof of this one, or a photo made of the same file.
const SHARED: &str = "\
    SELECT q.device_id, q.seq, d.courier_id, a.parcel_id, a.stop_id, a.occurred_at_ms \
    FROM attempt_proof p JOIN attempt_proof q \
        ON (q.hash = p.hash OR q.source_hash = p.source_hash) AND (q.device_id, q.seq) <> (p.device_id, p.seq) \
      JOIN attempt a ON (a.device_id, a.seq) = (q.device_id, q.seq) JOIN device d ON d.device_id = q.device_id \
    WHERE p.device_id = ? AND p.seq = ? AND p.kind = 'photo' ORDER BY a.occurred_at_ms";

/// Looks at all attempts that came since the last time.
pub(super) async fn attempts(hub: &Hub) -> Result<usize, HubError> {
    let mut found = 0;
    loop {
        let mut tx = hub.db().write().await?;
        let from: i64 = sqlx::query_scalar("SELECT leaf FROM doubt_cursor")
            .fetch_one(&mut *tx)
            .await?;
        let rows = sqlx::query(NEW)
            .bind(from)
            .bind(PAGE)
            .fetch_all(&mut *tx)
            .await?;
        let Some(last) = rows.last() else {
            return Ok(found);
        };
        let to: i64 = last.try_get("leaf")?;
        for row in &rows {
            found += one(&mut tx, row, hub.now_ms()).await?;
        }
        sqlx::query("UPDATE doubt_cursor SET leaf = ?")
            .bind(to)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
    }
}

async fn one(tx: &mut Tx, row: &SqliteRow, now_ms: i64) -> Result<usize, HubError> {
    let about = Attempt::of(row)?;
    let mut doubts = Vec::new();
    if row.try_get("fix_mock")? {
        doubts.push((DoubtKind::MockLocation, Against::default()));
    }
    if row.try_get("from_gallery")? {
        doubts.push((DoubtKind::GalleryPhoto, Against::default()));
    }
    let taken_at_ms: Option<i64> = row.try_get("taken_at_ms")?;
    if let Some(at_ms) = taken_at_ms.filter(|at| about.occurred_at_ms - at > OLD_PHOTO_MS) {
        let against = Against {
            at_ms: Some(at_ms),
            ..Against::default()
        };
        doubts.push((DoubtKind::OldPhoto, against));
    }
    doubts.extend(way(tx, row, &about).await?);
    doubts.extend(clock(tx, row, &about).await?);
    let mut found = shared(tx, &about, now_ms).await?;
    for (kind, against) in doubts {
        found += usize::from(raise(tx, kind, &about, against, now_ms).await?);
    }
    Ok(found)
}

type Doubt = Option<(DoubtKind, Against)>;

/// Whether somebody could have come here from his attempt before.
async fn way(tx: &mut Tx, row: &SqliteRow, about: &Attempt) -> Result<Doubt, HubError> {
    let Some(here) = place(row)? else {
        return Ok(None);
    };
    let before = sqlx::query(BEFORE)
        .bind(&about.courier.as_bytes()[..])
        .bind(&about.device.as_bytes()[..])
        .bind(about.seq)
        .bind(about.occurred_at_ms)
        .fetch_optional(&mut **tx)
        .await?;
    let Some(before) = before else {
        return Ok(None);
    };
    let (other, Some(there)) = (Attempt::of(&before)?, place(&before)?) else {
        return Ok(None);
    };
    // Both may be off by their accuracy, and only what is left is a way.
    let apart_m = distance_m(here, there) - accuracy(row)? - accuracy(&before)?;
    #[allow(clippy::cast_precision_loss)]
    let seconds = (about.occurred_at_ms - other.occurred_at_ms).max(1_000) as f64 / 1_000.0;
    let impossible = apart_m > LEAST_APART_M && apart_m / seconds > MOST_M_PER_S;
    #[allow(clippy::cast_possible_truncation)]
    let rounded_m = apart_m.round() as i64;
    Ok(impossible.then(|| {
        let against = Against {
            apart_m: Some(rounded_m),
            ..compared(&other)
        };
        (DoubtKind::Teleport, against)
    }))
}

/// Whether wall clock and running clock of one phone agree on how long it was since its attempt before. An attempt may
/// have happened earlier than it was logged; what is logged carries both clocks.
async fn clock(tx: &mut Tx, row: &SqliteRow, about: &Attempt) -> Result<Doubt, HubError> {
    let before = sqlx::query(LOGGED_BEFORE)
        .bind(&about.device.as_bytes()[..])
        .bind(about.seq)
        .fetch_optional(&mut **tx)
        .await?;
    let Some(before) = before else {
        return Ok(None);
    };
    let (Ok(now), Ok(then)) = (header(row)?, header(&before)?) else {
        return Ok(None);
    };
    if now.boot_id != then.boot_id {
        return Ok(None);
    }
    let wall_ms = now.occurred_at_ms - then.occurred_at_ms;
    let ran_ms = now.boottime_ns.saturating_sub(then.boottime_ns) / 1_000_000;
    let moved = wall_ms.abs_diff(ran_ms) > CLOCK_MOVED_MS.unsigned_abs();
    Ok(moved.then_some((DoubtKind::ClockMoved, compared(&Attempt::of(&before)?))))
}

/// Whether a photo of this attempt proves another visit as well. Of two visits the later one is doubted, whichever
/// arrived first.
async fn shared(tx: &mut Tx, about: &Attempt, now_ms: i64) -> Result<usize, HubError> {
    let rows = sqlx::query(SHARED)
        .bind(&about.device.as_bytes()[..])
        .bind(about.seq)
        .fetch_all(&mut **tx)
        .await?;
    let mut found = 0;
    for row in &rows {
        let other = Attempt::of(row)?;
        if !about.is_same_visit(&other) {
            let (first, later) = about.by_time(&other);
            let new = raise(tx, DoubtKind::PhotoReused, later, compared(first), now_ms).await?;
            found += usize::from(new);
        }
    }
    Ok(found)
}

/// The other attempt as what this one is compared with.
pub(super) fn compared(other: &Attempt) -> Against {
    Against {
        other: Some((other.device, other.seq)),
        at_ms: Some(other.occurred_at_ms),
        apart_m: None,
    }
}

type Read = Result<Header, satchel_protocol::FormatError>;

fn header(row: &SqliteRow) -> Result<Read, HubError> {
    let bytes: &[u8] = row.try_get("header")?;
    Ok(Header::decode(bytes))
}

fn place(row: &SqliteRow) -> Result<Option<LatLng>, HubError> {
    let (lat, lng): (Option<f64>, Option<f64>) = (row.try_get("lat")?, row.try_get("lng")?);
    Ok(lat.zip(lng).map(|(lat, lng)| LatLng { lat, lng }))
}

fn accuracy(row: &SqliteRow) -> Result<f64, HubError> {
    Ok(row.try_get::<f64, _>("accuracy_m")?.clamp(0.0, 100_000.0))
}
