//! Checking a bundle with nothing but its bytes and the keys the reader trusts.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;
use ed25519_dalek::VerifyingKey;
use serde::Deserialize;

use super::file::Photos;
use super::report::{Check, EntryReport, Interval, Report, Strength, Verdict};
use super::{Bundle, BundleError, BundledEntry, attempt_of, correction_of, pack, unpack};
use crate::attempt::{AttemptBody, CodeResult, ProofRef};
use crate::crypto;
use crate::device_keys::KeyChain;
use crate::enrol::{SignedCertificate, VouchedBy};
use crate::entry::{EntryError, EntryKind, Header, header_hash};
use crate::ids::{DeviceId, Hash32, ParcelId};
use crate::receipt::{Receipt, ReceiptError};
use crate::taxonomy::{PhotoOrigin, ProofKind, RatingClass};
use crate::tlog::{Checkpoint, TlogProof, Vkey, cosigned_at, log_vkey};

/// A phone's clock and a hub's may differ by this much without anybody lying, milliseconds.
const CLOCK_TOLERANCE_MS: i64 = 120_000;

/// Whom the reader believes, from elsewhere than the file.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The hub's key. Without it the file can only be shown to be of one piece.
    pub hub: Option<Hash32>,
    /// Witnesses of the hub's log.
    pub witnesses: Vec<Vkey>,
}

/// Checks a file.
///
/// # Errors
/// [`BundleError`] when it is no bundle at all. Everything else is in the report.
pub fn verify(file: &str, trust: &Trust) -> Result<Report, BundleError> {
    let (bundle, photos) = unpack(file)?;
    let mut checker = Checker {
        bundle: &bundle,
        photos: &photos,
        trust,
        found: BTreeMap::new(),
    };
    let entries = checker.run(file);
    let checks = checker.found.into_iter();
    Ok(Report {
        checks: checks.map(|(c, (v, note))| (c, v, note)).collect(),
        entries,
    })
}

/// What matters of the hub's record of a rating.
#[derive(Deserialize)]
struct RatingRecord {
    parcel: String,
    head: String,
    class: String,
}

struct Checker<'a> {
    bundle: &'a Bundle,
    photos: &'a Photos,
    trust: &'a Trust,
    found: BTreeMap<Check, (Verdict, String)>,
}

/// What matters of the hub's record of what it gave out.
#[derive(Deserialize)]
struct GivenOutRecord {
    device: DeviceId,
    parcels: Vec<ParcelId>,
}

/// A receipt that verified, and the name later entries know it by.
struct Word {
    receipt: Receipt,
    anchor: Hash32,
}

