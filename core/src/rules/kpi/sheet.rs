//! The sheet: facts of visits in, figures out.

use satchel_protocol::ids::ParcelId;
use satchel_protocol::taxonomy::{HandoffKind, Relation};

use crate::rules::coded::coded;

/// Above this share of proxy signatures a courier is to be trained again: strictly above (A035).
pub const PROXY_LINE_PERCENT: u64 = 15;

coded! {
    /// A figure of the courier's sheet.
    pub enum Kpi {
        PromiseHit = "PROMISE_HIT", "承诺时效达成率", "Promises kept";
        DeliverToAddress = "DELIVER_TO_ADDRESS", "按址派送率", "Delivered to the address";
        ProxySign = "PROXY_SIGN", "代签率", "Signed by somebody else";
        ProxyWithConsent = "PROXY_WITH_CONSENT", "代签率(经客户同意)", "Signed by somebody else, agreed";
        ProxyWithoutConsent = "PROXY_WITHOUT_CONSENT", "代签率(未经同意,属违规)", "Signed by somebody else, not agreed: a violation";
        CompliantSigning = "COMPLIANT_SIGNING", "签收规范执行率", "All three signing steps done";
        ExceptionNotice = "EXCEPTION_NOTICE", "异常情况告知率", "Failures the customer was told of";
        PickupPunctuality = "PICKUP_PUNCTUALITY", "上门取件及时率", "Pickups in time";
        Damage = "DAMAGE", "快件破损率", "Damaged on delivery";
        ParcelsPerDay = "PARCELS_PER_DAY", "人均日派送量", "Parcels a day";
        MissortAtLoad = "MISSORT_AT_LOAD", "装车发现错分率", "Missorts found at loading";
    }
}

impl Kpi {
    /// The row it is defined in.
    #[must_use]
    pub const fn row(self) -> &'static str {
        match self {
            Self::PromiseHit => "A020",
            Self::DeliverToAddress => "A031",
            Self::ProxySign => "A035",
            Self::ProxyWithConsent | Self::ProxyWithoutConsent => "A034, A18",
            Self::CompliantSigning => "A027",
            Self::ExceptionNotice => "A045",
            Self::PickupPunctuality => "A164",
            Self::Damage => "A166",
            Self::ParcelsPerDay => "A015",
            Self::MissortAtLoad => "A204",
        }
    }

    /// Whether it is a share of something, and not a number per day.
    #[must_use]
    pub const fn is_share(self) -> bool {
        !matches!(self, Self::ParcelsPerDay)
    }
}

/// From when, inclusive, until when, exclusive; event time, Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// From.
    pub from_ms: i64,
    /// Until.
    pub until_ms: i64,
}

impl Window {
    /// Whether an instant lies in it.
    #[must_use]
    pub const fn holds(&self, at_ms: i64) -> bool {
        self.from_ms <= at_ms && at_ms < self.until_ms
    }
}

/// A parcel that went into somebody's hands or place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandedOver {
    /// Into whose.
    pub handoff: HandoffKind,
    /// It rests on a stored consent.
    pub consented: bool,
    /// Who signed, as told at the door.
    pub relation: Option<Relation>,
    /// The recipient was checked (A028).
    pub identity_checked: bool,
    /// The inspection was offered (A029).
    pub inspection_offered: bool,
    /// It was signed for in the proper form (A030).
    pub properly_signed: bool,
    /// It was damaged on delivery (A166).
    pub damaged: bool,
    /// The deadline that counted.
    pub deadline_ms: i64,
    /// A declared regime excuses a miss (A004, A018).
    pub excused: bool,
}

/// How a visit ended, after all corrections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisitResult {
    /// Handed over, whole or in part.
    HandedOver(HandedOver),
    /// Not handed over.
    Failed {
        /// The customer was called or written to (A045).
        contact_logged: bool,
    },
}

/// One visit for one parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisitFact {
    /// The parcel.
    pub parcel: ParcelId,
    /// When, event time.
    pub at_ms: i64,
    /// How it ended.
    pub result: VisitResult,
}

/// The promise of a parcel that is not handed over yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenPromise {
    /// Its deadline.
    pub deadline_ms: i64,
    /// A declared regime excuses it.
    pub excused: bool,
}

/// A pickup that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PickupFact {
    /// When the courier arrived, if he did.
    pub arrived_at_ms: Option<i64>,
    /// End of the agreed window.
    pub window_end_ms: i64,
}

/// Everything the sheet is counted from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Visits that count.
    pub visits: Vec<VisitFact>,
    /// Promises that are still open.
    pub open: Vec<OpenPromise>,
    /// Pickups.
    pub pickups: Vec<PickupFact>,
    /// Days on duty in the window, by local date.
    pub duty_days: u64,
    /// Parcels scanned at load checks in the window.
    pub load_scans: u64,
    /// Missorts among them.
    pub missorts: u64,
}

/// One figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// Which.
    pub kpi: Kpi,
    /// What counts.
    pub numerator: u64,
    /// Out of what.
    pub denominator: u64,
    /// Cases that are in neither because a regime excuses them.
    pub excused: u64,
    /// Over which time.
    pub window: Window,
}

impl Figure {
    /// Ten-thousandths, rounded down; for parcels a day, hundredths of a parcel. Nothing out of nothing.
    #[must_use]
    pub fn value(&self) -> Option<u64> {
        let scale = if self.kpi.is_share() { 10_000 } else { 100 };
        self.numerator
            .saturating_mul(scale)
            .checked_div(self.denominator)
    }

