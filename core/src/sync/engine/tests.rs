//! Lanes, retries and what is in flight, each as a courier would notice it.

use satchel_protocol::ids::Hash32;

use super::*;

#[test]
fn retries_grow_to_a_bound_and_honour_retry_after() {
    let mut engine = Engine::default();
    let mut delays = Vec::new();
    for _ in 0..20 {
        engine.failed(&Job::PullFeed, Blocking::Network, 0, None, 255);
        delays.push(engine.next_retry_ms(0).unwrap());
    }
    assert_eq!(delays[0], limits::RETRY_FIRST_MS);
    assert!(delays.windows(2).all(|w| w[0] <= w[1]));
    assert_eq!(*delays.last().unwrap(), limits::RETRY_MAX_MS);
    engine.failed(&Job::PullFeed, Blocking::BadAnswer, 0, Some(3_600_000), 0);
    assert_eq!(engine.next_retry_ms(0), Some(3_600_000));
}

/// When ten thousand phones come back whose hub was away from second 0 for `outage_ms`, per second.
fn storm(outage_ms: i64, retry_after_ms: Option<i64>) -> Vec<u32> {
    let mut per_second = vec![0_u32; 4_000];
    for phone in 0..10_000_u32 {
        let (mut engine, mut now_ms, mut tries) = (Engine::default(), 0, 0_u32);
        while now_ms < outage_ms {
            let drawn = [phone.to_le_bytes(), tries.to_le_bytes()].concat();
            let jitter = satchel_protocol::crypto::sha256(&[&drawn]).0[0];
            let blocking = Blocking::BadAnswer;
            engine.failed(
                &Job::AskLog {
                    asked: Ask::Recheck,
                },
                blocking,
                now_ms,
                retry_after_ms,
                jitter,
            );
            now_ms = engine.next_retry_ms(now_ms).unwrap();
            tries += 1;
        }
        per_second[usize::try_from((now_ms - outage_ms) / 1_000).unwrap()] += 1;
    }
    per_second
}

#[test]
fn ten_thousand_phones_come_back_over_minutes_and_not_in_one_second() {
    for retry_after_ms in [None, Some(600_000)] {
        let per_second = storm(2 * 3_600_000, retry_after_ms);
        assert_eq!(per_second.iter().sum::<u32>(), 10_000);
        let worst = per_second.iter().max().unwrap();
        assert!(*worst < 150, "{worst} in one second, {retry_after_ms:?}");
        let last = per_second.iter().rposition(|n| *n > 0).unwrap();
        let bound_s = retry_after_ms.unwrap_or(limits::RETRY_MAX_MS) / 1_000 * 3 / 2;
        assert!(
            i64::try_from(last).unwrap() <= bound_s,
            "the last one after {last} s"
        );
    }
}

/// A photo about to be created.
fn photo() -> Job {
    Job::Proof {
        id: 1,
        hash: Hash32::ZERO,
        step: Step::Create,
        size_bytes: 9,
        sent_bytes: 9,
    }
}

#[test]
fn a_failed_photo_does_not_hold_up_the_log() {
    let mut engine = Engine::default();
    let photo = photo();
    engine.failed(&photo, Blocking::Network, 0, None, 0);
    assert!(!engine.claim(Lane::Proof, 0));
    assert!(engine.claim(Lane::Log, 0));
    assert_eq!(engine.step(1, false), Step::AskOffset);
}

#[test]
fn a_task_the_host_lost_is_handed_out_again_after_asking() {
    let mut engine = Engine::default();
    engine.set_ask(Ask::No);
    let push = Job::PushLog {
        up_to: 3,
        size_bytes: 9,
        form: Form::Packed,
    };
    let id = engine.issue("s", push, String::new(), 0);
    assert_eq!(engine.sending_up_to(), Some(3));
    assert!(!engine.claim(Lane::Log, 1));
    engine.expire(limits::TASK_LOST_AFTER_MS + 1);
    assert!(engine.claim(Lane::Log, limits::TASK_LOST_AFTER_MS + 1));
    assert_eq!(engine.ask(), Ask::Unknown);
    assert!(engine.answer(&id).is_none());
}

#[test]
fn a_batch_that_nobody_answered_is_followed_by_smaller_ones() {
    let mut engine = Engine::default();
    let mut sizes = vec![engine.pace.batch_bytes()];
    for n in 1..=3 {
        let size_bytes = engine.pace.batch_bytes();
        let push = Job::PushLog {
            up_to: 3,
            size_bytes,
            form: Form::Packed,
        };
        let at_ms = n * limits::TASK_LOST_AFTER_MS * 2;
        engine.issue("s", push, String::new(), at_ms);
        engine.expire(at_ms + limits::TASK_LOST_AFTER_MS + 1);
        sizes.push(engine.pace.batch_bytes());
    }
    assert!(
        sizes.windows(2).all(|w| w[1] < w[0] || w[1] < 20_000),
        "{sizes:?}"
    );
    assert!(sizes[1] < sizes[0]);
}

