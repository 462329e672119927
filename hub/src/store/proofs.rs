//! Which proofs are held whole, and which are on their way.

use std::collections::HashSet;

use satchel_protocol::batch::InlineBlob;
use satchel_protocol::ids::{DeviceId, Hash32};
use satchel_protocol::taxonomy::ProofKind;
use sqlx::Row;
use sqlx::sqlite::{SqliteExecutor, SqlitePool};

use super::bulk::{self, Rows};
use crate::db::{RowExt, Tx};
use crate::error::HubError;

/// A proof that no entry binds yet may wait for its entry this long: a phone that is offline for a
/// week still brings both.
pub(crate) const UNBOUND_TTL_MS: i64 = 7 * 24 * 3_600 * 1_000;

/// What one phone may leave here that no entry of its log binds: a thousand photos of half a megabyte. A phone sends
/// its log first, so an honest one has hardly any; without a limit a lying one fills the disk within its seven days.
pub(crate) const MAX_UNBOUND_BYTES: i64 = 512 * 1_024 * 1_024;
/// As which a smaller proof counts there: about what its rows take, however few bytes it has.
const LEAST_UNBOUND_BYTES: i64 = 1_024;

/// An upload that was begun.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UploadRow {
    pub(crate) kind: ProofKind,
    pub(crate) length_bytes: u64,
    pub(crate) expires_at_ms: i64,
}

/// Size of a proof that is held whole.
pub(crate) async fn size(db: &SqlitePool, hash: &Hash32) -> Result<Option<u64>, HubError> {
    let size: Option<i64> = sqlx::query_scalar("SELECT size_bytes FROM blob WHERE hash = ?")
        .bind(&hash.0[..])
        .fetch_optional(db)
        .await?;
    Ok(size.and_then(|s| u64::try_from(s).ok()))
}

/// Records a proof whose file is in place. It expires unless an entry binds it, and counts for the device that
/// brought it until one does.
pub(crate) async fn add(
    tx: &mut Tx,
    hash: &Hash32,
    (kind, size_bytes): (ProofKind, u64),
    brought_by: Option<DeviceId>,
    now_ms: i64,
) -> Result<bool, HubError> {
    let done = sqlx::query(
        "INSERT INTO blob (hash, kind, size_bytes, received_at_ms, expires_at_ms, brought_by) \
         SELECT ?1, ?2, ?3, ?4, \
           CASE WHEN EXISTS (SELECT 1 FROM entry_blob WHERE hash = ?1) THEN NULL ELSE ?5 END, ?6 \
         WHERE true ON CONFLICT DO NOTHING",
    )
    .bind(&hash.0[..])
    .bind(kind.code())
    .bind(i64::try_from(size_bytes).unwrap_or(i64::MAX))
    .bind(now_ms)
    .bind(now_ms.saturating_add(UNBOUND_TTL_MS))
    .bind(brought_by.map(|device| device.as_bytes().to_vec()))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// What came of the small proofs of a batch.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Those that were not here before.
    pub(crate) new: HashSet<Hash32>,
    /// Those that no entry binds and for which their device has no room left.
    pub(crate) left_out: HashSet<Hash32>,
}

/// Keeps small proofs, bytes and all, in the transaction of the batch that `device` sent. Those that the batch's
/// own entries bind do not expire; what no entry binds counts for the device like an upload, and is left out where it
/// has too much of that here.
pub(crate) async fn keep_small(
    tx: &mut Tx,
    device: DeviceId,
    blobs: &[InlineBlob],
    binds: &HashSet<Hash32>,
    now_ms: i64,
) -> Result<Kept, HubError> {
    let loose = blobs.iter().map(|b| &b.hash);
    let loose: Vec<&Hash32> = loose.filter(|hash| !binds.contains(*hash)).collect();
    let bound_before = bound(tx, &loose).await?;
    let is_bound = |hash: &Hash32| binds.contains(hash) || bound_before.contains(hash);
    let left_out = no_room(tx, device, blobs.iter().filter(|b| !is_bound(&b.hash))).await?;
    let mut rows = Rows::new(
        "INSERT INTO blob (hash, kind, size_bytes, received_at_ms, expires_at_ms, brought_by)",
        "ON CONFLICT DO NOTHING RETURNING hash",
    );
    for blob in blobs.iter().filter(|b| !left_out.contains(&b.hash)) {
        let is_loose = !is_bound(&blob.hash);
        let expires_at_ms = is_loose.then(|| now_ms.saturating_add(UNBOUND_TTL_MS));
        rows.push([
            blob.hash.0[..].into(),
            blob.kind.code().into(),
            i64::try_from(blob.bytes.len()).unwrap_or(i64::MAX).into(),
            now_ms.into(),
            expires_at_ms.into(),
            is_loose.then(|| &device.as_bytes()[..]).into(),
        ]);
    }
    let new = rows.put(tx).await?;
    let new: Result<HashSet<Hash32>, HubError> = new.iter().map(|row| row.hash("hash")).collect();
    let new = new?;
    // Only what is new here: bytes that were erased do not come back, and a proof that is a file stays one.
    let mut missing = new.clone();
    let mut bytes = Rows::new("INSERT INTO small_proof (hash, bytes)", "");
    for blob in blobs.iter().filter(|blob| missing.remove(&blob.hash)) {
        bytes.push([blob.hash.0[..].into(), blob.bytes[..].into()]);
    }
    bytes.put(tx).await?;
    Ok(Kept { new, left_out })
}

