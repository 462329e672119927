//! Which ratings that came with the QR alone look like the courier's own.
//!
//! A pure judgement over one courier's last weeks, so that it can be tried on a thousand invented
//! couriers. Everything here can be evaded by who tries hard enough; that is why such ratings are never
//! paid for, verified or not flagged. A flag only takes a rating out of the shown mean until a person
//! has looked at it, and its reason is shown to the courier (security notes §5.4).

use std::collections::{HashMap, HashSet};

use satchel_protocol::taxonomy::RatingFlag;

const MINUTE_MS: i64 = 60_000;

/// One browser that speaks for so many recipients is not a customer's. Two are a couple of neighbours.
const RECIPIENTS_PER_CLIENT: usize = 3;
/// A pair of network and browser kind that rates for so many couriers is a carrier's gateway and a
/// common telephone, and says nothing.
const COMMON_PAIR_COURIERS: i64 = 3;
/// Turning the phone round takes a human five seconds. The handoff's time by the hub's clock is known
/// only through the quickest upload around it, which takes some three of them; what is left is counted.
const TOO_FAST_MS: i64 = 2_000;
/// A burst: so many recipients …
const BURST_RECIPIENTS: usize = 4;
/// … heard within this time …
const BURST_WINDOW_MS: i64 = 10 * MINUTE_MS;
/// … of deliveries that took at least so long, and …
const BURST_ROUND_MS: i64 = 30 * MINUTE_MS;
/// … so many times the time of the rating. Customers at the door rate at the pace of the round.
const BURST_RATIO: i64 = 3;
/// Wrong codes typed for one delivery: three is no slip.
const WRONG_CODES: i64 = 3;
/// Below this many, a share says nothing.
const SHARE_MIN_RATINGS: usize = 12;
/// No round brings ratings from every second door, …
const SHARE_LIMIT: f64 = 0.5;
/// … nor this many times what the hub's rounds bring.
const SHARE_RATIO: f64 = 4.0;

/// One QR-only rating of the courier, as far as it matters here.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) rating_id: i64,
    /// Who was to receive; equal for all parcels of one household.
    pub(crate) recipient: u64,
    pub(crate) rated_at_ms: i64,
    /// First scan, the hub's clock.
    pub(crate) first_seen_ms: Option<i64>,
    /// The handoff by the phone's clock: only differences of these are used.
    pub(crate) occurred_at_ms: Option<i64>,
    /// The handoff by the hub's clock, as near as the uploads around it tell.
    pub(crate) issued_at_ms: Option<i64>,
    pub(crate) net: Option<[u8; 8]>,
    pub(crate) agent: Option<[u8; 8]>,
    pub(crate) browser: Option<[u8; 8]>,
    /// Couriers whose deliveries were rated from the same network with the same kind of browser.
    pub(crate) pair_couriers: i64,
    /// The courier's phone was on that network at that time.
    pub(crate) on_courier_net: bool,
    pub(crate) wrong_codes: i64,
}

/// How much is usual.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usual {
    /// Deliveries of this courier in the window.
    pub(crate) delivered: i64,
    /// QR-only ratings per delivery over the whole hub.
    pub(crate) hub_share: f64,
}

/// The flags that the window gives rise to, each once.
pub(crate) fn judge(window: &[Seen], usual: Usual) -> HashSet<(i64, RatingFlag)> {
    let mut flags = HashSet::new();
    for one in window {
        if one.on_courier_net {
            flags.insert((one.rating_id, RatingFlag::CourierNetwork));
        }
        if one.wrong_codes >= WRONG_CODES {
            flags.insert((one.rating_id, RatingFlag::WrongCodes));
        }
        if let (Some(seen), Some(issued)) = (one.first_seen_ms, one.issued_at_ms)
            && (0..TOO_FAST_MS).contains(&(seen - issued))
        {
            flags.insert((one.rating_id, RatingFlag::TooFast));
        }
    }
    same_client(window, &mut flags);
    bursts(window, &mut flags);
    if unlikely_share(window, usual) {
        flags.extend(
            window
                .iter()
                .map(|o| (o.rating_id, RatingFlag::UnlikelyShare)),
        );
    }
    flags
}

/// What makes two ratings come from one hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Client {
    Browser([u8; 8]),
    /// Network and kind of browser.
    Pair([u8; 8], [u8; 8]),
}

fn same_client(window: &[Seen], flags: &mut HashSet<(i64, RatingFlag)>) {
    let mut groups: HashMap<Client, Vec<&Seen>> = HashMap::new();
    for one in window {
        if let Some(browser) = one.browser {
            groups
                .entry(Client::Browser(browser))
                .or_default()
                .push(one);
        }
        if let (Some(net), Some(agent)) = (one.net, one.agent)
            && one.pair_couriers < COMMON_PAIR_COURIERS
        {
            groups
                .entry(Client::Pair(net, agent))
                .or_default()
                .push(one);
        }
    }
    for group in groups.values() {
        if recipients(group) >= RECIPIENTS_PER_CLIENT {
            flags.extend(group.iter().map(|o| (o.rating_id, RatingFlag::SameClient)));
        }
    }
}

fn recipients(group: &[&Seen]) -> usize {
    group
        .iter()
        .map(|o| o.recipient)
        .collect::<HashSet<_>>()
        .len()
}

/// Ratings that come much faster than the deliveries they are about.
fn bursts(window: &[Seen], flags: &mut HashSet<(i64, RatingFlag)>) {
    let mut by_time: Vec<(&Seen, i64)> = window
        .iter()
        .filter_map(|o| Some((o, o.occurred_at_ms?)))
        .collect();
    by_time.sort_by_key(|(o, _)| o.rated_at_ms);
    for first in 0..by_time.len() {
        let rest = by_time.get(first..).unwrap_or_default();
        let Some(start_ms) = rest.first().map(|(o, _)| o.rated_at_ms) else {
            continue;
        };
        let near: Vec<_> = rest
            .iter()
            .take_while(|(o, _)| o.rated_at_ms - start_ms <= BURST_WINDOW_MS)
            .collect();
        let group: Vec<&Seen> = near.iter().map(|(o, _)| *o).collect();
        if recipients(&group) < BURST_RECIPIENTS {
            continue;
        }
        let times = || near.iter().map(|(_, occurred)| *occurred);
        let round_ms = times().max().unwrap_or(0) - times().min().unwrap_or(0);
        let rated_ms = group.last().map_or(0, |o| o.rated_at_ms) - start_ms;
        if round_ms >= BURST_ROUND_MS && round_ms >= rated_ms * BURST_RATIO {
            flags.extend(group.iter().map(|o| (o.rating_id, RatingFlag::Burst)));
        }
    }
}

fn unlikely_share(window: &[Seen], usual: Usual) -> bool {
    let all: Vec<&Seen> = window.iter().collect();
    if recipients(&all) < SHARE_MIN_RATINGS || usual.delivered <= 0 {
        return false;
    }
    #[allow(clippy::cast_precision_loss, reason = "counts of a month")]
    let share = window.len() as f64 / usual.delivered as f64;
    share > SHARE_LIMIT.max(usual.hub_share * SHARE_RATIO)
}

#[cfg(test)]
mod tests;
