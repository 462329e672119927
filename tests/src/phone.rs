//! A phone: the real core in a folder of its own, with a clock and randomness that the test owns.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use satchel_core::clock::ManualClock;
use satchel_core::model::attempt::{
    Completion, ParcelOutcome, ParcelResult, Recorded, SignatureInput,
};
use satchel_core::model::day::{CallInput, CallView};
use satchel_core::model::status::Enrolment;
use satchel_core::model::stop::StopView;
use satchel_core::proof::ink::InkPoint;
use satchel_core::proof::photo::PhotoSource;
use satchel_core::sync::task::{Network, Task};
use satchel_core::{Courier, Environment, Error, OpenConfig, Result};
use satchel_protocol::attempt::IdentityCheck;
use satchel_protocol::crypto::Secret32;
use satchel_protocol::ids::{AttemptId, DeviceId, ParcelId, StopId};
use satchel_protocol::taxonomy::{
    Action, CallResult, HandoffKind, IdentityMethod, InspectionResult, PhotoOrigin, Reason,
};

use crate::day::MORNING_MS;
use crate::link::Transport;
use crate::seed::{Rng, SeededEntropy};

/// The key of every test phone.
pub const KEY: [u8; 32] = [0x5A; 32];

/// How a sync loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncEnd {
    /// Everything is done.
    Done,
    /// The core wants to wait.
    Waiting,
    /// The loop ran into its bound.
    Endless,
}

/// What a connection of the bare library has to be told before it reads a phone's store.
#[must_use]
pub fn unlock(key: &[u8; 32]) -> String {
    let key = data_encoding::HEXLOWER.encode(key);
    format!(
        "PRAGMA cipher = 'sqlcipher'; PRAGMA legacy = 4; PRAGMA hmac_algorithm = 1; PRAGMA key = \"x'{key}'\";"
    )
}

/// A phone. See the [module](self).
pub struct Phone {
    /// Its folder.
    pub dir: PathBuf,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// The key of its store.
    pub key: [u8; 32],
    seed: u64,
    courier: Option<Courier>,
    // Removed with the phone.
    _home: Option<tempfile::TempDir>,
}

