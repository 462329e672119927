//! Bodies of entries: what an attempt at the door was, in a compact and extensible form.
//!
//! Bodies are CBOR maps with integer keys: a newer phone may add keys, an older hub skips them, and
//! the bytes stay as they were signed.

use minicbor::{Decode, Encode};

use crate::codec::{self, FormatError};
use crate::ids::{AttemptId, CourierId, DeviceId, Hash32, ParcelId, StopId};
use crate::limits;
use crate::taxonomy::{
    Action, Datum, HandoffKind, IdentityMethod, InkDoubt, InspectionResult, Outcome, PhotoOrigin,
    ProofKind, Reason, Relation, Zone,
};

/// Body of [`crate::entry::EntryKind::ENROLLED`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnrolledBody {
    /// The device that starts its log here.
    #[n(0)]
    pub device: DeviceId,
    /// The courier it was enrolled for.
    #[n(1)]
    pub courier: CourierId,
    /// Hash of the certificate the hub signed.
    #[n(2)]
    pub certificate: Hash32,
}

/// Body of [`crate::entry::EntryKind::ATTEMPT`]: one parcel's outcome at one visit.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct AttemptBody {
    /// The visit; shared by all parcels handed over at this door at this time.
    #[n(0)]
    pub attempt: AttemptId,
    /// The parcel.
    #[n(1)]
    pub parcel: ParcelId,
    /// The stop.
    #[n(2)]
    pub stop: StopId,
    /// 1 for the parcel's first attempt; a reschedule is the next attempt, never a new parcel (B4-5).
    #[n(3)]
    pub attempt_no: u16,
    /// What came of it.
    #[n(4)]
    pub outcome: Outcome,
    /// How it was, or was to be, handed over.
    #[n(5)]
    pub handoff: HandoffKind,
    /// Why it failed; with [`Self::action`] always a legal pair (A043).
    #[n(6)]
    pub reason: Option<Reason>,
    /// What happens next after a failure.
    #[n(7)]
    pub action: Option<Action>,
    /// Who signed or took it, as told at the door (A030).
    #[n(8)]
    pub signer_name: Option<String>,
    /// Who the signer is to the recipient (A030).
    #[n(9)]
    pub relation: Option<Relation>,
    /// Result of the recipient check; the identity document itself is never kept (A028).
    #[n(10)]
    pub identity: Option<IdentityCheck>,
    /// Answer to the inspection prompt (A024, Art 27).
    #[n(11)]
    pub inspection: Option<InspectionResult>,
    /// The stored consent this handoff rests on (A032, A033, Art 28).
    #[n(12)]
    pub consent: Option<String>,
    /// The proofs, whose hashes the header binds.
    #[n(13)]
    pub proofs: Vec<ProofRef>,
    /// Where the phone was, as it was told (B4-19).
    #[n(14)]
    pub fix: Option<Fix>,
    /// The courier's note.
    #[n(15)]
    pub note: Option<String>,
    /// Which completion rules were applied.
    #[n(16)]
    pub rules_version: u32,
    /// What was skipped, and why; only what the rules let one skip.
    #[n(17)]
    #[cbor(default)]
    pub skips: Vec<SkipRecord>,
    /// Items accepted out of items in the parcel, line by line, for a partial delivery (C7).
    #[n(18)]
    #[cbor(default)]
    pub items: Vec<ItemCount>,
    /// Where it was left: the locker's or station's number (C7).
    #[n(19)]
    pub left_at: Option<LeftAt>,
    /// Result of an age check; the document is never kept (A040).
    #[n(20)]
    pub age_checked: Option<bool>,
    /// The package looked damaged before it was opened (Art 27).
    #[n(21)]
    #[cbor(default)]
    pub visibly_damaged: bool,
    /// Its own code was scanned at the door (B4-7).
    #[n(22)]
    #[cbor(default)]
    pub scanned: bool,
    /// The recipient's code matched on this phone, or awaits the hub's word.
    #[n(23)]
    pub code: Option<CodeResult>,
    /// Lowest and highest temperature on the way, hundredths of a degree Celsius (A039).
    #[n(24)]
    pub temperature_centi_c: Option<(i32, i32)>,
    /// Codes of warnings that were shown and passed over, such as an hour outside 8 to 20 (C3).
    #[n(25)]
    #[cbor(default)]
    pub warnings: Vec<String>,
    /// What surrounded the drawn signature, if there is one.
    #[n(40)]
    pub signature: Option<SignatureFacts>,
}

