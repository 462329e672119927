//! The evidence log: what is taken, what is refused, and that nothing is lost either way.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use common::{Bench, Phone, inline, metadata, sha};
use satchel_protocol::api::ErrorCode;
use satchel_protocol::batch::Batch;
use satchel_protocol::entry::{EntryKind, SignedEntry};
use satchel_protocol::ids::Salt;
use satchel_protocol::taxonomy::{Outcome, ProofKind};
use satchel_protocol::wedge::ReplacementBody;
use serde_json::json;

#[tokio::test]
async fn a_batch_is_receipted_by_hash_and_a_replay_is_harmless() {
    let (bench, mut phone, stops) = Bench::with_round(3).await;
    let ink = b"not really ink".as_slice();
    let entries: Vec<_> = stops
        .iter()
        .map(|s| phone.delivery(s, &[(ProofKind::Signature, ink)]))
        .collect();
    let batch = Batch {
        entries: entries.clone(),
        blobs: vec![inline(ProofKind::Signature, ink)],
    };
    let receipt = phone.push(&bench, &batch).await.receipt(&bench, &phone);
    let named: Vec<_> = receipt.entries.iter().map(|e| (e.seq, e.hash)).collect();
    let made: Vec<_> = (1..).zip(entries.iter().map(|e| e.hash())).collect();
    assert_eq!(named, made);
    assert_eq!(receipt.blobs, [sha(ink)]);
    assert_eq!(receipt.head_seq, 3);
    assert_eq!(receipt.received_at_ms, common::NOW_MS);

    // The answer was lost: sent again, it is the same and changes nothing.
    let before = bench.hub.audit().await.unwrap();
    let again = phone.push(&bench, &batch).await.receipt(&bench, &phone);
    assert_eq!(again, receipt);
    assert_eq!(bench.hub.audit().await.unwrap(), before);
    assert!(before.parcels.iter().all(|p| p.attempts.len() == 1
        && p.outcome.as_deref() == Some("delivered")
        && p.attempts[0].proofs[0].complete));
    assert_eq!(before.open_alarms, 0);

    // Or asked for.
    let held = phone
        .send(&bench, "GET", "/v1/log?after=1", &[], vec![])
        .await;
    let held = held.receipt(&bench, &phone);
    assert_eq!(held.entries, receipt.entries[1..]);
    assert_eq!(held.blobs, [sha(ink)]);
    assert_eq!(held.head_seq, 3);
}

#[tokio::test]
async fn a_batch_that_overlaps_what_is_held_adds_the_rest() {
    let (bench, mut phone, stops) = Bench::with_round(3).await;
    let entries: Vec<_> = stops.iter().map(|s| phone.delivery(s, &[])).collect();
    phone
        .push_entries(&bench, &entries[..2])
        .await
        .receipt(&bench, &phone);
    let receipt = phone
        .push_entries(&bench, &entries[1..])
        .await
        .receipt(&bench, &phone);
    assert_eq!(receipt.entries.len(), 2);
    assert_eq!(receipt.head_seq, 3);
    assert_eq!(bench.hub.audit().await.unwrap().devices[0].entries, 3);
}

#[tokio::test]
async fn a_gap_is_named_and_stores_nothing() {
    let (bench, mut phone, stops) = Bench::with_round(3).await;
    let entries: Vec<_> = stops.iter().map(|s| phone.delivery(s, &[])).collect();
    phone
        .push_entries(&bench, &entries[..1])
        .await
        .receipt(&bench, &phone);
    let answer = phone.push_entries(&bench, &entries[2..]).await;
    assert_eq!(answer.refused(409), ErrorCode::LogGap);
    assert_eq!(answer.error().expected_seq, Some(2));
    let audit = bench.hub.audit().await.unwrap();
    assert_eq!(
        (audit.devices[0].entries, audit.devices[0].quarantined),
        (1, false)
    );
    // The missing one arrives with it: all is well.
    let receipt = phone
        .push_entries(&bench, &entries[1..])
        .await
        .receipt(&bench, &phone);
    assert_eq!(receipt.head_seq, 3);
}

#[tokio::test]
async fn a_fork_is_kept_alarms_and_sets_the_log_aside_until_a_person_releases_it() {
    let (bench, mut phone, stops) = Bench::with_round(2).await;
    let first = phone.delivery(&stops[0], &[]);
    phone
        .push_entries(&bench, std::slice::from_ref(&first))
        .await
        .receipt(&bench, &phone);

    // Yesterday's backup: the same key tells another story from the start.
    let mut restored = Phone::new(1);
    let other = restored.delivery(&stops[1], &[]);
    let beside = restored.delivery(&stops[1], &[]);
    phone.created_offset_s = 0;
    let answer = phone.push_entries(&bench, &[other, beside]).await;
    assert_eq!(answer.refused(409), ErrorCode::LogFork);
    let audit = bench.hub.audit().await.unwrap();
    assert_eq!(
        (audit.devices[0].entries, audit.devices[0].quarantined),
        (1, true)
    );
    assert_eq!((audit.open_alarms, audit.set_aside), (1, 2));
    assert!(bench.board("/board/alarms").await.contains("Log fork"));

    // Even an honest entry waits now, but what was held can still be asked for.
    let next = phone.delivery(&stops[1], &[]);
    let refused = phone
        .push_entries(&bench, std::slice::from_ref(&next))
        .await;
    assert_eq!(refused.refused(423), ErrorCode::Quarantined);
    let held = phone
        .send(&bench, "GET", "/v1/log?after=0", &[], vec![])
        .await;
    assert_eq!(held.receipt(&bench, &phone).head_seq, 1);

    bench.hub.release(phone.device).await.unwrap();
    let receipt = phone
        .push_entries(&bench, &[next])
        .await
        .receipt(&bench, &phone);
    assert_eq!(receipt.head_seq, 2);
    assert_eq!(bench.hub.audit().await.unwrap().open_alarms, 0);
}

