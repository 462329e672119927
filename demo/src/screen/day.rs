//! The page's calls of the courier's own day: shift, figures, clocks and the load check.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use satchel_core::Courier;
use satchel_core::protocol::ids::RouteId;
use satchel_core::rules::duty::Duty;
use satchel_core::rules::kpi::Window;
use satchel_ffi::LoadScan;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Screen;
use super::api::{Answer, with_core};
use super::words::{Refused, word};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

pub(super) fn router() -> Router<Screen> {
    Router::new()
        .route("/api/day", get(day))
        .route("/api/shift", post(shift))
        .route("/api/load", get(load))
        .route("/api/scan", post(scan))
}

async fn day(State(screen): State<Screen>) -> Answer {
    let now_ms = screen.clock.wall_ms();
    with_core(&screen, move |core| {
        // What happened in the last day, by event time; the end is exclusive.
        let window = Window {
            from_ms: now_ms - DAY_MS,
            until_ms: now_ms + 1,
        };
        let duty = core.duty()?;
        let figures: Vec<Value> = core
            .scorecard(window)?
            .lines
            .iter()
            .map(|line| {
                json!({
                    "code": line.figure.kpi.code(),
                    "zh": line.name.zh,
                    "en": line.name.en,
                    "numerator": line.figure.numerator,
                    "denominator": line.figure.denominator,
                    "value": line.value,
                    "share": line.figure.kpi.is_share(),
                    "over_line": line.over_line,
                })
            })
            .collect();
        let clocks: Vec<Value> = core
            .clocks()?
            .clocks
            .iter()
            .map(|clock| {
                json!({
                    "waybill": clock.waybill,
                    "left_ms": clock.promise.left_ms,
                    "breach": word!(clock.promise.breach),
                })
            })
            .collect();
        Ok(Json(json!({
            "duty": match duty.duty {
                Duty::Off => json!({ "on": false }),
                Duty::On { since_ms } => json!({ "on": true, "since_ms": since_ms }),
            },
            "leave": core.logout_warning()?.map(|w| json!({ "zh": w.text.zh, "en": w.text.en })),
            "figures": figures,
            "clocks": clocks,
            "earnings": core.earnings(window)?.map(|e| json!({ "currency": e.currency, "total_minor": e.total_minor })),
        })))
    })
    .await
}

#[derive(Deserialize)]
struct Switch {
    on: bool,
}

async fn shift(State(screen): State<Screen>, Json(input): Json<Switch>) -> Answer {
    with_core(&screen, move |core| {
        if input.on {
            core.start_shift(None)?;
        } else {
            core.end_shift()?;
        }
        Ok(Json(json!({})))
    })
    .await
}

async fn load(State(screen): State<Screen>) -> Answer {
    with_core(&screen, |core| Ok(Json(report(core, route(core)?)?))).await
}

#[derive(Deserialize)]
struct NewScan {
    text: String,
}

async fn scan(State(screen): State<Screen>, Json(input): Json<NewScan>) -> Answer {
    with_core(&screen, move |core| {
        let route = route(core)?;
        let scan = LoadScan::from(core.load_scan(route, &input.text, false)?);
        Ok(Json(json!({
            "result": { "code": scan.result.code, "zh": scan.result.text_zh, "en": scan.result.text_en },
            "report": report(core, route)?,
        })))
    })
    .await
}

/// The demo's courier has one round.
fn route(core: &Courier) -> Result<RouteId, Refused> {
    let routes = core.routes()?;
    let first = routes.first().ok_or_else(Refused::malformed)?;
    Ok(first.route_id)
}

fn report(core: &Courier, route: RouteId) -> Result<Value, Refused> {
    let report = core.load_report(route)?;
    Ok(json!({
        "loaded": report.loaded.len(),
        "missing": report.missing.len(),
        "missorts": report.missorts.len(),
        "surplus": report.surplus.len(),
    }))
}
