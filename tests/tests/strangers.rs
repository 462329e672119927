//! The upload protocol with programs of others on either side: the tus project's own client against the hub,
//! its own server against the core. `scripts/test-strangers` brings the programs; without them there is
//! nothing to test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use satchel_core::clock::ManualClock;
use satchel_core::model::stop::SyncState;
use satchel_core::sync::task::{HttpTask, Purpose, TaskOutcome};
use satchel_protocol::crypto;
use satchel_protocol::enrol::{EnrolRequest, Invite};
use satchel_protocol::ids::{DeviceId, Hash32};
use satchel_tests::day::{Day, MORNING_MS};
use satchel_tests::http::HttpTransport;
use satchel_tests::link::Transport;
use satchel_tests::phone::{Phone, SyncEnd};
use satchel_tests::running::Running;
use satchel_tests::toy_hub::{HUB_URL, ToyHub};

/// Where the programs are, if they are.
fn strangers() -> Option<PathBuf> {
    let asked = std::env::var("SATCHEL_STRANGERS").is_ok();
    asked.then(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("strangers"))
}

#[test]
fn the_tus_project_s_client_leaves_an_upload_and_another_one_ends_it() {
    let Some(dir) = strangers() else { return };
    let hub = Running::start();
    let key = SigningKey::from_bytes(&[0x42; 32]);
    let device = DeviceId(uuid::Uuid::from_u128(0x42));
    let invite = Invite::parse(&hub.invite("王师傅")).unwrap();
    let request = EnrolRequest::signed(&invite.code, device, "stranger", &key);
    let enrolled = ureq::post(format!("{}/v1/enrol", invite.hub_url))
        .header("content-type", "application/json")
        .send(serde_json::to_vec(&request).unwrap());
    assert!(enrolled.unwrap().status().is_success());

    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("photo");
    let bytes: Vec<u8> = (0..100_000_u32).map(|n| (n * 31 / 7) as u8).collect();
    std::fs::write(&file, &bytes).unwrap();
    let done = Command::new("node")
        .arg(dir.join("client.mjs"))
        .env("SATCHEL_URL", &invite.hub_url)
        .env("SATCHEL_DEVICE", device.to_string())
        .env(
            "SATCHEL_KEY",
            data_encoding::HEXLOWER.encode(&key.to_bytes()),
        )
        .env("SATCHEL_NOW_S", (MORNING_MS / 1_000).to_string())
        .env("SATCHEL_FILE", &file)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{told}");
    let hash = crypto::sha256(&[&bytes]).to_string();
    let held = hub.dir().join("proofs").join(&hash[..2]).join(&hash);
    assert_eq!(std::fs::read(held).unwrap(), bytes);
}

/// The tus project's server, until it is dropped.
struct Server {
    child: Child,
    port: u16,
    files: tempfile::TempDir,
}

impl Server {
    fn start(names: &str) -> Option<Self> {
        let files = tempfile::tempdir().unwrap();
        let mut child = Command::new("node")
            .arg(strangers()?.join("server.mjs"))
            .arg(files.path())
            .arg(names)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap();
        Some(Self { child, port, files })
    }

    fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The file with these contents, whatever the server calls it.
    fn bytes_of(&self, hash: Hash32) -> Option<Vec<u8>> {
        let files = std::fs::read_dir(self.files.path()).unwrap();
        let contents = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
        contents
            .into_iter()
            .find(|bytes| crypto::sha256(&[bytes]) == hash)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Photos go to the stranger, everything else to the hub, which looks there when it is asked for a receipt.
struct Split {
    hub: ToyHub,
    server: Server,
    http: HttpTransport,
}

impl Split {
    fn at_the_stranger(&self, task: &HttpTask) -> HttpTask {
        HttpTask {
            url: task.url.replace(HUB_URL, &self.server.base()),
            ..task.clone()
        }
    }

    /// To the phone, both live at one address.
    fn as_the_hub_s(&self, outcome: TaskOutcome) -> TaskOutcome {
        let TaskOutcome::Response {
            status,
            mut headers,
            body,
        } = outcome
        else {
            return outcome;
        };
        for (name, value) in &mut headers {
            if name == "location" {
                *value = value.replace(&self.server.base(), HUB_URL);
            }
        }
        TaskOutcome::Response {
            status,
            headers,
            body,
        }
    }
}

impl Transport for Split {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        if task.purpose != Purpose::Proof {
            return self.hub.send(task);
        }
        let Some(url) = task.url.strip_suffix("/receipt") else {
            let outcome = self.http.send(&self.at_the_stranger(task))?;
            return Some(self.as_the_hub_s(outcome));
        };
        let hash: Hash32 = url.rsplit('/').next().unwrap().parse().unwrap();
        if let Some(bytes) = self.server.bytes_of(hash) {
            self.hub.hold(hash, bytes);
        }
        self.hub.send(task)
    }

    fn send_cut(&self, task: &HttpTask, bytes: usize) {
        self.http.send_cut(&self.at_the_stranger(task), bytes);
    }
}

#[test]
fn the_core_uploads_to_the_tus_project_s_server_and_resumes_there_after_a_cut_and_a_kill() {
    for names in ["by-hash", "its-own"] {
        if let Some(server) = Server::start(names) {
            uploads_and_resumes_at(server, names == "its-own");
        }
    }
}

fn uploads_and_resumes_at(server: Server, own_names: bool) {
    let mut phone = Phone::new(81);
    let hub = ToyHub::new(Arc::new(ManualClock::new(MORNING_MS, 480)));
    let day = Day::new(1).stops(2);
    let (invite, courier) = hub.invite("王师傅");
    hub.give(courier, day.items());
    let split = Split {
        hub,
        server,
        http: HttpTransport::new(std::time::Duration::from_secs(10)),
    };
    phone.enrol(&invite, &split);
    phone.deliver(day.stop_id(0), 1).unwrap();
    assert_eq!(phone.sync(&split), SyncEnd::Done);
    assert_eq!(phone.stop(day.stop_id(0)).sync, SyncState::ProofComplete);

    phone.deliver(day.stop_id(1), 2).unwrap();
    let link = satchel_tests::link::FaultyLink::new(&split, None);
    // Log and feed pass, and where it is made by itself the upload; its bytes are cut; then the phone is killed.
    let cut = Some(satchel_tests::link::Fault::CutRequest);
    link.script(match own_names {
        false => vec![None, None, cut],
        true => vec![None, None, None, cut],
    });
    phone.core().request_sync();
    phone.sync_now(&link);
    phone.restart();
    let resumed = satchel_tests::link::FaultyLink::new(&split, None);
    assert_eq!(phone.sync(&resumed), SyncEnd::Done);
    assert_eq!(phone.stop(day.stop_id(1)).sync, SyncState::ProofComplete);
    let sent = resumed.take_log();
    let asked = sent.iter().any(|(line, _)| line.starts_with("HEAD"));
    assert!(asked, "it asks how much is there: {sent:?}");
    let anew = sent
        .iter()
        .any(|(line, _)| line.starts_with("POST") && line.contains("/proofs"));
    assert!(!anew, "it goes on with the upload that is there: {sent:?}");
}
