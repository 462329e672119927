//! The day's route: what is shown, masked by default, and the one call that unmasks.

use std::collections::{HashMap, HashSet};

use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::{ParcelId, StopId};
use satchel_protocol::taxonomy::Outcome;

use super::{Courier, door};
use crate::error::{Error, Result, StoreError};
use crate::evidence::log::Fact;
use crate::model::attempt::RatingCode;
use crate::model::status::Changes;
use crate::model::stop::{Contact, ParcelView, RouteView, StopState, StopView, SyncState};
use crate::rating;
use crate::rules::mask;
use crate::store::db::Snapshot;
use crate::store::entries::StopSync;
use crate::store::stops::{ParcelRow, StopRow};
use crate::store::{consents, entries, past, ratings, stops, versions};

impl Courier {
    /// The rounds on this phone that are not past ([`Self::past_routes`]).
    ///
    /// # Errors
    /// Only those of the store.
    pub fn routes(&self) -> Result<Vec<RouteView>> {
        let views = self.stops()?;
        self.db.read(|conn| {
            Ok(stops::routes(conn)?
                .into_iter()
                .map(|row| {
                    let of_route = || {
                        views
                            .iter()
                            .filter(|s| s.route_id == row.route_id && s.state != StopState::Removed)
                    };
                    let open = of_route().filter(|s| s.state != StopState::Done).count();
                    let listed = u32::try_from(of_route().count()).unwrap_or(u32::MAX);
                    RouteView {
                        route_id: row.route_id,
                        open_stops: u32::try_from(open).unwrap_or(u32::MAX),
                        total_stops: listed.saturating_add(row.past_stops),
                        name: row.name,
                        service_date: row.service_date,
                    }
                })
                .collect())
        })
    }

    /// Every stop that is not past, in the order of the rounds, personal data masked (A038). Past are those
    /// of a day that is over, where nothing is left to do and of which the hub has everything:
    /// [`Self::stops_of`] a round has them.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn stops(&self) -> Result<Vec<StopView>> {
        let now_ms = self.env.clock.wall_ms();
        let sending = self.engine().sending_up_to();
        self.db.read(|conn| {
            let parcels = stops::parcels(conn, None)?;
            let sync = entries::sync_of_parcels(conn, &parcels)?;
            let beside = Beside::of_all(conn)?;
            views(
                conn,
                stops::stops(conn)?,
                parcels,
                (&sync, sending),
                &beside,
                now_ms,
            )
        })
    }

    /// One stop, personal data masked.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a stop this phone never had.
    pub fn stop(&self, id: StopId) -> Result<StopView> {
        let now_ms = self.env.clock.wall_ms();
        let sending = self.engine().sending_up_to();
        self.db.read(|conn| {
            let stop = stops::stop(conn, id)?;
            let parcels = stops::parcels(conn, Some(id))?;
            let sync = entries::sync_of_parcels(conn, &parcels)?;
            let sync = sync_state(sync.get(&id), sending);
            view(conn, stop, parcels, sync, &Beside::default(), now_ms)
        })
    }

    /// One parcel, wherever it is.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a parcel this phone never had.
    pub fn parcel(&self, id: ParcelId) -> Result<ParcelView> {
        let stop_id = self.db.read(|conn| Ok(stops::parcel(conn, id)?.stop_id))?;
        let stop = self.stop(stop_id)?;
        let found = stop.parcels.into_iter().find(|p| p.parcel_id == id);
        found.ok_or(Error::NotFound { what: "parcel" })
    }

    /// The unmasked person and door of one stop. Each call is an entry in the evidence log (A038,
    /// PIPL 51): who harvests addresses can be seen.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown stop, [`Error::NotEnrolled`] before enrolment.
    pub fn reveal(&self, id: StopId) -> Result<Contact> {
        let keys = self.at_work()?;
        let occurred_at_ms = self.env.clock.wall_ms();
        self.db.write(|tx| {
            let stop = stops::stop(tx, id)?;
            let fact = Fact {
                kind: EntryKind::REVEALED,
                handle: None,
                blobs: vec![],
                body: satchel_protocol::attempt::RevealedBody { stop: id }.encode(),
                stop: Some(id),
                occurred_at_ms,
            };
            self.pen(&keys).append(tx, fact)?;
            Ok(Contact {
                name: stop.recipient_name,
                phone: stop.recipient_phone,
                address: stop.address,
            })
        })
    }

    /// The rating code of a delivered parcel, offline, as often as asked for (A026).
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown parcel or one that is not delivered.
    pub fn rating_code(&self, parcel: ParcelId) -> Result<RatingCode> {
        let keys = self.enrolled()?;
        self.db.read(|conn| {
            let parcel = stops::parcel(conn, parcel)?;
            let delivered = parcel.outcome == Some(Outcome::Delivered);
            let seq = parcel
                .last_seq
                .filter(|_| delivered)
                .ok_or(Error::NotFound {
                    what: "rating code of an undelivered parcel",
                })?;
            let head = entries::hash_at(conn, seq)?
                .ok_or(Error::Store(StoreError::BadRow("last entry")))?;
            Ok(rating::code(&keys.hub_url, &parcel, &head))
        })
    }

    /// Stops that changed after `version`, those that have become past since among them; start with 0, which
    /// gives all that are listed.
    ///
    /// # Errors
    /// Only those of the store.
    pub fn changes_since(&self, version: i64) -> Result<Changes> {
        let (version, stops) = self.db.read(|conn| versions::changes(conn, version))?;
        Ok(Changes { version, stops })
    }
}

