//! Ten ways to cheat with the record, each tried at random places many times: every one is noticed and
//! called by its name, and honest phones are never accused.
//!
//! `SATCHEL_TAMPERINGS=1000` and `SATCHEL_HONEST=10000` run the long form.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

mod common;

use std::str::FromStr;

use common::{Answer, Bench, HOUR_MS, NOW_MS, PUBLIC_URL, Phone, inline};
use ed25519_dalek::SigningKey;
use satchel_hub::ParcelRef;
use satchel_protocol::api::ErrorCode;
use satchel_protocol::batch::Batch;
use satchel_protocol::bundle::{self, Check, Trust, Verdict};
use satchel_protocol::contradiction::{self, Outcome};
use satchel_protocol::crypto;
use satchel_protocol::entry::{ALG_ED25519_SHA256, ENTRY_VERSION, EntryKind, Header, SignedEntry};
use satchel_protocol::ids::{BootId, DeviceId, Hash32, Salt};
use satchel_protocol::receipt::{ReceiptError, SignedReceipt};
use satchel_protocol::taxonomy::ProofKind;
use satchel_protocol::tlog::{
    Checkpoint, Tiles, TreeAnswer, TreeFault, TreeHead, consistency_proof, inclusion_proof,
    log_origin, root,
};
use uuid::Uuid;

fn runs(name: &str, short: usize) -> usize {
    std::env::var(name).map_or(short, |n| usize::from_str(&n).unwrap())
}

fn tamperings() -> usize {
    runs("SATCHEL_TAMPERINGS", 50)
}

/// Enough randomness for choosing places; the same in every run.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let hash = crypto::sha256(&[&self.0.to_le_bytes()]);
        u64::from_le_bytes(hash.0[..8].try_into().unwrap())
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }
}

/// A phone that keeps its whole log, so that it can be cheated with.
struct Cheat {
    phone: Phone,
    log: Vec<SignedEntry>,
    anchor: Option<Hash32>,
}

impl Cheat {
    async fn new(bench: &Bench, n: u64) -> Self {
        let mut phone = Phone::new(1);
        let seed = crypto::sha256(&[b"cheat", &n.to_le_bytes()]).0;
        phone.device = DeviceId(Uuid::from_u64_pair(0x77, n));
        phone.key = SigningKey::from_bytes(&seed);
        let invite = bench.hub.invite("王强").await.unwrap();
        assert_eq!(phone.enrol(bench, &invite).await.status, 200);
        Self {
            phone,
            log: Vec::new(),
            anchor: None,
        }
    }

    fn signed(&self, seq: i64, prev: Hash32, at_ms: i64, body: Vec<u8>) -> SignedEntry {
        let header = Header {
            version: ENTRY_VERSION,
            alg: ALG_ED25519_SHA256,
            device: self.phone.device,
            seq,
            prev,
            // A kind of a later build: it means nothing to this hub, so only the log is looked at.
            kind: EntryKind(0x3f),
            occurred_at_ms: at_ms,
            boot_id: BootId([3; 16]),
            boottime_ns: seq,
            utc_offset_min: 480,
            anchor: self.anchor,
            handle: None,
            commitment: Hash32::ZERO,
            blobs: vec![],
        };
        SignedEntry::seal(header, Salt([9; 32]), body, &self.phone.key)
    }

    fn head(&self, len: usize) -> Hash32 {
        self.log[..len]
            .last()
            .map_or(Hash32::ZERO, SignedEntry::hash)
    }

    /// Appends `n` honest entries.
    fn record(&mut self, n: usize) {
        for _ in 0..n {
            let seq = self.log.len() as i64 + 1;
            let prev = self.head(self.log.len());
            let at_ms = NOW_MS - HOUR_MS + seq * 1_000;
            let at_ms = at_ms.max(NOW_MS);
            self.log
                .push(self.signed(seq, prev, at_ms, format!("entry {seq}").into_bytes()));
        }
    }

