//! Every bound of the wire formats, each with the reason for its number.
//!
//! Both sides check these before they parse or allocate, so neither a broken phone nor a lying hub can
//! make the other one use unbounded memory.

/// Largest encoded entry header: the fixed fields are about 200 bytes and 16 blob hashes 544.
pub const MAX_HEADER_BYTES: usize = 1_024;

/// Largest entry body. An attempt is about 600 bytes; free text is capped at [`MAX_TEXT_CHARS`].
pub const MAX_BODY_BYTES: usize = 32 * 1_024;

/// Most blobs one entry may bind: a signature, a code and a dozen photos for one parcel.
pub const MAX_BLOBS_PER_ENTRY: usize = 16;

/// Longest free text a person may enter (a note, a comment), in characters.
pub const MAX_TEXT_CHARS: usize = 2_000;

/// Entries in one upload batch: what one receipt may name. How many bytes a batch may have follows from the measured
/// line, and each request costs a round trip.
pub const MAX_BATCH_ENTRIES: usize = 1_000;

/// Positions of one log that may stand open. More is no bad entry but a broken phone, and a person looks.
pub const MAX_WEDGED: usize = 64;

/// Bytes of one batch on the wire that a hub accepts: a busy week with drawn ink. Bodies of requests are read only
/// from devices that the hub knows.
pub const MAX_BATCH_BYTES: usize = 4 * 1_024 * 1_024;

/// Bytes of a batch's metadata after decompression: stops a zip bomb at some hundred full-size bodies.
pub const MAX_BATCH_META_BYTES: usize = 4 * 1_024 * 1_024;

/// Largest blob that rides inside a batch (a stroke signature is about 600 bytes, a drawn one 4 KB).
pub const MAX_INLINE_BLOB_BYTES: usize = 16 * 1_024;

/// Largest proof a hub takes. Photos are re-encoded to about 250 KB on the phone.
pub const MAX_PROOF_BYTES: u64 = 16 * 1_024 * 1_024;

/// Largest feed page a phone reads.
pub const MAX_FEED_PAGE_BYTES: usize = 4 * 1_024 * 1_024;

/// Items a phone asks for in one feed page: a fresh phone's day and its changes in one round trip. Pages
/// are bounded by bytes as well.
pub const FEED_PAGE_ITEMS: u32 = 4_000;

/// Longest a hub holds a feed request open that has nothing to tell: below what proxies and phone networks
/// cut.
pub const MAX_FEED_WAIT_S: u32 = 25;

/// Largest answer of any other kind that a phone reads: a receipt for as many entries as one may name, each with as
/// many proofs as an entry may bind, is 0.6 MB.
pub const MAX_ANSWER_BYTES: usize = 1_024 * 1_024;

/// Entries named by one receipt that a phone asks for after an unknown outcome.
pub const MAX_RECEIPT_ENTRIES: usize = 1_000;
