//! Who is at the customer's pages, as far as the hub may know: three keyed fingerprints and a session.
//!
//! None of them is an address or a name, none can be turned back without the key file, and none is
//! needed to rate. They serve two ends: telling ten ratings of one browser from ten customers
//! (security notes §5.4), and slowing down whoever tries tokens or floods forms.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use crate::hub::Hub;
use crate::pages::session::cookie;
use crate::shares::{self, Session};

/// The cookie of a browser that opened a tracking link. A random number, its hash is kept.
pub(crate) const SESSION_COOKIE: &str = "satchel_me";
/// A random number that only tells browsers apart, so that one of them cannot play many customers.
pub(crate) const BROWSER_COOKIE: &str = "satchel_b";

/// One visitor of one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visitor {
    /// Where from; absent when the hub is called inside its own process.
    pub(crate) net: Option<[u8; 8]>,
    pub(crate) agent: Option<[u8; 8]>,
    pub(crate) browser: Option<[u8; 8]>,
    pub(crate) session: Option<Session>,
}

impl FromRequestParts<Hub> for Visitor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Self::Rejection> {
        let agent = parts.headers.get(header::USER_AGENT).map(|v| v.as_bytes());
        Ok(Self {
            net: net_of(hub, parts),
            agent: agent.map(|a| shares::fingerprint(hub, b"agent", a)),
            browser: cookie(&parts.headers, BROWSER_COOKIE)
                .map(|b| shares::fingerprint(hub, b"browser", b.as_bytes())),
            session: cookie(&parts.headers, SESSION_COOKIE).map(Session::of),
        })
    }
}

/// The fingerprint of the address a request came from.
pub(crate) fn net_of(hub: &Hub, parts: &Parts) -> Option<[u8; 8]> {
    let peer = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| peer.ip());
    let ip = if hub.config().behind_proxy {
        forwarded(&parts.headers).or(peer)
    } else {
        peer
    };
    // A caller on this very machine is a test, a demo, or a proxy the hub was not told of: it stands for
    // no network, and limiting it would shut out everybody behind it.
    ip.filter(|ip| !ip.to_canonical().is_loopback())
        .map(|ip| shares::fingerprint(hub, b"net", &site(ip)))
}

/// The last address in `X-Forwarded-For`: the one our own proxy saw; those before it anybody can write.
fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let list = headers.get_all("x-forwarded-for").iter().next_back()?;
    list.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

/// One subscriber: an IPv4 address, or the /64 an IPv6 household has.
fn site(ip: IpAddr) -> Vec<u8> {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().into_iter().take(8).collect(),
    }
}

/// What is limited, and how much of it one address may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Deed {
    /// A token, link or code that opened nothing.
    Guess,
    /// A form that writes.
    Write,
    /// A picture to decode.
    Picture,
}

impl Deed {
    /// How many at once, and one more every so many milliseconds.
    const fn budget(self) -> (i64, i64) {
        match self {
            // A whole office may scan dead codes; a guesser of 96-bit tags gets nowhere at any rate.
            Self::Guess => (60, 1_000),
            // A dormitory rates behind one address.
            Self::Write => (120, 500),
            // Decoding is the dearest thing a stranger can ask for.
            Self::Picture => (24, 5_000),
        }
    }
}

/// Counts per address in memory: a restart forgives, which costs nothing here.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    /// The time at which the budget of a key would be whole again.
    whole_at_ms: Mutex<HashMap<([u8; 8], Deed), i64>>,
}

/// Keys remembered; beyond it those whose budget is whole are forgotten.
const MAX_KEYS: usize = 50_000;

/// How much of the budget is used. More than all of it can only mean that the clock was set back, and
/// nobody is locked out for that.
fn debt(whole_at_ms: i64, now_ms: i64, budget_ms: i64) -> i64 {
    let debt_ms = (whole_at_ms - now_ms).max(0);
    if debt_ms > budget_ms { 0 } else { debt_ms }
}

impl Limits {
    /// Takes one deed off the budget. `false`: there is none left.
    pub(crate) fn allow(&self, net: Option<[u8; 8]>, deed: Deed, now_ms: i64) -> bool {
        let Some(net) = net else { return true };
        let (burst, each_ms) = deed.budget();
        let mut map = self
            .whole_at_ms
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if map.len() >= MAX_KEYS {
            map.retain(|_, whole| *whole > now_ms);
        }
        let whole = map.entry((net, deed)).or_insert(now_ms);
        let debt_ms = debt(*whole, now_ms, burst * each_ms);
        *whole = now_ms + debt_ms;
        if debt_ms + each_ms > burst * each_ms {
            return false;
        }
        *whole = now_ms + debt_ms + each_ms;
        true
    }

    /// Whether the budget is used up, without using it.
    pub(crate) fn spent(&self, net: Option<[u8; 8]>, deed: Deed, now_ms: i64) -> bool {
        let Some(net) = net else { return false };
        let (burst, each_ms) = deed.budget();
        let map = self
            .whole_at_ms
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        map.get(&(net, deed))
            .is_some_and(|whole| debt(*whole, now_ms, burst * each_ms) + each_ms > burst * each_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_burst_and_a_rate_and_one_address_does_not_use_another_s() {
        let limits = Limits::default();
        let (a, b) = (Some([1; 8]), Some([2; 8]));
        let (burst, each_ms) = Deed::Guess.budget();
        for _ in 0..burst {
            assert!(limits.allow(a, Deed::Guess, 0));
        }
        assert!(!limits.allow(a, Deed::Guess, 0) && limits.spent(a, Deed::Guess, 0));
        assert!(limits.allow(b, Deed::Guess, 0) && limits.allow(a, Deed::Write, 0));
        assert!(limits.allow(a, Deed::Guess, each_ms) && !limits.allow(a, Deed::Guess, each_ms));
        // The clock jumps back a day: nobody is locked out for it.
        assert!(limits.allow(a, Deed::Guess, -86_400_000));
    }

    #[test]
    fn the_proxy_s_own_word_counts_and_a_household_is_one_site() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "6.6.6.6, 10.0.0.9".parse().unwrap());
        assert_eq!(forwarded(&headers), Some(IpAddr::from([10, 0, 0, 9])));
        let v6 = |s: &str| site(s.parse().unwrap());
        assert_eq!(v6("2001:db8:1:2::5"), v6("2001:db8:1:2:9::1"));
        assert_ne!(v6("2001:db8:1:2::5"), v6("2001:db8:1:3::5"));
        assert_eq!(v6("::ffff:1.2.3.4"), v6("1.2.3.4"));
    }
}
