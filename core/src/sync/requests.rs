//! Building requests: exact bytes, signed by the phone's key in the fixed RFC 9421 profile.

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::SigningKey;
use satchel_protocol::FormatError;
use satchel_protocol::api::{
    PATH_ENROL, PATH_ESCROW, PATH_FEED, PATH_LOG, PATH_PROOFS, PATH_RECEIPT_SUFFIX, TUS_VERSION,
};
use satchel_protocol::batch::{Batch, Form, InlineBlob};
use satchel_protocol::crypto;
use satchel_protocol::enrol::EnrolRequest;
use satchel_protocol::escrow::ESCROW_MEDIA_TYPE;
use satchel_protocol::http_sig::{self, RequestParts, SignParams};
use satchel_protocol::ids::{DeviceId, Hash32};
use satchel_protocol::limits::{
    FEED_PAGE_ITEMS, MAX_ANSWER_BYTES, MAX_BATCH_ENTRIES, MAX_FEED_PAGE_BYTES, MAX_FEED_WAIT_S,
    MAX_INLINE_BLOB_BYTES,
};
use satchel_protocol::packed;
use satchel_protocol::taxonomy::ProofKind;

use super::engine::Step;
use super::task::{Purpose, UploadPart};
use crate::courier::Keys;
use crate::error::{Error, Result};
use crate::store::db::Snapshot;
use crate::store::entries::{self, Enough, EntryRow};
use crate::store::proofs::ProofRow;
use crate::store::{thumbs, watch};

/// A request before it is signed and named.
pub(crate) struct Draft {
    pub(crate) purpose: Purpose,
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The same for every repetition of the same content; `None`: the nonce will do.
    pub(crate) idempotency_key: Option<String>,
    pub(crate) max_answer_bytes: usize,
    /// How far the proof is that this brings on.
    pub(crate) upload: Option<UploadPart>,
    /// Signed by the lean profile, with no idempotency key.
    lean: bool,
}

impl Draft {
    fn new(purpose: Purpose, method: &'static str, url: String) -> Self {
        Self {
            purpose,
            method,
            url,
            headers: Vec::new(),
            body: Vec::new(),
            idempotency_key: None,
            max_answer_bytes: MAX_ANSWER_BYTES,
            upload: None,
            lean: false,
        }
    }

    fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// To be signed by the lean profile, where the hub takes it.
    pub(crate) fn signed_lean(mut self, lean: bool) -> Self {
        self.lean = lean;
        self
    }

    /// What it brings on, and from where.
    const fn brings(mut self, size_bytes: u64, from_bytes: u64) -> Self {
        self.upload = Some(UploadPart {
            from_bytes,
            size_bytes,
        });
        self
    }

    fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// Adds the signature headers. `created_s` is the hub's time as the phone knows it.
    pub(crate) fn sign(
        &mut self,
        (device, request_key): (DeviceId, &SigningKey),
        created_s: i64,
        nonce: &[u8; 12],
    ) -> Result<()> {
        let key = self
            .idempotency_key
            .clone()
            .unwrap_or_else(|| HEXLOWER.encode(nonce));
        let device = device.to_string();
        let parts = RequestParts {
            method: self.method,
            target_uri: &self.url,
            body: &self.body,
            idempotency_key: &key,
        };
        let params = SignParams {
            created_s,
            nonce,
            key_id: &device,
        };
        let signed = match self.lean {
            true => http_sig::sign_lean(&parts, &params, request_key),
            false => http_sig::sign(&parts, &params, request_key),
        };
        let signed = signed.map_err(|_| Error::InvalidInput {
            what: "hub address",
        })?;
        self.headers
            .extend(signed.iter().map(|(n, v)| (n.to_owned(), v.to_owned())));
        if !self.lean {
            self.headers.push(("idempotency-key".to_owned(), key));
        }
        Ok(())
    }
}

/// `POST /v1/enrol`. Signed by its own body, since the hub does not know the key yet.
pub(crate) fn enrol(keys: &Keys) -> Result<Draft> {
    let mut request =
        EnrolRequest::signed(&keys.invite_code, keys.device, &keys.label, &keys.log_key);
    if let Some(hardware) = keys.hardware {
        let statement = keys.statement_at_enrolment(hardware.key);
        let statement = statement.sign(&keys.log_key, hardware.sig);
        request = request.with_statement(&statement, &keys.log_key);
    }
    let body = serde_json::to_vec(&request).map_err(|_| Error::InvalidInput { what: "label" })?;
    Ok(Draft::new(
        Purpose::Enrol,
        "POST",
        format!("{}{PATH_ENROL}", keys.hub_url),
    )
    .header("content-type", "application/json")
    .body(body))
}

