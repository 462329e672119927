//! Satchel's turn: the real core against the real hub over the same line as the floor.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use image::RgbImage;
use rusqlite::{Connection, params};
use satchel_core::clock::Clock as _;
use satchel_core::model::attempt::{Completion, ParcelOutcome, ParcelResult};
use satchel_core::proof::blob::BlobStore;
use satchel_core::proof::photo::PhotoSource;
use satchel_core::protocol::taxonomy::{Action, HandoffKind, PhotoOrigin, Reason};
use satchel_core::rules::position::RawFix;
use satchel_core::sync::task::{HttpTask, Network, Purpose, Task, TaskOutcome};
use satchel_hub::import::Mapping;
use satchel_hub::{Hub, HubConfig, ImportOptions, SimClock};
use satchel_tests::day::MORNING_MS;
use satchel_tests::http::HttpTransport;
use satchel_tests::link::Transport;
use satchel_tests::phone::{KEY, Phone, SyncEnd, unlock};
use serde_json::Value;

use super::wire::{Line, Wire};
use super::{Measured, Start};
use crate::Failure;
use crate::record::{Rng, note, scribble};

const COURIER: &str = "Courier One";
const MAPPING: &str = r#"{
  "version": 1, "source": "bench", "datum": "wgs84",
  "time": { "format": "%m-%d %H:%M:%S", "utc_offset_min": 480, "default_year": 2026 },
  "group": "single",
  "fields": {
    "waybill": { "column": "id" }, "lat": { "column": "lat" }, "lng": { "column": "lng" },
    "accepted_at": { "column": "at" }, "address": { "column": "address" },
    "recipient_name": { "column": "name" }, "recipient_phone": { "column": "phone" },
    "promise_class": { "constant": "same_city" }
  }
}"#;

/// Photos of 200 KB whose files have not given way to the quota of 256 MB.
const PHOTOS_KEPT: i64 = 1_300;

