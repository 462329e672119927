//! Random days of two phones on one account: deliveries, failures, kills, pauses, clock jumps, a hub that is set
//! back, and lines that delay, reorder and break in every way. An oracle holds each phone to what it has
//! acknowledged and to what the hub has really vouched for. A kill here falls between two calls; at every statement
//! of a transaction it falls in `satchel-harness`.
//!
//! A failing run prints its seed; `SATCHEL_SEED=n cargo test -p satchel-tests --test simulation` plays
//! that one again. `SATCHEL_SEEDS` sets how many are played, `SATCHEL_FROM` the first, `SATCHEL_JOBS` how many at a
//! time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use satchel_core::clock::ManualClock;
use satchel_core::model::stop::SyncState;
use satchel_core::proof::ink::Signature;
use satchel_core::proof::photo::PhotoSource;
use satchel_core::sync::task::{Network, Task, TaskOutcome};
use satchel_core::{Error, Refusal};
use satchel_protocol::crypto;
use satchel_protocol::entry::EntryKind;
use satchel_protocol::ids::{CourierId, DeviceId, Hash32, StopId};
use satchel_protocol::taxonomy::{HandoffKind, PhotoOrigin};
use satchel_tests::day::{Day, MORNING_MS, stop_item};
use satchel_tests::link::{FaultyLink, Transport};
use satchel_tests::phone::{self, Phone, SyncEnd};
use satchel_tests::seed::Rng;
use satchel_tests::toy_hub::{Backup, ToyHub, Vouched};

const SEEDS: u64 = 60;
const STEPS: usize = 240;
const STOPS: usize = 12;

/// What `complete_attempt` returned, and what it must lead to.
struct Acknowledged {
    stop: StopId,
    entry: Hash32,
    proofs: Vec<Hash32>,
}

/// What both phones of the account meet.
struct Shared {
    hub: Arc<ToyHub>,
    clock: Arc<ManualClock>,
    day: Mutex<Day>,
    courier: CourierId,
    backup: Mutex<Option<Backup>>,
}

/// One phone, its line and what it owes.
struct World {
    rng: Rng,
    shared: Arc<Shared>,
    phone: Phone,
    hub: Arc<ToyHub>,
    link: FaultyLink<HubRef>,
    day: Day,
    device: DeviceId,
    acknowledged: Vec<Acknowledged>,
    /// Requests that were sent and whose outcome the host has not reported yet.
    held: Vec<(String, TaskOutcome)>,
    /// Photos added to a draft that was not completed.
    loose: BTreeMap<StopId, BTreeSet<Hash32>>,
    photos: u64,
}

struct HubRef(Arc<ToyHub>);

impl Transport for HubRef {
    fn send(&self, task: &satchel_core::sync::task::HttpTask) -> Option<TaskOutcome> {
        self.0.send(task)
    }
    fn send_cut(&self, task: &satchel_core::sync::task::HttpTask, bytes: usize) {
        self.0.send_cut(task, bytes);
    }
}

impl World {
    fn new(seed: u64, shared: &Arc<Shared>, invite: &str) -> Self {
        let mut rng = Rng::new(seed);
        let phone = Phone::new(rng.next_u64());
        let hub = shared.hub.clone();
        let device = phone.enrol(invite, &*hub);
        let day = shared.day.lock().unwrap().clone();
        let link = FaultyLink::new(HubRef(hub.clone()), Some(hub.signing_key()));
        link.random(rng.next_u64(), 35);
        Self {
            rng,
            shared: shared.clone(),
            phone,
            hub,
            link,
            day,
            device,
            acknowledged: Vec::new(),
            held: Vec::new(),
            loose: BTreeMap::new(),
            photos: 0,
        }
    }

    fn step(&mut self) {
        match self.rng.below(100) {
            0..18 => self.visit(true),
            18..30 => self.visit(false),
            30..35 => self.loose_photo(),
            35..75 => self.sync_step(),
            75..83 => self.report(),
            83..88 => self.kill(),
            88..91 => self.pause(),
            91..94 => self.jump(),
            94..96 => *self.shared.backup.lock().unwrap() = Some(self.hub.backup()),
            96..97 => {
                if let Some(backup) = self.shared.backup.lock().unwrap().take() {
                    self.hub.restore(backup);
                    // The back office gives the hub its route again.
                    let day = self.shared.day.lock().unwrap();
                    let stops: Vec<_> = day.stops.iter().map(stop_item).collect();
                    self.hub.give(self.shared.courier, stops);
                }
            }
            97..99 => self.feed_change(),
            _ if self.rng.chance(50) => self.many_calls(),
            _ => self.phone.core().request_sync(),
        }
    }

