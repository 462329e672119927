//! The load check: what a scanner reads at the vehicle, judged at once and folded from the log
//! (A204, A202). Every scan that changes something is one signed entry; the same scan twice is none.

use satchel_protocol::doorstep::LoadScanBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::RouteId;
use satchel_protocol::transitions::{EventKind, Step, check_step, parcel_next};

use super::{Courier, Keys};
use crate::error::{Error, Refusal, Result};
use crate::evidence::log::Fact;
use crate::model::day::LoadScanResult;
use crate::rules::codes::{self, Scan};
use crate::rules::load::{self, Elsewhere, Expected, LoadReport, LoadScan, ScanResult};
use crate::store::db::{Snapshot, Tx};
use crate::store::stops::ParcelRow;
use crate::store::{noted, stops, told};

impl Courier {
    /// What a scanner or keyboard gave, by its form alone (C4). Nothing is looked up or recorded.
    ///
    /// # Errors
    /// [`Refusal::Scan`] for a damaged code and for a text that is none.
    pub fn read_scan(&self, text: &str) -> Result<Scan> {
        Ok(codes::read(text).map_err(Refusal::Scan)?)
    }

    /// Takes a scan at the vehicle; `off` takes the parcel off again. A code that is no parcel's is
    /// told and not recorded.
    ///
    /// # Errors
    /// [`Refusal::Scan`] for a damaged code, [`Error::NotFound`] for an unknown round.
    pub fn load_scan(&self, route: RouteId, text: &str, off: bool) -> Result<LoadScanResult> {
        let keys = self.at_work()?;
        let scan = codes::read(text).map_err(Refusal::Scan)?;
        let now_ms = self.env.clock.wall_ms();
        self.db.write(|tx| {
            let mut scans = scans_of(tx, route)?;
            let list = Lists::read(tx, route, &scans)?;
            let result = load::judge(&scan, &list.expected, &list.elsewhere);
            let repeated = scans
                .iter()
                .rev()
                .find(|before| before.scan == scan)
                .is_some_and(|before| before.off == off);
            let mut seq = None;
            if !repeated && result != ScanResult::NotAParcel {
                let body = LoadScanBody {
                    route,
                    text: text.trim().to_owned(),
                    result: code(&result).to_owned(),
                    parcel: match result {
                        ScanResult::Expected(parcel) => Some(parcel),
                        _ => None,
                    },
                    off,
                };
                let at = self.record_scan(tx, &keys, &body, now_ms)?;
                scans.push(LoadScan {
                    at_ms: at,
                    scan: scan.clone(),
                    off,
                });
                seq = Some(at);
            }
            let report = load::check(&scans, &list.expected, &list.elsewhere);
            Ok(LoadScanResult {
                scan,
                result,
                repeated,
                seq,
                loaded: count(report.loaded.len()),
                expected: count(list.expected.len()),
            })
        })
    }

    /// The state of the load check of a round: on the vehicle, missing, missorted, surplus.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown round.
    pub fn load_report(&self, route: RouteId) -> Result<LoadReport> {
        self.db.read(|conn| {
            let scans = scans_of(conn, route)?;
            let list = Lists::read(conn, route, &scans)?;
            Ok(load::check(&scans, &list.expected, &list.elsewhere))
        })
    }

    /// Writes a scan and, where the table of a parcel's life has the step, moves the parcel by it.
    fn record_scan(
        &self,
        tx: &Tx<'_>,
        keys: &Keys,
        body: &LoadScanBody,
        now_ms: i64,
    ) -> Result<i64> {
        let parcel = match body.parcel {
            Some(id) => Some(stops::parcel(tx, id)?),
            None => None,
        };
        let kind = if body.off {
            EventKind::HandedBack
        } else {
            EventKind::Loaded
        };
        let fact = Fact {
            kind: EntryKind::LOAD_SCAN,
            handle: parcel.as_ref().map(|p| p.handle),
            blobs: vec![],
            body: body.encode(),
            stop: parcel.as_ref().map(|p| p.stop_id),
            occurred_at_ms: now_ms,
        };
        let head = match &parcel {
            Some(parcel) if check_step(&parcel.folded()?, kind).is_ok() => {
                let head = self.record_step(tx, keys, parcel, kind, fact)?;
                stops::touch(tx, parcel.stop_id)?;
                head
            }
            _ => self.pen(keys).append(tx, fact)?,
        };
        noted::note(tx, body.route.as_bytes(), EntryKind::LOAD_SCAN, head.seq)?;
        Ok(head.seq)
    }
}

