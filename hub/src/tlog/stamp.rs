//! A timestamp of an outside authority on each published checkpoint (RFC 3161), where one is configured.
//!
//! One token says of everything below the checkpoint that it existed by then. It is kept and handed on as
//! it came: whoever doubts it checks it with the authority's certificate and `openssl ts -verify`. Here it
//! is only made sure that it is a token over this very text, so that no useless one is kept.

use std::time::Duration;

use cms::cert::x509::spki::AlgorithmIdentifier;
use cms::signed_data::SignedData;
use der::asn1::{Int, ObjectIdentifier, OctetString};
use der::{Any, Decode, Encode};
use satchel_protocol::crypto;
use satchel_protocol::tlog::Note;
use x509_tsp::{MessageImprint, TimeStampReq, TimeStampResp, TspVersion, TstInfo};

use crate::hub::Hub;

const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const PATIENCE: Duration = Duration::from_secs(15);
/// A token with its certificates is a few KB.
const MAX_ANSWER_BYTES: u64 = 64 * 1_024;

/// A token over the checkpoint's text; `None` without an authority, or without a useful answer of it.
pub(crate) async fn stamp(hub: &Hub, note: &Note) -> Option<Vec<u8>> {
    let url = hub.config().timestamp_url.clone()?;
    let text = note.text.clone();
    let nonce: [u8; 8] = hub.draw().ok()?;
    let token = tokio::task::spawn_blocking(move || ask(&url, text.as_bytes(), nonce)).await;
    let token = token.ok().flatten();
    if token.is_none() {
        tracing::warn!("the timestamp authority gave no token");
    }
    token
}

fn ask(url: &str, text: &[u8], nonce: [u8; 8]) -> Option<Vec<u8>> {
    let query = request(text, nonce).ok()?;
    let mut response = super::agent(PATIENCE)
        .post(url)
        .content_type("application/timestamp-query")
        .send(&query)
        .ok()?;
    let body = response
        .body_mut()
        .with_config()
        .limit(MAX_ANSWER_BYTES)
        .read_to_vec()
        .ok()?;
    token(&body, text, nonce)
}

/// The digest as RFC 3161 wants it named.
fn imprint(text: &[u8]) -> der::Result<MessageImprint> {
    Ok(MessageImprint {
        hash_algorithm: AlgorithmIdentifier {
            oid: SHA256,
            parameters: Some(Any::null()),
        },
        hashed_message: OctetString::new(crypto::sha256(&[text]).0.to_vec())?,
    })
}

fn nonce_int(nonce: [u8; 8]) -> der::Result<Int> {
    // A leading one keeps the number positive and of one length.
    Int::new(&[&[0x01][..], &nonce].concat())
}

fn request(text: &[u8], nonce: [u8; 8]) -> der::Result<Vec<u8>> {
    TimeStampReq {
        version: TspVersion::V1,
        message_imprint: imprint(text)?,
        req_policy: None,
        nonce: Some(nonce_int(nonce)?),
        cert_req: true,
        extensions: None,
    }
    .to_der()
}

/// The token of an answer, if it speaks of this text and this request.
fn token(answer: &[u8], text: &[u8], nonce: [u8; 8]) -> Option<Vec<u8>> {
    let answer = TimeStampResp::from_der(answer).ok()?;
    let token = answer.time_stamp_token?;
    let signed = SignedData::from_der(&token.content.to_der().ok()?).ok()?;
    let content = signed.encap_content_info.econtent?;
    let info = TstInfo::from_der(content.value()).ok()?;
    let digest = imprint(text).ok()?.hashed_message;
    let fits = info.message_imprint.hash_algorithm.oid == SHA256
        && info.message_imprint.hashed_message == digest
        && info.nonce == nonce_int(nonce).ok();
    fits.then(|| token.to_der().ok()).flatten()
}
