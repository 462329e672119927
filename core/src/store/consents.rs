//! Consents as records: for single parcels, or standing for everything that goes to one recipient.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};
use satchel_protocol::doorstep::ConsentRecord;
use satchel_protocol::ids::{ParcelId, StopId};
use satchel_protocol::taxonomy::ConsentOrigin;

use super::row;
use crate::error::Result;
use crate::rules::contact::MaskedPhone;

/// Where a consent came from, and who may replace it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// With its parcel.
    Parcel,
    /// As an item of its own.
    Feed,
    /// Taken on this phone.
    Phone,
}

impl Source {
    const fn code(self) -> &'static str {
        match self {
            Self::Parcel => "parcel",
            Self::Feed => "feed",
            Self::Phone => "phone",
        }
    }
}

/// Takes a record over. What this phone recorded itself is not replaced, and a withdrawal that is known
/// stays. Numbers that came unmasked are masked here (A038).
pub(crate) fn put(conn: &Connection, record: &ConsentRecord, source: Source) -> Result<()> {
    let record = masked(record);
    let withdrawn_at_ms = record.withdrawn_at_ms;
    conn.prepare_cached(
        "INSERT INTO consent (consent_id, source, standing, withdrawn_at_ms, record)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (consent_id) DO UPDATE SET
             record = CASE WHEN source = 'phone' AND record IS NOT NULL THEN record ELSE ?5 END,
             standing = ?3,
             source = CASE WHEN source = 'phone' THEN source ELSE ?2 END,
             withdrawn_at_ms = CASE WHEN withdrawn_at_ms IS NULL THEN ?4
                 WHEN ?4 IS NULL THEN withdrawn_at_ms ELSE min(withdrawn_at_ms, ?4) END",
    )?
    .execute(params![
        record.consent_id,
        source.code(),
        record.origin == ConsentOrigin::StandingPreference,
        withdrawn_at_ms,
        record.encode()
    ])?;
    for parcel in &record.parcels {
        link(conn, *parcel, &record.consent_id, source)?;
    }
    Ok(())
}

fn masked(record: &ConsentRecord) -> ConsentRecord {
    use satchel_protocol::doorstep::ConsentEvidence as E;
    let mut record = record.clone();
    if let E::Call { number, .. } | E::Message { number, .. } = &mut record.evidence
        && MaskedPhone::from_masked(number).is_err()
    {
        *number = MaskedPhone::mask(number).as_str().to_owned();
    }
    record
}

/// The consents a parcel's item lists replace those it listed before; what came another way stays.
pub(crate) fn put_of_parcel(
    conn: &Connection,
    parcel: ParcelId,
    records: &[ConsentRecord],
) -> Result<()> {
    conn.prepare_cached("DELETE FROM consent_parcel WHERE parcel_id = ?1 AND source = 'parcel'")?
        .execute([parcel.as_bytes()])?;
    for record in records {
        put(conn, record, Source::Parcel)?;
        link(conn, parcel, &record.consent_id, Source::Parcel)?;
    }
    Ok(())
}

fn link(conn: &Connection, parcel: ParcelId, consent: &str, source: Source) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO consent_parcel (parcel_id, consent_id, source) VALUES (?1, ?2, ?3)
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![parcel.as_bytes(), consent, source.code()])?;
    Ok(())
}

/// The parcel is gone from this phone.
pub(crate) fn forget_parcel(conn: &Connection, parcel: ParcelId) -> Result<()> {
    conn.prepare_cached("DELETE FROM consent_parcel WHERE parcel_id = ?1")?
        .execute([parcel.as_bytes()])?;
    Ok(())
}

/// Notes a withdrawal; the earliest one counts.
pub(crate) fn withdraw(conn: &Connection, consent: &str, at_ms: i64) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO consent (consent_id, source, withdrawn_at_ms) VALUES (?1, 'feed', ?2)
         ON CONFLICT (consent_id) DO UPDATE SET
             withdrawn_at_ms = min(coalesce(withdrawn_at_ms, ?2), ?2)",
    )?
    .execute(params![consent, at_ms])?;
    Ok(())
}

/// One consent by its name.
pub(crate) fn get(conn: &Connection, consent: &str) -> Result<Option<ConsentRecord>> {
    let found: Option<(Vec<u8>, Option<i64>)> = conn
        .prepare_cached(
            "SELECT record, withdrawn_at_ms FROM consent
             WHERE consent_id = ?1 AND record IS NOT NULL",
        )?
        .query_row([consent], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    found
        .map(|(bytes, withdrawn)| read(&bytes, withdrawn))
        .transpose()
}

fn read(bytes: &[u8], withdrawn_at_ms: Option<i64>) -> Result<ConsentRecord> {
    Ok(ConsentRecord {
        withdrawn_at_ms,
        ..ConsentRecord::decode(bytes)?
    })
}

/// Every consent that is known for a parcel, newest first: its own, and the standing ones of its
/// recipient, who is the same where name and number are the same.
pub(crate) fn of_parcel(conn: &Connection, parcel: ParcelId) -> Result<Vec<ConsentRecord>> {
    let mut stmt = conn.prepare_cached(
        "SELECT c.record AS record, c.withdrawn_at_ms AS withdrawn FROM consent c
         WHERE c.record IS NOT NULL AND (
             c.consent_id IN (SELECT consent_id FROM consent_parcel WHERE parcel_id = ?1)
             OR (c.standing AND EXISTS (
                 SELECT 1 FROM consent_parcel l CROSS JOIN parcel q USING (parcel_id)
                 CROSS JOIN stop o USING (stop_id)
                 WHERE l.consent_id = c.consent_id AND (o.recipient_phone, o.recipient_name) = (
                     SELECT s.recipient_phone, s.recipient_name FROM parcel p JOIN stop s USING (stop_id)
                     WHERE p.parcel_id = ?1))))",
    )?;
    let mut rows = stmt.query([parcel.as_bytes()])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        let bytes: Vec<u8> = r.get("record")?;
        out.push(read(&bytes, r.get("withdrawn")?)?);
    }
    out.sort_by(|a, b| (b.given_at_ms, &b.consent_id).cmp(&(a.given_at_ms, &a.consent_id)));
    Ok(out)
}

/// The parcels that a consent can be known for, so that a long list asks for those alone; none when a standing
/// consent may concern any parcel of its recipient.
pub(crate) fn parcels_with_any(conn: &Connection) -> Result<Option<HashSet<ParcelId>>> {
    let is_any_standing: bool = conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM consent WHERE standing)")?
        .query_row([], |r| r.get(0))?;
    if is_any_standing {
        return Ok(None);
    }
    let mut stmt = conn.prepare_cached("SELECT DISTINCT parcel_id FROM consent_parcel")?;
    let mut rows = stmt.query([])?;
    let mut out = HashSet::new();
    while let Some(r) = rows.next()? {
        out.insert(ParcelId(row::uuid(r, "parcel_id")?));
    }
    Ok(Some(out))
}

/// Stops with a parcel that this consent is for.
pub(crate) fn stops_of(conn: &Connection, consent: &str) -> Result<Vec<StopId>> {
    let mut stmt = conn.prepare_cached(
        "SELECT DISTINCT stop_id FROM parcel JOIN consent_parcel USING (parcel_id)
         WHERE consent_id = ?1",
    )?;
    let mut rows = stmt.query([consent])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(StopId(row::uuid(r, "stop_id")?));
    }
    Ok(out)
}
