//! The consent gate by example and by chance.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const NOON: i64 = 1_800_000_000_000;

fn parcel() -> ParcelId {
    ParcelId(Uuid::from_u128(1))
}

fn call(result: CallResult, duration_s: u32) -> ConsentEvidence {
    ConsentEvidence::Call {
        call_id: "c-1".into(),
        number: MaskedPhone::mask("13812345612"),
        result,
        duration_s,
    }
}

fn by_call(handoff: HandoffKind) -> Consent {
    Consent {
        id: "k-1".into(),
        giver: if handoff == HandoffKind::ReturnToSender {
            Giver::Sender
        } else {
            Giver::Recipient
        },
        given_at_ms: NOON,
        origin: ConsentOrigin::OnTheSpot,
        scope: Scope {
            handoffs: vec![handoff],
            parcels: vec![parcel()],
            named_person: Some("王五".into()),
            place: None,
        },
        evidence: call(CallResult::Answered, 21),
        expires_at_ms: None,
        withdrawn_at_ms: None,
    }
}

fn case(handoff: HandoffKind, consents: &[Consent]) -> GateCase<'_> {
    GateCase {
        handoff,
        parcel: parcel(),
        door_required: false,
        age_limited: false,
        signer_name: None,
        consents,
    }
}

#[test]
fn every_handoff_that_needs_a_record_is_locked_without_one_and_opens_with_one() {
    for handoff in HandoffKind::ALL.iter().copied() {
        let without = gate(&case(handoff, &[]), NOON);
        if handoff.consent().needs_record() {
            assert_eq!(
                without,
                Err(ConsentRefusal::Missing {
                    handoff,
                    channels: channels(handoff)
                })
            );
            assert_eq!(
                gate(&case(handoff, &[by_call(handoff)]), NOON + 1),
                Ok(Basis::Consent { id: "k-1".into() })
            );
        } else {
            assert_eq!(without, Ok(Basis::NotNeeded));
        }
    }
}

#[test]
fn door_required_beats_every_consent_for_stations_and_lockers_only() {
    for handoff in [HandoffKind::Station, HandoffKind::Locker] {
        let consents = [by_call(handoff)];
        let door = GateCase {
            door_required: true,
            ..case(handoff, &consents)
        };
        assert_eq!(gate(&door, NOON), Err(ConsentRefusal::DoorRequired));
    }
    let consents = [by_call(HandoffKind::LeaveAtDoor)];
    let door = GateCase {
        door_required: true,
        ..case(HandoffKind::LeaveAtDoor, &consents)
    };
    assert!(gate(&door, NOON).is_ok());
}

#[test]
fn a_consent_that_runs_out_between_start_and_completion_no_longer_carries() {
    let mut consent = by_call(HandoffKind::Station);
    consent.expires_at_ms = Some(NOON + 60_000);
    let consents = [consent];
    let station = case(HandoffKind::Station, &consents);
    assert!(gate(&station, NOON + 59_999).is_ok());
    assert_eq!(
        gate(&station, NOON + 60_000),
        Err(ConsentRefusal::NoLongerValid {
            id: "k-1".into(),
            standing: Standing::Expired
        })
    );
}

#[test]
fn a_withdrawal_counts_from_its_own_time_and_the_earliest_one_stands() {
    let mut consent = by_call(HandoffKind::Locker);
    consent.withdraw(NOON + 500);
    consent.withdraw(NOON + 900);
    assert_eq!(consent.standing(NOON + 499), Standing::Valid);
    assert_eq!(consent.standing(NOON + 500), Standing::Withdrawn);
    assert_eq!(consent.standing(NOON - 1), Standing::NotYetGiven);
}

