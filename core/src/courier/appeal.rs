//! A courier's word against a rating, from his own phone and without a network: nobody is judged unheard.

use satchel_protocol::appeal::AppealBody;
use satchel_protocol::ids::ParcelId;
use satchel_protocol::limits::MAX_TEXT_CHARS;

use super::Courier;
use crate::error::{Error, Result};
use crate::evidence::log::Fact;
use crate::model::stop::AppealView;
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
        let words = words.trim();
        if !(1..=MAX_TEXT_CHARS).contains(&words.chars().count()) {
            return Err(Error::InvalidInput { what: "words" });
        }
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
            let stop = stops::find_parcel(tx, parcel)?.map(|p| p.stop_id);
            let fact = Fact {
                kind: AppealBody::KIND,
                handle: None,
                blobs: vec![],
                body: body.encode(),
                stop,
                occurred_at_ms,
            };
            self.pen(&keys)
                .append_about(tx, fact, &[parcel.as_bytes()])?;
            if let Some(stop) = stop {
                stops::touch(tx, stop)?;
            }
            Ok(AppealView {
                words: body.words,
                at_ms: occurred_at_ms,
                case: None,
                answer: None,
            })
        })
    }
}
