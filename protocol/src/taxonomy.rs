//! The words of the trade as data: reasons, handoffs, actions and the small vocabularies around them.
//!
//! A code written on a phone today is read by a hub, an auditor and a partner's system years later, so
//! every list is closed, every entry has one canonical code, and nothing is matched by its wording.
//! Two spellings are used: reasons, handoffs and actions are `SCREAMING_SNAKE` (requirements C7), the
//! vocabularies of an attempt's fields are `snake_case` (the spelling of the rows that define them).
//! Codes of other systems are mapped where one was found; where none was, the list is empty.

mod action;
mod code_enum;
mod doorstep;
mod handoff;
mod opinion;
mod reason;
mod reason_codes;
mod vocabulary;

pub use action::Action;
pub use code_enum::UnknownCode;
pub(crate) use code_enum::code_enum;
pub use doorstep::{CallResult, ConsentOrigin, Contents, Datum, Giver, Regime, Zone};
pub use handoff::{ConsentRule, HandoffKind, HandoffMapping, ProofItem};
pub use opinion::{CareReason, DoubtKind, DoubtVerdict, RatingClass, RatingFlag};
pub use reason::Reason;
pub use reason_codes::{ExternalCode, ReasonMapping};
pub use vocabulary::{
    ConsentChannel, HandlingTag, IdentityMethod, InkDoubt, InspectionResult, Outcome, PhotoOrigin,
    PromiseClass, ProofKind, Relation,
};
