//! One raw row and the mapping to one delivery, or to everything wrong with the row.
//!
//! All fields are looked at even after the first fault: who mends a file wants the whole list.

use std::borrow::Cow;

use satchel_protocol::feed::{LatLng, TemperatureLimits};

use super::fields;
use super::mapping::{Mapping, Origin, Piece};
use super::model::{Contents, Delivery, Field};
use super::problem::{RowError, RowProblem};
use super::source::{Cell, RawRow};
use super::value;

const MAX_LIST_ITEMS: usize = 16;

/// The delivery of a row.
pub(super) fn delivery(raw: &RawRow, mapping: &Mapping) -> Result<Delivery, Vec<RowError>> {
    let mut row = Row {
        raw,
        mapping,
        errors: Vec::new(),
    };
    let waybill = row.parsed(Field::Waybill, fields::waybill);
    let position = row.position(Field::Lat, Field::Lng);
    let address = row.parsed(Field::Address, fields::address);
    let recipient_name = row.parsed(Field::RecipientName, fields::name);
    let recipient_phone = row.parsed(Field::RecipientPhone, value::phone);
    let accepted_at_ms = row.time(Field::AcceptedAt, None);
    let window_start_ms = row.time(Field::WindowStart, accepted_at_ms);
    let window_end_ms = row.time(Field::WindowEnd, accepted_at_ms);
    let driven_at_ms = row.time(Field::DrivenAt, accepted_at_ms);
    let promise_class = row.parsed(Field::PromiseClass, fields::promise_class);
    let door_required = row
        .parsed(Field::DoorRequired, value::boolean)
        .unwrap_or(false);
    let tags = row.list(Field::Tags, fields::tag);
    let consents = row.list(Field::Consents, fields::consent);
    let depot = row.position(Field::DepotLat, Field::DepotLng);
    let round = row.parsed(Field::Round, fields::name);
    let tier = row.parsed(Field::Tier, fields::tier);
    let min_age_years = row.parsed(Field::MinAge, fields::min_age);
    let temperature = row.temperature();
    let code = row.parsed(Field::Code, fields::code);
    let pickup_until_ms = row.time(Field::PickupUntil, accepted_at_ms);
    let contents = row.contents();
    row.check_times(accepted_at_ms, window_start_ms, window_end_ms, driven_at_ms);

    match (waybill, position, address, accepted_at_ms, promise_class) {
        (
            Some(waybill),
            Some(position),
            Some(address),
            Some(accepted_at_ms),
            Some(promise_class),
        ) if row.errors.is_empty() => Ok(Delivery {
            row: raw.row,
            waybill,
            position,
            address,
            recipient_name,
            recipient_phone,
            accepted_at_ms,
            utc_offset_min: mapping.time_format(Field::AcceptedAt).utc_offset_min,
            window_start_ms,
            window_end_ms,
            promise_class,
            tags,
            door_required,
            consents,
            depot,
            driven_at_ms,
            round,
            tier,
            min_age_years,
            temperature,
            code,
            pickup_until_ms,
            contents,
        }),
        _ => Err(row.errors),
    }
}

struct Row<'a> {
    raw: &'a RawRow,
    mapping: &'a Mapping,
    errors: Vec<RowError>,
}