/// Which of these loose proofs are not here and have no room left, in the order they were sent.
async fn no_room<'a>(
    tx: &mut Tx,
    device: DeviceId,
    loose: impl Iterator<Item = &'a InlineBlob>,
) -> Result<HashSet<Hash32>, HubError> {
    let loose: Vec<&InlineBlob> = loose.collect();
    let mut left_out = HashSet::new();
    if loose.is_empty() {
        return Ok(left_out);
    }
    let mut seen = held(tx, loose.iter().map(|b| &b.hash)).await?;
    let there = unbound(&mut **tx, device, &Hash32::ZERO).await?;
    let mut room_bytes = MAX_UNBOUND_BYTES.saturating_sub(there.bytes);
    for blob in loose.into_iter().filter(|b| seen.insert(b.hash)) {
        let size_bytes = i64::try_from(blob.bytes.len()).unwrap_or(i64::MAX);
        let takes_bytes = size_bytes.max(LEAST_UNBOUND_BYTES);
        if takes_bytes <= room_bytes {
            room_bytes -= takes_bytes;
        } else {
            left_out.insert(blob.hash);
        }
    }
    Ok(left_out)
}

/// Which of these proofs an entry binds that is held.
async fn bound(tx: &mut Tx, of: &[&Hash32]) -> Result<HashSet<Hash32>, HubError> {
    if of.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = sqlx::query(
        "SELECT DISTINCT hash FROM entry_blob WHERE hash IN (SELECT unhex(value) FROM json_each(?))",
    )
    .bind(bulk::hashes(of.iter().copied()))
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(|row| row.hash("hash")).collect()
}

/// These proofs belong to evidence from now on: those that are here do not expire.
pub(crate) async fn bind<'a>(
    tx: &mut Tx,
    proofs: impl IntoIterator<Item = &'a Hash32>,
) -> Result<(), HubError> {
    sqlx::query(
        "UPDATE blob SET expires_at_ms = NULL WHERE expires_at_ms IS NOT NULL \
           AND hash IN (SELECT unhex(value) FROM json_each(?))",
    )
    .bind(bulk::hashes(proofs))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Which of these proofs are held whole.
pub(crate) async fn held<'a>(
    tx: &mut Tx,
    of: impl IntoIterator<Item = &'a Hash32>,
) -> Result<HashSet<Hash32>, HubError> {
    let rows =
        sqlx::query("SELECT hash FROM blob WHERE hash IN (SELECT unhex(value) FROM json_each(?))")
            .bind(bulk::hashes(of))
            .fetch_all(&mut **tx)
            .await?;
    rows.iter().map(|row| row.hash("hash")).collect()
}

/// The bytes of a proof that is kept in the database and not as a file.
pub(crate) async fn small(db: &SqlitePool, hash: &Hash32) -> Result<Option<Vec<u8>>, HubError> {
    let bytes = sqlx::query_scalar("SELECT bytes FROM small_proof WHERE hash = ?")
        .bind(&hash.0[..])
        .fetch_optional(db)
        .await?;
    Ok(bytes)
}

/// An upload that was begun.
pub(crate) async fn upload<'e>(
    db: impl SqliteExecutor<'e>,
    device: DeviceId,
    hash: &Hash32,
) -> Result<Option<UploadRow>, HubError> {
    let row = sqlx::query(
        "SELECT kind, length_bytes, expires_at_ms FROM upload WHERE device_id = ? AND hash = ?",
    )
    .bind(&device.as_bytes()[..])
    .bind(&hash.0[..])
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let damaged = HubError::DamagedRow { what: "upload" };
    let kind: &str = row.try_get("kind")?;
    let length: i64 = row.try_get("length_bytes")?;
    match (ProofKind::from_code(kind), u64::try_from(length)) {
        (Ok(kind), Ok(length_bytes)) => Ok(Some(UploadRow {
            kind,
            length_bytes,
            expires_at_ms: row.try_get("expires_at_ms")?,
        })),
        _ => Err(damaged),
    }
}

