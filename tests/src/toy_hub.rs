//! A hub in memory: small, honest, and strict. It speaks the wire formats, checks every signature and
//! the chain, and remembers what it has vouched for, so that a test can hold the phone to it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use ed25519_dalek::SigningKey;
use satchel_core::clock::Clock;
use satchel_core::sync::task::{HttpTask, TaskOutcome};
use satchel_protocol::api::{
    ERROR_HEADER, ErrorBody, ErrorCode, PATH_ENROL, PATH_ESCROW, PATH_FEED, PATH_LOG, PATH_PROOFS,
};
use satchel_protocol::batch::Batch;
use satchel_protocol::crypto::{self, Secret32};
use satchel_protocol::device_keys::KeyChain;
use satchel_protocol::enrol::{
    Certificate, EnrolRequest, EnrolResponse, Invite, SignedCertificate,
};
use satchel_protocol::entry::{EntryKind, Header, SignedEntry};
use satchel_protocol::feed::{FeedItem, FeedPage, StopItem};
use satchel_protocol::http_sig::{
    self, MAX_SKEW_S, PROFILES, PROFILES_HEADER, RequestParts, SigError,
};
use satchel_protocol::ids::{CourierId, DeviceId, Hash32};
use satchel_protocol::limits::MAX_RECEIPT_ENTRIES;
use satchel_protocol::receipt::{Receipt, ReceiptEntry};
use satchel_protocol::signed_time::SignedTime;
use satchel_protocol::token;
use serde_json::Value;
use uuid::Uuid;

use crate::link::{Transport, answer};
use crate::toy_tree::ToyTree;
use crate::toy_uploads::Uploads;

/// The hub's address in invites; nothing listens there.
pub const HUB_URL: &str = "http://hub.invalid";

/// One phone as the hub knows it.
#[derive(Debug, Clone)]
pub struct Device {
    keys: KeyChain,
    courier: CourierId,
    certificate: Vec<u8>,
    code: [u8; 16],
    /// Its log, in order, as it came.
    pub log: Vec<(Header, SignedEntry)>,
}

/// Everything a restart keeps and a restored backup takes back.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    invites: HashMap<[u8; 16], (CourierId, String)>,
    pub(crate) devices: BTreeMap<DeviceId, Device>,
    feed: BTreeMap<CourierId, Vec<FeedItem>>,
    pub(crate) uploads: Uploads,
    nonces: HashSet<[u8; 12]>,
    tree: ToyTree,
}

/// What the hub has of a device, or has ever vouched for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vouched {
    /// Hashes of entries named by a receipt.
    pub entries: BTreeSet<Hash32>,
    /// Hashes of proofs named by a receipt.
    pub blobs: BTreeSet<Hash32>,
}

/// The hub. See the [module](self).
pub struct ToyHub {
    key: SigningKey,
    master: Secret32,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    vouched: Mutex<BTreeMap<DeviceId, Vouched>>,
    page_items: usize,
    held_entries: usize,
    padding: AtomicUsize,
}

type Answered = Result<TaskOutcome, TaskOutcome>;

