//! Travel times when nobody supplies a matrix: the great circle, longer by a detour, over a speed
//! that grows with the distance (a courier walks next door and drives to the next district).
//!
//! `f64::sin` may differ in its last bit between platforms, and plans must not: the few functions
//! needed are series of additions and multiplications, which IEEE 754 fixes to the bit.

use std::f64::consts::FRAC_PI_2;

use super::error::RouteError;
use super::limits::MAX_LEG;

/// Mean radius of the Earth.
const EARTH_M: f64 = 6_371_008.8;

/// WGS 84 degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatLng {
    /// Latitude, −90 to 90.
    pub lat: f64,
    /// Longitude, −180 to 180.
    pub lng: f64,
}

impl LatLng {
    /// True when both are numbers in their range.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.lat.abs() <= 90.0 && self.lng.abs() <= 180.0
    }

    /// Metres along the great circle.
    #[must_use]
    pub fn distance_m(&self, other: &Self) -> f64 {
        self.direction().distance_m(&other.direction())
    }

    /// The point on the unit sphere; worth keeping when many distances are asked for.
    #[must_use]
    pub fn direction(&self) -> Direction {
        let (lat, lng) = (self.lat.to_radians(), self.lng.to_radians());
        let flat = sin(FRAC_PI_2 - lat);
        // cos x = sin(90° - x); west of -90° that leaves the range of the series: mirror it.
        let east = sin(FRAC_PI_2 - lng.abs());
        Direction {
            x: flat * east,
            y: flat * sin(lng),
            z: sin(lat),
        }
    }
}

/// A point on the unit sphere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Direction {
    x: f64,
    y: f64,
    z: f64,
}

impl Direction {
    /// Metres along the great circle, from the chord (the haversine formula without its sines).
    #[must_use]
    pub fn distance_m(&self, other: &Self) -> f64 {
        let (x, y, z) = (self.x - other.x, self.y - other.y, self.z - other.z);
        let half_chord = (x * x + y * y + z * z).sqrt() / 2.0;
        2.0 * EARTH_M * asin(half_chord.min(1.0))
    }
}

/// Sine by its series; arguments here are within ±π, where 16 terms leave less than 1e-15.
fn sin(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for k in 1..16 {
        let k = f64::from(k);
        term *= -x * x / ((2.0 * k) * (2.0 * k + 1.0));
        sum += term;
    }
    sum
}

/// Up to here (250 km of half a chord on Earth) five terms leave less than 1e-18.
const SHORT: f64 = 0.04;

/// Arc sine on 0..=1 by its series, which converges fast up to a half; beyond, by halving the angle.
fn asin(x: f64) -> f64 {
    if x > 0.5 {
        return FRAC_PI_2 - 2.0 * asin(((1.0 - x) / 2.0).max(0.0).sqrt());
    }
    if x <= SHORT {
        let q = x * x;
        let higher = q * (15.0 / 336.0 + q * (105.0 / 3_456.0 + q * (945.0 / 42_240.0)));
        return x * (1.0 + q * (1.0 / 6.0 + q * (3.0 / 40.0 + higher)));
    }
    let (mut term, mut sum) = (x, x);
    for k in 1..28 {
        let k = f64::from(k);
        term *= x * x * (2.0 * k - 1.0) / (2.0 * k);
        let part = term / (2.0 * k + 1.0);
        sum += part;
        if part <= sum * f64::EPSILON {
            break;
        }
    }
    sum
}

/// From distance to ticks.
#[derive(Debug, Clone, PartialEq)]
pub struct SpeedModel {
    /// Thousandths by which the way is longer than the great circle, 1,300 in most cities.
    pub detour: u32,
    /// `(metres up to, millimetres per tick)`, ascending; the last speed holds beyond.
    pub speeds: Vec<(u32, u32)>,
}

impl Default for SpeedModel {
    /// An electric tricycle in a city, in seconds.
    fn default() -> Self {
        Self {
            detour: 1_300,
            speeds: vec![
                (150, 1_400),
                (1_000, 4_000),
                (5_000, 6_000),
                (50_000, 9_000),
            ],
        }
    }
}

impl SpeedModel {
    /// # Errors
    /// [`RouteError::SpeedModel`] without speeds, with a speed of 0, or with distances out of sequence.
    pub(crate) fn check(&self) -> Result<(), RouteError> {
        let ascending = self
            .speeds
            .iter()
            .zip(self.speeds.iter().skip(1))
            .all(|(a, b)| a.0 < b.0);
        let positive = self.speeds.iter().all(|speed| speed.1 > 0);
        if self.speeds.is_empty() || self.detour < 1_000 || !ascending || !positive {
            return Err(RouteError::SpeedModel);
        }
        Ok(())
    }

    /// Ticks for a distance, each part of the way at the speed for its distance.
    #[must_use]
    pub fn ticks(&self, distance_m: f64) -> i64 {
        self.estimator().ticks(distance_m)
    }

    /// The model worked out for many distances.
    pub(crate) fn estimator(&self) -> Estimator {
        let per_m = f64::from(self.detour) / 1_000.0;
        let (mut ticks, mut from_m) = (0.0, 0.0);
        let mut bands = Vec::with_capacity(self.speeds.len());
        for (index, (up_to_m, speed)) in self.speeds.iter().enumerate() {
            let is_last = index + 1 == self.speeds.len();
            let to_m = f64::from(*up_to_m);
            let rate = 1_000.0 / f64::from((*speed).max(1));
            bands.push(Band {
                to_m: if is_last { f64::INFINITY } else { to_m },
                from_m,
                ticks,
                rate,
            });
            ticks += (to_m - from_m) * rate;
            from_m = to_m;
        }
        Estimator { per_m, bands }
    }
}

/// A [`SpeedModel`] worked out: which band, what it takes to get there, and what a metre takes from there.
#[derive(Debug)]
pub(crate) struct Estimator {
    per_m: f64,
    bands: Vec<Band>,
}

#[derive(Debug)]
struct Band {
    to_m: f64,
    from_m: f64,
    ticks: f64,
    rate: f64,
}

impl Estimator {
    /// See [`SpeedModel::ticks`].
    pub(crate) fn ticks(&self, distance_m: f64) -> i64 {
        let way_m = distance_m * self.per_m;
        let band = self.bands.iter().find(|band| way_m <= band.to_m);
        let ticks = band.map_or(0.0, |band| band.ticks + (way_m - band.from_m) * band.rate);
        // A cast from float saturates; NaN becomes 0.
        ((ticks + 0.5) as i64).clamp(0, MAX_LEG)
    }
}
