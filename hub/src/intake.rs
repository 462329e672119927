//! An import's last step: planned rounds into routes, stops, parcels and the couriers' feeds.
//!
//! Ids are derived from the natural keys of the plan (UUIDv5), and what exists is left alone, so a
//! second import of the same file changes nothing and an import that was cut off is simply repeated.
//! All of a file is one transaction.

mod promise;

use satchel_protocol::doorstep::{ConsentEvidence, ConsentRecord};
use satchel_protocol::feed::{ParcelItem, PickupItem, Recipient, RouteItem, StopItem};
use satchel_protocol::ids::{CourierId, Handle, ParcelId, RouteId, StopId};
use satchel_protocol::taxonomy::{ConsentOrigin, Giver};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::choices;
use crate::codes;
use crate::db::Tx;
use crate::doorstep;
use crate::error::HubError;
use crate::hub::Hub;
use crate::import::{
    Contents, Delivery, Format, GroupBy, GroupRule, Mapping, PlannedStop, Round, RowError,
    parcel_key, plan_rounds, read_rows,
};
use crate::publish;
use crate::store::{feed, rounds};

/// Names the ids that this hub derives from natural keys. Drawn once, never changed.
const IDS: Uuid = Uuid::from_u128(0x6d5c_2f0e_9a41_4c7b_b1d3_7e08_44f5_a92c);

/// What an import is done with, besides bytes and mapping.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// Cuts the deliveries into rounds; without it the mapping's own rule, or one round a day.
    pub group: Option<GroupRule>,
    /// Who drives: rounds go to these in turn, new names become couriers. Without any, a round's own
    /// label (a column of the file) is its courier.
    pub couriers: Vec<String>,
    /// Read, plan and report; write nothing.
    pub dry_run: bool,
}

/// What an import did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Rows seen.
    pub rows_read: u64,
    /// Rows that gave no delivery.
    pub rows_rejected: u64,
    /// Why, in the words of [`RowError`].
    pub errors: Vec<String>,
    /// The planned rounds, new and known.
    pub rounds: Vec<RoundReport>,
    /// Parcels that were not known before.
    pub new_parcels: u64,
    /// Parcels that were left as they are.
    pub known_parcels: u64,
    /// Nothing was written.
    pub dry_run: bool,
}

/// One planned round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundReport {
    /// What people call it.
    pub name: String,
    /// Its local date.
    pub service_date: String,
    /// Who drives it, if anybody was named.
    pub courier: Option<String>,
    /// Doors.
    pub stops: usize,
    /// Parcels.
    pub parcels: usize,
}

struct Done {
    new_parcels: u64,
    known_parcels: u64,
}

impl Hub {
    /// Imports a file of deliveries. Bad rows are named in the report and never stop the good ones.
    ///
    /// # Errors
    /// [`HubError::Import`] when no row can be trusted, [`HubError::Grouping`] when the rule does not
    /// fit the file, [`HubError::NoCourier`] when rounds have nobody to drive them.
    pub async fn import(
        &self,
        bytes: &[u8],
        mapping: &Mapping,
        options: &ImportOptions,
    ) -> Result<ImportReport, HubError> {
        let mut mapping = mapping.clone();
        if let Some(rule) = &options.group {
            mapping.set_group(rule.clone());
        }
        let imported = read_rows(bytes, Format::Auto, &mapping)?;
        let (rows_read, rows_rejected) = (imported.rows_read, imported.rows_rejected());
        let errors = imported.errors.iter().map(RowError::to_string).collect();
        let rule = mapping.group().cloned().unwrap_or(ONE_A_DAY);
        let planned = plan_rounds(imported.deliveries, mapping.source(), &rule)?;
        let rounds = assign(&planned, &options.couriers);
        if !options.dry_run && rounds.iter().any(|r| r.courier.is_none()) {
            return Err(HubError::NoCourier);
        }
        let mut tx = self.db().write().await?;
        let done = self
            .take_in(&mut tx, mapping.source(), &planned, &rounds)
            .await?;
        if options.dry_run {
            // The dry run is the real run, taken back.
            tx.rollback().await?;
        } else {
            tx.commit().await?;
            tracing::info!(
                rows_read,
                rows_rejected,
                rounds = rounds.len(),
                new_parcels = done.new_parcels,
                "import done"
            );
        }
        Ok(ImportReport {
            rows_read,
            rows_rejected,
            errors,
            rounds,
            new_parcels: done.new_parcels,
            known_parcels: done.known_parcels,
            dry_run: options.dry_run,
        })
    }

