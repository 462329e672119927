//! What a handoff can ask for, and the lawful excuses for not giving it.

use crate::rules::coded::{Text, coded};
use crate::rules::ruleset::Case;
use satchel_protocol::taxonomy::HandlingTag;

coded! {
    /// One thing a handoff can need, in the order in which a courier works through it.
    pub enum Item {
        Consent = "CONSENT", "客户同意记录", "Customer's consent on record";
        IdentityCheck = "IDENTITY_CHECK", "核对收件人信息", "Check the recipient";
        AgeCheck = "AGE_CHECK", "核验年龄(只记结果)", "Check the age, keep the result only";
        InspectionPrompt = "INSPECTION_PROMPT", "提示客户开箱验货", "Offer to open and inspect";
        ParcelScan = "PARCEL_SCAN", "逐件扫描", "Scan each parcel";
        Temperature = "TEMPERATURE", "温度记录", "Temperature reading";
        ItemCounts = "ITEM_COUNTS", "逐项清点数量", "Count of each item";
        SignerName = "SIGNER_NAME", "签收人姓名", "Name of the person";
        Relation = "RELATION", "与收件人关系", "Relation to the recipient";
        LockerId = "LOCKER_ID", "快件箱编号", "Number of the locker";
        SlotCode = "SLOT_CODE", "格口取件码", "Code of the slot";
        StationReceipt = "STATION_RECEIPT", "驿站收件凭证", "Receipt of the station";
        Photo = "PHOTO", "交付照片", "Photo of the handoff";
        Signature = "SIGNATURE", "签名", "Signature";
        Code = "CODE", "收件人验证码", "Recipient's code";
        Position = "POSITION", "定位", "Position";
        Note = "NOTE", "说明", "A short explanation";
    }
}

coded! {
    /// Why an item that may be skipped was skipped; kept with the attempt.
    pub enum SkipReason {
        RecipientDeclined = "RECIPIENT_DECLINED", "客户不同意", "The customer did not want it";
        DeviceFault = "DEVICE_FAULT", "设备故障", "A device does not work";
        NotPossibleHere = "NOT_POSSIBLE_HERE", "现场条件不允许", "Not possible at this place";
        Unsafe = "UNSAFE", "现场不安全", "Not safe to stay";
        AlreadyDone = "ALREADY_DONE", "已通过其他方式完成", "Already done another way";
        Other = "OTHER", "其他(须填写说明)", "Other, explained in a note";
    }
}

impl SkipReason {
    /// Whether the reason alone says nothing.
    #[must_use]
    pub const fn requires_note(self) -> bool {
        matches!(self, Self::Other)
    }
}

impl Item {
    /// What the courier reads for this item in this case. The inspection prompt is a right that the
    /// customer has to be told of, and the right is wider for a fragile or damaged parcel (Art 27(1)).
    #[must_use]
    pub fn text(self, case: &Case) -> Text {
        if self != Self::InspectionPrompt {
            return Text::new(self.zh(), self.en());
        }
        if case.visibly_damaged {
            Text::new(
                "外包装有破损:请告知客户可先查看内件,也可以拒收",
                "The package looks damaged: tell the customer that he may look inside first or refuse it",
            )
        } else if case.tags.contains(&HandlingTag::Fragile) {
            Text::new(
                "易碎品:请告知客户可先查看内件再签收",
                "Fragile: tell the customer that he may look inside before signing",
            )
        } else {
            Text::new(
                "请告知客户有权当面验视,并核对运单上的内容",
                "Tell the customer that he may inspect it now and compare it with the waybill",
            )
        }
    }
}