#[test]
fn the_signature_of_a_neighbour_is_not_the_consent_of_the_recipient() {
    let sign = |handoff| Consent {
        evidence: ConsentEvidence::Signature {
            ink: Hash32([1; 32]),
        },
        ..by_call(handoff)
    };
    let neighbour = [sign(HandoffKind::Neighbour)];
    assert_eq!(
        gate(&case(HandoffKind::Neighbour, &neighbour), NOON),
        Err(ConsentRefusal::ChannelInsufficient { id: "k-1".into() })
    );
    let station = [sign(HandoffKind::Station)];
    assert!(gate(&case(HandoffKind::Station, &station), NOON).is_ok());
}

#[test]
fn a_short_code_that_only_the_hub_can_judge_is_no_consent_yet() {
    let code = |verified| {
        [Consent {
            evidence: ConsentEvidence::Code { verified },
            ..by_call(HandoffKind::Station)
        }]
    };
    assert!(gate(&case(HandoffKind::Station, &code(false)), NOON).is_err());
    assert!(gate(&case(HandoffKind::Station, &code(true)), NOON).is_ok());
}

#[test]
fn a_call_nobody_answered_is_no_consent() {
    for evidence in [
        call(CallResult::NoAnswer, 40),
        call(CallResult::Answered, 2),
    ] {
        let consent = Consent {
            evidence,
            ..by_call(HandoffKind::Station)
        };
        assert_eq!(consent.check(), Err(ConsentFault::NoConversation));
        assert!(gate(&case(HandoffKind::Station, &[consent]), NOON).is_err());
    }
}

#[test]
fn only_the_person_who_was_named_may_take_it() {
    let consents = [by_call(HandoffKind::NamedProxy)];
    let taken_by = |signer_name| {
        gate(
            &GateCase {
                signer_name,
                ..case(HandoffKind::NamedProxy, &consents)
            },
            NOON,
        )
    };
    assert!(taken_by(Some(" 王五 ")).is_ok());
    assert_eq!(
        taken_by(Some("赵六")),
        Err(ConsentRefusal::SomebodyElse { id: "k-1".into() })
    );
}

#[test]
fn a_return_needs_the_senders_word_not_the_recipients() {
    let recipient = [Consent {
        giver: Giver::Recipient,
        ..by_call(HandoffKind::ReturnToSender)
    }];
    assert_eq!(
        gate(&case(HandoffKind::ReturnToSender, &recipient), NOON),
        Err(ConsentRefusal::WrongGiver { id: "k-1".into() })
    );
}

#[test]
fn a_preference_is_for_all_parcels_but_names_its_handoffs_and_ends() {
    let preference = Consent {
        origin: ConsentOrigin::StandingPreference,
        evidence: ConsentEvidence::Preference {
            reference: "p-9".into(),
        },
        scope: Scope {
            handoffs: vec![HandoffKind::LeaveAtDoor],
            parcels: vec![],
            named_person: None,
            place: Some("鞋柜".into()),
        },
        expires_at_ms: Some(NOON + MAX_STANDING_MS),
        ..by_call(HandoffKind::LeaveAtDoor)
    };
    assert_eq!(preference.check(), Ok(()));
    let consents = [preference.clone()];
    assert!(gate(&case(HandoffKind::LeaveAtDoor, &consents), NOON).is_ok());
    assert!(gate(&case(HandoffKind::Locker, &consents), NOON).is_err());
    let endless = Consent {
        expires_at_ms: None,
        ..preference.clone()
    };
    assert_eq!(endless.check(), Err(ConsentFault::EndlessPreference));
    let blanket = Consent {
        scope: Scope {
            handoffs: vec![],
            ..preference.scope.clone()
        },
        ..preference
    };
    assert_eq!(blanket.check(), Err(ConsentFault::EmptyScope));
}

