//! One error for every call, with one variant per thing a host can do about it.
//!
//! The core's errors are rich so that a log tells what happened; an app needs to know what to do next.
//! The one `match` below decides both. A single type for all calls is not taste: UniFFI turns a value
//! that fails to convert in a call with another error type into a crash. No field is named `message`,
//! because Kotlin's exceptions already have one.

use satchel_core::proof::ink::InkError;
use satchel_core::proof::photo::PhotoError;
use satchel_core::rating::qr::QrCodeError;
use satchel_core::route::RouteError;
use satchel_core::{Error, Refusal, StoreError};

use crate::codes::RequirementItem;
use crate::text;

/// What went wrong, by what to do about it. No variant carries personal data: all may be logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum SatchelError {
    /// A value from the app is out of its range: a defect of the app, or a text that is too long.
    #[error("invalid {what}")]
    InvalidInput {
        /// Which value.
        what: String,
    },
    /// The text is not an invite of a hub: ask the courier to scan it again.
    #[error("the text is not an invite")]
    InviteRejected,
    /// The rules do not allow it: show the text, let the courier complete or choose otherwise.
    #[error("refused by {rule:?}")]
    Refused {
        /// Which rule.
        rule: RefusalRule,
        /// What is still to be done, in the order of the checklist; empty for rules without one.
        missing: Vec<RequirementItem>,
        /// What to show, in Chinese.
        text_zh: String,
        /// What to show, in English.
        text_en: String,
    },
    /// There is no such thing on this phone: read the list again.
    #[error("unknown {what}")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// It has been done before and that stands: go on as after success.
    #[error("already done: {what}")]
    AlreadyDone {
        /// What was done.
        what: String,
    },
    /// The picture cannot be a proof: ask for another one.
    #[error("photo rejected: {reason:?}")]
    PhotoRejected {
        /// Why.
        reason: PhotoProblem,
        /// What to show, in Chinese.
        text_zh: String,
        /// What to show, in English.
        text_en: String,
    },
    /// The drawing cannot be a signature: ask to sign again.
    #[error("signature rejected: {reason:?}")]
    SignatureRejected {
        /// Why.
        reason: SignatureProblem,
        /// What to show, in Chinese.
        text_zh: String,
        /// What to show, in English.
        text_en: String,
    },
    /// The phone belongs to no hub yet: show the enrolment screen.
    #[error("this phone is not enrolled")]
    NotEnrolled,
    /// The device's storage is full: ask to free space and repeat. Nothing acknowledged is lost.
    #[error("the device's storage is full")]
    StorageFull,
    /// Another instance has the store open: use that one.
    #[error("the store is in use")]
    StoreLocked,
    /// The key does not open this store: fetch the right one from the keystore. Nothing was changed.
    #[error("wrong key for this store")]
    WrongKey,
    /// The folder holds something that is not a store of Satchel's: choose another folder.
    #[error("not a store of this library")]
    StoreForeign,
    /// The store is damaged: keep the files and call support. Nothing was deleted.
    #[error("the store is damaged")]
    StoreDamaged,
    /// A newer release of the app wrote the store: update the app.
    #[error("the store has version {found}, this release knows {known}")]
    StoreFromNewerVersion {
        /// Version of the store.
        found: i64,
        /// Newest version this release knows.
        known: i64,
    },
    /// `pause` was called: call `resume` first.
    #[error("paused")]
    Paused,
    /// `shutdown` was called: open again.
    #[error("shut down")]
    Closed,
    /// Something failed that no app can mend: try again later, report the code.
    #[error("internal failure {code}")]
    Internal {
        /// Names the failure for a report.
        code: String,
    },
}

/// Which rule refused. Each is explained where the core defines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum RefusalRule {
    /// This handoff needs the customer's stored consent (A032, Art 28(3)).
    ConsentMissing,
    /// "Door delivery" is noted on the waybill (Zhejiang Art 31).
    DoorRequired,
    /// Something this handoff requires is not there (B4-12).
    ItemsMissing,
    /// This reason does not allow this action (A043).
    IllegalAction,
    /// The parcel already has its final outcome.
    ParcelClosed,
    /// A parcel of the attempt is not at this stop.
    ParcelNotAtStop,
    /// There was a consent and it no longer carries, or not for this: ask the customer again.
    ConsentInvalid,
    /// What was handed in is no consent: a call too short, nobody named, the wrong giver.
    NotAConsent,
    /// Goods with an age limit cannot be left unattended (A040).
    NobodyToCheck,
    /// Call the customer first: no contact, no failure code (A036, A045).
    NoContact,
    /// What was scanned is not this parcel's code (B4-7).
    Scan,
    /// The position cannot be evidence (C4).
    Position,
    /// The parcel's life has no such step now, or the correction does not hold (B4-4).
    NotNow,
    /// Personal data is closed on this phone and no new work begins: see `lock`. Sync; nothing is lost.
    Locked,
    /// A rule this facade has no name for yet: show the text.
    Other,
}

