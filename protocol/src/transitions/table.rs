//! The two tables. A pair that is not in a table is not legal; there is no other place to look.

use crate::taxonomy::{Action, Reason};

use crate::taxonomy::code_enum;

code_enum! {
    /// Where a parcel is in its life; always exactly one of these (A063).
    pub enum ParcelState {
        ToCollect = "TO_COLLECT", "待揽收", "To be collected";
        OnRound = "ON_ROUND", "待装车", "On the round, not yet scanned";
        OnVehicle = "ON_VEHICLE", "派送中", "Out for delivery";
        AwaitingNextAttempt = "AWAITING_NEXT_ATTEMPT", "待再次派送", "Waiting for the next attempt";
        Held = "HELD", "留存待处理", "Held until decided";
        ToDepot = "TO_DEPOT", "待交回网点", "To be handed back";
        AtDepot = "AT_DEPOT", "已交回网点", "Back at the depot";
        Returning = "RETURNING", "退回中", "On its way back to the sender";
        Cancelled = "CANCELLED", "已撤销,待交回", "Cancelled, to be given back";
        AtPickupPoint = "AT_PICKUP_POINT", "待自取", "Waiting in a locker or station";
        PartlyDelivered = "PARTLY_DELIVERED", "部分签收", "Partly delivered";
        Delivered = "DELIVERED", "已签收", "Delivered";
        Returned = "RETURNED", "已退回", "Returned to the sender";
    }
}

code_enum! {
    /// A step of a parcel. Failures are told apart by what follows them, not by their reason.
    pub enum Step {
        Collected = "COLLECTED", "揽收", "Collected from the sender";
        Loaded = "LOADED", "装车", "Scanned onto the vehicle";
        Delivered = "DELIVERED", "签收", "Handed over";
        LeftAtPoint = "LEFT_AT_POINT", "投柜或入站", "Put in a locker or station";
        PartlyDelivered = "PARTLY_DELIVERED", "部分签收", "Handed over in part";
        FailedRetry = "FAILED_RETRY", "未成功,再派", "Failed, to be tried again";
        FailedHold = "FAILED_HOLD", "未成功,留存", "Failed, to be held";
        FailedDepot = "FAILED_DEPOT", "未成功,交回", "Failed, to go back to the depot";
        FailedReturn = "FAILED_RETURN", "未成功,退回", "Failed, to go back to the sender";
        OverdueAtPoint = "OVERDUE_AT_POINT", "超时未取", "Not collected in time";
        Rescheduled = "RESCHEDULED", "改约", "New time agreed";
        Cancelled = "CANCELLED", "撤销", "Cancelled";
        HandedBack = "HANDED_BACK", "交回网点", "Handed back at the depot";
        ReturnedToSender = "RETURNED_TO_SENDER", "退给寄件人", "Given back to the sender";
        CollectedByRecipient = "COLLECTED_BY_RECIPIENT", "客户自取", "Collected by the recipient";
        RedeliveryDemanded = "REDELIVERY_DEMANDED", "要求送上门", "Door delivery demanded";
        Reopened = "REOPENED", "重新打开", "Opened again";
    }
}

impl Step {
    /// Whether the parcel leaves the courier's hands for the recipient's side.
    #[must_use]
    pub const fn is_handover(self) -> bool {
        matches!(
            self,
            Self::Delivered | Self::LeftAtPoint | Self::PartlyDelivered
        )
    }

    /// Whether this is a visit that counts as an attempt (C3).
    #[must_use]
    pub const fn is_attempt(self) -> bool {
        self.is_handover()
            || matches!(
                self,
                Self::FailedRetry | Self::FailedHold | Self::FailedDepot | Self::FailedReturn
            )
    }
}

impl ParcelState {
    /// Whether nothing is left to do with the parcel unless it is corrected.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Delivered | Self::PartlyDelivered | Self::Returned
        )
    }

    /// Whether a courier may try to hand it over now.
    #[must_use]
    pub fn is_deliverable(self) -> bool {
        parcel_next(self, Step::Delivered).is_some()
    }
}

