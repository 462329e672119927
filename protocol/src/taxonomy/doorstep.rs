//! The lists of the doorstep: consents, calls, positions, pickups and abnormal days.
//!
//! They are on the wire because a hub, an auditor and another phone read them years later.

use super::code_enum::code_enum;

code_enum! {
    /// Who agreed.
    pub enum Giver {
        Recipient = "RECIPIENT", "收件人", "Recipient";
        Sender = "SENDER", "寄件人", "Sender";
    }
}

code_enum! {
    /// Where the record was made.
    pub enum ConsentOrigin {
        HubPage = "HUB_PAGE", "客户在页面选择", "The customer chose it on the page";
        OnTheSpot = "ON_THE_SPOT", "现场征得", "Taken at the door";
        StandingPreference = "STANDING_PREFERENCE", "长期偏好", "Standing preference";
    }
}

code_enum! {
    /// How a call ended.
    pub enum CallResult {
        Answered = "ANSWERED", "已接通", "Answered";
        NoAnswer = "NO_ANSWER", "无人接听", "No answer";
        Busy = "BUSY", "占线", "Busy";
        Rejected = "REJECTED", "拒接", "Rejected";
        SwitchedOff = "SWITCHED_OFF", "关机或不在服务区", "Switched off or no coverage";
        WrongNumber = "WRONG_NUMBER", "空号或非本人", "Wrong number or another person";
        MessageSent = "MESSAGE_SENT", "已发短信", "A text message was sent";
    }
}

code_enum! {
    /// The datum a position was given in.
    pub enum Datum {
        Wgs84 = "WGS84", "WGS-84", "WGS-84";
        Gcj02 = "GCJ02", "GCJ-02(国测局)", "GCJ-02";
        Bd09 = "BD09", "BD-09(百度)", "BD-09";
        Unknown = "UNKNOWN", "未知坐标系", "Unknown";
    }
}

code_enum! {
    /// How near the door the phone was.
    pub enum Zone {
        Inside = "INSIDE", "在门口范围内", "At the door";
        Extended = "EXTENDED", "在扩展范围内", "Near the door";
        Outside = "OUTSIDE", "不在范围内", "Away from the door";
        Unknown = "UNKNOWN", "位置未知", "Position unknown";
    }
}

code_enum! {
    /// What the look inside showed (A199).
    pub enum Contents {
        Compliant = "COMPLIANT", "内件合规", "Contents may be carried";
        Prohibited = "PROHIBITED", "含禁寄物品", "Prohibited goods";
        Undeclared = "UNDECLARED", "与申报不符", "Not what was declared";
        NotShown = "NOT_SHOWN", "拒绝验视", "The sender would not show them";
    }
}

code_enum! {
    /// What makes a day abnormal for everybody (A018).
    pub enum Regime {
        Weather = "WEATHER", "极端天气", "Extreme weather";
        Peak = "PEAK", "促销高峰", "Promotion peak";
        ForceMajeure = "FORCE_MAJEURE", "不可抗力", "Force majeure";
    }
}
