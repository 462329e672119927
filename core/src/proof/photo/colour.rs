//! Which colours the numbers mean, and how to say so in the proof.
//!
//! Phones take photos in Display P3. Without that being said, viewers take the numbers for sRGB and
//! show washed-out colours. The profile of the file itself is not copied, since nothing of the source
//! is: a profile can carry a serial number as well as any other field. The space is recognised by its
//! primaries, and the proof gets a profile we write ourselves. sRGB needs none.

/// A space the numbers of a picture can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// What everyone assumes; also every profile we do not know.
    Srgb,
    DisplayP3,
    AdobeRgb,
}

/// Red, green and blue as XYZ under the D50 light that profiles are written for.
type Primaries = [[f64; 3]; 3];

const DISPLAY_P3: Primaries = [
    [0.515_12, 0.241_20, -0.001_05],
    [0.291_98, 0.692_25, 0.041_89],
    [0.157_10, 0.066_57, 0.784_07],
];
const ADOBE_RGB: Primaries = [
    [0.609_74, 0.311_11, 0.019_47],
    [0.205_28, 0.625_67, 0.060_87],
    [0.149_19, 0.063_22, 0.744_57],
];

/// Makers round differently; spaces lie ten times farther apart.
const TOLERANCE: f64 = 0.004;

const ONE: f64 = 65_536.0;
const HEADER_BYTES: usize = 128;

/// The space of an embedded profile.
pub(super) fn recognise(icc: Option<&[u8]>) -> Space {
    let found = icc.and_then(primaries);
    let is = |want: Primaries| {
        found.is_some_and(|got| {
            got.iter()
                .flatten()
                .zip(want.iter().flatten())
                .all(|(a, b)| (a - b).abs() < TOLERANCE)
        })
    };
    if is(DISPLAY_P3) {
        Space::DisplayP3
    } else if is(ADOBE_RGB) {
        Space::AdobeRgb
    } else {
        Space::Srgb
    }
}

fn primaries(icc: &[u8]) -> Option<Primaries> {
    if icc.get(16..20)? != b"RGB " || icc.get(36..40)? != b"acsp" {
        return None;
    }
    let mut out = [[0.0; 3]; 3];
    for (to, name) in out.iter_mut().zip([b"rXYZ", b"gXYZ", b"bXYZ"]) {
        let body = tag(icc, name)?;
        if body.get(..4)? != b"XYZ " {
            return None;
        }
        for (to, at) in to.iter_mut().zip([8, 12, 16]) {
            let raw = i32::from_be_bytes(body.get(at..at + 4)?.try_into().ok()?);
            *to = f64::from(raw) / ONE;
        }
    }
    Some(out)
}

fn tag<'a>(icc: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let number = |at: usize| {
        let bytes = icc.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(bytes)).ok()
    };
    let count = number(HEADER_BYTES)?.min(100);
    let entry = (0..count)
        .map(|n| HEADER_BYTES + 4 + n * 12)
        .find(|at| icc.get(*at..*at + 4) == Some(name.as_slice()))?;
    let (start, length) = (number(entry + 4)?, number(entry + 8)?);
    icc.get(start..start.checked_add(length)?)
}

impl Space {
    /// The profile to write into the proof.
    pub(super) fn profile(self) -> Option<Vec<u8>> {
        match self {
            Self::Srgb => None,
            // The curve of sRGB: 2.4 with a straight foot.
            Self::DisplayP3 => Some(profile(
                "Display P3",
                DISPLAY_P3,
                &parametric(&[2.4, 1.0 / 1.055, 0.055 / 1.055, 1.0 / 12.92, 0.040_45]),
            )),
            Self::AdobeRgb => Some(profile(
                "Adobe RGB (1998)",
                ADOBE_RGB,
                &parametric(&[2.199_219]),
            )),
        }
    }
}

