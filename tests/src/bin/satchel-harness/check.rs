//! What must hold after anything happened to a phone's process: nothing it called durable is lost, its store
//! is whole, its chain is whole, and it goes on as if nothing had been.

use std::path::Path;
use std::sync::Arc;

use ed25519_dalek::{SigningKey, VerifyingKey};
use satchel_core::clock::ManualClock;
use satchel_core::rescue::{rescue, sealed_key_file};
use satchel_core::rules::lease::Lock;
use satchel_core::{Error, StoreError, remove_store};
use satchel_protocol::crypto::Secret32;
use satchel_protocol::device_keys::KeyChain;
use satchel_protocol::enrol::SignedCertificate;
use satchel_protocol::entry::{EntryKind, Header, SignedEntry};
use satchel_protocol::escrow::{EscrowFile, RecoveryKey};
use satchel_protocol::ids::{Hash32, Salt, Sig64};
use satchel_tests::day::MORNING_MS;
use satchel_tests::hardware::Hardware;
use satchel_tests::phone::{Phone, SyncEnd, unlock};
use satchel_tests::seed::SeededEntropy;
use satchel_tests::toy_hub::ToyHub;

use crate::bench::fresh_seed;
use crate::worker::{Case, KEY_DESTROYED};

/// What is wrong.
pub(crate) type Violation = String;

/// Looks at the store in `dir/phone` as bare tables, then opens it as an app does and syncs it. `at_least`
/// entries must be in its log.
pub(crate) fn check(dir: &Path, hub: &ToyHub, at_least: u64) -> Result<(), Violation> {
    let mut phone = Phone::closed_at(
        dir,
        fresh_seed(),
        Arc::new(ManualClock::new(MORNING_MS + 120_000, 480)),
    );
    if dir.join(KEY_DESTROYED).exists() {
        // Nobody can read it any more; the host finishes what was begun.
        return wiped(dir);
    }
    rescues(dir)?;
    if let Err(Error::Store(StoreError::WrongKey)) = phone.open() {
        phone.key = Case::NEW_KEY;
    }
    phone.kill();
    phone.open().map_err(|e| format!("does not open: {e:?}"))?;
    phone.kill();
    let hub_key = hub.signing_key().verifying_key();
    let found = tables(&dir.join("phone"), &phone.key, &hub_key)?;
    if found.entries < at_least {
        return Err(format!(
            "{} entries of {at_least} acknowledged",
            found.entries
        ));
    }
    phone
        .open()
        .map_err(|e| format!("does not open again: {e:?}"))?;
    let parts = std::fs::read_dir(dir.join("phone/blobs")).map_err(|e| e.to_string())?;
    for part in parts.flatten() {
        if part.file_name().to_string_lossy().starts_with(".part-") {
            return Err("a half file was not swept".into());
        }
    }
    if phone.core().lock() == Some(Lock::WipeOrdered) {
        Hardware::new(1)
            .work(phone.core())
            .map_err(|e| format!("does not wipe: {e:?}"))?;
        return wiped(dir);
    }
    if found.entries == 0 {
        // Not enrolled yet, or not for certain: there is nothing to send.
        return Ok(());
    }
    let device = phone.device();
    // A change of keys that was cut off is finished by whoever asks what the hardware has to do.
    let hardware = Hardware::new(1).work(phone.core());
    hardware.map_err(|e| format!("the hardware's key: {e:?}"))?;
    if phone.sync(hub) != SyncEnd::Done {
        return Err("does not sync".into());
    }
    let log = hub.log(device);
    if (log.len() as u64) < found.entries {
        return Err(format!("{} of {} entries sent", log.len(), found.entries));
    }
    for (header, _) in &log {
        if let Some(lost) = header.blobs.iter().find(|hash| !hub.has_blob(**hash)) {
            return Err(format!("proof {lost} of entry {} is lost", header.seq));
        }
    }
    Ok(())
}

/// Nothing of the store is left, whoever has to finish that.
fn wiped(dir: &Path) -> Result<(), Violation> {
    remove_store(&dir.join("phone")).map_err(|e| format!("does not go away: {e:?}"))?;
    let left: Vec<_> = std::fs::read_dir(dir.join("phone"))
        .map_err(|e| e.to_string())?
        .flatten()
        .map(|file| file.file_name())
        .collect();
    match left.is_empty() {
        true => Ok(()),
        false => Err(format!("left after a wipe: {left:?}")),
    }
}

