//! The code lists against the tables they were made from, read by eye and not from the source.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::str::FromStr;

use satchel_protocol::taxonomy::{
    Action, CareReason, ConsentChannel, ConsentRule, ExternalCode, HandlingTag, HandoffKind,
    IdentityMethod, InspectionResult, Outcome, PhotoOrigin, PromiseClass, ProofItem, ProofKind,
    RatingClass, RatingFlag, Reason, Relation, UnknownCode,
};
use serde::{Serialize, de::DeserializeOwned};

/// What every list must do, whatever it lists. `en` and `zh` come along as functions because the lists
/// have no trait in common.
fn check_list<T>(all: &[T], zh: fn(T) -> &'static str, en: fn(T) -> &'static str)
where
    T: Copy
        + PartialEq
        + Debug
        + Display
        + FromStr<Err = UnknownCode>
        + Serialize
        + DeserializeOwned,
    T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>,
{
    let mut codes = BTreeSet::new();
    let mut wordings = BTreeSet::new();
    for &item in all {
        let code = item.to_string();
        assert!(
            code.len() <= 40,
            "{code} is too long to be told in an error"
        );
        assert_eq!(code.parse::<T>().unwrap(), item);

        let json = serde_json::to_string(&item).unwrap();
        assert_eq!(json, format!("\"{code}\""));
        assert_eq!(serde_json::from_str::<T>(&json).unwrap(), item);

        let cbor = minicbor::to_vec(item).unwrap();
        assert_eq!(
            minicbor::decode::<&str>(&cbor).unwrap(),
            code,
            "text on the wire"
        );
        assert_eq!(minicbor::decode::<T>(&cbor).unwrap(), item);

        assert!(
            zh(item)
                .chars()
                .any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)),
            "{code}: {}",
            zh(item)
        );
        assert!(
            en(item).is_ascii() && !en(item).is_empty(),
            "{code}: {}",
            en(item)
        );
        assert!(codes.insert(code.clone()), "{code} twice");
        assert!(
            wordings.insert(en(item)),
            "{code} has the wording of another entry"
        );
        assert!(code.to_lowercase().parse::<T>().is_err() || code == code.to_lowercase());
    }
    for unknown in ["", "FROM_A_NEWER_PEER", "no such thing", "self "] {
        assert!(unknown.parse::<T>().is_err(), "{unknown:?}");
        assert!(serde_json::from_str::<T>(&format!("{unknown:?}")).is_err());
        assert!(minicbor::decode::<T>(&minicbor::to_vec(unknown).unwrap()).is_err());
    }
    assert!(
        minicbor::decode::<T>(&minicbor::to_vec(0u8).unwrap()).is_err(),
        "a number is no code"
    );
}

#[test]
fn every_list_has_unique_codes_both_languages_and_survives_json_and_cbor() {
    macro_rules! check {
        ($($list:ident),+) => { $( check_list($list::ALL, $list::zh, $list::en); )+ };
    }
    check!(
        Reason,
        Action,
        HandoffKind,
        ConsentRule,
        ProofItem,
        Outcome,
        Relation,
        PromiseClass,
        HandlingTag,
        InspectionResult,
        IdentityMethod,
        ConsentChannel,
        ProofKind,
        PhotoOrigin,
        RatingClass,
        RatingFlag,
        CareReason
    );
}

#[test]
fn the_lists_have_the_length_and_order_of_their_tables() {
    assert_eq!(Reason::ALL.len(), 37);
    assert_eq!(HandoffKind::ALL.len(), 11);
    assert_eq!(Relation::ALL.len(), 9);
    let code = |i: usize| Reason::ALL[i].code();
    assert_eq!(
        (code(0), code(9), code(18)),
        ("RECIPIENT_ABSENT", "CONTENT_SHORT", "REDIRECTED")
    );
    assert_eq!(
        (code(24), code(30), code(36)),
        ("WEATHER", "STATION_OVERDUE", "OTHER")
    );
    let handoffs: Vec<_> = HandoffKind::ALL.iter().map(|k| k.code()).collect();
    assert_eq!(
        handoffs[..3],
        ["SELF", "NAMED_PROXY", "HOUSEHOLD_OR_COLLEAGUE"]
    );
    assert_eq!(Relation::ALL[0].code(), "self");
}

