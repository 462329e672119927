//! Why a parcel was not handed over: the 37 canonical reasons of requirements C7, in its order.
//!
//! The list is closed on purpose. A courier picks from it offline, the hub counts it (A126), and the
//! action that follows is limited by it (A043); free text alone could do none of these.

use super::action::{self, Action};
use super::code_enum::code_enum;
use super::reason_codes::{self, ReasonMapping};

code_enum! {
    /// Why an attempt did not end with the whole parcel in the right hands.
    pub enum Reason {
        RecipientAbsent = "RECIPIENT_ABSENT", "客户不在家", "Nobody at home";
        Unreachable = "UNREACHABLE", "无法联系", "Cannot be reached by phone";
        PhoneWrong = "PHONE_WRONG", "电话错误", "Phone number is wrong";
        AddressIncomplete = "ADDRESS_INCOMPLETE", "地址不详/模糊", "Address incomplete or vague";
        AddressWrong = "ADDRESS_WRONG", "地址错误", "Address is wrong";
        AccessDenied = "ACCESS_DENIED", "无法进入", "Cannot get in";
        BusinessClosed = "BUSINESS_CLOSED", "单位休息", "Business is closed";
        Refused = "REFUSED", "拒收", "Refused";
        RefusedDamaged = "REFUSED_DAMAGED", "破损拒收", "Refused because damaged";
        ContentShort = "CONTENT_SHORT", "内件短少", "Items missing from the parcel";
        WrongItem = "WRONG_ITEM", "内件不符", "Wrong item inside";
        Lost = "LOST", "丢件", "Lost";
        Stolen = "STOLEN", "被盗", "Stolen";
        PaymentNotReady = "PAYMENT_NOT_READY", "代收款未备", "Payment not ready";
        PaymentRefused = "PAYMENT_REFUSED", "拒付", "Payment refused";
        CodeUnavailable = "CODE_UNAVAILABLE", "无取件码", "No pickup code at hand";
        IdCheckFailed = "ID_CHECK_FAILED", "身份/年龄不符", "Identity or age check failed";
        Rescheduled = "RESCHEDULED", "客户改时间", "Customer chose another time";
        Redirected = "REDIRECTED", "客户改地址/转投", "Customer chose another place";
        OutOfArea = "OUT_OF_AREA", "超区", "Outside the delivery area";
        Missort = "MISSORT", "错分", "Sorted to the wrong route";
        NotOnVehicle = "NOT_ON_VEHICLE", "未装车", "Not on the vehicle";
        OutOfTime = "OUT_OF_TIME", "当班未派完/滞留", "Shift ended before this stop";
        NoParking = "NO_PARKING", "无法停车", "Nowhere to park";
        Weather = "WEATHER", "天气", "Weather";
        Traffic = "TRAFFIC", "交通", "Traffic";
        Vehicle = "VEHICLE", "车辆故障", "Vehicle broke down";
        Accident = "ACCIDENT", "事故", "Accident";
        Safety = "SAFETY", "人身/犬只等危险", "Danger to the courier, such as a dog";
        CancelledBySender = "CANCELLED_BY_SENDER", "拦截/撤单", "Stopped by the sender";
        StationOverdue = "STATION_OVERDUE", "柜/站超时未取", "Not collected from station or locker";
        TemperatureOut = "TEMPERATURE_OUT", "温度超限", "Temperature limit exceeded";
        Prohibited = "PROHIBITED", "违禁", "Prohibited goods";
        RecipientMoved = "RECIPIENT_MOVED", "已搬迁", "Recipient has moved away";
        BarcodeUnreadable = "BARCODE_UNREADABLE", "面单/条码不可读", "Waybill or barcode unreadable";
        Holiday = "HOLIDAY", "节假日", "Public holiday";
        Other = "OTHER", "其他", "Other";
    }
}

impl Reason {
    /// What may follow this reason; the first entry is the one to suggest (A043).
    #[must_use]
    pub const fn legal_actions(self) -> &'static [Action] {
        action::legal_actions(self)
    }

    /// Whether `action` may follow this reason.
    #[must_use]
    pub fn allows(self, action: Action) -> bool {
        self.legal_actions().contains(&action)
    }

    /// The nearest codes of other systems.
    #[must_use]
    pub const fn mapping(self) -> &'static ReasonMapping {
        reason_codes::mapping(self)
    }

    /// Whether the courier must say in words what happened: the code alone says nothing.
    #[must_use]
    pub const fn requires_text(self) -> bool {
        matches!(self, Self::Other)
    }

    /// Whether a photo must be taken: a damage claim (A098) and a number typed by hand both rest on it.
    #[must_use]
    pub const fn requires_photo(self) -> bool {
        matches!(self, Self::RefusedDamaged | Self::BarcodeUnreadable)
    }
}
