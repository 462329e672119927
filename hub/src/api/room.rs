//! How many bytes of bodies are in memory at one time, however many phones come at once.
//!
//! A batch may have 4 MB, is read whole before it is judged, and waits for the one writer of the database. After an
//! outage ten thousand phones have one each. So a body takes its room before it is read and gives it back when it has been
//! answered; who finds none waits a little, without a byte of it in memory, and is then put off. What a phone announced
//! and does not send holds room as well, so each body has to come in time.

use std::sync::Arc;
use std::time::Duration;

use satchel_protocol::api::ErrorCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::error::ApiError;

/// Bytes of bodies at one time: sixteen of the largest, or a thousand of a usual morning. Read, unpacked and judged they
/// take some four times as much.
const ROOM_BYTES: usize = 64 * 1_024 * 1_024;
/// In steps of this; a smaller body takes one.
const STEP_BYTES: usize = 1_024;
/// Longest wait for room: with the time that reading takes, less than the minute after which hosts give up.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest that a body may take to come. Phones aim at three seconds.
const BODY_IN_TIME: Duration = Duration::from_secs(5 * 60);

/// What is left.
#[derive(Debug, Clone)]
pub(crate) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ROOM_BYTES / STEP_BYTES)))
    }
}

impl Room {
    /// Room for a body of `bytes`, until what is given back is dropped.
    pub(crate) async fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let steps = bytes.div_ceil(STEP_BYTES).max(1);
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        let taken = timeout(PATIENCE, Arc::clone(&self.0).acquire_many_owned(steps)).await;
        match taken {
            Ok(Ok(room)) => Ok(room),
            _ => Err(ApiError::new(ErrorCode::RateLimited).detail("too many come at once")),
        }
    }
}

/// What comes of reading a body, unless that takes too long.
pub(crate) async fn in_time<T>(reading: impl Future<Output = T>) -> Result<T, ApiError> {
    let slow = |_| ApiError::new(ErrorCode::Malformed).detail("body did not come in time");
    timeout(BODY_IN_TIME, reading).await.map_err(slow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use satchel_protocol::limits::MAX_BATCH_BYTES;

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_room_waits_for_some_and_is_put_off_in_the_end() {
        let room = Room::default();
        let mut taken = Vec::new();
        for _ in 0..ROOM_BYTES / MAX_BATCH_BYTES {
            taken.push(room.take(MAX_BATCH_BYTES).await.unwrap());
        }
        // Also the smallest.
        let refused = room.take(1).await.unwrap_err().into_response();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        let waits = tokio::spawn({
            let room = room.clone();
            async move { room.take(MAX_BATCH_BYTES).await.is_ok() }
        });
        tokio::time::sleep(PATIENCE / 2).await;
        assert!(!waits.is_finished());
        taken.pop();
        assert!(waits.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_gives_its_room_back() {
        let never = std::future::pending::<()>();
        let refused = in_time(never).await.unwrap_err().into_response();
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        assert!(in_time(async { 1 }).await.is_ok());
    }
}