#[test]
fn an_unknown_code_names_the_list_but_never_repeats_a_person_s_words() {
    let newer = Reason::from_code("ROBOT_ON_STRIKE").unwrap_err();
    assert_eq!((newer.list(), newer.code()), ("Reason", "ROBOT_ON_STRIKE"));

    for private in ["张三 13812345678", "call +86 138", &"X".repeat(41)] {
        let error = HandoffKind::from_code(private).unwrap_err();
        assert_eq!((error.list(), error.code()), ("HandoffKind", ""));
        assert!(!error.to_string().contains(private));
    }

    let cbor = minicbor::to_vec("ROBOT_ON_STRIKE").unwrap();
    let error = minicbor::decode::<Reason>(&cbor).unwrap_err();
    let source = std::error::Error::source(&error).expect("the cause is kept");
    assert_eq!(source.downcast_ref::<UnknownCode>(), Some(&newer));
}

/// Writes a list of codes as the requirements do: `204~`, `45, 27`, `event Lost`, and `—` for none.
fn show(codes: &[ExternalCode]) -> String {
    if codes.is_empty() {
        return "—".to_owned();
    }
    let one = |c: &ExternalCode| {
        let event = if c.event { "event " } else { "" };
        format!("{event}{}{}", c.code, if c.nearest { "~" } else { "" })
    };
    codes.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A row of requirements C7 without its last column.
fn row(reason: Reason) -> String {
    let m = reason.mapping();
    [
        m.kuaidi100,
        m.kdniao,
        m.sf,
        m.edifact_9013,
        m.x12_641,
        m.aftership,
        m.amazon,
        m.coopcycle,
        m.spoke,
    ]
    .map(show)
    .join(" | ")
}

#[test]
fn reasons_map_to_the_codes_of_the_table() {
    let rows = [
        (
            Reason::RecipientAbsent,
            "204~ | 405~ | — | 6 | A08 | AttemptFail_002 | CustomerUnavailable | NOT_AT_HOME | failed_not_home",
        ),
        (
            Reason::Unreachable,
            "206 | 416 | 40004 | 39~ | A46~ | AttemptFail_002~ | UnableToContactRecipient | — | failed_not_home~",
        ),
        (
            Reason::PhoneWrong,
            "— | 421 | 40021 | 39~ | — | — | — | DATA_ERROR~ | —",
        ),
        (
            Reason::AddressWrong,
            "— | 420~ | — | 30 | A03 | Exception_007 | AddressNotFound | WRONG_ADDR | failed_cant_find_address",
        ),
        (
            Reason::Refused,
            "203 | 404 | — | 49 | A07 | Exception_003 | RejectedByRecipientWithVerification | REFUSED | failed_other",
        ),
        (
            Reason::ContentShort,
            "— | — | — | 45, 27 | — | — | — | ITEM_MISSING | —",
        ),
        (
            Reason::Lost,
            "— | — | — | 33, 56 | — | Exception_013 | event Lost | LOST | failed_package_not_available~",
        ),
        (Reason::Stolen, "— | — | — | 66 | — | — | — | — | —"),
        (
            Reason::CodeUnavailable,
            "— | — | — | — | — | — | OtpNotAvailable | — | failed_missing_required_proof",
        ),
        (
            Reason::Redirected,
            "7 | 5 | — | 91, 38 | A59~ | — | — | — | delivered_to_pickup_point~",
        ),
        (Reason::OutOfArea, "207 | 423 | — | 1 | — | — | — | — | —"),
        (
            Reason::NoParking,
            "— | — | — | — | — | — | — | — | failed_no_parking",
        ),
        (
            Reason::Traffic,
            "— | — | 40028 | 58~ | — | — | — | TRAFFIC | failed_other",
        ),
        (
            Reason::CancelledBySender,
            "210 | 413, 415 | 40014 | — | — | — | CancelledByRecipient~ | — | failed_other",
        ),
        (
            Reason::StationOverdue,
            "205 | 412 | — | — | — | Exception_008 | — | — | —",
        ),
        (
            Reason::TemperatureOut,
            "— | — | — | 75~ | — | — | — | — | failed_other",
        ),
        (
            Reason::BarcodeUnreadable,
            "— | — | — | 44, 108 | — | — | — | PACKAGING_ISSUE~ | failed_other",
        ),
        (
            Reason::Holiday,
            "— | — | — | — | A42 | — | — | HOLIDAY | failed_not_home~",
        ),
        (
            Reason::Other,
            "204~ | 405~ | event 70 | 62 | A13 | AttemptFail_001 | DeliveryAttempted | — | failed_other",
        ),
    ];
    for (reason, expected) in rows {
        assert_eq!(row(reason), expected, "{reason}");
    }
}

#[test]
fn no_mapping_holds_an_empty_or_repeated_code() {
    for &reason in Reason::ALL {
        let m = reason.mapping();
        for codes in [
            m.kuaidi100,
            m.kdniao,
            m.sf,
            m.edifact_9013,
            m.x12_641,
            m.aftership,
            m.amazon,
            m.coopcycle,
            m.spoke,
        ] {
            let distinct: BTreeSet<_> = codes.iter().map(|c| c.code).collect();
            assert_eq!(distinct.len(), codes.len(), "{reason}");
            assert!(
                codes
                    .iter()
                    .all(|c| c.code.is_ascii() && !c.code.is_empty() && c.code != "-"),
                "{reason}"
            );
        }
    }
}

#[test]
fn every_reason_has_a_next_step_and_suggests_that_of_the_table() {
    for &reason in Reason::ALL {
        let legal = reason.legal_actions();
        assert!(!legal.is_empty(), "{reason} leads nowhere");
        let distinct: BTreeSet<_> = legal.iter().collect();
        assert_eq!(distinct.len(), legal.len(), "{reason} offers a step twice");
    }
    let suggested = [
        (Reason::RecipientAbsent, Action::SecondDelivery),
        (Reason::Refused, Action::ReturnToSender),
        (Reason::RefusedDamaged, Action::OpenLevel1Case),
        (Reason::CodeUnavailable, Action::ResendCode),
        (Reason::Missort, Action::HandBackAtDepot),
        (Reason::Vehicle, Action::Transfer),
        (Reason::TemperatureOut, Action::Hold),
        (Reason::RecipientMoved, Action::Redirect),
    ];
    for (reason, action) in suggested {
        assert_eq!(reason.legal_actions()[0], action, "{reason}");
    }
    for &action in Action::ALL {
        assert!(
            Reason::ALL.iter().any(|r| r.allows(action)),
            "{action} follows nothing"
        );
    }
}

#[test]
fn a_step_that_does_not_fit_its_reason_is_illegal() {
    assert!(!Reason::Weather.allows(Action::ReturnToSender));
    assert!(!Reason::Lost.allows(Action::SecondDelivery));
    assert!(!Reason::Refused.allows(Action::StationWithConsent));
    assert!(!Reason::Prohibited.allows(Action::SecondDelivery));
    assert!(Reason::StationOverdue.allows(Action::DoorAppointment));
    // A043 names these two remedies for a recipient who is not there.
    assert!(Reason::RecipientAbsent.allows(Action::SecondDelivery));
    assert!(Reason::RecipientAbsent.allows(Action::StationWithConsent));
}

#[test]
fn only_other_asks_for_words_and_only_damage_and_unreadable_labels_for_a_photo() {
    let with = |f: fn(Reason) -> bool| {
        Reason::ALL
            .iter()
            .copied()
            .filter(|&r| f(r))
            .collect::<Vec<_>>()
    };
    assert_eq!(with(Reason::requires_text), [Reason::Other]);
    assert_eq!(
        with(Reason::requires_photo),
        [Reason::RefusedDamaged, Reason::BarcodeUnreadable]
    );
}

#[test]
fn locker_and_station_need_consent_in_every_case_and_only_the_recipient_needs_no_record() {
    for kind in [HandoffKind::Locker, HandoffKind::Station] {
        assert_eq!(kind.consent(), ConsentRule::AlwaysRequired);
        assert!(kind.consent().needs_record());
    }
    let free: Vec<_> = HandoffKind::ALL
        .iter()
        .filter(|k| !k.consent().needs_record())
        .collect();
    assert_eq!(free, [&HandoffKind::Recipient, &HandoffKind::Partial]);
    assert_eq!(
        HandoffKind::LeaveAtDoor.consent(),
        ConsentRule::AgreedMethod
    );
    assert_eq!(
        HandoffKind::NamedProxy.consent(),
        ConsentRule::NamedByRecipient
    );
    assert_eq!(
        HandoffKind::ReturnToSender.consent(),
        ConsentRule::SenderInstruction
    );
    for kind in [
        HandoffKind::HouseholdOrColleague,
        HandoffKind::Guard,
        HandoffKind::Neighbour,
    ] {
        assert_eq!(kind.consent(), ConsentRule::Required);
    }
}

#[test]
fn handoffs_map_to_the_codes_of_the_table() {
    let row = |kind: HandoffKind| {
        let m = kind.mapping();
        [m.kuaidi100, m.kdniao, m.spoke, m.amazon]
            .map(show)
            .join(" | ")
    };
    assert_eq!(
        row(HandoffKind::Recipient),
        "301 | 301 | delivered_to_recipient | Signed, DeliveredWithOTP"
    );
    assert_eq!(
        row(HandoffKind::NamedProxy),
        "303 | 304 | delivered_to_third_party | —"
    );
    assert_eq!(
        row(HandoffKind::HouseholdOrColleague),
        row(HandoffKind::NamedProxy)
    );
    assert_eq!(row(HandoffKind::FrontDesk), row(HandoffKind::Guard));
    assert_eq!(
        row(HandoffKind::Neighbour),
        "303 | 304 | delivered_to_third_party | DeliveredToNeighbor"
    );
    assert!(
        row(HandoffKind::LeaveAtDoor)
            .starts_with("301~ | 301~ | delivered_to_safe_place, delivered_to_mailbox | ")
    );
    let deposited = "501, 304 | 211, 311 | delivered_to_pickup_point | event AvailableForPickup";
    assert_eq!(
        (row(HandoffKind::Locker), row(HandoffKind::Station)),
        (deposited.into(), deposited.into())
    );
    assert_eq!(
        row(HandoffKind::Partial),
        "302~ | 302~ | delivered_other | —"
    );
    assert_eq!(
        row(HandoffKind::ReturnToSender),
        "6, 4 | 406, 407 | — | event ReturnInitiated"
    );
}

#[test]
fn default_proofs_are_those_of_the_table() {
    let show = |kind: HandoffKind| {
        let group = |g: &&[ProofItem]| g.iter().map(|p| p.code()).collect::<Vec<_>>().join(" or ");
        kind.default_proof()
            .iter()
            .map(group)
            .collect::<Vec<_>>()
            .join(" and ")
    };
    assert_eq!(
        show(HandoffKind::Recipient),
        "SIGNATURE or CODE and INSPECTION_PROMPT"
    );
    assert_eq!(
        show(HandoffKind::NamedProxy),
        "SIGNER_NAME and RELATION and SIGNATURE"
    );
    assert_eq!(show(HandoffKind::Guard), "SIGNER_NAME and PHOTO");
    assert_eq!(show(HandoffKind::LeaveAtDoor), "PHOTO and POSITION");
    assert_eq!(
        show(HandoffKind::Locker),
        "LOCKER_ID and SLOT_CODE and PHOTO"
    );
    assert_eq!(
        show(HandoffKind::Station),
        "STATION_RECEIPT and CUSTODY_TRANSFER"
    );
    assert!(
        HandoffKind::ALL
            .iter()
            .all(|k| k.default_proof().iter().all(|g| !g.is_empty()))
    );
}

#[test]
fn promises_of_a_fixed_length_count_from_acceptance() {
    const HOUR_MS: i64 = 3_600_000;
    assert_eq!(PromiseClass::SameCity.limit_ms(), Some(12 * HOUR_MS)); // A001
    assert_eq!(PromiseClass::CrossProvince.limit_ms(), Some(48 * HOUR_MS)); // A002
    assert_eq!(PromiseClass::Express30m.limit_ms(), Some(HOUR_MS / 2)); // A007
    let by_calendar: Vec<_> = PromiseClass::ALL
        .iter()
        .filter(|p| p.limit_ms().is_none())
        .map(|p| p.code())
        .collect();
    assert_eq!(
        by_calendar,
        ["half_day", "same_day", "next_day", "second_day"]
    );
}
