//! What a courier's phone and the hub agree on: ids, evidence entries, receipts, the feed, rating
//! tokens, request signatures and the code tables of the trade.
//!
//! The crate is pure: values in, values out. It opens no file, asks no clock and draws no random
//! number, so that both sides, the verifier and every test share one implementation of each format.
//! Every byte that leaves a device is fixed here and pinned by the golden vectors in `tests/golden`.

pub mod api;
pub mod appeal;
pub mod attempt;
pub mod batch;
pub mod bundle;
pub mod contradiction;
pub mod crypto;
pub mod device_keys;
pub mod doorstep;
pub mod doubt;
pub mod enrol;
pub mod entry;
pub mod erase;
pub mod escrow;
pub mod export;
pub mod feed;
pub mod http_sig;
pub mod ids;
pub mod ink;
pub mod limits;
pub mod lost;
pub mod mask;
pub mod orders;
pub mod packed;
pub mod receipt;
pub mod signed_time;
pub mod taxonomy;
pub mod tlog;
pub mod tls_key;
pub mod token;
pub mod transitions;
pub mod wedge;

mod codec;

pub use codec::FormatError;
