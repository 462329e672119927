//! The words of the trade and the states of the queue, as enums of the app's language.
//!
//! They are the core's and the protocol's own enums, restated because UniFFI exports no type of another
//! crate by itself. Nothing can drift: a variant that is missing here, or one too many, does not compile.
//! Where the core's name would collide with one that every app has (`Task`, `Network`, `Item`), it gets a
//! longer one.

pub use satchel_core::model::stop::{StopState, SyncState};
pub use satchel_core::proof::photo::PhotoWarning;
pub use satchel_core::protocol::taxonomy::{
    Action, CallResult, ConsentChannel, Datum, HandlingTag, HandoffKind, IdentityMethod,
    InspectionResult, Outcome, PhotoOrigin, PromiseClass, Reason, Relation,
};
pub use satchel_core::rules::ruleset::SkipReason;
pub use satchel_core::sync::task::WaitReason;

/// What the look inside a parcel showed (A199).
pub type PickupContents = satchel_core::protocol::taxonomy::Contents;
/// Who agreed to something.
pub type ConsentGiver = satchel_core::protocol::taxonomy::Giver;
/// Whether a consent carries at one instant.
pub type ConsentStanding = satchel_core::rules::consent::Standing;

/// One thing a handoff can need.
pub type RequirementItem = satchel_core::rules::ruleset::Item;
/// How strongly an item is needed.
pub type RequirementLevel = satchel_core::rules::ruleset::Level;
/// What kind of network the app has right now.
pub type NetworkState = satchel_core::sync::task::Network;
/// What a request is for.
pub type TaskPurpose = satchel_core::sync::task::Purpose;
/// What holds the queue.
pub type Blocking = satchel_core::model::status::Blocking;

/// Into whose hands, or into which place, a parcel goes (Art 28).
#[uniffi::remote(Enum)]
pub enum HandoffKind {
    /// Recipient in person (`SELF`).
    Recipient,
    /// Person named by the recipient (`NAMED_PROXY`).
    NamedProxy,
    /// Family or colleague (`HOUSEHOLD_OR_COLLEAGUE`).
    HouseholdOrColleague,
    /// Front desk or mail room (`FRONT_DESK`).
    FrontDesk,
    /// Guard (`GUARD`).
    Guard,
    /// Neighbour (`NEIGHBOUR`).
    Neighbour,
    /// At the door or an agreed place (`LEAVE_AT_DOOR`).
    LeaveAtDoor,
    /// Parcel locker (`LOCKER`).
    Locker,
    /// Station or pickup point (`STATION`).
    Station,
    /// Part of the parcel accepted (`PARTIAL`).
    Partial,
    /// Returned to the sender (`RETURN_TO_SENDER`).
    ReturnToSender,
}

/// Why a parcel was not handed over (requirements C7).
#[uniffi::remote(Enum)]
pub enum Reason {
    /// Nobody at home (`RECIPIENT_ABSENT`).
    RecipientAbsent,
    /// Cannot be reached by phone (`UNREACHABLE`).
    Unreachable,
    /// Phone number is wrong (`PHONE_WRONG`).
    PhoneWrong,
    /// Address incomplete or vague (`ADDRESS_INCOMPLETE`).
    AddressIncomplete,
    /// Address is wrong (`ADDRESS_WRONG`).
    AddressWrong,
    /// Cannot get in (`ACCESS_DENIED`).
    AccessDenied,
    /// Business is closed (`BUSINESS_CLOSED`).
    BusinessClosed,
    /// Refused (`REFUSED`).
    Refused,
    /// Refused because damaged (`REFUSED_DAMAGED`).
    RefusedDamaged,
    /// Items missing from the parcel (`CONTENT_SHORT`).
    ContentShort,
    /// Wrong item inside (`WRONG_ITEM`).
    WrongItem,
    /// Lost (`LOST`).
    Lost,
    /// Stolen (`STOLEN`).
    Stolen,
    /// Payment not ready (`PAYMENT_NOT_READY`).
    PaymentNotReady,
    /// Payment refused (`PAYMENT_REFUSED`).
    PaymentRefused,
    /// No pickup code at hand (`CODE_UNAVAILABLE`).
    CodeUnavailable,
    /// Identity or age check failed (`ID_CHECK_FAILED`).
    IdCheckFailed,
    /// Customer chose another time (`RESCHEDULED`).
    Rescheduled,
    /// Customer chose another place (`REDIRECTED`).
    Redirected,
    /// Outside the delivery area (`OUT_OF_AREA`).
    OutOfArea,
    /// Sorted to the wrong route (`MISSORT`).
    Missort,
    /// Not on the vehicle (`NOT_ON_VEHICLE`).
    NotOnVehicle,
    /// Shift ended before this stop (`OUT_OF_TIME`).
    OutOfTime,
    /// Nowhere to park (`NO_PARKING`).
    NoParking,
    /// Weather (`WEATHER`).
    Weather,
    /// Traffic (`TRAFFIC`).
    Traffic,
    /// Vehicle broke down (`VEHICLE`).
    Vehicle,
    /// Accident (`ACCIDENT`).
    Accident,
    /// Danger to the courier, such as a dog (`SAFETY`).
    Safety,
    /// Stopped by the sender (`CANCELLED_BY_SENDER`).
    CancelledBySender,
    /// Not collected from station or locker (`STATION_OVERDUE`).
    StationOverdue,
    /// Temperature limit exceeded (`TEMPERATURE_OUT`).
    TemperatureOut,
    /// Prohibited goods (`PROHIBITED`).
    Prohibited,
    /// Recipient has moved away (`RECIPIENT_MOVED`).
    RecipientMoved,
    /// Waybill or barcode unreadable (`BARCODE_UNREADABLE`).
    BarcodeUnreadable,
    /// Public holiday (`HOLIDAY`).
    Holiday,
    /// Other (`OTHER`).
    Other,
}