impl ToyHub {
    /// A fresh hub.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            key: SigningKey::from_bytes(&[0x48; 32]),
            master: Secret32::new([0x4D; 32]),
            clock,
            state: Mutex::default(),
            vouched: Mutex::default(),
            page_items: 7,
            held_entries: MAX_RECEIPT_ENTRIES,
            padding: AtomicUsize::new(0),
        }
    }

    /// Names no more entries than this when it is asked what it holds.
    pub fn name_at_once(&mut self, entries: usize) {
        self.held_entries = entries;
    }

    /// Puts so many hashes of nothing into every receipt.
    pub fn pad_receipts(&self, hashes: usize) {
        self.padding.store(hashes, Ordering::Relaxed);
    }

    fn padding(&self) -> impl Iterator<Item = Hash32> {
        (0..self.padding.load(Ordering::Relaxed)).map(|n| crypto::sha256(&[&n.to_be_bytes()]))
    }

    /// The key it signs with, for a link that makes true receipts go astray.
    #[must_use]
    pub fn signing_key(&self) -> SigningKey {
        self.key.clone()
    }

    /// An invite for a courier, and the courier's id.
    pub fn invite(&self, courier_name: &str) -> (String, CourierId) {
        let mut state = self.state();
        let n = state.invites.len() as u64 + 1;
        let code: [u8; 16] = crypto::sha256(&[b"code", &n.to_le_bytes()]).0[..16]
            .try_into()
            .unwrap();
        let courier = CourierId(Uuid::from_u64_pair(0xC0, n));
        state.invites.insert(code, (courier, courier_name.into()));
        let invite = Invite {
            version: 1,
            hub_url: HUB_URL.into(),
            code,
            hub_key: self.key.verifying_key().to_bytes(),
            pins: None,
        };
        (invite.to_text(), courier)
    }

    /// An invite for another phone of a courier.
    #[must_use]
    pub fn invite_again(&self, courier: CourierId, name: &str) -> String {
        let (text, new) = self.invite(name);
        for (known, _) in self.state().invites.values_mut() {
            if *known == new {
                *known = courier;
            }
        }
        text
    }

    /// Puts items at the end of a courier's feed.
    pub fn give(&self, courier: CourierId, items: impl IntoIterator<Item = (String, Value)>) {
        let mut state = self.state();
        let feed = state.feed.entry(courier).or_default();
        for (kind, data) in items {
            let seq = feed.len() as i64 + 1;
            feed.push(FeedItem { seq, kind, data });
        }
    }

    /// The log it holds of a device: header and entry, in order.
    #[must_use]
    pub fn log(&self, device: DeviceId) -> Vec<(Header, SignedEntry)> {
        let state = self.state();
        state
            .devices
            .get(&device)
            .map_or_else(Vec::new, |d| d.log.clone())
    }

    /// Which keys sign a device's log.
    #[must_use]
    pub fn keys(&self, device: DeviceId) -> Option<KeyChain> {
        Some(self.state().devices.get(&device)?.keys.clone())
    }

    /// Whether it holds these proof bytes whole.
    #[must_use]
    pub fn has_blob(&self, hash: Hash32) -> bool {
        self.state().uploads.is_complete(hash)
    }

    /// Takes proof bytes that came another way.
    pub fn hold(&self, hash: Hash32, bytes: Vec<u8>) {
        self.state().uploads.put_whole(hash, bytes);
    }

    /// What its receipts have named for a device, restored backups included.
    #[must_use]
    pub fn vouched(&self, device: DeviceId) -> Vouched {
        let vouched = self.vouched.lock().unwrap();
        vouched.get(&device).cloned().unwrap_or_default()
    }

    /// What it has of a device now: after a restore that may be less than what it vouched for.
    #[must_use]
    pub fn holds(&self, device: DeviceId) -> Vouched {
        let log = self.log(device);
        let bound = log.iter().flat_map(|(header, _)| &header.blobs);
        let held = bound.filter(|hash| self.has_blob(**hash));
        Vouched {
            entries: log.iter().map(|(_, entry)| entry.hash()).collect(),
            blobs: held.copied().collect(),
        }
    }

    /// Couriers' devices that enrolled.
    #[must_use]
    pub fn devices(&self) -> Vec<DeviceId> {
        self.state().devices.keys().copied().collect()
    }

    /// Does what a backup does.
    #[must_use]
    pub fn backup(&self) -> Backup {
        Backup(self.state().clone())
    }

    /// Goes back to a backup: everything taken after it is gone, and the operator says so.
    pub fn restore(&self, backup: Backup) {
        let lost = self.state().tree.clone();
        self.restore_in_silence(backup);
        self.state().tree.begin_anew_after(&lost);
    }

    /// Goes back to a backup and acts as if nothing had been there since.
    pub fn restore_in_silence(&self, backup: Backup) {
        let nonces = self.state().nonces.clone();
        *self.state() = backup.0;
        self.state().nonces = nonces;
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn handle(&self, task: &HttpTask) -> Answered {
        let target = task.url.strip_prefix(HUB_URL).ok_or_else(not_found)?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if path == PATH_ENROL {
            return self.enrol(&task.body);
        }
        let device = self.authenticate(task)?;
        match (task.method, path) {
            ("GET", PATH_LOG) => self.held(device, query),
            ("POST", PATH_LOG) => self.take(device, &task.body, query),
            ("GET", PATH_FEED) => self.feed(device, query),
            // It has no use for it, and says that it is kept.
            ("PUT", PATH_ESCROW) => Ok(TaskOutcome::Response {
                status: 204,
                headers: vec![],
                body: vec![],
            }),
            _ if path.starts_with(PATH_PROOFS) => self.proof(device, task, path),
            _ => Err(not_found()),
        }
    }

    fn enrol(&self, body: &[u8]) -> Answered {
        let request: EnrolRequest =
            serde_json::from_slice(body).map_err(|_| refuse(400, ErrorCode::Malformed))?;
        let proven = request
            .proven_keys()
            .ok_or_else(|| refuse(401, ErrorCode::BadSignature))?;
        let bad_code = || refuse(403, ErrorCode::BadCode);
        let code: [u8; 16] = token::from_base32(&request.code)
            .and_then(|c| c.try_into().ok())
            .ok_or_else(bad_code)?;
        let mut state = self.state();
        let (courier, name) = state.invites.get(&code).cloned().ok_or_else(bad_code)?;
        let used = state.devices.iter().find(|(_, d)| d.code == code);
        if let Some((id, device)) = used {
            // The answer may have been lost: the same phone gets the same answer.
            if *id != request.device_id || device.keys.key_at(1) != Some(&proven.log_key) {
                return Err(bad_code());
            }
        } else {
            let certificate = Certificate {
                version: 1,
                device: request.device_id,
                log_key: request.log_key,
                courier,
                issued_at_ms: self.clock.wall_ms(),
                hardware_key: proven.hardware.as_ref().map(|(key, _)| *key),
            };
            let signed = SignedCertificate {
                statement: proven.hardware.map(|(_, statement)| statement),
                ..certificate.sign(&self.key)
            };
            let device = Device {
                keys: KeyChain::of(&certificate).unwrap(),
                courier,
                certificate: signed.encode(),
                code,
                log: Vec::new(),
            };
            state.devices.insert(request.device_id, device);
        }
        let certificate = &state.devices[&request.device_id].certificate;
        json(
            200,
            &EnrolResponse {
                device_id: request.device_id,
                courier_id: courier,
                courier_name: name,
                hub_time_ms: self.clock.wall_ms(),
                certificate: data_encoding::HEXLOWER.encode(certificate),
            },
        )
    }

    fn authenticate(&self, task: &HttpTask) -> Result<DeviceId, TaskOutcome> {
        let header = |name: &str| {
            let found = task.headers.iter().find(|(n, _)| n == name);
            found.map_or("", |(_, v)| v.as_str())
        };
        let unsigned = |_| refuse(401, ErrorCode::Unsigned);
        let parsed = http_sig::parse(header("signature-input"), header("signature"));
        let parsed = parsed.map_err(unsigned)?;
        if parsed.is_lean() && !task.url.contains(PATH_PROOFS) {
            return Err(refuse(401, ErrorCode::Unsigned));
        }
        let unknown = || refuse(401, ErrorCode::UnknownDevice);
        let id: DeviceId = parsed.key_id.parse().map_err(|_| unknown())?;
        let mut state = self.state();
        let device = state.devices.get(&id).ok_or_else(unknown)?;
        let parts = RequestParts {
            method: task.method,
            target_uri: &task.url,
            body: &task.body,
            idempotency_key: header("idempotency-key"),
        };
        let now_ms = self.clock.wall_ms();
        let (digest, now_s) = (header("content-digest"), now_ms.div_euclid(1_000));
        let under = |key| http_sig::verify(&parts, digest, &parsed, key, now_s, MAX_SKEW_S);
        // A real hub gives the key before up with the first request under the new one; see its own tests.
        let verified = match under(device.keys.key_at(i64::MAX).unwrap()) {
            Err(SigError::BadSignature) => {
                let changes = device.log.iter().rev();
                let last = changes
                    .map(|(h, _)| h)
                    .find(|h| h.kind == EntryKind::KEY_ROTATED);
                under(device.keys.key_at(last.map_or(1, |h| h.seq)).unwrap())
            }
            other => other,
        };
        match verified {
            Ok(()) => {}
            Err(SigError::ClockSkew) => {
                let nonce = data_encoding::BASE64URL_NOPAD.encode(&parsed.nonce);
                let body = ErrorBody {
                    error: ErrorCode::ClockSkew,
                    detail: None,
                    time: Some(SignedTime::sign(&self.key, now_ms, &nonce)),
                    expected_seq: None,
                };
                return Err(json(401, &body)?);
            }
            Err(_) => return Err(refuse(401, ErrorCode::BadSignature)),
        }
        if !state.nonces.insert(parsed.nonce) {
            return Err(refuse(401, ErrorCode::Replayed));
        }
        Ok(id)
    }

    fn held(&self, id: DeviceId, query: &str) -> Answered {
        let after: usize = number(query, "after").unwrap_or(0);
        let state = self.state();
        let held: Vec<_> = state.devices[&id]
            .log
            .iter()
            .skip(after)
            .take(self.held_entries)
            .map(|(header, entry)| (header.clone(), entry.hash()))
            .collect();
        drop(state);
        Ok(self.receipt(id, &held, &[], known_tree(query)))
    }

    fn take(&self, id: DeviceId, body: &[u8], query: &str) -> Answered {
        let batch = Batch::decode(body).map_err(|_| refuse(400, ErrorCode::Malformed))?;
        let mut state = self.state();
        let mut device = state.devices[&id].clone();
        let (mut named, mut joined) = (Vec::new(), Vec::new());
        for entry in batch.entries {
            let header = device
                .keys
                .verify(&entry)
                .ok()
                .filter(|h| h.device == id)
                .ok_or_else(|| refuse(422, ErrorCode::BadEntry))?;
            let hash = entry.hash();
            let next = device.log.len() as i64 + 1;
            let at = usize::try_from(header.seq - 1).unwrap();
            if header.seq > next {
                let body = ErrorBody {
                    error: ErrorCode::LogGap,
                    detail: None,
                    time: None,
                    expected_seq: Some(next),
                };
                return json(409, &body);
            }
            let same = device.log.get(at).map(|(_, held)| held.hash() == hash);
            let head = device.log.last().map_or(Hash32::ZERO, |(_, e)| e.hash());
            match same {
                Some(true) => {}
                None if header.prev == head => {
                    if header.kind == EntryKind::KEY_ROTATED {
                        let followed = device.keys.rotate(&entry);
                        followed.map_err(|_| refuse(422, ErrorCode::BadEntry))?;
                    }
                    joined.push(hash);
                    device.log.push((header.clone(), entry));
                }
                Some(false) | None => return Err(refuse(409, ErrorCode::LogFork)),
            }
            named.push((header, hash));
        }
        let blobs: Vec<Hash32> = batch.blobs.iter().map(|b| b.hash).collect();
        for blob in batch.blobs {
            state.uploads.put_whole(blob.hash, blob.bytes);
        }
        state.devices.insert(id, device);
        for leaf in joined {
            state.tree.append(leaf);
        }
        drop(state);
        Ok(self.receipt(id, &named, &blobs, known_tree(query)))
    }

    fn feed(&self, id: DeviceId, query: &str) -> Answered {
        let state = self.state();
        let courier = state.devices[&id].courier;
        let all = state.feed.get(&courier).cloned().unwrap_or_default();
        // A cursor of a history this hub does not have (it was set back) starts from the beginning.
        let from = parameter(query, "cursor")
            .and_then(|c| c.split_once('-'))
            .and_then(|(at, _)| at.parse::<usize>().ok())
            .filter(|at| Some(cursor(&all, *at).as_str()) == parameter(query, "cursor"))
            .unwrap_or(0);
        let items: Vec<FeedItem> = all
            .iter()
            .skip(from)
            .take(self.page_items)
            .map(|item| self.with_keys(item, id))
            .collect();
        let at = from + items.len();
        json(
            200,
            &FeedPage {
                items,
                cursor: cursor(&all, at),
                more: at < all.len(),
                server_time_ms: self.clock.wall_ms(),
                snapshot: None,
                orders: vec![],
            },
        )
    }

    /// A parcel's rating key is made for the phone that asks.
    fn with_keys(&self, item: &FeedItem, id: DeviceId) -> FeedItem {
        let mut item = item.clone();
        if let Ok(mut stop) = serde_json::from_value::<StopItem>(item.data.clone()) {
            for parcel in &mut stop.parcels {
                let key = self.rating_key(parcel.parcel_id, id);
                parcel.rating_key = Hash32(*key.expose());
            }
            item.data = serde_json::to_value(&stop).unwrap();
        }
        item
    }

    /// The key under which this phone's rating tokens of this parcel verify.
    #[must_use]
    pub fn rating_key(
        &self,
        parcel: satchel_protocol::ids::ParcelId,
        device: DeviceId,
    ) -> Secret32 {
        token::rating_key(&self.master, parcel, device)
    }

    /// Signs what is held, with every held proof that the named entries bind.
    pub(crate) fn receipt(
        &self,
        id: DeviceId,
        entries: &[(Header, Hash32)],
        blobs: &[Hash32],
        known_tree: Option<u64>,
    ) -> TaskOutcome {
        let state = self.state();
        let bound = entries.iter().flat_map(|(h, _)| h.blobs.iter().copied());
        let blobs: BTreeSet<Hash32> = bound
            .chain(blobs.iter().copied())
            .filter(|hash| state.uploads.is_complete(*hash))
            .collect();
        let receipt = Receipt {
            version: 1,
            device: id,
            hub_key: crypto::key_id(&self.key.verifying_key()),
            received_at_ms: self.clock.wall_ms(),
            entries: entries
                .iter()
                .map(|(h, hash)| ReceiptEntry {
                    seq: h.seq,
                    hash: *hash,
                })
                .collect(),
            blobs: blobs.iter().copied().chain(self.padding()).collect(),
            head_seq: state.devices[&id].log.len() as i64,
            wedged: None,
        };
        let mut vouched = self.vouched.lock().unwrap();
        let vouched = vouched.entry(id).or_default();
        vouched
            .entries
            .extend(entries.iter().map(|(_, hash)| *hash));
        vouched.blobs.extend(blobs);
        let mut signed = receipt.sign(&self.key);
        let newest = state.devices[&id].log.last().map(|(_, entry)| entry.hash());
        signed.tree = known_tree.map(|known| state.tree.answer(&self.key, known, newest));
        let takes = (PROFILES_HEADER.to_owned(), PROFILES.to_owned());
        TaskOutcome::Response {
            status: 200,
            headers: vec![takes],
            body: signed.encode(),
        }
    }
}

