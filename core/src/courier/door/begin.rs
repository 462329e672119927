//! Before the door opens: what each kind of handoff needs here, or why it is locked.

use satchel_protocol::ids::{ParcelId, StopId};
use satchel_protocol::taxonomy::HandoffKind;

use super::gate::{self, Asked};
use crate::courier::Courier;
use crate::error::{Error, Refusal, Result};
use crate::limits;
use crate::model::attempt::{Draft, HandoffOption, VisitWarning};
use crate::rules::consent::channels;
use crate::rules::ruleset::{Line, RuleSet};
use crate::store::attempts::{self, AttemptKind};
use crate::store::db::Snapshot;
use crate::store::stops::ParcelRow;
use crate::store::{entries, proofs};

impl Courier {
    /// Opens a handoff at a stop and says what it needs. An attempt with photos that was left open
    /// when the app was killed is taken up again.
    ///
    /// # Errors
    /// [`Refusal`] when this handoff is not allowed here (no consent, door required, nothing that could
    /// be handed over), so that the courier learns it before he walks to the locker;
    /// [`Error::NotFound`] for an unknown stop.
    pub fn begin_attempt(&self, stop: StopId, handoff: HandoffKind) -> Result<Draft> {
        self.at_work()?;
        let now_ms = self.env.clock.wall_ms();
        let rules = self.rules();
        let asked = Asked {
            handoff,
            signer_name: None,
            now_ms,
        };
        let (parcels, open, photos, head_seq) = self.db.read_short(|conn| {
            let open = gate::open_parcels(conn, stop, handoff)?;
            let parcels = gate::allowed_parcels(conn, &open, asked)?;
            let open = attempts::open_at_stop(conn, stop, now_ms - limits::DRAFT_RESUMABLE_MS)?;
            let photos = match open {
                Some(id) => proofs::photos_of(conn, id)?,
                None => Vec::new(),
            };
            Ok((parcels, open, photos, entries::head(conn)?.seq))
        })?;
        let attempt_id = match open {
            Some(id) => id,
            None => {
                let kind = AttemptKind::Visit;
                let (id, row) = self.new_attempt_behind(head_seq, stop, handoff, kind)?;
                self.remember_draft(id, row);
                id
            }
        };
        let hours = gate::hours(&parcels, now_ms, self.env.clock.utc_offset_min())?;
        Ok(Draft {
            attempt_id,
            requirements: lines(&rules, &parcels, handoff, &[])?,
            rules_version: rules.version(),
            warnings: hours.into_iter().map(VisitWarning::Door).collect(),
            photos,
        })
    }

    /// What a handoff needs at this stop, for all parcels that may be handed over this way now (B4-12).
    /// Reads only.
    ///
    /// # Errors
    /// As [`Courier::begin_attempt`].
    pub fn requirements(&self, stop: StopId, handoff: HandoffKind) -> Result<Vec<Line>> {
        self.requirements_for(stop, handoff, &[], &[])
    }

    /// The same for chosen parcels (none chosen: all that may), of which some look damaged: their
    /// inspection prompt reads otherwise (Art 27).
    ///
    /// # Errors
    /// As [`Courier::begin_attempt`]; [`Refusal::ParcelNotAtStop`] for a parcel that is not open here.
    pub fn requirements_for(
        &self,
        stop: StopId,
        handoff: HandoffKind,
        chosen: &[ParcelId],
        damaged: &[ParcelId],
    ) -> Result<Vec<Line>> {
        let asked = Asked {
            handoff,
            signer_name: None,
            now_ms: self.env.clock.wall_ms(),
        };
        let rules = self.rules();
        self.db.read(|conn| {
            let open = gate::open_parcels(conn, stop, handoff)?;
            if !chosen
                .iter()
                .all(|id| open.iter().any(|p| p.parcel_id == *id))
            {
                return Err(Refusal::ParcelNotAtStop.into());
            }
            let open: Vec<ParcelRow> = open
                .into_iter()
                .filter(|p| chosen.is_empty() || chosen.contains(&p.parcel_id))
                .collect();
            let parcels = gate::allowed_parcels(conn, &open, asked)?;
            lines(&rules, &parcels, handoff, damaged)
        })
    }

    /// Every kind of handoff at this stop with what it needs, or why it is locked (A022, A032). Reads
    /// only; a screen shows the locked ones with their reason instead of hiding them.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown stop, [`Refusal::ParcelClosed`] when nothing is open here.
    pub fn handoffs(&self, stop: StopId) -> Result<Vec<HandoffOption>> {
        let now_ms = self.env.clock.wall_ms();
        let rules = self.rules();
        self.db.read(|conn| {
            let options = HandoffKind::ALL
                .iter()
                .map(|&handoff| option(conn, &rules, stop, handoff, now_ms))
                .collect::<Result<Vec<_>>>()?;
            let closed = |o: &HandoffOption| o.locked == Some(Refusal::ParcelClosed);
            if options.iter().all(closed) {
                return Err(Refusal::ParcelClosed.into());
            }
            Ok(options)
        })
    }
}

fn option(
    conn: &Snapshot,
    rules: &RuleSet,
    stop: StopId,
    handoff: HandoffKind,
    now_ms: i64,
) -> Result<HandoffOption> {
    let asked = Asked {
        handoff,
        signer_name: None,
        now_ms,
    };
    let (parcels, locked) = match gate::open_parcels(conn, stop, handoff) {
        Err(Error::Refused(refusal)) => (Vec::new(), Some(refusal)),
        Err(other) => return Err(other),
        Ok(open) => match gate::allowed_parcels(conn, &open, asked) {
            Ok(allowed) => (allowed, None),
            Err(Error::Refused(refusal)) => (open, Some(refusal)),
            Err(other) => return Err(other),
        },
    };
    // No consent lifts a ban on the waybill, an age limit or a parcel that is done.
    let in_vain = matches!(
        locked,
        Some(Refusal::DoorRequired | Refusal::NobodyToCheck | Refusal::ParcelClosed)
    );
    Ok(HandoffOption {
        handoff,
        locked,
        channels: if in_vain { &[] } else { channels(handoff) },
        requirements: match gate::checklist(rules, &parcels, handoff, &[]) {
            Some(list) => list.lines,
            None => Vec::new(),
        },
    })
}

fn lines(
    rules: &RuleSet,
    parcels: &[ParcelRow],
    handoff: HandoffKind,
    damaged: &[ParcelId],
) -> Result<Vec<Line>> {
    let list = gate::checklist(rules, parcels, handoff, damaged).ok_or(Refusal::ParcelClosed)?;
    Ok(list.lines)
}
