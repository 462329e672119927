//! What the hub is asked before anything is sent.

use super::{Ask, Engine, InFlight};
use crate::limits;

impl Engine {
    pub(crate) fn ask(&self) -> Ask {
        self.ask
    }

    pub(crate) fn set_ask(&mut self, ask: Ask) {
        self.ask = ask;
        if !matches!(ask, Ask::All { .. }) {
            self.looks_without_end = 0;
        }
    }

    /// The hub is not what it was: everything behind `after` is looked at, and what was looked at before counts no more.
    pub(crate) fn look_at_everything(&mut self, after: i64) {
        self.looks = self.looks.wrapping_add(1);
        self.looks_without_end = self.looks_without_end.saturating_add(1);
        self.ask = Ask::All {
            after,
            look: self.looks,
        };
    }

    /// The hub was set back: an answer that is on its way may be of the one that is gone.
    pub(crate) fn hub_was_set_back(&mut self) {
        self.set_backs = self.set_backs.wrapping_add(1);
    }

    /// Whether a request went out before the hub was last found to be set back.
    pub(crate) fn is_of_before(&self, flight: &InFlight) -> bool {
        flight.set_backs != self.set_backs
    }

    /// A hub that has less again and again while it is looked at leads the phone round.
    pub(crate) fn looks_in_a_circle(&self) -> bool {
        self.looks_without_end > limits::MAX_LOOKS
    }

    /// The hub has another history than this phone read. Who looks through everything does so once more from the
    /// start; else it is enough to look at what came last.
    pub(crate) fn another_history(&mut self) {
        match self.ask {
            Ask::All { .. } => self.look_at_everything(0),
            ask => self.ask = ask.max(Ask::Recheck),
        }
    }
}
