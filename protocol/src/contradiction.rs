//! Proof that somebody contradicted himself, as a file that anybody can check with nothing else at hand.
//!
//! A device that signed two entries for one place of its log has two histories (threat 7: a restored backup,
//! a second phone with the same key). A hub that signed two different trees of one size has two pasts
//! (threat 23). Both signatures side by side are the proof, and no personal data is needed for it: entries
//! are shown without their content. The file is text, drawn from the evidence in it; the check draws it again.

use core::fmt;

use data_encoding::BASE64;
use ed25519_dalek::VerifyingKey;
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::bundle::Trust;
use crate::codec::{self, FormatError};
use crate::device_keys::KeyChain;
use crate::enrol::SignedCertificate;
use crate::entry::{Header, SignedEntry};
use crate::ids::Hash32;
use crate::tlog::{Checkpoint, Note, log_vkey, verify_consistency};

const OPEN: &str = "-----BEGIN SATCHEL CONTRADICTION-----\n";
const CLOSE: &str = "-----END SATCHEL CONTRADICTION-----\n";
const LINE_CHARS: usize = 76;
/// Largest file that is read.
pub const MAX_CONTRADICTION_BYTES: usize = 256 * 1_024;

/// What somebody signed twice.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Contradiction {
    /// One device, two histories.
    #[n(0)]
    Device(#[n(0)] Box<DeviceFork>),
    /// One hub, two pasts.
    #[n(1)]
    Hub(#[n(0)] HubFork),
}

/// Two entries of one device that cannot both follow from one history.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeviceFork {
    /// Whose certificate it is.
    #[n(0)]
    pub hub_key: Hash32,
    /// The hub's certificate of the device's key, as issued.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub certificate: Vec<u8>,
    /// One entry.
    #[n(2)]
    pub first: SignedEntry,
    /// Another for the same place, or one that follows another than the first.
    #[n(3)]
    pub second: SignedEntry,
    /// The changes of the device's key before these entries, in their order; none where there were none.
    #[n(4)]
    pub rotations: Option<Vec<SignedEntry>>,
}

/// Two checkpoints of one log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HubFork {
    /// The hub's address.
    #[n(0)]
    pub hub_url: String,
    /// Its key.
    #[n(1)]
    pub hub_key: Hash32,
    /// The checkpoint it showed first.
    #[n(2)]
    pub before: String,
    /// The one it showed later.
    #[n(3)]
    pub after: String,
    /// What it gave as proof that the second grew out of the first.
    #[n(4)]
    pub consistency: Vec<Hash32>,
}

/// Why a file is no proof of a contradiction.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ContradictionError {
    /// There is none in it.
    #[error("the file has no contradiction in it")]
    None,
    /// What is in it does not have its form.
    #[error(transparent)]
    Format(#[from] FormatError),
}

/// How far the file proves what it claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Whoever holds the key signed both, and both cannot be true.
    Proven,
    /// Signed by the hub; whether both can be true only the hub could show, and what it gave does not.
    Owed,
    /// It proves nothing.
    Nothing(&'static str),
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The answer.
    pub outcome: Outcome,
    /// The hub's key is the one the reader named.
    pub hub_named: bool,
    /// What was signed twice, in words.
    pub what: String,
}

/// The file.
#[must_use]
pub fn pack(contradiction: &Contradiction) -> String {
    let text = BASE64.encode(&codec::encode(contradiction));
    let mut out = format!("{}\n{OPEN}", words(contradiction));
    for line in text.as_bytes().chunks(LINE_CHARS) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out.push_str(CLOSE);
    out
}

/// What is in a file. Nothing of it is checked but its form.
///
/// # Errors
/// [`ContradictionError`].
pub fn unpack(file: &str) -> Result<Contradiction, ContradictionError> {
    if file.len() > MAX_CONTRADICTION_BYTES {
        return Err(ContradictionError::None);
    }
    let (_, rest) = file.split_once(OPEN).ok_or(ContradictionError::None)?;
    let (text, _) = rest.split_once(CLOSE).ok_or(ContradictionError::None)?;
    let text: String = text.split_ascii_whitespace().collect();
    let bytes = BASE64
        .decode(text.as_bytes())
        .map_err(|_| ContradictionError::None)?;
    Ok(codec::decode(
        "contradiction",
        &bytes,
        MAX_CONTRADICTION_BYTES,
    )?)
}

