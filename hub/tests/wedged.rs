//! One bad entry stands open with its reason; the rest of the log goes on, and the chain stays one history.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use common::{Bench, Phone, sha};
use satchel_protocol::api::ErrorCode;
use satchel_protocol::entry::{EntryKind, SignedEntry};
use satchel_protocol::feed::StopItem;
use satchel_protocol::ids::{Hash32, Sig64};
use satchel_protocol::limits::MAX_WEDGED;
use satchel_protocol::receipt::Receipt;
use satchel_protocol::taxonomy::Outcome;
use satchel_protocol::wedge::{ReplacementBody, WedgeReason};

async fn push(bench: &Bench, phone: &mut Phone, entries: &[SignedEntry]) -> Receipt {
    let answer = phone.push_entries(bench, entries).await;
    answer.receipt(bench, phone)
}

fn seqs(receipt: &Receipt) -> Vec<i64> {
    receipt.entries.iter().map(|e| e.seq).collect()
}

fn open(receipt: &Receipt) -> Vec<(i64, WedgeReason, Option<i64>)> {
    let open = receipt.wedged.iter().flatten();
    open.map(|w| (w.seq, w.reason, w.replaced_by)).collect()
}

/// Everything that can be wrong with an entry, each with the reason it is to be given.
fn spoilt(good: &SignedEntry) -> Vec<(SignedEntry, WedgeReason)> {
    let with = |change: &dyn Fn(&mut SignedEntry)| {
        let mut entry = good.clone();
        change(&mut entry);
        entry
    };
    vec![
        (
            with(&|e| e.body.as_mut().unwrap()[20] ^= 1),
            WedgeReason::COMMITMENT_MISMATCH,
        ),
        (
            with(&|e| e.sig = Sig64([7; 64])),
            WedgeReason::BAD_SIGNATURE,
        ),
        (with(&|e| e.salt = None), WedgeReason::HALF_ERASED),
        (
            with(&|e| e.body = Some(vec![0; 40_000])),
            WedgeReason::TOO_LARGE,
        ),
        (with(&|e| e.header.truncate(40)), WedgeReason::MALFORMED),
        // The version is the second byte of the canonical header.
        (with(&|e| e.header[1] = 9), WedgeReason::UNKNOWN_VERSION),
    ]
}

#[tokio::test]
async fn whatever_is_wrong_with_one_entry_the_others_are_taken_and_the_right_one_joins_late() {
    for n in 0..6 {
        let (bench, mut phone, stops) = Bench::with_round(3).await;
        let entries: Vec<_> = stops.iter().map(|s| phone.delivery(s, &[])).collect();
        let (bad, reason) = spoilt(&entries[1]).swap_remove(n);
        let sent = [entries[0].clone(), bad, entries[2].clone()];
        let receipt = push(&bench, &mut phone, &sent).await;
        assert_eq!(seqs(&receipt), [1, 3], "{}", reason.code());
        assert_eq!(open(&receipt), [(2, reason, None)]);
        assert_eq!(receipt.head_seq, 3);
        let audit = bench.hub.audit().await.unwrap();
        let log = &audit.devices[0];
        assert_eq!((log.entries, log.wedged, log.quarantined), (2, 1, false));
        assert_eq!(audit.open_alarms, 1);
        let text = "its place stands open";
        assert!(bench.board("/board/alarms").await.contains(text));

        // Asked for, the hub says the same; the right entry joins and everything is as if nothing had been.
        let held = phone
            .send(&bench, "GET", "/v1/log?after=0", &[], vec![])
            .await;
        assert_eq!(open(&held.receipt(&bench, &phone)), open(&receipt));
        let mended = push(&bench, &mut phone, &entries).await;
        assert_eq!((seqs(&mended), open(&mended)), (vec![1, 2, 3], vec![]));
        let audit = bench.hub.audit().await.unwrap();
        assert_eq!((audit.devices[0].entries, audit.devices[0].wedged), (3, 0));
        assert_eq!(audit.open_alarms, 0);
        assert!(audit.parcels.iter().all(|p| p.attempts.len() == 1));
        assert_eq!(bench.hub.rebuild().await.unwrap(), 3);
    }
}

#[tokio::test]
async fn a_bad_last_entry_is_in_nobody_s_way_and_several_in_a_row_are_not_either() {
    let (bench, mut phone, stops) = Bench::with_round(4).await;
    let entries: Vec<_> = stops.iter().map(|s| phone.delivery(s, &[])).collect();
    let bad: Vec<_> = entries.iter().map(|e| spoilt(e).swap_remove(4).0).collect();
    let receipt = push(&bench, &mut phone, &[entries[0].clone(), bad[1].clone()]).await;
    assert_eq!((seqs(&receipt), receipt.head_seq), (vec![1], 2));
    // The same rubbish once more is the same position.
    let again = push(&bench, &mut phone, &[bad[1].clone(), bad[2].clone()]).await;
    assert_eq!(again.head_seq, 3);
    let receipt = push(&bench, &mut phone, &entries[3..]).await;
    assert_eq!((seqs(&receipt), open(&receipt).len()), (vec![4], 2));
    let mended = push(&bench, &mut phone, &entries[1..]).await;
    assert_eq!((seqs(&mended), open(&mended)), (vec![2, 3, 4], vec![]));
}

