//! The proof that a device has two histories, as files anybody can check (threat 7).

use satchel_protocol::contradiction::{self, Contradiction, DeviceFork};
use satchel_protocol::entry::Header;
use satchel_protocol::ids::{DeviceId, Hash32};

use crate::error::HubError;
use crate::hub::Hub;
use crate::store::{device_keys, entries};

impl Hub {
    /// One file for each entry that was set aside because this device had signed another history: both
    /// signatures side by side, and nobody's content.
    ///
    /// # Errors
    /// [`HubError::UnknownDevice`]; those of the database.
    pub async fn fork_proofs(&self, device: DeviceId) -> Result<Vec<String>, HubError> {
        let mut tx = self.db().read().begin().await?;
        let certificate: Vec<u8> =
            sqlx::query_scalar("SELECT certificate FROM device WHERE device_id = ?")
                .bind(&device.as_bytes()[..])
                .fetch_optional(&mut *tx)
                .await?
                .ok_or(HubError::UnknownDevice(device))?;
        let aside = sqlx::query(
            "SELECT header, sig, salt, body FROM entry_conflict WHERE device_id = ? AND reason = 'fork' \
             ORDER BY conflict_id",
        )
        .bind(&device.as_bytes()[..])
        .fetch_all(&mut *tx)
        .await?;
        let hub_key = Hash32(self.public_key().to_bytes());
        let mut files = Vec::new();
        for row in &aside {
            let second = entries::signed(row, "entry_conflict")?;
            let Ok(header) = Header::decode(&second.header) else {
                continue;
            };
            // The entry held at its place, or the one before it that it does not follow.
            let held = sqlx::query(
                "SELECT header, sig, salt, body FROM entry WHERE device_id = ? AND seq IN (?, ?) \
                 ORDER BY seq DESC",
            )
            .bind(&device.as_bytes()[..])
            .bind(header.seq)
            .bind(header.seq - 1)
            .fetch_all(&mut *tx)
            .await?;
            for row in &held {
                let first = entries::signed(row, "entry")?;
                let fork = DeviceFork::of(hub_key, certificate.clone(), &first, &second);
                if let Some(fork) = fork {
                    let changes = device_keys::rotations(&mut tx, device, header.seq).await?;
                    let fork = fork.after_rotations(changes);
                    files.push(contradiction::pack(&Contradiction::Device(Box::new(fork))));
                    break;
                }
            }
        }
        Ok(files)
    }
}
