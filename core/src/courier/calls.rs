//! Calls to customers: logged with a masked number, each one signed entry (A036, A045, A038).

use satchel_protocol::doorstep::CallBody;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::StopId;

use super::Courier;
use crate::error::{Error, Result};
use crate::evidence::log::Fact;
use crate::limits;
use crate::model::day::{CallInput, CallView};
use crate::rules::contact::{CALL_COUNTS_FOR_MS, MaskedPhone};
use crate::store::calls::CallRow;
use crate::store::{calls, stops};

impl Courier {
    /// Records a try to reach the customer. The number is masked before anything is written; a call
    /// that was recorded under the same `call_id` is given back as it stands.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown stop, [`Error::InvalidInput`] for a number without digits or a
    /// value out of range.
    pub fn log_call(&self, input: &CallInput) -> Result<CallView> {
        let keys = self.at_work()?;
        let body = checked(input)?;
        let occurred_at_ms = self.env.clock.wall_ms();
        self.db.write(|tx| {
            stops::stop(tx, input.stop)?;
            if body.call_id.is_some()
                && let Some(known) = calls::recorded(tx, input.stop)?
                    .into_iter()
                    .find(|row| row.body.call_id == body.call_id)
            {
                return Ok(view(known));
            }
            let fact = Fact {
                kind: EntryKind::CALL,
                handle: None,
                blobs: vec![],
                body: body.encode(),
                stop: Some(input.stop),
                occurred_at_ms,
            };
            let head = self
                .pen(&keys)
                .append_about(tx, fact, &[input.stop.as_bytes()])?;
            Ok(view(CallRow {
                seq: head.seq,
                at_ms: occurred_at_ms,
                body,
            }))
        })
    }

    /// The calls recorded for a stop, in the order in which they were recorded.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown stop.
    pub fn calls(&self, stop: StopId) -> Result<Vec<CallView>> {
        self.db.read(|conn| {
            stops::stop(conn, stop)?;
            Ok(calls::recorded(conn, stop)?.into_iter().map(view).collect())
        })
    }
}

fn checked(input: &CallInput) -> Result<CallBody> {
    let invalid = |what| Error::InvalidInput { what };
    let given = input.number.trim();
    if given.chars().count() > limits::MAX_PHONE_CHARS {
        return Err(invalid("phone number"));
    }
    let number = match MaskedPhone::from_masked(given) {
        Ok(masked) => masked,
        Err(_) => MaskedPhone::mask(given),
    };
    if number.as_str().is_empty() {
        return Err(invalid("phone number"));
    }
    if input.duration_s > limits::MAX_CALL_S {
        return Err(invalid("duration of the call"));
    }
    let call_id = input.call_id.as_deref().map(str::trim);
    let fits = |id: &str| {
        !id.is_empty()
            && id.chars().count() <= limits::MAX_ID_CHARS
            && !id.contains(char::is_control)
    };
    if !call_id.is_none_or(fits) {
        return Err(invalid("call id"));
    }
    Ok(CallBody {
        stop: input.stop,
        number: number.as_str().to_owned(),
        virtual_number: input.virtual_number,
        result: input.result,
        duration_s: input.duration_s,
        call_id: call_id.map(str::to_owned),
    })
}

fn view(row: CallRow) -> CallView {
    CallView {
        seq: row.seq,
        at_ms: row.at_ms,
        number: row.body.number,
        virtual_number: row.body.virtual_number,
        result: row.body.result,
        duration_s: row.body.duration_s,
        call_id: row.body.call_id,
        counts_until_ms: row.at_ms.saturating_add(CALL_COUNTS_FOR_MS),
    }
}
