//! A phone on its round at a hub in memory, and what the hub then holds of one kind.

use satchel_protocol::entry::{EntryKind, Header, SignedEntry};
use satchel_protocol::ids::CourierId;

use crate::day::Day;
use crate::phone::{Phone, SyncEnd};
use crate::toy_hub::ToyHub;

/// A phone on its round, its hub, and whom the hub knows it as.
pub struct AtWork {
    /// The phone.
    pub phone: Phone,
    /// Its hub.
    pub hub: ToyHub,
    /// Whom the hub knows it as.
    pub courier: CourierId,
}

/// Enrols a phone and gives it the round.
#[must_use]
pub fn at_work(day: &Day) -> AtWork {
    let phone = Phone::new(7);
    let hub = ToyHub::new(phone.clock.clone());
    let (invite, courier) = hub.invite("王师傅");
    hub.give(courier, day.items());
    phone.enrol(&invite, &hub);
    AtWork {
        phone,
        hub,
        courier,
    }
}

impl AtWork {
    /// What the hub holds of one kind, in the order of the log.
    #[must_use]
    pub fn entries(&self, kind: EntryKind) -> Vec<(Header, SignedEntry)> {
        assert_eq!(self.phone.sync(&self.hub), SyncEnd::Done);
        self.hub
            .log(self.phone.device())
            .into_iter()
            .filter(|(header, _)| header.kind == kind)
            .collect()
    }

    /// The bodies of [`Self::entries`].
    #[must_use]
    pub fn bodies(&self, kind: EntryKind) -> Vec<Vec<u8>> {
        let entries = self.entries(kind);
        entries.into_iter().map(|(_, e)| e.body.unwrap()).collect()
    }
}
