//! The recipient's code: who may judge it, how often it may be tried, and what is recorded of it.

use core::fmt;

use satchel_protocol::crypto;
use satchel_protocol::ids::{Hash32, ParcelId, Salt};
use satchel_protocol::token::{base32, from_base32};
use thiserror::Error;

/// Tries for one delivery, whoever judges: a guess then hits 4 digits with 3 in 10 000.
pub const MAX_CODE_ENTRIES: u8 = 3;

/// Characters of a code that a phone may check: 16 of Crockford's base32 are 80 bits, which nobody can
/// try through even with the digest in hand. Anything shorter is the hub's to judge.
pub const STRONG_CODE_CHARS: usize = 16;
const STRONG_CODE_BYTES: usize = 10;

const DIGEST_DOMAIN: &[u8] = b"satchel-recipient-code/1\0";

/// How the code of one parcel is to be judged; sent by the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodePlan {
    /// A long code, as a QR on the customer's page; this phone can check it without a network.
    Here(OfflineCode),
    /// A short code of this many digits; only the hub can check it.
    ByHub {
        /// Number of digits, 4 to 8.
        digits: u8,
    },
}

/// A digest of a long code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfflineCode {
    parcel: ParcelId,
    salt: Salt,
    digest: Hash32,
    expires_at_ms: Option<i64>,
}

/// The hub sent something a phone must not be able to check, or cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OfflineCodeFault {
    /// So short that its digest gives it away.
    #[error("a code of {chars} characters must not be checked on a phone")]
    TooShort {
        /// Its length.
        chars: usize,
    },
    /// Without salt one table opens the codes of all parcels.
    #[error("the code's digest has no salt")]
    NoSalt,
}

/// What came of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeVerdict {
    /// It is the recipient's code.
    Matches,
    /// It is not.
    Wrong {
        /// Tries left.
        left: u8,
    },
    /// Taken down; the hub will say.
    AwaitsHub {
        /// Tries left.
        left: u8,
    },
}

/// Why a try was not taken; it does not count as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CodeRefusal {
    /// All tries are used up.
    #[error("no tries left")]
    Locked,
    /// The code's time is over; the customer can have a new one.
    #[error("the code has expired")]
    Expired,
    /// The text cannot be such a code, so it was not tried.
    #[error("the text does not have the form of the code")]
    NotTheForm,
}

/// A short code as typed. It goes into the entry's body and nowhere else, not even into a log line.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCode(String);

impl SealedCode {
    /// The digits, for the entry's body.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SealedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedCode({} digits)", self.0.len())
    }
}

/// A try, with what has to be recorded of it. Every try is an event of the log, right or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeEntry {
    /// What came of it.
    pub verdict: CodeVerdict,
    /// The typed digits, when the hub judges. A checked code is not kept at all.
    pub sealed: Option<SealedCode>,
}

impl OfflineCode {
    /// Takes over what the hub sent about a code of `code_chars` characters.
    ///
    /// # Errors
    /// [`OfflineCodeFault`] when the phone must not hold this digest; it is to be thrown away.
    pub fn new(
        parcel: ParcelId,
        code_chars: usize,
        salt: Salt,
        digest: Hash32,
        expires_at_ms: Option<i64>,
    ) -> Result<Self, OfflineCodeFault> {
        if code_chars < STRONG_CODE_CHARS {
            return Err(OfflineCodeFault::TooShort { chars: code_chars });
        }
        if salt.0.iter().all(|byte| *byte == 0) {
            return Err(OfflineCodeFault::NoSalt);
        }
        Ok(Self {
            parcel,
            salt,
            digest,
            expires_at_ms,
        })
    }

    /// What the hub sends for a code: bound to the parcel, so that it opens no other one.
    #[must_use]
    pub fn digest(parcel: ParcelId, salt: &Salt, code: &[u8; STRONG_CODE_BYTES]) -> Hash32 {
        crypto::sha256(&[DIGEST_DOMAIN, &salt.0, parcel.as_bytes(), code])
    }

    /// How a code reads in a QR or on paper: 16 characters in groups of four.
    #[must_use]
    pub fn wording(code: &[u8; STRONG_CODE_BYTES]) -> String {
        base32(code)
            .as_bytes()
            .chunks(4)
            .map(String::from_utf8_lossy)
            .collect::<Vec<_>>()
            .join("-")
    }

    fn matches(&self, typed: &[u8; STRONG_CODE_BYTES]) -> bool {
        let digest = Self::digest(self.parcel, &self.salt, typed);
        crypto::equal_ct(&digest.0, &self.digest.0)
    }
}

