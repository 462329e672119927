//! Each reason in the codes of other systems (requirements C7), for import, export and partners.
//!
//! No official crosswalk between these lists exists. An entry marked `~` is the nearest code by judgement
//! and says so in its value, so that an exporter can choose to leave it out. An empty list means that
//! no equivalent was found; a code is never made up to fill it.

use super::reason::Reason;

/// One code of another system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExternalCode {
    /// The code exactly as that system writes it.
    pub code: &'static str,
    /// True if this is only the nearest code and the meanings differ.
    pub nearest: bool,
    /// True if the code names an event or operation of that system, not an entry of its reason list.
    pub event: bool,
}

/// A reason in nine other vocabularies; several codes for one reason are in order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReasonMapping {
    /// Kuaidi100 states.
    pub kuaidi100: &'static [ExternalCode],
    /// Kdniao `StateEx`.
    pub kdniao: &'static [ExternalCode],
    /// SF Express reasons.
    pub sf: &'static [ExternalCode],
    /// UN/EDIFACT 9013 (D.13B).
    pub edifact_9013: &'static [ExternalCode],
    /// ANSI X12 data element 641.
    pub x12_641: &'static [ExternalCode],
    /// AfterShip sub-tags.
    pub aftership: &'static [ExternalCode],
    /// Amazon Shipping detail codes.
    pub amazon: &'static [ExternalCode],
    /// CoopCycle default failure reasons.
    pub coopcycle: &'static [ExternalCode],
    /// Spoke (Circuit) delivery states.
    pub spoke: &'static [ExternalCode],
}

/// `= "x"` is a true equivalent, `~ "x"` the nearest one, `! "x"` an event instead of a reason.
macro_rules! codes {
    ($( $mark:tt $code:literal ),*) => { &[ $( codes!(@ $mark $code) ),* ] };
    (@ = $code:literal) => { ExternalCode { code: $code, nearest: false, event: false } };
    (@ ~ $code:literal) => { ExternalCode { code: $code, nearest: true, event: false } };
    (@ ! $code:literal) => { ExternalCode { code: $code, nearest: false, event: true } };
}
pub(super) use codes;

macro_rules! reason_mappings {
    ($( $reason:ident: $( $system:ident [ $($codes:tt)* ] )+; )+) => {
        /// The row of one reason; the compiler refuses a table that misses a reason.
        pub(super) const fn mapping(reason: Reason) -> &'static ReasonMapping {
            const NONE: ReasonMapping = ReasonMapping {
                kuaidi100: &[], kdniao: &[], sf: &[], edifact_9013: &[], x12_641: &[],
                aftership: &[], amazon: &[], coopcycle: &[], spoke: &[],
            };
            match reason {
                $( Reason::$reason => {
                    const ROW: ReasonMapping =
                        ReasonMapping { $( $system: codes!($($codes)*), )+ ..NONE };
                    &ROW
                } )+
            }
        }
    };
}

