//! Figures by example, and the sums that must hold for any day.

use proptest::prelude::*;
use satchel_protocol::ids::ParcelId;
use satchel_protocol::taxonomy::{HandoffKind, Relation};
use uuid::Uuid;

use super::*;
use crate::rules::transitions::{EventId, Origin};

const DAY: Window = Window {
    from_ms: 0,
    until_ms: 1_000,
};

fn good() -> HandedOver {
    HandedOver {
        handoff: HandoffKind::Recipient,
        consented: false,
        relation: Some(Relation::Oneself),
        identity_checked: true,
        inspection_offered: true,
        properly_signed: true,
        damaged: false,
        deadline_ms: 500,
        excused: false,
    }
}

fn visit(at_ms: i64, result: VisitResult) -> VisitFact {
    VisitFact {
        parcel: ParcelId(Uuid::from_u128(1)),
        at_ms,
        result,
    }
}

fn handed(list: impl IntoIterator<Item = HandedOver>) -> Facts {
    Facts {
        visits: list
            .into_iter()
            .map(|h| visit(100, VisitResult::HandedOver(h)))
            .collect(),
        ..Facts::default()
    }
}

fn figure(facts: &Facts, kpi: Kpi) -> Figure {
    *sheet(facts, DAY, 900)
        .iter()
        .find(|f| f.kpi == kpi)
        .unwrap()
}

fn pair(facts: &Facts, kpi: Kpi) -> (u64, u64) {
    let f = figure(facts, kpi);
    (f.numerator, f.denominator)
}

#[test]
fn every_figure_is_on_the_sheet_once_and_none_is_made_up_from_nothing() {
    let figures = sheet(&Facts::default(), DAY, 900);
    let kpis: Vec<Kpi> = figures.iter().map(|f| f.kpi).collect();
    assert_eq!(kpis, Kpi::ALL);
    assert!(figures.iter().all(|f| f.value().is_none()));
}

#[test]
fn the_proxy_line_is_crossed_above_fifteen_percent_and_not_at_it() {
    let station = HandedOver {
        handoff: HandoffKind::Station,
        consented: true,
        ..good()
    };
    let of_twenty = |proxies: usize| {
        let list = (0..20).map(|n| if n < proxies { station } else { good() });
        figure(&handed(list), Kpi::ProxySign)
    };
    assert_eq!(of_twenty(3).value(), Some(1_500));
    assert!(!of_twenty(3).is_over_proxy_line());
    assert!(of_twenty(4).is_over_proxy_line());
}

#[test]
fn a_proxy_with_consent_is_no_violation_and_a_named_one_is_no_proxy() {
    let by = |handoff, consented, relation| HandedOver {
        handoff,
        consented,
        relation: Some(relation),
        ..good()
    };
    let facts = handed([
        good(),
        by(HandoffKind::NamedProxy, true, Relation::Family),
        by(HandoffKind::Guard, true, Relation::Guard),
        by(HandoffKind::Locker, false, Relation::Other),
        // "In person", says the code; "family", says the relation.
        by(HandoffKind::Recipient, false, Relation::Family),
    ]);
    assert_eq!(pair(&facts, Kpi::ProxySign), (3, 5));
    assert_eq!(pair(&facts, Kpi::ProxyWithConsent), (1, 5));
    assert_eq!(pair(&facts, Kpi::ProxyWithoutConsent), (2, 5));
    assert_eq!(pair(&facts, Kpi::DeliverToAddress), (4, 5));
}

#[test]
fn a_promise_is_judged_by_event_time_and_an_overdue_parcel_counts_against_it() {
    let mut facts = handed([good()]);
    let late = HandedOver {
        deadline_ms: 99,
        ..good()
    };
    facts.visits.push(visit(100, VisitResult::HandedOver(late)));
    facts.visits.push(visit(
        100,
        VisitResult::HandedOver(HandedOver {
            excused: true,
            ..late
        }),
    ));
    let open = |deadline_ms| OpenPromise {
        deadline_ms,
        excused: false,
    };
    facts.open = vec![open(800), open(950), open(5_000)];
    assert_eq!(pair(&facts, Kpi::PromiseHit), (1, 3));
    assert_eq!(figure(&facts, Kpi::PromiseHit).excused, 1);
}

