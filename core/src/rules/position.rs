//! Where the phone was, as evidence: the raw fix kept, its datum known, two radii that only warn
//! (A031, B4-19, B4-22).
//!
//! Phones and map kits in China hand out three datums that differ by hundreds of metres. A position
//! whose datum nobody knows is worse than none and is refused; GCJ-02 and BD-09 are converted and the
//! datum they came in is kept beside. The zone says what the fix says and how sure that is; it never
//! keeps a courier from finishing.

use satchel_protocol::feed::LatLng;
use thiserror::Error;

use super::coded::Text;
use super::geofence::{distance_m, is_position};

mod datum;

pub use datum::{bd09_to_gcj02, gcj02_to_bd09, gcj02_to_wgs84, is_shifted, wgs84_to_gcj02};

/// A fix older than this was not made at this door.
pub const STALE_AFTER_MS: i64 = 60 * 1_000;
/// Worst accuracy with which "inside" still means something; also what a courtyard costs.
pub const POOR_ACCURACY_M: f64 = 100.0;

pub use satchel_protocol::taxonomy::Datum;

pub use satchel_protocol::taxonomy::Zone;

/// A fix as the provider gave it; never changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RawFix {
    /// Degrees north in `datum`.
    pub lat: f64,
    /// Degrees east in `datum`.
    pub lng: f64,
    /// Radius of 68 % confidence.
    pub accuracy_m: f32,
    /// Age when the attempt was completed.
    pub age_ms: i64,
    /// The provider said that it was a mock location.
    pub mock: bool,
    /// What `lat` and `lng` are in.
    pub datum: Datum,
}

impl RawFix {
    /// A fix of a provider that speaks WGS-84.
    #[must_use]
    pub const fn wgs84(lat: f64, lng: f64, accuracy_m: f32, age_ms: i64, mock: bool) -> Self {
        Self {
            lat,
            lng,
            accuracy_m,
            age_ms,
            mock,
            datum: Datum::Wgs84,
        }
    }
}

/// Why a fix cannot be evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PositionFault {
    /// Nobody knows what the numbers mean.
    #[error("the datum of the position is unknown")]
    UnknownDatum,
    /// The numbers cannot be a position or an accuracy.
    #[error("the numbers are no position")]
    NotAPosition,
}

/// A fix whose place on Earth is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// The fix as given.
    pub raw: RawFix,
    /// Where that is in WGS-84.
    pub wgs84: LatLng,
}

/// The two radii around a door, from the hub or the default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Radii {
    /// At the door.
    pub inside_m: f64,
    /// In the compound, on the other side of a tower block.
    pub extended_m: f64,
}

impl Default for Radii {
    fn default() -> Self {
        Self {
            inside_m: 80.0,
            extended_m: 300.0,
        }
    }
}

impl Radii {
    /// Radii from the hub; only an order of size that means something is taken.
    #[must_use]
    pub fn new(inside_m: f64, extended_m: f64) -> Option<Self> {
        (inside_m > 0.0 && inside_m <= extended_m && extended_m <= 5_000.0).then_some(Self {
            inside_m,
            extended_m,
        })
    }
}

/// Something to record and show; never a reason to stop (B4-22).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PositionWarning {
    /// There is no fix.
    NoFix,
    /// The provider says the position is made up.
    Mock,
    /// The fix is older than [`STALE_AFTER_MS`].
    Stale {
        /// Its age.
        age_ms: i64,
    },
    /// The circle of confidence is wider than [`POOR_ACCURACY_M`].
    Inaccurate {
        /// Its radius.
        accuracy_m: f64,
    },
    /// Beyond the inner radius.
    NotAtTheDoor {
        /// Distance from the door.
        distance_m: f64,
    },
}

impl PositionWarning {
    /// What the courier reads.
    #[must_use]
    pub fn text(self) -> Text {
        match self {
            Self::NoFix => Text::new("没有定位,可继续", "No position; you can go on"),
            Self::Mock => Text::new(
                "手机报告为模拟位置,将如实记录",
                "The phone says the position is simulated; that is recorded",
            ),
            Self::Stale { .. } => Text::new("定位已过时", "The position is old"),
            Self::Inaccurate { .. } => Text::new("定位精度较低", "The position is inaccurate"),
            Self::NotAtTheDoor { distance_m } => Text::new(
                format!("距收件地址约 {distance_m:.0} 米,可继续并填写原因"),
                format!("About {distance_m:.0} m from the address; go on and say why"),
            ),
        }
    }
}

