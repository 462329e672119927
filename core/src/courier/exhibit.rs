//! The courier's own copy of the evidence about a parcel (A108): made without a network and without the
//! hub's help, and checked like the hub's own.
//!
//! The hub proved the newest entry of each batch with its receipt. An older entry is led there by the
//! headers that followed it, each naming the one before.

use std::collections::BTreeMap;

use satchel_protocol::attempt::AttemptBody;
use satchel_protocol::bundle::{
    self, BUNDLE_VERSION, Bundle, BundledEntry, BundledProof, Certificate, LaterHeader, ProofBytes,
};
use satchel_protocol::contradiction::{self, Contradiction, HubFork};
use satchel_protocol::crypto;
use satchel_protocol::entry::{EntryKind, Header, SignedEntry};
use satchel_protocol::ids::{AttemptId, Hash32, ParcelId};
use satchel_protocol::receipt::SignedReceipt;
use satchel_protocol::taxonomy::ProofKind;
use satchel_protocol::tlog::{Note, TlogProof};
use satchel_protocol::transitions::Origin;

use super::{Courier, Keys};
use crate::error::{Error, Result};
use crate::store::db::Snapshot;
use crate::store::{erasures, exhibits, inks, stops, watch};

/// What was found in the store, before photos are read.
struct Exhibit {
    waybill: String,
    door: Option<(f64, f64)>,
    certificate: Option<Vec<u8>>,
    entries: Vec<BundledEntry>,
    receipts: Vec<SignedReceipt>,
    inks: BTreeMap<Hash32, Vec<u8>>,
    /// Photos that came late with a correction, and the draft that holds them.
    late: BTreeMap<Hash32, AttemptId>,
    rotations: Vec<SignedEntry>,
}

impl Courier {
    /// The evidence about a parcel as a web page that can be checked offline (`satchel verify`). It holds
    /// what this phone recorded and what the hub has vouched for so far; personal data is in it, so an app
    /// hands it to its courier and stores no copy.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a parcel that is not on this phone, [`Error::NotEnrolled`] without a hub.
    pub fn evidence(&self, parcel: ParcelId) -> Result<String> {
        let keys = self.keys().clone().ok_or(Error::NotEnrolled)?;
        self.unlocked()?;
        let found = self.db.read(|conn| gather(conn, &keys, parcel))?;
        let (mut proofs, mut photos) = (BTreeMap::new(), BTreeMap::new());
        for bundled in &found.entries {
            let header = Header::decode(&bundled.entry.header).map_err(Error::from)?;
            let visit = bundle::attempt_of(&header, &bundled.entry).map(|(body, _)| body.attempt);
            for proof in bundle::proofs_of(&header, &bundled.entry) {
                let visit = visit.or_else(|| found.late.get(&proof.hash).copied());
                let bytes = match proof.kind {
                    ProofKind::Photo => {
                        // One that gave way to newer ones stays named.
                        match visit.map(|visit| self.photo_jpeg(visit, proof.hash)) {
                            Some(Ok(jpeg)) => photos.insert(proof.hash, jpeg),
                            None | Some(Err(Error::NotFound { .. })) => None,
                            Some(Err(other)) => return Err(other),
                        };
                        None
                    }
                    _ => found.inks.get(&proof.hash).cloned().map(ProofBytes),
                };
                let named = BundledProof {
                    hash: proof.hash,
                    kind: proof.kind,
                    bytes,
                };
                proofs.entry(proof.hash).or_insert(named);
            }
        }
        let bundle = Bundle {
            version: BUNDLE_VERSION,
            made_at_ms: self.env.clock.wall_ms(),
            made_by_phone: true,
            hub_url: keys.hub_url.clone(),
            hub_key: Hash32(keys.hub_key.to_bytes()),
            parcel,
            waybill: found.waybill,
            certificates: found.certificate.into_iter().map(Certificate).collect(),
            entries: found.entries,
            receipts: found.receipts,
            proofs: proofs.into_values().collect(),
            timestamps: Vec::new(),
            records: Vec::new(),
            door: found.door,
            rotations: (!found.rotations.is_empty()).then_some(found.rotations),
        };
        Ok(bundle::pack(&bundle, &photos))
    }
}

