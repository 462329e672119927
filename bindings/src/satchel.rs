//! The one object an app holds.

mod day;
mod doorstep;
mod keys;
mod sync;

use std::path::Path;
use std::sync::Arc;

use satchel_core::clock::OsEntropy;
use satchel_core::proof::photo::PhotoSource;
use satchel_core::protocol::feed::LatLng;
use satchel_core::{Courier, Environment};

use crate::codes::{HandoffKind, NetworkState, PhotoOrigin};
use crate::completion::Completion;
use crate::config::SatchelConfig;
use crate::convert::id;
use crate::door::{AttemptDraft, HandoffOption, Photo, Recorded};
use crate::doubt::Doubt;
use crate::error::SatchelError;
use crate::ink::{Signature, SignatureCheck, SignatureForms};
use crate::plan::{Place, PlanEvent, PlanWishes, RoutePlan, StopWhy};
use crate::rating::{QrCode, RatingCode};
use crate::route::{self, Appeal, Changes, Contact, Route, Stop, StopPage};
use crate::storage::StorageUsage;
use crate::sync::{Enrolment, SyncStatus, SyncTask, TaskOutcome};
use crate::watch::{PlanWatcher, Watched};

pub use keys::{certificate_key_sha256, remove_store};

type Result<T> = core::result::Result<T, SatchelError>;

/// The phone of one courier: its route, the handoff at the door, the evidence and the queue.
///
/// Open one and keep it as long as the app runs. Every call blocks, so none belongs on the UI thread;
/// calls may come from any thread and never wait for the network, because the library does none.
#[derive(uniffi::Object)]
pub struct Satchel {
    pub(crate) courier: Courier,
}

#[uniffi::export]
impl Satchel {
    /// Opens the store in the configured folder, or creates it. Nothing is ever deleted.
    ///
    /// # Errors
    /// `InvalidInput` for a key that is not 32 bytes or another bad value; `WrongKey`, `StoreForeign`,
    /// `StoreDamaged`, `StoreFromNewerVersion`, `StoreLocked`, `StorageFull` for a store that cannot be
    /// used.
    #[uniffi::constructor]
    pub fn open(config: SatchelConfig) -> Result<Arc<Self>> {
        let (config, clock) = config.into_parts()?;
        let env = Environment {
            clock: Arc::new(clock),
            entropy: Arc::new(OsEntropy),
        };
        let courier = Courier::open(config, env)?;
        Ok(Arc::new(Self { courier }))
    }

    /// Takes the invite the dispatcher showed. The enrolment itself is the next sync task.
    ///
    /// # Errors
    /// `InviteRejected` for any other text, `AlreadyDone` once enrolled.
    pub fn enrol(&self, invite: String, label: String) -> Result<()> {
        Ok(self.courier.enrol(&invite, &label)?)
    }

    /// Whether this phone belongs to a hub.
    ///
    /// # Errors
    /// Those of the store.
    pub fn enrolment(&self) -> Result<Enrolment> {
        Ok(self.courier.enrolment()?.into())
    }

    /// The rounds on this phone that are not past: those of one courier, a handful.
    ///
    /// # Errors
    /// Those of the store.
    pub fn routes(&self) -> Result<Vec<Route>> {
        let routes = self.courier.routes()?;
        Ok(routes.into_iter().map(Route::from).collect())
    }

    /// Rounds of which every stop is past, the newest first: at most `limit` (1 to 100), behind the first `offset`.
    ///
    /// # Errors
    /// `InvalidInput` for a limit out of range; those of the store.
    #[uniffi::method(default(offset = 0, limit = 30))]
    pub fn past_routes(&self, offset: u32, limit: u32) -> Result<Vec<Route>> {
        if !(1..=route::MAX_PAGE_ROUTES).contains(&limit) {
            return Err(SatchelError::invalid("limit"));
        }
        let routes = self.courier.past_routes(offset, limit)?;
        Ok(routes.into_iter().map(Route::from).collect())
    }

    /// One page of all stops of one round, past ones too, in its order, personal data masked; a page holds 1
    /// to 500 stops.
    ///
    /// # Errors
    /// `InvalidInput` for a limit out of range, `NotFound` for a round this phone never had; those of the store.
    #[uniffi::method(default(offset = 0, limit = 200))]
    pub fn stops_of(&self, route_id: String, offset: u32, limit: u32) -> Result<StopPage> {
        if !(1..=route::MAX_PAGE_STOPS).contains(&limit) {
            return Err(SatchelError::invalid("limit"));
        }
        let stops = self.courier.stops_of(id(&route_id, "route_id")?)?;
        Ok(route::page(stops, offset, limit))
    }

