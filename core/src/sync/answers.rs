//! Reading answers: what is true goes into the store in one transaction, everything else changes
//! nothing and is tried again.

use std::collections::HashSet;

use satchel_protocol::api::{ErrorBody, ErrorCode};
use satchel_protocol::enrol::{EnrolResponse, SignedCertificate};
use satchel_protocol::feed::{FeedContent, FeedItem, FeedPage, ParcelEventItem, StopItem};
use satchel_protocol::ids::{Hash32, StopId};
use satchel_protocol::limits::{MAX_FEED_PAGE_BYTES, MAX_WEDGED};
use satchel_protocol::packed;
use satchel_protocol::receipt::{Receipt, SignedReceipt};
use serde_json::Value;

use super::replay;
use crate::courier::Keys;
use crate::error::Result;
use crate::evidence::watch::Doubt;
use crate::limits;
use crate::rules::geofence;
use crate::store::consents::{self, Source};
use crate::store::db::Tx;
use crate::store::entries::{self, Marked};
use crate::store::erasures::{self, Asked};
use crate::store::history::{self, Pushed};
use crate::store::phone::Enrolled;
use crate::store::{phone, planning, proofs, ratings, stops, thumbs, told, wedged};

/// The answer is not what was asked for; nothing of it was believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Useless {
    /// HTML of a portal, half a body, an error of a proxy, a receipt of somebody else.
    BadAnswer,
    /// A receipt that this hub did not sign for this phone, or did not stand by: counted as an alarm.
    ForgedReceipt,
    /// A feed that goes round, or goes on without end: what its pages said was taken, and it is not followed further.
    EndlessFeed,
    /// Signed by the hub, and against what the hub showed before.
    Contradiction,
}

impl From<Doubt> for Useless {
    fn from(doubt: Doubt) -> Self {
        match doubt {
            Doubt::NoTree => Self::ForgedReceipt,
            Doubt::Contradiction => Self::Contradiction,
        }
    }
}

/// Reads an error body; a hub's refusals are JSON, a proxy's are not.
pub(crate) fn error_body(body: &[u8]) -> Option<ErrorBody> {
    serde_json::from_slice(body).ok()
}

/// Whether only a person can lift this refusal.
pub(crate) fn needs_person(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::BadSignature
            | ErrorCode::UnknownDevice
            | ErrorCode::RevokedDevice
            | ErrorCode::LogFork
            | ErrorCode::Quarantined
            | ErrorCode::BadEntry
    )
}

/// Value of a header, whatever its case.
pub(crate) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, v)| v.trim())
}

/// `Retry-After`, seconds or a date, in milliseconds from now. It is not signed and anybody on the way may say it, so it
/// is bounded, and closely where the answer is not in the hub's own words.
pub(crate) fn retry_after_ms(
    headers: &[(String, String)],
    is_hubs: bool,
    now_ms: i64,
) -> Option<i64> {
    let said = header(headers, "retry-after")?;
    let wait_ms = match said.parse::<u64>() {
        Ok(seconds) => i64::try_from(seconds)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000),
        Err(_) => {
            // Whoever says until when often says also what time it is there.
            let there_ms = header(headers, "date").and_then(http_date_ms);
            http_date_ms(said)?.saturating_sub(there_ms.unwrap_or(now_ms))
        }
    };
    let most_ms = match is_hubs {
        true => limits::RETRY_AFTER_HUB_MOST_MS,
        false => limits::RETRY_AFTER_MOST_MS,
    };
    Some(wait_ms.clamp(0, most_ms))
}

fn http_date_ms(text: &str) -> Option<i64> {
    let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    Some(date.timestamp_millis())
}

