//! From the hub's traffic table to what the solver plans with (A012).

use satchel_protocol::feed::{LatLng, TrafficItem};

use crate::route::{SpeedModel, Traffic};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// Days ahead that bands are laid out for; behind them the last band goes on.
const DAYS: i64 = 2;
/// From thousandths to the solver's millionths.
const MILLIONTHS: u32 = 1_000;

/// The speeds of an empty road: the table's, else the phone's own.
pub(super) fn model(item: Option<&TrafficItem>) -> SpeedModel {
    item.and_then(|item| item.free_flow.as_ref())
        .map_or_else(SpeedModel::default, |flow| SpeedModel {
            detour: flow.detour_permille,
            speeds: flow.speeds.clone(),
        })
}

/// The table with its day laid out from now on. `places` are those of the problem, in its sequence; a
/// leg belongs to the zone of its middle.
pub(super) fn table(item: &TrafficItem, places: &[LatLng], now_ms: i64) -> Traffic {
    let offset_ms = i64::from(item.utc_offset_min) * MINUTE_MS;
    let midnight_ms = now_ms.saturating_sub((now_ms.saturating_add(offset_ms)).rem_euclid(DAY_MS));
    let begins: Vec<(i64, usize)> = (0..DAYS)
        .flat_map(|day| {
            item.bands_min.iter().enumerate().map(move |(band, min)| {
                let at_ms = day * DAY_MS + i64::from(*min) * MINUTE_MS;
                (at_ms, band)
            })
        })
        .map(|(at_ms, band)| ((midnight_ms - now_ms + at_ms).div_euclid(1_000), band))
        .collect();
    // The band that runs now covers everything before it as well.
    let current = begins.iter().rposition(|(at, _)| *at <= 0).unwrap_or(0);
    let ahead = begins.get(current..).unwrap_or_default();
    let laid_out = |speeds: &[u16]| -> Vec<u32> {
        ahead
            .iter()
            .map(|(_, band)| {
                let permille = speeds.get(*band).copied().unwrap_or(1_000);
                u32::from(permille) * MILLIONTHS
            })
            .collect()
    };
    let zones = item.zones.iter().map(|zone| laid_out(&zone.speeds));
    Traffic {
        band_ends: ahead.iter().skip(1).map(|(at, _)| *at).collect(),
        speeds: core::iter::once(laid_out(&item.elsewhere))
            .chain(zones)
            .collect(),
        classes: classes(item, places),
    }
}

fn classes(item: &TrafficItem, places: &[LatLng]) -> Vec<u8> {
    let class = |place: LatLng| -> u8 {
        let zone = item.zones.iter().position(|zone| zone.holds(place));
        zone.and_then(|index| u8::try_from(index + 1).ok())
            .unwrap_or(0)
    };
    places
        .iter()
        .flat_map(|from| {
            places.iter().map(move |to| {
                class(LatLng {
                    lat: f64::midpoint(from.lat, to.lat),
                    lng: f64::midpoint(from.lng, to.lng),
                })
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use satchel_protocol::feed::TrafficZone;

    fn item() -> TrafficItem {
        TrafficItem {
            made_at_ms: 0,
            utc_offset_min: 480,
            free_flow: None,
            bands_min: vec![0, 420, 540],
            elsewhere: vec![1_000, 600, 900],
            zones: vec![TrafficZone {
                south: 37.0,
                west: 121.0,
                north: 37.5,
                east: 121.5,
                speeds: vec![1_000, 300, 800],
            }],
        }
    }

    #[test]
    fn the_day_is_laid_out_from_now_in_the_tables_own_local_time() {
        // 00:30 UTC is 08:30 in China: half an hour of the rush is left.
        let now_ms = 10 * DAY_MS + 30 * MINUTE_MS;
        let inside = LatLng {
            lat: 37.2,
            lng: 121.2,
        };
        let outside = LatLng {
            lat: 37.9,
            lng: 121.2,
        };
        let table = table(&item(), &[inside, outside], now_ms);
        assert_eq!(table.band_ends[..2], [30 * 60, (30 + 15 * 60) * 60]);
        assert_eq!(table.speeds[0][..3], [600_000, 900_000, 1_000_000]);
        assert_eq!(table.speeds[1][..2], [300_000, 800_000]);
        assert_eq!(table.classes, [1, 0, 0, 0], "the middle of a leg decides");
        assert!(
            table
                .speeds
                .iter()
                .all(|s| s.len() == table.band_ends.len() + 1)
        );
    }
}
