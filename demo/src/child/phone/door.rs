//! What a virtual courier does at a door: he asks the core what the handoff needs, and hands that in.

use rand::RngExt as _;
use satchel_core::model::attempt::{Completion, ParcelOutcome, ParcelResult};
use satchel_core::model::stop::StopView;
use satchel_core::proof::ink::Signature;
use satchel_core::proof::photo::PhotoSource;
use satchel_core::protocol::attempt::{Fix, IdentityCheck};
use satchel_core::protocol::crypto::sha256;
use satchel_core::protocol::ids::StopId;
use satchel_core::protocol::taxonomy::{
    HandoffKind, IdentityMethod, InspectionResult, Outcome, PhotoOrigin, ProofKind, Relation,
};
use satchel_core::rules::requirements::{Item, Level, Requirement};

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
        if wanted(&draft.requirements, Item::Photo) {
            let bytes = photo::jpeg(self.seed, &visit.name)?;
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
        let completion = self.completion(&view, visit, handoff, &draft.requirements);
        if let Some(input) = &completion.signature {
            let ink =
                Signature::from_strokes(&input.strokes, input.canvas_width, input.canvas_height)
                    .map_err(satchel_core::Error::from)?;
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
        checklist: &[Requirement],
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
                .map(|&parcel_id| ParcelResult { parcel_id, outcome })
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
            fix: Some(Fix::wgs84(
                view.place.lat + rng.random_range(-9e-5..9e-5),
                view.place.lng + rng.random_range(-9e-5..9e-5),
                rng.random_range(4.0..18.0_f32),
                rng.random_range(200..4_000),
                false,
            )),
            note: None,
        }
    }
}

fn required(checklist: &[Requirement], item: Item) -> bool {
    checklist
        .iter()
        .any(|r| r.item == item && r.level == Level::Required)
}

fn wanted(checklist: &[Requirement], item: Item) -> bool {
    checklist
        .iter()
        .any(|r| r.item == item && r.level != Level::Off)
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
