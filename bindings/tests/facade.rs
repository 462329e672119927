//! The facade as a host sees it, against a hub that is played by the test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod played_hub;

use std::path::Path;
use std::sync::{Arc, Mutex};

use played_hub::{config, with};
use satchel_core::clock::Clock as _;
use satchel_ffi::{
    Completion, HandoffKind, HostClock, ParcelOutcome, ParcelResult, PhotoOrigin, PlanProgress,
    PlanWatcher, RefusalRule, Satchel, SatchelConfig, SatchelError, TaskOutcome,
};
use uuid::Uuid;

const STOPS: u32 = 503;

fn with_stops(phone: &Satchel) {
    with(phone, STOPS);
}

fn invalid(what: &str) -> SatchelError {
    SatchelError::InvalidInput { what: what.into() }
}

#[test]
fn a_configuration_is_checked_before_anything_is_created() {
    let dir = tempfile::tempdir().unwrap();
    let good = config(&dir.path().join("store"));
    for (bad, what) in [
        (
            SatchelConfig {
                key: vec![7; 31],
                ..good.clone()
            },
            "key",
        ),
        (
            SatchelConfig {
                key: vec![7; 33],
                ..good.clone()
            },
            "key",
        ),
        (
            SatchelConfig {
                directory: String::new(),
                ..good.clone()
            },
            "directory",
        ),
        (
            SatchelConfig {
                boot_id: Some("x".into()),
                ..good.clone()
            },
            "boot_id",
        ),
        (
            SatchelConfig {
                utc_offset_min: Some(841),
                ..good.clone()
            },
            "utc_offset_min",
        ),
    ] {
        assert_eq!(Satchel::open(bad).err(), Some(invalid(what)));
    }
    assert!(!dir.path().join("store").exists());
    assert!(!format!("{good:?}").contains('7'), "no key in a log");
}

#[test]
fn the_hosts_boot_id_and_zone_are_used() {
    let clock = HostClock::new(Some("0F0E0D0C-0B0A-0908-0706-050403020100"), Some(-210)).unwrap();
    assert_eq!(
        clock.boot_id().to_string(),
        "0f0e0d0c0b0a09080706050403020100"
    );
    assert_eq!(clock.utc_offset_min(), -210);
}

#[test]
fn the_list_of_stops_comes_in_pages_and_so_do_changes() {
    let dir = tempfile::tempdir().unwrap();
    let phone = Satchel::open(config(dir.path())).unwrap();
    with_stops(&phone);

    let mut positions = Vec::new();
    let mut offset = Some(0);
    while let Some(at) = offset {
        let page = phone.stops(at, 200).unwrap();
        assert_eq!(page.total, STOPS);
        assert!(page.stops.len() <= 200);
        positions.extend(page.stops.iter().map(|s| s.position));
        offset = page.next_offset;
    }
    assert_eq!(positions, (1..=STOPS).collect::<Vec<_>>());
    assert_eq!(phone.stops(STOPS, 500).unwrap().stops, vec![]);
    for limit in [0, 501, u32::MAX] {
        assert_eq!(phone.stops(0, limit).err(), Some(invalid("limit")));
    }
    assert_eq!(phone.stops(u32::MAX, 500).unwrap().next_offset, None);

    let all = phone.changes_since(0).unwrap();
    assert!(all.reread_all && all.stop_ids.is_empty());
    let none = phone.changes_since(all.version).unwrap();
    assert!(!none.reread_all && none.stop_ids.is_empty());
}

#[test]
fn text_that_is_no_id_is_a_typed_error_in_every_call() {
    let dir = tempfile::tempdir().unwrap();
    let phone = Satchel::open(config(dir.path())).unwrap();
    with_stops(&phone);
    let bad = || "1; DROP TABLE stop".to_owned();
    let stop_id = Some(invalid("stop_id"));
    assert_eq!(phone.stop(bad()).err(), stop_id);
    assert_eq!(phone.reveal(bad()).err(), stop_id);
    assert_eq!(phone.stops_of(bad(), 0, 1).err(), Some(invalid("route_id")));
    for limit in [0, 101] {
        assert_eq!(phone.past_routes(0, limit).err(), Some(invalid("limit")));
    }
    assert_eq!(phone.handoffs(bad()).err(), stop_id);
    let kind = HandoffKind::Recipient;
    assert_eq!(phone.begin_attempt(bad(), kind).err(), stop_id);
    let photo = phone.add_photo(bad(), "photo.jpg".into(), PhotoOrigin::Camera);
    assert_eq!(photo.err(), Some(invalid("attempt_id")));
    let parcel_id = Some(invalid("parcel_id"));
    assert_eq!(phone.rating_code(bad()).err(), parcel_id);
    assert_eq!(phone.rating_qr(bad(), 512).err(), parcel_id);
    let completion = Completion {
        handoff: kind,
        parcels: vec![ParcelResult {
            parcel_id: bad(),
            outcome: ParcelOutcome::Delivered,
            scan: None,
            items: vec![],
            visibly_damaged: false,
        }],
        signer_name: None,
        relation: None,
        identity: None,
        age_checked: None,
        left_at: None,
        skips: vec![],
        inspection: None,
        signature: None,
        position: None,
        note: None,
    };
    assert_eq!(
        phone.complete_attempt(bad(), completion.clone()).err(),
        Some(invalid("attempt_id"))
    );
    let open = Uuid::from_u128(1).to_string();
    assert_eq!(phone.complete_attempt(open, completion).err(), parcel_id);
    // A task that nobody handed out is harmless by design.
    assert_eq!(phone.complete_task(bad(), TaskOutcome::Failed), Ok(()));
}

