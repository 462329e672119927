//! What the blob store promises: nothing readable without the key, nothing half written, no
//! change unnoticed.

use tempfile::TempDir;

use super::*;

const KEY: [u8; 32] = [7; 32];
const OTHER_KEY: [u8; 32] = [8; 32];

/// Distinct bytes on every call, as the real source gives.
fn counting() -> impl FnMut(&mut [u8]) {
    let mut next = 0u8;
    move |out: &mut [u8]| {
        for byte in out {
            *byte = next;
            next = next.wrapping_add(1);
        }
    }
}

fn store() -> (TempDir, BlobStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = BlobStore::open(&dir.path().join("proofs")).unwrap();
    (dir, store)
}

fn sample(length: usize) -> Vec<u8> {
    (0..length)
        .map(|i| u8::try_from(i * 31 % 251).unwrap())
        .collect()
}

fn names(store: &BlobStore) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(&store.dir)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn comes_back_at_every_chunk_edge() {
    let (_dir, store) = store();
    let chunk = 1 << 16;
    for length in [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 17] {
        let plain = sample(length);
        let blob = store.put(&KEY, &mut counting(), &plain).unwrap();
        assert_eq!(blob.size_bytes, length as u64);
        assert_eq!(blob.sha256, <[u8; 32]>::from(Sha256::digest(&plain)));
        assert_eq!(
            store.get(&KEY, &blob.sha256).unwrap(),
            plain,
            "{length} bytes"
        );
        let on_disk = fs::metadata(store.dir.join(&blob.file_name)).unwrap().len();
        assert_eq!(on_disk, seal::sealed_bytes(length as u64), "{length} bytes");
    }
}

#[test]
fn nothing_of_the_plain_bytes_is_on_disk() {
    let (_dir, store) = store();
    let plain = b"Zhang San, 12 Harbour Road, ".repeat(100);
    let blob = store.put(&KEY, &mut counting(), &plain).unwrap();
    let sealed = fs::read(store.dir.join(&blob.file_name)).unwrap();
    assert!(!sealed.windows(8).any(|w| w == b"Harbour "));
    assert!(!sealed.windows(8).any(|w| w == &KEY[..8]));
}

#[test]
fn any_changed_byte_is_noticed() {
    let (_dir, store) = store();
    let blob = store.put(&KEY, &mut counting(), &sample(300)).unwrap();
    let path = store.dir.join(&blob.file_name);
    let good = fs::read(&path).unwrap();
    for at in 0..good.len() {
        for flip in [0x01, 0x80] {
            let mut bad = good.clone();
            bad[at] ^= flip;
            fs::write(&path, &bad).unwrap();
            assert_eq!(
                store.get(&KEY, &blob.sha256),
                Err(BlobError::Damaged),
                "byte {at}"
            );
        }
    }
    fs::write(&path, &good).unwrap();
    assert!(
        store.get(&KEY, &blob.sha256).is_ok(),
        "the untouched file still opens"
    );
}

#[test]
fn any_cut_or_added_byte_is_noticed() {
    let (_dir, store) = store();
    let plain = sample((1 << 16) + 40);
    let blob = store.put(&KEY, &mut counting(), &plain).unwrap();
    let path = store.dir.join(&blob.file_name);
    let good = fs::read(&path).unwrap();
    let first_chunk_end = 27 + (1 << 16) + 16;
    for cut in [
        0,
        1,
        8,
        27,
        28,
        1000,
        first_chunk_end - 1,
        first_chunk_end,
        good.len() - 1,
    ] {
        fs::write(&path, &good[..cut]).unwrap();
        assert_eq!(
            store.get(&KEY, &blob.sha256),
            Err(BlobError::Damaged),
            "cut at {cut}"
        );
    }
    fs::write(&path, [good.as_slice(), &[0]].concat()).unwrap();
    assert_eq!(
        store.get(&KEY, &blob.sha256),
        Err(BlobError::Damaged),
        "one byte more"
    );
}

#[test]
fn chunks_cannot_trade_places() {
    let (_dir, store) = store();
    let plain = sample(3 << 16);
    let blob = store.put(&KEY, &mut counting(), &plain).unwrap();
    let path = store.dir.join(&blob.file_name);
    let mut bytes = fs::read(&path).unwrap();
    let sealed_chunk = (1 << 16) + 16;
    let (first, second) = bytes[27..].split_at_mut(sealed_chunk);
    first.swap_with_slice(&mut second[..sealed_chunk]);
    fs::write(&path, &bytes).unwrap();
    assert_eq!(store.get(&KEY, &blob.sha256), Err(BlobError::Damaged));
}

#[test]
fn another_key_opens_nothing() {
    let (_dir, store) = store();
    let blob = store.put(&KEY, &mut counting(), &sample(100)).unwrap();
    assert_eq!(store.get(&OTHER_KEY, &blob.sha256), Err(BlobError::Missing));
    // Even if the file is put where the other key looks for it.
    fs::rename(
        store.dir.join(&blob.file_name),
        store
            .dir
            .join(BlobStore::file_name(&OTHER_KEY, &blob.sha256)),
    )
    .unwrap();
    assert_eq!(store.get(&OTHER_KEY, &blob.sha256), Err(BlobError::Damaged));
}

