//! What a handoff needs, and whether what was handed in suffices.
//!
//! Pure functions over facts. The table below is the law's minimum and is compiled in: rules from a
//! hub may later add to it, never take away. One function tells the courier what is needed and the
//! same table decides completion, so a screen can neither forget an item nor skip it (B4-12).

use satchel_protocol::taxonomy::{Action, HandlingTag, HandoffKind, Reason};

use crate::error::Refusal;

/// Version of the compiled-in table; stored with every attempt.
pub const RULES_VERSION: u32 = 1;

/// One thing a handoff can need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Item {
    /// The customer's stored consent (A023, Art 28(3)).
    Consent,
    /// Name, phone or code compared with the recipient (A028).
    IdentityCheck,
    /// The prompt to open and inspect, and its answer (A024, Art 27).
    InspectionPrompt,
    /// A drawn signature (A030).
    Signature,
    /// At least one photo (A025).
    Photo,
    /// Who took the parcel (A030).
    SignerName,
    /// Who that is to the recipient (A030).
    Relation,
    /// Words, where a reason alone says too little.
    Note,
}

impl Item {
    /// Stable code for logs and bindings.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Consent => "CONSENT",
            Self::IdentityCheck => "IDENTITY_CHECK",
            Self::InspectionPrompt => "INSPECTION_PROMPT",
            Self::Signature => "SIGNATURE",
            Self::Photo => "PHOTO",
            Self::SignerName => "SIGNER_NAME",
            Self::Relation => "RELATION",
            Self::Note => "NOTE",
        }
    }

    /// What the courier reads, in Chinese.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Consent => "客户同意记录",
            Self::IdentityCheck => "核对收件人信息",
            Self::InspectionPrompt => "提示客户开箱验货",
            Self::Signature => "签名",
            Self::Photo => "交付照片",
            Self::SignerName => "签收人姓名",
            Self::Relation => "与收件人关系",
            Self::Note => "说明",
        }
    }

    /// What the courier reads, in English.
    #[must_use]
    pub const fn en(self) -> &'static str {
        match self {
            Self::Consent => "Customer's consent on record",
            Self::IdentityCheck => "Check the recipient",
            Self::InspectionPrompt => "Offer to open and inspect",
            Self::Signature => "Signature",
            Self::Photo => "Photo of the handoff",
            Self::SignerName => "Name of the person",
            Self::Relation => "Relation to the recipient",
            Self::Note => "A short explanation",
        }
    }

    /// The rule it comes from.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Consent => "A032, A033, Art 28(3)",
            Self::IdentityCheck => "A028",
            Self::InspectionPrompt => "A024, A029, Art 27(1)",
            Self::Signature | Self::SignerName | Self::Relation => "A030, Art 28(1)",
            Self::Photo => "A025",
            Self::Note => "C7",
        }
    }
}

/// How strongly an item is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Completion is refused without it.
    Required,
    /// May be given.
    Optional,
    /// Makes no sense for this handoff and is not asked for.
    Off,
}

/// One line of the checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement {
    /// What.
    pub item: Item,
    /// How strongly.
    pub level: Level,
}

/// What is known about the parcels of a handoff before it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The handoff asked for.
    pub handoff: HandoffKind,
    /// Every handling tag of every parcel in the attempt.
    pub tags: Vec<HandlingTag>,
    /// Handoffs for which *every* parcel of the attempt has a valid consent now.
    pub consents: Vec<HandoffKind>,
    /// "Door delivery" is noted on at least one waybill.
    pub door_required: bool,
}

/// What was handed in, item by item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Given {
    /// A recipient check that matched.
    pub identity: bool,
    /// An answer to the inspection prompt.
    pub inspection: bool,
    /// A plausible signature.
    pub signature: bool,
    /// Number of photos.
    pub photos: usize,
    /// A non-empty name.
    pub signer_name: bool,
    /// A relation.
    pub relation: bool,
    /// A non-empty note.
    pub note: bool,
}

