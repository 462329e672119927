//! The evidence log's rows: append, look up, set aside. Nothing here ever changes an entry.

use std::collections::BTreeMap;

use satchel_protocol::entry::{Header, SignedEntry};
use satchel_protocol::ids::{DeviceId, Hash32, ParcelId, Salt, Sig64};
use satchel_protocol::receipt::ReceiptEntry;
use serde_json::json;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqliteConnection};

use super::bulk::Rows;
use super::proofs;
use crate::db::{RowExt, Tx};
use crate::error::HubError;

/// An entry that passed every check of form, signature and commitment.
#[derive(Debug, Clone)]
pub(crate) struct CheckedEntry {
    pub(crate) header: Header,
    pub(crate) hash: Hash32,
    pub(crate) entry: SignedEntry,
}

/// Why entries were set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aside {
    /// Another entry with this device and seq, or another predecessor, is held.
    Fork,
    /// Signature, form or commitment is wrong, once too often.
    Bad,
    /// Came in one batch with one of the above.
    Beside,
}

impl Aside {
    fn code(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Bad => "bad",
            Self::Beside => "beside",
        }
    }
}

/// An entry out of its four columns, exact bytes; `what` names the table should they be damaged.
pub(crate) fn signed(row: &SqliteRow, what: &'static str) -> Result<SignedEntry, HubError> {
    let damaged = |_| HubError::DamagedRow { what };
    let salt: Option<&[u8]> = row.try_get("salt")?;
    Ok(SignedEntry {
        header: row.try_get("header")?,
        sig: Sig64::try_from(row.try_get::<&[u8], _>("sig")?).map_err(damaged)?,
        salt: salt.map(Salt::try_from).transpose().map_err(damaged)?,
        body: row.try_get("body")?,
    })
}

/// The last position of a device's log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) seq: i64,
    pub(crate) hash: Hash32,
    /// What came for it does not verify, so the next entry says what belongs there.
    pub(crate) stands_open: bool,
}

impl Head {
    pub(crate) fn of(entry: &CheckedEntry) -> Self {
        Self {
            seq: entry.header.seq,
            hash: entry.hash,
            stands_open: false,
        }
    }
}

/// Where a device's log ends: 0 and zero before the first entry.
pub(crate) async fn head(conn: &mut SqliteConnection, device: DeviceId) -> Result<Head, HubError> {
    let row = sqlx::query(
        "SELECT * FROM (SELECT seq, hash, 0 AS stands_open FROM entry WHERE device_id = ?1 \
           ORDER BY seq DESC LIMIT 1) \
         UNION ALL SELECT * FROM (SELECT seq, hash, 1 FROM wedged \
           WHERE device_id = ?1 AND repaired_at_ms IS NULL ORDER BY seq DESC LIMIT 1) \
         ORDER BY seq DESC LIMIT 1",
    )
    .bind(&device.as_bytes()[..])
    .fetch_optional(conn)
    .await?;
    Ok(match row {
        Some(row) => Head {
            seq: row.try_get("seq")?,
            hash: row.hash("hash")?,
            stands_open: row.try_get("stands_open")?,
        },
        None => Head {
            seq: 0,
            hash: Hash32::ZERO,
            stands_open: false,
        },
    })
}

/// The last entry that is really held: the one a phone looks for in the transparency log.
pub(crate) async fn newest(
    conn: &mut SqliteConnection,
    device: DeviceId,
) -> Result<Option<Hash32>, HubError> {
    let row = sqlx::query("SELECT hash FROM entry WHERE device_id = ? ORDER BY seq DESC LIMIT 1")
        .bind(&device.as_bytes()[..])
        .fetch_optional(conn)
        .await?;
    row.map(|r| r.hash("hash")).transpose()
}

/// The hashes held at these positions.
pub(crate) async fn hashes_at(
    tx: &mut Tx,
    device: DeviceId,
    seqs: &[i64],
) -> Result<BTreeMap<i64, Hash32>, HubError> {
    if seqs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query(
        "SELECT seq, hash FROM entry WHERE device_id = ? \
           AND seq IN (SELECT value FROM json_each(?))",
    )
    .bind(&device.as_bytes()[..])
    .bind(json!(seqs).to_string())
    .fetch_all(&mut **tx)
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("seq")?, row.hash("hash")?)))
        .collect()
}

/// Appends entries whose places in the chain were checked, in this order.
pub(crate) async fn append(
    tx: &mut Tx,
    new: &[&CheckedEntry],
    now_ms: i64,
) -> Result<(), HubError> {
    let mut entries = Rows::new(
        "INSERT INTO entry (device_id, seq, hash, kind, header, sig, salt, body, received_at_ms)",
        "",
    );
    let mut blobs = Rows::new("INSERT INTO entry_blob (device_id, seq, ordinal, hash)", "");
    for new in new {
        let device = &new.header.device.as_bytes()[..];
        entries.push([
            device.into(),
            new.header.seq.into(),
            new.hash.0[..].into(),
            i64::from(new.header.kind.0).into(),
            new.entry.header[..].into(),
            new.entry.sig.0[..].into(),
            new.entry.salt.as_ref().map(|s| &s.0[..]).into(),
            new.entry.body.as_deref().into(),
            now_ms.into(),
        ]);
        for (ordinal, blob) in (0_i64..).zip(&new.header.blobs) {
            let seq = new.header.seq.into();
            blobs.push([device.into(), seq, ordinal.into(), blob.0[..].into()]);
        }
    }
    entries.put(tx).await?;
    blobs.put(tx).await?;
    // From now on the proofs belong to evidence and do not expire.
    let bound = new.iter().flat_map(|new| &new.header.blobs);
    proofs::bind(tx, bound).await
}