/// Believes an enrolment only if the hub's certificate names this device and its key.
pub(crate) fn enrolled(body: &[u8], keys: &Keys) -> Result<Enrolled, Useless> {
    let answer: EnrolResponse = serde_json::from_slice(body).map_err(|_| Useless::BadAnswer)?;
    let certificate = data_encoding::HEXLOWER
        .decode(answer.certificate.as_bytes())
        .map_err(|_| Useless::BadAnswer)?;
    let signed =
        SignedCertificate::verify(&certificate, &keys.hub_key).map_err(|_| Useless::BadAnswer)?;
    let mine = signed.device == keys.device
        && signed.log_key.0 == keys.log_key.verifying_key().to_bytes()
        && signed.courier == answer.courier_id;
    if !mine {
        return Err(Useless::BadAnswer);
    }
    Ok(Enrolled {
        courier: signed.courier,
        courier_name: answer.courier_name,
        certificate,
    })
}

/// Reads a receipt and checks that this hub signed it for this phone.
pub(crate) fn receipt(body: &[u8], keys: &Keys) -> Result<(SignedReceipt, Receipt), Useless> {
    let signed = SignedReceipt::decode(body).map_err(|_| Useless::BadAnswer)?;
    let receipt = signed
        .verify(&keys.hub_key, keys.device)
        .map_err(|_| Useless::ForgedReceipt)?;
    Ok((signed, receipt))
}

/// Marks what the receipt names and says how many entries and proofs that were new. A hash this phone
/// does not have changes nothing and is counted.
pub(crate) fn apply_receipt(tx: &Tx<'_>, receipt: &Receipt) -> Result<usize> {
    let at_ms = receipt.received_at_ms;
    let held: HashSet<Hash32> = receipt.blobs.iter().copied().collect();
    let mut changed: Vec<StopId> = Vec::new();
    let mut marked = 0;
    let (mut bound, mut inks): (HashSet<Hash32>, HashSet<Hash32>) = Default::default();
    for entry in &receipt.entries {
        match entries::mark_received(tx, (entry.seq, entry.hash), &held, at_ms)? {
            Marked::Ours(ours) => {
                marked += usize::from(ours.is_new) + usize::from(ours.ink_is_new);
                if ours.is_new || ours.ink_is_new {
                    changed.extend(ours.stop);
                }
                if ours.has_ink {
                    inks.extend(ours.blobs.last());
                }
                if ours.blobs.len() > usize::from(ours.has_ink) {
                    bound.extend(thumbs::hashes_of_entry(tx, entry.seq)?);
                }
                bound.extend(ours.blobs);
            }
            Marked::Unknown => phone::count_receipt_alarm(tx)?,
        }
    }
    entries::advance_received_head(tx)?;
    // Inks were marked with their entries.
    let others: Vec<&Hash32> = receipt
        .blobs
        .iter()
        .filter(|b| !inks.contains(*b))
        .collect();
    if !others.is_empty() {
        let mut known = proofs::known(tx)?;
        for blob in others {
            match proofs::mark_received(tx, &mut known, *blob, at_ms, &bound)? {
                Some(stops) => {
                    marked += stops.len();
                    changed.extend(stops);
                }
                None => phone::count_receipt_alarm(tx)?,
            }
        }
    }
    touch_all(tx, changed)?;
    Ok(marked)
}

/// Takes over which positions of this phone's log stand open at the hub; belongs before the marks of the same
/// receipt. `sent_up_to` is the last entry of the batch it answers. Gives how much of that was news.
pub(crate) fn apply_wedged(
    tx: &Tx<'_>,
    receipt: &Receipt,
    sent_up_to: Option<i64>,
) -> Result<usize> {
    let open = receipt.wedged.as_deref().unwrap_or_default();
    if open.len() > MAX_WEDGED {
        return Ok(0);
    }
    let at = (receipt.head_seq, sent_up_to);
    let (news, stops) = wedged::mirror(tx, open, at, receipt.received_at_ms)?;
    touch_all(tx, stops)?;
    Ok(news)
}

