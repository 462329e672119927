//! The shape of the workspace, watched: who may depend on whom, who may name SQLite, who opts into the
//! lints, and that no file grows out of hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Longest source file in lines; 100 to 400 is the aim.
const MAX_LINES: usize = 800;

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap().to_owned()
}

struct Member {
    dir: PathBuf,
    /// Names of normal and build dependencies.
    needs: BTreeSet<String>,
}

/// Every member of the workspace by name.
fn members() -> BTreeMap<String, Member> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let out = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let metadata: Value = serde_json::from_slice(&out.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let manifest = Path::new(package["manifest_path"].as_str().unwrap());
            let needs = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|d| d["kind"].as_str() != Some("dev"))
                .map(|d| d["name"].as_str().unwrap().to_owned())
                .collect();
            let member = Member {
                dir: manifest.parent().unwrap().to_owned(),
                needs,
            };
            (package["name"].as_str().unwrap().to_owned(), member)
        })
        .collect()
}

/// Every Rust file below a folder.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(name.as_str(), "target" | "node_modules") && !name.starts_with('.') {
                    open.push(path);
                }
            } else if name.ends_with(".rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn dependencies_point_one_way() {
    let ours: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("satchel-protocol", &[][..]),
        ("satchel-sqlite", &[]),
        ("satchel-route", &[]),
        (
            "satchel-core",
            &["satchel-protocol", "satchel-route", "satchel-sqlite"],
        ),
        ("satchel-ffi", &["satchel-core"]),
        ("satchel-bindgen", &["satchel-ffi"]),
        ("satchel-hub", &["satchel-protocol", "satchel-sqlite"]),
        // Reads phones' stores with the recovery key; the hub never does.
        ("satchel-salvage", &["satchel-core", "satchel-protocol"]),
        (
            "satchel-demo",
            &["satchel-ffi", "satchel-core", "satchel-hub"],
        ),
    ]);
    for (name, member) in members() {
        if matches!(name.as_str(), "satchel-tests" | "satchel-bench") {
            continue;
        }
        let Some(allowed) = ours.get(name.as_str()) else {
            let of_ours: Vec<_> = member
                .needs
                .iter()
                .filter(|n| n.starts_with("satchel-"))
                .collect();
            panic!("new member {name} needs {of_ours:?}: say here where it stands");
        };
        for needed in member.needs.iter().filter(|n| n.starts_with("satchel-")) {
            assert!(
                allowed.contains(&needed.as_str()),
                "{name} must not depend on {needed}"
            );
        }
    }
}

#[test]
fn the_phone_has_no_network_no_runtime_and_no_server_in_it() {
    let banned = [
        "tokio",
        "axum",
        "hyper",
        "reqwest",
        "ureq",
        "sqlx",
        "tower",
        "tower-http",
        "async-std",
        "rustls",
        "native-tls",
        "clap",
    ];
    let members = members();
    for name in ["satchel-core", "satchel-protocol", "satchel-ffi"] {
        for package in banned {
            assert!(
                !members[name].needs.contains(package),
                "{name} must not depend on {package}"
            );
        }
    }
    for package in [
        "rusqlite",
        "getrandom",
        "rustix",
        "tracing",
        "rand",
        "chrono",
    ] {
        assert!(
            !members["satchel-protocol"].needs.contains(package),
            "the protocol is pure: no {package}"
        );
    }
    assert!(!members["satchel-hub"].needs.contains("rusqlite"));
}

#[test]
fn what_was_fixed_at_the_start_is_used() {
    let members = members();
    let used: BTreeSet<&str> = ["satchel-core", "satchel-ffi"]
        .iter()
        .flat_map(|m| members[*m].needs.iter().map(String::as_str))
        .collect();
    for package in ["uniffi", "rusqlite", "serde", "geo", "chrono", "thiserror"] {
        assert!(used.contains(package), "{package} is not used");
    }
}

#[test]
fn only_the_store_names_sqlite() {
    let members = members();
    for (name, member) in &members {
        for file in sources(&member.dir) {
            let inside = |dir: &str| file.starts_with(root().join(dir));
            // The bench needs the bare library for its floor, the harness looks at a store as bare tables; this
            // test names the word it looks for.
            let ours = [
                "core/src/store",
                "tests/bench",
                "tests/src/bin",
                "tests/tests",
            ];
            if ours.into_iter().any(inside) {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            let named = text
                .lines()
                .map(str::trim_start)
                .any(|line| !line.starts_with("//") && line.contains("rusqlite"));
            assert!(!named, "{name}: {} names rusqlite", file.display());
        }
    }
}

#[test]
fn the_protocol_reads_no_clock_opens_no_file_and_draws_no_random_number() {
    for file in sources(&root().join("protocol/src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for word in [
            "std::fs",
            "std::net",
            "std::time",
            "std::env",
            "std::process",
            "OsRng",
        ] {
            assert!(!text.contains(word), "{} names {word}", file.display());
        }
    }
}

#[test]
fn every_member_opts_into_the_lints_of_the_workspace() {
    for (name, member) in members() {
        let manifest = std::fs::read_to_string(member.dir.join("Cargo.toml")).unwrap();
        let lines: Vec<&str> = manifest.lines().map(str::trim).collect();
        let opted = lines
            .iter()
            .position(|l| *l == "[lints]")
            .is_some_and(|at| lines.get(at + 1) == Some(&"workspace = true"));
        assert!(opted, "{name} has no `[lints] workspace = true`");
    }
}

#[test]
fn versions_are_pinned_in_one_place() {
    for (name, member) in members() {
        let manifest = std::fs::read_to_string(member.dir.join("Cargo.toml")).unwrap();
        let mut in_dependencies = false;
        for line in manifest.lines().map(str::trim) {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies");
            } else if in_dependencies && line.contains('=') && !line.starts_with('#') {
                let pinned = line.contains("workspace = true") || line.contains("path = ");
                assert!(pinned, "{name}: {line}");
            }
        }
    }
}

#[test]
fn no_file_grows_out_of_hand_and_each_says_what_it_is_for() {
    for (name, member) in members() {
        for file in sources(&member.dir) {
            let text = std::fs::read_to_string(&file).unwrap();
            let lines = text.lines().count();
            assert!(
                lines <= MAX_LINES,
                "{name}: {} has {lines} lines, at most {MAX_LINES}",
                file.display()
            );
            assert!(
                text.starts_with("//!"),
                "{name}: {} does not begin with what it is for",
                file.display()
            );
        }
    }
}

#[test]
fn no_transport_waits_longer_than_the_core_waits_for_it() {
    let swift = "bindings/swift/Sources/SatchelKit/BackgroundTransport.swift";
    let source = std::fs::read_to_string(root().join(swift)).unwrap();
    let (_, after) = source.split_once("HttpTimeouts(totalMs: ").unwrap();
    let (product, _) = after.split_once(')').unwrap();
    let total_ms: i64 = product
        .split('*')
        .map(|factor| factor.trim().replace('_', "").parse::<i64>().unwrap())
        .product();
    assert!(total_ms < satchel_core::limits::TASK_LOST_AFTER_MS);
}