#[test]
fn a_photo_that_gets_on_with_every_cut_is_not_punished_for_its_line() {
    let (mut engine, mut now_ms, mut waited_ms) = (Engine::default(), 0, 0);
    let mut cut = |engine: &mut Engine, offset| {
        engine.failed(&photo(), Blocking::Network, now_ms, None, 255);
        let at_ms = engine.next_retry_ms(now_ms).unwrap();
        waited_ms += at_ms - now_ms;
        now_ms = at_ms;
        // It asks how far it got.
        assert!(engine.advance(1, Step::Resume { offset }));
        engine.progressed(Lane::Proof);
        waited_ms
    };
    let mut waited = 0;
    for n in 1..=15 {
        waited = cut(&mut engine, n * 6_000);
    }
    assert_eq!(waited, 15 * limits::RETRY_FIRST_MS);
    // A hub that leads it on byte by byte is another matter.
    for n in 1..=15 {
        waited = cut(&mut engine, 90_000 + n);
    }
    assert!(waited > 1_500_000, "{waited} ms");
}

#[test]
fn a_lane_is_chosen_for_by_one_thread_at_a_time() {
    let mut engine = Engine::default();
    assert!(engine.claim(Lane::Log, 0));
    assert!(!engine.claim(Lane::Log, 0));
    assert!(engine.busy());
    engine.release(Lane::Log);
    assert!(engine.claim(Lane::Log, 0));
}

#[test]
fn what_only_a_person_can_lift_is_shown_before_a_lost_network_and_not_hurried() {
    let mut engine = Engine::default();
    let push = Job::PushLog {
        up_to: 1,
        size_bytes: 9,
        form: Form::Packed,
    };
    engine.failed(&push, Blocking::Refused, 0, None, 255);
    engine.failed(&Job::PullFeed, Blocking::Network, 0, None, 255);
    assert_eq!(engine.blocking(), Some(Blocking::Refused));
    engine.retry_now(0);
    assert!(engine.claim(Lane::Feed, 0));
    assert!(!engine.claim(Lane::Log, 0));
    engine.succeeded(Lane::Feed);
    assert_eq!(engine.blocking(), Some(Blocking::Refused));
    engine.succeeded(Lane::Log);
    assert_eq!(engine.blocking(), None);
}

#[test]
fn an_upload_that_leads_nowhere_is_noticed() {
    let mut engine = Engine::default();
    let steps = (0..100)
        .take_while(|_| engine.advance(1, Step::AskReceipt))
        .count();
    assert_eq!(steps, limits::MAX_UPLOAD_STEPS as usize);
}

#[test]
fn a_hub_that_forgets_what_it_was_sent_is_sent_it_again_less_and_less_often() {
    let (mut engine, mut now_ms, mut parts) = (Engine::default(), 0, 0);
    let mut waits_ms = Vec::new();
    for _ in 0..12 {
        let circle = [
            Step::Resume { offset: 65_536 },
            Step::AskOffset,
            Step::Create,
        ];
        for step in circle.into_iter().cycle() {
            if !engine.advance(1, step) {
                break;
            }
            parts += u32::from(step == circle[0]);
            assert!(parts < 100, "without a wait");
        }
        engine.upload_refused(1, Blocking::BadAnswer, now_ms, 255);
        let later = (0..).find(|s| engine.upload_due(1, now_ms + s * 1_000).is_some());
        waits_ms.push(later.unwrap() * 1_000);
        now_ms += later.unwrap() * 1_000;
    }
    assert!(parts <= 24, "{parts}");
    assert!(waits_ms.windows(2).all(|w| w[0] <= w[1]), "{waits_ms:?}");
    assert!(
        *waits_ms.last().unwrap() >= limits::RETRY_MAX_MS,
        "{waits_ms:?}"
    );
}

#[test]
fn a_lane_is_busy_until_the_answer_is_applied_and_an_answer_counts_once() {
    let mut engine = Engine::default();
    let id = engine.issue(
        "s",
        Job::AskLog {
            asked: Ask::Recheck,
        },
        String::new(),
        0,
    );
    assert!(engine.answer(&id).is_some());
    assert!(engine.answer(&id).is_none());
    engine.expire(limits::TASK_LOST_AFTER_MS * 2);
    assert!(!engine.claim(Lane::Log, 0));
    engine.finish(&id);
    assert!(engine.claim(Lane::Log, 0));
}

