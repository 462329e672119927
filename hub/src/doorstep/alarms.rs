//! The alarms of one parcel: always those that follow from everything known about it, whatever came
//! first. One that a person has cleared stays cleared; one that later news explains away goes.

use std::collections::BTreeSet;

use satchel_protocol::ids::{DeviceId, ParcelId};
use satchel_protocol::taxonomy::HandoffKind;
use satchel_protocol::transitions::{EventId, Flag, Folded, Origin, Verdict};
use sqlx::Row;

use super::{HandoffCase, noted};
use crate::consents::{self, Refusal};
use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::store::consents as consent_rows;
use crate::store::entries::{self, AlarmKind};

/// An alarm as it should be: what, whose, where in that log.
type Wanted = BTreeSet<(&'static str, Option<DeviceId>, Option<i64>)>;

/// The kinds that follow from a parcel's story.
const MANAGED: &[AlarmKind] = &[
    AlarmKind::NoConsent,
    AlarmKind::DoorRequired,
    AlarmKind::NobodyToCheck,
    AlarmKind::SecondHandover,
    AlarmKind::CancelledAfterHandover,
    AlarmKind::HandedOverDespiteCancel,
    AlarmKind::ClockMovedBack,
    AlarmKind::CodeWrong,
    // Never wanted by what is known: anything that is recorded takes it away.
    AlarmKind::NoOutcome,
];

pub(super) async fn refresh(
    tx: &mut Tx,
    parcel: ParcelId,
    folded: &Folded,
    now_ms: i64,
) -> Result<(), HubError> {
    let mut wanted: Wanted = folded.flags.iter().map(of_flag).collect();
    handoffs(tx, parcel, folded, &mut wanted).await?;
    codes(tx, parcel, &mut wanted).await?;
    let rows = sqlx::query(
        "SELECT alarm_id, kind, device_id, seq, cleared_at_ms IS NULL AS is_open \
         FROM alarm WHERE parcel_id = ?",
    )
    .bind(&parcel.as_bytes()[..])
    .fetch_all(&mut **tx)
    .await?;
    let mut held = Wanted::new();
    for row in &rows {
        let code: &str = row.try_get("kind")?;
        let Some(kind) = MANAGED.iter().find(|k| k.code() == code) else {
            continue;
        };
        let device: Option<&[u8]> = row.try_get("device_id")?;
        let device = device.map(|_| row.device("device_id")).transpose()?;
        let alarm = (kind.code(), device, row.try_get("seq")?);
        if !wanted.contains(&alarm) && row.try_get("is_open")? {
            sqlx::query("DELETE FROM alarm WHERE alarm_id = ?")
                .bind(row.try_get::<i64, _>("alarm_id")?)
                .execute(&mut **tx)
                .await?;
        }
        held.insert(alarm);
    }
    for (code, device, seq) in wanted.difference(&held) {
        entries::alarm_at(tx, code, *device, *seq, Some(parcel), now_ms).await?;
    }
    Ok(())
}

fn of_flag(flag: &Flag) -> (&'static str, Option<DeviceId>, Option<i64>) {
    let (kind, id) = match flag {
        Flag::CancelledAfterHandover { cancel } => (AlarmKind::CancelledAfterHandover, cancel),
        Flag::HandedOverDespiteCancel { handover } => {
            (AlarmKind::HandedOverDespiteCancel, handover)
        }
        Flag::SecondHandover { second } => (AlarmKind::SecondHandover, second),
        Flag::ClockMovedBack { event, .. } => (AlarmKind::ClockMovedBack, event),
    };
    match id.origin {
        Origin::Hub => (kind.code(), None, Some(id.seq)),
        Origin::Phone(device) => (kind.code(), Some(device), Some(id.seq)),
    }
}

/// Handoffs a phone should have refused; one that was taken back harms nobody.
async fn handoffs(
    tx: &mut Tx,
    parcel: ParcelId,
    folded: &Folded,
    wanted: &mut Wanted,
) -> Result<(), HubError> {
    let rows = sqlx::query(
        "SELECT device_id, seq, handoff, signer_name, occurred_at_ms FROM attempt \
         WHERE parcel_id = ? AND outcome <> 'failed'",
    )
    .bind(&parcel.as_bytes()[..])
    .fetch_all(&mut **tx)
    .await?;
    if rows.is_empty() {
        return Ok(());
    }
    let noted = noted(&mut **tx, parcel).await?;
    let known = consent_rows::of_parcel(&mut **tx, parcel).await?;
    for row in &rows {
        let (device, seq) = (row.device("device_id")?, row.try_get("seq")?);
        let id = EventId {
            origin: Origin::Phone(device),
            seq,
        };
        let taken_back = |e: &satchel_protocol::transitions::Effect| {
            e.id == id && matches!(e.verdict, Verdict::TakenBack { .. })
        };
        let Ok(handoff) = HandoffKind::from_code(row.try_get("handoff")?) else {
            continue;
        };
        if folded.effects.iter().any(taken_back) {
            continue;
        }
        let case = HandoffCase {
            handoff,
            parcel,
            door_required: noted.door_required,
            age_limited: noted.age_limited,
            signer_name: row.try_get("signer_name")?,
            at_ms: row.try_get("occurred_at_ms")?,
        };
        let kind = match consents::refusal(&case, known.iter().map(|row| &row.record)) {
            None => continue,
            Some(Refusal::DoorRequired) => AlarmKind::DoorRequired,
            Some(Refusal::NobodyToCheck) => AlarmKind::NobodyToCheck,
            Some(Refusal::NoConsent) => AlarmKind::NoConsent,
        };
        wanted.insert((kind.code(), Some(device), Some(seq)));
    }
    Ok(())
}

/// A delivery that waited for the hub's word on its code, and every word was "wrong".
async fn codes(tx: &mut Tx, parcel: ParcelId, wanted: &mut Wanted) -> Result<(), HubError> {
    let rows = sqlx::query(
        "SELECT a.device_id, a.seq FROM attempt a WHERE a.parcel_id = ?1 AND a.code = 'AWAITS_HUB' \
           AND EXISTS (SELECT 1 FROM code_entry c WHERE c.parcel_id = ?1 AND c.judged_by_hub \
             AND c.matched = 0) \
           AND NOT EXISTS (SELECT 1 FROM code_entry c WHERE c.parcel_id = ?1 AND c.judged_by_hub \
             AND c.matched = 1)",
    )
    .bind(&parcel.as_bytes()[..])
    .fetch_all(&mut **tx)
    .await?;
    for row in &rows {
        let (device, seq) = (row.device("device_id")?, row.try_get("seq")?);
        wanted.insert((AlarmKind::CodeWrong.code(), Some(device), Some(seq)));
    }
    Ok(())
}
