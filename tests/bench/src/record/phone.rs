//! Satchel's turn: the real core, enrolled and with a round, records one failed visit per stop.
//!
//! A failed visit ("recipient absent, deliver again") is the one outcome for which the rules ask no
//! photo, so the record can be measured alone; a signature may be given with it. A photo's own cost (decoding,
//! scaling, sealing) is another bench.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use rusqlite::Connection;
use satchel_core::clock::{OsEntropy, SystemClock};
use satchel_core::model::attempt::{Completion, ParcelOutcome, ParcelResult, SignatureInput};
use satchel_core::model::status::Enrolment;
use satchel_core::proof::ink::{InkPoint, Signature};
use satchel_core::protocol::batch::Batch;
use satchel_core::protocol::crypto::{self, Secret32};
use satchel_core::protocol::enrol::{Certificate, EnrolRequest, EnrolResponse, Invite};
use satchel_core::protocol::feed::{
    FeedItem, FeedPage, LatLng, ParcelItem, Recipient, RouteItem, StopItem,
};
use satchel_core::protocol::ids::{CourierId, Handle, Hash32, ParcelId, RouteId, StopId};
use satchel_core::protocol::receipt::Receipt;
use satchel_core::protocol::taxonomy::{Action, HandoffKind, PromiseClass, Reason};
use satchel_core::rules::position::RawFix;
use satchel_core::sync::task::{HttpTask, Network, Purpose, Task, TaskOutcome};
use satchel_core::{Courier, Environment, OpenConfig};
use satchel_tests::phone::unlock;
use uuid::Uuid;

use super::payload::{Rng, note};
use super::{Run, bytes_written, disk_bytes};
use crate::Failure;

const KEY: [u8; 32] = [0x2D; 32];

/// Records one attempt per stop.
pub(super) fn record(dir: &Path, attempts: usize, ink_bytes: usize) -> Result<Run, Failure> {
    let env = Environment {
        clock: Arc::new(SystemClock::detect()?),
        entropy: Arc::new(OsEntropy),
    };
    let config = OpenConfig {
        dir: dir.to_owned(),
        key: Secret32::new(KEY),
    };
    let core = Courier::open(config.clone(), env.clone())?;
    enrol(&core, attempts)?;
    let mut rng = Rng(0x5EED);
    let inputs: Vec<Completion> = (0..attempts)
        .map(|n| visit(n, ink_bytes, &mut rng))
        .collect();
    // Everything so far is moved into the database, so that what follows is the attempts alone.
    drop(core);
    settle(dir)?;
    let disk_before = disk_bytes(dir)?;
    let core = Courier::open(config, env)?;

    let written_before = bytes_written();
    let mut micros = Vec::with_capacity(attempts);
    let (mut recording, mut inking) = (Duration::ZERO, Duration::ZERO);
    for (n, input) in inputs.iter().enumerate() {
        let begin = Instant::now();
        let draft = core.begin_attempt(stop_id(n), HandoffKind::Recipient)?;
        let begun = begin.elapsed();
        // The signer sees his signature before it is taken, and that is when samples become ink. The peers
        // of this bench get their signature as finished bytes.
        if let Some(signature) = &input.signature {
            let look = Instant::now();
            core.check_signature(draft.attempt_id, signature, 1, 1)?;
            inking += look.elapsed();
        }
        let complete = Instant::now();
        core.complete_attempt(draft.attempt_id, input)?;
        let one = begun + complete.elapsed();
        recording += one;
        micros.push(u64::try_from(one.as_micros())?);
    }
    let seconds = recording.as_secs_f64();
    let ink_micros = u64::try_from(inking.as_micros())? / u64::try_from(attempts.max(1))?;
    let bytes_written = bytes_written() - written_before;
    let payload = stored_sizes(&core)?;
    drop(core);
    settle(dir)?;
    micros.sort_unstable();
    Ok(Run {
        seconds,
        micros,
        ink_micros,
        bytes_written,
        disk_before,
        disk_after: disk_bytes(dir)?,
        payload,
    })
}

