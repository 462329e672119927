//! The shift: who may start one, when a position may be recorded, and what a logout would leave behind.
//!
//! A courier who has not passed the training does not go out (A174). Location belongs to the shift:
//! a movement track is sensitive data (PIPL Art 28), so off duty nothing is recorded, and on duty only
//! as often as a route needs (B4-11). Logging out with unsent work asks first and says how much (B4-14).

use satchel_protocol::feed::LatLng;
use thiserror::Error;

use super::coded::Text;
use super::geofence::distance_m;

/// A fix is worth keeping after this distance …
pub const TRACK_EVERY_M: f64 = 10.0;
/// … or after this time.
pub const TRACK_EVERY_MS: i64 = 30 * 1_000;

/// The courier's training as the hub vouches for it (A174, A175).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Training {
    /// When it was passed, Unix milliseconds.
    pub passed_at_ms: i64,
    /// Until when it holds, exclusive.
    pub valid_until_ms: i64,
}

/// A shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Not working.
    Off,
    /// Working.
    On {
        /// Since when, Unix milliseconds.
        since_ms: i64,
    },
}

/// Why a shift does not start or end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DutyRefusal {
    /// The hub has no passed training on record.
    #[error("the training has not been passed")]
    NotTrained,
    /// It has run out.
    #[error("the training is no longer valid")]
    TrainingExpired,
    /// The shift is already running.
    #[error("the shift has already started")]
    AlreadyOn,
    /// There is no shift to end.
    #[error("there is no shift to end")]
    NotOn,
}

/// A shift that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// From.
    pub from_ms: i64,
    /// Until; never before `from_ms`.
    pub until_ms: i64,
    /// The wall clock was moved back during it, so its length is not known.
    pub clock_moved_back: bool,
}

impl Duty {
    /// Starts a shift.
    ///
    /// # Errors
    /// [`DutyRefusal`], above all without valid training (A174).
    pub fn start(self, training: Option<Training>, now_ms: i64) -> Result<Self, DutyRefusal> {
        if let Self::On { .. } = self {
            return Err(DutyRefusal::AlreadyOn);
        }
        let training = training.ok_or(DutyRefusal::NotTrained)?;
        if now_ms < training.passed_at_ms {
            return Err(DutyRefusal::NotTrained);
        }
        if now_ms >= training.valid_until_ms {
            return Err(DutyRefusal::TrainingExpired);
        }
        Ok(Self::On { since_ms: now_ms })
    }

    /// Ends the shift.
    ///
    /// # Errors
    /// [`DutyRefusal::NotOn`].
    pub fn end(self, now_ms: i64) -> Result<(Self, Shift), DutyRefusal> {
        let Self::On { since_ms } = self else {
            return Err(DutyRefusal::NotOn);
        };
        let shift = Shift {
            from_ms: since_ms,
            until_ms: now_ms.max(since_ms),
            clock_moved_back: now_ms < since_ms,
        };
        Ok((Self::Off, shift))
    }

    /// Whether a position may be recorded now.
    #[must_use]
    pub const fn allows_location(self) -> bool {
        matches!(self, Self::On { .. })
    }

    /// Whether a fix is worth recording: on duty, and far enough or long enough after the last one.
    #[must_use]
    pub fn keeps_fix(self, last: Option<(LatLng, i64)>, fix: LatLng, at_ms: i64) -> bool {
        if !self.allows_location() {
            return false;
        }
        last.is_none_or(|(place, before_ms)| {
            // A clock moved back must not stop the track for hours.
            !(0..TRACK_EVERY_MS).contains(&at_ms.saturating_sub(before_ms))
                || distance_m(place, fix) >= TRACK_EVERY_M
        })
    }
}

/// Work that is only on this phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unsynced {
    /// Entries without a receipt.
    pub entries: u64,
    /// Proofs without a receipt.
    pub proofs: u64,
    /// Handoffs that were opened and have photos.
    pub open_drafts: u64,
    /// Stops that still have an open parcel.
    pub open_stops: u64,
}

/// What leaving now would mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaveWarning {
    /// The counts.
    pub left: Unsynced,
    /// Whether proofs of deliveries are at stake, and not only open work.
    pub evidence_at_stake: bool,
    /// What the courier reads.
    pub text: Text,
}

