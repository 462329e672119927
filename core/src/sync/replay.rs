//! News that came before what it is about.
//!
//! Two rounds, two phones and a hub that was set back put items into an order nobody planned: an event of
//! a parcel can be here before the parcel. It is kept as it came and takes effect when the parcel does.

use satchel_protocol::feed::{FeedContent, FeedItem, ParcelEventItem};

use crate::error::Result;
use crate::store::db::Tx;
use crate::store::history::{self, Pushed};
use crate::store::{ratings, stops};

/// Applies kept events whose parcel is here now. What still has no parcel, or no room in the parcel's
/// history, stays kept.
pub(crate) fn parcel_events(tx: &Tx<'_>) -> Result<()> {
    for (seq, data) in ratings::kept_of(tx, ParcelEventItem::KIND)? {
        let Ok(data) = serde_json::from_str(&data) else {
            continue;
        };
        let item = FeedItem {
            seq,
            kind: ParcelEventItem::KIND.to_owned(),
            data,
        };
        let Ok(FeedContent::ParcelEvent(told)) = item.content() else {
            continue;
        };
        let Some(parcel) = stops::find_parcel(tx, told.parcel_id)? else {
            continue;
        };
        match history::push(tx, &parcel, told.event, None)? {
            Pushed::New | Pushed::Before => ratings::drop_kept(tx, seq)?,
            Pushed::Full => {}
        }
    }
    Ok(())
}
