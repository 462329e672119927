//! Many customers, one writer: what waits is written in one transaction.
//!
//! A commit costs a flush of the disk, and a flush costs the same for one rating as for a hundred. So
//! whoever comes first writes for all who wait at that moment. Each still gets its own answer, and none
//! before the flush.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, oneshot};

use crate::error::HubError;
use crate::hub::Hub;
use crate::rating::OpenRating;
use crate::rating::submit::{self, Submission, Submitted};

/// Most jobs in one transaction; bounds how long the first of them waits.
const MAX_JOBS: usize = 256;

/// Something to be written.
#[derive(Debug)]
pub(super) enum Job {
    /// A head was shown to a customer.
    Witness(OpenRating),
    /// A rating.
    Rate(Box<Submission>),
}

type Answer = Result<Submitted, HubError>;

/// The queue in front of the writer.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    waiting: Mutex<Vec<(Job, oneshot::Sender<Answer>)>>,
    turn: AsyncMutex<()>,
}

impl Desk {
    fn next(&self) -> Vec<(Job, oneshot::Sender<Answer>)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.len().min(MAX_JOBS);
        waiting.drain(..count).collect()
    }
}

/// Hands a job in and waits until it is durable.
pub(super) async fn hand_in(hub: &Hub, job: Job) -> Answer {
    let (answer, answered) = oneshot::channel();
    hub.desk()
        .waiting
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push((job, answer));
    // On a task of its own: a customer who closes the page must not take the others' ratings along.
    tokio::spawn({
        let hub = hub.clone();
        async move { write_all(&hub).await }
    });
    answered.await.map_err(|_| HubError::Worker)?
}

async fn write_all(hub: &Hub) {
    let _turn = hub.desk().turn.lock().await;
    let jobs = hub.desk().next();
    if jobs.is_empty() {
        return;
    }
    let (jobs, answers): (Vec<_>, Vec<_>) = jobs.into_iter().unzip();
    match submit::write(hub, &jobs).await {
        Ok(done) => {
            for (answer, done) in answers.into_iter().zip(done) {
                // Nobody waits any more: the rating stands all the same.
                let _ = answer.send(Ok(done));
            }
        }
        Err(error) => {
            tracing::error!(%error, jobs = jobs.len(), "ratings not written");
            for answer in answers {
                let _ = answer.send(Err(HubError::Worker));
            }
        }
    }
}
