//! Reading the feed to its end, and noticing one that has none.
//!
//! A page that says "more" is followed by a request at once. A feed that leads back to where it was, that goes on
//! without bringing anything, or that simply never ends would keep a phone at it until its battery is empty.

use std::collections::HashSet;

use crate::limits;

/// The pages read since the feed last ended.
#[derive(Debug, Default)]
pub(super) struct CatchingUp {
    /// Places that were come by.
    places: HashSet<String>,
    pages: usize,
    /// In a row.
    empty_pages: usize,
}

impl CatchingUp {
    /// A page led from one place to the next and says that there is more. `false`: this leads nowhere.
    pub(super) fn goes_on(&mut self, from: Option<&str>, to: &str, is_empty: bool) -> bool {
        self.pages += 1;
        self.empty_pages = match is_empty {
            true => self.empty_pages + 1,
            false => 0,
        };
        self.places.extend(from.map(str::to_owned));
        self.places.insert(to.to_owned())
            && self.pages < limits::MAX_FEED_PAGES
            && self.empty_pages < limits::MAX_EMPTY_FEED_PAGES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_that_goes_round_brings_nothing_or_never_ends_is_noticed() {
        let pages_read = |to: &dyn Fn(usize) -> String, is_empty: bool| {
            let mut run = CatchingUp::default();
            let mut from = Some("start".to_owned());
            for n in 0..10_000 {
                let next = to(n);
                if !run.goes_on(from.as_deref(), &next, is_empty) {
                    return n + 1;
                }
                from = Some(next);
            }
            10_000
        };
        assert_eq!(pages_read(&|_| "start".into(), false), 1);
        assert_eq!(pages_read(&|n| format!("x{}", n % 2), false), 3);
        let backwards = |n: usize| format!("c{}", 9 - n % 10);
        assert_eq!(pages_read(&backwards, false), 11);
        let forwards = |n: usize| format!("c{n}");
        assert_eq!(pages_read(&forwards, true), limits::MAX_EMPTY_FEED_PAGES);
        assert_eq!(pages_read(&forwards, false), limits::MAX_FEED_PAGES);
    }
}
