//! Request signatures between phone and hub: one fixed profile of RFC 9421 with RFC 9530 digests.
//!
//! A self-hosted hub often sits behind somebody's TLS proxy, so the request itself is signed, body
//! included, and no bearer secret is ever sent. The standard lets the sender choose what is covered;
//! that choice is where verifiers go wrong, so this profile leaves none: one label, one list of
//! components, one order of parameters, one digest, and the algorithm comes from the key record, never
//! from the message. What does not match to the byte is refused. Uploads of proofs may be signed by a second list, as
//! fixed as the first (`covers`).
//!
//! No domain prefix is needed beside the log's signatures: a signature base always begins with
//! `"@method": ` and everything else this key signs begins with `satchel-`.
//!
//! The functions know no clock and no nonce store. The hub gives the time at which the *header* of a
//! request arrived (a large proof may take minutes) and remembers nonces for [`NONCE_MEMORY_S`].

mod covers;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use ed25519_dalek::{SigningKey, VerifyingKey};
use thiserror::Error;

use crate::crypto;
use crate::ids::Sig64;
use covers::Covers;

pub use covers::{PROFILES, PROFILES_HEADER};

/// How long a signature is valid.
pub const LIFETIME_S: i64 = 60;

/// How far a phone's clock may be ahead before its request is refused.
pub const MAX_SKEW_S: i64 = 60;

/// How long a hub remembers a nonce: the longest time in which one request can still be accepted,
/// which is its lifetime after it came from a clock that was [`MAX_SKEW_S`] ahead.
pub const NONCE_MEMORY_S: i64 = LIFETIME_S + MAX_SKEW_S;

/// A real `Signature-Input` of this profile has about 230 bytes, a `Signature` 94.
const MAX_HEADER_BYTES: usize = 512;
const MAX_URI_BYTES: usize = 8 * 1024;
const MAX_FIELD_BYTES: usize = 128;

const LABEL: &str = "sig=";
const DIGEST_PREFIX: &str = "sha-256=:";

/// Why a request is not accepted as signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SigError {
    /// A needed header is absent or empty.
    #[error("a signature header is missing")]
    Missing,
    /// A part could not be read, or holds characters it must not hold.
    #[error("malformed signature header or request part")]
    Malformed,
    /// Readable, but not the one profile spoken here.
    #[error("not the signature profile of this protocol")]
    UnsupportedProfile,
    /// The body is not the one that was signed.
    #[error("the content digest does not match the body")]
    DigestMismatch,
    /// Genuine, but made by a clock that is too far off; the hub answers with its signed time.
    #[error("the device's clock is too far off")]
    ClockSkew,
    /// Genuine, but it arrived after its lifetime; sign again and repeat.
    #[error("the signature has expired")]
    Expired,
    /// The signature does not belong to this request and key.
    #[error("the signature does not verify")]
    BadSignature,
}

/// What a signature covers, as the signer sends it and as the verifier rebuilds it.
#[derive(Debug, Clone, Copy)]
pub struct RequestParts<'a> {
    /// `POST`, `GET`, ….
    pub method: &'a str,
    /// The full URI; a hub takes scheme and host from its configured public URL, not from `Host`.
    pub target_uri: &'a str,
    /// The body as sent; empty for a request without one.
    pub body: &'a [u8],
    /// The key under which a repeat of this request changes nothing.
    pub idempotency_key: &'a str,
}

/// What the signer adds.
#[derive(Debug, Clone, Copy)]
pub struct SignParams<'a> {
    /// Seconds since 1970 by the signer's best knowledge of the hub's clock.
    pub created_s: i64,
    /// 96 random bits, never used twice.
    pub nonce: &'a [u8; 12],
    /// The name of the key in the verifier's records: the device id.
    pub key_id: &'a str,
}

/// The header values to send; `Idempotency-Key` is the caller's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHeaders {
    /// `Content-Digest`; empty where the lean profile has none.
    pub content_digest: String,
    /// `Signature-Input`.
    pub signature_input: String,
    /// `Signature`.
    pub signature: String,
}

