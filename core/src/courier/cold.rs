//! Temperatures on the way: readings of a logger, and the exception an excursion opens by itself (A039).

use satchel_protocol::doorstep::{TemperatureBody, TemperatureSample};
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::{AttemptId, ParcelId};
use satchel_protocol::taxonomy::Reason;

use super::Courier;
use crate::clock::random;
use crate::error::{Error, Refusal, Result};
use crate::evidence::log::Fact;
use crate::limits;
use crate::model::day::{ColdTaken, ReportInput};
use crate::rules::coldchain::{self, ColdReport, Limits, Sample};
use crate::store::db::Snapshot;
use crate::store::stops::ParcelRow;
use crate::store::{cold, noted, stops};

impl Courier {
    /// Takes readings of a parcel's thermometer, in any order; one that was taken before counts once.
    /// The first excursion opens an abnormal report, once per parcel.
    ///
    /// # Errors
    /// [`Refusal::NotOfThisParcel`] for a parcel without temperature limits, [`Error::InvalidInput`] for
    /// too many readings at once, [`Error::NotFound`] for an unknown parcel.
    pub fn add_temperatures(&self, parcel: ParcelId, samples: &[Sample]) -> Result<ColdTaken> {
        let keys = self.at_work()?;
        if samples.len() > limits::MAX_SAMPLES_AT_ONCE {
            return Err(Error::InvalidInput {
                what: "number of readings",
            });
        }
        let now_ms = self.env.clock.wall_ms();
        let fresh = AttemptId::from_parts(now_ms, random(&*self.env.entropy)?);
        self.db.write(|tx| {
            let row = stops::parcel(tx, parcel)?;
            let limits = limits_of(&row)?;
            let new = cold::keep(tx, parcel, samples)?;
            if !new.is_empty() {
                let body = TemperatureBody {
                    parcel,
                    samples: new.iter().map(on_wire).collect(),
                };
                let fact = Fact {
                    kind: EntryKind::TEMPERATURE,
                    handle: Some(row.handle),
                    blobs: vec![],
                    body: body.encode(),
                    stop: Some(row.stop_id),
                    occurred_at_ms: now_ms,
                };
                self.pen(&keys)
                    .append_about(tx, fact, &[parcel.as_bytes()])?;
            }
            let report = coldchain::report(&cold::samples(tx, parcel)?, limits);
            let mut exception = None;
            if report.opens_exception() && !was_reported(tx, parcel)? {
                let input = ReportInput {
                    draft: None,
                    stop: Some(row.stop_id),
                    parcels: vec![parcel],
                    reason: Reason::TemperatureOut,
                    words: None,
                    fix: None,
                };
                exception = Some(self.record_report(tx, &keys, &input, fresh, now_ms)?);
            }
            Ok(ColdTaken {
                new_samples: u32::try_from(new.len()).unwrap_or(u32::MAX),
                report,
                exception,
            })
        })
    }

    /// What the readings of a parcel show: excursions, gaps, lowest and highest.
    ///
    /// # Errors
    /// [`Refusal::NotOfThisParcel`] for a parcel without temperature limits, [`Error::NotFound`] for an
    /// unknown one.
    pub fn temperature_report(&self, parcel: ParcelId) -> Result<ColdReport> {
        self.db.read(|conn| {
            let limits = limits_of(&stops::parcel(conn, parcel)?)?;
            Ok(coldchain::report(&cold::samples(conn, parcel)?, limits))
        })
    }
}

fn limits_of(parcel: &ParcelRow) -> Result<Limits> {
    parcel
        .temperature
        .and_then(|t| Limits::new(t.min_centi_c, t.max_centi_c))
        .ok_or_else(|| {
            Refusal::NotOfThisParcel {
                what: "temperature limits",
            }
            .into()
        })
}

fn was_reported(conn: &Snapshot, parcel: ParcelId) -> Result<bool> {
    for entry in noted::about(conn, parcel.as_bytes(), EntryKind::REPORT)? {
        let body = satchel_protocol::doorstep::ReportBody::decode(&entry.body)?;
        if body.reason == Reason::TemperatureOut {
            return Ok(true);
        }
    }
    Ok(false)
}

fn on_wire(sample: &Sample) -> TemperatureSample {
    TemperatureSample {
        at_ms: sample.at_ms,
        centi_c: sample.centi_c,
    }
}