#[test]
fn failures_need_a_contact_and_signing_needs_all_three_steps() {
    let mut facts = handed([
        good(),
        HandedOver {
            inspection_offered: false,
            damaged: true,
            ..good()
        },
    ]);
    for contact_logged in [true, false, true] {
        facts
            .visits
            .push(visit(200, VisitResult::Failed { contact_logged }));
    }
    facts.duty_days = 2;
    assert_eq!(pair(&facts, Kpi::ExceptionNotice), (2, 3));
    assert_eq!(pair(&facts, Kpi::CompliantSigning), (1, 2));
    assert_eq!(pair(&facts, Kpi::Damage), (1, 2));
    assert_eq!(figure(&facts, Kpi::ParcelsPerDay).value(), Some(100));
}

#[test]
fn a_pickup_nobody_came_to_counts_as_late_once_its_window_is_over() {
    let pickup = |arrived_at_ms, window_end_ms| PickupFact {
        arrived_at_ms,
        window_end_ms,
    };
    let facts = Facts {
        pickups: vec![
            pickup(Some(400), 400),
            pickup(Some(401), 400),
            pickup(None, 600),
            pickup(None, 950),
        ],
        ..Facts::default()
    };
    assert_eq!(pair(&facts, Kpi::PickupPunctuality), (1, 3));
}

#[test]
fn a_return_is_no_delivery() {
    let back = HandedOver {
        handoff: HandoffKind::ReturnToSender,
        ..good()
    };
    assert_eq!(pair(&handed([back, good()]), Kpi::CompliantSigning), (1, 1));
}

#[test]
fn stars_show_every_input_and_hold_nothing_unknown_against_the_courier() {
    let goal = |kpi, direction, goal, weight| StarGoal {
        kpi,
        direction,
        goal,
        weight,
    };
    let rules = StarRules {
        goals: vec![
            goal(Kpi::PromiseHit, Direction::AtLeast, 9_500, 40),
            goal(Kpi::ProxySign, Direction::AtMost, 1_500, 40),
            goal(Kpi::PickupPunctuality, Direction::AtLeast, 9_000, 20),
        ],
        steps: vec![40, 60, 100],
    };
    let late = HandedOver {
        deadline_ms: 1,
        ..good()
    };
    let view = stars(&sheet(&handed([good(), late]), DAY, 900), &rules);
    assert_eq!(view.inputs.len(), 3);
    assert!(!view.inputs[0].met && view.inputs[1].met && view.inputs[2].met);
    assert_eq!((view.reached, view.level), (60, 3));
    assert_eq!(view.inputs[0].figure.denominator, 2);
}

#[test]
fn earnings_are_whole_fen_and_never_guessed() {
    let tariff = Tariff {
        currency: "CNY".into(),
        prices: vec![
            (PieceKind::Delivery, 3, 115),
            (PieceKind::Delivery, 4, 125),
            (PieceKind::Pickup, 3, 300),
        ],
    };
    let today = [(PieceKind::Delivery, 87), (PieceKind::Pickup, 2)];
    let earned = estimate(&today, 3, &tariff).unwrap();
    assert_eq!(earned.total_minor, 87 * 115 + 600);
    assert_eq!(earned.lines[0].amount_minor, 10_005);
    assert_eq!(
        estimate(&today, 4, &tariff),
        Err(EarningsFault::NoPrice {
            kind: PieceKind::Pickup,
            star: 4
        })
    );
    let too_many = [(PieceKind::Delivery, u64::MAX)];
    assert_eq!(
        estimate(&too_many, 3, &tariff),
        Err(EarningsFault::TooLarge)
    );
    let no_money = Tariff {
        currency: "yuan".into(),
        ..tariff
    };
    assert_eq!(
        estimate(&today, 3, &no_money),
        Err(EarningsFault::BadTariff)
    );
}

fn cause(seq: i64) -> EventId {
    EventId {
        origin: Origin::Hub,
        seq,
    }
}

fn points(seq: i64, rule: PointRule, points: i64) -> PointEntry {
    PointEntry {
        cause: cause(seq),
        rule,
        points,
        at_ms: 100,
    }
}

