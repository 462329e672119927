//! The judgement by example: what is set aside, what is not, and why.

use super::*;

const USUAL: Usual = Usual {
    delivered: 1_000,
    hub_share: 0.1,
};

/// Ratings at the door, each by another person, a few minutes apart.
fn at_the_door(n: u64) -> Vec<Seen> {
    (0..n)
        .map(|i| {
            let t = i64::try_from(i).unwrap() * 6 * MINUTE_MS;
            let mark = |k: u64| (i * 10 + k).to_be_bytes();
            Seen {
                rating_id: i64::try_from(i).unwrap(),
                recipient: i,
                rated_at_ms: t + 40_000,
                first_seen_ms: Some(t + 15_000),
                // A clock three hours off changes nothing.
                occurred_at_ms: Some(t - 3 * 60 * MINUTE_MS),
                issued_at_ms: Some(t),
                net: Some(mark(1)),
                agent: Some(mark(2)),
                browser: Some(mark(3)),
                pair_couriers: 1,
                ..Seen::default()
            }
        })
        .collect()
}

fn reasons(window: &[Seen], usual: Usual) -> HashSet<RatingFlag> {
    judge(window, usual).into_iter().map(|(_, r)| r).collect()
}

#[test]
fn customers_at_their_doors_raise_no_flag() {
    assert!(judge(&at_the_door(40), USUAL).is_empty());
}

#[test]
fn each_sign_raises_its_own_flag() {
    let mut net = at_the_door(5);
    net[2].on_courier_net = true;
    assert_eq!(
        judge(&net, USUAL),
        HashSet::from([(2, RatingFlag::CourierNetwork)])
    );

    let mut codes = at_the_door(5);
    codes[1].wrong_codes = 2;
    codes[3].wrong_codes = 3;
    assert_eq!(
        judge(&codes, USUAL),
        HashSet::from([(3, RatingFlag::WrongCodes)])
    );

    let mut fast = at_the_door(5);
    fast[0].first_seen_ms = Some(TOO_FAST_MS - 1);
    fast[1].first_seen_ms = fast[1].issued_at_ms.map(|t| t + TOO_FAST_MS);
    // Before the handoff by the corrected clock: the correction is off, and nobody is blamed for it.
    fast[2].first_seen_ms = fast[2].issued_at_ms.map(|t| t - 1);
    assert_eq!(
        judge(&fast, USUAL),
        HashSet::from([(0, RatingFlag::TooFast)])
    );
}

#[test]
fn one_browser_for_three_recipients_is_flagged_and_a_household_is_not() {
    let mut window = at_the_door(6);
    for i in [0, 3, 5] {
        window[i].browser = Some([9; 8]);
    }
    let flags = judge(&window, USUAL);
    assert_eq!(flags.len(), 3);
    assert_eq!(
        reasons(&window, USUAL),
        HashSet::from([RatingFlag::SameClient])
    );
    for i in [0, 3, 5] {
        window[i].recipient = 77;
    }
    assert!(judge(&window, USUAL).is_empty());
}

#[test]
fn network_and_browser_kind_count_unless_many_couriers_share_them() {
    let mut window = at_the_door(6);
    for one in &mut window[..4] {
        (one.net, one.agent) = (Some([1; 8]), Some([2; 8]));
    }
    assert_eq!(judge(&window, USUAL).len(), 4);
    for one in &mut window[..4] {
        one.pair_couriers = COMMON_PAIR_COURIERS;
    }
    assert!(judge(&window, USUAL).is_empty());
}

#[test]
fn a_day_s_deliveries_rated_within_minutes_are_a_burst() {
    let mut window = at_the_door(8);
    for (one, i) in window.iter_mut().zip(0..) {
        one.rated_at_ms = 600 * MINUTE_MS + i * 50_000;
        one.first_seen_ms = Some(one.rated_at_ms - 10_000);
    }
    assert_eq!(reasons(&window, USUAL), HashSet::from([RatingFlag::Burst]));
    assert_eq!(judge(&window, USUAL).len(), 8);
    // Three are a family catching up.
    assert!(judge(&window[..3], USUAL).is_empty());
}

#[test]
fn more_ratings_than_doors_open_are_unlikely() {
    let few = Usual {
        delivered: 30,
        hub_share: 0.1,
    };
    assert_eq!(
        reasons(&at_the_door(20), few),
        HashSet::from([RatingFlag::UnlikelyShare])
    );
    // Where every second customer rates, nobody stands out.
    let eager = Usual {
        delivered: 30,
        hub_share: 0.4,
    };
    assert!(judge(&at_the_door(20), eager).is_empty());
    assert!(
        judge(
            &at_the_door(11),
            Usual {
                delivered: 11,
                hub_share: 0.0
            }
        )
        .is_empty()
    );
}