#[tokio::test]
async fn another_story_for_an_open_position_is_a_fork() {
    let (bench, mut phone, stops) = Bench::with_round(3).await;
    let entries: Vec<_> = stops.iter().map(|s| phone.delivery(s, &[])).collect();
    let (bad, _) = spoilt(&entries[1]).swap_remove(4);
    push(
        &bench,
        &mut phone,
        &[entries[0].clone(), bad, entries[2].clone()],
    )
    .await;
    // The third entry has named the second; the same key tells it otherwise now.
    (phone.seq, phone.prev) = (1, entries[0].hash());
    let other = phone.attempt(&stops[1], Outcome::Failed, &[]);
    let answer = phone.push_entries(&bench, &[other]).await;
    assert_eq!(answer.refused(409), ErrorCode::LogFork);
    assert!(bench.hub.audit().await.unwrap().devices[0].quarantined);
}

#[tokio::test]
async fn an_entry_of_another_device_stands_open_in_the_log_of_the_one_that_sent_it() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let mut other = Phone::enrolled(&bench, "李娜", 2).await;
    let theirs = other.delivery(&stops[0], &[]);
    let receipt = push(&bench, &mut phone, std::slice::from_ref(&theirs)).await;
    assert_eq!(open(&receipt), [(1, WedgeReason::BAD_SIGNATURE, None)]);
    assert_eq!(seqs(&receipt), Vec::<i64>::new());
    // It is nobody's business but the sender's: the other one's log takes it as ever.
    let receipt = push(&bench, &mut other, &[theirs]).await;
    assert_eq!((seqs(&receipt), open(&receipt)), (vec![1], vec![]));
}

fn again(phone: &mut Phone, stop: &StopItem, of: (i64, Hash32), said: &SignedEntry) -> SignedEntry {
    let body = ReplacementBody {
        of_seq: of.0,
        of_hash: of.1,
        kind: EntryKind::ATTEMPT,
        body: said.body.clone().unwrap(),
    };
    let handle = Some(stop.parcels[0].handle);
    phone.entry(ReplacementBody::KIND, body.encode(), handle, vec![])
}

#[tokio::test]
async fn what_cannot_be_sent_as_it_was_is_said_again_and_counts_once() {
    let (bench, mut phone, stops) = Bench::with_round(3).await;
    let entries: Vec<_> = stops.iter().map(|s| phone.delivery(s, &[])).collect();
    let (bad, reason) = spoilt(&entries[1]).swap_remove(4);
    push(
        &bench,
        &mut phone,
        &[entries[0].clone(), bad, entries[2].clone()],
    )
    .await;

    let of = (2, entries[1].hash());
    let first = again(&mut phone, &stops[1], of, &entries[1]);
    let receipt = push(&bench, &mut phone, &[first]).await;
    assert_eq!(open(&receipt), [(2, reason, Some(4))]);
    let audit = bench.hub.audit().await.unwrap();
    assert_eq!((audit.open_alarms, audit.devices[0].wedged), (0, 0));
    let attempts: Vec<_> = audit.parcels.iter().map(|p| p.attempts.len()).collect();
    assert_eq!(attempts, [1, 1, 1]);

    // A second time, of a sound entry, and of one that never was: held as said, and nothing is counted twice.
    for (of, said) in [
        (of, &entries[1]),
        ((1, entries[0].hash()), &entries[0]),
        ((9, sha(b"never")), &entries[0]),
    ] {
        let odd = again(&mut phone, &stops[1], of, said);
        push(&bench, &mut phone, &[odd]).await;
    }
    let audit = bench.hub.audit().await.unwrap();
    assert!(audit.parcels.iter().all(|p| p.attempts.len() == 1));
    let tables = ["entry_state", "attempt", "parcel_state"];
    let before = common::dump(&bench, &tables).await;
    bench.hub.rebuild().await.unwrap();
    assert_eq!(common::dump(&bench, &tables).await, before);
}

#[tokio::test]
async fn a_phone_that_sends_nothing_but_rubbish_is_looked_at_by_a_person() {
    let (bench, mut phone, stops) = Bench::with_round(1).await;
    let entries: Vec<_> = (0..=MAX_WEDGED)
        .map(|_| {
            spoilt(&phone.attempt(&stops[0], Outcome::Failed, &[]))
                .swap_remove(1)
                .0
        })
        .collect();
    let receipt = push(&bench, &mut phone, &entries[..MAX_WEDGED]).await;
    assert_eq!(open(&receipt).len(), MAX_WEDGED);
    let answer = phone.push_entries(&bench, &entries[MAX_WEDGED..]).await;
    assert_eq!(answer.refused(422), ErrorCode::BadEntry);
    assert!(bench.hub.audit().await.unwrap().devices[0].quarantined);
}

#[tokio::test]
async fn a_hub_that_learned_to_read_an_entry_takes_it_in_by_itself() {
    let (bench, mut phone, stops) = Bench::with_round(2).await;
    let entries: Vec<_> = stops.iter().map(|s| phone.delivery(s, &[])).collect();
    let (bad, _) = spoilt(&entries[0]).swap_remove(1);
    push(&bench, &mut phone, &[bad, entries[1].clone()]).await;
    assert_eq!(bench.hub.retry_open_positions().await.unwrap(), 0);
    let open = bench.hub.open_positions().await.unwrap();
    assert_eq!(
        (open[0].seq, open[0].reason, open[0].named),
        (1, "bad_signature", true)
    );
    // Stands for the update: from here on the signature verifies.
    let db = common::raw(&bench).await;
    sqlx::query("UPDATE wedged SET sig = ?")
        .bind(entries[0].sig.0.to_vec())
        .execute(&db)
        .await
        .unwrap();
    assert_eq!(bench.hub.retry_open_positions().await.unwrap(), 1);
    assert!(bench.hub.open_positions().await.unwrap().is_empty());
    let audit = bench.hub.audit().await.unwrap();
    assert!(audit.parcels.iter().all(|p| p.attempts.len() == 1));
}
