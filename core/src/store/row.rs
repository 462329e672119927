//! Reading typed values out of rows; a value of the wrong form is a typed error, never a panic.

use rusqlite::Row;
use uuid::Uuid;

use crate::error::{Result, StoreError};

pub(crate) fn bytes<const N: usize>(row: &Row<'_>, column: &'static str) -> Result<[u8; N]> {
    let blob: Vec<u8> = row.get(column)?;
    blob.try_into()
        .map_err(|_| StoreError::BadRow(column).into())
}

pub(crate) fn opt_bytes<const N: usize>(
    row: &Row<'_>,
    column: &'static str,
) -> Result<Option<[u8; N]>> {
    let blob: Option<Vec<u8>> = row.get(column)?;
    blob.map(|b| b.try_into().map_err(|_| StoreError::BadRow(column).into()))
        .transpose()
}

pub(crate) fn uuid(row: &Row<'_>, column: &'static str) -> Result<Uuid> {
    bytes::<16>(row, column).map(Uuid::from_bytes)
}

pub(crate) fn unsigned<T: TryFrom<i64>>(row: &Row<'_>, column: &'static str) -> Result<T> {
    let value: i64 = row.get(column)?;
    T::try_from(value).map_err(|_| StoreError::BadRow(column).into())
}

/// A stored code of one of the code lists.
pub(crate) fn code<T>(
    row: &Row<'_>,
    column: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T> {
    let text: String = row.get(column)?;
    read(&text).ok_or_else(|| StoreError::BadRow(column).into())
}
