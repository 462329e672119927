//! Into whose hands, or into which place, a parcel went, and what that needs by law and by custom.
//!
//! A courier may not confirm receipt for somebody else, nor use a locker or a station, without the user's
//! consent (快递市场管理办法 Art 28(3); B4-12). Which kinds need which consent is therefore part of the
//! kind itself and compiled in; an operator's settings can ask for more, never for less.

use super::code_enum::code_enum;
use super::reason_codes::{ExternalCode, codes};

code_enum! {
    /// How a parcel left the courier's hands.
    pub enum HandoffKind {
        Recipient = "SELF", "本人签收", "Recipient in person";
        NamedProxy = "NAMED_PROXY", "指定代收人", "Person named by the recipient";
        HouseholdOrColleague = "HOUSEHOLD_OR_COLLEAGUE", "家人/同事", "Family or colleague";
        FrontDesk = "FRONT_DESK", "前台/收发室", "Front desk or mail room";
        Guard = "GUARD", "门卫", "Guard";
        Neighbour = "NEIGHBOUR", "邻居", "Neighbour";
        LeaveAtDoor = "LEAVE_AT_DOOR", "家门口/指定位置", "At the door or an agreed place";
        Locker = "LOCKER", "智能快件箱", "Parcel locker";
        Station = "STATION", "驿站/服务站", "Station or pickup point";
        Partial = "PARTIAL", "部分签收", "Part of the parcel accepted";
        ReturnToSender = "RETURN_TO_SENDER", "退回", "Returned to the sender";
    }
}

code_enum! {
    /// Whose agreement a handoff rests on.
    pub enum ConsentRule {
        NotNeeded = "NOT_NEEDED", "无需另行同意", "No further consent";
        NamedByRecipient = "NAMED_BY_RECIPIENT", "收件人指定", "Recipient named this person";
        Required = "REQUIRED", "须经收件人同意", "Recipient's consent";
        AgreedMethod = "AGREED_METHOD", "须约定投递方式", "Way of delivery agreed beforehand";
        AlwaysRequired = "ALWAYS_REQUIRED", "任何情况下均须同意", "Consent in every case";
        RecipientPresent = "RECIPIENT_PRESENT", "收件人当场确认", "Recipient agrees on the spot";
        SenderInstruction = "SENDER_INSTRUCTION", "须有寄件人指示", "Sender's instruction";
    }
}

impl ConsentRule {
    /// Whether a stored consent or instruction must exist before the handoff. Where the recipient stands
    /// at the door, the signature itself is the agreement.
    #[must_use]
    pub const fn needs_record(self) -> bool {
        !matches!(self, Self::NotNeeded | Self::RecipientPresent)
    }
}

code_enum! {
    /// One piece of evidence that a handoff can ask for.
    pub enum ProofItem {
        Signature = "SIGNATURE", "签名", "Signature";
        Photo = "PHOTO", "照片", "Photo";
        Code = "CODE", "取件码", "Pickup code";
        InspectionPrompt = "INSPECTION_PROMPT", "提示验货", "Inspection offered";
        SignerName = "SIGNER_NAME", "签收人姓名", "Name of the signer";
        Relation = "RELATION", "与收件人关系", "Relation to the recipient";
        Position = "POSITION", "定位", "Position";
        LockerId = "LOCKER_ID", "快件箱编号", "Locker number";
        SlotCode = "SLOT_CODE", "格口取件码", "Code of the slot";
        StationReceipt = "STATION_RECEIPT", "驿站收件凭证", "Receipt of the station";
        CustodyTransfer = "CUSTODY_TRANSFER", "保管责任交接", "Custody handed over";
        ItemCounts = "ITEM_COUNTS", "逐件数量", "Count of each item";
        SenderSignature = "SENDER_SIGNATURE", "寄件人签名", "Signature of the sender";
    }
}

/// A handoff in four other vocabularies.
///
/// For a locker, a station and a return, the Kuaidi100 and Kdniao codes are stages in the order of time:
/// first when the parcel is put there or sent back, then when it is collected or signed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandoffMapping {
    /// Kuaidi100 states.
    pub kuaidi100: &'static [ExternalCode],
    /// Kdniao `StateEx`.
    pub kdniao: &'static [ExternalCode],
    /// Spoke (Circuit) delivery states.
    pub spoke: &'static [ExternalCode],
    /// Amazon Shipping detail codes or events.
    pub amazon: &'static [ExternalCode],
}

/// What the table of requirements C7 says about one kind.
struct Row {
    mapping: HandoffMapping,
    consent: ConsentRule,
    proof: &'static [&'static [ProofItem]],
}

const BY_PROXY: &[&[ProofItem]] = &[
    &[ProofItem::SignerName],
    &[ProofItem::Relation],
    &[ProofItem::Signature],
];
const NAME_AND_PHOTO: &[&[ProofItem]] = &[&[ProofItem::SignerName], &[ProofItem::Photo]];

