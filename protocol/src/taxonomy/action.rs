//! What may follow a failed attempt, and after which reason (A043).
//!
//! Reason and action are kept as a pair, as postal events do: a reason without the next step leaves the
//! customer waiting, and a step that does not fit its reason (returning a parcel because of rain) is how
//! parcels go astray. The legal pairs are this table and nothing else. Whether a step is allowed *now*
//! (a stored consent, the second attempt made) is a question for the rules, not for the table.

use super::code_enum::code_enum;
use super::reason::Reason;

code_enum! {
    /// The step that follows an attempt which did not end in a delivery.
    pub enum Action {
        SecondDelivery = "SECOND_DELIVERY", "二次派送", "Deliver again";
        StationWithConsent = "STATION_WITH_CONSENT", "经同意转驿站/快递柜", "Station or locker, with consent";
        RetrySameTour = "RETRY_SAME_TOUR", "本班次再试", "Try again on this tour";
        RetryOnFoot = "RETRY_ON_FOOT", "就近停车步行派送", "Park elsewhere and walk";
        ExcusedRetry = "EXCUSED_RETRY", "稍后再派并申请时效免责", "Deliver later and ask to excuse the promise";
        NextWave = "NEXT_WAVE", "转下一班次并致歉", "Next wave, with an apology";
        NextWorkingDay = "NEXT_WORKING_DAY", "下一工作日派送", "Next working day";
        NewWindow = "NEW_WINDOW", "约定新时段(承诺时效暂停)", "New time window, promise paused";
        Redirect = "REDIRECT", "改派新地址", "Deliver to the new address";
        ContactRecipient = "CONTACT_RECIPIENT", "再次联系客户", "Contact the recipient again";
        ContactSender = "CONTACT_SENDER", "联系寄件人", "Ask the sender";
        ConfirmAddress = "CONFIRM_ADDRESS", "请客户或寄件人确认地址", "Have the address confirmed";
        Remind = "REMIND", "提醒取件", "Remind to collect";
        DoorAppointment = "DOOR_APPOINTMENT", "预约送货上门", "Book delivery from station to door";
        ResendCode = "RESEND_CODE", "重发取件码", "Send the code again";
        OtherProof = "OTHER_PROOF", "改用其他凭证", "Use another proof";
        PartialSign = "PARTIAL_SIGN", "部分签收", "Sign for part of it";
        OpenLevel1Case = "OPEN_LEVEL1_CASE", "按一级问题上报", "Report as a level-1 case";
        ReportIncident = "REPORT_INCIDENT", "停止作业、离开并上报", "Stop, get to safety and report";
        ReturnToSender = "RETURN_TO_SENDER", "退回寄件人", "Return to the sender";
        HandBackAtDepot = "HAND_BACK_AT_DEPOT", "交回网点", "Hand back at the depot";
        Hold = "HOLD", "留存待处理", "Hold until decided";
        Search = "SEARCH", "查找包裹并核对装车", "Search and compare with the load check";
        Transfer = "TRANSFER", "转交其他派送员", "Transfer to another courier";
        ManualNumber = "MANUAL_NUMBER", "手工录入单号并拍照", "Type the number and photograph the label";
    }
}

