//! Photos through the whole phone: what the hub reads of them, what the courier is told, what is kept.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::cell::RefCell;
use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use satchel_core::Error;
use satchel_core::model::day::ReportInput;
use satchel_core::proof::photo::{PhotoSource, PhotoTargets, PhotoWarning, RgbaImage};
use satchel_core::sync::task::{HttpTask, TaskOutcome};
use satchel_protocol::attempt::AttemptBody;
use satchel_protocol::crypto;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::feed::ProofWantedItem;
use satchel_protocol::ids::{AttemptId, Hash32};
use satchel_protocol::taxonomy::{HandoffKind, PhotoOrigin, ProofKind, Reason};
use satchel_tests::day::Day;
use satchel_tests::link::Transport;
use satchel_tests::phone::{self, Phone, SyncEnd};
use satchel_tests::toy_hub::ToyHub;
use satchel_tests::work::{Work, at_work};
use serde_json::json;

fn begin(phone: &Phone, day: &Day, stop: usize) -> AttemptId {
    let draft = phone
        .core()
        .begin_attempt(day.stop_id(stop), HandoffKind::Recipient);
    draft.unwrap().attempt_id
}

/// A door, a parcel and a label; `step` moves the camera, `door` paints another door.
fn scene(step: u32, door: u32) -> RgbImage {
    RgbImage::from_fn(1_000, 750, |x, y| {
        let (x, y) = (x + step, y);
        if (180..420).contains(&x) && (430..640).contains(&y) {
            if (220..330).contains(&x) && (470..540).contains(&y) && y % 12 < 5 {
                Rgb([20, 20, 20])
            } else {
                Rgb([200, 160, 100])
            }
        } else if x > 500 {
            let panel = (x / 90 + y / (110 + door * 25) + door) % 3;
            Rgb([90 + 50 * u8::try_from(panel).unwrap(), 80, 60])
        } else {
            Rgb([150, 160, 150])
        }
    })
}

fn jpeg(pixels: &RgbImage) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    pixels.write_to(&mut out, ImageFormat::Jpeg).unwrap();
    out.into_inner()
}

#[test]
fn the_signed_entry_says_what_the_photo_was_made_from() {
    let day = Day::new(1).stops(1);
    let (phone, hub) = at_work(&day);
    let attempt = begin(&phone, &day, 0);
    // A whole picture that lost its end mark, and one with a video behind it.
    let short = jpeg(&scene(0, 0));
    let short = &short[..short.len() - 2];
    let mut long = jpeg(&scene(0, 1));
    long.extend([0; 5_000]);
    for (bytes, origin) in [(short, PhotoOrigin::Camera), (&long, PhotoOrigin::Gallery)] {
        phone
            .core()
            .add_photo(attempt, PhotoSource::Bytes(bytes), origin)
            .unwrap();
    }
    let input = phone.delivered(day.stop_id(0), 1);
    phone.core().complete_attempt(attempt, &input).unwrap();
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    let body = hub
        .log(phone.device())
        .into_iter()
        .find(|(header, _)| header.kind == EntryKind::ATTEMPT)
        .map(|(_, entry)| AttemptBody::decode(&entry.body.unwrap()).unwrap())
        .unwrap();
    let photos: Vec<_> = body
        .proofs
        .iter()
        .filter(|p| p.kind == ProofKind::Photo)
        .collect();
    let told: Vec<_> = photos
        .iter()
        .map(|p| {
            let facts = p.photo.as_ref().unwrap();
            (
                p.origin,
                facts.source_hash,
                facts.source_bytes,
                facts.end_missing,
                facts.trailing_bytes,
            )
        })
        .collect();
    let hash = |bytes: &[u8]| Some(Hash32(crypto::sha256(&[bytes]).0));
    assert_eq!(
        told,
        [
            (
                Some(PhotoOrigin::Camera),
                hash(short),
                short.len() as u64,
                true,
                0
            ),
            (
                Some(PhotoOrigin::Gallery),
                hash(&long),
                long.len() as u64,
                false,
                5_000
            ),
        ]
    );
    assert!(
        body.proofs
            .iter()
            .filter(|p| p.kind != ProofKind::Photo)
            .all(|p| p.photo.is_none())
    );
}

