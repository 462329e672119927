//! The hub as a value: opened on a data directory, served on a listener, closed when told.
//!
//! Everything the hub needs from outside (clock, randomness, address, directory) comes in through
//! [`HubConfig`], so that the demo and the tests run the very server that operators run.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::VerifyingKey;
use satchel_protocol::ids::Hash32;
use tokio::net::TcpListener;

use crate::api::room::Room;
use crate::bell::{self, Bell};
use crate::blobs::BlobStore;
use crate::clock::{Clock, SystemClock};
use crate::db::Db;
use crate::entropy::{Entropy, OsEntropy, draw};
use crate::error::HubError;
use crate::files;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::rating::desk::Desk;
use crate::ready::Ready;
use crate::serving::{self, Bounds};
use crate::store::proofs;
use crate::tlog::{self, Witness};
use crate::uploads::Uploads;
use crate::visitor::Limits;

/// How often expired uploads, nonces and sessions are cleared away.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// How often ratings that came with the QR alone are judged: well before anybody sums them up.
const REVIEW_EVERY: Duration = Duration::from_secs(5 * 60);
/// How often the transparency log is signed for the public, if it has grown.
const PUBLISH_EVERY: Duration = Duration::from_secs(60);
/// How long running requests may take once the hub is told to stop.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// A code that lies around is a code that leaks (security notes §4).
const INVITE_TTL_MS: i64 = 10 * 60 * 1_000;
/// Held while a hub is opened.
const LOCK_FILE: &str = "hub.lock";
/// China has one time zone.
const CHINA_UTC_OFFSET_MIN: i32 = 8 * 60;

/// What a hub is opened with.
#[derive(Debug, Clone)]
pub struct HubConfig {
    /// Holds the database, the key file, proofs and saved mappings. Made if missing.
    pub data_dir: PathBuf,
    /// The address phones and customers use, without a path. Request signatures cover it.
    pub public_url: String,
    /// The hub's time.
    pub clock: Arc<dyn Clock>,
    /// The hub's randomness.
    pub entropy: Arc<dyn Entropy>,
    /// How long an invite can be used.
    pub invite_ttl_ms: i64,
    /// Offset of the times on the board from UTC, minutes.
    pub utc_offset_min: i32,
    /// Whom a customer can turn to, as shown on the complaint page: a telephone number or an address.
    pub complaint_contact: Option<String>,
    /// Programs of others that cosign the transparency log.
    pub witnesses: Vec<Witness>,
    /// An RFC 3161 timestamp authority for its checkpoints.
    pub timestamp_url: Option<String>,
    /// Enrol only phones whose log key is certified by a key in their hardware.
    pub require_hardware_key: bool,
    /// How long a phone may open personal data without hearing from the hub, milliseconds; `None`: for ever.
    pub lease_ms: Option<i64>,
    /// A reverse proxy of ours stands in front and writes `X-Forwarded-For`.
    pub behind_proxy: bool,
}

impl HubConfig {
    /// The machine's clock and randomness, and the usual times.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>, public_url: impl Into<String>) -> Self {
        Self {
            data_dir: data_dir.into(),
            public_url: public_url.into(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            invite_ttl_ms: INVITE_TTL_MS,
            utc_offset_min: CHINA_UTC_OFFSET_MIN,
            complaint_contact: None,
            witnesses: Vec::new(),
            timestamp_url: None,
            require_hardware_key: false,
            lease_ms: None,
            behind_proxy: false,
        }
    }
}

/// A running hub. Cheap to clone; all clones are the same hub.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    config: HubConfig,
    db: Db,
    keys: Keys,
    blobs: BlobStore,
    uploads: Uploads,
    metrics: Metrics,
    desk: Desk,
    limits: Limits,
    bell: Bell,
    room: Room,
    ready: Ready,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("public_url", &self.0.config.public_url)
            .finish_non_exhaustive()
    }
}

impl Hub {
    /// Opens or creates the hub of a data directory.
    ///
    /// # Errors
    /// [`HubError`] when the directory, the key file or the database cannot be used; an existing
    /// file that is damaged, foreign or newer is left as it is.
    pub async fn open(mut config: HubConfig) -> Result<Self, HubError> {
        config.public_url = clean_url(&config.public_url)?;
        files::private_dir(&config.data_dir)?;
        // A server and a command that begin at the same moment would each make the keys and the tables.
        let alone = files::alone(config.data_dir.join(LOCK_FILE)).await?;
        let keys = Keys::load_or_create(&config.data_dir, config.entropy.as_ref())?;
        let db = Db::open(&config.data_dir).await?;
        let blobs = BlobStore::open(&config.data_dir)?;
        let hub = Self(Arc::new(Inner {
            config,
            db,
            keys,
            blobs,
            uploads: Uploads::default(),
            metrics: Metrics::default(),
            desk: Desk::default(),
            limits: Limits::default(),
            bell: Bell::default(),
            room: Room::default(),
            ready: Ready::default(),
        }));
        tlog::begin_if_none(&hub).await?;
        drop(alone);
        Ok(hub)
    }