impl RefusalRule {
    pub(crate) fn of(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::ConsentMissing { .. } => Self::ConsentMissing,
            Refusal::DoorRequired => Self::DoorRequired,
            Refusal::Missing { .. } => Self::ItemsMissing,
            Refusal::IllegalAction { .. } => Self::IllegalAction,
            Refusal::ParcelClosed => Self::ParcelClosed,
            Refusal::ParcelNotAtStop => Self::ParcelNotAtStop,
            Refusal::ConsentExpired
            | Refusal::ConsentWithdrawn
            | Refusal::ConsentNotYetGiven
            | Refusal::ConsentWrongGiver
            | Refusal::ConsentChannelInsufficient
            | Refusal::ConsentNamesSomebodyElse => Self::ConsentInvalid,
            Refusal::NoConsent(_) => Self::NotAConsent,
            Refusal::NobodyToCheck => Self::NobodyToCheck,
            Refusal::NoContact(_) => Self::NoContact,
            Refusal::Scan(_) | Refusal::ScanNotAParcel { .. } | Refusal::ScanContradicts { .. } => {
                Self::Scan
            }
            Refusal::Position(_) => Self::Position,
            Refusal::NotNow(_) => Self::NotNow,
            Refusal::Locked(_) => Self::Locked,
            _ => Self::Other,
        }
    }
}

/// Why a picture cannot be a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum PhotoProblem {
    /// There is no file at the path.
    Missing,
    /// The file cannot be read.
    Unreadable,
    /// The file has no bytes.
    Empty,
    /// The file is longer than any photo.
    TooLarge,
    /// The picture has more pixels than any camera.
    TooManyPixels,
    /// Neither JPEG, PNG nor WebP.
    NotAnImage,
    /// A picture in a format that is not taken, such as HEIC: ask the camera for JPEG.
    UnsupportedFormat,
    /// The file ends before the picture does.
    CutOff,
    /// The file does not decode.
    Damaged,
    /// The finished picture could not be written.
    NotEncodable,
}

/// Why a drawing cannot be a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum SignatureProblem {
    /// Nothing was drawn.
    Empty,
    /// Only a dot was drawn.
    Dot,
    /// There is hardly any ink.
    TooShort,
    /// A coordinate is not a number: a defect of the app.
    NotFinite,
    /// A pressure is not a number from 0 to 1: a defect of the app.
    BadPressure,
    /// The canvas has no area: a defect of the app.
    BadCanvas,
    /// A point lies off the canvas: the app mixed up its units.
    OutsideCanvas,
    /// More ink than anybody signs with.
    TooMuchInk,
}

impl SatchelError {
    pub(crate) fn invalid(what: &str) -> Self {
        Self::InvalidInput {
            what: what.to_owned(),
        }
    }

    pub(crate) fn internal(code: impl Into<String>) -> Self {
        let code = code.into();
        tracing::error!(code, "a call failed inside");
        Self::Internal { code }
    }

    fn done(what: &str) -> Self {
        Self::AlreadyDone {
            what: what.to_owned(),
        }
    }
}

/// What of the planning problem is wrong. The numbers in it are places in the problem, not stops the host
/// knows, so only the kind crosses.
fn route(error: &RouteError) -> &'static str {
    match error {
        RouteError::Contradiction | RouteError::DuplicateStop { .. } => "wishes",
        RouteError::TooManyStops { .. } => "stops",
        RouteError::Time { .. } | RouteError::InvertedWindow { .. } => "time",
        RouteError::Coordinates { .. } => "position",
        RouteError::Traffic | RouteError::SpeedModel => "traffic",
        _ => "route",
    }
}