/// Begins an upload, or states anew what one begun earlier will be.
pub(crate) async fn begin_upload(
    tx: &mut Tx,
    device: DeviceId,
    hash: &Hash32,
    upload: &UploadRow,
    now_ms: i64,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO upload (device_id, hash, kind, length_bytes, created_at_ms, expires_at_ms) \
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (device_id, hash) DO UPDATE SET \
           kind = excluded.kind, length_bytes = excluded.length_bytes, \
           expires_at_ms = excluded.expires_at_ms",
    )
    .bind(&device.as_bytes()[..])
    .bind(&hash.0[..])
    .bind(upload.kind.code())
    .bind(i64::try_from(upload.length_bytes).unwrap_or(i64::MAX))
    .bind(now_ms)
    .bind(upload.expires_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(crate) async fn end_upload(
    tx: &mut Tx,
    device: DeviceId,
    hash: &Hash32,
) -> Result<(), HubError> {
    sqlx::query("DELETE FROM upload WHERE device_id = ? AND hash = ?")
        .bind(&device.as_bytes()[..])
        .bind(&hash.0[..])
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What of a device lies here that no entry binds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unbound {
    /// Uploads that are not finished.
    pub(crate) open_uploads: i64,
    /// What they will take when they are, and what whole proofs take, where no entry binds them that is here.
    pub(crate) bytes: i64,
}

/// What of a device lies here that no entry binds, apart from the upload of `but`.
pub(crate) async fn unbound<'e>(
    db: impl SqliteExecutor<'e>,
    device: DeviceId,
    but: &Hash32,
) -> Result<Unbound, HubError> {
    let row = sqlx::query(
        "SELECT count(*) AS open_uploads, coalesce(sum(length_bytes) FILTER (WHERE NOT EXISTS ( \
             SELECT 1 FROM entry_blob WHERE entry_blob.hash = upload.hash)), 0) + \
           (SELECT coalesce(sum(max(size_bytes, ?3)), 0) FROM blob \
            WHERE brought_by = ?1 AND expires_at_ms IS NOT NULL) AS bytes \
         FROM upload WHERE device_id = ?1 AND hash <> ?2",
    )
    .bind(&device.as_bytes()[..])
    .bind(&but.0[..])
    .bind(LEAST_UNBOUND_BYTES)
    .fetch_one(db)
    .await?;
    Ok(Unbound {
        open_uploads: row.try_get("open_uploads")?,
        bytes: row.try_get("bytes")?,
    })
}

/// Whether an entry that is held binds this proof.
pub(crate) async fn is_bound<'e>(
    db: impl SqliteExecutor<'e>,
    hash: &Hash32,
) -> Result<bool, HubError> {
    Ok(
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM entry_blob WHERE hash = ?)")
            .bind(&hash.0[..])
            .fetch_one(db)
            .await?,
    )
}

/// Takes the rows of expired uploads and of expired unbound proofs out; their files are next.
pub(crate) async fn expire(
    tx: &mut Tx,
    now_ms: i64,
) -> Result<(Vec<(DeviceId, Hash32)>, Vec<Hash32>), HubError> {
    let uploads =
        sqlx::query("DELETE FROM upload WHERE expires_at_ms < ? RETURNING device_id, hash")
            .bind(now_ms)
            .fetch_all(&mut **tx)
            .await?;
    let blobs = sqlx::query("DELETE FROM blob WHERE expires_at_ms < ? RETURNING hash")
        .bind(now_ms)
        .fetch_all(&mut **tx)
        .await?;
    let uploads: Result<_, HubError> = uploads
        .iter()
        .map(|r| Ok((r.device("device_id")?, r.hash("hash")?)))
        .collect();
    let blobs: Result<_, HubError> = blobs.iter().map(|r| r.hash("hash")).collect();
    Ok((uploads?, blobs?))
}

/// All uploads that are not finished.
pub(crate) async fn open_uploads(tx: &mut Tx) -> Result<HashSet<(DeviceId, Hash32)>, HubError> {
    let rows = sqlx::query("SELECT device_id, hash FROM upload")
        .fetch_all(&mut **tx)
        .await?;
    rows.iter()
        .map(|r| Ok((r.device("device_id")?, r.hash("hash")?)))
        .collect()
}

