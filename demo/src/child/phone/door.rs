//! What a virtual courier does at a door: he asks the core what the handoff needs, and hands that in.

use rand::RngExt as _;
use satchel_core::model::attempt::{Completion, ParcelOutcome, ParcelResult};
use satchel_core::model::day::CallInput;
use satchel_core::model::stop::StopView;
use satchel_core::proof::ink::Signature;
use satchel_core::proof::photo::PhotoSource;
use satchel_core::protocol::attempt::{IdentityCheck, LeftAt};
use satchel_core::protocol::crypto::sha256;
use satchel_core::protocol::ids::StopId;
use satchel_core::protocol::taxonomy::{
    CallResult, HandoffKind, IdentityMethod, InspectionResult, Outcome, PhotoOrigin, ProofKind,
    Relation,
};
use satchel_core::rules::contact::{ContactNeed, contact_need};
use satchel_core::rules::position::RawFix;
use satchel_core::rules::ruleset::{Item, Level, Line, Skip, SkipReason};

use super::Phone;
use crate::child::words::{Ack, AckParcel, AckProof, Visit, VisitResult};
use crate::day::{ink, photo};
use crate::error::Result;
use crate::seed;

impl Phone {
    pub(super) fn deliver(&self, stop: StopId, visit: &Visit) -> Result<Ack> {
        let handoff = match visit.result {
            VisitResult::Delivered { handoff } => handoff,
            VisitResult::Failed { .. } => HandoffKind::Recipient,
        };
        let draft = self.courier.begin_attempt(stop, handoff)?;
        let mut proofs = Vec::new();
        for n in 0..photos(&draft.requirements) {
            let name = match n {
                0 => visit.name.clone(),
                n => format!("{}+{n}", visit.name),
            };
            let bytes = photo::jpeg(self.seed, &name)?;
            let source = PhotoSource::Bytes(&bytes);
            let taken = self
                .courier
                .add_photo(draft.attempt_id, source, PhotoOrigin::Camera)?;
            proofs.push(AckProof {
                hash: taken.hash,
                kind: ProofKind::Photo,
            });
        }
        let view = self.courier.stop(stop)?;
        self.call_first(&view, visit)?;
        let completion = self.completion(&view, visit, handoff, &draft.requirements);
        if let Some(input) = &completion.signature {
            let ink =
                Signature::from_strokes(&input.strokes, input.canvas_width, input.canvas_height)
                    .map_err(satchel_core::Error::from)?
                    .bound_to(draft.attempt_id);
            proofs.push(AckProof {
                hash: sha256(&[&ink.encode()]),
                kind: ProofKind::Signature,
            });
        }
        let recorded = self
            .courier
            .complete_attempt(draft.attempt_id, &completion)?;
        let outcome = match visit.result {
            VisitResult::Delivered { .. } => Outcome::Delivered,
            VisitResult::Failed { .. } => Outcome::Failed,
        };
        Ok(Ack {
            attempt: recorded.attempt_id,
            stop,
            at_ms: self.now_ms(),
            parcels: recorded
                .parcels
                .into_iter()
                .map(|parcel| AckParcel {
                    parcel: parcel.parcel_id,
                    outcome,
                    seq: parcel.seq,
                    entry: parcel.entry_hash,
                    rating_url: parcel.rating.map(|code| code.url),
                })
                .collect(),
            proofs,
        })
    }