/// What to say before a logout; nothing when nothing would be left behind.
#[must_use]
pub fn logout_warning(left: Unsynced) -> Option<LeaveWarning> {
    let evidence_at_stake = left.entries > 0 || left.proofs > 0 || left.open_drafts > 0;
    if !evidence_at_stake && left.open_stops == 0 {
        return None;
    }
    let mut zh = Vec::new();
    let mut en = Vec::new();
    for (count, zh_unit, en_unit) in [
        (left.entries, "条记录未上传", "records not sent"),
        (left.proofs, "份凭证未上传", "proofs not sent"),
        (left.open_drafts, "个派送未完成", "handoffs left open"),
        (left.open_stops, "个站点未派送", "stops not done"),
    ] {
        if count > 0 {
            zh.push(format!("{count} {zh_unit}"));
            en.push(format!("{count} {en_unit}"));
        }
    }
    Some(LeaveWarning {
        left,
        evidence_at_stake,
        text: Text::new(zh.join(","), en.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRAINED: Training = Training {
        passed_at_ms: 1_000,
        valid_until_ms: 1_000_000,
    };

    #[test]
    fn nobody_goes_out_untrained() {
        assert_eq!(Duty::Off.start(None, 5_000), Err(DutyRefusal::NotTrained));
        assert_eq!(
            Duty::Off.start(Some(TRAINED), 999),
            Err(DutyRefusal::NotTrained)
        );
        assert_eq!(
            Duty::Off.start(Some(TRAINED), 1_000_000),
            Err(DutyRefusal::TrainingExpired)
        );
        assert_eq!(
            Duty::Off.start(Some(TRAINED), 1_000),
            Ok(Duty::On { since_ms: 1_000 })
        );
    }

    #[test]
    fn a_shift_starts_once_and_ends_once() {
        let on = Duty::Off.start(Some(TRAINED), 2_000).unwrap();
        assert_eq!(on.start(Some(TRAINED), 3_000), Err(DutyRefusal::AlreadyOn));
        let (off, shift) = on.end(9_000).unwrap();
        assert_eq!((shift.from_ms, shift.until_ms), (2_000, 9_000));
        assert_eq!(off.end(9_001), Err(DutyRefusal::NotOn));
    }

    #[test]
    fn a_clock_moved_back_gives_no_negative_shift() {
        let (_, shift) = Duty::On { since_ms: 5_000 }.end(4_000).unwrap();
        assert_eq!(shift.until_ms, 5_000);
        assert!(shift.clock_moved_back);
    }

    #[test]
    fn on_duty_a_fix_counts_after_ten_metres_or_thirty_seconds() {
        let on = Duty::On { since_ms: 0 };
        let here = LatLng {
            lat: 37.0,
            lng: 121.0,
        };
        let far = LatLng {
            lat: 37.000_2,
            lng: 121.0,
        };
        assert!(on.keeps_fix(None, here, 0));
        assert!(!on.keeps_fix(Some((here, 0)), here, 29_999));
        assert!(on.keeps_fix(Some((here, 0)), here, 30_000));
        assert!(on.keeps_fix(Some((here, 0)), far, 1_000));
        assert!(on.keeps_fix(Some((here, 50_000)), here, 10_000));
    }

    #[test]
    fn leaving_with_unsent_work_says_how_much() {
        assert_eq!(logout_warning(Unsynced::default()), None);
        let warning = logout_warning(Unsynced {
            entries: 3,
            proofs: 2,
            ..Unsynced::default()
        })
        .unwrap();
        assert!(warning.evidence_at_stake);
        assert_eq!(warning.text.en, "3 records not sent, 2 proofs not sent");
        let stops = logout_warning(Unsynced {
            open_stops: 4,
            ..Unsynced::default()
        })
        .unwrap();
        assert!(!stops.evidence_at_stake);
    }

    proptest! {
        #[test]
        fn off_duty_no_position_is_ever_kept(lat in -90.0f64..90.0, lng in -180.0f64..180.0, at in any::<i64>()) {
            let fix = LatLng { lat, lng };
            prop_assert!(!Duty::Off.keeps_fix(None, fix, at));
        }
    }
}