const RECIPIENT: Row = Row {
    mapping: HandoffMapping {
        kuaidi100: codes!(= "301"),
        kdniao: codes!(= "301"),
        spoke: codes!(= "delivered_to_recipient"),
        amazon: codes!(= "Signed", = "DeliveredWithOTP"),
    },
    consent: ConsentRule::NotNeeded,
    proof: &[
        &[ProofItem::Signature, ProofItem::Code],
        &[ProofItem::InspectionPrompt],
    ],
};

const NAMED_PROXY: Row = Row {
    mapping: HandoffMapping {
        kuaidi100: codes!(= "303"),
        kdniao: codes!(= "304"),
        spoke: codes!(= "delivered_to_third_party"),
        amazon: &[],
    },
    consent: ConsentRule::NamedByRecipient,
    proof: BY_PROXY,
};

/// The same codes as a named proxy; without a consent this one is counted as a violation (A034).
const HOUSEHOLD_OR_COLLEAGUE: Row = Row {
    consent: ConsentRule::Required,
    ..NAMED_PROXY
};

/// Front desk and guard are two kinds for the people concerned and one row for every other system.
const FRONT_DESK_OR_GUARD: Row = Row {
    mapping: HandoffMapping {
        amazon: codes!(= "DeliveredToReceptionist", = "DeliveredToMailRoom"),
        ..NAMED_PROXY.mapping
    },
    consent: ConsentRule::Required,
    proof: NAME_AND_PHOTO,
};

const NEIGHBOUR: Row = Row {
    mapping: HandoffMapping {
        amazon: codes!(= "DeliveredToNeighbor"),
        ..NAMED_PROXY.mapping
    },
    consent: ConsentRule::Required,
    proof: NAME_AND_PHOTO,
};

/// Amazon names eleven places; three of them are people or desks and stand with their own kinds.
const LEAVE_AT_DOOR: Row = Row {
    mapping: HandoffMapping {
        kuaidi100: codes!(~ "301"),
        kdniao: codes!(~ "301"),
        spoke: codes!(= "delivered_to_safe_place", = "delivered_to_mailbox"),
        amazon: codes!(
            = "DeliveredToPorch",
            = "DeliveredToRearDoor",
            = "DeliveredToGarage",
            = "DeliveredToGarden",
            = "DeliveredToGreenhouse",
            = "DeliveredToShed",
            = "DeliveredToBehindWheelieBin",
            = "DeliveredToMailSlot"
        ),
    },
    consent: ConsentRule::AgreedMethod,
    proof: &[&[ProofItem::Photo], &[ProofItem::Position]],
};

const LOCKER: Row = Row {
    mapping: HandoffMapping {
        kuaidi100: codes!(= "501", = "304"),
        kdniao: codes!(= "211", = "311"),
        spoke: codes!(= "delivered_to_pickup_point"),
        amazon: codes!(!"AvailableForPickup"),
    },
    consent: ConsentRule::AlwaysRequired,
    proof: &[
        &[ProofItem::LockerId],
        &[ProofItem::SlotCode],
        &[ProofItem::Photo],
    ],
};

const STATION: Row = Row {
    proof: &[&[ProofItem::StationReceipt], &[ProofItem::CustodyTransfer]],
    ..LOCKER
};

const PARTIAL: Row = Row {
    mapping: HandoffMapping {
        kuaidi100: codes!(~ "302"),
        kdniao: codes!(~ "302"),
        spoke: codes!(= "delivered_other"),
        amazon: &[],
    },
    consent: ConsentRule::RecipientPresent,
    proof: &[&[ProofItem::ItemCounts], &[ProofItem::Signature]],
};

const RETURN_TO_SENDER: Row = Row {
    mapping: HandoffMapping {
        kuaidi100: codes!(= "6", = "4"),
        kdniao: codes!(= "406", = "407"),
        spoke: &[],
        amazon: codes!(!"ReturnInitiated"),
    },
    consent: ConsentRule::SenderInstruction,
    proof: &[&[ProofItem::SenderSignature]],
};

impl HandoffKind {
    const fn row(self) -> &'static Row {
        match self {
            Self::Recipient => &RECIPIENT,
            Self::NamedProxy => &NAMED_PROXY,
            Self::HouseholdOrColleague => &HOUSEHOLD_OR_COLLEAGUE,
            Self::FrontDesk | Self::Guard => &FRONT_DESK_OR_GUARD,
            Self::Neighbour => &NEIGHBOUR,
            Self::LeaveAtDoor => &LEAVE_AT_DOOR,
            Self::Locker => &LOCKER,
            Self::Station => &STATION,
            Self::Partial => &PARTIAL,
            Self::ReturnToSender => &RETURN_TO_SENDER,
        }
    }

    /// The consent this kind rests on: the law's minimum, which no setting may lower (Art 28(3)).
    #[must_use]
    pub const fn consent(self) -> ConsentRule {
        self.row().consent
    }

    /// What to collect unless the hub's rules say more: every group, and of each group any one item.
    #[must_use]
    pub const fn default_proof(self) -> &'static [&'static [ProofItem]] {
        self.row().proof
    }

    /// The codes of other systems.
    #[must_use]
    pub const fn mapping(self) -> &'static HandoffMapping {
        &self.row().mapping
    }
}
