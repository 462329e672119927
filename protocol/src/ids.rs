//! Identifiers as distinct types, so that a stop's id cannot be given where a parcel's is meant.
//!
//! Ids are UUIDs: the phone makes time-ordered ones (version 7) for what it creates, the hub derives
//! stable ones (version 5) from an imported row, so that importing a file twice changes nothing.

use core::fmt;
use core::str::FromStr;

use data_encoding::HEXLOWER;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;
use uuid::Uuid;

/// A text that is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a valid {kind} id")]
pub struct IdError {
    /// Which id was expected.
    pub kind: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The 16 bytes of the id.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// A time-ordered id (version 7) from an injected clock and injected randomness.
            #[must_use]
            pub fn from_parts(unix_ms: i64, random: [u8; 10]) -> Self {
                let ms = u64::try_from(unix_ms).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($kind, ":{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text).map(Self).map_err(|_| IdError { kind: $kind })
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), encode::Error<W::Error>> {
                e.bytes(self.0.as_bytes())?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                let bytes = d.bytes()?;
                Uuid::from_slice(bytes).map(Self).map_err(|_| decode::Error::message($kind))
            }
        }
    };
}

uuid_id!(
    /// One phone installation with its own evidence log and signing key.
    DeviceId, "device"
);
uuid_id!(
    /// A person who delivers.
    CourierId, "courier"
);
uuid_id!(
    /// One round: an ordered set of stops given to one courier for one day.
    RouteId, "route"
);
uuid_id!(
    /// One door to visit, with one or more parcels.
    StopId, "stop"
);
uuid_id!(
    /// One parcel from acceptance to its final outcome.
    ParcelId, "parcel"
);
uuid_id!(
    /// One visit to a door and what came of it; made by the phone.
    AttemptId, "attempt"
);
uuid_id!(
    /// Something a hub wonders about in a courier's log.
    DoubtId, "doubt"
);

macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident, $len:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($kind, ":{}"), HEXLOWER.encode(&self.0))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let bytes = HEXLOWER
                    .decode(text.as_bytes())
                    .map_err(|_| IdError { kind: $kind })?;
                Self::try_from(bytes.as_slice())
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = IdError;

            fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
                bytes.try_into().map(Self).map_err(|_| IdError { kind: $kind })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                Self::try_from(d.bytes()?).map_err(|_| decode::Error::message($kind))
            }
        }
    };
}

byte_id!(
    /// A SHA-256: of an entry header (with the RFC 9162 leaf prefix) or of a proof's plain bytes.
    Hash32, 32, "hash"
);
byte_id!(
    /// A delivery's random public handle. Means nothing outside the hub (security notes §5.3).
    Handle, 8, "handle"
);
byte_id!(
    /// Names one run of a device between two reboots.
    BootId, 16, "boot"
);
byte_id!(
    /// The first eight bytes of the SHA-256 of a public key.
    KeyId, 8, "key"
);
byte_id!(
    /// A P-256 public key as a compressed point: what a phone's hardware signs with.
    P256Key, 33, "P-256 key"
);
byte_id!(
    /// An Ed25519 signature, or a P-256 one as two numbers.
    Sig64, 64, "signature"
);
byte_id!(
    /// The salt that keeps a short body from being guessed from its commitment.
    Salt, 32, "salt"
);

impl Hash32 {
    /// What the first entry of a log names as its predecessor.
    pub const ZERO: Self = Self([0; 32]);
}
