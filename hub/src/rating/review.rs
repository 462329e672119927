//! Judging the last weeks of every courier, and what people do about it: lift a flag, hide words.
//!
//! Runs beside the requests, not in them: a flag may come with the third rating of a browser and then
//! concerns the first two as well. Nothing is taken back or deleted here; each act is a new row, a
//! journal record where a person acted, and a word to the courier.

use std::collections::HashSet;

use satchel_protocol::crypto;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::DeviceId;
use satchel_protocol::taxonomy::RatingFlag;
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::bind;
use super::honesty::{self, Seen, Usual};
use crate::db::Tx;
use crate::error::HubError;
use crate::hub::Hub;
use crate::journal;

const HOUR_MS: i64 = 3_600 * 1_000;
const WINDOW_MS: i64 = 30 * 24 * HOUR_MS;
/// A courier's phone was there around that time.
const NEAR_MS: i64 = 2 * HOUR_MS;
/// Silence on a network after which it counts as left.
const STAY_MS: i64 = 12 * HOUR_MS;

/// Remembers which network a courier's phone speaks from.
pub(crate) async fn note_device_net(
    tx: &mut Tx,
    device: DeviceId,
    net: [u8; 8],
    now_ms: i64,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO device_net (device_id, net, since_ms, seen_at_ms) VALUES (?1, ?2, ?3, ?3) \
         ON CONFLICT DO UPDATE SET seen_at_ms = ?3, \
           since_ms = CASE WHEN ?3 - seen_at_ms > ?4 THEN ?3 ELSE since_ms END",
    )
    .bind(&device.as_bytes()[..])
    .bind(&net[..])
    .bind(now_ms)
    .bind(STAY_MS)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One courier's QR-only ratings of the window, with everything the judgement asks.
const WINDOW: &str = "\
    SELECT r.rating_id, r.rated_at_ms, r.net, r.agent, r.browser, \
      st.recipient_name || char(0) || st.recipient_phone || char(0) || st.address AS recipient, \
      (SELECT min(w.first_seen_at_ms) FROM witness w \
         WHERE w.parcel_id = r.parcel_id AND w.head = r.head) AS first_seen_ms, \
      a.occurred_at_ms, \
      a.occurred_at_ms + (SELECT min(b.received_at_ms - b.occurred_at_ms) FROM attempt b \
         WHERE b.device_id = r.device_id \
           AND abs(b.received_at_ms - a.received_at_ms) < ?3) AS issued_at_ms, \
      (SELECT count(DISTINCT o.courier_id) FROM rating_said o \
         WHERE o.net = r.net AND o.agent = r.agent AND o.rated_at_ms >= ?2) AS pair_couriers, \
      EXISTS (SELECT 1 FROM device_net n JOIN device d USING (device_id) \
         WHERE d.courier_id = r.courier_id AND n.net = r.net \
           AND r.rated_at_ms BETWEEN n.since_ms - ?4 AND n.seen_at_ms + ?4) AS on_courier_net, \
      coalesce((SELECT c.wrong FROM code_tries c WHERE c.parcel_id = r.parcel_id), 0) AS wrong_codes \
    FROM rating_said r JOIN parcel p USING (parcel_id) JOIN stop st USING (stop_id) \
      LEFT JOIN attempt a ON a.device_id = r.device_id AND a.seq = r.bound_seq \
    WHERE r.courier_id = ?1 AND r.class = 'present' AND r.rated_at_ms >= ?2 \
    ORDER BY r.rating_id";

#[derive(Serialize)]
struct Act<'a> {
    rating: i64,
    why: &'a str,
}