/// What follows a failed attempt; only some follow each reason (A043).
#[uniffi::remote(Enum)]
pub enum Action {
    /// Deliver again (`SECOND_DELIVERY`).
    SecondDelivery,
    /// Station or locker, with consent (`STATION_WITH_CONSENT`).
    StationWithConsent,
    /// Try again on this tour (`RETRY_SAME_TOUR`).
    RetrySameTour,
    /// Park elsewhere and walk (`RETRY_ON_FOOT`).
    RetryOnFoot,
    /// Deliver later and ask to excuse the promise (`EXCUSED_RETRY`).
    ExcusedRetry,
    /// Next wave, with an apology (`NEXT_WAVE`).
    NextWave,
    /// Next working day (`NEXT_WORKING_DAY`).
    NextWorkingDay,
    /// New time window, promise paused (`NEW_WINDOW`).
    NewWindow,
    /// Deliver to the new address (`REDIRECT`).
    Redirect,
    /// Contact the recipient again (`CONTACT_RECIPIENT`).
    ContactRecipient,
    /// Ask the sender (`CONTACT_SENDER`).
    ContactSender,
    /// Have the address confirmed (`CONFIRM_ADDRESS`).
    ConfirmAddress,
    /// Remind to collect (`REMIND`).
    Remind,
    /// Book delivery from station to door (`DOOR_APPOINTMENT`).
    DoorAppointment,
    /// Send the code again (`RESEND_CODE`).
    ResendCode,
    /// Use another proof (`OTHER_PROOF`).
    OtherProof,
    /// Sign for part of it (`PARTIAL_SIGN`).
    PartialSign,
    /// Report as a level-1 case (`OPEN_LEVEL1_CASE`).
    OpenLevel1Case,
    /// Stop, get to safety and report (`REPORT_INCIDENT`).
    ReportIncident,
    /// Return to the sender (`RETURN_TO_SENDER`).
    ReturnToSender,
    /// Hand back at the depot (`HAND_BACK_AT_DEPOT`).
    HandBackAtDepot,
    /// Hold until decided (`HOLD`).
    Hold,
    /// Search and compare with the load check (`SEARCH`).
    Search,
    /// Transfer to another courier (`TRANSFER`).
    Transfer,
    /// Type the number and photograph the label (`MANUAL_NUMBER`).
    ManualNumber,
}

/// How an attempt ended for one parcel.
#[uniffi::remote(Enum)]
pub enum Outcome {
    /// Delivered (`delivered`).
    Delivered,
    /// Partially delivered (`partially_delivered`).
    PartiallyDelivered,
    /// Not delivered (`failed`).
    Failed,
    /// Returned (`returned`).
    Returned,
}

/// Who signed, as seen from the recipient (A030).
#[uniffi::remote(Enum)]
pub enum Relation {
    /// Recipient (`self`).
    Oneself,
    /// Family (`family`).
    Family,
    /// Colleague (`colleague`).
    Colleague,
    /// Guard (`guard`).
    Guard,
    /// Front desk (`front_desk`).
    FrontDesk,
    /// Mail room (`mail_room`).
    MailRoom,
    /// Neighbour (`neighbour`).
    Neighbour,
    /// Station (`station`).
    Station,
    /// Other (`other`).
    Other,
}

