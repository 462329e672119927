//! Entries the hub did not accept: shown with their reason, and repaired when the courier says so.
//!
//! What the chain fixed is not touched. A sound entry is sent once more; a damaged signature is made again,
//! which gives the same bytes; what was signed with other content than is stored here is said again by a new
//! entry that points to the old one.

use ed25519_dalek::SigningKey;
use satchel_protocol::entry::{EntryError, Header};
use satchel_protocol::wedge::{ReplacementBody, WedgeReason};

use super::Courier;
use crate::error::{Error, Result};
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
        let keys = self.enrolled()?;
        let done = self.db.write(|tx| {
            let mut stored = wedged::stored(tx, seq)?;
            if can_go_as_it_is(&mut stored, keys.key_at(seq)) {
                wedged::set_signature(tx, seq, &stored.entry)?;
                wedged::send_again(tx, seq)?;
                return Ok(Repair::SentAgain);
            }
            let again = self.say_again(tx, seq, &stored)?;
            Ok(Repair::SaidAgain { seq: again })
        })?;
        self.engine().hurry();
        Ok(done)
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
