//! What it takes to check a file of evidence with two photos, and a log of a thousand entries, without a network.

use std::time::Instant;

use satchel_core::proof::photo::PhotoSource;
use satchel_protocol::bundle::{Trust, verify};
use satchel_protocol::entry::Header;
use satchel_protocol::ids::Hash32;
use satchel_protocol::taxonomy::{HandoffKind, PhotoOrigin};
use satchel_tests::day::Day;
use satchel_tests::phone::SyncEnd;
use satchel_tests::work::Work;

use crate::Failure;
use crate::sync::picture;

/// `satchel-bench evidence`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Entries in the log.
    #[arg(long, default_value_t = 1_000)]
    entries: usize,
    /// How often each check is done; the median counts.
    #[arg(long, default_value_t = 21)]
    rounds: usize,
}

/// Delivers one parcel with two photos, fills the log, and checks both as a stranger would.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let work = Work::on(Day::new(5).stops(2));
    let core = work.phone.core();
    let (stop, parcel) = (work.day.stop_id(0), work.day.parcel_id(0, 0));
    let draft = core.begin_attempt(stop, HandoffKind::Recipient)?;
    let home = tempfile::tempdir()?;
    for n in 0..2 {
        let file = home.path().join("photo.jpg");
        picture(n, &file)?;
        core.add_photo(
            draft.attempt_id,
            PhotoSource::Path(&file),
            PhotoOrigin::Camera,
        )?;
    }
    core.complete_attempt(draft.attempt_id, &work.phone.delivered(stop, 1))?;
    let device = work.phone.device();
    while work.hub.log(device).len() < args.entries {
        for _ in 0..100 {
            // Each look is an entry, and nothing bounds them as attempts at one door are bounded.
            core.reveal(work.day.stop_id(1))?;
        }
        if work.phone.sync(&work.hub) != SyncEnd::Done {
            return Err("not synced".into());
        }
    }
    let file = core.evidence(parcel)?;
    let hub = work.hub.signing_key().verifying_key();
    let trust = Trust {
        hub: Some(Hash32(hub.to_bytes())),
        witnesses: vec![],
    };
    let checked = median_ms(args.rounds, || match verify(&file, &trust)?.holds() {
        true => Ok(()),
        false => Err("the file does not hold".into()),
    })?;
    println!(
        "file with two photos, {:.0} KB: {checked:.1} ms",
        file.len() as f64 / 1e3
    );
    let log = work.hub.log(device);
    let keys = work.hub.keys(device).ok_or("no such phone")?;
    let walked = median_ms(args.rounds, || {
        let mut prev = Hash32::ZERO;
        for (_, entry) in &log {
            let header: Header = keys.verify(entry)?;
            if header.prev != prev {
                return Err("out of its chain".into());
            }
            prev = entry.hash();
        }
        Ok(())
    })?;
    println!("chain of {} entries: {walked:.1} ms", log.len());
    Ok(())
}

fn median_ms(rounds: usize, mut once: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    let mut took_ms = Vec::with_capacity(rounds);
    for _ in 0..rounds.max(1) {
        let started = Instant::now();
        once()?;
        took_ms.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    took_ms.sort_by(f64::total_cmp);
    Ok(took_ms.get(took_ms.len() / 2).copied().unwrap_or_default())
}
