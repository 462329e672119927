//! Hubs that were set back, phones that are new, two phones of one courier, a round that changes hands: each
//! against the real hub, each with one defined end.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "how long a real request took is the machine's time"
)]

use std::time::{Duration, Instant};

use satchel_core::model::stop::{StopState, SyncState};
use satchel_core::proof::photo::PhotoSource;
use satchel_core::sync::task::{HttpTask, Network, Task, TaskOutcome, WaitReason};
use satchel_core::{Error, Refusal};
use satchel_protocol::feed::CourierItem;
use satchel_protocol::ids::{Hash32, StopId};
use satchel_protocol::taxonomy::{HandoffKind, PhotoOrigin};
use satchel_tests::link::Transport;
use satchel_tests::phone::{self, Phone, SyncEnd};
use satchel_tests::running::Running;

fn stops(phone: &Phone) -> Vec<StopId> {
    let stops = phone.core().stops().unwrap();
    stops.iter().map(|s| s.stop_id).collect()
}

fn sync(phone: &Phone, hub: &Running) {
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
}

/// Entries at the hub, and how many attempts each parcel has.
fn held(hub: &Running) -> (i64, Vec<usize>) {
    let audit = hub.audit();
    let entries = audit.devices.iter().map(|d| d.entries).sum();
    (
        entries,
        audit.parcels.iter().map(|p| p.attempts.len()).collect(),
    )
}

#[test]
fn a_hub_set_back_to_a_backup_gets_back_what_it_lacks_and_takes_no_stop_off_the_road() {
    let mut hub = Running::start();
    let phone = Phone::new(41);
    phone.enrol(&hub.round(6), &hub.http());
    let first = stops(&phone);
    phone.deliver(first[0], 1).unwrap();
    sync(&phone, &hub);
    let backup = hub.backup();
    // After the backup: three more stops, two deliveries.
    hub.import("王师傅", 9);
    sync(&phone, &hub);
    let all = stops(&phone);
    assert_eq!(all.len(), 9);
    phone.deliver(all[1], 2).unwrap();
    phone.deliver(all[8], 3).unwrap();
    sync(&phone, &hub);
    let before = held(&hub).0;

    hub.restore(&backup);
    assert_eq!(held(&hub).0, before - 2);
    let anew = hub
        .hub
        .begin_log_anew("restored from the backup of the morning");
    hub.runtime.block_on(anew).unwrap();
    // Recorded while the hub was away.
    phone.deliver(all[2], 4).unwrap();
    sync(&phone, &hub);
    assert_eq!(phone.sync(&hub.http()), SyncEnd::Done);
    for (n, stop) in all.iter().enumerate() {
        let view = phone.stop(*stop);
        assert_ne!(
            view.state,
            StopState::Removed,
            "stop {n} is still to be served"
        );
        let expected = match n {
            0..=2 | 8 => SyncState::ProofComplete,
            _ => SyncState::Nothing,
        };
        assert_eq!(view.sync, expected, "stop {n}");
    }
    // And the entry that says so: the phone's log records that the hub's began anew.
    assert_eq!(held(&hub).0, before + 2);
    let status = phone.core().sync_status().unwrap();
    assert_eq!((status.stops_unknown_to_hub, status.unsent_entries), (3, 0));
    // The dispatcher imports the file again: the same stops, known again, none twice.
    hub.import("王师傅", 9);
    sync(&phone, &hub);
    assert_eq!(stops(&phone).len(), 9);
    assert_eq!(phone.core().sync_status().unwrap().stops_unknown_to_hub, 0);
}

#[test]
fn a_phone_that_was_installed_anew_knows_what_is_done_and_repeats_nothing() {
    let hub = Running::start();
    let lost = Phone::new(42);
    lost.enrol(&hub.round(5), &hub.http());
    let all = stops(&lost);
    lost.deliver(all[0], 1).unwrap();
    lost.fail(all[1]).unwrap();
    sync(&lost, &hub);
    drop(lost);

    let phone = Phone::new(43);
    phone.enrol(&hub.invite("王师傅"), &hub.http());
    sync(&phone, &hub);
    assert_eq!(stops(&phone), all);
    assert_eq!(phone.stop(all[0]).state, StopState::Done);
    let again = phone.core().begin_attempt(all[0], HandoffKind::Recipient);
    assert!(matches!(again, Err(Error::Refused(Refusal::ParcelClosed))));
    assert_eq!(
        phone.stop(all[1]).parcels[0].attempts,
        1,
        "tried once, elsewhere"
    );
    for (n, stop) in all.iter().enumerate().skip(1) {
        phone.deliver(*stop, n as u64 + 10).unwrap();
    }
    sync(&phone, &hub);
    assert_eq!(held(&hub).1, [1, 2, 1, 1, 1]);
}

