//! What the operator tells all phones or one courier's: rules, abnormal days, traffic, settings, the numbers
//! of other rounds, answers to reports. Everything is kept, and goes to whoever joins later as well.

mod answers;
mod other_rounds;
mod past_rounds;
mod settings;
mod traffic;

use satchel_protocol::feed::{RULE_SET, RegimeItem, TrafficItem};
use satchel_protocol::ids::CourierId;
use satchel_protocol::taxonomy::Regime;
use satchel_protocol::token::base32;
use serde_json::Value;
use sqlx::Row;
use thiserror::Error;

use crate::db::{RowExt, Tx};
use crate::error::HubError;
use crate::hub::Hub;
use crate::store::feed;

pub use answers::AnswerFault;
pub(crate) use other_rounds::other_rounds;
pub(crate) use past_rounds::past_rounds;
pub use settings::SettingFault;
pub use traffic::TrafficFault;

/// Largest rule set a phone reads.
const MAX_RULESET_BYTES: usize = 256 * 1_024;
/// The format of rule sets that phones of this build read.
const RULESET_FORMAT: u64 = 1;

/// Why a rule set is not sent out. Whether it keeps the law's minimum is judged on the phones, which
/// refuse it otherwise and say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RuleSetFault {
    /// Larger than a phone reads.
    #[error("the rule set is larger than {} KiB", MAX_RULESET_BYTES / 1024)]
    TooLarge,
    /// Not a JSON object with `format`, `version` and `rules`.
    #[error("a rule set is a JSON object with \"format\", \"version\" and \"rules\"")]
    Form,
    /// A format phones do not read.
    #[error("the rule set has a format phones of this build do not read")]
    Format,
    /// Version 0 is the phone's own, and others are 32 bit.
    #[error("the rule set's version is not a number from 1")]
    Version,
    /// An older or equal version than the one that is out.
    #[error("version {offered} is not newer than version {current}, which is out")]
    NotNewer {
        /// What is out.
        current: u32,
        /// What was offered.
        offered: u32,
    },
}

/// Why an abnormal day cannot be declared or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RegimeFault {
    /// It ends before it begins.
    #[error("the abnormal day ends before it begins")]
    EndsBeforeItBegins,
    /// None of this id.
    #[error("no abnormal day of this id")]
    Unknown,
}

impl Hub {
    /// Sends a rule set to all couriers. Sending the one that is out again changes nothing. Gives its
    /// version.
    ///
    /// # Errors
    /// [`HubError::RuleSet`].
    pub async fn set_rules(&self, document: &[u8]) -> Result<u32, HubError> {
        let (version, value) = read_rules(document)?;
        let text = value.to_string();
        let mut tx = self.db().write().await?;
        let current: Option<(i64, String)> =
            sqlx::query_as("SELECT version, document FROM rule_set ORDER BY version DESC LIMIT 1")
                .fetch_optional(&mut *tx)
                .await?;
        if let Some((current, held)) = current
            && current >= i64::from(version)
        {
            if held == text {
                return Ok(version);
            }
            let current = u32::try_from(current).unwrap_or(u32::MAX);
            let offered = version;
            return Err(RuleSetFault::NotNewer { current, offered }.into());
        }
        sqlx::query("INSERT INTO rule_set (version, document, set_at_ms) VALUES (?, ?, ?)")
            .bind(i64::from(version))
            .bind(&text)
            .bind(self.now_ms())
            .execute(&mut *tx)
            .await?;
        for courier in everybody(&mut tx).await? {
            feed::append(&mut tx, courier, RULE_SET, &value).await?;
        }
        tx.commit().await?;
        tracing::info!(version, "rule set sent out");
        Ok(version)
    }

    /// Declares an abnormal day (A018) and tells all couriers. Gives its id, by which it can be ended.
    ///
    /// # Errors
    /// [`HubError::Regime`].
    pub async fn declare_regime(
        &self,
        regime: Regime,
        from_ms: i64,
        until_ms: i64,
        excuses: bool,
    ) -> Result<String, HubError> {
        if until_ms <= from_ms {
            return Err(RegimeFault::EndsBeforeItBegins.into());
        }
        let regime_id = base32(&self.draw::<10>()?);
        let item = RegimeItem {
            regime_id: regime_id.clone(),
            regime,
            from_ms,
            until_ms,
            excuses,
        };
        let mut tx = self.db().write().await?;
        put_regime(&mut tx, &item).await?;
        tx.commit().await?;
        Ok(regime_id)
    }

