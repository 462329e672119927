//! The core's values as the page's JSON.

use satchel_core::model::attempt::{Draft, HandoffOption, PhotoView, RatingCode, VisitWarning};
use satchel_core::model::plan::PlanView;
use satchel_core::model::status::{Blocking, Enrolment, SyncStatus};
use satchel_core::model::stop::{ParcelView, RatingView, StopState, StopView, SyncState};
use satchel_core::protocol::taxonomy::{
    CallResult, IdentityMethod, InspectionResult, Reason, Relation,
};
use satchel_core::rules::ruleset::{Level, Line, SkipReason};
use satchel_ffi::SatchelError;
use serde_json::{Value, json};

use super::plan;
use super::words::word;

pub(super) fn state(
    enrolment: &Enrolment,
    online: bool,
    status: &SyncStatus,
    stops: &[StopView],
    planned: Option<&PlanView>,
) -> Value {
    let (enrolled, courier) = match enrolment {
        Enrolment::Enrolled { courier_name, .. } => (true, courier_name.as_str()),
        _ => (false, ""),
    };
    json!({
        "enrolled": enrolled,
        "refused": *enrolment == Enrolment::Refused,
        "courier": courier,
        "online": online,
        "sync": {
            "unsent_entries": status.unsent_entries,
            "unsent_proofs": status.unsent_proofs,
            "unsent_bytes": status.unsent_bytes,
            "lost_proofs": status.lost_proofs,
            "oldest_unsent_ms": status.oldest_unsent_ms,
            "last_contact_ms": status.last_contact_ms,
            "next_retry_ms": status.next_retry_ms,
            "blocking": status.blocking.map(|b| match b {
                Blocking::Network => "network",
                Blocking::BadAnswer => "bad_answer",
                Blocking::Refused => "refused",
                Blocking::HubContradicts => "hub_contradicts",
            }),
            "receipt_alarms": status.receipt_alarms,
            "hub_contradictions": status.hub_contradictions,
        },
        "stops": stops.iter().map(stop).collect::<Vec<_>>(),
        "plan": planned.map(|planned| plan::view(planned, stops)),
    })
}

pub(super) fn stop(stop: &StopView) -> Value {
    json!({
        "stop_id": stop.stop_id,
        "position": stop.position,
        "place": { "lat": stop.place.lat, "lng": stop.place.lng },
        "address": stop.address,
        "name": stop.recipient_name,
        "phone": stop.recipient_phone,
        "window_start_ms": stop.window_start_ms,
        "window_end_ms": stop.window_end_ms,
        "promised_by_ms": stop.promised_by_ms,
        "state": match stop.state {
            StopState::Open => "open",
            StopState::Done => "done",
            StopState::Failed => "failed",
            StopState::Removed => "removed",
        },
        "sync": match stop.sync {
            SyncState::Nothing => "nothing",
            SyncState::Local => "local",
            SyncState::Sending => "sending",
            SyncState::Received => "received",
            SyncState::ProofLost => "lost",
            SyncState::ProofComplete => "synced",
        },
        "parcels": stop.parcels.iter().map(parcel).collect::<Vec<_>>(),
    })
}

fn parcel(parcel: &ParcelView) -> Value {
    json!({
        "parcel_id": parcel.parcel_id,
        "waybill": parcel.waybill,
        "promise": word!(parcel.promise_class),
        "promised_by_ms": parcel.promised_by_ms,
        "tags": parcel.tags.iter().map(|t| word!(*t)).collect::<Vec<_>>(),
        "door_required": parcel.door_required,
        "open": parcel.state.is_deliverable(),
        "state": word!(parcel.state),
        "outcome": parcel.outcome.map(|o| word!(o)),
        "attempts": parcel.attempts,
        "rating": parcel.rating.as_ref().map(customers_word),
    })
}