#[test]
fn two_phones_of_one_courier_keep_both_words_about_one_door() {
    let hub = Running::start();
    let (a, b) = (Phone::new(44), Phone::new(45));
    a.enrol(&hub.round(3), &hub.http());
    b.enrol(&hub.invite("王师傅"), &hub.http());
    let all = stops(&a);
    a.deliver(all[0], 1).unwrap();
    sync(&a, &hub);
    sync(&b, &hub);
    assert_eq!(b.stop(all[0]).state, StopState::Done);
    // Both without a network at the same door.
    a.deliver(all[1], 2).unwrap();
    b.deliver(all[1], 3).unwrap();
    sync(&a, &hub);
    sync(&b, &hub);
    sync(&a, &hub);
    for phone in [&a, &b] {
        let view = phone.stop(all[1]);
        assert_eq!(
            (view.state, view.sync),
            (StopState::Done, SyncState::ProofComplete)
        );
    }
    let audit = hub.audit();
    assert_eq!(held(&hub).1, [1, 2, 0], "nothing is silently discarded");
    assert!(audit.open_alarms > 0, "and somebody is told");
}

#[test]
fn a_round_that_changes_hands_mid_day_leaves_what_is_done_and_what_is_begun() {
    let hub = Running::start();
    let (a, b) = (Phone::new(46), Phone::new(47));
    a.enrol(&hub.round(5), &hub.http());
    b.enrol(&hub.invite("李师傅"), &hub.http());
    let all = stops(&a);
    a.deliver(all[0], 1).unwrap();
    sync(&a, &hub);
    let draft = a
        .core()
        .begin_attempt(all[1], HandoffKind::Recipient)
        .unwrap();
    let photo = phone::photo(2);
    let source = PhotoSource::Bytes(&photo);
    let taken = a
        .core()
        .add_photo(draft.attempt_id, source, PhotoOrigin::Camera);
    taken.unwrap();
    let begun = a.delivered(all[1], 2);

    let moved = hub.runtime.block_on(async {
        let rounds = hub.hub.rounds_of("王师傅").await.unwrap();
        let moved = hub.hub.reassign(rounds[0].0, "李师傅").await.unwrap();
        assert_eq!(hub.hub.reassign(rounds[0].0, "李师傅").await.unwrap(), 0);
        moved
    });
    assert_eq!(moved, 4);
    sync(&a, &hub);
    sync(&b, &hub);
    assert_eq!(a.stop(all[0]).state, StopState::Done);
    assert!(
        all[1..]
            .iter()
            .all(|s| a.stop(*s).state == StopState::Removed)
    );
    assert_eq!(stops(&b), all[1..]);
    // He stands at the door: what he began there still counts.
    a.core().complete_attempt(draft.attempt_id, &begun).unwrap();
    let refused = a.core().begin_attempt(all[2], HandoffKind::Recipient);
    assert!(matches!(
        refused,
        Err(Error::Refused(Refusal::ParcelClosed))
    ));
    sync(&a, &hub);
    sync(&b, &hub);
    assert_eq!(b.stop(all[1]).state, StopState::Done);
    for (n, stop) in all.iter().enumerate().skip(2) {
        b.deliver(*stop, n as u64 + 20).unwrap();
    }
    sync(&b, &hub);
    assert_eq!(held(&hub).1, [1, 1, 1, 1, 1]);
    assert_eq!(hub.audit().open_alarms, 0);
}

/// The host's loop on a network that costs money.
fn sync_metered(phone: &Phone, hub: &dyn Transport) {
    phone.core().request_sync();
    while let Task::Http(task) = phone.core().next_task(Network::Metered).unwrap() {
        let outcome = hub.send(&task).unwrap();
        phone.core().complete_task(&task.id, outcome).unwrap();
    }
}

