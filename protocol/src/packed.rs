//! The one content coding of answers: zstd, bounded on both sides.
//!
//! A feed page is JSON so that any back office can read it, and shrinks to a sixth on the way to a phone
//! that says it can unpack. A phone that does not say so gets it plain.

use crate::codec::FormatError;

/// Name of the coding in `Accept-Encoding` and `Content-Encoding` (RFC 8878).
pub const CODING: &str = "zstd";

/// As fast as a hub needs it; higher levels save a few per cent.
const LEVEL: i32 = 3;

/// Packs an answer's body.
///
/// # Errors
/// [`FormatError::Malformed`] only if there is no memory left.
pub fn pack(plain: &[u8]) -> Result<Vec<u8>, FormatError> {
    zstd::bulk::compress(plain, LEVEL).map_err(|_| malformed())
}

/// Unpacks a body that may have at most `limit` bytes.
///
/// # Errors
/// [`FormatError`] for anything that is no zstd frame or would be larger: a small frame that unpacks to
/// gigabytes costs no more than `limit`.
pub fn unpack(packed: &[u8], limit: usize) -> Result<Vec<u8>, FormatError> {
    // No frame at all would unpack to nothing at all.
    if packed.is_empty() {
        return Err(malformed());
    }
    zstd::bulk::decompress(packed, limit).map_err(|_| malformed())
}

/// Whether a request's `Accept-Encoding` names the coding and does not rule it out with `q=0`.
#[must_use]
pub fn is_accepted(accept_encoding: &str) -> bool {
    accept_encoding.split(',').any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        let named = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(CODING));
        let ruled_out = parts.any(|p| {
            p.strip_prefix("q=")
                .is_some_and(|q| q.trim_end_matches(['0', '.']).is_empty())
        });
        named && !ruled_out
    })
}

fn malformed() -> FormatError {
    FormatError::Malformed {
        what: "packed body",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back_and_a_bomb_stops_at_the_bound() {
        let page = b"stop ".repeat(10_000);
        let packed = pack(&page).unwrap();
        assert!(packed.len() * 50 < page.len());
        assert_eq!(unpack(&packed, page.len()).unwrap(), page);
        assert!(unpack(&packed, page.len() - 1).is_err());
        let bomb = zstd::bulk::compress(&vec![0u8; 64 << 20], 19).unwrap();
        assert!(bomb.len() < 100_000 && unpack(&bomb, 1 << 20).is_err());
        for cut in 0..packed.len() {
            assert!(unpack(&packed[..cut], page.len()).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn only_a_phone_that_asks_gets_it_packed() {
        for yes in ["zstd", "gzip, zstd", "ZSTD;q=0.5", "br;q=1.0, zstd;q=0.8"] {
            assert!(is_accepted(yes), "{yes}");
        }
        for no in ["", "gzip", "zstd;q=0", "zstd; q=0.0", "zstdx", "identity"] {
            assert!(!is_accepted(no), "{no}");
        }
    }
}