    /// Hands in what the core's checklist asks for, and no more.
    fn completion(
        &self,
        view: &StopView,
        visit: &Visit,
        handoff: HandoffKind,
        checklist: &[Line],
    ) -> Completion {
        let delivered = matches!(visit.result, VisitResult::Delivered { .. });
        let need = |item| delivered && required(checklist, item);
        let mut rng = seed::rng(self.seed, &format!("door/{}", visit.name));
        let outcome = match visit.result {
            VisitResult::Delivered { .. } => ParcelOutcome::Delivered,
            VisitResult::Failed { reason, action } => ParcelOutcome::Failed { reason, action },
        };
        Completion {
            handoff,
            parcels: visit
                .parcels
                .iter()
                .map(|&parcel_id| ParcelResult {
                    scan: view
                        .parcels
                        .iter()
                        .find(|p| p.parcel_id == parcel_id)
                        .filter(|_| visit.parcels.len() > 1)
                        .map(|p| p.waybill.clone()),
                    ..ParcelResult::new(parcel_id, outcome)
                })
                .collect(),
            signer_name: need(Item::SignerName).then(|| "代收人".to_owned()),
            relation: need(Item::Relation).then_some(relation(handoff)),
            identity: need(Item::IdentityCheck).then_some(IdentityCheck {
                method: IdentityMethod::PhoneLast4,
                matched: true,
            }),
            inspection: need(Item::InspectionPrompt).then_some(if rng.random_bool(0.4) {
                InspectionResult::Inspected
            } else {
                InspectionResult::Declined
            }),
            signature: need(Item::Signature).then(|| ink::signature(self.seed, &visit.name)),
            fix: Some(RawFix::wgs84(
                view.place.lat + rng.random_range(-9e-5..9e-5),
                view.place.lng + rng.random_range(-9e-5..9e-5),
                rng.random_range(4.0..18.0_f32),
                rng.random_range(200..4_000),
                false,
            )),
            left_at: delivered.then(|| left_at(handoff)).flatten(),
            skips: if delivered { skips(checklist) } else { vec![] },
            ..Completion::new(handoff, vec![])
        }
    }

    /// Calls before giving up, as often as the rules want it.
    fn call_first(&self, view: &StopView, visit: &Visit) -> Result<()> {
        let VisitResult::Failed { reason, action } = visit.result else {
            return Ok(());
        };
        let (calls, result, duration_s) = match contact_need(reason, action) {
            ContactNeed::None | ContactNeed::Recommended => (0, CallResult::NoAnswer, 0),
            ContactNeed::Tried(calls) => (calls, CallResult::NoAnswer, 0),
            ContactNeed::Reached => (1, CallResult::Answered, 24),
        };
        for _ in 0..calls {
            self.courier.log_call(&CallInput {
                stop: view.stop_id,
                number: view.recipient_phone.clone(),
                virtual_number: true,
                result,
                duration_s,
                call_id: None,
            })?;
        }
        Ok(())
    }
}

/// Photos that the checklist asks for.
fn photos(checklist: &[Line]) -> u32 {
    checklist
        .iter()
        .find(|r| r.item == Item::Photo && r.level != Level::Off)
        .map_or(0, |r| r.count)
}

/// Locker, slot and receipt as a virtual courier finds them.
fn left_at(handoff: HandoffKind) -> Option<LeftAt> {
    let (place, slot, receipt) = match handoff {
        HandoffKind::Locker => ("L-07", Some("24"), None),
        HandoffKind::Station => ("S-2", None, Some("R-1001")),
        _ => return None,
    };
    Some(LeftAt {
        place: Some(place.to_owned()),
        slot: slot.map(str::to_owned),
        receipt: receipt.map(str::to_owned),
    })
}

/// What this courier has no means for: a thermometer, and a code the customer was never sent.
fn skips(checklist: &[Line]) -> Vec<Skip> {
    [
        (Item::Code, SkipReason::RecipientDeclined),
        (Item::Temperature, SkipReason::NotPossibleHere),
    ]
    .into_iter()
    .filter(|(item, _)| {
        checklist
            .iter()
            .any(|r| r.item == *item && r.level == Level::RequiredWithReason)
    })
    .map(|(item, reason)| Skip { item, reason })
    .collect()
}

fn required(checklist: &[Line], item: Item) -> bool {
    checklist
        .iter()
        .any(|r| r.item == item && r.level == Level::Required)
}

/// Who stands there, for each kind of handoff to a person.
fn relation(handoff: HandoffKind) -> Relation {
    match handoff {
        HandoffKind::FrontDesk => Relation::FrontDesk,
        HandoffKind::Guard => Relation::Guard,
        HandoffKind::Neighbour => Relation::Neighbour,
        HandoffKind::Station => Relation::Station,
        _ => Relation::Family,
    }
}
