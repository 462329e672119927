//! How long a body is waited for, whoever sends it: so much silence and no slower than so, counted only while the hub
//! waits for it. A body that never ends would hold its connection for ever, and there are so many of them and no more.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Longest that nothing may come. A line that carries nothing for so long is as good as cut.
pub(crate) const SILENT_WITHIN: Duration = Duration::from_secs(2 * 60);
/// How long all of a small body may take.
const FIRST_WITHIN: Duration = Duration::from_secs(2 * 60);
/// And a second more for each so many bytes: a quarter of what 2 G carries. A photo that is cut off goes on later.
const SLOWEST_BYTES_PER_S: u64 = 256;

/// What is left of it for one body.
#[derive(Debug, Default)]
pub(super) struct Patience {
    came_bytes: u64,
    waited: Duration,
    /// Since when nothing has come, and until when that may last.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Patience {
    /// So many bytes came.
    pub(super) fn came(&mut self, bytes: usize) {
        self.came_bytes = self.came_bytes.saturating_add(bytes as u64);
        if let Some((since, _)) = self.waiting.take() {
            self.waited = self.waited.saturating_add(since.elapsed());
        }
    }

    /// Nothing has come; ready once it is enough.
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let left = self.left();
        let (_, end) = self.waiting.get_or_insert_with(|| {
            let now = Instant::now();
            (now, Box::pin(sleep_until(now + left)))
        });
        end.as_mut().poll(cx)
    }

    fn left(&self) -> Duration {
        FIRST_WITHIN
            .saturating_add(Duration::from_secs(self.came_bytes / SLOWEST_BYTES_PER_S))
            .saturating_sub(self.waited)
            .min(SILENT_WITHIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    async fn over(patience: &mut Patience) {
        poll_fn(|cx| patience.poll_over(cx)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn silence_has_an_end_whatever_came_before() {
        let mut patience = Patience::default();
        patience.came(10_000_000);
        let began = Instant::now();
        over(&mut patience).await;
        assert_eq!(began.elapsed(), SILENT_WITHIN);
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_a_byte_now_and_then_is_not_waited_for_without_end() {
        let mut patience = Patience::default();
        let began = Instant::now();
        let drops = async {
            loop {
                let drop = Duration::from_secs(50);
                if tokio::time::timeout(drop, over(&mut patience))
                    .await
                    .is_ok()
                {
                    break;
                }
                patience.came(1);
            }
        };
        tokio::time::timeout(2 * FIRST_WITHIN, drops).await.unwrap();
        assert_eq!(began.elapsed(), FIRST_WITHIN);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_hub_itself_takes_is_no_fault_of_the_sender() {
        let mut patience = Patience::default();
        for _ in 0..100 {
            // Written to a slow disk between the pieces.
            tokio::time::sleep(SILENT_WITHIN).await;
            let wait = Duration::from_secs(1);
            assert!(
                tokio::time::timeout(wait, over(&mut patience))
                    .await
                    .is_err()
            );
            patience.came(300);
        }
    }
}
