//! Photos that cannot be read for a while, one by one or with their whole folder: they are not lost for it, and they wait
//! for a bounded time, at little cost.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::path::PathBuf;

use satchel_core::clock::Clock as _;
use satchel_core::model::storage::Erasure;
use satchel_core::proof::ink::InkPoint;
use satchel_protocol::attempt::AttemptBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::lost::{LossCause, ProofLostBody};
use satchel_protocol::taxonomy::HandoffKind;
use satchel_tests::day::Day;
use satchel_tests::phone::{Phone, SyncEnd, photo_files, signature};
use satchel_tests::seed::Rng;
use satchel_tests::work::Work;

mod spoiled;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Work with so many deliveries, none of them sent yet.
fn delivered(count: usize) -> Work {
    let work = Work::on(Day::new(5).stops(count + 1));
    for n in 0..count {
        work.phone.deliver(work.day.stop_id(n), n as u64).unwrap();
    }
    work
}

fn blobs(phone: &Phone) -> PathBuf {
    phone.dir.join("blobs")
}

fn aside(phone: &Phone) -> PathBuf {
    phone.dir.join("aside")
}

/// What the phone says is lost, what waits, and what counts at sign-out: proofs.
fn counts(phone: &Phone) -> (u64, u64, u64) {
    let warning = phone.core().logout_warning().unwrap();
    let status = phone.core().sync_status().unwrap();
    let at_stake = warning.map_or(0, |w| w.left.proofs);
    (status.lost_proofs, status.unsent_proofs, at_stake)
}

/// What the hub has of one kind now, while other things wait.
fn bodies_at_hub(work: &Work, kind: EntryKind) -> Vec<Vec<u8>> {
    let log = work.hub.log(work.phone.device()).into_iter();
    let of_kind = log.filter(|(header, _)| header.kind == kind);
    of_kind.map(|(_, entry)| entry.body.unwrap()).collect()
}

fn lost_notes(work: &Work) -> Vec<ProofLostBody> {
    let bodies = bodies_at_hub(work, ProofLostBody::KIND);
    let notes = bodies.iter().map(|b| ProofLostBody::decode(b).unwrap());
    notes.collect()
}

/// How many photos the hub has, and how many signatures.
fn at_hub(work: &Work) -> (usize, usize) {
    let bodies = bodies_at_hub(work, EntryKind::ATTEMPT);
    let attempts = bodies.iter().map(|b| AttemptBody::decode(b).unwrap());
    let proofs = attempts.flat_map(|a| a.proofs);
    let here = proofs.filter(|p| work.hub.has_blob(p.hash));
    let (photos, others): (Vec<_>, Vec<_>) = here.partition(|p| p.origin.is_some());
    (photos.len(), others.len())
}

fn photos_at_hub(work: &Work) -> usize {
    at_hub(work).0
}

/// A file of photos in whose place something lies that no reading gets anything out of.
struct Unreadable {
    file: PathBuf,
    sound: Vec<u8>,
}

impl Unreadable {
    fn make(file: PathBuf) -> Self {
        let sound = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        // Any error of the file system will do.
        fs::create_dir(&file).unwrap();
        Self { file, sound }
    }

    fn mend(&self) {
        fs::remove_dir(&self.file).unwrap();
        fs::write(&self.file, &self.sound).unwrap();
    }
}

/// Runs the host's loop for an hour as it is told to. Gives how often it woke.
fn wakes_in_an_hour(work: &Work) -> u32 {
    let begin_ms = work.phone.clock.wall_ms();
    let mut wakes = 0;
    while work.phone.clock.wall_ms() - begin_ms < HOUR_MS {
        work.phone.sync_now(&work.hub);
        work.phone.wait();
        wakes += 1;
    }
    wakes
}

#[test]
fn a_lost_photo_of_which_nothing_is_known_now_is_told_at_sign_out_and_not_erased() {
    for folder in [false, true] {
        let work = delivered(1);
        let file = photo_files(&work.phone.dir).remove(0);
        let sound = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
        assert_eq!(work.phone.core().sync_status().unwrap().lost_proofs, 1);
        // The file comes back, but cannot be read at this moment.
        fs::write(&file, &sound).unwrap();
        let unreadable = (!folder).then(|| Unreadable::make(file.clone()));
        if folder {
            fs::rename(blobs(&work.phone), aside(&work.phone)).unwrap();
        }
        let parcel = work.day.parcel_id(0, 0);
        let asked = work.phone.core().erase(parcel).unwrap();
        assert_eq!(asked, Erasure::WaitsForHub, "folder {folder}");
        assert_eq!(counts(&work.phone), (0, 1, 1), "folder {folder}");

        match unreadable {
            Some(unreadable) => unreadable.mend(),
            None => fs::rename(aside(&work.phone), blobs(&work.phone)).unwrap(),
        }
        work.phone.clock.advance_ms(HOUR_MS);
        assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
        assert_eq!(photos_at_hub(&work), 1, "at the hub first, then erased");
        let erasure = work.phone.core().erasure(parcel).unwrap();
        assert!(matches!(erasure, Some(Erasure::Done { .. })));
    }
}