impl Phone {
    /// A new phone in a temporary folder, at [`MORNING_MS`].
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let home = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(MORNING_MS, 480));
        let mut phone = Self::at(home.path(), seed, clock);
        phone._home = Some(home);
        phone
    }

    /// A phone in a folder of the test's own.
    #[must_use]
    pub fn at(dir: &Path, seed: u64, clock: Arc<ManualClock>) -> Self {
        let mut phone = Self::closed_at(dir, seed, clock);
        phone.open().unwrap();
        phone
    }

    /// [`Self::at`], not opened yet.
    #[must_use]
    pub fn closed_at(dir: &Path, seed: u64, clock: Arc<ManualClock>) -> Self {
        Self {
            dir: dir.join("phone"),
            clock,
            key: KEY,
            seed,
            courier: None,
            _home: None,
        }
    }

    /// The core.
    #[must_use]
    pub fn core(&self) -> &Courier {
        self.courier.as_ref().unwrap()
    }

    /// Opens the store.
    ///
    /// # Errors
    /// As [`Courier::open`].
    pub fn open(&mut self) -> Result<()> {
        self.seed = self.seed.wrapping_add(1);
        let env = Environment {
            clock: self.clock.clone(),
            entropy: Arc::new(SeededEntropy::new(self.seed)),
        };
        let config = OpenConfig {
            key: Secret32::new(self.key),
            ..config(&self.dir)
        };
        self.courier = Some(Courier::open(config, env)?);
        Ok(())
    }

    /// Lets go of the core as an operating system does when it removes an app from memory: nothing is
    /// called beforehand.
    pub fn kill(&mut self) {
        self.courier = None;
    }

    /// [`Self::kill`] and open again.
    pub fn restart(&mut self) {
        self.kill();
        self.open().unwrap();
    }

    /// Gives the invite and syncs until the phone is enrolled and has its route.
    pub fn enrol(&self, invite: &str, hub: &dyn Transport) -> DeviceId {
        self.core().enrol(invite, "test phone").unwrap();
        assert_eq!(self.sync(hub), SyncEnd::Done);
        self.device()
    }

    /// Its id at the hub.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        match self.core().enrolment().unwrap() {
            Enrolment::Enrolled { device_id, .. } => device_id,
            other => panic!("not enrolled: {other:?}"),
        }
    }

    /// The host's loop, until the core is done or wants to wait.
    pub fn sync_now(&self, hub: &dyn Transport) -> SyncEnd {
        for _ in 0..10_000 {
            match self.core().next_task(Network::Unmetered).unwrap() {
                Task::Http(task) => {
                    if let Some(outcome) = hub.send(&task) {
                        self.core().complete_task(&task.id, outcome).unwrap();
                    }
                }
                Task::Wait { .. } => return SyncEnd::Waiting,
                Task::Done => return SyncEnd::Done,
            }
        }
        SyncEnd::Endless
    }

    /// Asks for a sync and runs the host's loop, letting time pass where the core wants to wait.
    pub fn sync(&self, hub: &dyn Transport) -> SyncEnd {
        self.core().request_sync();
        for _ in 0..200 {
            match self.sync_now(hub) {
                SyncEnd::Waiting => self.wait(),
                end => return end,
            }
        }
        SyncEnd::Waiting
    }

    /// Lets the time pass that the core asks for.
    pub fn wait(&self) {
        use satchel_core::clock::Clock as _;
        if let Task::Wait {
            until_ms: Some(until_ms),
            ..
        } = self.core().next_task(Network::Unmetered).unwrap()
        {
            self.clock
                .advance_ms((until_ms - self.clock.wall_ms()).max(1));
        }
    }

    /// One stop.
    #[must_use]
    pub fn stop(&self, stop: StopId) -> StopView {
        self.core().stop(stop).unwrap()
    }

    /// Delivers every parcel of a stop to the recipient, with a photo and a signature.
    ///
    /// # Errors
    /// Whatever step fails first.
    pub fn deliver(&self, stop: StopId, n: u64) -> Result<Recorded> {
        self.deliver_with(stop, n, &photo(n))
    }

    /// [`Self::deliver`] with this photo.
    ///
    /// # Errors
    /// Whatever step fails first.
    pub fn deliver_with(&self, stop: StopId, n: u64, photo: &[u8]) -> Result<Recorded> {
        let draft = self.core().begin_attempt(stop, HandoffKind::Recipient)?;
        let source = PhotoSource::Bytes(photo);
        self.core()
            .add_photo(draft.attempt_id, source, PhotoOrigin::Camera)?;
        let input = delivered(&self.core().stop(stop)?, n);
        self.core().complete_attempt(draft.attempt_id, &input)
    }

    /// What completes a delivery to the recipient, but for the photo. The stop is one the phone has.
    #[must_use]
    pub fn delivered(&self, stop: StopId, n: u64) -> Completion {
        delivered(&self.core().stop(stop).unwrap(), n)
    }

    /// Calls the recipient of a stop in vain.
    pub fn call(&self, stop: StopId) -> CallView {
        self.call_ending(stop, CallResult::NoAnswer, 0)
    }

    /// Calls the recipient of a stop.
    pub fn call_ending(&self, stop: StopId, result: CallResult, duration_s: u32) -> CallView {
        let input = CallInput {
            stop,
            number: "13800000001".into(),
            virtual_number: false,
            result,
            duration_s,
            call_id: None,
        };
        self.core().log_call(&input).unwrap()
    }

    /// Records that nobody was there. Needs no proof.
    ///
    /// # Errors
    /// Whatever step fails first.
    pub fn fail(&self, stop: StopId) -> Result<Recorded> {
        let draft = self.core().begin_attempt(stop, HandoffKind::Recipient)?;
        self.record_failure(draft.attempt_id, stop)
    }

    /// The second half of [`Self::fail`].
    ///
    /// # Errors
    /// As [`Courier::complete_attempt`].
    pub fn record_failure(&self, attempt: AttemptId, stop: StopId) -> Result<Recorded> {
        let input = completion(&parcels(&self.core().stop(stop)?), nobody_there());
        self.core().complete_attempt(attempt, &input)
    }
}