/// The legal pairs; each list starts with the suggestion of requirements C7.
pub(super) const fn legal_actions(reason: Reason) -> &'static [Action] {
    use Action as A;
    match reason {
        Reason::RecipientAbsent => &[
            A::SecondDelivery,
            A::StationWithConsent,
            A::RetrySameTour,
            A::NewWindow,
            A::NextWave,
            A::NextWorkingDay,
            A::Redirect,
            A::ReturnToSender,
        ],
        Reason::Unreachable => &[
            A::ContactRecipient,
            A::RetrySameTour,
            A::SecondDelivery,
            A::StationWithConsent,
            A::ContactSender,
            A::ReturnToSender,
        ],
        Reason::PhoneWrong => &[
            A::ContactSender,
            A::SecondDelivery,
            A::Hold,
            A::ReturnToSender,
        ],
        Reason::AddressIncomplete => &[
            A::ConfirmAddress,
            A::ContactRecipient,
            A::ContactSender,
            A::Redirect,
            A::SecondDelivery,
            A::ReturnToSender,
        ],
        Reason::AddressWrong => &[
            A::ConfirmAddress,
            A::ContactSender,
            A::Redirect,
            A::HandBackAtDepot,
            A::ReturnToSender,
        ],
        Reason::AccessDenied => &[
            A::ContactRecipient,
            A::StationWithConsent,
            A::RetrySameTour,
            A::SecondDelivery,
            A::NewWindow,
        ],
        Reason::BusinessClosed => &[
            A::NextWorkingDay,
            A::NewWindow,
            A::StationWithConsent,
            A::Redirect,
        ],
        Reason::Refused => &[A::ReturnToSender, A::ContactSender, A::Hold],
        Reason::RefusedDamaged => &[A::OpenLevel1Case, A::ReturnToSender, A::Hold],
        Reason::ContentShort => &[A::PartialSign, A::OpenLevel1Case, A::ReturnToSender],
        Reason::WrongItem => &[A::ReturnToSender, A::ContactSender, A::Hold],
        Reason::Lost => &[A::OpenLevel1Case, A::Search, A::ContactSender],
        Reason::Stolen => &[A::OpenLevel1Case, A::ReportIncident, A::ContactSender],
        Reason::PaymentNotReady => &[
            A::RetrySameTour,
            A::SecondDelivery,
            A::NewWindow,
            A::ContactSender,
        ],
        Reason::PaymentRefused => &[A::ReturnToSender, A::ContactSender, A::Hold],
        Reason::CodeUnavailable => &[
            A::ResendCode,
            A::OtherProof,
            A::RetrySameTour,
            A::SecondDelivery,
        ],
        Reason::IdCheckFailed => &[A::ReturnToSender, A::SecondDelivery, A::ContactSender],
        Reason::Rescheduled => &[A::NewWindow, A::NextWorkingDay, A::SecondDelivery],
        Reason::Redirected => &[A::Redirect, A::StationWithConsent],
        Reason::OutOfArea => &[
            A::HandBackAtDepot,
            A::Transfer,
            A::ContactSender,
            A::ReturnToSender,
        ],
        Reason::Missort => &[A::HandBackAtDepot, A::Transfer],
        Reason::NotOnVehicle => &[A::Search, A::NextWave, A::SecondDelivery, A::OpenLevel1Case],
        Reason::OutOfTime => &[
            A::NextWave,
            A::SecondDelivery,
            A::NewWindow,
            A::Transfer,
            A::StationWithConsent,
            A::HandBackAtDepot,
        ],
        Reason::NoParking => &[A::RetryOnFoot, A::RetrySameTour, A::NextWave],
        Reason::Weather => &[A::ExcusedRetry, A::NewWindow, A::NextWave, A::Hold],
        Reason::Traffic => &[A::ExcusedRetry, A::NextWave, A::Transfer],
        Reason::Vehicle => &[A::Transfer, A::NextWave, A::HandBackAtDepot, A::Hold],
        Reason::Accident => &[A::ReportIncident, A::Transfer, A::HandBackAtDepot, A::Hold],
        Reason::Safety => &[
            A::ReportIncident,
            A::ContactRecipient,
            A::NewWindow,
            A::StationWithConsent,
            A::HandBackAtDepot,
        ],
        Reason::CancelledBySender => &[A::ReturnToSender, A::HandBackAtDepot, A::Hold],
        Reason::StationOverdue => &[
            A::Remind,
            A::DoorAppointment,
            A::ContactSender,
            A::ReturnToSender,
        ],
        Reason::TemperatureOut => &[
            A::Hold,
            A::OpenLevel1Case,
            A::ContactSender,
            A::HandBackAtDepot,
            A::ReturnToSender,
        ],
        Reason::Prohibited => &[A::ReportIncident, A::Hold, A::HandBackAtDepot],
        Reason::RecipientMoved => &[
            A::Redirect,
            A::ConfirmAddress,
            A::ContactSender,
            A::ReturnToSender,
        ],
        Reason::BarcodeUnreadable => &[A::ManualNumber, A::HandBackAtDepot, A::Hold],
        Reason::Holiday => &[A::NextWorkingDay, A::NewWindow, A::StationWithConsent],
        Reason::Other => &[
            A::SecondDelivery,
            A::RetrySameTour,
            A::ContactRecipient,
            A::ContactSender,
            A::NewWindow,
            A::StationWithConsent,
            A::Hold,
            A::HandBackAtDepot,
            A::ReturnToSender,
        ],
    }
}