/// What a scan of a round is compared with.
struct Lists {
    expected: Vec<Expected>,
    elsewhere: Vec<Elsewhere>,
}

impl Lists {
    fn read(conn: &Snapshot, route: RouteId, scans: &[LoadScan]) -> Result<Self> {
        if !stops::has_route(conn, route)? {
            return Err(Error::NotFound { what: "route" });
        }
        let mut expected = Vec::new();
        let parcels = stops::parcels_of_route(conn, route)?;
        for stop in stops::of_route(conn, route)?.iter().filter(|s| !s.removed) {
            let here = parcels.iter().filter(|p| p.stop_id == stop.stop_id);
            expected.extend(here.filter(|p| belongs_on(p, scans)).map(|p| Expected {
                parcel: p.parcel_id,
                waybill: p.waybill.clone(),
            }));
        }
        let mut elsewhere: Vec<Elsewhere> = stops::waybills_elsewhere(conn, route)?
            .into_iter()
            .map(|(waybill, round)| Elsewhere { waybill, round })
            .collect();
        for other in told::other_rounds(conn)? {
            if other.route_id != route {
                elsewhere.extend(other.waybills.into_iter().map(|waybill| Elsewhere {
                    waybill,
                    round: other.name.clone(),
                }));
            }
        }
        Ok(Self {
            expected,
            elsewhere,
        })
    }
}

/// What is still to be carried, or was scanned before it came to its end. A pickup is not at the depot.
fn belongs_on(parcel: &ParcelRow, scans: &[LoadScan]) -> bool {
    let ours = [(parcel.parcel_id, parcel.waybill.as_str())];
    let leads = |step| parcel_next(parcel.state, step).is_some();
    parcel.pickup.is_none()
        && (leads(Step::Loaded)
            || leads(Step::Delivered)
            || scans.iter().any(|s| {
                codes::expect(&s.scan, &ours) == codes::Resolution::Parcel(parcel.parcel_id)
            }))
}

/// The scans of a round. The place in the log is their time: a wall clock that was moved back must not
/// bring a parcel back onto the vehicle.
fn scans_of(conn: &Snapshot, route: RouteId) -> Result<Vec<LoadScan>> {
    let mut out = Vec::new();
    for entry in noted::about(conn, route.as_bytes(), EntryKind::LOAD_SCAN)? {
        let body = LoadScanBody::decode(&entry.body)?;
        // What was recorded was readable then.
        if let Ok(scan) = codes::read(&body.text) {
            out.push(LoadScan {
                at_ms: entry.seq,
                scan,
                off: body.off,
            });
        }
    }
    Ok(out)
}

/// The code of a result in an entry.
const fn code(result: &ScanResult) -> &'static str {
    match result {
        ScanResult::Expected(_) => "EXPECTED",
        ScanResult::Missort { .. } => MISSORT,
        ScanResult::Surplus => "SURPLUS",
        ScanResult::Ambiguous(_) => "AMBIGUOUS",
        ScanResult::NotAParcel => "NOT_A_PARCEL",
    }
}

/// A parcel of another round.
pub(super) const MISSORT: &str = "MISSORT";

/// What tells two scanned parcels apart in a count: the parcel, else the number.
pub(super) fn scanned_as(body: &LoadScanBody) -> String {
    match (body.parcel, codes::read(&body.text)) {
        (Some(parcel), _) => parcel.to_string(),
        (None, Ok(Scan::Label(label))) => label.parcel.to_string(),
        (None, Ok(Scan::S10(s10))) => s10.number,
        (None, Ok(Scan::Sscc(sscc))) => sscc.digits,
        (None, Ok(Scan::Waybill(number))) => number,
        (None, _) => body.text.clone(),
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use satchel_protocol::ids::ParcelId;
    use uuid::Uuid;

    #[test]
    fn label_and_number_of_one_parcel_are_counted_once() {
        let parcel = ParcelId(Uuid::from_u128(5));
        let body = |text: &str, parcel| LoadScanBody {
            route: RouteId(Uuid::from_u128(1)),
            text: text.into(),
            result: "EXPECTED".into(),
            parcel,
            off: false,
        };
        let label = codes::parcel_label(parcel);
        assert_eq!(
            scanned_as(&body(&label, Some(parcel))),
            scanned_as(&body("SF0000001", Some(parcel)))
        );
        assert_eq!(
            scanned_as(&body("jd5555555", None)),
            scanned_as(&body(" JD5555555 ", None))
        );
    }
}
