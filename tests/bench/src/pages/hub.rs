//! The hub in a process of its own, and a phone that lends the bench its tokens.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ed25519_dalek::SigningKey;
use satchel_hub::import::Mapping;
use satchel_hub::{Hub, HubConfig, ImportOptions};
use satchel_protocol::crypto::{self, Secret32};
use satchel_protocol::enrol::{EnrolRequest, Invite};
use satchel_protocol::feed::{FeedContent, FeedPage};
use satchel_protocol::http_sig::{self, RequestParts, SignParams};
use satchel_protocol::ids::DeviceId;
use satchel_protocol::token::RatingToken;
use tokio::net::TcpListener;

use super::client::{Connection, answered};
use crate::Failure;

const COURIER: &str = "bench";
const MAPPING: &str = r#"{"version":1,"source":"bench","datum":"wgs84",
  "time":{"format":"%Y-%m-%d %H:%M:%S","utc_offset_min":480},
  "fields":{"waybill":{"column":"id"},"lat":{"column":"lat"},"lng":{"column":"lng"},
    "address":{"column":"address"},"recipient_name":{"column":"name"},
    "recipient_phone":{"column":"phone"},"accepted_at":{"column":"at"},
    "promise_class":{"constant":"same_city"}},"group":"single"}"#;

/// Command line of the hub's process.
#[derive(clap::Args)]
pub(crate) struct HubArgs {
    #[arg(long)]
    dir: PathBuf,
    #[arg(long)]
    parcels: usize,
}

/// Runs a hub with so many parcels until it is killed.
pub(crate) fn run_hub(args: &HubArgs) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let hub = Hub::open(HubConfig::new(&args.dir, format!("http://{address}"))).await?;
        let options = ImportOptions {
            couriers: vec![COURIER.to_owned()],
            ..ImportOptions::default()
        };
        let mapping = Mapping::from_json(MAPPING.as_bytes())?;
        hub.import(csv(args.parcels).as_bytes(), &mapping, &options)
            .await?;
        println!("{}", hub.invite(COURIER).await?.to_text());
        println!("listening {address}");
        hub.serve(listener, std::future::pending()).await?;
        Ok(())
    })
}

fn csv(parcels: usize) -> String {
    use std::fmt::Write as _;

    let mut text = String::from("id,lat,lng,at,address,name,phone\n");
    for n in 0..parcels {
        // A street of its own for every hundred doors; writing to a String cannot fail.
        let _ = writeln!(
            text,
            "B{n:07},{}.{:04},120.{:04},2026-08-14 08:30:00,{}路{n}号,客{n},1380{n:07}",
            30 + n / 9_000,
            n % 9_000,
            n % 7_000,
            n / 100
        );
    }
    text
}

/// A hub that answers.
pub(super) struct Running {
    child: Child,
    pub(super) address: String,
    invite: String,
}

/// Starts the hub's process and waits until it listens.
pub(super) async fn start(data: &Path, parcels: usize) -> Result<Running, Failure> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("pages-hub")
        .arg("--dir")
        .arg(data)
        .args(["--parcels", &parcels.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let out = child.stdout.take().ok_or("no output of the hub")?;
    let (mut invite, mut address) = (String::new(), String::new());
    for line in BufReader::new(out).lines() {
        let line = line?;
        match line.strip_prefix("listening ") {
            Some(at) => {
                at.clone_into(&mut address);
                break;
            }
            None => invite = line,
        }
    }
    if address.is_empty() {
        return Err("the hub did not start".into());
    }
    Ok(Running {
        child,
        address,
        invite,
    })
}

impl Running {
    /// Processor time the hub's process has used so far, seconds.
    pub(super) fn cpu_s(&self) -> Result<f64, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        // Fields 14 and 15 of proc(5), counted behind the name; ticks are hundredths of a second.
        let tick = |index: usize| fields.get(index).and_then(|f| f.parse::<f64>().ok());
        let (user, system) = (tick(11), tick(12));
        Ok((user.unwrap_or(0.0) + system.unwrap_or(0.0)) / 100.0)
    }

    /// Enrols a phone, pulls its round, and gives the paths of all its rating pages.
    pub(super) async fn rating_paths(&self) -> Result<Vec<String>, Failure> {
        let key = SigningKey::from_bytes(&[7; 32]);
        let device = DeviceId(uuid::Uuid::from_u128(0xbe7c));
        let invite = Invite::parse(&self.invite)?;
        let request = EnrolRequest::signed(&invite.code, device, "bench", &key);
        let body = serde_json::to_string(&request)?;
        let mut connection = Connection::open(&self.address).await?;
        let enrol = format!(
            "POST /v1/enrol HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        answered(&connection.ask(&enrol).await?, 200)?;
        let (mut cursor, mut paths, mut nonce) = (String::new(), Vec::new(), 0_u64);
        loop {
            nonce += 1;
            let path = format!("/v1/feed?cursor={cursor}&limit=500");
            let answer = connection
                .ask(&self.signed(&path, device, &key, nonce)?)
                .await?;
            answered(&answer, 200)?;
            let page: FeedPage = serde_json::from_slice(&answer.body)?;
            for item in &page.items {
                if let FeedContent::Stop(stop) = item.content()? {
                    paths.extend(stop.parcels.iter().map(|p| {
                        let head = crypto::sha256(&[p.parcel_id.as_bytes()]);
                        let key = Secret32::new(p.rating_key.0);
                        format!("/{}", RatingToken::mint(&key, p.handle, &head).to_text())
                    }));
                }
            }
            cursor = page.cursor;
            if !page.more {
                return Ok(paths);
            }
        }
    }

    fn signed(
        &self,
        path: &str,
        device: DeviceId,
        key: &SigningKey,
        nonce: u64,
    ) -> Result<String, Failure> {
        let mut bytes = [0; 12];
        for (slot, byte) in bytes.iter_mut().zip(nonce.to_be_bytes()) {
            *slot = byte;
        }
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        let idempotency_key = format!("k{nonce}");
        let parts = RequestParts {
            method: "GET",
            target_uri: &format!("http://{}{path}", self.address),
            body: &[],
            idempotency_key: &idempotency_key,
        };
        let params = SignParams {
            created_s: i64::try_from(now.as_secs())?,
            nonce: &bytes,
            key_id: &device.to_string(),
        };
        let mut request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n");
        for (name, value) in http_sig::sign(&parts, &params, key)?.iter() {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("idempotency-key: {idempotency_key}\r\n\r\n"));
        Ok(request)
    }

    /// Ends the hub so that its file can be opened by others.
    pub(super) fn stop(&mut self) -> Result<(), Failure> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A bench that failed half-way leaves no server behind; one that was stopped is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
