//! The file of deliveries that an operator imports.

use satchel_hub::import::{Format, Mapping, read_rows};

const MAPPING: &[u8] = include_bytes!("../../../docs/mappings/sample.json");

/// Every row is a delivery or an error with its number; nothing is dropped in silence.
pub fn rows(bytes: &[u8]) {
    let mapping = match Mapping::from_json(MAPPING) {
        Ok(mapping) => mapping,
        Err(e) => panic!("the shipped mapping: {e}"),
    };
    let Ok(imported) = read_rows(bytes, Format::Auto, &mapping) else {
        return;
    };
    let good = imported.deliveries.len() as u64;
    assert!(good <= imported.rows_read);
    assert!(
        imported.rows_rejected() == 0 || !imported.errors.is_empty(),
        "a row that is not taken has a reason"
    );
    for error in &imported.errors {
        assert!(error.row >= 1);
    }
}

/// The shipped sample, and the same as lines of JSON with too little in them.
pub fn files() -> Vec<Vec<u8>> {
    vec![
        include_bytes!("../../../docs/mappings/sample.csv").to_vec(),
        b"[{\"waybill\":\"SF1\"},{}]".to_vec(),
        b"{\"waybill\":\"SF1\"}\n{\"waybill\":1e999}\n".to_vec(),
    ]
}

/// A mapping that somebody wrote by hand.
pub fn mapping(bytes: &[u8]) {
    let _ = Mapping::from_json(bytes);
}

/// The shipped one.
pub fn mappings() -> Vec<Vec<u8>> {
    vec![MAPPING.to_vec()]
}
