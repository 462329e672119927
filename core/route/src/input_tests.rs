//! Tests of what goes in and what is told to others: input that is refused, learned service times, ETAs.

use super::plan_tests::{line, planned};
use super::*;

#[test]
fn bad_input_is_named() {
    let refused = |change: &dyn Fn(&mut Draft)| {
        let mut draft = line(&[1, 2, 3]);
        change(&mut draft);
        Problem::new(draft).unwrap_err()
    };
    assert_eq!(
        refused(&|d| d.stops[1].close = d.stops[1].open - 1),
        RouteError::InvertedWindow { stop: 1 }
    );
    assert_eq!(
        refused(&|d| d.stops[2].weight = 0),
        RouteError::Weight { stop: 2 }
    );
    assert_eq!(
        refused(&|d| d.stops[2].service = -1),
        RouteError::Time {
            what: "a service time"
        }
    );
    assert_eq!(
        refused(&|d| d.start.earliest = i64::MIN),
        RouteError::Time { what: "the start" }
    );
    assert_eq!(
        refused(&|d| d.frozen = vec![1, 1]),
        RouteError::DuplicateStop { stop: 1 }
    );
    assert_eq!(
        refused(&|d| d.frozen = vec![3]),
        RouteError::UnknownStop { stop: 3 }
    );
    assert_eq!(
        refused(&|d| d.before = vec![(0, 1), (1, 2), (2, 0)]),
        RouteError::Contradiction
    );
    assert_eq!(
        refused(&|d| d.before = vec![(2, 2)]),
        RouteError::DuplicateStop { stop: 2 }
    );
    assert_eq!(
        refused(&|d| d.stops.truncate(2)),
        RouteError::MatrixSize {
            cells: 16,
            expected: 9
        }
    );
    let nowhere = refused(&|d| {
        d.travel = Travel::Estimated(SpeedModel::default());
        d.start.place = Some(LatLng {
            lat: f64::NAN,
            lng: 0.0,
        });
    });
    assert_eq!(nowhere, RouteError::Coordinates { place: 0 });
    assert_eq!(
        refused(&|d| d.travel = Travel::Matrix(vec![None; 16], SpeedModel::default())),
        RouteError::MissingLeg { from: 0, to: 1 }
    );
    assert_eq!(
        refused(&|d| d.stops = vec![Stop::default(); limits::MAX_STOPS + 1]),
        RouteError::TooManyStops {
            count: limits::MAX_STOPS + 1
        }
    );
    assert_eq!(
        refused(&|d| d.traffic = Some(Traffic::default())),
        RouteError::Traffic
    );
    let jammed = Traffic {
        band_ends: Vec::new(),
        speeds: vec![vec![1]],
        classes: Vec::new(),
    };
    assert_eq!(
        refused(&|d| (d.travel, d.traffic) = (line(&[1, 2, 400]).travel, Some(jammed.clone()))),
        RouteError::Traffic
    );
}

#[test]
fn service_times_are_learned_robustly() {
    let prior = Learned {
        ticks: 100,
        spread: 30,
    };
    assert_eq!(learn_service(&[], prior, (20, 600)), prior);
    let steady = learn_service(&[60; 36], prior, (20, 600));
    assert_eq!(steady.ticks, 64);
    let with_tea: Vec<i64> = core::iter::repeat_n(60, 36).chain([90_000]).collect();
    assert!((learn_service(&with_tea, prior, (20, 600)).ticks - steady.ticks).abs() <= 1);
    assert_eq!(learn_service(&[1; 50], prior, (20, 600)).ticks, 20);
    assert_eq!(learn_service(&[-5, i64::MIN], prior, (20, 600)), prior);
}

#[test]
fn eta_windows_widen_and_hold_the_plan() {
    let draft = line(&[100, 200, 300]);
    let plan = planned(&draft, 1);
    let etas = etas(
        &plan,
        |stop| (draft.stops[stop].open, if stop == 2 { 301 } else { 10_000 }),
        Uncertainty {
            travel: 200,
            service: 10,
        },
    );
    let widths: Vec<i64> = etas.iter().map(|eta| eta.to - eta.from).collect();
    assert!(widths[0] > 0 && widths[0] < widths[1] && widths[1] < widths[2]);
    assert!(
        etas.iter()
            .zip(&plan.visits)
            .all(|(eta, visit)| eta.from <= visit.start && visit.start <= eta.to)
    );
    assert_eq!(
        etas.iter().map(|eta| eta.late).collect::<Vec<_>>(),
        [false, false, true]
    );
}
