//! Deliveries from a file: bytes and a saved mapping in, deliveries and row-numbered errors out.
//!
//! A depot's own system exports what it has, under its own column names. The mapping says which
//! column is what ([`Mapping`]); [`read_rows`] turns every row it can into a [`Delivery`] and names
//! the row, the field and the problem of every row it cannot. A bad row never stops the good ones.
//! [`plan_rounds`] then cuts the deliveries into the rounds that couriers drive.
//!
//! Nothing here touches the database, the network or the clock, so a dry run is the real run
//! without its last step. No error carries a value from the file: the values are names, addresses
//! and phone numbers, and errors end up in logs (PIPL 51).

mod fields;
mod geo;
mod group;
mod json_source;
mod mapping;
mod mapping_file;
mod model;
mod problem;
mod rounds;
mod row;
mod source;
mod stops;
mod value;

pub(crate) use geo::distance_m;
pub use group::{GroupBy, GroupRule, GroupRuleError};
pub use mapping::Mapping;
pub use mapping_file::{Datum, MappingError};
pub use model::{Contents, Delivery, Field, RecipientCode};
pub use problem::{ImportError, RowError, RowProblem};
pub use rounds::{GroupError, PlannedStop, Round, parcel_key, plan_rounds};
pub use value::TimeFormatError;

use std::collections::BTreeMap;

/// Largest file taken. A city's day is about 10 MB; above this somebody picked the wrong file.
pub const MAX_FILE_BYTES: usize = 32 * 1024 * 1024;
/// Longest row taken. A delivery is under 1 KB; a longer row is an unclosed quote or an attack.
pub const MAX_ROW_BYTES: usize = 16 * 1024;
/// Most rows taken from one file, so that one import stays one short database transaction.
pub const MAX_ROWS: u64 = 100_000;

/// How the bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Decide by the first character: `[` or `{` is JSON, anything else CSV.
    #[default]
    Auto,
    /// Separated values with a header line.
    Csv,
    /// An array of objects, an object with a `deliveries` array, or one object a line.
    Json,
}

/// What one file gave.
#[derive(Debug)]
pub struct Imported {
    /// The good rows, in file order.
    pub deliveries: Vec<Delivery>,
    /// Everything wrong with the other rows; one row may have several.
    pub errors: Vec<RowError>,
    /// Rows seen, good and bad, blank ones not counted.
    pub rows_read: u64,
}

impl Imported {
    /// Rows that gave no delivery.
    #[must_use]
    pub fn rows_rejected(&self) -> u64 {
        self.rows_read.saturating_sub(self.deliveries.len() as u64)
    }
}

/// Reads every row of `bytes` as `mapping` says.
///
/// # Errors
/// [`ImportError`] only where no row can be trusted: not a table at all, a column the mapping
/// names is absent, or the file is over a limit. Everything else is a [`RowError`].
pub fn read_rows(bytes: &[u8], format: Format, mapping: &Mapping) -> Result<Imported, ImportError> {
    let text = source::table_bytes(bytes)?;
    let mut imported = Imported {
        deliveries: Vec::new(),
        errors: Vec::new(),
        rows_read: 0,
    };
    let mut first_row_of: BTreeMap<String, u64> = BTreeMap::new();
    let mut sink = |read: Result<source::RawRow, RowError>| {
        imported.rows_read += 1;
        match read {
            Err(error) => imported.errors.push(error),
            Ok(raw) => match row::delivery(&raw, mapping) {
                Err(errors) => imported.errors.extend(errors),
                Ok(delivery) => match first_row_of.get(&delivery.waybill) {
                    Some(&first_row) => imported.errors.push(RowError {
                        row: raw.row,
                        field: Some(Field::Waybill),
                        problem: RowProblem::DuplicateWaybill { first_row },
                    }),
                    None => {
                        first_row_of.insert(delivery.waybill.clone(), raw.row);
                        imported.deliveries.push(delivery);
                    }
                },
            },
        }
    };
    match format.resolve(text) {
        Format::Json => json_source::read_json(text, mapping, &mut sink)?,
        Format::Csv | Format::Auto => source::read_csv(text, mapping, &mut sink)?,
    }
    if imported.rows_read == 0 {
        return Err(ImportError::NoRows);
    }
    Ok(imported)
}

impl Format {
    fn resolve(self, text: &[u8]) -> Self {
        match (self, text.iter().find(|byte| !byte.is_ascii_whitespace())) {
            (Self::Auto, Some(b'[' | b'{')) => Self::Json,
            (Self::Auto, _) => Self::Csv,
            (chosen, _) => chosen,
        }
    }
}

#[cfg(test)]
mod group_tests;
#[cfg(test)]
mod mapping_tests;
#[cfg(test)]
mod tests;
