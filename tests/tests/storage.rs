//! Space on the phone: what it takes, what goes first, what never goes, and what a full disk costs.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr
)]

use std::fs;

use satchel_core::Error;
use satchel_core::model::storage::StorageUsage;
use satchel_core::proof::photo::PhotoSource;
use satchel_protocol::ids::{AttemptId, Hash32};
use satchel_protocol::taxonomy::{HandoffKind, PhotoOrigin};
use satchel_tests::day::Day;
use satchel_tests::phone::{self, Phone, SyncEnd};
use satchel_tests::work::at_work;

const HOUR_MS: i64 = 60 * 60 * 1_000;

fn usage(phone: &Phone) -> StorageUsage {
    phone.core().storage_usage().unwrap()
}

fn take_photo(phone: &Phone, attempt: AttemptId, n: u64) -> Hash32 {
    let jpeg = phone::photo(n);
    let source = PhotoSource::Bytes(&jpeg);
    let photo = phone.core().add_photo(attempt, source, PhotoOrigin::Camera);
    photo.unwrap().hash
}

/// Delivers with one photo; gives the attempt and the photo.
fn deliver(phone: &Phone, day: &Day, n: usize) -> (AttemptId, Hash32) {
    let stop = day.stop_id(n);
    let draft = phone.core().begin_attempt(stop, HandoffKind::Recipient);
    let attempt = draft.unwrap().attempt_id;
    let hash = take_photo(phone, attempt, n as u64);
    let done = phone.delivered(stop, n as u64);
    phone.core().complete_attempt(attempt, &done).unwrap();
    (attempt, hash)
}

fn blob_files(phone: &Phone) -> usize {
    phone::photo_files(&phone.dir).len()
}

#[test]
fn the_figures_follow_a_photo_from_the_door_to_its_receipt() {
    let day = Day::new(1).stops(2);
    let (phone, hub) = at_work(&day);
    let empty = usage(&phone);
    assert_eq!(
        (
            empty.staged.photos,
            empty.waiting.photos,
            empty.evictable.photos
        ),
        (0, 0, 0)
    );
    assert!(empty.database_bytes > 0 && empty.disk_free_bytes > 0);
    assert_eq!(empty.free_quota_bytes, empty.quota_bytes);

    let draft = phone
        .core()
        .begin_attempt(day.stop_id(0), HandoffKind::Recipient);
    let attempt = draft.unwrap().attempt_id;
    take_photo(&phone, attempt, 1);
    let staged = usage(&phone);
    assert_eq!((staged.staged.photos, staged.waiting.photos), (1, 0));
    assert!(staged.staged.bytes > 0 && staged.free_quota_bytes < staged.quota_bytes);

    let done = phone.delivered(day.stop_id(0), 1);
    phone.core().complete_attempt(attempt, &done).unwrap();
    let waiting = usage(&phone);
    assert_eq!((waiting.staged.photos, waiting.waiting.photos), (0, 1));
    assert_eq!(waiting.waiting.bytes, staged.staged.bytes);

    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    let receipted = usage(&phone);
    assert_eq!(
        (receipted.waiting.photos, receipted.evictable.photos),
        (0, 1)
    );
    assert_eq!(receipted.receipted_photos, 1);
}

