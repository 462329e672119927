//! The abnormal report, and what is offered to the customer the moment it is made (A042–A049).
//!
//! A report is one tap and a reason, at any time and without a network; a missing photo is owed, not a
//! reason to refuse. The remedies come from the table of legal pairs, sorted by what can be done now, so
//! that a courier in the rain does not have to know the rules. The hub has one hour to answer (A044),
//! counted from when it happened and not from when the phone found a network.

use satchel_protocol::taxonomy::{Action, HandoffKind, Reason};
use thiserror::Error;

use super::coded::{Text, coded};

/// Time in which the hub is to answer an abnormal report (A044).
pub const RESPONSE_MS: i64 = 60 * 60 * 1_000;

coded! {
    /// What has to be there before a remedy can be carried out.
    pub enum RemedyNeed {
        StationConsent = "STATION_CONSENT", "须先征得客户同意", "The customer's consent first";
        NewWindow = "NEW_WINDOW", "须与客户约定时段", "A time agreed with the customer";
        NewAddress = "NEW_ADDRESS", "须有确认的地址", "A confirmed address";
        Photo = "PHOTO", "须拍照", "A photo";
        Words = "WORDS", "须填写说明", "A short explanation";
    }
}

/// Why a remedy of the table cannot be had for this parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barred {
    /// "Door delivery" is on the waybill (Zhejiang Art 31).
    DoorRequired,
    /// An age or identity check cannot be made there.
    NobodyToCheck,
}

/// What is known about the parcel when the report is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemedyCase {
    /// Why.
    pub reason: Reason,
    /// Handoffs with a consent that is valid now.
    pub consents: Vec<HandoffKind>,
    /// "Door delivery" is on the waybill.
    pub door_required: bool,
    /// Goods with an age limit.
    pub age_limited: bool,
    /// Photos already taken for the report.
    pub photos: u32,
    /// Words already written.
    pub has_words: bool,
}

/// One remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// What would be done.
    pub action: Action,
    /// What is still missing; empty when it can be done now.
    pub needs: Vec<RemedyNeed>,
    /// Whether the customer can choose it on the page (A043).
    pub customer_may_choose: bool,
}

/// The remedies for a report, those that can be done now first, otherwise in the order of the table.
/// A remedy that is barred for this parcel is left out.
#[must_use]
pub fn remedies(case: &RemedyCase) -> Vec<Remedy> {
    let mut out: Vec<Remedy> = case
        .reason
        .legal_actions()
        .iter()
        .filter(|action| barred(case, **action).is_none())
        .map(|action| Remedy {
            action: *action,
            needs: needs(case, *action),
            customer_may_choose: customer_may_choose(*action),
        })
        .collect();
    out.sort_by_key(|remedy| !remedy.needs.is_empty());
    out
}

/// Why an action is not offered for this parcel.
#[must_use]
pub fn barred(case: &RemedyCase, action: Action) -> Option<Barred> {
    match action {
        Action::StationWithConsent if case.door_required => Some(Barred::DoorRequired),
        Action::StationWithConsent if case.age_limited => Some(Barred::NobodyToCheck),
        _ => None,
    }
}

fn needs(case: &RemedyCase, action: Action) -> Vec<RemedyNeed> {
    let mut out = Vec::new();
    match action {
        Action::StationWithConsent
            if !case
                .consents
                .iter()
                .any(|h| matches!(h, HandoffKind::Station | HandoffKind::Locker)) =>
        {
            out.push(RemedyNeed::StationConsent);
        }
        Action::NewWindow | Action::DoorAppointment => out.push(RemedyNeed::NewWindow),
        Action::Redirect => out.push(RemedyNeed::NewAddress),
        _ => {}
    }
    if case.reason.requires_photo() && case.photos == 0 {
        out.push(RemedyNeed::Photo);
    }
    if case.reason.requires_text() && !case.has_words {
        out.push(RemedyNeed::Words);
    }
    out
}

/// What a customer can decide for himself on the page; the rest is the operator's or the sender's.
#[must_use]
pub const fn customer_may_choose(action: Action) -> bool {
    matches!(
        action,
        Action::SecondDelivery
            | Action::StationWithConsent
            | Action::NewWindow
            | Action::NextWorkingDay
            | Action::Redirect
            | Action::ConfirmAddress
            | Action::DoorAppointment
            | Action::PartialSign
    )
}

coded! {
    /// What a report warns of early (A049).
    pub enum WarningKind {
        Delay = "DELAY", "延误", "Delay";
        Damage = "DAMAGE", "破损", "Damage";
        Loss = "LOSS", "遗失", "Loss";
    }
}

/// Which early warning a reason raises, if any (A049).
#[must_use]
pub const fn warning_kind(reason: Reason) -> Option<WarningKind> {
    match reason {
        Reason::RefusedDamaged | Reason::TemperatureOut => Some(WarningKind::Damage),
        Reason::Lost | Reason::Stolen | Reason::ContentShort | Reason::NotOnVehicle => {
            Some(WarningKind::Loss)
        }
        Reason::OutOfTime
        | Reason::Weather
        | Reason::Traffic
        | Reason::Vehicle
        | Reason::Accident
        | Reason::Missort => Some(WarningKind::Delay),
        _ => None,
    }
}

