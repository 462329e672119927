//! What a customer's opinion counts for, why one is set aside, and what a complaint is about.

use super::code_enum::code_enum;

code_enum! {
    /// What a rating counts for. The QR is on the courier's own phone, so the QR alone proves only that
    /// somebody saw that phone; only a share the courier never holds makes a rating count in pay.
    pub enum RatingClass {
        Verified = "verified", "已核实", "Verified";
        Present = "present", "仅扫码", "Scanned only";
        Flagged = "flagged", "已搁置", "Set aside";
    }
}

code_enum! {
    /// Why a rating that came with the QR alone is set aside for a person to look at.
    pub enum RatingFlag {
        CourierNetwork = "courier_network", "来自派送员设备所用网络", "Sent from the network the courier's phone was on";
        SameClient = "same_client", "同一浏览器评价了多位收件人的包裹", "One browser rated parcels of several recipients";
        TooFast = "too_fast", "二维码显示后立即被扫描", "Scanned the moment the code was shown";
        Burst = "burst", "短时间内集中评价不同时段的派送", "Deliveries of a whole day rated within minutes";
        WrongCodes = "wrong_codes", "多次输入错误的评价码", "Several wrong rating codes";
        UnlikelyShare = "unlikely_share", "仅扫码评价比例异常", "Far more scanned-only ratings than deliveries bring";
    }
}

code_enum! {
    /// What a customer complains or claims about. The level follows from it (A098, A102).
    pub enum CareReason {
        Lost = "lost", "快件丢失", "Lost";
        Damaged = "damaged", "快件破损", "Damaged";
        Late = "late", "派送延误", "Late";
        Attitude = "attitude", "服务态度", "Attitude";
        Information = "information", "信息未告知或不准确", "Not informed, or wrongly";
        NotConsented = "not_consented", "未经同意放驿站/快件箱或代收", "Left elsewhere without my consent";
        Other = "other", "其他", "Something else";
    }
}

impl CareReason {
    /// 1 for loss and damage, 2 for delay and attitude, 0 for what the rules do not tier (A098, A102,
    /// A103).
    #[must_use]
    pub const fn level(self) -> u8 {
        match self {
            Self::Lost | Self::Damaged => 1,
            Self::Late | Self::Attitude => 2,
            Self::Information | Self::NotConsented | Self::Other => 0,
        }
    }
}
