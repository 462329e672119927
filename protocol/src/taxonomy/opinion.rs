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
    /// Why an attempt deserves a second look. Never a verdict: a person judges, and the courier is heard first.
    pub enum DoubtKind {
        MockLocation = "mock_location", "定位由模拟位置提供", "The position came from a mock provider";
        Teleport = "teleport", "两次派送之间的移动速度不可能", "No vehicle is that fast between two doors";
        ClockMoved = "clock_moved", "手机时钟在两次派送之间被改动", "The phone's clock was moved between two attempts";
        GalleryPhoto = "gallery_photo", "照片选自相册,并非现场拍摄", "The photo was chosen from the gallery";
        OldPhoto = "old_photo", "照片拍摄时间早于派送很久", "The camera dates the photo long before the attempt";
        PhotoReused = "photo_reused", "同一张照片用于另一次派送", "The very photo proves another visit as well";
        PhotoLooksReused = "photo_looks_reused", "照片与另一次派送的照片几乎相同", "The photo looks like that of another visit";
        SignatureReused = "signature_reused", "签名与另一次派送的笔迹完全相同", "The very strokes were signed at another visit";
    }
}

code_enum! {
    /// What a person at the hub made of a doubt.
    pub enum DoubtVerdict {
        Dismissed = "dismissed", "已排除", "Explained";
        Upheld = "upheld", "成立", "Upheld";
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
