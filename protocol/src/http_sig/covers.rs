//! What a signature covers, and how its parameters are spelled: the full profile, and a lean one for uploads.
//!
//! A photo is cut, asked for and continued, three requests with three sets of signature headers, and on a phone's
//! tariff those are what an upload costs beyond the photo. The lean profile leaves out what follows from the rest
//! (`expires`, the tag), what has a name of its own already (an upload is repeated by its content's hash, so it has
//! no idempotency key), and the digest of a body that is not there. It is as fixed as the full one: which of its two
//! lists a request must carry follows from the method. A hub says that it takes it in [`PROFILES_HEADER`]; it takes
//! it for uploads only.

use data_encoding::BASE64URL_NOPAD;

use super::{LIFETIME_S, RequestParts, SigError};

/// Header of an answer that says which profiles a hub takes beside the full one.
pub const PROFILES_HEADER: &str = "satchel-signature";
/// Its value.
pub const PROFILES: &str = "lean";

const FULL: &str = r#"("@method" "@target-uri" "content-digest" "idempotency-key")"#;
const LEAN_BODY: &str = r#"("@method" "@target-uri" "content-digest")"#;
const LEAN_HEAD: &str = r#"("@method" "@target-uri")"#;
const TAG: &str = "courier";

/// The lists of components that are spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Covers {
    /// The full profile.
    Full,
    /// Lean, with a body.
    Body,
    /// Lean, of a method that has none.
    Head,
}

impl Covers {
    /// The lean list of a method.
    pub(super) fn lean(method: &str) -> Self {
        match method {
            "GET" | "HEAD" | "DELETE" => Self::Head,
            _ => Self::Body,
        }
    }

    /// Whether a request with this method may carry this list.
    pub(super) fn fits(self, method: &str) -> bool {
        self == Self::Full || self == Self::lean(method)
    }

    const fn components(self) -> &'static str {
        match self {
            Self::Full => FULL,
            Self::Body => LEAN_BODY,
            Self::Head => LEAN_HEAD,
        }
    }

    /// The list in front of `member`, and what is behind it.
    pub(super) fn of(member: &str) -> Result<(Self, &str), SigError> {
        [Self::Full, Self::Body, Self::Head]
            .into_iter()
            .find_map(|covers| Some((covers, member.strip_prefix(covers.components())?)))
            .ok_or(SigError::UnsupportedProfile)
    }

    /// The inner list with its parameters, as it stands in the header and in the base.
    pub(super) fn params(self, created_s: i64, nonce: &[u8; 12], key_id: &str) -> String {
        let (components, nonce) = (self.components(), BASE64URL_NOPAD.encode(nonce));
        match self {
            Self::Full => {
                let expires_s = created_s.saturating_add(LIFETIME_S);
                format!(
                    "{components};created={created_s};expires={expires_s};nonce=\"{nonce}\";keyid=\"{key_id}\";tag=\"{TAG}\""
                )
            }
            Self::Body | Self::Head => {
                format!("{components};created={created_s};nonce=\"{nonce}\";keyid=\"{key_id}\"")
            }
        }
    }

    /// What is signed.
    pub(super) fn base(self, parts: &RequestParts<'_>, digest: &str, member: &str) -> String {
        let all = [
            ("@method", parts.method),
            ("@target-uri", parts.target_uri),
            ("content-digest", digest),
            ("idempotency-key", parts.idempotency_key),
        ];
        let count = match self {
            Self::Full => 4,
            Self::Body => 3,
            Self::Head => 2,
        };
        super::signature_base(all.get(..count).unwrap_or(&all), member)
    }

    /// Takes `expires` and `tag` where this profile has them.
    pub(super) fn expires_s(
        self,
        created_s: i64,
        expires_s: Option<i64>,
        tag: Option<&str>,
    ) -> Result<i64, SigError> {
        let due_s = created_s.saturating_add(LIFETIME_S);
        let wanted = match self {
            Self::Full => (Some(due_s), Some(TAG)),
            Self::Body | Self::Head => (None, None),
        };
        match (expires_s, tag) == wanted {
            true => Ok(due_s),
            false => Err(SigError::UnsupportedProfile),
        }
    }
}
