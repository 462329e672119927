//! What the courier is asked about, and what he is not bothered with.

use exif::{Tag, Value};

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

/// A parcel at a door as it looks on a screen: each pixel of the screen has a dark border, and the camera
/// sees so many of its own pixels from one border to the next.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)] // some thousand pixels; clamped to a byte
fn on_a_screen(period: f32) -> RgbImage {
    RgbImage::from_fn(1_600, 1_200, |x, y| {
        let dip = |at: u32| (at as f32 / period * std::f32::consts::TAU).cos() * 0.12;
        let light = 0.85 + dip(x) + dip(y);
        let parcel = (300..900).contains(&x) && (500..1_000).contains(&y);
        let plain = if parcel {
            [200, 160, 100]
        } else {
            [120, 130, 125]
        };
        Rgb(plain.map(|v: u8| (f32::from(v) * light).clamp(0.0, 255.0) as u8))
    })
}

fn warnings(pixels: &RgbImage) -> Vec<PhotoWarning> {
    from_bytes(&jpeg(pixels)).unwrap().warnings
}

#[test]
fn a_photographed_screen_shows_by_its_grid() {
    for period in [3.3, 4.7, 6.2] {
        let seen = warnings(&on_a_screen(period));
        assert!(
            seen.contains(&PhotoWarning::Screen),
            "period {period}: {seen:?}"
        );
    }
    // A brick wall, a blind, a floor of tiles: regular too, but not as fine.
    let tiles = RgbImage::from_fn(1_600, 1_200, |x, y| {
        Rgb([if x % 40 < 3 || y % 40 < 3 { 90 } else { 180 }; 3])
    });
    assert!(!warnings(&tiles).contains(&PhotoWarning::Screen));
    let blind = RgbImage::from_fn(1_600, 1_200, |_, y| {
        Rgb([if y % 8 < 4 { 90 } else { 180 }; 3])
    });
    assert!(
        !warnings(&blind).contains(&PhotoWarning::Screen),
        "a grid repeats both ways"
    );
}

#[test]
fn glare_is_a_part_burnt_out_not_a_bright_picture() {
    let flash = |share: u32| {
        let mut pixels = scene(1_200, 900);
        for (x, y, pixel) in pixels.enumerate_pixels_mut() {
            if x < 1_200 * share / 100 && y > 200 {
                *pixel = Rgb([255; 3]);
            }
        }
        warnings(&pixels)
    };
    assert!(flash(30).contains(&PhotoWarning::Glare));
    assert_eq!(flash(2), [], "a lamp in the corner is none");
    let white = RgbImage::from_pixel(1_200, 900, Rgb([255; 3]));
    assert!(!warnings(&white).contains(&PhotoWarning::Glare));
}

#[test]
fn a_file_that_contradicts_itself_on_which_way_is_up_is_doubted() {
    let upright = jpeg(&scene(600, 800));
    // A gallery's editor turned the pixels, and left the camera's turn and size in the notes.
    let twice = with_notes(
        &upright,
        &[
            (Tag::Orientation, Value::Short(vec![6])),
            (Tag::PixelXDimension, Value::Long(vec![800])),
            (Tag::PixelYDimension, Value::Long(vec![600])),
        ],
    );
    assert!(
        from_bytes(&twice)
            .unwrap()
            .warnings
            .contains(&PhotoWarning::OrientationDoubtful)
    );
    let nonsense = from_bytes(&with_exif(&upright, 9)).unwrap();
    assert!(
        nonsense
            .warnings
            .contains(&PhotoWarning::OrientationDoubtful)
    );
    assert_eq!(
        (nonsense.width_px, nonsense.height_px),
        (600, 800),
        "taken as it lies"
    );
    assert_eq!(from_bytes(&with_exif(&upright, 6)).unwrap().warnings, []);
}