/// An abnormal report as the courier makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Why.
    pub reason: Reason,
    /// When it happened, Unix milliseconds.
    pub occurred_at_ms: i64,
    /// Photos with it.
    pub photos: u32,
    /// Characters of its words.
    pub words_chars: usize,
}

/// A report that says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReportFault {
    /// "Other" without words.
    #[error("this reason needs words")]
    WordsMissing,
}

/// A report that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenReport {
    /// A photo has to follow; the report is not held up for it (A042).
    pub owes_photo: bool,
    /// Until when the hub is to answer, Unix milliseconds (A044).
    pub answer_due_ms: i64,
    /// The early warning it raises (A049).
    pub warning: Option<WarningKind>,
}

/// Takes a report.
///
/// # Errors
/// [`ReportFault`] for a reason that says nothing without words.
pub fn take_report(report: &Report) -> Result<TakenReport, ReportFault> {
    if report.reason.requires_text() && report.words_chars == 0 {
        return Err(ReportFault::WordsMissing);
    }
    Ok(TakenReport {
        owes_photo: report.reason.requires_photo() && report.photos == 0,
        answer_due_ms: answer_due_ms(report.occurred_at_ms),
        warning: warning_kind(report.reason),
    })
}

/// Until when the hub is to answer: one hour after it happened, not after it was uploaded (A044).
#[must_use]
pub const fn answer_due_ms(occurred_at_ms: i64) -> i64 {
    occurred_at_ms.saturating_add(RESPONSE_MS)
}

/// What the courier reads beside a report.
#[must_use]
pub fn answer_text(answer_due_ms: i64, now_ms: i64) -> Text {
    let left_ms = answer_due_ms.saturating_sub(now_ms);
    if left_ms < 0 {
        return Text::new(
            "客服已超时未答复,已升级",
            "The answer is overdue and was escalated",
        );
    }
    let minutes = left_ms / 60_000;
    Text::new(
        format!("客服将在 {minutes} 分钟内答复"),
        format!("An answer is due within {minutes} min"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn case(reason: Reason) -> RemedyCase {
        RemedyCase {
            reason,
            consents: vec![],
            door_required: false,
            age_limited: false,
            photos: 0,
            has_words: false,
        }
    }

    #[test]
    fn nobody_at_home_offers_a_second_delivery_and_the_station_only_after_asking() {
        let offered = remedies(&case(Reason::RecipientAbsent));
        assert_eq!(offered[0].action, Action::SecondDelivery);
        assert!(offered[0].needs.is_empty());
        let station = offered
            .iter()
            .find(|r| r.action == Action::StationWithConsent)
            .unwrap();
        assert_eq!(station.needs, vec![RemedyNeed::StationConsent]);
        assert!(station.customer_may_choose);
        let agreed = RemedyCase {
            consents: vec![HandoffKind::Station],
            ..case(Reason::RecipientAbsent)
        };
        assert!(
            remedies(&agreed)
                .iter()
                .any(|r| r.action == Action::StationWithConsent && r.needs.is_empty())
        );
    }

    #[test]
    fn door_delivery_on_the_waybill_takes_the_station_off_the_list() {
        let door = RemedyCase {
            door_required: true,
            consents: vec![HandoffKind::Station],
            ..case(Reason::RecipientAbsent)
        };
        assert!(
            remedies(&door)
                .iter()
                .all(|r| r.action != Action::StationWithConsent)
        );
        assert_eq!(
            barred(&door, Action::StationWithConsent),
            Some(Barred::DoorRequired)
        );
    }

    #[test]
    fn a_report_without_its_photo_is_taken_and_the_photo_owed() {
        let report = Report {
            reason: Reason::RefusedDamaged,
            occurred_at_ms: 1_000,
            photos: 0,
            words_chars: 0,
        };
        assert_eq!(
            take_report(&report),
            Ok(TakenReport {
                owes_photo: true,
                answer_due_ms: 3_601_000,
                warning: Some(WarningKind::Damage),
            })
        );
        let other = Report {
            reason: Reason::Other,
            ..report
        };
        assert_eq!(take_report(&other), Err(ReportFault::WordsMissing));
    }

    #[test]
    fn the_hour_counts_from_the_event_even_when_it_is_read_much_later() {
        let due = answer_due_ms(0);
        assert!(answer_text(due, 0).en.contains("60 min"));
        assert!(answer_text(due, due + 1).en.contains("overdue"));
    }

    proptest! {
        /// Whatever happens at a door there is something legal to do, and nothing illegal is offered.
        #[test]
        fn every_reason_leaves_the_courier_something_to_do(
            at in 0..Reason::ALL.len(), door_required: bool, age_limited: bool
        ) {
            let reason = Reason::ALL[at];
            let offered = remedies(&RemedyCase {
                door_required, age_limited, photos: 1, has_words: true, ..case(reason)
            });
            prop_assert!(!offered.is_empty());
            for remedy in &offered {
                prop_assert!(reason.allows(remedy.action));
            }
            let first_blocked = offered.iter().position(|r| !r.needs.is_empty());
            if let Some(at) = first_blocked {
                prop_assert!(offered[at..].iter().all(|r| !r.needs.is_empty()));
            }
        }
    }
}
