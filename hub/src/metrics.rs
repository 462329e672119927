//! Counters for Prometheus, as plain atomics: a handful of numbers needs no framework.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($( $(#[doc = $doc:literal])+ $name:ident: $key:literal, $help:literal; )+) => {
        /// What the hub counts since it was started.
        #[derive(Debug, Default)]
        pub(crate) struct Metrics {
            $( $(#[doc = $doc])+ pub(crate) $name: Counter, )+
        }

        impl Metrics {
            /// The Prometheus text format, version 0.0.4.
            pub(crate) fn render(&self) -> String {
                let mut out = String::new();
                $(
                    // Writing to a String cannot fail.
                    let _ = writeln!(
                        out,
                        concat!("# HELP ", $key, " ", $help, "\n# TYPE ", $key, " counter\n", $key, " {}"),
                        self.$name.get()
                    );
                )+
                out
            }
        }
    };
}

counters! {
    /// New entries stored.
    entries: "satchel_entries_total", "Evidence entries stored.";
    /// Entries that were held already.
    duplicates: "satchel_entry_duplicates_total", "Entries received again and receipted again.";
    /// Batches refused, for whatever reason.
    refused_batches: "satchel_batches_refused_total", "Upload batches refused.";
    /// Devices set aside.
    quarantines: "satchel_quarantines_total", "Device logs set aside.";
    /// Proofs completed.
    proofs: "satchel_proofs_total", "Proofs received whole.";
    /// Bytes of completed proofs.
    proof_bytes: "satchel_proof_bytes_total", "Bytes of proofs received whole.";
    /// Proofs in batches that nothing binds and for which their device has no room left.
    loose_left_out: "satchel_loose_proofs_left_out_total", "Proofs in batches that were left out: no entry binds them and their device has no room left.";
    /// Requests put off because too many came at once.
    put_off: "satchel_requests_put_off_total", "Device requests put off because too many bodies came at once.";
    /// Devices enrolled.
    enrolments: "satchel_enrolments_total", "Devices enrolled.";
    /// Requests whose signature was refused.
    refused_signatures: "satchel_signatures_refused_total", "Device requests refused by their signature.";
    /// Ratings taken.
    ratings: "satchel_ratings_total", "Ratings taken.";
    /// Feed pages served.
    feed_pages: "satchel_feed_pages_total", "Feed pages served.";
    /// Answers with status 500.
    faults: "satchel_faults_total", "Answers with status 500.";
}

/// One counter.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: usize) {
        self.0
            .fetch_add(u64::try_from(n).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
