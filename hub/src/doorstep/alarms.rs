//! The alarms of parcels: always those that follow from everything known about it, whatever came
//! first. One that a person has cleared stays cleared; one that later news explains away goes.

use std::collections::{BTreeMap, BTreeSet};

use satchel_protocol::ids::{DeviceId, ParcelId};
use satchel_protocol::taxonomy::HandoffKind;
use satchel_protocol::transitions::{EventId, Flag, Origin, Verdict};
use sqlx::Row;

use super::{HandoffCase, Settled};
use crate::consents::{self, Refusal};
use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::store::bulk;
use crate::store::consents as consent_rows;
use crate::store::entries::{self, AlarmKind};

/// Alarms as they should be: of which parcel, what, whose, where in that log.
type Wanted = BTreeSet<(ParcelId, &'static str, Option<DeviceId>, Option<i64>)>;

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
    settled: &BTreeMap<ParcelId, Settled>,
    now_ms: i64,
) -> Result<(), HubError> {
    let mut wanted = Wanted::new();
    for (parcel, settled) in settled {
        let flags = settled.folded.flags.iter().map(of_flag);
        wanted.extend(flags.map(|(kind, device, seq)| (*parcel, kind, device, seq)));
    }
    let list = bulk::parcels(settled.keys());
    handoffs(tx, &list, settled, &mut wanted).await?;
    codes(tx, &list, &mut wanted).await?;
    let rows = sqlx::query(
        "SELECT alarm_id, parcel_id, kind, device_id, seq, cleared_at_ms IS NULL AS is_open \
         FROM alarm WHERE parcel_id IN (SELECT unhex(value) FROM json_each(?)) \
         ORDER BY parcel_id, alarm_id",
    )
    .bind(&list)
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
        let parcel = row.parcel("parcel_id")?;
        let alarm = (parcel, kind.code(), device, row.try_get("seq")?);
        if !wanted.contains(&alarm) && row.try_get("is_open")? {
            sqlx::query("DELETE FROM alarm WHERE alarm_id = ?")
                .bind(row.try_get::<i64, _>("alarm_id")?)
                .execute(&mut **tx)
                .await?;
        }
        held.insert(alarm);
    }
    for (parcel, code, device, seq) in wanted.difference(&held) {
        entries::alarm_at(tx, code, *device, *seq, Some(*parcel), now_ms).await?;
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
    list: &str,
    settled: &BTreeMap<ParcelId, Settled>,
    wanted: &mut Wanted,
) -> Result<(), HubError> {
    let rows = sqlx::query(
        "SELECT parcel_id, device_id, seq, handoff, signer_name, occurred_at_ms FROM attempt \
         WHERE parcel_id IN (SELECT unhex(value) FROM json_each(?)) AND outcome <> 'failed' \
         ORDER BY parcel_id, device_id, seq",
    )
    .bind(list)
    .fetch_all(&mut **tx)
    .await?;
    if rows.is_empty() {
        return Ok(());
    }
    let known = consent_rows::of_parcels(tx, list).await?;
    for row in &rows {
        let parcel = row.parcel("parcel_id")?;
        let (device, seq) = (row.device("device_id")?, row.try_get("seq")?);
        let id = EventId {
            origin: Origin::Phone(device),
            seq,
        };
        let taken_back = |e: &satchel_protocol::transitions::Effect| {
            e.id == id && matches!(e.verdict, Verdict::TakenBack { .. })
        };
        let (Ok(handoff), Some(settled)) = (
            HandoffKind::from_code(row.try_get("handoff")?),
            settled.get(&parcel),
        ) else {
            continue;
        };
        if settled.folded.effects.iter().any(taken_back) {
            continue;
        }
        let case = HandoffCase {
            handoff,
            parcel,
            door_required: settled.noted.door_required,
            age_limited: settled.noted.age_limited,
            signer_name: row.try_get("signer_name")?,
            at_ms: row.try_get("occurred_at_ms")?,
        };
        let known = known.get(&parcel).into_iter().flatten();
        let kind = match consents::refusal(&case, known.map(|row| &row.record)) {
            None => continue,
            Some(Refusal::DoorRequired) => AlarmKind::DoorRequired,
            Some(Refusal::NobodyToCheck) => AlarmKind::NobodyToCheck,
            Some(Refusal::NoConsent) => AlarmKind::NoConsent,
        };
        wanted.insert((parcel, kind.code(), Some(device), Some(seq)));
    }
    Ok(())
}

/// A delivery that waited for the hub's word on its code, and every word was "wrong".
async fn codes(tx: &mut Tx, list: &str, wanted: &mut Wanted) -> Result<(), HubError> {
    let rows = sqlx::query(
        "SELECT a.parcel_id, a.device_id, a.seq FROM attempt a \
         WHERE a.parcel_id IN (SELECT unhex(value) FROM json_each(?)) AND a.code = 'AWAITS_HUB' \
           AND EXISTS (SELECT 1 FROM code_entry c WHERE c.parcel_id = a.parcel_id AND c.judged_by_hub \
             AND c.matched = 0) \
           AND NOT EXISTS (SELECT 1 FROM code_entry c WHERE c.parcel_id = a.parcel_id AND c.judged_by_hub \
             AND c.matched = 1)",
    )
    .bind(list)
    .fetch_all(&mut **tx)
    .await?;
    for row in &rows {
        let (device, seq) = (row.device("device_id")?, row.try_get("seq")?);
        let parcel = row.parcel("parcel_id")?;
        wanted.insert((parcel, AlarmKind::CodeWrong.code(), Some(device), Some(seq)));
    }
    Ok(())
}
