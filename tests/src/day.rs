//! A day of deliveries in feed items, built from the protocol's own types.

use satchel_protocol::doorstep::{ConsentEvidence, ConsentRecord};
use satchel_protocol::feed::{LatLng, ParcelItem, Recipient, RouteItem, StopItem, StopRemovedItem};
use satchel_protocol::ids::{Handle, ParcelId, RouteId, StopId};
use satchel_protocol::taxonomy::{ConsentOrigin, Giver, HandoffKind, PromiseClass};
use serde_json::Value;
use uuid::Uuid;

/// 2026-11-21 08:00 in China, Unix milliseconds: when every test day begins.
pub const MORNING_MS: i64 = 1_795_219_200_000;

const HOUR_MS: i64 = 3_600_000;

/// One courier's round under construction.
#[derive(Debug, Clone)]
pub struct Day {
    number: u64,
    /// The round.
    pub route: RouteItem,
    /// Its stops, in order. Change them as a test needs.
    pub stops: Vec<StopItem>,
}

impl Day {
    /// A round without stops; days with different numbers share no id.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self {
            number,
            route: RouteItem {
                route_id: RouteId(id(number, 1, 0)),
                name: format!("R{number}"),
                service_date: "2026-11-21".into(),
                depot: Some(LatLng {
                    lat: 37.53,
                    lng: 121.39,
                }),
                stop_count: 0,
            },
            stops: Vec::new(),
        }
    }

    /// Adds `count` stops with one parcel each.
    #[must_use]
    pub fn stops(mut self, count: usize) -> Self {
        for _ in 0..count {
            self = self.stop(1);
        }
        self
    }

    /// Adds a stop with `parcels` parcels.
    #[must_use]
    pub fn stop(self, parcels: usize) -> Self {
        self.stop_with(parcels, |_| {})
    }

    /// Adds a stop and lets the test change it.
    #[must_use]
    pub fn stop_with(mut self, parcels: usize, change: impl FnOnce(&mut StopItem)) -> Self {
        let n = self.stops.len() as u64 + 1;
        let mut stop = StopItem {
            stop_id: StopId(id(self.number, 2, n)),
            route_id: self.route.route_id,
            position: u32::try_from(n).unwrap(),
            place: LatLng {
                lat: 37.5 + n as f64 / 1_000.0,
                lng: 121.4,
            },
            address: format!("港城东大街{n}号3单元1201室"),
            recipient: Recipient {
                name: format!("张三{n}"),
                phone: format!("138{n:08}"),
            },
            window_start_ms: None,
            window_end_ms: None,
            parcels: (0..parcels as u64)
                .map(|p| self.parcel(n * 1_000 + p))
                .collect(),
        };
        change(&mut stop);
        self.stops.push(stop);
        self.route.stop_count = u32::try_from(self.stops.len()).unwrap();
        self
    }

    fn parcel(&self, n: u64) -> ParcelItem {
        let parcel_id = ParcelId(id(self.number, 3, n));
        let mut handle = [0; 8];
        handle.copy_from_slice(&parcel_id.as_bytes()[8..]);
        handle[0] = u8::try_from(self.number % 251).unwrap();
        ParcelItem::bare(
            parcel_id,
            format!("YT{}{n:08}", self.number),
            Handle(handle),
            PromiseClass::SameCity,
            MORNING_MS - HOUR_MS,
            MORNING_MS + 12 * HOUR_MS,
        )
    }

    /// The feed items of the whole round.
    #[must_use]
    pub fn items(&self) -> Vec<(String, Value)> {
        let mut items = vec![item(RouteItem::KIND, &self.route)];
        items.extend(self.stops.iter().map(stop_item));
        items
    }

    /// Id of the stop with this index.
    #[must_use]
    pub fn stop_id(&self, index: usize) -> StopId {
        self.stops[index].stop_id
    }

    /// Id of a parcel of the stop with this index.
    #[must_use]
    pub fn parcel_id(&self, stop: usize, parcel: usize) -> ParcelId {
        self.stops[stop].parcels[parcel].parcel_id
    }
}

/// A feed item for one stop.
#[must_use]
pub fn stop_item(stop: &StopItem) -> (String, Value) {
    item(StopItem::KIND, stop)
}

/// A feed item that takes a stop away.
#[must_use]
pub fn stop_removed(stop_id: StopId) -> (String, Value) {
    item(StopRemovedItem::KIND, &StopRemovedItem { stop_id })
}

/// A consent the customer gave on the hub's page, for these parcels.
#[must_use]
pub fn consent(
    scope: &[HandoffKind],
    parcels: &[ParcelId],
    expires_at_ms: Option<i64>,
) -> ConsentRecord {
    ConsentRecord {
        consent_id: "c-1".into(),
        giver: Giver::Recipient,
        origin: ConsentOrigin::HubPage,
        scope: scope.to_vec(),
        parcels: parcels.to_vec(),
        named_person: None,
        place: None,
        evidence: ConsentEvidence::Page {
            reference: "click-1".into(),
        },
        given_at_ms: MORNING_MS - HOUR_MS,
        expires_at_ms,
        withdrawn_at_ms: None,
    }
}

fn item<T: serde::Serialize>(kind: &str, content: &T) -> (String, Value) {
    (kind.to_owned(), serde_json::to_value(content).unwrap())
}

fn id(day: u64, family: u64, n: u64) -> Uuid {
    Uuid::from_u64_pair(day << 8 | family, n)
}
