//! Checks a [`Draft`] and compiles it for the search.

use super::departure::Window;
use super::error::RouteError;
use super::kernel::{Goal, Kernel, Node, Parts, Taste, UNIT};
use super::legs::{legs, slowest_in_range};
use super::limits::{MAX_BREAKS, MAX_LEG, MAX_STOPS, MAX_TIME, MAX_WEIGHT};
use super::problem::{Draft, Objective, Pin, Start, Stop, Traffic};
use super::rules::Rules;
use super::sort::sort;
use super::table::Table;
use super::traffic::{Classes, Clock, FULL, Pause};

/// Near neighbours listed per node.
const NEAR: usize = 20;

/// A checked problem.
#[derive(Debug)]
pub struct Problem {
    pub(crate) draft: Draft,
    pub(crate) kernel: Kernel,
    pub(crate) window: Window,
}

impl Problem {
    /// Checks the draft.
    ///
    /// # Errors
    /// A [`RouteError`] that names the first thing that is wrong.
    pub fn new(draft: Draft) -> Result<Self, RouteError> {
        let count = draft.stops.len();
        if count > MAX_STOPS {
            return Err(RouteError::TooManyStops { count });
        }
        let nodes = nodes(&draft)?;
        let window = window(&draft)?;
        let legs = legs(&draft)?;
        slowest_in_range(&draft, &legs)?;
        let parts = Parts {
            rules: rules(&draft)?,
            goal: if draft.objective == Objective::Travel {
                Goal::Travel
            } else {
                Goal::End
            },
            taste: taste(&draft)?,
            clock: clock(&draft)?,
            legs,
            nodes,
        };
        let kernel = Kernel::new(parts, NEAR);
        let wish: Vec<u16> = (1..=count as u16).collect();
        if kernel.rules.arrange(&wish).is_none() {
            return Err(RouteError::Contradiction);
        }
        Ok(Self {
            draft,
            kernel,
            window,
        })
    }

    /// The draft it was made from.
    #[must_use]
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Number of stops.
    #[must_use]
    pub fn len(&self) -> usize {
        self.draft.stops.len()
    }

    /// True without any stop.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.draft.stops.is_empty()
    }
}

fn in_time(time: i64, what: &'static str) -> Result<i64, RouteError> {
    if (-MAX_TIME..=MAX_TIME).contains(&time) {
        Ok(time)
    } else {
        Err(RouteError::Time { what })
    }
}

fn in_leg(ticks: i64, what: &'static str) -> Result<i64, RouteError> {
    if (0..=MAX_LEG).contains(&ticks) {
        Ok(ticks)
    } else {
        Err(RouteError::Time { what })
    }
}

fn in_weight(weight: u16, stop: usize) -> Result<i64, RouteError> {
    if (1..=MAX_WEIGHT).contains(&weight) {
        Ok(i64::from(weight))
    } else {
        Err(RouteError::Weight { stop })
    }
}

fn window(draft: &Draft) -> Result<Window, RouteError> {
    let Start {
        earliest, latest, ..
    } = draft.start;
    let first = in_time(earliest, "the start")?;
    let last = if draft.objective == Objective::Duration {
        in_time(latest, "the latest start")?
    } else {
        first
    };
    if last < first {
        return Err(RouteError::Time {
            what: "the latest start",
        });
    }
    Ok(Window { first, last })
}

fn nodes(draft: &Draft) -> Result<Vec<Node>, RouteError> {
    let start = in_time(draft.start.earliest, "the start")?;
    let mut nodes = vec![Node {
        open: start,
        close: start,
        dwell: 0,
        weight: i64::from(MAX_WEIGHT),
    }];
    for (index, stop) in draft.stops.iter().enumerate() {
        let Stop {
            open,
            close,
            service,
            weight,
            ..
        } = *stop;
        if close < open {
            return Err(RouteError::InvertedWindow { stop: index });
        }
        nodes.push(Node {
            open: in_time(open, "a window")?,
            close: in_time(close, "a window")?,
            dwell: in_leg(service, "a service time")?,
            weight: in_weight(weight, index)?,
        });
    }
    // The weight of the last node without a shift end must not hide that stops weigh more.
    let (close, weight) = draft.shift_end.unwrap_or((MAX_TIME, MAX_WEIGHT));
    nodes.push(Node {
        open: -MAX_TIME,
        close: in_time(close, "the end of the shift")?,
        dwell: 0,
        weight: in_weight(weight, draft.stops.len())?,
    });
    Ok(nodes)
}

fn known_stop(draft: &Draft, stop: usize) -> Result<u16, RouteError> {
    if stop < draft.stops.len() {
        Ok(stop as u16 + 1)
    } else {
        Err(RouteError::UnknownStop { stop })
    }
}

/// Each stop at most once.
pub(crate) fn distinct(draft: &Draft, stops: &[usize]) -> Result<Vec<u16>, RouteError> {
    let mut seen = vec![false; draft.stops.len()];
    let mut nodes = Vec::with_capacity(stops.len());
    for &stop in stops {
        nodes.push(known_stop(draft, stop)?);
        if let Some(flag) = seen.get_mut(stop)
            && core::mem::replace(flag, true)
        {
            return Err(RouteError::DuplicateStop { stop });
        }
    }
    Ok(nodes)
}

