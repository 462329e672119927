//! The signature of a visit: looked at before, taken with the attempt, shown afterwards.
//!
//! Two signatures drawn without a network once ended up on one job in another product (B4-1). Here the
//! ink is given in the same call that completes its attempt, its bytes name that attempt, and the signed
//! entry names the hash of those bytes: there is no moment at which ink lies about without its job. What
//! is left is a pad that a host forgot to clear; the very same drawing at a second visit is noticed and
//! recorded as a doubt.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{MutexGuard, PoisonError};

use satchel_protocol::attempt::SignatureFacts;
use satchel_protocol::ids::AttemptId;
use satchel_protocol::limits::MAX_TEXT_CHARS;

use super::Courier;
use crate::error::{Error, Result};
use crate::limits;
use crate::model::attempt::{SignatureCheck, SignatureInput};
use crate::proof::ink::{self, InkDoubt, Signature};
use crate::store::inks;

/// Drawings of the last visits, by the hash of their strokes. In memory only: a pad does not outlive the
/// process either.
pub(super) type Signed = VecDeque<(u64, AttemptId)>;

/// A signature as it goes into its attempt.
pub(super) struct Taken {
    pub(super) bytes: Vec<u8>,
    pub(super) facts: SignatureFacts,
    drawing: u64,
}

/// The drawing that was looked at last, so that taking it does not judge it a second time.
pub(super) struct LookedAt {
    attempt: AttemptId,
    input: SignatureInput,
    ink: Signature,
    doubts: Vec<InkDoubt>,
    drawing: u64,
}

impl LookedAt {
    /// Whether it is the very same drawing for the same visit. Whether it was asked about again has no
    /// part in the judgement.
    fn is_of(&self, attempt: AttemptId, input: &SignatureInput) -> bool {
        self.attempt == attempt
            && self.input.strokes == input.strokes
            && self.input.canvas_width.to_bits() == input.canvas_width.to_bits()
            && self.input.canvas_height.to_bits() == input.canvas_height.to_bits()
            && self.input.disclaimer == input.disclaimer
            && self.input.keep_dynamics == input.keep_dynamics
    }
}

impl Courier {
    /// Looks at a drawing before it is taken: what to ask about once more, and exactly what the hub will
    /// show. Writes nothing.
    ///
    /// # Errors
    /// [`ink::InkError`] for what cannot pass as a signature, [`Error::InvalidInput`] for texts out of
    /// range.
    pub fn check_signature(
        &self,
        attempt: AttemptId,
        input: &SignatureInput,
        width_px: u32,
        height_px: u32,
    ) -> Result<SignatureCheck> {
        check_size(width_px, height_px)?;
        let (ink, facts, drawing) = self.judge(attempt, input)?;
        let check = SignatureCheck {
            doubts: facts.doubts.clone(),
            svg: ink.to_svg(width_px, height_px),
        };
        *self.looked_at() = Some(LookedAt {
            attempt,
            input: input.clone(),
            ink,
            doubts: facts.doubts,
            drawing,
        });
        Ok(check)
    }

    /// The signature of an attempt as it is stored: exactly what the hub will show.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an attempt without a signature on this phone.
    pub fn signature_svg(
        &self,
        attempt: AttemptId,
        width_px: u32,
        height_px: u32,
    ) -> Result<String> {
        check_size(width_px, height_px)?;
        Ok(self.signature(attempt)?.to_svg(width_px, height_px))
    }

    /// The ink of an attempt as it is stored.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an attempt without a signature on this phone.
    pub fn signature(&self, attempt: AttemptId) -> Result<Signature> {
        let bytes = self
            .db
            .read(|conn| inks::of_attempt(conn, attempt))?
            .ok_or(Error::NotFound { what: "signature" })?;
        Signature::decode_for(&bytes, attempt)
            .map_err(|_| crate::StoreError::BadRow("signature").into())
    }

    pub(super) fn take_signature(
        &self,
        attempt: AttemptId,
        input: &SignatureInput,
    ) -> Result<Taken> {
        let (ink, facts, drawing) = match self.looked_at().take() {
            Some(seen) if seen.is_of(attempt, input) => {
                // Another visit may have taken the same drawing since.
                let mut doubts = seen.doubts;
                let now = self.same_as_before(attempt, seen.drawing);
                doubts.extend(now.filter(|d| !doubts.contains(d)));
                let facts = SignatureFacts {
                    disclaimer: input.disclaimer.clone(),
                    doubts,
                    asked_again: input.asked_again,
                };
                (seen.ink, facts, seen.drawing)
            }
            _ => self.judge(attempt, input)?,
        };
        Ok(Taken {
            bytes: ink.bound_to(attempt).encode(),
            facts,
            drawing,
        })
    }

    fn judge(
        &self,
        attempt: AttemptId,
        input: &SignatureInput,
    ) -> Result<(Signature, SignatureFacts, u64)> {
        if let Some(shown) = &input.disclaimer {
            let fits = |text: &str, limit: usize| text.chars().count() <= limit;
            if !fits(&shown.text, MAX_TEXT_CHARS) || !fits(&shown.version, limits::MAX_NAME_CHARS) {
                return Err(Error::InvalidInput { what: "disclaimer" });
            }
        }
        let ink = Signature::take(
            &input.strokes,
            input.canvas_width,
            input.canvas_height,
            input.keep_dynamics,
        )?;
        let mut hasher = DefaultHasher::new();
        ink.strokes().hash(&mut hasher);
        let drawing = hasher.finish();
        let mut doubts = ink.doubts(&input.strokes);
        doubts.extend(self.same_as_before(attempt, drawing));
        let facts = SignatureFacts {
            disclaimer: input.disclaimer.clone(),
            doubts,
            asked_again: input.asked_again,
        };
        Ok((ink, facts, drawing))
    }

    fn same_as_before(&self, attempt: AttemptId, drawing: u64) -> Option<InkDoubt> {
        let same = |(hash, visit): &(u64, AttemptId)| *hash == drawing && *visit != attempt;
        self.signed()
            .iter()
            .any(same)
            .then_some(InkDoubt::SameAsBefore)
    }

    pub(super) fn remember_signature(&self, attempt: AttemptId, taken: &Taken) {
        let mut signed = self.signed();
        if signed.len() >= limits::SIGNATURES_COMPARED {
            signed.pop_front();
        }
        signed.push_back((taken.drawing, attempt));
    }

    pub(super) fn forget_looked_at(&self) {
        *self.looked_at() = None;
    }

    fn looked_at(&self) -> MutexGuard<'_, Option<LookedAt>> {
        self.looked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn signed(&self) -> MutexGuard<'_, Signed> {
        self.signed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_size(width_px: u32, height_px: u32) -> Result<()> {
    let sensible = 1..=ink::MAX_PICTURE_PX;
    if sensible.contains(&width_px) && sensible.contains(&height_px) {
        Ok(())
    } else {
        Err(Error::InvalidInput {
            what: "picture size",
        })
    }
}