    async fn push(&mut self, bench: &Bench, entries: &[SignedEntry]) -> Answer {
        self.phone.push_entries(bench, entries).await
    }

    /// Pushes the log from `from`, which the hub must take.
    async fn sync(&mut self, bench: &Bench, from: usize) {
        let entries = self.log[from..].to_vec();
        let answer = self.push(bench, &entries).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.anchor = Some(SignedReceipt::decode(&answer.body).unwrap().anchor());
    }

    /// The hub proves to strangers that this device has two histories.
    async fn fork_is_proven(&self, bench: &Bench) {
        let files = bench.hub.fork_proofs(self.phone.device).await.unwrap();
        assert!(!files.is_empty(), "no proof of the fork");
        for file in files {
            let finding = contradiction::verify(&file, &trust(bench)).unwrap();
            assert!(finding.hub_named);
            assert_eq!(finding.outcome, Outcome::Proven, "{finding}");
        }
    }
}

fn trust(bench: &Bench) -> Trust {
    Trust {
        hub: Some(Hash32(bench.hub.public_key().to_bytes())),
        ..Trust::default()
    }
}

async fn alarms(bench: &Bench, kind: &str) -> usize {
    let page = bench.board("/board/alarms").await;
    page.matches(kind).count()
}

#[tokio::test]
async fn an_edited_dropped_or_swapped_entry_is_refused_by_its_name() {
    let bench = Bench::new().await;
    for n in 0..tamperings() as u64 {
        let mut dice = Dice::new(n);
        // Edited by somebody without the key: one bit, anywhere.
        let mut cheat = Cheat::new(&bench, 3 * n).await;
        let count = 2 + dice.below(6);
        cheat.record(count);
        let mut entries = cheat.log.clone();
        let at = dice.below(count);
        flip(&mut entries[at], &mut dice);
        let answer = cheat.push(&bench, &entries).await;
        named(&bench, &cheat, &answer, at as i64 + 1, n);
        // Dropped: what follows has no predecessor.
        let mut cheat = Cheat::new(&bench, 3 * n + 1).await;
        cheat.record(count + 1);
        let mut entries = cheat.log.clone();
        entries.remove(dice.below(count));
        let refused = cheat.push(&bench, &entries).await.refused(409);
        assert_eq!(refused, ErrorCode::LogGap, "{n}");
        // Two of them in another order.
        let mut cheat = Cheat::new(&bench, 3 * n + 2).await;
        cheat.record(count + 1);
        let mut entries = cheat.log.clone();
        let at = dice.below(count);
        entries.swap(at, at + 1);
        let refused = cheat.push(&bench, &entries).await.refused(409);
        assert!(
            matches!(refused, ErrorCode::LogGap | ErrorCode::LogFork),
            "{n}: {refused:?}"
        );
    }
}

/// The hub said which entry it did not take: its receipt leaves that place open, or it refused the batch.
fn named(bench: &Bench, cheat: &Cheat, answer: &Answer, seq: i64, n: u64) {
    if answer.status != 200 {
        let refused = answer.error().error;
        // A flipped number is a place that is missing, or one that is taken.
        let named = matches!(
            refused,
            ErrorCode::BadEntry | ErrorCode::Malformed | ErrorCode::LogGap | ErrorCode::LogFork
        );
        assert!(named, "{n}: {refused:?}");
        return;
    }
    let receipt = answer.receipt(bench, &cheat.phone);
    let open = receipt.wedged.unwrap_or_default();
    assert!(open.iter().any(|w| w.seq == seq), "{n}: {open:?}");
    assert!(receipt.entries.iter().all(|e| e.seq != seq), "{n}");
}

