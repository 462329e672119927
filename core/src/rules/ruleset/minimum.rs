//! The law's minimum as one table. Nothing outside this file may lower a line of it.

use satchel_protocol::taxonomy::{HandlingTag, HandoffKind, PromiseClass};

use super::document::Level;
use super::item::Item;

/// What is known about one parcel and the way it is to be handed over, before that starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The handoff asked for.
    pub handoff: HandoffKind,
    /// The parcel's promise class.
    pub class: PromiseClass,
    /// The parcel's handling tags.
    pub tags: Vec<HandlingTag>,
    /// The service tier the hub gave the parcel, if any.
    pub tier: Option<String>,
    /// The courier sees damage on the outside (Art 27(1)).
    pub visibly_damaged: bool,
    /// Goods that may be handed only to people of this age; the check keeps its result only.
    pub min_age_years: Option<u8>,
    /// Parcels handed over at this door in one go (B4-7).
    pub parcels_at_door: u32,
}

impl Case {
    /// A parcel without tags, tier or anything special.
    #[must_use]
    pub fn plain(handoff: HandoffKind, class: PromiseClass) -> Self {
        Self {
            handoff,
            class,
            tags: Vec::new(),
            tier: None,
            visibly_damaged: false,
            min_age_years: None,
            parcels_at_door: 1,
        }
    }
}

/// One line of the minimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Floor {
    /// How strongly the item is needed at least.
    pub level: Level,
    /// Rows and articles it rests on.
    pub source: &'static str,
}

/// How strongly an item is needed in any operator's network.
///
/// A level of [`Level::Optional`] or [`Level::Off`] is a default, not a floor: a hub may change it
/// either way. The two required levels can only be raised.
#[must_use]
pub fn minimum(case: &Case, item: Item) -> Floor {
    let (level, source) = by_handoff(case.handoff, item);
    let lifted = |to: Level, rows: &'static str| {
        if to > level {
            Floor {
                level: to,
                source: rows,
            }
        } else {
            Floor { level, source }
        }
    };
    let tagged = |tag| case.tags.contains(&tag);
    match item {
        // Where nobody is present the item stays unmet, so such goods cannot be left unattended.
        Item::AgeCheck if case.min_age_years.is_some() => lifted(Level::Required, "B1, A040"),
        Item::InspectionPrompt
            if (tagged(HandlingTag::Fragile) || case.visibly_damaged) && attended(case.handoff) =>
        {
            lifted(Level::Required, "A041, Art 27(1)")
        }
        Item::Temperature if tagged(HandlingTag::ColdChain) => {
            lifted(Level::RequiredWithReason, "A039")
        }
        Item::ParcelScan if case.parcels_at_door > 1 => lifted(Level::RequiredWithReason, "B4-7"),
        _ => Floor { level, source },
    }
}

/// Whether a person stands there who can answer, look and sign.
fn attended(handoff: HandoffKind) -> bool {
    !matches!(handoff, HandoffKind::LeaveAtDoor | HandoffKind::Locker)
}

/// The table itself, without what tags add.
fn by_handoff(handoff: HandoffKind, item: Item) -> (Level, &'static str) {
    use HandoffKind as H;
    use Level::{Off, Optional, Required, RequiredWithReason};
    match item {
        Item::Consent => {
            let level = if handoff.consent().needs_record() {
                Required
            } else {
                Off
            };
            (level, "A032, A033, Art 28(3)")
        }
        Item::IdentityCheck => match handoff {
            H::Recipient | H::Partial => (Required, "A028"),
            H::LeaveAtDoor | H::Locker | H::Station => (Off, "A028"),
            _ => (Optional, "A028"),
        },
        Item::InspectionPrompt => match handoff {
            H::Recipient | H::Partial | H::NamedProxy | H::HouseholdOrColleague => {
                (Required, "A024, A029, Art 27(1)")
            }
            H::FrontDesk | H::Guard | H::Neighbour => (Optional, "A024, A029, Art 27(1)"),
            _ => (Off, "A024, A029, Art 28(2)"),
        },
        Item::Signature => match handoff {
            H::Recipient | H::Partial | H::NamedProxy | H::HouseholdOrColleague => {
                (Required, "A030, Art 28(1)")
            }
            H::ReturnToSender => (Required, "A030, C7"),
            H::LeaveAtDoor | H::Locker => (Off, "A030"),
            _ => (Optional, "A030"),
        },
        Item::SignerName => match handoff {
            H::Recipient | H::Partial => (Optional, "A030"),
            H::LeaveAtDoor | H::Locker => (Off, "A030"),
            _ => (Required, "A030, C7"),
        },
        Item::Relation => match handoff {
            H::NamedProxy | H::HouseholdOrColleague | H::FrontDesk | H::Guard | H::Neighbour => {
                (Required, "A030, C7")
            }
            _ => (Off, "A030"),
        },
        Item::Photo => (Required, "A025"),
        Item::ItemCounts => match handoff {
            H::Partial => (Required, "C7"),
            _ => (Off, "C7"),
        },
        Item::LockerId => match handoff {
            H::Locker => (Required, "C7"),
            _ => (Off, "C7"),
        },
        Item::SlotCode => match handoff {
            H::Locker => (RequiredWithReason, "C7"),
            _ => (Off, "C7"),
        },
        Item::StationReceipt => match handoff {
            H::Station => (RequiredWithReason, "C7, A142"),
            _ => (Off, "C7"),
        },
        Item::AgeCheck | Item::Temperature => (Off, "A039, A040"),
        Item::ParcelScan => (Optional, "B4-7"),
        Item::Code => match handoff {
            H::LeaveAtDoor | H::ReturnToSender => (Off, "B1"),
            _ => (Optional, "B1"),
        },
        Item::Position => (Optional, "A031, B4-22"),
        Item::Note => (Optional, "C7"),
    }
}