impl Hub {
    /// Judges all ratings of the last weeks that came with the QR alone. Gives the number of new flags.
    ///
    /// # Errors
    /// [`HubError`]; what was not judged is judged the next time.
    pub async fn review_ratings(&self) -> Result<usize, HubError> {
        let since_ms = self.now_ms().saturating_sub(WINDOW_MS);
        let couriers: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT DISTINCT courier_id FROM rating_said WHERE class = 'present' AND rated_at_ms >= ?",
        )
        .bind(since_ms)
        .fetch_all(self.db().read())
        .await?;
        let hub_share = self.usual_share(since_ms).await?;
        let mut new = 0;
        for courier in &couriers {
            let rows = sqlx::query(WINDOW)
                .bind(courier)
                .bind(since_ms)
                .bind(STAY_MS)
                .bind(NEAR_MS)
                .fetch_all(self.db().read())
                .await?;
            let window: Vec<Seen> = rows.iter().map(seen).collect::<Result<_, _>>()?;
            let delivered = sqlx::query_scalar(
                "SELECT count(*) FROM attempt a JOIN device d USING (device_id) \
                 WHERE d.courier_id = ? AND a.outcome = 'delivered' AND a.received_at_ms >= ?",
            )
            .bind(courier)
            .bind(since_ms)
            .fetch_one(self.db().read())
            .await?;
            let usual = Usual {
                delivered,
                hub_share,
            };
            let flags = honesty::judge(&window, usual);
            if !flags.is_empty() {
                new += self.flag(flags).await?;
            }
        }
        if new > 0 {
            tracing::info!(new, "ratings set aside for a person to look at");
        }
        Ok(new)
    }

    async fn usual_share(&self, since_ms: i64) -> Result<f64, HubError> {
        Ok(sqlx::query_scalar(
            "SELECT coalesce(1.0 * (SELECT count(*) FROM rating_said \
                 WHERE class = 'present' AND rated_at_ms >= ?1) \
               / nullif((SELECT count(*) FROM attempt \
                 WHERE outcome = 'delivered' AND received_at_ms >= ?1), 0), 0.0)",
        )
        .bind(since_ms)
        .fetch_one(self.db().read())
        .await?)
    }

    async fn flag(&self, flags: HashSet<(i64, RatingFlag)>) -> Result<usize, HubError> {
        let mut flags: Vec<_> = flags.into_iter().collect();
        flags.sort_unstable();
        let mut tx = self.db().write().await?;
        let mut concerned = Vec::new();
        for (rating_id, reason) in flags {
            let done = sqlx::query(
                "INSERT INTO rating_flag (rating_id, reason, flagged_at_ms) VALUES (?, ?, ?) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(rating_id)
            .bind(reason.code())
            .bind(self.now_ms())
            .execute(&mut *tx)
            .await?;
            if done.rows_affected() > 0 {
                concerned.push(rating_id);
            }
        }
        let new = concerned.len();
        concerned.dedup();
        for rating_id in concerned {
            tell(&mut tx, rating_id).await?;
        }
        tx.commit().await?;
        Ok(new)
    }

    /// Hides a rating's words from the courier and the public, with a reason. Stars, words and reason
    /// stay on record and on the board.
    ///
    /// # Errors
    /// [`HubError::NoReason`], [`HubError::UnknownRating`] also for one that is hidden already.
    pub async fn hide_rating(&self, rating_id: i64, why: &str) -> Result<(), HubError> {
        let hide = "INSERT INTO rating_hidden (rating_id, why, hidden_at_ms, journal_seq) \
             SELECT rating_id, ?2, ?3, ?4 FROM rating_said r WHERE rating_id = ?1 AND NOT EXISTS \
               (SELECT 1 FROM rating_hidden h WHERE h.rating_id = r.rating_id \
                  AND h.shown_at_ms IS NULL)";
        self.act_on_rating(journal::RATING_HIDDEN, hide, rating_id, why)
            .await
    }

    /// Shows again what was hidden, with a reason. That it was hidden, and why, stays on record.
    ///
    /// # Errors
    /// [`HubError::NoReason`], [`HubError::UnknownRating`] also for one that is not hidden.
    pub async fn show_rating(&self, rating_id: i64, why: &str) -> Result<(), HubError> {
        let show = "UPDATE rating_hidden SET shown_at_ms = ?3, shown_why = ?2, shown_seq = ?4 \
             WHERE rating_id = ?1 AND shown_at_ms IS NULL";
        self.act_on_rating(journal::RATING_SHOWN, show, rating_id, why)
            .await
    }

    /// Lifts all flags of a rating after a person has looked at it, with a reason.
    ///
    /// # Errors
    /// [`HubError::NoReason`], [`HubError::UnknownRating`] also for one without a flag.
    pub async fn lift_flags(&self, rating_id: i64, why: &str) -> Result<(), HubError> {
        let why = journal::reason(why)?;
        let mut tx = self.db().write().await?;
        let done = sqlx::query(
            "UPDATE rating_flag SET lifted_at_ms = ?, lifted_why = ? \
             WHERE rating_id = ? AND lifted_at_ms IS NULL",
        )
        .bind(self.now_ms())
        .bind(why)
        .bind(rating_id)
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(HubError::UnknownRating(rating_id));
        }
        let act = Act {
            rating: rating_id,
            why,
        };
        journal::append(self, &mut tx, journal::FLAG_LIFTED, &act).await?;
        tell(&mut tx, rating_id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Hides or shows: into the journal and into the row that `statement` names, together;
    /// `?1` is the rating, `?2` the reason, `?3` now, `?4` the place in the journal. Where it changes nothing
    /// there was nothing to do it to, and the journal stays as it was.
    async fn act_on_rating(
        &self,
        kind: EntryKind,
        statement: &'static str,
        rating_id: i64,
        why: &str,
    ) -> Result<(), HubError> {
        let why = journal::reason(why)?;
        let mut tx = self.db().write().await?;
        let act = Act {
            rating: rating_id,
            why,
        };
        let journal_seq = journal::append(self, &mut tx, kind, &act).await?;
        let done = sqlx::query(statement)
            .bind(rating_id)
            .bind(why)
            .bind(self.now_ms())
            .bind(journal_seq)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(HubError::UnknownRating(rating_id));
        }
        tell(&mut tx, rating_id).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The courier's phone shows the word that stands; an older revision is no longer shown.
pub(crate) async fn tell(tx: &mut Tx, rating_id: i64) -> Result<(), HubError> {
    let row = sqlx::query("SELECT * FROM rating WHERE rating_id = ?")
        .bind(rating_id)
        .fetch_optional(&mut **tx)
        .await?;
    match row {
        Some(row) => bind::tell_courier(tx, &row).await,
        None => Ok(()),
    }
}

fn seen(row: &SqliteRow) -> Result<Seen, HubError> {
    let print = |column: &'static str| -> Result<Option<[u8; 8]>, HubError> {
        let bytes: Option<&[u8]> = row.try_get(column)?;
        bytes
            .map(|b| {
                b.try_into()
                    .map_err(|_| HubError::DamagedRow { what: column })
            })
            .transpose()
    };
    let recipient: &str = row.try_get("recipient")?;
    let hash = crypto::sha256(&[recipient.as_bytes()]);
    let recipient = hash
        .0
        .iter()
        .take(8)
        .fold(0_u64, |n, b| n << 8 | u64::from(*b));
    Ok(Seen {
        rating_id: row.try_get("rating_id")?,
        recipient,
        rated_at_ms: row.try_get("rated_at_ms")?,
        first_seen_ms: row.try_get("first_seen_ms")?,
        occurred_at_ms: row.try_get("occurred_at_ms")?,
        issued_at_ms: row.try_get("issued_at_ms")?,
        net: print("net")?,
        agent: print("agent")?,
        browser: print("browser")?,
        pair_couriers: row.try_get("pair_couriers")?,
        on_courier_net: row.try_get("on_courier_net")?,
        wrong_codes: row.try_get("wrong_codes")?,
    })
}
