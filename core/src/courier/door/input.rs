//! What the host handed in, checked for form before anything is judged or written.

use satchel_protocol::attempt::{Fix, ItemCount, LeftAt};
use satchel_protocol::feed::LatLng;
use satchel_protocol::limits::MAX_TEXT_CHARS;
use satchel_protocol::taxonomy::{Datum, HandoffKind};

use super::trimmed;
use crate::error::{Error, Refusal, Result};
use crate::limits;
use crate::model::attempt::{Completion, ParcelOutcome, ParcelResult};
use crate::rules::codes::{self, Resolution};
use crate::rules::position::{self, Placed, PositionFault, PositionNote, Radii, RawFix};
use crate::store::stops::ParcelRow;

pub(super) fn check_values(input: &Completion) -> Result<()> {
    let invalid = |what| Err(Error::InvalidInput { what });
    if input.parcels.is_empty() || input.parcels.len() > limits::MAX_PARCELS_PER_ATTEMPT {
        return invalid("number of parcels");
    }
    if too_long(input.signer_name.as_deref(), limits::MAX_NAME_CHARS) {
        return invalid("signer name");
    }
    check_words(input.note.as_deref())?;
    if input.skips.len() > crate::rules::ruleset::Item::ALL.len() {
        return invalid("list of skipped items");
    }
    if let Some(left) = &input.left_at {
        let texts = [&left.place, &left.slot, &left.receipt];
        if texts
            .iter()
            .any(|t| too_long(t.as_deref(), limits::MAX_NAME_CHARS))
        {
            return invalid("locker or station");
        }
    }
    let handoff = input.handoff;
    input
        .parcels
        .iter()
        .try_for_each(|result| check_items(handoff, result))
}

/// Words of a courier: a note, or why something is corrected.
pub(super) fn check_words(words: Option<&str>) -> Result<()> {
    if too_long(words, MAX_TEXT_CHARS) {
        return Err(Error::InvalidInput { what: "note" });
    }
    Ok(())
}

pub(super) fn too_long(text: Option<&str>, limit: usize) -> bool {
    text.is_some_and(|t| t.chars().count() > limit)
}

/// Counts that say "everything" or "nothing" contradict a partial delivery.
fn check_items(handoff: HandoffKind, result: &ParcelResult) -> Result<()> {
    let items = &result.items;
    let sound = |line: &ItemCount| {
        line.of > 0
            && line.accepted <= line.of
            && !line.label.trim().is_empty()
            && line.label.chars().count() <= limits::MAX_NAME_CHARS
    };
    let sums = |of: fn(&ItemCount) -> u32| items.iter().map(|i| u64::from(of(i))).sum::<u64>();
    let (accepted, inside) = (sums(|i| i.accepted), sums(|i| i.of));
    let partly = accepted > 0 && accepted < inside;
    let is_partial = match result.outcome {
        ParcelOutcome::PartlyDelivered => true,
        ParcelOutcome::Delivered => handoff == HandoffKind::Partial,
        ParcelOutcome::Failed { .. } => false,
    };
    // None at all is the checklist's to miss.
    let fits = !is_partial || items.is_empty() || partly;
    if items.len() <= limits::MAX_ITEM_LINES && items.iter().all(sound) && fits {
        Ok(())
    } else {
        Err(Error::InvalidInput {
            what: "count of items",
        })
    }
}

/// Whether the parcel's own code was scanned (B4-7). Another parcel's code is a contradiction that
/// somebody has to look at; it is never corrected by guessing.
pub(super) fn check_scan(parcel: &ParcelRow, text: Option<&str>) -> Result<bool> {
    let Some(text) = text else {
        return Ok(false);
    };
    let scan = codes::read(text).map_err(Refusal::from)?;
    match codes::expect(&scan, &[(parcel.parcel_id, parcel.waybill.as_str())]) {
        Resolution::Parcel(_) => Ok(true),
        Resolution::NotAParcel(what) => Err(Refusal::ScanNotAParcel { what }.into()),
        Resolution::Unexpected | Resolution::Ambiguous(_) => Err(Refusal::ScanContradicts {
            parcel_id: parcel.parcel_id,
        }
        .into()),
    }
}

/// Where it was left, without blanks.
pub(super) fn left_at(given: Option<&LeftAt>) -> Option<LeftAt> {
    let left = given?;
    let left = LeftAt {
        place: trimmed(left.place.as_deref()),
        slot: trimmed(left.slot.as_deref()),
        receipt: trimmed(left.receipt.as_deref()),
    };
    let empty = left.place.is_none() && left.slot.is_none() && left.receipt.is_none();
    (!empty).then_some(left)
}

/// Where the phone was, for the entry and for the courier.
pub(super) struct Located {
    pub(super) fix: Option<Fix>,
    pub(super) note: PositionNote,
}

/// Brings the fix to WGS-84, keeps the provider's own numbers beside it, and compares with the door
/// (C4, B4-19, B4-22).
///
/// # Errors
/// [`Refusal::Position`] for a datum nobody knows; the courier can go on without the fix.
pub(super) fn locate(raw: Option<RawFix>, door: LatLng, radii: Radii) -> Result<Located> {
    let placed = raw
        .map(position::place)
        .transpose()
        .map_err(|why| match why {
            PositionFault::NotAPosition => Error::InvalidInput { what: "position" },
            PositionFault::UnknownDatum => Refusal::Position(why).into(),
        })?;
    let note = position::note(placed.as_ref(), door, radii);
    Ok(Located {
        fix: placed.as_ref().map(|placed| fix(placed, &note)),
        note,
    })
}

fn fix(placed: &Placed, note: &PositionNote) -> Fix {
    let raw = placed.raw;
    let converted = raw.datum != Datum::Wgs84;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a distance on Earth fits f32"
    )]
    let distance_m = note.distance_m.map(|m| m as f32);
    Fix {
        lat: placed.wgs84.lat,
        lng: placed.wgs84.lng,
        accuracy_m: raw.accuracy_m,
        age_ms: raw.age_ms,
        mock: raw.mock,
        distance_m,
        datum: converted.then_some(raw.datum),
        raw: converted.then_some((raw.lat, raw.lng)),
        zone: Some(note.zone),
    }
}
