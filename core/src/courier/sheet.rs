//! The courier's own sheet, counted from this phone's log by event time, corrections respected
//! (A17, A143–A147, A171). Nothing is kept beside the log that could come to differ from it.

mod facts;

use satchel_protocol::feed::{PointsGiven, StarRulesItem, TariffItem};
use satchel_protocol::taxonomy::{HandoffKind, RatingClass};

use super::Courier;
use crate::error::{Error, Result};
use crate::model::sheet::{PointsView, Sheet, SheetLine, StarsView};
use crate::model::stop::RatingView;
use crate::rules::coded::Text;
use crate::rules::kpi::{
    self, Direction, Earnings, Figure, Kpi, Ledger, PieceKind, PointEntry, PointRule, PointValues,
    StarGoal, StarRules, Tariff, VisitResult, Window,
};
use crate::store::{ratings, told};
use facts::{Counted, Day};

/// Stars are estimated over this time.
const STAR_WINDOW_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// A rating from here on is a good one (A072).
const GOOD_STARS: u8 = 4;
/// All of time.
const EVER: Window = Window {
    from_ms: i64::MIN,
    until_ms: i64::MAX,
};

impl Courier {
    /// Every figure of the sheet over a window of event time.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a window that ends before it begins.
    pub fn scorecard(&self, window: Window) -> Result<Sheet> {
        let lines = self.figures(window)?.into_iter().map(line).collect();
        Ok(Sheet { window, lines })
    }

    /// The points this phone knows of, each with the event that earned it; `None` while the operator
    /// has not said what they are worth.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn points(&self) -> Result<Option<PointsView>> {
        let keys = self.enrolled()?;
        self.db.read(|conn| {
            let Some(given) = told::courier(conn)?.points else {
                return Ok(None);
            };
            let day = Day::read(conn, keys.device, EVER)?;
            let mut ledger = Ledger::default();
            for visit in &day.visits {
                let good = ratings::latest(conn, visit.parcel)?.is_some_and(|r| earns(&r));
                earn(&mut ledger, &given, visit, good);
            }
            Ok(Some(PointsView {
                balance: given.carried_over.saturating_add(ledger.balance(EVER)),
                carried_over: given.carried_over,
                standing: ledger.standing().copied().collect(),
                reversed: ledger.reversed().copied().collect(),
            }))
        })
    }

    /// Stars by the operator's books, and what the last thirty days would give by his table, with every
    /// input.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn stars(&self) -> Result<StarsView> {
        let now_ms = self.env.clock.wall_ms();
        let figures = self.figures(Window {
            from_ms: now_ms.saturating_sub(STAR_WINDOW_MS),
            until_ms: now_ms.saturating_add(1),
        })?;
        let courier = self.db.read(told::courier)?;
        Ok(StarsView {
            level_by_hub: courier.star_level,
            estimate: courier
                .stars
                .map(|table| kpi::stars(&figures, &star_rules(&table))),
        })
    }

    /// What the window has earned so far, in whole minor units; `None` while the operator has sent no
    /// price list or no star. An estimate: the payroll decides.
    ///
    /// # Errors
    /// [`Error::Earnings`] when the list gives no single price; a wrong figure would be worse than none.
    pub fn earnings(&self, window: Window) -> Result<Option<Earnings>> {
        let keys = self.enrolled()?;
        check(window)?;
        self.db.read(|conn| {
            let courier = told::courier(conn)?;
            let (Some(tariff), Some(star)) = (courier.tariff, courier.star_level) else {
                return Ok(None);
            };
            let day = Day::read(conn, keys.device, window)?;
            let handed = |back: bool| {
                let all = day.visits.iter().filter(|v| v.stands);
                let count = all.filter(|v| match &v.result {
                    VisitResult::HandedOver(h) => {
                        (h.handoff == HandoffKind::ReturnToSender) == back
                    }
                    VisitResult::Failed { .. } => false,
                });
                count.count() as u64
            };
            let pieces = [
                (PieceKind::Delivery, handed(false)),
                (PieceKind::Pickup, day.collected),
                (PieceKind::Return, handed(true)),
            ];
            Ok(Some(kpi::estimate(&pieces, star, &prices(tariff))?))
        })
    }

    fn figures(&self, window: Window) -> Result<Vec<Figure>> {
        let keys = self.enrolled()?;
        check(window)?;
        let now_ms = self.env.clock.wall_ms();
        let offset_min = self.env.clock.utc_offset_min();
        self.db.read(|conn| {
            let facts = Day::read(conn, keys.device, window)?.facts(conn, window, offset_min)?;
            Ok(kpi::sheet(&facts, window, now_ms))
        })
    }
}

/// A good rating that the customer's own share stands behind. The QR alone earns nothing, however many
/// stars come with it: the courier could have scanned it himself.
fn earns(rating: &RatingView) -> bool {
    rating.class == Some(RatingClass::Verified) && rating.stars >= GOOD_STARS
}

fn check(window: Window) -> Result<()> {
    if window.from_ms > window.until_ms {
        return Err(Error::InvalidInput { what: "window" });
    }
    Ok(())
}

fn line(figure: Figure) -> SheetLine {
    SheetLine {
        value: figure.value(),
        over_line: figure.is_over_proxy_line(),
        row: figure.kpi.row(),
        name: Text::new(figure.kpi.zh(), figure.kpi.en()),
        figure,
    }
}

/// A delivery earns by every rule it meets; one that was taken back keeps its lines, reversed.
fn earn(ledger: &mut Ledger, given: &PointsGiven, visit: &Counted, good_rating: bool) {
    let VisitResult::HandedOver(handed) = &visit.result else {
        return;
    };
    if handed.handoff == HandoffKind::ReturnToSender {
        return;
    }
    let values = PointValues {
        good_rating: given.good_rating,
        on_time: given.on_time,
        no_damage: given.no_damage,
    };
    for (rule, met) in [
        (PointRule::OnTime, visit.at_ms <= handed.deadline_ms),
        (PointRule::NoDamage, !handed.damaged),
        (PointRule::GoodRating, good_rating),
    ] {
        if let (true, Some(points)) = (met, values.of(rule)) {
            ledger.earn(PointEntry {
                cause: visit.event,
                rule,
                points,
                at_ms: visit.at_ms,
            });
        }
    }
    if !visit.stands {
        ledger.take_back(visit.event);
    }
}

/// The table as the rules read it. A goal of a figure this build does not know is left out.
fn star_rules(item: &StarRulesItem) -> StarRules {
    let goal = |g: &satchel_protocol::feed::StarGoalItem| {
        Some(StarGoal {
            kpi: Kpi::from_code(&g.kpi)?,
            direction: if g.at_least {
                Direction::AtLeast
            } else {
                Direction::AtMost
            },
            goal: g.goal,
            weight: g.weight,
        })
    };
    StarRules {
        goals: item.goals.iter().filter_map(goal).collect(),
        steps: item.steps.clone(),
    }
}

/// The price list as the rules read it; a kind of piece this build does not count has no use for a price.
fn prices(item: TariffItem) -> Tariff {
    let price = |p: &satchel_protocol::feed::PriceItem| {
        Some((PieceKind::from_code(&p.piece)?, p.star, p.unit_minor))
    };
    Tariff {
        prices: item.prices.iter().filter_map(price).collect(),
        currency: item.currency,
    }
}
