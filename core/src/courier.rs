//! The use cases of a courier's app, each one transaction.
//!
//! [`Courier`] is the one object a host holds. Every method is blocking and safe to call from any
//! thread; none does network I/O. The parts: opening and enrolment here, the day's route in `route`,
//! the door in `door` and `photos`, the queue in `tasks` and `answered`.

mod answered;
mod appeal;
mod calls;
mod code;
mod cold;
mod door;
mod doubt;
mod erase;
mod exhibit;
mod export;
mod folder;
mod keys;
mod lease;
mod load;
mod lost;
mod past;
mod photos;
mod pickup;
mod plan;
mod policy;
mod reminders;
mod report;
mod route;
mod sheet;
mod shift;
mod signing;
mod steps;
mod storage;
mod tasks;
mod uploads;
mod wedges;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use satchel_protocol::crypto::Secret32;
use satchel_protocol::enrol::Invite;
use satchel_protocol::ids::{AttemptId, DeviceId, Hash32};

use crate::clock::{Clock, Entropy, random};
use crate::error::{Error, Result};
use crate::evidence::log::Pen;
use crate::limits;
use crate::model::status::Enrolment;
use crate::proof::blob::BlobStore;
use crate::rules::ruleset::RuleSet;
use crate::store::attempts::AttemptRow;
use crate::store::ballast::Ballast;
use crate::store::db::Db;
use crate::store::device_keys;
use crate::store::leases;
use crate::store::phone::{self, Identity, Stage};
use crate::store::proofs;
use crate::store::row::is_of_one_row;
use crate::sync::engine::{Engine, Lane};
use crate::sync::pace::Pace;

pub(crate) use export::Writing;
pub(crate) use keys::Keys;
pub use lease::remove_store;

pub(crate) const BLOB_FOLDER: &str = "blobs";

/// Where the store is and how it is opened.
#[derive(Debug, Clone)]
pub struct OpenConfig {
    /// A folder of the app's own; created if it is not there. One instance at a time.
    pub dir: PathBuf,
    /// Raw 256-bit key, unsealed by the host from its keystore. Never a passphrase.
    pub key: Secret32,
}

/// What the core takes from outside.
#[derive(Clone)]
pub struct Environment {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// The phone of one courier. See the [crate documentation](crate).
pub struct Courier {
    db: Db,
    blobs: BlobStore,
    quota_bytes: AtomicU64,
    ballast: Ballast,
    env: Environment,
    drafts: Mutex<HashMap<AttemptId, AttemptRow>>,
    signed: Mutex<signing::Signed>,
    looked_at: Mutex<Option<signing::LookedAt>>,
    engine: Mutex<Engine>,
    keys: Mutex<Option<Keys>>,
    rules: Mutex<Arc<RuleSet>>,
    standing: Mutex<lease::Standing>,
    asked: Mutex<policy::Asked>,
    /// A delivery is to be erased, or the trace of one that was; spares every answer a look into the store.
    erasures_wait: AtomicBool,
    /// When the files of lost photos are looked for again, boot-time milliseconds.
    lost_look_ms: AtomicI64,
    /// The folder of photos was away, as far as is known; spares each request a look into the store.
    folder_was_away: AtomicBool,
    /// When it was last looked whether stops are past, boot-time milliseconds.
    past_looked_ms: AtomicI64,
    /// Something was recorded while the next request was chosen.
    noted: AtomicBool,
}

impl Courier {
    /// Opens the store in `config.dir`, or creates it.
    ///
    /// # Errors
    /// [`crate::StoreError`]: a wrong key, a foreign, damaged or newer file, a full disk or a second instance.
    /// None of them deletes anything.
    pub fn open(config: OpenConfig, env: Environment) -> Result<Self> {
        let db = Db::open(&config.dir, config.key)?;
        let blobs = BlobStore::open(&config.dir.join(BLOB_FOLDER))?;
        let ballast = Ballast::open(&config.dir);
        let pace = Pace::after(db.read(phone::first_batch_bytes)?);
        let mut courier = Self {
            db,
            blobs,
            quota_bytes: AtomicU64::new(limits::PHOTO_QUOTA_BYTES),
            ballast,
            env,
            drafts: Mutex::default(),
            signed: Mutex::default(),
            looked_at: Mutex::default(),
            engine: Mutex::new(Engine::at(pace)),
            keys: Mutex::default(),
            rules: Mutex::new(Arc::new(RuleSet::built_in())),
            standing: Mutex::default(),
            asked: Mutex::default(),
            erasures_wait: AtomicBool::new(true),
            lost_look_ms: AtomicI64::new(i64::MIN),
            folder_was_away: AtomicBool::new(true),
            past_looked_ms: AtomicI64::new(i64::MIN),
            noted: AtomicBool::new(false),
        };
        courier.load()?;
        courier.sweep()?;
        courier.tidy();
        Ok(courier)
    }

