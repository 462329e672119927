//! Every code list with its words in both languages, so that an app needs no table of its own.
//!
//! One call gives them all: a call per row would cost more than the lists.

use crate::codes::{
    Action, Blocking, CallResult, ConsentChannel, HandlingTag, HandoffKind, IdentityMethod,
    InspectionResult, Outcome, PhotoOrigin, PhotoWarning, PromiseClass, Reason, Relation,
    SkipReason, SyncState,
};
use crate::plan::PlanReason;
use crate::text;

/// Why a parcel was not handed over, with what may follow.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ReasonLabel {
    /// The reason.
    pub reason: Reason,
    /// Its canonical code.
    pub code: String,
    /// In Chinese.
    pub text_zh: String,
    /// In English.
    pub text_en: String,
    /// What may follow it; the first is the one to suggest (A043).
    pub actions: Vec<Action>,
    /// The courier must say in words what happened.
    pub requires_note: bool,
    /// A photo must be taken.
    pub requires_photo: bool,
}

/// A kind of handoff, with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HandoffLabel {
    /// The kind.
    pub handoff: HandoffKind,
    /// Its canonical code.
    pub code: String,
    /// In Chinese.
    pub text_zh: String,
    /// In English.
    pub text_en: String,
    /// It needs the customer's stored consent (Art 28(3)).
    pub needs_consent: bool,
}

/// Declares the record of a plain list and how it is filled.
macro_rules! label {
    ($(#[$doc:meta])* $name:ident, $field:ident: $kind:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
        pub struct $name {
            /// The value.
            pub $field: $kind,
            /// Its canonical code.
            pub code: String,
            /// In Chinese.
            pub text_zh: String,
            /// In English.
            pub text_en: String,
        }

        impl $name {
            fn all() -> Vec<Self> {
                $kind::ALL
                    .iter()
                    .map(|value| Self {
                        $field: *value,
                        code: value.code().to_owned(),
                        text_zh: value.zh().to_owned(),
                        text_en: value.en().to_owned(),
                    })
                    .collect()
            }
        }
    };
}

label!(
    /// What may follow a failed attempt.
    ActionLabel, action: Action
);
label!(
    /// Who signed.
    RelationLabel, relation: Relation
);
label!(
    /// How an attempt ended.
    OutcomeLabel, outcome: Outcome
);
label!(
    /// What came of offering to inspect.
    InspectionLabel, inspection: InspectionResult
);
label!(
    /// How the recipient is checked.
    IdentityLabel, method: IdentityMethod
);
label!(
    /// A published promise.
    PromiseLabel, promise: PromiseClass
);
label!(
    /// A parcel's handling.
    TagLabel, tag: HandlingTag
);
label!(
    /// How a call ended.
    CallResultLabel, result: CallResult
);
label!(
    /// How a consent was given.
    ConsentChannelLabel, channel: ConsentChannel
);
label!(
    /// Why an item was skipped.
    SkipReasonLabel, reason: SkipReason
);
label!(
    /// Where a photo came from.
    OriginLabel, origin: PhotoOrigin
);

/// Declares the record of a list of states, which have words and no code.
macro_rules! state_label {
    ($(#[$doc:meta])* $name:ident, $field:ident: $kind:ident, $words:path, $all:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
        pub struct $name {
            /// The value.
            pub $field: $kind,
            /// In Chinese.
            pub text_zh: String,
            /// In English.
            pub text_en: String,
        }

        impl $name {
            fn all() -> Vec<Self> {
                $all.iter()
                    .map(|value| {
                        let (zh, en) = $words(*value);
                        Self {
                            $field: *value,
                            text_zh: zh.to_owned(),
                            text_en: en.to_owned(),
                        }
                    })
                    .collect()
            }
        }
    };
}

state_label!(
    /// A doubt about a photo.
    WarningLabel, warning: PhotoWarning, text::photo_warning, text::PHOTO_WARNINGS
);
state_label!(
    /// How far a stop's records have got.
    SyncStateLabel, state: SyncState, text::sync_state, text::SYNC_STATES
);
label!(
    /// Why a stop is where it is in the plan.
    PlanReasonLabel, why: PlanReason
);
state_label!(
    /// What holds the queue.
    BlockingLabel, blocking: Blocking, text::blocking, text::BLOCKINGS
);

/// Every code list, in the order in which people are shown it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CodeLists {
    /// Reasons of a failed attempt.
    pub reasons: Vec<ReasonLabel>,
    /// What may follow.
    pub actions: Vec<ActionLabel>,
    /// Kinds of handoff.
    pub handoffs: Vec<HandoffLabel>,
    /// Relations of a signer.
    pub relations: Vec<RelationLabel>,
    /// Outcomes.
    pub outcomes: Vec<OutcomeLabel>,
    /// Answers to the inspection prompt.
    pub inspections: Vec<InspectionLabel>,
    /// Ways to check the recipient.
    pub identity_methods: Vec<IdentityLabel>,
    /// Promises.
    pub promises: Vec<PromiseLabel>,
    /// Handling tags.
    pub tags: Vec<TagLabel>,
    /// How calls end.
    pub call_results: Vec<CallResultLabel>,
    /// How consents are given.
    pub consent_channels: Vec<ConsentChannelLabel>,
    /// Excuses for an item that may be skipped.
    pub skip_reasons: Vec<SkipReasonLabel>,
    /// Origins of a photo.
    pub photo_origins: Vec<OriginLabel>,
    /// Doubts about a photo.
    pub photo_warnings: Vec<WarningLabel>,
    /// States of a stop's records.
    pub sync_states: Vec<SyncStateLabel>,
    /// What can hold the queue.
    pub blockings: Vec<BlockingLabel>,
    /// Reasons for a stop's place in the plan.
    pub plan_reasons: Vec<PlanReasonLabel>,
}

/// The code lists of this release. They never change while it runs: read them once.
#[uniffi::export]
#[must_use]
pub fn code_lists() -> CodeLists {
    CodeLists {
        reasons: Reason::ALL
            .iter()
            .map(|reason| ReasonLabel {
                reason: *reason,
                code: reason.code().to_owned(),
                text_zh: reason.zh().to_owned(),
                text_en: reason.en().to_owned(),
                actions: reason.legal_actions().to_vec(),
                requires_note: reason.requires_text(),
                requires_photo: reason.requires_photo(),
            })
            .collect(),
        actions: ActionLabel::all(),
        handoffs: HandoffKind::ALL
            .iter()
            .map(|handoff| HandoffLabel {
                handoff: *handoff,
                code: handoff.code().to_owned(),
                text_zh: handoff.zh().to_owned(),
                text_en: handoff.en().to_owned(),
                needs_consent: handoff.consent().needs_record(),
            })
            .collect(),
        relations: RelationLabel::all(),
        outcomes: OutcomeLabel::all(),
        inspections: InspectionLabel::all(),
        identity_methods: IdentityLabel::all(),
        promises: PromiseLabel::all(),
        tags: TagLabel::all(),
        call_results: CallResultLabel::all(),
        consent_channels: ConsentChannelLabel::all(),
        skip_reasons: SkipReasonLabel::all(),
        photo_origins: OriginLabel::all(),
        photo_warnings: WarningLabel::all(),
        sync_states: SyncStateLabel::all(),
        blockings: BlockingLabel::all(),
        plan_reasons: PlanReasonLabel::all(),
    }
}