impl Courier {
    /// The proofs that the hub contradicted itself, each as a file that `satchel verify` checks: two
    /// checkpoints of one log, both signed. No personal data is in them.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`] without a hub; those of the store.
    pub fn hub_contradictions(&self) -> Result<Vec<String>> {
        let keys = self.keys().clone().ok_or(Error::NotEnrolled)?;
        let kept = self.db.read(watch::kept_faults)?;
        let mut files = Vec::with_capacity(kept.len());
        for (before, answer) in kept {
            let Some(tree) = SignedReceipt::decode(&answer).map_err(Error::from)?.tree else {
                continue;
            };
            let fork = HubFork {
                hub_url: keys.hub_url.clone(),
                hub_key: Hash32(keys.hub_key.to_bytes()),
                before,
                after: tree.checkpoint,
                consistency: tree.consistency,
            };
            files.push(contradiction::pack(&Contradiction::Hub(fork)));
        }
        Ok(files)
    }
}

fn gather(conn: &Snapshot, keys: &Keys, parcel: ParcelId) -> Result<Exhibit> {
    let row = stops::find_parcel(conn, parcel)?.ok_or(Error::NotFound { what: "parcel" })?;
    let place = stops::stop(conn, row.stop_id)?.place;
    let erased = matches!(erasures::state(conn, parcel)?, Some(Some(_)));
    let (mut entries, mut receipts, mut inks) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    let mut late = BTreeMap::new();
    let mut places: Vec<i64> = row
        .events()?
        .into_iter()
        .filter(|event| event.id.origin == Origin::Phone(keys.device))
        .map(|event| event.id.seq)
        .collect();
    for seq in places.clone() {
        places.extend(exhibits::said_lost(conn, seq)?);
    }
    let last_seq = places.iter().copied().max().unwrap_or(0);
    for seq in places {
        let Some(entry) = exhibits::entry(conn, seq)? else {
            continue;
        };
        let header = Header::decode(&entry.header).map_err(Error::from)?;
        if let Ok(body) = AttemptBody::decode(entry.body.as_deref().unwrap_or_default())
            && let Some(ink) = inks::of_attempt(conn, body.attempt)?
        {
            inks.insert(crypto::sha256(&[&ink]), ink);
        }
        if header.kind == EntryKind::CORRECTION {
            late.extend(exhibits::late_photos(conn, header.seq)?);
        }
        for older in exhibits::words_before(conn, header.seq)? {
            let word = SignedReceipt::decode(&older).map_err(Error::from)?;
            if header.anchor == Some(word.anchor()) {
                receipts.insert(word.anchor(), bare(word));
                break;
            }
        }
        let bundled = match exhibits::word_about(conn, header.seq)? {
            Some(word) => {
                let word = SignedReceipt::decode(&word).map_err(Error::from)?;
                let bundled = led_into_log(conn, keys, entry, header.seq, &word)?;
                receipts.insert(word.anchor(), bare(word));
                bundled
            }
            None => alone(entry),
        };
        entries.push(bundled);
    }
    Ok(Exhibit {
        waybill: row.waybill,
        door: (!erased).then_some((place.lat, place.lng)),
        certificate: exhibits::certificate(conn)?,
        entries,
        receipts: receipts.into_values().collect(),
        inks,
        late,
        rotations: match keys.changed_seq {
            0 => Vec::new(),
            _ => exhibits::rotations(conn, last_seq)?,
        },
    })
}

/// The receipt itself; the tree beside it has become log proofs.
fn bare(word: SignedReceipt) -> SignedReceipt {
    SignedReceipt { tree: None, ..word }
}

fn alone(entry: SignedEntry) -> BundledEntry {
    BundledEntry {
        entry,
        later: Vec::new(),
        log_proof: None,
    }
}

/// The entry with the headers that lead from it to the one the hub proved.
fn led_into_log(
    conn: &Snapshot,
    keys: &Keys,
    entry: SignedEntry,
    seq: i64,
    word: &SignedReceipt,
) -> Result<BundledEntry> {
    let receipt = word.verify(&keys.hub_key, keys.device).ok();
    let (Some(tree), Some(receipt)) = (&word.tree, receipt) else {
        return Ok(alone(entry));
    };
    let Ok(checkpoint) = Note::parse(&tree.checkpoint) else {
        return Ok(alone(entry));
    };
    let later = exhibits::headers(conn, seq, receipt.head_seq)?;
    let proof = TlogProof {
        index: tree.head_index,
        hashes: tree.inclusion.clone(),
        checkpoint,
    };
    Ok(BundledEntry {
        entry,
        later: later.into_iter().map(LaterHeader).collect(),
        log_proof: Some(proof.to_string()),
    })
}
