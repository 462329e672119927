//! The three datums of China, from one to the other.
//!
//! GCJ-02 shifts WGS-84 by some hundred metres along a sum of sines; BD-09 turns and stretches GCJ-02 a
//! little more. Neither has a closed inverse, so the way back is a search that ends below a millimetre.

use core::f64::consts::PI;

use satchel_protocol::feed::LatLng;

/// Semi-major axis and squared eccentricity of the Krasovsky 1940 ellipsoid, on which GCJ-02 is defined.
const AXIS_M: f64 = 6_378_245.0;
const ECCENTRICITY_SQ: f64 = 0.006_693_421_622_965_943;
/// The rectangle in which GCJ-02 differs from WGS-84.
const LAT_RANGE: core::ops::RangeInclusive<f64> = 0.8293..=55.8271;
const LNG_RANGE: core::ops::RangeInclusive<f64> = 72.004..=137.8347;

/// Whether GCJ-02 shifts positions here.
#[must_use]
pub fn is_shifted(at: LatLng) -> bool {
    LAT_RANGE.contains(&at.lat) && LNG_RANGE.contains(&at.lng)
}

/// A sum of sines: amplitude and divisor of the argument.
fn waves(x: f64, series: &[(f64, f64)]) -> f64 {
    series.iter().map(|(a, d)| a * (x / d * PI).sin()).sum()
}

/// How far GCJ-02 shifts a position, in degrees.
fn shift(at: LatLng) -> LatLng {
    let (x, y) = (at.lng - 105.0, at.lat - 35.0);
    let common = waves(x, &[(20.0, 1.0 / 6.0), (20.0, 0.5)]);
    let north = -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * x.abs().sqrt()
        + (common + waves(y, &[(20.0, 1.0), (40.0, 3.0), (160.0, 12.0), (320.0, 30.0)])) * 2.0
            / 3.0;
    let east = 300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * x.abs().sqrt()
        + (common + waves(x, &[(20.0, 1.0), (40.0, 3.0), (150.0, 12.0), (300.0, 30.0)])) * 2.0
            / 3.0;
    let latitude = at.lat.to_radians();
    let flattening = 1.0 - ECCENTRICITY_SQ * latitude.sin().powi(2);
    let meridian_m = AXIS_M * (1.0 - ECCENTRICITY_SQ) / (flattening * flattening.sqrt());
    let parallel_m = AXIS_M / flattening.sqrt() * latitude.cos();
    LatLng {
        lat: (north / meridian_m).to_degrees(),
        lng: (east / parallel_m).to_degrees(),
    }
}

/// WGS-84 to GCJ-02, for maps that are drawn in it.
#[must_use]
pub fn wgs84_to_gcj02(at: LatLng) -> LatLng {
    if !is_shifted(at) {
        return at;
    }
    let by = shift(at);
    LatLng {
        lat: at.lat + by.lat,
        lng: at.lng + by.lng,
    }
}

/// GCJ-02 to WGS-84. The shift has no closed inverse; each round of this search makes the error some
/// thousand times smaller, so ten rounds are far below a millimetre.
#[must_use]
pub fn gcj02_to_wgs84(at: LatLng) -> LatLng {
    if !is_shifted(at) {
        return at;
    }
    let mut guess = at;
    for _ in 0..10 {
        let by = shift(guess);
        guess = LatLng {
            lat: at.lat - by.lat,
            lng: at.lng - by.lng,
        };
    }
    guess
}

const BD_OFFSET: LatLng = LatLng {
    lat: 0.006,
    lng: 0.0065,
};
const BD_WAVE: f64 = PI * 3_000.0 / 180.0;

/// GCJ-02 to BD-09.
#[must_use]
pub fn gcj02_to_bd09(at: LatLng) -> LatLng {
    if !is_shifted(at) {
        return at;
    }
    let radius = at.lng.hypot(at.lat) + 0.000_02 * (at.lat * BD_WAVE).sin();
    let angle = at.lat.atan2(at.lng) + 0.000_003 * (at.lng * BD_WAVE).cos();
    LatLng {
        lat: radius * angle.sin() + BD_OFFSET.lat,
        lng: radius * angle.cos() + BD_OFFSET.lng,
    }
}

/// BD-09 to GCJ-02, by the same kind of search.
#[must_use]
pub fn bd09_to_gcj02(at: LatLng) -> LatLng {
    let start = LatLng {
        lat: at.lat - BD_OFFSET.lat,
        lng: at.lng - BD_OFFSET.lng,
    };
    if !is_shifted(start) {
        return at;
    }
    let mut guess = start;
    for _ in 0..10 {
        let there = gcj02_to_bd09(guess);
        guess = LatLng {
            lat: guess.lat + at.lat - there.lat,
            lng: guess.lng + at.lng - there.lng,
        };
    }
    guess
}