impl SignedHeaders {
    /// Header names (lower case) and values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("content-digest", self.content_digest.as_str()),
            ("signature-input", self.signature_input.as_str()),
            ("signature", self.signature.as_str()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
    }
}

/// A signature that was read but not yet checked: look up the key and the nonce, then [`verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedSignature {
    /// When the sender says it signed.
    pub created_s: i64,
    /// Always [`LIFETIME_S`] later.
    pub expires_s: i64,
    /// To be refused if it was seen before.
    pub nonce: [u8; 12],
    /// Which key to look up.
    pub key_id: String,
    signature: Sig64,
    covers: Covers,
}

impl ParsedSignature {
    /// Whether this is the lean profile, which counts for uploads only.
    #[must_use]
    pub fn is_lean(&self) -> bool {
        self.covers != Covers::Full
    }

    /// Whether the digest of a body is covered; a request without is one that has none.
    #[must_use]
    pub fn has_body(&self) -> bool {
        self.covers != Covers::Head
    }
}

/// The `Content-Digest` value of a body.
#[must_use]
pub fn content_digest(body: &[u8]) -> String {
    format!(
        "{DIGEST_PREFIX}{}:",
        BASE64.encode(&crypto::sha256(&[body]).0)
    )
}

/// Signs a request.
///
/// # Errors
/// [`SigError::Malformed`] if a part holds characters that cannot stand in a signature base: a line
/// break in one would let it pose as the next line.
pub fn sign(
    parts: &RequestParts<'_>,
    params: &SignParams<'_>,
    key: &SigningKey,
) -> Result<SignedHeaders, SigError> {
    sign_covering(Covers::Full, parts, params, key)
}

/// [`sign`] with fewer headers, for uploads to a hub that said it takes that ([`PROFILES_HEADER`]). The
/// idempotency key is neither covered nor to be sent.
///
/// # Errors
/// As [`sign`].
pub fn sign_lean(
    parts: &RequestParts<'_>,
    params: &SignParams<'_>,
    key: &SigningKey,
) -> Result<SignedHeaders, SigError> {
    sign_covering(Covers::lean(parts.method), parts, params, key)
}

fn sign_covering(
    covers: Covers,
    parts: &RequestParts<'_>,
    params: &SignParams<'_>,
    key: &SigningKey,
) -> Result<SignedHeaders, SigError> {
    let digest = match covers {
        Covers::Full | Covers::Body => content_digest(parts.body),
        Covers::Head => String::new(),
    };
    check_parts(parts, covers)?;
    if params.created_s < 0 || !is_key_id(params.key_id) {
        return Err(SigError::Malformed);
    }
    let member = covers.params(params.created_s, params.nonce, params.key_id);
    let base = covers.base(parts, &digest, &member);
    let Sig64(signature) = crypto::sign(key, b"", base.as_bytes());
    Ok(SignedHeaders {
        content_digest: digest,
        signature_input: format!("{LABEL}{member}"),
        signature: format!("{LABEL}:{}:", BASE64.encode(&signature)),
    })
}