/// Keeps an entry that was not accepted. The header may be unreadable, so its seq may be unknown.
pub(crate) async fn set_aside(
    tx: &mut Tx,
    device: DeviceId,
    entry: &SignedEntry,
    why: Aside,
    now_ms: i64,
) -> Result<(), HubError> {
    let seq = Header::decode(&entry.header).ok().map(|h| h.seq);
    sqlx::query(
        "INSERT INTO entry_conflict \
           (device_id, seq, hash, reason, header, sig, salt, body, received_at_ms) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(&device.as_bytes()[..])
    .bind(seq)
    .bind(&entry.hash().0[..])
    .bind(why.code())
    .bind(&entry.header)
    .bind(&entry.sig.0[..])
    .bind(entry.salt.map(|s| s.0.to_vec()))
    .bind(&entry.body)
    .bind(now_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What kind of thing a person has to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AlarmKind {
    /// Two histories of one device.
    LogFork,
    /// An entry that does not verify.
    BadEntry,
    /// An attempt names a parcel this hub does not have, or another delivery's handle.
    ForeignParcel,
    /// An attempt names a proof its signed header does not bind.
    UnboundProof,
    /// An attempt names ink that was drawn for another visit (B4-1).
    WrongInk,
    /// A handoff without a consent that carried at that time (Art 28(3), A034).
    NoConsent,
    /// A locker or station for a parcel with door delivery (Zhejiang Art 31).
    DoorRequired,
    /// Goods with an age limit were left where nobody was checked (A040).
    NobodyToCheck,
    /// Handed over twice.
    SecondHandover,
    /// Cancelled when it had been handed over.
    CancelledAfterHandover,
    /// Handed over when it had been cancelled.
    HandedOverDespiteCancel,
    /// A phone's clock was set back between two events.
    ClockMovedBack,
    /// The recipient's code, judged by the hub, was wrong every time.
    CodeWrong,
    /// A phone refused the hub's rules and kept its own.
    RuleSetRefused,
    /// The phone's time lies before what the entry names as older, or in the future.
    TimeOutside,
    /// A phone was given this parcel, its day is over, and nobody said what came of it.
    NoOutcome,
    /// A phone has seen a longer transparency log than there is: this hub was set back to a backup.
    LogShorter,
}

impl AlarmKind {
    /// As stored.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::LogFork => "log_fork",
            Self::BadEntry => "bad_entry",
            Self::ForeignParcel => "foreign_parcel",
            Self::UnboundProof => "unbound_proof",
            Self::WrongInk => "wrong_ink",
            Self::NoConsent => "no_consent",
            Self::DoorRequired => "door_required",
            Self::NobodyToCheck => "nobody_to_check",
            Self::SecondHandover => "second_handover",
            Self::CancelledAfterHandover => "cancelled_after_handover",
            Self::HandedOverDespiteCancel => "handed_over_despite_cancel",
            Self::ClockMovedBack => "clock_moved_back",
            Self::CodeWrong => "code_wrong",
            Self::RuleSetRefused => "ruleset_refused",
            Self::TimeOutside => "time_outside",
            Self::NoOutcome => "no_outcome",
            Self::LogShorter => "log_shorter",
        }
    }
}

/// Raises an alarm for the board.
pub(crate) async fn alarm(
    tx: &mut Tx,
    kind: AlarmKind,
    device: DeviceId,
    seq: Option<i64>,
    parcel: Option<ParcelId>,
    now_ms: i64,
) -> Result<(), HubError> {
    alarm_at(tx, kind.code(), Some(device), seq, parcel, now_ms).await
}

/// Raises an alarm that need not be a device's.
pub(crate) async fn alarm_at(
    tx: &mut Tx,
    code: &str,
    device: Option<DeviceId>,
    seq: Option<i64>,
    parcel: Option<ParcelId>,
    now_ms: i64,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO alarm (kind, device_id, seq, parcel_id, raised_at_ms) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(code)
    .bind(device.map(|d| d.as_bytes().to_vec()))
    .bind(seq)
    .bind(parcel.map(|p| p.as_bytes().to_vec()))
    .bind(now_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What a receipt names of the log behind `after`, in order, at most `limit` entries.
pub(crate) async fn held_after(
    db: &SqlitePool,
    device: DeviceId,
    after: i64,
    limit: usize,
) -> Result<Vec<ReceiptEntry>, HubError> {
    let rows = sqlx::query(
        "SELECT seq, hash FROM entry WHERE device_id = ? AND seq > ? ORDER BY seq LIMIT ?",
    )
    .bind(&device.as_bytes()[..])
    .bind(after)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(ReceiptEntry {
                seq: row.try_get("seq")?,
                hash: row.hash("hash")?,
            })
        })
        .collect()
}

/// Proofs held whole that the entries of `first..=last` bind, with the entry that binds each.
pub(crate) async fn held_blobs(
    db: &SqlitePool,
    device: DeviceId,
    first: i64,
    last: i64,
) -> Result<Vec<(i64, Hash32)>, HubError> {
    let rows = sqlx::query(
        "SELECT eb.seq, eb.hash FROM entry_blob eb JOIN blob USING (hash) \
         WHERE eb.device_id = ? AND eb.seq BETWEEN ? AND ? ORDER BY eb.seq, eb.ordinal",
    )
    .bind(&device.as_bytes()[..])
    .bind(first)
    .bind(last)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("seq")?, row.hash("hash")?)))
        .collect()
}

/// The last position of a device.
pub(crate) async fn head_seq(db: &SqlitePool, device: DeviceId) -> Result<i64, HubError> {
    let mut conn = db.acquire().await?;
    Ok(head(&mut conn, device).await?.seq)
}
