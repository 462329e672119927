//! The hub's two secrets: its signing key and the master of all rating keys.
//!
//! They live in one file beside the database and not in it: a copied or leaked database then forges no
//! receipt and mints no rating, and the file can be put under another owner, disk or backup than the
//! rows. It is written once with mode 0600 and never overwritten.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use data_encoding::HEXLOWER;
use ed25519_dalek::{SigningKey, VerifyingKey};
use satchel_protocol::crypto::{self, Secret32};
use satchel_protocol::ids::KeyId;
use zeroize::Zeroizing;

use crate::entropy::{Entropy, draw};
use crate::error::HubError;

const HEADING: &str = "satchel hub keys 1";
const FILE_NAME: &str = "hub.keys";
/// Heading and two lines of hex fit; anything longer is not our file.
const MAX_FILE_BYTES: u64 = 512;

/// The loaded secrets. Deliberately not printable.
pub(crate) struct Keys {
    /// Signs receipts, certificates and times.
    pub(crate) signing: SigningKey,
    /// Master of the per-delivery rating keys.
    pub(crate) rating_master: Secret32,
    /// Short name of the public half.
    pub(crate) id: KeyId,
}

impl Keys {
    /// Reads the key file of `dir`, or makes it on the first start.
    pub(crate) fn load_or_create(dir: &Path, entropy: &dyn Entropy) -> Result<Self, HubError> {
        let path = dir.join(FILE_NAME);
        match File::open(&path) {
            Ok(file) => Self::read(file),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Self::create(dir, &path, entropy),
            Err(e) => Err(HubError::io("open key file")(e)),
        }
    }

    pub(crate) fn public(&self) -> VerifyingKey {
        self.signing.verifying_key()
    }

    fn read(file: File) -> Result<Self, HubError> {
        let mut text = Zeroizing::new(String::new());
        file.take(MAX_FILE_BYTES)
            .read_to_string(&mut text)
            .map_err(|_| HubError::DamagedKeyFile)?;
        let mut lines = text.lines();
        let heading = lines.next() == Some(HEADING);
        let mut secret = || {
            let bytes = Zeroizing::new(HEXLOWER.decode(lines.next()?.as_bytes()).ok()?);
            <[u8; 32]>::try_from(bytes.as_slice()).ok()
        };
        match (heading, secret(), secret()) {
            (true, Some(signing), Some(rating)) => Ok(Self::from_bytes(&signing, rating)),
            _ => Err(HubError::DamagedKeyFile),
        }
    }

    fn create(dir: &Path, path: &Path, entropy: &dyn Entropy) -> Result<Self, HubError> {
        let signing = Zeroizing::new(draw::<32>(entropy)?);
        let rating = draw::<32>(entropy)?;
        let text = Zeroizing::new(format!(
            "{HEADING}\n{}\n{}\n",
            HEXLOWER.encode(&*signing),
            HEXLOWER.encode(&rating)
        ));
        // Under another name first: a crash half-way must not leave a half key file behind.
        let fresh = dir.join("hub.keys.new");
        let _ = std::fs::remove_file(&fresh);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options
            .open(&fresh)
            .map_err(HubError::io("create key file"))?;
        file.write_all(text.as_bytes())
            .map_err(HubError::io("write key file"))?;
        file.sync_all().map_err(HubError::io("write key file"))?;
        std::fs::rename(&fresh, path).map_err(HubError::io("place key file"))?;
        crate::files::sync_dir(dir)?;
        Ok(Self::from_bytes(&signing, rating))
    }

    fn from_bytes(signing: &[u8; 32], rating: [u8; 32]) -> Self {
        let signing = SigningKey::from_bytes(signing);
        let id = crypto::key_id(&signing.verifying_key());
        Self {
            signing,
            rating_master: Secret32::new(rating),
            id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn keys_stay_the_same_and_a_damaged_file_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let first = Keys::load_or_create(dir.path(), &SeededEntropy::new(1)).unwrap();
        let again = Keys::load_or_create(dir.path(), &SeededEntropy::new(2)).unwrap();
        assert_eq!(first.id, again.id);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(dir.path().join(FILE_NAME))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(dir.path().join(FILE_NAME), "short").unwrap();
        assert!(matches!(
            Keys::load_or_create(dir.path(), &SeededEntropy::new(3)),
            Err(HubError::DamagedKeyFile)
        ));
        assert_eq!(std::fs::read(dir.path().join(FILE_NAME)).unwrap(), b"short");
    }
}
