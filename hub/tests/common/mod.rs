//! A hub in a temporary directory and phones that speak to it with the protocol's own types.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used
)]

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use data_encoding::BASE64;
use ed25519_dalek::SigningKey;
use satchel_hub::import::Mapping;
use satchel_hub::{Hub, HubConfig, ImportOptions, ImportReport, SeededEntropy, SimClock};
use satchel_protocol::api::{ErrorBody, ErrorCode};
use satchel_protocol::attempt::{AttemptBody, PhotoFacts, ProofRef, Thumbnail};
use satchel_protocol::batch::{Batch, InlineBlob};
use satchel_protocol::crypto::{self, Secret32};
use satchel_protocol::enrol::{EnrolRequest, EnrolResponse, Invite};
use satchel_protocol::entry::{ALG_ED25519_SHA256, ENTRY_VERSION, EntryKind, Header, SignedEntry};
use satchel_protocol::feed::{FeedContent, FeedPage, ParcelItem, StopItem};
use satchel_protocol::http_sig::{self, RequestParts, SignParams};
use satchel_protocol::ids::{AttemptId, BootId, DeviceId, Handle, Hash32, Salt};
use satchel_protocol::receipt::{Receipt, SignedReceipt};
use satchel_protocol::taxonomy::{HandoffKind, Outcome, PhotoOrigin, ProofKind};
use satchel_protocol::token::RatingToken;
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

/// 2026-08-14 12:00 in China.
pub const NOW_MS: i64 = 1_786_680_000_000;
pub const PUBLIC_URL: &str = "http://hub.test:8080";
pub const HOUR_MS: i64 = 3_600_000;

pub const MAPPING: &str = r#"{"version":1,"source":"test","datum":"wgs84",
  "time":{"format":"%m-%d %H:%M:%S","utc_offset_min":480,"default_year":2026},
  "fields":{"waybill":{"column":"id"},"lat":{"column":"lat"},"lng":{"column":"lng"},
    "address":{"column":"address"},"recipient_name":{"column":"name"},
    "recipient_phone":{"column":"phone"},"accepted_at":{"column":"at"},
    "promise_class":{"constant":"same_city"}},"group":"single"}"#;

pub fn mapping() -> Mapping {
    Mapping::from_json(MAPPING.as_bytes()).unwrap()
}

/// `n` deliveries, each to its own door.
pub fn csv(n: usize) -> String {
    let mut text = String::from("id,lat,lng,at,address,name,phone\n");
    for i in 0..n {
        text.push_str(&format!(
            "WB{i:04},37.5{i:03},121.4,08-14 08:30:00,烟台市芝罘区南大街{i}号3单元502室,张小{i},1380000{i:04}\n"
        ));
    }
    text
}

/// A hub and the clock it lives by.
pub struct Bench {
    pub hub: Hub,
    pub clock: Arc<SimClock>,
    pub dir: TempDir,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn error(&self) -> ErrorBody {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no error body: {} {}", self.status, self.text()))
    }

