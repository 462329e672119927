//! The saved mapping as it is written: its JSON form and everything that can be wrong with it.
//!
//! `docs/mappings/sample.json` uses every part. Of each field the origin is one of `column` (a
//! column name; for JSON input a key, or a JSON pointer such as `/to/name`), `constant`, and
//! `template` (text with `{row}`, `{row:4}` and `{column:NAME}`); then `values` translates what the
//! file says, `default` stands in for an empty cell, `required` refuses one, and `time` overrides
//! how times are written. `time.format` is `rfc3339`, `epoch_s`, `epoch_ms` or a strftime pattern.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::group::GroupRuleError;
use super::model::Field;
use super::problem::RowProblem;
use super::value::TimeFormatError;

/// The mapping format this build reads.
pub(super) const VERSION: u32 = 1;
/// Longest `source`, which becomes part of every key.
pub(super) const MAX_SOURCE_CHARS: usize = 32;

/// The geodetic datum of a file's coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Datum {
    /// What satellites give and the product stores.
    Wgs84,
    /// 国测局坐标: mainland map coordinates, 100–700 m off.
    Gcj02,
    /// 百度坐标: the former, shifted once more.
    Bd09,
}

/// Why a mapping was refused.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// Not JSON, or a key that does not exist, or a value of the wrong type.
    #[error("the mapping cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// Made for another version.
    #[error("the mapping has version {found}; this build reads version {VERSION}")]
    Version {
        /// The version it says.
        found: u32,
    },
    /// Coordinates that would be stored as something they are not (C4).
    #[error(
        "coordinates in {0:?} are refused: only wgs84 is stored, and conversion is not offered yet"
    )]
    DatumNotSupported(Datum),
    /// A `source` that cannot be part of a key.
    #[error("`source` must be 1 to {MAX_SOURCE_CHARS} of a-z, 0-9 and \"-\"")]
    Source,
    /// A delimiter that is not one plain character.
    #[error(
        "`csv.delimiter` must be one ASCII character, not a quote, letter, digit or line break"
    )]
    Delimiter,
    /// A decimal separator other than point or comma.
    #[error("`decimal_separator` must be \".\" or \",\"")]
    DecimalSeparator,
    /// An empty list separator would cut between all letters.
    #[error("`list_separator` must not be empty")]
    ListSeparator,
    /// A field no delivery can do without.
    #[error("the mapping says nothing about the required field `{}`", .0.name())]
    FieldMissing(Field),
    /// One coordinate of the depot without the other.
    #[error("`depot_lat` and `depot_lng` need each other")]
    HalfDepot,
    /// None or several of column, constant and template.
    #[error("field `{}` needs exactly one of `column`, `constant` and `template`", .0.name())]
    OneSource(Field),
    /// A default for something that is always there, or a time format on something that is no time.
    #[error("field `{}` has a key that means nothing there: `{key}`", field.name())]
    Pointless {
        /// The field.
        field: Field,
        /// The key.
        key: &'static str,
    },
    /// A fixed text that the field cannot hold.
    #[error("field `{}`: `{key}` {problem}", field.name())]
    Value {
        /// The field.
        field: Field,
        /// `constant`, `default` or `values`.
        key: &'static str,
        /// What is wrong with it.
        problem: RowProblem,
    },
    /// A template that cannot be read.
    #[error("field `{}`: a template holds text, {{row}}, {{row:4}} and {{column:NAME}}, and braces are doubled", .0.name())]
    Template(Field),
    /// A time format that cannot be used.
    #[error("{place}: {problem}")]
    Time {
        /// `time` or the field it is set for.
        place: &'static str,
        /// Why.
        problem: TimeFormatError,
    },
    /// A grouping rule that cannot be read.
    #[error("`group`: {0}")]
    Group(#[from] GroupRuleError),
}

/// Only the version, which is looked at before anything else.
#[derive(Deserialize)]
pub(super) struct VersionOnly {
    pub(super) version: u32,
}

/// A mapping as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MappingFile {
    #[serde(rename = "version")]
    _version: u32,
    pub(super) source: String,
    #[serde(default, rename = "note")]
    _note: Option<String>,
    pub(super) datum: Datum,
    #[serde(default)]
    pub(super) csv: CsvSpec,
    pub(super) time: TimeSpec,
    #[serde(default)]
    pub(super) decimal_separator: Option<String>,
    #[serde(default)]
    pub(super) list_separator: Option<String>,
    #[serde(default)]
    pub(super) group: Option<String>,
    pub(super) fields: BTreeMap<Field, FieldSpec>,
}

/// What only CSV needs.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct CsvSpec {
    #[serde(default)]
    pub(super) delimiter: Option<String>,
}

/// How times are written; see [`TimeFormat::new`].
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct TimeSpec {
    pub(super) format: String,
    pub(super) utc_offset_min: i32,
    #[serde(default)]
    pub(super) default_year: Option<i32>,
}

/// How one field is filled, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldSpec {
    #[serde(default)]
    pub(super) column: Option<String>,
    #[serde(default)]
    pub(super) constant: Option<String>,
    #[serde(default)]
    pub(super) template: Option<String>,
    #[serde(default)]
    pub(super) default: Option<String>,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) values: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) time: Option<TimeSpec>,
}