/// What is left to do after the hub said what it holds.
pub(crate) struct Left {
    /// Entries and proofs that the answer was the first to name.
    pub(crate) marked: usize,
    /// Entries are still to be sent.
    pub(crate) unsent: bool,
    /// The hub holds more than one receipt names: ask again.
    pub(crate) hub_names_more: bool,
    /// It has not all that it receipted, so no earlier receipt counts that this answer did not repeat.
    pub(crate) hub_has_less: bool,
}

/// The hub is not what it was when it receipted this phone's proofs, so no receipt for one counts any more:
/// it may have been set back to any day. What it has besides `named` it names when it is asked. Gives whether
/// there is anything to ask for.
pub(crate) fn doubt_proofs(tx: &Tx<'_>, named: &[Hash32]) -> Result<bool> {
    let held: HashSet<Hash32> = named.iter().copied().collect();
    let doubted = proofs::unmark(tx, 0, i64::MAX, |hash| !held.contains(&hash))?;
    touch_all(tx, doubted.stops)?;
    Ok(doubted.count > 0)
}

/// Applies the answer to "what do you hold?". It is signed, and it is complete for the entries it names:
/// what its `head_seq` does not reach and proofs it leaves out are not at the hub, whatever an earlier
/// receipt said. Only for proofs that `arrived` while it was on its way an own receipt says more.
pub(crate) fn apply_held(tx: &Tx<'_>, receipt: &Receipt, arrived: HashSet<Hash32>) -> Result<Left> {
    wedged::forget_after(tx, receipt.head_seq)?;
    let marked = apply_wedged(tx, receipt, None)? + apply_receipt(tx, receipt)?;
    let mut lost = entries::unmark_after(tx, receipt.head_seq)?;
    let mut held = arrived;
    held.extend(receipt.blobs.iter().copied());
    let is_lost = |hash| !held.contains(&hash);
    if let (Some(first), Some(last)) = (receipt.entries.first(), receipt.entries.last()) {
        // A row that went bad here says nothing of the hub, which once receipted it.
        let is_named_no_more = |hash| hash != proofs::UNREADABLE && is_lost(hash);
        lost.add(proofs::unmark(tx, first.seq, last.seq, is_named_no_more)?);
    }
    let hub_has_less = lost.count > 0;
    if hub_has_less {
        tracing::warn!(
            head_seq = receipt.head_seq,
            "the hub has less than it receipted"
        );
        // It was set back, and may lack any proof that came after its backup, of however old an entry.
        lost.add(proofs::unmark(tx, 0, i64::MAX, is_lost)?);
        touch_all(tx, lost.stops)?;
    }
    let received = entries::received_head(tx)?;
    Ok(Left {
        marked,
        unsent: received < entries::head(tx)?.seq,
        hub_names_more: marked > 0 && receipt.head_seq > received,
        hub_has_less,
    })
}

fn touch_all(tx: &Tx<'_>, mut stops_changed: Vec<StopId>) -> Result<()> {
    stops_changed.sort_unstable();
    stops_changed.dedup();
    for stop in stops_changed {
        stops::touch(tx, stop)?;
    }
    Ok(())
}

/// Reads a feed page within its bound, packed or plain.
pub(crate) fn feed_page(headers: &[(String, String)], body: &[u8]) -> Result<FeedPage, Useless> {
    if body.len() > MAX_FEED_PAGE_BYTES {
        return Err(Useless::BadAnswer);
    }
    let unpacked;
    let json = match header(headers, "content-encoding") {
        // A host's HTTP stack that unpacked by itself may have left the header standing.
        Some(packed::CODING) if !body.starts_with(b"{") => {
            unpacked = packed::unpack(body, MAX_FEED_PAGE_BYTES).map_err(|_| Useless::BadAnswer)?;
            &unpacked
        }
        _ => body,
    };
    let page: FeedPage = serde_json::from_slice(json).map_err(|_| Useless::BadAnswer)?;
    // The cursor goes back into a URL as it is.
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if page.cursor.len() > 200 || !page.cursor.chars().all(plain) {
        return Err(Useless::BadAnswer);
    }
    Ok(page)
}

