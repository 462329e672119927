//! The evidence bundle: one file about one parcel that anybody can read, and anybody can check offline.
//!
//! It is a web page without scripts. What a person sees (times, outcome, signature, photos) and what a
//! program checks (entries, receipts, log proofs) are in the same file, and the second produces the first:
//! the verifier draws the page again from the evidence and compares, so a page that was touched up does
//! not pass (docs/adr/0032). The hub makes one for its operator, the phone one for its courier.

mod file;
mod page;
mod report;
mod verify;
mod when;

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

use crate::attempt::{AttemptBody, ProofRef};
use crate::doorstep::CorrectionBody;
use crate::entry::{EntryKind, Header, SignedEntry};
use crate::ids::{Hash32, ParcelId};
use crate::lost::ProofLostBody;
use crate::receipt::SignedReceipt;
use crate::taxonomy::ProofKind;
use crate::wedge::ReplacementBody;

pub use file::{BundleError, MAX_BUNDLE_BYTES, pack, unpack};
pub use report::{Check, EntryReport, Interval, Report, Strength, Verdict};
pub use verify::{Trust, verify};

/// Version of the evidence and of the page drawn from it.
pub const BUNDLE_VERSION: u8 = 1;

/// The evidence about one parcel. The proofs' bytes are beside it ([`pack`]).
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Bundle {
    /// [`BUNDLE_VERSION`].
    #[n(0)]
    pub version: u8,
    /// When it was put together, Unix milliseconds of whoever did.
    #[n(1)]
    pub made_at_ms: i64,
    /// The phone made it for its courier; otherwise the hub did for its operator.
    #[n(2)]
    pub made_by_phone: bool,
    /// The hub's public address, which is part of its log's name.
    #[n(3)]
    pub hub_url: String,
    /// The hub's Ed25519 key. That it is the right one has to come from elsewhere.
    #[n(4)]
    pub hub_key: Hash32,
    /// The parcel.
    #[n(5)]
    pub parcel: ParcelId,
    /// Its waybill number.
    #[n(6)]
    pub waybill: String,
    /// Enrolment certificates of the devices whose entries are here, as issued.
    #[n(7)]
    pub certificates: Vec<Certificate>,
    /// The entries, in the order in which they happened.
    #[n(8)]
    pub entries: Vec<BundledEntry>,
    /// The hub's receipts: about the entries, and those that entries name as older than themselves.
    #[n(9)]
    pub receipts: Vec<SignedReceipt>,
    /// The proofs the entries bind.
    #[n(10)]
    pub proofs: Vec<BundledProof>,
    /// Outside timestamps over the checkpoints in the log proofs.
    #[n(11)]
    pub timestamps: Vec<Token>,
    /// Records of the hub's own journal about the parcel: ratings.
    #[n(13)]
    #[cbor(default)]
    pub records: Vec<SignedEntry>,
    /// Where the door is, degrees north and east, for the sketch.
    #[n(12)]
    pub door: Option<(f64, f64)>,
    /// The entries by which these devices changed their keys, each device's in their order; none where none did.
    #[n(14)]
    pub rotations: Option<Vec<SignedEntry>>,
}

impl Bundle {
    /// The proofs of which an entry here says that their phone can no longer bring them.
    fn said_lost(&self) -> BTreeSet<Hash32> {
        let said = self.entries.iter().filter_map(|bundled| {
            let header = Header::decode(&bundled.entry.header).ok()?;
            lost_of(&header, &bundled.entry).map(|body| body.hash)
        });
        said.collect()
    }
}

/// An enrolment certificate as issued.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Certificate(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

/// An RFC 3161 token as it came, and the text it is over.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Token {
    /// The checkpoint's text.
    #[n(0)]
    pub text: String,
    /// The token.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub token: Vec<u8>,
}

/// An entry and the way from it into the hub's log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BundledEntry {
    /// As signed. Without salt and body when those were erased.
    #[n(0)]
    pub entry: SignedEntry,
    /// Headers of the entries that followed it, up to the one the log proof is about; empty when the proof
    /// is about the entry itself. Each names the one before it.
    #[n(1)]
    pub later: Vec<LaterHeader>,
    /// A `c2sp.org/tlog-proof@v1`, as text.
    #[n(2)]
    pub log_proof: Option<String>,
}

/// The signed bytes of a later entry's header.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct LaterHeader(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

/// A proof named by an entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BundledProof {
    /// SHA-256 of its bytes.
    #[n(0)]
    pub hash: Hash32,
    /// What it is.
    #[n(1)]
    pub kind: ProofKind,
    /// Its bytes, for what is not shown as a picture of its own.
    #[n(2)]
    pub bytes: Option<ProofBytes>,
}

/// Bytes of a proof.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct ProofBytes(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

/// The attempt an entry records, whether it says it for the first time or again, for a position of its log that a
/// hub could not accept (B4-2); and in that case that position with its hash.
#[must_use]
pub fn attempt_of(
    header: &Header,
    entry: &SignedEntry,
) -> Option<(AttemptBody, Option<(i64, Hash32)>)> {
    let (kind, body, again) = said(header, entry)?;
    let attempt = (kind == EntryKind::ATTEMPT).then(|| AttemptBody::decode(&body).ok());
    Some((attempt??, again))
}

/// The correction an entry records, likewise: the event it is about stays in the log beside it (B4-4).
#[must_use]
pub fn correction_of(header: &Header, entry: &SignedEntry) -> Option<CorrectionBody> {
    let (kind, body, _) = said(header, entry)?;
    let correction = (kind == EntryKind::CORRECTION).then(|| CorrectionBody::decode(&body).ok());
    correction?
}

/// The proofs an entry speaks of: those of its attempt, or those that come late with a correction.
#[must_use]
pub fn proofs_of(header: &Header, entry: &SignedEntry) -> Vec<ProofRef> {
    let of_attempt = attempt_of(header, entry).map(|(body, _)| body.proofs);
    let late = || correction_of(header, entry).map(|body| body.proofs);
    of_attempt.or_else(late).unwrap_or_default()
}

/// What a phone says of a proof that it can no longer bring.
#[must_use]
pub fn lost_of(header: &Header, entry: &SignedEntry) -> Option<ProofLostBody> {
    let (kind, body, _) = said(header, entry)?;
    let lost = (kind == ProofLostBody::KIND).then(|| ProofLostBody::decode(&body).ok());
    lost?
}

/// What an entry says, with its kind, and what it says again.
type Said = (EntryKind, Vec<u8>, Option<(i64, Hash32)>);

fn said(header: &Header, entry: &SignedEntry) -> Option<Said> {
    let body = entry.body.as_deref()?;
    if header.kind != ReplacementBody::KIND {
        return Some((header.kind, body.to_vec(), None));
    }
    let again = ReplacementBody::decode(body).ok()?;
    let of = (again.of_seq, again.of_hash);
    Some((again.kind, again.body, Some(of)))
}

#[cfg(test)]
mod tests;
