//! The checker must find what is wrong: each test spoils one thing in a good day.

use satchel_core::protocol::ids::{AttemptId, CourierId, Hash32, StopId};
use satchel_core::protocol::taxonomy::Outcome;
use satchel_hub::{ParcelAudit, ProofAudit, RatingAudit};

use super::*;
use crate::child::words::{Ack, AckParcel, AckProof, RatingSeen, StopStatus};
use crate::ledger::Posted;

fn hash(n: u8) -> Hash32 {
    Hash32([n; 32])
}

fn device() -> DeviceId {
    DeviceId::from_parts(1, [1; 10])
}

fn parcel(n: u8) -> ParcelId {
    ParcelId::from_parts(2, [n; 10])
}

fn stop(n: u8) -> StopId {
    StopId::from_parts(3, [n; 10])
}

fn attempt(n: u8) -> AttemptId {
    AttemptId::from_parts(4, [n; 10])
}

fn proofs(n: u8) -> [AckProof; 2] {
    [
        AckProof {
            hash: hash(100 + n),
            kind: ProofKind::Signature,
        },
        AckProof {
            hash: hash(150 + n),
            kind: ProofKind::Photo,
        },
    ]
}

struct GoodDay {
    ledger: Ledger,
    audit: Audit,
    screens: Vec<PhoneStatus>,
    mishaps: Mishaps,
}

/// Three stops of one phone, entries 2 to 4 behind the enrolment, the first two rated.
fn good_day() -> GoodDay {
    let mut ledger = Ledger::default();
    let mut parcels = Vec::new();
    for n in 1..=3_u8 {
        let at_ms = i64::from(n) * 1_000;
        let seq = i64::from(n) + 1;
        ledger.acknowledge(
            0,
            Ack {
                attempt: attempt(n),
                stop: stop(n),
                at_ms,
                parcels: vec![AckParcel {
                    parcel: parcel(n),
                    outcome: Outcome::Delivered,
                    seq,
                    entry: hash(n),
                    rating_url: None,
                }],
                proofs: proofs(n).to_vec(),
            },
        );
        let held = proofs(n).map(|p| ProofAudit {
            hash: p.hash,
            kind: p.kind.code().to_owned(),
            bound: true,
            complete: true,
            lost: false,
        });
        parcels.push(ParcelAudit {
            parcel: parcel(n),
            waybill: n.to_string(),
            outcome: Some("delivered".to_owned()),
            attempts: vec![AttemptAudit {
                attempt: attempt(n),
                device: device(),
                seq,
                hash: hash(n),
                outcome: "delivered".to_owned(),
                handoff: "SELF".into(),
                consent_id: None,
                occurred_at_ms: at_ms,
                received_at_ms: 9_000,
                proofs: held.to_vec(),
            }],
        });
    }
    for n in [1, 2] {
        ledger.ratings.push(Posted {
            phone: 0,
            parcel: parcel(n),
            stars: 5,
            comment: None,
            before_attempt: n == 1,
        });
    }
    let rating = |n| RatingAudit {
        parcel: parcel(n),
        stars: 5,
        bound: true,
        class: "present".into(),
    };
    let audit = Audit {
        devices: vec![DeviceAudit {
            device: device(),
            courier: CourierId::from_parts(5, [5; 10]),
            entries: 4,
            head_seq: 4,
            head: hash(3),
            wedged: 0,
            quarantined: false,
        }],
        parcels,
        ratings: vec![rating(1), rating(2)],
        open_alarms: 0,
        set_aside: 0,
        open_doubts: 0,
    };
    let seen = |n| RatingSeen {
        parcel: parcel(n),
        stars: 5,
        comment: None,
    };
    let shown = |n| StopStatus {
        stop: stop(n),
        open: false,
        attempts: 1,
        sync: SyncWord::Synced,
    };
    let screens = vec![PhoneStatus {
        device: Some(device()),
        now_ms: 10_000,
        stops: vec![shown(1), shown(2), shown(3)],
        ratings: vec![seen(1), seen(2)],
        unsent_entries: 0,
        unsent_proofs: 0,
        receipt_alarms: 0,
        last_contact_ms: Some(9_000),
        online: false,
    }];
    ledger.look(&screens, &audit, true);
    let mishaps = Mishaps {
        phone_kills: 1,
        phone_restarts: 1,
        survived: (2, 2),
        hub_kills_during_upload: 1,
        hub_restarts: 1,
        lost_requests: 1,
        windows_cut_short: 1,
        recorded_offline: 3,
        refused_ratings: 0,
        unpromised: 0,
        least_offline_percent: 90,
    };
    GoodDay {
        ledger,
        audit,
        screens,
        mishaps,
    }
}

impl GoodDay {
    /// What is found wrong, by the names of the rows.
    fn failures(&self) -> Vec<&'static str> {
        check(&self.ledger, &self.audit, &self.screens, &self.mishaps)
            .into_iter()
            .filter(|row| !row.ok)
            .map(|row| row.what)
            .collect()
    }
}

#[test]
fn a_good_day_passes_every_check() {
    assert_eq!(good_day().failures(), Vec::<&str>::new());
}