#[test]
fn a_record_without_its_fields_is_named() {
    let base = by_call(HandoffKind::Station);
    let with = |change: fn(&mut Consent)| {
        let mut consent = base.clone();
        change(&mut consent);
        consent.check()
    };
    assert_eq!(with(|c| c.id.clear()), Err(ConsentFault::Id));
    assert_eq!(
        with(|c| c.scope.parcels.clear()),
        Err(ConsentFault::NoParcel)
    );
    assert_eq!(
        with(|c| c.expires_at_ms = Some(NOON)),
        Err(ConsentFault::EndsBeforeItBegins)
    );
    assert_eq!(
        with(|c| c.evidence = ConsentEvidence::PageRecord {
            reference: "r".into()
        }),
        Err(ConsentFault::EvidenceElsewhere)
    );
    assert_eq!(
        with(|c| {
            c.origin = ConsentOrigin::HubPage;
            c.evidence = ConsentEvidence::PageRecord {
                reference: " ".into(),
            };
        }),
        Err(ConsentFault::EmptyEvidence)
    );
    assert_eq!(
        with(|c| {
            c.scope.handoffs = vec![HandoffKind::NamedProxy];
            c.scope.named_person = None;
        }),
        Err(ConsentFault::NobodyNamed)
    );
}

fn any_consent() -> impl Strategy<Value = Consent> {
    (
        proptest::sample::subsequence(HandoffKind::ALL.to_vec(), 0..4),
        any::<[bool; 4]>(),
        0i64..100,
        proptest::option::of(0i64..200),
        proptest::option::of(0i64..200),
        0usize..6,
    )
        .prop_map(|(handoffs, bits, given, expires, withdrawn, evidence)| {
            let evidence = match evidence {
                0 => ConsentEvidence::PageRecord {
                    reference: "r".into(),
                },
                1 => call(CallResult::Answered, if bits[0] { 9 } else { 1 }),
                2 => ConsentEvidence::Message {
                    text_hash: Hash32([3; 32]),
                    number: MaskedPhone::mask("13812345612"),
                },
                3 => ConsentEvidence::Signature {
                    ink: Hash32([1; 32]),
                },
                4 => ConsentEvidence::Code { verified: bits[0] },
                _ => ConsentEvidence::Preference {
                    reference: "p".into(),
                },
            };
            let origin = match evidence {
                ConsentEvidence::Preference { .. } => ConsentOrigin::StandingPreference,
                ConsentEvidence::PageRecord { .. } => ConsentOrigin::HubPage,
                _ => ConsentOrigin::OnTheSpot,
            };
            Consent {
                giver: if bits[1] {
                    Giver::Recipient
                } else {
                    Giver::Sender
                },
                given_at_ms: NOON + given,
                origin,
                scope: Scope {
                    handoffs,
                    parcels: if bits[2] { vec![parcel()] } else { vec![] },
                    named_person: bits[3].then(|| "王五".to_owned()),
                    place: None,
                },
                evidence,
                expires_at_ms: expires.map(|e| NOON + e),
                withdrawn_at_ms: withdrawn.map(|w| NOON + w),
                ..by_call(HandoffKind::Station)
            }
        })
}

proptest! {
    /// No pile of records opens a locked handoff unless one complete record says so at that instant.
    #[test]
    fn nothing_opens_a_locked_handoff_but_a_complete_valid_consent(
        consents in proptest::collection::vec(any_consent(), 0..5),
        kind in 0..HandoffKind::ALL.len(), at in 0i64..300, door_required: bool
    ) {
        let handoff = HandoffKind::ALL[kind];
        let asked = GateCase { door_required, ..case(handoff, &consents) };
        if let Ok(basis) = gate(&asked, NOON + at) {
            prop_assert!(!(door_required && matches!(handoff, HandoffKind::Station | HandoffKind::Locker)));
            if handoff.consent().needs_record() {
                let carries = consents.iter().any(|c| {
                    c.check().is_ok()
                        && c.standing(NOON + at) == Standing::Valid
                        && c.scope.handoffs.contains(&handoff)
                        && channels(handoff).contains(&c.channel())
                });
                prop_assert!(carries, "{basis:?}");
            }
        }
    }
}
