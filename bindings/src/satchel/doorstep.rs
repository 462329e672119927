//! The calls beside the attempt itself: consents, calls, reports, corrections, history.

use satchel_core::protocol::ids::ParcelId;
use satchel_core::rules::wording::Wording as _;

use super::{Result, Satchel};
use crate::codes::{HandoffKind, Reason};
use crate::convert::id;
use crate::door::Requirement;
use crate::doorstep::{
    Call, CallRequest, Consent, ConsentRequest, CorrectionRequest, HistoryLine, ParcelHistory,
    Remedy, Report, ReportRequest, Word, state_word,
};
use crate::error::SatchelError;
use crate::storage::Erasure;

#[uniffi::export]
impl Satchel {
    /// What a handoff at a stop needs, line by line with the rule it comes from; reads only. `parcelIds`
    /// empty: every parcel that may be handed over this way.
    ///
    /// # Errors
    /// `Refused` when this handoff is not allowed here, `NotFound` for an unknown stop.
    #[uniffi::method(default(parcel_ids = []))]
    pub fn requirements(
        &self,
        stop_id: String,
        handoff: HandoffKind,
        parcel_ids: Vec<String>,
    ) -> Result<Vec<Requirement>> {
        let stop = id(&stop_id, "stop_id")?;
        let parcels: Vec<ParcelId> = parcel_ids
            .iter()
            .map(|parcel| id(parcel, "parcel_id"))
            .collect::<Result<_>>()?;
        let lines = if parcels.is_empty() {
            self.courier.requirements(stop, handoff)?
        } else {
            self.courier
                .requirements_for(stop, handoff, &parcels, &[])?
        };
        Ok(lines.into_iter().map(Requirement::from).collect())
    }

    /// Stores a consent given on the spot; a locked handoff opens when it is of its kind.
    ///
    /// # Errors
    /// `Refused` with what makes it no consent: a call too short, nobody named, the wrong giver.
    pub fn record_consent(&self, request: ConsentRequest) -> Result<Consent> {
        Ok(self.courier.record_consent(&request.try_into()?)?.into())
    }

    /// The customer takes a consent back. What was handed over before it stays.
    ///
    /// # Errors
    /// `NotFound` for an unknown consent.
    #[uniffi::method(default(stop_id = None))]
    pub fn withdraw_consent(&self, consent_id: String, stop_id: Option<String>) -> Result<()> {
        let stop = stop_id.map(|stop| id(&stop, "stop_id")).transpose()?;
        Ok(self.courier.withdraw_consent(&consent_id, stop)?)
    }

    /// Every consent that concerns the parcels of a stop, valid or not.
    ///
    /// # Errors
    /// `NotFound` for an unknown stop.
    pub fn consents(&self, stop_id: String) -> Result<Vec<Consent>> {
        let views = self.courier.consents(id(&stop_id, "stop_id")?)?;
        Ok(views.into_iter().map(Consent::from).collect())
    }

    /// Records one try to reach the customer (A036).
    ///
    /// # Errors
    /// `NotFound` for an unknown stop, `InvalidInput` for a number that is none.
    pub fn log_call(&self, call: CallRequest) -> Result<Call> {
        Ok(self.courier.log_call(&call.try_into()?)?.into())
    }

    /// The calls that were made for a stop.
    ///
    /// # Errors
    /// `NotFound` for an unknown stop.
    pub fn calls(&self, stop_id: String) -> Result<Vec<Call>> {
        let calls = self.courier.calls(id(&stop_id, "stop_id")?)?;
        Ok(calls.into_iter().map(Call::from).collect())
    }

    /// Opens a report so that photos can be added to it with `addPhoto`; a report without photos needs
    /// none of this.
    ///
    /// # Errors
    /// `NotFound` for an unknown stop.
    pub fn begin_report(&self, stop_id: String) -> Result<String> {
        let draft = self.courier.begin_report(id(&stop_id, "stop_id")?)?;
        Ok(draft.draft.to_string())
    }

    /// Records that something is wrong, at any time and without a network, and answers with what can be
    /// offered to the customer now (A042, A043).
    ///
    /// # Errors
    /// `Refused` for a reason that says nothing without words.
    pub fn report(&self, request: ReportRequest) -> Result<Report> {
        Ok(self.courier.report(&request.try_into()?)?.into())
    }

    /// The reports of this phone, the newest first, each with the hub's answer once it is here.
    ///
    /// # Errors
    /// Those of the store.
    pub fn reports(&self) -> Result<Vec<Report>> {
        let reports = self.courier.reports()?;
        Ok(reports.into_iter().map(Report::from).collect())
    }

