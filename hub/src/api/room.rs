//! How many bytes of bodies are in memory at one time, however many phones come at once.
//!
//! A batch may have 4 MB, is read whole before it is judged, and waits for the one writer of the database. After an
//! outage ten thousand phones have one each. So a body takes its room before it is read and gives it back when it has been
//! answered; who finds none waits a little, without a byte of it in memory, and is then put off. What a phone announced
//! and does not send holds room as well, so each body has to come in time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use satchel_protocol::api::ErrorCode;
use satchel_protocol::ids::DeviceId;
use satchel_protocol::limits::MAX_BATCH_BYTES;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::error::ApiError;

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
/// Longest wait for room. The phone takes it for time on the line, so it is not long.
const PATIENCE: Duration = Duration::from_secs(5);
/// When to come again who found none.
const COME_AGAIN_S: u32 = 30;
/// Longest that a body may take to come. Phones aim at three seconds, and hosts give up after a minute.
const BODY_IN_TIME: Duration = Duration::from_secs(2 * 60);

/// What is left.
#[derive(Debug, Clone)]
pub(crate) struct Room(Arc<Rooms>);

#[derive(Debug)]
struct Rooms {
    large: Arc<Semaphore>,
    small: Arc<Semaphore>,
    /// Bytes that each phone holds.
    of: Mutex<HashMap<DeviceId, usize>>,
}

impl Default for Room {
    fn default() -> Self {
        let room = |bytes| Arc::new(Semaphore::new(bytes / STEP_BYTES));
        Self(Arc::new(Rooms {
            large: room(ROOM_BYTES),
            small: room(SMALL_ROOM_BYTES),
            of: Mutex::default(),
        }))
    }
}

/// Room that is taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Taken {
    _share: Share,
    _room: OwnedSemaphorePermit,
}

/// A phone's part of it.
#[derive(Debug)]
struct Share {
    rooms: Arc<Rooms>,
    device: DeviceId,
    bytes: usize,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut of = self.rooms.shares();
        if let Some(held) = of.get_mut(&self.device) {
            *held = held.saturating_sub(self.bytes);
            if *held == 0 {
                of.remove(&self.device);
            }
        }
    }
}

impl Rooms {
    fn shares(&self) -> MutexGuard<'_, HashMap<DeviceId, usize>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    /// Room for a body of `bytes` that `device` sends.
    pub(crate) async fn take(&self, device: DeviceId, bytes: usize) -> Result<Taken, ApiError> {
        let share = self.share(device, bytes.max(STEP_BYTES)).ok_or_else(none)?;
        let room = match bytes <= SMALL_BYTES {
            true => &self.0.small,
            false => &self.0.large,
        };
        let steps = u32::try_from(share.bytes.div_ceil(STEP_BYTES)).unwrap_or(u32::MAX);
        match timeout(PATIENCE, Arc::clone(room).acquire_many_owned(steps)).await {
            Ok(Ok(room)) => Ok(Taken {
                _share: share,
                _room: room,
            }),
            _ => Err(none()),
        }
    }

    fn share(&self, device: DeviceId, bytes: usize) -> Option<Share> {
        let mut of = self.0.shares();
        let held = of.get(&device).copied().unwrap_or(0);
        if held + bytes > DEVICE_BYTES {
            return None;
        }
        of.insert(device, held + bytes);
        drop(of);
        Some(Share {
            rooms: Arc::clone(&self.0),
            device,
            bytes,
        })
    }
}

fn none() -> ApiError {
    ApiError::new(ErrorCode::RateLimited)
        .detail("too many come at once")
        .come_again_s(COME_AGAIN_S)
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
        assert!(room.take(phone(1), 1).await.is_err());
        assert!(room.take(phone(2), MAX_BATCH_BYTES).await.is_ok());
        drop((first, again));
        assert!(room.take(phone(1), 1).await.is_ok());
        assert!(room.0.shares().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_gives_its_room_back() {
        let never = std::future::pending::<()>();
        let refused = in_time(never).await.unwrap_err().into_response();
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        assert!(in_time(async { 1 }).await.is_ok());
    }
}
