//! Every error of the core reaches the app as the variant whose advice fits it.
#![allow(clippy::unwrap_used)]

use std::io::ErrorKind;

use satchel_core::clock::NoEntropy;
use satchel_core::proof::ink::InkError;
use satchel_core::proof::photo::{PhotoError, UnsupportedFormat};
use satchel_core::protocol::taxonomy::{Action, HandoffKind, Reason};
use satchel_core::rating::qr::QrCodeError;
use satchel_core::rules::consent::channels;
use satchel_core::rules::ruleset::{Item, Unmet, UnmetWhy};
use satchel_core::{Error, Refusal, StoreError};
use satchel_ffi::{PhotoProblem, RefusalRule, SatchelError, SignatureProblem};

fn mapped(error: impl Into<Error>) -> SatchelError {
    SatchelError::from(error.into())
}

#[test]
fn plain_errors() {
    let cases = [
        (Error::InvalidInvite, SatchelError::InviteRejected),
        (
            Error::AlreadyEnrolled,
            SatchelError::AlreadyDone {
                what: "enrolment".into(),
            },
        ),
        (
            Error::AlreadyCompleted,
            SatchelError::AlreadyDone {
                what: "attempt".into(),
            },
        ),
        (Error::NotEnrolled, SatchelError::NotEnrolled),
        (
            Error::NotFound { what: "stop" },
            SatchelError::NotFound {
                what: "stop".into(),
            },
        ),
        (
            Error::InvalidInput { what: "note" },
            SatchelError::InvalidInput {
                what: "note".into(),
            },
        ),
        (
            Error::Entropy(NoEntropy),
            SatchelError::Internal {
                code: "NO_ENTROPY".into(),
            },
        ),
        (Error::Paused, SatchelError::Paused),
        (Error::Closed, SatchelError::Closed),
    ];
    for (core, app) in cases {
        assert_eq!(SatchelError::from(core), app);
    }
}

#[test]
fn store_errors_tell_what_to_do_about_the_store() {
    let cases = [
        (StoreError::WrongKey, SatchelError::WrongKey),
        (StoreError::Foreign, SatchelError::StoreForeign),
        (StoreError::Damaged, SatchelError::StoreDamaged),
        (StoreError::BadRow("row"), SatchelError::StoreDamaged),
        (
            StoreError::Newer { found: 9, known: 1 },
            SatchelError::StoreFromNewerVersion { found: 9, known: 1 },
        ),
        (StoreError::InUse, SatchelError::StoreLocked),
        (StoreError::Full, SatchelError::StorageFull),
        (
            StoreError::Io(ErrorKind::PermissionDenied),
            SatchelError::Internal {
                code: "IO_PermissionDenied".into(),
            },
        ),
        (
            StoreError::Sql(6_922),
            SatchelError::Internal {
                code: "SQL_6922".into(),
            },
        ),
    ];
    for (core, app) in cases {
        assert_eq!(mapped(core), app);
    }
}

fn missing(item: Item) -> Unmet {
    Unmet {
        item,
        why: UnmetWhy::Missing {
            needed: 1,
            given: 0,
        },
    }
}

#[test]
fn refusals_name_their_rule_and_carry_both_languages() {
    let handoff = HandoffKind::Station;
    let cases = [
        (
            Refusal::ConsentMissing {
                handoff,
                channels: channels(handoff),
            },
            RefusalRule::ConsentMissing,
            vec![Item::Consent],
            handoff.zh(),
        ),
        (
            Refusal::DoorRequired,
            RefusalRule::DoorRequired,
            vec![],
            "送货上门",
        ),
        (
            Refusal::Missing {
                items: [Item::Photo, Item::Signature].map(missing).to_vec(),
            },
            RefusalRule::ItemsMissing,
            vec![Item::Photo, Item::Signature],
            "签名",
        ),
        (
            Refusal::IllegalAction {
                reason: Reason::Weather,
                action: Action::ReturnToSender,
            },
            RefusalRule::IllegalAction,
            vec![],
            Reason::Weather.zh(),
        ),
        (
            Refusal::ParcelClosed,
            RefusalRule::ParcelClosed,
            vec![],
            "最终结果",
        ),
        (
            Refusal::ParcelNotAtStop,
            RefusalRule::ParcelNotAtStop,
            vec![],
            "不属于",
        ),
    ];
    for (refusal, want_rule, want_missing, word) in cases {
        let SatchelError::Refused {
            rule,
            missing,
            text_zh,
            text_en,
        } = mapped(refusal)
        else {
            panic!("{want_rule:?} must be a refusal");
        };
        assert_eq!((rule, missing), (want_rule, want_missing));
        assert!(text_zh.contains(word), "{text_zh}");
        assert!(text_en.is_ascii() && text_en.ends_with('.'), "{text_en}");
    }
}