#[test]
fn a_screen_can_show_every_handoff_with_its_lock() {
    let dir = tempfile::tempdir().unwrap();
    let phone = Satchel::open(config(dir.path())).unwrap();
    with_stops(&phone);
    let stop = phone.stops(0, 1).unwrap().stops.remove(0);
    let options = phone.handoffs(stop.stop_id.clone()).unwrap();
    let of = |kind| options.iter().find(|o| o.handoff == kind).unwrap();
    assert_eq!(of(HandoffKind::Recipient).locked, None);
    assert!(!of(HandoffKind::Recipient).requirements.is_empty());
    let lock = of(HandoffKind::Station).locked.clone().unwrap();
    assert_eq!(lock.rule, RefusalRule::ConsentMissing);
    assert!(lock.text_zh.contains("同意") && lock.text_en.contains("agreed"));
    let refused = phone.begin_attempt(stop.stop_id, HandoffKind::Station);
    assert!(matches!(
        refused,
        Err(SatchelError::Refused {
            rule: RefusalRule::ConsentMissing,
            ..
        })
    ));
}

/// Ends a search when asked for the `last` time, by answering or by failing.
struct Impatient {
    last: usize,
    fails: bool,
    seen: Mutex<Vec<PlanProgress>>,
}

impl PlanWatcher for Impatient {
    fn goes_on(&self, progress: PlanProgress) -> Result<bool, SatchelError> {
        let mut seen = self.seen.lock().unwrap();
        seen.push(progress);
        match seen.len() < self.last {
            true => Ok(true),
            false if self.fails => Err(invalid("a defect of the app")),
            false => Ok(false),
        }
    }
}

#[test]
fn a_long_search_is_watched_and_ended_and_the_best_so_far_is_the_plan() {
    let dir = tempfile::tempdir().unwrap();
    let phone = Satchel::open(config(dir.path())).unwrap();
    with(&phone, 40);
    for (last, fails) in [(1, false), (4, false), (4, true)] {
        let watcher = Arc::new(Impatient {
            last,
            fails,
            seen: Mutex::default(),
        });
        let plan = phone.plan_thoroughly(watcher.clone(), None).unwrap();
        assert_eq!(plan.stops.len(), 40);
        assert_eq!(phone.current_plan().unwrap(), Some(plan));
        let seen = watcher.seen.lock().unwrap();
        assert_eq!(seen.len(), last, "not asked again once it is over");
        assert!(seen.is_sorted_by_key(|progress| progress.permille));
        assert!(seen.iter().all(|progress| progress.permille < 1_000));
    }
}

#[test]
fn no_unsafe_code_is_written_here() {
    // The lint is off for the code UniFFI generates, so this looks in its place.
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    let mut read = 0;
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        let code = text.replace("unsafe_code,", "");
        assert!(!code.contains("unsafe"), "unsafe code");
        read += 1;
    }
    assert!(read > 5);
}

#[test]
fn a_web_pads_drawing_is_checked_and_shown_and_storage_is_counted() {
    let home = tempfile::tempdir().unwrap();
    let phone = Satchel::open(config(home.path())).unwrap();
    let points: Vec<String> = (0..150)
        .map(|n| {
            let t = f64::from(n) / 12.0;
            let (x, y) = (
                40.0 + 2.4 * f64::from(n) + 15.0 * t.sin(),
                100.0 + 60.0 * t.cos(),
            );
            format!(
                r#"{{"x":{x:.2},"y":{y:.2},"time":{},"pressure":0.5}}"#,
                1_000 + n * 8
            )
        })
        .collect();
    let json = format!(
        r#"[{{"penColor":"black","points":[{}]}}]"#,
        points.join(",")
    );
    let drawn = satchel_ffi::signature_from_pad_json(json, 600.0, 200.0).unwrap();
    assert_eq!(drawn.strokes[0].len(), 150);
    let visit = Uuid::from_u128(9).to_string();
    let check = phone.check_signature(visit, drawn, 600, 200).unwrap();
    assert_eq!(check.doubts, []);
    assert!(check.svg.starts_with("<svg") && check.svg.len() > 1_000);
    let refused = satchel_ffi::signature_from_pad_json("{}".into(), 600.0, 200.0);
    assert_eq!(refused.unwrap_err(), invalid("signature_pad JSON"));

    let usage = phone.storage_usage().unwrap();
    assert!(usage.database_bytes > 0 && usage.quota_bytes == usage.free_quota_bytes);
    phone.set_photo_quota(1_000_000).unwrap();
    assert_eq!(phone.storage_usage().unwrap().quota_bytes, 1_000_000);
}
