//! The rule set against friendly, clumsy and hostile hubs.

use proptest::prelude::*;
use satchel_protocol::taxonomy::{HandlingTag, HandoffKind, PromiseClass};
use serde_json::{Value, json};

use super::*;

fn plain(handoff: HandoffKind) -> Case {
    Case::plain(handoff, PromiseClass::SameCity)
}

fn document(version: u32, rules: Value) -> Vec<u8> {
    json!({"format": 1, "version": version, "rules": rules})
        .to_string()
        .into_bytes()
}

fn level(set: &RuleSet, case: &Case, item: Item) -> Level {
    set.checklist(case).line(item).unwrap().level
}

#[test]
fn the_built_in_set_keeps_to_the_minimum_and_asks_more_for_valuable_goods() {
    let set = RuleSet::built_in();
    for rule in set.rules() {
        let json = json!([{"id": rule.id, "tags": rule.tags, "item": rule.item.code(),
            "level": rule.level.code().to_lowercase()}]);
        assert!(RuleSet::parse(&document(1, json)).is_ok(), "{}", rule.id);
    }
    let valuable = Case {
        tags: vec![HandlingTag::HighValue],
        ..plain(HandoffKind::Recipient)
    };
    let list = set.checklist(&valuable);
    assert_eq!(list.line(Item::Photo).unwrap().count, 2);
    assert_eq!(
        list.line(Item::Code).unwrap().level,
        Level::RequiredWithReason
    );
    assert_eq!(
        list.line(Item::Code).unwrap().source.to_string(),
        "A040-code (v0)"
    );
    assert_eq!(
        level(&set, &plain(HandoffKind::Recipient), Item::Code),
        Level::Optional
    );
}

#[test]
fn a_hub_can_ask_for_more_and_the_line_names_its_rule_and_words() {
    let json = json!([{"id": "gold-scan", "tiers": ["gold"], "handoffs": ["SELF"],
        "item": "PARCEL_SCAN", "level": "required", "zh": "请扫描每件包裹", "en": "Scan every parcel"}]);
    let set = RuleSet::parse(&document(7, json)).unwrap();
    let gold = Case {
        tier: Some("gold".into()),
        ..plain(HandoffKind::Recipient)
    };
    let list = set.checklist(&gold);
    let line = list.line(Item::ParcelScan).unwrap();
    assert_eq!(line.level, Level::Required);
    assert_eq!(line.source.to_string(), "gold-scan (v7)");
    assert_eq!(line.text.en, "Scan every parcel");
    assert_eq!(
        level(&set, &plain(HandoffKind::Recipient), Item::ParcelScan),
        Level::Optional
    );
}

#[test]
fn a_rule_that_weakens_the_law_is_refused_by_name_and_the_old_set_stays() {
    let old = RuleSet::parse(&document(3, json!([]))).unwrap();
    let weak = document(
        4,
        json!([{"id": "quick-station", "handoffs": ["STATION"], "item": "CONSENT", "level": "off"}]),
    );
    assert_eq!(
        old.accept(&weak),
        Err(RuleSetError::Weakens {
            rule: "quick-station".into(),
            item: Item::Consent,
            handoff: HandoffKind::Station,
            source_rows: "A032, A033, Art 28(3)",
        })
    );
    let all = document(
        4,
        json!([{"id": "no-sign", "item": "SIGNATURE", "level": "optional"}]),
    );
    assert!(matches!(
        old.accept(&all),
        Err(RuleSetError::Weakens { rule, handoff: HandoffKind::Recipient, .. }) if rule == "no-sign"
    ));
    let fragile = document(
        4,
        json!([{"id": "rush", "handoffs": ["GUARD"], "tags": ["fragile"],
            "item": "INSPECTION_PROMPT", "level": "optional"}]),
    );
    assert!(matches!(
        old.accept(&fragile),
        Err(RuleSetError::Weakens { .. })
    ));
}

#[test]
fn a_general_rule_is_lifted_where_the_parcel_is_stricter() {
    let json = json!([{"id": "desk", "handoffs": ["FRONT_DESK"], "item": "INSPECTION_PROMPT", "level": "off"}]);
    let set = RuleSet::parse(&document(1, json)).unwrap();
    assert_eq!(
        level(&set, &plain(HandoffKind::FrontDesk), Item::InspectionPrompt),
        Level::Off
    );
    let damaged = Case {
        visibly_damaged: true,
        ..plain(HandoffKind::FrontDesk)
    };
    let list = set.checklist(&damaged);
    let line = list.line(Item::InspectionPrompt).unwrap();
    assert_eq!(line.level, Level::Required);
    assert!(line.text.en.contains("refuse"));
}

