//! The HTTP half of a host: what every app around the core has to write, once.
//!
//! The core says what to send ([`Courier::next_task`]); this sends exactly that and hands the answer
//! back. It follows no redirect, reads no more than asked and calls everything that is not a whole
//! answer a failure, because only the core knows what is safe to send again.

use std::io::Read as _;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use satchel_core::Courier;
use satchel_core::sync::task::{HttpTask, Network, Purpose, Task, TaskOutcome};
use ureq::http;

/// A dead hub is noticed after this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A photo on a poor link takes half a minute; a request that takes longer is better sent again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the background loop sleeps when the core says that all is done.
const IDLE: Duration = Duration::from_secs(5);

/// An HTTP client that does what a task says and nothing else.
#[derive(Debug, Clone)]
pub struct Http {
    agent: ureq::Agent,
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

impl Http {
    /// A client without redirects, proxies or opinions about status codes.
    #[must_use]
    pub fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .allow_non_standard_methods(true)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(REQUEST_TIMEOUT))
            .build();
        Self {
            agent: config.new_agent(),
        }
    }

    /// Sends one task and reads the answer up to its bound.
    #[must_use]
    pub fn send(&self, task: &HttpTask) -> TaskOutcome {
        self.try_send(task).unwrap_or(TaskOutcome::Failed)
    }

    fn try_send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        let mut request = http::Request::builder()
            .method(task.method)
            .uri(task.url.as_str());
        for (name, value) in &task.headers {
            request = request.header(name.as_str(), value.as_str());
        }
        // A GET or HEAD must not carry so much as an empty body, or its framing changes.
        let bodyless = task.body.is_empty() && matches!(task.method, "GET" | "HEAD" | "DELETE");
        let answer = if bodyless {
            self.agent.run(request.body(()).ok()?)
        } else {
            self.agent.run(request.body(task.body.as_slice()).ok()?)
        };
        let mut answer = answer.ok()?;
        let limit = u64::try_from(task.max_answer_bytes).unwrap_or(u64::MAX);
        let mut body = Vec::new();
        answer
            .body_mut()
            .as_reader()
            .take(limit)
            .read_to_end(&mut body)
            .ok()?;
        let headers = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        Some(TaskOutcome::Response {
            status: answer.status().as_u16(),
            headers,
            body,
        })
    }
}

/// One request as it went, for counters and displays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// What it was for.
    pub purpose: Purpose,
    /// Bytes of the body sent.
    pub sent_bytes: usize,
    /// The hub's status; `None` when no whole answer came.
    pub status: Option<u16>,
}

/// Why a pass of the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Nothing is left to do.
    Done,
    /// The core waits: no network, a retry, or another thread's request.
    Waiting {
        /// Not before this wall time, Unix milliseconds; `None`: until something changes.
        until_ms: Option<i64>,
    },
    /// The observer asked for an end.
    Stopped,
}

/// What the observer wants after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Return from the pass.
    Stop,
}

/// Sends tasks one after the other until the core has none.
///
/// `network` is asked before every request and after it: an answer that comes back into airplane mode
/// is lost, as it is on a phone.
///
/// # Errors
/// Those of the core's store; a network's troubles are never errors.
pub fn pump(
    courier: &Courier,
    http: &Http,
    network: impl Fn() -> Network,
    mut observe: impl FnMut(Exchange) -> Flow,
) -> satchel_core::Result<Ended> {
    loop {
        let task = match courier.next_task(network())? {
            Task::Http(task) => task,
            Task::Wait { until_ms, .. } => return Ok(Ended::Waiting { until_ms }),
            Task::Done => return Ok(Ended::Done),
        };
        let mut outcome = http.send(&task);
        if network() == Network::Offline {
            outcome = TaskOutcome::Failed;
        }
        let exchange = Exchange {
            purpose: task.purpose,
            sent_bytes: task.body.len(),
            status: match &outcome {
                TaskOutcome::Response { status, .. } => Some(*status),
                TaskOutcome::Failed => None,
            },
        };
        courier.complete_task(&task.id, outcome)?;
        if observe(exchange) == Flow::Stop {
            return Ok(Ended::Stopped);
        }
    }
}

/// The background sync of an app: pumps while there is a network, sleeps otherwise.
#[derive(Debug)]
pub struct HostLoop {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<LoopState>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy)]
struct LoopState {
    network: Network,
    stop: bool,
    woken: bool,
}

impl HostLoop {
    /// Starts the loop. `on_exchange` is called after every request, on the loop's own thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        courier: Arc<Courier>,
        network: Network,
        on_exchange: impl Fn(Exchange) + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(LoopState {
                network,
                stop: false,
                woken: true,
            }),
            changed: Condvar::new(),
        });
        let inner = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("host-loop".to_owned())
            .spawn(move || inner.run(&courier, on_exchange))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Something was recorded or the user pulled to refresh: look for tasks now.
    pub fn wake(&self) {
        self.shared.change(|state| state.woken = true);
    }

    /// The airplane-mode switch.
    pub fn set_network(&self, network: Network) {
        self.shared.change(|state| {
            state.network = network;
            state.woken = true;
        });
    }

    /// What the switch says.
    #[must_use]
    pub fn network(&self) -> Network {
        self.shared.lock().network
    }
}

impl Drop for HostLoop {
    fn drop(&mut self) {
        self.shared.change(|state| state.stop = true);
        if let Some(thread) = self.thread.take() {
            // A loop that panicked has nothing left to end.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, LoopState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut LoopState)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn run(&self, courier: &Courier, on_exchange: impl Fn(Exchange)) {
        let http = Http::new();
        loop {
            let before = {
                let mut state = self.lock();
                state.woken = false;
                *state
            };
            if before.stop {
                return;
            }
            let network = || {
                let state = self.lock();
                if state.stop {
                    Network::Offline
                } else {
                    state.network
                }
            };
            let ended = pump(courier, &http, network, |exchange| {
                on_exchange(exchange);
                Flow::Continue
            });
            let sleep = match ended {
                Ok(Ended::Waiting {
                    until_ms: Some(at_ms),
                }) => {
                    let wait_ms = at_ms.saturating_sub(crate::clock::wall_ms()).max(50);
                    Duration::from_millis(wait_ms.unsigned_abs()).min(IDLE)
                }
                Ok(_) => IDLE,
                // A paused or full store: nothing to do but to ask again later.
                Err(_) => Duration::from_secs(2),
            };
            self.sleep(courier, sleep);
        }
    }

    /// Sleeps until woken, stopped or `timeout`. After a whole idle time the feed is asked for, which
    /// on a phone a push message would do.
    fn sleep(&self, courier: &Courier, timeout: Duration) {
        let state = self.lock();
        let (state, waited) = self
            .changed
            .wait_timeout_while(state, timeout, |s| !s.woken && !s.stop)
            .unwrap_or_else(PoisonError::into_inner);
        let online = state.network != Network::Offline && !state.stop;
        drop(state);
        if waited.timed_out() && timeout >= IDLE && online {
            courier.request_sync();
        }
    }
}