    fn visit(&mut self, deliver: bool) {
        let n = self.rng.below(STOPS);
        let stop = self.day.stop_id(n);
        let core = self.phone.core();
        let draft = match core.begin_attempt(stop, HandoffKind::Recipient) {
            Ok(draft) => draft,
            Err(Error::Refused(Refusal::ParcelClosed)) => return,
            Err(other) => panic!("{other:?}"),
        };
        let mut proofs = Vec::new();
        if deliver {
            self.photos += 1;
            proofs.push(self.add_photo(&draft, stop));
        }
        let open = self.phone.stop(stop).parcels;
        let open = open
            .iter()
            .filter(|p| p.outcome != Some(satchel_protocol::taxonomy::Outcome::Delivered))
            .map(|p| p.parcel_id)
            .collect::<Vec<_>>();
        let mut input = if deliver {
            self.phone.delivered(stop, self.photos)
        } else {
            phone::completion(&open, phone::nobody_there())
        };
        input.parcels.retain(|p| open.contains(&p.parcel_id));
        if let Some(ink) = &input.signature {
            let ink = Signature::from_strokes(&ink.strokes, ink.canvas_width, ink.canvas_height);
            proofs.push(crypto::sha256(&[&ink
                .unwrap()
                .bound_to(draft.attempt_id)
                .encode()]));
        }
        let recorded = self
            .phone
            .core()
            .complete_attempt(draft.attempt_id, &input)
            .unwrap();
        if !self.rng.chance(80) {
            // A host that repeats itself changes nothing.
            let again = self.phone.core().complete_attempt(draft.attempt_id, &input);
            assert!(matches!(again, Err(Error::AlreadyCompleted)));
        }
        for parcel in recorded.parcels {
            self.acknowledged.push(Acknowledged {
                stop,
                entry: parcel.entry_hash,
                proofs: proofs.clone(),
            });
        }
        self.loose.remove(&stop);
    }

    fn add_photo(&self, draft: &satchel_core::model::attempt::Draft, _stop: StopId) -> Hash32 {
        let bytes = phone::photo(self.photos);
        let photo = self.phone.core().add_photo(
            draft.attempt_id,
            PhotoSource::Bytes(&bytes),
            PhotoOrigin::Camera,
        );
        photo.unwrap().hash
    }

    fn loose_photo(&mut self) {
        let stop = self.day.stop_id(self.rng.below(STOPS));
        let begun = self
            .phone
            .core()
            .begin_attempt(stop, HandoffKind::Recipient);
        if let Ok(draft) = begun {
            self.photos += 1;
            let hash = self.add_photo(&draft, stop);
            self.loose.entry(stop).or_default().insert(hash);
        }
    }

    fn sync_step(&mut self) {
        let network = match self.rng.below(10) {
            0 => Network::Offline,
            1 => Network::Metered,
            _ => Network::Unmetered,
        };
        if let Task::Http(task) = self.phone.core().next_task(network).unwrap()
            && let Some(outcome) = self.link.send(&task)
        {
            if self.rng.chance(70) {
                self.phone.core().complete_task(&task.id, outcome).unwrap();
            } else {
                self.held.push((task.id, outcome));
            }
        }
    }

    fn report(&mut self) {
        if !self.held.is_empty() {
            let at = self.rng.below(self.held.len());
            let (id, outcome) = self.held.swap_remove(at);
            self.phone.core().complete_task(&id, outcome).unwrap();
        }
    }

    fn kill(&mut self) {
        self.phone.restart();
        if self.rng.chance(50) {
            // What the old process had in flight is gone; else it is reported to the new one.
            self.held.clear();
        }
    }

    fn pause(&mut self) {
        self.phone.core().pause();
        if self.rng.chance(30)
            && let Some((id, outcome)) = self.held.pop()
        {
            let met = self.phone.core().complete_task(&id, outcome);
            assert!(matches!(met, Ok(()) | Err(Error::Paused)));
        }
        self.phone.core().resume().unwrap();
    }

    fn jump(&mut self) {
        let hours = self.rng.below(2_000) as i64 - 1_000;
        // Consents, windows and promises of the test day do not depend on it.
        self.phone.clock.jump_wall_ms(hours * 3_600_000);
    }

    /// More entries than a fresh process looks at once more, so that what came before them is out of its sight.
    fn many_calls(&mut self) {
        let stop = self.day.stop_id(self.rng.below(STOPS));
        for _ in 0..70 {
            self.phone.call(stop);
        }
    }

    fn feed_change(&mut self) {
        let n = self.rng.below(STOPS);
        let mut day = self.shared.day.lock().unwrap();
        day.stops[n].position += 100;
        self.hub
            .give(self.shared.courier, [stop_item(&day.stops[n])]);
    }

