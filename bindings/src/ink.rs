//! The signature pad: what an app hands in, what it may ask about it, and the forms it gets back.

use satchel_core::model::attempt::{self as core, SignatureInput};
use satchel_core::proof::ink::{self, InkImportError, InkPictureError, KeepDynamics};
pub use satchel_core::proof::ink::{InkDoubt, InkPoint};
use satchel_core::protocol::attempt::Disclaimer;

use crate::error::SatchelError;

/// One touch sample of the signature pad.
#[uniffi::remote(Record)]
pub struct InkPoint {
    /// Distance from the left edge, in the units of the canvas.
    pub x: f32,
    /// Distance from the top edge, in the units of the canvas.
    pub y: f32,
    /// Time of the sample; not kept unless asked for (PIPL 28).
    pub t_ms: u32,
    /// Pressure from 0 to 1 where the platform knows it; not kept unless asked for.
    #[uniffi(default = None)]
    pub pressure: Option<f32>,
}

/// The drawn signature, as the pad gives it.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct Signature {
    /// The strokes, each a list of points.
    pub strokes: Vec<Vec<InkPoint>>,
    /// Width of the canvas, in the unit of the points.
    pub canvas_width: f32,
    /// Height of the canvas, in the unit of the points.
    pub canvas_height: f32,
    /// The text above the pad as the signer saw it; recorded in the signed entry.
    #[uniffi(default = None)]
    pub disclaimer: Option<ShownText>,
    /// The app showed the doubts of `checkSignature` and the signer signed like this again.
    #[uniffi(default = false)]
    pub asked_again: bool,
    /// Keep speed and pressure, which are biometric data and need their own consent (PIPL 28, 29).
    #[uniffi(default = false)]
    pub keep_dynamics: bool,
}

/// Ink must not reach a log.
impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signature")
            .field("strokes", &self.strokes.len())
            .finish_non_exhaustive()
    }
}

/// A text a person was shown.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ShownText {
    /// Whoever wrote it names its versions; at most 80 characters.
    pub version: String,
    /// The text; at most 2,000 characters.
    pub text: String,
}

/// What makes a drawing look unlike a signature; never a reason to refuse.
#[uniffi::remote(Enum)]
pub enum InkDoubt {
    /// There is little ink.
    LittleInk,
    /// It covers hardly any of the pad.
    SmallBox,
    /// It is one straight line.
    StraightLine,
    /// The line hardly turns anywhere.
    FewTurns,
    /// All ink lies on one spot of the pad.
    FewCells,
    /// It has very few points.
    FewPoints,
    /// It was drawn faster than a name can be.
    Quick,
    /// It is the very drawing of another visit: the pad was not cleared.
    SameAsBefore,
}

/// A doubt, ready to show.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SignatureDoubt {
    /// Which.
    pub doubt: InkDoubt,
    /// What to show, in Chinese.
    pub text_zh: String,
    /// What to show, in English.
    pub text_en: String,
}

/// What a signature will look like and what to ask about before it is taken.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SignatureCheck {
    /// What to ask about once more; empty for a signature like any other.
    pub doubts: Vec<SignatureDoubt>,
    /// Exactly what the hub will show.
    pub svg: String,
}

/// A stored signature in the forms other programs read.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct SignatureForms {
    /// A document of the size asked for.
    pub svg: String,
    /// The same picture as a grey PNG file.
    pub png: Vec<u8>,
    /// W3C `InkML`.
    pub inkml: String,
    /// What `fromData()` of the npm package `signature_pad` reads.
    pub signature_pad_json: String,
}

/// A drawing that the npm package `signature_pad` saved with `toData()` on a canvas of this size in CSS
/// pixels, as a signature to check and hand in.
///
/// # Errors
/// `InvalidInput` for text that is no such drawing, or for a drawing that was rubbed out in part.
#[uniffi::export]
pub fn signature_from_pad_json(
    json: String,
    canvas_width: f32,
    canvas_height: f32,
) -> Result<Signature, SatchelError> {
    let strokes = ink::strokes_from_signature_pad(&json).map_err(|error| {
        SatchelError::invalid(match error {
            InkImportError::TooLong { .. } => "signature_pad JSON: too long",
            InkImportError::NotADrawing => "signature_pad JSON",
            InkImportError::Erased => "signature_pad JSON: rubbed out in part",
        })
    })?;
    Ok(Signature {
        strokes,
        canvas_width,
        canvas_height,
        disclaimer: None,
        asked_again: false,
        keep_dynamics: false,
    })
}

impl SignatureForms {
    pub(crate) fn draw(
        ink: &ink::Signature,
        width_px: u32,
        height_px: u32,
    ) -> Result<Self, SatchelError> {
        let png = ink::to_png(ink, width_px, height_px).map_err(|error| match error {
            InkPictureError::BadSize { .. } => SatchelError::invalid("picture size"),
            InkPictureError::NotEncodable => SatchelError::internal("INK_NOT_ENCODABLE"),
        })?;
        Ok(Self {
            svg: ink.to_svg(width_px, height_px),
            png,
            inkml: ink.to_inkml(),
            signature_pad_json: ink.to_signature_pad_json(width_px),
        })
    }
}

/// Ink must not reach a log.
impl std::fmt::Debug for SignatureForms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignatureForms").finish_non_exhaustive()
    }
}

impl From<core::SignatureCheck> for SignatureCheck {
    fn from(check: core::SignatureCheck) -> Self {
        Self {
            doubts: check
                .doubts
                .into_iter()
                .map(|doubt| SignatureDoubt {
                    doubt,
                    text_zh: doubt.zh().to_owned(),
                    text_en: doubt.en().to_owned(),
                })
                .collect(),
            svg: check.svg,
        }
    }
}

impl From<Signature> for SignatureInput {
    fn from(signature: Signature) -> Self {
        Self {
            strokes: signature.strokes,
            canvas_width: signature.canvas_width,
            canvas_height: signature.canvas_height,
            disclaimer: signature.disclaimer.map(|shown| Disclaimer {
                version: shown.version,
                text: shown.text,
            }),
            asked_again: signature.asked_again,
            keep_dynamics: if signature.keep_dynamics {
                KeepDynamics::Yes
            } else {
                KeepDynamics::No
            },
        }
    }
}
