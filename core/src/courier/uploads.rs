//! The proofs' turn: which of them goes next, and what of it.

use std::collections::BTreeMap;
use std::vec::IntoIter;

use super::lost::of_a_file;
use super::{Courier, Keys};
use crate::error::Result;
use crate::store::proofs::ProofRow;
use crate::store::queue::{self, Worth};
use crate::store::{inks, lost, phone, places, proofs};
use crate::sync::engine::{Due, Job, Step};
use crate::sync::requests::{self, Draft};
use crate::sync::task::Network;

/// What the proof lane sends.
#[derive(Debug, Clone, Copy)]
enum Sends {
    /// Signatures that did not ride with their entries: small, and what a dispute asks for first.
    Inks,
    Photos(Worth),
}

impl Sends {
    /// Waits for a line that costs nothing, where photos are not to go on another.
    fn waits(self) -> bool {
        matches!(self, Self::Photos(worth) if worth != Worth::Wanted)
    }
}

/// In this order: what somebody waits for, then what a dispute would hang on.
const SENDS: [Sends; 5] = [
    Sends::Photos(Worth::Wanted),
    Sends::Inks,
    Sends::Photos(Worth::Disputed),
    Sends::Photos(Worth::Alone),
    Sends::Photos(Worth::Signed),
];

/// One look through what may go: each proof comes up once, however many of them cannot be read.
struct Pass {
    /// What comes behind `sends`.
    behind: IntoIter<Sends>,
    sends: Option<Sends>,
    /// The last of it that was looked at.
    after: i64,
    rows: IntoIter<ProofRow>,
    /// What the hub would not have, or could not be read: behind everything that was not tried yet.
    refused: BTreeMap<(Due, usize), ProofRow>,
}

impl Pass {
    fn through(sends: Vec<Sends>) -> Self {
        let mut behind = sends.into_iter();
        Self {
            sends: behind.next(),
            behind,
            after: 0,
            rows: Vec::new().into_iter(),
            refused: BTreeMap::new(),
        }
    }
}

impl Courier {
    /// The next proof this phone can read and that waits for nothing. One that it cannot read is set aside as lost.
    pub(super) fn pick_proof(
        &self,
        keys: &Keys,
        network: Network,
        now_ms: i64,
    ) -> Result<Option<(Job, Draft)>> {
        self.look_for_lost();
        self.look_for_folder();
        let costs = network == Network::Metered && !self.db.read(phone::photos_on_metered)?;
        let may_go = |sends: &Sends| !(costs && sends.waits());
        let mut pass = Pass::through(SENDS.into_iter().filter(may_go).collect());
        while let Some(row) = self.next_proof(&mut pass, now_ms)? {
            if let Some(picked) = self.upload_request(keys, &row)? {
                return Ok(Some(picked));
            }
        }
        Ok(None)
    }

    /// By value; what the hub would not have stands behind everything that it was not asked to take yet.
    fn next_proof(&self, pass: &mut Pass, now_ms: i64) -> Result<Option<ProofRow>> {
        loop {
            for row in pass.rows.by_ref() {
                match self.engine().upload_due(row.id, now_ms) {
                    None => {}
                    Some(Due::First) => return Ok(Some(row)),
                    Some(due) => {
                        let behind = pass.refused.len();
                        pass.refused.insert((due, behind), row);
                    }
                }
            }
            let Some(sends) = pass.sends else { break };
            let window = self.db.read(|conn| match sends {
                Sends::Inks => inks::to_upload(conn, pass.after),
                Sends::Photos(worth) => queue::to_upload(conn, pass.after, worth),
            })?;
            match window.up_to {
                Some(up_to) => pass.after = up_to,
                None => (pass.sends, pass.after) = (pass.behind.next(), 0),
            }
            // Signatures go by the places of their entries, which are no photo's.
            if matches!(sends, Sends::Photos(_)) {
                self.set_aside(&window.unreadable)?;
            }
            pass.rows = window.rows.into_iter();
        }
        // The folder may have been found to be away since it was put there.
        while let Some((_, row)) = pass.refused.pop_first() {
            if self.engine().upload_due(row.id, now_ms).is_some() {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    fn upload_request(&self, keys: &Keys, row: &ProofRow) -> Result<Option<(Job, Draft)>> {
        let (step, alone, lean, most_bytes) = {
            let engine = self.engine();
            let step = engine.step(row.id, row.started);
            (
                step,
                engine.creates_alone(),
                engine.signs_lean(),
                engine.part_bytes(),
            )
        };
        let bytes = match step {
            // A server that names uploads itself may be cut off before it says the name, and all that came with
            // the creation is lost.
            Step::Create if alone => None,
            Step::Create | Step::Resume { .. } => match self.proof_or_loss(row) {
                Ok(Ok(bytes)) => Some(bytes),
                // A folder that is locked, a disk that stutters: nothing is known of this one, and others go on.
                Err(error) if of_a_file(&error) => {
                    self.cannot_read(keys, row, &error)?;
                    return Ok(None);
                }
                Err(error) => return Err(error),
                Ok(Err(cause)) => {
                    self.note_lost(keys, row, cause)?;
                    return Ok(None);
                }
            },
            Step::AskOffset | Step::AskReceipt => None,
        };
        let place = self.db.read(|conn| places::of(conn, &row.proof.hash))?;
        let was_read = bytes.is_some() && row.inline_bytes.is_none();
        self.db.write(|tx| match row.id {
            ink if ink < 0 => inks::set_started(tx, -ink),
            photo => {
                if was_read {
                    lost::set_read(tx, photo)?;
                }
                proofs::set_started(tx, photo)
            }
        })?;
        if was_read {
            self.engine().photos_are_read();
        }
        let way = (step, place.as_deref());
        let draft = requests::upload(keys, row, way, bytes.as_deref(), most_bytes);
        let job = Job::Proof {
            id: row.id,
            hash: row.proof.hash,
            step,
            size_bytes: bytes.map_or(row.proof.size_bytes, |b| b.len() as u64),
            sent_bytes: draft.body.len(),
        };
        Ok(Some((job, draft.signed_lean(lean))))
    }
}
