//! The keys of a phone against the real hub: a log key that the phone's hardware vouches for, and one that
//! follows another without losing anything.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use satchel_core::Error;
use satchel_core::model::status::{Blocking, Enrolment};
use satchel_core::sync::task::{KeyPurpose, KeyTask, Network, Task, TaskOutcome, WaitReason};
use satchel_hub::ParcelRef;
use satchel_protocol::bundle::{Check, Report, Trust, Verdict, unpack, verify};
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::{Hash32, ParcelId};
use satchel_tests::day::Day;
use satchel_tests::hardware::Hardware;
use satchel_tests::link::Transport;
use satchel_tests::phone::{Phone, SyncEnd};
use satchel_tests::running::Running;
use satchel_tests::toy_hub::ToyHub;

/// Enrols with the stand-in for a hardware key.
fn enrolled(running: &Running, invite: &str, seed: u64) -> (Phone, Hardware) {
    let (phone, hardware) = (Phone::new(seed), Hardware::new(5));
    phone.core().offer_hardware_key(&hardware.public()).unwrap();
    phone.core().enrol(invite, "phone").unwrap();
    hardware.work(phone.core()).unwrap();
    assert_eq!(phone.sync(&running.http()), SyncEnd::Done);
    (phone, hardware)
}

fn stops(phone: &Phone) -> Vec<(satchel_protocol::ids::StopId, ParcelId)> {
    let stops = phone.core().stops().unwrap();
    stops
        .iter()
        .map(|s| (s.stop_id, s.parcels[0].parcel_id))
        .collect()
}

/// The hub's evidence about a parcel, and the courier's own, both checked.
fn evidence(running: &Running, phone: &Phone, parcel: ParcelId) -> [Report; 2] {
    let trust = Trust {
        hub: Some(Hash32(running.hub.public_key().to_bytes())),
        witnesses: vec![],
    };
    let reference = ParcelRef::Id(parcel);
    let of_hub = running.runtime.block_on(running.hub.evidence(&reference));
    let of_phone = phone.core().evidence(parcel);
    [of_hub.unwrap(), of_phone.unwrap()].map(|file| verify(&file, &trust).unwrap())
}

#[test]
fn a_log_key_is_vouched_for_by_the_phones_hardware_and_every_bundle_says_so() {
    let running = Running::start();
    let invite = running.round(2);
    let (phone, hardware) = (Phone::new(1), Hardware::new(5));
    phone.core().offer_hardware_key(&hardware.public()).unwrap();
    phone.core().enrol(&invite, "phone").unwrap();

    // Nothing goes out before the hardware has signed, and a signature of another key or text does not count.
    let waits = Task::Wait {
        until_ms: None,
        why: WaitReason::InFlight,
    };
    assert_eq!(phone.core().next_task(Network::Unmetered).unwrap(), waits);
    let Some(KeyTask::Sign { id, purpose, bytes }) = phone.core().key_task().unwrap() else {
        panic!("nothing to sign");
    };
    assert_eq!(purpose, KeyPurpose::Enrolment);
    for wrong in [
        Hardware::new(6).sign(&bytes),
        hardware.sign(b"other"),
        vec![],
        vec![0; 64],
    ] {
        let refused = phone.core().complete_key_task(&id, &wrong);
        assert!(matches!(refused, Err(Error::HardwareSignature)));
    }
    phone
        .core()
        .complete_key_task("0000000000000000", &hardware.sign(&bytes))
        .unwrap();
    assert!(
        phone.core().key_task().unwrap().is_some(),
        "the id was another task's"
    );
    phone
        .core()
        .complete_key_task(&id, &hardware.sign(&bytes))
        .unwrap();
    assert_eq!(phone.core().key_task().unwrap(), None);
    assert_eq!(phone.sync(&running.http()), SyncEnd::Done);

    let (stop, parcel) = stops(&phone)[0];
    phone.deliver(stop, 1).unwrap();
    assert_eq!(phone.sync(&running.http()), SyncEnd::Done);
    for report in evidence(&running, &phone, parcel) {
        assert!(report.holds(), "{report}");
        assert_eq!(report.verdict(Check::HardwareKey), Some(Verdict::Proven));
        let line = "proven  a key in the phone's hardware vouches for its log key";
        assert!(report.to_string().contains(line), "{report}");
    }

    // A phone without one is taken too, and said to be what it is.
    let plain = Phone::new(9);
    plain.enrol(&running.invite("李师傅"), &running.http());
    running.import("李师傅", 1);
    assert!(matches!(
        plain.core().offer_hardware_key(&hardware.public()),
        Err(Error::AlreadyEnrolled)
    ));
}

