//! Calls before giving up, hours in which a door may be knocked at, and the reminder before the visit.
//!
//! "Nobody at home" is easily said. Where a rule asks for a call first, a failure cannot be recorded
//! without one in the log (A036, A045); the hours and gaps of door delivery (C3) only warn, because the
//! courier at the door may know better. Numbers are masked before they get here.

use std::collections::BTreeSet;

use satchel_protocol::ids::ParcelId;
use satchel_protocol::mask;
use satchel_protocol::taxonomy::{Action, Reason};
use thiserror::Error;

use super::coded::Text;

/// A call counts for a visit when it was made in this time before it: one made in the morning says
/// nothing about who is at home in the evening.
pub const CALL_COUNTS_FOR_MS: i64 = 2 * HOUR_MS;
/// Door deliveries between these local hours unless the customer chose otherwise (C3).
pub const DOOR_FROM_HOUR: i64 = 8;
/// End of the door hours, exclusive.
pub const DOOR_UNTIL_HOUR: i64 = 20;
/// Least time between two door deliveries of one parcel (C3).
pub const DOOR_GAP_MS: i64 = 8 * HOUR_MS;
/// Free door deliveries before a parcel may be given up (C3).
pub const ATTEMPTS_BEFORE_GIVING_UP: u16 = 2;
/// The customer is told when the courier is this near in time (A021).
pub const REMIND_BEFORE_MS: i64 = HOUR_MS;

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// A phone number that is safe to keep: at least six digits hidden, or all of them (GB/T 41833).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MaskedPhone(String);

/// The text shows more of a number than may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the phone number is not masked")]
pub struct NotMasked;

impl MaskedPhone {
    /// Masks a number.
    #[must_use]
    pub fn mask(number: &str) -> Self {
        Self(mask::phone(number))
    }

    /// Takes a number over that was masked elsewhere.
    ///
    /// # Errors
    /// [`NotMasked`] when fewer than six places are hidden and any digit shows.
    pub fn from_masked(text: &str) -> Result<Self, NotMasked> {
        let shown = text.chars().filter(char::is_ascii_digit).count();
        let hidden = text.chars().filter(|c| *c == '*').count();
        let only_these = text.chars().all(|c| c.is_ascii_digit() || c == '*');
        if only_these && text.len() <= 20 && (shown == 0 || hidden >= 6) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotMasked)
        }
    }

    /// The masked text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

pub use satchel_protocol::taxonomy::CallResult;

/// One try to reach the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallAttempt {
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Whom, masked.
    pub number: MaskedPhone,
    /// Through a virtual number, so that neither side saw the other's.
    pub virtual_number: bool,
    /// Length of the conversation.
    pub duration_s: u32,
    /// How it ended.
    pub result: CallResult,
}

/// What contact a failure needs before it may be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactNeed {
    /// None; the courier is with the customer, or has to get to safety first.
    None,
    /// Asked for and counted (A045), never blocking.
    Recommended,
    /// At least this many tries, answered or not.
    Tried(u8),
    /// A conversation, or the customer's own choice on the page or by message.
    Reached,
}

