//! Sorting and choosing without `std`'s sorts.
//!
//! Those are several kilobytes of code for every type they are used with, and a phone downloads them. What
//! is sorted here is short or sorted once, so a heap does. Keys must not repeat where the sequence
//! matters: a heap is not stable.

/// Sorts ascending.
pub(crate) fn sort<T: Ord>(values: &mut [T]) {
    let count = values.len();
    for top in (0..count / 2).rev() {
        sink(values, top, count);
    }
    for end in (1..count).rev() {
        values.swap(0, end);
        sink(values, 0, end);
    }
}

/// Lets the value at `top` sink to where no child within `..end` is greater.
fn sink<T: Ord>(values: &mut [T], top: usize, end: usize) {
    let mut at = top;
    loop {
        let left = 2 * at + 1;
        let mut child = left;
        if left + 1 < end && values.get(left) < values.get(left + 1) {
            child = left + 1;
        }
        if child >= end || values.get(child) <= values.get(at) {
            return;
        }
        values.swap(at, child);
        at = child;
    }
}

/// The `room` least of the values offered, ascending.
#[derive(Debug)]
pub(crate) struct Least {
    room: usize,
    kept: Vec<(i64, u16)>,
}

impl Least {
    /// Keeps none yet.
    pub(crate) fn new(room: usize) -> Self {
        Self {
            room,
            kept: Vec::with_capacity(room + 1),
        }
    }

    /// Keeps the value if it is among the least so far.
    #[inline]
    pub(crate) fn offer(&mut self, value: (i64, u16)) {
        let is_full = self.kept.len() >= self.room;
        if is_full && self.kept.last().is_none_or(|worst| *worst <= value) {
            return;
        }
        let place = self.kept.partition_point(|other| *other < value);
        self.kept.insert(place, value);
        self.kept.truncate(self.room);
    }

    /// Hands out what is kept under another key, ascending, and keeps none any more.
    pub(crate) fn take_by(&mut self, key: impl Fn(usize) -> i64) -> Vec<(i64, u16)> {
        let mut taken: Vec<(i64, u16)> = self
            .kept
            .drain(..)
            .map(|(_, v)| (key(usize::from(v)), v))
            .collect();
        sort(&mut taken);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::super::random::Random;
    use super::{Least, sort};

    #[test]
    fn sorts_and_keeps_the_least_as_std_does() {
        let mut random = Random::new(9);
        for count in 0..60 {
            let values: Vec<(i64, u16)> = (0..count)
                .map(|k| (random.below(30) as i64, k as u16))
                .collect();
            let mut theirs = values.clone();
            theirs.sort_unstable();
            let mut ours = values.clone();
            sort(&mut ours);
            assert_eq!(ours, theirs);
            for room in [0, 1, 7] {
                let mut least = Least::new(room);
                values.iter().for_each(|value| least.offer(*value));
                let mut expected = theirs[..room.min(theirs.len())].to_vec();
                expected.sort_unstable_by_key(|(_, v)| *v);
                let taken: Vec<u16> = least
                    .take_by(|v| v as i64)
                    .iter()
                    .map(|(_, v)| *v)
                    .collect();
                assert_eq!(taken, expected.iter().map(|(_, v)| *v).collect::<Vec<_>>());
            }
        }
    }
}
