//! What the hub asks of all its phones, against the real hub: log keys that do not grow old, a least release, and a
//! sealed key that follows the store's. None of it ever stops a record.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;

use satchel_core::clock::{Clock as _, ManualClock};
use satchel_core::rules::lease::Lock;
use satchel_core::sync::task::{KeyPurpose, KeyTask, Network, Purpose, Task};
use satchel_core::{Courier, Error, Refusal};
use satchel_protocol::crypto::Secret32;
use satchel_protocol::entry::{EntryKind, Header};
use satchel_protocol::escrow::{EscrowFile, RecoveryKey};
use satchel_protocol::ids::StopId;
use satchel_protocol::orders::{LOG_KEY_DAYS, Policy, Release};
use satchel_tests::day::Day;
use satchel_tests::hardware::Hardware;
use satchel_tests::phone::{Phone, SyncEnd};
use satchel_tests::running::Running;
use satchel_tests::toy_hub::ToyHub;
use satchel_tests::work::Work;

const DAY_MS: i64 = 24 * 3_600_000;

fn enrolled(hub: &Running) -> (Phone, Vec<StopId>) {
    let phone = Phone::new(1);
    phone.enrol(&hub.round(4), &hub.http());
    let stops = phone.core().stops().unwrap();
    (phone, stops.iter().map(|s| s.stop_id).collect())
}

fn ask(hub: &Running, policy: Policy) {
    hub.runtime.block_on(hub.hub.set_policy(policy)).unwrap();
}

/// Changes of keys in the log that the hub holds.
fn changes(work: &Work) -> usize {
    let log = work.hub.log(work.phone.device());
    let is_change = |h: &&Header| h.kind == EntryKind::KEY_ROTATED;
    log.iter()
        .map(|(header, _)| header)
        .filter(is_change)
        .count()
}

#[test]
fn a_log_key_is_changed_by_its_age_and_sixty_days_offline_stop_no_record() {
    let mut work = Work::on(Day::new(3).stops(3));
    let stop = work.day.stop_id(0);
    let record_and_sync = |work: &Work, changed: usize| {
        work.phone.core().reveal(stop).unwrap();
        assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
        assert_eq!(changes(work), changed);
    };
    work.phone
        .clock
        .advance_ms(DAY_MS * i64::from(LOG_KEY_DAYS) - 1_000_000);
    record_and_sync(&work, 0);
    for _ in 0..60 {
        work.phone.clock.advance_ms(DAY_MS);
        work.phone.core().reveal(stop).unwrap();
        // The host's loop goes on without a network, and the app is closed and opened.
        let offline = work.phone.core().next_task(Network::Offline).unwrap();
        assert!(matches!(offline, Task::Wait { .. }));
        work.phone.restart();
    }
    assert_eq!(changes(&work), 0);
    // The first receipts say that it is time, and the change goes up at once.
    record_and_sync(&work, 1);
    record_and_sync(&work, 1);
    work.phone
        .clock
        .advance_ms(DAY_MS * i64::from(LOG_KEY_DAYS));
    record_and_sync(&work, 2);
    // Every entry verifies under the key of its time: the hub takes no other.
    let status = work.phone.core().sync_status().unwrap();
    assert_eq!((status.unsent_entries, status.wedged_entries), (0, 0));
}

#[test]
fn a_clock_that_jumps_changes_no_key_and_blocks_nothing() {
    let mut work = Work::on(Day::new(3).stops(3));
    // From here on the hub has a clock of its own.
    let hub_clock = Arc::new(ManualClock::new(work.phone.clock.wall_ms(), 480));
    let hub = ToyHub::new(hub_clock);
    hub.restore(work.hub.backup());
    work.hub = hub;
    for (n, days) in [400, -800, 800, -399, 20, -20, 15].into_iter().enumerate() {
        work.phone.clock.jump_wall_ms(days * DAY_MS);
        work.phone.core().reveal(work.day.stop_id(n % 3)).unwrap();
        work.phone.restart();
        work.phone.core().reveal(work.day.stop_id(n % 3)).unwrap();
        if n % 2 == 1 {
            assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
        }
    }
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(changes(&work), 0);
    let status = work.phone.core().sync_status().unwrap();
    assert_eq!((status.unsent_entries, status.wedged_entries), (0, 0));
}