/// Changes one bit of what is hashed or signed.
fn flip(entry: &mut SignedEntry, dice: &mut Dice) {
    let mask = 1u8 << dice.below(8);
    match dice.below(4) {
        0 => {
            let at = dice.below(entry.header.len());
            entry.header[at] ^= mask;
        }
        1 => entry.sig.0[dice.below(64)] ^= mask,
        2 => entry.salt.as_mut().unwrap().0[dice.below(32)] ^= mask,
        _ => {
            let body = entry.body.as_mut().unwrap();
            let at = dice.below(body.len());
            body[at] ^= mask;
        }
    }
}

#[tokio::test]
async fn a_rewritten_restored_or_cloned_log_is_a_fork_with_a_proof() {
    let bench = Bench::new().await;
    for n in 0..tamperings() as u64 {
        let mut dice = Dice::new(1_000_000 + n);
        let (before, after) = (1 + dice.below(6), 1 + dice.below(6));
        // The courier has the key: he rewrites what the hub has already, and signs everything anew.
        let mut edit = Cheat::new(&bench, 10_000_000 + 3 * n).await;
        edit.record(before);
        edit.sync(&bench, 0).await;
        let from = dice.below(before);
        let mut other = edit.log[..from].to_vec();
        for seq in from..before + after {
            let prev = other.last().map_or(Hash32::ZERO, SignedEntry::hash);
            let body = format!("another {seq}").into_bytes();
            other.push(edit.signed(seq as i64 + 1, prev, NOW_MS, body));
        }
        let refused = edit.push(&bench, &other).await.refused(409);
        assert_eq!(refused, ErrorCode::LogFork, "{n}: rewritten");
        edit.fork_is_proven(&bench).await;
        // Yesterday's backup is put back and the day goes on from there.
        let mut restored = Cheat::new(&bench, 10_000_000 + 3 * n + 1).await;
        restored.record(before);
        restored.sync(&bench, 0).await;
        let backup = restored.log.clone();
        restored.record(after);
        restored.sync(&bench, before).await;
        let (prev, seq) = (backup.last().unwrap().hash(), before as i64 + 1);
        let new = restored.signed(seq, prev, NOW_MS + 1, b"after the restore".to_vec());
        let refused = restored.push(&bench, &[new]).await.refused(409);
        assert_eq!(refused, ErrorCode::LogFork, "{n}: restored");
        restored.fork_is_proven(&bench).await;
        // Two phones with one key go on from one place.
        let mut first = Cheat::new(&bench, 10_000_000 + 3 * n + 2).await;
        first.record(before);
        let mut second = Cheat {
            phone: Phone::new(2),
            log: first.log.clone(),
            anchor: None,
        };
        second.phone.device = first.phone.device;
        second.phone.key = first.phone.key.clone();
        first.record(after);
        let (prev, seq) = (second.head(before), before as i64 + 1);
        second
            .log
            .push(second.signed(seq, prev, NOW_MS + 2, b"elsewhere".to_vec()));
        let (early, late) = match dice.below(2) {
            0 => (&mut first, &mut second),
            _ => (&mut second, &mut first),
        };
        early.sync(&bench, 0).await;
        let entries = late.log.clone();
        let refused = late.push(&bench, &entries).await.refused(409);
        assert_eq!(refused, ErrorCode::LogFork, "{n}: cloned");
        late.fork_is_proven(&bench).await;
    }
    assert!(alarms(&bench, "two histories").await > 0);
}

