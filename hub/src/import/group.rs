//! The `--group` rule: how deliveries are cut into rounds, as text and as type.
//!
//! Three forms: `depot=150m,window=20min,max=60` for files that only know where and when a parcel
//! was accepted, `column=NAME` (or `column`, for the mapping's `round`) for files that already
//! assign couriers, and `single` for one round a day. All take `max` stops a round and `merge`,
//! the distance within which parcels for the same person at the same address are one stop.

use std::str::FromStr;

/// Most stops any round may have. No courier does more in a day, and it bounds the ordering work.
pub(super) const MAX_STOPS: u64 = 500;
/// Stops of a depot round unless said otherwise: a full van or a long tricycle round.
const DEFAULT_DEPOT_STOPS: u64 = 60;
/// Two fixes of one door differ by about this much.
const DEFAULT_MERGE_M: u64 = 15;

/// How deliveries become rounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRule {
    /// What belongs together.
    pub by: GroupBy,
    /// Most stops in one round; more are split into sectors around the depot.
    pub max_stops: u64,
    /// Parcels for one person at one address within this distance are one stop; 0 merges nothing.
    pub merge_doors_m: u64,
}

/// What belongs together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupBy {
    /// Accepted at one depot within a time.
    Depot {
        /// How far from the depot's centre an acceptance may be.
        radius_m: u64,
        /// From the first acceptance of a round to its last.
        window_ms: i64,
    },
    /// What the file itself says.
    Column {
        /// The file's column; `None` is the `round` field of the mapping.
        name: Option<String>,
    },
    /// One round for each service date.
    Single,
}

/// Why a rule was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupRuleError {
    /// Does not begin with one of the three forms.
    #[error("a rule begins with depot=LENGTH, column=NAME, column or single")]
    Form,
    /// A depot rule without its time.
    #[error("depot=… needs window=…, such as window=20min")]
    WindowMissing,
    /// A key that means nothing here.
    #[error("{key:?} means nothing in this rule")]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// A key given twice.
    #[error("{key} is given twice")]
    Twice {
        /// The key.
        key: &'static str,
    },
    /// Not a number with a fitting unit.
    #[error("{key} needs {expected}")]
    Value {
        /// The key.
        key: &'static str,
        /// What is expected, with an example.
        expected: &'static str,
    },
    /// Outside what makes sense.
    #[error("{key} must be between {min} and {max}")]
    Range {
        /// The key.
        key: &'static str,
        /// The least, with its unit.
        min: &'static str,
        /// The most, with its unit.
        max: &'static str,
    },
}

/// A quantity a rule can hold: its name, units and limits.
struct Quantity {
    key: &'static str,
    expected: &'static str,
    /// Unit and factor to the stored unit; an empty unit is a bare number.
    units: &'static [(&'static str, u64)],
    min: (u64, &'static str),
    max: (u64, &'static str),
}

const LENGTH_UNITS: &[(&str, u64)] = &[("km", 1_000), ("m", 1)];

const DEPOT: Quantity = Quantity {
    key: "depot",
    expected: "a length such as 150m or 1km",
    units: LENGTH_UNITS,
    min: (10, "10m"),
    max: (50_000, "50km"),
};
const WINDOW: Quantity = Quantity {
    key: "window",
    expected: "a time such as 20min or 2h",
    units: &[("min", 60_000), ("h", 3_600_000)],
    min: (60_000, "1min"),
    max: (24 * 3_600_000, "24h"),
};
const MAX: Quantity = Quantity {
    key: "max",
    expected: "a whole number such as 60",
    units: &[("", 1)],
    min: (1, "1"),
    max: (MAX_STOPS, "500"),
};
const MERGE: Quantity = Quantity {
    key: "merge",
    expected: "a length such as 15m, or 0m",
    units: LENGTH_UNITS,
    min: (0, "0m"),
    max: (200, "200m"),
};

impl Quantity {
    fn parse(&self, text: &str) -> Result<u64, GroupRuleError> {
        let wrong = GroupRuleError::Value {
            key: self.key,
            expected: self.expected,
        };
        let in_unit = |&(unit, factor): &(&str, u64)| {
            let number = text.strip_suffix(unit)?.trim_end();
            let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| {
                number
                    .parse::<u64>()
                    .unwrap_or(u64::MAX)
                    .saturating_mul(factor)
            })
        };
        let value = self.units.iter().find_map(in_unit).ok_or(wrong)?;
        if value < self.min.0 || value > self.max.0 {
            return Err(GroupRuleError::Range {
                key: self.key,
                min: self.min.1,
                max: self.max.1,
            });
        }
        Ok(value)
    }

    /// Parses into a slot that must still be free.
    fn fill(&self, slot: &mut Option<u64>, text: &str) -> Result<(), GroupRuleError> {
        match slot.replace(self.parse(text)?) {
            None => Ok(()),
            Some(_) => Err(GroupRuleError::Twice { key: self.key }),
        }
    }
}

impl FromStr for GroupRule {
    type Err = GroupRuleError;

    fn from_str(text: &str) -> Result<Self, GroupRuleError> {
        let mut parts = text.split(',').map(|part| match part.split_once('=') {
            Some((key, value)) => (key.trim(), Some(value.trim())),
            None => (part.trim(), None),
        });
        let form = parts.next().unwrap_or_default();
        let (mut window, mut max, mut merge) = (None, None, None);
        for (key, value) in parts {
            let value = value.unwrap_or_default();
            match key {
                "window" if form.0 == "depot" => WINDOW.fill(&mut window, value)?,
                "max" => MAX.fill(&mut max, value)?,
                "merge" => MERGE.fill(&mut merge, value)?,
                _ => {
                    return Err(GroupRuleError::UnknownKey {
                        key: key.to_owned(),
                    });
                }
            }
        }
        let (by, default_stops) = match form {
            ("depot", Some(radius)) => {
                let radius_m = DEPOT.parse(radius)?;
                let window_ms = window.ok_or(GroupRuleError::WindowMissing)?;
                // At most a day, by the limits of WINDOW.
                let window_ms = i64::try_from(window_ms).unwrap_or(i64::MAX);
                (
                    GroupBy::Depot {
                        radius_m,
                        window_ms,
                    },
                    DEFAULT_DEPOT_STOPS,
                )
            }
            ("column", None) => (GroupBy::Column { name: None }, MAX_STOPS),
            ("column", Some(name)) if !name.is_empty() => (
                GroupBy::Column {
                    name: Some(name.to_owned()),
                },
                MAX_STOPS,
            ),
            ("single", None) => (GroupBy::Single, MAX_STOPS),
            _ => return Err(GroupRuleError::Form),
        };
        Ok(Self {
            by,
            max_stops: max.unwrap_or(default_stops),
            merge_doors_m: merge.unwrap_or(DEFAULT_MERGE_M),
        })
    }
}
