//! The rating code a customer scans at the door, made without a network (A026).

pub mod qr;

use satchel_protocol::crypto::Secret32;
use satchel_protocol::ids::Hash32;
use satchel_protocol::token::{RatingToken, rating_url};

use crate::model::attempt::RatingCode;
use crate::store::stops::ParcelRow;

/// The code of a delivered parcel; `head` is the hash of the entry that delivered it.
pub(crate) fn code(hub_url: &str, parcel: &ParcelRow, head: &Hash32) -> RatingCode {
    let token = RatingToken::mint(&Secret32::new(parcel.rating_key), parcel.handle, head);
    RatingCode {
        parcel_id: parcel.parcel_id,
        url: rating_url(hub_url, &token),
    }
}