reason_mappings! {
    RecipientAbsent: kuaidi100 [~ "204"] kdniao [~ "405"] edifact_9013 [= "6"] x12_641 [= "A08"]
        aftership [= "AttemptFail_002"] amazon [= "CustomerUnavailable"] coopcycle [= "NOT_AT_HOME"]
        spoke [= "failed_not_home"];
    Unreachable: kuaidi100 [= "206"] kdniao [= "416"] sf [= "40004"] edifact_9013 [~ "39"] x12_641 [~ "A46"]
        aftership [~ "AttemptFail_002"] amazon [= "UnableToContactRecipient"] spoke [~ "failed_not_home"];
    PhoneWrong: kdniao [= "421"] sf [= "40021"] edifact_9013 [~ "39"] coopcycle [~ "DATA_ERROR"];
    AddressIncomplete: kdniao [= "420"] edifact_9013 [= "9"] x12_641 [~ "A03"] aftership [~ "Exception_007"]
        amazon [~ "AddressNotFound"] coopcycle [= "ADDRESS_REVIEW_NEEDED"] spoke [= "failed_cant_find_address"];
    AddressWrong: kdniao [~ "420"] edifact_9013 [= "30"] x12_641 [= "A03"] aftership [= "Exception_007"]
        amazon [= "AddressNotFound"] coopcycle [= "WRONG_ADDR"] spoke [= "failed_cant_find_address"];
    AccessDenied: sf [= "40022"] amazon [= "UnableToAccess"] coopcycle [= "ADDRESS_UNREACHABLE"]
        spoke [= "failed_other"];
    BusinessClosed: edifact_9013 [= "7"] x12_641 [= "A11"] aftership [= "AttemptFail_003"]
        amazon [= "BusinessClosed"] coopcycle [= "CLOSED_STORE"] spoke [~ "failed_not_home"];
    Refused: kuaidi100 [= "203"] kdniao [= "404"] edifact_9013 [= "49"] x12_641 [= "A07"]
        aftership [= "Exception_003"] amazon [= "RejectedByRecipientWithVerification"]
        coopcycle [= "REFUSED"] spoke [= "failed_other"];
    RefusedDamaged: kuaidi100 [= "209"] kdniao [= "414"] edifact_9013 [= "14"] x12_641 [= "A10"]
        aftership [= "Exception_012"] amazon [= "Damaged"] coopcycle [= "DAMAGED"] spoke [= "failed_other"];
    ContentShort: edifact_9013 [= "45", = "27"] coopcycle [= "ITEM_MISSING"];
    WrongItem: edifact_9013 [= "92"] amazon [= "IncorrectItems"] coopcycle [= "INCORRECT_ITEM"]
        spoke [= "failed_other"];
    Lost: edifact_9013 [= "33", = "56"] aftership [= "Exception_013"] amazon [! "Lost"] coopcycle [= "LOST"]
        spoke [~ "failed_package_not_available"];
    Stolen: edifact_9013 [= "66"];
    PaymentNotReady: edifact_9013 [= "46"] aftership [= "Exception_006"] amazon [= "PaymentNotReady"]
        coopcycle [= "INSUFFICIENT_FUND"] spoke [= "failed_payment_not_received"];
    PaymentRefused: edifact_9013 [= "47"] coopcycle [~ "PRICE_REVIEW_NEEDED"]
        spoke [= "failed_payment_not_received"];
    CodeUnavailable: amazon [= "OtpNotAvailable"] spoke [= "failed_missing_required_proof"];
    IdCheckFailed: sf [~ "40031"] spoke [= "failed_missing_required_proof"];
    Rescheduled: kdniao [~ "419"] sf [= "40005"] edifact_9013 [= "15", = "5"] x12_641 [= "A17"]
        aftership [= "OutForDelivery_004"] amazon [! "RecipientRequestedAlternateDeliveryTiming"]
        spoke [~ "unattempted"];
    Redirected: kuaidi100 [= "7"] kdniao [= "5"] edifact_9013 [= "91", = "38"] x12_641 [~ "A59"]
        spoke [~ "delivered_to_pickup_point"];
    OutOfArea: kuaidi100 [= "207"] kdniao [= "423"] edifact_9013 [= "1"];
    Missort: kdniao [= "422"] edifact_9013 [= "53"] x12_641 [= "A12"] coopcycle [= "ROUTE_ISSUE"];
    NotOnVehicle: edifact_9013 [~ "43"] x12_641 [~ "A01"] coopcycle [= "INVENTORY_ISSUE"]
        spoke [= "failed_package_not_available"];
    OutOfTime: kuaidi100 [= "208"] kdniao [= "417"] edifact_9013 [= "50"] coopcycle [= "LATE"]
        spoke [= "failed_no_time"];
    NoParking: spoke [= "failed_no_parking"];
    Weather: sf [= "40027"] edifact_9013 [= "63"] x12_641 [= "A43"] aftership [= "Exception_017"]
        coopcycle [= "WEATHER"] spoke [= "failed_other"];
    Traffic: sf [= "40028"] edifact_9013 [~ "58"] coopcycle [= "TRAFFIC"] spoke [= "failed_other"];
    Vehicle: edifact_9013 [= "35", = "23"] x12_641 [= "A30"] coopcycle [= "VEHICLE_BREAKDOWN"]
        spoke [= "failed_other"];
    Accident: edifact_9013 [= "88"] x12_641 [= "A24"] spoke [= "failed_other"];
    Safety: spoke [= "failed_other"];
    CancelledBySender: kuaidi100 [= "210"] kdniao [= "413", = "415"] sf [= "40014"]
        amazon [~ "CancelledByRecipient"] spoke [= "failed_other"];
    StationOverdue: kuaidi100 [= "205"] kdniao [= "412"] aftership [= "Exception_008"];
    TemperatureOut: edifact_9013 [~ "75"] spoke [= "failed_other"];
    Prohibited: amazon [~ "HazmatShipment"] spoke [= "failed_other"];
    RecipientMoved: edifact_9013 [~ "38"] aftership [= "Exception_002"] spoke [~ "failed_cant_find_address"];
    BarcodeUnreadable: edifact_9013 [= "44", = "108"] coopcycle [~ "PACKAGING_ISSUE"] spoke [= "failed_other"];
    Holiday: x12_641 [= "A42"] coopcycle [= "HOLIDAY"] spoke [~ "failed_not_home"];
    Other: kuaidi100 [~ "204"] kdniao [~ "405"] sf [! "70"] edifact_9013 [= "62"] x12_641 [= "A13"]
        aftership [= "AttemptFail_001"] amazon [= "DeliveryAttempted"] spoke [= "failed_other"];
}
