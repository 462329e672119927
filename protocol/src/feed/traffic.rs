//! Speeds by zone and time of day (A012): what the hub knows of the roads, small enough to keep.
//!
//! A table describes a day and repeats, so that a phone without a network plans tomorrow with
//! yesterday's. Zones are boxes of degrees: any back office can make them, and the first that holds a
//! place counts.

use serde::{Deserialize, Serialize};

use super::LatLng;

/// Most zones of one table.
const MAX_ZONES: usize = 64;
/// Most bands of a day: quarters of an hour.
const MAX_BANDS: usize = 96;
/// A standing jam still moves, in thousandths; also keeps travel times finite.
const SLOWEST_PERMILLE: u16 = 20;

const MINUTES_OF_DAY: u16 = 24 * 60;

/// The newest table replaces the one before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrafficItem {
    /// When it was made, the hub's clock, Unix milliseconds; of two tables the newer counts.
    pub made_at_ms: i64,
    /// Local time that the bands are counted in, minutes east of UTC.
    pub utc_offset_min: i16,
    /// Speeds of an empty road by distance; without them the phone's own.
    #[serde(default)]
    pub free_flow: Option<FreeFlow>,
    /// Where each band begins, minutes after local midnight, ascending from 0.
    pub bands_min: Vec<u16>,
    /// Outside every zone: thousandths of the free-flow speed, one per band.
    pub elsewhere: Vec<u16>,
    /// Zones with speeds of their own; the first that holds a place counts.
    #[serde(default)]
    pub zones: Vec<TrafficZone>,
}

/// Speeds of an empty road.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeFlow {
    /// How much longer a way is than the great circle, in thousandths.
    pub detour_permille: u32,
    /// `(metres up to, millimetres per second)`, ascending; the last speed holds beyond.
    pub speeds: Vec<(u32, u32)>,
}

/// A box of degrees with its speeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrafficZone {
    /// Southern edge, degrees north.
    pub south: f64,
    /// Western edge, degrees east.
    pub west: f64,
    /// Northern edge, degrees north.
    pub north: f64,
    /// Eastern edge, degrees east; a zone does not cross the antimeridian.
    pub east: f64,
    /// Thousandths of the free-flow speed, one per band.
    pub speeds: Vec<u16>,
}

impl TrafficItem {
    /// Its `kind`.
    pub const KIND: &'static str = "traffic";

    /// Whether a phone may plan with it.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let bands = &self.bands_min;
        let whole = |speeds: &Vec<u16>| {
            speeds.len() == bands.len()
                && speeds
                    .iter()
                    .all(|s| (SLOWEST_PERMILLE..=1_000).contains(s))
        };
        bands.first() == Some(&0)
            && bands.len() <= MAX_BANDS
            && bands.is_sorted_by(|a, b| a < b)
            && bands.last().is_some_and(|b| *b < MINUTES_OF_DAY)
            && self.utc_offset_min.unsigned_abs() <= 18 * 60
            && self.zones.len() <= MAX_ZONES
            && whole(&self.elsewhere)
            && self.zones.iter().all(|z| z.is_valid() && whole(&z.speeds))
            && self.free_flow.as_ref().is_none_or(FreeFlow::is_valid)
    }
}

impl FreeFlow {
    fn is_valid(&self) -> bool {
        (1_000..=5_000).contains(&self.detour_permille)
            && (1..=16).contains(&self.speeds.len())
            && self.speeds.is_sorted_by(|a, b| a.0 < b.0)
            && self.speeds.iter().all(|s| (500..=60_000).contains(&s.1))
    }
}

impl TrafficZone {
    /// Whether the place lies in it, edges included.
    #[must_use]
    pub fn holds(&self, place: LatLng) -> bool {
        (self.south..=self.north).contains(&place.lat)
            && (self.west..=self.east).contains(&place.lng)
    }

    /// False for NaN as well.
    fn is_valid(&self) -> bool {
        -90.0 <= self.south
            && self.south < self.north
            && self.north <= 90.0
            && -180.0 <= self.west
            && self.west < self.east
            && self.east <= 180.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> TrafficItem {
        TrafficItem {
            made_at_ms: 1,
            utc_offset_min: 480,
            free_flow: None,
            bands_min: vec![0, 420, 540],
            elsewhere: vec![1_000, 600, 900],
            zones: vec![TrafficZone {
                south: 37.4,
                west: 121.3,
                north: 37.5,
                east: 121.4,
                speeds: vec![1_000, 300, 800],
            }],
        }
    }

    #[test]
    fn a_table_that_could_make_a_plan_absurd_is_not_valid() {
        assert!(table().is_valid());
        let bad: [fn(&mut TrafficItem); 10] = [
            |t| t.bands_min.clear(),
            |t| t.bands_min = vec![1, 2, 3],
            |t| t.bands_min = vec![0, 540, 540],
            |t| t.bands_min = vec![0, 1, 1_440],
            |t| t.elsewhere = vec![1_000, 0, 900],
            |t| t.elsewhere = vec![1_000, 1_001, 900],
            |t| t.elsewhere = vec![1_000],
            |t| t.zones.iter_mut().for_each(|z| z.north = f64::NAN),
            |t| t.zones = vec![t.zones.remove(0); MAX_ZONES + 1],
            |t| {
                t.free_flow = Some(FreeFlow {
                    detour_permille: 1_300,
                    speeds: vec![(10, 0)],
                });
            },
        ];
        for (number, spoil) in bad.iter().enumerate() {
            let mut spoiled = table();
            spoil(&mut spoiled);
            assert!(!spoiled.is_valid(), "{number}");
        }
    }
}
