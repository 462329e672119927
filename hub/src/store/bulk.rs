//! Many rows in few statements. Each call of a statement is a trip to the database's own thread and back, which
//! costs more than most of the statements; a batch of a phone's log is a few hundred entries of some ten rows each.

use satchel_protocol::ids::{Hash32, ParcelId};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::error::HubError;

/// Rows to a statement. Few different lengths, so that the statements stay prepared; the longest row has some
/// forty columns, far from SQLite's bound on parameters.
const CHUNKS: [usize; 4] = [64, 16, 4, 1];

/// What a column gets.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&[u8]> for Cell {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Rows for one table, put in in the order in which they were given.
#[derive(Debug)]
pub(crate) struct Rows {
    /// Up to the values: `INSERT INTO t (a, b)`.
    insert: &'static str,
    /// Behind them: what to do on a conflict, what to return.
    then: &'static str,
    columns: usize,
    cells: Vec<Cell>,
}

impl Rows {
    pub(crate) fn new(insert: &'static str, then: &'static str) -> Self {
        Self {
            insert,
            then,
            columns: insert.matches(',').count() + 1,
            cells: Vec::new(),
        }
    }

    pub(crate) fn push<const N: usize>(&mut self, row: [Cell; N]) {
        debug_assert_eq!(N, self.columns, "{}", self.insert);
        self.cells.extend(row);
    }

    /// Puts them in. Gives what the statement returns.
    pub(crate) async fn put(self, conn: &mut SqliteConnection) -> Result<Vec<SqliteRow>, HubError> {
        let mut left = self.cells.len() / self.columns;
        let mut cells = self.cells.into_iter();
        let mut returned = Vec::new();
        while left > 0 {
            let Some(count) = CHUNKS.into_iter().find(|count| *count <= left) else {
                break;
            };
            let row = format!("({})", vec!["?"; self.columns].join(","));
            let values = vec![row.as_str(); count].join(",");
            // Made of constants and question marks.
            let sql = AssertSqlSafe(format!("{} VALUES {values} {}", self.insert, self.then));
            let mut query = sqlx::query(sql);
            for cell in cells.by_ref().take(count * self.columns) {
                query = match cell {
                    Cell::Null => query.bind(None::<i64>),
                    Cell::Int(value) => query.bind(value),
                    Cell::Real(value) => query.bind(value),
                    Cell::Text(value) => query.bind(value),
                    Cell::Bytes(value) => query.bind(value),
                };
            }
            returned.extend(query.fetch_all(&mut *conn).await?);
            left -= count;
        }
        Ok(returned)
    }
}

/// Ids as one argument, to be read with `IN (SELECT unhex(value) FROM json_each(?))`.
pub(crate) fn ids<'a>(ids: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut list = String::from("[");
    for id in ids {
        list.push(if list.len() > 1 { ',' } else { ' ' });
        list.push('"');
        data_encoding::HEXLOWER.encode_append(id, &mut list);
        list.push('"');
    }
    list.push(']');
    list
}

/// [`ids`] of parcels.
pub(crate) fn parcels<'a>(parcels: impl IntoIterator<Item = &'a ParcelId>) -> String {
    ids(parcels.into_iter().map(|parcel| &parcel.as_bytes()[..]))
}

/// [`ids`] of hashes.
pub(crate) fn hashes<'a>(hashes: impl IntoIterator<Item = &'a Hash32>) -> String {
    ids(hashes.into_iter().map(|hash| &hash.0[..]))
}