/// `GET /v1/log?after=SEQ`: what does the hub hold?
pub(crate) fn ask_log(conn: &Snapshot, keys: &Keys, after: i64) -> Result<Draft> {
    let tree = known_tree(conn)?;
    Ok(Draft::new(
        Purpose::Log,
        "GET",
        format!("{}{PATH_LOG}?after={after}&tree={tree}", keys.hub_url),
    ))
}

/// How much of the hub's transparency log this phone has seen: the answer proves that it grew out of that.
fn known_tree(conn: &Snapshot) -> Result<u64> {
    Ok(watch::tree_head(conn)?.map_or(0, |head| head.size))
}

/// Entries that go into one batch.
pub(crate) struct Gathered {
    pub(crate) batch: Batch,
    /// Before compression, with what rides along.
    size_bytes: usize,
    /// Place and hash of the last one.
    pub(crate) up_to: i64,
    pub(crate) hash: Hash32,
}

/// As many of `rows` as make a batch of about `target_bytes`, with what rides along; `None` for no rows.
pub(crate) fn gather(
    conn: &Snapshot,
    rows: Vec<EntryRow>,
    target_bytes: usize,
) -> Result<Option<Gathered>> {
    let mut batch = Batch::default();
    let mut size_bytes = 0usize;
    let mut last: Option<(i64, Hash32)> = None;
    for row in rows {
        let entry_bytes = row.bytes();
        // Signatures and thumbnails ride with their entry; one too long for that goes up on its own.
        let mut small = thumbs(conn, &row)?;
        small.retain(|blob| blob.bytes.len() <= MAX_INLINE_BLOB_BYTES);
        let with_small = entry_bytes + small.iter().map(|b| b.bytes.len()).sum::<usize>();
        small.extend(row.ink.map(|bytes| InlineBlob {
            hash: crypto::sha256(&[&bytes]),
            kind: ProofKind::Signature,
            bytes,
        }));
        small.retain(|blob| blob.bytes.len() <= MAX_INLINE_BLOB_BYTES);
        if last.is_some() && size_bytes + with_small > target_bytes {
            break;
        }
        size_bytes += with_small;
        last = Some((row.seq, row.entry.hash()));
        batch.entries.push(row.entry);
        batch.blobs.extend(small);
    }
    Ok(last.map(|(up_to, hash)| Gathered {
        batch,
        size_bytes,
        up_to,
        hash,
    }))
}

/// A batch about to go out.
pub(crate) struct Push {
    pub(crate) draft: Draft,
    /// Place of its last entry.
    pub(crate) up_to: i64,
    /// Its size in the measure of the bytes it was to have.
    pub(crate) size_bytes: usize,
}

/// `POST /v1/log` with the next entries, or `None` when nothing is unsent.
pub(crate) fn push_log(
    conn: &Snapshot,
    keys: &Keys,
    (target_bytes, form): (usize, Form),
) -> Result<Option<Push>> {
    let enough = Enough {
        entries: MAX_BATCH_ENTRIES,
        bytes: target_bytes,
    };
    let next = || entries::unsent(conn, enough);
    let Some((gathered, body)) = written(conn, next, (target_bytes, form))? else {
        return Ok(None);
    };
    let url = format!("{}{PATH_LOG}?tree={}", keys.hub_url, known_tree(conn)?);
    let mut draft = Draft::new(Purpose::Log, "POST", url)
        .header("content-type", form.media_type())
        .body(body);
    draft.idempotency_key = Some(gathered.hash.to_string());
    Ok(Some(Push {
        draft,
        up_to: gathered.up_to,
        size_bytes: written_bytes(gathered.size_bytes, form),
    }))
}

/// What of `target_bytes` is left for bytes as they are: base64 adds a third.
const fn raw_bytes(target_bytes: usize, form: Form) -> usize {
    match form {
        Form::Json => target_bytes / 4 * 3,
        Form::Packed | Form::Lean => target_bytes,
    }
}

/// The reverse of [`raw_bytes`].
const fn written_bytes(raw_bytes: usize, form: Form) -> usize {
    match form {
        Form::Json => raw_bytes / 3 * 4,
        Form::Packed | Form::Lean => raw_bytes,
    }
}