/// What the position says about a visit.
#[derive(Debug, Clone, PartialEq)]
pub struct PositionNote {
    /// How near.
    pub zone: Zone,
    /// Whether the whole circle of confidence lies in that zone.
    pub certain: bool,
    /// Distance from the door, with a fix.
    pub distance_m: Option<f64>,
    /// What to record and show.
    pub warnings: Vec<PositionWarning>,
}

/// Brings a fix to WGS-84, or says why it cannot be one.
///
/// # Errors
/// [`PositionFault`].
pub fn place(raw: RawFix) -> Result<Placed, PositionFault> {
    if !is_position(raw.lat, raw.lng) || !raw.accuracy_m.is_finite() || raw.accuracy_m < 0.0 {
        return Err(PositionFault::NotAPosition);
    }
    let given = LatLng {
        lat: raw.lat,
        lng: raw.lng,
    };
    let wgs84 = match raw.datum {
        Datum::Wgs84 => given,
        Datum::Gcj02 => gcj02_to_wgs84(given),
        Datum::Bd09 => gcj02_to_wgs84(bd09_to_gcj02(given)),
        Datum::Unknown => return Err(PositionFault::UnknownDatum),
    };
    Ok(Placed { raw, wgs84 })
}

/// Compares a fix with the door. Like with like: both are WGS-84 by now.
#[must_use]
pub fn note(fix: Option<&Placed>, door: LatLng, radii: Radii) -> PositionNote {
    let Some(fix) = fix else {
        return PositionNote {
            zone: Zone::Unknown,
            certain: false,
            distance_m: None,
            warnings: vec![PositionWarning::NoFix],
        };
    };
    let distance = distance_m(fix.wgs84, door);
    let accuracy_m = f64::from(fix.raw.accuracy_m);
    let zone_at = |metres: f64| {
        if metres <= radii.inside_m {
            Zone::Inside
        } else if metres <= radii.extended_m {
            Zone::Extended
        } else {
            Zone::Outside
        }
    };
    let zone = zone_at(distance);
    let mut warnings = Vec::new();
    if fix.raw.mock {
        warnings.push(PositionWarning::Mock);
    }
    // A clock moved back makes the age negative; that is no sign of freshness either.
    if !(0..=STALE_AFTER_MS).contains(&fix.raw.age_ms) {
        warnings.push(PositionWarning::Stale {
            age_ms: fix.raw.age_ms,
        });
    }
    if accuracy_m > POOR_ACCURACY_M {
        warnings.push(PositionWarning::Inaccurate { accuracy_m });
    }
    if zone != Zone::Inside {
        warnings.push(PositionWarning::NotAtTheDoor {
            distance_m: distance,
        });
    }
    PositionNote {
        zone,
        certain: zone_at((distance - accuracy_m).max(0.0)) == zone
            && zone_at(distance + accuracy_m) == zone,
        distance_m: Some(distance),
        warnings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng { lat, lng }
    }

    fn fix(lat: f64, lng: f64, datum: Datum) -> RawFix {
        RawFix {
            lat,
            lng,
            accuracy_m: 8.0,
            age_ms: 500,
            mock: false,
            datum,
        }
    }

    /// Examples that implementations of these transformations commonly publish.
    #[test]
    fn the_shift_is_the_one_that_maps_use() {
        let gcj = wgs84_to_gcj02(at(39.915, 116.404));
        assert!((gcj.lat - 39.916_404_281_5).abs() < 1e-9, "{gcj:?}");
        assert!((gcj.lng - 116.410_244_499_2).abs() < 1e-9, "{gcj:?}");
        let bd = gcj02_to_bd09(at(39.915, 116.404));
        assert!((bd.lat - 39.921_336_993_5).abs() < 1e-9, "{bd:?}");
        assert!((bd.lng - 116.410_369_493_7).abs() < 1e-9, "{bd:?}");
    }

    #[test]
    fn a_baidu_fix_and_a_gps_fix_of_one_door_are_at_one_door() {
        let door = at(37.4638, 121.4479);
        let bd = gcj02_to_bd09(wgs84_to_gcj02(door));
        assert!(distance_m(door, bd) > 500.0, "the datums differ visibly");
        let placed = place(fix(bd.lat, bd.lng, Datum::Bd09)).unwrap();
        assert_eq!(placed.raw.datum, Datum::Bd09);
        let note = note(Some(&placed), door, Radii::default());
        assert_eq!(note.zone, Zone::Inside);
        assert!(note.certain && note.warnings.is_empty());
    }

    #[test]
    fn a_datum_nobody_knows_is_refused() {
        assert_eq!(
            place(fix(37.4, 121.4, Datum::Unknown)),
            Err(PositionFault::UnknownDatum)
        );
        assert_eq!(
            place(fix(f64::NAN, 121.4, Datum::Wgs84)),
            Err(PositionFault::NotAPosition)
        );
    }

    #[test]
    fn the_zones_warn_and_say_how_sure_they_are() {
        let door = at(37.0, 121.0);
        let metres_north = |m: f64, accuracy_m: f32| {
            let raw = RawFix {
                accuracy_m,
                ..fix(37.0 + m / 111_195.0, 121.0, Datum::Wgs84)
            };
            note(Some(&place(raw).unwrap()), door, Radii::default())
        };
        assert_eq!(metres_north(20.0, 8.0).zone, Zone::Inside);
        assert!(metres_north(20.0, 8.0).certain);
        assert!(!metres_north(75.0, 8.0).certain);
        assert_eq!(metres_north(200.0, 8.0).zone, Zone::Extended);
        let outside = metres_north(900.0, 8.0);
        assert_eq!(outside.zone, Zone::Outside);
        assert!(outside.warnings[0].text().en.contains("900 m"));
        assert!(matches!(
            metres_north(20.0, 300.0).warnings[0],
            PositionWarning::Inaccurate { .. }
        ));
    }

    #[test]
    fn no_fix_a_mock_and_an_old_fix_are_told_and_not_refused() {
        let door = at(37.0, 121.0);
        assert_eq!(
            note(None, door, Radii::default()).warnings,
            vec![PositionWarning::NoFix]
        );
        let raw = RawFix {
            mock: true,
            age_ms: -5,
            ..fix(37.0, 121.0, Datum::Wgs84)
        };
        let warnings = note(Some(&place(raw).unwrap()), door, Radii::default()).warnings;
        assert_eq!(
            warnings,
            vec![PositionWarning::Mock, PositionWarning::Stale { age_ms: -5 }]
        );
    }

    #[test]
    fn radii_that_mean_nothing_are_not_taken() {
        assert!(Radii::new(100.0, 50.0).is_none());
        assert!(Radii::new(f64::NAN, 50.0).is_none());
        assert!(Radii::new(50.0, 50_000.0).is_none());
        assert!(Radii::new(50.0, 250.0).is_some());
    }

    proptest! {
        #[test]
        fn there_and_back_is_within_a_metre_in_china(lat in 18.0f64..53.5, lng in 73.6f64..135.0) {
            let here = at(lat, lng);
            let gcj = wgs84_to_gcj02(here);
            prop_assert!(distance_m(here, gcj) < 1_000.0);
            prop_assert!(distance_m(here, gcj02_to_wgs84(gcj)) < 0.01);
            let bd = gcj02_to_bd09(gcj);
            prop_assert!(distance_m(gcj, bd09_to_gcj02(bd)) < 0.01);
            let placed = place(fix(bd.lat, bd.lng, Datum::Bd09)).unwrap();
            prop_assert!(distance_m(here, placed.wgs84) < 1.0);
        }

        #[test]
        fn outside_nothing_is_shifted(lat in -60.0f64..0.0, lng in -180.0f64..180.0) {
            let here = at(lat, lng);
            prop_assert_eq!(wgs84_to_gcj02(here), here);
            prop_assert_eq!(gcj02_to_wgs84(here), here);
            prop_assert_eq!(gcj02_to_bd09(here), here);
            prop_assert_eq!(bd09_to_gcj02(here), here);
        }

        /// Whatever the phone says, there is a note and never an obstacle.
        #[test]
        fn any_numbers_give_a_note_or_a_typed_fault(
            lat in any::<f64>(), lng in any::<f64>(), accuracy_m in any::<f32>(), age_ms in any::<i64>()
        ) {
            let raw = RawFix { accuracy_m, age_ms, ..fix(lat, lng, Datum::Gcj02) };
            if let Ok(placed) = place(raw) {
                prop_assert!(placed.wgs84.lat.is_finite() && placed.wgs84.lng.is_finite());
                let _ = note(Some(&placed), at(37.0, 121.0), Radii::default());
            }
        }
    }
}