/// Checks a file.
///
/// # Errors
/// [`ContradictionError`] when there is no contradiction in it.
pub fn verify(file: &str, trust: &Trust) -> Result<Finding, ContradictionError> {
    let contradiction = unpack(file)?;
    let (hub_key, outcome) = match &contradiction {
        Contradiction::Device(fork) => (fork.hub_key, device(fork)),
        Contradiction::Hub(fork) => (fork.hub_key, hub(fork)),
    };
    let outcome = if pack(&contradiction) == file {
        outcome
    } else {
        Outcome::Nothing("the text differs from what is in the file")
    };
    Ok(Finding {
        outcome,
        hub_named: trust.hub == Some(hub_key),
        what: words(&contradiction),
    })
}

impl DeviceFork {
    /// The proof, without anybody's content; `None` where the two entries can follow from one history.
    #[must_use]
    pub fn of(
        hub_key: Hash32,
        certificate: Vec<u8>,
        first: &SignedEntry,
        second: &SignedEntry,
    ) -> Option<Self> {
        let bare = |entry: &SignedEntry| SignedEntry {
            salt: None,
            body: None,
            ..entry.clone()
        };
        let (a, b) = (
            Header::decode(&first.header).ok()?,
            Header::decode(&second.header).ok()?,
        );
        apart(&a, first.hash(), &b, second.hash()).then(|| Self {
            hub_key,
            certificate,
            first: bare(first),
            second: bare(second),
            rotations: None,
        })
    }

    /// Adds the changes of the device's key before the two entries.
    #[must_use]
    pub fn after_rotations(mut self, rotations: Vec<SignedEntry>) -> Self {
        self.rotations = (!rotations.is_empty()).then_some(rotations);
        self
    }
}

/// Two entries of one place, or one that names another predecessor than the entry before it.
fn apart(a: &Header, a_hash: Hash32, b: &Header, b_hash: Hash32) -> bool {
    let same_place = a.seq == b.seq && a_hash != b_hash;
    let other_past = b.seq == a.seq.saturating_add(1) && b.prev != a_hash;
    a.device == b.device && (same_place || other_past)
}

fn device(fork: &DeviceFork) -> Outcome {
    let Ok(hub) = VerifyingKey::from_bytes(&fork.hub_key.0) else {
        return Outcome::Nothing("the hub's key is none");
    };
    let Ok(certificate) = SignedCertificate::verify(&fork.certificate, &hub) else {
        return Outcome::Nothing("the certificate is not this hub's");
    };
    let Some(mut chain) = KeyChain::of(&certificate) else {
        return Outcome::Nothing("the device's key is none");
    };
    for rotation in fork.rotations.iter().flatten() {
        if chain.rotate(rotation).is_err() {
            return Outcome::Nothing("a change of the device's key does not hold");
        }
    }
    match (chain.verify(&fork.first), chain.verify(&fork.second)) {
        (Ok(a), Ok(b)) if a.device == certificate.device => {
            if apart(&a, fork.first.hash(), &b, fork.second.hash()) {
                Outcome::Proven
            } else {
                Outcome::Nothing("both entries fit into one history")
            }
        }
        (Ok(_), Ok(_)) => Outcome::Nothing("the entries are another device's"),
        _ => Outcome::Nothing("an entry is not signed by this device"),
    }
}