/// A batch of the `next` entries and its body. One that comes out larger than a hub takes is written smaller: it
/// would fail in the same way each time.
fn written(
    conn: &Snapshot,
    next: impl Fn() -> Result<Vec<EntryRow>>,
    (target_bytes, form): (usize, Form),
) -> Result<Option<(Gathered, Vec<u8>)>> {
    let mut raw_bytes = raw_bytes(target_bytes, form);
    loop {
        let Some(gathered) = gather(conn, next()?, raw_bytes)? else {
            return Ok(None);
        };
        match gathered.batch.encode_as(form) {
            Ok(body) => return Ok(Some((gathered, body))),
            Err(FormatError::TooLarge { .. }) if gathered.batch.entries.len() > 1 => {
                raw_bytes /= 2;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Small copies of the photos that an entry binds. Few entries have any, and their headers say so.
fn thumbs(conn: &Snapshot, row: &EntryRow) -> Result<Vec<InlineBlob>> {
    if row.blobs().len() <= usize::from(row.has_ink) {
        return Ok(Vec::new());
    }
    Ok(thumbs::of_entry(conn, row.seq)?
        .into_iter()
        .map(|small| InlineBlob {
            hash: small.hash,
            // To the hub's store a small photo is a photo; the body says of which one it is the copy.
            kind: ProofKind::Photo,
            bytes: small.bytes,
        })
        .collect())
}

/// `GET /v1/feed`.
pub(crate) fn pull_feed(keys: &Keys, cursor: Option<&str>, policy_at_ms: Option<i64>) -> Draft {
    let cursor = cursor.map(|c| format!("&cursor={c}")).unwrap_or_default();
    // The hub says its policy only to a phone that has another one.
    let policy = policy_at_ms
        .map(|at_ms| format!("&policy={at_ms}"))
        .unwrap_or_default();
    let url = format!(
        "{}{PATH_FEED}?limit={FEED_PAGE_ITEMS}{cursor}{policy}",
        keys.hub_url
    );
    let mut draft = Draft::new(Purpose::Feed, "GET", url)
        .header("accept", "application/json")
        // Said by the core and unpacked by the core: a host that unpacks by itself leaves nothing to do.
        .header("accept-encoding", packed::CODING);
    draft.max_answer_bytes = MAX_FEED_PAGE_BYTES;
    draft
}

/// [`pull_feed`], to be answered when there is news.
pub(crate) fn poll_feed(keys: &Keys, cursor: Option<&str>, policy_at_ms: Option<i64>) -> Draft {
    let mut draft = pull_feed(keys, cursor, policy_at_ms);
    draft.url.push_str(&format!("&wait={MAX_FEED_WAIT_S}"));
    draft
}

/// `PUT /v1/escrow`: the store's key, sealed to the operator's recovery key.
pub(crate) fn escrow(keys: &Keys, blob: Vec<u8>) -> Draft {
    Draft::new(
        Purpose::Escrow,
        "PUT",
        format!("{}{PATH_ESCROW}", keys.hub_url),
    )
    .header("content-type", ESCROW_MEDIA_TYPE)
    .body(blob)
}

/// Where a proof lies at the hub: that follows from its content, so it is known before the first request and
/// after any kill.
pub(crate) fn proof_url(keys: &Keys, hash: &Hash32) -> String {
    format!("{}{PATH_PROOFS}/{hash}", keys.hub_url)
}

/// Longest address of an upload that is kept.
const MAX_PLACE_BYTES: usize = 1_000;

/// The address in a `Location` of an upload. Only at the hub itself: what goes there is signed by this phone and is
/// a customer's photo.
pub(crate) fn upload_place(hub_url: &str, location: &str) -> Option<String> {
    let printable = location.bytes().all(|b| b.is_ascii_graphic());
    if location.len() > MAX_PLACE_BYTES || !printable || location.contains('#') {
        return None;
    }
    let path = match location.strip_prefix(hub_url) {
        Some(path) => path,
        None if location.starts_with("//") || location.contains("://") => return None,
        None => location,
    };
    // A bare name lies beside the collection, as in any relative address.
    let folder = PATH_PROOFS
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    Some(match path.starts_with('/') {
        true => format!("{}{path}", hub_url),
        false if path == location => format!("{}{folder}/{path}", hub_url),
        false => return None,
    })
}

/// One step of a resumable upload (tus 1.0). `place`: where the server says that it lies, if not where its
/// content says. Without `bytes` it is created alone. At most `most_bytes` of them go along.
pub(crate) fn upload(
    keys: &Keys,
    row: &ProofRow,
    (step, place): (Step, Option<&str>),
    bytes: Option<&[u8]>,
    most_bytes: usize,
) -> Draft {
    let collection = format!("{}{PATH_PROOFS}", keys.hub_url);
    let by_content = proof_url(keys, &row.proof.hash);
    let url = place.map_or_else(|| by_content.clone(), str::to_owned);
    let tus = |draft: Draft| draft.header("tus-resumable", TUS_VERSION);
    let metadata = format!(
        "sha256 {},kind {}",
        BASE64.encode(&row.proof.hash.0),
        BASE64.encode(row.proof.kind.code().as_bytes())
    );
    let part = |offset: u64| {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = bytes.and_then(|b| b.get(from..)).unwrap_or_default();
        rest.get(..most_bytes).unwrap_or(rest).to_vec()
    };
    // The bytes themselves know best: the column may have gone bad.
    let size_bytes = bytes.map_or(row.proof.size_bytes, |b| b.len() as u64);
    match step {
        Step::Create => {
            let draft = tus(Draft::new(Purpose::Proof, "POST", collection))
                .header("upload-length", size_bytes.to_string())
                .header("upload-metadata", metadata);
            match bytes {
                Some(_) => draft
                    .header("content-type", "application/offset+octet-stream")
                    .body(part(0))
                    .brings(size_bytes, 0),
                None => draft,
            }
        }
        Step::AskOffset => tus(Draft::new(Purpose::Proof, "HEAD", url)),
        Step::Resume { offset } => tus(Draft::new(Purpose::Proof, "PATCH", url))
            .header("upload-offset", offset.to_string())
            .header("content-type", "application/offset+octet-stream")
            .body(part(offset))
            .brings(size_bytes, offset),
        Step::AskReceipt => Draft::new(
            Purpose::Proof,
            "GET",
            format!("{by_content}{PATH_RECEIPT_SUFFIX}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db::Db;
    use satchel_protocol::crypto::Secret32;
    use satchel_protocol::entry::SignedEntry;
    use satchel_protocol::ids::Sig64;
    use satchel_protocol::limits::MAX_BATCH_BYTES;

    /// Entries whose bodies do not get smaller by packing.
    fn rows(count: u32, body_bytes: usize) -> Vec<EntryRow> {
        let row = |n: u32| {
            let drawn =
                (0..).flat_map(|i: u32| crypto::sha256(&[&n.to_le_bytes(), &i.to_le_bytes()]).0);
            EntryRow {
                seq: i64::from(n) + 1,
                entry: SignedEntry {
                    header: vec![0; 200],
                    sig: Sig64([0; 64]),
                    salt: None,
                    body: Some(drawn.take(body_bytes).collect()),
                },
                has_ink: false,
                ink: None,
            }
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn a_batch_is_never_larger_than_a_hub_takes_in_whatever_form_it_is_written() {
        let home = tempfile::tempdir().unwrap();
        let db = Db::open(home.path(), Secret32::new([1; 32])).unwrap();
        let batch = |rows: Vec<EntryRow>, target_bytes, form| {
            let next = || Ok(rows.clone());
            let made = db.read(|conn| written(conn, next, (target_bytes, form)));
            made.unwrap().unwrap()
        };
        for form in [Form::Json, Form::Packed, Form::Lean] {
            // What a good line leads to, and more than that.
            for target_bytes in [4_000 * 1_024, 4 * MAX_BATCH_BYTES] {
                let (gathered, body) = batch(rows(400, 20_000), target_bytes, form);
                assert!(body.len() <= MAX_BATCH_BYTES, "{form:?}");
                assert!(gathered.batch.entries.len() > 10, "{form:?}");
            }
            // In scale with the line: not a third more than was aimed at, and not much less.
            let (_, body) = batch(rows(400, 2_000), 256 * 1_024, form);
            assert!((200 * 1_024..260 * 1_024).contains(&body.len()), "{form:?}");
        }
    }

    #[test]
    fn photos_follow_a_server_s_own_names_and_never_to_another_server() {
        let place = |location| upload_place("https://hub.example", location);
        let at = |path: &str| Some(format!("https://hub.example{path}"));
        assert_eq!(
            place("https://hub.example/v1/proofs/a1"),
            at("/v1/proofs/a1")
        );
        assert_eq!(place("/files/a1?part=2"), at("/files/a1?part=2"));
        assert_eq!(place("a1"), at("/v1/a1"));
        let elsewhere = [
            "https://other.example/a1",
            "//other.example/a1",
            "https://hub.example.other.example/a1",
            "https://hub.example:444/a1",
            "http://hub.example/a1",
            "/a1 HTTP/1.1",
            "/a1#b",
        ];
        for location in elsewhere {
            assert_eq!(place(location), None, "{location}");
        }
        assert_eq!(place(&format!("/{}", "a".repeat(MAX_PLACE_BYTES))), None);
    }
}