/// Moves the log into the database and removes it, so that sizes can be compared.
fn settle(dir: &Path) -> Result<(), Failure> {
    let conn = Connection::open(dir.join("satchel.db"))?;
    conn.execute_batch(&unlock(&KEY))?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// Body and ink of the first attempt, as they would be sent.
fn stored_sizes(core: &Courier) -> Result<(usize, usize), Failure> {
    for _ in 0..10 {
        let Task::Http(task) = core.next_task(Network::Unmetered)? else {
            break;
        };
        if task.method == "POST" && task.purpose == Purpose::Log {
            let batch = Batch::decode(&task.body)?;
            let attempt = batch.entries.iter().find(|e| {
                let body = e.body.as_ref().map_or(0, Vec::len);
                body > 200
            });
            let body = attempt.and_then(|e| e.body.as_ref()).map_or(0, Vec::len);
            let ink = batch.blobs.first().map_or(0, |b| b.bytes.len());
            return Ok((body, ink));
        }
        // A fresh process asks first what the hub holds: nothing.
        core.complete_task(&task.id, nothing_held(core)?)?;
    }
    Err("the log was not offered for sending".into())
}

/// A failed visit with a note, a position and a signature.
fn visit(n: usize, ink_bytes: usize, rng: &mut Rng) -> Completion {
    let words = note(rng);
    let outcome = ParcelOutcome::Failed {
        reason: Reason::NoParking,
        action: Action::RetryOnFoot,
    };
    Completion {
        signature: Some(scribble(ink_bytes, rng)),
        fix: Some(RawFix::wgs84(37.539_297, 121.391_382, 8.5, 1_200, false)),
        note: Some(words),
        ..Completion::new(
            HandoffKind::Recipient,
            vec![ParcelResult::new(parcel_id(n), outcome)],
        )
    }
}

/// A long signature that fills `ink_bytes`: loops across the pad as a finger draws them, sampled 120
/// times a second, with the tremble of a finger, so that hardly a point can be left out.
pub(crate) fn scribble(ink_bytes: usize, rng: &mut Rng) -> SignatureInput {
    let wildness = 1.0 + f32::from(rng.below(100)) / 400.0;
    let mut points = u16::try_from(ink_bytes / 3).unwrap_or(2_000);
    loop {
        let mut tremble = || f32::from(rng.below(200)) / 100.0 - 1.0;
        let stroke: Vec<InkPoint> = (0..points)
            .map(|n| {
                let t = f32::from(n) / 24.0;
                let across = 40.0 + 500.0 * f32::from(n) / f32::from(points);
                InkPoint {
                    x: across + 18.0 * (t * 2.1 * wildness).cos() + tremble(),
                    y: 150.0 + 80.0 * (t * wildness).sin() + 30.0 * (t * 0.37).sin() + tremble(),
                    t_ms: u32::from(n) * 8,
                    ..InkPoint::default()
                }
            })
            .collect();
        let input = SignatureInput {
            strokes: vec![stroke],
            canvas_width: 600.0,
            canvas_height: 300.0,
            ..SignatureInput::default()
        };
        let bytes = Signature::from_strokes(&input.strokes, 600.0, 300.0)
            .map_or(0, |ink| ink.encode().len());
        if bytes >= ink_bytes || points > 4_000 {
            return input;
        }
        points += points / 40 + 4;
    }
}

/// Plays the hub for enrolment and one feed page.
fn enrol(core: &Courier, stops: usize) -> Result<(), Failure> {
    let hub = core_hub();
    let invite = Invite {
        version: 1,
        hub_url: "http://hub.invalid".into(),
        code: [7; 16],
        hub_key: hub.verifying_key().to_bytes(),
        pins: None,
    };
    core.enrol(&invite.to_text(), "bench")?;
    for _ in 0..10 {
        let Task::Http(task) = core.next_task(Network::Unmetered)? else {
            break;
        };
        let outcome = match task.purpose {
            Purpose::Feed => json(&round(stops)?)?,
            _ => answer(&hub, &task)?,
        };
        core.complete_task(&task.id, outcome)?;
        if task.purpose == Purpose::Feed {
            return Ok(());
        }
    }
    Err("the phone did not ask for its route".into())
}

fn nothing_held(core: &Courier) -> Result<TaskOutcome, Failure> {
    let Enrolment::Enrolled { device_id, .. } = core.enrolment()? else {
        return Err("not enrolled".into());
    };
    let receipt = Receipt {
        version: 1,
        device: device_id,
        hub_key: crypto::key_id(&core_hub().verifying_key()),
        received_at_ms: 1,
        entries: vec![],
        blobs: vec![],
        head_seq: 0,
        wedged: None,
    };
    Ok(TaskOutcome::Response {
        status: 200,
        headers: vec![],
        body: receipt.sign(&core_hub()).encode(),
    })
}

fn core_hub() -> SigningKey {
    SigningKey::from_bytes(&[0x48; 32])
}

fn answer(hub: &SigningKey, task: &HttpTask) -> Result<TaskOutcome, Failure> {
    if task.purpose != Purpose::Enrol {
        return Ok(TaskOutcome::Failed);
    }
    let request: EnrolRequest = serde_json::from_slice(&task.body)?;
    let courier = CourierId(Uuid::from_u128(1));
    let certificate = Certificate {
        version: 1,
        device: request.device_id,
        log_key: request.log_key,
        courier,
        issued_at_ms: 1,
        hardware_key: None,
    };
    let certificate = certificate.sign(hub).encode();
    json(&EnrolResponse {
        device_id: request.device_id,
        courier_id: courier,
        courier_name: "bench".into(),
        hub_time_ms: 1,
        certificate: certificate.iter().map(|b| format!("{b:02x}")).collect(),
    })
}

fn json<T: serde::Serialize>(value: &T) -> Result<TaskOutcome, Failure> {
    Ok(TaskOutcome::Response {
        status: 200,
        headers: vec![],
        body: serde_json::to_vec(value)?,
    })
}

fn round(stops: usize) -> Result<FeedPage, Failure> {
    let route_id = RouteId(Uuid::from_u128(2));
    let mut items = vec![FeedItem {
        seq: 1,
        kind: RouteItem::KIND.into(),
        data: serde_json::to_value(RouteItem {
            route_id,
            name: "R1".into(),
            service_date: "2026-11-21".into(),
            depot: None,
            stop_count: u32::try_from(stops)?,
        })?,
    }];
    for n in 0..stops {
        let stop = StopItem {
            stop_id: stop_id(n),
            route_id,
            position: u32::try_from(n + 1)?,
            place: LatLng {
                lat: 37.54,
                lng: 121.39,
            },
            address: format!("Harbour Road {n}, Room 1201"),
            recipient: Recipient {
                name: "Zhang San".into(),
                phone: format!("138{n:08}"),
            },
            window_start_ms: None,
            window_end_ms: None,
            parcels: vec![ParcelItem {
                rating_key: Hash32([1; 32]),
                ..ParcelItem::bare(
                    parcel_id(n),
                    format!("YT{n:08}"),
                    Handle((n as u64).to_be_bytes()),
                    PromiseClass::SameDay,
                    1,
                    2_000_000_000_000,
                )
            }],
        };
        items.push(FeedItem {
            seq: i64::try_from(n + 2)?,
            kind: StopItem::KIND.into(),
            data: serde_json::to_value(stop)?,
        });
    }
    Ok(FeedPage {
        items,
        cursor: "1".into(),
        more: false,
        server_time_ms: 1,
        snapshot: None,
        orders: vec![],
    })
}

fn stop_id(n: usize) -> StopId {
    StopId(spread(0x51, n))
}

fn parcel_id(n: usize) -> ParcelId {
    ParcelId(spread(0x52, n))
}

/// Ids as a hub derives them: without order.
fn spread(family: u64, n: usize) -> Uuid {
    let mut rng = Rng(family << 32 | n as u64);
    Uuid::from_u64_pair(rng.next(), rng.next())
}
