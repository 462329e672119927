//! The rules in force: the hub's document where it is sound, else the ones before it.

use std::sync::{Arc, PoisonError};

use satchel_protocol::crypto;
use satchel_protocol::doorstep::RuleSetRefusedBody;
use satchel_protocol::entry::EntryKind;
use serde_json::Value;

use crate::courier::{Courier, Keys};
use crate::error::Result;
use crate::evidence::log::Fact;
use crate::rules::ruleset::{Accepted, RuleSet, RuleSetError};
use crate::store::db::{Snapshot, Tx};
use crate::store::rulesets;

impl Courier {
    /// Version of the rules in force; 0 before the hub has sent any.
    #[must_use]
    pub fn rules_version(&self) -> u32 {
        self.rules().version()
    }

    pub(in crate::courier) fn rules(&self) -> Arc<RuleSet> {
        Arc::clone(&self.rules.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the rules in force from the store.
    pub(in crate::courier) fn load_rules(&self) -> Result<()> {
        let rules = self.db.read(in_force)?;
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
        Ok(())
    }

    /// Takes a document of the feed over, or keeps it out and says so in the log, once for each
    /// document. Call [`Self::load_rules`] after the transaction.
    pub(in crate::courier) fn take_rule_set(
        &self,
        tx: &Tx<'_>,
        keys: &Keys,
        document: &Value,
    ) -> Result<()> {
        let text = document.to_string();
        let current = in_force(tx)?;
        let why = match current.accept(text.as_bytes()) {
            Ok(Accepted::Unchanged) => return Ok(()),
            Ok(Accepted::Replaced(_)) => return rulesets::replace(tx, &text),
            // The feed is read from its start after a gap, and then says what it said before.
            Err(RuleSetError::Older { .. }) => return Ok(()),
            Err(why) => why,
        };
        let hash = crypto::sha256(&[text.as_bytes()]);
        if rulesets::refused(tx)? == Some(hash) {
            return Ok(());
        }
        tracing::warn!(%why, "a rule set was kept out");
        rulesets::set_refused(tx, hash)?;
        let offered = document.get("version").and_then(Value::as_u64);
        let body = RuleSetRefusedBody {
            current_version: current.version(),
            offered_version: offered.and_then(|v| u32::try_from(v).ok()),
            document: hash,
            why: why.to_string(),
        };
        let fact = Fact {
            kind: EntryKind::RULESET_REFUSED,
            handle: None,
            blobs: vec![],
            body: body.encode(),
            stop: None,
            occurred_at_ms: self.env.clock.wall_ms(),
        };
        self.pen(keys).append(tx, fact).map(|_| ())
    }
}

/// A stored document was accepted once; one that a later build's minimum no longer allows falls back to
/// the built-in rules, which that build has for its minimum.
fn in_force(conn: &Snapshot) -> Result<RuleSet> {
    Ok(match rulesets::document(conn)? {
        None => RuleSet::built_in(),
        Some(text) => match RuleSet::parse(text.as_bytes()) {
            Ok(rules) => rules,
            Err(why) => {
                tracing::warn!(%why, "the stored rule set no longer holds");
                RuleSet::built_in()
            }
        },
    })
}