fn hub(fork: &HubFork) -> Outcome {
    let Ok(key) = VerifyingKey::from_bytes(&fork.hub_key.0) else {
        return Outcome::Nothing("the hub's key is none");
    };
    let read = |text: &str| {
        let note = Note::parse(text).ok()?;
        let claimed = Checkpoint::parse(&note.text).ok()?;
        Checkpoint::open(&note, &log_vkey(&claimed.origin, &key)).ok()
    };
    let (Some(before), Some(after)) = (read(&fork.before), read(&fork.after)) else {
        return Outcome::Nothing("a checkpoint is not signed by this hub");
    };
    if before.origin != after.origin {
        return Outcome::Nothing("the checkpoints are of different logs");
    }
    if before.size == after.size {
        return match before.root == after.root {
            true => Outcome::Nothing("the checkpoints are the same"),
            false => Outcome::Proven,
        };
    }
    let grown = verify_consistency(
        before.size,
        after.size,
        &fork.consistency,
        before.root,
        after.root,
    );
    match (before.size, grown) {
        (0, _) | (_, Ok(())) => Outcome::Nothing("the second checkpoint grew out of the first"),
        _ => Outcome::Owed,
    }
}

fn words(contradiction: &Contradiction) -> String {
    match contradiction {
        Contradiction::Device(fork) => {
            let at = |entry: &SignedEntry| match Header::decode(&entry.header) {
                Ok(header) => format!(
                    "entry {} of device {}: {}, after {}",
                    header.seq,
                    header.device,
                    entry.hash(),
                    header.prev
                ),
                Err(_) => "an entry that is none".to_owned(),
            };
            format!(
                "Two histories of one device, each signed with its key.\n\
                 同一设备签署了两份互相矛盾的记录。\n\n{}\n{}\n\nhub key {}\n",
                at(&fork.first),
                at(&fork.second),
                fork.hub_key
            )
        }
        Contradiction::Hub(fork) => format!(
            "Two pasts of one hub's log, each signed with its key.\n\
             同一服务器为同一日志签署了两个互相矛盾的版本。\n\n{}\n{}\n{}\nhub key {}\n",
            fork.hub_url,
            indented(&fork.before),
            indented(&fork.after),
            fork.hub_key
        ),
    }
}