    /// Removes blob files that no proof names: what a kill left between the file and its row.
    fn sweep(&mut self) -> Result<()> {
        let (mut unnamed, is_any_unfinished) = self.blobs.names()?;
        let named = match unnamed.is_empty() {
            true => Ok(()),
            false => self.db.read(|conn| {
                proofs::blob_keys(conn, |key, hash| {
                    unnamed.remove(&BlobStore::file_name(&key, &hash.0));
                    !unnamed.is_empty()
                })
            }),
        };
        match named {
            // Nobody knows any more which file is that row's, so each may be.
            Err(error) if is_of_one_row(&error) => {
                tracing::error!(%error, "files without a row are not looked for");
                return Ok(());
            }
            other => other?,
        }
        if is_any_unfinished || !unnamed.is_empty() {
            self.blobs.sweep_orphans(|name| !unnamed.contains(name))?;
        }
        Ok(())
    }

    /// What may fail without harm: abandoned photos go, ballast grows back.
    fn tidy(&self) {
        if let Err(error) = self.sweep_abandoned() {
            tracing::warn!(%error, "abandoned photos are still here");
        }
        self.look_for_folder();
        self.try_erasures();
        self.renew_log_key();
        self.ballast.grow();
    }

    /// Takes the invite the dispatcher showed. The enrolment itself is the next task. `label` is what
    /// the courier calls this phone.
    ///
    /// # Errors
    /// [`Error::InvalidInvite`] for any other text, [`Error::InvalidInput`] for an empty or overlong
    /// label, [`Error::AlreadyEnrolled`] once enrolled.
    pub fn enrol(&self, invite: &str, label: &str) -> Result<()> {
        let invite = Invite::parse(invite).map_err(|_| Error::InvalidInvite)?;
        let label = label.trim();
        let fits = !label.is_empty()
            && label.chars().count() <= limits::MAX_NAME_CHARS
            && !label.contains(char::is_control);
        if !fits {
            return Err(Error::InvalidInput { what: "label" });
        }
        let entropy = &*self.env.entropy;
        let mut identity = Identity {
            stage: Stage::Pending,
            device: DeviceId::from_parts(self.env.clock.wall_ms(), random(entropy)?),
            log_key: Secret32::new(random(entropy)?),
            label: label.to_owned(),
            hub_url: invite.hub_url.trim_end_matches('/').to_owned(),
            hub_key: Hash32(invite.hub_key),
            invite_code: invite.code,
            courier_name: None,
        };
        self.db.write(|tx| {
            if let Some(known) = phone::identity(tx)? {
                if known.stage == Stage::Enrolled {
                    return Err(Error::AlreadyEnrolled);
                }
                // The hub may have taken the first request and only its answer was lost: then the
                // code belongs to that identity, and scanning it again must not make another.
                if known.invite_code == identity.invite_code && known.hub_key == identity.hub_key {
                    identity.device = known.device;
                    identity.log_key = known.log_key;
                    return phone::save_pending(tx, &identity);
                }
            }
            // What the hardware said, it said of another code and key.
            device_keys::set_hardware_sig(tx, None)?;
            leases::set_pins(tx, invite.pins.as_deref().unwrap_or_default(), 0)?;
            phone::save_pending(tx, &identity)
        })?;
        self.engine().succeeded(Lane::Enrol);
        self.load()
    }

