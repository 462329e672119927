//! What the operator told this phone, as documents: abnormal days, decisions about the courier, the
//! numbers of other rounds, answers to reports. A later document replaces the one of its name.

use rusqlite::{Connection, OptionalExtension, params};
use satchel_protocol::feed::{
    CourierItem, DoubtItem, OtherRoundItem, PhotosItem, RegimeItem, ReportAnswerItem,
};
use satchel_protocol::ids::DoubtId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{json, phone, reports, stops};
use crate::error::{Result, StoreError};
use crate::proof::photo::PhotoTargets;
use crate::rules::promise::ExceptionRegime;

const REGIME: &str = "regime";
const COURIER: &str = "courier";
const OTHER_ROUND: &str = "other_round";
const DOUBT: &str = "doubt";
const REPORT_ANSWER: &str = "report_answer";

/// An abnormal day; one that is over as soon as it starts is taken back.
pub(crate) fn put_regime(conn: &Connection, item: &RegimeItem) -> Result<()> {
    if item.until_ms <= item.from_ms {
        return forget(conn, REGIME, &item.regime_id);
    }
    put(conn, REGIME, &item.regime_id, item)
}

/// What was decided about the courier. A part that is left out stays as it was.
pub(crate) fn put_courier(conn: &Connection, item: &CourierItem) -> Result<()> {
    let known = courier(conn)?;
    let merged = CourierItem {
        training: item.training.or(known.training),
        tariff: item.tariff.clone().or(known.tariff),
        stars: item.stars.clone().or(known.stars),
        star_level: item.star_level.or(known.star_level),
        points: item.points.or(known.points),
        radii: item.radii.or(known.radii),
        photos: item.photos.or(known.photos),
        photos_on_metered: item.photos_on_metered.or(known.photos_on_metered),
    };
    if let Some(on) = item.photos_on_metered {
        phone::set_photos_on_metered(conn, on)?;
    }
    // The phone's own choice lies in one place, whoever made it last; what makes no photo is not taken.
    if let Some(photos) = item.photos.filter(PhotosItem::is_valid) {
        let targets = PhotoTargets {
            long_side_px: photos.long_side_px,
            budget_bytes: photos.budget_bytes,
            quality_min: photos.quality_min,
            quality_max: photos.quality_max,
        };
        phone::set_photo_targets(conn, &targets)?;
    }
    put(conn, COURIER, "", &merged)
}

/// The numbers of another round; an empty list ends it.
pub(crate) fn put_other_round(conn: &Connection, item: &OtherRoundItem) -> Result<()> {
    let name = item.route_id.to_string();
    if item.waybills.is_empty() {
        return forget(conn, OTHER_ROUND, &name);
    }
    put(conn, OTHER_ROUND, &name, item)
}

/// Rounds of others on days before `today` (`YYYY-MM-DD`) are over.
pub(crate) fn forget_other_rounds(conn: &Connection, today: &str) -> Result<()> {
    for round in other_rounds(conn)? {
        if round.service_date.as_str() < today {
            forget(conn, OTHER_ROUND, &round.route_id.to_string())?;
        }
    }
    Ok(())
}

/// The answer to a report; of two the later one stands, whichever arrived first.
pub(crate) fn put_report_answer(conn: &Connection, item: &ReportAnswerItem) -> Result<()> {
    let known = report_answer(conn, &item.report_id)?;
    if known.is_some_and(|k| k.answered_at_ms > item.answered_at_ms) {
        return Ok(());
    }
    put(conn, REPORT_ANSWER, &item.report_id, item)?;
    if let Some(stop) = reports::stop_of(conn, &item.report_id)? {
        stops::touch(conn, stop)?;
    }
    Ok(())
}

/// What the hub wonders about; it says each as it stands.
pub(crate) fn put_doubt(conn: &Connection, item: &DoubtItem) -> Result<()> {
    put(conn, DOUBT, &item.doubt_id.to_string(), item)?;
    if let Some(parcel) = stops::find_parcel(conn, item.parcel_id)? {
        stops::touch(conn, parcel.stop_id)?;
    }
    Ok(())
}

/// Everything the hub wonders about.
pub(crate) fn doubts(conn: &Connection) -> Result<Vec<DoubtItem>> {
    all(conn, DOUBT)
}

/// One of them.
pub(crate) fn doubt(conn: &Connection, id: DoubtId) -> Result<Option<DoubtItem>> {
    get(conn, DOUBT, &id.to_string())
}

/// Abnormal days, past and to come, as the promise clocks read them.
pub(crate) fn regimes(conn: &Connection) -> Result<Vec<ExceptionRegime>> {
    Ok(all::<RegimeItem>(conn, REGIME)?
        .into_iter()
        .map(|item| ExceptionRegime {
            regime: item.regime,
            from_ms: item.from_ms,
            until_ms: item.until_ms,
            excuses: item.excuses,
        })
        .collect())
}

/// Everything decided about the courier; nothing of it before the hub has sent it.
pub(crate) fn courier(conn: &Connection) -> Result<CourierItem> {
    Ok(get(conn, COURIER, "")?.unwrap_or_default())
}

/// The rounds of others, by name.
pub(crate) fn other_rounds(conn: &Connection) -> Result<Vec<OtherRoundItem>> {
    all(conn, OTHER_ROUND)
}

/// The answer to a report, if it has come.
pub(crate) fn report_answer(
    conn: &Connection,
    report_id: &str,
) -> Result<Option<ReportAnswerItem>> {
    get(conn, REPORT_ANSWER, report_id)
}

fn put<T: Serialize>(conn: &Connection, what: &'static str, name: &str, item: &T) -> Result<()> {
    let body = serde_json::to_string(item).map_err(|_| StoreError::BadRow(what))?;
    conn.prepare_cached(
        "INSERT INTO told (what, name, body) VALUES (?1, ?2, ?3)
         ON CONFLICT (what, name) DO UPDATE SET body = ?3",
    )?
    .execute(params![what, name, body])?;
    Ok(())
}

fn forget(conn: &Connection, what: &'static str, name: &str) -> Result<()> {
    conn.prepare_cached("DELETE FROM told WHERE what = ?1 AND name = ?2")?
        .execute(params![what, name])?;
    Ok(())
}

fn get<T: DeserializeOwned>(
    conn: &Connection,
    what: &'static str,
    name: &str,
) -> Result<Option<T>> {
    let body: Option<String> = conn
        .prepare_cached("SELECT body FROM told WHERE what = ?1 AND name = ?2")?
        .query_row(params![what, name], |r| r.get(0))
        .optional()?;
    body.map(|text| read(what, &text)).transpose()
}

fn all<T: DeserializeOwned>(conn: &Connection, what: &'static str) -> Result<Vec<T>> {
    let mut stmt = conn.prepare_cached("SELECT body FROM told WHERE what = ?1 ORDER BY name")?;
    let bodies = stmt.query_map([what], |r| r.get::<_, String>(0))?;
    let mut out = Vec::new();
    for body in bodies {
        out.push(read(what, &body?)?);
    }
    Ok(out)
}

fn read<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T> {
    json::read(text).ok_or(StoreError::BadRow(what).into())
}
