//! Leases and wipes against the real hub: a phone that was away too long closes what is personal, keeps and sends
//! what it has, and opens again; a phone that is to be wiped destroys its key and then its files.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use satchel_core::rules::lease::Lock;
use satchel_core::sync::task::{KeyTask, Network, Task};
use satchel_core::{Error, Refusal, remove_store};
use satchel_protocol::ids::{Hash32, StopId};
use satchel_protocol::taxonomy::HandoffKind;
use satchel_tests::hardware::Hardware;
use satchel_tests::phone::{Phone, SyncEnd, completion, nobody_there};
use satchel_tests::running::Running;

const HOUR_MS: i64 = 3_600_000;

fn leased() -> (Running, Phone, Vec<StopId>) {
    let running = Running::start_with(|config| config.lease_ms = Some(24 * HOUR_MS));
    let invite = running.round(6);
    let phone = Phone::new(1);
    phone.enrol(&invite, &running.http());
    let stops = phone.core().stops().unwrap();
    let stops = stops.iter().map(|s| s.stop_id).collect();
    (running, phone, stops)
}

/// Everything that opens personal data or begins work is refused by this lock.
fn closed(phone: &Phone, stop: StopId, lock: Lock) {
    let core = phone.core();
    assert_eq!(core.lock(), Some(lock));
    let parcel = core.stop(stop).unwrap().parcels[0].parcel_id;
    let all = [
        core.reveal(stop).map(|_| ()),
        core.begin_attempt(stop, HandoffKind::Recipient).map(|_| ()),
        core.evidence(parcel).map(|_| ()),
        core.start_shift(None).map(|_| ()),
        core.hand_back(&[parcel]),
        core.begin_report(stop).map(|_| ()),
    ];
    for (n, refused) in all.into_iter().enumerate() {
        assert!(
            matches!(refused, Err(Error::Refused(Refusal::Locked(l))) if l == lock),
            "{n}"
        );
    }
}

#[test]
fn a_phone_that_was_away_too_long_closes_what_is_personal_and_loses_nothing() {
    let (running, mut phone, stops) = leased();
    phone.deliver(stops[0], 1).unwrap();
    let at_the_door = phone
        .core()
        .begin_attempt(stops[1], HandoffKind::Recipient)
        .unwrap();
    phone.clock.advance_ms(23 * HOUR_MS);
    phone.core().reveal(stops[1]).unwrap();
    phone.clock.advance_ms(2 * HOUR_MS);
    closed(&phone, stops[2], Lock::LeaseLapsed);

    // What was begun at the door is finished, and lists stay readable, masked.
    let parcels: Vec<_> = phone
        .stop(stops[1])
        .parcels
        .iter()
        .map(|p| p.parcel_id)
        .collect();
    phone
        .core()
        .complete_attempt(
            at_the_door.attempt_id,
            &completion(&parcels, nobody_there()),
        )
        .unwrap();
    assert_eq!(phone.core().stops().unwrap().len(), 6);
    phone.restart();
    closed(&phone, stops[2], Lock::LeaseLapsed);
    let before = phone.core().sync_status().unwrap();
    assert_eq!((before.unsent_entries, before.unsent_proofs > 0), (3, true));

    running.clock_on(25 * HOUR_MS);
    // The same sync that brings up what is there brings the next lease.
    assert_eq!(phone.sync(&running.http()), SyncEnd::Done);
    assert_eq!(phone.core().lock(), None);
    let after = phone.core().sync_status().unwrap();
    assert_eq!((after.unsent_entries, after.unsent_proofs), (0, 0));
    phone.core().reveal(stops[2]).unwrap();
}

