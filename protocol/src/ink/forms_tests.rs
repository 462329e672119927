//! What other programs get and give.

use proptest::prelude::*;

use super::tests::{loops, sign, stroke};
use super::*;

#[test]
fn a_drawing_of_signature_pad_comes_in_and_goes_out() {
    let drawn = loops(120);
    let points: Vec<String> = drawn
        .iter()
        .map(|p| {
            let time = 1_700_000_000_000u64 + u64::from(p.t_ms);
            format!(
                r#"{{"x":{},"y":{},"pressure":0.4,"time":{time}}}"#,
                p.x, p.y
            )
        })
        .collect();
    let group = points.join(",");
    let new = format!(
        r#"[{{"penColor":"black","dotSize":0,"minWidth":0.5,"maxWidth":2.5,"velocityFilterWeight":0.7,
            "compositeOperation":"source-over","points":[{group}]}}]"#
    );
    let old = format!("[[{group}]]");
    let expected = sign(std::slice::from_ref(&drawn)).unwrap();
    for json in [new, old] {
        let strokes = strokes_from_signature_pad(&json).unwrap();
        assert_eq!(strokes[0].last().unwrap().t_ms, 119 * 8);
        assert_eq!(sign(&strokes).unwrap().encode(), expected.encode());
    }
    let back = strokes_from_signature_pad(&expected.to_signature_pad_json(600)).unwrap();
    assert_eq!(sign(&back).unwrap().encode(), expected.encode());
    assert!(back[0].is_sorted_by_key(|p| p.t_ms));
}

#[test]
fn kept_dynamics_survive_the_way_out_and_in() {
    let mut drawn = loops(90);
    for p in &mut drawn {
        p.pressure = Some(0.75);
    }
    let keep = |drawn: &[Vec<InkPoint>]| Signature::take(drawn, 600.0, 200.0, KeepDynamics::Yes);
    let ink = keep(&[drawn]).unwrap();
    let back = strokes_from_signature_pad(&ink.to_signature_pad_json(600)).unwrap();
    assert_eq!(keep(&back).unwrap().encode(), ink.encode());
}

#[test]
fn json_that_is_no_drawing_is_refused() {
    for json in [
        "",
        "{}",
        "[1]",
        r#"[{"points":[{"x":1}]}]"#,
        r#"[[{"x":"1","y":2}]]"#,
        r#"[[{"x":null,"y":2}]]"#,
    ] {
        let refused = strokes_from_signature_pad(json).unwrap_err();
        assert_eq!(refused, InkImportError::NotADrawing, "{json}");
    }
    let rubbed = r#"[{"compositeOperation":"destination-out","points":[{"x":1,"y":2,"time":3}]}]"#;
    assert_eq!(
        strokes_from_signature_pad(rubbed),
        Err(InkImportError::Erased)
    );
    let long = " ".repeat(MAX_JSON_BYTES + 1);
    let refused = strokes_from_signature_pad(&long).unwrap_err();
    assert_eq!(
        refused,
        InkImportError::TooLong {
            bytes: MAX_JSON_BYTES + 1
        }
    );
    let huge = r#"[[{"x":1e300,"y":0,"time":-1e300},{"x":1,"y":1,"time":1e300}]]"#;
    let strokes = strokes_from_signature_pad(huge).unwrap_or_default();
    assert!(
        sign(&strokes).is_err(),
        "a coordinate beyond all pads is no ink"
    );
    assert_eq!(strokes_from_signature_pad("[]"), Ok(vec![]));
}

#[test]
fn inkml_lists_the_strokes_in_order() {
    let strokes = [
        stroke(&[(100.0, 50.0), (150.0, 150.0), (200.0, 50.0)]),
        stroke(&[(500.0, 20.0)]),
    ];
    let inkml = sign(&strokes).unwrap().to_inkml();
    assert!(
        inkml.contains("<trace>800 400,1200 1200,1600 400</trace><trace>4000 160</trace></ink>")
    );
    assert!(!inkml.contains("name=\"T\""));
    let timed = Signature::take(&strokes, 600.0, 200.0, KeepDynamics::Yes)
        .unwrap()
        .to_inkml();
    assert!(
        timed.contains("name=\"T\"") && timed.contains("<trace>800 400 0,1200 1200 0,"),
        "{timed}"
    );
}

#[test]
fn svg_names_the_corners_of_the_outline_and_runs_nothing() {
    let ink = sign(&[loops(80), stroke(&[(500.0, 20.0)])]).unwrap();
    let svg = ink.to_svg(600, 200);
    assert!(
        svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"600\" height=\"200\"")
    );
    assert!(!svg.contains("style") && !svg.contains("script"));
    let path = svg.split("d=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(
        read_path(path),
        ink.outline(600, 200)
            .rings()
            .map(<[_]>::to_vec)
            .collect::<Vec<_>>()
    );
}

/// The corners a browser would read from a path of `M`, `l` and `z`.
fn read_path(path: &str) -> Vec<Vec<(i32, i32)>> {
    let mut rings = Vec::new();
    for ring in path.split_terminator('z') {
        let spaced = ring.replace('-', " -").replace(['M', 'l'], " ");
        let numbers: Vec<i32> = spaced
            .split_whitespace()
            .map(|n| n.parse().unwrap())
            .collect();
        let mut at = (0, 0);
        rings.push(
            numbers
                .chunks(2)
                .map(|by| {
                    at = (at.0 + by[0], at.1 + by[1]);
                    at
                })
                .collect(),
        );
    }
    rings
}

proptest! {
    #[test]
    fn any_json_gives_an_answer(json in "\\PC{0,80}", x in any::<f32>(), time in any::<f64>()) {
        let _ = strokes_from_signature_pad(&json);
        let points = format!(r#"[[{{"x":{x:?},"y":1,"time":{time:?}}}]]"#);
        if let Ok(strokes) = strokes_from_signature_pad(&points) {
            let _ = sign(&strokes);
        }
    }
}
