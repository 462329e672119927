//! Answers to abnormal reports: what is to be done, told to the courier who reported (A044).

use satchel_protocol::feed::ReportAnswerItem;
use satchel_protocol::taxonomy::{Action, Reason};
use sqlx::Row;
use thiserror::Error;

use crate::db::RowExt;
use crate::error::HubError;
use crate::hub::Hub;
use crate::store::feed;

const MAX_WORDS_CHARS: usize = 500;

/// Why an answer is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AnswerFault {
    /// No report of this id.
    #[error("no report of this id")]
    Unknown,
    /// Neither an action nor words.
    #[error("an answer says what to do, in an action or in words")]
    Empty,
    /// The table of legal pairs does not allow it (A043).
    #[error("reason {} does not allow action {}", .reason.code(), .action.code())]
    IllegalPair {
        /// The report's reason.
        reason: Reason,
        /// The action.
        action: Action,
    },
}

impl Hub {
    /// Answers a report and tells its courier. The last answer stands; the time of the first counts.
    ///
    /// # Errors
    /// [`HubError::Answer`], [`HubError::TooManyWords`].
    pub async fn answer_report(
        &self,
        report_id: &str,
        action: Option<Action>,
        words: Option<&str>,
    ) -> Result<(), HubError> {
        let words = words.map(str::trim).filter(|w| !w.is_empty());
        if action.is_none() && words.is_none() {
            return Err(AnswerFault::Empty.into());
        }
        if words.is_some_and(|w| w.chars().count() > MAX_WORDS_CHARS) {
            return Err(HubError::TooManyWords);
        }
        let now_ms = self.now_ms();
        let mut tx = self.db().write().await?;
        let rows = sqlx::query(
            "SELECT DISTINCT r.device_id, r.reason, d.courier_id FROM report r \
             JOIN device d USING (device_id) WHERE r.report_id = ?",
        )
        .bind(report_id)
        .fetch_all(&mut *tx)
        .await?;
        if rows.is_empty() {
            return Err(AnswerFault::Unknown.into());
        }
        for row in &rows {
            let reason = Reason::from_code(row.try_get("reason")?);
            if let (Ok(reason), Some(action)) = (reason, action)
                && !reason.allows(action)
            {
                return Err(AnswerFault::IllegalPair { reason, action }.into());
            }
            sqlx::query(
                "INSERT INTO report_answer (device_id, report_id, action, words, answered_at_ms) \
                 VALUES (?1, ?2, ?3, ?4, ?5) \
                 ON CONFLICT (device_id, report_id) DO UPDATE SET action = ?3, words = ?4",
            )
            .bind(&row.device("device_id")?.as_bytes()[..])
            .bind(report_id)
            .bind(action.map(Action::code))
            .bind(words)
            .bind(now_ms)
            .execute(&mut *tx)
            .await?;
            let item = ReportAnswerItem {
                report_id: report_id.to_owned(),
                action,
                words: words.map(str::to_owned),
                answered_at_ms: now_ms,
            };
            let courier = row.courier("courier_id")?;
            feed::append(&mut tx, courier, ReportAnswerItem::KIND, &item).await?;
        }
        Ok(tx.commit().await?)
    }
}
