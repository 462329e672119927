//! A phone whose store went bad in one row, against the real hub: the day goes on, the courier sees which
//! entry stands open and why, and repairs it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod spoiled;

use satchel_core::model::status::ExportReport;
use satchel_core::model::stop::SyncState;
use satchel_core::model::wedge::{Repair, WedgeState};
use satchel_core::sync::task::{HttpTask, Network, Purpose, Task, TaskOutcome};
use satchel_protocol::wedge::WedgeReason;
use satchel_tests::http::HttpTransport;
use satchel_tests::link::Transport;
use satchel_tests::phone::{Phone, SyncEnd};
use satchel_tests::running::Running;
use spoiled::spoil;

struct World {
    hub: Running,
    phone: Phone,
    stops: Vec<satchel_protocol::ids::StopId>,
}

/// Four stops served offline; the second one's entry is at position 3.
fn served() -> World {
    let hub = Running::start();
    let phone = Phone::new(31);
    phone.enrol(&hub.round(5), &hub.http());
    let stops: Vec<_> = phone.core().stops().unwrap();
    let stops: Vec<_> = stops.iter().map(|s| s.stop_id).collect();
    for (n, stop) in stops.iter().take(4).enumerate() {
        phone.deliver(*stop, n as u64).unwrap();
    }
    World { hub, phone, stops }
}

impl World {
    fn sync(&self) {
        assert_eq!(self.phone.sync(&self.hub.http()), SyncEnd::Done);
    }

    /// Everything but the second stop is whole, and the second one is not said to be.
    fn only_the_second_is_open(&self, reason: WedgeReason) {
        let status = self.phone.core().sync_status().unwrap();
        assert_eq!((status.unsent_entries, status.wedged_entries), (0, 1));
        assert_eq!(status.blocking, None, "it holds up nothing");
        let open = self.phone.core().wedged_entries().unwrap();
        assert_eq!((open[0].seq, open[0].reason), (3, reason));
        assert_eq!(open[0].stop, Some(self.stops[1]));
        assert_eq!(open[0].state, WedgeState::Open);
        for (n, stop) in self.stops.iter().take(4).enumerate() {
            let sync = self.phone.stop(*stop).sync;
            match n {
                1 => assert_eq!(sync, SyncState::Local),
                _ => assert_eq!(sync, SyncState::ProofComplete, "stop {n}"),
            }
        }
    }

    fn everything_is_at_the_hub(&self) {
        for stop in self.stops.iter().take(4) {
            assert_eq!(self.phone.stop(*stop).sync, SyncState::ProofComplete);
        }
        assert_eq!(self.phone.core().sync_status().unwrap().wedged_entries, 0);
        let audit = self.hub.audit();
        assert_eq!(audit.devices[0].wedged, 0);
        let tried = audit.parcels.iter().filter(|p| p.attempts.len() == 1);
        assert_eq!(tried.count(), 4);
        for attempt in audit.parcels.iter().flat_map(|p| &p.attempts) {
            assert!(attempt.proofs.iter().all(|p| p.bound && p.complete));
        }
    }
}

#[test]
fn a_damaged_signature_is_made_again_and_the_same_entry_arrives() {
    for sig in ["zeroblob(64)", "x'00'"] {
        signature_is_made_again(&format!("UPDATE entry SET sig = {sig} WHERE seq = 3"));
    }
}

fn signature_is_made_again(change: &str) {
    let mut world = served();
    spoil(&mut world.phone, change);
    world.sync();
    world.only_the_second_is_open(WedgeReason::BAD_SIGNATURE);
    // The day goes on meanwhile, and after a restart it is still shown.
    world.phone.deliver(world.stops[4], 9).unwrap();
    world.phone.restart();
    world.sync();
    assert_eq!(
        world.phone.stop(world.stops[4]).sync,
        SyncState::ProofComplete
    );
    let repair = world.phone.core().repair_wedged(3).unwrap();
    assert_eq!(repair, Repair::SentAgain);
    world.sync();
    assert!(world.phone.core().wedged_entries().unwrap().is_empty());
    assert_eq!(world.hub.audit().devices[0].entries, 6);
}

