//! What a courier reads when something is refused, in Chinese and English.
//!
//! The words belong to the library: every app that embeds it must explain a rule in the same way, and an
//! app that shows an error it was not written for must still have something to show.

use satchel_core::Refusal;
use satchel_core::rules::wording::Wording as _;

use crate::codes::{Blocking, PhotoWarning, RequirementItem, SyncState};
use crate::error::{PhotoProblem, SignatureProblem};

/// The refusal in both languages, Chinese first.
pub(crate) fn refusal(refusal: &Refusal) -> (String, String) {
    match refusal {
        Refusal::Missing { items } => {
            let items: Vec<RequirementItem> = items.iter().map(|unmet| unmet.item).collect();
            (
                format!("还缺:{}。", list(&items, RequirementItem::zh, "、")),
                format!(
                    "Still missing: {}.",
                    list(&items, RequirementItem::en, ", ")
                ),
            )
        }
        other => {
            let text = other.text();
            (format!("{}。", text.zh), format!("{}.", text.en))
        }
    }
}

/// Why a photo was not taken, Chinese first.
pub(crate) fn photo(reason: PhotoProblem) -> (&'static str, &'static str) {
    match reason {
        PhotoProblem::Missing => (
            "找不到照片文件,请重拍。",
            "The photo file is gone. Take it again.",
        ),
        PhotoProblem::Unreadable => (
            "照片无法读取,请重拍。",
            "The photo cannot be read. Take it again.",
        ),
        PhotoProblem::Empty => (
            "照片是空文件,请重拍。",
            "The photo is empty. Take it again.",
        ),
        PhotoProblem::TooLarge => ("照片文件过大。", "The photo file is too large."),
        PhotoProblem::TooManyPixels => ("照片像素过多。", "The photo has too many pixels."),
        PhotoProblem::NotAnImage => ("该文件不是照片。", "The file is not a photo."),
        PhotoProblem::UnsupportedFormat => (
            "不支持该照片格式,请改用 JPEG。",
            "Photos of this format are not taken. Use JPEG.",
        ),
        PhotoProblem::CutOff => (
            "照片不完整,请重拍。",
            "The photo is cut off. Take it again.",
        ),
        PhotoProblem::Damaged => (
            "照片已损坏,请重拍。",
            "The photo is damaged. Take it again.",
        ),
        PhotoProblem::NotEncodable => (
            "照片无法保存,请重拍。",
            "The photo cannot be saved. Take it again.",
        ),
    }
}

/// Why a signature was not taken, Chinese first.
pub(crate) fn signature(reason: SignatureProblem) -> (&'static str, &'static str) {
    match reason {
        SignatureProblem::Empty => ("请签名。", "Please sign."),
        SignatureProblem::Dot => (
            "只有一个点,请重新签名。",
            "That is only a dot. Please sign again.",
        ),
        SignatureProblem::TooShort => (
            "签名过短,请重新签名。",
            "That is too short. Please sign again.",
        ),
        SignatureProblem::NotFinite
        | SignatureProblem::BadPressure
        | SignatureProblem::BadCanvas
        | SignatureProblem::OutsideCanvas => (
            "签名未能正确记录,请重新签名。",
            "The signature was not captured. Please sign again.",
        ),
        SignatureProblem::TooMuchInk => (
            "笔画过多,请重新签名。",
            "That is too much ink. Please sign again.",
        ),
    }
}

/// Declares a list of states and their words: one table, so that a state without words, or one missing
/// from the list, does not compile.
macro_rules! words {
    ($(#[$doc:meta])* $function:ident, $all:ident: $kind:ident { $($value:ident: $zh:literal, $en:literal;)+ }) => {
        $(#[$doc])*
        pub(crate) const fn $function(value: $kind) -> (&'static str, &'static str) {
            match value { $($kind::$value => ($zh, $en),)+ }
        }

        /// Every value of the list.
        pub(crate) const $all: &[$kind] = &[$($kind::$value),+];
    };
}

words!(
    /// What to ask the courier about a photo, Chinese first (B4-18).
    photo_warning, PHOTO_WARNINGS: PhotoWarning {
        Dark: "照片太暗", "The photo is dark";
        Blurry: "照片模糊", "The photo is blurred";
        Tiny: "照片太小,面单可能看不清", "The photo is small; a label may not be readable";
        EndMissing: "照片底部可能缺失", "The bottom of the photo may be missing";
        Glare: "照片有反光", "Part of the photo is burnt out by a reflection";
        Screen: "像是翻拍屏幕", "This looks like a photo of a screen";
        OrientationDoubtful: "照片方向可能不对", "The photo may be turned the wrong way";
        Repeated: "该照片以前用过", "This photo was used before";
    }
);

words!(
    /// How far a stop's records have got, Chinese first (B4-6).
    sync_state, SYNC_STATES: SyncState {
        Nothing: "无记录", "Nothing recorded";
        Local: "已存本机", "On this phone";
        Sending: "发送中", "Sending";
        Received: "已收到,照片待传", "Received, photos to follow";
        ProofLost: "已收到,照片已丢失", "Received, a photo is lost";
        ProofComplete: "已同步", "Synced";
    }
);

words!(
    /// What holds the queue, Chinese first (B4-14).
    blocking, BLOCKINGS: Blocking {
        Network: "连不上服务器,稍后重试", "The hub cannot be reached; trying again";
        BadAnswer: "服务器应答异常,稍后重试", "The hub answers wrongly; trying again";
        Refused: "服务器拒绝本机,请联系网点", "The hub refuses this phone; call the depot";
        HubContradicts: "服务器记录前后矛盾,请联系网点", "The hub contradicts its own log; call the depot";
    }
);

fn list(
    items: &[RequirementItem],
    word: impl Fn(RequirementItem) -> &'static str,
    between: &str,
) -> String {
    items
        .iter()
        .map(|item| word(*item))
        .collect::<Vec<_>>()
        .join(between)
}