/// A hub, a line to it, and what keeps them running.
pub(super) struct Bench {
    hub: Hub,
    db: std::path::PathBuf,
    clock: Arc<SimClock>,
    wire: Wire,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    /// A hub with its state in `dir`, a round of `stops`, behind `line`.
    pub(super) fn start(dir: &Path, stops: usize, line: Line) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Runtime::new()?;
        let home = dir.join("hub");
        let clock = Arc::new(SimClock::frozen(MORNING_MS));
        let (hub, wire) = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
            let wire = Wire::to(listener.local_addr()?, line)?;
            let mut config = HubConfig::new(home.clone(), &wire.url);
            config.clock = clock.clone();
            let hub = Hub::open(config).await?;
            let serving = hub.clone();
            tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
            Ok::<_, Failure>((hub, wire))
        })?;
        let mut csv = String::from("id,lat,lng,at,address,name,phone\n");
        for i in 0..stops {
            csv.push_str(&format!(
                "WB{i:04},37.5{i:04},121.4,11-21 07:30:00,Harbour Road {i} Room 12,Zhang {i},138{i:08}\n"
            ));
        }
        let mapping = Mapping::from_json(MAPPING.as_bytes())?;
        let options = ImportOptions {
            couriers: vec![COURIER.into()],
            ..ImportOptions::default()
        };
        runtime.block_on(hub.import(csv.as_bytes(), &mapping, &options))?;
        let db = home.join("hub.db");
        Ok(Self {
            hub,
            db,
            clock,
            wire,
            runtime,
        })
    }

    /// A phone that is enrolled and has its round.
    fn phone(&self, seed: u64, net: &Net) -> Result<Phone, Failure> {
        let invite = self.runtime.block_on(self.hub.invite(COURIER))?.to_text();
        let phone = Phone::new(seed);
        phone.enrol(&invite, net);
        Ok(phone)
    }

    /// Records `attempts` offline, then pushes them.
    pub(super) fn push(&self, attempts: usize, ink_bytes: usize) -> Result<Measured, Failure> {
        let net = Net::new(false);
        let phone = self.phone(1, &net)?;
        let mut rng = Rng(0x5EED);
        for stop in phone.core().stops()?.iter().take(attempts) {
            let draft = phone
                .core()
                .begin_attempt(stop.stop_id, HandoffKind::Recipient)?;
            phone.core().complete_attempt(
                draft.attempt_id,
                &failed(&phone, stop, ink_bytes, &mut rng)?,
            )?;
        }
        let (before, requests, start) = (self.wire.traffic(), net.requests(), Start::now());
        for _ in 0..1_000 {
            match phone.core().next_task(Network::Unmetered)? {
                Task::Http(task) if task.purpose == Purpose::Log => {
                    let outcome = net.send(&task).unwrap_or(TaskOutcome::Failed);
                    phone.core().complete_task(&task.id, outcome)?;
                    continue;
                }
                Task::Http(task) => phone.core().complete_task(&task.id, TaskOutcome::Failed)?,
                Task::Wait { .. } | Task::Done => {}
            }
            // The push ends with the last receipt: what the phone does behind it, a look at the feed and tidying
            // its store, is no part of it, nor is what a screen asks.
            let sent = net.requests() - requests;
            let measured = Measured::new(start, self.wire.traffic().since(before), sent);
            let status = phone.core().sync_status()?;
            if status.unsent_entries + status.unsent_proofs == 0 {
                return Ok(measured);
            }
            phone.wait();
        }
        Err("something was left unsent".into())
    }

    /// Puts `items` into the feed behind the round, as a hub would.
    pub(super) fn tell(&self, items: &[Value]) -> Result<(), Failure> {
        let mut conn = Connection::open(&self.db)?;
        conn.busy_timeout(Duration::from_secs(5))?;
        let courier: Vec<u8> =
            conn.query_row("SELECT courier_id FROM feed_item", [], |r| r.get(0))?;
        let first: i64 = conn.query_row("SELECT max(seq) FROM feed_item", [], |r| r.get(0))?;
        let tx = conn.transaction()?;
        for (n, item) in items.iter().enumerate() {
            tx.execute(
                "INSERT INTO feed_item (courier_id, seq, kind, data) VALUES (?1, ?2, 'change', ?3)",
                params![courier, first + 1 + i64::try_from(n)?, item.to_string()],
            )?;
        }
        tx.commit()?;
        Ok(())
    }

    /// A fresh phone's first look at the feed.
    pub(super) fn pull(&self) -> Result<Measured, Failure> {
        let net = Net::new(false);
        let invite = self.runtime.block_on(self.hub.invite(COURIER))?.to_text();
        let phone = Phone::new(9);
        phone.core().enrol(&invite, "bench")?;
        // Enrolment is not part of it: a fresh phone enrols once and pulls every day.
        net.stop_before(Purpose::Feed);
        phone.sync_now(&net);
        net.go_on();
        let (before, requests, start) = (self.wire.traffic(), net.requests(), Start::now());
        until_done(&phone, &net)?;
        let sent = net.requests() - requests;
        Ok(Measured::new(
            start,
            self.wire.traffic().since(before),
            sent,
        ))
    }

    /// `photos` attempts with a photo each; with `cut`, each upload is cut once at half. Gives the bytes
    /// of the photos beside what it took.
    pub(super) fn photos(&self, photos: usize, cut: bool) -> Result<(Measured, u64), Failure> {
        let net = Net::new(cut);
        let phone = self.phone(2, &net)?;
        let home = tempfile::tempdir()?;
        for (n, stop) in phone.core().stops()?.iter().take(photos).enumerate() {
            let draft = phone
                .core()
                .begin_attempt(stop.stop_id, HandoffKind::Recipient)?;
            let file = home.path().join("photo.jpg");
            picture(n, &file)?;
            phone.core().add_photo(
                draft.attempt_id,
                PhotoSource::Path(&file),
                PhotoOrigin::Camera,
            )?;
            let mut rng = Rng(n as u64);
            let done = failed(&phone, stop, 0, &mut rng)?;
            phone.core().complete_attempt(draft.attempt_id, &done)?;
        }
        // The records first, over a line that costs money: what follows is the photos alone.
        while let Task::Http(task) = phone.core().next_task(Network::Metered)? {
            if let Some(outcome) = net.send(&task) {
                phone.core().complete_task(&task.id, outcome)?;
            }
        }
        let (before, requests, start) = (self.wire.traffic(), net.requests(), Start::now());
        self.until_sent(&phone, &net)?;
        // Looks at log and feed that fall due meanwhile are no part of the uploads.
        let sent = net.photo_requests.load(Ordering::Relaxed);
        let others = net.requests() - requests - sent;
        if others > 0 {
            eprintln!("beside {sent} requests for photos, {others} for log and feed");
        }
        let measured = Measured::new(start, self.wire.traffic().since(before), sent);
        Ok((measured, net.photo_bytes.load(Ordering::Relaxed)))
    }

    /// The host's loop with nobody asking for a sync between; the hub lives by the phone's clock, which waits.
    fn until_sent(&self, phone: &Phone, net: &Net) -> Result<(), Failure> {
        for _ in 0..10_000 {
            if phone.sync_now(net) == SyncEnd::Done {
                return Ok(());
            }
            phone.wait();
            self.clock.set(phone.clock.wall_ms());
        }
        Err("sync does not end".into())
    }
}

