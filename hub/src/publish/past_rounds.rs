//! Rounds of earlier days leave the feed: a phone that is new, or reads everything once more, gets what is of use to
//! it and not the names and addresses of all the months before (PIPL 19).
//!
//! Phones that have a round keep it, out of their lists; what was recorded stays in the log. Only items that a later
//! one could replace go: facts and people's words stay in the feed.

use chrono::DateTime;
use satchel_protocol::feed::{OtherRoundItem, RouteItem, StopItem};
use satchel_protocol::ids::RouteId;
use satchel_protocol::transitions::ParcelState;

use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::store::feed;

const DAY_MS: i64 = 24 * 3_600_000;

/// Nobody loads a round this long after its date, in whatever zone that was written.
const NUMBERS_END_MS: i64 = 2 * DAY_MS;

/// How long a new phone is given rounds at which nothing is left to do: claims and complaints of the first weeks are
/// still answered at the door.
const STOPS_END_MS: i64 = 30 * DAY_MS;

/// Rounds ended in one transaction.
const AT_ONCE: i64 = 200;

/// Ends what is over by the hub's clock. Gives how many rounds that were.
pub(crate) async fn past_rounds(tx: &mut Tx, now_ms: i64) -> Result<usize, HubError> {
    let numbers = over(tx, day(now_ms - NUMBERS_END_MS), 0).await?;
    for route in &numbers {
        let topic = feed::about(OtherRoundItem::KIND, &route.to_string());
        sqlx::query(
            "UPDATE feed_item INDEXED BY feed_item_by_topic SET superseded = 1 \
             WHERE topic = ?2 AND NOT superseded \
             AND courier_id IN (SELECT courier_id FROM other_round_told WHERE route_id = ?1)",
        )
        .bind(&route.as_bytes()[..])
        .bind(topic)
        .execute(&mut **tx)
        .await?;
        end(tx, *route, 1).await?;
    }
    let stops = over(tx, day(now_ms - STOPS_END_MS), 1).await?;
    for route in &stops {
        let rows = sqlx::query("SELECT stop_id FROM stop WHERE route_id = ?")
            .bind(&route.as_bytes()[..])
            .fetch_all(&mut **tx)
            .await?;
        let mut topics = vec![feed::about(RouteItem::KIND, &route.to_string())];
        for row in &rows {
            topics.push(feed::about(
                StopItem::KIND,
                &row.uuid("stop_id")?.to_string(),
            ));
        }
        for topic in topics {
            sqlx::query(
                "UPDATE feed_item INDEXED BY feed_item_by_topic SET superseded = 1 \
                 WHERE topic = ?2 AND NOT superseded \
                 AND courier_id = (SELECT courier_id FROM route WHERE route_id = ?1)",
            )
            .bind(&route.as_bytes()[..])
            .bind(topic)
            .execute(&mut **tx)
            .await?;
        }
        end(tx, *route, 2).await?;
    }
    Ok(numbers.len() + stops.len())
}

/// Rounds of days before `day` that have come as far as `ended`; from 1 on only those at which nothing is left to do.
async fn over(tx: &mut Tx, day: Option<String>, ended: i64) -> Result<Vec<RouteId>, HubError> {
    let settled: String = ParcelState::ALL
        .iter()
        .filter(|state| crate::reassign::is_settled(**state))
        .map(|state| format!("|{}|", state.code()))
        .collect();
    let rows = sqlx::query(
        "SELECT r.route_id FROM route r WHERE r.service_date < ?1 AND r.feed_ended = ?2 AND r.feed_ended < 2 \
         AND (?2 = 0 OR NOT EXISTS ( \
           SELECT 1 FROM stop s JOIN parcel p USING (stop_id) LEFT JOIN parcel_fold f USING (parcel_id) \
           WHERE s.route_id = r.route_id \
             AND (f.state IS NULL OR instr(?3, '|' || f.state || '|') = 0))) \
         ORDER BY r.service_date LIMIT ?4",
    )
    .bind(day.unwrap_or_default())
    .bind(ended)
    .bind(settled)
    .bind(AT_ONCE)
    .fetch_all(&mut **tx)
    .await?;
    rows.iter()
        .map(|row| Ok(RouteId(row.uuid("route_id")?)))
        .collect()
}

async fn end(tx: &mut Tx, route: RouteId, ended: i64) -> Result<(), HubError> {
    sqlx::query("UPDATE route SET feed_ended = ?2 WHERE route_id = ?1")
        .bind(&route.as_bytes()[..])
        .bind(ended)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

fn day(at_ms: i64) -> Option<String> {
    let at = DateTime::from_timestamp_millis(at_ms)?;
    Some(at.format("%Y-%m-%d").to_string())
}
