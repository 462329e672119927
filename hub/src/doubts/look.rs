//! What proofs look like, so that a photo scaled, recompressed or photographed again is found, and strokes that were
//! copied from one signature into another.
//!
//! A photo becomes 64 bits (which of two neighbours in a grid of 9 × 8 is brighter, as the phone does it when it warns the
//! courier). Two that differ in few bits share at least one of seven parts of them, so near ones are found by index
//! instead of by comparing with every photo there is. But a parcel before a door looks like a parcel before a door:
//! of photos of 157 different invented doors, 129 pairs were that near. So details decide, 32 × 32 points without
//! what is broad, whose likeness is above 0.94 for a photo that was scaled, recompressed, brightened or cut by a
//! fiftieth, and was at most 0.93 for two doors. A signature's bytes name its visit; without that they are its strokes.

use image::imageops::FilterType;
use image::{DynamicImage, GrayImage};
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
/// Points of the details along each side, and how far around each is broad.
const SIDE: usize = 32;
const AROUND: usize = 2;
/// Least likeness of the details of one picture.
const LIKENESS: f64 = 0.94;
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
            seen.push((hash, kind, look(hub, row.hash("held")?, kind).await?));
        }
        let mut tx = hub.db().write().await?;
        for (hash, kind, look) in seen {
            found += compare(hub, &mut tx, &hash, kind, look).await?;
        }
        tx.commit().await?;
    }
}

fn kind(row: &SqliteRow) -> Result<ProofKind, HubError> {
    ProofKind::from_code(row.try_get("kind")?).map_err(|_| HubError::DamagedRow { what: "proof" })
}

/// A proof's 64 bits, and a photo's details.
#[derive(Debug)]
struct Look {
    mark: u64,
    details: Option<Vec<i8>>,
}

/// The look of a proof; `None` where there is nothing to tell, or what came is not what it says.
async fn look(hub: &Hub, held: Hash32, kind: ProofKind) -> Result<Option<Look>, HubError> {
    let bytes = hub.proof_bytes(&held).await?;
    Ok(match kind {
        ProofKind::Photo => tokio::task::spawn_blocking(move || of_photo(&bytes)).await?,
        ProofKind::Signature => of_strokes(&bytes),
        ProofKind::Code => None,
    })
}

fn of_photo(bytes: &[u8]) -> Option<Look> {
    let picture: DynamicImage = image::load_from_memory(bytes).ok()?;
    let grey = picture.to_luma8();
    let grid = image::imageops::resize(&grey, 9, 8, FilterType::Triangle);
    let all = || grid.as_raw().iter().copied();
    if all().max()? - all().min()? < LEAST_SPREAD {
        return None;
    }
    let rows = grid.as_raw().chunks_exact(9);
    let bits = rows.flat_map(|row| row.windows(2).map(|pair| pair.first() < pair.last()));
    Some(Look {
        mark: bits.fold(0, |mark, bit| mark << 1 | u64::from(bit)),
        details: Some(details(&grey)),
    })
}

/// How much brighter each point is than what is around it.
fn details(grey: &GrayImage) -> Vec<i8> {
    let side = SIDE as u32;
    let small = image::imageops::resize(grey, side, side, FilterType::Triangle);
    let at = |x: usize, y: usize| {
        let (x, y) = (x.min(SIDE - 1) as u32, y.min(SIDE - 1) as u32);
        i32::from(small.get_pixel(x, y).0[0])
    };
    let near = |c: usize| (0..=2 * AROUND).map(move |d| (c + d).saturating_sub(AROUND));
    let around = |x: usize, y: usize| near(y).flat_map(move |y| near(x).map(move |x| (x, y)));
    let count = ((2 * AROUND + 1) * (2 * AROUND + 1)) as i32;
    let point = |x, y| {
        let broad: i32 = around(x, y).map(|(x, y)| at(x, y)).sum();
        let more = (at(x, y) * count - broad) / count;
        more.clamp(i8::MIN.into(), i8::MAX.into()) as i8
    };
    (0..SIDE)
        .flat_map(|y| (0..SIDE).map(move |x| (x, y)))
        .map(|(x, y)| point(x, y))
        .collect()
}

/// 1 for the same details, near 0 for any others.
fn likeness(a: &[i8], b: &[i8]) -> f64 {
    let dot = |a: &[i8], b: &[i8]| -> f64 {
        let pairs = a.iter().zip(b);
        pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(1.0)
}

fn of_strokes(bytes: &[u8]) -> Option<Look> {
    let strokes = Signature::decode(bytes).ok()?.unbound().encode();
    let hash = crypto::sha256(&[&strokes]);
    let mark = hash.0.iter().take(8);
    Some(Look {
        mark: mark.fold(0, |n, b| n << 8 | u64::from(*b)),
        details: None,
    })
}

/// Whether two looks that share a part are of one proof.
fn is_same(a: &Look, b: &Look) -> bool {
    match (&a.details, &b.details) {
        (Some(one), Some(other)) => {
            (a.mark ^ b.mark).count_ones() <= SAME_BITS && likeness(one, other) >= LIKENESS
        }
        (None, None) => a.mark == b.mark,
        _ => false,
    }
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
    look: Option<Look>,
) -> Result<usize, HubError> {
    let raw =
        |details: &Vec<i8>| -> Vec<u8> { details.iter().map(|d| d.cast_unsigned()).collect() };
    sqlx::query("INSERT INTO look (hash, mark, details) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(&hash.0[..])
        .bind(look.as_ref().map(|look| look.mark.cast_signed()))
        .bind(
            look.as_ref()
                .and_then(|look| look.details.as_ref().map(raw)),
        )
        .execute(&mut **tx)
        .await?;
    let Some(look) = look else { return Ok(0) };
    let mut found = 0;
    for (part, value) in parts(look.mark, kind) {
        let near = sqlx::query(
            "SELECT l.hash, l.mark, l.details FROM look_part n JOIN look l USING (hash) \
             WHERE n.part = ? AND n.value = ? AND l.hash <> ?",
        )
        .bind(part)
        .bind(value)
        .bind(&hash.0[..])
        .fetch_all(&mut **tx)
        .await?;
        for row in &near {
            let details: Option<&[u8]> = row.try_get("details")?;
            let other = Look {
                mark: row.try_get::<i64, _>("mark")?.cast_unsigned(),
                details: details.map(|d| d.iter().map(|b| b.cast_signed()).collect()),
            };
            if is_same(&look, &other) {
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
