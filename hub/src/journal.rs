//! The hub's own signed journal: what customers and people at the hub did, in the record format of a
//! phone's log, chained and signed with the hub's key.
//!
//! A rating, a case, a consent or a hidden comment is asserted by the hub and by nobody else, so the
//! hub answers for it with the same means as a courier for his attempts: nothing can be slipped in,
//! changed or taken out without the chain showing it. Bodies sit behind a salted commitment and can be
//! erased; the chain still verifies.

use ed25519_dalek::VerifyingKey;
use satchel_protocol::entry::{ALG_ED25519_SHA256, ENTRY_VERSION, EntryKind, Header, SignedEntry};
use satchel_protocol::ids::{BootId, DeviceId, Hash32, Salt};
use serde::Serialize;
use sqlx::Row;
use uuid::Uuid;

use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::hub::Hub;
use crate::store::entries;

/// What people may give as a reason: a few words, not none.
const MIN_WHY_CHARS: usize = 3;
const MAX_WHY_CHARS: usize = 300;

/// A customer rated a delivery.
pub(crate) const RATED: EntryKind = EntryKind::RATED;
/// A person hid a rating, with the reason.
pub(crate) const RATING_HIDDEN: EntryKind = EntryKind(0x4002);
/// A person lifted a flag, with the reason.
pub(crate) const FLAG_LIFTED: EntryKind = EntryKind(0x4003);
/// A person showed again what was hidden, with the reason.
pub(crate) const RATING_SHOWN: EntryKind = EntryKind(0x4004);
/// A case was opened.
pub(crate) const CASE_OPENED: EntryKind = EntryKind(0x4010);
/// Something happened in a case.
pub(crate) const CASE_EVENT: EntryKind = EntryKind(0x4011);
/// A person judged a doubt about an attempt, with the reason.
pub(crate) const DOUBT_JUDGED: EntryKind = EntryKind(0x4005);
/// A customer chose how, when or where to receive: the consent record (A023).
pub(crate) const CHOICE: EntryKind = EntryKind(0x4020);

/// Everything personal about a delivery was erased (PIPL 47).
pub(crate) const ERASED: EntryKind = EntryKind(0x4030);

/// A person ordered a phone to be wiped, with the reason.
pub(crate) const WIPE_ORDERED: EntryKind = EntryKind(0x4040);

/// A person asked something of all phones: the policy.
pub(crate) const POLICY_SET: EntryKind = EntryKind(0x4041);
/// A person took the sealed key of a phone's store out of the hub, with the reason.
pub(crate) const KEY_TAKEN_OUT: EntryKind = EntryKind(0x4042);

/// A phone was given parcels.
pub(crate) const GIVEN_OUT: EntryKind = EntryKind::GIVEN_OUT;

/// The journal's name in its records: no device has the nil id.
const JOURNAL: DeviceId = DeviceId(Uuid::nil());

/// The last record's position and hash; [`Tip::NONE`] before the first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tip {
    pub(crate) seq: i64,
    pub(crate) hash: Hash32,
}

impl Tip {
    pub(crate) const NONE: Self = Self {
        seq: 0,
        hash: Hash32::ZERO,
    };
}

/// A signed record that is not in the journal yet.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) seq: i64,
    pub(crate) kind: EntryKind,
    pub(crate) entry: SignedEntry,
    pub(crate) at_ms: i64,
}

/// A reason that says something.
pub(crate) fn reason(why: &str) -> Result<&str, HubError> {
    let why = why.trim();
    if (MIN_WHY_CHARS..=MAX_WHY_CHARS).contains(&why.chars().count()) {
        Ok(why)
    } else {
        Err(HubError::NoReason)
    }
}

/// Appends a record in the caller's transaction, so that fact and record stand or fall together.
pub(crate) async fn append(
    hub: &Hub,
    tx: &mut Tx,
    kind: EntryKind,
    what: &impl Serialize,
) -> Result<i64, HubError> {
    let last = sqlx::query("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut **tx)
        .await?;
    let tip = match last {
        Some(row) => Tip {
            seq: row.try_get("seq")?,
            hash: row.hash("hash")?,
        },
        None => Tip::NONE,
    };
    let Sealed {
        seq, entry, at_ms, ..
    } = seal(hub, tip, kind, what)?;
    sqlx::query(
        "INSERT INTO journal (seq, hash, kind, header, sig, salt, body, at_ms) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(seq)
    .bind(&entry.hash().0[..])
    .bind(i64::from(kind.0))
    .bind(&entry.header)
    .bind(&entry.sig.0[..])
    .bind(entry.salt.map(|s| s.0.to_vec()))
    .bind(&entry.body)
    .bind(at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(seq)
}

/// Signs the record that follows `tip`. The caller writes it, in the transaction that read the tip.
pub(crate) fn seal(
    hub: &Hub,
    tip: Tip,
    kind: EntryKind,
    what: &impl Serialize,
) -> Result<Sealed, HubError> {
    let Ok(body) = serde_json::to_vec(what) else {
        return Err(HubError::DamagedRow { what: "journal" });
    };
    let (seq, at_ms) = (tip.seq + 1, hub.now_ms());
    let header = Header {
        version: ENTRY_VERSION,
        alg: ALG_ED25519_SHA256,
        device: JOURNAL,
        seq,
        prev: tip.hash,
        kind,
        occurred_at_ms: at_ms,
        boot_id: BootId([0; 16]),
        boottime_ns: 0,
        utc_offset_min: 0,
        anchor: None,
        handle: None,
        commitment: Hash32::ZERO,
        blobs: Vec::new(),
    };
    Ok(Sealed {
        seq,
        kind,
        entry: SignedEntry::seal(header, Salt(hub.draw()?), body, &hub.keys().signing),
        at_ms,
    })
}

/// What a check of the journal found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalCheck {
    /// Records read.
    pub records: i64,
    /// Position of the first record that is missing, out of its chain or not signed by this hub.
    pub broken_at: Option<i64>,
}

impl Hub {
    /// Checks numbers, chain, signatures and commitments of the whole journal, and that every rating
    /// since the journal began is in it.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn check_journal(&self) -> Result<JournalCheck, HubError> {
        let mut tx = self.db().read().begin().await?;
        let key: VerifyingKey = self.public_key();
        let rows = sqlx::query("SELECT * FROM journal ORDER BY seq")
            .fetch_all(&mut *tx)
            .await?;
        let mut expected = (1_i64, Hash32::ZERO);
        for row in &rows {
            let entry = entries::signed(row, "journal")?;
            let fits = entry.verify(&key).is_ok_and(|header| {
                (header.seq, header.prev) == expected && header.device == JOURNAL
            });
            let seq: i64 = row.try_get("seq")?;
            if !fits || row.hash("hash")? != entry.hash() || seq != expected.0 {
                return Ok(JournalCheck {
                    records: i64::try_from(rows.len()).unwrap_or(i64::MAX),
                    broken_at: Some(expected.0),
                });
            }
            expected = (expected.0 + 1, entry.hash());
        }
        let orphan: Option<i64> = sqlx::query_scalar(
            "SELECT j.seq FROM journal j WHERE j.kind = ? \
               AND NOT EXISTS (SELECT 1 FROM rating_said r WHERE r.journal_seq = j.seq) LIMIT 1",
        )
        .bind(i64::from(RATED.0))
        .fetch_optional(&mut *tx)
        .await?;
        Ok(JournalCheck {
            records: i64::try_from(rows.len()).unwrap_or(i64::MAX),
            broken_at: orphan,
        })
    }
}
