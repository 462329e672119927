//! The evidence log on the phone: every fact of the day as a signed entry, chained to the one before.

pub(crate) mod log;
pub(crate) mod watch;
