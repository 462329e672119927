//! The host's canvas laid under the grid on which ink is kept.

use super::{GridPoint, InkError, InkPoint, LONG_SIDE_UNITS};

/// How far off the pad, as a share of its longer side, a finger may slide before we say that the
/// host mixed up its units. Up to there the point is held at the edge.
const EDGE_TOLERANCE: f64 = 0.10;

/// A canvas whose longer side is [`LONG_SIDE_UNITS`].
pub(super) struct Grid {
    pub(super) w: u16,
    pub(super) h: u16,
    units_per_host_unit: f64,
}

impl Grid {
    pub(super) fn new(canvas_w: f64, canvas_h: f64) -> Result<Self, InkError> {
        let long_side = canvas_w.max(canvas_h);
        if !(canvas_w.is_finite() && canvas_h.is_finite() && canvas_w > 0.0 && canvas_h > 0.0) {
            return Err(InkError::BadCanvas);
        }
        let units_per_host_unit = f64::from(LONG_SIDE_UNITS) / long_side;
        if !units_per_host_unit.is_finite() {
            return Err(InkError::BadCanvas);
        }
        Ok(Self {
            w: to_units(canvas_w * units_per_host_unit, LONG_SIDE_UNITS).max(1),
            h: to_units(canvas_h * units_per_host_unit, LONG_SIDE_UNITS).max(1),
            units_per_host_unit,
        })
    }

    pub(super) fn place(&self, point: InkPoint) -> Result<GridPoint, InkError> {
        if !(point.x.is_finite() && point.y.is_finite()) {
            return Err(InkError::NotFinite);
        }
        let x = f64::from(point.x) * self.units_per_host_unit;
        let y = f64::from(point.y) * self.units_per_host_unit;
        let slack = f64::from(LONG_SIDE_UNITS) * EDGE_TOLERANCE;
        let near = |v: f64, side: u16| v >= -slack && v <= f64::from(side) + slack;
        if !(near(x, self.w) && near(y, self.h)) {
            return Err(InkError::OutsideCanvas);
        }
        Ok(GridPoint {
            x: to_units(x, self.w),
            y: to_units(y, self.h),
        })
    }
}

/// Rounds to the grid and holds the value on the canvas. Adding a half and cutting off rounds what is
/// not negative, without the library call that `round` is on older processors.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped to 0..=max just before
fn to_units(value: f64, max: u16) -> u16 {
    (value.clamp(0.0, f64::from(max)) + 0.5) as u16
}
