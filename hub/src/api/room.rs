//! How many bytes of bodies are in memory at one time, however many phones come at once.
//!
//! A batch may have 4 MB, is read whole before it is judged, and waits for the one writer of the database. After an
//! outage ten thousand phones have one each. So a body takes its room before it is read and gives it back when it has been
//! answered; who finds none waits a little, without a byte of it in memory, and is then put off. What a phone announced
//! and does not send holds room as well, so each body has to come in time.

use std::time::Duration;

use satchel_protocol::api::ErrorCode;
use satchel_protocol::ids::DeviceId;
use satchel_protocol::limits::MAX_BATCH_BYTES;
use tokio::time::timeout;

use super::error::ApiError;
use crate::space::{self, Space};

/// Bytes of bodies at one time: fifteen of the largest. Read, unpacked and judged they take some four times as much.
const ROOM_BYTES: usize = 60 * 1_024 * 1_024;
/// Kept for the small ones, which are most: none of them waits for a large one.
const SMALL_ROOM_BYTES: usize = 4 * 1_024 * 1_024;
/// A visit or a few, with their ink.
const SMALL_BYTES: usize = 64 * 1_024;
/// In steps of this; a smaller body takes one.
const STEP_BYTES: usize = 1_024;
/// What one phone may hold: one that is cut off sends again while what it sent before is still waited for.
const DEVICE_BYTES: usize = 2 * MAX_BATCH_BYTES;
/// And of the room of the small ones, a sixteenth.
const DEVICE_SMALL_BYTES: usize = 4 * SMALL_BYTES;
/// Longest wait for room. The phone takes it for time on the line, so it is not long.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest that a body may take to come. Phones aim at three seconds, and hosts give up after a minute.
const BODY_IN_TIME: Duration = Duration::from_secs(2 * 60);
/// Longest that nothing of it may come. Whoever lost his line takes no longer to be noticed.
pub(crate) const SILENT_IN_TIME: Duration = Duration::from_secs(20);

/// What is left.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    large: Space<DeviceId>,
    small: Space<DeviceId>,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            large: Space::new(steps(ROOM_BYTES), steps(DEVICE_BYTES)),
            small: Space::new(steps(SMALL_ROOM_BYTES), steps(DEVICE_SMALL_BYTES)),
        }
    }
}

/// Room that is taken until this is dropped.
pub(crate) type Taken = space::Taken<DeviceId>;

fn steps(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(STEP_BYTES).max(1)).unwrap_or(u32::MAX)
}

impl Room {
    /// Room for a body of `bytes` that `device` sends.
    pub(crate) async fn take(&self, device: DeviceId, bytes: usize) -> Result<Taken, ApiError> {
        let room = match bytes <= SMALL_BYTES {
            true => &self.small,
            false => &self.large,
        };
        let taken = room.take(Some(device), steps(bytes), PATIENCE).await;
        taken.ok_or_else(ApiError::not_through)
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

    fn phone(n: usize) -> DeviceId {
        DeviceId(uuid::Uuid::from_u128(n as u128))
    }

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_room_waits_for_some_and_is_put_off_in_the_end() {
        let room = Room::default();
        let mut taken = Vec::new();
        for n in 0..ROOM_BYTES / MAX_BATCH_BYTES {
            taken.push(room.take(phone(n), MAX_BATCH_BYTES).await.unwrap());
        }
        let refused = room.take(phone(99), SMALL_BYTES + 1).await.unwrap_err();
        let refused = refused.into_response();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.headers()["retry-after"], "30");
        assert!(room.take(phone(99), SMALL_BYTES).await.is_ok());
        let waits = tokio::spawn({
            let room = room.clone();
            async move { room.take(phone(99), MAX_BATCH_BYTES).await.is_ok() }
        });
        tokio::time::sleep(PATIENCE / 2).await;
        assert!(!waits.is_finished());
        taken.pop();
        assert!(waits.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn one_phone_takes_no_more_than_its_share() {
        let room = Room::default();
        let first = room.take(phone(1), MAX_BATCH_BYTES).await.unwrap();
        let again = room.take(phone(1), MAX_BATCH_BYTES).await.unwrap();
        assert!(room.take(phone(1), SMALL_BYTES + 1).await.is_err());
        assert!(room.take(phone(2), MAX_BATCH_BYTES).await.is_ok());
        drop((first, again));
        assert!(room.take(phone(1), MAX_BATCH_BYTES).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn one_phone_leaves_the_small_ones_of_others_their_room() {
        let room = Room::default();
        let mut taken = Vec::new();
        while let Ok(more) = room.take(phone(1), SMALL_BYTES).await {
            taken.push(more);
        }
        assert_eq!(taken.len(), DEVICE_SMALL_BYTES / SMALL_BYTES);
        assert!(room.take(phone(2), SMALL_BYTES).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_gives_its_room_back() {
        let never = std::future::pending::<()>();
        let refused = in_time(never).await.unwrap_err().into_response();
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        assert!(in_time(async { 1 }).await.is_ok());
    }
}