#[test]
fn a_position_never_blocks() {
    let json = json!([{"id": "gps", "item": "POSITION", "level": "required"}]);
    assert_eq!(
        RuleSet::parse(&document(1, json)),
        Err(RuleSetError::MayNotBlock { rule: "gps".into() })
    );
}

#[test]
fn a_later_rule_overrides_an_earlier_one() {
    let json = json!([
        {"id": "all", "item": "PHOTO", "level": "required", "count": 3},
        {"id": "station", "handoffs": ["STATION"], "item": "PHOTO", "level": "required", "count": 1},
    ]);
    let set = RuleSet::parse(&document(1, json)).unwrap();
    let photos = |handoff| {
        set.checklist(&plain(handoff))
            .line(Item::Photo)
            .unwrap()
            .count
    };
    assert_eq!(photos(HandoffKind::Recipient), 3);
    assert_eq!(photos(HandoffKind::Station), 1);
}

#[test]
fn versions_only_go_forward_and_a_repeat_changes_nothing() {
    let rules = json!([{"id": "a", "item": "NOTE", "level": "required"}]);
    let current = RuleSet::parse(&document(5, rules.clone())).unwrap();
    assert_eq!(current.accept(&document(5, rules)), Ok(Accepted::Unchanged));
    assert_eq!(
        current.accept(&document(5, json!([]))),
        Err(RuleSetError::SameVersionDiffers { version: 5 })
    );
    assert_eq!(
        current.accept(&document(4, json!([]))),
        Err(RuleSetError::Older {
            current: 5,
            offered: 4
        })
    );
    assert!(matches!(
        current.accept(&document(6, json!([]))),
        Ok(Accepted::Replaced(_))
    ));
}

