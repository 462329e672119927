//! A phone's place in its feed, as this hub gave it.
//!
//! A place behind the end of the feed says that the hub was set back, and begins another history for everybody. So no
//! phone can make one up: each carries a tag under a key of this hub, for its courier alone. The key lies beside the
//! database, and so a place that was given before the hub was set back still counts.

use satchel_protocol::crypto;
use satchel_protocol::ids::CourierId;
use satchel_protocol::token::{base32, from_base32};

use crate::hub::Hub;

/// What the key of the tags is derived for.
const DOMAIN: &[u8] = b"satchel-feed-cursor/1";
const TAG_BYTES: usize = 16;
const VERSION: u8 = 3;

/// A phone's place in its feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) epoch: i64,
    pub(super) seq: i64,
    pub(super) in_snapshot: bool,
}

impl Cursor {
    /// Of a phone that was told nothing yet; no history has this number.
    const NO_EPOCH: i64 = -1;

    pub(super) fn write(self, hub: &Hub, courier: CourierId) -> String {
        let place = [
            &[VERSION, u8::from(self.in_snapshot)][..],
            &self.epoch.to_be_bytes(),
            &self.seq.to_be_bytes(),
        ]
        .concat();
        base32(&[&place[..], &tag(hub, courier, &place)].concat())
    }

    /// The place that `text` names, if this hub gave it to a phone of this courier.
    pub(super) fn read(hub: &Hub, courier: CourierId, text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self {
                epoch: Self::NO_EPOCH,
                seq: 0,
                in_snapshot: false,
            });
        }
        let bytes = from_base32(text)?;
        let (place, given) = bytes.split_last_chunk::<TAG_BYTES>()?;
        if !crypto::equal_ct(&tag(hub, courier, place), given) {
            return None;
        }
        let (&[version, flag], rest) = place.split_first_chunk::<2>()?;
        let (epoch, seq) = rest.split_first_chunk::<8>()?;
        (version == VERSION).then_some(Self {
            epoch: i64::from_be_bytes(*epoch),
            seq: i64::from_be_bytes(seq.try_into().ok()?),
            in_snapshot: flag == 1,
        })
    }
}

fn tag(hub: &Hub, courier: CourierId, place: &[u8]) -> [u8; TAG_BYTES] {
    let key = crypto::derive_key(&hub.keys().rating_master, &[DOMAIN]);
    let [tag @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
        crypto::hmac_sha256(&key, &[&courier.as_bytes()[..], place]);
    tag
}
