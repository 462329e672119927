//! Tells phones that wait for news that there is some.
//!
//! One task looks whether anybody committed anything, which costs a page read; whoever did it, another
//! process on the command line included, the phones whose feed grew are woken and nobody else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use satchel_protocol::ids::CourierId;
use tokio::sync::Notify;

use crate::error::HubError;
use crate::hub::Hub;
use crate::store::feed;

/// How long news may wait for its bell.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Who waits.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    waiting: Mutex<HashMap<CourierId, Arc<Notify>>>,
}

impl Bell {
    /// To be taken before the feed is read, so that nothing falls between.
    pub(crate) fn listen(&self, courier: CourierId) -> Arc<Notify> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(waiting.entry(courier).or_default())
    }

    fn ring(&self, courier: CourierId) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever goes on waiting listens anew.
        if let Some(bell) = waiting.remove(&courier) {
            bell.notify_waiters();
        }
    }
}

/// Rings until the task is ended.
pub(crate) async fn watch(hub: Hub) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen: Option<i64> = None;
    loop {
        ticks.tick().await;
        match look(&hub, seen).await {
            Ok(last) => seen = Some(last),
            Err(error) => tracing::warn!(%error, "looking for news failed"),
        }
    }
}

async fn look(hub: &Hub, seen: Option<i64>) -> Result<i64, HubError> {
    let mut conn = hub.db().read().acquire().await?;
    let (couriers, last) = feed::news_after(&mut conn, seen.unwrap_or(0)).await?;
    if seen.is_some() {
        for courier in couriers {
            hub.bell().ring(courier);
        }
    }
    Ok(last)
}
