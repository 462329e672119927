//! Erasing one delivery (PIPL 47): markers planted in everything personal are found in no file, log, metric,
//! URL or QR afterwards, and what was proven still is. The same search finds them before: it can fail.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used
)]

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use satchel_core::model::storage::Erasure;
use satchel_core::proof::photo::PhotoSource;
use satchel_hub::import::Mapping;
use satchel_hub::{Hub, HubConfig, ImportOptions, ParcelRef, SimClock};
use satchel_protocol::bundle::{self, Check, Report, Trust, Verdict};
use satchel_protocol::entry::EntryKind;
use satchel_protocol::erase::{ErasedBody, ParcelErasedItem};
use satchel_protocol::ids::{Hash32, ParcelId, StopId};
use satchel_protocol::taxonomy::{HandoffKind, PhotoOrigin};
use satchel_tests::day::{Day, MORNING_MS};
use satchel_tests::http::HttpTransport;
use satchel_tests::phone::{self, KEY, Phone, SyncEnd, photo_files, unlock};
use satchel_tests::running::MAPPING;
use satchel_tests::work::Work;

const NAME: &str = "标记姓名欧阳震华";
const NUMBER: &str = "13987650412";
const ADDRESS: &str = "标记路七十七号九单元";
const NOTE: &str = "标记备注家有恶犬";
const SIGNER: &str = "标记代收人司马光";
const COMMENT: &str = "MARKER-COMMENT-0xC0FFEE";
const COMPLAINT: &str = "MARKER-COMPLAINT-WORDS";
const CONTACT: &str = "13766651234";

/// Everything that any part of the programs logs, at the finest level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct World {
    hub: Hub,
    runtime: tokio::runtime::Runtime,
    data: tempfile::TempDir,
    phone: Phone,
    http: HttpTransport,
    agent: ureq::Agent,
}