impl Checker<'_> {
    /// Notes a result; a worse one stays.
    fn note(&mut self, check: Check, verdict: Verdict, note: impl Into<String>) {
        let rank = |v: Verdict| match v {
            Verdict::Proven => 0,
            Verdict::Open => 1,
            Verdict::Broken => 2,
        };
        let held = self.found.get(&check);
        if held.is_none_or(|(before, _)| rank(verdict) > rank(*before)) {
            self.found.insert(check, (verdict, note.into()));
        }
    }

    fn expect(&mut self, check: Check, holds: bool, otherwise: impl Into<String>) {
        if holds {
            self.note(check, Verdict::Proven, "");
        } else {
            self.note(check, Verdict::Broken, otherwise);
        }
    }

    fn run(&mut self, file: &str) -> Vec<EntryReport> {
        let drawn = pack(self.bundle, self.photos) == file;
        self.expect(
            Check::Page,
            drawn,
            "the page differs from the evidence in it",
        );
        let Some(hub) = self.hub() else {
            return Vec::new();
        };
        let keys = self.certificates(&hub);
        let words = self.receipts(&hub, &keys);
        self.proofs();
        let rated = self.records(&hub);
        let mut seen: BTreeMap<DeviceId, BTreeMap<i64, (Hash32, Hash32)>> = BTreeMap::new();
        let mut entries = Vec::new();
        for bundled in &self.bundle.entries {
            let Some((header, report)) = self.entry(bundled, &keys, &words, &rated, &hub) else {
                continue;
            };
            let place = seen.entry(header.device).or_default();
            let before = place.insert(header.seq, (report.hash, header.prev));
            let forked = before.is_some_and(|(hash, _)| hash != report.hash);
            self.expect(
                Check::History,
                !forked,
                format!("two entries {} of one device: a fork", header.seq),
            );
            entries.push(report);
        }
        for places in seen.values() {
            let pairs = places.iter().zip(places.iter().skip(1));
            for ((a, (hash, _)), (b, (_, prev))) in pairs {
                let next = *b == a + 1;
                let unlinked = next && prev != hash;
                self.expect(
                    Check::History,
                    !unlinked,
                    format!("entry {b} does not follow entry {a}"),
                );
            }
        }
        self.manifest(&entries);
        if self.bundle.entries.is_empty() {
            self.note(Check::Signatures, Verdict::Open, "there is no entry");
        }
        entries
    }

    fn hub(&mut self) -> Option<VerifyingKey> {
        let key = VerifyingKey::from_bytes(&self.bundle.hub_key.0).ok();
        match (&key, self.trust.hub) {
            (None, _) => self.note(Check::HubKey, Verdict::Broken, "not a key"),
            (_, Some(trusted)) => self.expect(
                Check::HubKey,
                trusted == self.bundle.hub_key,
                format!("this hub's key is {}", self.bundle.hub_key),
            ),
            (_, None) => self.note(
                Check::HubKey,
                Verdict::Open,
                format!("compare its key: {}", self.bundle.hub_key),
            ),
        }
        key
    }

    fn certificates(&mut self, hub: &VerifyingKey) -> BTreeMap<DeviceId, KeyChain> {
        let mut keys = BTreeMap::new();
        for bytes in &self.bundle.certificates {
            let signed = SignedCertificate::verify(&bytes.0, hub).ok();
            let chain = signed.and_then(|c| KeyChain::of(&c));
            self.expect(
                Check::Certificates,
                chain.is_some(),
                "a certificate is not this hub's",
            );
            let Some(chain) = chain else { continue };
            match SignedCertificate::verify_keys(&bytes.0, hub) {
                Ok((_, VouchedBy::Hardware(_))) => {
                    self.note(Check::HardwareKey, Verdict::Proven, "")
                }
                Ok((_, VouchedBy::Nobody)) => self.note(
                    Check::HardwareKey,
                    Verdict::Open,
                    format!("device {}: its key is software alone", chain.device()),
                ),
                Err(_) => self.note(
                    Check::HardwareKey,
                    Verdict::Broken,
                    format!(
                        "device {}: what its hardware signed is not there",
                        chain.device()
                    ),
                ),
            }
            keys.insert(chain.device(), chain);
        }
        self.rotations(&mut keys);
        keys
    }

    /// Follows the changes of keys, so that each entry is checked under the one key of its place.
    fn rotations(&mut self, keys: &mut BTreeMap<DeviceId, KeyChain>) {
        for entry in self.bundle.rotations.iter().flatten() {
            let header = Header::decode(&entry.header).ok();
            let chain = header.as_ref().and_then(|h| keys.get_mut(&h.device));
            let followed = chain.is_some_and(|chain| chain.rotate(entry).is_ok());
            let what = header.map_or_else(String::new, |h| format!(" at entry {}", h.seq));
            self.expect(
                Check::Signatures,
                followed,
                format!("a change of keys{what} does not hold"),
            );
        }
    }

    fn receipts(&mut self, hub: &VerifyingKey, keys: &BTreeMap<DeviceId, KeyChain>) -> Vec<Word> {
        let mut words = Vec::new();
        for signed in &self.bundle.receipts {
            let verified = keys
                .keys()
                .find_map(|device| match signed.verify(hub, *device) {
                    Err(ReceiptError::OtherDevice) => None,
                    other => Some(other),
                });
            match verified {
                Some(Ok(receipt)) => {
                    self.note(Check::Receipts, Verdict::Proven, "");
                    let anchor = signed.anchor();
                    words.push(Word { receipt, anchor });
                }
                Some(Err(_)) | None => {
                    self.note(
                        Check::Receipts,
                        Verdict::Broken,
                        "a receipt is not this hub's",
                    );
                }
            }
        }
        words
    }

    fn proofs(&mut self) {
        let said_lost = self.bundle.said_lost();
        for proof in &self.bundle.proofs {
            let held = match &proof.bytes {
                Some(bytes) => Some(crypto::sha256(&[&bytes.0])),
                None => self.photos.contains_key(&proof.hash).then_some(proof.hash),
            };
            match held {
                Some(hash) => {
                    let what = format!("{} is another one", proof.kind.en());
                    self.expect(Check::Proofs, hash == proof.hash, what);
                }
                None => {
                    let why = match said_lost.contains(&proof.hash) {
                        true => "is not in this file: its phone says that it is lost",
                        false => "is not in this file",
                    };
                    let what = format!("{} {} {why}", proof.kind.en(), proof.hash);
                    self.note(Check::Proofs, Verdict::Open, what);
                }
            }
        }
    }

    /// Heads of the log that recipients bound their verified ratings to, in hex.
    fn records(&mut self, hub: &VerifyingKey) -> BTreeSet<String> {
        let mut heads = BTreeSet::new();
        for record in &self.bundle.records {
            let Ok(header) = record.verify(hub) else {
                self.note(
                    Check::Records,
                    Verdict::Broken,
                    "a record is not this hub's",
                );
                continue;
            };
            self.note(Check::Records, Verdict::Proven, "");
            let body = record.body.as_deref().unwrap_or_default();
            if header.kind == EntryKind::RATED
                && let Ok(rating) = serde_json::from_slice::<RatingRecord>(body)
                && rating.class == RatingClass::Verified.code()
                && rating.parcel == self.bundle.parcel.to_string()
            {
                heads.insert(rating.head);
            }
        }
        heads
    }

    /// A history whose end was cut off has no entry about what its phone was given.
    fn manifest(&mut self, entries: &[EntryReport]) {
        for record in &self.bundle.records {
            let Ok(header) = Header::decode(&record.header) else {
                continue;
            };
            let body = record.body.as_deref().unwrap_or_default();
            let Ok(given) = serde_json::from_slice::<GivenOutRecord>(body) else {
                continue;
            };
            if header.kind != EntryKind::GIVEN_OUT || !given.parcels.contains(&self.bundle.parcel) {
                continue;
            }
            if entries.is_empty() {
                let note = format!(
                    "device {} was given it at {} and nobody said what came of it",
                    given.device,
                    super::when::utc(header.occurred_at_ms)
                );
                self.note(Check::Manifest, Verdict::Open, note);
            } else {
                self.note(Check::Manifest, Verdict::Proven, "");
            }
        }
    }

    fn entry(
        &mut self,
        bundled: &BundledEntry,
        keys: &BTreeMap<DeviceId, KeyChain>,
        words: &[Word],
        rated: &BTreeSet<String>,
        hub: &VerifyingKey,
    ) -> Option<(Header, EntryReport)> {
        let entry = &bundled.entry;
        let Ok(header) = Header::decode(&entry.header) else {
            self.note(
                Check::Signatures,
                Verdict::Broken,
                "an entry is not in its form",
            );
            return None;
        };
        let at = format!("entry {}", header.seq);
        let Some(chain) = keys.get(&header.device) else {
            self.note(
                Check::Certificates,
                Verdict::Broken,
                format!("{at}: unknown device"),
            );
            return None;
        };
        match chain.verify(entry) {
            Ok(_) => {
                self.note(Check::Signatures, Verdict::Proven, "");
                self.note(Check::Bodies, Verdict::Proven, "");
            }
            Err(EntryError::CommitmentMismatch | EntryError::HalfErased) => {
                self.note(Check::Signatures, Verdict::Proven, "");
                self.note(Check::Bodies, Verdict::Broken, at.clone());
            }
            Err(_) => self.note(Check::Signatures, Verdict::Broken, at.clone()),
        }
        let erased = entry.body.is_none();
        if erased {
            self.note(
                Check::Bodies,
                Verdict::Open,
                format!("{at}: its content was erased"),
            );
        }
        let hash = entry.hash();
        let mut interval = Interval {
            not_before_ms: header.anchor.and_then(|anchor| {
                let word = words.iter().find(|w| w.anchor == anchor);
                word.map(|w| w.receipt.received_at_ms)
            }),
            not_after_ms: first_named(words, header.device, hash),
        };
        let witnessed_ms = self.in_log(bundled, hash, hub, &at);
        interval.not_after_ms = interval.not_after_ms.into_iter().chain(witnessed_ms).min();
        let said = attempt_of(&header, entry);
        let (attempt, again) = said.map_or((None, None), |(body, again)| (Some(body), again));
        let mut strength = None;
        if let Some(body) = &attempt {
            let mine = body.parcel == self.bundle.parcel;
            self.expect(Check::Parcel, mine, format!("{at} is about another parcel"));
            self.bound(&header, &body.proofs, &at);
            let head = HEXLOWER.encode(hash.0.get(..16).unwrap_or_default());
            strength = Some(rests_on(body, interval, rated.contains(&head)));
        }
        if let Some(body) = correction_of(&header, entry) {
            let mine = body.parcel == self.bundle.parcel;
            self.expect(Check::Parcel, mine, format!("{at} is about another parcel"));
            self.bound(&header, &body.proofs, &at);
        }
        let claimed_at_ms = header.occurred_at_ms;
        let outside = interval
            .not_before_ms
            .is_some_and(|t| claimed_at_ms < t - CLOCK_TOLERANCE_MS)
            || interval
                .not_after_ms
                .is_some_and(|t| claimed_at_ms > t + CLOCK_TOLERANCE_MS);
        let report = EntryReport {
            device: header.device,
            seq: header.seq,
            hash,
            kind: header.kind,
            claimed_at_ms,
            interval,
            outside,
            outcome: attempt.as_ref().map(|b| b.outcome),
            says_again: again,
            strength,
            erased,
        };
        Some((header, report))
    }

    /// The proofs an entry speaks of are the ones its signed header binds, and the ones shown.
    fn bound(&mut self, header: &Header, proofs: &[ProofRef], at: &str) {
        let shown: BTreeSet<_> = self.bundle.proofs.iter().map(|p| p.hash).collect();
        for proof in proofs {
            let bound = header.blobs.contains(&proof.hash);
            self.expect(
                Check::Proofs,
                bound,
                format!("{at} speaks of a proof it does not bind"),
            );
            if !shown.contains(&proof.hash) {
                let what = format!("{at}: a {} is not in this file", proof.kind.en());
                self.note(Check::Proofs, Verdict::Open, what);
            }
        }
    }

    /// Checks the way from an entry into the log. Gives when trusted witnesses had seen it, milliseconds.
    fn in_log(
        &mut self,
        bundled: &BundledEntry,
        hash: Hash32,
        hub: &VerifyingKey,
        at: &str,
    ) -> Option<i64> {
        let Some(text) = &bundled.log_proof else {
            self.note(Check::Log, Verdict::Open, format!("{at} has no log proof"));
            return None;
        };
        let checked =
            follow(bundled, hash).and_then(|leaf| log_checkpoint(text, leaf, self.bundle, hub));
        let Some((proof, checkpoint)) = checked else {
            self.note(
                Check::Log,
                Verdict::Broken,
                format!("{at}: its log proof fails"),
            );
            return None;
        };
        self.note(
            Check::Log,
            Verdict::Proven,
            format!("{} entries", checkpoint.size),
        );
        let mut first: Option<i64> = None;
        for witness in &self.trust.witnesses {
            if let Ok(time_s) = cosigned_at(&proof.checkpoint, witness) {
                let at_ms = i64::try_from(time_s)
                    .unwrap_or(i64::MAX)
                    .saturating_mul(1_000);
                first = first.into_iter().chain([at_ms]).min();
                self.note(Check::Witnesses, Verdict::Proven, witness.name.clone());
            }
        }
        if first.is_none() {
            let why = if self.trust.witnesses.is_empty() {
                "you named none"
            } else {
                "none of those you named"
            };
            self.note(Check::Witnesses, Verdict::Open, why);
        }
        first
    }
}

