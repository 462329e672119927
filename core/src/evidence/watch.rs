//! Watching the hub: every receipt comes with the hub's tree, and a hub that contradicts itself is not
//! believed, its receipt included.
//!
//! The phone keeps the last tree it believed. With it and the answer that does not fit, anybody can see
//! that the hub rewrote its log (threat 23), so both are kept. A log that says openly that it began anew,
//! after a restore from a backup, is followed; that it did so becomes an entry of this phone's own log.

use satchel_protocol::entry::EntryKind;
use satchel_protocol::receipt::{Receipt, SignedReceipt};
use satchel_protocol::tlog::Watched;
use serde::Serialize;

use super::log::{Fact, Pen};
use crate::courier::Keys;
use crate::error::Result;
use crate::limits;
use crate::store::db::Tx;
use crate::store::{entries, phone, watch};

/// Why a receipt is not believed for want of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// The hub has shown its tree before, and this time it did not.
    NoTree,
    /// The tree does not fit what the hub showed before. What proves it is stored.
    Contradiction,
}

/// What a phone records when the hub's log began anew.
#[derive(Debug, Serialize)]
struct Restarted<'a> {
    before: &'a str,
    now: &'a str,
}

/// Checks the tree beside a receipt of this phone's entries and, if it holds, keeps it. Gives whether the
/// hub's log began anew.
///
/// A hub that never showed a tree is asked for none; once it has, an answer without one is refused.
pub(crate) fn watch(
    tx: &Tx<'_>,
    keys: &Keys,
    pen: &Pen<'_>,
    signed: &SignedReceipt,
    receipt: &Receipt,
) -> Result<Result<bool, Doubt>> {
    let known = watch::tree_head(tx)?;
    let open = receipt.wedged.as_deref().unwrap_or_default();
    let newest = entries::newest_held(tx, receipt.head_seq, open)?;
    let Some(tree) = &signed.tree else {
        return Ok(known.map_or(Ok(false), |_| Err(Doubt::NoTree)));
    };
    let at_ms = pen.clock.wall_ms();
    let checked = tree.check(&keys.hub_url, &keys.hub_key, known.as_ref(), newest);
    let Watched { head, restarted } = match checked {
        Ok(watched) => watched,
        Err(fault) => {
            tracing::error!(%fault, "the hub contradicts itself");
            let known = known.as_ref().map(|k| k.note.as_str());
            watch::keep_fault(tx, at_ms, &fault.to_string(), known, &signed.encode())?;
            return Ok(Err(Doubt::Contradiction));
        }
    };
    let anew = known.filter(|_| restarted);
    if let Some(known) = &anew {
        let fact = Fact {
            kind: EntryKind::HUB_LOG_RESTARTED,
            handle: None,
            blobs: vec![],
            body: serde_json::to_vec(&Restarted {
                before: &known.note,
                now: &head.note,
            })
            .unwrap_or_default(),
            stop: None,
            occurred_at_ms: at_ms,
        };
        pen.append(tx, fact)?;
    }
    watch::set_tree_head(tx, &head)?;
    watch::set_anchor(tx, signed.anchor())?;
    Ok(Ok(anew.is_some()))
}

/// Keeps the answer that first named new entries. A hub that pads its answers could fill the phone with them: what is
/// beyond all reason is believed and not kept, and counted like a receipt that does not fit.
pub(crate) fn keep_word(tx: &Tx<'_>, signed: &SignedReceipt, receipt: &Receipt) -> Result<()> {
    let Some(last) = receipt.entries.last() else {
        return Ok(());
    };
    let answer = signed.encode();
    let (kept_bytes, entries) = watch::words(tx)?;
    let most_bytes = limits::HUB_WORDS_BYTES + limits::HUB_WORD_BYTES.saturating_mul(entries);
    match kept_bytes.saturating_add(answer.len()) <= most_bytes {
        true => watch::keep_word(tx, last.seq, &answer),
        false => phone::count_receipt_alarm(tx),
    }
}
