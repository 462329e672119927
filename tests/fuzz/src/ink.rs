//! Ink as it comes from a phone, and drawings as other programs saved them.

use satchel_core::proof::ink::to_png;
use satchel_protocol::ids::AttemptId;
use satchel_protocol::ink::{InkPoint, KeepDynamics, Signature, strokes_from_signature_pad};

/// Bytes that claim to be ink: what is taken has one form, and every picture of it can be made.
pub fn read(bytes: &[u8]) {
    let Ok(ink) = Signature::decode(bytes) else {
        return;
    };
    assert!(ink.encode() == bytes, "two byte strings for one drawing");
    let visit = AttemptId::from_parts(0, [7; 10]);
    if ink.attempt().is_some_and(|bound| bound != visit) {
        let taken = Signature::decode_for(bytes, visit);
        assert!(taken.is_err(), "ink of one visit was read for another");
    }
    show(&ink);
    let (width, _) = ink.canvas_units();
    let json = ink.to_signature_pad_json(u32::from(width));
    let again = strokes_from_signature_pad(&json);
    let points = again.map(|strokes| strokes.iter().map(Vec::len).sum());
    assert!(points == Ok(ink.point_count()), "an export lost points");
}

/// JSON that claims to be a web pad's: what passes as a signature keeps its shape through its bytes.
pub fn import(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(strokes) = strokes_from_signature_pad(text) else {
        return;
    };
    for keep in [KeepDynamics::No, KeepDynamics::Yes] {
        if let Ok(ink) = Signature::take(&strokes, 600.0, 200.0, keep) {
            let again = Signature::decode(&ink.encode());
            assert!(again == Ok(ink.clone()), "ink changed on its way");
            assert!((keep == KeepDynamics::Yes) == ink.dynamics().is_some());
            let _ = ink.doubts(&strokes);
            show(&ink);
        }
    }
}

fn show(ink: &Signature) {
    assert!(ink.to_svg(60, 20).ends_with("</svg>"));
    assert!(!ink.to_inkml().is_empty());
    if let Err(e) = to_png(ink, 60, 20) {
        panic!("ink that cannot be drawn: {e}");
    }
}

#[allow(clippy::cast_precision_loss)] // small numbers
fn strokes() -> Vec<Vec<InkPoint>> {
    let stroke = |left: f32| {
        (0..40u32)
            .map(|i| InkPoint {
                x: left + i as f32 * 3.0,
                y: 100.0 + 60.0 * (i as f32 / 4.0).sin(),
                t_ms: i * 8,
                pressure: Some(0.5),
            })
            .collect()
    };
    vec![stroke(40.0), stroke(300.0)]
}

fn signed(keep: KeepDynamics) -> Signature {
    match Signature::take(&strokes(), 600.0, 200.0, keep) {
        Ok(ink) => ink,
        Err(e) => panic!("the seed is no signature: {e}"),
    }
}

/// Ink with and without its visit, its times and its pressure.
pub fn inks() -> Vec<Vec<u8>> {
    let visit = AttemptId::from_parts(0, [9; 10]);
    vec![
        signed(KeepDynamics::No).encode(),
        signed(KeepDynamics::Yes).encode(),
        signed(KeepDynamics::No).bound_to(visit).encode(),
        signed(KeepDynamics::Yes).bound_to(visit).encode(),
    ]
}

/// A web pad's drawing in the form of today and of earlier versions.
pub fn drawings() -> Vec<Vec<u8>> {
    let today = signed(KeepDynamics::Yes).to_signature_pad_json(600);
    let bare = r#"[[{"x":10,"y":20.5,"time":1500000000000},{"x":90,"y":60},{"x":200,"y":20}]]"#;
    let erased = r#"[{"points":[{"x":1,"y":2}],"compositeOperation":"destination-out"}]"#;
    [today.as_str(), bare, erased, "[]"]
        .map(|s| s.as_bytes().to_vec())
        .to_vec()
}
