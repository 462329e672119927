//! Bodies of everything a courier records beside an attempt: consents, corrections, calls, reports,
//! scans, temperatures, pickups, codes and shifts.
//!
//! Like the attempt they are CBOR maps with integer keys behind a salted commitment: a newer phone may
//! add keys, an older hub skips them, and the bytes stay as they were signed. Each names the stop or the
//! parcels it is about, so that evidence of one delivery can be gathered and erased by itself.

mod consent;
mod contact;
mod parcel;
mod shift;

pub use consent::{ConsentEvidence, ConsentRecord, ConsentWithdrawnBody};
pub use contact::{CallBody, ReminderBody, ReportBody};
pub use parcel::{
    CodeEntryBody, CorrectionBody, LoadScanBody, ParcelStepBody, PickupBody, TemperatureBody,
    TemperatureSample,
};
pub use shift::{DutyBody, RuleSetRefusedBody};

/// Reading and writing of a body, with its name in errors.
macro_rules! body {
    ($name:ident, $what:literal) => {
        impl $name {
            /// The bytes to commit to.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                crate::codec::encode(self)
            }

            /// Reads a body; keys of a newer version are skipped.
            ///
            /// # Errors
            /// [`crate::FormatError`] when it is not one or uses an unknown code.
            pub fn decode(bytes: &[u8]) -> Result<Self, crate::FormatError> {
                crate::codec::decode($what, bytes, crate::limits::MAX_BODY_BYTES)
            }
        }
    };
}

pub(crate) use body;
