//! What proofs look like, so that a photo scaled, recompressed or photographed again is found, and strokes that were
//! copied from one signature into another.
//!
//! A photo becomes 64 bits (which of two neighbours in a grid of 9 × 8 is brighter, as the phone does it when it warns the
//! courier); two that differ in few bits are one picture. They share at least one of seven parts of those bits, so near
//! ones are found by index instead of by comparing with every photo there is. A signature's bytes name its visit;
//! without that they are its strokes.

use image::DynamicImage;
use image::imageops::FilterType;
use satchel_protocol::crypto;
use satchel_protocol::ids::Hash32;
use satchel_protocol::ink::Signature;
use satchel_protocol::taxonomy::{DoubtKind, ProofKind};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::find::compared;
use super::{Attempt, raise};
use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::hub::Hub;

/// Proofs looked at between two commits.
const PAGE: i64 = 50;
/// Two photos that differ in at most so many bits are one picture (security notes §7, threat 2).
const SAME_BITS: u32 = 6;
/// Of how many bits each part is; seven parts find any two marks that differ in six bits.
const PARTS: [u32; 7] = [9, 9, 9, 9, 9, 9, 10];
/// The part by which equal strokes are found.
const STROKES: i64 = 7;
/// A grid whose brightest and darkest cell are nearer than this shows nothing: blank pictures all look alike.
const LEAST_SPREAD: u8 = 16;

/// Held proofs without a look. A photo that is still on its way is looked at by its thumbnail.
const NEW: &str = "\
    SELECT DISTINCT p.hash, p.kind, b.hash AS held FROM attempt_proof p \
      JOIN blob b ON b.hash = p.hash OR b.hash = p.thumb_hash \
    WHERE p.bound AND p.kind IN ('photo', 'signature') \
      AND NOT EXISTS (SELECT 1 FROM look l WHERE l.hash = p.hash) GROUP BY p.hash LIMIT ?";

/// Attempts that a proof belongs to, the earliest first.
const OF_PROOF: &str = "\
    SELECT a.device_id, a.seq, d.courier_id, a.parcel_id, a.stop_id, a.occurred_at_ms \
    FROM attempt_proof p JOIN attempt a USING (device_id, seq) JOIN device d USING (device_id) \
    WHERE p.hash = ? ORDER BY a.occurred_at_ms, a.seq LIMIT 16";

/// Looks at all proofs that came since the last time.
pub(super) async fn proofs(hub: &Hub) -> Result<usize, HubError> {
    let mut found = 0;
    loop {
        let rows = sqlx::query(NEW)
            .bind(PAGE)
            .fetch_all(hub.db().read())
            .await?;
        if rows.is_empty() {
            return Ok(found);
        }
        // Pictures are read before the writer is taken: nobody waits for a decoder.
        let mut seen = Vec::with_capacity(rows.len());
        for row in &rows {
            let (hash, kind) = (row.hash("hash")?, kind(row)?);
            seen.push((hash, kind, mark(hub, row.hash("held")?, kind).await?));
        }
        let mut tx = hub.db().write().await?;
        for (hash, kind, mark) in seen {
            found += compare(hub, &mut tx, &hash, kind, mark).await?;
        }
        tx.commit().await?;
    }
}

fn kind(row: &SqliteRow) -> Result<ProofKind, HubError> {
    ProofKind::from_code(row.try_get("kind")?).map_err(|_| HubError::DamagedRow { what: "proof" })
}

/// The 64 bits of a proof; `None` where there is nothing to tell, or what came is not what it says.
async fn mark(hub: &Hub, held: Hash32, kind: ProofKind) -> Result<Option<u64>, HubError> {
    let bytes = hub.proof_bytes(&held).await?;
    Ok(match kind {
        ProofKind::Photo => tokio::task::spawn_blocking(move || of_photo(&bytes)).await?,
        ProofKind::Signature => of_strokes(&bytes),
        ProofKind::Code => None,
    })
}

