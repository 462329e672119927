//! Bytes to raw rows: what the mapping asks for, not yet understood.

use super::mapping::Mapping;
use super::problem::{ImportError, RowError, RowProblem};
use super::{MAX_FILE_BYTES, MAX_ROW_BYTES, MAX_ROWS};

/// Takes each row, or the reason why it could not be read.
pub(super) type Sink<'a> = dyn FnMut(Result<RawRow, RowError>) + 'a;

/// The cells of a row that the mapping uses, in the order of [`Mapping::columns`].
pub(super) struct RawRow {
    /// What a person calls this row; see [`RowError::row`].
    pub(super) row: u64,
    /// The how-many-th row of data, from 1; what `{row}` in a template gives.
    pub(super) ordinal: u64,
    pub(super) cells: Vec<Cell>,
}

/// One cell.
pub(super) enum Cell {
    Missing,
    Text(String),
    List(Vec<String>),
    NotUtf8,
    WrongType,
}

impl Cell {
    /// A trimmed text; nothing left is a missing cell.
    pub(super) fn from_text(text: &str) -> Self {
        match text.trim() {
            "" => Self::Missing,
            trimmed => Self::Text(trimmed.to_owned()),
        }
    }
}

/// The bytes of a table without their mark, if they can be a table at all.
pub(super) fn table_bytes(bytes: &[u8]) -> Result<&[u8], ImportError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(ImportError::TooLarge);
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(ImportError::NotUtf8);
    }
    // Zip (xlsx, ods) and the older compound file (xls).
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err(ImportError::Spreadsheet);
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => Err(ImportError::Empty),
        Some(b'<') => Err(ImportError::Html),
        Some(_) => Ok(text),
    }
}

/// Reads separated values under a header line.
///
/// An unclosed quote makes one record of many lines. Such a record is taken for what it is (many
/// lines, and too few or too many cells, or quotes inside cells, or far too long): the line where
/// it begins is reported, and reading starts again on the next line, so that the rows after it are
/// not lost.
pub(super) fn read_csv(
    text: &[u8],
    mapping: &Mapping,
    sink: &mut Sink<'_>,
) -> Result<(), ImportError> {
    let mut records = Records::new(text, mapping.delimiter);
    let Some(header) = records.next()? else {
        return Err(ImportError::Empty);
    };
    let expected = header.cells.len();
    let places = column_places(&header.cells, mapping)?;
    let mut ordinal = 0;
    while let Some(record) = records.next()? {
        if record.cells.iter().all(|cell| cell.trim_ascii().is_empty()) {
            continue;
        }
        ordinal += 1;
        if ordinal > MAX_ROWS {
            return Err(ImportError::TooManyRows);
        }
        let found = record.cells.len();
        let too_long = record.body.len() > MAX_ROW_BYTES;
        let many_lines = line_breaks(record.body) > 0;
        let problem = if many_lines
            && (found != expected || too_long || !well_quoted(record.body, mapping.delimiter))
        {
            records.resume_after_first_line()?;
            Some(RowProblem::UnclosedQuote)
        } else if too_long {
            Some(RowProblem::RowTooLong)
        } else if found != expected {
            Some(RowProblem::CellCount { expected, found })
        } else {
            None
        };
        sink(match problem {
            Some(problem) => Err(RowError {
                row: record.line,
                field: None,
                problem,
            }),
            None => Ok(RawRow {
                row: record.line,
                ordinal,
                cells: places
                    .iter()
                    .map(|place| cell(record.cells.get(*place)))
                    .collect(),
            }),
        });
    }
    Ok(())
}

fn cell(bytes: Option<&[u8]>) -> Cell {
    bytes.map_or(Cell::Missing, |bytes| {
        std::str::from_utf8(bytes).map_or(Cell::NotUtf8, Cell::from_text)
    })
}

/// Where in a record each column of the mapping stands.
fn column_places(header: &csv::ByteRecord, mapping: &Mapping) -> Result<Vec<usize>, ImportError> {
    let names: Result<Vec<&str>, _> = header.iter().map(std::str::from_utf8).collect();
    let names = names.map_err(|_| ImportError::NotUtf8)?;
    let mut places = Vec::with_capacity(mapping.columns.len());
    let mut missing = Vec::new();
    for column in &mapping.columns {
        let mut found = names
            .iter()
            .enumerate()
            .filter(|(_, name)| name.trim() == column.trim())
            .map(|(place, _)| place);
        match (found.next(), found.next()) {
            (Some(place), None) => places.push(place),
            (Some(_), Some(_)) => {
                return Err(ImportError::DuplicateColumn {
                    column: column.clone(),
                });
            }
            (None, _) => missing.push(column.clone()),
        }
    }
    if missing.is_empty() {
        Ok(places)
    } else {
        Err(ImportError::MissingColumns {
            missing,
            columns_found: names.len(),
        })
    }
}