    /// One page of the stops that are not past, in the order of the rounds, personal data masked. Start with
    /// offset 0 and go on with `nextOffset`; a page holds 1 to 500 stops.
    ///
    /// # Errors
    /// `InvalidInput` for a limit out of range; those of the store.
    #[uniffi::method(default(offset = 0, limit = 200))]
    pub fn stops(&self, offset: u32, limit: u32) -> Result<StopPage> {
        if !(1..=route::MAX_PAGE_STOPS).contains(&limit) {
            return Err(SatchelError::invalid("limit"));
        }
        Ok(route::page(self.courier.stops()?, offset, limit))
    }

    /// One stop, personal data masked.
    ///
    /// # Errors
    /// `NotFound` for a stop this phone never had.
    pub fn stop(&self, stop_id: String) -> Result<Stop> {
        Ok(self.courier.stop(id(&stop_id, "stop_id")?)?.into())
    }

    /// The unmasked person and door of one stop. Each call is an entry in the evidence log (A038).
    ///
    /// # Errors
    /// `NotFound` for an unknown stop, `NotEnrolled` before enrolment.
    pub fn reveal(&self, stop_id: String) -> Result<Contact> {
        Ok(self.courier.reveal(id(&stop_id, "stop_id")?)?.into())
    }

    /// Every kind of handoff at a stop, each with what it needs or why it is locked here, so that a screen
    /// can show the choice with its reasons.
    ///
    /// # Errors
    /// `Refused` when nothing is left to hand over, `NotFound` for an unknown stop.
    pub fn handoffs(&self, stop_id: String) -> Result<Vec<HandoffOption>> {
        let options = self.courier.handoffs(id(&stop_id, "stop_id")?)?;
        Ok(options.into_iter().map(HandoffOption::from).collect())
    }

    /// Opens a handoff at a stop and says what it needs. One that was left open when the app was killed
    /// is taken up again, with its photos.
    ///
    /// # Errors
    /// `Refused` when this handoff is not allowed here, so that the courier learns it before he walks to
    /// the locker; `NotFound` for an unknown stop.
    pub fn begin_attempt(&self, stop_id: String, handoff: HandoffKind) -> Result<AttemptDraft> {
        let stop = id(&stop_id, "stop_id")?;
        Ok(self.courier.begin_attempt(stop, handoff)?.into())
    }

    /// Takes a photo over: checked, turned upright, scaled, stripped of metadata, encrypted and flushed
    /// before this returns. The file may then be deleted. At most 12 per attempt.
    ///
    /// # Errors
    /// `PhotoRejected` when it cannot be a proof, `NotFound` for an unknown attempt, `AlreadyDone` after
    /// completion.
    pub fn add_photo(
        &self,
        attempt_id: String,
        path: String,
        origin: PhotoOrigin,
    ) -> Result<Photo> {
        let attempt = id(&attempt_id, "attempt_id")?;
        let source = PhotoSource::Path(Path::new(&path));
        Ok(self.courier.add_photo(attempt, source, origin)?.into())
    }

    /// Plans the remaining stops from here and stores the plan; the list follows it. Without a place it
    /// starts at the door of the last record, else at the depot. Some tens of milliseconds, no network.
    ///
    /// # Errors
    /// `InvalidInput` for a position that is none or wishes that contradict each other.
    #[uniffi::method(default(start = None))]
    pub fn plan(&self, start: Option<Place>) -> Result<RoutePlan> {
        Ok(self.courier.plan(start.map(LatLng::from))?.into())
    }

    /// Plans like `plan` with time to spare, as before leaving the depot: seconds, not milliseconds. The
    /// watcher sees how far it is and can end it; the best plan so far is then stored.
    ///
    /// # Errors
    /// As `plan`.
    #[uniffi::method(default(start = None))]
    pub fn plan_thoroughly(
        &self,
        watcher: Arc<dyn PlanWatcher>,
        start: Option<Place>,
    ) -> Result<RoutePlan> {
        let watched = Watched::new(watcher);
        let plan = self
            .courier
            .plan_thoroughly(start.map(LatLng::from), &watched)?;
        Ok(plan.into())
    }

    /// Plans again after something happened, from the order the courier knows: never later than that
    /// order, with as few changes as the gain allows, and saying which.
    ///
    /// # Errors
    /// `InvalidInput` when the store does not show what the event says, `NotFound` for a stop this phone
    /// never had.
    pub fn replan(&self, event: PlanEvent) -> Result<RoutePlan> {
        Ok(self.courier.replan(event.try_into()?)?.into())
    }