impl World {
    /// A hub, a round in which the stop in the middle is full of markers, and a phone that has it.
    fn new(stops: usize) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let data = tempfile::tempdir().unwrap();
        let hub = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let mut config = HubConfig::new(data.path().join("hub"), &url);
            config.clock = Arc::new(SimClock::frozen(MORNING_MS));
            let hub = Hub::open(config).await.unwrap();
            let serving = hub.clone();
            tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
            hub
        });
        let mut csv = String::from("id,lat,lng,at,address,name,phone\n");
        for i in 0..stops {
            let (address, name, number) = match i == stops / 2 {
                true => (ADDRESS.to_owned(), NAME.to_owned(), NUMBER.to_owned()),
                false => (
                    format!("南大街{i}号"),
                    format!("张{i}"),
                    format!("1380000{i:04}"),
                ),
            };
            csv.push_str(&format!(
                "WB{i:04},37.5{i:03},121.4,11-21 07:30:00,{address},{name},{number}\n"
            ));
        }
        let mapping = Mapping::from_json(MAPPING.as_bytes()).unwrap();
        let options = ImportOptions {
            couriers: vec!["王师傅".into()],
            ..ImportOptions::default()
        };
        let invite = runtime.block_on(async {
            hub.import(csv.as_bytes(), &mapping, &options)
                .await
                .unwrap();
            hub.invite("王师傅").await.unwrap().to_text()
        });
        let phone = Phone::new(31);
        let http = HttpTransport::new(Duration::from_secs(10));
        phone.enrol(&invite, &http);
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .build()
            .into();
        Self {
            hub,
            runtime,
            data,
            phone,
            http,
            agent,
        }
    }

    /// The parcel with the markers.
    fn marked(&self) -> (StopId, ParcelId, String) {
        let stops = self.phone.core().stops().unwrap();
        let waybill = format!("WB{:04}", stops.len() / 2);
        let stop = stops
            .iter()
            .find(|s| s.parcels[0].waybill == waybill)
            .unwrap();
        (stop.stop_id, stop.parcels[0].parcel_id, waybill)
    }

    /// Delivers the marked parcel, and the customer rates and complains. Gives the QR's text and windows
    /// of the proofs' bytes.
    fn deliver(&self) -> (String, Vec<Vec<u8>>) {
        let (stop, parcel, _) = self.marked();
        let core = self.phone.core();
        core.reveal(stop).unwrap();
        self.phone.call(stop);
        let draft = core.begin_attempt(stop, HandoffKind::Recipient).unwrap();
        let view = core
            .add_photo(
                draft.attempt_id,
                PhotoSource::Bytes(&phone::photo(77)),
                PhotoOrigin::Camera,
            )
            .unwrap();
        let mut input = self.phone.delivered(stop, 77);
        input.note = Some(NOTE.into());
        input.signer_name = Some(SIGNER.into());
        let recorded = core.complete_attempt(draft.attempt_id, &input).unwrap();
        let photo = core.photo_jpeg(draft.attempt_id, view.hash).unwrap();
        let ink = core.signature(draft.attempt_id).unwrap().encode();
        // Parts of them that no other delivery's proofs have.
        let there = self.data.path().join("hub");
        let own = |bytes: &[u8]| {
            let windows: Vec<Vec<u8>> = bytes.windows(24).step_by(40).map(<[u8]>::to_vec).collect();
            let found = hits(&there, &windows);
            let at = found.iter().position(|n| *n == 0);
            windows[at.expect("the drawings are alike")].clone()
        };
        let windows = vec![own(&photo), own(&ink)];
        assert_eq!(self.phone.sync(&self.http), SyncEnd::Done);
        assert_eq!(recorded.parcels[0].parcel_id, parcel);
        let url = recorded.parcels[0].rating.clone().unwrap().url;
        let path = url.to_ascii_lowercase();
        let thanks = self.post(&path, &format!("stars=1&comment={COMMENT}"));
        self.complain(&thanks);
        (url, windows)
    }

    /// The complaint that the page after few stars offers.
    fn complain(&self, thanks: &str) {
        let mut body = String::new();
        for (name, value) in [
            ("reason", "damaged"),
            ("words", COMPLAINT),
            ("channel", "phone"),
            ("contact", CONTACT),
        ] {
            body.push_str(&format!(
                "--BB\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ));
        }
        body.push_str("--BB--\r\n");
        let answer = self
            .agent
            .post(format!("{}{thanks}", self.hub.public_url()))
            .header("content-type", "multipart/form-data; boundary=BB")
            .send(body.as_bytes())
            .unwrap();
        assert_eq!(answer.status().as_u16(), 303);
    }

    /// Where the answer to a form leads.
    fn post(&self, url: &str, form: &str) -> String {
        let answer = self
            .agent
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .send(form.as_bytes())
            .unwrap();
        assert_eq!(answer.status().as_u16(), 303);
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    fn trust(&self) -> Trust {
        Trust {
            hub: Some(Hash32(self.hub.public_key().to_bytes())),
            ..Trust::default()
        }
    }

    fn report(&self, parcel: ParcelId) -> [(String, Report); 2] {
        let of_hub = self
            .runtime
            .block_on(self.hub.evidence(&ParcelRef::Id(parcel)));
        let of_phone = self.phone.core().evidence(parcel);
        [of_hub.unwrap(), of_phone.unwrap()].map(|file| {
            let report = bundle::verify(&file, &self.trust()).unwrap();
            (file, report)
        })
    }
}

/// How often each marker lies in a folder's files, whatever they are.
fn hits(dir: &Path, markers: &[Vec<u8>]) -> Vec<usize> {
    let mut out = vec![0; markers.len()];
    for file in std::fs::read_dir(dir).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_dir() {
            let inside = hits(&file.path(), markers);
            out.iter_mut().zip(inside).for_each(|(a, b)| *a += b);
        } else {
            count(&std::fs::read(file.path()).unwrap(), markers, &mut out);
        }
    }
    out
}

fn count(bytes: &[u8], markers: &[Vec<u8>], out: &mut [usize]) {
    for (marker, n) in markers.iter().zip(out) {
        *n += bytes.windows(marker.len()).filter(|w| w == marker).count();
    }
}

/// Everything readable in the phone's store for somebody who has its key.
fn opened(dir: &Path) -> Vec<u8> {
    let home = tempfile::tempdir().unwrap();
    for file in ["satchel.db", "satchel.db-wal"] {
        std::fs::copy(dir.join(file), home.path().join(file)).unwrap();
    }
    let conn = rusqlite::Connection::open(home.path().join("satchel.db")).unwrap();
    conn.execute_batch(&unlock(&KEY)).unwrap();
    let mut out = Vec::new();
    let mut stmt = conn
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
        .unwrap();
    let tables: Vec<String> = stmt
        .query_map([], |r| r.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(tables.len() > 10);
    for table in tables {
        let mut stmt = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = stmt.column_count();
        let mut rows = stmt.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                match row.get_ref(column).unwrap() {
                    rusqlite::types::ValueRef::Text(bytes)
                    | rusqlite::types::ValueRef::Blob(bytes) => out.extend_from_slice(bytes),
                    _ => {}
                }
                out.push(0);
            }
        }
    }
    out
}