#[test]
fn a_picture_used_before_is_noticed_and_two_shots_of_one_parcel_are_not() {
    let day = Day::new(1).stops(3);
    let (phone, _hub) = at_work(&day);
    let add = |attempt, pixels: &RgbImage| {
        let source = jpeg(pixels);
        let view =
            phone
                .core()
                .add_photo(attempt, PhotoSource::Bytes(&source), PhotoOrigin::Camera);
        view.unwrap().warnings.contains(&PhotoWarning::Repeated)
    };
    let first = begin(&phone, &day, 0);
    assert!(!add(first, &scene(0, 0)));
    assert!(!add(first, &scene(3, 0)), "a second shot at the same door");
    assert!(add(first, &scene(0, 0)), "the very same file");
    let second = begin(&phone, &day, 1);
    assert!(add(second, &scene(0, 0)), "the same file at another door");
    assert!(
        add(second, &scene(4, 0)),
        "hardly another picture, at another door"
    );
    assert!(!add(second, &scene(0, 2)), "another door");
    // The same picture scaled down by a messenger.
    let third = begin(&phone, &day, 2);
    let small = image::imageops::resize(
        &scene(0, 0),
        700,
        525,
        image::imageops::FilterType::Triangle,
    );
    assert!(add(third, &small), "a smaller copy");
}

#[test]
fn the_hub_says_how_photos_are_made_and_senseless_words_change_nothing() {
    let work = Work::on(Day::new(1).stops(2));
    let core = work.phone.core();
    assert_eq!(core.photo_targets().unwrap(), PhotoTargets::STANDARD);
    let told = |long_side_px: u32| {
        let photos = json!({
            "long_side_px": long_side_px, "budget_bytes": 60_000, "quality_min": 50, "quality_max": 70
        });
        work.tell_raw("courier", json!({ "photos": photos }));
    };
    told(700);
    let attempt = begin(&work.phone, &work.day, 0);
    let bytes = jpeg(&scene(0, 0));
    let add = || core.add_photo(attempt, PhotoSource::Bytes(&bytes), PhotoOrigin::Camera);
    let view = add().unwrap();
    assert_eq!((view.width_px, view.height_px), (700, 525));
    assert!(view.size_bytes <= 60_000);
    told(9);
    assert_eq!(add().unwrap().width_px, 700, "nine pixels are no photo");
}

#[test]
fn a_small_copy_goes_up_with_the_entry_before_the_photo_itself() {
    let day = Day::new(1).stops(1);
    let (phone, hub) = at_work(&day);
    let attempt = begin(&phone, &day, 0);
    let bytes = jpeg(&scene(0, 0));
    let view = phone
        .core()
        .add_photo(attempt, PhotoSource::Bytes(&bytes), PhotoOrigin::Camera)
        .unwrap();
    let small = phone.core().photo_thumbnail(attempt, view.hash).unwrap();
    let shown = image::load_from_memory_with_format(&small, ImageFormat::Jpeg).unwrap();
    assert_eq!((shown.width(), shown.height()), (240, 180));
    assert!(small.len() < 12_000, "{} bytes", small.len());

    let input = phone.delivered(day.stop_id(0), 1);
    phone.core().complete_attempt(attempt, &input).unwrap();
    assert_eq!(phone.sync(&hub), SyncEnd::Done);
    let (_, entry) = hub
        .log(phone.device())
        .into_iter()
        .find(|(header, _)| header.kind == EntryKind::ATTEMPT)
        .unwrap();
    let body = AttemptBody::decode(&entry.body.unwrap()).unwrap();
    let photo = body.proofs.iter().find(|p| p.hash == view.hash).unwrap();
    let thumb = photo.photo.as_ref().unwrap().thumb.unwrap();
    assert_eq!(thumb.hash, crypto::sha256(&[&small]), "signed as shown");
    assert_eq!(thumb.size_bytes, small.len() as u64);
    assert!(hub.has_blob(thumb.hash), "it rode with its entry");
    // Nothing waits for it, and what it is the copy of arrives all the same.
    assert!(hub.has_blob(view.hash));
    assert_eq!(phone.core().storage_usage().unwrap().waiting.photos, 0);
}

