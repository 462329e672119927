//! The request signature as an attacker, a wrong clock and a careless proxy would meet it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use satchel_protocol::http_sig::{
    LIFETIME_S, MAX_SKEW_S, NONCE_MEMORY_S, RequestParts, SigError, SignParams, SignedHeaders,
    parse, sign, sign_lean, verify,
};

const CREATED_S: i64 = 1_780_000_000;
const KEY_ID: &str = "0198c0de-7d0c-7000-8000-00000000beef";

type Signer =
    fn(&RequestParts<'_>, &SignParams<'_>, &SigningKey) -> Result<SignedHeaders, SigError>;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[0x42; 32])
}

/// A request as it travels: everything the hub reads, owned, so that a test can damage any part.
#[derive(Debug, Clone, PartialEq)]
struct Wire {
    method: Vec<u8>,
    target_uri: Vec<u8>,
    body: Vec<u8>,
    idempotency_key: Vec<u8>,
    content_digest: Vec<u8>,
    signature_input: Vec<u8>,
    signature: Vec<u8>,
}

impl Wire {
    fn signed(method: &str, target_uri: &str, body: &[u8], idempotency_key: &str) -> Self {
        Self::signed_by(sign, (method, target_uri), body, idempotency_key)
    }

    fn lean(method: &str, body: &[u8]) -> Self {
        Self::signed_by(
            sign_lean,
            (method, "https://hub.example/v1/proofs/a1"),
            body,
            "",
        )
    }

    fn signed_by(
        sign: Signer,
        (method, target_uri): (&str, &str),
        body: &[u8],
        idempotency_key: &str,
    ) -> Self {
        let parts = RequestParts {
            method,
            target_uri,
            body,
            idempotency_key,
        };
        let params = SignParams {
            created_s: CREATED_S,
            nonce: &[7; 12],
            key_id: KEY_ID,
        };
        let SignedHeaders {
            content_digest,
            signature_input,
            signature,
        } = sign(&parts, &params, &key()).unwrap();
        Self {
            method: method.into(),
            target_uri: target_uri.into(),
            body: body.into(),
            idempotency_key: idempotency_key.into(),
            content_digest: content_digest.into(),
            signature_input: signature_input.into(),
            signature: signature.into(),
        }
    }

    fn fields(&mut self) -> [&mut Vec<u8>; 7] {
        [
            &mut self.method,
            &mut self.target_uri,
            &mut self.body,
            &mut self.idempotency_key,
            &mut self.content_digest,
            &mut self.signature_input,
            &mut self.signature,
        ]
    }

    /// What a hub does. A header that is not UTF-8 does not get as far as this module.
    fn check_at(&self, now_s: i64) -> Result<(), SigError> {
        let text = |bytes| core::str::from_utf8(bytes).map_err(|_| SigError::Malformed);
        let parsed = parse(text(&self.signature_input)?, text(&self.signature)?)?;
        let parts = RequestParts {
            method: text(&self.method)?,
            target_uri: text(&self.target_uri)?,
            body: &self.body,
            idempotency_key: text(&self.idempotency_key)?,
        };
        let digest = text(&self.content_digest)?;
        verify(
            &parts,
            digest,
            &parsed,
            &key().verifying_key(),
            now_s,
            MAX_SKEW_S,
        )
    }

    fn check(&self) -> Result<(), SigError> {
        self.check_at(CREATED_S + 1)
    }
}

fn example() -> Wire {
    Wire::signed(
        "POST",
        "https://hub.example/v1/log?after=7",
        b"five bytes, more or less",
        "a1b2c3",
    )
}

/// `example()` with the text of one header replaced.
fn with_input(from: &str, to: &str) -> Result<(), SigError> {
    let mut wire = example();
    let input = String::from_utf8(wire.signature_input.clone()).unwrap();
    assert!(input.contains(from), "{from} is not in {input}");
    wire.signature_input = input.replace(from, to).into();
    wire.check()
}