impl Given {
    fn has(&self, item: Item) -> bool {
        match item {
            // Consent is a fact of the store, decided by the gate, never handed in.
            Item::Consent => true,
            Item::IdentityCheck => self.identity,
            Item::InspectionPrompt => self.inspection,
            Item::Signature => self.signature,
            Item::Photo => self.photos > 0,
            Item::SignerName => self.signer_name,
            Item::Relation => self.relation,
            Item::Note => self.note,
        }
    }
}

/// Whether this handoff may be started at all (A022, A032, Art 28(3), Zhejiang Art 31).
///
/// # Errors
/// The [`Refusal`] that names the missing consent or the ban.
pub fn gate(facts: &Facts) -> Result<(), Refusal> {
    let handoff = facts.handoff;
    if matches!(handoff, HandoffKind::Partial | HandoffKind::ReturnToSender) {
        return Err(Refusal::HandoffUnavailable { handoff });
    }
    if facts.door_required && matches!(handoff, HandoffKind::Station | HandoffKind::Locker) {
        return Err(Refusal::DoorRequired);
    }
    if handoff.consent().needs_record() && !facts.consents.contains(&handoff) {
        return Err(Refusal::ConsentMissing { handoff });
    }
    Ok(())
}

/// The checklist of a handoff, in the order in which a courier works through it.
#[must_use]
pub fn requirements(facts: &Facts) -> Vec<Requirement> {
    use HandoffKind as H;
    use Level::{Off, Optional, Required};
    let consent = if facts.handoff.consent().needs_record() {
        Required
    } else {
        Off
    };
    let (identity, inspection, signature, name, relation) = match facts.handoff {
        H::Recipient | H::Partial => (Required, Required, Required, Optional, Off),
        H::NamedProxy | H::HouseholdOrColleague => {
            (Optional, Required, Required, Required, Required)
        }
        H::FrontDesk | H::Guard | H::Neighbour => {
            (Optional, Optional, Optional, Required, Required)
        }
        H::LeaveAtDoor | H::Locker => (Off, Off, Off, Off, Off),
        H::Station => (Off, Off, Optional, Required, Off),
        H::ReturnToSender => (Optional, Off, Required, Required, Off),
    };
    // Fragile contents make the inspection offer mandatory wherever a person stands there (A041, Art 27).
    let inspection = if facts.tags.contains(&HandlingTag::Fragile) && inspection == Optional {
        Required
    } else {
        inspection
    };
    [
        (Item::Consent, consent),
        (Item::IdentityCheck, identity),
        (Item::InspectionPrompt, inspection),
        (Item::SignerName, name),
        (Item::Relation, relation),
        (Item::Photo, Required),
        (Item::Signature, signature),
        (Item::Note, Optional),
    ]
    .into_iter()
    .map(|(item, level)| Requirement { item, level })
    .collect()
}

/// Whether a delivery may be completed with what was handed in.
///
/// # Errors
/// The gate's refusal, or every missing item at once.
pub fn check_delivered(facts: &Facts, given: &Given) -> Result<(), Refusal> {
    gate(facts)?;
    let items: Vec<Item> = requirements(facts)
        .into_iter()
        .filter(|r| r.level == Level::Required && !given.has(r.item))
        .map(|r| r.item)
        .collect();
    if items.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Missing { items })
    }
}

