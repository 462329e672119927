//! Bodies in pieces, as they come: none is waited for without end, and none is longer than it may be.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use tokio::time::timeout;

/// A body that ended before its end, fell silent, or is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CutOff;

/// The next piece, if it comes `within`; `None` at the end.
pub(crate) async fn next(body: &mut Body, within: Duration) -> Result<Option<Bytes>, CutOff> {
    loop {
        let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx));
        match timeout(within, frame).await {
            Ok(None) => return Ok(None),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Ok(Some(Err(_))) | Err(_) => return Err(CutOff),
        }
    }
}

/// All of a body of no more than `most_bytes`, each piece of which comes `within`.
pub(crate) async fn whole(
    mut body: Body,
    most_bytes: usize,
    within: Duration,
) -> Result<Bytes, CutOff> {
    let announced = body.size_hint().exact().unwrap_or(0);
    let Some(first) = next(&mut body, within).await? else {
        return Ok(Bytes::new());
    };
    if first.len() > most_bytes {
        return Err(CutOff);
    }
    let mut all = Vec::new();
    while let Some(piece) = next(&mut body, within).await? {
        if all.is_empty() {
            all.reserve(usize::try_from(announced).unwrap_or(0).min(most_bytes));
            all.extend_from_slice(&first);
        }
        if all.len().saturating_add(piece.len()) > most_bytes {
            return Err(CutOff);
        }
        all.extend_from_slice(&piece);
    }
    Ok(if all.is_empty() { first } else { all.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Poll;

    /// Pieces, and then silence.
    struct Silent(Vec<&'static [u8]>);

    impl HttpBody for Silent {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            match self.0.pop() {
                Some(piece) => Poll::Ready(Some(Ok(http_body::Frame::data(piece.into())))),
                None => Poll::Pending,
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_read_whole_within_its_bounds_and_not_waited_for_without_end() {
        let within = Duration::from_secs(20);
        let read = |body: &'static str| whole(Body::from(body), 4, within);
        assert_eq!(read("abcd").await.unwrap(), "abcd");
        assert_eq!(read("").await.unwrap(), "");
        assert_eq!(read("abcde").await, Err(CutOff));
        let silent = Body::new(Silent(vec![b"b", b"a"]));
        let began = tokio::time::Instant::now();
        assert_eq!(whole(silent, 4, within).await, Err(CutOff));
        assert_eq!(began.elapsed(), within);
    }
}