#[test]
fn a_sealed_blob_cannot_pose_as_another() {
    let (_dir, store) = store();
    let door = store
        .put(&KEY, &mut counting(), b"photo of the right door")
        .unwrap();
    let other = store
        .put(&KEY, &mut counting(), b"photo of another parcel")
        .unwrap();
    fs::copy(
        store.dir.join(&other.file_name),
        store.dir.join(&door.file_name),
    )
    .unwrap();
    assert_eq!(store.get(&KEY, &door.sha256), Err(BlobError::Damaged));
}

#[test]
fn the_same_bytes_under_two_deliveries_are_erased_apart() {
    let (_dir, store) = store();
    let plain = sample(500);
    let a = store.put(&KEY, &mut counting(), &plain).unwrap();
    let b = store.put(&OTHER_KEY, &mut counting(), &plain).unwrap();
    assert_eq!(a.sha256, b.sha256);
    assert!(store.remove(&a.file_name).unwrap());
    assert_eq!(store.get(&KEY, &a.sha256), Err(BlobError::Missing));
    assert_eq!(store.get(&OTHER_KEY, &b.sha256).unwrap(), plain);
    assert!(!store.remove(&a.file_name).unwrap(), "gone already");
}

#[test]
fn storing_again_heals_and_takes_a_fresh_nonce() {
    let (_dir, store) = store();
    let mut entropy = counting();
    let plain = sample(500);
    let blob = store.put(&KEY, &mut entropy, &plain).unwrap();
    let path = store.dir.join(&blob.file_name);
    let before = fs::read(&path).unwrap();
    fs::write(&path, b"rotten").unwrap();
    assert_eq!(store.put(&KEY, &mut entropy, &plain).unwrap(), blob);
    assert_eq!(store.get(&KEY, &blob.sha256).unwrap(), plain);
    assert_ne!(
        fs::read(&path).unwrap(),
        before,
        "the nonce is never used twice"
    );
    assert_eq!(names(&store), [blob.file_name], "no temp file stays behind");
}

#[test]
fn a_kill_leaves_only_what_the_sweep_removes() {
    let (_dir, mut store) = store();
    let kept = store.put(&KEY, &mut counting(), &sample(1000)).unwrap();
    let orphan = store.put(&KEY, &mut counting(), &sample(2000)).unwrap();
    // A kill between writing and renaming.
    fs::write(store.dir.join(".part-00112233"), sample(777)).unwrap();
    fs::write(store.dir.join("notes.txt"), b"not ours").unwrap();
    let before = store.usage_bytes().unwrap();

    let report = store.sweep_orphans(|name| name == kept.file_name).unwrap();

    assert_eq!((report.unfinished, report.orphans), (1, 1));
    assert_eq!(before - report.freed_bytes, store.usage_bytes().unwrap());
    assert_eq!(store.usage_bytes().unwrap(), seal::sealed_bytes(1000));
    assert_eq!(names(&store), [kept.file_name, "notes.txt".to_owned()]);
    assert_eq!(store.get(&KEY, &orphan.sha256), Err(BlobError::Missing));
    assert_eq!(store.get(&KEY, &kept.sha256).unwrap(), sample(1000));
}

#[test]
fn a_failed_write_leaves_the_folder_as_it_was() {
    let (_dir, store) = store();
    let mut entropy = counting();
    let plain = sample(100);
    // A folder in the way of the final name makes the rename fail.
    let name = BlobStore::file_name(&KEY, &Sha256::digest(&plain).into());
    fs::create_dir_all(store.dir.join(&name).join("in the way")).unwrap();
    assert!(matches!(
        store.put(&KEY, &mut entropy, &plain),
        Err(BlobError::Io(_))
    ));
    assert_eq!(names(&store), [name]);
}

#[test]
fn names_cannot_lead_out_of_the_folder() {
    let (dir, store) = store();
    fs::write(dir.path().join("wages.csv"), b"x").unwrap();
    for name in ["../wages.csv", "", ".", "/etc/hostname", "0.0", ".part-00"] {
        assert_eq!(store.remove(name), Err(BlobError::BadName), "{name}");
    }
    assert!(dir.path().join("wages.csv").exists());
}

#[test]
fn a_full_disk_has_its_own_name() {
    assert_eq!(
        BlobError::from(io::Error::from(io::ErrorKind::StorageFull)),
        BlobError::StorageFull
    );
    assert_eq!(
        BlobError::from(io::Error::from(io::ErrorKind::QuotaExceeded)),
        BlobError::StorageFull
    );
    #[cfg(target_os = "linux")]
    for errno in [28, 122] {
        assert_eq!(
            BlobError::from(io::Error::from_raw_os_error(errno)),
            BlobError::StorageFull
        );
    }
}

#[cfg(unix)]
#[test]
fn other_users_cannot_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_dir, store) = store();
    let blob = store.put(&KEY, &mut counting(), b"x").unwrap();
    let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&store.dir), 0o700);
    assert_eq!(mode(&store.dir.join(blob.file_name)), 0o600);
}