    /// Whether this phone belongs to a hub.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn enrolment(&self) -> Result<Enrolment> {
        Ok(match &*self.keys() {
            None => Enrolment::None,
            Some(keys) => match keys.stage {
                Stage::None => Enrolment::None,
                Stage::Pending => Enrolment::Pending,
                Stage::Refused => Enrolment::Refused,
                Stage::Enrolled => Enrolment::Enrolled {
                    device_id: keys.device,
                    courier_name: keys.courier_name.clone().unwrap_or_default(),
                },
            },
        })
    }

    /// Changes the key of the store: every page is encrypted anew before this returns. The host keeps both
    /// keys until then; if the app is killed in between, `open` says which of them it is by
    /// [`crate::StoreError::WrongKey`].
    ///
    /// # Errors
    /// Those of the store; on a full disk the old key stays.
    pub fn rekey(&self, key: Secret32) -> Result<()> {
        self.seal_next(&key)?;
        let changed = self.db.rekey(key);
        // Whichever key it is now lies sealed alone; a store that is not open any more sees to it when it is.
        self.load_policy().ok();
        changed
    }

    /// Waits for calls that are running, then closes every file and drops every lock until
    /// [`Courier::resume`]. Call it when the system is about to suspend the app; other calls then give
    /// [`Error::Paused`].
    pub fn pause(&self) {
        if let Err(error) = self.note_time() {
            tracing::warn!(%error, "the time was not written down");
        }
        self.db.pause();
    }

    /// Opens the files again.
    ///
    /// # Errors
    /// Those of [`Courier::open`]; [`Error::Closed`] after [`Courier::shutdown`].
    pub fn resume(&self) -> Result<()> {
        self.db.resume()?;
        // A call that was cut off by the pause may have stored more than it could read back.
        self.load()?;
        self.tidy();
        self.engine().want_feed();
        Ok(())
    }

    /// Closes for good; the folder may then be opened again. Everything acknowledged is already on disk.
    pub fn shutdown(&self) {
        self.db.close();
    }

    /// Reads who this phone is, and what was left unfinished.
    pub(crate) fn load(&self) -> Result<()> {
        self.load_keys()?;
        self.load_lease()?;
        self.load_policy()?;
        self.load_rules()
    }

    /// Reads who this phone is and which keys it has.
    pub(crate) fn load_keys(&self) -> Result<()> {
        let (identity, others) = self
            .db
            .read(|conn| Ok((phone::identity(conn)?, device_keys::other_keys(conn)?)))?;
        let keys = identity.map(|identity| Keys::from_stored(identity, others));
        *self.keys() = keys.transpose()?;
        Ok(())
    }

    pub(crate) fn keys(&self) -> MutexGuard<'_, Option<Keys>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn engine(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drafts(&self) -> MutexGuard<'_, HashMap<AttemptId, AttemptRow>> {
        self.drafts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys of an enrolled phone.
    pub(crate) fn enrolled(&self) -> Result<Keys> {
        self.keys()
            .as_ref()
            .filter(|keys| keys.stage == Stage::Enrolled)
            .cloned()
            .ok_or(Error::NotEnrolled)
    }

    pub(crate) fn pen<'a>(&'a self, keys: &'a Keys) -> Pen<'a> {
        Pen {
            device: keys.device,
            key: &keys.log_key,
            changed_seq: keys.changed_seq,
            clock: &*self.env.clock,
            entropy: &*self.env.entropy,
        }
    }
}