    /// The code of a refusal with this status.
    pub fn refused(&self, status: u16) -> ErrorCode {
        assert_eq!(
            self.status.as_u16(),
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        self.error().error
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// The receipt in this answer, checked as a phone checks it.
    pub fn receipt(&self, bench: &Bench, phone: &Phone) -> Receipt {
        assert!(
            self.status.is_success(),
            "{} {}",
            self.status,
            String::from_utf8_lossy(&self.body)
        );
        assert_eq!(
            self.header("content-type"),
            "application/vnd.satchel.receipt"
        );
        let signed = SignedReceipt::decode(&self.body).unwrap();
        signed
            .verify(&bench.hub.public_key(), phone.device)
            .unwrap()
    }
}

impl Bench {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::in_dir(dir).await
    }

    pub async fn in_dir(dir: TempDir) -> Self {
        let clock = Arc::new(SimClock::frozen(NOW_MS));
        let mut config = HubConfig::new(dir.path(), PUBLIC_URL);
        config.clock = clock.clone();
        config.entropy = Arc::new(SeededEntropy::new(7));
        let hub = Hub::open(config).await.unwrap();
        Self { hub, clock, dir }
    }

    /// A hub with `parcels` deliveries on one round of 王强, and his phone, which has pulled them.
    pub async fn with_round(parcels: usize) -> (Self, Phone, Vec<StopItem>) {
        let bench = Self::new().await;
        bench.import(parcels, &["王强"]).await;
        let mut phone = Phone::enrolled(&bench, "王强", 1).await;
        let stops = phone.pull_stops(&bench).await;
        assert_eq!(stops.len(), parcels);
        (bench, phone, stops)
    }

    pub async fn import(&self, parcels: usize, couriers: &[&str]) -> ImportReport {
        let options = ImportOptions {
            couriers: couriers.iter().map(|c| (*c).to_owned()).collect(),
            ..ImportOptions::default()
        };
        self.hub
            .import(csv(parcels).as_bytes(), &mapping(), &options)
            .await
            .unwrap()
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let answer: Response = self.hub.router().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, 64 * 1024 * 1024)
            .await
            .unwrap()
            .to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub async fn post_form(&self, path: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request =
            Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(form.to_owned())).unwrap())
            .await
    }

    /// The cookie of a fresh board session.
    pub async fn board_cookie(&self) -> String {
        let link = self.hub.login_link(60_000).await.unwrap();
        let answer = self.get(link.strip_prefix(PUBLIC_URL).unwrap(), &[]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        answer
            .header("set-cookie")
            .split(';')
            .next()
            .unwrap()
            .to_owned()
    }

    pub async fn board(&self, path: &str) -> String {
        let cookie = self.board_cookie().await;
        let answer = self
            .get(path, &[("cookie", &cookie), ("accept-language", "en")])
            .await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.text()
    }
}

/// What a signed request says, so that a test can send it again or spoil it.
pub struct SignedRequest {
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl SignedRequest {
    pub fn build(&self) -> Request<Body> {
        self.build_with(Body::from(self.body.clone()))
    }

    pub fn build_with(&self, body: Body) -> Request<Body> {
        let mut request = Request::builder().method(self.method).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(body).unwrap()
    }
}

/// A courier's phone as the hub sees one.
pub struct Phone {
    pub device: DeviceId,
    pub key: SigningKey,
    pub seq: i64,
    pub prev: Hash32,
    pub created_offset_s: i64,
    /// Signs by the lean profile.
    pub lean: bool,
    /// How much later than usual its entries happened.
    pub minutes_later: i64,
    nonces: u64,
}

impl Phone {
    /// Keys and ids from a seed; not known to any hub.
    pub fn new(seed: u8) -> Self {
        Self {
            device: DeviceId(Uuid::from_u128(0x1000 + u128::from(seed))),
            key: SigningKey::from_bytes(&[seed; 32]),
            seq: 0,
            prev: Hash32::ZERO,
            created_offset_s: 0,
            lean: false,
            minutes_later: 0,
            nonces: u64::from(seed) << 32,
        }
    }

    pub async fn enrolled(bench: &Bench, courier: &str, seed: u8) -> Self {
        let phone = Self::new(seed);
        let invite = bench.hub.invite(courier).await.unwrap();
        let answer = phone.enrol(bench, &invite).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let _: EnrolResponse = serde_json::from_slice(&answer.body).unwrap();
        phone
    }

    pub async fn enrol(&self, bench: &Bench, invite: &Invite) -> Answer {
        let request = EnrolRequest::signed(&invite.code, self.device, "phone", &self.key);
        bench
            .post_json("/v1/enrol", &serde_json::to_vec(&request).unwrap())
            .await
    }

