//! What the hub orders one phone: how long it may open personal data, which keys to expect in
//! TLS, and that it is to destroy everything.
//!
//! Orders ride in feed pages, which nobody signs, so each is signed by itself and names its device. A phone takes
//! an order only from the hub of its invite, and a lease only if it is newer than the one it has: what was
//! recorded on the way and played again says nothing.

use ed25519_dalek::{SigningKey, VerifyingKey};
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::codec::{self, FormatError};
use crate::crypto;
use crate::ids::{DeviceId, Hash32, Sig64};

const ORDER_DOMAIN: &[u8] = b"satchel-order/1\0";
const MAX_ORDER_BYTES: usize = 512;
/// More orders than a page ever has.
pub const MAX_ORDERS: usize = 8;

/// What is ordered.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Command {
    /// Personal data may be opened, and work begun, for so long after the order was issued.
    #[n(1)]
    Lease {
        /// Milliseconds; `None`: without end, for a hub that gives no leases any more.
        #[n(0)]
        good_for_ms: Option<i64>,
    },
    /// The key of the store is to be destroyed, and the store after it.
    #[n(2)]
    Wipe,
    /// These are the keys that the hub's address proves itself with in TLS from now on: those in use, and those that
    /// are to follow. None: whatever the phone's system trusts.
    #[n(3)]
    Pins {
        /// SHA-256 of each key's `SubjectPublicKeyInfo`, at most [`crate::enrol::MAX_PINS`].
        #[n(0)]
        pins: Vec<Hash32>,
    },
    /// What holds for the keys and the release of every phone of this hub. Its time of issue is when the operator
    /// said so: the newest stands.
    #[n(4)]
    Policy(#[n(0)] Policy),
}

/// What an operator asks of all phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct Policy {
    /// The public half of the key to which phones seal the keys of their stores; `None`: to none.
    #[n(0)]
    pub recovery_key: Option<Hash32>,
    /// A log key is changed when it has been in use for so many days; `None`: [`LOG_KEY_DAYS`].
    #[n(1)]
    pub log_key_days: Option<u16>,
    /// Older releases of the core begin no new work; what they have recorded still syncs.
    #[n(2)]
    pub least_release: Option<Release>,
}

/// Age of a log key at which it is changed, where the hub says nothing else.
pub const LOG_KEY_DAYS: u16 = 30;

/// A release of the core, ordered as releases are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct Release {
    /// First number.
    #[n(0)]
    pub major: u16,
    /// Second number.
    #[n(1)]
    pub minor: u16,
    /// Third number.
    #[n(2)]
    pub patch: u16,
}

/// A text that names no release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a release is three numbers, like 0.2.0")]
pub struct NotARelease;

impl core::str::FromStr for Release {
    type Err = NotARelease;

    fn from_str(text: &str) -> Result<Self, NotARelease> {
        let mut parts = text
            .split('.')
            .map(|part| part.parse().map_err(|_| NotARelease));
        let mut next = || parts.next().unwrap_or(Err(NotARelease));
        let release = Self {
            major: next()?,
            minor: next()?,
            patch: next()?,
        };
        match parts.next() {
            None => Ok(release),
            Some(_) => Err(NotARelease),
        }
    }
}

impl core::fmt::Display for Release {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// An order to one device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Order {
    /// 1.
    #[n(0)]
    pub version: u8,
    /// Who is to obey.
    #[n(1)]
    pub device: DeviceId,
    /// The hub's clock at issue, Unix milliseconds.
    #[n(2)]
    pub issued_at_ms: i64,
    /// What.
    #[n(3)]
    pub command: Command,
}

/// An order as sent: exact bytes and the hub's signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SignedOrder {
    /// The encoded [`Order`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// Ed25519 by the hub.
    #[n(1)]
    pub sig: Sig64,
}

/// Why an order is not obeyed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OrderError {
    /// Not the format.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// Not signed by the hub this phone enrolled at.
    #[error("an order is not signed by this hub")]
    BadSignature,
    /// For another phone.
    #[error("an order names another device")]
    OtherDevice,
}

impl Order {
    /// Signs the order.
    #[must_use]
    pub fn sign(&self, hub: &SigningKey) -> SignedOrder {
        let bytes = codec::encode(self);
        let sig = crypto::sign(hub, ORDER_DOMAIN, &bytes);
        SignedOrder { bytes, sig }
    }
}

impl SignedOrder {
    /// The bytes to send.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads an order of `hub` to `device`.
    ///
    /// # Errors
    /// [`OrderError`]; the caller must then change no state.
    pub fn read(bytes: &[u8], hub: &VerifyingKey, device: DeviceId) -> Result<Order, OrderError> {
        let signed: Self = codec::decode("order", bytes, MAX_ORDER_BYTES)?;
        if !crypto::verify(hub, ORDER_DOMAIN, &signed.bytes, &signed.sig) {
            return Err(OrderError::BadSignature);
        }
        let order: Order = codec::decode("order", &signed.bytes, MAX_ORDER_BYTES)?;
        if order.version != 1 {
            return Err(FormatError::UnknownVersion {
                what: "order",
                version: u32::from(order.version),
            }
            .into());
        }
        match order.device == device {
            true => Ok(order),
            false => Err(OrderError::OtherDevice),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_order_counts_only_whole_from_this_hub_and_for_this_device() {
        let (hub, other) = (
            SigningKey::from_bytes(&[1; 32]),
            SigningKey::from_bytes(&[2; 32]),
        );
        let (mine, theirs) = (DeviceId(Uuid::from_u128(1)), DeviceId(Uuid::from_u128(2)));
        for command in [
            Command::Wipe,
            Command::Lease {
                good_for_ms: Some(5),
            },
            Command::Lease { good_for_ms: None },
            Command::Pins {
                pins: vec![Hash32([3; 32])],
            },
            Command::Policy(Policy::default()),
            Command::Policy(Policy {
                recovery_key: Some(Hash32([4; 32])),
                log_key_days: Some(90),
                least_release: "1.20.3".parse().ok(),
            }),
        ] {
            let order = Order {
                version: 1,
                device: mine,
                issued_at_ms: 7,
                command,
            };
            let bytes = order.sign(&hub).encode();
            let read = |bytes: &[u8], hub: &SigningKey, device| {
                SignedOrder::read(bytes, &hub.verifying_key(), device)
            };
            assert_eq!(read(&bytes, &hub, mine), Ok(order));
            assert_eq!(read(&bytes, &other, mine), Err(OrderError::BadSignature));
            assert_eq!(read(&bytes, &hub, theirs), Err(OrderError::OtherDevice));
            for bit in 0..bytes.len() * 8 {
                let mut bad = bytes.clone();
                bad[bit / 8] ^= 1 << (bit % 8);
                assert!(read(&bad, &hub, mine).is_err(), "bit {bit}");
            }
            assert!(read(&bytes[..bytes.len() - 1], &hub, mine).is_err());
        }
    }

    #[test]
    fn releases_are_ordered_by_number_and_not_by_letter() {
        let release = |text: &str| text.parse::<Release>();
        assert!(release("0.10.0").unwrap() > release("0.9.12").unwrap());
        assert_eq!(release("1.2.3").unwrap().to_string(), "1.2.3");
        for bad in ["", "1", "1.2", "1.2.3.4", "1.2.x", "-1.2.3", "1.2.70000"] {
            assert_eq!(release(bad), Err(NotARelease), "{bad}");
        }
    }
}