    async fn take_in(
        &self,
        tx: &mut Tx,
        source: &str,
        planned: &[Round],
        reports: &[RoundReport],
    ) -> Result<Done, HubError> {
        let mut done = Done {
            new_parcels: 0,
            known_parcels: 0,
        };
        for (round, report) in planned.iter().zip(reports) {
            let courier = match &report.courier {
                Some(name) => Some(self.courier_in(tx, name).await?),
                None => None,
            };
            self.take_round(tx, source, round, report, courier, &mut done)
                .await?;
        }
        let dates = reports.iter().map(|r| r.service_date.clone()).collect();
        publish::other_rounds(tx, &dates).await?;
        Ok(done)
    }

    async fn take_round(
        &self,
        tx: &mut Tx,
        source: &str,
        round: &Round,
        report: &RoundReport,
        courier: Option<CourierId>,
        done: &mut Done,
    ) -> Result<(), HubError> {
        let route_id = RouteId(id(&round.key));
        let route = RouteItem {
            route_id,
            name: report.name.clone(),
            service_date: report.service_date.clone(),
            depot: round.depot,
            stop_count: u32::try_from(round.stops.len()).unwrap_or(u32::MAX),
        };
        // A known round keeps the courier it has; its new stops go to that one.
        let mut owner = rounds::owner(tx, route_id).await?;
        for (position, stop) in (1_u32..).zip(&round.stops) {
            let fresh = self.fresh_parcels(tx, source, stop, done).await?;
            if fresh.is_empty() {
                continue;
            }
            if owner.is_none() {
                rounds::add_route(tx, &route, courier).await?;
                if let Some(courier) = courier {
                    feed::append(tx, courier, RouteItem::KIND, &route).await?;
                }
                owner = Some(courier);
            }
            let mut item = stop_item(route_id, position, stop, fresh);
            choices::add_standing(self, tx, &mut item).await?;
            rounds::add_stop(tx, &item).await?;
            self.after_adding(tx, source, stop).await?;
            if let Some(courier) = owner.flatten() {
                // Whole, with parcels an earlier import gave it.
                let whole = rounds::stop_parcels(tx, item).await?;
                feed::append(tx, courier, StopItem::KIND, &without_keys(&whole)?).await?;
            }
        }
        Ok(())
    }

    /// What a parcel needs once it has its row: its code, what its recipient may look up, and its state if something was recorded about
    /// it before the file came.
    async fn after_adding(
        &self,
        tx: &mut Tx,
        source: &str,
        stop: &PlannedStop,
    ) -> Result<(), HubError> {
        for delivery in &stop.parcels {
            let parcel_id = ParcelId(id(&parcel_key(source, &delivery.waybill)));
            if let Some(code) = &delivery.code {
                codes::keep(self, tx, parcel_id, code).await?;
            }
            if delivery.contents != Contents::default() {
                rounds::note_contents(tx, parcel_id, &delivery.contents).await?;
            }
            if delivery.pickup_until_ms.is_some() {
                doorstep::refold(tx, parcel_id).await?;
            }
        }
        Ok(())
    }

    /// The parcels of a stop that are not known yet.
    async fn fresh_parcels(
        &self,
        tx: &mut Tx,
        source: &str,
        stop: &PlannedStop,
        done: &mut Done,
    ) -> Result<Vec<ParcelItem>, HubError> {
        let mut fresh = Vec::new();
        for delivery in &stop.parcels {
            let parcel_id = ParcelId(id(&parcel_key(source, &delivery.waybill)));
            if rounds::parcel_is_known(tx, parcel_id).await? {
                done.known_parcels += 1;
                continue;
            }
            done.new_parcels += 1;
            let mut item = parcel_item(parcel_id, Handle(self.draw()?), delivery);
            if let Some(code) = &delivery.code {
                item.code = Some(codes::item(self, parcel_id, code)?);
            }
            fresh.push(item);
        }
        Ok(fresh)
    }
}