#[test]
fn how_photos_are_made_is_kept_and_obeyed() {
    let day = Day::new(1).stops(1);
    let (mut phone, _hub) = at_work(&day);
    assert_eq!(
        phone.core().photo_targets().unwrap(),
        PhotoTargets::STANDARD
    );
    let nonsense = PhotoTargets {
        quality_min: 90,
        quality_max: 80,
        ..PhotoTargets::STANDARD
    };
    let refused = phone.core().set_photo_targets(&nonsense);
    assert!(matches!(refused, Err(Error::InvalidInput { .. })));
    let small = PhotoTargets {
        long_side_px: 640,
        budget_bytes: 30_000,
        ..PhotoTargets::LOW_DATA
    };
    phone.core().set_photo_targets(&small).unwrap();
    phone.restart();
    assert_eq!(phone.core().photo_targets().unwrap(), small);
    let attempt = begin(&phone, &day, 0);
    let source = jpeg(&scene(0, 0));
    let view = phone
        .core()
        .add_photo(attempt, PhotoSource::Bytes(&source), PhotoOrigin::Camera)
        .unwrap();
    assert_eq!((view.width_px, view.height_px), (640, 480));
    assert!(view.size_bytes <= 30_000, "{}", view.size_bytes);
}

#[test]
fn pixels_of_the_platform_become_the_stored_photo() {
    let day = Day::new(1).stops(1);
    let (phone, _hub) = at_work(&day);
    let attempt = begin(&phone, &day, 0);
    let rgba: Vec<u8> = scene(0, 0)
        .pixels()
        .flat_map(|p| [p.0[0], p.0[1], p.0[2], 255])
        .collect();
    let pixels = RgbaImage {
        pixels: &rgba,
        width_px: 1_000,
        height_px: 750,
        stride_bytes: 4_000,
        orientation: 8,
    };
    let view = phone
        .core()
        .add_photo(attempt, PhotoSource::Rgba(pixels), PhotoOrigin::Camera)
        .unwrap();
    let stored = phone.core().photo_jpeg(attempt, view.hash).unwrap();
    let shown = image::load_from_memory_with_format(&stored, ImageFormat::Jpeg).unwrap();
    assert_eq!((shown.width(), shown.height()), (750, 1_000), "upright");
}

/// A line that notes which whole photos go up, by the digest that their request names.
struct Noting<'a>(&'a ToyHub, RefCell<Vec<Hash32>>);

impl Transport for Noting<'_> {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        if task.method == "POST" && task.url.ends_with("/v1/proofs") {
            self.1.borrow_mut().push(crypto::sha256(&[&task.body]));
        }
        self.0.send(task)
    }
}

#[test]
fn photos_go_up_by_what_hangs_on_them_and_not_by_their_age() {
    let day = Day::new(4).stops(4);
    let work = Work::on(day.clone());
    let (phone, hub) = (&work.phone, &work.hub);
    let shoot = |visit: AttemptId, n: u64| {
        let bytes = phone::photo(n);
        let core = phone.core();
        let taken = core.add_photo(visit, PhotoSource::Bytes(&bytes), PhotoOrigin::Camera);
        taken.unwrap().hash
    };
    // Signed for, so that the photo matters least; two of them, the second of which the hub asks for.
    let signed = [0, 1].map(|stop| {
        let visit = begin(phone, &day, stop);
        let hash = shoot(visit, stop as u64 + 1);
        let input = phone.delivered(day.stop_id(stop), 1);
        phone.core().complete_attempt(visit, &input).unwrap();
        hash
    });
    // Nobody signed.
    let visit = begin(phone, &day, 2);
    let alone = shoot(visit, 3);
    phone.record_failure(visit, day.stop_id(2)).unwrap();
    // A report, the youngest of all.
    let draft = phone.core().begin_report(day.stop_id(3)).unwrap().draft;
    let disputed = shoot(draft, 4);
    let input = ReportInput {
        draft: Some(draft),
        stop: Some(day.stop_id(3)),
        parcels: vec![day.parcel_id(3, 0)],
        reason: Reason::RefusedDamaged,
        words: None,
        fix: None,
    };
    phone.core().report(&input).unwrap();
    let wanted = ProofWantedItem { hash: signed[1] };
    let wanted = serde_json::to_value(wanted).unwrap();
    hub.give(work.courier, [(ProofWantedItem::KIND.to_owned(), wanted)]);
    let line = Noting(hub, RefCell::default());
    assert_eq!(phone.sync(&line), SyncEnd::Done);
    assert_eq!(line.1.into_inner(), [signed[1], disputed, alone, signed[0]]);
}