#[test]
fn the_lean_profile_has_fewer_headers_and_is_as_strict() {
    let (head, patch) = (Wire::lean("HEAD", b""), Wire::lean("PATCH", b"the rest"));
    assert_eq!((head.check(), patch.check()), (Ok(()), Ok(())));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert_eq!(
        text(&head.signature_input),
        format!(
            "sig=(\"@method\" \"@target-uri\");created={CREATED_S};nonce=\"BwcHBwcHBwcHBwcH\";keyid=\"{KEY_ID}\""
        )
    );
    assert_eq!(head.content_digest, b"");
    for wire in [&head, &patch] {
        let at = |s| wire.check_at(CREATED_S + s);
        assert_eq!(at(LIFETIME_S), Ok(()));
        assert_eq!(at(LIFETIME_S + 1), Err(SigError::Expired));
        assert_eq!(at(-MAX_SKEW_S - 1), Err(SigError::ClockSkew));
        for field in [0, 1, 5, 6] {
            let mut damaged = (*wire).clone();
            damaged.fields()[field].push(b'A');
            assert!(damaged.check().is_err(), "field {field}");
        }
        let mut other = (*wire).clone();
        other.signature_input = text(&wire.signature_input)
            .replace(";nonce", &format!(";expires={};nonce", CREATED_S + 999))
            .into();
        assert!(other.check().is_err(), "no lifetime of its own");
    }
    // A body under a signature that covers none, other bytes under one that does, and a method with the
    // other list.
    let mut with_body = head.clone();
    with_body.body = b"smuggled".to_vec();
    assert_eq!(with_body.check(), Err(SigError::DigestMismatch));
    let mut other_body = patch.clone();
    other_body.body = b"the best".to_vec();
    assert_eq!(other_body.check(), Err(SigError::DigestMismatch));
    let mut undigested = patch.clone();
    undigested.content_digest.clear();
    assert!(undigested.check().is_err());
    let mut posted = head;
    posted.method = b"POST".to_vec();
    assert_eq!(posted.check(), Err(SigError::UnsupportedProfile));
}

#[test]
fn the_headers_have_the_promised_form() {
    let params = SignParams {
        created_s: CREATED_S,
        nonce: &[0xff; 12],
        key_id: KEY_ID,
    };
    let parts = RequestParts {
        method: "GET",
        target_uri: "https://hub.example/v1/feed?cursor=1",
        body: b"",
        idempotency_key: "k",
    };
    let headers = sign(&parts, &params, &key()).unwrap();
    assert_eq!(
        headers.signature_input,
        format!(
            "sig=(\"@method\" \"@target-uri\" \"content-digest\" \"idempotency-key\")\
             ;created=1780000000;expires=1780000060;nonce=\"________________\"\
             ;keyid=\"{KEY_ID}\";tag=\"courier\""
        )
    );
    // The SHA-256 of nothing, in Base64.
    assert_eq!(
        headers.content_digest,
        "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    );
    let names: Vec<_> = headers.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["content-digest", "signature-input", "signature"]);

    let parsed = parse(&headers.signature_input, &headers.signature).unwrap();
    assert_eq!(
        (parsed.created_s, parsed.expires_s),
        (CREATED_S, CREATED_S + 60)
    );
    assert_eq!((parsed.nonce, parsed.key_id.as_str()), ([0xff; 12], KEY_ID));
    verify(
        &parts,
        &headers.content_digest,
        &parsed,
        &key().verifying_key(),
        CREATED_S,
        0,
    )
    .unwrap();
}

#[test]
fn another_key_does_not_verify_it() {
    let wire = example();
    let parsed = parse(
        core::str::from_utf8(&wire.signature_input).unwrap(),
        core::str::from_utf8(&wire.signature).unwrap(),
    )
    .unwrap();
    let parts = RequestParts {
        method: "POST",
        target_uri: "https://hub.example/v1/log?after=7",
        body: &wire.body,
        idempotency_key: "a1b2c3",
    };
    let digest = core::str::from_utf8(&wire.content_digest).unwrap();
    let other = SigningKey::from_bytes(&[0x43; 32]).verifying_key();
    let verdict = verify(&parts, digest, &parsed, &other, CREATED_S, MAX_SKEW_S);
    assert_eq!(verdict, Err(SigError::BadSignature));
}