/// What the signer was shown and what was noticed about the ink, which is itself one of the proofs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignatureFacts {
    /// The text above the pad, as shown.
    #[n(0)]
    pub disclaimer: Option<Disclaimer>,
    /// What made the drawing look unlike a signature.
    #[n(1)]
    pub doubts: Vec<InkDoubt>,
    /// The signer was asked once more because of them and signed like this again.
    #[n(2)]
    pub asked_again: bool,
}

/// A text a person was shown before signing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Disclaimer {
    /// Whoever wrote the text names its versions.
    #[n(0)]
    pub version: String,
    /// The text itself, so that no archive of versions is needed to know what was signed.
    #[n(1)]
    pub text: String,
}

/// An item of the checklist that was skipped. Codes of the rule set, kept as text so that a hub of
/// another age can show them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SkipRecord {
    /// Which item.
    #[n(0)]
    pub item: String,
    /// Why.
    #[n(1)]
    pub reason: String,
}

/// One line of a partial delivery.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ItemCount {
    /// What it is, as on the delivery note.
    #[n(0)]
    pub label: String,
    /// How many were in the parcel.
    #[n(1)]
    pub of: u32,
    /// How many the customer kept.
    #[n(2)]
    pub accepted: u32,
}

/// The place where a parcel waits for its recipient.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LeftAt {
    /// Number or name of the locker or station.
    #[n(0)]
    pub place: Option<String>,
    /// Code of the slot.
    #[n(1)]
    pub slot: Option<String>,
    /// What the station gave as a receipt.
    #[n(2)]
    pub receipt: Option<String>,
}

/// What is known about the recipient's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum CodeResult {
    /// It matched on this phone.
    #[n(0)]
    Verified,
    /// It was taken down and the hub will judge it.
    #[n(1)]
    AwaitsHub,
}

/// Body of [`crate::entry::EntryKind::REVEALED`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RevealedBody {
    /// The stop whose recipient was shown in full.
    #[n(0)]
    pub stop: StopId,
}

/// How the recipient was checked and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct IdentityCheck {
    /// By what.
    #[n(0)]
    pub method: IdentityMethod,
    /// Whether it matched.
    #[n(1)]
    pub matched: bool,
}

/// One proof bound to an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ProofRef {
    /// SHA-256 of the plain bytes.
    #[n(0)]
    pub hash: Hash32,
    /// What it is.
    #[n(1)]
    pub kind: ProofKind,
    /// Length of the plain bytes.
    #[n(2)]
    pub size_bytes: u64,
    /// Camera or gallery, for a photo (B4-20).
    #[n(3)]
    pub origin: Option<PhotoOrigin>,
    /// When it was taken, the phone's wall clock.
    #[n(4)]
    pub captured_at_ms: i64,
    /// For a photo: what its source said of itself before all of that was stripped.
    #[n(5)]
    pub photo: Option<PhotoFacts>,
}

/// The source of a photo, and the few facts its camera noted. None of it is proven; all of it is signed,
/// so it cannot be changed later.
#[derive(Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PhotoFacts {
    /// SHA-256 of the file as the camera left it; none for pixels the platform decoded.
    #[n(0)]
    pub source_hash: Option<Hash32>,
    /// Length of the source.
    #[n(1)]
    pub source_bytes: u64,
    /// The camera's clock when the picture was taken, `YYYY-MM-DDThh:mm:ss` without a zone.
    #[n(2)]
    pub taken_local: Option<String>,
    /// What to subtract from that clock to have UTC, if the camera knew.
    #[n(3)]
    pub utc_offset_min: Option<i16>,
    /// How far off the camera's own position may be. The position itself is not kept.
    #[n(4)]
    pub gps_accuracy_m: Option<u32>,
    /// Maker and model.
    #[n(5)]
    pub camera: Option<String>,
    /// Every pixel was there, but the file's end mark was not.
    #[n(6)]
    pub end_missing: bool,
    /// What followed the picture in its file and was left behind: a video, a second picture.
    #[n(7)]
    pub trailing_bytes: u64,
    /// The small picture that goes up with the entry, long before the photo does on a poor link.
    #[n(8)]
    pub thumb: Option<Thumbnail>,
}