    pub fn request(
        &mut self,
        bench: &Bench,
        method: &'static str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> SignedRequest {
        self.nonces += 1;
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&self.nonces.to_be_bytes());
        let parts = RequestParts {
            method,
            target_uri: &format!("{PUBLIC_URL}{path}"),
            body: &body,
            idempotency_key: &format!("k{}", self.nonces),
        };
        let params = SignParams {
            created_s: bench.hub.now_ms() / 1_000 + self.created_offset_s,
            nonce: &nonce,
            key_id: &self.device.to_string(),
        };
        let signed = match self.lean {
            true => http_sig::sign_lean(&parts, &params, &self.key).unwrap(),
            false => http_sig::sign(&parts, &params, &self.key).unwrap(),
        };
        let mut all: Vec<(String, String)> = signed
            .iter()
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect();
        all.push(("idempotency-key".into(), parts.idempotency_key.to_owned()));
        all.extend(
            headers
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned())),
        );
        SignedRequest {
            method,
            path: path.to_owned(),
            headers: all,
            body,
        }
    }

    pub async fn send(
        &mut self,
        bench: &Bench,
        method: &'static str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let request = self.request(bench, method, path, headers, body);
        bench.send(request.build()).await
    }

    /// The next entry of this phone's log.
    pub fn entry(
        &mut self,
        kind: EntryKind,
        body: Vec<u8>,
        handle: Option<Handle>,
        blobs: Vec<Hash32>,
    ) -> SignedEntry {
        self.seq += 1;
        let entry = SignedEntry::seal(
            Header {
                version: ENTRY_VERSION,
                alg: ALG_ED25519_SHA256,
                device: self.device,
                seq: self.seq,
                prev: self.prev,
                kind,
                occurred_at_ms: NOW_MS - HOUR_MS + self.seq * 1_000 + self.minutes_later * 60_000,
                boot_id: BootId([3; 16]),
                boottime_ns: self.seq,
                utc_offset_min: 480,
                anchor: None,
                handle,
                commitment: Hash32::ZERO,
                blobs,
            },
            Salt([9; 32]),
            body,
            &self.key,
        );
        self.prev = entry.hash();
        entry
    }

    /// A delivery of the stop's first parcel with these proofs.
    pub fn delivery(&mut self, stop: &StopItem, proofs: &[(ProofKind, &[u8])]) -> SignedEntry {
        self.attempt(stop, Outcome::Delivered, proofs)
    }

    /// The visit that the `ahead`-th entry from here will be.
    pub fn next_visit(&self, ahead: i64) -> AttemptId {
        AttemptId(Uuid::from_u128(0x9000 + (self.seq + ahead - 1) as u128))
    }

    /// A delivery of the stop's first parcel with a photo and its small copy.
    pub fn delivery_with_thumb(
        &mut self,
        stop: &StopItem,
        photo: &[u8],
        small: &[u8],
    ) -> SignedEntry {
        let parcel = &stop.parcels[0];
        let attempt = self.next_visit(1);
        let facts = PhotoFacts {
            thumb: Some(Thumbnail {
                hash: sha(small),
                size_bytes: small.len() as u64,
            }),
            ..PhotoFacts::default()
        };
        let body = AttemptBody {
            proofs: vec![ProofRef {
                hash: sha(photo),
                kind: ProofKind::Photo,
                size_bytes: photo.len() as u64,
                origin: Some(PhotoOrigin::Camera),
                captured_at_ms: NOW_MS - HOUR_MS,
                photo: Some(facts),
            }],
            rules_version: 1,
            ..AttemptBody::bare(
                attempt,
                parcel.parcel_id,
                stop.stop_id,
                Outcome::Delivered,
                HandoffKind::ALL[0],
            )
        };
        let handle = Some(parcel.handle);
        self.entry(EntryKind::ATTEMPT, body.encode(), handle, vec![sha(photo)])
    }

    /// An attempt at the stop's first parcel.
    pub fn attempt(
        &mut self,
        stop: &StopItem,
        outcome: Outcome,
        proofs: &[(ProofKind, &[u8])],
    ) -> SignedEntry {
        let refs: Vec<ProofRef> = proofs
            .iter()
            .map(|(kind, bytes)| ProofRef {
                hash: sha(bytes),
                kind: *kind,
                size_bytes: bytes.len() as u64,
                origin: (*kind == ProofKind::Photo).then_some(PhotoOrigin::Camera),
                captured_at_ms: NOW_MS - HOUR_MS,
                photo: None,
            })
            .collect();
        let parcel = &stop.parcels[0];
        let attempt = AttemptId(Uuid::from_u128(0x9000 + self.seq as u128));
        let body = AttemptBody {
            signer_name: Some("张小".into()),
            proofs: refs.clone(),
            rules_version: 1,
            ..AttemptBody::bare(
                attempt,
                parcel.parcel_id,
                stop.stop_id,
                outcome,
                HandoffKind::ALL[0],
            )
        };
        let blobs = refs.iter().map(|r| r.hash).collect();
        self.entry(
            EntryKind::ATTEMPT,
            body.encode(),
            Some(parcel.handle),
            blobs,
        )
    }

    /// An attempt at the stop's first parcel that ended in this handoff.
    pub fn attempt_by(
        &mut self,
        stop: &StopItem,
        outcome: Outcome,
        handoff: HandoffKind,
    ) -> SignedEntry {
        let parcel = &stop.parcels[0];
        let attempt = AttemptId(Uuid::from_u128(0x9000 + self.seq as u128));
        let body = AttemptBody {
            rules_version: 1,
            ..AttemptBody::bare(attempt, parcel.parcel_id, stop.stop_id, outcome, handoff)
        };
        self.entry(
            EntryKind::ATTEMPT,
            body.encode(),
            Some(parcel.handle),
            vec![],
        )
    }

    pub async fn push(&mut self, bench: &Bench, batch: &Batch) -> Answer {
        let media = [("content-type", "application/vnd.satchel.batch")];
        let body = batch.encode().unwrap();
        self.send(bench, "POST", "/v1/log", &media, body).await
    }

    /// [`Phone::push_entries`] with a query behind the path.
    pub async fn push_at(&mut self, bench: &Bench, path: &str, entries: &[SignedEntry]) -> Answer {
        let media = [("content-type", "application/vnd.satchel.batch")];
        let batch = Batch {
            entries: entries.to_vec(),
            blobs: vec![],
        };
        let body = batch.encode().unwrap();
        self.send(bench, "POST", path, &media, body).await
    }

    pub async fn push_entries(&mut self, bench: &Bench, entries: &[SignedEntry]) -> Answer {
        self.push(
            bench,
            &Batch {
                entries: entries.to_vec(),
                blobs: vec![],
            },
        )
        .await
    }

    pub async fn pull(&mut self, bench: &Bench, cursor: &str, limit: u32) -> FeedPage {
        let path = format!("/v1/feed?cursor={cursor}&limit={limit}");
        let answer = self.send(bench, "GET", &path, &[], vec![]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        serde_json::from_slice(&answer.body).unwrap()
    }

    pub async fn pull_stops(&mut self, bench: &Bench) -> Vec<StopItem> {
        let page = self.pull(bench, "", 500).await;
        page.items
            .iter()
            .filter_map(|item| match item.content().unwrap() {
                FeedContent::Stop(stop) => Some(*stop),
                _ => None,
            })
            .collect()
    }
}

