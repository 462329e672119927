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
    let (_dir, store) = store();
    let kept = store.put(&KEY, &mut counting(), &sample(1000)).unwrap();
    let orphan = store.put(&KEY, &mut counting(), &sample(2000)).unwrap();
    // A kill between writing and renaming.
    fs::write(store.dir.join(".part-00112233"), sample(777)).unwrap();
    fs::write(store.dir.join("notes.txt"), b"not ours").unwrap();
    let mut store = BlobStore::open(&store.dir).unwrap();
    let before = store.used_bytes();

    let report = store.sweep_orphans(|name| name == kept.file_name).unwrap();

    assert_eq!((report.unfinished, report.orphans), (1, 1));
    assert_eq!(before - report.freed_bytes, store.used_bytes());
    assert_eq!(store.used_bytes(), seal::sealed_bytes(1000));
    assert_eq!(names(&store), [kept.file_name, "notes.txt".to_owned()]);
    assert_eq!(store.get(&KEY, &orphan.sha256), Err(BlobError::Missing));
    assert_eq!(store.get(&KEY, &kept.sha256).unwrap(), sample(1000));
}

const STEPS: [Step; 5] = [
    Step::Created,
    Step::Written,
    Step::Flushed,
    Step::Renamed,
    Step::Published,
];
const KILL_AT: &str = "SATCHEL_TEST_KILL_AT";
const KILL_IN: &str = "SATCHEL_TEST_KILL_IN";

/// The child of the test below: publishes a blob and is gone after one of the steps.
#[test]
fn publishes_and_dies() {
    let (Ok(step), Ok(dir)) = (std::env::var(KILL_AT), std::env::var(KILL_IN)) else {
        return;
    };
    let store = BlobStore::open(Path::new(&dir)).unwrap();
    let _ = store.put_in_steps(&KEY, &mut counting(), &sample(90_000), |done| {
        if format!("{done:?}") == step {
            std::process::abort();
        }
    });
    // Reached only if the step never came.
    std::process::exit(0);
}

#[test]
fn a_process_that_dies_at_any_step_leaves_a_whole_blob_or_none() {
    for (n, step) in STEPS.into_iter().enumerate() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("proofs");
        let before = BlobStore::open(&dir).unwrap();
        let kept = before
            .put(&OTHER_KEY, &mut counting(), &sample(5_000))
            .unwrap();
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "proof::blob::tests::publishes_and_dies"])
            .env(KILL_AT, format!("{step:?}"))
            .env(KILL_IN, &dir)
            .output()
            .unwrap();
        assert!(!child.status.success(), "{step:?} was never reached");

        let mut store = BlobStore::open(&dir).unwrap();
        let sha256: [u8; 32] = Sha256::digest(sample(90_000)).into();
        let appeared = store.get(&KEY, &sha256);
        let renamed = n >= 3;
        match renamed {
            true => assert_eq!(appeared.unwrap(), sample(90_000), "{step:?}"),
            false => assert_eq!(appeared, Err(BlobError::Missing), "{step:?}"),
        }
        // No row names the blob: the sweep takes what is there, and only that.
        let report = store.sweep_orphans(|name| name == kept.file_name).unwrap();
        let expected = if renamed { (0, 1) } else { (1, 0) };
        assert_eq!((report.unfinished, report.orphans), expected, "{step:?}");
        assert_eq!(names(&store), std::slice::from_ref(&kept.file_name));
        assert_eq!(store.used_bytes(), seal::sealed_bytes(5_000), "{step:?}");
        assert_eq!(store.get(&OTHER_KEY, &kept.sha256).unwrap(), sample(5_000));
        // And the same photo can be taken again.
        store.put(&KEY, &mut counting(), &sample(90_000)).unwrap();
        assert_eq!(store.get(&KEY, &sha256).unwrap(), sample(90_000));
    }
}

#[test]
fn the_sum_of_all_files_follows_every_change() {
    let (_dir, store) = store();
    assert_eq!(store.used_bytes(), 0);
    let a = store.put(&KEY, &mut counting(), &sample(70_000)).unwrap();
    store.put(&KEY, &mut counting(), &sample(70_000)).unwrap();
    assert_eq!(
        store.used_bytes(),
        seal::sealed_bytes(70_000),
        "the same again"
    );
    let b = store.put(&KEY, &mut counting(), &sample(10)).unwrap();
    store.remove(&a.file_name).unwrap();
    store.remove(&a.file_name).unwrap();
    assert_eq!(store.used_bytes(), seal::sealed_bytes(10));
    let again = BlobStore::open(&store.dir).unwrap();
    assert_eq!(again.used_bytes(), store.used_bytes(), "as counted afresh");
    let on_disk = store.on_disk().unwrap();
    assert!(on_disk.len() == 1 && on_disk[&b.file_name] >= seal::sealed_bytes(10));
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

#[test]
fn a_folder_made_anew_is_not_the_marked_one_and_what_is_in_it_is_read() {
    let (home, mut store) = store();
    assert!(!store.is_marked() && store.is_there());
    store.mark().unwrap();
    store.mark().unwrap();
    let blob = store.put(&KEY, &mut counting(), b"photo").unwrap();
    assert_eq!(store.sweep_orphans(|_| true), Ok(SweepReport::default()));
    let aside = home.path().join("aside");
    fs::rename(&store.dir, &aside).unwrap();
    assert!(!store.is_marked() && !store.is_there());

    let anew = BlobStore::open(&store.dir).unwrap();
    assert!(!anew.is_marked() && anew.is_there());
    let other = anew.put(&KEY, &mut counting(), b"later").unwrap();
    assert_eq!(anew.get(&KEY, &other.sha256).as_deref(), Ok(&b"later"[..]));
    assert_eq!(anew.get(&KEY, &blob.sha256), Err(BlobError::Missing));

    fs::remove_dir_all(&store.dir).unwrap();
    fs::rename(&aside, &store.dir).unwrap();
    assert!(store.is_marked());
    assert_eq!(store.get(&KEY, &blob.sha256).as_deref(), Ok(&b"photo"[..]));
    // A mark that cannot be read, or is another file's, is none.
    fs::write(store.dir.join(".ours"), b"overwritten").unwrap();
    assert!(!store.is_marked());
}