impl From<Error> for SatchelError {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidInvite => Self::InviteRejected,
            Error::AlreadyEnrolled => Self::done("enrolment"),
            Error::AlreadyCompleted => Self::done("attempt"),
            Error::HardwareSignature => Self::invalid("signature"),
            Error::NotEnrolled => Self::NotEnrolled,
            Error::NotFound { what } => Self::NotFound { what: what.into() },
            Error::InvalidInput { what } => Self::invalid(what),
            Error::Refused(refusal) => refusal.into(),
            Error::Photo(error) => error.into(),
            Error::Ink(error) => error.into(),
            Error::Qr(error) => error.into(),
            Error::Store(error) => error.into(),
            Error::Route(error) => Self::invalid(route(&error)),
            Error::Entropy(_) => Self::internal("NO_ENTROPY"),
            Error::Paused => Self::Paused,
            Error::Closed => Self::Closed,
            // The core may learn new failures before this facade has an action for them.
            _ => Self::internal("UNKNOWN"),
        }
    }
}

impl From<StoreError> for SatchelError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::WrongKey => Self::WrongKey,
            StoreError::Foreign => Self::StoreForeign,
            StoreError::Damaged => Self::StoreDamaged,
            StoreError::BadRow(what) => {
                tracing::error!(what, "a stored row does not have its form");
                Self::StoreDamaged
            }
            StoreError::Newer { found, known } => Self::StoreFromNewerVersion { found, known },
            StoreError::InUse => Self::StoreLocked,
            StoreError::Full => Self::StorageFull,
            StoreError::Io(kind) => Self::internal(format!("IO_{kind:?}")),
            StoreError::NoCipher => Self::internal("NO_CIPHER"),
            StoreError::Sql(code) => Self::internal(format!("SQL_{code}")),
            _ => Self::internal("STORE"),
        }
    }
}

impl From<Refusal> for SatchelError {
    fn from(refusal: Refusal) -> Self {
        let (text_zh, text_en) = text::refusal(&refusal);
        let rule = RefusalRule::of(&refusal);
        let missing = match refusal {
            Refusal::Missing { items } => items.into_iter().map(|unmet| unmet.item).collect(),
            Refusal::ConsentMissing { .. } => vec![RequirementItem::Consent],
            _ => Vec::new(),
        };
        Self::Refused {
            rule,
            missing,
            text_zh,
            text_en,
        }
    }
}

impl From<PhotoError> for SatchelError {
    fn from(error: PhotoError) -> Self {
        let reason = match error {
            PhotoError::Missing => PhotoProblem::Missing,
            PhotoError::Unreadable(_) => PhotoProblem::Unreadable,
            PhotoError::Empty => PhotoProblem::Empty,
            PhotoError::TooLarge { .. } => PhotoProblem::TooLarge,
            PhotoError::TooManyPixels { .. } => PhotoProblem::TooManyPixels,
            PhotoError::NotAnImage => PhotoProblem::NotAnImage,
            PhotoError::UnsupportedFormat(_) => PhotoProblem::UnsupportedFormat,
            PhotoError::Truncated => PhotoProblem::CutOff,
            PhotoError::Damaged => PhotoProblem::Damaged,
            PhotoError::NotEncodable => PhotoProblem::NotEncodable,
        };
        let (zh, en) = text::photo(reason);
        Self::PhotoRejected {
            reason,
            text_zh: zh.to_owned(),
            text_en: en.to_owned(),
        }
    }
}

impl From<InkError> for SatchelError {
    fn from(error: InkError) -> Self {
        let reason = match error {
            InkError::Empty => SignatureProblem::Empty,
            InkError::Dot => SignatureProblem::Dot,
            InkError::TooShort => SignatureProblem::TooShort,
            InkError::NotFinite => SignatureProblem::NotFinite,
            InkError::BadPressure => SignatureProblem::BadPressure,
            InkError::BadCanvas => SignatureProblem::BadCanvas,
            InkError::OutsideCanvas => SignatureProblem::OutsideCanvas,
            InkError::TooManyPoints { .. } | InkError::TooManyStrokes { .. } => {
                SignatureProblem::TooMuchInk
            }
        };
        let (zh, en) = text::signature(reason);
        Self::SignatureRejected {
            reason,
            text_zh: zh.to_owned(),
            text_en: en.to_owned(),
        }
    }
}

impl From<QrCodeError> for SatchelError {
    fn from(error: QrCodeError) -> Self {
        match error {
            QrCodeError::BadWidth { .. } => Self::invalid("png_width_px"),
            QrCodeError::TooLong { .. } => Self::internal("QR_TOO_LONG"),
            QrCodeError::NotEncodable => Self::internal("QR_NOT_ENCODABLE"),
        }
    }
}

/// What a log sink that throws something else than a [`SatchelError`] turns into.
impl From<uniffi::UnexpectedUniFFICallbackError> for SatchelError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        // Its text is the app's and may name a person.
        Self::Internal {
            code: "CALLBACK".to_owned(),
        }
    }
}