/// A copy of everything the hub had.
#[derive(Debug, Clone)]
pub struct Backup(State);

impl Transport for ToyHub {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        let said = self.handle(task).unwrap_or_else(|refusal| refusal);
        Some(match task.method {
            "HEAD" => without_body(said),
            _ => said,
        })
    }

    fn send_cut(&self, task: &HttpTask, bytes: usize) {
        let is_upload = task.url.contains(PATH_PROOFS) && !task.body.is_empty();
        if is_upload && self.authenticate(task).is_ok() {
            let mut state = self.state();
            state.uploads.cut(task, &task.body[..bytes]);
        }
    }
}

/// What HTTP leaves of the answer to a `HEAD`: a 401 says in a header what it has no body for.
fn without_body(said: TaskOutcome) -> TaskOutcome {
    let TaskOutcome::Response {
        status,
        mut headers,
        body,
    } = said
    else {
        return said;
    };
    if status == 401 {
        headers.push((ERROR_HEADER.to_owned(), String::from_utf8(body).unwrap()));
    }
    TaskOutcome::Response {
        status,
        headers,
        body: vec![],
    }
}

pub(crate) fn refuse(status: u16, error: ErrorCode) -> TaskOutcome {
    let body = ErrorBody {
        error,
        detail: None,
        time: None,
        expected_seq: None,
    };
    answer(status, serde_json::to_vec(&body).unwrap())
}

pub(crate) fn not_found() -> TaskOutcome {
    refuse(404, ErrorCode::NotFound)
}

fn json<T: serde::Serialize>(status: u16, body: &T) -> Answered {
    Ok(answer(status, serde_json::to_vec(body).unwrap()))
}

/// Asked beside entries; a receipt of a proof alone shows no tree.
fn known_tree(query: &str) -> Option<u64> {
    number(query, "tree")
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn number<T: std::str::FromStr>(query: &str, name: &str) -> Option<T> {
    parameter(query, name)?.parse().ok()
}

/// How far a feed was read, and in which history.
fn cursor(feed: &[FeedItem], at: usize) -> String {
    let read = serde_json::to_vec(&feed[..at.min(feed.len())]).unwrap();
    let history = crypto::sha256(&[&read]).to_string();
    format!("{at}-{}", &history[..8])
}
