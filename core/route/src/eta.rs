//! Honest times: how long this courier really takes, and the window a customer may be told.

use super::plan::Plan;
use super::sort::sort;

/// A service time learned from history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Learned {
    /// What to plan with.
    pub ticks: i64,
    /// Typical deviation from it.
    pub spread: i64,
}

/// How many visits the prior counts for.
const PRIOR_VISITS: i64 = 4;
/// From the median absolute deviation to a standard deviation, in thousandths.
const MAD_TO_SIGMA: i64 = 1_483;

/// Learns the service time of a kind of stop from past visits of this courier.
///
/// The median ignores the one door where he had tea; few visits are drawn towards the prior; the
/// result stays within `bounds`, so that no history can make a plan absurd.
#[must_use]
pub fn learn_service(history: &[i64], prior: Learned, bounds: (i64, i64)) -> Learned {
    let (low, high) = (bounds.0.max(0), bounds.1.max(bounds.0).max(0));
    let mut seen: Vec<i64> = history
        .iter()
        .copied()
        .filter(|ticks| *ticks >= 0)
        .map(|t| t.min(high))
        .collect();
    let visits = seen.len() as i64;
    let Some(median) = middle(&mut seen) else {
        return Learned {
            ticks: prior.ticks.max(low).min(high),
            spread: prior.spread.max(0).min(high),
        };
    };
    let mut off: Vec<i64> = seen.iter().map(|ticks| (ticks - median).abs()).collect();
    let spread = middle(&mut off).unwrap_or(0) * MAD_TO_SIGMA / 1_000;
    let blend = |seen: i64, prior: i64| {
        (seen * visits + prior.max(0).min(high) * PRIOR_VISITS) / (visits + PRIOR_VISITS)
    };
    Learned {
        ticks: blend(median, prior.ticks).max(low).min(high),
        spread: blend(spread, prior.spread),
    }
}

fn middle(values: &mut [i64]) -> Option<i64> {
    sort(values);
    values.get(values.len() / 2).copied()
}

/// What is uncertain on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uncertainty {
    /// Standard deviation of a leg, in thousandths of its length.
    pub travel: i64,
    /// Standard deviation of a service time, in ticks.
    pub service: i64,
}

/// When a stop will be served, with an honest margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Eta {
    /// Index of the stop.
    pub stop: usize,
    /// Not before, nine times in ten.
    pub from: i64,
    /// Not after, nine times in ten.
    pub to: i64,
    /// Service will likely start too late (A049).
    pub late: bool,
}

/// Nine in ten on each side, in thousandths of a standard deviation.
const NINE_IN_TEN: i64 = 1_282;

/// The windows of all stops of a plan. Errors add up along the route as variances do; a wait takes
/// earliness away, never lateness. `window` gives a stop's window by index.
#[must_use]
pub fn etas(
    plan: &Plan,
    window: impl Fn(usize) -> (i64, i64),
    uncertainty: Uncertainty,
) -> Vec<Eta> {
    let mut variance: i64 = 0;
    let mut left = plan.departure;
    let mut etas = Vec::with_capacity(plan.visits.len());
    for visit in &plan.visits {
        let leg = (visit.arrival - left).max(0);
        let sigma = leg.saturating_mul(uncertainty.travel) / 1_000;
        variance = variance.saturating_add(sigma.saturating_mul(sigma));
        let margin = variance.max(0).isqrt().saturating_mul(NINE_IN_TEN) / 1_000;
        let (open, close) = window(visit.stop);
        etas.push(Eta {
            stop: visit.stop,
            from: (visit.arrival - margin).max(open).min(visit.start),
            to: visit.start.max(visit.arrival + margin),
            late: visit.start.max(visit.arrival + margin / 2) > close,
        });
        variance = variance.saturating_add(uncertainty.service.saturating_mul(uncertainty.service));
        left = visit.leave;
    }
    etas
}
