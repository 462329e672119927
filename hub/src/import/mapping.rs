//! The saved mapping, checked: which column of a file is which field of a delivery.
//!
//! A mapping is JSON, checked whole when it is loaded, so that a mistake in it is one message about
//! the mapping and not one message for every row. Unknown keys are refused: a misspelt `default`
//! that is silently ignored loses deliveries.

use std::collections::{BTreeMap, BTreeSet};

use super::fields;
use super::group::{GroupBy, GroupRule};
use super::mapping_file::{
    Datum, FieldSpec, MAX_SOURCE_CHARS, MappingError, MappingFile, TimeSpec, VERSION, VersionOnly,
};
use super::model::Field;
use super::problem::RowProblem;
use super::value::TimeFormat;

/// Widest zero padding of `{row:N}`.
const MAX_PAD: usize = 12;

/// A checked mapping, ready to read rows with.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub(super) source: String,
    pub(super) delimiter: u8,
    pub(super) decimal_comma: bool,
    pub(super) list_separator: String,
    pub(super) columns: Vec<String>,
    pub(super) rules: BTreeMap<Field, Rule>,
    pub(super) time: TimeFormat,
    group: Option<GroupRule>,
}

/// How one field is filled.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) origin: Origin,
    pub(super) default: Option<String>,
    pub(super) required: bool,
    pub(super) values: BTreeMap<String, String>,
    /// Where this field's times are written differently from the others.
    pub(super) time: Option<TimeFormat>,
}

impl Rule {
    /// What a text of the file stands for, if the value table says so; else the text.
    pub(super) fn translated<'t>(&'t self, text: &'t str) -> &'t str {
        self.values.get(text).map_or(text, String::as_str)
    }
}

/// Where a value comes from. Columns are numbers into [`Mapping::columns`].
#[derive(Debug, Clone)]
pub(super) enum Origin {
    Column(usize),
    Constant(String),
    Template(Vec<Piece>),
}

/// A part of a template.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Text(String),
    Row { pad: usize },
    Column(usize),
}

impl Mapping {
    /// Reads and checks a mapping.
    ///
    /// # Errors
    /// [`MappingError`] for the first thing wrong with it.
    pub fn from_json(json: &[u8]) -> Result<Self, MappingError> {
        // The version first: a newer mapping must not be reported as a misspelt one.
        let VersionOnly { version } = serde_json::from_slice(json)?;
        if version != VERSION {
            return Err(MappingError::Version { found: version });
        }
        let file: MappingFile = serde_json::from_slice(json)?;
        if file.datum != Datum::Wgs84 {
            return Err(MappingError::DatumNotSupported(file.datum));
        }
        let time = time_format(&file.time, "time")?;
        let mut mapping = Self {
            source: checked_source(file.source)?,
            delimiter: delimiter(file.csv.delimiter.as_deref())?,
            decimal_comma: decimal_comma(file.decimal_separator.as_deref())?,
            list_separator: file.list_separator.unwrap_or_else(|| "|".to_owned()),
            columns: Vec::new(),
            rules: BTreeMap::new(),
            time,
            group: None,
        };
        if mapping.list_separator.is_empty() {
            return Err(MappingError::ListSeparator);
        }
        for (field, spec) in file.fields {
            let rule = mapping.rule(field, spec)?;
            mapping.rules.insert(field, rule);
        }
        mapping.check_fields()?;
        mapping.check_values()?;
        if let Some(text) = file.group {
            mapping.set_group(text.parse()?);
        }
        Ok(mapping)
    }

    /// The short name that keeps the waybills of one system apart from those of another.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The grouping in force: the mapping's own, unless [`Self::set_group`] gave another.
    #[must_use]
    pub fn group(&self) -> Option<&GroupRule> {
        self.group.as_ref()
    }

    /// Puts a grouping rule in force. Call it before reading rows: what the rule groups by becomes
    /// required, and `column=NAME` makes that column the round of a delivery.
    pub fn set_group(&mut self, group: GroupRule) {
        if let GroupBy::Column { name: Some(name) } = &group.by {
            let rule = Rule {
                origin: Origin::Column(self.column(name)),
                default: None,
                required: true,
                values: BTreeMap::new(),
                time: None,
            };
            self.rules.insert(Field::Round, rule);
        }
        let grouped_by: &[Field] = match group.by {
            GroupBy::Depot { .. } => &[Field::DepotLat, Field::DepotLng],
            GroupBy::Column { .. } => &[Field::Round],
            GroupBy::Single => &[],
        };
        for field in grouped_by {
            if let Some(rule) = self.rules.get_mut(field) {
                rule.required = true;
            }
        }
        self.group = Some(group);
    }

    /// Columns without which no row can be read, as opposed to optional keys of JSON objects.
    pub(super) fn needed_columns(&self) -> BTreeSet<usize> {
        let needed = self
            .rules
            .values()
            .filter(|rule| rule.required && rule.default.is_none());
        needed
            .flat_map(|rule| match &rule.origin {
                Origin::Column(column) => vec![*column],
                Origin::Constant(_) => Vec::new(),
                Origin::Template(pieces) => pieces
                    .iter()
                    .filter_map(|piece| match piece {
                        Piece::Column(column) => Some(*column),
                        Piece::Text(_) | Piece::Row { .. } => None,
                    })
                    .collect(),
            })
            .collect()
    }

