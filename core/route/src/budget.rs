//! How much work a plan may take.
//!
//! Work is counted in evaluations (candidate moves looked at), so that the same input, seed and budget
//! give the same bytes on a fast and on a throttled phone. A guard may end it sooner: the host's
//! clock, or the courier who has seen enough. A guard that answers by the clock gives up that promise.

/// Asked now and then how much of its patience is used up.
pub trait Guard {
    /// Thousandths used, 1,000 or more ends the search. The search cools down with it, so a clock
    /// that counts up steadily plans better than one that jumps from 0 to 1,000. `counted` are the
    /// thousandths of the evaluations, which end it in any case.
    fn spent(&self, counted: u32) -> u32;

    /// Told about each better plan, with its lateness: progress for long runs.
    fn improved(&self, lateness: i64) {
        let _ = lateness;
    }
}

/// Never ends the search.
#[derive(Debug, Clone, Copy, Default)]
pub struct Patient;

impl Guard for Patient {
    fn spent(&self, _: u32) -> u32 {
        0
    }
}

impl<F: Fn() -> u32> Guard for F {
    fn spent(&self, _: u32) -> u32 {
        self()
    }
}

/// Evaluations and a guard.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// Candidate moves that may be looked at.
    pub evaluations: u64,
    /// See [`Guard`].
    pub guard: &'a dyn Guard,
}

impl core::fmt::Debug for Budget<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Budget")
            .field("evaluations", &self.evaluations)
            .finish_non_exhaustive()
    }
}

impl Budget<'static> {
    /// A budget by count alone: reproducible everywhere.
    #[must_use]
    pub const fn count(evaluations: u64) -> Self {
        Self {
            evaluations,
            guard: &Patient,
        }
    }
}

impl Budget<'_> {
    /// Thousandths used after this many evaluations.
    pub(crate) fn spent(&self, evaluations: u64) -> u32 {
        let counted = match self.evaluations {
            0 => 1_000,
            all => (u128::from(evaluations) * 1_000 / u128::from(all)).min(1_000) as u32,
        };
        counted.max(self.guard.spent(counted))
    }
}