#[test]
fn an_acknowledged_attempt_that_the_hub_lost_is_found() {
    let mut day = good_day();
    day.audit.parcels[1].attempts.clear();
    let failures = day.failures();
    assert!(
        failures.contains(&"acknowledged attempts at the hub exactly once"),
        "{failures:?}"
    );
    assert!(
        failures.contains(&"signatures complete at the hub, right hash"),
        "{failures:?}"
    );
}

#[test]
fn an_acknowledgement_for_something_never_recorded_is_found() {
    let mut day = good_day();
    let mut faked = day.ledger.entries[2].clone();
    faked.seq += 1;
    faked.entry = hash(77);
    day.ledger.entries.push(faked);
    let failures = day.failures();
    assert!(
        failures.contains(&"acknowledged attempts at the hub exactly once"),
        "{failures:?}"
    );
    assert!(
        failures.contains(&"phones whose log is one unbroken chain"),
        "{failures:?}"
    );
}

#[test]
fn a_dropped_ledger_line_shows_as_an_attempt_nobody_acknowledged() {
    let mut day = good_day();
    day.ledger.entries.remove(0);
    let failures = day.failures();
    assert!(
        failures.contains(&"attempts at the hub that no phone acknowledged"),
        "{failures:?}"
    );
}

#[test]
fn a_record_whose_acknowledgement_died_with_the_phone_is_allowed_and_counted() {
    let mut day = good_day();
    day.ledger.entries.pop();
    day.mishaps.recorded_offline -= 1;
    assert!(
        day.failures()
            .contains(&"attempts at the hub that no phone acknowledged")
    );
    day.mishaps.unpromised = 1;
    // The parcel's outcome was never promised either, so nothing else is left to complain about.
    assert_eq!(day.failures(), Vec::<&str>::new());
}

#[test]
fn an_attempt_held_twice_is_found() {
    let mut day = good_day();
    let twice = day.audit.parcels[0].attempts[0].clone();
    day.audit.parcels[0]
        .attempts
        .push(AttemptAudit { seq: 9, ..twice });
    assert!(
        day.failures()
            .contains(&"acknowledged attempts at the hub exactly once")
    );
}

#[test]
fn a_swapped_order_a_gap_and_a_moved_time_are_found() {
    let mut day = good_day();
    day.ledger.entries.swap(0, 1);
    assert!(
        day.failures()
            .contains(&"phones whose attempts are in order")
    );
    let mut day = good_day();
    day.audit.devices[0].head_seq = 5;
    assert!(
        day.failures()
            .contains(&"phones whose log is one unbroken chain")
    );
    let mut day = good_day();
    day.audit.parcels[0].attempts[0].occurred_at_ms += 1;
    assert_eq!(day.failures(), ["  with the time they happened"]);
}

#[test]
fn a_half_uploaded_or_unbound_photo_is_found() {
    for spoil in [
        |p: &mut ProofAudit| p.complete = false,
        |p: &mut ProofAudit| p.bound = false,
    ] {
        let mut day = good_day();
        spoil(&mut day.audit.parcels[2].attempts[0].proofs[1]);
        assert_eq!(day.failures(), ["photos complete at the hub, right hash"]);
    }
}

#[test]
fn a_screen_that_says_synced_too_early_is_found() {
    let mut day = good_day();
    let mut early = day.audit.clone();
    early.parcels[1].attempts[0].proofs[0].complete = false;
    day.ledger.look(&day.screens, &early, false);
    assert_eq!(
        day.failures(),
        ["\"synced\" on a screen was true at the hub"]
    );
    let mut day = good_day();
    day.screens[0].stops[0].sync = SyncWord::Received;
    early.parcels[0].attempts.clear();
    day.ledger.look(&day.screens, &early, false);
    assert!(
        day.failures()
            .contains(&"\"received\" on a screen was not true")
    );
}

#[test]
fn lost_doubled_unbound_and_unseen_ratings_are_found() {
    let mut day = good_day();
    day.audit.ratings.pop();
    assert!(day.failures().contains(&"ratings at the hub exactly once"));
    let mut day = good_day();
    day.audit.ratings.push(day.audit.ratings[0].clone());
    let failures = day.failures();
    assert!(
        failures.contains(&"ratings at the hub exactly once"),
        "{failures:?}"
    );
    assert!(failures.contains(&"ratings nobody gave"), "{failures:?}");
    let mut day = good_day();
    day.audit.ratings[0].bound = false;
    assert_eq!(day.failures(), ["  bound to their attempt"]);
    let mut day = good_day();
    day.screens[0].ratings.pop();
    assert_eq!(day.failures(), ["  on the courier's phone"]);
}

#[test]
fn a_day_without_its_mishaps_proves_nothing_and_fails() {
    let mut day = good_day();
    day.mishaps = Mishaps::default();
    assert!(day.failures().len() >= 6);
    let mut day = good_day();
    day.mishaps.survived = (1, 2);
    assert_eq!(day.failures(), ["  their acknowledged records still there"]);
    let mut day = good_day();
    day.screens[0].receipt_alarms = 1;
    assert_eq!(day.failures(), ["receipts that were not to be believed"]);
}