#[test]
fn content_that_does_not_fit_its_seal_is_said_again_with_its_proofs() {
    for (change, reason) in [
        (
            "UPDATE entry SET salt = zeroblob(length(salt)) WHERE seq = 3",
            WedgeReason::COMMITMENT_MISMATCH,
        ),
        (
            "UPDATE entry SET salt = x'00' WHERE seq = 3",
            WedgeReason::COMMITMENT_MISMATCH,
        ),
        (
            "UPDATE entry SET header = substr(header, 1, 50) WHERE seq = 3",
            WedgeReason::MALFORMED,
        ),
    ] {
        let mut world = served();
        spoil(&mut world.phone, change);
        world.sync();
        world.only_the_second_is_open(reason);
        let repair = world.phone.core().repair_wedged(3).unwrap();
        assert_eq!(repair, Repair::SaidAgain { seq: 6 });
        assert!(
            world.phone.core().repair_wedged(3).is_err(),
            "once is enough"
        );
        world.sync();
        let open = world.phone.core().wedged_entries().unwrap();
        assert_eq!(open[0].state, WedgeState::Replaced);
        world.everything_is_at_the_hub();
    }
}

#[test]
fn rows_that_go_bad_after_their_receipt_keep_no_later_answer_from_being_read() {
    let mut world = served();
    world.sync();
    spoil(
        &mut world.phone,
        "UPDATE entry SET header = substr(header, 1, 50) WHERE seq = 3;
         UPDATE entry SET hash = x'00' WHERE seq IN (4, 5);
         UPDATE entry SET stop_id = x'00' WHERE seq = 2;
         UPDATE proof SET hash = x'00' WHERE bound_seq = 5",
    );
    // Asked at each start for what was receipted last; the next entry names the one whose hash is gone.
    world.phone.deliver(world.stops[4], 9).unwrap();
    world.sync();
    let status = world.phone.core().sync_status().unwrap();
    assert_eq!(
        (
            status.blocking,
            status.receipt_alarms,
            status.wedged_entries
        ),
        (None, 0, 0)
    );
    for stop in &world.stops {
        assert_eq!(world.phone.stop(*stop).sync, SyncState::ProofComplete);
    }
    assert_eq!(world.hub.audit().devices[0].entries, 6);
}

#[test]
fn one_photo_s_row_that_went_bad_holds_up_no_other_photo_and_counts_as_lost() {
    let mut world = served();
    spoil(
        &mut world.phone,
        "UPDATE proof SET hash = x'00' WHERE id = (SELECT min(id) FROM proof)",
    );
    world.sync();
    let status = world.phone.core().sync_status().unwrap();
    assert_eq!((status.unsent_entries, status.unsent_proofs), (0, 0));
    assert_eq!(status.lost_proofs, 1);
    let sync = |n: usize| world.phone.stop(world.stops[n]).sync;
    assert_eq!(sync(0), SyncState::ProofLost);
    assert!((1..4).all(|n| sync(n) == SyncState::ProofComplete));
}

/// A line on which records get through and photos do not.
struct NoPhotos(HttpTransport);

impl Transport for NoPhotos {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        if task.url.contains("/v1/proofs") {
            return Some(TaskOutcome::Failed);
        }
        self.0.send(task)
    }
}

#[test]
fn a_stop_does_not_read_as_whole_while_its_photo_waits_whatever_went_bad_of_its_visit() {
    let visit = "attempt_id = (SELECT attempt_id FROM entry WHERE seq = 3)";
    for change in [
        format!("DELETE FROM attempt WHERE {visit}"),
        format!("UPDATE attempt SET stop_id = x'00' WHERE {visit}"),
        "UPDATE proof SET attempt_id = randomblob(16) WHERE bound_seq = 3".to_owned(),
    ] {
        let mut world = served();
        let no_rules = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;";
        spoil(&mut world.phone, &format!("{no_rules} {change}"));
        world.phone.core().request_sync();
        world.phone.sync_now(&NoPhotos(world.hub.http()));
        for stop in world.stops.iter().take(4) {
            let sync = world.phone.stop(*stop).sync;
            assert_eq!(sync, SyncState::Received, "{change}");
        }
    }
}

#[test]
fn a_photo_whose_length_went_bad_goes_up_all_the_same() {
    for length in ["1", "900000000", "-1", "9223372036854775807"] {
        let mut world = served();
        let change = format!("UPDATE proof SET size_bytes = {length} WHERE bound_seq = 3");
        let no_rules = "PRAGMA ignore_check_constraints = ON;";
        spoil(&mut world.phone, &format!("{no_rules} {change}"));
        let status = world.phone.core().sync_status().unwrap();
        assert_eq!(status.unsent_proofs, 8, "{length}");
        world.sync();
        let sync = world.phone.stop(world.stops[1]).sync;
        assert_eq!(sync, SyncState::ProofComplete, "{length}");
    }
}