/// Applies a page and its cursor together. What this build cannot read is kept, never dropped. `at_work` are
/// stops at whose door something is begun and not recorded. Gives the rule sets of the page: whether they
/// hold is for the courier's core to judge and to answer.
pub(crate) fn apply_feed(
    tx: &Tx<'_>,
    page: &FeedPage,
    at_work: &HashSet<StopId>,
    now_ms: i64,
) -> Result<Vec<Value>> {
    if page.snapshot.is_some_and(|part| part.first) {
        phone::begin_snapshot(tx)?;
    }
    let mut rule_sets = Vec::new();
    for item in &page.items {
        match item.content() {
            Ok(FeedContent::RuleSet(document)) => rule_sets.push(document),
            Ok(FeedContent::ParcelErased(item)) => {
                let (parcel, by_hub) = (item.parcel_id, true);
                erasures::ask(tx, Asked { parcel, by_hub }, now_ms)?;
            }
            _ => apply_item(tx, item, at_work)?,
        }
    }
    if page.snapshot.is_some_and(|part| part.last) {
        phone::end_snapshot(tx)?;
    }
    if page.items.iter().any(|item| item.kind == StopItem::KIND) {
        replay::parcel_events(tx)?;
    }
    ratings::trim_kept(tx)?;
    phone::set_feed_cursor(tx, &page.cursor)?;
    Ok(rule_sets)
}

fn apply_item(tx: &Tx<'_>, item: &FeedItem, at_work: &HashSet<StopId>) -> Result<()> {
    match item.content() {
        Ok(FeedContent::Route(route)) => stops::upsert_route(tx, &route, &item.data.to_string()),
        Ok(FeedContent::Stop(stop)) => {
            // A position that is none would later make a distance of NaN.
            if erasures::covers(tx, &stop)? {
                // Read a second time; what was erased does not come back.
                Ok(())
            } else if geofence::is_position(stop.place.lat, stop.place.lng) {
                let at_work = at_work.contains(&stop.stop_id);
                stops::upsert_stop(tx, &stop, &item.data.to_string(), at_work)
            } else {
                ratings::keep_item(tx, item)
            }
        }
        Ok(FeedContent::StopRemoved(removed)) => stops::remove_stop(tx, removed.stop_id),
        Ok(FeedContent::Rating(rating)) if (1..=5).contains(&rating.stars) => {
            if let Some(stop) = ratings::upsert(tx, &rating, &item.data.to_string())? {
                stops::touch(tx, stop)?;
            }
            Ok(())
        }
        Ok(FeedContent::Consent(record)) => {
            consents::put(tx, &record, Source::Feed)?;
            touch_all(tx, consents::stops_of(tx, &record.consent_id)?)
        }
        Ok(FeedContent::ConsentWithdrawn(withdrawn)) => {
            consents::withdraw(tx, &withdrawn.consent_id, withdrawn.withdrawn_at_ms)?;
            touch_all(tx, consents::stops_of(tx, &withdrawn.consent_id)?)
        }
        Ok(FeedContent::ParcelEvent(told)) => apply_event(tx, item, &told),
        Ok(FeedContent::Regime(regime)) => told::put_regime(tx, &regime),
        Ok(FeedContent::Courier(courier)) => told::put_courier(tx, &courier),
        Ok(FeedContent::OtherRound(round)) => told::put_other_round(tx, &round),
        Ok(FeedContent::ReportAnswer(answer)) => told::put_report_answer(tx, &answer),
        Ok(FeedContent::Doubt(doubt)) => told::put_doubt(tx, &doubt),
        Ok(FeedContent::ProofWanted(wanted)) => touch_all(tx, proofs::want(tx, wanted.hash)?.stops),
        // The last one known stays in use without a network (A012).
        Ok(FeedContent::Traffic(traffic)) if traffic.is_valid() => {
            planning::put_traffic(tx, &traffic).map(|_| ())
        }
        // Known to the protocol and not yet to this store: kept like an unknown kind.
        Ok(_) | Err(_) => ratings::keep_item(tx, item),
    }
}

