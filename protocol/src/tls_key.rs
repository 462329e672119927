//! What a hub's TLS certificate says of its key, for hosts whose platform shows certificates and no keys.
//!
//! A hub is pinned by the SHA-256 of its `SubjectPublicKeyInfo` (docs/adr/0048), which lies some fields deep in the
//! certificate. Nothing is judged here: who signed the certificate, for which name and until when is the TLS's part.

use der08::asn1::AnyRef;
use der08::{Decode, Reader, SliceReader, Tag, Tagged};

use crate::crypto;
use crate::ids::Hash32;

/// Between version and key: serial number, signature algorithm, issuer, validity, subject (RFC 5280 §4.1).
const FIELDS_BEFORE_KEY: usize = 5;

/// SHA-256 of the key of an X.509 certificate in DER; none for what is no certificate.
#[must_use]
pub fn spki_sha256(certificate: &[u8]) -> Option<Hash32> {
    let whole = AnyRef::from_der(certificate).ok()?;
    let signed = first_of(whole)?;
    let mut fields = SliceReader::new(signed.value()).ok()?;
    let first = AnyRef::decode(&mut fields).ok()?;
    // Version 1 does not say so.
    let skipped = usize::from(first.tag() == Tag::Integer);
    for _ in skipped..FIELDS_BEFORE_KEY {
        AnyRef::decode(&mut fields).ok()?;
    }
    let key = fields.tlv_bytes().ok()?;
    is_sequence(AnyRef::from_der(key).ok()?).then(|| crypto::sha256(&[key]))
}

fn first_of(sequence: AnyRef<'_>) -> Option<AnyRef<'_>> {
    let mut inner = SliceReader::new(sequence.value()).ok()?;
    let first = AnyRef::decode(&mut inner).ok()?;
    (is_sequence(sequence) && is_sequence(first)).then_some(first)
}

fn is_sequence(value: AnyRef<'_>) -> bool {
    value.tag() == Tag::Sequence
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use data_encoding::{BASE64, HEXLOWER};

    use super::*;

    /// `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -days 36500`
    const CERTIFICATE: &str = "\
        MIIBfzCCASWgAwIBAgIUT6EyMDp53A52j9SxnyVuaCoa54QwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0MCAX\
        DTI2MTEyMjEyNTcxNVoYDzIxMjYxMDI5MTI1NzE1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO\
        PQMBBwNCAARxSH84KjMn1ac/smDvapIJPZ3Fx8JGuMSSIhuOBaN6hQZ7uNrlZ7hEYclthUfZNCQUbpCBI4lFRduHHaOA0HA9\
        o1MwUTAdBgNVHQ4EFgQU+vLCNpDtl0HhkN3w7OBYGiRsw6MwHwYDVR0jBBgwFoAU+vLCNpDtl0HhkN3w7OBYGiRsw6MwDwYD\
        VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBLfNu7igQI3fUBXaRD5iH7Uqg3ESoOxBt6CKkq0eMHxwIhAPZ7H4T2\
        kKWbuCqKwB+EN82O4cT/Ne4h6Jg6ygz1UQYH";
    /// `openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum`
    const PIN: &str = "a3ec0bc9d17298e97eada2cc055f8203bb0acc86efb275a9fa1d84f4adcf621f";

    #[test]
    fn the_key_of_a_certificate_is_hashed_as_openssl_does() {
        let certificate = BASE64.decode(CERTIFICATE.as_bytes()).unwrap();
        let Hash32(pin) = spki_sha256(&certificate).unwrap();
        assert_eq!(HEXLOWER.encode(&pin), PIN);
    }

    #[test]
    fn what_is_no_certificate_has_no_key() {
        let certificate = BASE64.decode(CERTIFICATE.as_bytes()).unwrap();
        assert_eq!(spki_sha256(b""), None);
        assert_eq!(spki_sha256(b"\x30\x02\x30\x00"), None);
        for cut in 0..certificate.len() {
            assert_eq!(spki_sha256(&certificate[..cut]), None, "{cut} bytes");
        }
        let trailing = [certificate.as_slice(), b"\0"].concat();
        assert_eq!(spki_sha256(&trailing), None);
    }
}