#[tokio::test]
async fn another_entry_for_a_held_position_is_never_taken_for_the_held_one() {
    let (bench, mut phone, stops) = Bench::with_round(2).await;
    let first = phone.delivery(&stops[0], &[]);
    let second = phone.delivery(&stops[1], &[]);
    let both = [first.clone(), second];
    phone
        .push_entries(&bench, &both)
        .await
        .receipt(&bench, &phone);
    // Only the last one is replaced; what it follows is right.
    phone.seq = 1;
    phone.prev = first.hash();
    let replaced = phone.delivery(&stops[0], &[]);
    let answer = phone.push_entries(&bench, &[replaced]).await;
    assert_eq!(answer.refused(409), ErrorCode::LogFork);
    assert_eq!(bench.hub.audit().await.unwrap().set_aside, 1);
}

#[tokio::test]
async fn a_parcel_shows_its_latest_attempt_by_the_time_it_happened() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let mut other = Phone::enrolled(&bench, "王强", 2).await;
    other.pull_stops(&bench).await;
    // Failed in the morning on one phone, delivered at noon on another; the morning comes up last.
    let failed = phone.attempt(&stops[0], Outcome::Failed, &[]);
    other.minutes_later = 60;
    let delivered = other.attempt(&stops[0], Outcome::Delivered, &[]);
    other
        .push_entries(&bench, &[delivered])
        .await
        .receipt(&bench, &other);
    phone
        .push_entries(&bench, &[failed])
        .await
        .receipt(&bench, &phone);
    let audit = bench.hub.audit().await.unwrap();
    assert_eq!(audit.parcels[0].outcome.as_deref(), Some("delivered"));
    assert_eq!(audit.parcels[0].attempts.len(), 2);
    let page = format!("/board/parcels/{}", stops[0].parcels[0].parcel_id);
    let html = bench.board(&page).await;
    assert!(html.contains("Not delivered") && html.contains("Delivered"));
}

#[tokio::test]
async fn a_second_successor_of_a_held_entry_is_a_fork_too() {
    let (bench, mut phone, stops) = Bench::with_round(2).await;
    let first = phone.delivery(&stops[0], &[]);
    phone
        .push_entries(&bench, &[first])
        .await
        .receipt(&bench, &phone);
    phone.prev = sha(b"another history");
    let wrong = phone.delivery(&stops[1], &[]);
    assert_eq!(
        phone.push_entries(&bench, &[wrong]).await.refused(409),
        ErrorCode::LogFork
    );
}

#[tokio::test]
async fn what_this_build_cannot_read_is_held_and_in_nobody_s_way() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let entries = [
        phone.entry(EntryKind(999), b"from the future".to_vec(), None, vec![]),
        phone.entry(EntryKind::ATTEMPT, b"unreadable".to_vec(), None, vec![]),
        phone.delivery(&stops[0], &[]),
    ];
    let receipt = phone
        .push_entries(&bench, &entries)
        .await
        .receipt(&bench, &phone);
    assert_eq!(receipt.head_seq, 3);
    assert_eq!(
        bench.hub.audit().await.unwrap().parcels[0].attempts.len(),
        1
    );
}

#[tokio::test]
async fn rubbish_half_a_batch_and_an_attempt_at_a_foreign_parcel() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let entry = phone.delivery(&stops[0], &[]);
    let bytes = Batch {
        entries: vec![entry.clone()],
        blobs: vec![],
    }
    .encode()
    .unwrap();
    for body in [
        b"".to_vec(),
        b"<html>".to_vec(),
        bytes[..bytes.len() / 2].to_vec(),
    ] {
        let answer = phone.send(&bench, "POST", "/v1/log", &[], body).await;
        assert_eq!(answer.refused(400), ErrorCode::Malformed);
    }
    let huge = phone
        .send(&bench, "POST", "/v1/log", &[], vec![0; 3 * 1024 * 1024])
        .await;
    assert!(huge.status.is_client_error());

    // A signed attempt is evidence whatever it says; that it does not fit is an alarm.
    let mut other = Phone::enrolled(&bench, "李娜", 2).await;
    let odd = other.delivery(&stops[0], &[]);
    other
        .push_entries(&bench, &[odd])
        .await
        .receipt(&bench, &other);
    assert_eq!(bench.hub.audit().await.unwrap().open_alarms, 1);
    assert!(bench.board("/board/alarms").await.contains("does not fit"));
}