#[test]
fn on_a_metered_line_photos_wait_unless_the_hub_asks_or_the_courier_allows_it() {
    let hub = Running::start();
    let phone = Phone::new(48);
    phone.enrol(&hub.round(3), &hub.http());
    let all = stops(&phone);
    for (n, stop) in all.iter().enumerate() {
        phone.deliver(*stop, n as u64).unwrap();
    }
    sync_metered(&phone, &hub.http());
    let status = phone.core().sync_status().unwrap();
    assert_eq!((status.unsent_entries, status.unsent_proofs), (0, 3));
    assert_eq!(status.held_back_proofs, 3);
    assert!(status.held_back_bytes > 1_000 && status.held_back_bytes == status.unsent_bytes);
    assert!(status.oldest_unsent_ms.is_some(), "photos have an age too");
    assert!(
        all.iter()
            .all(|s| phone.stop(*s).sync == SyncState::Received)
    );
    // Signatures rode along; a dispute needs one photo now.
    let proofs = |n: usize| hub.audit().parcels[n].attempts[0].proofs.clone();
    let missing: Vec<Hash32> = (0..3)
        .flat_map(|n| proofs(n).into_iter().filter(|p| !p.complete))
        .map(|p| p.hash)
        .collect();
    assert_eq!(missing.len(), 3);
    let asked = hub.runtime.block_on(hub.hub.want_proof(missing[1]));
    assert_eq!(asked.unwrap(), 1);
    sync_metered(&phone, &hub.http());
    assert!(proofs(1).iter().all(|p| p.complete));
    assert_eq!(phone.core().sync_status().unwrap().held_back_proofs, 2);
    let asked = hub.runtime.block_on(hub.hub.want_proof(missing[1]));
    assert_eq!(asked.unwrap(), 0, "it is here");

    // The operator pays: the phone hears of it and the rest goes up.
    let paid = CourierItem {
        photos_on_metered: Some(true),
        ..CourierItem::default()
    };
    let told = hub.runtime.block_on(hub.hub.set_courier("王师傅", &paid));
    told.unwrap();
    assert!(!phone.core().photos_on_metered().unwrap());
    sync_metered(&phone, &hub.http());
    assert!(
        all.iter()
            .all(|s| phone.stop(*s).sync == SyncState::ProofComplete)
    );
    assert!(phone.core().photos_on_metered().unwrap());
    assert_eq!(phone.core().sync_status().unwrap().held_back_proofs, 0);
    // What the courier chooses after that is his.
    phone.core().set_photos_on_metered(false).unwrap();
    sync_metered(&phone, &hub.http());
    assert!(!phone.core().photos_on_metered().unwrap());
}

/// How many of a phone's stops are whole, by its own word.
fn whole(phone: &Phone) -> usize {
    let stops = phone.core().stops().unwrap();
    let whole = stops.iter().filter(|s| s.sync == SyncState::ProofComplete);
    whole.count()
}

/// Proofs that entries at the hub bind: those it has, and those it has not.
fn proofs_at(hub: &Running) -> (Vec<Hash32>, Vec<Hash32>) {
    let audit = hub.audit();
    let attempts = audit.parcels.iter().flat_map(|p| &p.attempts);
    let proofs = attempts.flat_map(|a| &a.proofs);
    let (here, missing): (Vec<_>, Vec<_>) = proofs.partition(|p| p.complete);
    let hashes = |of: Vec<&satchel_hub::ProofAudit>| of.iter().map(|p| p.hash).collect();
    (hashes(here), hashes(missing))
}

/// Eighty deliveries whose photos went up after the backup that the hub was set back to: nothing of the log
/// is lost, so nothing but the photos themselves is missing.
fn photos_after_the_backup(seed: u64) -> (Running, Phone) {
    let mut hub = Running::start();
    let phone = Phone::new(seed);
    phone.enrol(&hub.round(80), &hub.http());
    for (n, stop) in stops(&phone).iter().enumerate() {
        phone.deliver(*stop, n as u64).unwrap();
    }
    sync_metered(&phone, &hub.http());
    let backup = hub.backup();
    sync(&phone, &hub);
    assert_eq!(whole(&phone), 80);
    assert_eq!(proofs_at(&hub).1.len(), 0);
    hub.restore(&backup);
    assert_eq!(proofs_at(&hub).1.len(), 80);
    (hub, phone)
}

fn begin_anew(hub: &Running) {
    let anew = hub.hub.begin_log_anew("restored from a backup");
    hub.runtime.block_on(anew).unwrap();
}

