//! Codes of recipients: each try is an entry, right or wrong, and three are all there are. A long code is
//! checked here; short digits go sealed to the hub (security notes §7, row 8).

use satchel_protocol::attempt::CodeResult;
use satchel_protocol::doorstep::CodeEntryBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::feed::CodeItem;
use satchel_protocol::ids::{ParcelId, Salt};

use super::Courier;
use crate::error::{Refusal, Result};
use crate::evidence::log::Fact;
use crate::rules::codes::{CodePlan, CodeVerdict, OfflineCode, judge};
use crate::store::stops::ParcelRow;
use crate::store::{codes, stops};

impl Courier {
    /// Takes a try of a parcel's code. Once it has matched at this visit it stays matched, without
    /// another entry.
    ///
    /// # Errors
    /// [`Refusal::Code`] when the text was not tried (no tries left, expired, not the form),
    /// [`Refusal::NotOfThisParcel`] for a parcel without a code this phone may judge,
    /// [`Refusal::ParcelClosed`] for one that is not to be delivered.
    pub fn enter_code(&self, parcel: ParcelId, typed: &str) -> Result<CodeVerdict> {
        let keys = self.at_work()?;
        let now_ms = self.env.clock.wall_ms();
        self.db.write(|tx| {
            let row = stops::parcel(tx, parcel)?;
            if !row.state.is_deliverable() {
                return Err(Refusal::ParcelClosed.into());
            }
            let plan = plan(&row)?;
            if codes::result(tx, parcel)? == Some(CodeResult::Verified) {
                return Ok(CodeVerdict::Matches);
            }
            let before = codes::tries(tx, parcel)?;
            let entry = judge(&plan, typed, before, now_ms).map_err(Refusal::Code)?;
            let body = CodeEntryBody {
                parcel,
                stop: row.stop_id,
                matched: match entry.verdict {
                    CodeVerdict::Matches => Some(true),
                    CodeVerdict::Wrong { .. } => Some(false),
                    CodeVerdict::AwaitsHub { .. } => None,
                },
                sealed: entry.sealed.map(|digits| digits.expose().to_owned()),
            };
            let fact = Fact {
                kind: EntryKind::CODE_ENTRY,
                handle: Some(row.handle),
                blobs: vec![],
                body: body.encode(),
                stop: Some(row.stop_id),
                occurred_at_ms: now_ms,
            };
            self.pen(&keys)
                .append_about(tx, fact, &[parcel.as_bytes()])?;
            Ok(entry.verdict)
        })
    }
}

fn plan(row: &ParcelRow) -> Result<CodePlan> {
    let none = Refusal::NotOfThisParcel {
        what: "code that can be judged",
    };
    match &row.code {
        None => Err(none.into()),
        Some(CodeItem::Hub { digits }) => Ok(CodePlan::ByHub { digits: *digits }),
        Some(CodeItem::Phone {
            chars,
            salt,
            digest,
            expires_at_ms,
        }) => {
            let chars = usize::try_from(*chars).unwrap_or(0);
            let code =
                OfflineCode::new(row.parcel_id, chars, Salt(salt.0), *digest, *expires_at_ms)
                    // A digest that gives its code away is not used, whoever sent it.
                    .map_err(|_| none)?;
            Ok(CodePlan::Here(code))
        }
    }
}