/// The parcel's table: in this state, this step leads there.
pub const PARCEL_TABLE: &[(ParcelState, &[(Step, ParcelState)])] = {
    use ParcelState as S;
    use Step as P;
    &[
        (
            S::ToCollect,
            &[
                (P::Collected, S::OnVehicle),
                (P::FailedRetry, S::ToCollect),
                (P::FailedHold, S::ToCollect),
                (P::Rescheduled, S::ToCollect),
                (P::Cancelled, S::Cancelled),
            ],
        ),
        (
            S::OnRound,
            &[
                (P::Loaded, S::OnVehicle),
                (P::Delivered, S::Delivered),
                (P::LeftAtPoint, S::AtPickupPoint),
                (P::PartlyDelivered, S::PartlyDelivered),
                (P::FailedRetry, S::AwaitingNextAttempt),
                (P::FailedHold, S::Held),
                (P::FailedDepot, S::ToDepot),
                (P::FailedReturn, S::Returning),
                (P::Rescheduled, S::AwaitingNextAttempt),
                (P::Cancelled, S::Cancelled),
                (P::HandedBack, S::AtDepot),
            ],
        ),
        (
            S::OnVehicle,
            &[
                (P::Delivered, S::Delivered),
                (P::LeftAtPoint, S::AtPickupPoint),
                (P::PartlyDelivered, S::PartlyDelivered),
                (P::FailedRetry, S::AwaitingNextAttempt),
                (P::FailedHold, S::Held),
                (P::FailedDepot, S::ToDepot),
                (P::FailedReturn, S::Returning),
                (P::Rescheduled, S::AwaitingNextAttempt),
                (P::Cancelled, S::Cancelled),
                (P::HandedBack, S::AtDepot),
            ],
        ),
        (
            S::AwaitingNextAttempt,
            &[
                (P::Loaded, S::OnVehicle),
                (P::Delivered, S::Delivered),
                (P::LeftAtPoint, S::AtPickupPoint),
                (P::PartlyDelivered, S::PartlyDelivered),
                (P::FailedRetry, S::AwaitingNextAttempt),
                (P::FailedHold, S::Held),
                (P::FailedDepot, S::ToDepot),
                (P::FailedReturn, S::Returning),
                (P::Rescheduled, S::AwaitingNextAttempt),
                (P::Cancelled, S::Cancelled),
                (P::HandedBack, S::AtDepot),
            ],
        ),
        (
            S::Held,
            &[
                (P::Loaded, S::OnVehicle),
                (P::FailedDepot, S::ToDepot),
                (P::FailedReturn, S::Returning),
                (P::Rescheduled, S::AwaitingNextAttempt),
                (P::Cancelled, S::Cancelled),
                (P::HandedBack, S::AtDepot),
                (P::Reopened, S::AwaitingNextAttempt),
            ],
        ),
        (
            S::ToDepot,
            &[
                (P::HandedBack, S::AtDepot),
                (P::Rescheduled, S::AwaitingNextAttempt),
                (P::Cancelled, S::Cancelled),
                (P::Reopened, S::AwaitingNextAttempt),
            ],
        ),
        (
            S::AtDepot,
            &[
                (P::Loaded, S::OnVehicle),
                (P::Rescheduled, S::AwaitingNextAttempt),
                (P::Cancelled, S::Cancelled),
                (P::ReturnedToSender, S::Returned),
            ],
        ),
        (
            S::Returning,
            &[
                (P::HandedBack, S::AtDepot),
                (P::ReturnedToSender, S::Returned),
                (P::Cancelled, S::Returning),
                (P::Reopened, S::AwaitingNextAttempt),
            ],
        ),
        (
            S::Cancelled,
            &[
                (P::FailedHold, S::Cancelled),
                (P::FailedDepot, S::ToDepot),
                (P::FailedReturn, S::Returning),
                (P::HandedBack, S::AtDepot),
                (P::ReturnedToSender, S::Returned),
                (P::Reopened, S::AwaitingNextAttempt),
            ],
        ),
        (
            S::AtPickupPoint,
            &[
                (P::CollectedByRecipient, S::Delivered),
                (P::OverdueAtPoint, S::AtPickupPoint),
                (P::RedeliveryDemanded, S::AwaitingNextAttempt),
                (P::FailedReturn, S::Returning),
                (P::Reopened, S::AwaitingNextAttempt),
            ],
        ),
        (
            S::PartlyDelivered,
            &[
                (P::HandedBack, S::PartlyDelivered),
                (P::ReturnedToSender, S::PartlyDelivered),
                (P::Reopened, S::AwaitingNextAttempt),
            ],
        ),
        (S::Delivered, &[(P::Reopened, S::AwaitingNextAttempt)]),
        (S::Returned, &[(P::Reopened, S::Returning)]),
    ]
};