#[test]
fn an_old_lease_played_again_and_a_clock_set_back_open_nothing() {
    let (running, mut phone, stops) = leased();
    phone.clock.advance_ms(20 * HOUR_MS);
    phone.restart();
    // Restarted with a clock of the morning: ten hours that were seen do not come back.
    phone.clock.reboot();
    phone
        .clock
        .set_wall_ms(satchel_tests::day::MORNING_MS + 10 * HOUR_MS);
    phone.restart();
    closed(&phone, stops[0], Lock::ClockWentBack);
    assert_eq!(phone.sync(&running.http()), SyncEnd::Done);
    // The hub's clock stands still in this test, so its lease is as old as the one that is known.
    closed(&phone, stops[0], Lock::ClockWentBack);
    running.clock_on(HOUR_MS);
    assert_eq!(phone.sync(&running.http()), SyncEnd::Done);
    assert_eq!(phone.core().lock(), None);
}

#[test]
fn pins_come_with_the_invite_and_follow_the_hubs_word() {
    let running = Running::start();
    let pin = |n| Hash32([n; 32]);
    let set = |pins: &[Hash32]| running.runtime.block_on(running.hub.set_pins(pins));
    set(&[pin(1)]).unwrap();
    assert!(set(&[pin(1); 5]).is_err());
    let phone = Phone::new(1);
    assert_eq!(phone.core().hub_url(), None);
    let invite = running.round(1);
    phone.core().enrol(&invite, "phone").unwrap();
    // Before the first byte goes over the network.
    assert_eq!(phone.core().pins().unwrap(), [pin(1)]);
    assert_eq!(phone.sync(&running.http()), SyncEnd::Done);

    running.clock_on(1_000);
    set(&[pin(1), pin(2)]).unwrap();
    assert_eq!(phone.sync(&running.http()), SyncEnd::Done);
    assert_eq!(phone.core().pins().unwrap(), [pin(1), pin(2)]);
    running.clock_on(1_000);
    set(&[]).unwrap();
    assert_eq!(phone.sync(&running.http()), SyncEnd::Done);
    assert_eq!(phone.core().pins().unwrap(), []);
}

#[test]
fn a_wiped_phone_names_what_is_lost_and_leaves_no_file_behind() {
    let (running, phone, stops) = leased();
    phone.deliver(stops[0], 1).unwrap();
    assert_eq!(phone.sync(&running.http()), SyncEnd::Done);
    phone.deliver(stops[1], 2).unwrap();
    phone.fail(stops[2]).unwrap();

    let refused = running
        .runtime
        .block_on(running.hub.wipe(phone.device(), " "));
    assert!(refused.is_err(), "nobody wipes without a reason");
    let wipe = running.hub.wipe(phone.device(), "lost on the way home");
    let report = running.runtime.block_on(wipe).unwrap();
    assert_eq!((report.entries_held, report.entries_open), (2, 0));
    assert_eq!(
        (report.proofs_missing, report.parcels_without_outcome),
        (0, 5)
    );

    phone.sync(&running.http());
    closed(&phone, stops[3], Lock::WipeOrdered);
    assert_eq!(
        phone.core().poll_task(Network::Unmetered).unwrap(),
        Task::Done
    );
    let Some(KeyTask::DestroyKey {
        unsent_entries,
        unsent_proofs,
        ..
    }) = phone.core().key_task().unwrap()
    else {
        panic!("no order to destroy the key");
    };
    assert_eq!((unsent_entries, unsent_proofs > 0), (2, true));
    assert_eq!(
        phone.core().next_task(Network::Unmetered).unwrap(),
        Task::Done
    );
    assert!(remove_store(&phone.dir).is_err(), "not while it is open");
    std::fs::write(phone.dir.join("of the app"), "stays").unwrap();
    Hardware::new(1).work(phone.core()).unwrap();
    assert!(matches!(phone.core().stops(), Err(Error::Closed)));
    let left: Vec<_> = std::fs::read_dir(&phone.dir)
        .unwrap()
        .map(|f| f.unwrap().file_name())
        .collect();
    assert_eq!(left, ["of the app"]);
    remove_store(&phone.dir).unwrap();
}