    /// Ends an abnormal day now; one that has not begun is taken back.
    ///
    /// # Errors
    /// [`HubError::Regime`] for an unknown id.
    pub async fn end_regime(&self, regime_id: &str) -> Result<(), HubError> {
        let mut tx = self.db().write().await?;
        let held: Option<String> =
            sqlx::query_scalar("SELECT item FROM regime WHERE regime_id = ?")
                .bind(regime_id)
                .fetch_optional(&mut *tx)
                .await?;
        let held = held.ok_or(RegimeFault::Unknown)?;
        let mut item: RegimeItem =
            serde_json::from_str(&held).map_err(|_| HubError::DamagedRow { what: "regime" })?;
        item.until_ms = item.until_ms.min(self.now_ms()).max(item.from_ms);
        put_regime(&mut tx, &item).await?;
        Ok(tx.commit().await?)
    }
}

fn read_rules(document: &[u8]) -> Result<(u32, Value), RuleSetFault> {
    if document.len() > MAX_RULESET_BYTES {
        return Err(RuleSetFault::TooLarge);
    }
    let value: Value = serde_json::from_slice(document).map_err(|_| RuleSetFault::Form)?;
    let part = |name: &str| value.get(name).ok_or(RuleSetFault::Form);
    if !part("rules")?.is_array() {
        return Err(RuleSetFault::Form);
    }
    if part("format")?.as_u64() != Some(RULESET_FORMAT) {
        return Err(RuleSetFault::Format);
    }
    let version = part("version")?
        .as_u64()
        .and_then(|v| u32::try_from(v).ok())
        .filter(|v| *v > 0)
        .ok_or(RuleSetFault::Version)?;
    Ok((version, value))
}

async fn put_regime(tx: &mut Tx, item: &RegimeItem) -> Result<(), HubError> {
    let json = serde_json::to_string(item).map_err(|_| HubError::DamagedRow { what: "regime" })?;
    sqlx::query(
        "INSERT INTO regime (regime_id, item, until_ms) VALUES (?1, ?2, ?3) \
         ON CONFLICT (regime_id) DO UPDATE SET item = ?2, until_ms = ?3",
    )
    .bind(&item.regime_id)
    .bind(json)
    .bind(item.until_ms)
    .execute(&mut **tx)
    .await?;
    for courier in everybody(tx).await? {
        feed::append(tx, courier, RegimeItem::KIND, item).await?;
    }
    Ok(())
}

async fn everybody(tx: &mut Tx) -> Result<Vec<CourierId>, HubError> {
    let rows = sqlx::query("SELECT courier_id FROM courier ORDER BY courier_id")
        .fetch_all(&mut **tx)
        .await?;
    rows.iter().map(|row| row.courier("courier_id")).collect()
}

/// Tells a new courier what everybody was told before.
pub(crate) async fn welcome(tx: &mut Tx, courier: CourierId, now_ms: i64) -> Result<(), HubError> {
    let rows = sqlx::query(
        "SELECT kind, data FROM ( \
           SELECT ?1 AS kind, document AS data, 0 AS place FROM rule_set \
             WHERE version = (SELECT max(version) FROM rule_set) \
           UNION ALL SELECT ?2, item, 1 FROM regime WHERE until_ms > ?3 \
           UNION ALL SELECT ?4, item, 2 FROM traffic) ORDER BY place, data",
    )
    .bind(RULE_SET)
    .bind(RegimeItem::KIND)
    .bind(now_ms)
    .bind(TrafficItem::KIND)
    .fetch_all(&mut **tx)
    .await?;
    for row in &rows {
        let data: Value = serde_json::from_str(row.try_get("data")?)
            .map_err(|_| HubError::DamagedRow { what: "feed item" })?;
        feed::append(tx, courier, row.try_get("kind")?, &data).await?;
    }
    Ok(())
}