    /// The plan as it was made, less what is no longer open; none before the first. It survives a kill.
    ///
    /// # Errors
    /// Those of the store.
    pub fn current_plan(&self) -> Result<Option<RoutePlan>> {
        Ok(self.courier.current_plan()?.map(RoutePlan::from))
    }

    /// Why a stop is where it is in the current plan, with its times and in both languages.
    ///
    /// # Errors
    /// `NotFound` for a stop that is not in the plan.
    pub fn why(&self, stop_id: String) -> Result<StopWhy> {
        Ok(self.courier.why(id(&stop_id, "stop_id")?)?.into())
    }

    /// What the courier wishes of every plan.
    ///
    /// # Errors
    /// Those of the store.
    pub fn plan_wishes(&self) -> Result<PlanWishes> {
        Ok(self.courier.plan_wishes()?.into())
    }

    /// Replaces the wishes, for the next plan on. Nothing is stored when they cannot be kept.
    ///
    /// # Errors
    /// `InvalidInput` when they contradict each other.
    pub fn set_plan_wishes(&self, wishes: PlanWishes) -> Result<()> {
        Ok(self.courier.set_plan_wishes(&wishes.try_into()?)?)
    }

    /// A photo of an attempt as it is stored: exactly what the hub will show.
    ///
    /// # Errors
    /// `NotFound` for an unknown attempt or photo, `StoreDamaged` when it cannot be read.
    pub fn photo_jpeg(&self, attempt_id: String, hash: String) -> Result<Vec<u8>> {
        let attempt = id(&attempt_id, "attempt_id")?;
        Ok(self.courier.photo_jpeg(attempt, id(&hash, "hash")?)?)
    }

    /// The small copy of a photo, for lists; there also when the photo itself gave way to newer ones.
    ///
    /// # Errors
    /// `NotFound` for an unknown attempt or photo.
    pub fn photo_thumbnail(&self, attempt_id: String, hash: String) -> Result<Vec<u8>> {
        let attempt = id(&attempt_id, "attempt_id")?;
        Ok(self.courier.photo_thumbnail(attempt, id(&hash, "hash")?)?)
    }

    /// Looks at a drawing before it is handed in: what to ask about once more, and exactly what the hub
    /// will show. Writes nothing.
    ///
    /// # Errors
    /// `SignatureRejected` for what cannot pass as a signature, `InvalidInput` for values out of range.
    #[uniffi::method(default(width_px = 600, height_px = 200))]
    pub fn check_signature(
        &self,
        attempt_id: String,
        signature: Signature,
        width_px: u32,
        height_px: u32,
    ) -> Result<SignatureCheck> {
        let attempt = id(&attempt_id, "attempt_id")?;
        let check =
            self.courier
                .check_signature(attempt, &signature.into(), width_px, height_px)?;
        Ok(check.into())
    }

    /// The stored signature of a completed attempt, in the forms other programs read.
    ///
    /// # Errors
    /// `NotFound` for an attempt without one on this phone, `InvalidInput` for a size out of range.
    #[uniffi::method(default(width_px = 600, height_px = 200))]
    pub fn signature_forms(
        &self,
        attempt_id: String,
        width_px: u32,
        height_px: u32,
    ) -> Result<SignatureForms> {
        let ink = self.courier.signature(id(&attempt_id, "attempt_id")?)?;
        SignatureForms::draw(&ink, width_px, height_px)
    }

    /// Completes an attempt in one transaction and returns after the flush: what this has acknowledged
    /// survives a power cut. On any error nothing is written.
    ///
    /// # Errors
    /// `Refused` with everything that is missing, `SignatureRejected`, `AlreadyDone` the second time (the
    /// first version stands), `InvalidInput` for values out of range.
    pub fn complete_attempt(&self, attempt_id: String, completion: Completion) -> Result<Recorded> {
        let attempt = id(&attempt_id, "attempt_id")?;
        let completion = completion.try_into()?;
        Ok(self.courier.complete_attempt(attempt, &completion)?.into())
    }

    /// The rating code of a delivered parcel, made without a network, as often as asked for.
    ///
    /// # Errors
    /// `NotFound` for an unknown parcel or one that is not delivered.
    pub fn rating_code(&self, parcel_id: String) -> Result<RatingCode> {
        let parcel = id(&parcel_id, "parcel_id")?;
        Ok(self.courier.rating_code(parcel)?.into())
    }

