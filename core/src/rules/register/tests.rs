//! The register is whole, points at tests that exist, and is what the document says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

/// Rows of parts A1–A3, A8 and A13 whose part names the device core.
const DEVICE_CORE: &[&str] = &[
    "A001", "A002", "A007", "A011", "A012", "A013", "A014", "A017", "A018", "A021", "A022", "A023",
    "A024", "A025", "A026", "A027", "A028", "A029", "A030", "A031", "A032", "A033", "A034", "A035",
    "A036", "A038", "A039", "A040", "A041", "A042", "A043", "A045", "A046", "A047", "A048", "A049",
    "A143", "A146", "A147", "A198", "A199", "A200", "A202", "A204", "A210", "A211",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(dir: &Path, out: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_row_of_the_phone_is_honoured_or_says_why_not() {
    let rows: Vec<&str> = ROWS.iter().map(|r| r.row).collect();
    assert_eq!(rows, DEVICE_CORE);
    for row in ROWS {
        assert!(row.rule.ends_with('.'), "{}", row.row);
        match row.honoured {
            Honoured::Here { at, shown_by } => {
                assert!(!at.is_empty() && !shown_by.is_empty(), "{}", row.row);
            }
            Honoured::NotHere { why } => assert!(why.len() > 20, "{}", row.row),
        }
    }
}

#[test]
fn every_test_that_is_named_exists() {
    let mut text = String::new();
    sources(&root().join("core/src"), &mut text);
    sources(&root().join("protocol/src"), &mut text);
    let named: BTreeSet<&str> = ROWS
        .iter()
        .filter_map(|row| match row.honoured {
            Honoured::Here { shown_by, .. } => Some(shown_by),
            Honoured::NotHere { .. } => None,
        })
        .flatten()
        .copied()
        .collect();
    for name in named {
        assert!(text.contains(&format!("fn {name}(")), "no test {name}");
    }
}

#[test]
fn the_document_is_what_the_code_says() {
    let path = root().join("docs/rules.md");
    let rendered = render();
    if std::env::var_os("SATCHEL_WRITE_DOCS").is_some() {
        std::fs::write(&path, &rendered).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        committed, rendered,
        "write it anew with SATCHEL_WRITE_DOCS=1"
    );
}
