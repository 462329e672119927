//! vrp-core on instances of the bench: `peer-vrp-core travel|completion LIMIT_MS FILE…` prints one order
//! per file, to be judged by the caller. Jobs that vrp-core leaves out are missing from the order.

use std::error::Error;
use std::iter::once;
use std::sync::Arc;
use std::time::Instant;

use serde::Deserialize;
use vrp_core::models::common::TimeWindow;
use vrp_core::prelude::*;
use vrp_core::rosomaxa::evolution::TelemetryMode;
use vrp_core::rosomaxa::utils::{Parallelism, TimeQuota};

/// As the bench's own format has it; node 0 is the start.
#[derive(Deserialize)]
struct Instance {
    name: String,
    open_path: bool,
    travel: Vec<Vec<f64>>,
    window: Vec<(f64, f64)>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let objective = args.next().ok_or("travel or completion")?;
    let limit_ms: f64 = args.next().ok_or("a limit in milliseconds")?.parse()?;
    for file in args {
        let instance: Instance = serde_json::from_str(&std::fs::read_to_string(file)?)?;
        let begun = Instant::now();
        let order = solve(&instance, objective == "travel", limit_ms / 1_000.0)
            .map_err(|error| error.to_string())?;
        let wall_ms = begun.elapsed().as_secs_f64() * 1_000.0;
        let line = serde_json::json!({
            "instance": instance.name,
            "order": order,
            "wall_ms": wall_ms,
        });
        println!("{line}");
    }
    Ok(())
}

fn solve(instance: &Instance, travel: bool, limit_s: f64) -> GenericResult<Vec<usize>> {
    let durations = instance.travel.concat();
    let transport = Arc::new(SimpleTransportCost::new(durations.clone(), durations)?);
    let transport_feature = TransportFeatureBuilder::new("transport")
        .set_transport_cost(transport.clone())
        .set_time_constrained(true);
    let transport_feature = if travel {
        transport_feature.build_minimize_distance()?
    } else {
        transport_feature.build_minimize_duration()?
    };
    let goal = GoalContextBuilder::with_features(&[
        MinimizeUnassignedBuilder::new("unassigned").build()?,
        transport_feature,
        CapacityFeatureBuilder::<SingleDimLoad>::new("capacity").build()?,
    ])?
    .build()?;
    let (earliest, latest) = instance.window.first().copied().unwrap_or((0.0, f64::MAX));
    let jobs = instance.window.iter().enumerate().skip(1);
    let jobs = jobs
        .map(|(node, window)| {
            SingleBuilder::default()
                .id(&node.to_string())
                .demand(Demand::delivery(0))
                .times(vec![TimeWindow::new(window.0, window.1)])?
                .duration(0.0)?
                .location(node)?
                .build_as_job()
        })
        .collect::<Result<Vec<_>, _>>()?;
    let end = if instance.open_path { f64::MAX } else { latest };
    let vehicle = VehicleBuilder::default()
        .id("courier")
        .add_detail(
            VehicleDetailBuilder::default()
                .set_start_location(0)
                .set_start_time(earliest)
                .set_start_time_latest(earliest)
                .set_end_location(0)
                .set_end_time(end)
                .build()?,
        )
        .capacity(SingleDimLoad::new(1))
        .build()?;
    let problem = Arc::new(
        ProblemBuilder::default()
            .add_jobs(jobs.into_iter())
            .add_vehicles(once(vehicle))
            .with_goal(goal)
            .with_transport_cost(transport)
            .build()?,
    );
    let silent: InfoLogger = Arc::new(|_| ());
    let environment = Arc::new(Environment::new(
        Arc::new(DefaultRandom::default()),
        Some(Arc::new(TimeQuota::new(limit_s))),
        Parallelism::new(1, 1),
        silent,
        false,
    ));
    let config = VrpConfigBuilder::new(problem.clone())
        .set_environment(environment)
        .set_telemetry_mode(TelemetryMode::None)
        .prebuild()?
        .build()?;
    let solution = Solver::new(problem, config).solve()?;
    let mut order = vec![0];
    for tour in solution.get_locations() {
        order.extend(tour.filter(|node| *node != 0));
    }
    Ok(order)
}
