//! The hub's document: read with limits, checked against the minimum, swapped whole or not at all.

use satchel_protocol::taxonomy::{HandlingTag, HandoffKind, PromiseClass};
use serde::Deserialize;

use super::fault::RuleSetError;
use super::item::Item;
use super::minimum::{Case, minimum};
use crate::limits::MAX_PHOTOS_PER_ATTEMPT;
use crate::rules::coded::Text;

/// Largest document: 500 rules with texts in two languages are about 150 KB.
pub const MAX_RULESET_BYTES: usize = 256 * 1_024;
/// Most rules in a document; evaluation looks at each of them at every door.
pub const MAX_RULES: usize = 500;
/// Longest id of a rule or tier, in bytes.
const MAX_ID_BYTES: usize = 48;
/// Longest own wording of a rule, in characters: two lines of a phone's screen.
const MAX_TEXT_CHARS: usize = 120;
/// The format this build reads. A rule it cannot understand must not be ignored, so any other is refused.
const FORMAT: u32 = 1;

/// How strongly an item is needed, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Makes no sense here and is not asked for.
    Off,
    /// May be given.
    Optional,
    /// Needed, or else a reason to skip it from the list.
    RequiredWithReason,
    /// Completion is refused without it.
    Required,
}

impl Level {
    /// Stable code for logs and bindings.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Optional => "OPTIONAL",
            Self::RequiredWithReason => "REQUIRED_WITH_REASON",
            Self::Required => "REQUIRED",
        }
    }
}

/// One rule of the hub. An empty list means "any".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The hub's name for it; shown as the source of a line.
    pub id: String,
    /// Handoffs it is for.
    pub handoffs: Vec<HandoffKind>,
    /// Promise classes it is for.
    pub classes: Vec<PromiseClass>,
    /// It is for parcels that have at least one of these tags.
    pub tags: Vec<HandlingTag>,
    /// Service tiers it is for.
    pub tiers: Vec<String>,
    /// What it asks for.
    pub item: Item,
    /// How strongly.
    pub level: Level,
    /// How many, for photos.
    pub count: u32,
    /// Its own wording for the courier.
    pub text: Option<Text>,
}

/// A rule set in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSet {
    version: u32,
    rules: Vec<Rule>,
}

/// What came of a document the hub sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// It is newer and takes effect now.
    Replaced(RuleSet),
    /// It is the one in force, sent again.
    Unchanged,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    version: u32,
    rules: Vec<RawRule>,
}

/// Unknown fields are refused: an unread condition would widen a rule without anybody noticing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    #[serde(default)]
    handoffs: Vec<String>,
    #[serde(default)]
    classes: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    tiers: Vec<String>,
    item: String,
    level: Level,
    #[serde(default)]
    count: Option<u32>,
    #[serde(default)]
    zh: Option<String>,
    #[serde(default)]
    en: Option<String>,
}

impl RuleSet {
    /// What holds before a hub has sent anything: the minimum, and what the product's own rows suggest
    /// for valuable and cooled goods (A039, A040). A hub's document replaces it whole.
    #[must_use]
    pub fn built_in() -> Self {
        let rule = |id: &str, tags: &[HandlingTag], item, level, count| Rule {
            id: id.to_owned(),
            handoffs: Vec::new(),
            classes: Vec::new(),
            tags: tags.to_vec(),
            tiers: Vec::new(),
            item,
            level,
            count,
            text: None,
        };
        use HandlingTag::{ColdChain, Fresh, HighValue, Medicine};
        Self {
            version: 0,
            rules: vec![
                rule(
                    "A039-temperature",
                    &[Fresh, Medicine, ColdChain],
                    Item::Temperature,
                    Level::RequiredWithReason,
                    1,
                ),
                rule(
                    "A040-photos",
                    &[Fresh, Medicine, HighValue],
                    Item::Photo,
                    Level::Required,
                    2,
                ),
                rule(
                    "A040-code",
                    &[HighValue],
                    Item::Code,
                    Level::RequiredWithReason,
                    1,
                ),
            ],
        }
    }

    /// Version of the document; 0 for the built-in set. Stored with every attempt.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Its rules, in the order of the document.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Reads a document and holds it against the minimum.
    ///
    /// # Errors
    /// [`RuleSetError`], which names the rule at fault.
    pub fn parse(json: &[u8]) -> Result<Self, RuleSetError> {
        if json.len() > MAX_RULESET_BYTES {
            return Err(RuleSetError::TooLarge { bytes: json.len() });
        }
        let document: Document =
            serde_json::from_slice(json).map_err(|e| RuleSetError::BadForm {
                line: e.line(),
                column: e.column(),
            })?;
        if document.format != FORMAT {
            return Err(RuleSetError::UnknownFormat {
                found: document.format,
            });
        }
        if document.version == 0 {
            return Err(RuleSetError::BadVersion);
        }
        if document.rules.len() > MAX_RULES {
            return Err(RuleSetError::TooManyRules {
                count: document.rules.len(),
            });
        }
        let mut rules: Vec<Rule> = Vec::with_capacity(document.rules.len());
        for (at, raw) in document.rules.into_iter().enumerate() {
            let index = at + 1;
            let rule = raw.read(index)?;
            if rules.iter().any(|r| r.id == rule.id) {
                return Err(RuleSetError::DuplicateId { index });
            }
            rule.hold_against_minimum()?;
            rules.push(rule);
        }
        Ok(Self {
            version: document.version,
            rules,
        })
    }