/// Every page of the phone's database without its cipher: free pages and what lies unused on the others too.
fn pages(dir: &Path) -> Vec<u8> {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("satchel.db");
    for file in ["satchel.db", "satchel.db-wal"] {
        std::fs::copy(dir.join(file), home.path().join(file)).unwrap();
    }
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute_batch(&unlock(&KEY)).unwrap();
    conn.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
        .unwrap();
    conn.query_row("PRAGMA rekey = ''", [], |_| Ok(())).unwrap();
    drop(conn);
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes.starts_with(b"SQLite format 3\0"));
    bytes
}

#[test]
fn markers_of_an_erased_delivery_are_nowhere_and_what_was_proven_still_is() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .try_init()
        .unwrap();
    let world = World::new(40);
    for (n, stop) in world.phone.core().stops().unwrap().iter().enumerate() {
        if n != 20 && n % 3 == 0 {
            world.phone.deliver(stop.stop_id, n as u64).unwrap();
        }
    }
    assert_eq!(world.phone.sync(&world.http), SyncEnd::Done);
    let (url, windows) = world.deliver();
    let (stop, parcel, _) = world.marked();
    let texts = [
        NAME, NUMBER, ADDRESS, NOTE, SIGNER, COMMENT, COMPLAINT, CONTACT,
    ];
    let mut markers: Vec<Vec<u8>> = texts.iter().map(|t| t.as_bytes().to_vec()).collect();
    markers.extend(windows);
    let hub_dir = world.data.path().join("hub");

    // The search works: everything is found before.
    let before = hits(&hub_dir, &markers);
    assert!(before.iter().all(|n| *n > 0), "not planted: {before:?}");
    let mut on_phone = vec![0; markers.len()];
    count(&opened(&world.phone.dir), &markers, &mut on_phone);
    // What the customer wrote reaches a phone only as far as it concerns the courier.
    assert!(on_phone[..5].iter().all(|n| *n > 0), "{on_phone:?}");
    let mut on_pages = vec![0; markers.len()];
    count(&pages(&world.phone.dir), &markers, &mut on_pages);
    assert!(on_pages[..3].iter().all(|n| *n > 0), "{on_pages:?}");
    let closed = hits(&world.phone.dir, &markers);
    assert!(
        closed.iter().all(|n| *n == 0),
        "readable without the key: {closed:?}"
    );
    for (_, report) in world.report(parcel) {
        assert!(report.holds(), "{report}");
    }

    let erased = world
        .runtime
        .block_on(world.hub.erase(&ParcelRef::Id(parcel), "asked by letter"))
        .unwrap();
    assert!(erased.entries >= 1 && erased.proofs >= 2, "{erased:?}");
    assert_eq!(world.phone.sync(&world.http), SyncEnd::Done);
    assert!(matches!(
        world.phone.core().erasure(parcel).unwrap(),
        Some(Erasure::Done { .. })
    ));
    assert_eq!(world.phone.sync(&world.http), SyncEnd::Done);

    let after = hits(&hub_dir, &markers);
    assert!(
        after.iter().all(|n| *n == 0),
        "left at the hub: {texts:?} {after:?}"
    );
    let mut on_phone = vec![0; markers.len()];
    count(&opened(&world.phone.dir), &markers, &mut on_phone);
    assert!(
        on_phone.iter().all(|n| *n == 0),
        "left on the phone: {on_phone:?}"
    );
    let mut on_pages = vec![0; markers.len()];
    count(&pages(&world.phone.dir), &markers, &mut on_pages);
    assert!(
        on_pages.iter().all(|n| *n == 0),
        "left on pages that nobody reads: {on_pages:?}"
    );
    let mut elsewhere = vec![0; markers.len()];
    count(&log.0.lock().unwrap(), &markers, &mut elsewhere);
    count(url.as_bytes(), &markers, &mut elsewhere);
    let (_, metrics) = world.metrics();
    count(metrics.as_bytes(), &markers, &mut elsewhere);
    assert!(!log.0.lock().unwrap().is_empty());
    assert!(elsewhere.iter().all(|n| *n == 0), "log: {elsewhere:?}");
    assert_eq!(world.phone.stop(stop).address, "");

    still_proven(&world, parcel, &markers);
}

