//! What a check of a bundle found, as values and as a page of text.

use core::fmt;

use crate::entry::EntryKind;
use crate::ids::{DeviceId, Hash32};
use crate::taxonomy::Outcome;

/// How one check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Proven,
    /// It cannot be told from this file. Nothing speaks against it.
    Open,
    /// It does not hold: the file was changed, or somebody lied.
    Broken,
}

/// What was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Check {
    /// The hub's key is one the reader was given from elsewhere.
    HubKey,
    /// What the page shows is what the evidence says.
    Page,
    /// The hub vouched for the devices and their keys.
    Certificates,
    /// A key in the phone's hardware vouches for the key its log is signed with.
    HardwareKey,
    /// Each entry is signed by its device.
    Signatures,
    /// Each body is the one that was committed to.
    Bodies,
    /// Entries of one device fit into one history.
    History,
    /// All entries are about this parcel.
    Parcel,
    /// Each proof is the one that was bound.
    Proofs,
    /// The hub's receipts are the hub's.
    Receipts,
    /// Each entry is in the hub's transparency log.
    Log,
    /// The records of the hub's own journal are the hub's.
    Records,
    /// What the hub gave to a phone was accounted for.
    Manifest,
    /// A witness the reader trusts saw that log.
    Witnesses,
}

impl Check {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::HubKey => "the hub is the one you named",
            Self::Page => "the page shows what the evidence says",
            Self::Certificates => "the hub vouched for the devices",
            Self::HardwareKey => "a key in the phone's hardware vouches for its log key",
            Self::Signatures => "every entry is signed by its device",
            Self::Bodies => "every content is the one signed for",
            Self::History => "the entries fit into one history",
            Self::Parcel => "every entry is about this parcel",
            Self::Proofs => "every proof is the one that was bound",
            Self::Receipts => "the hub's receipts are the hub's",
            Self::Log => "every entry is in the hub's public log",
            Self::Records => "what the hub recorded of the customer is the hub's",
            Self::Manifest => "what a phone was given was accounted for",
            Self::Witnesses => "a witness you trust saw that log",
        }
    }
}

/// How much an outcome rests on (security notes §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// The courier's word.
    E0,
    /// A photo or a signature.
    E1,
    /// A proven time, and with it a photo taken there and a position that is not mocked, or the
    /// recipient's code.
    E2,
    /// A rating by somebody who held what the courier never had, bound to this very entry.
    E3,
}

impl Strength {
    /// In words, Chinese and English.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::E0 => ("仅有快递员记录", "the courier's word alone"),
            Self::E1 => ("有照片或签名", "a photo or a signature"),
            Self::E2 => (
                "可证时间,且有现场照片与定位或取件码",
                "a proven time, with photo and position or the recipient's code",
            ),
            Self::E3 => (
                "收件人本人评价(持有快递员没有的凭据)",
                "a rating by the recipient, who held what the courier never had",
            ),
        }
    }
}

/// Between which moments something was recorded, as far as others than the phone vouch for it. Unix
/// milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Interval {
    /// Not before: the hub had signed by then what the entry names.
    pub not_before_ms: Option<i64>,
    /// Not after: the hub, or a trusted witness, had it by then.
    pub not_after_ms: Option<i64>,
}

/// What is known of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryReport {
    /// Whose log.
    pub device: DeviceId,
    /// Where in it.
    pub seq: i64,
    /// Its hash.
    pub hash: Hash32,
    /// What it records.
    pub kind: EntryKind,
    /// The phone's own clock, Unix milliseconds.
    pub claimed_at_ms: i64,
    /// What others vouch for.
    pub interval: Interval,
    /// The claimed time lies outside of it.
    pub outside: bool,
    /// The outcome of an attempt.
    pub outcome: Option<Outcome>,
    /// The position it says again because the hub could not accept what stood there, and its hash.
    pub says_again: Option<(i64, Hash32)>,
    /// What that rests on.
    pub strength: Option<Strength>,
    /// The content was erased.
    pub erased: bool,
}

/// What a check of a bundle found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Each check and what is to be said of it.
    pub checks: Vec<(Check, Verdict, String)>,
    /// The entries, in the bundle's order.
    pub entries: Vec<EntryReport>,
}

impl Report {
    /// Nothing in the file is broken.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|(_, v, _)| *v != Verdict::Broken)
    }

    /// How one check came out.
    #[must_use]
    pub fn verdict(&self, check: Check) -> Option<Verdict> {
        let found = self.checks.iter().find(|(c, ..)| *c == check);
        found.map(|(_, verdict, _)| *verdict)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (check, verdict, note) in &self.checks {
            let mark = match verdict {
                Verdict::Proven => "proven",
                Verdict::Open => "open  ",
                Verdict::Broken => "BROKEN",
            };
            write!(f, "{mark}  {}", check.words())?;
            if !note.is_empty() {
                write!(f, ": {note}")?;
            }
            writeln!(f)?;
        }
        writeln!(f)?;
        for entry in &self.entries {
            let time = |ms: Option<i64>| ms.map_or_else(|| "?".to_owned(), super::when::utc);
            write!(f, "entry {} of {}: ", entry.seq, entry.device)?;
            match (entry.erased, entry.outcome) {
                (true, _) => write!(f, "content erased")?,
                (false, Some(outcome)) => write!(f, "{}", outcome.en())?,
                (false, None) => write!(f, "kind {}", entry.kind.0)?,
            }
            writeln!(f)?;
            if let Some((seq, hash)) = entry.says_again {
                writeln!(
                    f,
                    "  says again what stood at {seq} ({hash}) and could not be accepted"
                )?;
            }
            writeln!(
                f,
                "  the phone says {}; others vouch for {} to {}{}",
                super::when::utc(entry.claimed_at_ms),
                time(entry.interval.not_before_ms),
                time(entry.interval.not_after_ms),
                if entry.outside { "  DOES NOT FIT" } else { "" }
            )?;
            if let Some(strength) = entry.strength {
                writeln!(f, "  rests on {} ({strength:?})", strength.words().1)?;
            }
        }
        let end = if self.holds() {
            "Nothing in this file is broken."
        } else {
            "This file does NOT prove what it shows."
        };
        writeln!(f, "\n{end}")
    }
}