    /// Takes a document from the hub over, or keeps the one in force.
    ///
    /// # Errors
    /// [`RuleSetError`]; then `self` stays in force and the hub is to be told.
    pub fn accept(&self, json: &[u8]) -> Result<Accepted, RuleSetError> {
        let offered = Self::parse(json)?;
        if offered == *self {
            Ok(Accepted::Unchanged)
        } else if offered.version == self.version {
            Err(RuleSetError::SameVersionDiffers {
                version: self.version,
            })
        } else if offered.version < self.version {
            Err(RuleSetError::Older {
                current: self.version,
                offered: offered.version,
            })
        } else {
            Ok(Accepted::Replaced(offered))
        }
    }

    /// The last rule for this item that fits the case.
    pub(super) fn rule_for(&self, case: &Case, item: Item) -> Option<&Rule> {
        self.rules
            .iter()
            .rev()
            .find(|rule| rule.item == item && rule.fits(case))
    }
}

impl Rule {
    fn fits(&self, case: &Case) -> bool {
        (self.handoffs.is_empty() || self.handoffs.contains(&case.handoff))
            && (self.classes.is_empty() || self.classes.contains(&case.class))
            && (self.tags.is_empty() || self.tags.iter().any(|t| case.tags.contains(t)))
            && (self.tiers.is_empty()
                || case
                    .tier
                    .as_ref()
                    .is_some_and(|tier| self.tiers.contains(tier)))
    }

    /// Compares the rule with the minimum of every handoff and tag it names.
    fn hold_against_minimum(&self) -> Result<(), RuleSetError> {
        if self.item == Item::Position && self.level == Level::Required {
            return Err(RuleSetError::MayNotBlock {
                rule: self.id.clone(),
            });
        }
        let handoffs = if self.handoffs.is_empty() {
            HandoffKind::ALL
        } else {
            &self.handoffs
        };
        let tag_sets: Vec<Vec<HandlingTag>> = if self.tags.is_empty() {
            vec![Vec::new()]
        } else {
            self.tags.iter().map(|tag| vec![*tag]).collect()
        };
        for handoff in handoffs.iter().copied() {
            for tags in &tag_sets {
                // The minimum is the same for every promise class.
                let case = Case {
                    tags: tags.clone(),
                    ..Case::plain(handoff, PromiseClass::SameCity)
                };
                let floor = minimum(&case, self.item);
                if floor.level >= Level::RequiredWithReason && self.level < floor.level {
                    return Err(RuleSetError::Weakens {
                        rule: self.id.clone(),
                        item: self.item,
                        handoff,
                        source_rows: floor.source,
                    });
                }
            }
        }
        Ok(())
    }
}

impl RawRule {
    fn read(self, index: usize) -> Result<Rule, RuleSetError> {
        let bad = |field| RuleSetError::BadRule { index, field };
        if !is_id(&self.id) {
            return Err(bad("id"));
        }
        if !self.tiers.iter().all(|tier| is_id(tier)) {
            return Err(bad("tier"));
        }
        let item = Item::from_code(&self.item).ok_or(bad("item"))?;
        let count = match self.count {
            None => 1,
            Some(_) if item != Item::Photo => return Err(bad("count")),
            Some(n) if n == 0 || n as usize > MAX_PHOTOS_PER_ATTEMPT => return Err(bad("count")),
            Some(n) => n,
        };
        let text = match (self.zh, self.en) {
            (None, None) => None,
            (Some(zh), Some(en)) if is_wording(&zh) && is_wording(&en) => Some(Text { zh, en }),
            _ => return Err(bad("text")),
        };
        Ok(Rule {
            id: self.id,
            handoffs: codes(&self.handoffs, HandoffKind::from_code).ok_or(bad("handoff"))?,
            classes: codes(&self.classes, PromiseClass::from_code).ok_or(bad("class"))?,
            tags: codes(&self.tags, HandlingTag::from_code).ok_or(bad("tag"))?,
            tiers: self.tiers,
            item,
            level: self.level,
            count,
            text,
        })
    }
}

fn codes<T, E>(list: &[String], read: impl Fn(&str) -> Result<T, E>) -> Option<Vec<T>> {
    list.iter().map(|code| read(code).ok()).collect()
}

fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_ID_BYTES
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn is_wording(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= MAX_TEXT_CHARS
        && !text.chars().any(char::is_control)
}
