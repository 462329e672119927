//! The phone's own keys: the one that signs its log, the one before it, and the one in the phone's hardware that
//! vouches for them (security notes §3.4).
//!
//! The hardware is the host's. Its public key comes in as a value; what it is to sign leaves as a [`KeyTask`],
//! as requests do. A change of keys is one transaction: until then the old key signs, from then on the new one,
//! and whoever is killed in between has one of the two.

use data_encoding::HEXLOWER;
use ed25519_dalek::{SigningKey, VerifyingKey};
use satchel_protocol::crypto::{self, Secret32};
use satchel_protocol::device_keys::{KeyStatement, Purpose};
use satchel_protocol::enrol;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::{DeviceId, Hash32, P256Key, Sig64};

use super::Courier;
use crate::clock::random;
use crate::error::{Error, Result, StoreError};
use crate::evidence::log::Fact;
use crate::store::db::Tx;
use crate::store::device_keys::{self, Hardware, OtherKeys};
use crate::store::phone::{Identity, Stage};
use crate::sync::engine::Lane;
use crate::sync::task::{KeyPurpose, KeyTask};

/// The phone's identity with its keys ready to sign.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) stage: Stage,
    pub(crate) device: DeviceId,
    /// Signs the next entry.
    pub(crate) log_key: SigningKey,
    /// Signed the entries up to `changed_seq`, if the key ever changed.
    pub(crate) before: Option<SigningKey>,
    pub(crate) changed_seq: i64,
    /// The hub knows of the last change.
    change_arrived: bool,
    next: Option<SigningKey>,
    pub(crate) hardware: Option<Hardware>,
    pub(crate) hub_key: VerifyingKey,
    pub(crate) hub_url: String,
    pub(crate) label: String,
    pub(crate) invite_code: [u8; 16],
    pub(crate) courier_name: Option<String>,
}

impl Keys {
    pub(super) fn from_stored(identity: Identity, others: OtherKeys) -> Result<Self> {
        let hub_key = VerifyingKey::from_bytes(&identity.hub_key.0)
            .map_err(|_| StoreError::BadRow("hub key"))?;
        let key = |secret: Secret32| SigningKey::from_bytes(secret.expose());
        Ok(Self {
            stage: identity.stage,
            device: identity.device,
            log_key: key(identity.log_key),
            before: others.before.map(key),
            changed_seq: others.changed_seq,
            change_arrived: others.change_arrived,
            next: others.next.map(key),
            hardware: others.hardware,
            hub_key,
            hub_url: identity.hub_url,
            label: identity.label,
            invite_code: identity.invite_code,
            courier_name: identity.courier_name,
        })
    }

    /// The key that requests are signed with: the one the hub knows. `doubted`: it refused that one, because it
    /// was set back to a backup, or because it heard of the change and its answer was lost.
    pub(crate) fn request_key(&self, doubted: bool) -> &SigningKey {
        match &self.before {
            Some(before) if self.change_arrived == doubted => before,
            _ => &self.log_key,
        }
    }

    /// The key that signed the entry at `seq`, as far back as this phone keeps keys.
    pub(crate) fn key_at(&self, seq: i64) -> &SigningKey {
        match &self.before {
            Some(before) if seq <= self.changed_seq => before,
            _ => &self.log_key,
        }
    }

    /// What the hardware is to say of the key that is being enrolled.
    pub(crate) fn statement_at_enrolment(&self, hardware: P256Key) -> KeyStatement {
        let public = self.log_key.verifying_key();
        enrol::statement_at_enrolment(&self.invite_code, self.device, &public, hardware)
    }

    /// What is to be said of the key that follows the present one.
    fn statement_at_change(&self, next: &SigningKey) -> KeyStatement {
        KeyStatement {
            version: 1,
            purpose: Purpose::Rotation,
            device: self.device,
            log_key: Hash32(next.verifying_key().to_bytes()),
            follows: Hash32(self.log_key.verifying_key().to_bytes()),
            hardware_key: self.hardware.map(|h| h.key),
        }
    }

    /// No change of keys is under way, and the last one has arrived.
    pub(super) fn change_is_free(&self) -> bool {
        self.next.is_none() && self.change_arrived
    }

    /// The enrolment waits for the hardware's signature.
    pub(super) fn waits_for_hardware(&self) -> bool {
        self.stage == Stage::Pending && self.hardware.is_some_and(|h| h.sig.is_none())
    }

    /// What the hardware is to sign now, if anything.
    fn to_sign(&self) -> Option<(KeyPurpose, KeyStatement)> {
        let hardware = self.hardware?;
        match (self.stage, &self.next) {
            (Stage::Pending, _) if self.waits_for_hardware() => {
                let statement = self.statement_at_enrolment(hardware.key);
                Some((KeyPurpose::Enrolment, statement))
            }
            (Stage::Enrolled, Some(next)) => {
                Some((KeyPurpose::Rotation, self.statement_at_change(next)))
            }
            _ => None,
        }
    }
}

/// Names a task by what is to be signed, so that an answer to an earlier one is told apart after any restart.
fn task_id(bytes: &[u8]) -> String {
    let Hash32(hash) = crypto::sha256(&[bytes]);
    HEXLOWER.encode(hash.get(..8).unwrap_or_default())
}

