//! Satchel for Kotlin, Swift and Python.
//!
//! A thin facade: it parses ids, turns the core's values into records of plain fields and folds its
//! errors into one enum with a variant per action of the host. There is no rule in here; whoever looks
//! for one finds it in `satchel-core`.
//!
//! Every call blocks, none does network I/O, and all may come from any thread. The one callback is
//! [`LogSink`], which is never called while a lock is held.
#![allow(
    unsafe_code,
    reason = "the code that UniFFI's macros expand to is the C interface itself; none is written here"
)]

mod codes;
mod completion;
mod config;
mod convert;
mod door;
mod doorstep;
mod doubt;
mod error;
mod ink;
mod labels;
mod log;
mod photo;
mod plan;
mod rating;
mod route;
mod satchel;
mod storage;
mod sync;
mod text;
mod watch;
mod wedge;

pub use codes::*;
pub use completion::{
    Completion, ItemCount, LeftAt, ParcelOutcome, ParcelResult, Position, RecipientCheck, Skip,
};
pub use config::{HostClock, SatchelConfig};
pub use door::{
    AttemptDraft, HandoffLock, HandoffOption, Photo, Recorded, RecordedParcel, Requirement,
    StagedPhoto,
};
pub use doorstep::{
    Call, CallRequest, CodeCheck, Consent, ConsentEvidence, ConsentRequest, CorrectionKind,
    CorrectionRequest, Earnings, Figure, HistoryLine, LoadCheck, LoadScan, ParcelHistory,
    PickupOutcome, PickupRequest, PromiseClock, Remedy, Report, ReportRequest, Shift, StarInput,
    Stars, TemperatureReport, TemperatureSample, Word,
};
pub use error::{PhotoProblem, RefusalRule, SatchelError, SignatureProblem};
pub use ink::{
    InkDoubt, InkPoint, ShownText, Signature, SignatureCheck, SignatureDoubt, SignatureForms,
    signature_from_pad_json,
};
pub use labels::*;
pub use log::{LogLevel, LogRecord, LogSink, clear_log_sink, set_log_sink};
pub use photo::{DecodedPhoto, PhotoTargets, low_data_photo_targets, standard_photo_targets};
pub use plan::{
    Place, PlanChange, PlanEvent, PlanReason, PlanWishes, PlannedBreak, PlannedStop, RouteEnd,
    RoutePlan, StopPair, StopWhy,
};
pub use rating::{QrCode, RatingCode};
pub use route::{Appeal, Changes, Contact, Parcel, Rating, Route, Stop, StopPage};
pub use satchel::{Satchel, certificate_key_sha256, remove_store};
pub use storage::StorageUsage;
pub use sync::{
    Enrolment, ExportReport, HttpAnswer, HttpHeader, HttpTask, HubAddress, KeyTask, LockReason,
    SyncStatus, SyncTask, TaskOutcome,
};
pub use watch::{PlanProgress, PlanWatcher};
pub use wedge::{EntryRepair, WedgeState, WedgedEntry};

uniffi::setup_scaffolding!("satchel");
