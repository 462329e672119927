//! The checklist of one handoff and the verdict on what was handed in: one list for both, so that a
//! screen can neither forget an item nor skip it (B4-12).

use std::collections::BTreeMap;

use satchel_protocol::taxonomy::HandoffKind;

use super::document::{Level, RuleSet};
use super::item::{Item, SkipReason};
use super::minimum::{Case, minimum};
use crate::rules::coded::Text;

/// Where a line comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The compiled-in minimum: rows and articles.
    Minimum(&'static str),
    /// A rule of the set with this version.
    Rule {
        /// Version of the set; 0 is the built-in one.
        version: u32,
        /// The rule's id.
        rule: String,
    },
}

impl core::fmt::Display for Source {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Minimum(rows) => f.write_str(rows),
            Self::Rule { version, rule } => write!(f, "{rule} (v{version})"),
        }
    }
}

/// One line of the checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What.
    pub item: Item,
    /// How strongly.
    pub level: Level,
    /// How many; above 1 only for photos.
    pub count: u32,
    /// Why it is asked for.
    pub source: Source,
    /// What the courier reads.
    pub text: Text,
}

/// Everything a handoff needs, in the order in which a courier works through it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checklist {
    /// Version of the rule set, stored with the attempt.
    pub rules_version: u32,
    /// Whether a code that was verified on this phone stands for the signature (Art 28(1)).
    code_stands_for_signature: bool,
    /// One line per item.
    pub lines: Vec<Line>,
}

/// An item that was skipped, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skip {
    /// What was skipped.
    pub item: Item,
    /// Why.
    pub reason: SkipReason,
}

/// What was handed in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// How many of each item. A stored, valid consent counts as one.
    pub items: BTreeMap<Item, u32>,
    /// The recipient's code was verified on this phone, not only sealed for the hub.
    pub code_verified: bool,
    /// What was skipped with a reason.
    pub skips: Vec<Skip>,
}

impl Given {
    /// Adds one of an item.
    #[must_use]
    pub fn with(mut self, item: Item) -> Self {
        *self.items.entry(item).or_default() += 1;
        self
    }

    fn count(&self, item: Item) -> u32 {
        self.items.get(&item).copied().unwrap_or(0)
    }
}

/// Why a line is not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnmetWhy {
    /// Too few, and no reason to skip.
    Missing {
        /// How many are needed.
        needed: u32,
        /// How many there are.
        given: u32,
    },
    /// A reason was given, but this item may not be skipped.
    MayNotBeSkipped,
    /// The reason needs words that are not there.
    SkipNeedsNote,
}

/// A line that is not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unmet {
    /// Which item.
    pub item: Item,
    /// Why.
    pub why: UnmetWhy,
}

impl RuleSet {
    /// What this handoff of this parcel needs: the law's minimum and what the hub adds.
    #[must_use]
    pub fn checklist(&self, case: &Case) -> Checklist {
        let lines = Item::ALL
            .iter()
            .map(|item| self.line(case, *item))
            .collect();
        Checklist {
            rules_version: self.version(),
            code_stands_for_signature: matches!(
                case.handoff,
                HandoffKind::Recipient | HandoffKind::NamedProxy
            ),
            lines,
        }
    }

    fn line(&self, case: &Case, item: Item) -> Line {
        let floor = minimum(case, item);
        let is_floor = floor.level >= Level::RequiredWithReason;
        let rule = self
            .rule_for(case, item)
            .filter(|rule| !is_floor || rule.level >= floor.level);
        match rule {
            // A rule that says what the law says anyway adds nothing but its count and its words.
            Some(rule) if rule.level == floor.level && rule.count <= 1 => Line {
                item,
                level: floor.level,
                count: 1,
                source: Source::Minimum(floor.source),
                text: rule.text.clone().unwrap_or_else(|| item.text(case)),
            },
            Some(rule) => Line {
                item,
                level: rule.level,
                count: rule.count,
                source: Source::Rule {
                    version: self.version(),
                    rule: rule.id.clone(),
                },
                text: rule.text.clone().unwrap_or_else(|| item.text(case)),
            },
            None => Line {
                item,
                level: floor.level,
                count: 1,
                source: Source::Minimum(floor.source),
                text: item.text(case),
            },
        }
    }
}

/// One door, many parcels: the strongest line of each item (B4-7). Nothing is lost in the union, so who
/// meets it meets the list of every parcel.
#[must_use]
pub fn combine(lists: &[Checklist]) -> Option<Checklist> {
    let (first, rest) = lists.split_first()?;
    let mut all = first.clone();
    for list in rest {
        all.rules_version = all.rules_version.max(list.rules_version);
        all.code_stands_for_signature &= list.code_stands_for_signature;
        for (mine, other) in all.lines.iter_mut().zip(&list.lines) {
            let count = mine.count.max(other.count);
            if (other.level, other.count) > (mine.level, mine.count) {
                *mine = other.clone();
            }
            mine.count = count;
        }
    }
    Some(all)
}

impl Checklist {
    /// The line of an item.
    #[must_use]
    pub fn line(&self, item: Item) -> Option<&Line> {
        self.lines.iter().find(|line| line.item == item)
    }

    /// Whether a delivery may be completed with what was handed in; answers with the skips that are
    /// to be recorded.
    ///
    /// # Errors
    /// Every line that is not met, at once and in the order of the list.
    pub fn check(&self, given: &Given) -> Result<Vec<Skip>, Vec<Unmet>> {
        let mut unmet = Vec::new();
        let mut skips = Vec::new();
        for line in &self.lines {
            if line.level < Level::RequiredWithReason || self.is_met(line, given) {
                continue;
            }
            let skip = given.skips.iter().find(|skip| skip.item == line.item);
            let why = match skip {
                None => UnmetWhy::Missing {
                    needed: line.count,
                    given: given.count(line.item),
                },
                Some(_) if line.level == Level::Required => UnmetWhy::MayNotBeSkipped,
                Some(skip) if skip.reason.requires_note() && given.count(Item::Note) == 0 => {
                    UnmetWhy::SkipNeedsNote
                }
                Some(skip) => {
                    skips.push(*skip);
                    continue;
                }
            };
            unmet.push(Unmet {
                item: line.item,
                why,
            });
        }
        if unmet.is_empty() {
            Ok(skips)
        } else {
            Err(unmet)
        }
    }

    fn is_met(&self, line: &Line, given: &Given) -> bool {
        given.count(line.item) >= line.count
            || (line.item == Item::Signature
                && self.code_stands_for_signature
                && given.code_verified)
    }
}