/// The records of a CSV text with true line numbers, and the way back after an unclosed quote.
struct Records<'a> {
    text: &'a [u8],
    delimiter: u8,
    reader: csv::Reader<&'a [u8]>,
    /// Where in `text` the reader began.
    base: usize,
    /// Start and end of the last record in `text`.
    start: usize,
    end: usize,
    /// The line at `start`.
    line: u64,
    /// Bytes read more than once. Crafted quotes could make this the square of the file.
    reread_bytes: usize,
}

struct Record<'a> {
    cells: csv::ByteRecord,
    line: u64,
    body: &'a [u8],
}

impl<'a> Records<'a> {
    fn new(text: &'a [u8], delimiter: u8) -> Self {
        let reader = reader(text, delimiter);
        Self {
            text,
            delimiter,
            reader,
            base: 0,
            start: 0,
            end: 0,
            line: 1,
            reread_bytes: 0,
        }
    }

    fn next(&mut self) -> Result<Option<Record<'a>>, ImportError> {
        let mut cells = csv::ByteRecord::new();
        // On a slice, with any number of cells and any bytes allowed, the reader has no other fault.
        let more = self.reader.read_byte_record(&mut cells);
        if !more.map_err(|_| ImportError::BrokenQuotes { line: self.line })? {
            return Ok(None);
        }
        let before = self.end;
        self.end = self.base + usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX);
        // The reader skips blank lines, and the LF of a CRLF, at the start of a record.
        let blank = self
            .slice(before, self.end)
            .iter()
            .take_while(|b| matches!(b, b'\r' | b'\n'))
            .count();
        let start = before + blank;
        self.line += line_breaks(self.slice(self.start, start));
        self.start = start;
        let body = self.slice(self.start, self.end).trim_ascii_end();
        Ok(Some(Record {
            cells,
            line: self.line,
            body,
        }))
    }

    fn resume_after_first_line(&mut self) -> Result<(), ImportError> {
        let record = self.slice(self.start, self.end);
        let first_line = record
            .iter()
            .position(|b| matches!(b, b'\r' | b'\n'))
            .unwrap_or(record.len());
        self.reread_bytes += record.len() - first_line;
        if self.reread_bytes > MAX_FILE_BYTES {
            return Err(ImportError::BrokenQuotes { line: self.line });
        }
        self.base = self.start + first_line;
        self.end = self.base;
        self.reader = reader(self.slice(self.base, self.text.len()), self.delimiter);
        Ok(())
    }

    fn slice(&self, from: usize, to: usize) -> &'a [u8] {
        self.text
            .get(from..to.min(self.text.len()))
            .unwrap_or_default()
    }
}

fn reader(text: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text)
}

/// Whether each quote that opens a cell closes it too, with nothing after it in the cell. In a
/// record that swallowed its neighbours, the opening quote of a later cell is taken for a closing
/// one, and text follows it.
fn well_quoted(record: &[u8], delimiter: u8) -> bool {
    let ends_cell = |byte: &u8| *byte == delimiter || matches!(byte, b'\r' | b'\n');
    let mut rest = record;
    loop {
        if let Some(quoted) = rest.strip_prefix(b"\"") {
            rest = quoted;
            loop {
                let Some(quote) = rest.iter().position(|byte| *byte == b'"') else {
                    return false;
                };
                rest = rest.get(quote + 1..).unwrap_or_default();
                match rest.strip_prefix(b"\"") {
                    Some(escaped) => rest = escaped,
                    None => break,
                }
            }
            if rest.first().is_some_and(|byte| !ends_cell(byte)) {
                return false;
            }
        }
        let Some(end) = rest.iter().position(ends_cell) else {
            return true;
        };
        rest = rest.get(end + 1..).unwrap_or_default();
    }
}

/// LF, CRLF and lone CR each end a line.
fn line_breaks(bytes: &[u8]) -> u64 {
    let lf = bytes.iter().filter(|byte| **byte == b'\n').count();
    let lone_cr = bytes
        .windows(2)
        .filter(|pair| matches!(pair, [b'\r', next] if *next != b'\n'))
        .count();
    (lf + lone_cr + usize::from(bytes.ends_with(b"\r"))) as u64
}