/// The published promise of a parcel.
#[uniffi::remote(Enum)]
pub enum PromiseClass {
    /// Same city, 12 hours (`same_city`).
    SameCity,
    /// Other province, 48 hours (`cross_province`).
    CrossProvince,
    /// Express, 30 minutes (`express_30m`).
    Express30m,
    /// Half-day (`half_day`).
    HalfDay,
    /// Same day (`same_day`).
    SameDay,
    /// Next day (`next_day`).
    NextDay,
    /// Second day (`second_day`).
    SecondDay,
}

/// What a parcel needs on its way.
#[uniffi::remote(Enum)]
pub enum HandlingTag {
    /// Fresh (`fresh`).
    Fresh,
    /// Fragile (`fragile`).
    Fragile,
    /// Medicine (`medicine`).
    Medicine,
    /// Temperature controlled (`cold_chain`).
    ColdChain,
    /// High value (`high_value`).
    HighValue,
}

/// What came of offering to open and inspect (A024).
#[uniffi::remote(Enum)]
pub enum InspectionResult {
    /// Inspected (`inspected`).
    Inspected,
    /// Declined (`declined`).
    Declined,
    /// Not possible, other way agreed (`not_possible_agreed`).
    NotPossibleAgreed,
}

/// How the recipient was checked (A028).
#[uniffi::remote(Enum)]
pub enum IdentityMethod {
    /// By name (`name`).
    Name,
    /// By last four digits of the phone (`phone_last4`).
    PhoneLast4,
    /// By pickup code (`pickup_code`).
    PickupCode,
}

/// Where a photo came from (B4-20).
#[uniffi::remote(Enum)]
pub enum PhotoOrigin {
    /// Taken now (`camera`).
    Camera,
    /// Chosen from the gallery (`gallery`).
    Gallery,
}

/// One thing a handoff can need.
#[uniffi::remote(Enum)]
pub enum RequirementItem {
    /// The customer's stored consent (A023, Art 28(3)).
    Consent,
    /// Name, phone or code compared with the recipient (A028).
    IdentityCheck,
    /// The person's age; only the result is kept (A040).
    AgeCheck,
    /// The prompt to open and inspect, and its answer (A024, Art 27).
    InspectionPrompt,
    /// The code of each parcel (B4-7).
    ParcelScan,
    /// A reading of a temperature-controlled parcel (A039).
    Temperature,
    /// Items accepted out of items inside (C7).
    ItemCounts,
    /// Who took the parcel (A030).
    SignerName,
    /// Who that is to the recipient (A030).
    Relation,
    /// Number of the locker (C7).
    LockerId,
    /// Code of the slot (C7).
    SlotCode,
    /// What the station gave as a receipt (C7).
    StationReceipt,
    /// Photos (A025).
    Photo,
    /// A drawn signature (A030).
    Signature,
    /// The recipient's code.
    Code,
    /// Where the phone was; never blocks (B4-22).
    Position,
    /// Words, where a reason alone says too little.
    Note,
}

/// How strongly an item is needed.
#[uniffi::remote(Enum)]
pub enum RequirementLevel {
    /// Makes no sense for this handoff and is not asked for.
    Off,
    /// May be given.
    Optional,
    /// Needed, or else a reason to skip it.
    RequiredWithReason,
    /// Completion is refused without it.
    Required,
}

/// A doubt about the picture, for the courier to judge while still at the door (B4-18).
#[uniffi::remote(Enum)]
pub enum PhotoWarning {
    /// Hardly any light.
    Dark,
    /// No sharp edge anywhere.
    Blurry,
    /// Too few pixels for a label to be read.
    Tiny,
    /// The file lacks its end mark; the bottom edge may be missing.
    EndMissing,
    /// Part of the picture is burnt out by a reflection.
    Glare,
    /// Looks like a photo of a screen.
    Screen,
    /// The file contradicts itself on which way is up.
    OrientationDoubtful,
    /// The same picture was taken as a proof before.
    Repeated,
}

/// Whether a stop needs another visit.
#[uniffi::remote(Enum)]
pub enum StopState {
    /// A parcel is still to be delivered and none was tried in this visit.
    Open,
    /// Every parcel is delivered or on its way back.
    Done,
    /// The last attempt failed; the parcel needs its next action.
    Failed,
    /// The hub took the stop off this phone's round.
    Removed,
}

/// How far a stop's records have got. Nothing counts before the hub's signed receipt names it (B4-6).
#[uniffi::remote(Enum)]
pub enum SyncState {
    /// Nothing recorded here yet.
    Nothing,
    /// Safe on this phone only.
    Local,
    /// Being sent.
    Sending,
    /// The hub has the record; a photo or signature is still missing there.
    Received,
    /// The hub has the record and every proof that can still be brought. Of at least one neither this phone nor, as far as
    /// it knows, the hub has the bytes any more.
    ProofLost,
    /// The hub has the record and every proof: "synced".
    ProofComplete,
}