#[test]
fn a_correction_takes_back_what_its_event_earned_and_shows_it() {
    let values = PointValues {
        good_rating: 5,
        on_time: 2,
        no_damage: 1,
    };
    let on_time = values.of(PointRule::OnTime).unwrap();
    assert_eq!(values.of(PointRule::ByHub), None);
    let mut ledger = Ledger::default();
    assert!(ledger.earn(points(1, PointRule::OnTime, on_time)));
    assert!(!ledger.earn(points(1, PointRule::OnTime, 2)));
    assert!(ledger.earn(points(1, PointRule::NoDamage, 1)));
    assert!(ledger.earn(points(2, PointRule::GoodRating, 5)));
    assert_eq!(ledger.balance(DAY), 8);
    ledger.take_back(cause(1));
    assert_eq!(ledger.balance(DAY), 5);
    assert_eq!(ledger.reversed().count(), 2);
    ledger.earn(points(1, PointRule::ByHub, 100));
    assert_eq!(ledger.balance(DAY), 5);
}

fn any_handed() -> impl Strategy<Value = HandedOver> {
    (
        0..HandoffKind::ALL.len(),
        any::<[bool; 6]>(),
        0..Relation::ALL.len(),
        0i64..1_000,
    )
        .prop_map(|(h, b, r, deadline_ms)| HandedOver {
            handoff: HandoffKind::ALL[h],
            consented: b[0],
            relation: Some(Relation::ALL[r]),
            identity_checked: b[1],
            inspection_offered: b[2],
            properly_signed: b[3],
            damaged: b[4],
            deadline_ms,
            excused: b[5],
        })
}

fn any_visits() -> impl Strategy<Value = Vec<VisitFact>> {
    let result = prop_oneof![
        any_handed().prop_map(VisitResult::HandedOver),
        any::<bool>().prop_map(|contact_logged| VisitResult::Failed { contact_logged }),
    ];
    proptest::collection::vec(
        (0i64..1_000, result).prop_map(|(at, r)| visit(at, r)),
        0..40,
    )
}

proptest! {
    /// No share is above one, the two kinds of proxy make up all, and two halves make a whole.
    #[test]
    fn the_sheet_adds_up(visits in any_visits(), cut in 0i64..1_000) {
        let facts = Facts { visits, ..Facts::default() };
        let whole = sheet(&facts, DAY, 2_000);
        let first = sheet(&facts, Window { from_ms: 0, until_ms: cut }, 2_000);
        let second = sheet(&facts, Window { from_ms: cut, until_ms: 1_000 }, 2_000);
        for ((w, a), b) in whole.iter().zip(&first).zip(&second) {
            if w.kpi.is_share() {
                prop_assert!(w.numerator <= w.denominator);
            }
            prop_assert_eq!(w.numerator, a.numerator + b.numerator);
            if w.kpi != Kpi::ParcelsPerDay {
                prop_assert_eq!(w.denominator, a.denominator + b.denominator);
            }
        }
        let n = |kpi| whole.iter().find(|f| f.kpi == kpi).unwrap().numerator;
        prop_assert_eq!(n(Kpi::ProxySign), n(Kpi::ProxyWithConsent) + n(Kpi::ProxyWithoutConsent));
    }

    /// Entries and corrections in any order leave the same ledger.
    #[test]
    fn the_ledger_knows_no_order(
        earned in proptest::collection::vec((0i64..6, 0..PointRule::ALL.len(), 1i64..9), 0..20),
        corrected in proptest::collection::vec(0i64..6, 0..6), turn in 0usize..20
    ) {
        let entries: Vec<PointEntry> =
            earned.iter().map(|(seq, rule, n)| points(*seq, PointRule::ALL[*rule], *n)).collect();
        let mut forward = Ledger::default();
        for e in &entries { forward.earn(*e); }
        for c in &corrected { forward.take_back(cause(*c)); }
        let mut turned = entries.clone();
        if !turned.is_empty() { let by = turn % turned.len(); turned.rotate_left(by); }
        let mut backward = Ledger::default();
        for c in corrected.iter().rev() { backward.take_back(cause(*c)); }
        for e in &turned { backward.earn(*e); }
        prop_assert_eq!(&forward, &backward);
        let standing: i64 = forward.standing().map(|e| e.points).sum();
        prop_assert_eq!(forward.balance(DAY), standing);
    }
}
