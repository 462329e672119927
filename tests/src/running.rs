//! The real hub on a loopback port, for tests that drive phones against it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use satchel_hub::import::Mapping;
use satchel_hub::{Audit, Hub, HubConfig, ImportOptions, SimClock};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::day::MORNING_MS;
use crate::http::HttpTransport;

/// How its files are read.
pub const MAPPING: &str = r#"{
  "version": 1, "source": "test", "datum": "wgs84",
  "time": { "format": "%m-%d %H:%M:%S", "utc_offset_min": 480, "default_year": 2026 },
  "group": "single",
  "fields": {
    "waybill": { "column": "id" }, "lat": { "column": "lat" }, "lng": { "column": "lng" },
    "accepted_at": { "column": "at" }, "address": { "column": "address" },
    "recipient_name": { "column": "name" }, "recipient_phone": { "column": "phone" },
    "promise_class": { "constant": "same_city" }
  }
}"#;

/// A hub and what keeps it running.
pub struct Running {
    /// The hub.
    pub hub: Hub,
    /// Where its calls run.
    pub runtime: tokio::runtime::Runtime,
    address: SocketAddr,
    stop: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    data: tempfile::TempDir,
    settings: Settings,
    clock: Arc<SimClock>,
}

/// What a test changes of the usual configuration.
type Settings = fn(&mut HubConfig);

impl Running {
    /// A fresh hub, its clock standing at the morning of the test day.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// [`Self::start`] with other settings.
    #[must_use]
    pub fn start_with(settings: Settings) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let data = tempfile::tempdir().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let clock = Arc::new(SimClock::frozen(MORNING_MS));
        let (hub, stop) = serve(&runtime, data.path(), listener, (settings, clock.clone()));
        Self {
            hub,
            runtime,
            address,
            stop: Some(stop),
            data,
            settings,
            clock,
        }
    }

    /// Stops it as an operator does. Its address stays its own.
    pub fn stop(&mut self) {
        if let Some((stop, ended)) = self.stop.take() {
            let _ = stop.send(());
            self.runtime.block_on(ended).unwrap();
        }
    }

    /// Starts it again on the same address.
    pub fn start_again(&mut self) {
        let listener = self.runtime.block_on(TcpListener::bind(self.address));
        let listener = listener.unwrap();
        let (hub, stop) = serve(
            &self.runtime,
            self.data.path(),
            listener,
            (self.settings, self.clock.clone()),
        );
        self.hub = hub;
        self.stop = Some(stop);
    }

    /// A copy of everything it holds, taken while it stands still.
    #[must_use]
    pub fn backup(&mut self) -> tempfile::TempDir {
        self.stop();
        let copy = tempfile::tempdir().unwrap();
        copy_dir(&self.data.path().join("hub"), &copy.path().join("hub"));
        self.start_again();
        copy
    }

    /// Puts a backup in the place of what it holds.
    pub fn restore(&mut self, backup: &tempfile::TempDir) {
        self.stop();
        let here = self.data.path().join("hub");
        std::fs::remove_dir_all(&here).unwrap();
        copy_dir(&backup.path().join("hub"), &here);
        self.start_again();
    }

    /// Its data directory.
    #[must_use]
    pub fn dir(&self) -> PathBuf {
        self.data.path().join("hub")
    }

    /// Lets time pass at the hub.
    pub fn clock_on(&self, ms: i64) {
        self.clock.advance(ms);
    }

    /// A client that reaches it.
    #[must_use]
    pub fn http(&self) -> HttpTransport {
        HttpTransport::new(Duration::from_secs(10))
    }

    /// Imports a round of `count` stops for a courier.
    pub fn import(&self, courier: &str, count: usize) {
        let mut csv = String::from("id,lat,lng,at,address,name,phone\n");
        for i in 0..count {
            csv.push_str(&row("WB", i));
        }
        self.import_file(&csv, MAPPING, &[courier.into()]);
    }

    /// Imports a round of `count` stops for each courier, in one file.
    pub fn import_rounds(&self, couriers: &[String], count: usize) {
        let mut csv = String::from("round,id,lat,lng,at,address,name,phone\n");
        for (n, courier) in couriers.iter().enumerate() {
            for i in 0..count {
                csv.push_str(&format!("{courier},{}", row(&format!("WB{n}-"), i)));
            }
        }
        let mapping = MAPPING.replace("\"single\"", "\"column=round\"");
        self.import_file(&csv, &mapping, &[]);
    }

    fn import_file(&self, csv: &str, mapping: &str, couriers: &[String]) {
        let mapping = Mapping::from_json(mapping.as_bytes()).unwrap();
        let options = ImportOptions {
            couriers: couriers.to_vec(),
            ..ImportOptions::default()
        };
        let import = self.hub.import(csv.as_bytes(), &mapping, &options);
        self.runtime.block_on(import).unwrap();
    }

    /// An invite for a courier.
    #[must_use]
    pub fn invite(&self, courier: &str) -> String {
        let invite = self.runtime.block_on(self.hub.invite(courier));
        invite.unwrap().to_text()
    }

    /// Gives a courier `count` stops and invites him.
    #[must_use]
    pub fn round(&self, count: usize) -> String {
        self.import("王师傅", count);
        self.invite("王师傅")
    }

    /// What is held.
    #[must_use]
    pub fn audit(&self) -> Audit {
        self.runtime.block_on(self.hub.audit()).unwrap()
    }
}

/// A parcel of a file.
fn row(numbers: &str, i: usize) -> String {
    format!("{numbers}{i:04},37.5{i:03},121.4,11-21 07:30:00,南大街{i}号,张{i},1380000{i:04}\n")
}

fn serve(
    runtime: &tokio::runtime::Runtime,
    data: &Path,
    listener: TcpListener,
    (settings, clock): (Settings, Arc<SimClock>),
) -> (Hub, (oneshot::Sender<()>, JoinHandle<()>)) {
    runtime.block_on(async {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut config = HubConfig::new(data.join("hub"), &url);
        config.clock = clock;
        settings(&mut config);
        let hub = Hub::open(config).await.unwrap();
        let serving = hub.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(async move {
            let until = async {
                let _ = stopped.await;
            };
            serving.serve(listener, until).await.unwrap();
        });
        (hub, (stop, ended))
    })
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let place = to.join(file.file_name());
        match file.file_type().unwrap().is_dir() {
            true => copy_dir(&file.path(), &place),
            false => drop(std::fs::copy(file.path(), place).unwrap()),
        }
    }
}
