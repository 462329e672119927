//! What the page sends to complete an attempt, read into the core's own form.

use satchel_core::model::attempt::{Completion, ParcelOutcome, ParcelResult, SignatureInput};
use satchel_core::proof::ink::InkPoint;
use satchel_core::protocol::attempt::{Disclaimer, IdentityCheck, ItemCount, LeftAt};
use satchel_core::protocol::ids::ParcelId;
use satchel_core::protocol::taxonomy::{
    Action, HandoffKind, IdentityMethod, InspectionResult, Reason, Relation,
};
use satchel_core::rules::ruleset::{Item, Skip, SkipReason};
use serde::Deserialize;

use super::api::parse;
use super::words::Refused;

/// A completion as the page's form has it.
#[derive(Deserialize)]
pub(super) struct Finish {
    handoff: String,
    parcels: Vec<FinishParcel>,
    signer_name: Option<String>,
    relation: Option<String>,
    identity: Option<FinishIdentity>,
    inspection: Option<String>,
    signature: Option<FinishSignature>,
    note: Option<String>,
    age_checked: Option<bool>,
    left_at: Option<FinishPlace>,
    /// The recipient's code, tried before the attempt is completed.
    pub(super) code: Option<String>,
    #[serde(default)]
    visibly_damaged: bool,
    #[serde(default)]
    scans: Vec<String>,
    #[serde(default)]
    skips: Vec<FinishSkip>,
    #[serde(default)]
    items: Vec<FinishItem>,
}

#[derive(Deserialize)]
struct FinishParcel {
    parcel_id: String,
    reason: Option<String>,
    action: Option<String>,
}

#[derive(Deserialize)]
struct FinishIdentity {
    method: String,
    matched: bool,
}

#[derive(Deserialize)]
struct FinishPlace {
    place: Option<String>,
    slot: Option<String>,
    receipt: Option<String>,
}

#[derive(Deserialize)]
struct FinishSkip {
    item: String,
    reason: String,
}

#[derive(Deserialize)]
struct FinishItem {
    label: String,
    of: u32,
    accepted: u32,
}

/// A drawing as the page's pad has it.
#[derive(Clone, Deserialize)]
pub(super) struct FinishSignature {
    /// Strokes of `[x, y, t_ms]`.
    strokes: Vec<Vec<(f32, f32, u32)>>,
    width: f32,
    height: f32,
    disclaimer: Option<ShownText>,
    #[serde(default)]
    asked_again: bool,
}

/// A text the signer saw.
#[derive(Clone, Deserialize)]
struct ShownText {
    version: String,
    text: String,
}

impl Finish {
    /// The parcels named, for calls before the completion.
    pub(super) fn parcel_ids(&self) -> Result<Vec<ParcelId>, Refused> {
        self.parcels.iter().map(|p| parse(&p.parcel_id)).collect()
    }

    /// The core's form.
    ///
    /// # Errors
    /// For a code that is in none of the lists.
    pub(super) fn into_completion(self) -> Result<Completion, Refused> {
        let bad = |_| Refused::malformed();
        let parcels = (0..)
            .zip(&self.parcels)
            .map(|(at, parcel)| self.parcel(at, parcel))
            .collect::<Result<_, _>>()?;
        let handoff = HandoffKind::from_code(&self.handoff).map_err(bad)?;
        let code = |text: Option<String>| text.filter(|t| !t.trim().is_empty());
        let skips = self
            .skips
            .iter()
            .map(|skip| {
                Ok(Skip {
                    item: Item::from_code(&skip.item).ok_or_else(Refused::malformed)?,
                    reason: SkipReason::from_code(&skip.reason).ok_or_else(Refused::malformed)?,
                })
            })
            .collect::<Result<_, Refused>>()?;
        Ok(Completion {
            signer_name: code(self.signer_name),
            relation: code(self.relation)
                .map(|c| Relation::from_code(&c).map_err(bad))
                .transpose()?,
            identity: self.identity.map(FinishIdentity::check).transpose()?,
            age_checked: self.age_checked,
            inspection: code(self.inspection)
                .map(|c| InspectionResult::from_code(&c).map_err(bad))
                .transpose()?,
            signature: self.signature.map(FinishSignature::into_input),
            left_at: self.left_at.map(|left| LeftAt {
                place: code(left.place),
                slot: code(left.slot),
                receipt: code(left.receipt),
            }),
            skips,
            note: code(self.note),
            ..Completion::new(handoff, parcels)
        })
    }

    fn parcel(&self, at: usize, p: &FinishParcel) -> Result<ParcelResult, Refused> {
        let bad = |_| Refused::malformed();
        let outcome = match (&p.reason, &p.action) {
            (None, None) => ParcelOutcome::Delivered,
            (Some(reason), Some(action)) => ParcelOutcome::Failed {
                reason: Reason::from_code(reason).map_err(bad)?,
                action: Action::from_code(action).map_err(bad)?,
            },
            _ => return Err(Refused::malformed()),
        };
        Ok(ParcelResult {
            scan: self.scans.get(at).cloned(),
            items: self
                .items
                .iter()
                .map(|item| ItemCount {
                    label: item.label.clone(),
                    of: item.of,
                    accepted: item.accepted,
                })
                .collect(),
            visibly_damaged: self.visibly_damaged,
            ..ParcelResult::new(parse(&p.parcel_id)?, outcome)
        })
    }
}

impl FinishIdentity {
    fn check(self) -> Result<IdentityCheck, Refused> {
        Ok(IdentityCheck {
            method: IdentityMethod::from_code(&self.method).map_err(|_| Refused::malformed())?,
            matched: self.matched,
        })
    }
}

impl FinishSignature {
    pub(super) fn into_input(self) -> SignatureInput {
        let point = |(x, y, t_ms)| InkPoint {
            x,
            y,
            t_ms,
            ..InkPoint::default()
        };
        SignatureInput {
            strokes: self
                .strokes
                .into_iter()
                .map(|stroke| stroke.into_iter().map(point).collect())
                .collect(),
            canvas_width: self.width,
            canvas_height: self.height,
            disclaimer: self.disclaimer.map(|shown| Disclaimer {
                version: shown.version,
                text: shown.text,
            }),
            asked_again: self.asked_again,
            ..SignatureInput::default()
        }
    }
}