    /// Never "complete" before the hub has vouched for every entry and every proof of the stop. `vouched` is what
    /// it ever named, or what it has now: between the loss and the next answer no phone can know of it.
    fn check_honesty(&self, vouched: &Vouched) {
        for view in self.phone.core().stops().unwrap() {
            let recorded = || self.acknowledged.iter().filter(|a| a.stop == view.stop_id);
            match view.sync {
                SyncState::Nothing => assert_eq!(recorded().count(), 0),
                SyncState::ProofComplete => {
                    assert!(recorded().count() > 0);
                    for a in recorded() {
                        assert!(vouched.entries.contains(&a.entry));
                        assert!(a.proofs.iter().all(|p| vouched.blobs.contains(p)));
                    }
                }
                SyncState::Received | SyncState::ProofLost => {
                    assert!(recorded().all(|a| vouched.entries.contains(&a.entry)));
                }
                SyncState::Local | SyncState::Sending => assert!(recorded().count() > 0),
            }
        }
    }

    /// The faults stop; everything acknowledged must be at the hub, once, in order, with its proofs.
    fn converge(&mut self) {
        self.link.heal();
        self.held.clear();
        // A process that never ends would notice a hub that was set back with its next record.
        self.phone.restart();
        let hub_ms = satchel_core::clock::Clock::wall_ms(&*self.shared.clock);
        self.phone.clock.set_wall_ms(hub_ms);
        assert_eq!(self.phone.sync(&self.link), SyncEnd::Done);
        self.check_honesty(&self.hub.holds(self.device));
        let log = self.hub.log(self.device);
        for (at, (header, _)) in log.iter().enumerate() {
            assert_eq!(header.seq, at as i64 + 1);
            assert!(header.blobs.iter().all(|hash| self.hub.has_blob(*hash)));
        }
        let held: Vec<Hash32> = log
            .iter()
            .filter(|(h, _)| h.kind == EntryKind::ATTEMPT)
            .map(|(_, e)| e.hash())
            .collect();
        let acknowledged: Vec<Hash32> = self.acknowledged.iter().map(|a| a.entry).collect();
        assert_eq!(held, acknowledged);
        for a in &self.acknowledged {
            assert!(a.proofs.iter().all(|hash| self.hub.has_blob(*hash)));
            assert_eq!(self.phone.stop(a.stop).sync, SyncState::ProofComplete);
        }
        let status = self.phone.core().sync_status().unwrap();
        assert_eq!(status.unsent_entries + status.unsent_proofs, 0);
        assert_eq!(status.blocking, None);
        for (n, stop) in self.shared.day.lock().unwrap().stops.iter().enumerate() {
            let view = self.phone.stop(self.day.stop_id(n));
            assert_eq!(view.position, stop.position, "the newest route arrived");
        }
    }
}

fn play(seed: u64) -> usize {
    let mut rng = Rng::new(seed ^ 0x2B);
    let clock = Arc::new(ManualClock::new(MORNING_MS, 480));
    let hub = Arc::new(ToyHub::new(clock.clone()));
    let (invite, courier) = hub.invite("王师傅");
    let second = hub.invite_again(courier, "王师傅");
    let day = Day::new(seed + 1).stops(STOPS - 2).stop(3).stop(2);
    hub.give(courier, day.items());
    let shared = Arc::new(Shared {
        hub,
        clock,
        day: Mutex::new(day),
        courier,
        backup: Mutex::default(),
    });
    let mut phones =
        [(seed, invite), (!seed, second)].map(|(seed, invite)| World::new(seed, &shared, &invite));
    for _ in 0..STEPS {
        let dt_ms = rng.below(40_000) as i64;
        shared.clock.advance_ms(dt_ms);
        for world in &phones {
            world.phone.clock.advance_ms(dt_ms);
        }
        let at = rng.below(phones.len());
        phones[at].step();
        for world in &phones {
            world.check_honesty(&world.hub.vouched(world.device));
        }
    }
    for world in &mut phones {
        world.converge();
    }
    phones.iter().map(|world| world.acknowledged.len()).sum()
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |n| n.parse().unwrap())
}

#[test]
fn random_days_end_with_everything_at_the_hub_once() {
    if std::env::var("SATCHEL_SEED").is_ok() {
        play(satchel_tests::seed::from_env(0));
        return;
    }
    let (seeds, from) = (number("SATCHEL_SEEDS", SEEDS), number("SATCHEL_FROM", 0));
    let jobs = std::thread::available_parallelism().map_or(4, |n| n.get() as u64);
    let next = AtomicU64::new(from);
    let (total, played) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..number("SATCHEL_JOBS", jobs) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + seeds {
                        break;
                    }
                    match std::panic::catch_unwind(|| play(seed)) {
                        Ok(count) => total.fetch_add(count as u64, Ordering::Relaxed),
                        Err(_) => panic!("SATCHEL_SEED={seed} fails"),
                    };
                    let done = played.fetch_add(1, Ordering::Relaxed) + 1;
                    if done.is_multiple_of(100) {
                        println!("{done} of {seeds} days");
                    }
                }
            });
        }
    });
    println!("{} acknowledged attempts", total.into_inner());
}
