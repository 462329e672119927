//! The calls of the courier's day: shift, clocks, figures, load check, pickups, readings and codes.

use satchel_core::rules::kpi::Window;

use super::{Result, Satchel};
use crate::convert::id;
use crate::doorstep::{
    CodeCheck, Earnings, Figure, LoadCheck, LoadScan, PickupOutcome, PickupRequest, PromiseClock,
    Shift, Stars, TemperatureReport, TemperatureSample, Word,
};

#[uniffi::export]
impl Satchel {
    /// Starts a shift.
    ///
    /// # Errors
    /// `Refused` without valid training on record (A174), or when one is running.
    pub fn start_shift(&self) -> Result<Shift> {
        self.courier.start_shift(None)?;
        self.shift()
    }

    /// Ends the shift.
    ///
    /// # Errors
    /// `Refused` when none is running.
    pub fn end_shift(&self) -> Result<Shift> {
        self.courier.end_shift()?;
        self.shift()
    }

    /// Whether a shift is running, how the training stands, and what signing out now would leave behind.
    ///
    /// # Errors
    /// Those of the store.
    pub fn shift(&self) -> Result<Shift> {
        let unsent = self
            .courier
            .logout_warning()?
            .map(|warning| Word::sentence(warning.text));
        Ok(Shift::new(&self.courier.duty()?, unsent))
    }

    /// Signs the courier out. Nothing is deleted; evidence that is only on this phone keeps him in
    /// unless he has seen the counts and said yes.
    ///
    /// # Errors
    /// `Refused` with the counts in words.
    #[uniffi::method(default(although_unsent = false))]
    pub fn sign_out(&self, although_unsent: bool) -> Result<()> {
        Ok(self.courier.sign_out(although_unsent)?)
    }

    /// The promises that are running, least time left first.
    ///
    /// # Errors
    /// Those of the store.
    pub fn clocks(&self) -> Result<Vec<PromiseClock>> {
        let clocks = self.courier.clocks()?.clocks;
        Ok(clocks.into_iter().map(PromiseClock::from).collect())
    }

    /// Every figure of the sheet over a span of event time, Unix milliseconds, `until` exclusive.
    ///
    /// # Errors
    /// `InvalidInput` for a span that ends before it begins.
    pub fn scorecard(&self, from_ms: i64, until_ms: i64) -> Result<Vec<Figure>> {
        let sheet = self.courier.scorecard(Window { from_ms, until_ms })?;
        Ok(sheet.lines.into_iter().map(Figure::from).collect())
    }

    /// What a span of time has earned so far; `null` while the operator has sent no price list.
    ///
    /// # Errors
    /// Those of the store; `Internal` when the list gives no single price.
    pub fn earnings(&self, from_ms: i64, until_ms: i64) -> Result<Option<Earnings>> {
        let earned = self.courier.earnings(Window { from_ms, until_ms })?;
        Ok(earned.map(Earnings::from))
    }

    /// The balance of points; `null` while the operator has not said what they are worth.
    ///
    /// # Errors
    /// Those of the store.
    pub fn points(&self) -> Result<Option<i64>> {
        Ok(self.courier.points()?.map(|points| points.balance))
    }

    /// Stars by the operator's books and by his table, with every input.
    ///
    /// # Errors
    /// Those of the store.
    pub fn stars(&self) -> Result<Stars> {
        Ok(self.courier.stars()?.into())
    }

    /// Takes a scan at the vehicle; `off` takes the parcel off again.
    ///
    /// # Errors
    /// `Refused` for a damaged code, `NotFound` for an unknown round.
    #[uniffi::method(default(off = false))]
    pub fn load_scan(&self, route_id: String, text: String, off: bool) -> Result<LoadScan> {
        let route = id(&route_id, "route_id")?;
        Ok(self.courier.load_scan(route, &text, off)?.into())
    }

    /// The state of the load check of a round.
    ///
    /// # Errors
    /// `NotFound` for an unknown round.
    pub fn load_check(&self, route_id: String) -> Result<LoadCheck> {
        Ok(self.courier.load_report(id(&route_id, "route_id")?)?.into())
    }

    /// Judges a pickup and, unless steps are missing, records it.
    ///
    /// # Errors
    /// `Refused` for a parcel that is not to be collected, `NotFound` for an unknown one.
    pub fn pickup(&self, request: PickupRequest) -> Result<PickupOutcome> {
        Ok(self.courier.pickup(&request.try_into()?)?.into())
    }

    /// Takes readings of a parcel's thermometer, in any order.
    ///
    /// # Errors
    /// `Refused` for a parcel without limits, `InvalidInput` for too many at once.
    pub fn add_temperatures(
        &self,
        parcel_id: String,
        samples: Vec<TemperatureSample>,
    ) -> Result<TemperatureReport> {
        let parcel = id(&parcel_id, "parcel_id")?;
        let samples: Vec<_> = samples.into_iter().map(Into::into).collect();
        let taken = self.courier.add_temperatures(parcel, &samples)?;
        Ok(taken.report.into())
    }

    /// Tries the recipient's code. Every try is a record; three are the most (B1).
    ///
    /// # Errors
    /// `Refused` when the text was not tried: no tries left, expired, not the form.
    pub fn enter_code(&self, parcel_id: String, typed: String) -> Result<CodeCheck> {
        let parcel = id(&parcel_id, "parcel_id")?;
        Ok(self.courier.enter_code(parcel, &typed)?.into())
    }
}