#[test]
fn every_single_bit_of_a_request_matters() {
    let good = example();
    assert_eq!(good.check(), Ok(()));
    let mut tried = 0;
    for field in 0..7 {
        let bytes = good.clone().fields()[field].len();
        for bit in 0..bytes * 8 {
            let mut bad = good.clone();
            bad.fields()[field][bit / 8] ^= 1 << (bit % 8);
            assert!(bad.check().is_err(), "bit {bit} of field {field}: {bad:?}");
            tried += 1;
        }
    }
    assert!(tried > 3_000, "only {tried} bits");
}

#[test]
fn each_kind_of_damage_is_told_apart() {
    let mut body = example();
    body.body.push(b'!');
    assert_eq!(body.check(), Err(SigError::DigestMismatch));

    // A proxy that "repairs" the digest to the changed body does not help the attacker.
    let changed = Wire::signed(
        "POST",
        "https://hub.example/v1/log?after=7",
        &body.body,
        "a1b2c3",
    );
    body.content_digest = changed.content_digest;
    assert_eq!(body.check(), Err(SigError::BadSignature));

    let mut moved = example();
    moved.target_uri = b"https://hub.example/v1/log?after=8".to_vec();
    assert_eq!(moved.check(), Err(SigError::BadSignature));

    for field in [3, 4, 5, 6] {
        let mut missing = example();
        missing.fields()[field].clear();
        assert_eq!(missing.check(), Err(SigError::Missing), "field {field}");
    }

    let mut digest = example();
    digest.content_digest = b"sha-512=:AAAA:".to_vec();
    assert_eq!(digest.check(), Err(SigError::UnsupportedProfile));
}

#[test]
fn only_the_one_profile_is_spoken() {
    let unsupported = [
        ("sig=(", "sig1=("),
        ("(\"@method\" ", "("),
        ("\"@method\" \"@target-uri\"", "\"@target-uri\" \"@method\""),
        ("\"@target-uri\"", "\"@path\""),
        ("\"idempotency-key\")", "\"idempotency-key\" \"date\")"),
        (";tag=\"courier\"", ""),
        (";tag=\"courier\"", ";tag=\"other\""),
        (";tag=\"courier\"", ";tag=\"courier\";alg=\"ed25519\""),
        (";keyid=", ";alg=\"hmac-sha256\";keyid="),
        (
            ";created=1780000000;expires=1780000060",
            ";expires=1780000060;created=1780000000",
        ),
        ("expires=1780000060", "expires=1780000061"),
        ("expires=1780000060", "expires=1780086400"),
        ("nonce=\"BwcHBwcHBwcHBwcH\"", "nonce=\"BwcHBwcH\""),
        ("sig=(", "sig0=(\"@method\");created=1, sig=("),
    ];
    for (from, to) in unsupported {
        assert_eq!(
            with_input(from, to),
            Err(SigError::UnsupportedProfile),
            "{from} -> {to}"
        );
    }
    let malformed = [
        ("created=1780000000", "created=+1780000000"),
        ("created=1780000000", "created=-1780000000"),
        ("created=1780000000", "created=99999999999999999999"),
        ("created=1780000000", "created=01780000000"),
        ("created=1780000000", "created="),
        ("nonce=\"BwcH", "nonce=\"!wcH"),
        ("keyid=\"0198", "keyid=\"01\u{200b}98"),
        ("keyid=\"0198", "keyid=0198"),
        (
            "tag=\"courier\"",
            "tag=\"courier\", sig2=(\"@method\");created=1",
        ),
    ];
    for (from, to) in malformed {
        assert_eq!(
            with_input(from, to),
            Err(SigError::Malformed),
            "{from} -> {to}"
        );
    }
    let long = format!("sig={}", "x".repeat(100_000));
    assert_eq!(parse(&long, "sig=:AAAA:"), Err(SigError::Malformed));
}