#[test]
fn a_hub_that_requires_a_hardware_key_says_so_and_takes_the_phone_once_it_has_one() {
    let running = Running::start_with(|config| config.require_hardware_key = true);
    let invite = running.round(1);
    let (phone, hardware) = (Phone::new(1), Hardware::new(5));
    phone.core().enrol(&invite, "phone").unwrap();
    assert_eq!(
        phone.core().key_task().unwrap(),
        None,
        "nobody asked for one yet"
    );
    assert_eq!(phone.sync_now(&running.http()), SyncEnd::Waiting);
    assert_eq!(
        phone.core().sync_status().unwrap().blocking,
        Some(Blocking::Refused)
    );
    assert_eq!(phone.core().enrolment().unwrap(), Enrolment::Pending);
    assert_eq!(phone.core().key_task().unwrap(), Some(KeyTask::Offer));
    for none in [b"".as_slice(), b"not a key", &[4; 65]] {
        let refused = phone.core().offer_hardware_key(none);
        assert!(matches!(refused, Err(Error::InvalidInput { .. })));
    }
    // The code is still good.
    assert_eq!(hardware.work(phone.core()).unwrap(), 2);
    assert_eq!(phone.sync(&running.http()), SyncEnd::Done);
    assert!(matches!(
        phone.core().enrolment().unwrap(),
        Enrolment::Enrolled { .. }
    ));
}

#[test]
fn a_new_log_key_counts_from_its_entry_on_and_no_request_is_refused_on_the_way() {
    let running = Running::start();
    let invite = running.round(6);
    let (phone, hardware) = enrolled(&running, &invite, 1);
    let stops = stops(&phone);
    for round in 0..3 {
        phone.deliver(stops[2 * round].0, 1).unwrap();
        phone.core().rotate_log_key().unwrap();
        // Until the hardware has signed, the old key goes on.
        phone.fail(stops[2 * round + 1].0).unwrap();
        assert_eq!(hardware.work(phone.core()).unwrap(), 1);
        phone.core().reveal(stops[2 * round + 1].0).unwrap();
        // A second change before the first has arrived does not begin.
        phone.core().rotate_log_key().unwrap();
        assert_eq!(phone.core().key_task().unwrap(), None);
        assert_eq!(phone.sync(&running.http()), SyncEnd::Done);
        let status = phone.core().sync_status().unwrap();
        assert_eq!((status.unsent_entries, status.wedged_entries), (0, 0));
        assert_eq!(status.blocking, None);
    }
    for (place, (_, parcel)) in stops.iter().enumerate() {
        for report in evidence(&running, &phone, *parcel) {
            assert!(report.holds(), "{place}: {report}");
            assert_eq!(report.verdict(Check::Signatures), Some(Verdict::Proven));
        }
    }
    // The last delivery came after two changes; without them its key would be nobody's.
    let reference = ParcelRef::Id(stops[4].1);
    let file = running
        .runtime
        .block_on(running.hub.evidence(&reference))
        .unwrap();
    let (bundle, _) = unpack(&file).unwrap();
    assert_eq!(bundle.rotations.map(|r| r.len()), Some(2));
}

#[test]
fn a_phone_without_a_hardware_key_changes_its_key_at_once() {
    let running = Running::start();
    let phone = Phone::new(1);
    phone.enrol(&running.round(1), &running.http());
    phone.core().rotate_log_key().unwrap();
    let (stop, parcel) = stops(&phone)[0];
    phone.deliver(stop, 1).unwrap();
    assert_eq!(phone.sync(&running.http()), SyncEnd::Done);
    for report in evidence(&running, &phone, parcel) {
        assert!(report.holds(), "{report}");
        assert_eq!(report.verdict(Check::HardwareKey), Some(Verdict::Open));
    }
}

/// Hands requests through and loses the answers to the first few.
struct Deaf<'a>(&'a dyn Transport, std::cell::Cell<u32>);