/// Whether a failure may be recorded: the pair must be legal, and some reasons need a photo or words.
/// An action that leads to a station needs the same consent as the station itself (A043).
///
/// # Errors
/// The [`Refusal`] that names what is wrong.
pub fn check_failed(
    facts: &Facts,
    given: &Given,
    reason: Reason,
    action: Action,
) -> Result<(), Refusal> {
    if !reason.allows(action) {
        return Err(Refusal::IllegalAction { reason, action });
    }
    if action == Action::StationWithConsent {
        gate(&Facts {
            handoff: HandoffKind::Station,
            ..facts.clone()
        })?;
    }
    let mut items = Vec::new();
    if reason.requires_photo() && given.photos == 0 {
        items.push(Item::Photo);
    }
    if reason.requires_text() && !given.note {
        items.push(Item::Note);
    }
    if items.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Missing { items })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts(handoff: HandoffKind) -> Facts {
        Facts {
            handoff,
            tags: vec![],
            consents: vec![],
            door_required: false,
        }
    }

    const EVERYTHING: Given = Given {
        identity: true,
        inspection: true,
        signature: true,
        photos: 1,
        signer_name: true,
        relation: true,
        note: true,
    };

    #[test]
    fn station_locker_and_every_proxy_are_refused_without_consent_whatever_is_handed_in() {
        for handoff in HandoffKind::ALL.iter().copied() {
            let result = check_delivered(&facts(handoff), &EVERYTHING);
            match handoff {
                HandoffKind::Recipient => assert_eq!(result, Ok(())),
                HandoffKind::Partial | HandoffKind::ReturnToSender => {
                    assert_eq!(result, Err(Refusal::HandoffUnavailable { handoff }));
                }
                _ => assert_eq!(result, Err(Refusal::ConsentMissing { handoff })),
            }
        }
    }

    #[test]
    fn door_required_beats_consent_for_stations_and_lockers() {
        for handoff in [HandoffKind::Station, HandoffKind::Locker] {
            let facts = Facts {
                consents: vec![handoff],
                door_required: true,
                ..facts(handoff)
            };
            assert_eq!(gate(&facts), Err(Refusal::DoorRequired));
        }
    }

    #[test]
    fn everything_missing_is_told_at_once_in_checklist_order() {
        assert_eq!(
            check_delivered(&facts(HandoffKind::Recipient), &Given::default()),
            Err(Refusal::Missing {
                items: vec![
                    Item::IdentityCheck,
                    Item::InspectionPrompt,
                    Item::Photo,
                    Item::Signature
                ]
            })
        );
    }

    #[test]
    fn a_fragile_parcel_makes_the_front_desk_see_the_inspection_prompt() {
        let with = Facts {
            tags: vec![HandlingTag::Fragile],
            consents: vec![HandoffKind::FrontDesk],
            ..facts(HandoffKind::FrontDesk)
        };
        let given = Given {
            inspection: false,
            ..EVERYTHING
        };
        assert_eq!(
            check_delivered(&with, &given),
            Err(Refusal::Missing {
                items: vec![Item::InspectionPrompt]
            })
        );
        assert_eq!(
            check_delivered(
                &Facts {
                    tags: vec![],
                    ..with
                },
                &given
            ),
            Ok(())
        );
    }

    #[test]
    fn a_failure_to_the_station_needs_the_station_consent() {
        let absent = facts(HandoffKind::Recipient);
        let to_station = Action::StationWithConsent;
        assert_eq!(
            check_failed(&absent, &EVERYTHING, Reason::RecipientAbsent, to_station),
            Err(Refusal::ConsentMissing {
                handoff: HandoffKind::Station
            })
        );
        let agreed = Facts {
            consents: vec![HandoffKind::Station],
            ..absent
        };
        assert_eq!(
            check_failed(&agreed, &EVERYTHING, Reason::RecipientAbsent, to_station),
            Ok(())
        );
    }

    proptest! {
        /// No subset of what can be handed in gets past a required item or a missing consent.
        #[test]
        fn completion_needs_every_required_item(
            kind in 0..HandoffKind::ALL.len(), bits in any::<[bool; 6]>(), photos in 0usize..3, consented: bool
        ) {
            let handoff = HandoffKind::ALL[kind];
            let facts = Facts {
                consents: if consented { vec![handoff] } else { vec![] },
                ..facts(handoff)
            };
            let given = Given {
                identity: bits[0], inspection: bits[1], signature: bits[2], photos,
                signer_name: bits[3], relation: bits[4], note: bits[5],
            };
            if check_delivered(&facts, &given).is_ok() {
                prop_assert!(consented || !handoff.consent().needs_record());
                for r in requirements(&facts).iter().filter(|r| r.level == Level::Required) {
                    prop_assert!(given.has(r.item));
                }
            }
        }
    }
}