/// A note inside of another text; its own lines cannot be taken for the frame.
fn indented(note: &str) -> String {
    note.lines().map(|line| format!("    {line}\n")).collect()
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        if !self.hub_named {
            writeln!(
                f,
                "open    whose key this is: compare it with one you have from elsewhere"
            )?;
        }
        match self.outcome {
            Outcome::Proven => writeln!(f, "PROVEN  both are signed, and both cannot be true"),
            Outcome::Owed => writeln!(
                f,
                "open    both are signed by the hub; it owes a proof that one grew out of the other, \
                 and what it gave is none"
            ),
            Outcome::Nothing(why) => writeln!(f, "NOTHING {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrol::Certificate;
    use crate::entry::{ALG_ED25519_SHA256, ENTRY_VERSION, EntryKind};
    use crate::ids::{BootId, CourierId, DeviceId, Salt};
    use crate::tlog::{Tiles, consistency_proof, log_origin, root};
    use ed25519_dalek::SigningKey;
    use uuid::Uuid;

    const URL: &str = "https://hub.example";

    fn hub_key() -> SigningKey {
        SigningKey::from_bytes(&[1; 32])
    }

    fn entry(key: &SigningKey, seq: i64, prev: Hash32, body: &[u8]) -> SignedEntry {
        let header = Header {
            version: ENTRY_VERSION,
            alg: ALG_ED25519_SHA256,
            device: DeviceId(Uuid::from_u128(7)),
            seq,
            prev,
            kind: EntryKind::ATTEMPT,
            occurred_at_ms: 1,
            boot_id: BootId([3; 16]),
            boottime_ns: 42,
            utc_offset_min: 480,
            anchor: None,
            handle: None,
            commitment: Hash32::ZERO,
            blobs: vec![],
        };
        SignedEntry::seal(header, Salt([1; 32]), body.to_vec(), key)
    }

    fn certificate(key: &SigningKey) -> Vec<u8> {
        Certificate {
            version: 1,
            device: DeviceId(Uuid::from_u128(7)),
            log_key: Hash32(key.verifying_key().to_bytes()),
            courier: CourierId(Uuid::from_u128(4)),
            issued_at_ms: 5,
            hardware_key: None,
        }
        .sign(&hub_key())
        .encode()
    }

    fn fork(a: &SignedEntry, b: &SignedEntry, key: &SigningKey) -> Option<DeviceFork> {
        let hub = Hash32(hub_key().verifying_key().to_bytes());
        DeviceFork::of(hub, certificate(key), a, b)
    }

    fn found(file: &str) -> Outcome {
        verify(file, &Trust::default()).unwrap().outcome
    }

    #[test]
    fn two_entries_of_one_place_prove_a_fork_and_honest_ones_none() {
        let key = SigningKey::from_bytes(&[2; 32]);
        let first = entry(&key, 1, Hash32::ZERO, b"delivered");
        let other = entry(&key, 1, Hash32::ZERO, b"failed");
        let next = entry(&key, 2, first.hash(), b"");
        let wrong_next = entry(&key, 2, other.hash(), b"");
        assert_eq!(fork(&first, &first, &key), None);
        assert_eq!(fork(&first, &next, &key), None);
        for second in [&other, &wrong_next] {
            let proof = fork(&first, second, &key).unwrap();
            assert!(proof.first.body.is_none() && proof.second.salt.is_none());
            let file = pack(&Contradiction::Device(Box::new(proof)));
            assert!(!file.contains("delivered"));
            assert_eq!(found(&file), Outcome::Proven);
            // Whoever touches it proves nothing any more.
            let touched = file.replace("entry 1", "entry 3");
            assert!(matches!(found(&touched), Outcome::Nothing(_)));
        }
        // Somebody else's signature under the device's certificate.
        let stranger = SigningKey::from_bytes(&[9; 32]);
        let forged = entry(&stranger, 1, Hash32::ZERO, b"x");
        let hub = Hash32(hub_key().verifying_key().to_bytes());
        let proof = DeviceFork::of(hub, certificate(&key), &first, &forged).unwrap();
        let file = pack(&Contradiction::Device(Box::new(proof)));
        assert!(matches!(found(&file), Outcome::Nothing(_)));
    }

    #[test]
    fn two_trees_of_one_size_prove_a_hub_s_fork_and_growth_proves_none() {
        let leaves: Vec<Hash32> = (0..9).map(|n| Hash32([n; 32])).collect();
        let mut rewritten = leaves.clone();
        rewritten[2] = Hash32([0xEE; 32]);
        let grown = |leaves: &[Hash32]| {
            let mut tiles = Tiles::default();
            for (at, leaf) in (0..).zip(leaves) {
                tiles.push(at, *leaf).unwrap();
            }
            tiles
        };
        let note = |leaves: &[Hash32]| {
            let size = leaves.len() as u64;
            Checkpoint {
                origin: log_origin(URL, 1),
                size,
                root: root(&grown(leaves), size).unwrap(),
            }
            .sign(&hub_key())
            .to_string()
        };
        let file = |before: &[Hash32], after: &[Hash32], consistency: Vec<Hash32>| {
            pack(&Contradiction::Hub(HubFork {
                hub_url: URL.into(),
                hub_key: Hash32(hub_key().verifying_key().to_bytes()),
                before: note(before),
                after: note(after),
                consistency,
            }))
        };
        assert_eq!(found(&file(&leaves, &rewritten, vec![])), Outcome::Proven);
        let honest = consistency_proof(&grown(&leaves), 5, 9).unwrap();
        assert!(matches!(
            found(&file(&leaves[..5], &leaves, honest.clone())),
            Outcome::Nothing(_)
        ));
        assert_eq!(
            found(&file(&leaves[..5], &rewritten, honest)),
            Outcome::Owed
        );
        let trust = Trust {
            hub: Some(Hash32(hub_key().verifying_key().to_bytes())),
            ..Trust::default()
        };
        let finding = verify(&file(&leaves, &rewritten, vec![]), &trust).unwrap();
        assert!(finding.hub_named && finding.to_string().contains("PROVEN"));
        assert_eq!(unpack("nothing"), Err(ContradictionError::None));
    }
}
