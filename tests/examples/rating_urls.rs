//! Prints rating codes as a phone draws them, for readers that are not ours (`tests/qr`): the URL, the
//! modules of a side, and the modules row by row, 1 for black.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use satchel_core::rating::qr::{QrCodeError, QrMatrix};
use satchel_protocol::crypto::{self, Secret32};
use satchel_protocol::ids::Handle;
use satchel_protocol::token::{RatingToken, rating_url};

/// A host of 21 characters: the longest that still fits the small code.
const HUB: &str = "https://rate.expresshub.cn.co";

fn main() -> Result<(), QrCodeError> {
    let count = std::env::args().nth(1).and_then(|n| n.parse().ok());
    for n in 0..count.unwrap_or(160_u32) {
        let seed = crypto::sha256(&[b"qr", &n.to_be_bytes()]);
        let mut handle = [0; 8];
        handle.copy_from_slice(seed.0.first_chunk::<8>().unwrap_or(&[0; 8]));
        let token = RatingToken::mint(&Secret32::new(seed.0), Handle(handle), &seed);
        let url = rating_url(HUB, &token);
        let code = QrMatrix::from_text(&url)?;
        let rows: String = code
            .modules
            .iter()
            .map(|b| if *b { '1' } else { '0' })
            .collect();
        println!("{url}\t{}\t{rows}", code.size_modules);
    }
    Ok(())
}
