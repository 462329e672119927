//! The real thing: a process records deliveries and is shot with SIGKILL at a random moment, again and
//! again on the same store. What it acknowledged must be there, once and in order.
//!
//! The short form runs 40 kills; `SATCHEL_KILLS=2000` runs the long one. The child is this very test
//! program, started again with `SATCHEL_KILL_DIR` set.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use satchel_core::clock::{ManualClock, OsEntropy};
use satchel_core::model::stop::SyncState;
use satchel_core::proof::photo::PhotoSource;
use satchel_core::{Courier, Environment};
use satchel_protocol::attempt::AttemptBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::Hash32;
use satchel_protocol::taxonomy::{HandoffKind, Outcome, PhotoOrigin};
use satchel_tests::day::{Day, MORNING_MS};
use satchel_tests::phone::{self, Phone, SyncEnd, config};
use satchel_tests::seed::{self, Rng};
use satchel_tests::toy_hub::ToyHub;

const CHILD_DIR: &str = "SATCHEL_KILL_DIR";
const STOPS: usize = 40;

fn day() -> Day {
    Day::new(77).stops(STOPS)
}

/// In the child: works through the stops until it is shot. Prints `ack HASH` after each record that
/// the core called durable.
#[test]
fn child_process() {
    let Ok(dir) = std::env::var(CHILD_DIR) else {
        return;
    };
    let from: usize = std::env::var("SATCHEL_KILL_FROM").unwrap().parse().unwrap();
    let env = Environment {
        clock: Arc::new(ManualClock::new(MORNING_MS + from as i64, 480)),
        entropy: Arc::new(OsEntropy),
    };
    let core = Courier::open(config(Path::new(&dir)), env).unwrap();
    let day = day();
    let mut out = std::io::stdout().lock();
    // libtest has begun a line of its own.
    writeln!(out, "\nopen").unwrap();
    for n in from.. {
        let stop = day.stop_id(n % STOPS);
        let draft = core.begin_attempt(stop, HandoffKind::Recipient).unwrap();
        if n % 5 == 0 {
            core.add_photo(
                draft.attempt_id,
                PhotoSource::Bytes(&phone::photo(n as u64)),
                PhotoOrigin::Camera,
            )
            .unwrap();
        }
        let mut input = phone::completion(&[day.parcel_id(n % STOPS, 0)], phone::nobody_there());
        input.signature = Some(phone::signature(n as u64));
        let recorded = core.complete_attempt(draft.attempt_id, &input).unwrap();
        writeln!(out, "ack {}", recorded.parcels[0].entry_hash).unwrap();
        out.flush().unwrap();
    }
}

/// Runs the child and shoots it `after` it has opened the store. Gives what it acknowledged.
fn run_and_shoot(dir: &Path, from: usize, after: Duration) -> Vec<Hash32> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "child_process",
            "--exact",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(CHILD_DIR, dir)
        .env("SATCHEL_KILL_FROM", from.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let opened = lines.by_ref().any(|line| line.unwrap() == "open");
    assert!(opened, "the child could not open its store");
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    lines
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("ack ")?.parse().ok())
        .collect()
}

#[test]
fn what_was_acknowledged_before_a_sigkill_is_there_after_it() {
    if std::env::var(CHILD_DIR).is_ok() {
        return;
    }
    let kills: usize = std::env::var("SATCHEL_KILLS").map_or(40, |n| n.parse().unwrap());
    let mut rng = Rng::new(seed::from_env(1));
    let home = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(MORNING_MS, 480));
    let mut phone = Phone::at(home.path(), 1, clock);
    let hub = ToyHub::new(phone.clock.clone());
    let (invite, courier) = hub.invite("王师傅");
    hub.give(courier, day().items());
    let device = phone.enrol(&invite, &hub);
    phone.kill();

    let mut acknowledged: Vec<Hash32> = Vec::new();
    let mut unacknowledged = 0;
    for kill in 0..kills {
        let after = Duration::from_micros(rng.below(200_000) as u64);
        let acks = run_and_shoot(&phone.dir, kill * 1_000, after);
        acknowledged.extend(&acks);
        // Looked at every time, sent only now and then.
        phone.open().unwrap();
        let unsent = phone.core().sync_status().unwrap().unsent_entries as usize;
        if rng.chance(40) || kill + 1 == kills {
            assert_eq!(phone.sync(&hub), SyncEnd::Done);
            let held: Vec<Hash32> = hub
                .log(device)
                .iter()
                .filter(|(h, _)| h.kind == EntryKind::ATTEMPT)
                .map(|(_, e)| e.hash())
                .collect();
            // At most the one record that was durable when the shot fell and not yet told.
            let mut told = acknowledged.iter().peekable();
            let extra = held.iter().filter(|h| told.next_if_eq(h).is_none()).count();
            assert!(
                told.peek().is_none(),
                "kill {kill}: an acknowledged record is lost"
            );
            assert!(
                extra <= kill + 1,
                "kill {kill}: {extra} records nobody asked for"
            );
            unacknowledged = extra;
        } else {
            assert!(unsent >= acks.len(), "kill {kill}");
        }
        phone.kill();
    }
    check_the_log(&hub, &mut phone, device);
    println!(
        "{kills} kills, {} acknowledged, {unacknowledged} durable but not told",
        acknowledged.len()
    );
    assert!(acknowledged.len() > kills, "the child hardly ran");
}

/// No gap, no fork (the toy hub refuses both), every proof there, attempts counted without a hole.
fn check_the_log(hub: &ToyHub, phone: &mut Phone, device: satchel_protocol::ids::DeviceId) {
    let mut attempts = std::collections::BTreeMap::new();
    for (header, entry) in hub.log(device) {
        assert!(header.blobs.iter().all(|hash| hub.has_blob(*hash)));
        if header.kind == EntryKind::ATTEMPT {
            let body = AttemptBody::decode(&entry.body.unwrap()).unwrap();
            assert_eq!(body.outcome, Outcome::Failed);
            let before = attempts.insert(body.parcel, body.attempt_no).unwrap_or(0);
            assert_eq!(body.attempt_no, before + 1);
        }
    }
    phone.open().unwrap();
    for view in phone.core().stops().unwrap() {
        let recorded = attempts.get(&view.parcels[0].parcel_id).copied();
        assert_eq!(view.parcels[0].attempts, u32::from(recorded.unwrap_or(0)));
        let expected = match recorded {
            Some(_) => SyncState::ProofComplete,
            None => SyncState::Nothing,
        };
        assert_eq!(view.sync, expected);
    }
}
