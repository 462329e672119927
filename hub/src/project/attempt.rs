//! The rows of attempts: what they say, their proofs, and what their parcels show.

use chrono::NaiveDateTime;
use satchel_protocol::attempt::{AttemptBody, CodeResult, PhotoFacts, ProofRef};
use satchel_protocol::entry::Header;
use satchel_protocol::ids::Hash32;
use serde_json::json;

use crate::db::Tx;
use crate::error::HubError;
use crate::store::bulk::Rows;
use crate::store::proofs;

/// The parcel shows its latest attempt by the time it happened, whatever came first over the network; all
/// attempts stay visible (B4-16). Ties go to the higher device and seq, so that order of arrival never matters.
const PARCEL_SHOWS: &str = "ON CONFLICT (parcel_id) DO UPDATE SET attempts = attempts + 1, \
    outcome = CASE WHEN (occurred_at_ms, device_id, seq) < (excluded.occurred_at_ms, excluded.device_id, \
      excluded.seq) THEN excluded.outcome ELSE outcome END, \
    device_id = CASE WHEN (occurred_at_ms, device_id, seq) < (excluded.occurred_at_ms, excluded.device_id, \
      excluded.seq) THEN excluded.device_id ELSE device_id END, \
    seq = CASE WHEN (occurred_at_ms, device_id, seq) < (excluded.occurred_at_ms, excluded.device_id, \
      excluded.seq) THEN excluded.seq ELSE seq END, \
    occurred_at_ms = max(occurred_at_ms, excluded.occurred_at_ms)";

/// The rows of a batch's attempts and of all proofs it names.
pub(super) struct Attempts {
    attempts: Rows,
    proofs: Rows,
    parcels: Rows,
    thumbs: Vec<Hash32>,
}

impl Attempts {
    pub(super) fn new() -> Self {
        Self {
            attempts: Rows::new(
                "INSERT INTO attempt (device_id, seq, attempt_id, parcel_id, stop_id, attempt_no, \
                   outcome, handoff, reason, action, signer_name, relation, identity_method, \
                   identity_matched, inspection, consent_id, lat, lng, accuracy_m, fix_mock, \
                   distance_m, note, rules_version, occurred_at_ms, utc_offset_min, received_at_ms, \
                   skips, items, left_at, age_checked, visibly_damaged, scanned, code, min_centi_c, \
                   max_centi_c, warnings, fix_datum, fix_raw_lat, fix_raw_lng, fix_zone)",
                "",
            ),
            proofs: Rows::new(
                "INSERT INTO attempt_proof (device_id, seq, ordinal, hash, kind, size_bytes, origin, \
                   captured_at_ms, bound, thumb_hash, source_hash, taken_at_ms)",
                "",
            ),
            parcels: Rows::new(
                "INSERT INTO parcel_state (parcel_id, outcome, device_id, seq, occurred_at_ms, attempts)",
                PARCEL_SHOWS,
            ),
            thumbs: Vec::new(),
        }
    }

    pub(super) async fn put(self, tx: &mut Tx) -> Result<(), HubError> {
        self.attempts.put(tx).await?;
        self.proofs.put(tx).await?;
        self.parcels.put(tx).await?;
        // Named by the signed body, so they are kept like any proof.
        if !self.thumbs.is_empty() {
            proofs::bind(tx, &self.thumbs).await?;
        }
        Ok(())
    }

