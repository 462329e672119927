//! Consents of customers: recorded at the hub, told to the phones, withdrawn, and asked afterwards
//! whether a handoff rested on one (Art 28(3), A023, A033).
//!
//! The phone refuses a handoff without consent before it happens; the hub can only say so afterwards.
//! It never drops the handoff for it: the board is told and a person decides.

mod gate;

use satchel_protocol::doorstep::{ConsentRecord, ConsentWithdrawnBody};
use satchel_protocol::feed;
use satchel_protocol::taxonomy::{ConsentOrigin, HandoffKind};
use thiserror::Error;

use crate::db::Tx;
use crate::doorstep;
use crate::error::HubError;
use crate::hub::Hub;
use crate::store::consents::{self as store, ConsentRow};
use crate::store::recorder::Recorder;
use crate::store::rounds;

pub(crate) use gate::{HandoffCase, Refusal, refusal};

/// Longest id of a consent, as phones take it.
const MAX_ID_BYTES: usize = 64;

/// Why a record cannot be kept as a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConsentFault {
    /// No id, or one that is too long.
    #[error("the consent has no usable id")]
    Id,
    /// Another record has this id.
    #[error("another consent has this id")]
    IdTaken,
    /// No handoff is named, or one that needs no consent.
    #[error("the consent names no handoff that needs one")]
    EmptyScope,
    /// A named proxy without a name.
    #[error("the consent to a named proxy names nobody")]
    NobodyNamed,
    /// It ends before it begins.
    #[error("the consent ends before it begins")]
    EndsBeforeItBegins,
    /// Neither parcels nor a standing preference.
    #[error("the consent is for no parcel")]
    NoParcel,
    /// A parcel this hub does not have.
    #[error("the consent is for a parcel this hub does not have")]
    UnknownParcel,
    /// A withdrawal of a consent this hub does not have.
    #[error("there is no such consent")]
    Unknown,
}

/// Whether the record has what a consent must have.
fn check(record: &ConsentRecord) -> Result<(), ConsentFault> {
    if record.consent_id.is_empty() || record.consent_id.len() > MAX_ID_BYTES {
        return Err(ConsentFault::Id);
    }
    if record.scope.is_empty() || !record.scope.iter().all(|h| h.consent().needs_record()) {
        return Err(ConsentFault::EmptyScope);
    }
    let nobody = record
        .named_person
        .as_deref()
        .is_none_or(|name| name.trim().is_empty());
    if record.scope.contains(&HandoffKind::NamedProxy) && nobody {
        return Err(ConsentFault::NobodyNamed);
    }
    if record.parcels.is_empty() && record.origin != ConsentOrigin::StandingPreference {
        return Err(ConsentFault::NoParcel);
    }
    if record
        .expires_at_ms
        .is_some_and(|end| end <= record.given_at_ms)
    {
        return Err(ConsentFault::EndsBeforeItBegins);
    }
    Ok(())
}

/// Keeps a consent that was given to the hub, and tells the couriers who have its parcels. Recording
/// the same one again changes nothing.
///
/// # Errors
/// [`HubError::Consent`] for a record that is no consent.
pub(crate) async fn record(tx: &mut Tx, record: &ConsentRecord) -> Result<(), HubError> {
    check(record)?;
    let held = store::by_id(tx, &record.consent_id).await?;
    if !held.is_empty() {
        let same = |row: &ConsentRow| {
            row.recorder == Recorder::Hub
                && ConsentRecord {
                    withdrawn_at_ms: record.withdrawn_at_ms,
                    ..row.record.clone()
                } == *record
        };
        return if held.iter().all(same) {
            Ok(())
        } else {
            Err(ConsentFault::IdTaken.into())
        };
    }
    for parcel in &record.parcels {
        if !rounds::parcel_is_known(tx, *parcel).await? {
            return Err(ConsentFault::UnknownParcel.into());
        }
    }
    let seq = store::next_hub_seq(tx).await?;
    store::add(tx, Recorder::Hub, seq, record).await?;
    for parcel in &record.parcels {
        doorstep::settle(tx, *parcel, record.given_at_ms).await?;
    }
    tell(tx, record).await
}

/// Takes a consent back, whoever recorded it, and tells the couriers. What was handed over before
/// stays; the earliest withdrawal counts.
///
/// # Errors
/// [`HubError::Consent`] when there is no such consent.
pub(crate) async fn withdraw(tx: &mut Tx, body: &ConsentWithdrawnBody) -> Result<(), HubError> {
    let held = store::by_id(tx, &body.consent_id).await?;
    if held.is_empty() {
        return Err(ConsentFault::Unknown.into());
    }
    let earlier = |row: &ConsentRow| {
        row.record
            .withdrawn_at_ms
            .is_some_and(|at_ms| at_ms <= body.withdrawn_at_ms)
    };
    if held.iter().all(earlier) {
        return Ok(());
    }
    let seq = store::next_hub_seq(tx).await?;
    store::add_withdrawal(tx, Recorder::Hub, seq, body).await?;
    for parcel in held.iter().flat_map(|row| &row.record.parcels) {
        doorstep::settle(tx, *parcel, body.withdrawn_at_ms).await?;
    }
    tell_withdrawn(tx, body).await
}

/// Tells the couriers who have its parcels.
pub(crate) async fn tell(tx: &mut Tx, record: &ConsentRecord) -> Result<(), HubError> {
    for courier in store::couriers_of(tx, &record.parcels).await? {
        crate::store::feed::append(tx, courier, feed::CONSENT, record).await?;
    }
    Ok(())
}

/// Tells the couriers who have its parcels that it no longer holds.
pub(crate) async fn tell_withdrawn(
    tx: &mut Tx,
    body: &ConsentWithdrawnBody,
) -> Result<(), HubError> {
    let held = store::by_id(tx, &body.consent_id).await?;
    let parcels: Vec<_> = held
        .into_iter()
        .flat_map(|row| row.record.parcels)
        .collect();
    for courier in store::couriers_of(tx, &parcels).await? {
        crate::store::feed::append(tx, courier, feed::CONSENT_WITHDRAWN, body).await?;
    }
    Ok(())
}

impl Hub {
    /// Keeps a consent that reached the operator elsewhere, such as a call to the service line, and
    /// tells the couriers who have its parcels.
    ///
    /// # Errors
    /// [`HubError::Consent`] for a record that is no consent.
    pub async fn record_consent(&self, given: &ConsentRecord) -> Result<(), HubError> {
        let mut tx = self.db().write().await?;
        record(&mut tx, given).await?;
        Ok(tx.commit().await?)
    }

    /// Takes a consent back from now on.
    ///
    /// # Errors
    /// [`HubError::Consent`] when there is no such consent.
    pub async fn withdraw_consent(&self, consent_id: &str) -> Result<(), HubError> {
        let body = ConsentWithdrawnBody {
            consent_id: consent_id.to_owned(),
            withdrawn_at_ms: self.now_ms(),
            stop: None,
        };
        let mut tx = self.db().write().await?;
        withdraw(&mut tx, &body).await?;
        Ok(tx.commit().await?)
    }
}

#[cfg(test)]
mod tests;
