//! How a store is opened, and the clock the core reads.

use satchel_core::OpenConfig;
use satchel_core::clock::{Clock, SystemClock};
use satchel_core::protocol::crypto::Secret32;
use satchel_core::protocol::ids::BootId;
use zeroize::Zeroizing;

use crate::error::SatchelError;

/// Zones lie between 12 hours behind and 14 hours ahead of UTC.
const UTC_OFFSETS_MIN: std::ops::RangeInclusive<i16> = -720..=840;

/// Where the store is and how it is opened.
#[derive(Clone, uniffi::Record)]
pub struct SatchelConfig {
    /// A folder of the app's own, not backed up to a cloud; created if it is not there. One open
    /// instance at a time.
    pub directory: String,
    /// The store's key: exactly 32 random bytes, kept in the platform's keystore. Never a passphrase.
    /// Overwrite the array after the call.
    pub key: Vec<u8>,
    /// Names the run of the device since its last start, a UUID. iOS: `kern.bootsessionuuid`. Where it
    /// is `null`, the kernel is asked (Android, Linux); where that has none, each start of the app
    /// counts as one.
    #[uniffi(default = None)]
    pub boot_id: Option<String>,
    /// Minutes the local time is ahead of UTC; `null`: as the system says.
    #[uniffi(default = None)]
    pub utc_offset_min: Option<i16>,
}

/// The key must not reach a log.
impl std::fmt::Debug for SatchelConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SatchelConfig")
            .field("boot_id", &self.boot_id)
            .field("utc_offset_min", &self.utc_offset_min)
            .finish_non_exhaustive()
    }
}

impl SatchelConfig {
    /// Checks every value and splits the configuration into what the core takes.
    pub(crate) fn into_parts(self) -> Result<(OpenConfig, HostClock), SatchelError> {
        let key = store_key(self.key)?;
        if self.directory.is_empty() {
            return Err(SatchelError::invalid("directory"));
        }
        let clock = HostClock::new(self.boot_id.as_deref(), self.utc_offset_min)?;
        let config = OpenConfig {
            dir: self.directory.into(),
            key,
        };
        Ok((config, clock))
    }
}

/// The 32 bytes a host gives as a key.
pub(crate) fn store_key(bytes: Vec<u8>) -> Result<Secret32, SatchelError> {
    let bytes = Zeroizing::new(bytes);
    Secret32::try_from(bytes.as_slice()).map_err(|_| SatchelError::invalid("key"))
}

/// The device's clocks, with what the host knows better than they.
#[derive(Debug, Clone)]
pub struct HostClock {
    device: SystemClock,
    utc_offset_min: Option<i16>,
}

impl HostClock {
    /// Takes the host's boot id and offset where it gives them.
    ///
    /// # Errors
    /// [`SatchelError::InvalidInput`] for a boot id that is no UUID or an offset no zone has.
    pub fn new(boot_id: Option<&str>, utc_offset_min: Option<i16>) -> Result<Self, SatchelError> {
        if utc_offset_min.is_some_and(|offset| !UTC_OFFSETS_MIN.contains(&offset)) {
            return Err(SatchelError::invalid("utc_offset_min"));
        }
        let device = match boot_id {
            Some(text) => SystemClock::with_boot_id(parse_boot_id(text)?),
            None => SystemClock::detect().map_err(satchel_core::Error::from)?,
        };
        Ok(Self {
            device,
            utc_offset_min,
        })
    }
}

fn parse_boot_id(text: &str) -> Result<BootId, SatchelError> {
    text.trim()
        .replace('-', "")
        .to_ascii_lowercase()
        .parse()
        .map_err(|_| SatchelError::invalid("boot_id"))
}

impl Clock for HostClock {
    fn wall_ms(&self) -> i64 {
        self.device.wall_ms()
    }
    fn boottime_ns(&self) -> i64 {
        self.device.boottime_ns()
    }
    fn boot_id(&self) -> BootId {
        self.device.boot_id()
    }
    fn utc_offset_min(&self) -> i16 {
        self.utc_offset_min
            .unwrap_or_else(|| self.device.utc_offset_min())
    }
}