/// `sending_up_to` is the last entry of the batch in flight: what was recorded after it is not on its
/// way yet.
fn sync_state(sync: Option<&StopSync>, sending_up_to: Option<i64>) -> SyncState {
    match sync {
        None => SyncState::Nothing,
        Some(s) => match (s.last_unsent, s.proofs_unsent, s.proofs_lost) {
            (Some(last), ..) if sending_up_to >= Some(last) => SyncState::Sending,
            (Some(_), ..) => SyncState::Local,
            (None, 1.., _) => SyncState::Received,
            (None, _, 1..) => SyncState::ProofLost,
            (None, ..) => SyncState::ProofComplete,
        },
    }
}

/// What is left to do at a door, from where its parcels are.
fn stop_state(stop: &StopRow, parcels: &[ParcelRow]) -> StopState {
    if stop.removed {
        StopState::Removed
    } else if !parcels.is_empty() && parcels.iter().all(|p| past::is_settled(p.state)) {
        StopState::Done
    } else if parcels.iter().any(|p| p.outcome == Some(Outcome::Failed)) {
        StopState::Failed
    } else {
        StopState::Open
    }
}

/// Which parcels have a consent or a rating. Two queries for a list of hundreds instead of two for each of its
/// parcels, of which few have either; where it does not know, each parcel is asked about.
#[derive(Default)]
pub(super) struct Beside {
    consented: Option<HashSet<ParcelId>>,
    rated: Option<HashSet<ParcelId>>,
}

impl Beside {
    pub(super) fn of_all(conn: &Snapshot) -> Result<Self> {
        Ok(Self {
            consented: consents::parcels_with_any(conn)?,
            rated: Some(ratings::rated_parcels(conn)?),
        })
    }
}

/// Whether `parcel` has to be asked about.
fn may_have(known: Option<&HashSet<ParcelId>>, parcel: ParcelId) -> bool {
    known.is_none_or(|some| some.contains(&parcel))
}

/// `stops` as shown, with their `parcels` and how far each has got (and up to which entry the batch in flight goes).
pub(super) fn views(
    conn: &Snapshot,
    stops: Vec<StopRow>,
    parcels: Vec<ParcelRow>,
    (sync, sending): (&HashMap<StopId, StopSync>, Option<i64>),
    beside: &Beside,
    now_ms: i64,
) -> Result<Vec<StopView>> {
    let mut of_stop: HashMap<StopId, Vec<ParcelRow>> = HashMap::new();
    for parcel in parcels {
        of_stop.entry(parcel.stop_id).or_default().push(parcel);
    }
    stops
        .into_iter()
        .map(|stop| {
            let parcels = of_stop.remove(&stop.stop_id).unwrap_or_default();
            let sync = sync_state(sync.get(&stop.stop_id), sending);
            view(conn, stop, parcels, sync, beside, now_ms)
        })
        .collect()
}

fn view(
    conn: &Snapshot,
    stop: StopRow,
    parcels: Vec<ParcelRow>,
    sync: SyncState,
    beside: &Beside,
    now_ms: i64,
) -> Result<StopView> {
    let state = stop_state(&stop, &parcels);
    let promised_by_ms = parcels
        .iter()
        .filter(|p| p.wants_visit())
        .map(|p| p.promised_by_ms)
        .min();
    let parcels = parcels
        .into_iter()
        .map(|p| {
            let consents = if may_have(beside.consented.as_ref(), p.parcel_id) {
                door::consented(conn, &p, now_ms)?
            } else {
                Vec::new()
            };
            let rating = if may_have(beside.rated.as_ref(), p.parcel_id) {
                ratings::latest(conn, p.parcel_id)?
            } else {
                None
            };
            let flags = p.folded()?.flags;
            Ok(ParcelView {
                state: p.state,
                flags,
                pickup: p.pickup,
                min_age_years: p.min_age_years,
                parcel_id: p.parcel_id,
                waybill: p.waybill,
                promise_class: p.promise_class,
                promised_by_ms: p.promised_by_ms,
                tags: p.tags,
                consents,
                door_required: p.door_required,
                outcome: p.outcome,
                attempts: p.attempts,
                rating,
            })
        })
        .collect::<Result<_>>()?;
    Ok(StopView {
        stop_id: stop.stop_id,
        route_id: stop.route_id,
        position: stop.position,
        place: stop.place,
        address: mask::address(&stop.address),
        recipient_name: mask::name(&stop.recipient_name),
        recipient_phone: mask::phone(&stop.recipient_phone),
        window_start_ms: stop.window_start_ms,
        window_end_ms: stop.window_end_ms,
        promised_by_ms,
        state,
        sync,
        past: stop.past,
        parcels,
    })
}