#[test]
fn the_clock_decides_only_about_genuine_requests_and_to_the_second() {
    let wire = example();
    let at = |now_s| wire.check_at(now_s);
    // The phone's clock is ahead.
    assert_eq!(at(CREATED_S - MAX_SKEW_S - 1), Err(SigError::ClockSkew));
    assert_eq!(at(CREATED_S - MAX_SKEW_S), Ok(()));
    // In time.
    assert_eq!(at(CREATED_S), Ok(()));
    assert_eq!(at(CREATED_S + LIFETIME_S), Ok(()));
    // Late, then so late that only a wrong clock explains it.
    assert_eq!(at(CREATED_S + LIFETIME_S + 1), Err(SigError::Expired));
    assert_eq!(
        at(CREATED_S + LIFETIME_S + MAX_SKEW_S),
        Err(SigError::Expired)
    );
    assert_eq!(
        at(CREATED_S + LIFETIME_S + MAX_SKEW_S + 1),
        Err(SigError::ClockSkew)
    );
    assert_eq!(at(i64::MIN), Err(SigError::ClockSkew));
    assert_eq!(at(i64::MAX), Err(SigError::ClockSkew));

    let mut forged = example();
    forged.idempotency_key = b"a1b2c4".to_vec();
    assert_eq!(
        forged.check_at(CREATED_S - 10_000),
        Err(SigError::BadSignature)
    );
}

#[test]
fn a_nonce_is_remembered_as_long_as_its_request_can_be_accepted() {
    let wire = example();
    let accepted: Vec<i64> = (CREATED_S - 300..CREATED_S + 300)
        .filter(|&now_s| wire.check_at(now_s).is_ok())
        .collect();
    let (first, last) = (accepted[0], accepted[accepted.len() - 1]);
    assert_eq!(last - first, NONCE_MEMORY_S);
    assert_eq!(NONCE_MEMORY_S, 120);
}

#[test]
fn nothing_that_could_forge_a_line_is_signed() {
    let good = RequestParts {
        method: "POST",
        target_uri: "https://hub.example/",
        body: b"",
        idempotency_key: "k",
    };
    let params = SignParams {
        created_s: CREATED_S,
        nonce: &[0; 12],
        key_id: KEY_ID,
    };
    assert!(sign(&good, &params, &key()).is_ok());
    let line = "k\n\"@signature-params\": ()";
    let bad = [
        RequestParts { method: "", ..good },
        RequestParts {
            method: "post",
            ..good
        },
        RequestParts {
            target_uri: "https://hub.example/\r\n",
            ..good
        },
        RequestParts {
            target_uri: "https://hub.example/张",
            ..good
        },
        RequestParts {
            idempotency_key: line,
            ..good
        },
        RequestParts {
            idempotency_key: "a b",
            ..good
        },
    ];
    for parts in bad {
        assert_eq!(
            sign(&parts, &params, &key()),
            Err(SigError::Malformed),
            "{parts:?}"
        );
    }
    for key_id in ["", "a\"b", "a;b", "a b", "a\\"] {
        let params = SignParams { key_id, ..params };
        assert_eq!(
            sign(&good, &params, &key()),
            Err(SigError::Malformed),
            "{key_id:?}"
        );
    }
    let early = SignParams {
        created_s: -1,
        ..params
    };
    assert_eq!(sign(&good, &early, &key()), Err(SigError::Malformed));
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_one_changed_bit_does_not(
        method in "[A-Z]{1,7}",
        path in "[!-~]{0,60}",
        body in proptest::collection::vec(any::<u8>(), 0..200),
        idempotency_key in "[!-~]{1,64}",
        field in 0_usize..7,
        position in any::<proptest::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let good = Wire::signed(&method, &format!("http://127.0.0.1:8080/{path}"), &body, &idempotency_key);
        prop_assert_eq!(good.check(), Ok(()));
        let mut bad = good.clone();
        let bytes = &mut *bad.fields()[field];
        if !bytes.is_empty() {
            let at = position.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(bad.check().is_err());
        }
    }

    #[test]
    fn garbage_is_refused_without_a_panic(input in ".{0,300}", signature in ".{0,200}") {
        prop_assert!(parse(&input, &signature).is_err());
        let (labelled, quoted) = (format!("sig={input}"), format!("sig=:{signature}:"));
        prop_assert!(parse(&labelled, &quoted).is_err());
    }

    #[test]
    fn a_header_with_something_added_is_refused(at in any::<proptest::sample::Index>(), added in ".{1,4}") {
        let mut wire = example();
        let mut input = String::from_utf8(wire.signature_input).unwrap();
        input.insert_str(at.index(input.len() + 1), &added);
        wire.signature_input = input.into();
        prop_assert!(wire.check().is_err());
    }
}
