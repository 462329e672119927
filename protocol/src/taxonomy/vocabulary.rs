//! The small closed lists that fill the fields of an attempt, a consent and a promise.
//!
//! They are separate types, because a signer's relation is not a handoff kind and a proof's kind is not
//! its origin: a `guard` may sign for a parcel that went to the `FRONT_DESK`.

use super::code_enum::code_enum;

code_enum! {
    /// How an attempt ended for one parcel.
    pub enum Outcome {
        Delivered = "delivered", "已签收", "Delivered";
        PartiallyDelivered = "partially_delivered", "部分签收", "Partially delivered";
        Failed = "failed", "派送未成功", "Not delivered";
        Returned = "returned", "已退回", "Returned";
    }
}

code_enum! {
    /// Who signed, as seen from the recipient (A030).
    pub enum Relation {
        Oneself = "self", "本人", "Recipient";
        Family = "family", "家人/亲属", "Family";
        Colleague = "colleague", "同事", "Colleague";
        Guard = "guard", "门卫", "Guard";
        FrontDesk = "front_desk", "前台", "Front desk";
        MailRoom = "mail_room", "收发室", "Mail room";
        Neighbour = "neighbour", "邻居", "Neighbour";
        Station = "station", "代收点/驿站", "Station";
        Other = "other", "其他", "Other";
    }
}

code_enum! {
    /// The published delivery promise of a parcel (A001, A002, A007–A010).
    pub enum PromiseClass {
        SameCity = "same_city", "同城件12小时达", "Same city, 12 hours";
        CrossProvince = "cross_province", "跨省件48小时达", "Other province, 48 hours";
        Express30m = "express_30m", "30分钟极速达", "Express, 30 minutes";
        HalfDay = "half_day", "半日达", "Half-day";
        SameDay = "same_day", "当日达", "Same day";
        NextDay = "next_day", "次日达", "Next day";
        SecondDay = "second_day", "隔日达", "Second day";
    }
}

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

impl PromiseClass {
    /// The time from acceptance to the deadline, for the classes that are a fixed number of hours.
    ///
    /// The day classes promise a part of the calendar (until tonight, until tomorrow night), whose end
    /// depends on the operator's published hours and the place; the hub sends their deadline.
    #[must_use]
    pub const fn limit_ms(self) -> Option<i64> {
        match self {
            Self::SameCity => Some(12 * HOUR_MS),
            Self::CrossProvince => Some(48 * HOUR_MS),
            Self::Express30m => Some(30 * MINUTE_MS),
            Self::HalfDay | Self::SameDay | Self::NextDay | Self::SecondDay => None,
        }
    }
}

code_enum! {
    /// What a parcel needs on its way (A039–A041).
    pub enum HandlingTag {
        Fresh = "fresh", "生鲜件", "Fresh";
        Fragile = "fragile", "易碎品", "Fragile";
        Medicine = "medicine", "医药", "Medicine";
        ColdChain = "cold_chain", "温控", "Temperature controlled";
        HighValue = "high_value", "高价值", "High value";
    }
}

code_enum! {
    /// What came of offering to open and inspect (A024, Art 27(1), Art 28(2)).
    pub enum InspectionResult {
        Inspected = "inspected", "已验货", "Inspected";
        Declined = "declined", "客户选择不验货", "Declined";
        NotPossibleAgreed = "not_possible_agreed", "无法当面验货,已另行约定", "Not possible, other way agreed";
    }
}

code_enum! {
    /// How the receiver's identity was checked (A028). The result is kept, never the number itself.
    pub enum IdentityMethod {
        Name = "name", "核对姓名", "By name";
        PhoneLast4 = "phone_last4", "核对手机尾号", "By last four digits of the phone";
        PickupCode = "pickup_code", "核对取件码", "By pickup code";
    }
}

code_enum! {
    /// How a consent reached us (A033).
    pub enum ConsentChannel {
        PageClick = "page_click", "页面确认", "Confirmed on the page";
        Call = "call", "电话", "Phone call";
        Sms = "sms", "短信", "Text message";
        Signature = "signature", "签名", "Signature";
        Code = "code", "验证码", "Code";
        Standing = "standing", "长期偏好", "Standing preference";
    }
}

code_enum! {
    /// What kind of proof a stored blob is.
    pub enum ProofKind {
        Signature = "signature", "签名", "Signature";
        Photo = "photo", "照片", "Photo";
        Code = "code", "取件码", "Code";
    }
}

code_enum! {
    /// What makes a drawing look unlike a signature without proving that it is none: asked about once
    /// more, then taken, because a cross or a shaky mark is a lawful signature.
    pub enum InkDoubt {
        LittleInk = "little_ink", "签名笔画太少", "There is little ink";
        SmallBox = "small_box", "签名太小", "It covers hardly any of the pad";
        StraightLine = "straight_line", "只是一条直线", "It is one straight line";
        FewTurns = "few_turns", "笔画几乎没有转折", "The line hardly turns anywhere";
        FewCells = "few_cells", "笔迹挤在一处", "All ink lies on one spot of the pad";
        FewPoints = "few_points", "笔迹采样太少", "It has very few points";
        Quick = "quick", "签得过快", "It was drawn faster than a name can be";
        SameAsBefore = "same_as_before", "与之前的签名完全相同", "It is the very drawing of another visit";
    }
}

code_enum! {
    /// Where a photo came from (B4-20): one picked from the gallery may be older than the delivery.
    pub enum PhotoOrigin {
        Camera = "camera", "现场拍摄", "Taken now";
        Gallery = "gallery", "相册选取", "Chosen from the gallery";
    }
}