/// What the customer said, what it counts for, and what was said against it.
fn customers_word(rating: &RatingView) -> Value {
    json!({
        "stars": rating.stars,
        "items": rating.items,
        "tags": rating.tags,
        "comment": rating.comment,
        "class": rating.class.map(|c| word!(c)),
        "flags": rating.flags.iter().map(|f| word!(*f)).collect::<Vec<_>>(),
        "hidden": rating.hidden,
        "appeal": rating.appeal.as_ref().map(|a| json!({
            "words": a.words,
            "case": a.case,
            "answer": a.answer,
        })),
    })
}

fn requirement(line: &Line) -> Value {
    json!({
        "code": line.item.code(),
        "zh": line.text.zh,
        "en": line.text.en,
        "source": line.source.to_string(),
        "count": line.count,
        "level": match line.level {
            Level::Required => "required",
            Level::RequiredWithReason => "required_with_reason",
            Level::Optional => "optional",
            Level::Off => "off",
        },
    })
}

/// Something that was passed over, for the courier to know that it is recorded.
pub(super) fn warning(warning: &VisitWarning) -> Value {
    let text = warning.text();
    json!({ "code": warning.code(), "zh": text.zh, "en": text.en })
}

pub(super) fn handoff(option: HandoffOption) -> Value {
    let channels: Vec<_> = option.channels.iter().map(|c| word!(*c)).collect();
    let locked = option
        .locked
        .map(|refusal| match SatchelError::from(refusal) {
            SatchelError::Refused {
                text_zh, text_en, ..
            } => json!({ "zh": text_zh, "en": text_en, "channels": channels }),
            _ => json!({ "zh": "不可用", "en": "Not available" }),
        });
    json!({
        "code": option.handoff.code(),
        "zh": option.handoff.zh(),
        "en": option.handoff.en(),
        "locked": locked,
        "requirements": option.requirements.iter().map(requirement).collect::<Vec<_>>(),
    })
}

pub(super) fn draft(draft: &Draft) -> Value {
    json!({
        "attempt_id": draft.attempt_id,
        "photos": draft.photos.iter().map(|p| json!({ "hash": p.hash })).collect::<Vec<_>>(),
        "requirements": draft.requirements.iter().map(requirement).collect::<Vec<_>>(),
    })
}

pub(super) fn photo(photo: &PhotoView) -> Value {
    json!({
        "hash": photo.hash,
        "width_px": photo.width_px,
        "height_px": photo.height_px,
        "size_bytes": photo.size_bytes,
        // The page has the words; one it does not know it shows as the code.
        "warnings": photo.warnings.iter().map(|w| format!("{w:?}")).collect::<Vec<_>>(),
    })
}

pub(super) fn rating(code: &RatingCode) -> Value {
    json!({ "parcel_id": code.parcel_id, "url": code.url })
}

/// The code lists a form shows; which action is legal for which reason comes with the reason (A043).
pub(super) fn codes() -> Value {
    let reasons: Vec<Value> = Reason::ALL
        .iter()
        .map(|reason| {
            json!({
                "code": reason.code(),
                "zh": reason.zh(),
                "en": reason.en(),
                "actions": reason.legal_actions().iter().map(|a| word!(*a)).collect::<Vec<_>>(),
                "needs_note": reason.requires_text(),
                "needs_photo": reason.requires_photo(),
            })
        })
        .collect();
    json!({
        "call_results": CallResult::ALL.iter().map(|v| word!(*v)).collect::<Vec<_>>(),
        "skip_reasons": SkipReason::ALL.iter().map(|v| word!(*v)).collect::<Vec<_>>(),
        "reasons": reasons,
        "relations": Relation::ALL.iter().map(|v| word!(*v)).collect::<Vec<_>>(),
        "identity_methods": IdentityMethod::ALL.iter().map(|v| word!(*v)).collect::<Vec<_>>(),
        "inspection_results": InspectionResult::ALL.iter().map(|v| word!(*v)).collect::<Vec<_>>(),
    })
}