    /// What can be done about a reason for the parcels of a stop, what can be done now first.
    ///
    /// # Errors
    /// `NotFound` for an unknown stop.
    pub fn remedies(&self, stop_id: String, reason: Reason) -> Result<Vec<Remedy>> {
        let remedies = self
            .courier
            .remedies(id(&stop_id, "stop_id")?, &[], reason)?;
        Ok(remedies.into_iter().map(Remedy::from).collect())
    }

    /// The courier's own evidence about a parcel, as the text of a web page that anybody can check offline
    /// with `satchel verify`. Personal data is in it: hand it to the courier and keep no copy.
    ///
    /// # Errors
    /// `NotFound` for an unknown parcel, `NotEnrolled` before this phone belongs to a hub.
    pub fn evidence(&self, parcel_id: String) -> Result<String> {
        Ok(self.courier.evidence(id(&parcel_id, "parcel_id")?)?)
    }

    /// The proofs that the hub contradicted itself, each the text of a file that `satchel verify` checks.
    ///
    /// # Errors
    /// `NotEnrolled` before this phone belongs to a hub.
    pub fn hub_contradictions(&self) -> Result<Vec<String>> {
        Ok(self.courier.hub_contradictions()?)
    }

    /// Erases what this phone knows of a delivery: name, number, address, words, photos, signature. It waits
    /// until the hub has everything; the log keeps verifying.
    ///
    /// # Errors
    /// `NotEnrolled` before this phone belongs to a hub; those of the store.
    pub fn erase(&self, parcel_id: String) -> Result<Erasure> {
        Ok(self.courier.erase(id(&parcel_id, "parcel_id")?)?.into())
    }

    /// How far the erasure of a delivery has got; nothing if nobody asked for one.
    ///
    /// # Errors
    /// Those of the store.
    pub fn erasure(&self, parcel_id: String) -> Result<Option<Erasure>> {
        let state = self.courier.erasure(id(&parcel_id, "parcel_id")?)?;
        Ok(state.map(Erasure::from))
    }

    /// Everything that is known about a parcel, and where it is by it.
    ///
    /// # Errors
    /// `NotFound` for an unknown parcel.
    pub fn history(&self, parcel_id: String) -> Result<ParcelHistory> {
        let parcel: ParcelId = id(&parcel_id, "parcel_id")?;
        let view = self.courier.parcel(parcel)?;
        let lines = self.courier.history(parcel)?;
        Ok(ParcelHistory {
            state: state_word(view.state),
            flags: view
                .flags
                .iter()
                .map(|flag| Word::sentence(flag.text()))
                .collect(),
            lines: lines.into_iter().map(HistoryLine::from).collect(),
        })
    }

    /// Opens a correction so that photos which came late can be added with `addPhoto`.
    ///
    /// # Errors
    /// `NotFound` for an unknown parcel.
    pub fn begin_correction(&self, parcel_id: String) -> Result<String> {
        let draft = self
            .courier
            .begin_correction(id(&parcel_id, "parcel_id")?)?;
        Ok(draft.to_string())
    }

    /// Puts the record right with a new entry; the earlier one stays (B4-4).
    ///
    /// # Errors
    /// `Refused` with the reason why this correction does not hold: too late to undo, not the last step,
    /// words missing.
    pub fn correct(&self, request: CorrectionRequest) -> Result<()> {
        self.courier.correct(&request.try_into()?)?;
        Ok(())
    }

    /// Records that a new time was agreed on without a visit; the window is in Unix milliseconds (B4-5).
    ///
    /// # Errors
    /// `Refused` where the parcel's life allows no new time, `InvalidInput` for a window that is none.
    #[uniffi::method(default(window_start_ms = None, window_end_ms = None, words = None))]
    pub fn reschedule(
        &self,
        parcel_id: String,
        window_start_ms: Option<i64>,
        window_end_ms: Option<i64>,
        words: Option<String>,
    ) -> Result<()> {
        let window_ms = match (window_start_ms, window_end_ms) {
            (None, None) => None,
            (Some(start), Some(end)) => Some((start, end)),
            _ => return Err(SatchelError::invalid("time window")),
        };
        let parcel = id(&parcel_id, "parcel_id")?;
        self.courier
            .reschedule(parcel, window_ms, words.as_deref())?;
        Ok(())
    }

    /// Records that parcels were given back at the depot, all or none.
    ///
    /// # Errors
    /// `Refused` for one that cannot be given back now.
    pub fn hand_back(&self, parcel_ids: Vec<String>) -> Result<()> {
        let parcels: Vec<ParcelId> = parcel_ids
            .iter()
            .map(|parcel| id(parcel, "parcel_id"))
            .collect::<Result<_>>()?;
        Ok(self.courier.hand_back(&parcels)?)
    }
}