    /// Whether the share of proxy signatures is above the line; 15 % itself is not (A035). Compared in
    /// whole numbers, so that 3 of 20 can never round over it.
    #[must_use]
    pub fn is_over_proxy_line(&self) -> bool {
        self.kpi == Kpi::ProxySign
            && self.numerator.saturating_mul(100)
                > self.denominator.saturating_mul(PROXY_LINE_PERCENT)
    }
}

impl HandedOver {
    /// Signed by somebody who is neither the recipient nor named by him, or left at a station or locker
    /// (A18). A relation that does not fit "in person" counts as what it is.
    #[must_use]
    pub fn is_proxy(&self) -> bool {
        match self.handoff {
            HandoffKind::HouseholdOrColleague
            | HandoffKind::FrontDesk
            | HandoffKind::Guard
            | HandoffKind::Neighbour
            | HandoffKind::Locker
            | HandoffKind::Station => true,
            HandoffKind::Recipient | HandoffKind::Partial => {
                self.relation.is_some_and(|r| r != Relation::Oneself)
            }
            HandoffKind::NamedProxy | HandoffKind::LeaveAtDoor | HandoffKind::ReturnToSender => {
                false
            }
        }
    }

    /// At the customer's address, into hands; or where and how the customer agreed (A031).
    #[must_use]
    pub fn is_to_address(&self) -> bool {
        self.consented
            || matches!(
                self.handoff,
                HandoffKind::Recipient | HandoffKind::Partial | HandoffKind::HouseholdOrColleague
            )
    }

    /// Identity, inspection and signature, all three (A027).
    #[must_use]
    pub const fn is_compliant(&self) -> bool {
        self.identity_checked && self.inspection_offered && self.properly_signed
    }
}

/// Works the sheet out for a window. `now_ms` decides which open promises are overdue.
#[must_use]
pub fn sheet(facts: &Facts, window: Window, now_ms: i64) -> Vec<Figure> {
    let visits: Vec<&VisitFact> = facts
        .visits
        .iter()
        .filter(|v| window.holds(v.at_ms))
        .collect();
    let handed: Vec<(i64, &HandedOver)> = visits
        .iter()
        .filter_map(|v| match &v.result {
            VisitResult::HandedOver(h) if h.handoff != HandoffKind::ReturnToSender => {
                Some((v.at_ms, h))
            }
            _ => None,
        })
        .collect();
    let count =
        |test: &dyn Fn(&HandedOver) -> bool| handed.iter().filter(|(_, h)| test(h)).count() as u64;
    let delivered = handed.len() as u64;
    let failed: Vec<bool> = visits
        .iter()
        .filter_map(|v| match v.result {
            VisitResult::Failed { contact_logged } => Some(contact_logged),
            VisitResult::HandedOver(_) => None,
        })
        .collect();
    let figure = |kpi, numerator, denominator| Figure {
        kpi,
        numerator,
        denominator,
        excused: 0,
        window,
    };
    let (hits, due, excused) = promises(&handed, &facts.open, window, now_ms);
    let (punctual, pickups) = pickups(&facts.pickups, window, now_ms);
    vec![
        Figure {
            excused,
            ..figure(Kpi::PromiseHit, hits, due)
        },
        figure(
            Kpi::DeliverToAddress,
            count(&HandedOver::is_to_address),
            delivered,
        ),
        figure(Kpi::ProxySign, count(&HandedOver::is_proxy), delivered),
        figure(
            Kpi::ProxyWithConsent,
            count(&|h| h.is_proxy() && h.consented),
            delivered,
        ),
        figure(
            Kpi::ProxyWithoutConsent,
            count(&|h| h.is_proxy() && !h.consented),
            delivered,
        ),
        figure(
            Kpi::CompliantSigning,
            count(&HandedOver::is_compliant),
            delivered,
        ),
        figure(
            Kpi::ExceptionNotice,
            failed.iter().filter(|told| **told).count() as u64,
            failed.len() as u64,
        ),
        figure(Kpi::PickupPunctuality, punctual, pickups),
        figure(Kpi::Damage, count(&|h| h.damaged), delivered),
        figure(Kpi::ParcelsPerDay, delivered, facts.duty_days),
        figure(Kpi::MissortAtLoad, facts.missorts, facts.load_scans),
    ]
}

/// Delivered by the deadline, out of delivered or overdue (A020). An excused miss is in neither number
/// and is told beside them.
fn promises(
    handed: &[(i64, &HandedOver)],
    open: &[OpenPromise],
    window: Window,
    now_ms: i64,
) -> (u64, u64, u64) {
    let (mut hits, mut due, mut excused) = (0, 0, 0);
    let overdue = open
        .iter()
        .filter(|p| window.holds(p.deadline_ms) && p.deadline_ms < now_ms)
        .map(|p| (false, p.excused));
    for (hit, is_excused) in handed
        .iter()
        .map(|(at_ms, h)| (*at_ms <= h.deadline_ms, h.excused))
        .chain(overdue)
    {
        match (hit, is_excused) {
            (true, _) => {
                hits += 1;
                due += 1;
            }
            (false, true) => excused += 1,
            (false, false) => due += 1,
        }
    }
    (hits, due, excused)
}

/// Pickups whose window ended in the time asked about, or that were reached in it.
fn pickups(pickups: &[PickupFact], window: Window, now_ms: i64) -> (u64, u64) {
    let (mut punctual, mut all) = (0, 0);
    for pickup in pickups {
        let (counts_at_ms, in_time) = match pickup.arrived_at_ms {
            Some(at) => (
                at,
                crate::rules::pickup::is_punctual(at, pickup.window_end_ms),
            ),
            None if pickup.window_end_ms < now_ms => (pickup.window_end_ms, false),
            None => continue,
        };
        if window.holds(counts_at_ms) {
            all += 1;
            punctual += u64::from(in_time);
        }
    }
    (punctual, all)
}
