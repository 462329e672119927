//! A photo on a line that carries four kilobytes a second: it goes up in parts that the line can carry, an entry
//! recorded meanwhile goes before the next part, and each request says how far the photo is.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use satchel_core::model::stop::SyncState;
use satchel_core::sync::task::{HttpTask, Network, Purpose, Task, TaskOutcome, UploadPart};
use satchel_tests::day::Day;
use satchel_tests::link::Transport as _;
use satchel_tests::phone::Phone;
use satchel_tests::seed::Rng;
use satchel_tests::toy_hub::ToyHub;
use satchel_tests::work::at_work;

const BYTES_A_SECOND: usize = 4_000;
/// What a host waits for an answer.
const PATIENCE_MS: i64 = 60_000;

/// A picture that does not get small.
fn noise() -> Vec<u8> {
    let mut seed = Rng::new(3);
    let picture = RgbImage::from_fn(1_600, 1_200, |_, _| {
        let n = seed.next_u64();
        Rgb([n as u8, (n >> 8) as u8, (n >> 16) as u8])
    });
    let mut out = Cursor::new(Vec::new());
    picture.write_to(&mut out, ImageFormat::Jpeg).unwrap();
    out.into_inner()
}

/// Sends over the slow line; `None` where the host's patience ends first, and nothing came of it.
fn over_the_line(phone: &Phone, hub: &ToyHub, task: &HttpTask) -> Option<TaskOutcome> {
    let takes_ms = i64::try_from(task.body.len() * 1_000 / BYTES_A_SECOND).unwrap() + 300;
    phone.clock.advance_ms(takes_ms.min(PATIENCE_MS));
    (takes_ms <= PATIENCE_MS).then(|| hub.send(task).unwrap())
}

#[test]
fn a_large_photo_gets_through_a_thin_line_in_parts_and_an_entry_goes_between_them() {
    let day = Day::new(1).stops(2);
    let (phone, hub) = at_work(&day);
    let core = phone.core();
    phone.deliver_with(day.stop_id(0), 1, &noise()).unwrap();

    let (mut parts, mut came, mut recorded) = (Vec::<(UploadPart, usize)>::new(), 0, false);
    for _ in 0..200 {
        match core.next_task(Network::Unmetered).unwrap() {
            Task::Http(task) => {
                assert_eq!(
                    task.upload.is_some(),
                    task.purpose == Purpose::Proof && !task.body.is_empty()
                );
                let outcome = over_the_line(&phone, &hub, &task);
                let arrived = outcome.is_some();
                core.complete_task(&task.id, outcome.unwrap_or(TaskOutcome::Failed))
                    .unwrap();
                let Some(part) = task.upload.filter(|_| arrived) else {
                    continue;
                };
                assert_eq!(part.from_bytes, came);
                came += task.body.len() as u64;
                parts.push((part, task.body.len()));
                if !recorded {
                    recorded = true;
                    phone.fail(day.stop_id(1)).unwrap();
                    let next = core.next_task(Network::Unmetered).unwrap();
                    let Task::Http(next) = next else {
                        panic!("{next:?}")
                    };
                    assert_eq!(next.purpose, Purpose::Log, "before the rest of the photo");
                    let outcome = over_the_line(&phone, &hub, &next).unwrap();
                    core.complete_task(&next.id, outcome).unwrap();
                    assert_eq!(phone.stop(day.stop_id(1)).sync, SyncState::ProofComplete);
                }
            }
            Task::Wait { .. } => phone.wait(),
            Task::Done => break,
        }
    }
    assert_eq!(phone.stop(day.stop_id(0)).sync, SyncState::ProofComplete);
    assert_eq!(came, parts[0].0.size_bytes, "no byte twice");
    assert!(came > 200_000, "{came}");
    assert!(parts.len() >= 3, "{parts:?}");
    let (_, later) = parts.split_first().unwrap();
    assert!(later.iter().all(|(_, bytes)| *bytes <= 80_000), "{parts:?}");
}
