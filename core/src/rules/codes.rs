//! Codes: what a scanner reads, and what a recipient tells the courier.
//!
//! Reading a code is a question of form and never of guessing: a number with a wrong check digit is
//! said to be wrong, a rating link is said to be no parcel. Checking a recipient's code is a question of
//! who may judge. A long code can be checked on the phone against a salted digest. A code of four to
//! eight digits cannot: a phone that can check it can try all of them in a moment, so whoever holds the
//! phone could sign for the customer. Such a code goes sealed into the signed entry and the hub judges
//! (security notes §7, row 8).

mod recipient;
mod scan;

pub use recipient::{
    CodeEntry, CodePlan, CodeRefusal, CodeVerdict, MAX_CODE_ENTRIES, OfflineCode, OfflineCodeFault,
    STRONG_CODE_CHARS, SealedCode, judge,
};
pub use scan::{
    Label, MAX_SCAN_CHARS, NotAParcel, Resolution, S10, Scan, ScanFault, Sscc, expect,
    parcel_label, read, s10_check_digit, sscc_check_digit,
};
