//! Duty: who may start a shift, when a position may be kept, and what leaving would leave behind
//! (A174, PIPL Art 28, B4-11, B4-14).

use satchel_protocol::attempt::Fix;
use satchel_protocol::doorstep::DutyBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::feed::LatLng;
use satchel_protocol::taxonomy::Datum;

use super::{Courier, Keys};
use crate::error::{Error, Refusal, Result};
use crate::evidence::log::Fact;
use crate::model::day::DutyView;
use crate::model::stop::StopState;
use crate::rules::duty::{self, LeaveWarning, Shift, Training, Unsynced};
use crate::rules::position::{self, RawFix};
use crate::store::db::Tx;
use crate::store::{entries, proofs, shift, told};

impl Courier {
    /// Starts a shift. `fix` says where, if the courier shares it.
    ///
    /// # Errors
    /// [`Refusal::Duty`] without valid training on record (A174) or when a shift is running.
    pub fn start_shift(&self, fix: Option<Fix>) -> Result<DutyView> {
        let keys = self.at_work()?;
        let fix = fix.map(in_wgs84).transpose()?;
        let now_ms = self.env.clock.wall_ms();
        self.db.write(|tx| {
            let training = told::courier(tx)?.training.map(|t| Training {
                passed_at_ms: t.passed_at_ms,
                valid_until_ms: t.valid_until_ms,
            });
            let before = shift::get(tx)?.duty;
            let after = before.start(training, now_ms).map_err(Refusal::Duty)?;
            shift::set_duty(tx, after)?;
            if let Some(fix) = &fix {
                shift::set_fix(tx, place(fix), now_ms)?;
            }
            let body = DutyBody {
                on: true,
                clock_moved_back: false,
                fix,
            };
            self.record_duty(tx, &keys, &body, now_ms)
        })?;
        self.duty()
    }

    /// Ends the shift and forgets the last fix.
    ///
    /// # Errors
    /// [`Refusal::Duty`] when none is running.
    pub fn end_shift(&self) -> Result<Shift> {
        let keys = self.at_work()?;
        let now_ms = self.env.clock.wall_ms();
        self.db.write(|tx| self.end_in(tx, &keys, now_ms))
    }

    /// Whether a shift is running, since when, and how the training stands.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn duty(&self) -> Result<DutyView> {
        self.db.read(|conn| {
            let row = shift::get(conn)?;
            Ok(DutyView {
                duty: row.duty,
                training_valid_until_ms: told::courier(conn)?.training.map(|t| t.valid_until_ms),
                last_fix: row.last_fix,
            })
        })
    }

    /// Takes a position of the host's location service. `false` when it was not kept: off duty nothing
    /// is, and on duty only as often as the round needs. Only the last one is kept.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for numbers that are no position or whose datum nobody knows.
    pub fn track(&self, fix: Fix) -> Result<bool> {
        let now_ms = self.env.clock.wall_ms();
        let worth = |row: shift::ShiftRow, here| row.duty.keeps_fix(row.last_fix, here, now_ms);
        // Most fixes come off duty or too early: they cost no write.
        let row = self.db.read_short(shift::get)?;
        if !row.duty.allows_location() {
            return Ok(false);
        }
        let here = place(&in_wgs84(fix)?);
        if !worth(row, here) {
            return Ok(false);
        }
        self.db.write(|tx| {
            // The shift may have ended meanwhile.
            if !worth(shift::get(tx)?, here) {
                return Ok(false);
            }
            shift::set_fix(tx, here, now_ms)?;
            Ok(true)
        })
    }

    /// What signing out now would leave behind; nothing when there is nothing (B4-14).
    ///
    /// # Errors
    /// Only those of the store.
    pub fn logout_warning(&self) -> Result<Option<LeaveWarning>> {
        let in_doubt = self.lost_in_doubt()?;
        let open = self
            .stops()?
            .iter()
            .filter(|s| matches!(s.state, StopState::Open | StopState::Failed))
            .count();
        let left = self.db.read(|conn| {
            Ok(Unsynced {
                entries: entries::only_here(conn)?,
                proofs: proofs::unsent(conn)?.count + in_doubt,
                open_drafts: shift::left_open(conn)?,
                open_stops: u64::try_from(open).unwrap_or(u64::MAX),
            })
        })?;
        Ok(duty::logout_warning(left))
    }

    /// Signs the courier out: ends a running shift, with its entry. Nothing is deleted and what is
    /// unsent stays in the queue. Unless the courier has seen the counts and said yes, evidence that is
    /// only on this phone keeps him in.
    ///
    /// # Errors
    /// [`Refusal::UnsyncedWork`] with the counts.
    pub fn sign_out(&self, although_unsent: bool) -> Result<()> {
        let keys = self.at_work()?;
        if !although_unsent
            && let Some(warning) = self.logout_warning()?
            && warning.evidence_at_stake
        {
            return Err(Refusal::UnsyncedWork { left: warning.left }.into());
        }
        let now_ms = self.env.clock.wall_ms();
        self.db.write(|tx| {
            if shift::get(tx)?.duty.allows_location() {
                self.end_in(tx, &keys, now_ms)?;
            }
            Ok(())
        })
    }

    fn end_in(&self, tx: &Tx<'_>, keys: &Keys, now_ms: i64) -> Result<Shift> {
        let (after, ended) = shift::get(tx)?.duty.end(now_ms).map_err(Refusal::Duty)?;
        shift::set_duty(tx, after)?;
        let body = DutyBody {
            on: false,
            clock_moved_back: ended.clock_moved_back,
            fix: None,
        };
        self.record_duty(tx, keys, &body, now_ms)?;
        Ok(ended)
    }

    fn record_duty(&self, tx: &Tx<'_>, keys: &Keys, body: &DutyBody, now_ms: i64) -> Result<()> {
        let fact = Fact {
            kind: EntryKind::DUTY,
            handle: None,
            blobs: vec![],
            body: body.encode(),
            stop: None,
            occurred_at_ms: now_ms,
        };
        self.pen(keys).append(tx, fact).map(|_| ())
    }
}

fn place(fix: &Fix) -> LatLng {
    LatLng {
        lat: fix.lat,
        lng: fix.lng,
    }
}

/// A fix brought to WGS-84, with the provider's own numbers beside it where they were not.
pub(super) fn in_wgs84(fix: Fix) -> Result<Fix> {
    let datum = fix.datum.unwrap_or(Datum::Wgs84);
    let raw = RawFix {
        lat: fix.lat,
        lng: fix.lng,
        accuracy_m: fix.accuracy_m,
        age_ms: fix.age_ms,
        mock: fix.mock,
        datum,
    };
    let placed = position::place(raw).map_err(|_| Error::InvalidInput { what: "position" })?;
    let shifted = datum != Datum::Wgs84;
    Ok(Fix {
        lat: placed.wgs84.lat,
        lng: placed.wgs84.lng,
        datum: shifted.then_some(datum),
        raw: shifted.then_some((fix.lat, fix.lng)),
        ..fix
    })
}