#[test]
fn photos_of_a_whole_day_go_up_again_to_a_hub_that_lost_them_with_its_restore() {
    let (hub, mut phone) = photos_after_the_backup(51);
    begin_anew(&hub);
    phone.restart();
    sync(&phone, &hub);
    assert_eq!(proofs_at(&hub).1, []);
    assert_eq!(whole(&phone), 80);
    assert_eq!(phone.core().sync_status().unwrap().unsent_proofs, 0);

    // The same in a process that goes on: it hears of it with its next request, and asks in pages instead of
    // once for each photo.
    let (hub, phone) = photos_after_the_backup(52);
    begin_anew(&hub);
    sync(&phone, &hub);
    assert_eq!(proofs_at(&hub).1, []);
    assert_eq!(whole(&phone), 80);
}

#[test]
fn a_hub_set_back_without_a_word_is_noticed_by_one_photo_and_gets_all_of_them() {
    let (hub, mut phone) = photos_after_the_backup(53);
    phone.restart();
    sync(&phone, &hub);
    assert_eq!(proofs_at(&hub).1, []);
    assert_eq!(whole(&phone), 80);
}

#[test]
fn the_hub_s_asking_for_a_photo_overrules_its_receipt_and_a_photo_that_is_gone_is_not_said_to_be_there()
 {
    let (hub, phone) = photos_after_the_backup(54);
    let (_, missing) = proofs_at(&hub);
    for hash in &missing[..3] {
        let asked = hub.runtime.block_on(hub.hub.want_proof(*hash));
        assert_eq!(asked.unwrap(), 1);
    }
    // Also where it costs money; the rest is not asked for and waits for nothing.
    sync_metered(&phone, &hub.http());
    let (here, _) = proofs_at(&hub);
    assert!(missing[..3].iter().all(|hash| here.contains(hash)));

    // Receipted photos gave way before anybody knew that the hub had lost them.
    let (hub, mut phone) = photos_after_the_backup(55);
    phone.core().set_photo_quota(0).unwrap();
    begin_anew(&hub);
    phone.restart();
    sync(&phone, &hub);
    let status = phone.core().sync_status().unwrap();
    assert_eq!((status.unsent_entries, status.unsent_proofs), (0, 0));
    assert_eq!((status.lost_proofs, whole(&phone)), (80, 0));
    let stops = phone.core().stops().unwrap();
    assert!(stops.iter().all(|s| s.sync == SyncState::ProofLost));
    assert!(phone.core().logout_warning().unwrap().is_none());
}

fn poll(phone: &Phone) -> HttpTask {
    match phone.core().poll_task(Network::Unmetered).unwrap() {
        Task::Http(task) => task,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_app_in_front_hears_of_a_new_stop_at_once_and_its_records_do_not_wait_for_that() {
    let hub = Running::start();
    let phone = Phone::new(49);
    phone.enrol(&hub.round(2), &hub.http());
    let task = poll(&phone);
    assert!(task.url.contains("&wait=25"));
    let http = hub.http();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| (http.send(&task).unwrap(), Instant::now()));
        // Meanwhile a delivery goes up, and nobody thinks there is something left to do.
        phone.deliver(stops(&phone)[0], 1).unwrap();
        assert_eq!(phone.sync_now(&hub.http()), SyncEnd::Done);
        let busy = phone.core().poll_task(Network::Unmetered).unwrap();
        assert!(matches!(
            busy,
            Task::Wait {
                why: WaitReason::InFlight,
                ..
            }
        ));
        std::thread::sleep(Duration::from_millis(600));
        assert!(!waiting.is_finished(), "there is no news yet");
        hub.import("王师傅", 3);
        let given = Instant::now();
        let (outcome, heard) = waiting.join().unwrap();
        assert!(heard.duration_since(given) < Duration::from_secs(5));
        phone.core().complete_task(&task.id, outcome).unwrap();
    });
    assert_eq!(stops(&phone).len(), 3);
}

#[test]
fn a_hub_that_does_not_know_how_to_wait_is_not_asked_in_a_circle() {
    let hub = Running::start();
    let phone = Phone::new(50);
    phone.enrol(&hub.round(1), &hub.http());
    let task = poll(&phone);
    // An older hub: the same page, at once.
    let empty = serde_json::json!({"items": [], "cursor": "c", "more": false, "server_time_ms": 1});
    let outcome = TaskOutcome::Response {
        status: 200,
        headers: vec![],
        body: empty.to_string().into_bytes(),
    };
    phone.core().complete_task(&task.id, outcome).unwrap();
    let next = phone.core().poll_task(Network::Unmetered).unwrap();
    assert!(
        matches!(
            next,
            Task::Wait {
                until_ms: Some(_),
                ..
            }
        ),
        "{next:?}"
    );
    phone.clock.advance_ms(10_000);
    poll(&phone);
}