    /// All routes: the device API, the customer's pages and the board.
    pub fn router(&self) -> axum::Router {
        crate::api::router(self)
    }

    /// Serves until `shutdown` completes, lets running requests finish and closes the database.
    ///
    /// # Errors
    /// [`HubError`] when what is due at the start cannot be done.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), HubError> {
        self.sweep().await?;
        let joined = self.retry_open_positions().await?;
        if joined > 0 {
            tracing::info!(joined, "entries that stood open can be read now");
        }
        let sweeper = tokio::spawn({
            let hub = self.clone();
            async move {
                let mut ticks = tokio::time::interval(SWEEP_EVERY);
                ticks.tick().await;
                loop {
                    ticks.tick().await;
                    if let Err(error) = hub.sweep().await {
                        tracing::warn!(%error, "sweep failed");
                    }
                }
            }
        });
        let reviewer = tokio::spawn({
            let hub = self.clone();
            async move {
                let mut ticks = tokio::time::interval(REVIEW_EVERY);
                loop {
                    ticks.tick().await;
                    if let Err(error) = hub.review_ratings().await {
                        tracing::warn!(%error, "review of ratings failed");
                    }
                    if let Err(error) = hub.review_manifest().await {
                        tracing::warn!(%error, "review of what was given out failed");
                    }
                    if let Err(error) = hub.look_for_doubts().await {
                        tracing::warn!(%error, "looking for doubts failed");
                    }
                }
            }
        });
        let publisher = tokio::spawn({
            let hub = self.clone();
            async move {
                let mut ticks = tokio::time::interval(PUBLISH_EVERY);
                loop {
                    ticks.tick().await;
                    if let Err(error) = hub.publish_checkpoint().await {
                        tracing::warn!(%error, "publishing a checkpoint failed");
                    }
                }
            }
        });
        let ringer = tokio::spawn(bell::watch(self.clone()));
        let (told, stopping) = tokio::sync::oneshot::channel();
        let graceful = async move {
            shutdown.await;
            // The receiver outlives the server; nothing is lost if it does not.
            let _ = told.send(());
        };
        let server = serving::serve(listener, self.router(), Bounds::default(), graceful);
        let out_of_patience = async {
            match stopping.await {
                Ok(()) => tokio::time::sleep(SHUTDOWN_GRACE).await,
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = server => {}
            // A phone in a dead spot holds its connection; what it was sending it will send again.
            () = out_of_patience => {}
        }
        sweeper.abort();
        reviewer.abort();
        publisher.abort();
        ringer.abort();
        self.close().await;
        Ok(())
    }

    /// Closes the database. Only needed where [`Hub::serve`] was not used.
    pub async fn close(&self) {
        self.0.db.close().await;
    }

    /// The hub's public key: what phones check receipts with.
    #[must_use]
    pub fn public_key(&self) -> VerifyingKey {
        self.0.keys.public()
    }

    /// The address phones and customers use, without a slash at the end.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.0.config.public_url
    }

    /// The hub's time, Unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.0.config.clock.now_ms()
    }

    /// The data directory.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.0.config.data_dir
    }

    pub(crate) fn config(&self) -> &HubConfig {
        &self.0.config
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    pub(crate) fn blobs(&self) -> &BlobStore {
        &self.0.blobs
    }

    pub(crate) fn uploads(&self) -> &Uploads {
        &self.0.uploads
    }

    pub(crate) fn ready(&self) -> &Ready {
        &self.0.ready
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.0.desk
    }

    pub(crate) fn bell(&self) -> &Bell {
        &self.0.bell
    }

    /// Room for the bodies that are read at one time.
    pub(crate) fn room(&self) -> &Room {
        &self.0.room
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The bytes of a held proof, wherever it is kept.
    pub(crate) async fn proof_bytes(&self, hash: &Hash32) -> Result<Vec<u8>, HubError> {
        match proofs::small(self.0.db.read(), hash).await? {
            Some(bytes) => Ok(bytes),
            None => self.0.blobs.read(hash).await,
        }
    }

    pub(crate) fn draw<const N: usize>(&self) -> Result<[u8; N], HubError> {
        draw(self.0.config.entropy.as_ref())
    }
}

/// `https://host[:port]`, nothing behind it: the signed target URI is this plus path and query.
fn clean_url(url: &str) -> Result<String, HubError> {
    let url = url.trim().trim_end_matches('/');
    let authority = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .ok_or(HubError::BadPublicUrl)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b);
    if authority.is_empty() || authority.len() > 200 || !authority.bytes().all(plain) {
        return Err(HubError::BadPublicUrl);
    }
    Ok(url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_scheme_and_authority_only() {
        assert_eq!(
            clean_url("https://hub.example.com/").unwrap(),
            "https://hub.example.com"
        );
        assert_eq!(
            clean_url("http://127.0.0.1:8080").unwrap(),
            "http://127.0.0.1:8080"
        );
        for bad in [
            "",
            "hub.example.com",
            "ftp://x",
            "https://",
            "https://x/path",
            "https://u@x",
        ] {
            assert!(
                matches!(clean_url(bad), Err(HubError::BadPublicUrl)),
                "{bad}"
            );
        }
    }
}