#[tokio::test]
async fn a_tail_that_was_cut_off_is_missed_parcel_by_parcel_with_its_device() {
    let all = tamperings();
    for n in 0..all.div_ceil(10) as u64 {
        let mut dice = Dice::new(2_000_000 + n);
        let count = 11;
        let (bench, mut phone, stops) = Bench::with_round(count).await;
        let entries: Vec<_> = stops.iter().map(|s| phone.delivery(s, &[])).collect();
        // A tail of one to all parcels never reaches the hub.
        let kept = dice.below(count);
        for entry in &entries[..kept] {
            phone
                .push_entries(&bench, std::slice::from_ref(entry))
                .await
                .receipt(&bench, &phone);
        }
        assert_eq!(bench.hub.review_manifest().await.unwrap(), 0, "too early");
        bench.clock.advance(3 * 24 * HOUR_MS);
        assert_eq!(bench.hub.review_manifest().await.unwrap(), count - kept);
        let mut owed = bench.hub.owed().await.unwrap();
        owed.sort();
        let mut cut: Vec<_> = stops[kept..]
            .iter()
            .map(|s| (phone.device, s.parcels[0].parcel_id))
            .collect();
        cut.sort();
        assert_eq!(owed, cut);
        // It is named once, in the evidence too, and goes when the history comes after all.
        assert_eq!(bench.hub.review_manifest().await.unwrap(), 0);
        let file = bench.hub.evidence(&ParcelRef::Id(cut[0].1)).await.unwrap();
        let report = bundle::verify(&file, &trust(&bench)).unwrap();
        assert_eq!(report.verdict(Check::Manifest), Some(Verdict::Open));
        assert!(report.to_string().contains(&phone.device.to_string()));
        let late = phone.push_entries(&bench, &entries[kept..]).await;
        late.receipt(&bench, &phone);
        assert_eq!(bench.hub.owed().await.unwrap(), []);
        let file = bench.hub.evidence(&ParcelRef::Id(cut[0].1)).await.unwrap();
        let report = bundle::verify(&file, &trust(&bench)).unwrap();
        assert_eq!(report.verdict(Check::Manifest), Some(Verdict::Proven));
    }
}

#[tokio::test]
async fn a_time_outside_of_what_others_vouch_for_is_flagged() {
    let bench = Bench::new().await;
    for n in 0..tamperings() as u64 {
        let mut dice = Dice::new(3_000_000 + n);
        let mut cheat = Cheat::new(&bench, 20_000_000 + n).await;
        cheat.record(1 + dice.below(4));
        cheat.sync(&bench, 0).await;
        let before = bench.hub.audit().await.unwrap().open_alarms;
        // An honest one names the receipt and says when it was.
        cheat.record(1);
        let len = cheat.log.len();
        cheat.sync(&bench, len - 1).await;
        assert_eq!(bench.hub.audit().await.unwrap().open_alarms, before);
        // Back before the receipt it names, or ahead of everybody.
        let off_ms = 130_000 + dice.below(200 * 24 * 3_600_000) as i64;
        let at_ms = match dice.below(2) {
            0 => NOW_MS - off_ms,
            _ => NOW_MS + off_ms,
        };
        let (seq, prev) = (len as i64 + 1, cheat.head(len));
        let lie = cheat.signed(seq, prev, at_ms, b"at another time".to_vec());
        let taken = cheat.push(&bench, &[lie]).await;
        assert_eq!(taken.status, 200, "a wrong clock is kept and flagged");
        let after = bench.hub.audit().await.unwrap().open_alarms;
        assert_eq!(after, before + 1, "{n}: {off_ms}");
    }
    assert!(alarms(&bench, "outside of what others vouch for").await > 0);
}

