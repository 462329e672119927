//! What the courier is asked about, and what he is not bothered with.

use super::*;

#[test]
fn doubts_are_told_and_never_refuse() {
    let sharp = from_bytes(&jpeg(&scene(1_200, 900))).unwrap();
    assert_eq!(sharp.warnings, []);

    let stripes = |x, y| u8::try_from((x / 8 + y / 12) % 2 * 14).unwrap();
    let night = RgbImage::from_fn(1_200, 900, |x, y| Rgb([stripes(x, y); 3]));
    assert_eq!(
        from_bytes(&jpeg(&night)).unwrap().warnings,
        [PhotoWarning::Dark]
    );

    let unfocused = image::imageops::fast_blur(&scene(1_200, 900), 14.0);
    assert_eq!(
        from_bytes(&jpeg(&unfocused)).unwrap().warnings,
        [PhotoWarning::Blurry]
    );

    let stamp = from_bytes(&jpeg(&scene(320, 240))).unwrap();
    assert_eq!(stamp.warnings, [PhotoWarning::Tiny]);
    let dot = from_bytes(&jpeg(&scene(1, 1))).unwrap();
    assert!(dot.warnings.contains(&PhotoWarning::Tiny));
}