fn rules(draft: &Draft) -> Result<Rules, RouteError> {
    let frozen = distinct(draft, &draft.frozen)?;
    let mut pinned: Vec<(u16, u16)> = frozen
        .iter()
        .enumerate()
        .map(|(i, v)| (*v, i as u16 + 1))
        .collect();
    for (index, stop) in draft.stops.iter().enumerate() {
        let place = match stop.pin {
            None => continue,
            Some(Pin::First) => frozen.len() + 1,
            Some(Pin::Last) => draft.stops.len(),
            Some(Pin::At(place)) => place.saturating_add(1),
        };
        let node = index as u16 + 1;
        if place > draft.stops.len() {
            return Err(RouteError::Contradiction);
        }
        let clash = pinned
            .iter()
            .any(|&(v, p)| (v == node) != (usize::from(p) == place));
        if clash {
            return Err(RouteError::Contradiction);
        }
        pinned.push((node, place as u16));
    }
    sort(&mut pinned);
    pinned.dedup();
    let mut pairs = Vec::with_capacity(draft.before.len());
    for &(a, b) in &draft.before {
        if a == b {
            return Err(RouteError::DuplicateStop { stop: a });
        }
        pairs.push((known_stop(draft, a)?, known_stop(draft, b)?));
    }
    sort(&mut pairs);
    pairs.dedup();
    Ok(Rules {
        frozen: frozen.len(),
        pinned,
        pairs,
    })
}

fn taste(draft: &Draft) -> Result<Taste, RouteError> {
    let n = draft.stops.len() + 2;
    let mut taste = Taste::default();
    if draft.zone_change > 0 {
        taste.zone_cost = i64::from(draft.zone_change) * UNIT;
        taste.zone = Table::new(n);
        for (index, stop) in draft.stops.iter().enumerate() {
            taste.zone.put(index + 1, stop.zone);
        }
    }
    if let Some((order, ticks)) = &draft.known {
        let nodes = distinct(draft, order)?;
        if *ticks > 0 {
            taste.change_cost = i64::from(*ticks) * UNIT;
            taste.next = Table::new(n);
            let mut from = 0;
            for v in nodes {
                taste.next.put(from, v);
                from = usize::from(v);
            }
        }
    }
    Ok(taste)
}

fn clock(draft: &Draft) -> Result<Option<Clock>, RouteError> {
    let n = draft.stops.len() + 2;
    let mut pauses = Vec::new();
    let mut free_from = -MAX_TIME;
    if draft.breaks.len() > MAX_BREAKS {
        return Err(RouteError::Time { what: "a break" });
    }
    for pause in &draft.breaks {
        let (at, span) = (
            in_time(pause.at, "a break")?,
            in_leg(pause.span, "a break")?,
        );
        if at < free_from {
            return Err(RouteError::Time { what: "a break" });
        }
        free_from = at + span;
        pauses.push(Pause { at, span });
    }
    let Some(Traffic {
        band_ends,
        speeds,
        classes,
    }) = &draft.traffic
    else {
        let steady = Clock {
            band_ends: Vec::new(),
            speeds: Table::from(vec![FULL as i32]),
            classes: Classes::Origin(Table::new(n)),
            pauses,
        };
        return Ok(if draft.breaks.is_empty() {
            None
        } else {
            Some(steady)
        });
    };
    let ascending = band_ends
        .iter()
        .zip(band_ends.iter().skip(1))
        .all(|(a, b)| a < b);
    let whole = speeds.iter().all(|of| {
        of.len() == band_ends.len() + 1 && of.iter().all(|s| (1..=FULL).contains(&i64::from(*s)))
    });
    if !ascending || !whole || speeds.is_empty() || speeds.len() > 256 {
        return Err(RouteError::Traffic);
    }
    for end in band_ends {
        in_time(*end, "a band of the traffic table")?;
    }
    Ok(Some(Clock {
        band_ends: band_ends.clone(),
        speeds: speeds
            .iter()
            .flatten()
            .map(|s| *s as i32)
            .collect::<Vec<_>>()
            .into(),
        classes: leg_classes(draft, classes, speeds.len())?,
        pauses,
    }))
}

fn leg_classes(draft: &Draft, classes: &[u8], count: usize) -> Result<Classes, RouteError> {
    let (places, n) = (draft.places(), draft.stops.len() + 2);
    if classes.is_empty() {
        let mut by_node = Table::new(n);
        for (index, stop) in draft.stops.iter().enumerate() {
            let class = u8::try_from(stop.zone)
                .ok()
                .filter(|c| usize::from(*c) < count)
                .ok_or(RouteError::Traffic)?;
            by_node.put(index + 1, class);
        }
        return Ok(Classes::Origin(by_node));
    }
    if classes.len() != places * places || classes.iter().any(|c| usize::from(*c) >= count) {
        return Err(RouteError::Traffic);
    }
    let mut by_leg = Table::new(n * n);
    for from in 0..n - 1 {
        for to in 0..n {
            let column = if to + 1 < n || places == n { to } else { 0 };
            by_leg.put(
                from * n + to,
                classes.get(from * places + column).copied().unwrap_or(0),
            );
        }
    }
    Ok(Classes::Leg(by_leg, n))
}