#[test]
fn hurrying_keeps_what_the_hub_asked_for_and_the_count_of_failures() {
    let mut engine = Engine::default();
    for _ in 0..6 {
        engine.failed(&Job::PullFeed, Blocking::Network, 0, None, 255);
    }
    engine.hurry();
    assert!(engine.claim(Lane::Feed, 0));
    engine.release(Lane::Feed);
    engine.failed(&Job::PullFeed, Blocking::Network, 0, None, 255);
    let seventh_ms = limits::RETRY_FIRST_MS << 6;
    assert_eq!(engine.next_retry_ms(0), Some(seventh_ms));
    engine.failed(&Job::PullFeed, Blocking::BadAnswer, 0, Some(600_000), 0);
    engine.hurry();
    engine.feed_hint();
    assert_eq!(engine.next_retry_ms(0), Some(600_000));
    assert!(!engine.claim(Lane::Feed, 599_999));
    assert!(engine.claim(Lane::Feed, 600_000));
}

fn miss(engine: &mut Engine, job: &Job, now_ms: i64) {
    engine.failed(job, Blocking::Network, now_ms, None, 255);
    engine.hub_missed(job.lane());
}

#[test]
fn while_the_hub_is_away_one_lane_asks_for_all_and_one_that_did_not_fail_goes_on() {
    let mut engine = Engine::default();
    miss(
        &mut engine,
        &Job::AskLog {
            asked: Ask::Recheck,
        },
        0,
    );
    miss(&mut engine, &Job::PullFeed, 0);
    assert!(!engine.hub_is_away());
    let at_ms = limits::RETRY_FIRST_MS;
    miss(
        &mut engine,
        &Job::AskLog {
            asked: Ask::Recheck,
        },
        at_ms,
    );
    assert!(engine.hub_is_away());
    // The feed would have gone by itself now.
    assert!(!engine.claim(Lane::Feed, at_ms));
    let probe_ms = engine.next_retry_ms(at_ms).unwrap();
    assert_eq!(probe_ms, at_ms + 2 * limits::RETRY_FIRST_MS);
    assert!(engine.claim(Lane::Log, probe_ms));
    assert!(!engine.claim(Lane::Feed, probe_ms));
    let probe = engine.issue(
        "s",
        Job::AskLog {
            asked: Ask::Recheck,
        },
        String::new(),
        probe_ms,
    );
    assert!(!engine.claim(Lane::Feed, probe_ms));
    assert!(engine.claim(Lane::Proof, probe_ms), "it knows of nothing");
    engine.release(Lane::Proof);
    // It is back, and everything goes.
    engine.succeeded(Lane::Log);
    engine.finish(&probe);
    assert!(engine.claim(Lane::Log, probe_ms));
    assert!(engine.claim(Lane::Feed, probe_ms));
}

#[test]
fn a_photo_that_breaks_the_hub_each_time_holds_up_no_record() {
    let mut engine = Engine::default();
    let photo = photo();
    for _ in 0..9 {
        miss(&mut engine, &photo, 0);
    }
    assert!(engine.hub_is_away());
    assert!(engine.claim(Lane::Log, 0));
    engine.release(Lane::Log);
    engine.succeeded(Lane::Log);
    assert!(!engine.hub_is_away());
    assert!(!engine.claim(Lane::Proof, 0), "and is not tried more often");
}

#[test]
fn a_wait_that_one_lane_was_told_does_not_keep_the_others_from_looking_for_the_hub() {
    let mut engine = Engine::default();
    let photo = photo();
    engine.failed(&photo, Blocking::BadAnswer, 0, Some(300_000), 0);
    let mut now_ms = 0;
    for _ in 0..4 {
        for job in [Job::PullFeed, Job::AskLog { asked: Ask::No }] {
            engine.failed(&job, Blocking::Network, now_ms, None, 0);
            engine.hub_missed(job.lane());
        }
        now_ms += 1_000;
    }
    engine.feed_hint();
    assert!(engine.claim(Lane::Feed, now_ms), "a message came for it");
    engine.release(Lane::Feed);
    assert!(!engine.claim(Lane::Proof, now_ms), "it was told to wait");
}

#[test]
fn an_upload_that_begins_anew_gets_on_again_from_the_beginning() {
    let mut engine = Engine::default();
    assert!(engine.advance(1, Step::Resume { offset: 5_000_000 }));
    assert!(engine.advance(1, Step::Create));
    for part in 1..=40 {
        let offset = part * 65_536;
        assert!(engine.advance(1, Step::Resume { offset }), "part {part}");
    }
}