#[test]
fn photos_whose_folder_is_away_over_a_restart_are_not_lost() {
    for killed in [false, true] {
        let mut work = delivered(3);
        work.phone.kill();
        fs::rename(blobs(&work.phone), aside(&work.phone)).unwrap();
        if killed {
            // As far as an opening came that was killed.
            fs::create_dir(blobs(&work.phone)).unwrap();
        }
        work.phone.open().unwrap();
        work.phone.sync_now(&work.hub);
        assert_eq!(counts(&work.phone), (0, 3, 3));
        // What is recorded meanwhile goes up, and says nothing of the others.
        work.phone.deliver(work.day.stop_id(3), 3).unwrap();
        work.phone.restart();
        work.phone.sync_now(&work.hub);
        assert_eq!(photos_at_hub(&work), 1);
        assert_eq!(counts(&work.phone), (0, 3, 3));

        fs::remove_dir_all(blobs(&work.phone)).unwrap();
        fs::rename(aside(&work.phone), blobs(&work.phone)).unwrap();
        work.phone.clock.advance_ms(HOUR_MS);
        assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
        assert_eq!(counts(&work.phone), (0, 0, 0));
        assert_eq!((photos_at_hub(&work), lost_notes(&work).len()), (4, 0));
        // A folder that was away before is one like any other: what is missing now is gone.
        work.phone.clock.advance_ms(10 * DAY_MS);
        assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    }
}

#[test]
fn photos_of_a_store_that_was_put_back_without_them_are_lost_after_three_days() {
    for restart in [false, true] {
        let mut work = delivered(3);
        let parcel = work.day.parcel_id(0, 0);
        fs::remove_dir_all(blobs(&work.phone)).unwrap();
        if restart {
            work.phone.restart();
        }
        assert_eq!(
            work.phone.core().erase(parcel).unwrap(),
            Erasure::WaitsForHub
        );
        work.phone.sync_now(&work.hub);
        work.phone.clock.advance_ms(3 * DAY_MS - HOUR_MS);
        work.phone.sync_now(&work.hub);
        assert_eq!(counts(&work.phone), (0, 3, 3), "restart {restart}");

        work.phone.clock.advance_ms(2 * HOUR_MS);
        assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
        let notes = lost_notes(&work);
        assert_eq!(notes.len(), 3, "restart {restart}");
        assert!(notes.iter().all(|note| note.cause == LossCause::MISSING));
        let erasure = work.phone.core().erasure(parcel).unwrap();
        assert!(matches!(erasure, Some(Erasure::Done { .. })));
        assert_eq!(counts(&work.phone), (2, 0, 0));
        // From then on the folder is the store's own.
        work.phone.deliver(work.day.stop_id(3), 3).unwrap();
        fs::remove_file(photo_files(&work.phone.dir).remove(0)).unwrap();
        assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
        assert_eq!(lost_notes(&work).len(), 4);
    }
}

#[test]
fn a_folder_that_is_away_again_is_waited_for_anew() {
    let mut work = delivered(2);
    let away = |work: &Work| fs::rename(blobs(&work.phone), aside(&work.phone)).unwrap();
    away(&work);
    work.phone.sync_now(&work.hub);
    fs::rename(aside(&work.phone), blobs(&work.phone)).unwrap();
    work.phone.restart();
    work.phone.clock.advance_ms(4 * DAY_MS);
    away(&work);
    work.phone.sync(&work.hub);
    assert_eq!(counts(&work.phone), (0, 2, 2));
    fs::rename(aside(&work.phone), blobs(&work.phone)).unwrap();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(photos_at_hub(&work), 2);
}

/// A large signature does not ride with its entry.
fn deliver_with_large_signature(work: &Work, n: usize) {
    let stop = work.day.stop_id(n);
    let draft = work.begin(n, HandoffKind::Recipient);
    work.photo(draft.attempt_id, 7);
    let mut rng = Rng::new(7);
    let mut point = |i: u32| InkPoint {
        x: rng.below(590) as f32,
        y: rng.below(290) as f32,
        t_ms: i * 8,
        ..InkPoint::default()
    };
    let mut done = work.phone.delivered(stop, 1);
    let mut drawn = signature(1);
    drawn.strokes = (0..30)
        .map(|_| (0..500).map(&mut point).collect())
        .collect();
    done.signature = Some(drawn);
    let core = work.phone.core();
    core.complete_attempt(draft.attempt_id, &done).unwrap();
}

