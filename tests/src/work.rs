//! A courier at work: enrolled, with his round, at a hub in memory.

use satchel_core::model::attempt::{Draft, PhotoView};
use satchel_core::proof::photo::PhotoSource;
use satchel_protocol::attempt::AttemptBody;
use satchel_protocol::entry::{EntryKind, Header, SignedEntry};
use satchel_protocol::ids::{AttemptId, CourierId, StopId};
use satchel_protocol::taxonomy::{HandoffKind, PhotoOrigin};
use serde_json::Value;

use crate::day::Day;
use crate::phone::{Phone, SyncEnd, photo};
use crate::toy_hub::ToyHub;

/// A courier, his phone and his hub.
pub struct Work {
    /// The round.
    pub day: Day,
    /// The phone.
    pub phone: Phone,
    /// The hub.
    pub hub: ToyHub,
    /// Whose round it is.
    pub courier: CourierId,
}

impl Work {
    /// Enrolled and with the whole round on the phone.
    #[must_use]
    pub fn on(day: Day) -> Self {
        let phone = Phone::new(7);
        let hub = ToyHub::new(phone.clock.clone());
        let (invite, courier) = hub.invite("王师傅");
        hub.give(courier, day.items());
        phone.enrol(&invite, &hub);
        Self {
            day,
            phone,
            hub,
            courier,
        }
    }

    /// Sends one item through the feed and syncs.
    pub fn tell(&self, kind: &str, data: &impl serde::Serialize) {
        let data = serde_json::to_value(data).unwrap();
        self.hub.give(self.courier, [(kind.to_owned(), data)]);
        assert_eq!(self.phone.sync(&self.hub), SyncEnd::Done);
    }

    /// Sends a document as it is.
    pub fn tell_raw(&self, kind: &str, data: Value) {
        self.hub.give(self.courier, [(kind.to_owned(), data)]);
        assert_eq!(self.phone.sync(&self.hub), SyncEnd::Done);
    }

    /// Opens a handoff.
    #[must_use]
    pub fn begin(&self, stop: usize, handoff: HandoffKind) -> Draft {
        let stop: StopId = self.day.stop_id(stop);
        self.phone.core().begin_attempt(stop, handoff).unwrap()
    }

    /// Adds a photo to an open handoff.
    pub fn photo(&self, attempt: AttemptId, n: u64) -> PhotoView {
        let bytes = photo(n);
        self.phone
            .core()
            .add_photo(attempt, PhotoSource::Bytes(&bytes), PhotoOrigin::Camera)
            .unwrap()
    }

    /// What the hub holds of one kind after a sync, in the order of the log.
    #[must_use]
    pub fn entries(&self, kind: EntryKind) -> Vec<(Header, SignedEntry)> {
        entries(&self.phone, &self.hub, kind)
    }

    /// The bodies of [`Self::entries`].
    #[must_use]
    pub fn bodies(&self, kind: EntryKind) -> Vec<Vec<u8>> {
        let entries = self.entries(kind);
        entries.into_iter().map(|(_, e)| e.body.unwrap()).collect()
    }

    /// The bodies of all attempts.
    #[must_use]
    pub fn attempts(&self) -> Vec<AttemptBody> {
        attempts(&self.phone, &self.hub)
    }
}

/// [`Work::on`] for tests that need only the phone and the hub.
#[must_use]
pub fn at_work(day: &Day) -> (Phone, ToyHub) {
    let work = Work::on(day.clone());
    (work.phone, work.hub)
}

/// The bodies of all attempts the hub holds of this phone, after a sync.
#[must_use]
pub fn attempts(phone: &Phone, hub: &ToyHub) -> Vec<AttemptBody> {
    entries(phone, hub, EntryKind::ATTEMPT)
        .into_iter()
        .map(|(_, entry)| AttemptBody::decode(&entry.body.unwrap()).unwrap())
        .collect()
}

fn entries(phone: &Phone, hub: &ToyHub, kind: EntryKind) -> Vec<(Header, SignedEntry)> {
    assert_eq!(phone.sync(hub), SyncEnd::Done);
    hub.log(phone.device())
        .into_iter()
        .filter(|(header, _)| header.kind == kind)
        .collect()
}