/// What happened elsewhere joins what this phone knows; nothing recorded here is overwritten, and where
/// the two contradict each other both are kept and flagged (B4-16). An event of a parcel that is not here,
/// or one too many, is kept like an unknown item.
fn apply_event(tx: &Tx<'_>, item: &FeedItem, told: &ParcelEventItem) -> Result<()> {
    let Some(parcel) = stops::find_parcel(tx, told.parcel_id)? else {
        return ratings::keep_item(tx, item);
    };
    match history::push(tx, &parcel, told.event, None)? {
        Pushed::New | Pushed::Before => Ok(()),
        Pushed::Full => ratings::keep_item(tx, item),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db::Db;
    use satchel_protocol::crypto::Secret32;
    use satchel_protocol::feed::TrafficItem;
    use serde_json::json;

    #[test]
    fn items_this_build_cannot_read_are_kept_as_they_came_and_the_cursor_moves_with_them() {
        let home = tempfile::tempdir().unwrap();
        let db = Db::open(home.path(), Secret32::new([1; 32])).unwrap();
        let item = |seq, kind: &str, data| FeedItem {
            seq,
            kind: kind.into(),
            data,
        };
        let page = FeedPage {
            items: vec![
                item(1, "weather", json!({"rain": true, "mm": 12.5})),
                item(2, "stop", json!({"stop_id": 5})),
                item(1, "weather", json!({"rain": true, "mm": 12.5})),
                // The hub was set back to a backup and counts on from there.
                item(1, "weather", json!({"rain": false})),
            ],
            cursor: "c-2".into(),
            more: false,
            server_time_ms: 1,
            snapshot: None,
            orders: vec![],
        };
        // Each snapshot brings all of them again.
        for _ in 0..3 {
            db.write(|tx| apply_feed(tx, &page, &HashSet::new(), 1))
                .unwrap();
        }
        let kept = db.read(ratings::kept).unwrap();
        let expected = [
            ("weather", json!({"rain": false})),
            ("weather", json!({"rain": true, "mm": 12.5})),
            ("stop", json!({"stop_id": 5})),
        ];
        let kept: Vec<(&str, Value)> = kept
            .iter()
            .map(|(kind, data)| (kind.as_str(), serde_json::from_str(data).unwrap()))
            .collect();
        assert_eq!(kept, expected);
        let cursor = db.read(phone::feed_cursor).unwrap();
        assert_eq!(cursor.as_deref(), Some("c-2"));

        // A hub that never stops sending them does not fill the phone.
        let flood = |from: i64| FeedPage {
            items: (from..from + 4_000)
                .map(|seq| item(seq, "weather", json!(seq)))
                .collect(),
            ..page.clone()
        };
        for from in [10, 4_010, 8_010] {
            db.write(|tx| apply_feed(tx, &flood(from), &HashSet::new(), 1))
                .unwrap();
        }
        let kept = db.read(ratings::kept).unwrap();
        assert_eq!(kept.len(), 5_000);
        assert_eq!(kept.last().unwrap().1, "12009");
    }

    #[test]
    fn the_newest_traffic_table_is_kept_and_one_that_makes_no_sense_is_set_aside() {
        let home = tempfile::tempdir().unwrap();
        let db = Db::open(home.path(), Secret32::new([1; 32])).unwrap();
        let table = |made_at_ms: i64, speed: u16| FeedItem {
            seq: made_at_ms,
            kind: TrafficItem::KIND.into(),
            data: json!({"made_at_ms": made_at_ms, "utc_offset_min": 480, "bands_min": [0],
                "elsewhere": [speed]}),
        };
        let page = FeedPage {
            items: vec![table(2, 700), table(1, 500), table(3, 0)],
            cursor: "c".into(),
            more: false,
            server_time_ms: 1,
            snapshot: None,
            orders: vec![],
        };
        db.write(|tx| apply_feed(tx, &page, &HashSet::new(), 1))
            .unwrap();
        let kept: TrafficItem = db.read(planning::get).unwrap().unwrap();
        assert_eq!((kept.made_at_ms, kept.elsewhere), (2, vec![700]));
        assert_eq!(
            db.read(ratings::kept).unwrap().len(),
            1,
            "the one of standstill"
        );
    }

    #[test]
    fn a_packed_page_reads_like_a_plain_one_and_a_bomb_or_a_deep_one_is_no_page() {
        let coded = [("Content-Encoding".to_owned(), "zstd".to_owned())];
        let page = json!({"items": [], "cursor": "c", "more": false, "server_time_ms": 1});
        let plain = page.to_string().into_bytes();
        let sent = packed::pack(&plain).unwrap();
        assert_eq!(feed_page(&coded, &sent), feed_page(&[], &plain));
        assert!(feed_page(&coded, &plain).is_ok(), "unpacked by the host");
        assert!(feed_page(&coded, &sent[..sent.len() - 1]).is_err());
        let bomb = packed::pack(&vec![b' '; MAX_FEED_PAGE_BYTES + 1]).unwrap();
        assert_eq!(feed_page(&coded, &bomb), Err(Useless::BadAnswer));
        let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        let deep = page.to_string().replace(
            "[]",
            &format!("[{{\"seq\":1,\"kind\":\"x\",\"data\":{deep}}}]"),
        );
        assert_eq!(feed_page(&[], deep.as_bytes()), Err(Useless::BadAnswer));
    }

    #[test]
    fn a_cursor_that_would_break_out_of_the_url_is_no_cursor() {
        let page = |cursor: &str| {
            json!({"items": [], "cursor": cursor, "more": false, "server_time_ms": 1}).to_string()
        };
        assert!(feed_page(&[], page("a-1.b_2").as_bytes()).is_ok());
        for bad in ["a&limit=1", "a b", "é", "a#", &"a".repeat(201)] {
            assert!(feed_page(&[], page(bad).as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wait_that_is_asked_for_is_read_in_both_its_forms_and_bounded() {
        let now_ms = 1_795_000_000_000;
        let told = |said: &str, is_hubs: bool| {
            let headers = [("Retry-After".to_owned(), said.to_owned())];
            retry_after_ms(&headers, is_hubs, now_ms)
        };
        assert_eq!(told("600", false), Some(600_000));
        for endless in ["99999999", "18446744073709551615"] {
            let bounded = (told(endless, false), told(endless, true));
            let bounds = (
                Some(limits::RETRY_AFTER_MOST_MS),
                Some(limits::RETRY_AFTER_HUB_MOST_MS),
            );
            assert_eq!(bounded, bounds);
        }
        for nonsense in ["", "-5", "soon", "1e9", "99999999999999999999999"] {
            assert_eq!(told(nonsense, true), None, "{nonsense}");
        }
        let date = |ms: i64| {
            let at = chrono::DateTime::from_timestamp_millis(ms).unwrap();
            at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
        };
        assert_eq!(told(&date(now_ms + 300_000), false), Some(300_000));
        assert_eq!(told(&date(now_ms - 300_000), false), Some(0));
        // This phone's clock is an hour slow, and the answer says so.
        let there_ms = now_ms + 3_600_000;
        let headers = [
            ("retry-after".to_owned(), date(there_ms + 60_000)),
            ("date".to_owned(), date(there_ms)),
        ];
        assert_eq!(retry_after_ms(&headers, false, now_ms), Some(60_000));
    }
}
