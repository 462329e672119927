//! Distances and directions on the sphere, good to a few metres within a city.

use std::cmp::Ordering;

use satchel_protocol::feed::LatLng;

const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// Great-circle distance in metres.
pub(crate) fn distance_m(a: LatLng, b: LatLng) -> f64 {
    let (lat_a, lat_b) = (a.lat.to_radians(), b.lat.to_radians());
    let half_lat = ((lat_b - lat_a) / 2.0).sin();
    let half_lng = ((b.lng - a.lng).to_radians() / 2.0).sin();
    let chord = half_lat * half_lat + lat_a.cos() * lat_b.cos() * half_lng * half_lng;
    2.0 * EARTH_RADIUS_M * chord.sqrt().min(1.0).asin()
}

/// Direction from `from` to `to` in degrees clockwise from north, 0…360.
pub(super) fn bearing_deg(from: LatLng, to: LatLng) -> f64 {
    let (lat_a, lat_b) = (from.lat.to_radians(), to.lat.to_radians());
    let lng = (to.lng - from.lng).to_radians();
    let east = lng.sin() * lat_b.cos();
    let north = lat_a.cos() * lat_b.sin() - lat_a.sin() * lat_b.cos() * lng.cos();
    east.atan2(north).to_degrees().rem_euclid(360.0)
}

/// A total order, so that sorting by place never depends on the order of the file.
pub(super) fn order(a: &LatLng, b: &LatLng) -> Ordering {
    a.lat.total_cmp(&b.lat).then(a.lng.total_cmp(&b.lng))
}
