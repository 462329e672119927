//! The line between phone and hub, and everything that can happen to it.

use std::collections::VecDeque;
use std::sync::Mutex;

use ed25519_dalek::SigningKey;
use satchel_core::sync::task::{HttpTask, TaskOutcome};
use satchel_protocol::crypto;
use satchel_protocol::ids::{DeviceId, Hash32};
use satchel_protocol::receipt::{Receipt, ReceiptEntry};
use uuid::Uuid;

use crate::seed::Rng;

/// Something that carries a request to a hub and brings an answer, or does not.
pub trait Transport {
    /// `None`: neither answer nor error will ever come; the task stays open.
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome>;

    /// The line breaks after `bytes` of the body. A transport that cannot do that delivers nothing.
    fn send_cut(&self, _task: &HttpTask, _bytes: usize) {}
}

impl<T: Transport + ?Sized> Transport for &T {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        (**self).send(task)
    }
    fn send_cut(&self, task: &HttpTask, bytes: usize) {
        (**self).send_cut(task, bytes);
    }
}

/// One way in which a request goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request never arrives.
    DropRequest,
    /// The hub did it; the answer never arrives.
    DropAnswer,
    /// The request arrives twice and the second answer comes back.
    Duplicate,
    /// The line breaks in the middle of the body.
    CutRequest,
    /// A byte of the body is changed on the way.
    GarbledRequest,
    /// The answer ends in the middle.
    HalfAnswer,
    /// The status line comes, the body does not.
    EmptyAnswer,
    /// The hub fails.
    Status500,
    /// A captive portal answers 200 with its own page.
    Portal,
    /// The receipt is signed by somebody else.
    ForgedReceipt,
    /// A true receipt of this hub, for another phone.
    OtherDevice,
    /// A true receipt of this hub that names what this phone never had.
    UnknownHash,
    /// Nothing comes back at all, not even an error.
    Never,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 13] = [
        Self::DropRequest,
        Self::DropAnswer,
        Self::Duplicate,
        Self::CutRequest,
        Self::GarbledRequest,
        Self::HalfAnswer,
        Self::EmptyAnswer,
        Self::Status500,
        Self::Portal,
        Self::ForgedReceipt,
        Self::OtherDevice,
        Self::UnknownHash,
        Self::Never,
    ];
}

enum Plan {
    /// The next requests, one after the other; then none fails.
    Script(VecDeque<Option<Fault>>),
    /// Every request, until told otherwise.
    Always(Fault),
    /// Any fault in so many percent of requests.
    Random(Rng, usize),
}

/// A link that breaks on command.
pub struct FaultyLink<T> {
    inner: T,
    /// Lets the link make true receipts for the wrong phone; without it those are forged instead.
    hub_key: Option<SigningKey>,
    plan: Mutex<Plan>,
    log: Mutex<Vec<(String, Option<Fault>)>>,
}

impl<T: Transport> FaultyLink<T> {
    /// A link without faults.
    pub fn new(inner: T, hub_key: Option<SigningKey>) -> Self {
        Self {
            inner,
            hub_key,
            plan: Mutex::new(Plan::Script(VecDeque::new())),
            log: Mutex::default(),
        }
    }

    /// The next requests fail like this, one after the other.
    pub fn script(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        *self.plan.lock().unwrap() = Plan::Script(faults.into_iter().collect());
    }

    /// Every request fails like this.
    pub fn always(&self, fault: Fault) {
        *self.plan.lock().unwrap() = Plan::Always(fault);
    }

    /// So many percent of requests fail, in any way.
    pub fn random(&self, seed: u64, percent: usize) {
        *self.plan.lock().unwrap() = Plan::Random(Rng::new(seed), percent);
    }

    /// No more faults.
    pub fn heal(&self) {
        self.script([]);
    }