impl World {
    fn export(&self) -> (ExportReport, Vec<u8>) {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("unsent.satchel");
        let report = self.phone.core().export_unsent(&file).unwrap();
        (report, std::fs::read(&file).unwrap())
    }

    fn import_what_is_unsent(&self) -> u64 {
        let (report, bytes) = self.export();
        let import = self.hub.hub.import_export(&bytes[..]);
        let done = self.hub.runtime.block_on(import).unwrap();
        assert_eq!((done.whole, done.refused), (true, None));
        assert_eq!(report.left_open, Vec::<i64>::new());
        report.entries
    }
}

#[test]
fn who_signs_out_is_told_of_an_entry_that_stands_open_and_its_file_carries_what_it_says() {
    let mut world = served();
    let change = "UPDATE entry SET salt = zeroblob(length(salt)) WHERE seq = 3";
    spoil(&mut world.phone, change);
    world.sync();
    world.only_the_second_is_open(WedgeReason::COMMITMENT_MISMATCH);
    let core = world.phone.core();
    let warning = core.logout_warning().unwrap().unwrap();
    assert_eq!(warning.left.entries, 1);
    assert!(warning.evidence_at_stake);
    assert!(core.sign_out(false).is_err());
    // What it says, said again at the end of the log.
    assert_eq!(world.import_what_is_unsent(), 1);
    world.sync();
    world.everything_is_at_the_hub();
    let left = world.phone.core().logout_warning().unwrap().unwrap().left;
    assert_eq!(left.entries, 0);
}

#[test]
fn a_file_carries_what_rows_said_that_went_bad_before_the_hub_ever_saw_them() {
    let mut world = served();
    spoil(
        &mut world.phone,
        "UPDATE entry SET header = substr(header, 1, 50) WHERE seq = 2;
         UPDATE entry SET sig = x'00' WHERE seq = 3;
         UPDATE entry SET salt = x'00' WHERE seq = 5",
    );
    // Four visits, two of them said again.
    assert_eq!(world.import_what_is_unsent(), 6);
    let open = world.phone.core().wedged_entries().unwrap();
    assert_eq!(open.iter().map(|w| w.seq).collect::<Vec<_>>(), [2, 3, 5]);
    world.sync();
    world.everything_is_at_the_hub();
}

#[test]
fn what_was_said_again_for_a_file_is_not_said_once_more_when_the_hub_says_that_it_never_had_it() {
    let mut world = served();
    spoil(
        &mut world.phone,
        "UPDATE entry SET header = substr(header, 1, 50) WHERE seq = 2;
         UPDATE entry SET salt = x'00' WHERE seq = 5",
    );
    assert_eq!(world.export().0.entries, 6);
    // The app is killed. Its next process asks what the hub holds, and then the line is gone again.
    world.phone.restart();
    let core = world.phone.core();
    match core.next_task(Network::Unmetered).unwrap() {
        Task::Http(task) if task.purpose == Purpose::Log && task.method == "GET" => {
            let outcome = world.hub.http().send(&task).unwrap();
            core.complete_task(&task.id, outcome).unwrap();
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(world.import_what_is_unsent(), 6, "no repair twice");
    world.sync();
    world.everything_is_at_the_hub();
    assert_eq!(world.hub.audit().devices[0].head_seq, 7);
}

#[test]
fn rows_that_name_their_visit_wrongly_or_not_at_all_keep_nothing_else_from_going_out() {
    let change = "UPDATE entry SET attempt_id = x'00', salt = x'00' WHERE seq = 3;
         UPDATE thumb SET hash = x'00' WHERE proof_id = (SELECT min(id) FROM proof);
         UPDATE attempt SET data_key = x'00' WHERE attempt_id =
             (SELECT attempt_id FROM proof WHERE bound_seq = 4)";
    let mut world = served();
    spoil(&mut world.phone, change);
    // Four visits and the second said again; of the photos, that of the third cannot be read any more.
    let report = world.export().0;
    assert_eq!((report.entries, report.left_open), (5, vec![]));
    assert_eq!(report.proofs, 3);

    let mut world = served();
    spoil(&mut world.phone, change);
    world.sync();
    world.phone.core().repair_wedged(3).unwrap();
    world.sync();
    let sync = |n: usize| world.phone.stop(world.stops[n]).sync;
    assert!(
        [0, 1, 3]
            .iter()
            .all(|n| sync(*n) == SyncState::ProofComplete)
    );
    assert_eq!(sync(2), SyncState::ProofLost, "and is not said to be there");
    let status = world.phone.core().sync_status().unwrap();
    assert_eq!((status.unsent_proofs, status.lost_proofs), (0, 1));
}
