//! Each body as it comes: waited for, but not for ever; and what a refused request still has on its way is read and
//! thrown away.
//!
//! Many requests are refused by their head alone: there is no room, a clock is wrong, a phone is revoked. A connection
//! that is closed with bytes unread is reset, and most clients, which are still sending, never see the answer then: not
//! when to come again, nor what is wrong.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use satchel_protocol::ids::DeviceId;
use satchel_protocol::limits::MAX_PROOF_BYTES;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::chunks;
use super::patience::Patience;
use crate::hub::Hub;
use crate::pages::form::WORDS_BYTES;
use crate::space::{Space, Taken};
use crate::visitor;

/// What somebody honest may have on its way: the largest photo in one piece. Whoever sends more may be cut off.
const MOST_BYTES: u64 = MAX_PROOF_BYTES;
/// How long that may take. Phones send what takes their line some twelve seconds.
const WITHIN: Duration = Duration::from_secs(30);
/// Longest that nothing of it may come.
const SILENT_WITHIN: Duration = Duration::from_secs(10);
/// How many at a time, of phones that signed: none of what they send is kept, but each connection has a buffer.
static PHONES: LazyLock<Space<DeviceId>> = LazyLock::new(|| Space::new(256, 4));
/// And of all others, who may be anybody: none of them takes a phone's place.
static STRANGERS: LazyLock<Space<[u8; 8]>> = LazyLock::new(|| Space::new(64, 8));

/// Words of strangers on their way, in KB: two thousand of the longest forms, sixty-four of them of one address. Most
/// forms take one; signed bodies, and files within forms, have room of their own.
static WORDS: LazyLock<Space<[u8; 8]>> = LazyLock::new(|| Space::new(128 * 1_024, 4 * 1_024));

/// Why a body is not heard to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotHeard {
    #[error("no room for it now")]
    Full,
    #[error("it did not come in time")]
    Slow,
}

impl NotHeard {
    /// Whether that is what a failure came from.
    pub(crate) fn is_behind(error: &(dyn std::error::Error + 'static)) -> bool {
        let mut causes = std::iter::successors(Some(error), |e| e.source());
        causes.any(|cause| cause.is::<Self>())
    }
}

/// What is known of whoever sent a request, once it is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sender(Arc<Facts>);

#[derive(Debug, Default)]
struct Facts {
    /// The phone that signed it.
    device: OnceLock<DeviceId>,
    is_gone: AtomicBool,
}

impl Sender {
    /// Whoever sent the request of `parts`.
    pub(crate) fn of(parts: &Parts) -> Self {
        parts.extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// Notes that `device` signed the request.
    pub(crate) fn signed_as(&self, device: DeviceId) {
        // One request is signed by one phone.
        let _ = self.0.device.set(device);
    }

    /// Notes that it goes on with another request and hears no answer to this one. What is still on its way would take the
    /// line from that one, and with its connection closed it does not come.
    pub(crate) fn goes_on(&self) {
        self.0.is_gone.store(true, Ordering::Relaxed);
    }
}

/// Has the rest of each body read for whom its handler is done with.
pub(crate) async fn read_past(State(hub): State<Hub>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let sender = Sender::default();
    parts.extensions.insert(sender.clone());
    let heard = Heard {
        body: Some(body),
        sender,
        net: visitor::net_of(&hub, &parts),
        patience: Patience::default(),
        room: None,
    };
    next.run(Request::from_parts(parts, Body::new(heard))).await
}

/// A body that does not end before it was read. No body behind its end.
struct Heard {
    body: Option<Body>,
    sender: Sender,
    net: Option<[u8; 8]>,
    patience: Patience,
    /// Taken when somebody begins to read what no phone signed.
    room: Option<Taken<[u8; 8]>>,
}

impl Heard {
    fn has_room(&mut self) -> bool {
        if self.room.is_none() && self.sender.0.device.get().is_none() {
            let bytes = self.size_hint().exact().unwrap_or(u64::MAX);
            let kb = bytes.min(WORDS_BYTES as u64).div_ceil(1_024);
            self.room = WORDS.take_now(self.net, u32::try_from(kb).unwrap_or(u32::MAX));
            return self.room.is_some();
        }
        true
    }
}

impl HttpBody for Heard {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.body.is_some() && !self.has_room() {
            return Poll::Ready(Some(Err(axum::Error::new(NotHeard::Full))));
        }
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                self.patience.came(bytes);
            }
            Poll::Ready(None | Some(Err(_))) => self.body = None,
            Poll::Pending => {
                std::task::ready!(self.patience.poll_over(cx));
                self.body = None;
                return Poll::Ready(Some(Err(axum::Error::new(NotHeard::Slow))));
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let ended = || SizeHint::with_exact(0);
        self.body.as_ref().map_or_else(ended, HttpBody::size_hint)
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else {
            return;
        };
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if self.sender.0.is_gone.load(Ordering::Relaxed) {
            return;
        }
        let place: Option<Box<dyn Send>> = match self.sender.0.device.get() {
            Some(device) => boxed(PHONES.take_now(Some(*device), 1)),
            None => boxed(STRANGERS.take_now(self.net, 1)),
        };
        let Some(place) = place else { return };
        runtime.spawn(async move {
            let _ = timeout(WITHIN, throw_away(body)).await;
            drop(place);
        });
    }
}

fn boxed<T: Send + 'static>(place: Option<T>) -> Option<Box<dyn Send>> {
    place.map(|place| -> Box<dyn Send> { Box::new(place) })
}

async fn throw_away(mut body: Body) {
    let mut came_bytes = 0;
    while let Ok(Some(piece)) = chunks::next(&mut body, SILENT_WITHIN).await {
        came_bytes += piece.len() as u64;
        if came_bytes > MOST_BYTES {
            break;
        }
    }
}