/// Takes a try. `entries_before` counts every recorded try of this delivery, from the log and not from
/// the screen, so that restarting the app gives no new ones.
///
/// # Errors
/// [`CodeRefusal`], when the text was not tried.
pub fn judge(
    plan: &CodePlan,
    typed: &str,
    entries_before: u8,
    now_ms: i64,
) -> Result<CodeEntry, CodeRefusal> {
    if entries_before >= MAX_CODE_ENTRIES {
        return Err(CodeRefusal::Locked);
    }
    let left = MAX_CODE_ENTRIES - entries_before - 1;
    match plan {
        CodePlan::Here(code) => {
            if code.expires_at_ms.is_some_and(|end| now_ms >= end) {
                return Err(CodeRefusal::Expired);
            }
            let typed = strong(typed).ok_or(CodeRefusal::NotTheForm)?;
            let verdict = if code.matches(&typed) {
                CodeVerdict::Matches
            } else {
                CodeVerdict::Wrong { left }
            };
            Ok(CodeEntry {
                verdict,
                sealed: None,
            })
        }
        CodePlan::ByHub { digits } => {
            let typed = typed.trim();
            let form = typed.len() == usize::from(*digits)
                && (4..=8).contains(digits)
                && typed.bytes().all(|b| b.is_ascii_digit());
            if !form {
                return Err(CodeRefusal::NotTheForm);
            }
            Ok(CodeEntry {
                verdict: CodeVerdict::AwaitsHub { left },
                sealed: Some(SealedCode(typed.to_owned())),
            })
        }
    }
}

/// Reads a long code as people type it: groups, spaces and either case.
fn strong(typed: &str) -> Option<[u8; STRONG_CODE_BYTES]> {
    if typed.len() > 4 * STRONG_CODE_CHARS {
        return None;
    }
    let plain: String = typed.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    if plain.len() != STRONG_CODE_CHARS {
        return None;
    }
    from_base32(&plain)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const CODE: [u8; STRONG_CODE_BYTES] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    const SALT: Salt = Salt([7; 32]);

    fn parcel(n: u128) -> ParcelId {
        ParcelId(Uuid::from_u128(n))
    }

    fn plan() -> CodePlan {
        let digest = OfflineCode::digest(parcel(1), &SALT, &CODE);
        CodePlan::Here(OfflineCode::new(parcel(1), 16, SALT, digest, Some(1_000)).unwrap())
    }

    fn verdict(plan: &CodePlan, typed: &str, before: u8) -> Result<CodeVerdict, CodeRefusal> {
        judge(plan, typed, before, 0).map(|entry| entry.verdict)
    }

    #[test]
    fn a_long_code_is_checked_without_a_network_as_people_type_it() {
        let wording = OfflineCode::wording(&CODE);
        assert_eq!(wording.len(), 19);
        assert_eq!(verdict(&plan(), &wording, 0), Ok(CodeVerdict::Matches));
        let sloppy = wording.to_lowercase().replace('-', " ");
        assert_eq!(verdict(&plan(), &sloppy, 2), Ok(CodeVerdict::Matches));
        let other = OfflineCode::wording(&[9; 10]);
        assert_eq!(
            verdict(&plan(), &other, 1),
            Ok(CodeVerdict::Wrong { left: 1 })
        );
    }

    #[test]
    fn a_digest_of_a_short_code_is_not_taken_by_the_phone() {
        let digest = OfflineCode::digest(parcel(1), &SALT, &CODE);
        for chars in [4, 6, 10, 15] {
            assert_eq!(
                OfflineCode::new(parcel(1), chars, SALT, digest, None),
                Err(OfflineCodeFault::TooShort { chars })
            );
        }
        assert_eq!(
            OfflineCode::new(parcel(1), 16, Salt([0; 32]), digest, None),
            Err(OfflineCodeFault::NoSalt)
        );
    }

    #[test]
    fn a_short_code_is_sealed_for_the_hub_and_never_shown_in_a_log() {
        let plan = CodePlan::ByHub { digits: 6 };
        let entry = judge(&plan, " 482913 ", 0, 0).unwrap();
        assert_eq!(entry.verdict, CodeVerdict::AwaitsHub { left: 2 });
        assert_eq!(entry.sealed.as_ref().unwrap().expose(), "482913");
        assert!(!format!("{entry:?}").contains("482913"));
        assert_eq!(verdict(&plan, "4829", 0), Err(CodeRefusal::NotTheForm));
        assert_eq!(verdict(&plan, "48291x", 0), Err(CodeRefusal::NotTheForm));
    }

    #[test]
    fn after_three_tries_it_is_over_whoever_judges() {
        let right = OfflineCode::wording(&CODE);
        assert_eq!(verdict(&plan(), &right, 3), Err(CodeRefusal::Locked));
        assert_eq!(
            verdict(&CodePlan::ByHub { digits: 4 }, "1234", 3),
            Err(CodeRefusal::Locked)
        );
    }

    #[test]
    fn an_expired_code_is_not_tried() {
        let right = OfflineCode::wording(&CODE);
        assert_eq!(
            judge(&plan(), &right, 0, 1_000).map(|e| e.verdict),
            Err(CodeRefusal::Expired)
        );
    }

    #[test]
    fn a_code_opens_its_own_parcel_only() {
        let digest = OfflineCode::digest(parcel(2), &SALT, &CODE);
        let other = CodePlan::Here(OfflineCode::new(parcel(1), 16, SALT, digest, None).unwrap());
        assert_eq!(
            verdict(&other, &OfflineCode::wording(&CODE), 0),
            Ok(CodeVerdict::Wrong { left: 2 })
        );
    }

    proptest! {
        #[test]
        fn only_the_code_itself_matches(code in any::<[u8; 10]>(), text in "\\PC{0,40}") {
            let wording = OfflineCode::wording(&code);
            let is_right = verdict(&plan(), &wording, 0) == Ok(CodeVerdict::Matches);
            prop_assert_eq!(is_right, code == CODE);
            prop_assert_ne!(verdict(&plan(), &text, 0), Ok(CodeVerdict::Matches));
        }
    }
}
