//! The library's log, given to the app.
//!
//! Log lines are written in the middle of transactions, where no code of an app may run: it could call
//! back and wait for a lock that its own caller holds. So a line is only put into a bounded queue there,
//! and a thread of its own hands the queue to the app. The app may throw, be slow or call the library
//! from its sink; the worst that follows is lost lines, which are counted and reported.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Level, Metadata, Subscriber};

use crate::error::SatchelError;

/// Lines that wait for a slow sink; a burst of a whole sync is under a hundred.
const QUEUE_LINES: usize = 1_024;

/// Longer lines are cut: a log line is for reading.
const MAX_LINE_CHARS: usize = 1_000;

/// Only this library's own lines: those of its dependencies may hold what we did not check.
const OWN_TARGET: &str = "satchel";

/// How important a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, uniffi::Enum)]
#[repr(u8)]
pub enum LogLevel {
    /// A defect or a loss; somebody should look.
    Error = 1,
    /// Something unusual that was dealt with.
    Warn = 2,
    /// A milestone.
    Info = 3,
    /// For developers. May hold data of a delivery: not for a production build.
    Debug = 4,
}

/// One line of the log. Above `DEBUG` it holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LogRecord {
    /// How important it is.
    pub level: LogLevel,
    /// Which part of the library wrote it.
    pub target: String,
    /// What happened, in English, with its fields as `name=value`.
    pub text: String,
}

/// Takes the library's log lines. The app implements it.
#[uniffi::export(with_foreign)]
pub trait LogSink: Send + Sync {
    /// Takes one line. Called from a thread of the library's own, one line at a time, never while the
    /// library holds a lock. Whatever it throws is ignored.
    ///
    /// # Errors
    /// None that the library acts on.
    fn log(&self, record: LogRecord) -> Result<(), SatchelError>;
}

/// What the subscriber, the thread and the two calls below share.
struct Hub {
    level: AtomicU8,
    sink: RwLock<Option<Arc<dyn LogSink>>>,
    lost: AtomicU64,
    queue: SyncSender<LogRecord>,
}

static HUB: OnceLock<Option<Hub>> = OnceLock::new();

/// Sends log lines up to `level` to `sink`, in place of the sink before.
///
/// # Errors
/// [`SatchelError::AlreadyDone`] when the process already collects this library's log in another way,
/// which only a host written in Rust can do.
#[uniffi::export]
pub fn set_log_sink(sink: Arc<dyn LogSink>, level: LogLevel) -> Result<(), SatchelError> {
    let hub = HUB.get_or_init(install).as_ref();
    let hub = hub.ok_or_else(|| SatchelError::AlreadyDone {
        what: "log subscriber".to_owned(),
    })?;
    hub.set(Some(sink), level as u8);
    Ok(())
}

/// Stops the log. A Python host calls it before the interpreter ends.
#[uniffi::export]
pub fn clear_log_sink() {
    if let Some(Some(hub)) = HUB.get() {
        hub.set(None, 0);
    }
}

impl Hub {
    fn set(&self, sink: Option<Arc<dyn LogSink>>, level: u8) {
        // The old sink may be the app's last reference to something: it is dropped after the lock.
        let old = {
            let mut slot = self.sink.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *slot, sink)
        };
        drop(old);
        self.level.store(level, Ordering::Relaxed);
        tracing::callsite::rebuild_interest_cache();
    }

    fn put(&self, record: LogRecord) {
        match self.queue.try_send(record) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Gives one line to the app. The sink is cloned out, so that it may set another one.
    fn deliver(&self, record: LogRecord) {
        let sink = {
            let slot = self.sink.read().unwrap_or_else(PoisonError::into_inner);
            slot.clone()
        };
        if let Some(sink) = sink {
            // A thrown exception is an `Err`, a panic of a Rust sink is caught: neither concerns anybody.
            let _ = catch_unwind(AssertUnwindSafe(|| sink.log(record)));
        }
    }
}

fn install() -> Option<Hub> {
    let (queue, lines) = sync_channel(QUEUE_LINES);
    tracing::subscriber::set_global_default(Collector).ok()?;
    std::thread::Builder::new()
        .name("satchel-log".to_owned())
        .spawn(move || drain(&lines))
        .ok()?;
    Some(Hub {
        level: AtomicU8::new(0),
        sink: RwLock::new(None),
        lost: AtomicU64::new(0),
        queue,
    })
}

fn drain(lines: &Receiver<LogRecord>) {
    while let Ok(record) = lines.recv() {
        let Some(Some(hub)) = HUB.get() else { continue };
        hub.deliver(record);
        let lost = hub.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            hub.deliver(LogRecord {
                level: LogLevel::Warn,
                target: OWN_TARGET.to_owned(),
                text: format!("log lines lost because the sink is slow lost={lost}"),
            });
        }
    }
}

/// The end of `tracing` in this process. The core writes events and no spans, so spans are not kept.
struct Collector;

impl Collector {
    fn hub() -> Option<&'static Hub> {
        HUB.get().and_then(Option::as_ref)
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with(OWN_TARGET)
            && Self::hub().is_some_and(|hub| {
                level_of(*metadata.level())
                    .is_some_and(|level| level as u8 <= hub.level.load(Ordering::Relaxed))
            })
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let (Some(hub), Some(level)) = (Self::hub(), level_of(*event.metadata().level())) else {
            return;
        };
        let mut line = Line::default();
        event.record(&mut line);
        hub.put(LogRecord {
            level,
            target: event.metadata().target().to_owned(),
            text: line.finish(),
        });
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

fn level_of(level: Level) -> Option<LogLevel> {
    match level {
        Level::ERROR => Some(LogLevel::Error),
        Level::WARN => Some(LogLevel::Warn),
        Level::INFO => Some(LogLevel::Info),
        Level::DEBUG => Some(LogLevel::Debug),
        _ => None,
    }
}

/// An event as one line of text.
#[derive(Default)]
struct Line {
    text: String,
    fields: String,
}

impl Line {
    fn finish(mut self) -> String {
        self.text.push_str(&self.fields);
        if let Some((cut, _)) = self.text.char_indices().nth(MAX_LINE_CHARS) {
            self.text.truncate(cut);
        }
        self.text
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = if field.name() == "message" {
            write!(self.text, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}
