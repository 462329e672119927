//! The courier's day beside the doors: calls, reports, loading, pickups, temperatures, codes, the shift,
//! and the figures that come of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use satchel_core::Error;
use satchel_core::model::day::CallInput;
use satchel_protocol::doorstep::CallBody;
use satchel_protocol::entry::{EntryKind, Header, SignedEntry};
use satchel_protocol::ids::{CourierId, StopId};
use satchel_protocol::taxonomy::CallResult;
use satchel_tests::day::{Day, MORNING_MS};
use satchel_tests::phone::{Phone, SyncEnd};
use satchel_tests::toy_hub::ToyHub;

/// A phone on its round, its hub, and whom the hub knows it as.
struct Work {
    phone: Phone,
    hub: ToyHub,
    courier: CourierId,
}

fn at_work(day: &Day) -> Work {
    let phone = Phone::new(7);
    let hub = ToyHub::new(phone.clock.clone());
    let (invite, courier) = hub.invite("王师傅");
    hub.give(courier, day.items());
    phone.enrol(&invite, &hub);
    Work {
        phone,
        hub,
        courier,
    }
}

impl Work {
    /// What the hub holds of one kind, in the order of the log.
    fn entries(&self, kind: EntryKind) -> Vec<(Header, SignedEntry)> {
        assert_eq!(self.phone.sync(&self.hub), SyncEnd::Done);
        self.hub
            .log(self.phone.device())
            .into_iter()
            .filter(|(header, _)| header.kind == kind)
            .collect()
    }

    /// The bodies of [`Self::entries`].
    fn bodies(&self, kind: EntryKind) -> Vec<Vec<u8>> {
        let entries = self.entries(kind);
        entries.into_iter().map(|(_, e)| e.body.unwrap()).collect()
    }
}

fn call(stop: StopId, number: &str, result: CallResult) -> CallInput {
    CallInput {
        stop,
        number: number.into(),
        virtual_number: false,
        result,
        duration_s: 0,
        call_id: None,
    }
}

#[test]
fn a_call_is_kept_masked_once_and_survives_a_kill() {
    let day = Day::new(1).stops(2);
    let mut work = at_work(&day);
    let stop = day.stop_id(0);
    let input = CallInput {
        call_id: Some("pbx-77".into()),
        duration_s: 42,
        ..call(stop, " 138 0013 8000 ", CallResult::Answered)
    };
    let first = work.phone.core().log_call(&input).unwrap();
    assert_eq!(first.number, "138******00");
    assert_eq!(first.at_ms, MORNING_MS);
    work.phone.restart();
    let again = work.phone.core().log_call(&input).unwrap();
    assert_eq!(again, first, "the same call of the same call system");
    let masked = call(stop, "138******00", CallResult::NoAnswer);
    work.phone.core().log_call(&masked).unwrap();
    let calls = work.phone.core().calls(stop).unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[1].number, "138******00");
    assert!(work.phone.core().calls(day.stop_id(1)).unwrap().is_empty());
    let bodies = work.bodies(EntryKind::CALL);
    assert_eq!(bodies.len(), 2);
    for bytes in bodies {
        let body = CallBody::decode(&bytes).unwrap();
        assert_eq!((body.stop, body.number.as_str()), (stop, "138******00"));
        assert!(!bytes.windows(5).any(|w| w == b"00138" || w == b"13800"));
    }
}

#[test]
fn a_call_that_cannot_be_one_is_refused_and_nothing_is_written() {
    let day = Day::new(1).stops(1);
    let work = at_work(&day);
    let stop = day.stop_id(0);
    let long = "1".repeat(40);
    for bad in ["", "no number", long.as_str()] {
        let refused = work
            .phone
            .core()
            .log_call(&call(stop, bad, CallResult::Busy));
        assert!(matches!(refused, Err(Error::InvalidInput { .. })), "{bad}");
    }
    let endless = CallInput {
        duration_s: u32::MAX,
        ..call(stop, "13800138000", CallResult::Answered)
    };
    assert!(work.phone.core().log_call(&endless).is_err());
    let nowhere = call(
        StopId(uuid::Uuid::from_u128(9)),
        "13800138000",
        CallResult::Busy,
    );
    assert!(matches!(
        work.phone.core().log_call(&nowhere),
        Err(Error::NotFound { .. })
    ));
    assert!(work.entries(EntryKind::CALL).is_empty());
}
