//! Reading typed values out of rows; a value of the wrong form is a typed error, never a panic.

use rusqlite::Row;
use rusqlite::types::FromSql;
use uuid::Uuid;

use crate::error::{Error, Result, StoreError};

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

/// What a cell that lost its width is read as where it may hold up nothing: `instead`, which fits nothing.
pub(crate) fn bytes_or<const N: usize>(
    row: &Row<'_>,
    column: &'static str,
    instead: [u8; N],
) -> Result<[u8; N]> {
    let blob: Vec<u8> = row.get(column)?;
    Ok(blob.try_into().unwrap_or(instead))
}

/// [`opt_bytes`], and nothing where the cell lost its width.
pub(crate) fn readable_bytes<const N: usize>(
    row: &Row<'_>,
    column: &'static str,
) -> Result<Option<[u8; N]>> {
    let blob: Option<Vec<u8>> = row.get(column)?;
    Ok(blob.and_then(|b| b.try_into().ok()))
}

/// Whether reading failed because of one row, so that the others can go on.
pub(crate) fn is_of_one_row(error: &Error) -> bool {
    matches!(error, Error::Store(StoreError::BadRow(_)))
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

/// Columns in the order in which the statement names them. Looking a column up by its name compares it with
/// every one before it, which for the wide rows that each attempt reads costs more than the reading.
pub(crate) struct InOrder<'a, 'stmt> {
    row: &'a Row<'stmt>,
    next: usize,
}

impl<'a, 'stmt> InOrder<'a, 'stmt> {
    pub(crate) const fn new(row: &'a Row<'stmt>) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn get<T: FromSql>(&mut self) -> Result<T> {
        let at = self.next;
        self.next += 1;
        Ok(self.row.get(at)?)
    }

    /// `what` names the column if it has not its form.
    pub(crate) fn bytes<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N]> {
        self.opt_bytes(what)?
            .ok_or_else(|| StoreError::BadRow(what).into())
    }

    pub(crate) fn opt_bytes<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<Option<[u8; N]>> {
        let at = self.next;
        self.next += 1;
        let bytes = self.row.get_ref(at)?.as_blob_or_null();
        let Some(bytes) = bytes.map_err(|_| StoreError::BadRow(what))? else {
            return Ok(None);
        };
        let bytes = bytes.try_into().map_err(|_| StoreError::BadRow(what))?;
        Ok(Some(bytes))
    }

    pub(crate) fn uuid(&mut self, what: &'static str) -> Result<Uuid> {
        self.bytes::<16>(what).map(Uuid::from_bytes)
    }

    pub(crate) fn unsigned<T: TryFrom<i64>>(&mut self, what: &'static str) -> Result<T> {
        T::try_from(self.get::<i64>()?).map_err(|_| StoreError::BadRow(what).into())
    }

    /// Text that stands for something.
    pub(crate) fn text<T>(
        &mut self,
        what: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T> {
        self.opt_text(what, read)?
            .ok_or_else(|| StoreError::BadRow(what).into())
    }

    pub(crate) fn opt_text<T>(
        &mut self,
        what: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>> {
        let at = self.next;
        self.next += 1;
        let text = self.row.get_ref(at)?.as_str_or_null();
        let Some(text) = text.map_err(|_| StoreError::BadRow(what))? else {
            return Ok(None);
        };
        read(text)
            .map(Some)
            .ok_or_else(|| StoreError::BadRow(what).into())
    }
}