#[test]
fn many_photos_that_cannot_be_read_cost_no_more_wakes_than_one() {
    const COUNT: usize = 60;
    let work = delivered(COUNT);
    deliver_with_large_signature(&work, COUNT);
    fs::rename(blobs(&work.phone), aside(&work.phone)).unwrap();
    let wakes = wakes_in_an_hour(&work);
    assert!(wakes < 30, "the folder is away: {wakes} wakes");
    // Signatures are in the store.
    assert_eq!(at_hub(&work), (0, COUNT + 1));

    let mut work = delivered(COUNT);
    work.phone.kill();
    fs::rename(blobs(&work.phone), aside(&work.phone)).unwrap();
    work.phone.open().unwrap();
    let wakes = wakes_in_an_hour(&work);
    assert!(wakes < 30, "another folder in its place: {wakes} wakes");

    let work = delivered(COUNT);
    let files = photo_files(&work.phone.dir).into_iter();
    let unreadable: Vec<Unreadable> = files.map(Unreadable::make).collect();
    let wakes = wakes_in_an_hour(&work);
    assert!(wakes < 40, "each by itself: {wakes} wakes");
    for file in &unreadable {
        file.mend();
    }
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(photos_at_hub(&work), COUNT);
}

#[test]
fn a_file_that_fails_for_good_is_lost_after_three_days() {
    let mut work = delivered(2);
    let file = photo_files(&work.phone.dir).remove(0);
    let unreadable = Unreadable::make(file);
    let parcels = [0, 1].map(|n| work.day.parcel_id(n, 0));
    for parcel in parcels {
        work.phone.core().erase(parcel).unwrap();
    }
    work.phone.sync_now(&work.hub);
    assert_eq!(photos_at_hub(&work), 1);
    assert_eq!(counts(&work.phone), (0, 1, 1));
    for _ in 0..3 {
        work.phone.clock.advance_ms(DAY_MS - HOUR_MS);
        work.phone.restart();
        work.phone.sync_now(&work.hub);
    }
    assert_eq!(counts(&work.phone), (0, 1, 1));
    work.phone.clock.advance_ms(4 * HOUR_MS);
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    let notes = lost_notes(&work);
    assert!(notes.len() == 1 && notes[0].cause == LossCause::DAMAGED);
    for parcel in parcels {
        let erasure = work.phone.core().erasure(parcel).unwrap();
        assert!(matches!(erasure, Some(Erasure::Done { .. })));
    }
    assert_eq!(counts(&work.phone), (0, 0, 0));
    fs::remove_dir(&unreadable.file).unwrap();
}

#[test]
fn a_file_that_was_read_meanwhile_has_its_three_days_again() {
    let work = delivered(1);
    let before = work.hub.backup();
    let unreadable = Unreadable::make(photo_files(&work.phone.dir).remove(0));
    work.phone.sync_now(&work.hub);
    unreadable.mend();
    work.phone.clock.advance_ms(HOUR_MS);
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    work.hub.restore(before);
    let mut work = work;
    work.phone.clock.advance_ms(4 * DAY_MS);
    work.phone.restart();
    let unreadable = Unreadable::make(unreadable.file);
    work.phone.sync(&work.hub);
    assert_eq!(counts(&work.phone), (0, 1, 1));
    unreadable.mend();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!((photos_at_hub(&work), lost_notes(&work).len()), (1, 0));
}

/// A store that does not let lost photos wait again.
const STAYS_LOST: &str =
    "CREATE TRIGGER stays_lost BEFORE UPDATE OF lost_at_ms ON proof WHEN NEW.lost_at_ms IS NULL
    AND OLD.lost_at_ms IS NOT NULL BEGIN SELECT RAISE(ABORT, 'no'); END";

#[test]
fn lost_photos_that_cannot_be_looked_for_hold_up_nothing_and_count_at_sign_out() {
    let mut work = delivered(1);
    let file = photo_files(&work.phone.dir).remove(0);
    let sound = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    fs::write(&file, &sound).unwrap();
    spoiled::spoil(&mut work.phone, STAYS_LOST);
    work.phone.deliver(work.day.stop_id(1), 1).unwrap();
    assert_eq!(work.phone.sync_now(&work.hub), SyncEnd::Done);
    assert_eq!(photos_at_hub(&work), 1);
    assert_eq!(counts(&work.phone), (1, 0, 1), "it may be there");
    assert!(work.phone.core().erase(work.day.parcel_id(0, 0)).is_err());
    assert!(file.exists());
    let other = work.phone.core().erase(work.day.parcel_id(1, 0));
    assert!(matches!(other.unwrap(), Erasure::Done { .. }));
    spoiled::spoil(&mut work.phone, "DROP TRIGGER stays_lost");
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(photos_at_hub(&work), 2);
}
