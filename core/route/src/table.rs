//! A fixed array whose reads cannot panic.
//!
//! The hot loops of the search index small arrays by numbers that are in range by construction. The
//! workspace forbids `[]`, and a panic must not be reachable from bad input, so a read outside
//! answers the default value (and fails in debug builds). It costs what a bounds check costs.

/// See the module head.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Table<T>(Vec<T>);

impl<T: Copy + Default> Table<T> {
    /// `len` default values.
    pub(crate) fn new(len: usize) -> Self {
        Self(vec![T::default(); len])
    }

    /// The value at `index`.
    #[inline(always)]
    pub(crate) fn at(&self, index: usize) -> T {
        debug_assert!(index < self.0.len(), "{index} of {}", self.0.len());
        match self.0.get(index) {
            Some(value) => *value,
            None => T::default(),
        }
    }

    /// Writes the value at `index`.
    #[inline(always)]
    pub(crate) fn put(&mut self, index: usize, value: T) {
        debug_assert!(index < self.0.len(), "{index} of {}", self.0.len());
        if let Some(place) = self.0.get_mut(index) {
            *place = value;
        }
    }

    /// Other values instead, as many as there are.
    pub(crate) fn replace(&mut self, values: impl Iterator<Item = T>) {
        self.0.clear();
        self.0.extend(values);
    }

    /// As many values as asked for, default ones where there were none.
    pub(crate) fn resize(&mut self, len: usize) {
        self.0.resize(len, T::default());
    }

    /// Puts a value before the one at `index`.
    pub(crate) fn insert(&mut self, index: usize, value: T) {
        self.0.insert(index.min(self.0.len()), value);
    }

    /// Number of values.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The values `from..to`, empty when out of range.
    #[inline(always)]
    pub(crate) fn span(&self, from: usize, to: usize) -> &[T] {
        self.0.get(from..to).unwrap_or_default()
    }

    /// The values `from..to` to change, empty when out of range.
    #[inline(always)]
    pub(crate) fn span_mut(&mut self, from: usize, to: usize) -> &mut [T] {
        self.0.get_mut(from..to).unwrap_or_default()
    }

    /// All values.
    pub(crate) fn all(&self) -> &[T] {
        &self.0
    }
}

impl<T> From<Vec<T>> for Table<T> {
    fn from(values: Vec<T>) -> Self {
        Self(values)
    }
}
