//! Collecting a parcel from a sender: one check, two questions, three labels (A198–A200, A041).
//!
//! The rule is short so that it is done: look inside, ask how fast and what else, then label. A parcel
//! whose contents may not travel is not accepted, whatever else is in order, and a sender whose identity
//! was not checked cannot hand one in (条例 Art 22); of that check the result is kept and nothing else.

use satchel_protocol::limits::MAX_TEXT_CHARS;
use satchel_protocol::taxonomy::{HandlingTag, PromiseClass, Reason};

use super::coded::coded;

pub use satchel_protocol::taxonomy::Contents;

coded! {
    /// A step of the pickup, in its order.
    pub enum PickupStep {
        SenderChecked = "SENDER_CHECKED", "实名查验(只记结果)", "Sender's identity, result only";
        ContentsInspected = "CONTENTS_INSPECTED", "一验:验视内件", "Check: look at the contents";
        TimeAsked = "TIME_ASKED", "二问:时效需求", "Ask: how soon it is needed";
        WishesAsked = "WISHES_ASKED", "二问:特殊要求", "Ask: anything special";
        WaybillLabel = "WAYBILL_LABEL", "三贴:运单", "Label: waybill";
        HandlingLabel = "HANDLING_LABEL", "三贴:生鲜/易碎等标识", "Label: fresh, fragile and so on";
        InspectionLabel = "INSPECTION_LABEL", "三贴:已验视标识", "Label: inspected";
        Scanned = "SCANNED", "扫描入系统", "Scanned in";
    }
}

/// What the courier answered. `None` means not done yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pickup {
    /// Result of the identity check; the document itself is never kept.
    pub sender_checked: Option<bool>,
    /// What the look inside showed.
    pub contents: Option<Contents>,
    /// The promise the sender chose (A200).
    pub time_need: Option<PromiseClass>,
    /// The special wish; an empty text means that he was asked and has none (A200).
    pub wishes: Option<String>,
    /// Handling tags that follow from the contents.
    pub tags: Vec<HandlingTag>,
    /// The waybill is on the parcel.
    pub waybill_label: bool,
    /// Tags whose label is on the parcel (A041).
    pub handling_labels: Vec<HandlingTag>,
    /// The label that says it was inspected is on the parcel.
    pub inspection_label: bool,
    /// The number was scanned.
    pub scanned: bool,
    /// Photos taken; optional (A199).
    pub photos: u32,
    /// Packaging taken back for reuse, in pieces; optional (A211).
    pub packaging_taken_back: u32,
}

/// How a pickup ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PickupVerdict {
    /// Everything is done; the parcel is on its way.
    Accepted {
        /// What was promised to the sender.
        class: PromiseClass,
    },
    /// Steps are missing, in their order.
    Incomplete {
        /// Which.
        missing: Vec<PickupStep>,
    },
    /// The parcel may not be taken.
    NotAccepted {
        /// The reason to record.
        reason: Reason,
    },
}

/// Judges a pickup. What may not travel is said first: no label makes it better.
#[must_use]
pub fn judge(pickup: &Pickup) -> PickupVerdict {
    match (pickup.sender_checked, pickup.contents) {
        (Some(false), _) => {
            return PickupVerdict::NotAccepted {
                reason: Reason::IdCheckFailed,
            };
        }
        (_, Some(Contents::Prohibited)) => {
            return PickupVerdict::NotAccepted {
                reason: Reason::Prohibited,
            };
        }
        (_, Some(Contents::Undeclared | Contents::NotShown)) => {
            return PickupVerdict::NotAccepted {
                reason: Reason::Other,
            };
        }
        _ => {}
    }
    let missing: Vec<PickupStep> = PickupStep::ALL
        .iter()
        .copied()
        .filter(|step| !done(pickup, *step))
        .collect();
    match pickup.time_need {
        Some(class) if missing.is_empty() => PickupVerdict::Accepted { class },
        _ => PickupVerdict::Incomplete { missing },
    }
}