const ONE_A_DAY: GroupRule = GroupRule {
    by: GroupBy::Single,
    max_stops: 500,
    merge_doors_m: 15,
};

fn id(key: &str) -> Uuid {
    Uuid::new_v5(&IDS, key.as_bytes())
}

/// Names the rounds and hands them out in turn.
fn assign(planned: &[Round], couriers: &[String]) -> Vec<RoundReport> {
    let mut in_turn = couriers.iter().cycle();
    planned
        .iter()
        .enumerate()
        .map(|(index, round)| RoundReport {
            name: match &round.label {
                Some(label) => label.clone(),
                None => format!("{} #{}", round.service_date.format("%m-%d"), index + 1),
            },
            service_date: round.service_date.to_string(),
            courier: in_turn.next().cloned().or_else(|| round.label.clone()),
            stops: round.stops.len(),
            parcels: round.parcel_count(),
        })
        .collect()
}

fn stop_item(
    route_id: RouteId,
    position: u32,
    stop: &PlannedStop,
    parcels: Vec<ParcelItem>,
) -> StopItem {
    let person = stop.parcels.first();
    let text = |pick: fn(&Delivery) -> Option<String>| person.and_then(pick).unwrap_or_default();
    StopItem {
        stop_id: StopId(id(&stop.key)),
        route_id,
        position,
        place: stop.position,
        address: text(|d| Some(d.address.clone())),
        recipient: Recipient {
            name: text(|d| d.recipient_name.clone()),
            phone: text(|d| d.recipient_phone.clone()),
        },
        window_start_ms: stop.window_start_ms,
        window_end_ms: stop.window_end_ms,
        parcels,
    }
}

fn parcel_item(parcel_id: ParcelId, handle: Handle, d: &Delivery) -> ParcelItem {
    // The file's owner vouches for it; how the customer said it is not in the file (A033).
    let consent = || ConsentRecord {
        consent_id: id(&format!("consent/{parcel_id}")).to_string(),
        giver: Giver::Recipient,
        origin: ConsentOrigin::HubPage,
        scope: d.consents.clone(),
        parcels: vec![parcel_id],
        named_person: None,
        place: None,
        evidence: ConsentEvidence::Page {
            reference: format!("import/{}", d.waybill),
        },
        given_at_ms: d.accepted_at_ms,
        expires_at_ms: None,
        withdrawn_at_ms: None,
    };
    let promised_by_ms =
        promise::promised_by_ms(d.promise_class, d.accepted_at_ms, d.utc_offset_min);
    ParcelItem {
        tags: d.tags.clone(),
        door_required: d.door_required,
        tier: d.tier.clone(),
        min_age_years: d.min_age_years,
        temperature: d.temperature,
        pickup: d.pickup_until_ms.map(|window_end_ms| PickupItem {
            window_end_ms,
            deliver_to: None,
        }),
        consents: if d.consents.is_empty() {
            Vec::new()
        } else {
            vec![consent()]
        },
        ..ParcelItem::bare(
            parcel_id,
            d.waybill.clone(),
            handle,
            d.promise_class,
            d.accepted_at_ms,
            promised_by_ms,
        )
    }
}

/// The stored form of a stop: rating keys are put in per device when a page is served.
pub(crate) fn without_keys(item: &StopItem) -> Result<Value, HubError> {
    let damaged = HubError::DamagedRow { what: "stop" };
    let Ok(mut value) = serde_json::to_value(item) else {
        return Err(damaged);
    };
    let parcels = value
        .get_mut("parcels")
        .and_then(Value::as_array_mut)
        .ok_or(damaged)?;
    for parcel in parcels.iter_mut().filter_map(Value::as_object_mut) {
        parcel.remove("rating_key");
    }
    Ok(value)
}
