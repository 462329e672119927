//! What the hub wonders about, and the courier's answer from his own phone, without a network: nobody is judged unheard.

use satchel_protocol::doubt::DoubtAnswerBody;
use satchel_protocol::feed::DoubtItem;
use satchel_protocol::ids::DoubtId;
use satchel_protocol::taxonomy::{DoubtKind, DoubtVerdict};

use super::Courier;
use super::appeal::{Word, said};
use crate::error::{Error, Result};
use crate::model::doubt::DoubtView;
use crate::store::noted::Noted;
use crate::store::{noted, told};

impl Courier {
    /// What the hub wonders about in this courier's log, the latest first.
    ///
    /// # Errors
    /// Those of the store.
    pub fn doubts(&self) -> Result<Vec<DoubtView>> {
        self.db.read(|conn| {
            let mut all = told::doubts(conn)?
                .into_iter()
                .map(|item| {
                    let said = noted::about(conn, item.doubt_id.as_bytes(), DoubtAnswerBody::KIND)?;
                    view(item, &said)
                })
                .collect::<Result<Vec<_>>>()?;
            all.sort_by_key(|d| std::cmp::Reverse((d.raised_at_ms, d.id)));
            Ok(all)
        })
    }

    /// Answers a question of the hub, for the person who will judge it. One answer: a second call gives back the first
    /// as it stands.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a question that is not on this phone, [`Error::InvalidInput`] for no words or too many.
    pub fn answer_doubt(&self, id: DoubtId, words: &str) -> Result<DoubtView> {
        let keys = self.enrolled()?;
        let words = said(words)?;
        let occurred_at_ms = self.env.clock.wall_ms();
        self.db.write(|tx| {
            let item = told::doubt(tx, id)?.ok_or(Error::NotFound { what: "doubt" })?;
            let parcel = item.parcel_id;
            let said = noted::about(tx, id.as_bytes(), DoubtAnswerBody::KIND)?;
            let asked = view(item, &said)?;
            if asked.answer.is_some() {
                return Ok(asked);
            }
            let body = DoubtAnswerBody {
                doubt: id,
                words: words.to_owned(),
            };
            let word = Word {
                kind: DoubtAnswerBody::KIND,
                body: body.encode(),
                parcel,
                about: id.as_bytes(),
                occurred_at_ms,
            };
            self.record_word(tx, &keys, word)?;
            Ok(DoubtView {
                answer: Some(body.words),
                ..asked
            })
        })
    }
}

/// The hub's question with what this phone's log answers to it, which counts before the hub has it.
fn view(item: DoubtItem, said: &[Noted]) -> Result<DoubtView> {
    let answer = match said.first() {
        Some(entry) => Some(DoubtAnswerBody::decode(&entry.body)?.words),
        None => item.answer,
    };
    Ok(DoubtView {
        id: item.doubt_id,
        kind: DoubtKind::from_code(&item.doubt).ok(),
        parcel: item.parcel_id,
        occurred_at_ms: item.occurred_at_ms,
        other_at_ms: item.other_at_ms,
        apart_m: item.apart_m,
        raised_at_ms: item.raised_at_ms,
        answer,
        verdict: item
            .verdict
            .and_then(|code| DoubtVerdict::from_code(&code).ok()),
        why: item.why,
    })
}
