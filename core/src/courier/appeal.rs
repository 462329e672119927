//! A courier's word against a rating, from his own phone and without a network: nobody is judged unheard.

use satchel_protocol::appeal::AppealBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::ParcelId;
use satchel_protocol::limits::MAX_TEXT_CHARS;

use super::{Courier, Keys};
use crate::error::{Error, Result};
use crate::evidence::log::Fact;
use crate::model::stop::AppealView;
use crate::store::db::Tx;
use crate::store::{ratings, stops};

impl Courier {
    /// Appeals against the customer's last word about a parcel. The hub opens a case with a clock when it
    /// arrives. One appeal to a rating: a second call gives back the first as it stands.
    ///
    /// # Errors
    /// [`Error::NotFound`] while no rating of this parcel is on this phone, [`Error::InvalidInput`] for
    /// no words or too many.
    pub fn appeal(&self, parcel: ParcelId, words: &str) -> Result<AppealView> {
        let keys = self.enrolled()?;
        let words = said(words)?;
        let occurred_at_ms = self.env.clock.wall_ms();
        self.db.write(|tx| {
            let rating = ratings::latest(tx, parcel)?.ok_or(Error::NotFound { what: "rating" })?;
            if let Some(made) = rating.appeal {
                return Ok(made);
            }
            let body = AppealBody {
                parcel,
                rated_at_ms: rating.rated_at_ms,
                words: words.to_owned(),
            };
            let word = Word {
                kind: AppealBody::KIND,
                body: body.encode(),
                parcel,
                about: parcel.as_bytes(),
                occurred_at_ms,
            };
            self.record_word(tx, &keys, word)?;
            Ok(AppealView {
                words: body.words,
                at_ms: occurred_at_ms,
                case: None,
                answer: None,
            })
        })
    }

    /// Records what the courier says to somebody's judgement of a parcel, to be found again by what it is about.
    pub(super) fn record_word(&self, tx: &Tx<'_>, keys: &Keys, word: Word<'_>) -> Result<()> {
        let stop = stops::find_parcel(tx, word.parcel)?.map(|p| p.stop_id);
        let fact = Fact {
            kind: word.kind,
            handle: None,
            blobs: vec![],
            body: word.body,
            stop,
            occurred_at_ms: word.occurred_at_ms,
        };
        self.pen(keys).append_about(tx, fact, &[word.about])?;
        match stop {
            Some(stop) => stops::touch(tx, stop),
            None => Ok(()),
        }
    }
}

/// What the courier says, as an entry.
pub(super) struct Word<'a> {
    pub(super) kind: EntryKind,
    pub(super) body: Vec<u8>,
    pub(super) parcel: ParcelId,
    /// The rating's parcel or the doubt.
    pub(super) about: &'a [u8; 16],
    pub(super) occurred_at_ms: i64,
}

/// Words that say something and are not too many.
pub(super) fn said(words: &str) -> Result<&str> {
    let words = words.trim();
    if (1..=MAX_TEXT_CHARS).contains(&words.chars().count()) {
        Ok(words)
    } else {
        Err(Error::InvalidInput { what: "words" })
    }
}