#[test]
fn bad_documents_are_named_not_guessed() {
    let one = |rule: Value| RuleSet::parse(&document(1, json!([rule])));
    let bad = |field| Err(RuleSetError::BadRule { index: 1, field });
    assert_eq!(
        one(json!({"id": "x", "item": "SELFIE", "level": "off"})),
        bad("item")
    );
    assert_eq!(
        one(json!({"id": "x", "handoffs": ["DRONE"], "item": "NOTE", "level": "off"})),
        bad("handoff")
    );
    assert_eq!(
        one(json!({"id": "x", "item": "PHOTO", "level": "required", "count": 0})),
        bad("count")
    );
    assert_eq!(
        one(json!({"id": "x", "item": "NOTE", "level": "off", "zh": "只有中文"})),
        bad("text")
    );
    assert_eq!(
        one(json!({"id": "a b", "item": "NOTE", "level": "off"})),
        bad("id")
    );
    let unknown_condition = json!({"id": "x", "item": "NOTE", "level": "off", "weekday": "mon"});
    assert!(matches!(
        one(unknown_condition),
        Err(RuleSetError::BadForm { .. })
    ));
    let twice = json!([{"id": "x", "item": "NOTE", "level": "off"}, {"id": "x", "item": "CODE", "level": "off"}]);
    assert_eq!(
        RuleSet::parse(&document(1, twice)),
        Err(RuleSetError::DuplicateId { index: 2 })
    );
    assert_eq!(
        RuleSet::parse(br#"{"format": 2, "version": 1, "rules": []}"#),
        Err(RuleSetError::UnknownFormat { found: 2 })
    );
    assert_eq!(
        RuleSet::parse(&vec![b' '; MAX_RULESET_BYTES + 1]),
        Err(RuleSetError::TooLarge {
            bytes: MAX_RULESET_BYTES + 1
        })
    );
}

#[test]
fn an_item_is_skipped_only_where_that_is_allowed_and_with_a_reason() {
    let cold = Case {
        tags: vec![HandlingTag::ColdChain],
        ..plain(HandoffKind::Recipient)
    };
    let list = RuleSet::built_in().checklist(&cold);
    let mut given = Given::default()
        .with(Item::IdentityCheck)
        .with(Item::InspectionPrompt)
        .with(Item::Signature)
        .with(Item::Photo);
    assert_eq!(
        list.check(&given),
        Err(vec![Unmet {
            item: Item::Temperature,
            why: UnmetWhy::Missing {
                needed: 1,
                given: 0
            }
        }])
    );
    let skip = Skip {
        item: Item::Temperature,
        reason: SkipReason::DeviceFault,
    };
    given.skips = vec![skip];
    assert_eq!(list.check(&given), Ok(vec![skip]));
    given.items.remove(&Item::Photo);
    given.skips.push(Skip {
        item: Item::Photo,
        reason: SkipReason::DeviceFault,
    });
    assert_eq!(
        list.check(&given),
        Err(vec![Unmet {
            item: Item::Photo,
            why: UnmetWhy::MayNotBeSkipped
        }])
    );
}

#[test]
fn the_excuse_other_needs_words() {
    let locker = plain(HandoffKind::Locker);
    let list = RuleSet::built_in().checklist(&locker);
    let mut given = Given::default()
        .with(Item::Consent)
        .with(Item::LockerId)
        .with(Item::Photo);
    given.skips = vec![Skip {
        item: Item::SlotCode,
        reason: SkipReason::Other,
    }];
    assert_eq!(
        list.check(&given),
        Err(vec![Unmet {
            item: Item::SlotCode,
            why: UnmetWhy::SkipNeedsNote
        }])
    );
    assert!(list.check(&given.with(Item::Note)).is_ok());
}

#[test]
fn a_verified_code_stands_for_the_signature_a_sealed_one_does_not() {
    let list = RuleSet::built_in().checklist(&plain(HandoffKind::Recipient));
    let given = Given::default()
        .with(Item::IdentityCheck)
        .with(Item::InspectionPrompt)
        .with(Item::Photo)
        .with(Item::Code);
    assert!(list.check(&given).is_err());
    let verified = Given {
        code_verified: true,
        ..given
    };
    assert!(list.check(&verified).is_ok());
}

#[test]
fn goods_with_an_age_limit_cannot_be_left_where_nobody_can_be_checked() {
    let wine = Case {
        min_age_years: Some(18),
        ..plain(HandoffKind::Locker)
    };
    let list = RuleSet::built_in().checklist(&wine);
    assert_eq!(list.line(Item::AgeCheck).unwrap().level, Level::Required);
}

fn any_rule() -> impl Strategy<Value = Value> {
    (
        proptest::sample::subsequence(HandoffKind::ALL.to_vec(), 0..=3),
        proptest::sample::subsequence(HandlingTag::ALL.to_vec(), 0..=2),
        proptest::sample::select(Item::ALL.to_vec()),
        proptest::sample::select(vec!["off", "optional", "required_with_reason", "required"]),
        "[a-z]{1,8}",
    )
        .prop_map(|(handoffs, tags, item, level, id)| {
            json!({"id": id, "handoffs": handoffs, "tags": tags, "item": item.code(), "level": level})
        })
}

fn any_case() -> impl Strategy<Value = Case> {
    (
        proptest::sample::select(HandoffKind::ALL.to_vec()),
        proptest::sample::subsequence(HandlingTag::ALL.to_vec(), 0..=5),
        any::<bool>(),
        proptest::option::of(18u8..21),
        1u32..4,
    )
        .prop_map(
            |(handoff, tags, visibly_damaged, min_age_years, parcels_at_door)| Case {
                tags,
                visibly_damaged,
                min_age_years,
                parcels_at_door,
                ..plain(handoff)
            },
        )
}

proptest! {
    /// Whatever a hub sends, what is in force afterwards is never below the law's minimum.
    #[test]
    fn no_document_ever_gets_below_the_minimum(
        rules in proptest::collection::vec(any_rule(), 0..6), case in any_case()
    ) {
        let old = RuleSet::built_in();
        let set = match old.accept(&document(1, Value::Array(rules))) {
            Ok(Accepted::Replaced(set)) => set,
            _ => old,
        };
        for item in Item::ALL.iter().copied() {
            let floor = minimum(&case, item).level;
            if floor >= Level::RequiredWithReason {
                prop_assert!(level(&set, &case, item) >= floor);
            }
        }
        prop_assert!(level(&set, &case, Item::Position) < Level::Required);
    }

    /// Who meets the list of the door meets the list of each parcel.
    #[test]
    fn the_list_of_a_door_holds_the_list_of_every_parcel(cases in proptest::collection::vec(any_case(), 1..4)) {
        let set = RuleSet::built_in();
        let handoff = cases[0].handoff;
        let lists: Vec<Checklist> = cases
            .into_iter()
            .map(|case| set.checklist(&Case { handoff, ..case }))
            .collect();
        let door = combine(&lists).unwrap();
        let mut given = Given::default();
        for line in door.lines.iter().filter(|l| l.level >= Level::RequiredWithReason) {
            given.items.insert(line.item, line.count);
        }
        prop_assert!(door.check(&given).is_ok());
        for list in &lists {
            prop_assert!(list.check(&given).is_ok());
        }
    }

    #[test]
    fn rubbish_is_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(RuleSet::parse(&bytes).is_err());
    }
}