#[tokio::test]
async fn a_swapped_photo_is_refused_on_the_way_and_seen_in_the_evidence() {
    const PHOTO: &[u8] =
        b"\xff\xd8 the photo that was taken at the door, as far as a hub can tell \xff\xd9";
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let entry = phone.delivery(&stops[0], &[(ProofKind::Photo, PHOTO)]);
    let honest = Batch {
        entries: vec![entry],
        blobs: vec![inline(ProofKind::Photo, PHOTO)],
    };
    phone.push(&bench, &honest).await.receipt(&bench, &phone);
    let parcel = ParcelRef::Id(stops[0].parcels[0].parcel_id);
    let file = bench.hub.evidence(&parcel).await.unwrap();
    let (held, photos) = bundle::unpack(&file).unwrap();
    assert!(bundle::verify(&file, &trust(&bench)).unwrap().holds());
    for n in 0..tamperings() as u64 {
        let mut dice = Dice::new(4_000_000 + n);
        let mut other = PHOTO.to_vec();
        let at = dice.below(other.len());
        other[at] ^= 1 << dice.below(8);
        // In a batch, under the name of the right one: other bytes have another name.
        let hash = crypto::sha256(&[PHOTO]);
        let mut swapped = inline(ProofKind::Photo, &other);
        swapped.hash = hash;
        let batch = Batch {
            entries: honest.entries.clone(),
            blobs: vec![swapped],
        };
        let refused = phone.push(&bench, &batch).await;
        assert_eq!(refused.refused(400), ErrorCode::Malformed, "{n}");
        // In the evidence file.
        let mut swapped = photos.clone();
        swapped.insert(hash, other);
        let forged = bundle::pack(&held, &swapped);
        let report = bundle::verify(&forged, &trust(&bench)).unwrap();
        assert_ne!(report.verdict(Check::Proofs), Some(Verdict::Proven), "{n}");
        assert!(!report.holds(), "{n}: {report}");
    }
}

#[tokio::test]
async fn a_forged_receipt_is_nobody_s_word() {
    let bench = Bench::new().await;
    let mut cheat = Cheat::new(&bench, 30_000_000).await;
    cheat.record(5);
    let entries = cheat.log.clone();
    let answer = cheat.push(&bench, &entries).await;
    let good = SignedReceipt::decode(&answer.body).unwrap();
    let (hub, device) = (bench.hub.public_key(), cheat.phone.device);
    let receipt = good.verify(&hub, device).unwrap();
    for n in 0..tamperings() as u64 {
        let mut dice = Dice::new(5_000_000 + n);
        let mut bad = good.clone();
        match dice.below(3) {
            0 => {
                let at = dice.below(bad.bytes.len());
                bad.bytes[at] ^= 1 << dice.below(8);
            }
            1 => bad.sig.0[dice.below(64)] ^= 1 << dice.below(8),
            _ => {
                let seed = crypto::sha256(&[&n.to_le_bytes()]).0;
                bad = receipt.sign(&SigningKey::from_bytes(&seed));
            }
        }
        assert_eq!(
            bad.verify(&hub, device),
            Err(ReceiptError::BadSignature),
            "{n}"
        );
        let stranger = DeviceId(Uuid::from_u64_pair(1, n));
        assert_eq!(good.verify(&hub, stranger), Err(ReceiptError::OtherDevice));
    }
}

#[tokio::test]
async fn a_hub_that_shows_another_past_is_refused_and_its_own_signatures_tell() {
    let hub = SigningKey::from_bytes(&[0x42; 32]);
    for n in 0..tamperings() as u64 {
        let mut dice = Dice::new(6_000_000 + n);
        let (old, new) = (1 + dice.below(40), 1 + dice.below(40));
        let leaves: Vec<Hash32> = (0..old + new)
            .map(|i| crypto::sha256(&[b"leaf", &(n * 1_000 + i as u64).to_le_bytes()]))
            .collect();
        let known = shown(&hub, &leaves[..old], 0);
        let head = known.check(PUBLIC_URL, &hub.verifying_key(), None, None);
        let head: TreeHead = head.unwrap().head;
        // Honest growth first.
        let honest = shown(&hub, &leaves, old as u64);
        let newest = leaves[old + new - 1];
        let believed = honest.check(PUBLIC_URL, &hub.verifying_key(), Some(&head), Some(newest));
        assert!(believed.is_ok(), "{n}: {believed:?}");
        // One leaf of the past is another; a piece is gone; the tree is shorter than it was.
        let mut past = leaves.clone();
        past[dice.below(old)] = Hash32([0xEE; 32]);
        let rewritten = shown(&hub, &past, old as u64);
        let seen = rewritten.check(PUBLIC_URL, &hub.verifying_key(), Some(&head), None);
        assert!(
            matches!(seen, Err(TreeFault::Rewritten(_))),
            "{n}: {seen:?}"
        );
        let lacking = shown(&hub, &leaves[..old + new - 1], old as u64);
        let seen = lacking.check(PUBLIC_URL, &hub.verifying_key(), Some(&head), Some(newest));
        assert!(
            matches!(seen, Err(TreeFault::Missing(_) | TreeFault::Rewritten(_))),
            "{n}: {seen:?}"
        );
        let cut = dice.below(old);
        let shorter = shown(&hub, &leaves[..cut], 0);
        let seen = shorter.check(PUBLIC_URL, &hub.verifying_key(), Some(&head), None);
        assert_eq!(seen.unwrap_err(), TreeFault::Shrunk, "{n}");
        // Two trees of one size prove it to anybody.
        let fork = contradiction::HubFork {
            hub_url: PUBLIC_URL.into(),
            hub_key: Hash32(hub.verifying_key().to_bytes()),
            before: shown(&hub, &leaves, 0).checkpoint,
            after: rewritten.checkpoint,
            consistency: vec![],
        };
        let file = contradiction::pack(&contradiction::Contradiction::Hub(fork));
        let finding = contradiction::verify(&file, &Trust::default()).unwrap();
        assert_eq!(finding.outcome, Outcome::Proven, "{n}");
    }
}

