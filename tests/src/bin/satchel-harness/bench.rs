//! What every run starts from: a phone in the middle of its day, and the hub that knows it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use satchel_core::clock::ManualClock;
use satchel_tests::day::{Day, MORNING_MS};
use satchel_tests::hardware::Hardware;
use satchel_tests::phone::{Phone, SyncEnd};
use satchel_tests::toy_hub::{Backup, ToyHub};
use satchel_tests::wire;

/// A stop that was delivered and synced, with photo and signature.
pub(crate) const DELIVERED: usize = 0;
/// A stop nobody was at; the ones behind it too.
pub(crate) const FRESH: usize = 3;
const STOPS: usize = 12;

pub(crate) fn day() -> Day {
    Day::new(77).stops(STOPS)
}

/// Another seed each time: a phone that drew the same numbers twice would send a nonce twice.
pub(crate) fn fresh_seed() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1_000);
    NEXT.fetch_add(7, Ordering::Relaxed)
}

/// A template of the phone's folder and the hub as it was then.
pub(crate) struct Bench {
    home: PathBuf,
    template: PathBuf,
    pub(crate) hub: Arc<ToyHub>,
    backup: Backup,
    pub(crate) at: SocketAddr,
    /// Entries in the template's log.
    pub(crate) entries: u64,
    /// For a phone that is to enrol anew.
    pub(crate) invite: String,
    _home: tempfile::TempDir,
}

impl Bench {
    /// Delivered and synced: 0 and 1; delivered and not sent: 2.
    pub(crate) fn new(within: Option<&Path>) -> Self {
        let home = match within {
            Some(dir) => tempfile::tempdir_in(dir).unwrap(),
            None => tempfile::tempdir().unwrap(),
        };
        let template = home.path().join("template");
        fs::create_dir(&template).unwrap();
        let clock = Arc::new(ManualClock::new(MORNING_MS, 480));
        let mut phone = Phone::at(&template, 1, clock);
        let hub = Arc::new(ToyHub::new(phone.clock.clone()));
        let (invite, courier) = hub.invite("王师傅");
        hub.give(courier, day().items());
        let hardware = Hardware::new(1);
        let public = hardware.public();
        phone.core().offer_hardware_key(&public).unwrap();
        phone.core().enrol(&invite, "test phone").unwrap();
        hardware.work(phone.core()).unwrap();
        assert_eq!(phone.sync(&*hub), SyncEnd::Done);
        for n in 0..2 {
            phone.deliver(day().stop_id(n), n as u64).unwrap();
        }
        assert_eq!(phone.sync(&*hub), SyncEnd::Done);
        phone.deliver(day().stop_id(2), 2).unwrap();
        phone.kill();
        let (invite, second) = hub.invite("李师傅");
        hub.give(second, Day::new(78).stops(3).items());
        let at = wire::serve(hub.clone()).unwrap();
        Self {
            home: home.path().to_owned(),
            template,
            backup: hub.backup(),
            hub,
            at,
            // Enrolled, and three deliveries.
            entries: 4,
            invite,
            _home: home,
        }
    }

    pub(crate) fn template(&self) -> &Path {
        &self.template
    }

    /// Where [`Self::fresh`] put the last copy.
    pub(crate) fn run_dir(&self) -> PathBuf {
        self.home.join("run")
    }

    /// A fresh copy of the phone's folder; the hub is as it was too.
    pub(crate) fn fresh(&self, enrolled: bool) -> PathBuf {
        self.hub.restore_in_silence(self.backup.clone());
        let run = self.run_dir();
        let _ = fs::remove_dir_all(&run);
        fs::create_dir(&run).unwrap();
        if enrolled {
            copy(&self.template, &run);
        }
        run
    }
}

/// Copies a folder with what is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}
