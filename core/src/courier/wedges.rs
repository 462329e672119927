//! Entries the hub did not accept: shown with their reason, and repaired when the courier says so.
//!
//! What the chain fixed is not touched. A sound entry is sent once more; a damaged signature is made again,
//! which gives the same bytes; what was signed with other content than is stored here is said again by a new
//! entry that points to the old one.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use satchel_protocol::entry::{EntryError, Header, SignedEntry};
use satchel_protocol::wedge::{ReplacementBody, WedgeReason};

use super::Courier;
use crate::error::{Error, Result, StoreError};
use crate::evidence::log::Fact;
use crate::model::wedge::{Repair, WedgeView};
use crate::store::db::Tx;
use crate::store::entries::Beside;
use crate::store::wedged::{self, Stored};
use crate::store::{entries, proofs, row, stops};

/// What looking at an entry on its way out came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mended {
    /// It goes as it is: it is sound, or it was said again before, or nothing is left to say.
    Sound,
    /// The log says something new.
    Anew,
    /// There is no room to repair it, or its row is damaged further than that.
    LeftOpen,
}

impl Courier {
    /// Entries whose place stands open at the hub, oldest first.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn wedged_entries(&self) -> Result<Vec<WedgeView>> {
        self.db.read(wedged::list)
    }

    /// Repairs one of them; the next sync sends it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an entry that does not stand open, is said again already, or whose content
    /// was erased; [`Error::NotEnrolled`].
    pub fn repair_wedged(&self, seq: i64) -> Result<Repair> {
        let done = self.repair(seq)?;
        self.engine().hurry();
        Ok(done)
    }

    /// Repairs what stands open, for the way out by file. Gives the places that cannot be repaired though they say
    /// something: these hold up nothing else.
    pub(super) fn repair_open(&self) -> Result<BTreeSet<i64>> {
        let mut left = BTreeSet::new();
        for seq in self.db.read(wedged::at_stake)? {
            if mended(self.repair(seq))? == Mended::LeftOpen {
                left.insert(seq);
            }
        }
        Ok(left)
    }

    /// Looks at an entry on its way as the hub will. A damaged signature is made again; beside what cannot go as it
    /// is the same is said again, while there is somebody to say it.
    pub(super) fn mend(&self, seq: i64, entry: &mut SignedEntry) -> Result<Mended> {
        let keys = self.enrolled()?;
        let key = keys.key_at(seq);
        let Err(error) = entry.verify(&key.verifying_key()) else {
            return Ok(Mended::Sound);
        };
        tracing::error!(seq, %error, "an entry went bad on this phone");
        let reason = WedgeReason::of(&error);
        let at_ms = self.env.clock.wall_ms();
        let found = self.write_at_door(|tx| wedged::found_bad(tx, seq, reason, at_ms));
        let done = mended(found.and_then(|()| self.repair(seq)))?;
        // Without room to keep it, a signature can still be made for the way: of what the log names, else it would be a
        // second history.
        if done == Mended::LeftOpen
            && error == EntryError::BadSignature
            && self.db.read(|conn| entries::hash_at(conn, seq))? == Some(entry.hash())
        {
            entry.sign_again(key);
            if entry.verify(&key.verifying_key()).is_ok() {
                return Ok(Mended::Sound);
            }
        }
        Ok(done)
    }

    fn repair(&self, seq: i64) -> Result<Repair> {
        let keys = self.enrolled()?;
        self.write_at_door(|tx| {
            let mut stored = wedged::stored(tx, seq)?;
            if can_go_as_it_is(&mut stored, keys.key_at(seq)) {
                wedged::set_signature(tx, seq, &stored.entry)?;
                wedged::send_again(tx, seq)?;
                return Ok(Repair::SentAgain);
            }
            let again = self.say_again(tx, seq, &stored)?;
            Ok(Repair::SaidAgain { seq: again })
        })
    }

    fn say_again(&self, tx: &Tx<'_>, seq: i64, stored: &Stored) -> Result<i64> {
        let keys = self.enrolled()?;
        let body = stored.entry.body.clone();
        let body = ReplacementBody {
            of_seq: seq,
            of_hash: stored.hash,
            kind: stored.kind,
            body: body.ok_or(Error::NotFound { what: "content" })?,
        };
        let header = Header::decode(&stored.entry.header).ok();
        let blobs = match &header {
            Some(header) => header.blobs.clone(),
            None => proofs::bound_to(tx, seq, stored.ink.as_deref())?,
        };
        let fact = Fact {
            kind: ReplacementBody::KIND,
            handle: header.and_then(|h| h.handle),
            blobs,
            body: body.encode(),
            stop: stored.stop,
            occurred_at_ms: stored.occurred_at_ms,
        };
        let beside = Beside {
            attempt: stored.attempt,
            opened_at_ms: stored.opened_at_ms,
            ink: stored.ink.as_deref(),
        };
        let head = self.pen(&keys).append_beside(tx, fact, beside)?;
        wedged::said_again(tx, seq, head.seq)?;
        if let Some(stop) = stored.stop {
            stops::touch(tx, stop)?;
        }
        Ok(head.seq)
    }
}

/// What a repair came to. One that cannot be made is no reason to keep anything else here.
fn mended(repair: Result<Repair>) -> Result<Mended> {
    match repair {
        Ok(_) => Ok(Mended::Anew),
        Err(Error::NotFound { .. }) => Ok(Mended::Sound),
        Err(Error::Store(StoreError::Full)) => Ok(Mended::LeftOpen),
        Err(error) if row::is_of_one_row(&error) => Ok(Mended::LeftOpen),
        Err(other) => Err(other),
    }
}

/// Whether the entry is what this phone's log names, so that sending it again can help. A signature that was
/// damaged is made anew.
fn can_go_as_it_is(stored: &mut Stored, key: &SigningKey) -> bool {
    if stored.entry.hash() != stored.hash {
        return false;
    }
    match stored.entry.verify(&key.verifying_key()) {
        // What was refused twice is refused again, unless it is the hub that has to be updated.
        Ok(_) => stored.tries == 0 || stored.reason == WedgeReason::UNKNOWN_VERSION,
        Err(EntryError::BadSignature) => {
            stored.entry.sign_again(key);
            stored.entry.verify(&key.verifying_key()).is_ok()
        }
        Err(_) => false,
    }
}
