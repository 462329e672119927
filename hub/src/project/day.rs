//! The rows of the day around the doors: loading, pickups, temperatures, shifts, reminders, rules.

use satchel_protocol::doorstep::{
    DutyBody, LoadScanBody, ParcelStepBody, PickupBody, ReminderBody, RuleSetRefusedBody,
    TemperatureBody,
};
use satchel_protocol::entry::Header;
use serde_json::json;

use crate::db::Tx;
use crate::error::HubError;

pub(super) async fn load_scan(
    tx: &mut Tx,
    header: &Header,
    b: &LoadScanBody,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO load_scan (device_id, seq, route_id, scanned_text, result, parcel_id, \
           taken_off, occurred_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&header.device.as_bytes()[..])
    .bind(header.seq)
    .bind(&b.route.as_bytes()[..])
    .bind(&b.text)
    .bind(&b.result)
    .bind(b.parcel.map(|p| p.as_bytes().to_vec()))
    .bind(b.off)
    .bind(header.occurred_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn pickup(tx: &mut Tx, header: &Header, b: &PickupBody) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO pickup (device_id, seq, parcel_id, stop_id, sender_checked, contents, \
           time_need, wishes, tags, packaging_taken_back, refused, arrived_at_ms, occurred_at_ms) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&header.device.as_bytes()[..])
    .bind(header.seq)
    .bind(&b.parcel.as_bytes()[..])
    .bind(&b.stop.as_bytes()[..])
    .bind(b.sender_checked)
    .bind(b.contents.map(|c| c.code()))
    .bind(b.time_need.map(|c| c.code()))
    .bind(&b.wishes)
    .bind(json!(b.tags).to_string())
    .bind(i64::from(b.packaging_taken_back))
    .bind(b.refused.map(|r| r.code()))
    .bind(b.arrived_at_ms)
    .bind(header.occurred_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn temperature(
    tx: &mut Tx,
    header: &Header,
    b: &TemperatureBody,
) -> Result<(), HubError> {
    for (ordinal, sample) in (0_i64..).zip(&b.samples) {
        sqlx::query(
            "INSERT INTO temperature (device_id, seq, ordinal, parcel_id, at_ms, centi_c) \
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(&header.device.as_bytes()[..])
        .bind(header.seq)
        .bind(ordinal)
        .bind(&b.parcel.as_bytes()[..])
        .bind(sample.at_ms)
        .bind(sample.centi_c)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

pub(super) async fn duty(tx: &mut Tx, header: &Header, b: &DutyBody) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO duty (device_id, seq, on_duty, clock_moved_back, lat, lng, occurred_at_ms) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&header.device.as_bytes()[..])
    .bind(header.seq)
    .bind(b.on)
    .bind(b.clock_moved_back)
    .bind(b.fix.map(|f| f.lat))
    .bind(b.fix.map(|f| f.lng))
    .bind(header.occurred_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn reminder(
    tx: &mut Tx,
    header: &Header,
    b: &ReminderBody,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO reminder (device_id, seq, stop_id, parcel_id, attempt_no, eta_ms, \
           occurred_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&header.device.as_bytes()[..])
    .bind(header.seq)
    .bind(&b.stop.as_bytes()[..])
    .bind(&b.parcel.as_bytes()[..])
    .bind(i64::from(b.attempt_no))
    .bind(b.eta_ms)
    .bind(header.occurred_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn ruleset_refused(
    tx: &mut Tx,
    header: &Header,
    b: &RuleSetRefusedBody,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO ruleset_refused (device_id, seq, current_version, offered_version, document, \
           why, occurred_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&header.device.as_bytes()[..])
    .bind(header.seq)
    .bind(i64::from(b.current_version))
    .bind(b.offered_version.map(i64::from))
    .bind(&b.document.0[..])
    .bind(&b.why)
    .bind(header.occurred_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn parcel_step(
    tx: &mut Tx,
    header: &Header,
    b: &ParcelStepBody,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO parcel_step (device_id, seq, parcel_id, stop_id, event, window_from_ms, \
           window_until_ms, words, occurred_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&header.device.as_bytes()[..])
    .bind(header.seq)
    .bind(&b.parcel.as_bytes()[..])
    .bind(&b.stop.as_bytes()[..])
    .bind(json!(b.event).to_string())
    .bind(b.window_ms.map(|w| w.0))
    .bind(b.window_ms.map(|w| w.1))
    .bind(&b.words)
    .bind(header.occurred_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
