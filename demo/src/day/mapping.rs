//! Finding the mapping for a file by its columns, so that the common file needs no flag.

use std::path::{Path, PathBuf};

use satchel_hub::import::{Format, GroupRule, Imported, Mapping, read_rows};

use crate::error::{DemoError, Result};

/// Where the project keeps its saved mappings, seen from the project's root.
const FOLDER: &str = "docs/mappings";

/// A file of deliveries with what is needed to import it.
#[derive(Debug)]
pub struct Deliveries {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// The mapping's JSON.
    pub mapping_json: Vec<u8>,
    /// The mapping, with the grouping rule in force.
    pub mapping: Mapping,
    /// The rule as given on the command line.
    pub group: Option<String>,
    /// What the import will see.
    pub imported: Imported,
}

impl Deliveries {
    /// Takes bytes and a mapping.
    ///
    /// # Errors
    /// When the mapping, the rule or the file cannot be read at all; bad rows are in `imported`.
    pub fn new(bytes: Vec<u8>, mapping_json: Vec<u8>, group: Option<String>) -> Result<Self> {
        let mut mapping = Mapping::from_json(&mapping_json)?;
        if let Some(rule) = &group {
            mapping.set_group(rule.parse::<GroupRule>()?);
        }
        let imported = read_rows(&bytes, Format::Auto, &mapping)?;
        Ok(Self {
            bytes,
            mapping_json,
            mapping,
            group,
            imported,
        })
    }

    /// Reads a file, with a given mapping or the saved one that fits it.
    ///
    /// # Errors
    /// As [`Deliveries::new`], and [`DemoError::NoMapping`] when none fits.
    pub fn load(file: &Path, mapping: Option<&Path>, group: Option<String>) -> Result<Self> {
        let bytes = std::fs::read(file).map_err(DemoError::io("read the deliveries"))?;
        if let Some(path) = mapping {
            let json = std::fs::read(path).map_err(DemoError::io("read the mapping"))?;
            return Self::new(bytes, json, group);
        }
        let folder = mapping_folder();
        let mut best: Option<Self> = None;
        for path in saved_mappings(&folder) {
            let Ok(json) = std::fs::read(&path) else {
                continue;
            };
            // A mapping that names other columns is refused by the import itself.
            let Ok(tried) = Self::new(bytes.clone(), json, group.clone()) else {
                continue;
            };
            let good = tried.imported.deliveries.len();
            if good > best.as_ref().map_or(0, |b| b.imported.deliveries.len()) {
                best = Some(tried);
            }
        }
        best.ok_or(DemoError::NoMapping { folder })
    }
}

/// The folder in the current directory, or else in the sources this program was built from.
fn mapping_folder() -> PathBuf {
    let here = PathBuf::from(FOLDER);
    if here.is_dir() {
        return here;
    }
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(FOLDER)
}

fn saved_mappings(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &str =
        "row,accept_time,accept_lat,accept_lng,delivery_time,delivery_lat,delivery_lng\n";

    #[test]
    fn the_mapping_is_found_by_the_columns_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("day.csv");
        let row = "0,08-14 08:30:00,37.41,121.38,08-14 15:01:00,37.35,121.40\n";
        std::fs::write(&file, format!("{COLUMNS}{row}")).unwrap();
        let found = Deliveries::load(&file, None, None).unwrap();
        assert_eq!(found.mapping.source(), "yantai");
        assert_eq!(found.imported.deliveries.len(), 1);
    }

    #[test]
    fn a_file_with_other_columns_is_refused_with_the_folder_in_the_message() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("other.csv");
        std::fs::write(&file, "a,b\n1,2\n").unwrap();
        let error = Deliveries::load(&file, None, None).unwrap_err();
        assert!(matches!(error, DemoError::NoMapping { .. }));
        assert!(error.to_string().contains("docs/mappings"));
    }
}