/// What a failure code needs (A036, A045, the actions of C7).
#[must_use]
pub const fn contact_need(reason: Reason, action: Action) -> ContactNeed {
    use ContactNeed as N;
    // To a station only after the customer was asked (A036), whatever the reason.
    if matches!(action, Action::StationWithConsent) && !matches!(reason, Reason::Safety) {
        return N::Tried(1);
    }
    match reason {
        Reason::Unreachable => N::Tried(2),
        Reason::RecipientAbsent
        | Reason::PhoneWrong
        | Reason::AddressIncomplete
        | Reason::AddressWrong
        | Reason::RecipientMoved
        | Reason::AccessDenied => N::Tried(1),
        Reason::Rescheduled | Reason::Redirected => N::Reached,
        Reason::BusinessClosed
        | Reason::OutOfTime
        | Reason::NoParking
        | Reason::Weather
        | Reason::Traffic
        | Reason::Vehicle
        | Reason::NotOnVehicle
        | Reason::Lost
        | Reason::Stolen
        | Reason::StationOverdue
        | Reason::TemperatureOut
        | Reason::Holiday
        | Reason::Other => N::Recommended,
        Reason::Refused
        | Reason::RefusedDamaged
        | Reason::ContentShort
        | Reason::WrongItem
        | Reason::PaymentNotReady
        | Reason::PaymentRefused
        | Reason::CodeUnavailable
        | Reason::IdCheckFailed
        | Reason::OutOfArea
        | Reason::Missort
        | Reason::Accident
        | Reason::Safety
        | Reason::CancelledBySender
        | Reason::Prohibited
        | Reason::BarcodeUnreadable => N::None,
    }
}

/// Why a failure may not be recorded yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoContact {
    /// Too few tries.
    #[error("{made} of {needed} calls were made")]
    CallFirst {
        /// How many are needed.
        needed: u8,
        /// How many count.
        made: u8,
    },
    /// The customer's own word is needed, and there is none.
    #[error("the customer was not reached")]
    NotReached,
    /// The log of calls says the opposite of the reason.
    #[error("the customer was reached, which contradicts the reason")]
    Contradiction,
}

/// Tries that count for a visit at `at_ms`.
pub fn calls_for_visit(calls: &[CallAttempt], at_ms: i64) -> impl Iterator<Item = &CallAttempt> {
    calls
        .iter()
        .filter(move |c| c.at_ms <= at_ms && at_ms.saturating_sub(c.at_ms) <= CALL_COUNTS_FOR_MS)
}

/// Whether the log of calls carries this failure code. `customer_chose` says that the customer's wish
/// is on record at the hub (page, message), which is contact enough.
///
/// # Errors
/// [`NoContact`], which says what to do first.
pub fn check_contact(
    reason: Reason,
    action: Action,
    calls: &[CallAttempt],
    customer_chose: bool,
    at_ms: i64,
) -> Result<(), NoContact> {
    let made = u8::try_from(calls_for_visit(calls, at_ms).count()).unwrap_or(u8::MAX);
    let answered = calls_for_visit(calls, at_ms).any(|c| c.result == CallResult::Answered);
    if reason == Reason::Unreachable && answered {
        return Err(NoContact::Contradiction);
    }
    match contact_need(reason, action) {
        ContactNeed::None | ContactNeed::Recommended => Ok(()),
        _ if customer_chose => Ok(()),
        ContactNeed::Tried(needed) if made < needed => Err(NoContact::CallFirst { needed, made }),
        ContactNeed::Tried(_) => Ok(()),
        ContactNeed::Reached if answered => Ok(()),
        ContactNeed::Reached => Err(NoContact::NotReached),
    }
}

/// What is known when a courier goes to a door, or gives a parcel up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoorVisit {
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Local offset from UTC at the door.
    pub utc_offset_min: i16,
    /// The door delivery of this parcel before this one.
    pub last_door_ms: Option<i64>,
    /// Door deliveries made so far, this one included.
    pub attempts: u16,
    /// The customer chose this time.
    pub customer_chose_time: bool,
}

/// Something to think about; never blocks (C3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoorWarning {
    /// Before 8 or after 20 o'clock.
    QuietHours {
        /// Local minute of the day.
        minute_of_day: i64,
    },
    /// Less than eight hours after the door delivery before.
    TooSoon {
        /// Time still to wait.
        wait_ms: i64,
    },
    /// Given up before the second free door delivery.
    GivenUpEarly {
        /// Door deliveries made.
        attempts: u16,
    },
}

