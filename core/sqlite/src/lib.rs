//! The one SQLite of the workspace: SQLite3MultipleCiphers, compiled from its amalgamation with the options
//! that phone and hub need, and linked whole into whatever depends on this crate.
//!
//! libsqlite3-sys, through which both rusqlite and sqlx call SQLite, is told by its feature `in_gecko` that
//! somebody else provides the library: it asks the linker for none, so the system's can never take this one's
//! place. Without this crate nothing links at all. The phone's store still asks the library which it is before
//! it writes a first page (docs/adr/0052).
//!
//! Whoever names `rusqlite` or `sqlx` has to keep this crate in its program:
//!
//! ```
//! use satchel_sqlite as _;
//! ```

// Its feature is what this crate depends on it for.
use libsqlite3_sys as _;

/// Release of SQLite3MultipleCiphers that was compiled, such as `2.6.1`.
pub const RELEASE: &str = env!("SATCHEL_SQLITE_RELEASE");