#[tokio::test]
async fn a_rebuild_gives_the_same_rows() {
    let (bench, mut phone, stops) = Bench::with_round(4).await;
    let mut entries: Vec<_> = stops
        .iter()
        .map(|s| phone.delivery(s, &[(ProofKind::Photo, b"p")]))
        .collect();
    entries.push(phone.entry(EntryKind(7), vec![1], None, vec![]));
    entries.push(phone.delivery(&stops[0], &[]));
    phone
        .push_entries(&bench, &entries)
        .await
        .receipt(&bench, &phone);
    let tables = ["entry_state", "attempt", "attempt_proof", "parcel_state"];
    let before = common::dump(&bench, &tables).await;
    assert!(before.len() > 10);
    assert_eq!(bench.hub.rebuild().await.unwrap(), 6);
    assert_eq!(common::dump(&bench, &tables).await, before);
    // And it really was derived again: a spoilt projection is repaired.
    let db = common::raw(&bench).await;
    sqlx::query("UPDATE parcel_state SET outcome = 'lost'")
        .execute(&db)
        .await
        .unwrap();
    assert_ne!(common::dump(&bench, &tables).await, before);
    bench.hub.rebuild().await.unwrap();
    assert_eq!(common::dump(&bench, &tables).await, before);
}

/// A batch as somebody writes it who has nothing but JSON and base64.
fn plain(entries: &[SignedEntry], inks: &[&[u8]]) -> Vec<u8> {
    let text = |bytes: &[u8]| data_encoding::BASE64.encode(bytes);
    let entries = entries.iter().map(|e| {
        json!({"header": text(&e.header), "sig": text(&e.sig.0), "salt": e.salt.map(|s| text(&s.0)),
            "body": e.body.as_deref().map(text)})
    });
    let blobs = inks
        .iter()
        .map(|ink| json!({"kind": ProofKind::Signature.code(), "bytes": text(ink)}));
    json!({"entries": entries.collect::<Vec<_>>(), "blobs": blobs.collect::<Vec<_>>()})
        .to_string()
        .into_bytes()
}

#[tokio::test]
async fn an_old_phone_that_writes_json_alone_and_knows_no_tree_gets_its_day_through() {
    let (bench, mut phone, stops) = Bench::with_round(3).await;
    let media = [("content-type", "application/json")];
    let (ink, photo) = (b"drawn".as_slice(), b"a photo of a door".as_slice());
    let bound = [(ProofKind::Photo, photo), (ProofKind::Signature, ink)];
    let first = phone.delivery(&stops[0], &bound);
    // The second one's content went bad on the phone, and is said again.
    let mut second = phone.attempt(&stops[1], Outcome::Failed, &[]);
    let again = ReplacementBody {
        of_seq: 2,
        of_hash: second.hash(),
        kind: EntryKind::ATTEMPT,
        body: second.body.clone().unwrap(),
    };
    second.salt = Some(Salt([1; 32]));
    let third = phone.delivery(&stops[2], &[]);
    let body = plain(&[first, second, third], &[ink]);
    let pushed = phone.send(&bench, "POST", "/v1/log", &media, body).await;
    assert!(pushed.header("satchel-batch").contains("json"));
    let receipt = pushed.receipt(&bench, &phone);
    let named: Vec<i64> = receipt.entries.iter().map(|e| e.seq).collect();
    assert_eq!((named, receipt.blobs), (vec![1, 3], vec![sha(ink)]));

    let handle = Some(stops[1].parcels[0].handle);
    let said = phone.entry(ReplacementBody::KIND, again.encode(), handle, vec![]);
    let body = plain(&[said], &[]);
    let pushed = phone.send(&bench, "POST", "/v1/log", &media, body).await;
    let receipt = pushed.receipt(&bench, &phone);
    let open = receipt.wedged.unwrap();
    assert_eq!((open[0].seq, open[0].replaced_by), (2, Some(4)));

    let (length, named) = (photo.len().to_string(), metadata(photo, ProofKind::Photo));
    let headers = [
        ("tus-resumable", "1.0.0"),
        ("content-type", "application/offset+octet-stream"),
        ("upload-length", length.as_str()),
        ("upload-metadata", named.as_str()),
    ];
    let sent = phone
        .send(&bench, "POST", "/v1/proofs", &headers, photo.to_vec())
        .await;
    assert_eq!(sent.receipt(&bench, &phone).blobs, [sha(photo)]);
    let audit = bench.hub.audit().await.unwrap();
    assert!(audit.parcels.iter().all(|p| p.attempts.len() == 1));
    let attempts = audit.parcels.iter().flat_map(|p| &p.attempts);
    let proofs: Vec<_> = attempts.flat_map(|a| &a.proofs).collect();
    assert_eq!(proofs.len(), 2);
    assert!(proofs.iter().all(|p| p.bound && p.complete));
}