impl DoorWarning {
    /// What the courier reads.
    #[must_use]
    pub fn text(self) -> Text {
        match self {
            Self::QuietHours { .. } => Text::new(
                "现在不在 8:00–20:00 派送时段,除非客户选择了这个时间",
                "Outside 8:00–20:00; go only if the customer chose this time",
            ),
            Self::TooSoon { .. } => Text::new(
                "距上次上门不足 8 小时",
                "Less than 8 hours since the last visit to this door",
            ),
            Self::GivenUpEarly { attempts } => Text::new(
                format!("只上门 {attempts} 次,至少应免费投递 2 次"),
                format!("Only {attempts} visit so far; two free door deliveries are due"),
            ),
        }
    }
}

/// Warnings for a visit to a door (C3: 8–20 o'clock, eight hours between two visits).
#[must_use]
pub fn door_warnings(visit: &DoorVisit) -> Vec<DoorWarning> {
    let mut out = Vec::new();
    let local_ms = visit
        .at_ms
        .saturating_add(i64::from(visit.utc_offset_min) * 60_000);
    let minute_of_day = local_ms.rem_euclid(24 * HOUR_MS) / 60_000;
    let door_hours = DOOR_FROM_HOUR * 60..DOOR_UNTIL_HOUR * 60;
    if !visit.customer_chose_time && !door_hours.contains(&minute_of_day) {
        out.push(DoorWarning::QuietHours { minute_of_day });
    }
    if let Some(last) = visit.last_door_ms
        && !visit.customer_chose_time
    {
        // A clock moved back makes the gap negative; it is then no gap at all.
        let gap_ms = visit.at_ms.saturating_sub(last).max(0);
        if gap_ms < DOOR_GAP_MS {
            out.push(DoorWarning::TooSoon {
                wait_ms: DOOR_GAP_MS - gap_ms,
            });
        }
    }
    out
}

/// Warns when a parcel is given up before its second door delivery. A refusal at the door is an answer,
/// not a missed visit, and a parcel that cannot be delivered at all is none of the courier's choice.
#[must_use]
pub fn giving_up_warning(reason: Reason, action: Action, attempts: u16) -> Option<DoorWarning> {
    let gives_up = matches!(
        action,
        Action::ReturnToSender | Action::StationWithConsent | Action::HandBackAtDepot
    );
    let missed = matches!(
        reason,
        Reason::RecipientAbsent
            | Reason::Unreachable
            | Reason::AccessDenied
            | Reason::BusinessClosed
            | Reason::OutOfTime
            | Reason::Holiday
            | Reason::Other
    );
    (gives_up && missed && attempts < ATTEMPTS_BEFORE_GIVING_UP)
        .then_some(DoorWarning::GivenUpEarly { attempts })
}

/// A visit that is planned: one parcel, its next attempt, and when the courier will be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedVisit {
    /// The parcel.
    pub parcel: ParcelId,
    /// Number of the attempt that is planned, from 1.
    pub attempt_no: u16,
    /// Expected arrival, Unix milliseconds.
    pub eta_ms: i64,
}

/// One reminder per attempt, whatever the ETA does afterwards.
pub type ReminderKey = (ParcelId, u16);

/// Whether the customer of a visit at this time is to be told now (A021): it is an hour away or less.
#[must_use]
pub const fn is_to_be_reminded(eta_ms: i64, now_ms: i64) -> bool {
    eta_ms.saturating_sub(now_ms) <= REMIND_BEFORE_MS
}

/// The reminders that become due now: the ETA is an hour away or less and none was asked for before
/// (A021). The caller keeps the keys with the tasks it makes for the hub.
#[must_use]
pub fn reminders_due(
    plan: &[PlannedVisit],
    already: &BTreeSet<ReminderKey>,
    now_ms: i64,
) -> Vec<PlannedVisit> {
    let mut seen = already.clone();
    plan.iter()
        .filter(|v| is_to_be_reminded(v.eta_ms, now_ms))
        .filter(|v| seen.insert((v.parcel, v.attempt_no)))
        .copied()
        .collect()
}

#[cfg(test)]
mod tests;
