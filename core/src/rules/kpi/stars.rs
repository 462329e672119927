//! Stars as the operator's table sees them, with every input shown (A146, A18, PIPL Art 24).

use super::sheet::{Figure, Kpi};

/// Whether more or less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// At least the goal.
    AtLeast,
    /// At most the goal.
    AtMost,
}

/// One goal of the operator's star table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StarGoal {
    /// The figure.
    pub kpi: Kpi,
    /// Which way.
    pub direction: Direction,
    /// The goal, in the unit of [`Figure::value`].
    pub goal: u64,
    /// Points of weight it carries.
    pub weight: u32,
}

/// The operator's star table: stars are data (A146, A18).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarRules {
    /// The goals.
    pub goals: Vec<StarGoal>,
    /// Weight that is needed for the second star, the third and so on.
    pub steps: Vec<u32>,
}

/// One input as it is shown to the courier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StarInput {
    /// The goal.
    pub goal: StarGoal,
    /// What the courier reached, with numerator, denominator and window.
    pub figure: Figure,
    /// Whether the goal is met; a figure without a denominator is not held against anybody.
    pub met: bool,
}

/// An estimate with all its inputs (PIPL Art 24); a person at the hub confirms every change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarView {
    /// Stars by the table, from 1.
    pub level: u8,
    /// Weight reached.
    pub reached: u32,
    /// What it was worked out from.
    pub inputs: Vec<StarInput>,
}

/// Estimates the stars from a sheet and shows every input (A146).
#[must_use]
pub fn stars(figures: &[Figure], rules: &StarRules) -> StarView {
    let mut inputs = Vec::with_capacity(rules.goals.len());
    for goal in &rules.goals {
        let Some(figure) = figures.iter().find(|f| f.kpi == goal.kpi) else {
            continue;
        };
        let met = figure.value().is_none_or(|value| match goal.direction {
            Direction::AtLeast => value >= goal.goal,
            Direction::AtMost => value <= goal.goal,
        });
        inputs.push(StarInput {
            goal: *goal,
            figure: *figure,
            met,
        });
    }
    let reached = inputs
        .iter()
        .filter(|i| i.met)
        .fold(0u32, |sum, i| sum.saturating_add(i.goal.weight));
    let steps = rules.steps.iter().filter(|step| reached >= **step).count();
    StarView {
        level: u8::try_from(steps.saturating_add(1)).unwrap_or(u8::MAX),
        reached,
        inputs,
    }
}