    /// What was sent since the last call: `METHOD path` and what happened to it.
    pub fn take_log(&self) -> Vec<(String, Option<Fault>)> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    fn next_fault(&self) -> Option<Fault> {
        match &mut *self.plan.lock().unwrap() {
            Plan::Script(faults) => faults.pop_front().flatten(),
            Plan::Always(fault) => Some(*fault),
            Plan::Random(rng, percent) => {
                let percent = *percent;
                rng.chance(percent).then(|| *rng.pick(&Fault::ALL))
            }
        }
    }

    fn wrong_receipt(&self, fault: Fault, task: &HttpTask) -> TaskOutcome {
        let stranger = SigningKey::from_bytes(&[0xEE; 32]);
        let hub = match (fault, &self.hub_key) {
            (Fault::OtherDevice | Fault::UnknownHash, Some(key)) => key.clone(),
            _ => stranger,
        };
        let mine = key_id(task).and_then(|id| id.parse().ok());
        let device = match (fault, mine) {
            (Fault::OtherDevice, _) | (_, None) => DeviceId(Uuid::from_u128(0xBAD)),
            (_, Some(device)) => device,
        };
        // Names everything a phone could wish for.
        let receipt = Receipt {
            version: 1,
            device,
            hub_key: crypto::key_id(&hub.verifying_key()),
            received_at_ms: 1,
            entries: (1..50)
                .map(|seq| ReceiptEntry {
                    seq,
                    hash: Hash32([0xCC; 32]),
                })
                .collect(),
            blobs: vec![Hash32([0xDD; 32])],
            head_seq: i64::MAX,
            wedged: None,
        };
        answer(200, receipt.sign(&hub).encode())
    }
}

impl<T: Transport> Transport for FaultyLink<T> {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        let fault = self.next_fault();
        let path = task.url.splitn(4, '/').nth(3).unwrap_or_default();
        let line = format!("{} /{path}", task.method);
        self.log.lock().unwrap().push((line, fault));
        let Some(fault) = fault else {
            return self.inner.send(task);
        };
        match fault {
            Fault::DropRequest => Some(TaskOutcome::Failed),
            Fault::DropAnswer => self.inner.send(task).map(|_| TaskOutcome::Failed),
            Fault::Duplicate => {
                let _ = self.inner.send(task);
                self.inner.send(task)
            }
            Fault::CutRequest => {
                self.inner.send_cut(task, task.body.len() / 2);
                Some(TaskOutcome::Failed)
            }
            Fault::GarbledRequest => {
                let mut garbled = task.clone();
                if let Some(last) = garbled.body.last_mut() {
                    *last ^= 1;
                }
                self.inner.send(&garbled)
            }
            Fault::HalfAnswer | Fault::EmptyAnswer => {
                let TaskOutcome::Response {
                    status,
                    headers,
                    mut body,
                } = self.inner.send(task)?
                else {
                    return Some(TaskOutcome::Failed);
                };
                let keep = match fault {
                    Fault::HalfAnswer => body.len() / 2,
                    _ => 0,
                };
                body.truncate(keep);
                Some(TaskOutcome::Response {
                    status,
                    headers,
                    body,
                })
            }
            Fault::Status500 => Some(answer(500, b"internal error".to_vec())),
            Fault::Portal => Some(answer(
                200,
                b"<!doctype html><title>Free Wi-Fi</title><p>Please log in".to_vec(),
            )),
            Fault::ForgedReceipt | Fault::OtherDevice | Fault::UnknownHash => {
                Some(self.wrong_receipt(fault, task))
            }
            Fault::Never => None,
        }
    }

    fn send_cut(&self, task: &HttpTask, bytes: usize) {
        self.inner.send_cut(task, bytes);
    }
}

/// The device that signed a request.
pub(crate) fn key_id(task: &HttpTask) -> Option<&str> {
    let input = &task.headers.iter().find(|(n, _)| n == "signature-input")?.1;
    input.split("keyid=\"").nth(1)?.split('"').next()
}

/// An answer without headers.
#[must_use]
pub fn answer(status: u16, body: Vec<u8>) -> TaskOutcome {
    TaskOutcome::Response {
        status,
        headers: vec![],
        body,
    }
}
