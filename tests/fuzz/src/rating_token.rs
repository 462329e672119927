//! The path of a rating page, as anybody may type it.

use satchel_protocol::crypto::{Secret32, sha256};
use satchel_protocol::ids::Handle;
use satchel_protocol::token::{RatingToken, TOKEN_CHARS, rating_url};

/// Text that claims to be a token: what is read is written back as one and the same text, in the one
/// alphabet, and no key that is not its own takes it.
pub fn read(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(token) = RatingToken::parse(text) else {
        return;
    };
    let written = token.to_text();
    assert_eq!(written.len(), TOKEN_CHARS);
    assert!(
        RatingToken::parse(&written) == Ok(token),
        "a token changed on its way"
    );
    // Misread characters and lower case are forgiven, nothing else is.
    let typed = text
        .to_ascii_uppercase()
        .replace('O', "0")
        .replace(['I', 'L'], "1");
    assert!(typed == written, "two tokens for one text");
    assert!(
        !token.verify(&Secret32::new([0x5a; 32])),
        "made without the key"
    );
    let url = rating_url("https://hub.example", &token);
    assert!(url.ends_with(&written) && !url.contains(char::is_lowercase));
}

/// Tokens of a key that no input knows, and texts that are almost tokens.
pub fn texts() -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = (0..4_u8)
        .map(|n| {
            let seed = sha256(&[&[n]]);
            let handle = Handle([n; 8]);
            let token = RatingToken::mint(&Secret32::new(seed.0), handle, &seed);
            token.to_text().into_bytes()
        })
        .collect();
    out.extend([
        vec![b'0'; TOKEN_CHARS],
        vec![b'z'; TOKEN_CHARS],
        "０４".repeat(10).into_bytes(),
    ]);
    out
}