/// A small copy of a photo. It stands in for the photo until that arrives and proves nothing beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Thumbnail {
    /// SHA-256 of its bytes.
    #[n(0)]
    pub hash: Hash32,
    /// Length of its bytes.
    #[n(1)]
    pub size_bytes: u64,
}

impl PhotoFacts {
    /// As a phone keeps them until the attempt is complete.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`FormatError`] when it is not that.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        codec::decode("photo facts", bytes, limits::MAX_BODY_BYTES)
    }
}

/// Says which facts there are, never the facts.
impl std::fmt::Debug for PhotoFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PhotoFacts")
            .field("source_bytes", &self.source_bytes)
            .field("taken", &self.taken_local.is_some())
            .field("camera", &self.camera.is_some())
            .finish_non_exhaustive()
    }
}

/// A position as the phone's provider gave it; never corrected silently.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Fix {
    /// Degrees north, WGS-84.
    #[n(0)]
    pub lat: f64,
    /// Degrees east, WGS-84.
    #[n(1)]
    pub lng: f64,
    /// Radius of 68 % confidence.
    #[n(2)]
    pub accuracy_m: f32,
    /// Age of the fix when the attempt was completed.
    #[n(3)]
    pub age_ms: i64,
    /// The provider said it was a mock location.
    #[n(4)]
    pub mock: bool,
    /// Distance from the stop's own position, if it has one (A031).
    #[n(5)]
    pub distance_m: Option<f32>,
    /// What the provider's numbers were in before they were brought to WGS-84; none: WGS-84.
    #[n(6)]
    pub datum: Option<Datum>,
    /// The provider's own numbers, degrees north and east, where they were not WGS-84.
    #[n(7)]
    pub raw: Option<(f64, f64)>,
    /// How near the door; warns and is recorded, never blocks (B4-22).
    #[n(8)]
    pub zone: Option<Zone>,
}

impl Fix {
    /// A fix in WGS-84 that was not compared with a door yet.
    #[must_use]
    pub const fn wgs84(lat: f64, lng: f64, accuracy_m: f32, age_ms: i64, mock: bool) -> Self {
        Self {
            lat,
            lng,
            accuracy_m,
            age_ms,
            mock,
            distance_m: None,
            datum: None,
            raw: None,
            zone: None,
        }
    }
}

impl EnrolledBody {
    /// The bytes to commit to.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`FormatError`] when it is not one.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        codec::decode("enrolled body", bytes, limits::MAX_BODY_BYTES)
    }
}

impl RevealedBody {
    /// The bytes to commit to.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`FormatError`] when it is not one.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        codec::decode("revealed body", bytes, limits::MAX_BODY_BYTES)
    }
}

impl AttemptBody {
    /// An attempt of which nothing is known but where it was and how it ended.
    #[must_use]
    pub const fn bare(
        attempt: AttemptId,
        parcel: ParcelId,
        stop: StopId,
        outcome: Outcome,
        handoff: HandoffKind,
    ) -> Self {
        Self {
            attempt,
            parcel,
            stop,
            attempt_no: 1,
            outcome,
            handoff,
            reason: None,
            action: None,
            signer_name: None,
            relation: None,
            identity: None,
            inspection: None,
            consent: None,
            proofs: Vec::new(),
            fix: None,
            note: None,
            rules_version: 0,
            skips: Vec::new(),
            items: Vec::new(),
            left_at: None,
            age_checked: None,
            visibly_damaged: false,
            scanned: false,
            code: None,
            temperature_centi_c: None,
            warnings: Vec::new(),
            signature: None,
        }
    }

    /// The bytes to commit to.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a body; keys of a newer version are skipped.
    ///
    /// # Errors
    /// [`FormatError`] when it is not an attempt or uses an unknown code.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        codec::decode("attempt body", bytes, limits::MAX_BODY_BYTES)
    }
}
