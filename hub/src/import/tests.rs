//! Reading files: what a dispatcher sees for good files, bad rows and wrong files.

use proptest::prelude::*;
use satchel_protocol::taxonomy::{HandlingTag, HandoffKind};

use super::*;

/// A mapping with the columns of most tests; `extra` goes into `fields`, `top` beside it.
pub(super) fn mapping_with(extra: &str, top: &str) -> Mapping {
    try_mapping(extra, top).unwrap()
}

pub(super) fn try_mapping(extra: &str, top: &str) -> Result<Mapping, MappingError> {
    let json = format!(
        r#"{{"version":1,"source":"test","datum":"wgs84",
            "time":{{"format":"%m-%d %H:%M:%S","utc_offset_min":480,"default_year":2021}},{top}
            "fields":{{"waybill":{{"column":"id"}},"lat":{{"column":"lat"}},"lng":{{"column":"lng"}},
              "address":{{"constant":"Somewhere 1"}},"accepted_at":{{"column":"at"}},
              "promise_class":{{"constant":"same_city"}}{extra}}}}}"#
    );
    Mapping::from_json(json.as_bytes())
}

fn mapping() -> Mapping {
    mapping_with("", "")
}

fn read(text: &str) -> Imported {
    read_rows(text.as_bytes(), Format::Auto, &mapping()).unwrap()
}

fn refusal(bytes: &[u8]) -> ImportError {
    read_rows(bytes, Format::Auto, &mapping()).unwrap_err()
}

fn lines(imported: &Imported) -> Vec<String> {
    imported.errors.iter().map(ToString::to_string).collect()
}

fn waybills(imported: &Imported) -> Vec<&str> {
    imported
        .deliveries
        .iter()
        .map(|delivery| delivery.waybill.as_str())
        .collect()
}

const GOOD: &str = "A,37.5,121.4,08-14 08:30:00";

#[test]
fn bad_rows_are_named_by_line_and_the_good_ones_come_through() {
    let imported = read(&format!(
        "id,lat,lng,at\n{GOOD}\n\
         B,95.0,121.4,08-14 08:31:00\n\
         C,37.5,NaN,14/08 08:31\n\
         \n\
         D,37.5\n\
         ,,,\n\
         E,37.5,inf,08-14 08:31:00\n\
         F,0,0,08-14 08:31:00\n\
         ,37.5,121.4,08-14 08:31:00\n\
         G,37.6,121.5,08-14 08:32:00\n"
    ));
    assert_eq!(waybills(&imported), ["A", "G"]);
    assert_eq!((imported.rows_read, imported.rows_rejected()), (8, 6));
    assert_eq!(
        lines(&imported),
        [
            "row 3, lat: is outside -90…90 degrees; are latitude and longitude swapped?",
            "row 4, lng: is not a number",
            "row 4, accepted_at: does not fit the time format of the mapping",
            "row 6: has 2 cells where the header has 4",
            "row 8, lng: is not a number",
            "row 9, lat: is 0, 0, which means no position",
            "row 10, waybill: is empty",
        ]
    );
    assert_eq!(
        imported.errors[0].zh(),
        "第 3 行,纬度:超出 -90…90 度;经纬度是否写反?"
    );
}

#[test]
fn local_times_become_instants_with_year_and_offset_of_the_mapping() {
    let imported = read(&format!("id,lat,lng,at\n{GOOD}\n"));
    // 2021-08-14T08:30:00+08:00, from `date -d … +%s`.
    assert_eq!(imported.deliveries[0].accepted_at_ms, 1_628_901_000_000);
    assert_eq!(imported.deliveries[0].utc_offset_min, 480);
}

