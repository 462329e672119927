//! Saved column mappings: checked when they are kept, found by name or by path.

use std::path::{Path, PathBuf};

use satchel_hub::import::Mapping;

use super::CliError;

const DIR: &str = "mappings";
const MAX_NAME_BYTES: usize = 64;

/// Keeps a mapping that reads well.
pub(super) fn save(data: &Path, name: &str, file: &Path) -> Result<(), CliError> {
    if !is_name(name) {
        return Err(CliError::BadMappingName);
    }
    let json = std::fs::read(file).map_err(CliError::io("read the mapping"))?;
    Mapping::from_json(&json)?;
    let path = saved(data, name);
    std::fs::create_dir_all(data.join(DIR)).map_err(CliError::io("make the mappings folder"))?;
    // Whole or not at all: an import may read it at this moment.
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, json).map_err(CliError::io("write the mapping"))?;
    std::fs::rename(&fresh, &path).map_err(CliError::io("write the mapping"))?;
    println!("saved {name}");
    Ok(())
}

/// A saved mapping of this name, else a file at this path.
pub(super) fn find(data: &Path, name: &str) -> Result<Mapping, CliError> {
    let path = if is_name(name) && saved(data, name).is_file() {
        saved(data, name)
    } else {
        PathBuf::from(name)
    };
    match std::fs::read(&path) {
        Ok(json) => Ok(Mapping::from_json(&json)?),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(CliError::NoMapping {
            name: name.to_owned(),
        }),
        Err(e) => Err(CliError::io("read the mapping")(e)),
    }
}

fn saved(data: &Path, name: &str) -> PathBuf {
    data.join(DIR).join(format!("{name}.json"))
}

/// Never a path: a name must not lead out of the folder.
fn is_name(name: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