fn until_done(phone: &Phone, net: &Net) -> Result<(), Failure> {
    for _ in 0..100 {
        if phone.sync(net) == SyncEnd::Done {
            return Ok(());
        }
    }
    Err("sync does not end".into())
}

/// A failed visit with a note, a position and, where wanted, a signature.
fn failed(
    phone: &Phone,
    stop: &satchel_core::model::stop::StopView,
    ink_bytes: usize,
    rng: &mut Rng,
) -> Result<Completion, Failure> {
    let note = note(rng);
    let outcome = ParcelOutcome::Failed {
        reason: Reason::NoParking,
        action: Action::RetryOnFoot,
    };
    let parcel = phone.stop(stop.stop_id);
    let parcel = parcel.parcels.first().ok_or("a stop without a parcel")?;
    Ok(Completion {
        signature: (ink_bytes > 0).then(|| scribble(ink_bytes, rng)),
        fix: Some(RawFix::wgs84(37.539_297, 121.391_382, 8.5, 1_200, false)),
        note: Some(note),
        ..Completion::new(
            HandoffKind::Recipient,
            vec![ParcelResult::new(parcel.parcel_id, outcome)],
        )
    })
}

/// A picture with detail enough to stay near 200 KB.
pub(crate) fn picture(n: usize, file: &Path) -> Result<(), Failure> {
    let mut rng = Rng(n as u64);
    let mut picture = RgbImage::new(1_200, 900);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let grain = u8::try_from(rng.below(48))?;
        let shade = |v: u32| u8::try_from(v % 200).unwrap_or(0).saturating_add(grain);
        *pixel = image::Rgb([shade(x / 6), shade(y / 4), shade((x + y) / 9)]);
    }
    picture.save_with_format(file, image::ImageFormat::Jpeg)?;
    Ok(())
}

