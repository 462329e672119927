//! Documents in columns of the store.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a document; `None` for what is none, or not of this kind.
///
/// By way of a tree, as the feed's items are read: most of these types come from there, and so each has one reader in the
/// library and not two (docs/adr/0061).
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    let tree: Value = serde_json::from_str(text).ok()?;
    T::deserialize(&tree).ok()
}