#[test]
fn the_hub_says_how_old_a_log_key_may_become_and_the_hardware_is_asked_when_it_is_time() {
    let hub = Running::start();
    let invite = hub.round(3);
    let (phone, hardware) = (Phone::new(1), Hardware::new(5));
    phone.core().offer_hardware_key(&hardware.public()).unwrap();
    phone.core().enrol(&invite, "phone").unwrap();
    hardware.work(phone.core()).unwrap();
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
    ask(
        &hub,
        Policy {
            log_key_days: Some(2),
            ..Policy::default()
        },
    );
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
    assert_eq!(phone.core().key_task().unwrap(), None);
    phone.clock.advance_ms(2 * DAY_MS);
    hub.clock_on(2 * DAY_MS);
    let stops = phone.core().stops().unwrap();
    phone.deliver(stops[0].stop_id, 1).unwrap();
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
    let Some(KeyTask::Sign { purpose, .. }) = phone.core().key_task().unwrap() else {
        panic!("nothing to sign");
    };
    assert_eq!(purpose, KeyPurpose::Rotation);
    // Until the app finds the time for that, the old key signs and nothing waits.
    phone.deliver(stops[2].stop_id, 3).unwrap();
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
    hardware.work(phone.core()).unwrap();
    phone.deliver(stops[1].stop_id, 2).unwrap();
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
    assert_eq!(phone.core().key_task().unwrap(), None);
    let audit = hub.audit();
    assert_eq!(audit.open_alarms, 0);
    let attempts: usize = audit.parcels.iter().map(|p| p.attempts.len()).sum();
    assert_eq!(attempts, 3);
}

#[test]
fn a_release_that_is_too_old_begins_nothing_and_sends_what_it_has() {
    let hub = Running::start();
    let (mut phone, stops) = enrolled(&hub);
    let ours = Courier::release().unwrap();
    let newer = Release {
        minor: ours.minor + 1,
        ..ours
    };
    let least = |least_release| Policy {
        least_release,
        ..Policy::default()
    };
    ask(&hub, least(Some(ours)));
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
    assert_eq!(phone.core().lock(), None, "the least is enough");

    phone.deliver(stops[0], 1).unwrap();
    ask(&hub, least(Some(newer)));
    // It is told while its record is on the way: both arrive.
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
    for _ in 0..2 {
        assert_eq!(phone.core().lock(), Some(Lock::Outdated));
        let refused = phone.core().reveal(stops[1]);
        let named = matches!(
            refused,
            Err(Error::Refused(Refusal::Locked(Lock::Outdated)))
        );
        assert!(named, "{refused:?}");
        assert!(phone.deliver(stops[1], 2).is_err());
        phone.restart();
    }
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
    assert_eq!(phone.core().sync_status().unwrap().unsent_entries, 0);
    let held: usize = hub.audit().parcels.iter().map(|p| p.attempts.len()).sum();
    assert_eq!(held, 1);

    ask(&hub, least(None));
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
    assert_eq!(phone.core().lock(), None);
    phone.deliver(stops[1], 2).unwrap();
}

/// What lies sealed beside the store.
fn sealed(phone: &Phone) -> Option<EscrowFile> {
    let bytes = std::fs::read(phone.dir.join("satchel.escrow")).ok()?;
    Some(EscrowFile::decode(&bytes).unwrap())
}

#[test]
fn the_sealed_key_follows_the_stores_key_and_the_recovery_key() {
    let hub = Running::start();
    let (mut phone, _) = enrolled(&hub);
    assert_eq!(sealed(&phone), None, "no recovery key, no sealed key");
    let recovery = |n| RecoveryKey::new(Secret32::new([n; 32]));
    let asks = |key: Option<&RecoveryKey>| Policy {
        recovery_key: key.map(RecoveryKey::public),
        ..Policy::default()
    };
    let opens = |phone: &Phone, key: &RecoveryKey, expected: &[u8; 32]| {
        let file = sealed(phone).unwrap();
        assert_eq!(file.keys.len(), 1);
        assert_eq!(file.keys[0].open(key).unwrap().expose(), expected);
        let rescued = hub.hub.rescue(phone.device(), "a test");
        let at_hub = hub.runtime.block_on(rescued).unwrap();
        assert_eq!(at_hub.keys.last(), file.keys.last());
    };
    ask(&hub, asks(Some(&recovery(1))));
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
    opens(&phone, &recovery(1), &phone.key);
    // Nothing is sent twice.
    phone.restart();
    phone.core().request_sync();
    while let Task::Http(task) = phone.core().next_task(Network::Unmetered).unwrap() {
        assert_ne!(task.purpose, Purpose::Escrow);
        let outcome = satchel_tests::link::Transport::send(&hub.http(), &task).unwrap();
        phone.core().complete_task(&task.id, outcome).unwrap();
    }
    // A file that went bad is written anew, and the hub hears of it.
    std::fs::write(phone.dir.join("satchel.escrow"), b"rubbish").unwrap();
    phone.restart();
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
    opens(&phone, &recovery(1), &phone.key);

    let next = [0x21; 32];
    hub.clock_on(1);
    phone.core().rekey(Secret32::new(next)).unwrap();
    phone.key = next;
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
    opens(&phone, &recovery(1), &next);
    hub.clock_on(1);
    ask(&hub, asks(Some(&recovery(2))));
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
    opens(&phone, &recovery(2), &next);
    ask(&hub, asks(None));
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
    assert_eq!(sealed(&phone), None);
    let all_zero = Policy {
        recovery_key: Some(satchel_protocol::ids::Hash32([0; 32])),
        ..Policy::default()
    };
    let refused = hub.runtime.block_on(hub.hub.set_policy(all_zero));
    assert!(
        refused.is_err(),
        "everybody could open what is sealed to it"
    );
}