/// Opens a store whose log has `entries` and lists the round. Gives the milliseconds to the list.
pub(super) fn cold_open(bench: &Bench, entries: usize) -> Result<f64, Failure> {
    let net = Net::new(false);
    let mut phone = bench.phone(3, &net)?;
    let stops = phone.core().stops()?;
    let stop = stops.first().ok_or("no stop")?;
    let draft = phone
        .core()
        .begin_attempt(stop.stop_id, HandoffKind::Recipient)?;
    let done = failed(&phone, stop, 0, &mut Rng(1))?;
    phone.core().complete_attempt(draft.attempt_id, &done)?;
    until_done(&phone, &net)?;
    phone.kill();
    let conn = Connection::open(phone.dir.join("satchel.db"))?;
    conn.execute_batch(&unlock(&KEY))?;
    // Months of work: the same entry again and again, received long ago, three and a photo for each stop of as many rounds
    // as that makes, all of them over.
    let rounds = entries / 3 / stops.len().max(1);
    conn.execute_batch(&format!(
        "WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < {rounds})
         INSERT INTO route (route_id, name, service_date, depot_lat, depot_lng, raw)
         SELECT randomblob(16), name, date(service_date, (-n - 2) || ' days'), depot_lat, depot_lng, raw
         FROM more, route;
         INSERT INTO stop (stop_id, route_id, position, lat, lng, address, recipient_name, recipient_phone, version, raw)
         SELECT randomblob(16), r.route_id, position, lat, lng, address, recipient_name, recipient_phone, version, s.raw
         FROM route r, stop s WHERE r.route_id <> s.route_id;
         INSERT INTO parcel (parcel_id, stop_id, waybill, handle, rating_key, promise_class, promised_by_ms,
             accepted_at_ms, tags, door_required, state, outcome, attempts, last_seq, version, history)
         SELECT randomblob(16), s.stop_id, waybill, handle, rating_key, promise_class, promised_by_ms,
             accepted_at_ms, tags, door_required, 'DELIVERED', 'delivered', attempts, 100, p.version, history
         FROM stop s, parcel p
         WHERE p.history IS NOT NULL AND s.route_id <> (SELECT route_id FROM stop WHERE stop_id = p.stop_id);
         CREATE TEMP TABLE visit AS SELECT row_number() OVER () AS n, stop_id FROM parcel WHERE state = 'DELIVERED';
         INSERT INTO attempt (attempt_id, stop_id, handoff, data_key, opened_at_ms, completed_at_ms)
         SELECT unhex(printf('%032x', n)), stop_id, 'recipient', randomblob(32), 1, 2 FROM visit;
         INSERT INTO proof (attempt_id, hash, kind, size_bytes, captured_at_ms, bound_seq, received_at_ms, in_folder)
         SELECT unhex(printf('%032x', n)), randomblob(32), 'photo', 200000, 1, 1, 1, 1 FROM visit;
         CREATE TEMP TABLE past AS SELECT row_number() OVER () AS n, stop_id FROM stop;
         CREATE INDEX past_by_n ON past (n);
         WITH RECURSIVE more (n) AS (SELECT max(seq) + 1 FROM entry UNION ALL
             SELECT n + 1 FROM more WHERE n < {entries})
         INSERT INTO entry (seq, hash, kind, header, sig, salt, body, stop_id, occurred_at_ms)
         SELECT more.n, hash, kind, header, sig, salt, body, past.stop_id, occurred_at_ms - 864000000
         FROM more JOIN past ON past.n = (more.n / 3) % (SELECT count(*) FROM past) + 1,
             (SELECT * FROM entry ORDER BY seq DESC LIMIT 1);
         INSERT OR IGNORE INTO received (seq, at_ms, has_ink) SELECT seq, 1, 0 FROM entry;
         UPDATE phone SET received_upto = (SELECT max(seq) FROM entry);"
    ))?;
    let kept: Vec<([u8; 32], [u8; 32])> = conn
        .prepare(
            "SELECT data_key, hash FROM proof JOIN attempt USING (attempt_id) WHERE in_folder ORDER BY id DESC LIMIT ?1",
        )?
        .query_map([PHOTOS_KEPT], |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (key, hash) in &kept {
        std::fs::write(
            phone
                .dir
                .join("blobs")
                .join(BlobStore::file_name(key, hash)),
            [],
        )?;
    }
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    drop(conn);
    // The phone lays aside what is past at moments at which it has nothing to send. The hub of the bench does not hold
    // these months, so it is out of reach meanwhile.
    phone.open()?;
    while let Task::Http(task) = phone.core().next_task(Network::Unmetered)? {
        phone.core().complete_task(&task.id, TaskOutcome::Failed)?;
    }
    phone.kill();
    let mut best = f64::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        phone.open()?;
        let listed = phone.core().stops()?.len();
        best = best.min(start.elapsed().as_secs_f64() * 1_000.0);
        if listed != stops.len() {
            return Err("the list is not whole".into());
        }
        phone.kill();
    }
    Ok(best)
}

/// The host's HTTP with counters; it can cut each photo once and hold back a lane.
struct Net {
    http: HttpTransport,
    requests: AtomicU64,
    photo_requests: AtomicU64,
    photo_bytes: AtomicU64,
    cut: bool,
    seen: Mutex<HashSet<Option<String>>>,
    held_back: Mutex<Option<Purpose>>,
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Net {
    fn new(cut: bool) -> Self {
        Self {
            http: HttpTransport::new(Duration::from_secs(30)),
            requests: AtomicU64::new(0),
            photo_requests: AtomicU64::new(0),
            photo_bytes: AtomicU64::new(0),
            cut,
            seen: Mutex::default(),
            held_back: Mutex::default(),
        }
    }

    fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    fn stop_before(&self, purpose: Purpose) {
        self.hold(Some(purpose));
    }

    fn go_on(&self) {
        self.hold(None);
    }

    fn hold(&self, purpose: Option<Purpose>) {
        *lock(&self.held_back) = purpose;
    }
}

impl Transport for Net {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        if *lock(&self.held_back) == Some(task.purpose) {
            return Some(TaskOutcome::Failed);
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        if task.purpose == Purpose::Proof {
            self.photo_requests.fetch_add(1, Ordering::Relaxed);
        }
        if task.purpose == Purpose::Proof && task.method == "POST" {
            let bytes = task.body.len();
            // A photo is counted and cut once, also when the hub kept nothing of it.
            let photo = task.headers.iter().find(|(n, _)| n == "content-digest");
            let is_first = lock(&self.seen).insert(photo.map(|(_, name)| name.clone()));
            if is_first {
                self.photo_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
            }
            if self.cut && is_first {
                self.http.send_cut(task, bytes / 2);
                return Some(TaskOutcome::Failed);
            }
        }
        self.http.send(task)
    }
}