impl Transport for Deaf<'_> {
    fn send(&self, task: &satchel_core::sync::task::HttpTask) -> Option<TaskOutcome> {
        let outcome = self.0.send(task);
        let left = self.1.get();
        self.1.set(left.saturating_sub(1));
        if left > 0 {
            return Some(TaskOutcome::Failed);
        }
        outcome
    }
}

#[test]
fn lost_answers_restarts_and_a_restored_hub_do_not_lock_a_phone_out_that_changed_its_key() {
    let mut running = Running::start();
    let invite = running.round(4);
    let (mut phone, hardware) = enrolled(&running, &invite, 1);
    let stops = stops(&phone);
    let backup = running.backup();
    phone.core().rotate_log_key().unwrap();
    // Killed between the two halves: the same task is there again.
    let task = phone.core().key_task().unwrap();
    assert!(task.is_some());
    phone.restart();
    assert_eq!(phone.core().key_task().unwrap(), task);
    hardware.work(phone.core()).unwrap();
    phone.deliver(stops[0].0, 1).unwrap();

    // The hub takes the change, and the phone does not hear of it.
    let http = running.http();
    phone.sync(&Deaf(&http, 3.into()));
    phone.restart();
    assert_eq!(phone.sync(&http), SyncEnd::Done);
    assert_eq!(phone.core().sync_status().unwrap().unsent_entries, 0);
    phone.deliver(stops[1].0, 2).unwrap();
    assert_eq!(phone.sync(&http), SyncEnd::Done);

    // The hub is set back to before the change: it knows the old key alone, and gets everything again.
    running.restore(&backup);
    let anew = running.hub.begin_log_anew("restored from a backup");
    running.runtime.block_on(anew).unwrap();
    phone.deliver(stops[2].0, 3).unwrap();
    phone.clock.advance_ms(60 * 60 * 1_000);
    phone.sync(&running.http());
    let status = phone.core().sync_status().unwrap();
    assert_eq!(status.unsent_entries, 0, "{status:?}");
    assert_eq!(status.blocking, None);
}

/// What may happen to a phone around its keys.
#[derive(Debug, Clone, Copy)]
enum Step {
    Record,
    BeginChange,
    HardwareSigns,
    Sync,
    SyncDeaf,
    Kill,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Record),
        2 => Just(Step::BeginChange),
        2 => Just(Step::HardwareSigns),
        2 => Just(Step::Sync),
        1 => Just(Step::SyncDeaf),
        1 => Just(Step::Kill),
    ];
    proptest::collection::vec(step, 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// In whatever order keys change, answers are lost and the app dies: the hub, which checks each entry under the
    /// one key of its place, ends up with the whole log.
    #[test]
    fn a_log_survives_its_keys(steps in steps(), with_hardware in any::<bool>()) {
        let day = Day::new(3).stops(2);
        let (mut phone, hardware) = (Phone::new(3), Hardware::new(5));
        let hub = ToyHub::new(phone.clock.clone());
        let (invite, courier) = hub.invite("王师傅");
        hub.give(courier, day.items());
        if with_hardware {
            phone.core().offer_hardware_key(&hardware.public()).unwrap();
        }
        phone.core().enrol(&invite, "phone").unwrap();
        hardware.work(phone.core()).unwrap();
        prop_assert_eq!(phone.sync(&hub), SyncEnd::Done);
        let mut recorded = 1;
        for step in steps {
            match step {
                Step::Record => {
                    phone.core().reveal(day.stop_id(0)).unwrap();
                    recorded += 1;
                }
                Step::BeginChange => phone.core().rotate_log_key().unwrap(),
                Step::HardwareSigns => drop(hardware.work(phone.core()).unwrap()),
                Step::Sync => prop_assert_eq!(phone.sync(&hub), SyncEnd::Done),
                Step::SyncDeaf => drop(phone.sync_now(&Deaf(&hub, 2.into()))),
                Step::Kill => phone.restart(),
            }
        }
        phone.clock.advance_ms(60 * 60 * 1_000);
        prop_assert_eq!(phone.sync(&hub), SyncEnd::Done);
        let status = phone.core().sync_status().unwrap();
        prop_assert_eq!((status.unsent_entries, status.wedged_entries), (0, 0));
        let log = hub.log(phone.device());
        let changes = log.iter().filter(|(h, _)| h.kind == EntryKind::KEY_ROTATED).count();
        prop_assert_eq!(log.len(), recorded + changes);
    }
}