    /// The rating code drawn as a QR code, the PNG as wide as asked (41 to 2,048 pixels).
    ///
    /// # Errors
    /// Those of `ratingCode`; `InvalidInput` for a width that cannot hold the code.
    #[uniffi::method(default(png_width_px = 512))]
    pub fn rating_qr(&self, parcel_id: String, png_width_px: u32) -> Result<QrCode> {
        QrCode::draw(self.rating_code(parcel_id)?, png_width_px)
    }

    /// Says what this courier has to say against the customer's last rating of a parcel, without a network.
    /// The hub opens a case with a clock when it arrives. One to a rating: a second call gives the first.
    ///
    /// # Errors
    /// `NotFound` while there is no rating of this parcel here; `InvalidInput` for no words or too many.
    pub fn appeal(&self, parcel_id: String, words: String) -> Result<Appeal> {
        let parcel = id(&parcel_id, "parcel_id")?;
        Ok(self.courier.appeal(parcel, &words)?.into())
    }

    /// What the hub wonders about in this courier's log, the latest first. None of it takes anything from him by itself.
    ///
    /// # Errors
    /// Those of the store.
    pub fn doubts(&self) -> Result<Vec<Doubt>> {
        Ok(self
            .courier
            .doubts()?
            .into_iter()
            .map(Doubt::from)
            .collect())
    }

    /// Answers one of them, without a network, for the person who will judge it. A second call gives the first answer.
    ///
    /// # Errors
    /// `NotFound` for one that is not on this phone; `InvalidInput` for no words or too many.
    pub fn answer_doubt(&self, doubt_id: String, words: String) -> Result<Doubt> {
        let doubt = id(&doubt_id, "doubt_id")?;
        Ok(self.courier.answer_doubt(doubt, &words)?.into())
    }

    /// What changed after `version`; start with 0. Ask after a sync and after each completion.
    ///
    /// # Errors
    /// Those of the store.
    pub fn changes_since(&self, version: i64) -> Result<Changes> {
        Ok(self.courier.changes_since(version)?.into())
    }

    /// What to send next. The sync host of the package calls this in a loop; an app need not.
    ///
    /// # Errors
    /// Those of the store; the network's troubles are never errors.
    pub fn next_task(&self, network: NetworkState) -> Result<SyncTask> {
        Ok(self.courier.next_task(network)?.into())
    }

    /// Takes what came of a task. An id that is unknown or was completed before is harmless.
    ///
    /// # Errors
    /// Those of the store; then the answer was not applied and will be asked for again.
    pub fn complete_task(&self, task_id: String, outcome: TaskOutcome) -> Result<()> {
        Ok(self.courier.complete_task(&task_id, outcome.into())?)
    }

    /// The network is back or the courier asked: retry what waits, and read the route and ratings.
    pub fn request_sync(&self) {
        self.courier.request_sync();
    }

    /// The honest state of the queue.
    ///
    /// # Errors
    /// Those of the store.
    pub fn sync_status(&self) -> Result<SyncStatus> {
        Ok(self.courier.sync_status()?.into())
    }

    /// Changes the key of the store to these 32 bytes; every page is encrypted anew before this returns. Keep
    /// both keys until then: if the app is killed in between, `open` says by `WrongKey` which of them it is.
    ///
    /// # Errors
    /// `InvalidInput` for a key that is not 32 bytes; those of the store.
    pub fn rekey(&self, key: Vec<u8>) -> Result<()> {
        Ok(self.courier.rekey(crate::config::store_key(key)?)?)
    }

    /// What the store takes on the device, and what could be given back.
    ///
    /// # Errors
    /// Those of the store.
    pub fn storage_usage(&self) -> Result<StorageUsage> {
        Ok(self.courier.storage_usage()?.into())
    }

    /// Sets how much photos may take before receipted ones give way, oldest first; 256 MiB unless set,
    /// and to be set anew after each `open`. What waits for its receipt is kept beyond it.
    ///
    /// # Errors
    /// Those of the store.
    pub fn set_photo_quota(&self, bytes: u64) -> Result<()> {
        Ok(self.courier.set_photo_quota(bytes)?)
    }

    /// Closes every file and drops every lock until `resume`. Call it before the system suspends the
    /// app; other calls then fail with `Paused`.
    pub fn pause(&self) {
        self.courier.pause();
    }

    /// Opens the files again after `pause`.
    ///
    /// # Errors
    /// Those of `open`; `Closed` after `shutdown`.
    pub fn resume(&self) -> Result<()> {
        Ok(self.courier.resume()?)
    }

    /// Closes for good. Everything acknowledged is already on disk.
    pub fn shutdown(&self) {
        self.courier.shutdown();
    }
}
