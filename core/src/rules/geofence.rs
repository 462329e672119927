//! How far the courier stood from the door. Recorded, shown, never a reason to block (B4-22).

use geo::{Distance, Haversine, Point};
use satchel_protocol::attempt::Fix;
use satchel_protocol::feed::LatLng;

/// Great-circle distance in metres between two WGS-84 positions.
#[must_use]
pub fn distance_m(a: LatLng, b: LatLng) -> f64 {
    Haversine.distance(Point::new(a.lng, a.lat), Point::new(b.lng, b.lat))
}

/// Whether the numbers can be a position at all.
#[must_use]
pub fn is_position(lat: f64, lng: f64) -> bool {
    (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lng)
}

/// The fix with its distance from the door filled in.
#[must_use]
pub fn with_distance(mut fix: Fix, door: LatLng) -> Fix {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a distance on Earth fits f32"
    )]
    let metres = distance_m(
        LatLng {
            lat: fix.lat,
            lng: fix.lng,
        },
        door,
    ) as f32;
    fix.distance_m = Some(metres);
    fix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_degree_of_latitude_is_about_111_kilometres() {
        let d = distance_m(
            LatLng {
                lat: 37.0,
                lng: 121.0,
            },
            LatLng {
                lat: 38.0,
                lng: 121.0,
            },
        );
        assert!((111_000.0..111_400.0).contains(&d), "{d}");
    }

    #[test]
    fn not_a_number_is_no_position() {
        assert!(!is_position(f64::NAN, 0.0));
        assert!(!is_position(0.0, 181.0));
        assert!(is_position(-90.0, 180.0));
    }
}