impl Bench {
    pub async fn post_json(&self, path: &str, body: &[u8]) -> Answer {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .body(Body::from(body.to_vec()))
            .unwrap();
        self.send(request).await
    }
}

pub fn sha(bytes: &[u8]) -> Hash32 {
    crypto::sha256(&[bytes])
}

/// The path of the rating page that a phone would show for this entry.
pub fn rating_path(parcel: &ParcelItem, head: &Hash32) -> String {
    let key = Secret32::new(parcel.rating_key.0);
    format!(
        "/{}",
        RatingToken::mint(&key, parcel.handle, head).to_text()
    )
}

pub fn inline(kind: ProofKind, bytes: &[u8]) -> InlineBlob {
    InlineBlob {
        hash: sha(bytes),
        kind,
        bytes: bytes.to_vec(),
    }
}

/// `Upload-Metadata` of a proof.
pub fn metadata(bytes: &[u8], kind: ProofKind) -> String {
    format!(
        "sha256 {},kind {}",
        BASE64.encode(&sha(bytes).0),
        BASE64.encode(kind.code().as_bytes())
    )
}

/// The hub's own file, for a look behind the curtain.
pub async fn raw(bench: &Bench) -> sqlx::SqlitePool {
    let options =
        sqlx::sqlite::SqliteConnectOptions::new().filename(bench.dir.path().join("hub.db"));
    sqlx::SqlitePool::connect_with(options).await.unwrap()
}

/// Every row of the tables as text, in order.
pub async fn dump(bench: &Bench, tables: &[&str]) -> Vec<String> {
    let db = raw(bench).await;
    let mut rows = Vec::new();
    for table in tables {
        let columns: Vec<String> =
            sqlx::query_scalar("SELECT name FROM pragma_table_info(?) ORDER BY cid")
                .bind(*table)
                .fetch_all(&db)
                .await
                .unwrap();
        let quoted: Vec<_> = columns.iter().map(|c| format!("quote({c})")).collect();
        let sql = format!(
            "SELECT {} FROM {table} ORDER BY 1",
            quoted.join(" || '|' || ")
        );
        let lines: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_all(&db)
            .await
            .unwrap();
        rows.extend(lines.into_iter().map(|l| format!("{table}: {l}")));
    }
    rows
}