impl Row<'_> {
    fn reject(&mut self, field: Field, problem: RowProblem) {
        self.errors.push(RowError {
            row: self.raw.row,
            field: Some(field),
            problem,
        });
    }

    /// The value of a field; `None` if it has none or a wrong one, which is then on the list.
    fn parsed<T>(
        &mut self,
        field: Field,
        parse: impl Fn(&str) -> Result<T, RowProblem>,
    ) -> Option<T> {
        let mut items = self.texts(field)?;
        let text = items.pop()?;
        parse(&text)
            .map_err(|problem| self.reject(field, problem))
            .ok()
    }

    /// The items of a list, sorted, each once.
    fn list<T: Ord>(
        &mut self,
        field: Field,
        parse: impl Fn(&str) -> Result<T, RowProblem>,
    ) -> Vec<T> {
        let texts = self.texts(field).unwrap_or_default();
        let parsed = if texts.len() > MAX_LIST_ITEMS {
            Err(RowProblem::TooManyItems {
                max_items: MAX_LIST_ITEMS,
            })
        } else {
            texts
                .iter()
                .map(|text| parse(text))
                .collect::<Result<Vec<T>, _>>()
        };
        let mut items = parsed.unwrap_or_else(|problem| {
            self.reject(field, problem);
            Vec::new()
        });
        items.sort_unstable();
        items.dedup();
        items
    }

    fn time(&mut self, field: Field, after_ms: Option<i64>) -> Option<i64> {
        let format = self.mapping.time_format(field);
        self.parsed(field, |text| format.instant_ms(text, after_ms))
    }

    fn position(&mut self, lat_field: Field, lng_field: Field) -> Option<LatLng> {
        let comma = self.mapping.decimal_comma;
        let faults_before = self.errors.len();
        let lat = self.parsed(lat_field, |text| fields::latitude(text, comma));
        let lng = self.parsed(lng_field, |text| fields::longitude(text, comma));
        match (lat, lng) {
            (Some(0.0), Some(0.0)) => {
                self.reject(lat_field, RowProblem::ZeroPosition);
                None
            }
            (Some(lat), Some(lng)) => Some(LatLng { lat, lng }),
            (None, None) => None,
            _ => {
                if self.errors.len() == faults_before {
                    self.reject(lat_field, RowProblem::HalfPosition);
                }
                None
            }
        }
    }

    fn temperature(&mut self) -> Option<TemperatureLimits> {
        let comma = self.mapping.decimal_comma;
        let faults_before = self.errors.len();
        let min = self.parsed(Field::TempMinC, |text| fields::temperature(text, comma));
        let max = self.parsed(Field::TempMaxC, |text| fields::temperature(text, comma));
        match (min, max) {
            (Some(min_centi_c), Some(max_centi_c)) if min_centi_c <= max_centi_c => {
                return Some(TemperatureLimits {
                    min_centi_c,
                    max_centi_c,
                });
            }
            (Some(_), Some(_)) => self.reject(Field::TempMinC, RowProblem::TemperatureInverted),
            (None, None) => {}
            _ if self.errors.len() == faults_before => {
                self.reject(Field::TempMinC, RowProblem::HalfTemperature);
            }
            _ => {}
        }
        None
    }

    fn contents(&mut self) -> Contents {
        let comma = self.mapping.decimal_comma;
        Contents {
            goods: self.parsed(Field::Goods, fields::name),
            pieces: self.parsed(Field::Pieces, fields::pieces),
            weight_g: self.parsed(Field::WeightKg, |text| fields::weight_g(text, comma)),
            fee_fen: self.parsed(Field::FeeCny, |text| fields::fee_fen(text, comma)),
        }
    }

    fn check_times(
        &mut self,
        accepted: Option<i64>,
        start: Option<i64>,
        end: Option<i64>,
        driven: Option<i64>,
    ) {
        if start.zip(end).is_some_and(|(start, end)| start >= end) {
            self.reject(Field::WindowEnd, RowProblem::WindowInverted);
        } else if accepted
            .zip(end)
            .is_some_and(|(accepted, end)| end < accepted)
        {
            self.reject(Field::WindowEnd, RowProblem::WindowOver);
        }
        if accepted
            .zip(driven)
            .is_some_and(|(accepted, driven)| driven < accepted)
        {
            self.reject(Field::DrivenAt, RowProblem::DrivenBeforeAccepted);
        }
    }

    /// The texts of a field, with default and value table applied. `None`: there is none.
    fn texts(&mut self, field: Field) -> Option<Vec<String>> {
        let rule = self.mapping.rules.get(&field)?;
        let cell = match &rule.origin {
            Origin::Column(column) => self.cell(*column),
            Origin::Constant(text) => Ok(Some(vec![Cow::Borrowed(text.as_str())])),
            Origin::Template(pieces) => self.filled(pieces),
        };
        let found = match cell {
            Ok(found) => found,
            Err(problem) => {
                self.reject(field, problem);
                return None;
            }
        };
        let default = || {
            rule.default
                .as_deref()
                .map(|text| vec![Cow::Borrowed(text)])
        };
        let Some(found) = found.or_else(default) else {
            if rule.required {
                self.reject(field, RowProblem::Empty);
            }
            return None;
        };
        if !fields::is_list(field) && found.len() != 1 {
            self.reject(field, RowProblem::WrongType);
            return None;
        }
        let items = found
            .iter()
            .flat_map(|text| self.mapping.items(field, text));
        Some(items.map(|item| rule.translated(item).to_owned()).collect())
    }

    fn cell(&self, column: usize) -> Result<Option<Vec<Cow<'_, str>>>, RowProblem> {
        match self.raw.cells.get(column) {
            None | Some(Cell::Missing) => Ok(None),
            Some(Cell::Text(text)) => Ok(Some(vec![Cow::Borrowed(text.as_str())])),
            Some(Cell::List(items)) => Ok(Some(
                items
                    .iter()
                    .map(|item| Cow::Borrowed(item.as_str()))
                    .collect(),
            )),
            Some(Cell::NotUtf8) => Err(RowProblem::NotUtf8),
            Some(Cell::WrongType) => Err(RowProblem::WrongType),
        }
    }

    /// A template with its holes filled; nothing at all if one of its columns is empty, since half
    /// an address or half a number is worse than none.
    fn filled(&self, pieces: &[Piece]) -> Result<Option<Vec<Cow<'_, str>>>, RowProblem> {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Row { pad } => text.push_str(&format!("{:0pad$}", self.raw.ordinal)),
                Piece::Column(column) => match self.cell(*column)?.as_deref() {
                    None => return Ok(None),
                    Some([one]) => text.push_str(one),
                    Some(_) => return Err(RowProblem::WrongType),
                },
            }
        }
        Ok(Some(vec![Cow::Owned(text)]))
    }
}