#[test]
fn a_delivery_after_new_year_is_not_a_year_early() {
    let mapping = mapping_with(r#","driven_at":{"column":"done"}"#, "");
    let text = "id,lat,lng,at,done\nA,37.5,121.4,12-31 22:00:00,01-01 09:00:00\n";
    let imported = read_rows(text.as_bytes(), Format::Csv, &mapping).unwrap();
    let delivery = &imported.deliveries[0];
    assert_eq!(
        delivery.driven_at_ms.unwrap() - delivery.accepted_at_ms,
        11 * 3_600_000
    );
}

#[test]
fn a_leap_day_in_a_common_year_is_a_row_error() {
    let imported =
        read("id,lat,lng,at\nA,37.5,121.4,02-29 08:00:00\nB,37.5,121.4,02-28 08:00:00\n");
    assert_eq!(waybills(&imported), ["B"]);
    assert_eq!(imported.errors[0].problem, RowProblem::NotATime);
}

#[test]
fn other_ways_to_write_time_give_the_same_instant() {
    let patterns = [
        ("rfc3339", "2021-08-14T00:30:00Z"),
        ("epoch_s", "1628901000"),
        ("epoch_ms", "1628901000000"),
        ("%d/%m/%Y %I:%M %p", "14/08/2021 08:30 AM"),
        ("%Y-%m-%dT%H:%M:%S%z", "2021-08-14T03:30:00+0300"),
    ];
    for (format, text) in patterns {
        let extra = format!(
            r#","driven_at":{{"column":"t","time":{{"format":"{format}","utc_offset_min":480}}}}"#
        );
        let text = format!("id,lat,lng,at,t\n{GOOD},{text}\n");
        let imported = read_rows(text.as_bytes(), Format::Csv, &mapping_with(&extra, "")).unwrap();
        assert_eq!(lines(&imported), [""; 0], "{format}");
        assert_eq!(
            imported.deliveries[0].driven_at_ms,
            Some(1_628_901_000_000),
            "{format}"
        );
    }
}

#[test]
fn years_no_delivery_is_in_are_refused() {
    let extra = r#","driven_at":{"column":"t","time":{"format":"epoch_s","utc_offset_min":480}}"#;
    // Milliseconds read as seconds: the year 53,588.
    let text = format!("id,lat,lng,at,t\n{GOOD},1628901000000\n");
    let imported = read_rows(text.as_bytes(), Format::Csv, &mapping_with(extra, "")).unwrap();
    assert_eq!(imported.errors[0].problem, RowProblem::YearRange);
}

#[test]
fn windows_must_make_sense() {
    let mapping = mapping_with(
        r#","window_start":{"column":"s"},"window_end":{"column":"e"}"#,
        "",
    );
    let text = format!(
        "id,lat,lng,at,s,e\n{GOOD},08-14 09:00:00,08-14 12:00:00\n\
         B,37.5,121.4,08-14 08:30:00,08-14 12:00:00,08-14 09:00:00\n\
         C,37.5,121.4,08-14 08:30:00,,08-13 09:00:00\n\
         D,37.5,121.4,08-14 08:30:00,,\n"
    );
    let imported = read_rows(text.as_bytes(), Format::Csv, &mapping).unwrap();
    assert_eq!(waybills(&imported), ["A", "D"]);
    let problems: Vec<RowProblem> = imported.errors.iter().map(|error| error.problem).collect();
    assert_eq!(
        problems,
        [RowProblem::WindowInverted, RowProblem::WindowOver]
    );
}

#[test]
fn a_mark_quotes_line_breaks_and_crlf_change_nothing() {
    let text = "\u{feff}id,lat,lng,at,where\r\n\r\n\
                \"A\"\"1\",37.5,121.4,08-14 08:30:00,\"Lane 2,\r\n  flat 3\"\r\n\
                B,x,121.4,08-14 08:30:00,Lane 4\r\n";
    let mut mapping = mapping_with("", "");
    mapping.set_group("column=where".parse().unwrap());
    let imported = read_rows(text.as_bytes(), Format::Auto, &mapping).unwrap();
    assert_eq!(waybills(&imported), ["A\"1"]);
    assert_eq!(
        imported.deliveries[0].round.as_deref(),
        Some("Lane 2, flat 3")
    );
    // The quoted cell takes two lines, so B stands on line 5 of the editor.
    assert_eq!(lines(&imported), ["row 5, lat: is not a number"]);
}

#[test]
fn an_unclosed_quote_costs_one_row_and_not_the_rest() {
    let imported = read(&format!(
        "id,lat,lng,at\n{GOOD}\n\"B,37.5,121.4,08-14 08:30:00\nC,37.5,121.4,08-14 08:30:00\n\
         D,37.5,121.4,bad\n\"E\",37.5,121.4,08-14 08:30:00\n"
    ));
    assert_eq!(waybills(&imported), ["A", "C", "E"]);
    assert_eq!(
        lines(&imported),
        [
            "row 3: opens a quote and does not close it",
            "row 5, accepted_at: does not fit the time format of the mapping"
        ]
    );
}

#[test]
fn quotes_that_never_end_are_given_up_and_not_followed_for_ever() {
    // Each line leaves a quote open whichever way it is entered: rereading would be quadratic.
    let text = format!("id,lat,lng,at\n{}", "x\",\"\n".repeat(30_000));
    assert!(matches!(refusal(text.as_bytes()), ImportError::BrokenQuotes { line } if line > 2));
}

#[test]
fn one_huge_cell_is_one_row_error() {
    let huge = "x".repeat(MAX_ROW_BYTES);
    let imported = read(&format!(
        "id,lat,lng,at\n{huge},37.5,121.4,08-14 08:30:00\n{GOOD}\n{},37.5,121.4,08-14 08:30:00\n",
        "y".repeat(65)
    ));
    assert_eq!(waybills(&imported), ["A"]);
    assert_eq!(
        lines(&imported),
        [
            "row 2: is longer than 16384 bytes",
            "row 4, waybill: is longer than 64 characters"
        ]
    );
}

#[test]
fn a_row_that_is_not_utf8_is_a_row_error() {
    let mut bytes = b"id,lat,lng,at,note\nA,37.5,121.4,08-14 08:30:00,\xc4\xe3\nB".to_vec();
    bytes.extend_from_slice(b"\xff,37.5,121.4,08-14 08:30:00,ok\n");
    let imported = read_rows(&bytes, Format::Auto, &mapping()).unwrap();
    // A column the mapping does not use may hold anything.
    assert_eq!(waybills(&imported), ["A"]);
    assert_eq!(lines(&imported), ["row 3, waybill: is not UTF-8 text"]);
}

#[test]
fn the_second_row_of_a_waybill_is_refused_and_names_the_first() {
    let imported = read(&format!(
        "id,lat,lng,at\nA,99,0,08-14 08:30:00\n{GOOD}\n A ,37.6,121.4,08-14 09:30:00\n"
    ));
    // Row 2 was refused for its latitude, so row 3 is the first of its waybill.
    assert_eq!(imported.deliveries[0].row, 3);
    assert_eq!(
        imported.errors[1].to_string(),
        "row 4, waybill: was already in row 3"
    );
}

#[test]
fn wrong_files_are_one_clear_error() {
    assert_eq!(refusal(b""), ImportError::Empty);
    assert_eq!(refusal(b"\xef\xbb\xbf \r\n"), ImportError::Empty);
    assert_eq!(refusal(b"id,lat,lng,at\n"), ImportError::NoRows);
    assert_eq!(refusal(b"[]"), ImportError::NoRows);
    assert_eq!(
        refusal(b"\n<!doctype html><html></html>"),
        ImportError::Html
    );
    assert_eq!(refusal(b"PK\x03\x04......"), ImportError::Spreadsheet);
    assert_eq!(refusal(b"\xff\xfei\0d\0"), ImportError::NotUtf8);
    assert_eq!(
        refusal(b"\xd4\xcb\xb5\xa5,lat,lng,at\nA,1,1,x\n"),
        ImportError::NotUtf8
    );
    assert_eq!(
        refusal(&vec![b'a'; MAX_FILE_BYTES + 1]),
        ImportError::TooLarge
    );
    let column = "id".to_owned();
    assert_eq!(
        refusal(b"id,id,lat,lng,at\nA,A,1,1,x\n"),
        ImportError::DuplicateColumn { column }
    );
    let many = format!(
        "id,lat,lng,at\n{}",
        "a,b,c,d\n".repeat(MAX_ROWS as usize + 1)
    );
    assert_eq!(refusal(many.as_bytes()), ImportError::TooManyRows);
}

#[test]
fn missing_columns_are_one_error_that_names_them_all() {
    let csv = format!(
        "id,lat,longitude,time\n{}",
        format!("{GOOD}\n").repeat(1_200)
    );
    let missing = vec!["lng".to_owned(), "at".to_owned()];
    assert_eq!(
        refusal(csv.as_bytes()),
        ImportError::MissingColumns {
            missing: missing.clone(),
            columns_found: 4
        }
    );
    let json = br#"[{"id":"A","lat":1,"longitude":2},{"id":"B","lat":1,"longitude":2}]"#;
    assert_eq!(
        refusal(json),
        ImportError::MissingColumns {
            missing,
            columns_found: 3
        }
    );
    let semicolons = refusal(b"id;lat;lng;at\nA;1;1;x\n").to_string();
    assert!(semicolons.contains("it has 1 column(s): are the mapping and the delimiter right?"));
}

#[test]
fn no_error_repeats_what_the_file_says() {
    let mapping = mapping_with(
        r#","recipient_phone":{"column":"tel"},"recipient_name":{"column":"name"},"consents":{"column":"ok"}"#,
        "",
    );
    let secret = "SECRETNAME";
    let text = format!(
        "id,lat,lng,at,tel,name,ok\nA,{secret},{secret},{secret},{secret},{},{secret}\n{secret},{secret}\n",
        secret.repeat(9)
    );
    let imported = read_rows(text.as_bytes(), Format::Csv, &mapping).unwrap();
    assert_eq!(imported.errors.len(), 7);
    for error in &imported.errors {
        assert!(!format!("{error} {} {error:?}", error.zh()).contains(secret));
    }
    let broken = format!("[{{\"id\": {secret}}}]");
    assert!(!format!("{:?}", refusal(broken.as_bytes())).contains(secret));
    let good = format!("id,lat,lng,at,tel,name,ok\n{GOOD},13900000000,{secret},LOCKER\n");
    let delivery = &read_rows(good.as_bytes(), Format::Csv, &mapping)
        .unwrap()
        .deliveries[0];
    assert_eq!(delivery.recipient_name.as_deref(), Some(secret));
    assert!(!format!("{delivery:?}").contains(secret));
}

#[test]
fn json_is_read_in_three_shapes_with_pointers_numbers_and_lists() {
    let mapping = mapping_with(
        r#","consents":{"column":"ok"},"recipient_name":{"column":"/to/name"},"tags":{"column":"tags"}"#,
        "",
    );
    let row = r#"{"id":17,"lat":37.5,"lng":121.4,"at":"08-14 08:30:00","to":{"name":"X*"},"ok":["STATION","LOCKER"]}"#;
    for text in [
        format!("[{row}]"),
        format!("{{\"deliveries\":[{row}]}}"),
        format!("\n{row}\n\n"),
    ] {
        let imported = read_rows(text.as_bytes(), Format::Auto, &mapping).unwrap();
        let delivery = &imported.deliveries[0];
        assert_eq!(
            (
                delivery.waybill.as_str(),
                delivery.recipient_name.as_deref()
            ),
            ("17", Some("X*"))
        );
        assert_eq!(
            delivery.consents,
            [HandoffKind::Locker, HandoffKind::Station]
        );
        assert_eq!(delivery.tags, []);
    }
}

#[test]
fn bad_json_rows_are_named_and_broken_json_is_one_error() {
    let imported = read(
        "{\"id\":\"A\",\"lat\":37.5,\"lng\":121.4,\"at\":\"08-14 08:30:00\"}\n\
         {\"id\":\"B\",\"lat\":1e999,\"lng\":121.4,\"at\":\"08-14 08:30:00\"}\n\n\
         [1]\n\
         {\"id\":[\"C\",\"D\"],\"lat\":37.5,\"lng\":{},\"at\":null}\n",
    );
    assert_eq!(waybills(&imported), ["A"]);
    assert_eq!(
        lines(&imported),
        [
            "row 2: is not valid JSON",
            "row 4: is not an object",
            "row 5, waybill: is a list or an object where one value is expected",
            "row 5, lng: is a list or an object where one value is expected",
            "row 5, accepted_at: is empty",
        ]
    );
    assert_eq!(
        refusal(b"[{\"id\":\n  nope}]"),
        ImportError::NotJson { line: 2, column: 4 }
    );
    assert_eq!(refusal(b"{\n\"rows\":[]}"), ImportError::JsonShape);
}

#[test]
fn values_are_translated_split_and_defaulted() {
    let mapping = mapping_with(
        r#","tags":{"column":"tags","values":{"鲜":"fresh"}},"door_required":{"column":"door","default":"no"},
           "round":{"template":"R{column:r}-{row:3}"}"#,
        r#""list_separator":"/","#,
    );
    let text = format!(
        "id,lat,lng,at,tags,door,r\n{GOOD},鲜 / fragile/,是,7\nB,1,1,08-14 08:30:00,stale,,\n"
    );
    let imported = read_rows(text.as_bytes(), Format::Csv, &mapping).unwrap();
    let delivery = &imported.deliveries[0];
    assert_eq!(delivery.tags, [HandlingTag::Fresh, HandlingTag::Fragile]);
    assert!(delivery.door_required);
    assert_eq!(delivery.round.as_deref(), Some("R7-001"));
    assert_eq!(lines(&imported), ["row 3, tags: is not a handling tag"]);
}

#[test]
fn phones_are_taken_as_people_write_them() {
    for good in [
        "13900000000",
        "1******0001",
        "+86 139-0000-0000",
        "(0535) 600000转12",
        "95000,123#",
    ] {
        assert_eq!(value::phone(good).as_deref(), Ok(good));
    }
    for bad in [
        "123",
        "***********",
        "call me",
        "1390000000O",
        "+".repeat(30).as_str(),
    ] {
        assert_eq!(value::phone(bad), Err(RowProblem::NotAPhone), "{bad}");
    }
}

proptest! {
    /// Whatever the bytes: an answer, no panic, and every row counted once.
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut file = b"id,lat,lng,at\n".to_vec();
        file.extend_from_slice(&bytes);
        if let Ok(imported) = read_rows(&file, Format::Csv, &mapping()) {
            let bad: std::collections::BTreeSet<u64> = imported.errors.iter().map(|error| error.row).collect();
            prop_assert!(bad.len() as u64 <= imported.rows_rejected());
        }
        let _ = read_rows(&bytes, Format::Json, &mapping());
        let _ = Mapping::from_json(&bytes);
    }

    /// A good row stays good whatever stands in the rows around it, quotes included.
    #[test]
    fn bad_neighbours_do_no_harm(before in "[ -~]{0,40}", after in "[ -~]{0,40}") {
        let imported = read(&format!("id,lat,lng,at\n{before}\n{GOOD}\n{after}\n"));
        // Only a quote that closes again, on a line that then has the right number of cells, may
        // lawfully take the good row into its own cell.
        prop_assume!(!(before.contains('"') && after.contains('"')));
        prop_assert!(waybills(&imported).contains(&"A"));
    }
}
