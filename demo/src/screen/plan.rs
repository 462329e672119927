//! The order of the stops on the page: planning, planning again, why a stop is where it is, and the
//! drawing. The map is GeoJSON, which the page turns into SVG: no tiles, so it works without a network.

use axum::Json;
use axum::extract::{Path as UrlPath, State};
use satchel_core::Courier;
use satchel_core::model::plan::{PlanEvent, PlanView, PlanWishes, PlannedStop, StopWhy};
use satchel_core::model::stop::{StopState, StopView};
use satchel_core::protocol::feed::LatLng;
use satchel_core::protocol::ids::StopId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Screen;
use super::api::{Answer, parse, with_core};
use super::words::{Refused, word};

const MINUTE_MS: i64 = 60_000;

/// Plans from where the phone last was; the demo's phone has no satellites.
pub(super) async fn plan(State(screen): State<Screen>) -> Answer {
    with_core(&screen, |core| {
        let plan = core.plan(None)?;
        Ok(Json(view(&plan, &core.stops()?)))
    })
    .await
}

/// What the courier tells: an event of the core, or a wish followed by a new plan.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Told {
    /// A stop was recorded; whether it is done shows in the store.
    Recorded { stop_id: String },
    /// A stop is set aside.
    SetAside { stop_id: String },
    /// It is to be visited after all.
    BringBack { stop_id: String },
    /// A stop is wanted first.
    First { stop_id: String },
    /// Time was lost.
    Delayed { by_min: i64 },
    /// Plan again.
    Again,
}

pub(super) async fn replan(State(screen): State<Screen>, Json(told): Json<Told>) -> Answer {
    with_core(&screen, move |core| {
        let event = event(core, &told)?;
        let plan = core.replan(event)?;
        Ok(Json(view(&plan, &core.stops()?)))
    })
    .await
}

fn event(core: &Courier, told: &Told) -> Result<PlanEvent, Refused> {
    Ok(match told {
        Told::Recorded { stop_id } => {
            let stop: StopId = parse(stop_id)?;
            match core.stop(stop)?.state {
                StopState::Done => PlanEvent::Done { stop },
                StopState::Failed => PlanEvent::Failed { stop },
                StopState::Open | StopState::Removed => PlanEvent::Traffic,
            }
        }
        Told::SetAside { stop_id } => PlanEvent::Cancelled {
            stop: parse(stop_id)?,
        },
        Told::BringBack { stop_id } => PlanEvent::Added {
            stop: parse(stop_id)?,
        },
        Told::First { stop_id } => {
            let first = Some(parse(stop_id)?);
            let wishes = PlanWishes {
                first,
                ..core.plan_wishes()?
            };
            core.set_plan_wishes(&wishes)?;
            PlanEvent::Traffic
        }
        Told::Delayed { by_min } => PlanEvent::Delayed {
            by_ms: by_min.saturating_mul(MINUTE_MS),
        },
        Told::Again => PlanEvent::Traffic,
    })
}

pub(super) async fn why(State(screen): State<Screen>, UrlPath(id): UrlPath<String>) -> Answer {
    let stop: StopId = parse(&id)?;
    with_core(&screen, move |core| {
        let StopWhy {
            planned,
            position,
            of,
            previous,
            leg_m,
        } = core.why(stop)?;
        Ok(Json(json!({
            "planned": self::stop(&planned),
            "position": position,
            "of": of,
            "previous": previous,
            "leg_m": leg_m,
        })))
    })
    .await
}

fn stop(stop: &PlannedStop) -> Value {
    json!({
        "stop_id": stop.stop_id,
        "arrival_ms": stop.arrival_ms,
        "eta_from_ms": stop.eta_from_ms,
        "eta_to_ms": stop.eta_to_ms,
        "wait_ms": stop.wait_ms,
        "service_ms": stop.service_ms,
        "lateness_ms": stop.lateness_ms,
        "slack_ms": stop.slack_ms,
        "predicted_late": stop.predicted_late,
        "why": word!(stop.why),
    })
}

/// The plan with its drawing; `stops` are those of the phone, for their places.
pub(super) fn view(plan: &PlanView, stops: &[StopView]) -> Value {
    json!({
        "made_at_ms": plan.made_at_ms,
        "departure_ms": plan.departure_ms,
        "stops": plan.stops.iter().map(stop).collect::<Vec<_>>(),
        "left_out": plan.left_out,
        "completion_ms": plan.completion_ms,
        "completion_before_ms": plan.completion_before_ms,
        "lateness": plan.lateness,
        "lateness_before": plan.lateness_before,
        "distance_m": plan.distance_m,
        "distance_before_m": plan.distance_before_m,
        "pairs_kept": plan.pairs_kept,
        "pairs_known": plan.pairs_known,
        "change": plan.change,
        "map": geojson(plan, stops),
    })
}

/// Two lines and the doors, as RFC 7946 has it: longitude first.
fn geojson(plan: &PlanView, stops: &[StopView]) -> Value {
    let place = |id: &StopId| {
        let stop = stops.iter().find(|stop| stop.stop_id == *id)?;
        Some(point(stop.place))
    };
    let line = |name: &str, order: &mut dyn Iterator<Item = StopId>| {
        let start = plan.from.map(point).into_iter();
        let path: Vec<Value> = start.chain(order.filter_map(|id| place(&id))).collect();
        feature("LineString", &Value::Array(path), &json!({ "line": name }))
    };
    let mut features = vec![
        line("before", &mut plan.before.iter().copied()),
        line("after", &mut plan.stops.iter().map(|stop| stop.stop_id)),
    ];
    if let Some(start) = plan.from {
        features.push(feature("Point", &point(start), &json!({ "start": true })));
    }
    for (index, stop) in plan.stops.iter().enumerate() {
        if let Some(at) = place(&stop.stop_id) {
            let about = json!({ "order": index + 1, "late": stop.predicted_late });
            features.push(feature("Point", &at, &about));
        }
    }
    json!({ "type": "FeatureCollection", "features": features })
}

fn point(place: LatLng) -> Value {
    json!([place.lng, place.lat])
}

fn feature(kind: &str, coordinates: &Value, properties: &Value) -> Value {
    json!({
        "type": "Feature",
        "geometry": { "type": kind, "coordinates": coordinates },
        "properties": properties,
    })
}
