//! What forgetting one delivery costs on a phone with days in its store, and another key for all of it.

use std::time::Instant;

use satchel_core::model::storage::Erasure;
use satchel_protocol::crypto::Secret32;
use satchel_tests::day::Day;
use satchel_tests::phone::SyncEnd;
use satchel_tests::work::Work;

use crate::Failure;

/// `satchel-bench erase`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Deliveries in the store, each with a photo and a signature.
    #[arg(long, default_value_t = 200)]
    deliveries: usize,
    /// Records looks at an address until the store's files take so many MB, before its key is changed.
    #[arg(long, default_value_t = 0)]
    store_mb: u64,
}

/// Records between two looks at the size of the store.
const FILL_RECORDS: usize = 200;

/// Delivers, syncs, and erases every delivery by itself; prints median and 99th percentile.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let work = Work::on(Day::new(9).stops(args.deliveries + 1));
    for n in 0..args.deliveries {
        work.phone.deliver(work.day.stop_id(n), n as u64)?;
    }
    if work.phone.sync(&work.hub) != SyncEnd::Done {
        return Err("not synced".into());
    }
    let size = || Ok::<_, Failure>(work.phone.core().storage_usage()?.database_bytes);
    while size()? < args.store_mb * 1_000_000 {
        for _ in 0..FILL_RECORDS {
            // Each look is an entry, and nothing bounds them as attempts at one door are bounded.
            work.phone
                .core()
                .reveal(work.day.stop_id(args.deliveries))?;
        }
    }
    let bytes = size()?;
    let started = Instant::now();
    work.phone.core().rekey(Secret32::new([0x33; 32]))?;
    println!(
        "rekey {:.1} MB: {:.0} ms",
        bytes as f64 / 1e6,
        started.elapsed().as_secs_f64() * 1_000.0
    );
    let mut took_ms = Vec::with_capacity(args.deliveries);
    for n in 0..args.deliveries.min(200) {
        let parcel = work.day.parcel_id(n, 0);
        let started = Instant::now();
        let state = work.phone.core().erase(parcel);
        took_ms.push(started.elapsed().as_secs_f64() * 1_000.0);
        if !matches!(state, Ok(Erasure::Done { .. })) {
            return Err("not erased".into());
        }
    }
    took_ms.sort_by(f64::total_cmp);
    let at = |share: usize| took_ms.get(took_ms.len() * share / 100).copied();
    println!(
        "erase one of {} deliveries: median {:.1} ms, p99 {:.1} ms",
        args.deliveries,
        at(50).unwrap_or_default(),
        at(99).unwrap_or_default(),
    );
    Ok(())
}