/// Proofs that were erased after a time.
pub(crate) async fn erased_since(tx: &mut Tx, since_ms: i64) -> Result<Vec<Hash32>, HubError> {
    let rows = sqlx::query("SELECT hash FROM blob WHERE erased_at_ms > ?")
        .bind(since_ms)
        .fetch_all(&mut **tx)
        .await?;
    rows.iter().map(|row| row.hash("hash")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Db;
    use satchel_protocol::crypto;

    const MOVE: &str = include_str!("../../migrations/0090_small_proof_bytes.sql");

    fn ink(bytes: &[u8]) -> InlineBlob {
        InlineBlob {
            hash: Hash32(crypto::sha256(&[bytes]).0),
            kind: ProofKind::Signature,
            bytes: bytes.to_vec(),
        }
    }

    async fn keep(db: &Db, blobs: &[InlineBlob], bound: &[Hash32]) -> usize {
        let mut tx = db.write().await.unwrap();
        let binds = bound.iter().copied().collect();
        let device = DeviceId(uuid::Uuid::nil());
        let kept = keep_small(&mut tx, device, blobs, &binds, 1_000).await;
        tx.commit().await.unwrap();
        kept.unwrap().new.len()
    }

    async fn held_bytes(db: &Db, blob: &InlineBlob) -> Option<Vec<u8>> {
        small(db.read(), &blob.hash).await.unwrap()
    }

    #[tokio::test]
    async fn bytes_of_small_proofs_go_with_their_rows_and_do_not_come_back() {
        let home = tempfile::tempdir().unwrap();
        let db = Db::open(home.path()).await.unwrap();
        let (bound, loose) = (ink(b"the signature"), ink(b"of no entry"));
        // The same ink twice in one batch, as parcels handed over together have it.
        let batch = [bound.clone(), loose.clone(), bound.clone()];
        assert_eq!(keep(&db, &batch, &[bound.hash]).await, 2);
        assert_eq!(keep(&db, &batch, &[bound.hash]).await, 0);
        assert_eq!(held_bytes(&db, &bound).await, Some(bound.bytes.clone()));
        assert_eq!(held_bytes(&db, &loose).await, Some(loose.bytes.clone()));

        let mut tx = db.write().await.unwrap();
        let (_, gone) = expire(&mut tx, 1_001 + UNBOUND_TTL_MS).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(gone, [loose.hash]);
        assert_eq!(held_bytes(&db, &loose).await, None);
        assert_eq!(held_bytes(&db, &bound).await, Some(bound.bytes.clone()));
        // What only expired may come again.
        assert_eq!(keep(&db, &batch, &[bound.hash]).await, 1);
        assert_eq!(held_bytes(&db, &loose).await, Some(loose.bytes.clone()));

        let mut tx = db.write().await.unwrap();
        sqlx::query("UPDATE blob SET erased_at_ms = 5 WHERE hash = ?")
            .bind(&bound.hash.0[..])
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(held_bytes(&db, &bound).await, None);
        // What was erased may not.
        assert_eq!(keep(&db, &batch, &[bound.hash]).await, 0);
        assert_eq!(held_bytes(&db, &bound).await, None);
        db.close().await;
    }

    #[tokio::test]
    async fn bytes_that_an_older_hub_kept_move_with_the_schema() {
        let db = SqlitePool::connect("sqlite::memory:").await.unwrap();
        let mut conn = db.acquire().await.unwrap();
        let before = "CREATE TABLE blob (hash BLOB NOT NULL PRIMARY KEY, kind TEXT NOT NULL, \
               size_bytes INTEGER NOT NULL, received_at_ms INTEGER NOT NULL, expires_at_ms INTEGER, \
               bytes BLOB, erased_at_ms INTEGER) STRICT, WITHOUT ROWID; \
             INSERT INTO blob VALUES (zeroblob(32), 'SIGNATURE', 3, 1, NULL, x'010203', NULL), \
               (randomblob(32), 'photo', 9, 1, NULL, NULL, NULL)";
        sqlx::raw_sql(before).execute(&mut *conn).await.unwrap();
        sqlx::raw_sql(MOVE).execute(&mut *conn).await.unwrap();
        let moved: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as("SELECT hash, bytes FROM small_proof")
            .fetch_all(&mut *conn)
            .await
            .unwrap();
        assert_eq!(moved, [(vec![0; 32], vec![1, 2, 3])]);
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM blob")
            .fetch_one(&mut *conn)
            .await
            .unwrap();
        assert_eq!(rows, 2, "the file's row stays");
    }
}