/// The leaf that the log proof is about: the entry, or one that follows it link by link.
fn follow(bundled: &BundledEntry, hash: Hash32) -> Option<Hash32> {
    let mut last = hash;
    for later in &bundled.later {
        let header = Header::decode(&later.0).ok()?;
        (header.prev == last).then_some(())?;
        last = header_hash(&later.0);
    }
    Some(last)
}

fn log_checkpoint(
    text: &str,
    leaf: Hash32,
    bundle: &Bundle,
    hub: &VerifyingKey,
) -> Option<(TlogProof, Checkpoint)> {
    let proof: TlogProof = text.parse().ok()?;
    let claimed = Checkpoint::parse(&proof.checkpoint.text).ok()?;
    let authority = bundle.hub_url.split_once("://")?.1;
    claimed
        .origin
        .starts_with(&format!("{authority}/log/"))
        .then_some(())?;
    let checkpoint = proof.verify(leaf, &log_vkey(&claimed.origin, hub)).ok()?;
    Some((proof, checkpoint))
}

/// When the hub first said that it holds this entry.
fn first_named(words: &[Word], device: DeviceId, hash: Hash32) -> Option<i64> {
    let naming = words
        .iter()
        .filter(|w| w.receipt.device == device && w.receipt.entries.iter().any(|e| e.hash == hash));
    naming.map(|w| w.receipt.received_at_ms).min()
}

fn rests_on(body: &AttemptBody, interval: Interval, rated: bool) -> Strength {
    let of = |kind: ProofKind| body.proofs.iter().filter(move |p| p.kind == kind);
    if rated {
        return Strength::E3;
    }
    let taken_there = of(ProofKind::Photo).any(|p| p.origin == Some(PhotoOrigin::Camera));
    let placed = body.fix.as_ref().is_some_and(|fix| !fix.mock);
    let timed = interval.not_before_ms.is_some() && interval.not_after_ms.is_some();
    let coded = body.code == Some(CodeResult::Verified);
    if timed && (coded || taken_there && placed) {
        Strength::E2
    } else if of(ProofKind::Photo)
        .chain(of(ProofKind::Signature))
        .next()
        .is_some()
    {
        Strength::E1
    } else {
        Strength::E0
    }
}
