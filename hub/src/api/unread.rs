//! What a refused request still has on its way is read and thrown away.
//!
//! Many requests are refused by their head alone: there is no room, a clock is wrong, a phone is revoked. A connection
//! that is closed with bytes unread is reset, and most clients, which are still sending, never see the answer then: not
//! when to come again, nor what is wrong.

use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use satchel_protocol::limits::MAX_PROOF_BYTES;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// What somebody honest may have on its way: the largest photo in one piece. Whoever sends more may be cut off.
const MOST_BYTES: u64 = MAX_PROOF_BYTES;
/// How long that may take. Phones send what takes their line some twelve seconds.
const WITHIN: Duration = Duration::from_secs(30);
/// How many at a time: none of what they send is kept, but each connection has a buffer.
static READERS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(256));

/// Has the rest of each body read for whom its handler is done with.
pub(crate) async fn read_past(request: Request, next: Next) -> Response {
    next.run(request.map(|body| Body::new(Heard(Some(body)))))
        .await
}

/// A body that does not end before it was read. `None` behind its end.
struct Heard(Option<Body>);

impl HttpBody for Heard {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.0 = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let ended = || SizeHint::with_exact(0);
        self.0.as_ref().map_or_else(ended, HttpBody::size_hint)
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        let Some(body) = self.0.take().filter(|body| !body.is_end_stream()) else {
            return;
        };
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let Ok(reader) = READERS.try_acquire() else {
            return;
        };
        runtime.spawn(async move {
            let _ = timeout(WITHIN, throw_away(body)).await;
            drop(reader);
        });
    }
}

async fn throw_away(mut body: Body) {
    let mut came_bytes = 0;
    while let Some(Ok(frame)) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
    {
        came_bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        if came_bytes > MOST_BYTES {
            break;
        }
    }
}