/// A tree as a hub shows it beside a receipt.
fn shown(hub: &SigningKey, leaves: &[Hash32], known: u64) -> TreeAnswer {
    let mut tiles = Tiles::default();
    for (at, leaf) in (0..).zip(leaves) {
        tiles.push(at, *leaf).unwrap();
    }
    let size = leaves.len() as u64;
    let last = size.saturating_sub(1);
    TreeAnswer {
        checkpoint: Checkpoint {
            origin: log_origin(PUBLIC_URL, 1),
            size,
            root: root(&tiles, size).unwrap(),
        }
        .sign(hub)
        .to_string(),
        consistency: consistency_proof(&tiles, known, size).unwrap(),
        head_index: last,
        inclusion: match size {
            0 => vec![],
            _ => inclusion_proof(&tiles, last, size).unwrap(),
        },
    }
}

#[tokio::test]
async fn honest_phones_are_never_accused() {
    let runs = runs("SATCHEL_HONEST", 200);
    let bench = Bench::new().await;
    let (mut head, mut pushed) = (None, 0_usize);
    for n in 0..runs as u64 {
        let mut dice = Dice::new(7_000_000 + n);
        let mut cheat = Cheat::new(&bench, 40_000_000 + n).await;
        for _ in 0..1 + dice.below(3) {
            let from = cheat.log.len();
            cheat.record(1 + dice.below(4));
            // An answer that got lost: some of it is sent again.
            let again = from.saturating_sub(dice.below(3));
            let entries = cheat.log[again..].to_vec();
            let known = head.as_ref().map_or(0, |h: &TreeHead| h.size);
            let path = format!("/v1/log?tree={known}");
            let answer = cheat.phone.push_at(&bench, &path, &entries).await;
            let signed = SignedReceipt::decode(&answer.body).unwrap();
            signed
                .verify(&bench.hub.public_key(), cheat.phone.device)
                .unwrap();
            let tree = signed.tree.as_ref().unwrap();
            let newest = cheat.log.last().unwrap().hash();
            let watched = tree.check(
                PUBLIC_URL,
                &bench.hub.public_key(),
                head.as_ref(),
                Some(newest),
            );
            head = Some(watched.unwrap().head);
            cheat.anchor = Some(signed.anchor());
            pushed += entries.len();
        }
    }
    let audit = bench.hub.audit().await.unwrap();
    assert_eq!((audit.open_alarms, audit.set_aside), (0, 0));
    assert!(audit.devices.iter().all(|d| !d.quarantined));
    println!("{runs} honest runs, {pushed} entries, no alarm");
}