fn done(pickup: &Pickup, step: PickupStep) -> bool {
    match step {
        PickupStep::SenderChecked => pickup.sender_checked == Some(true),
        PickupStep::ContentsInspected => pickup.contents == Some(Contents::Compliant),
        PickupStep::TimeAsked => pickup.time_need.is_some(),
        PickupStep::WishesAsked => pickup
            .wishes
            .as_ref()
            .is_some_and(|w| w.chars().count() <= MAX_TEXT_CHARS),
        PickupStep::WaybillLabel => pickup.waybill_label,
        PickupStep::HandlingLabel => pickup
            .tags
            .iter()
            .all(|tag| pickup.handling_labels.contains(tag)),
        PickupStep::InspectionLabel => pickup.inspection_label,
        PickupStep::Scanned => pickup.scanned,
    }
}

/// Whether the courier came in time: at the latest at the end of the agreed window (A164).
#[must_use]
pub const fn is_punctual(arrived_at_ms: i64, window_end_ms: i64) -> bool {
    arrived_at_ms <= window_end_ms
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn complete() -> Pickup {
        Pickup {
            sender_checked: Some(true),
            contents: Some(Contents::Compliant),
            time_need: Some(PromiseClass::SameCity),
            wishes: Some(String::new()),
            tags: vec![HandlingTag::Fragile],
            waybill_label: true,
            handling_labels: vec![HandlingTag::Fragile],
            inspection_label: true,
            scanned: true,
            photos: 0,
            packaging_taken_back: 0,
        }
    }

    #[test]
    fn one_check_two_questions_and_three_labels_make_a_pickup() {
        assert_eq!(
            judge(&complete()),
            PickupVerdict::Accepted {
                class: PromiseClass::SameCity
            }
        );
        assert_eq!(
            judge(&Pickup::default()),
            PickupVerdict::Incomplete {
                // Nothing is tagged yet, so no handling label is owed.
                missing: PickupStep::ALL
                    .iter()
                    .copied()
                    .filter(|s| *s != PickupStep::HandlingLabel)
                    .collect()
            }
        );
    }

    #[test]
    fn a_fragile_parcel_needs_its_label() {
        let bare = Pickup {
            handling_labels: vec![HandlingTag::Fresh],
            ..complete()
        };
        assert_eq!(
            judge(&bare),
            PickupVerdict::Incomplete {
                missing: vec![PickupStep::HandlingLabel]
            }
        );
    }

    #[test]
    fn packaging_taken_back_is_counted_and_never_asked_for() {
        let verdict = |packaging_taken_back| {
            judge(&Pickup {
                packaging_taken_back,
                ..complete()
            })
        };
        assert_eq!(verdict(0), verdict(4));
    }

    #[test]
    fn prohibited_goods_and_strangers_are_not_accepted_whatever_else_is_done() {
        let with = |contents| {
            judge(&Pickup {
                contents: Some(contents),
                ..complete()
            })
        };
        assert_eq!(
            with(Contents::Prohibited),
            PickupVerdict::NotAccepted {
                reason: Reason::Prohibited
            }
        );
        assert!(matches!(
            with(Contents::NotShown),
            PickupVerdict::NotAccepted { .. }
        ));
        let stranger = Pickup {
            sender_checked: Some(false),
            ..complete()
        };
        assert_eq!(
            judge(&stranger),
            PickupVerdict::NotAccepted {
                reason: Reason::IdCheckFailed
            }
        );
    }

    #[test]
    fn the_last_minute_of_the_window_is_in_time() {
        assert!(is_punctual(100, 100));
        assert!(!is_punctual(101, 100));
    }

    proptest! {
        /// No set of ticks is accepted with a step left out.
        #[test]
        fn nothing_is_accepted_half_done(bits in any::<[bool; 7]>()) {
            let full = complete();
            let pickup = Pickup {
                sender_checked: bits[0].then_some(true),
                contents: bits[1].then_some(Contents::Compliant),
                time_need: full.time_need.filter(|_| bits[2]),
                wishes: bits[3].then(String::new),
                waybill_label: bits[4],
                inspection_label: bits[5],
                scanned: bits[6],
                ..full
            };
            let accepted = matches!(judge(&pickup), PickupVerdict::Accepted { .. });
            prop_assert_eq!(accepted, bits.iter().all(|b| *b));
        }
    }
}