fn parcels(stop: &StopView) -> Vec<ParcelId> {
    stop.parcels.iter().map(|p| p.parcel_id).collect()
}

fn delivered(stop: &StopView, n: u64) -> Completion {
    let mut results = completion(&parcels(stop), ParcelOutcome::Delivered).parcels;
    for (result, view) in results.iter_mut().zip(&stop.parcels) {
        result.scan = Some(view.waybill.clone());
    }
    Completion {
        identity: Some(IdentityCheck {
            method: IdentityMethod::Name,
            matched: true,
        }),
        inspection: Some(InspectionResult::Inspected),
        signature: Some(signature(n)),
        ..Completion::new(HandoffKind::Recipient, results)
    }
}

/// How every test phone is opened.
#[must_use]
pub fn config(dir: &Path) -> OpenConfig {
    OpenConfig {
        dir: dir.to_owned(),
        key: Secret32::new(KEY),
    }
}

/// Closed when the courier came, to be tried again: a legal pair that needs neither proof nor call.
#[must_use]
pub fn nobody_there() -> ParcelOutcome {
    ParcelOutcome::Failed {
        reason: Reason::BusinessClosed,
        action: Action::NextWorkingDay,
    }
}

/// The barest completion: the same outcome for every parcel and nothing else.
#[must_use]
pub fn completion(parcels: &[ParcelId], outcome: ParcelOutcome) -> Completion {
    let results = parcels
        .iter()
        .map(|id| ParcelResult::new(*id, outcome))
        .collect();
    Completion::new(HandoffKind::Recipient, results)
}

/// A signature; each number draws another one.
#[must_use]
pub fn signature(n: u64) -> SignatureInput {
    let wobble = (n % 97) as f32 / 10.0;
    let stroke = (0..24u16)
        .map(|i| InkPoint {
            x: 40.0 + f32::from(i) * 20.0 + wobble,
            y: 100.0 + f32::from(i % 5) * 17.0 + (n % 31) as f32,
            t_ms: u32::from(i) * 16,
            ..InkPoint::default()
        })
        .collect();
    SignatureInput {
        strokes: vec![stroke],
        canvas_width: 600.0,
        canvas_height: 300.0,
        ..SignatureInput::default()
    }
}

/// Files in the folder of photos below a store's: all but the mark by which the store knows the folder.
#[must_use]
pub fn photo_files(dir: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(dir.join("blobs")).unwrap();
    files
        .map(|file| file.unwrap().path())
        .filter(|file| !file.ends_with(".ours"))
        .collect()
}

/// A signature of somebody who scribbles: too long to ride with its entry.
#[must_use]
pub fn long_signature(n: u64) -> SignatureInput {
    let mut rng = Rng::new(n);
    let mut drawn =
        |most: u16| f32::from(rng.next_u64() as u16) / f32::from(u16::MAX) * f32::from(most);
    let stroke = |_| {
        let point = |i: u32| InkPoint {
            x: drawn(590),
            y: drawn(290),
            t_ms: i * 8,
            ..InkPoint::default()
        };
        (0..500).map(point).collect()
    };
    SignatureInput {
        strokes: (0..30).map(stroke).collect(),
        ..signature(n)
    }
}

/// A small JPEG; each number gives another one.
#[must_use]
pub fn photo(n: u64) -> Vec<u8> {
    let bytes = n.to_le_bytes();
    let picture = image::RgbImage::from_fn(64, 48, |x, y| {
        let cell = usize::try_from(x / 8 + y / 8).unwrap() % 8;
        let shade = bytes[cell].wrapping_mul(37).wrapping_add(bytes[0]);
        image::Rgb([shade, (x * 4) as u8, (y * 5) as u8])
    });
    let mut out = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut out, image::ImageFormat::Jpeg)
        .unwrap();
    out.into_inner()
}

/// Whether an error is the storage being full.
#[must_use]
pub fn is_full(error: &Error) -> bool {
    matches!(error, Error::Store(satchel_core::StoreError::Full))
}
