//! Letting people in: invites for couriers' phones and login links for the board.

use satchel_protocol::crypto;
use satchel_protocol::enrol::Invite;
use satchel_protocol::ids::{CourierId, DeviceId, Hash32};
use satchel_protocol::token::base32;

use crate::api::enrol::code_hash;
use crate::db::Tx;
use crate::error::HubError;
use crate::hub::Hub;
use crate::publish;
use crate::store::{couriers, orders, sessions};

const LOGIN_DOMAIN: &[u8] = b"satchel-login/1\0";
const MAX_NAME_CHARS: usize = 100;

/// How login and session tokens are stored.
pub(crate) fn token_hash(token: &str) -> Hash32 {
    crypto::sha256(&[LOGIN_DOMAIN, token.as_bytes()])
}

impl Hub {
    /// Makes a one-time invite for a courier's phone; a new name makes a new courier. The returned
    /// text (see [`Invite::to_text`]) is a secret until it is used.
    ///
    /// # Errors
    /// [`HubError::BadName`] for an unfit name.
    pub async fn invite(&self, courier_name: &str) -> Result<Invite, HubError> {
        let code: [u8; 16] = self.draw()?;
        let now_ms = self.now_ms();
        let expires_at_ms = now_ms.saturating_add(self.config().invite_ttl_ms);
        let mut tx = self.db().write().await?;
        let courier = self.courier_in(&mut tx, courier_name).await?;
        couriers::add_invite(&mut tx, &code_hash(&code), courier, now_ms, expires_at_ms).await?;
        let pins = orders::pins(&mut tx).await?;
        tx.commit().await?;
        Ok(Invite {
            version: 1,
            hub_url: self.public_url().to_owned(),
            code,
            hub_key: self.public_key().to_bytes(),
            pins: pins.filter(|pins| !pins.is_empty()),
        })
    }

    /// Makes a link that opens the board once, within `ttl_ms`.
    ///
    /// # Errors
    /// [`HubError`] when it cannot be stored.
    pub async fn login_link(&self, ttl_ms: i64) -> Result<String, HubError> {
        let token = base32(&self.draw::<20>()?);
        let mut tx = self.db().write().await?;
        let expires_at_ms = self.now_ms().saturating_add(ttl_ms);
        sessions::add_link(&mut tx, &token_hash(&token), expires_at_ms).await?;
        tx.commit().await?;
        Ok(format!("{}/board/login/{token}", self.public_url()))
    }

    /// Lets a device whose log was set aside write again, after a person has looked at it.
    ///
    /// # Errors
    /// [`HubError::UnknownDevice`].
    pub async fn release(&self, device: DeviceId) -> Result<(), HubError> {
        let mut tx = self.db().write().await?;
        if !couriers::release(&mut tx, device, self.now_ms()).await? {
            return Err(HubError::UnknownDevice(device));
        }
        tx.commit().await?;
        tracing::info!(%device, "device log released");
        Ok(())
    }

    /// Refuses everything this device would write from now on; what is held stays valid.
    ///
    /// # Errors
    /// [`HubError::UnknownDevice`], also for one that is revoked already.
    pub async fn revoke(&self, device: DeviceId) -> Result<(), HubError> {
        let mut tx = self.db().write().await?;
        if !couriers::revoke(&mut tx, device).await? {
            return Err(HubError::UnknownDevice(device));
        }
        tx.commit().await?;
        tracing::info!(%device, "device revoked");
        Ok(())
    }

    /// The courier of this name, made if new.
    pub(crate) async fn courier_in(&self, tx: &mut Tx, name: &str) -> Result<CourierId, HubError> {
        let name = name.trim();
        if name.is_empty()
            || name.chars().count() > MAX_NAME_CHARS
            || name.contains(char::is_control)
        {
            return Err(HubError::BadName);
        }
        if let Some(known) = couriers::courier_by_name(tx, name).await? {
            return Ok(known);
        }
        let now_ms = self.now_ms();
        let id = CourierId::from_parts(now_ms, self.draw()?);
        couriers::add_courier(tx, id, name, now_ms).await?;
        publish::welcome(tx, id, now_ms).await?;
        Ok(id)
    }
}
