//! What the played day was promised: every acknowledgement of a phone, every rating a customer gave,
//! and every look at what the phones showed. The checks at the end compare the hub with this.

use std::collections::{HashMap, HashSet};

use satchel_core::protocol::ids::{AttemptId, DeviceId, Hash32, ParcelId, StopId};
use satchel_core::protocol::taxonomy::Outcome;
use satchel_hub::Audit;

use crate::child::words::{Ack, AckProof, PhoneStatus, SyncWord};

/// One acknowledged entry: one parcel of one visit.
#[derive(Debug, Clone, PartialEq)]
pub struct Acknowledged {
    /// Which phone, by its place in the cast.
    pub phone: usize,
    /// The visit.
    pub attempt: AttemptId,
    /// Where.
    pub stop: StopId,
    /// The parcel.
    pub parcel: ParcelId,
    /// What came of it.
    pub outcome: Outcome,
    /// Place in the phone's log.
    pub seq: i64,
    /// The entry's hash.
    pub entry: Hash32,
    /// When, by the phone.
    pub at_ms: i64,
    /// Its proofs.
    pub proofs: Vec<AckProof>,
    /// The rating page, for a delivered parcel.
    pub rating_url: Option<String>,
}

/// One rating the hub has thanked a customer for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The courier's phone.
    pub phone: usize,
    /// The parcel.
    pub parcel: ParcelId,
    /// 1 to 5.
    pub stars: u8,
    /// The customer's words.
    pub comment: Option<String>,
    /// The attempt had not reached the hub when the customer rated.
    pub before_attempt: bool,
}

/// How often the phones' screens were compared with the hub.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Honesty {
    /// Looks at all phones at once.
    pub looks: u64,
    /// Looks taken while the hub was dead.
    pub looks_hub_down: u64,
    /// Stops that read "synced" in those looks.
    pub claims: u64,
    /// Stops that read "synced" although the hub did not hold all of them.
    pub false_claims: u64,
    /// Stops that read "received" although the hub did not hold the records.
    pub false_received: u64,
}

/// Everything promised so far.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// In the order of acknowledgement.
    pub entries: Vec<Acknowledged>,
    /// In the order of posting.
    pub ratings: Vec<Posted>,
    /// Second posts of a used token that the hub refused.
    pub refused_seconds: u64,
    /// Second posts of a used token that the hub took: must stay 0.
    pub accepted_seconds: u64,
    /// The looks.
    pub honesty: Honesty,
}

impl Ledger {
    /// Writes down what a phone acknowledged.
    pub fn acknowledge(&mut self, phone: usize, ack: Ack) {
        for parcel in ack.parcels {
            self.entries.push(Acknowledged {
                phone,
                attempt: ack.attempt,
                stop: ack.stop,
                parcel: parcel.parcel,
                outcome: parcel.outcome,
                seq: parcel.seq,
                entry: parcel.entry,
                at_ms: ack.at_ms,
                proofs: ack.proofs.clone(),
                rating_url: parcel.rating_url,
            });
        }
    }

    /// Compares what every phone showed with what the hub held at the same moment. Only meaningful
    /// while no phone is talking to the hub.
    pub fn look(&mut self, screens: &[PhoneStatus], audit: &Audit, hub_was_down: bool) {
        let held = Held::of(audit);
        self.honesty.looks += 1;
        self.honesty.looks_hub_down += u64::from(hub_was_down);
        let mut of_stop: HashMap<(usize, StopId), Vec<&Acknowledged>> = HashMap::new();
        for entry in &self.entries {
            of_stop
                .entry((entry.phone, entry.stop))
                .or_default()
                .push(entry);
        }
        for (phone, screen) in screens.iter().enumerate() {
            for shown in screen.stops.iter().filter(|s| s.sync >= SyncWord::Received) {
                let entries = of_stop
                    .get(&(phone, shown.stop))
                    .map_or(&[][..], Vec::as_slice);
                let records = !entries.is_empty() && entries.iter().all(|e| held.entry(screen, e));
                let proofs = entries
                    .iter()
                    .flat_map(|e| &e.proofs)
                    .all(|p| held.proof(p));
                if shown.sync == SyncWord::Synced {
                    self.honesty.claims += 1;
                    self.honesty.false_claims += u64::from(!(records && proofs));
                } else {
                    self.honesty.false_received += u64::from(!records);
                }
            }
        }
    }
}

/// What the hub holds, for quick questions.
#[derive(Debug, Default)]
pub struct Held {
    entries: HashSet<(DeviceId, i64, Hash32)>,
    proofs: HashSet<Hash32>,
}

impl Held {
    /// Reads an audit.
    #[must_use]
    pub fn of(audit: &Audit) -> Self {
        let mut held = Self::default();
        for attempt in audit.parcels.iter().flat_map(|p| &p.attempts) {
            held.entries
                .insert((attempt.device, attempt.seq, attempt.hash));
            let complete = attempt.proofs.iter().filter(|p| p.complete && p.bound);
            held.proofs.extend(complete.map(|p| p.hash));
        }
        held
    }

    /// Whether the hub holds this entry of this phone.
    #[must_use]
    pub fn entry(&self, phone: &PhoneStatus, entry: &Acknowledged) -> bool {
        phone
            .device
            .is_some_and(|device| self.entries.contains(&(device, entry.seq, entry.entry)))
    }

    /// Whether the hub holds every byte of this proof.
    #[must_use]
    pub fn proof(&self, proof: &AckProof) -> bool {
        self.proofs.contains(&proof.hash)
    }
}
