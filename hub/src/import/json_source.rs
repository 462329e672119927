//! JSON to raw rows: an array, an object with `deliveries`, or one object a line.

use serde_json::Value;

use super::mapping::Mapping;
use super::problem::{ImportError, RowError, RowProblem};
use super::source::{Cell, RawRow, Sink};
use super::{MAX_ROW_BYTES, MAX_ROWS};

/// A row number and the object there, or what stands there instead.
type Element = (u64, Result<Value, RowProblem>);

/// Reads JSON in any of its three shapes.
pub(super) fn read_json(
    text: &[u8],
    mapping: &Mapping,
    sink: &mut Sink<'_>,
) -> Result<(), ImportError> {
    let elements = elements(text)?;
    if elements.len() as u64 > MAX_ROWS {
        return Err(ImportError::TooManyRows);
    }
    check_columns(&elements, mapping)?;
    for (ordinal, (row, element)) in (1..).zip(elements) {
        sink(match element {
            Ok(object) => Ok(RawRow {
                row,
                ordinal,
                cells: mapping
                    .columns
                    .iter()
                    .map(|column| cell(lookup(&object, column)))
                    .collect(),
            }),
            Err(problem) => Err(RowError {
                row,
                field: None,
                problem,
            }),
        });
    }
    Ok(())
}

fn elements(text: &[u8]) -> Result<Vec<Element>, ImportError> {
    // One object a line is known by its first line; a single such line may also be the whole
    // document of the second shape.
    let first_line = text
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .find(|line| !line.is_empty());
    let one_object_a_line =
        first_line.is_some_and(|line| line.starts_with(b"{") && line.ends_with(b"}"));
    match serde_json::from_slice(text) {
        Ok(Value::Array(items)) => Ok(numbered(items)),
        Ok(Value::Object(mut object)) => match object.remove("deliveries") {
            Some(Value::Array(items)) => Ok(numbered(items)),
            None if one_object_a_line => Ok(json_lines(text)),
            _ => Err(ImportError::JsonShape),
        },
        Ok(_) => Err(ImportError::JsonShape),
        Err(_) if one_object_a_line => Ok(json_lines(text)),
        // Not the parser's own text: that may quote the document.
        Err(error) => Err(ImportError::NotJson {
            line: error.line(),
            column: error.column(),
        }),
    }
}

fn numbered(items: Vec<Value>) -> Vec<Element> {
    (1..).zip(items.into_iter().map(object)).collect()
}

fn json_lines(text: &[u8]) -> Vec<Element> {
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    (1..)
        .zip(lines)
        .filter(|(_, line)| !line.is_empty())
        .map(|(row, line)| {
            if line.len() > MAX_ROW_BYTES {
                return (row, Err(RowProblem::RowTooLong));
            }
            (
                row,
                serde_json::from_slice(line)
                    .map_err(|_| RowProblem::NotJson)
                    .and_then(object),
            )
        })
        .collect()
}

fn object(value: Value) -> Result<Value, RowProblem> {
    if value.is_object() {
        Ok(value)
    } else {
        Err(RowProblem::NotAnObject)
    }
}

/// A JSON object may leave out what is optional; but what every delivery needs and no object has
/// is one mistake in the mapping, not one in each row.
fn check_columns(elements: &[Element], mapping: &Mapping) -> Result<(), ImportError> {
    let objects = || {
        elements
            .iter()
            .filter_map(|(_, element)| element.as_ref().ok())
    };
    let Some(first) = objects().next() else {
        return Ok(());
    };
    let needed = mapping.needed_columns();
    let absent = |column: &&String| objects().all(|object| lookup(object, column).is_none());
    let missing: Vec<String> = needed
        .iter()
        .filter_map(|column| mapping.columns.get(*column))
        .filter(absent)
        .cloned()
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        let columns_found = first.as_object().map_or(0, serde_json::Map::len);
        Err(ImportError::MissingColumns {
            missing,
            columns_found,
        })
    }
}

/// A column is a JSON pointer if it begins with a slash, else a key of the object.
fn lookup<'a>(object: &'a Value, column: &str) -> Option<&'a Value> {
    if column.starts_with('/') {
        object.pointer(column)
    } else {
        object.get(column)
    }
}

fn cell(value: Option<&Value>) -> Cell {
    match value {
        None | Some(Value::Null) => Cell::Missing,
        Some(Value::Array(items)) if items.is_empty() => Cell::Missing,
        Some(Value::Array(items)) => {
            let texts: Option<Vec<String>> = items.iter().map(scalar).collect();
            texts.map_or(Cell::WrongType, Cell::List)
        }
        Some(value) => scalar(value).map_or(Cell::WrongType, |text| Cell::from_text(&text)),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
