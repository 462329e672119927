//! Entries the hub did not accept: shown with their reason, and repaired when the courier says so.
//!
//! What the chain fixed is not touched. A sound entry is sent once more; a damaged signature is made again,
//! which gives the same bytes; what was signed with other content than is stored here is said again by a new
//! entry that points to the old one.

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
use crate::store::{proofs, stops};

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

    /// Repairs what stands open and can be repaired, for the way out by file. What has no content any more or
    /// does not fit on a full disk stays as it is and shown.
    pub(super) fn repair_open(&self) -> Result<()> {
        for seq in self.db.read(wedged::at_stake)? {
            match self.repair(seq) {
                Ok(_) | Err(Error::NotFound { .. } | Error::Store(StoreError::Full)) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    /// Looks at an entry on its way as the hub will. A damaged signature is made again; beside what cannot go as it
    /// is the same is said again, while there is somebody to say it. Gives whether the log says anything new.
    pub(super) fn mend(&self, seq: i64, entry: &SignedEntry) -> Result<bool> {
        let keys = self.enrolled()?;
        let Err(error) = entry.verify(&keys.key_at(seq).verifying_key()) else {
            return Ok(false);
        };
        tracing::error!(seq, %error, "an entry went bad on this phone");
        let reason = WedgeReason::of(&error);
        let at_ms = self.env.clock.wall_ms();
        self.db
            .write(|tx| wedged::found_bad(tx, seq, reason, at_ms))?;
        match self.repair(seq) {
            Ok(_) => Ok(true),
            // Said again before, or nothing is left to say.
            Err(Error::NotFound { .. } | Error::Store(StoreError::Full)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    fn repair(&self, seq: i64) -> Result<Repair> {
        let keys = self.enrolled()?;
        self.db.write(|tx| {
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