/// Reads the two signature headers of the fixed profile. An absent header is given as `""`.
///
/// # Errors
/// [`SigError::Missing`], [`SigError::Malformed`] or [`SigError::UnsupportedProfile`].
pub fn parse(signature_input: &str, signature: &str) -> Result<ParsedSignature, SigError> {
    if signature_input.is_empty() || signature.is_empty() {
        return Err(SigError::Missing);
    }
    if signature_input.len() > MAX_HEADER_BYTES || signature.len() > MAX_HEADER_BYTES {
        return Err(SigError::Malformed);
    }
    let member = signature_input
        .strip_prefix(LABEL)
        .ok_or(SigError::UnsupportedProfile)?;
    let (covers, mut rest) = Covers::of(member)?;
    let is_full = covers == Covers::Full;
    let created = take_param(&mut rest, "created")?;
    let expires = is_full.then(|| take_param(&mut rest, "expires"));
    let expires = expires.transpose()?;
    let nonce = unquote(take_param(&mut rest, "nonce")?)?;
    let key_id = unquote(take_param(&mut rest, "keyid")?)?;
    let tag = is_full.then(|| take_param(&mut rest, "tag").and_then(unquote));
    let tag = tag.transpose()?;
    if !rest.is_empty() {
        return Err(SigError::UnsupportedProfile);
    }
    let created_s = seconds(created)?;
    let expires_s = covers.expires_s(created_s, expires.map(seconds).transpose()?, tag)?;
    if !is_key_id(key_id) {
        return Err(SigError::Malformed);
    }
    let nonce = BASE64URL_NOPAD
        .decode(nonce.as_bytes())
        .map_err(|_| SigError::Malformed)?;
    let nonce: [u8; 12] = nonce.try_into().map_err(|_| SigError::UnsupportedProfile)?;
    // The base is rebuilt from these values, so the header must be their only spelling.
    if covers.params(created_s, &nonce, key_id) != member {
        return Err(SigError::Malformed);
    }
    let signature = signature
        .strip_prefix(LABEL)
        .and_then(|v| v.strip_prefix(':'))
        .and_then(|v| v.strip_suffix(':'))
        .ok_or(SigError::UnsupportedProfile)?;
    let signature = BASE64
        .decode(signature.as_bytes())
        .map_err(|_| SigError::Malformed)?;
    let signature = Sig64::try_from(signature.as_slice()).map_err(|_| SigError::Malformed)?;
    Ok(ParsedSignature {
        created_s,
        expires_s,
        nonce,
        key_id: key_id.to_owned(),
        signature,
        covers,
    })
}

/// Checks digest, signature and clock, in this order: only a genuine device is told about its clock, so
/// that a stranger cannot make the hub sign answers.
///
/// A `max_skew_s` above [`MAX_SKEW_S`] would outlive the nonce memory.
///
/// # Errors
/// Any [`SigError`]; on an error nothing about the request may be believed.
pub fn verify(
    parts: &RequestParts<'_>,
    content_digest_header: &str,
    parsed: &ParsedSignature,
    key: &VerifyingKey,
    now_s: i64,
    max_skew_s: i64,
) -> Result<(), SigError> {
    let damaged = match parsed.has_body() {
        true => {
            content_digest_header.starts_with(DIGEST_PREFIX)
                && content_digest(parts.body) != content_digest_header
        }
        false => !parts.body.is_empty(),
    };
    if damaged {
        return Err(SigError::DigestMismatch);
    }
    verify_head(parts, content_digest_header, parsed, key, now_s, max_skew_s)
}

/// [`verify`] before the body has come: `parts.body` is not looked at. Lets a hub refuse a stranger
/// without reading his body, and stream a large one.
///
/// The caller must still compare [`content_digest`] of the body with the header before it believes
/// the body, or know the body's hash from elsewhere.
///
/// # Errors
/// As [`verify`], but never [`SigError::DigestMismatch`].
pub fn verify_head(
    parts: &RequestParts<'_>,
    content_digest_header: &str,
    parsed: &ParsedSignature,
    key: &VerifyingKey,
    now_s: i64,
    max_skew_s: i64,
) -> Result<(), SigError> {
    let covers = parsed.covers;
    if !covers.fits(parts.method) {
        return Err(SigError::UnsupportedProfile);
    }
    let needs_key = covers == Covers::Full && parts.idempotency_key.is_empty();
    if needs_key || parsed.has_body() && content_digest_header.is_empty() {
        return Err(SigError::Missing);
    }
    check_parts(parts, covers)?;
    if parsed.has_body() {
        let digest = content_digest_header
            .strip_prefix(DIGEST_PREFIX)
            .and_then(|v| v.strip_suffix(':'))
            .ok_or(SigError::UnsupportedProfile)?;
        if BASE64.decode(digest.as_bytes()).map(|d| d.len()) != Ok(32) {
            return Err(SigError::Malformed);
        }
    }
    let member = covers.params(parsed.created_s, &parsed.nonce, &parsed.key_id);
    let base = covers.base(parts, content_digest_header, &member);
    if !crypto::verify(key, b"", base.as_bytes(), &parsed.signature) {
        return Err(SigError::BadSignature);
    }
    check_time(parsed, now_s, max_skew_s.max(0))
}

