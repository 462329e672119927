//! Appending to the log: one function, used by every use case that records something.
//!
//! It runs inside the caller's transaction: the entry, what it changes and its place in the outbox
//! become durable together or not at all.

use ed25519_dalek::SigningKey;

use satchel_protocol::entry::{ALG_ED25519_SHA256, ENTRY_VERSION, EntryKind, Header, SignedEntry};
use satchel_protocol::ids::{DeviceId, Handle, Hash32, Salt, StopId};

use crate::clock::{Clock, Entropy, random};
use crate::error::Result;
use crate::store::db::Tx;
use crate::store::entries::{self, Beside, Head, NewEntry, Tail};
use crate::store::{device_keys, noted};

/// Who writes, and with what.
pub(crate) struct Pen<'a> {
    pub(crate) device: DeviceId,
    /// Its key, and after which entry that came into use.
    pub(crate) key: &'a SigningKey,
    pub(crate) changed_seq: i64,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) entropy: &'a dyn Entropy,
}

/// What is to be recorded.
pub(crate) struct Fact {
    pub(crate) kind: EntryKind,
    pub(crate) handle: Option<Handle>,
    pub(crate) blobs: Vec<Hash32>,
    pub(crate) body: Vec<u8>,
    pub(crate) stop: Option<StopId>,
    /// When it happened, the phone's wall clock.
    pub(crate) occurred_at_ms: i64,
}

impl Pen<'_> {
    /// Appends `fact` to the log. Gives its position and hash.
    pub(crate) fn append(&self, tx: &Tx<'_>, fact: Fact) -> Result<Head> {
        self.append_beside(tx, fact, Beside::default())
    }

    /// [`Pen::append`] with what lies in the entry's row beside the log. Ink must be the last proof that
    /// the fact binds.
    pub(crate) fn append_beside(
        &self,
        tx: &Tx<'_>,
        fact: Fact,
        beside: Beside<'_>,
    ) -> Result<Head> {
        let Tail {
            head: before,
            anchor,
            key_changed_seq: changed_seq,
        } = entries::tail(tx)?;
        let header = Header {
            version: ENTRY_VERSION,
            alg: ALG_ED25519_SHA256,
            device: self.device,
            seq: before.seq + 1,
            prev: before.hash,
            kind: fact.kind,
            occurred_at_ms: fact.occurred_at_ms,
            boot_id: self.clock.boot_id(),
            boottime_ns: self.clock.boottime_ns(),
            utc_offset_min: self.clock.utc_offset_min(),
            anchor,
            handle: fact.handle,
            commitment: Hash32::ZERO,
            blobs: fact.blobs,
        };
        let seq = header.seq;
        let salt = Salt(random(self.entropy)?);
        // The key may have changed since this caller took his.
        let entry = match changed_seq == self.changed_seq {
            true => SignedEntry::seal(header, salt, fact.body, self.key),
            false => SignedEntry::seal(header, salt, fact.body, &device_keys::present(tx)?),
        };
        let head = Head {
            seq,
            hash: entry.hash(),
        };
        let row = NewEntry {
            head,
            kind: fact.kind,
            entry: &entry,
            stop: fact.stop,
            occurred_at_ms: fact.occurred_at_ms,
            beside,
        };
        entries::append(tx, &row)?;
        Ok(head)
    }

    /// [`Pen::append`] for a fact that is looked up by what it is about: a stop, a parcel, a round.
    pub(crate) fn append_about(
        &self,
        tx: &Tx<'_>,
        fact: Fact,
        subjects: &[&[u8; 16]],
    ) -> Result<Head> {
        let kind = fact.kind;
        let head = self.append(tx, fact)?;
        for subject in subjects {
            noted::note(tx, subject, kind, head.seq)?;
        }
        Ok(head)
    }
}