impl World {
    fn metrics(&self) -> (u16, String) {
        let mut answer = self
            .agent
            .get(format!("{}/metrics", self.hub.public_url()))
            .call()
            .unwrap();
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        (answer.status().as_u16(), text)
    }
}

/// Chain, tree, journal and bundles; and a second reading of everything brings nothing back.
fn still_proven(world: &World, parcel: ParcelId, markers: &[Vec<u8>]) {
    for (file, report) in world.report(parcel) {
        assert!(report.holds(), "{report}");
        assert_eq!(report.verdict(Check::Bodies), Some(Verdict::Open));
        assert_eq!(report.verdict(Check::Log), Some(Verdict::Proven));
        assert!(!report.entries.is_empty() && report.entries.iter().all(|e| e.erased));
        assert!(report.to_string().contains("content erased"));
        let mut found = vec![0; markers.len()];
        count(file.as_bytes(), markers, &mut found);
        assert!(found.iter().all(|n| *n == 0), "{found:?}");
    }
    let audit = || world.runtime.block_on(world.hub.audit()).unwrap();
    let before = audit();
    let shown = before.parcels.iter().find(|p| p.parcel == parcel).unwrap();
    assert_eq!(shown.outcome.as_deref(), Some("delivered"));
    world.runtime.block_on(world.hub.rebuild()).unwrap();
    assert_eq!(audit(), before, "a rebuild gives the same tables");
    let journal = world.runtime.block_on(world.hub.check_journal()).unwrap();
    assert_eq!(journal.broken_at, None);
    // Another phone of the same courier reads the feed from its start.
    let invite = world.runtime.block_on(world.hub.invite("王师傅")).unwrap();
    let second = Phone::new(32);
    second.enrol(&invite.to_text(), &world.http);
    let mut found = vec![0; markers.len()];
    count(&opened(&second.dir), markers, &mut found);
    assert!(found.iter().all(|n| *n == 0), "told again: {found:?}");
}

/// Runs something that must panic, and gives what the panic says.
fn panic_text(said: &Mutex<String>, work: impl FnOnce()) -> String {
    said.lock().unwrap().clear();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    assert!(caught.is_err(), "it did not fail");
    said.lock().unwrap().clone()
}

#[test]
fn a_program_that_panics_on_our_errors_says_nothing_personal() {
    let said: Arc<Mutex<String>> = Arc::default();
    let (sink, usual) = (said.clone(), std::panic::take_hook());
    let here = std::thread::current().id();
    std::panic::set_hook(Box::new(move |panic| {
        match std::thread::current().id() == here {
            true => sink.lock().unwrap().push_str(&panic.to_string()),
            false => usual(panic),
        }
    }));
    let control = panic_text(&said, || panic!("{NAME}"));
    assert!(control.contains(NAME), "the search finds what is there");

    let work = Work::on(Day::new(3).stops(3));
    let core = work.phone.core();
    let (stop, parcel) = (work.day.stop_id(0), work.day.parcel_id(0, 0));
    let route = work.day.route.route_id;
    let marked = format!("{NAME} {NUMBER} {ADDRESS}");
    let draft = core.begin_attempt(stop, HandoffKind::Recipient).unwrap();
    let mut too_long = work.phone.delivered(stop, 5);
    too_long.note = Some(marked.repeat(500));
    let mut nameless = work.phone.delivered(stop, 5);
    nameless.signer_name = Some(format!("{marked}\u{7}"));
    let source = PhotoSource::Bytes(marked.as_bytes());
    let texts = [
        panic_text(&said, || {
            drop(core.complete_attempt(draft.attempt_id, &too_long).unwrap())
        }),
        panic_text(&said, || {
            drop(core.complete_attempt(draft.attempt_id, &nameless).unwrap())
        }),
        panic_text(&said, || core.enrol(&marked, "phone").unwrap()),
        panic_text(&said, || {
            drop(core.read_scan(&format!("00{NUMBER}9999999")).unwrap())
        }),
        panic_text(&said, || drop(core.load_scan(route, "", false).unwrap())),
        panic_text(&said, || {
            drop(
                core.add_photo(draft.attempt_id, source, PhotoOrigin::Camera)
                    .unwrap(),
            );
        }),
        panic_text(&said, || {
            core.hand_back(&[parcel, parcel, ParcelId(uuid::Uuid::nil())])
                .unwrap()
        }),
    ];
    for text in texts {
        assert!(text.contains("unwrap"), "{text}");
        for marker in [NAME, NUMBER, ADDRESS, KEY_HEX] {
            assert!(!text.contains(marker), "{text}");
        }
    }
}