/// A request a little late is only late; one from the future, or later than lifetime and tolerance
/// together, comes from a clock that is wrong.
fn check_time(parsed: &ParsedSignature, now_s: i64, max_skew_s: i64) -> Result<(), SigError> {
    let ahead_s = parsed.created_s.saturating_sub(now_s);
    let late_s = now_s.saturating_sub(parsed.expires_s);
    if ahead_s > max_skew_s || late_s > max_skew_s {
        Err(SigError::ClockSkew)
    } else if late_s > 0 {
        Err(SigError::Expired)
    } else {
        Ok(())
    }
}

/// RFC 9421 §2.5: one line per component, then the parameters; no line end after the last.
fn signature_base(components: &[(&str, &str)], signature_params: &str) -> String {
    let mut base = String::new();
    for (name, value) in components {
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {signature_params}"));
    base
}

/// Takes `;name=value` off the front of `rest`; no value of this profile holds a semicolon.
fn take_param<'a>(rest: &mut &'a str, name: &str) -> Result<&'a str, SigError> {
    let after = rest
        .strip_prefix(';')
        .and_then(|r| r.strip_prefix(name))
        .and_then(|r| r.strip_prefix('='))
        .ok_or(SigError::UnsupportedProfile)?;
    let (value, tail) = after.split_at(after.find(';').unwrap_or(after.len()));
    *rest = tail;
    Ok(value)
}

fn unquote(value: &str) -> Result<&str, SigError> {
    value
        .strip_prefix('"')
        .and_then(|v| v.strip_suffix('"'))
        .ok_or(SigError::Malformed)
}

/// At most twelve digits, so that no sum with a lifetime can overflow.
fn seconds(digits: &str) -> Result<i64, SigError> {
    if digits.len() > 12 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(SigError::Malformed);
    }
    digits.parse().map_err(|_| SigError::Malformed)
}

fn check_parts(parts: &RequestParts<'_>, covers: Covers) -> Result<(), SigError> {
    let method = !parts.method.is_empty()
        && parts.method.len() <= MAX_FIELD_BYTES
        && parts.method.bytes().all(|b| b.is_ascii_uppercase());
    let uri = is_visible(parts.target_uri, MAX_URI_BYTES);
    let idempotency_key =
        covers != Covers::Full || is_visible(parts.idempotency_key, MAX_FIELD_BYTES);
    if method && uri && idempotency_key {
        Ok(())
    } else {
        Err(SigError::Malformed)
    }
}

fn is_visible(text: &str, max_bytes: usize) -> bool {
    !text.is_empty() && text.len() <= max_bytes && text.bytes().all(|b| b.is_ascii_graphic())
}

fn is_key_id(text: &str) -> bool {
    is_visible(text, 64)
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9421, appendices B.1.4 (the key) and B.2.6 (a request signed with it).
    #[test]
    fn the_rfc_s_ed25519_example_is_reproduced_byte_for_byte() {
        let secret = BASE64URL_NOPAD
            .decode(b"n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU")
            .unwrap();
        let public = BASE64URL_NOPAD
            .decode(b"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs")
            .unwrap();
        let key = SigningKey::from_bytes(&secret.try_into().unwrap());
        assert_eq!(key.verifying_key().to_bytes().as_slice(), public);

        let components = [
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("@method", "POST"),
            ("@path", "/foo"),
            ("@authority", "example.com"),
            ("content-type", "application/json"),
            ("content-length", "18"),
        ];
        let names: Vec<_> = components
            .iter()
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        let params = format!(
            "({});created=1618884473;keyid=\"test-key-ed25519\"",
            names.join(" ")
        );
        let base = signature_base(&components, &params);
        assert_eq!(base.lines().count(), 7);
        assert!(!base.ends_with('\n'));

        let expected = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";
        let signature = crypto::sign(&key, b"", base.as_bytes());
        assert_eq!(BASE64.encode(&signature.0), expected);
        assert!(crypto::verify(
            &key.verifying_key(),
            b"",
            base.as_bytes(),
            &signature
        ));
    }
}
