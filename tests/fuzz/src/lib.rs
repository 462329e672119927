//! Fuzz targets for whatever reads bytes of others.
//!
//! A target is a function of bytes that panics when something it promises does not hold; the fuzzer
//! (`scripts/fuzz`) looks for such bytes. So that no target rots between two runs of the fuzzer, the
//! ordinary test `tests/tests/fuzz_targets.rs` includes this file and feeds every target its seeds and
//! some thousand mutations of them.
//!
//! To add a target: a function and its seeds in a file here, a row in [`TARGETS`], and a file in `bin`
//! like the others. What it needs of other crates goes into this crate's manifest and, for the ordinary
//! test, into that of `satchel-tests`.

use std::path::Path;

pub mod evidence;
pub mod import;
pub mod ink;
pub mod messages;
pub mod photo;
pub mod rating_token;
pub mod route;
pub mod sync;

/// A function of bytes that must hold for any of them.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Name of the file in `bin` and of the folder of found inputs.
    pub name: &'static str,
    /// Panics when a promise is broken.
    pub run: fn(&[u8]),
    /// Well-formed inputs to start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target {
        name: "evidence",
        run: evidence::bundle,
        seeds: evidence::bundles,
    },
    Target {
        name: "log_notes",
        run: evidence::notes,
        seeds: evidence::published,
    },
    Target {
        name: "photo",
        run: photo::take,
        seeds: photo::files,
    },
    Target {
        name: "photo_markers",
        run: photo::walk_markers,
        seeds: photo::files,
    },
    Target {
        name: "photo_pixels",
        run: photo::take_pixels,
        seeds: photo::pixels,
    },
    Target {
        name: "ink",
        run: ink::read,
        seeds: ink::inks,
    },
    Target {
        name: "ink_json",
        run: ink::import,
        seeds: ink::drawings,
    },
    Target {
        name: "route_problem",
        run: route::problem,
        seeds: route::problems,
    },
    Target {
        name: "batch",
        run: sync::batch,
        seeds: sync::batches,
    },
    Target {
        name: "receipt",
        run: sync::receipt,
        seeds: sync::receipts,
    },
    Target {
        name: "packed",
        run: sync::unpack,
        seeds: sync::pages,
    },
    Target {
        name: "bodies",
        run: messages::bodies,
        seeds: messages::some_bodies,
    },
    Target {
        name: "contradiction",
        run: messages::contradictions,
        seeds: messages::some_contradictions,
    },
    Target {
        name: "export",
        run: messages::export,
        seeds: messages::exports,
    },
    Target {
        name: "feed",
        run: messages::feed,
        seeds: messages::feed_pages,
    },
    Target {
        name: "import_mapping",
        run: import::mapping,
        seeds: import::mappings,
    },
    Target {
        name: "import_rows",
        run: import::rows,
        seeds: import::files,
    },
    Target {
        name: "invite",
        run: messages::invite,
        seeds: messages::invites,
    },
    Target {
        name: "sealed_keys",
        run: messages::sealed_keys,
        seeds: messages::some_sealed_keys,
    },
    Target {
        name: "request_headers",
        run: messages::request_headers,
        seeds: messages::some_headers,
    },
    Target {
        name: "rating_token",
        run: rating_token::read,
        seeds: rating_token::texts,
    },
];

/// Puts a target's seeds into its folder of inputs; what is there stays. A folder that cannot be written
/// only costs the fuzzer its head start.
pub fn plant(target: &Target, corpus: &Path) {
    if std::fs::create_dir_all(corpus).is_err() {
        return;
    }
    for (seed, number) in (target.seeds)().into_iter().zip(0..) {
        let path = corpus.join(format!("seed-{number:02}"));
        if !path.exists() {
            let _ = std::fs::write(path, seed);
        }
    }
}

/// A libFuzzer programme of one row of [`TARGETS`].
#[macro_export]
macro_rules! fuzz {
    ($name:literal) => {
        fn target() -> &'static $crate::Target {
            let named = $crate::TARGETS.iter().find(|t| t.name == $name);
            named.unwrap_or_else(|| panic!("no target is called {}", $name))
        }

        libfuzzer_sys::fuzz_target!(
            init: {
                if let Some(corpus) = std::env::var_os("SATCHEL_FUZZ_CORPUS") {
                    $crate::plant(target(), corpus.as_ref());
                }
            },
            |bytes: &[u8]| (target().run)(bytes)
        );
    };
}