#[test]
fn beyond_the_quota_the_oldest_receipted_photos_go_and_no_other() {
    let day = Day::new(1).stops(12);
    let (mut phone, hub) = at_work(&day);
    let sent: Vec<_> = (0..6).map(|n| deliver(&phone, &day, n)).collect();
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    let unsent: Vec<_> = (6..9).map(|n| deliver(&phone, &day, n)).collect();
    let all = usage(&phone);
    let each = (all.quota_bytes - all.free_quota_bytes - all.thumbnails.bytes) / 9;

    // Room for about five: the unsent three stay, some of the receipted six go, the oldest first.
    let room = all.thumbnails.bytes + 5 * each;
    phone.core().set_photo_quota(room).unwrap();
    let after = usage(&phone);
    assert_eq!((after.waiting.photos, after.receipted_photos), (3, 6));
    assert!((1..6).contains(&after.evictable.photos), "{after:?}");
    let here = |phone: &Phone, (attempt, hash): (AttemptId, Hash32)| {
        phone.core().photo_jpeg(attempt, hash).is_ok()
    };
    let kept: Vec<bool> = sent.iter().map(|&photo| here(&phone, photo)).collect();
    assert!(kept.is_sorted(), "oldest first: {kept:?}");
    assert_eq!(
        kept.iter().filter(|k| **k).count() as u64,
        after.evictable.photos
    );
    let gone = phone.core().photo_jpeg(sent[0].0, sent[0].1);
    assert!(
        matches!(gone, Err(Error::NotFound { .. })),
        "{:?}",
        gone.err()
    );

    // Its small copy is still what the courier's list shows.
    let small = phone.core().photo_thumbnail(sent[0].0, sent[0].1).unwrap();
    let small = image::load_from_memory(&small).unwrap();
    assert!(small.width().max(small.height()) <= 240 && small.width() > 0);
    assert_eq!(after.thumbnails.photos, 9);

    // A quota of nothing takes the rest of them, but the only copies stay and still arrive.
    phone.core().set_photo_quota(0).unwrap();
    let none = usage(&phone);
    assert_eq!(
        (
            none.waiting.photos,
            none.evictable.photos,
            none.free_quota_bytes
        ),
        (3, 0, 0)
    );
    for photo in &unsent {
        assert!(here(&phone, *photo));
    }
    let more = deliver(&phone, &day, 9);
    assert!(here(&phone, more), "beyond the quota, but the only copy");
    phone.restart();
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    for (_, hash) in unsent.iter().chain([&more]) {
        assert!(hub.has_blob(*hash));
    }
    assert_eq!(phone.core().sync_status().unwrap().unsent_proofs, 0);
}

#[test]
fn photos_of_a_handoff_nobody_completed_go_after_a_day() {
    let day = Day::new(1).stops(3);
    let (mut phone, hub) = at_work(&day);
    let (kept, kept_photo) = deliver(&phone, &day, 0);
    let draft = phone
        .core()
        .begin_attempt(day.stop_id(1), HandoffKind::Recipient);
    let abandoned = draft.unwrap().attempt_id;
    take_photo(&phone, abandoned, 50);
    take_photo(&phone, abandoned, 51);

    phone.clock.advance_ms(23 * HOUR_MS);
    let draft = phone
        .core()
        .begin_attempt(day.stop_id(2), HandoffKind::Recipient);
    let fresh = draft.unwrap().attempt_id;
    take_photo(&phone, fresh, 60);
    phone.restart();
    assert_eq!(usage(&phone).staged.photos, 3, "not a day yet");

    phone.clock.advance_ms(2 * HOUR_MS);
    phone.restart();
    let after = usage(&phone);
    assert_eq!((after.staged.photos, after.waiting.photos), (1, 1));
    assert_eq!(blob_files(&phone), 2, "their files are gone");
    assert!(phone.core().photo_jpeg(kept, kept_photo).is_ok());
    // The stop can be done like any other, the fresh handoff goes on.
    let done = phone.delivered(day.stop_id(2), 60);
    phone.core().complete_attempt(fresh, &done).unwrap();
    deliver(&phone, &day, 1);
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
}

#[test]
fn a_running_app_that_was_paused_keeps_the_handoff_on_its_screen() {
    let day = Day::new(1).stops(1);
    let (phone, _hub) = at_work(&day);
    let draft = phone
        .core()
        .begin_attempt(day.stop_id(0), HandoffKind::Recipient);
    let attempt = draft.unwrap().attempt_id;
    take_photo(&phone, attempt, 1);
    phone.core().pause();
    phone.clock.advance_ms(30 * HOUR_MS);
    phone.core().resume().unwrap();
    assert_eq!(usage(&phone).staged.photos, 1);
    let done = phone.delivered(day.stop_id(0), 1);
    phone.core().complete_attempt(attempt, &done).unwrap();
}

#[test]
fn what_a_kill_left_in_the_folder_is_swept_and_nothing_else() {
    let day = Day::new(1).stops(1);
    let (mut phone, _hub) = at_work(&day);
    let (attempt, photo) = deliver(&phone, &day, 0);
    let blobs = phone.dir.join("blobs");
    fs::write(blobs.join(".part-0011223344556677"), [1; 900]).unwrap();
    let orphan = format!("{}.{}", "ab".repeat(32), "cd".repeat(8));
    fs::write(blobs.join(&orphan), [1; 900]).unwrap();
    phone.restart();
    assert_eq!(blob_files(&phone), 1);
    assert!(phone.core().photo_jpeg(attempt, photo).is_ok());
}
