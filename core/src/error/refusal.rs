//! The rules that were not met, each as a type for code and in words for the person at the door.

use satchel_protocol::ids::ParcelId;
use satchel_protocol::taxonomy::{Action, ConsentChannel, HandoffKind, Reason};
use satchel_protocol::transitions::WhyNot;
use thiserror::Error;

use crate::rules::coded::Text;
use crate::rules::codes::{CodeRefusal, NotAParcel, ScanFault};
use crate::rules::consent::{ConsentFault, ConsentRefusal, Standing};
use crate::rules::contact::NoContact;
use crate::rules::duty::{self, DutyRefusal, Unsynced};
use crate::rules::lease::Lock;
use crate::rules::position::PositionFault;
use crate::rules::ruleset::Unmet;
use crate::rules::wording::Wording;

/// A rule that was not met. Each names the rule's source in its documentation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// This handoff needs the customer's stored consent and there is none (A032, Art 28(3)).
    #[error("handoff {} needs the customer's consent", .handoff.code())]
    ConsentMissing {
        /// The handoff asked for.
        handoff: HandoffKind,
        /// How one could be had now, the easiest at the door first.
        channels: &'static [ConsentChannel],
    },
    /// The consent has run out, also when that happened on the way to the locker.
    #[error("the consent has expired")]
    ConsentExpired,
    /// The consent was withdrawn.
    #[error("the consent was withdrawn")]
    ConsentWithdrawn,
    /// The consent is dated later than this phone's clock says it is now.
    #[error("the consent is not given yet by this phone's clock")]
    ConsentNotYetGiven,
    /// Somebody agreed who may not (A033).
    #[error("the consent was not given by the right person")]
    ConsentWrongGiver,
    /// The way it was given does not show the recipient's will for this handoff (A033).
    #[error("the consent came by a channel that does not suffice")]
    ConsentChannelInsufficient,
    /// The person at the door is not the one the recipient named (Art 28(1)).
    #[error("the consent names somebody else")]
    ConsentNamesSomebodyElse,
    /// What was handed in is no consent at all.
    #[error(transparent)]
    NoConsent(#[from] ConsentFault),
    /// "Door delivery" is noted on the waybill (Zhejiang Art 31).
    #[error("the parcel must be delivered to the door")]
    DoorRequired,
    /// Goods with an age limit need a person who can be checked (A040).
    #[error("goods with an age limit cannot be left unattended")]
    NobodyToCheck,
    /// Personal data is closed on this phone and no new work begins, until it hears from its hub.
    #[error("this phone is locked: {_0:?}")]
    Locked(Lock),
    /// Something this handoff requires is not there (B4-12).
    #[error("missing: {}", list(.items))]
    Missing {
        /// What is missing and why that counts, in the order of the checklist.
        items: Vec<Unmet>,
    },
    /// This reason does not allow this action (A043).
    #[error("reason {} does not allow action {}", .reason.code(), .action.code())]
    IllegalAction {
        /// The reason given.
        reason: Reason,
        /// The action given.
        action: Action,
    },
    /// No contact, no failure code (A036, A045).
    #[error(transparent)]
    NoContact(#[from] NoContact),
    /// What was scanned for a parcel is no readable code.
    #[error(transparent)]
    Scan(#[from] ScanFault),
    /// What was scanned for a parcel is a code, and no parcel's.
    #[error("the scanned code is no parcel's")]
    ScanNotAParcel {
        /// What it is.
        what: NotAParcel,
    },
    /// What was scanned for a parcel is another parcel's code (B4-7).
    #[error("the scan names another parcel")]
    ScanContradicts {
        /// The parcel it was handed in for.
        parcel_id: ParcelId,
    },
    /// The position cannot be evidence: nobody knows what its numbers mean (C4).
    #[error(transparent)]
    Position(#[from] PositionFault),
    /// The parcel already has its final outcome.
    #[error("the parcel already has its final outcome")]
    ParcelClosed,
    /// A parcel of the attempt is not at this stop.
    #[error("a parcel of the attempt does not belong to this stop")]
    ParcelNotAtStop,
    /// The table of a parcel's life has no such step now (B4-4).
    #[error(transparent)]
    NotNow(#[from] WhyNot),
    /// More has happened to this parcel than this phone keeps; the hub must look into it.
    #[error("too much has been recorded for this parcel")]
    HistoryFull,
    /// The shift does not start or end (A174).
    #[error(transparent)]
    Duty(#[from] DutyRefusal),
    /// Work is only on this phone; signing out needs the courier's word (B4-14).
    #[error("{} entries and {} proofs are not sent yet", .left.entries, .left.proofs)]
    UnsyncedWork {
        /// The counts.
        left: Unsynced,
    },
    /// This reason says nothing without words.
    #[error("reason {} needs words", .reason.code())]
    WordsMissing {
        /// The reason given.
        reason: Reason,
    },
    /// The code was not tried; it does not count as a try.
    #[error(transparent)]
    Code(#[from] CodeRefusal),
    /// There is no such thing about this parcel: no code, no temperature limits, no pickup.
    #[error("the parcel has no {what}")]
    NotOfThisParcel {
        /// What was asked for.
        what: &'static str,
    },
    /// The hub recorded something later than this phone's clock says it is now.
    #[error("the phone's clock is {behind_ms} ms behind what the hub recorded")]
    ClockBehind {
        /// By how much.
        behind_ms: i64,
    },
}

fn list(items: &[Unmet]) -> String {
    items
        .iter()
        .map(|unmet| unmet.item.code())
        .collect::<Vec<_>>()
        .join(", ")
}

impl From<ConsentRefusal> for Refusal {
    fn from(refusal: ConsentRefusal) -> Self {
        match refusal {
            ConsentRefusal::DoorRequired => Self::DoorRequired,
            ConsentRefusal::NobodyToCheck => Self::NobodyToCheck,
            ConsentRefusal::Missing { handoff, channels } => {
                Self::ConsentMissing { handoff, channels }
            }
            ConsentRefusal::NoLongerValid { standing, .. } => match standing {
                Standing::Withdrawn => Self::ConsentWithdrawn,
                Standing::NotYetGiven => Self::ConsentNotYetGiven,
                Standing::Expired | Standing::Valid => Self::ConsentExpired,
            },
            ConsentRefusal::WrongGiver { .. } => Self::ConsentWrongGiver,
            ConsentRefusal::ChannelInsufficient { .. } => Self::ConsentChannelInsufficient,
            ConsentRefusal::SomebodyElse { .. } => Self::ConsentNamesSomebodyElse,
        }
    }
}

impl Wording for Refusal {
    fn text(&self) -> Text {
        let joined = |words: Vec<String>, by: &str| words.join(by);
        match self {
            Self::ConsentMissing { handoff, .. } => Text::new(
                format!("未经客户同意,不得采用“{}”,请先联系客户", handoff.zh()),
                format!(
                    "The customer has not agreed to \"{}\": ask first",
                    handoff.en()
                ),
            ),
            Self::ConsentExpired => nearest(Standing::Expired),
            Self::ConsentWithdrawn => nearest(Standing::Withdrawn),
            Self::ConsentNotYetGiven => nearest(Standing::NotYetGiven),
            Self::ConsentWrongGiver => ConsentRefusal::WrongGiver { id: String::new() }.text(),
            Self::ConsentChannelInsufficient => {
                ConsentRefusal::ChannelInsufficient { id: String::new() }.text()
            }
            Self::ConsentNamesSomebodyElse => {
                ConsentRefusal::SomebodyElse { id: String::new() }.text()
            }
            Self::NoConsent(fault) => fault.text(),
            Self::DoorRequired => ConsentRefusal::DoorRequired.text(),
            Self::NobodyToCheck => ConsentRefusal::NobodyToCheck.text(),
            Self::Missing { items } => {
                let texts: Vec<Text> = items.iter().map(Wording::text).collect();
                Text::new(
                    joined(texts.iter().map(|t| t.zh.clone()).collect(), ";"),
                    joined(texts.iter().map(|t| t.en.clone()).collect(), "; "),
                )
            }
            Self::IllegalAction { reason, action } => WhyNot::IllegalPair {
                reason: *reason,
                action: *action,
            }
            .text(),
            Self::NoContact(why) => why.text(),
            Self::Scan(fault) => fault.text(),
            Self::ScanNotAParcel { what } => what.text(),
            Self::ScanContradicts { .. } => Text::new(
                "扫到的是另一件包裹,请核对",
                "The scan names another parcel; look again",
            ),
            Self::Position(fault) => fault.text(),
            Self::ParcelClosed => {
                Text::new("该快件已有最终结果", "The parcel already has its outcome")
            }
            Self::ParcelNotAtStop => Text::new(
                "有快件不属于该停靠点",
                "One of the parcels does not belong to this stop",
            ),
            Self::NotNow(why) => why.text(),
            Self::Locked(lock) => lock.text(),
            Self::HistoryFull => Text::new(
                "该快件记录过多,请联系网点",
                "Too much is recorded for this parcel; call the depot",
            ),
            Self::Duty(why) => why.text(),
            Self::UnsyncedWork { left } => duty::logout_warning(*left).map_or_else(
                || Text::new("可以退出", "You can sign out"),
                |warning| warning.text,
            ),
            Self::WordsMissing { .. } => Text::new("请填写说明", "Say in words what happened"),
            Self::Code(why) => why.text(),
            Self::NotOfThisParcel { .. } => {
                Text::new("该快件不需要此操作", "This parcel does not call for that")
            }
            Self::ClockBehind { .. } => Text::new(
                "手机时间落后,请校准后再试",
                "The phone's clock is behind; set it and try again",
            ),
        }
    }
}

fn nearest(standing: Standing) -> Text {
    ConsentRefusal::NoLongerValid {
        id: String::new(),
        standing,
    }
    .text()
}