fn of_photo(bytes: &[u8]) -> Option<u64> {
    let picture: DynamicImage = image::load_from_memory(bytes).ok()?;
    let grid = picture.to_luma8();
    let grid = image::imageops::resize(&grid, 9, 8, FilterType::Triangle);
    let all = || grid.as_raw().iter().copied();
    if all().max()? - all().min()? < LEAST_SPREAD {
        return None;
    }
    let rows = grid.as_raw().chunks_exact(9);
    let bits = rows.flat_map(|row| row.windows(2).map(|pair| pair.first() < pair.last()));
    Some(bits.fold(0, |mark, bit| mark << 1 | u64::from(bit)))
}

fn of_strokes(bytes: &[u8]) -> Option<u64> {
    let strokes = Signature::decode(bytes).ok()?.unbound().encode();
    let hash = crypto::sha256(&[&strokes]);
    Some(hash.0.iter().take(8).fold(0, |n, b| n << 8 | u64::from(*b)))
}

/// The parts of a mark, numbered.
fn parts(mark: u64, kind: ProofKind) -> Vec<(i64, i64)> {
    if kind == ProofKind::Signature {
        return vec![(STROKES, mark.cast_signed())];
    }
    let mut rest = mark;
    let cut = |(part, bits): (i64, u32)| {
        let value = rest & ((1 << bits) - 1);
        rest >>= bits;
        (part, value.cast_signed())
    };
    (0..).zip(PARTS).map(cut).collect()
}

async fn compare(
    hub: &Hub,
    tx: &mut Tx,
    hash: &Hash32,
    kind: ProofKind,
    mark: Option<u64>,
) -> Result<usize, HubError> {
    sqlx::query("INSERT INTO look (hash, mark) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(&hash.0[..])
        .bind(mark.map(u64::cast_signed))
        .execute(&mut **tx)
        .await?;
    let Some(mark) = mark else { return Ok(0) };
    let mut found = 0;
    for (part, value) in parts(mark, kind) {
        let near = sqlx::query(
            "SELECT l.hash, l.mark FROM look_part n JOIN look l USING (hash) \
             WHERE n.part = ? AND n.value = ? AND l.hash <> ?",
        )
        .bind(part)
        .bind(value)
        .bind(&hash.0[..])
        .fetch_all(&mut **tx)
        .await?;
        for row in &near {
            let other: i64 = row.try_get("mark")?;
            let differ = (other.cast_unsigned() ^ mark).count_ones();
            if differ <= if part == STROKES { 0 } else { SAME_BITS } {
                found += pair(hub, tx, hash, &row.hash("hash")?, kind).await?;
            }
        }
        sqlx::query(
            "INSERT INTO look_part (part, value, hash) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(part)
        .bind(value)
        .bind(&hash.0[..])
        .execute(&mut **tx)
        .await?;
    }
    Ok(found)
}

/// Two proofs that are one picture: of two visits the later one is doubted, whichever arrived first.
async fn pair(
    hub: &Hub,
    tx: &mut Tx,
    one: &Hash32,
    other: &Hash32,
    kind: ProofKind,
) -> Result<usize, HubError> {
    let doubt = match kind {
        ProofKind::Signature => DoubtKind::SignatureReused,
        _ => DoubtKind::PhotoLooksReused,
    };
    let mut found = 0;
    let (ones, others) = (of_proof(tx, one).await?, of_proof(tx, other).await?);
    for a in &ones {
        for b in &others {
            if !a.is_same_visit(b) {
                let (first, later) = a.by_time(b);
                let new = raise(tx, doubt, later, compared(first), hub.now_ms()).await?;
                found += usize::from(new);
            }
        }
    }
    Ok(found)
}

async fn of_proof(tx: &mut Tx, hash: &Hash32) -> Result<Vec<Attempt>, HubError> {
    let rows = sqlx::query(OF_PROOF)
        .bind(&hash.0[..])
        .fetch_all(&mut **tx)
        .await?;
    rows.iter().map(Attempt::of).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Any two marks that are one picture share a part, so the index misses none.
        #[test]
        fn near_marks_share_a_part(mark: u64, flips in proptest::collection::vec(0_u32..64, 0..=6)) {
            let other = flips.iter().fold(mark, |m, bit| m ^ 1 << bit);
            let (a, b) = (parts(mark, ProofKind::Photo), parts(other, ProofKind::Photo));
            prop_assert!(a.iter().zip(&b).any(|(a, b)| a == b));
        }
    }
}
