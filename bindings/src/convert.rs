//! Ids cross the border as text and are parsed in the body of a call, so that a wrong one is the call's
//! own typed error and not a crash of the generated code.

use std::str::FromStr;

use crate::error::SatchelError;

/// Reads an id; `what` names the argument.
pub(crate) fn id<T: FromStr>(text: &str, what: &str) -> Result<T, SatchelError> {
    text.parse().map_err(|_| SatchelError::invalid(what))
}

/// A count as the app's languages like it.
pub(crate) fn count(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