    fn rule(&mut self, field: Field, spec: FieldSpec) -> Result<Rule, MappingError> {
        let is_time = matches!(
            field,
            Field::AcceptedAt
                | Field::WindowStart
                | Field::WindowEnd
                | Field::DrivenAt
                | Field::PickupUntil
        );
        if spec.time.is_some() && !is_time {
            return Err(MappingError::Pointless { field, key: "time" });
        }
        if spec.constant.is_some() && spec.default.is_some() {
            return Err(MappingError::Pointless {
                field,
                key: "default",
            });
        }
        let origin = match (spec.column, spec.constant, spec.template) {
            (Some(name), None, None) if !name.is_empty() => Origin::Column(self.column(&name)),
            (None, Some(text), None) => Origin::Constant(text),
            (None, None, Some(text)) => Origin::Template(self.template(field, &text)?),
            _ => return Err(MappingError::OneSource(field)),
        };
        Ok(Rule {
            origin,
            default: spec.default,
            required: spec.required || field.is_required(),
            values: spec.values,
            time: spec
                .time
                .map(|time| time_format(&time, field.name()))
                .transpose()?,
        })
    }

    /// The number of a column, which is given on first use.
    fn column(&mut self, name: &str) -> usize {
        self.columns
            .iter()
            .position(|known| known == name)
            .unwrap_or_else(|| {
                self.columns.push(name.to_owned());
                self.columns.len() - 1
            })
    }

    fn template(&mut self, field: Field, text: &str) -> Result<Vec<Piece>, MappingError> {
        let bad = || MappingError::Template(field);
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            if let Some(after) = from.strip_prefix("{{") {
                plain.push('{');
                rest = after;
            } else if let Some(after) = from.strip_prefix("}}") {
                plain.push('}');
                rest = after;
            } else {
                let (hole, after) = from
                    .strip_prefix('{')
                    .and_then(|inner| inner.split_once('}'))
                    .ok_or_else(bad)?;
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(self.hole(hole).ok_or_else(bad)?);
                rest = after;
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        if pieces.is_empty() {
            Err(bad())
        } else {
            Ok(pieces)
        }
    }

    fn hole(&mut self, hole: &str) -> Option<Piece> {
        match hole.split_once(':') {
            None if hole == "row" => Some(Piece::Row { pad: 0 }),
            Some(("row", pad)) => pad
                .parse()
                .ok()
                .filter(|pad| *pad <= MAX_PAD)
                .map(|pad| Piece::Row { pad }),
            Some(("column", name)) if !name.is_empty() => Some(Piece::Column(self.column(name))),
            _ => None,
        }
    }

    /// How the times of a field are written.
    pub(super) fn time_format(&self, field: Field) -> &TimeFormat {
        let own = self.rules.get(&field).and_then(|rule| rule.time.as_ref());
        own.unwrap_or(&self.time)
    }

    /// A fixed text that can never be right would be an error in every row.
    fn check_values(&self) -> Result<(), MappingError> {
        for (&field, rule) in &self.rules {
            let constant = match &rule.origin {
                Origin::Constant(text) => Some(("constant", text)),
                Origin::Column(_) | Origin::Template(_) => None,
            };
            let default = rule.default.as_ref().map(|text| ("default", text));
            for (key, text) in constant.into_iter().chain(default) {
                let items = self.items(field, text);
                if items.is_empty() {
                    self.check_value(field, key, "")?;
                }
                for item in items {
                    self.check_value(field, key, rule.translated(item))?;
                }
            }
            for text in rule.values.values() {
                self.check_value(field, "values", text)?;
            }
        }
        Ok(())
    }

    fn check_value(&self, field: Field, key: &'static str, text: &str) -> Result<(), MappingError> {
        let checked = match text.trim() {
            "" => Err(RowProblem::Empty),
            text => fields::check(field, text, self),
        };
        checked.map_err(|problem| MappingError::Value {
            field,
            key,
            problem,
        })
    }

    /// The items of a text: of a list field those between the separators, else the text itself.
    pub(super) fn items<'t>(&self, field: Field, text: &'t str) -> Vec<&'t str> {
        if fields::is_list(field) {
            let items = text.split(self.list_separator.as_str()).map(str::trim);
            items.filter(|item| !item.is_empty()).collect()
        } else {
            vec![text]
        }
    }

    fn check_fields(&self) -> Result<(), MappingError> {
        let has = |field| self.rules.contains_key(&field);
        if let Some(field) = Field::ALL
            .into_iter()
            .find(|field| field.is_required() && !has(*field))
        {
            return Err(MappingError::FieldMissing(field));
        }
        if has(Field::DepotLat) != has(Field::DepotLng) {
            return Err(MappingError::HalfDepot);
        }
        Ok(())
    }
}

fn checked_source(source: String) -> Result<String, MappingError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if source.is_empty() || source.len() > MAX_SOURCE_CHARS || !source.chars().all(plain) {
        return Err(MappingError::Source);
    }
    Ok(source)
}

fn delimiter(text: Option<&str>) -> Result<u8, MappingError> {
    match text.unwrap_or(",").as_bytes() {
        [b'"' | b'\n' | b'\r' | b'.' | b'-'] => Err(MappingError::Delimiter),
        [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() => Ok(*byte),
        _ => Err(MappingError::Delimiter),
    }
}

fn decimal_comma(text: Option<&str>) -> Result<bool, MappingError> {
    match text {
        None | Some(".") => Ok(false),
        Some(",") => Ok(true),
        Some(_) => Err(MappingError::DecimalSeparator),
    }
}

fn time_format(spec: &TimeSpec, place: &'static str) -> Result<TimeFormat, MappingError> {
    TimeFormat::new(spec).map_err(|problem| MappingError::Time { place, problem })
}
