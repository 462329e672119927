//! What the calls of the main path cost without a border, to hold beside the same calls from Kotlin
//! (`CostTest`): the same round, the same cycle, the same facade.
//!
//! `SATCHEL_CYCLES=10000 cargo test --release -p satchel-ffi --test cost -- --nocapture` gives figures; as an
//! ordinary test it shows that the cycle does what it says.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that measures and prints"
)]

mod played_hub;

use std::time::{Duration, Instant};

use played_hub::{config, with};
use satchel_ffi::{
    Action, Completion, HandoffKind, ParcelOutcome, ParcelResult, Reason, Satchel, Stop, StopState,
};

/// Not delivered because of the weather: needs no call, and leaves the parcel open for the next try.
fn failed(stop: &Stop) -> Completion {
    let result = |parcel_id: &String| ParcelResult {
        parcel_id: parcel_id.clone(),
        outcome: ParcelOutcome::Failed {
            reason: Reason::Weather,
            action: Action::ExcusedRetry,
        },
        scan: None,
        items: vec![],
        visibly_damaged: false,
    };
    Completion {
        handoff: HandoffKind::Recipient,
        parcels: stop.parcels.iter().map(|p| result(&p.parcel_id)).collect(),
        signer_name: None,
        relation: None,
        identity: None,
        inspection: None,
        age_checked: None,
        left_at: None,
        skips: vec![],
        signature: None,
        position: None,
        note: None,
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
fn the_calls_of_the_main_path() {
    let cycles: usize = std::env::var("SATCHEL_CYCLES").map_or(60, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let phone = Satchel::open(config(&dir.path().join("store"))).unwrap();
    with(&phone, 200);

    let lists = (0..30).map(|_| {
        let start = Instant::now();
        assert_eq!(phone.stops(0, 200).unwrap().stops.len(), 200);
        start.elapsed()
    });
    println!("stops(200): median {:?}", median(lists.collect()));

    let doors = phone.stops(0, 200).unwrap().stops;
    let doors = &doors[..(cycles / 60 + 1).clamp(20, 200)];
    let times = (0..cycles).map(|i| {
        let door = &doors[i % doors.len()];
        let draft = phone
            .begin_attempt(door.stop_id.clone(), HandoffKind::Recipient)
            .unwrap();
        let completion = failed(door);
        let start = Instant::now();
        phone
            .complete_attempt(draft.attempt_id, completion)
            .unwrap();
        start.elapsed()
    });
    println!("complete_attempt: median {:?}", median(times.collect()));
    let state = phone.stop(doors[0].stop_id.clone()).unwrap().state;
    assert_eq!(state, StopState::Failed);
}