/// The key of the test phones' stores as a program would print it.
const KEY_HEX: &str = "5a5a5a5a5a5a5a5a";

#[test]
fn an_erasure_waits_until_the_hub_has_what_would_go() {
    let mut work = Work::on(Day::new(3).stops(3));
    let (stop, parcel) = (work.day.stop_id(1), work.day.parcel_id(1, 0));
    work.phone.deliver(stop, 5).unwrap();
    assert_eq!(
        work.phone.core().erase(parcel).unwrap(),
        Erasure::WaitsForHub
    );
    assert_ne!(work.phone.stop(stop).address, "");
    work.phone.restart();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert!(matches!(
        work.phone.core().erasure(parcel).unwrap(),
        Some(Erasure::Done { .. })
    ));
    // The hub has the whole delivery, and the record that this phone forgot it.
    let attempts = work.attempts();
    assert_eq!(attempts.len(), 1);
    let records = work.bodies(EntryKind::ERASED);
    let record = ErasedBody::decode(&records[0]).unwrap();
    assert!(record.parcel == parcel && !record.asked_by_hub && !record.entries.is_empty());
    assert_eq!(
        work.phone.core().storage_usage().unwrap().evictable.photos,
        0
    );
    assert!(photo_files(&work.phone.dir).is_empty());
    assert!(work.phone.core().signature(attempts[0].attempt).is_err());
    // The other stops are as they were, and asking again changes nothing.
    assert_ne!(work.phone.stop(work.day.stop_id(0)).address, "");
    work.phone.deliver(work.day.stop_id(2), 6).unwrap();
    assert!(matches!(
        work.phone.core().erase(parcel).unwrap(),
        Erasure::Done { .. }
    ));
    work.phone.restart();
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    assert_eq!(work.bodies(EntryKind::ERASED).len(), 1);
}

#[test]
fn what_two_parcels_of_a_door_share_goes_with_the_second() {
    let work = Work::on(Day::new(3).stop(2).stop(2));
    let stop = work.day.stop_id(0);
    let (first, second) = (work.day.parcel_id(0, 0), work.day.parcel_id(0, 1));
    let recorded = work.phone.deliver(stop, 5).unwrap();
    assert_eq!(recorded.parcels.len(), 2);
    assert_eq!(work.phone.sync(&work.hub), SyncEnd::Done);
    work.phone.core().erase(first).unwrap();
    assert_ne!(work.phone.stop(stop).address, "");
    assert!(work.phone.core().signature(recorded.attempt_id).is_ok());
    assert_eq!(
        work.phone.core().storage_usage().unwrap().evictable.photos,
        1
    );
    let item = ParcelErasedItem { parcel_id: second };
    work.tell(ParcelErasedItem::KIND, &item);
    assert_eq!(work.phone.stop(stop).address, "");
    assert!(work.phone.core().signature(recorded.attempt_id).is_err());
    assert_eq!(
        work.phone.core().storage_usage().unwrap().evictable.photos,
        0
    );
    let records = work.bodies(EntryKind::ERASED);
    assert!(ErasedBody::decode(&records[1]).unwrap().asked_by_hub);
}