impl Courier {
    /// Names the P-256 key that the app keeps in its phone's hardware; before enrolling. The key as a point of
    /// SEC 1 or as `SubjectPublicKeyInfo`. What it is to sign comes from [`Courier::key_task`]; the enrolment
    /// waits for that.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for anything but a P-256 key, [`Error::AlreadyEnrolled`] once enrolled with
    /// another one or with none.
    pub fn offer_hardware_key(&self, public_key: &[u8]) -> Result<()> {
        let key = crypto::p256_key(public_key).ok_or(Error::InvalidInput {
            what: "hardware key",
        })?;
        let is_new = self.db.write(|tx| {
            let known = device_keys::other_keys(tx)?.hardware.map(|h| h.key);
            if known == Some(key) {
                return Ok(false);
            }
            if crate::store::phone::identity(tx)?.is_some_and(|i| i.stage == Stage::Enrolled) {
                return Err(Error::AlreadyEnrolled);
            }
            device_keys::set_hardware(tx, &key)?;
            Ok(true)
        })?;
        // A host offers at every start: that alone is no reason to try an enrolment before its time.
        if is_new {
            self.engine().succeeded(Lane::Enrol);
            self.load()?;
        }
        Ok(())
    }

    /// What the app's hardware key has to do now, if anything. The same task is given until it is completed.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn key_task(&self) -> Result<Option<KeyTask>> {
        if let Some(wipe) = self.wipe_task()? {
            return Ok(Some(wipe));
        }
        let Some(keys) = self.keys().clone() else {
            return Ok(None);
        };
        if keys.stage == Stage::Pending && keys.hardware.is_none() && self.engine().needs_hardware()
        {
            return Ok(Some(KeyTask::Offer));
        }
        Ok(keys.to_sign().map(|(purpose, statement)| {
            let bytes = statement.to_be_signed();
            KeyTask::Sign {
                id: task_id(&bytes),
                purpose,
                bytes,
            }
        }))
    }

    /// Takes the hardware's ECDSA signature with SHA-256, in DER or as two numbers. An id of an earlier task is
    /// harmless.
    ///
    /// # Errors
    /// [`Error::HardwareSignature`] for one that is not that key's over these bytes; the task stays.
    pub fn complete_key_task(&self, id: &str, signature: &[u8]) -> Result<()> {
        if self.finish_wipe(id)? {
            return Ok(());
        }
        let Some(keys) = self.keys().clone() else {
            return Ok(());
        };
        let Some((purpose, statement)) = keys.to_sign() else {
            return Ok(());
        };
        if task_id(&statement.to_be_signed()) != id {
            return Ok(());
        }
        let sig = crypto::p256_signature(signature)
            .filter(|sig| statement.is_signed_by_hardware(sig))
            .ok_or(Error::HardwareSignature)?;
        match purpose {
            KeyPurpose::Enrolment => {
                self.db
                    .write(|tx| device_keys::set_hardware_sig(tx, Some(&sig)))?;
                self.engine().succeeded(Lane::Enrol);
                self.load()
            }
            KeyPurpose::Rotation => self.change_key(&keys, Some(sig)),
        }
    }

    /// Changes the key of the log: a new one signs from the next entry on, certified by the one before and by the
    /// hardware key. With a hardware key the change waits for [`Courier::key_task`]. While a change has not
    /// reached the hub, no other begins: this does nothing then.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`]; those of the store.
    pub fn rotate_log_key(&self) -> Result<()> {
        self.enrolled()?;
        let fresh = Secret32::new(random(&*self.env.entropy)?);
        let begun = self.db.write(|tx| {
            let others = device_keys::other_keys(tx)?;
            let free = others.next.is_none() && others.change_arrived;
            if free {
                device_keys::set_next(tx, &fresh)?;
            }
            Ok(free || others.next.is_some())
        })?;
        self.load()?;
        let keys = self.enrolled()?;
        match keys.hardware {
            None if begun => self.change_key(&keys, None),
            _ => Ok(()),
        }
    }

    /// After the hub said what it holds of this log: whether it knows of a change of keys may be another answer
    /// than before.
    pub(super) fn settle_keys(&self, keys: &Keys) -> Result<()> {
        if keys.before.is_none() {
            return Ok(());
        }
        self.load_keys()?;
        let arrived = self.keys().as_ref().map(|k| k.change_arrived);
        if arrived != Some(keys.change_arrived) {
            self.engine().trust_key();
        }
        Ok(())
    }

    /// Signs with the old key that the new one follows, and puts it in use, in one transaction.
    fn change_key(&self, keys: &Keys, hardware_sig: Option<Sig64>) -> Result<()> {
        let Some(next) = &keys.next else {
            return Ok(());
        };
        let body = keys.statement_at_change(next).sign(next, hardware_sig);
        let fact = Fact {
            kind: EntryKind::KEY_ROTATED,
            handle: None,
            blobs: vec![],
            body: body.encode(),
            stop: None,
            occurred_at_ms: self.env.clock.wall_ms(),
        };
        self.db.write(|tx: &Tx<'_>| {
            // Another thread may have been faster; its change stands.
            let stored = device_keys::other_keys(tx)?.next;
            if stored.is_none_or(|s| s.expose() != &next.to_bytes()) {
                return Ok(());
            }
            let head = self.pen(keys).append(tx, fact)?;
            device_keys::change(tx, head.seq)
        })?;
        self.load()
    }
}