#[test]
fn photos_and_signatures_say_why_and_what_to_tell() {
    let photos = [
        (PhotoError::Missing, PhotoProblem::Missing),
        (
            PhotoError::Unreadable(ErrorKind::PermissionDenied),
            PhotoProblem::Unreadable,
        ),
        (PhotoError::Empty, PhotoProblem::Empty),
        (
            PhotoError::TooLarge { bytes: 2, limit: 1 },
            PhotoProblem::TooLarge,
        ),
        (
            PhotoError::TooManyPixels {
                width_px: 1,
                height_px: 1,
            },
            PhotoProblem::TooManyPixels,
        ),
        (PhotoError::NotAnImage, PhotoProblem::NotAnImage),
        (
            PhotoError::UnsupportedFormat(UnsupportedFormat::Heic),
            PhotoProblem::UnsupportedFormat,
        ),
        (PhotoError::Truncated, PhotoProblem::CutOff),
        (PhotoError::Damaged, PhotoProblem::Damaged),
        (PhotoError::NotEncodable, PhotoProblem::NotEncodable),
    ];
    for (core, app) in photos {
        match mapped(core) {
            SatchelError::PhotoRejected {
                reason,
                text_zh,
                text_en,
            } => {
                assert_eq!(reason, app);
                assert!(!text_zh.is_ascii() && text_en.is_ascii());
            }
            other => panic!("{app:?} became {other:?}"),
        }
    }
    let inks = [
        (InkError::Empty, SignatureProblem::Empty),
        (InkError::Dot, SignatureProblem::Dot),
        (InkError::TooShort, SignatureProblem::TooShort),
        (InkError::BadPressure, SignatureProblem::BadPressure),
        (InkError::NotFinite, SignatureProblem::NotFinite),
        (InkError::BadCanvas, SignatureProblem::BadCanvas),
        (InkError::OutsideCanvas, SignatureProblem::OutsideCanvas),
        (
            InkError::TooManyPoints { points: 1 },
            SignatureProblem::TooMuchInk,
        ),
        (
            InkError::TooManyStrokes { strokes: 1 },
            SignatureProblem::TooMuchInk,
        ),
    ];
    for (core, app) in inks {
        match mapped(core) {
            SatchelError::SignatureRejected {
                reason,
                text_zh,
                text_en,
            } => {
                assert_eq!(reason, app);
                assert!(!text_zh.is_ascii() && text_en.is_ascii());
            }
            other => panic!("{app:?} became {other:?}"),
        }
    }
}

#[test]
fn a_width_no_code_fits_is_the_callers_mistake() {
    let narrow = QrCodeError::BadWidth {
        width_px: 10,
        min_px: 41,
    };
    assert_eq!(
        mapped(narrow),
        SatchelError::InvalidInput {
            what: "png_width_px".into()
        }
    );
    assert_eq!(
        mapped(QrCodeError::TooLong { bytes: 5_000 }),
        SatchelError::Internal {
            code: "QR_TOO_LONG".into()
        }
    );
    assert_eq!(
        mapped(QrCodeError::NotEncodable),
        SatchelError::Internal {
            code: "QR_NOT_ENCODABLE".into()
        }
    );
}

#[test]
fn an_app_that_throws_something_else_leaks_none_of_its_words() {
    let thrown = uniffi::UnexpectedUniFFICallbackError::new("NullPointerException for Wang Qiang");
    let error = SatchelError::from(thrown);
    assert_eq!(
        error,
        SatchelError::Internal {
            code: "CALLBACK".into()
        }
    );
    assert!(!error.to_string().contains("Wang"));
}