/// Where a sealed key lies, it is the one that the store has at this very moment: what was recorded can be had
/// without the phone's.
fn rescues(dir: &Path) -> Result<(), Violation> {
    let store = dir.join("phone");
    if !sealed_key_file(&store).exists() {
        return Ok(());
    }
    let recovery = RecoveryKey::new(Secret32::new(Case::RECOVERY));
    let entropy = SeededEntropy::new(fresh_seed());
    let out = dir.join("rescued");
    let report = rescue(&store, &recovery, &EscrowFile::default(), &entropy, &out)
        .map_err(|e| format!("cannot be rescued: {e:?}"))?;
    match report.lost_entries + report.lost_proofs {
        0 => Ok(()),
        lost => Err(format!("{lost} are not in the rescue")),
    }
}

struct Found {
    entries: u64,
}

/// Pages, references, chain, signatures, and that nothing is marked as received that is behind a gap.
fn tables(dir: &Path, key: &[u8; 32], hub: &VerifyingKey) -> Result<Found, Violation> {
    let sql = |e: rusqlite::Error| format!("sql: {e}");
    let conn = rusqlite::Connection::open(dir.join("satchel.db")).map_err(sql)?;
    conn.execute_batch(&unlock(key)).map_err(sql)?;
    // A page whose MAC does not fit cannot be read, so the first of them looks at those too.
    for pragma in ["integrity_check", "foreign_key_check"] {
        let mut stmt = conn.prepare(&format!("PRAGMA {pragma}")).map_err(sql)?;
        let mut rows = stmt.query([]).map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let said: String = row.get(0).unwrap_or_default();
            if said != "ok" {
                return Err(format!("{pragma}: {said}"));
            }
        }
    }
    let (secret, certificate): (Option<Vec<u8>>, Option<Vec<u8>>) = conn
        .query_row("SELECT log_key, certificate FROM phone", [], |r| {
            Ok((r.get(0)?, r.get(1)?))
        })
        .map_err(sql)?;
    let secret = secret.and_then(|bytes| Some(SigningKey::from_bytes(&bytes.try_into().ok()?)));
    let certificate = certificate.and_then(|c| SignedCertificate::verify(&c, hub).ok());
    let mut keys = certificate.and_then(|c| KeyChain::of(&c));
    let mut stmt = conn
        .prepare("SELECT seq, hash, header, sig, salt, body FROM entry ORDER BY seq")
        .map_err(sql)?;
    let mut rows = stmt.query([]).map_err(sql)?;
    let (mut seq, mut prev) = (0_i64, Hash32::ZERO);
    while let Some(row) = rows.next().map_err(sql)? {
        let entry = read(row)
            .map_err(sql)?
            .ok_or("a row of the log has no form")?;
        let header = Header::decode(&entry.header).map_err(|e| e.to_string())?;
        seq += 1;
        if header.seq != seq || header.prev != prev {
            return Err(format!("entry {seq} is out of its chain"));
        }
        let keys = keys.as_mut().ok_or("a log without a certificate")?;
        if keys.verify(&entry).is_err() {
            return Err(format!("entry {seq} does not verify"));
        }
        if header.kind == EntryKind::KEY_ROTATED {
            keys.rotate(&entry)
                .map_err(|e| format!("entry {seq}: {e}"))?;
        }
        prev = entry.hash();
    }
    let signs_next = secret.map(|s| s.verifying_key());
    if keys.is_some_and(|k| k.key_at(seq + 1) != signs_next.as_ref()) {
        return Err("the key that signs next is not the one the log names".into());
    }
    Ok(Found {
        entries: seq.unsigned_abs(),
    })
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<SignedEntry>> {
    let sig: Vec<u8> = row.get("sig")?;
    let salt: Option<Vec<u8>> = row.get("salt")?;
    let Ok(sig) = Sig64::try_from(sig.as_slice()) else {
        return Ok(None);
    };
    let Ok(salt) = salt.map(|s| Salt::try_from(s.as_slice())).transpose() else {
        return Ok(None);
    };
    Ok(Some(SignedEntry {
        header: row.get("header")?,
        sig,
        salt,
        body: row.get("body")?,
    }))
}
