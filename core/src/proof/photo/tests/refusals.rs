//! What is refused, by name of the reason, and what damage never does.

use std::io::{Seek as _, Write as _};

use super::*;

#[test]
fn a_cut_off_jpeg_is_refused_never_filled_with_grey() {
    let source = with_exif(&jpeg(&scene(1_600, 1_200)), 6);
    for permille in [1, 10, 100, 500, 900, 990] {
        let cut = &source[..source.len() * permille / 1_000];
        let got = from_bytes(cut).map(|_| ());
        assert!(
            matches!(got, Err(PhotoError::Truncated | PhotoError::NotAnImage)),
            "{permille} ‰: {got:?}"
        );
    }
}

#[test]
fn a_missing_end_mark_is_taken_and_marked() {
    let source = jpeg(&scene(800, 600));
    let photo = from_bytes(&source[..source.len() - 2]).unwrap();
    assert!(photo.warnings.contains(&PhotoWarning::EndMissing));
    let trailing = [source.as_slice(), b"\0\0\0\x18ftypmp42", &[0; 5_000]].concat();
    assert_eq!(
        from_bytes(&trailing).unwrap().warnings,
        [],
        "a motion photo's video is ignored"
    );
}

#[test]
fn a_hole_in_the_picture_is_damage() {
    let mut source = jpeg(&scene(1_600, 1_200));
    let middle = source.len() / 2;
    source[middle..middle + 4_096].fill(0);
    assert_eq!(from_bytes(&source).map(|_| ()), Err(PhotoError::Damaged));
}

#[test]
fn refuses_what_is_no_photo_by_name_of_the_reason() {
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
    let avif = b"\0\0\0\x1cftypavif\0\0\0\0";
    let mut arithmetic = jpeg(&scene(64, 64));
    let frame = arithmetic
        .windows(2)
        .position(|w| w == [0xff, 0xc0])
        .unwrap();
    arithmetic[frame + 1] = 0xc9;
    let cases: [(&[u8], PhotoError); 9] = [
        (b"", PhotoError::Empty),
        (b"<html><body>404</body></html>", PhotoError::NotAnImage),
        (b"GIF89a\x01\0\x01\0", PhotoError::NotAnImage),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", PhotoError::NotAnImage),
        (heic, PhotoError::UnsupportedFormat(UnsupportedFormat::Heic)),
        (avif, PhotoError::UnsupportedFormat(UnsupportedFormat::Avif)),
        (
            &arithmetic,
            PhotoError::UnsupportedFormat(UnsupportedFormat::RareJpeg),
        ),
        (b"\xff\xd8\xff\xd9", PhotoError::Damaged),
        (b"\xff\xd8\xff\xe0", PhotoError::Truncated),
    ];
    for (bytes, reason) in cases {
        assert_eq!(from_bytes(bytes), Err(reason));
    }
}

#[test]
fn a_sparse_file_of_two_gigabytes_is_refused_unread() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&jpeg(&scene(64, 64))).unwrap();
    let bytes = 2 * 1024 * 1024 * 1024;
    file.as_file().set_len(bytes).unwrap();
    let policy = PhotoPolicy::default();
    assert_eq!(
        ingest_photo(PhotoSource::Path(file.path()), &policy),
        Err(PhotoError::TooLarge {
            bytes,
            limit: policy.max_input_bytes
        })
    );
    assert_eq!(
        file.as_file().stream_position().unwrap(),
        jpeg(&scene(64, 64)).len() as u64
    );
}

#[test]
fn paths_that_are_no_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let policy = PhotoPolicy::default();
    let missing = dir.path().join("gone.jpg");
    assert_eq!(
        ingest_photo(PhotoSource::Path(&missing), &policy),
        Err(PhotoError::Missing)
    );
    let folder = ingest_photo(PhotoSource::Path(dir.path()), &policy);
    assert!(
        matches!(folder, Err(PhotoError::Unreadable(_))),
        "{folder:?}"
    );
}

#[test]
fn a_small_file_claiming_a_huge_picture_is_refused_before_decoding() {
    let mut source = jpeg(&scene(64, 64));
    let frame = source.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    source[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    assert_eq!(
        from_bytes(&source),
        Err(PhotoError::TooManyPixels {
            width_px: 65_500,
            height_px: 65_500
        })
    );
    let small = PhotoPolicy {
        max_pixels: 63 * 64,
        ..PhotoPolicy::default()
    };
    let whole = jpeg(&scene(64, 64));
    assert_eq!(
        ingest_photo(PhotoSource::Bytes(&whole), &small),
        Err(PhotoError::TooManyPixels {
            width_px: 64,
            height_px: 64
        })
    );
    let tight = PhotoPolicy {
        max_decode_bytes: 64 * 64 * 3 * 2 - 1,
        ..PhotoPolicy::default()
    };
    assert!(
        ingest_photo(PhotoSource::Bytes(&whole), &tight).is_ok(),
        "nothing is held"
    );
    let progressive = turbo(&scene(64, 64), |c| c.set_progressive(true).unwrap());
    assert!(matches!(
        ingest_photo(PhotoSource::Bytes(&progressive), &tight),
        Err(PhotoError::TooManyPixels { .. })
    ));
}

#[test]
fn any_single_damaged_header_byte_gives_an_answer() {
    let source = with_exif(&jpeg(&scene(48, 32)), 6);
    let scan = source.windows(2).position(|w| w == [0xff, 0xda]).unwrap();
    let policy = PhotoPolicy {
        max_pixels: 1_000_000,
        ..PhotoPolicy::default()
    };
    for at in 0..scan + 12 {
        for value in [0x00, 0x01, 0x7f, 0xff] {
            let mut bad = source.clone();
            bad[at] = value;
            if let Ok(photo) = ingest_photo(PhotoSource::Bytes(&bad), &policy) {
                assert!(!contains(&photo.jpeg, GPS_MARKER), "byte {at} = {value}");
            }
        }
    }
}