/// What holds the queue.
#[uniffi::remote(Enum)]
pub enum Blocking {
    /// The hub cannot be reached.
    Network,
    /// The hub answers, but not with what was asked: an error, a portal's page, half a body.
    BadAnswer,
    /// The hub does not accept this phone (unknown, revoked, quarantined): a person must look.
    Refused,
    /// The hub's log does not fit what it showed before: it is not believed until a person has looked.
    HubContradicts,
}

/// What kind of network the host has right now.
#[uniffi::remote(Enum)]
pub enum NetworkState {
    /// None, or airplane mode.
    Offline,
    /// One that costs the courier money.
    Metered,
    /// One that does not.
    Unmetered,
}

/// What a request is for.
#[uniffi::remote(Enum)]
pub enum TaskPurpose {
    /// Registering this phone.
    Enrol,
    /// Sending the evidence log, or asking how much of it the hub has.
    Log,
    /// Reading the route and ratings.
    Feed,
    /// Sending a photo.
    Proof,
    /// Sending the store's key, sealed to the operator's recovery key.
    Escrow,
}

/// Why there is nothing to do now.
#[uniffi::remote(Enum)]
pub enum WaitReason {
    /// No network.
    Offline,
    /// A failed request will be tried again.
    Retry,
    /// Another thread of the host still holds a task.
    InFlight,
}

/// How a consent was given (A033).
#[uniffi::remote(Enum)]
pub enum ConsentChannel {
    /// Confirmed on the page (`page_click`).
    PageClick,
    /// Phone call (`call`).
    Call,
    /// Text message (`sms`).
    Sms,
    /// Signature (`signature`).
    Signature,
    /// Code (`code`).
    Code,
    /// Standing preference (`standing`).
    Standing,
}

/// Who agreed.
#[uniffi::remote(Enum)]
pub enum ConsentGiver {
    /// Recipient (`RECIPIENT`).
    Recipient,
    /// Sender (`SENDER`).
    Sender,
}

/// Whether a consent carries at one instant.
#[uniffi::remote(Enum)]
pub enum ConsentStanding {
    /// It does.
    Valid,
    /// It is dated later than now.
    NotYetGiven,
    /// Its time is over.
    Expired,
    /// It was withdrawn.
    Withdrawn,
}

/// How a call ended.
#[uniffi::remote(Enum)]
pub enum CallResult {
    /// Answered (`ANSWERED`).
    Answered,
    /// No answer (`NO_ANSWER`).
    NoAnswer,
    /// Busy (`BUSY`).
    Busy,
    /// Rejected (`REJECTED`).
    Rejected,
    /// Switched off or no coverage (`SWITCHED_OFF`).
    SwitchedOff,
    /// Wrong number or another person (`WRONG_NUMBER`).
    WrongNumber,
    /// A text message was sent (`MESSAGE_SENT`).
    MessageSent,
}

/// The datum a position was given in; phones and map kits in China hand out three (C4).
#[uniffi::remote(Enum)]
pub enum Datum {
    /// WGS-84 (`WGS84`).
    Wgs84,
    /// GCJ-02 (`GCJ02`).
    Gcj02,
    /// BD-09 (`BD09`).
    Bd09,
    /// Nobody knows: such a position is refused (`UNKNOWN`).
    Unknown,
}

/// Why an item that may be skipped was skipped.
#[uniffi::remote(Enum)]
pub enum SkipReason {
    /// The customer did not want it (`RECIPIENT_DECLINED`).
    RecipientDeclined,
    /// A device does not work (`DEVICE_FAULT`).
    DeviceFault,
    /// Not possible at this place (`NOT_POSSIBLE_HERE`).
    NotPossibleHere,
    /// Not safe to stay (`UNSAFE`).
    Unsafe,
    /// Already done another way (`ALREADY_DONE`).
    AlreadyDone,
    /// Other, explained in a note (`OTHER`).
    Other,
}

/// What the look inside a parcel showed (A199).
#[uniffi::remote(Enum)]
pub enum PickupContents {
    /// Contents may be carried (`COMPLIANT`).
    Compliant,
    /// Prohibited goods (`PROHIBITED`).
    Prohibited,
    /// Not what was declared (`UNDECLARED`).
    Undeclared,
    /// The sender would not show them (`NOT_SHOWN`).
    NotShown,
}