    /// What one attempt says.
    pub(super) fn add(&mut self, header: &Header, a: &AttemptBody, received_at_ms: i64) {
        let skips: Vec<_> = a.skips.iter().map(|s| (&s.item, &s.reason)).collect();
        let items = a.items.iter().map(|i| (&i.label, i.of, i.accepted));
        let items: Vec<_> = items.collect();
        let left_at = a
            .left_at
            .as_ref()
            .map(|l| json!({"place": l.place, "slot": l.slot, "receipt": l.receipt}).to_string());
        let raw = a.fix.and_then(|f| f.raw);
        let device = &header.device.as_bytes()[..];
        self.attempts.push([
            device.into(),
            header.seq.into(),
            a.attempt.as_bytes()[..].into(),
            a.parcel.as_bytes()[..].into(),
            a.stop.as_bytes()[..].into(),
            i64::from(a.attempt_no).into(),
            a.outcome.code().into(),
            a.handoff.code().into(),
            a.reason.map(|r| r.code()).into(),
            a.action.map(|r| r.code()).into(),
            a.signer_name.clone().into(),
            a.relation.map(|r| r.code()).into(),
            a.identity.map(|i| i.method.code()).into(),
            a.identity.map(|i| i.matched).into(),
            a.inspection.map(|i| i.code()).into(),
            a.consent.clone().into(),
            a.fix.map(|f| f.lat).into(),
            a.fix.map(|f| f.lng).into(),
            a.fix.map(|f| f64::from(f.accuracy_m)).into(),
            a.fix.map(|f| f.mock).into(),
            a.fix.and_then(|f| f.distance_m).map(f64::from).into(),
            a.note.clone().into(),
            i64::from(a.rules_version).into(),
            header.occurred_at_ms.into(),
            i64::from(header.utc_offset_min).into(),
            received_at_ms.into(),
            (!skips.is_empty()).then(|| json!(skips).to_string()).into(),
            (!items.is_empty()).then(|| json!(items).to_string()).into(),
            left_at.into(),
            a.age_checked.into(),
            a.visibly_damaged.into(),
            a.scanned.into(),
            a.code.map(code_result).into(),
            a.temperature_centi_c.map(|t| i64::from(t.0)).into(),
            a.temperature_centi_c.map(|t| i64::from(t.1)).into(),
            (!a.warnings.is_empty())
                .then(|| json!(a.warnings).to_string())
                .into(),
            a.fix.and_then(|f| f.datum).map(|d| d.code()).into(),
            raw.map(|r| r.0).into(),
            raw.map(|r| r.1).into(),
            a.fix.and_then(|f| f.zone).map(|z| z.code()).into(),
        ]);
        self.parcels.push([
            a.parcel.as_bytes()[..].into(),
            a.outcome.code().into(),
            device.into(),
            header.seq.into(),
            header.occurred_at_ms.into(),
            1.into(),
        ]);
    }

    /// The proofs an entry names, and whether its signed header binds each.
    pub(super) fn add_proofs(&mut self, header: &Header, proofs: &[ProofRef]) {
        for (ordinal, proof) in (0_i64..).zip(proofs) {
            let facts = proof.photo.as_ref();
            let thumb = facts.and_then(|facts| facts.thumb);
            let source = facts.and_then(|facts| facts.source_hash);
            self.proofs.push([
                header.device.as_bytes()[..].into(),
                header.seq.into(),
                ordinal.into(),
                proof.hash.0[..].into(),
                proof.kind.code().into(),
                i64::try_from(proof.size_bytes).unwrap_or(i64::MAX).into(),
                proof.origin.map(|o| o.code()).into(),
                proof.captured_at_ms.into(),
                header.blobs.contains(&proof.hash).into(),
                thumb.as_ref().map(|thumb| &thumb.hash.0[..]).into(),
                source.as_ref().map(|hash| &hash.0[..]).into(),
                facts
                    .and_then(|f| taken_at_ms(f, header.utc_offset_min))
                    .into(),
            ]);
            self.thumbs.extend(thumb.map(|thumb| thumb.hash));
        }
    }
}

fn code_result(code: CodeResult) -> &'static str {
    match code {
        CodeResult::Verified => "VERIFIED",
        CodeResult::AwaitsHub => "AWAITS_HUB",
    }
}

/// When the camera says it took a photo, Unix milliseconds; in the phone's time zone where it names none.
fn taken_at_ms(facts: &PhotoFacts, utc_offset_min: i16) -> Option<i64> {
    let local = NaiveDateTime::parse_from_str(facts.taken_local.as_deref()?, "%Y-%m-%dT%H:%M:%S");
    let offset_min = i64::from(facts.utc_offset_min.unwrap_or(utc_offset_min));
    Some(local.ok()?.and_utc().timestamp_millis() - offset_min * 60_000)
}
