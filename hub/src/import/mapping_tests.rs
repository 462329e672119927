//! Mappings: the shipped ones work, and mistakes in one are told when it is loaded.

use satchel_protocol::taxonomy::PromiseClass;

use super::tests::try_mapping;
use super::*;

#[test]
fn the_sample_file_reads_whole() {
    let mapping = Mapping::from_json(include_bytes!("../../../docs/mappings/sample.json")).unwrap();
    let imported = read_rows(
        include_bytes!("../../../docs/mappings/sample.csv"),
        Format::Auto,
        &mapping,
    )
    .unwrap();
    assert_eq!(imported.errors, []);
    assert_eq!(
        imported.deliveries[1].promise_class,
        PromiseClass::CrossProvince
    );
    assert_eq!(imported.deliveries[4].address, "石榴路(虚构);北门 18 号");
    let rounds = plan_rounds(
        imported.deliveries,
        mapping.source(),
        mapping.group().unwrap(),
    )
    .unwrap();
    let shape: Vec<(Option<&str>, usize, usize)> = rounds
        .iter()
        .map(|round| {
            (
                round.label.as_deref(),
                round.stops.len(),
                round.parcel_count(),
            )
        })
        .collect();
    // The first two parcels are for one person at one door.
    assert_eq!(shape, [(Some("一号线"), 3, 4), (Some("二号线"), 2, 2)]);
}

#[test]
fn the_yantai_mapping_loads_and_reads_its_columns() {
    let mapping = Mapping::from_json(include_bytes!("../../../docs/mappings/yantai.json")).unwrap();
    let text = "row,accept_time,accept_lat,accept_lng,delivery_time,delivery_lat,delivery_lng\n\
                0,08-14 08:00:00,37.5,121.5,08-14 14:00:00,37.4,121.4\n";
    let imported = read_rows(text.as_bytes(), Format::Auto, &mapping).unwrap();
    let delivery = &imported.deliveries[0];
    assert_eq!(delivery.waybill, "YT000001");
    assert_eq!(delivery.recipient_phone.as_deref(), Some("1******0001"));
    assert_eq!(
        delivery.driven_at_ms.unwrap() - delivery.accepted_at_ms,
        6 * 3_600_000
    );
    assert_eq!(delivery.depot.map(|depot| depot.lat), Some(37.5));
}

#[test]
fn mistakes_in_a_mapping_are_told_when_it_is_loaded() {
    let message = |extra: &str, top: &str| try_mapping(extra, top).unwrap_err().to_string();
    assert!(message(r#","tags":{"colum":"x"}"#, "").contains("unknown field `colum`"));
    assert!(message(r#","weight":{"column":"x"}"#, "").contains("unknown variant `weight`"));
    assert!(message("", r#""grup":"single","#).contains("unknown field `grup`"));
    assert!(message(r#","tags":{"column":"x","constant":"y"}"#, "").contains("exactly one of"));
    assert!(
        message(r#","tags":{"column":"x","default":"stale"}"#, "")
            .contains("`default` is not a handling tag")
    );
    assert!(message(r#","door_required":{"constant":""}"#, "").contains("`constant` is empty"));
    assert!(message(r#","round":{"template":"{nope}"}"#, "").contains("a template holds"));
    assert!(message(r#","round":{"template":"{row"}"#, "").contains("a template holds"));
    assert!(message(r#","depot_lat":{"column":"x"}"#, "").contains("need each other"));
    assert!(
        message(r#","consents":{"constant":"RETURN_TO_SENDER"}"#, "").contains("can consent to")
    );
    assert!(message("", r#""group":"depot=1m,window=1h","#).contains("between 10m and 50km"));
    assert!(message("", r#""csv":{"delimiter":"ab"},"#).contains("one ASCII character"));
    let time = |time: &str| {
        message(
            &format!(r#","driven_at":{{"column":"x","time":{{{time}}}}}"#),
            "",
        )
    };
    assert!(time(r#""format":"%m-%d %H:%M","utc_offset_min":480"#).contains("has no year"));
    assert!(
        time(r#""format":"%m-%d %H:%M","utc_offset_min":480,"default_year":21"#)
            .contains("has no year")
    );
    assert!(time(r#""format":"%Y-%m-%d","utc_offset_min":480"#).contains("an hour"));
    assert!(time(r#""format":"rfc3339","utc_offset_min":8000"#).contains("between -840 and 840"));
    assert!(
        time(r#""format":"%Y-%m-%d %H","utc_offset_min":0,"default_year":2021"#)
            .contains("has a year")
    );
    assert!(time(r#""format":"%!","utc_offset_min":0"#).contains("not a strftime pattern"));
}

#[test]
fn mainland_map_coordinates_are_never_taken_for_wgs84() {
    for datum in [Datum::Gcj02, Datum::Bd09] {
        let name = format!("{datum:?}").to_lowercase();
        let json = format!(
            r#"{{"version":1,"source":"t","datum":"{name}","time":{{"format":"rfc3339","utc_offset_min":0}},"fields":{{}}}}"#
        );
        let refused = Mapping::from_json(json.as_bytes()).unwrap_err();
        assert!(matches!(refused, MappingError::DatumNotSupported(found) if found == datum));
    }
}

#[test]
fn a_newer_mapping_is_called_newer_and_not_misspelt() {
    let refused = Mapping::from_json(br#"{"version":2,"shape":"new"}"#).unwrap_err();
    assert!(matches!(refused, MappingError::Version { found: 2 }));
}
