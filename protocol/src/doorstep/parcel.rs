//! Steps of parcels that are no attempt at a door: corrections, load scans, pickups, hand-backs,
//! temperatures and tries of a code.

use minicbor::{Decode, Encode};

use super::body;
use crate::attempt::ProofRef;
use crate::ids::{ParcelId, RouteId, StopId};
use crate::taxonomy::{Contents, HandlingTag, PromiseClass, Reason};
use crate::transitions::{Correction, EventId, EventKind};

/// Body of [`crate::entry::EntryKind::CORRECTION`]: an earlier event was not as recorded. The earlier
/// one stays in the log (B4-4).
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct CorrectionBody {
    /// Whose event.
    #[n(0)]
    pub parcel: ParcelId,
    /// Where.
    #[n(1)]
    pub stop: StopId,
    /// Which event.
    #[n(2)]
    pub of: EventId,
    /// What was wrong.
    #[n(3)]
    pub correction: Correction,
    /// Why, in the courier's words.
    #[n(4)]
    pub words: Option<String>,
    /// Proofs that came late.
    #[n(5)]
    pub proofs: Vec<ProofRef>,
}

/// Body of [`crate::entry::EntryKind::PARCEL_STEP`]: a step without a visit, such as a new time agreed on
/// or a parcel handed back at the depot.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ParcelStepBody {
    /// Which parcel.
    #[n(0)]
    pub parcel: ParcelId,
    /// Where it is to go.
    #[n(1)]
    pub stop: StopId,
    /// What happened.
    #[n(2)]
    pub event: EventKind,
    /// The new window that was agreed on, Unix milliseconds from and until.
    #[n(3)]
    pub window_ms: Option<(i64, i64)>,
    /// The courier's words.
    #[n(4)]
    pub words: Option<String>,
}

/// Body of [`crate::entry::EntryKind::LOAD_SCAN`]: one scan at the vehicle (A204).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LoadScanBody {
    /// The round that is loaded.
    #[n(0)]
    pub route: RouteId,
    /// What was read, as it was read.
    #[n(1)]
    pub text: String,
    /// What it meant: a code of the phone's list.
    #[n(2)]
    pub result: String,
    /// The parcel of this round, if it is one.
    #[n(3)]
    pub parcel: Option<ParcelId>,
    /// Taken off again instead of loaded.
    #[n(4)]
    pub off: bool,
}

/// Body of [`crate::entry::EntryKind::PICKUP`]: a parcel collected from a sender, or not (A198–A200).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PickupBody {
    /// The parcel.
    #[n(0)]
    pub parcel: ParcelId,
    /// Where it was collected.
    #[n(1)]
    pub stop: StopId,
    /// Result of the sender's identity check; the document is never kept.
    #[n(2)]
    pub sender_checked: Option<bool>,
    /// What the look inside showed.
    #[n(3)]
    pub contents: Option<Contents>,
    /// The promise the sender chose.
    #[n(4)]
    pub time_need: Option<PromiseClass>,
    /// The special wish; empty when he was asked and has none.
    #[n(5)]
    pub wishes: Option<String>,
    /// Tags that follow from the contents, each with its label on the parcel.
    #[n(6)]
    pub tags: Vec<HandlingTag>,
    /// Packaging taken back for reuse, in pieces (A211).
    #[n(7)]
    pub packaging_taken_back: u32,
    /// Why it was not accepted; none when it was.
    #[n(8)]
    pub refused: Option<Reason>,
    /// Photos, optional (A199).
    #[n(9)]
    pub proofs: Vec<ProofRef>,
    /// When the courier arrived, for the punctuality of pickups (A164).
    #[n(10)]
    pub arrived_at_ms: i64,
}

/// Body of [`crate::entry::EntryKind::TEMPERATURE`]: readings for parcels of a stop (A039).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TemperatureBody {
    /// Which parcel.
    #[n(0)]
    pub parcel: ParcelId,
    /// Readings in the order in which they were read out.
    #[n(1)]
    pub samples: Vec<TemperatureSample>,
}

/// A reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct TemperatureSample {
    /// When, Unix milliseconds.
    #[n(0)]
    pub at_ms: i64,
    /// Hundredths of a degree Celsius.
    #[n(1)]
    pub centi_c: i32,
}

/// Body of [`crate::entry::EntryKind::CODE_ENTRY`]: one try of the recipient's code, right or wrong.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CodeEntryBody {
    /// Which parcel.
    #[n(0)]
    pub parcel: ParcelId,
    /// Where.
    #[n(1)]
    pub stop: StopId,
    /// Whether it matched; nothing when only the hub can say.
    #[n(2)]
    pub matched: Option<bool>,
    /// The typed digits for the hub to judge. A code the phone checked itself is not kept.
    #[n(3)]
    pub sealed: Option<String>,
}

/// A code must not reach a log line.
impl core::fmt::Debug for CodeEntryBody {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("CodeEntryBody")
            .field("parcel", &self.parcel)
            .field("matched", &self.matched)
            .finish_non_exhaustive()
    }
}

body!(CorrectionBody, "correction body");
body!(ParcelStepBody, "parcel step body");
body!(LoadScanBody, "load scan body");
body!(PickupBody, "pickup body");
body!(TemperatureBody, "temperature body");
body!(CodeEntryBody, "code entry body");
