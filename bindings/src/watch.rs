//! Watching a long search: the app shows how far it is and ends it when the courier has waited enough.

use std::cell::Cell;
use std::sync::Arc;

use satchel_core::route::Guard;

use crate::error::SatchelError;

/// The search asks hundreds of thousands of times; an app's own code, behind a foreign call, is asked
/// once in so many: some hundred times a second.
const ASK_EVERY: u32 = 64;

/// How far a search is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct PlanProgress {
    /// Thousandths of the search.
    pub permille: u32,
    /// How often something better was found.
    pub better_plans: u32,
    /// True once some order reaches every stop in time.
    pub on_time: bool,
}

/// Watches a search. The app implements it.
#[uniffi::export(with_foreign)]
pub trait PlanWatcher: Send + Sync {
    /// Told how far the search is, on the thread that called; true lets it go on, false ends it, and the
    /// best plan so far counts. The library holds no lock meanwhile.
    ///
    /// # Errors
    /// Whatever is thrown ends the search like false.
    fn goes_on(&self, progress: PlanProgress) -> Result<bool, SatchelError>;
}

/// Asks the watcher for the search.
pub(crate) struct Watched {
    watcher: Arc<dyn PlanWatcher>,
    asked: Cell<u32>,
    better_plans: Cell<u32>,
    on_time: Cell<bool>,
    is_over: Cell<bool>,
}

impl Watched {
    pub(crate) fn new(watcher: Arc<dyn PlanWatcher>) -> Self {
        Self {
            watcher,
            asked: Cell::new(0),
            better_plans: Cell::new(0),
            on_time: Cell::new(false),
            is_over: Cell::new(false),
        }
    }
}

impl Guard for Watched {
    fn spent(&self, counted: u32) -> u32 {
        let asked = self.asked.get();
        self.asked.set(asked.wrapping_add(1));
        if !self.is_over.get() && asked.is_multiple_of(ASK_EVERY) {
            let progress = PlanProgress {
                permille: counted.min(1_000),
                better_plans: self.better_plans.get(),
                on_time: self.on_time.get(),
            };
            self.is_over
                .set(!self.watcher.goes_on(progress).unwrap_or(false));
        }
        if self.is_over.get() { 1_000 } else { 0 }
    }

    fn improved(&self, lateness: i64) {
        self.better_plans
            .set(self.better_plans.get().saturating_add(1));
        self.on_time.set(self.on_time.get() || lateness == 0);
    }
}