#[test]
fn what_a_hub_that_was_set_back_forgot_gets_on_again_over_a_poor_line() {
    let mut engine = Engine::default();
    let cut = |engine: &mut Engine, offset, now_ms| {
        engine.failed(&photo(), Blocking::Network, now_ms, None, 255);
        let waited_ms = engine.next_retry_ms(now_ms).unwrap() - now_ms;
        assert!(engine.advance(1, Step::Resume { offset }));
        engine.progressed(Lane::Proof);
        waited_ms
    };
    cut(&mut engine, 5_000_000, 0);
    assert!(engine.advance(1, Step::Create));
    for part in 1..=40_u32 {
        let waited_ms = cut(
            &mut engine,
            u64::from(part) * 65_536,
            i64::from(part) * 10_000,
        );
        assert_eq!(waited_ms, limits::RETRY_FIRST_MS, "part {part}");
    }
}

/// The hub is away as both lanes know, each having failed at 0.
fn hub_away_for(engine: &mut Engine) {
    for job in [photo(), Job::AskLog { asked: Ask::No }, Job::PullFeed] {
        miss(engine, &job, 0);
    }
    assert!(engine.hub_is_away());
}

#[test]
fn a_record_does_not_wait_for_a_photo_that_looks_whether_the_hub_is_back() {
    let mut engine = Engine::default();
    hub_away_for(&mut engine);
    let probe_ms = engine.next_retry_ms(0).unwrap();
    // There was nothing else to send then.
    assert!(engine.claim(Lane::Proof, probe_ms));
    assert!(
        engine.claim(Lane::Log, probe_ms),
        "beside the choice of one"
    );
    engine.release(Lane::Log);
    let part = engine.issue("s", photo(), String::new(), probe_ms);
    assert!(
        !engine.claim(Lane::Feed, probe_ms),
        "one sees whether it is back"
    );
    assert!(engine.claim(Lane::Log, probe_ms), "beside one on its way");
    let ask = Job::AskLog { asked: Ask::No };
    let asked = engine.issue("s", ask.clone(), String::new(), probe_ms);
    // The record found nobody, and neither did the photo, long after that: it is asked for at its own step.
    miss(&mut engine, &ask, probe_ms);
    engine.finish(&asked);
    let own_ms = engine.next_retry_ms(probe_ms).unwrap();
    for _ in 0..6 {
        miss(&mut engine, &photo(), probe_ms + 1);
    }
    engine.finish(&part);
    assert!(!engine.claim(Lane::Log, own_ms - 1));
    assert!(engine.claim(Lane::Log, own_ms), "not at the photo's");
    assert!(
        !engine.claim(Lane::Proof, own_ms),
        "which waits for its own"
    );
}

#[test]
fn a_photo_waits_for_the_record_that_looks_whether_the_hub_is_back() {
    let mut engine = Engine::default();
    hub_away_for(&mut engine);
    let probe_ms = engine.next_retry_ms(0).unwrap();
    assert!(engine.claim(Lane::Log, probe_ms));
    assert!(!engine.claim(Lane::Proof, probe_ms));
    assert!(!engine.claim(Lane::Feed, probe_ms));
}

#[test]
fn a_hub_that_has_less_with_each_look_is_asked_with_patience_until_one_comes_to_its_end() {
    let mut engine = Engine::default();
    for look in 1..=limits::MAX_LOOKS {
        engine.look_at_everything(0);
        let page = Ask::All { after: 9, look };
        engine.set_ask(page);
        assert!(!engine.looks_in_a_circle());
    }
    engine.look_at_everything(0);
    assert!(engine.looks_in_a_circle());
    engine.set_ask(Ask::No);
    engine.look_at_everything(0);
    assert!(!engine.looks_in_a_circle());
}

#[test]
fn where_no_form_gets_through_the_leanest_is_tried_again() {
    let mut engine = Engine::default();
    engine.set_form(Form::Lean);
    let mut tried = Vec::new();
    for _ in 0..8 {
        tried.push(engine.form());
        engine.batch_refused(engine.form());
    }
    let twice = |form| [form, form];
    let expected = [Form::Lean, Form::Packed, Form::Json, Form::Lean].map(twice);
    assert_eq!(tried, expected.concat());
}

#[test]
fn a_lane_that_was_held_for_a_key_is_free_when_the_hub_knows_one_again() {
    let mut engine = Engine::default();
    engine.failed(&photo(), Blocking::Refused, 0, None, 255);
    engine.succeeded(Lane::Log);
    // Refused for something else: only a person can lift that.
    assert_eq!(engine.blocking(), Some(Blocking::Refused));
    engine.key_refused();
    engine.succeeded(Lane::Log);
    assert_eq!(engine.blocking(), None);
    assert!(engine.claim(Lane::Proof, 1));
}