/// An ICC 4.3 display profile of three primaries and one curve.
fn profile(name: &str, primaries: Primaries, curve: &[u8]) -> Vec<u8> {
    const D50: [f64; 3] = [0.964_2, 1.0, 0.824_9];
    let mut tags: Vec<(&[u8; 4], Vec<u8>)> = vec![
        (b"desc", text(name)),
        (b"cprt", text("Public domain")),
        (b"wtpt", xyz(D50)),
    ];
    for (tag, primary) in [b"rXYZ", b"gXYZ", b"bXYZ"].into_iter().zip(primaries) {
        tags.push((tag, xyz(primary)));
    }
    for tag in [b"rTRC", b"gTRC", b"bTRC"] {
        tags.push((tag, curve.to_vec()));
    }
    let mut table = be(tags.len());
    let mut data: Vec<u8> = Vec::new();
    let data_start = HEADER_BYTES + 4 + tags.len() * 12;
    let mut last: Option<(usize, Vec<u8>)> = None;
    for (tag, body) in tags {
        // Tags may share their bytes; the three curves do.
        let start = match &last {
            Some((start, before)) if *before == body => *start,
            _ => {
                let start = data_start + data.len();
                data.extend_from_slice(&body);
                data.resize(data.len().next_multiple_of(4), 0);
                start
            }
        };
        table.extend_from_slice(tag);
        table.extend(be(start));
        table.extend(be(body.len()));
        last = Some((start, body));
    }
    let mut out = be(data_start + data.len());
    out.extend_from_slice(b"\0\0\0\0\x04\x30\0\0mntrRGB XYZ ");
    // A date has to be there; it is that of the format's edition.
    for part in [2_010u16, 12, 1, 0, 0, 0] {
        out.extend(part.to_be_bytes());
    }
    out.extend_from_slice(b"acsp");
    out.resize(68, 0);
    for value in D50 {
        out.extend(fixed(value));
    }
    out.resize(HEADER_BYTES, 0);
    out.extend(table);
    out.extend(data);
    out
}

fn be(value: usize) -> Vec<u8> {
    u32::try_from(value)
        .unwrap_or(u32::MAX)
        .to_be_bytes()
        .to_vec()
}

#[allow(clippy::cast_possible_truncation)] // values between -1 and 3
fn fixed(value: f64) -> [u8; 4] {
    ((value * ONE).round() as i32).to_be_bytes()
}

fn xyz(values: [f64; 3]) -> Vec<u8> {
    let mut out = b"XYZ \0\0\0\0".to_vec();
    out.extend(values.into_iter().flat_map(fixed));
    out
}

/// One parameter is a plain power, five are a power with a straight foot.
fn parametric(parameters: &[f64]) -> Vec<u8> {
    let mut out = b"para\0\0\0\0".to_vec();
    let kind: u8 = if parameters.len() == 5 { 3 } else { 0 };
    out.extend([0, kind, 0, 0]);
    out.extend(parameters.iter().copied().flat_map(fixed));
    out
}

fn text(text: &str) -> Vec<u8> {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut out = b"mluc\0\0\0\0\0\0\0\x01\0\0\0\x0cenUS".to_vec();
    out.extend(be(wide.len()));
    out.extend(be(28));
    out.extend(wide);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_we_write_are_recognised_and_small() {
        for space in [Space::DisplayP3, Space::AdobeRgb] {
            let icc = space.profile().unwrap();
            assert_eq!(recognise(Some(&icc)), space);
            assert!(icc.len() < 520, "{} bytes", icc.len());
            assert_eq!(icc[..4], u32::try_from(icc.len()).unwrap().to_be_bytes());
        }
        assert_eq!(Space::Srgb.profile(), None);
    }

    #[test]
    fn what_is_no_profile_of_ours_is_srgb() {
        let icc = Space::DisplayP3.profile().unwrap();
        for cut in 0..icc.len() {
            // Whatever is missing, there is an answer.
            recognise(Some(&icc[..cut]));
        }
        let mut other = icc.clone();
        other[16..20].copy_from_slice(b"CMYK");
        assert_eq!(recognise(Some(&other)), Space::Srgb);
        let mut wild = icc;
        wild[136..140].fill(0xff);
        recognise(Some(&wild));
        assert_eq!(recognise(None), Space::Srgb);
    }
}
