//! Forged rating tokens by the million: none is accepted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use satchel_protocol::crypto::{self, Secret32};
use satchel_protocol::ids::Handle;
use satchel_protocol::token::{RatingToken, TOKEN_CHARS};

fn key() -> Secret32 {
    Secret32::new([4; 32])
}

/// 10^7 by `SATCHEL_TOKENS=10000000`, 10^5 in every run: real tokens with one to four characters
/// changed, parts of two tokens put together, and random ones. None is the phone's.
#[test]
fn no_mutated_or_random_token_is_accepted() {
    let count = std::env::var("SATCHEL_TOKENS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(100_000_u64);
    let mut state = 8_u64;
    let mut dice = move |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % n as u64).unwrap()
    };
    let letters = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let real = |n: u64| {
        let seed = crypto::sha256(&[&n.to_be_bytes()]);
        RatingToken::mint(&key(), Handle(*seed.0.first_chunk().unwrap()), &seed)
    };
    let (mut parsed, mut accepted) = (0_u64, 0_u64);
    for n in 0..count {
        let whole = real(n);
        let mut text = whole.to_text().into_bytes();
        match n % 4 {
            0 => text.fill_with(|| letters[dice(32)]),
            1 => {
                let cut = 1 + dice(TOKEN_CHARS - 1);
                text[cut..].copy_from_slice(&real(n + 1).to_text().as_bytes()[cut..]);
            }
            _ => {
                for _ in 0..=dice(4) {
                    text[dice(TOKEN_CHARS)] = letters[dice(32)];
                }
            }
        }
        let text = String::from_utf8(text).unwrap();
        if let Ok(token) = RatingToken::parse(&text) {
            parsed += 1;
            // A change that changes nothing is no other token.
            accepted += u64::from(token != whole && token != real(n + 1) && token.verify(&key()));
        }
    }
    assert_eq!(accepted, 0);
    assert!(parsed > count / 2, "{parsed} of {count} were even tokens");
}