/// Where a step leads, if it is legal in this state.
#[must_use]
pub fn parcel_next(from: ParcelState, step: Step) -> Option<ParcelState> {
    PARCEL_TABLE
        .iter()
        .find(|(state, _)| *state == from)
        .and_then(|(_, row)| row.iter().find(|(s, _)| *s == step))
        .map(|(_, to)| *to)
}

/// What a failure means for the parcel; the action decides, since it is the next thing to happen.
#[must_use]
pub const fn step_after_failure(reason: Reason, action: Action) -> Step {
    use Action as A;
    if matches!(reason, Reason::StationOverdue) {
        return match action {
            A::ReturnToSender => Step::FailedReturn,
            A::DoorAppointment => Step::RedeliveryDemanded,
            _ => Step::OverdueAtPoint,
        };
    }
    match action {
        A::ReturnToSender => Step::FailedReturn,
        A::HandBackAtDepot | A::Transfer => Step::FailedDepot,
        A::Hold | A::OpenLevel1Case | A::ReportIncident | A::Search => Step::FailedHold,
        A::SecondDelivery
        | A::StationWithConsent
        | A::RetrySameTour
        | A::RetryOnFoot
        | A::ExcusedRetry
        | A::NextWave
        | A::NextWorkingDay
        | A::NewWindow
        | A::Redirect
        | A::ContactRecipient
        | A::ContactSender
        | A::ConfirmAddress
        | A::Remind
        | A::DoorAppointment
        | A::ResendCode
        | A::OtherProof
        | A::PartialSign
        | A::ManualNumber => Step::FailedRetry,
    }
}

code_enum! {
    /// Where one visit is.
    pub enum AttemptState {
        Open = "OPEN", "进行中", "Open at the door";
        WithProof = "WITH_PROOF", "已有凭证", "Open, with proofs on disk";
        Expired = "EXPIRED", "已失效", "Left open too long; its proofs belong to no delivery";
        Completed = "COMPLETED", "已完成", "Completed and signed";
        Corrected = "CORRECTED", "已更正", "Completed, with a correction beside it";
        Withdrawn = "WITHDRAWN", "已撤回", "Undone; counts as never done";
    }
}

code_enum! {
    /// A step of one visit.
    pub enum AttemptStep {
        ProofAdded = "PROOF_ADDED", "添加凭证", "A proof is stored";
        TimeRanOut = "TIME_RAN_OUT", "超时", "Left open too long";
        Completed = "COMPLETED", "完成", "Completed";
        Corrected = "CORRECTED", "更正", "Late proof, other reason or opened again";
        Undone = "UNDONE", "撤销", "Undone or recorded on the wrong parcel";
    }
}

/// The attempt's table.
pub const ATTEMPT_TABLE: &[(AttemptState, AttemptStep, AttemptState)] = {
    use AttemptState as S;
    use AttemptStep as P;
    &[
        (S::Open, P::ProofAdded, S::WithProof),
        (S::Open, P::TimeRanOut, S::Expired),
        (S::Open, P::Completed, S::Completed),
        (S::WithProof, P::ProofAdded, S::WithProof),
        (S::WithProof, P::TimeRanOut, S::Expired),
        (S::WithProof, P::Completed, S::Completed),
        (S::Completed, P::Corrected, S::Corrected),
        (S::Completed, P::Undone, S::Withdrawn),
        (S::Corrected, P::Corrected, S::Corrected),
        (S::Corrected, P::Undone, S::Withdrawn),
    ]
};

/// Where a step of a visit leads, if it is legal.
#[must_use]
pub fn attempt_next(from: AttemptState, step: AttemptStep) -> Option<AttemptState> {
    ATTEMPT_TABLE
        .iter()
        .find(|(state, s, _)| *state == from && *s == step)
        .map(|(_, _, to)| *to)
}
