//! Libraries of others beside the floors: who they are, and what starts them.
//!
//! Each is driven by a small program of ours in `tests/bench/peers/sync`, in a process of its own, with the
//! floor's own payloads. `scripts/bench-peers` installs them; one that is not installed stands in the tables
//! as just that. PowerSync's Rust crate is missing: it asks for a newer rustc than this project.

mod talk;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::Failure;
use crate::record::Payload;
pub(crate) use talk::{Talk, last_line, tail};

/// A way to use a library.
#[derive(Debug)]
pub(crate) struct Peer {
    /// The name in JSON and in folders.
    pub(crate) code: &'static str,
    /// The name in tables.
    pub(crate) name: &'static str,
    /// What npm calls it.
    package: &'static str,
    /// The file that drives it, and what it is told.
    driver: &'static str,
    options: &'static [&'static str],
    /// The steps it takes part in: a setting of the store says nothing about the line, and the other way round.
    pub(crate) records: bool,
    /// The server it pushes to and pulls from.
    server: Option<&'static str>,
    pub(crate) pulls: bool,
}

const BARE: Peer = Peer {
    code: "",
    name: "",
    package: "",
    driver: "",
    options: &[],
    records: true,
    server: None,
    pulls: true,
};

/// All of them, in the order of the tables.
pub(crate) static PEERS: [Peer; 8] = [
    Peer {
        code: "better_sqlite3",
        name: "better-sqlite3 in Node, WAL FULL, 1 INSERT",
        package: "better-sqlite3",
        driver: "better-sqlite3",
        pulls: false,
        ..BARE
    },
    Peer {
        code: "powersync_node",
        name: "PowerSync Node, as shipped (NORMAL; a transaction a request)",
        package: "@powersync/node",
        driver: "powersync",
        server: Some("app"),
        ..BARE
    },
    Peer {
        code: "powersync_node_full",
        name: "PowerSync Node, synchronous FULL",
        package: "@powersync/node",
        driver: "powersync",
        options: &["--sync", "full"],
        pulls: false,
        ..BARE
    },
    Peer {
        code: "powersync_node_batch",
        name: "PowerSync Node, 100 a request",
        package: "@powersync/node",
        driver: "powersync",
        options: &["--upload", "batch"],
        records: false,
        server: Some("app"),
        pulls: false,
    },
    Peer {
        code: "watermelondb",
        name: "WatermelonDB, WAL FULL",
        package: "@nozbe/watermelondb",
        driver: "watermelondb",
        server: Some("app"),
        ..BARE
    },
    Peer {
        code: "pouchdb",
        name: "PouchDB, LevelDB",
        package: "pouchdb-node",
        driver: "pouchdb",
        server: Some("pouch"),
        ..BARE
    },
    Peer {
        code: "turso_sync",
        name: "Turso Sync",
        package: "@tursodatabase/sync",
        driver: "turso",
        server: Some("turso"),
        ..BARE
    },
    Peer {
        code: "automerge_repo",
        name: "Automerge Repo",
        package: "@automerge/automerge-repo",
        driver: "automerge",
        server: Some("automerge"),
        ..BARE
    },
];

impl Peer {
    pub(crate) fn pushes(&self) -> bool {
        self.server.is_some()
    }
}

/// The drivers and what is installed beside them.
#[derive(Debug)]
pub(crate) struct Drivers {
    home: PathBuf,
    node: bool,
}

impl Drivers {
    pub(crate) fn find() -> Self {
        let node = Command::new("node").arg("--version").output();
        Self {
            home: Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/sync"),
            node: node.is_ok_and(|out| out.status.success()),
        }
    }

    /// Whether a library can be run here. One that is installed and does not work is a failure, no gap.
    pub(crate) fn has(&self, peer: &Peer) -> bool {
        let package = self.home.join("node_modules").join(peer.package);
        self.node && package.join("package.json").exists()
    }

    /// The command of one measured step; see `once.mjs`.
    pub(crate) fn step(&self, peer: &Peer, step: &str, dir: &Path) -> Vec<String> {
        let once = self.home.join("once.mjs");
        let mut command = vec!["node".into(), once.display().to_string()];
        command.extend([peer.driver, step, "--dir"].map(str::to_owned));
        command.push(dir.display().to_string());
        command.extend(peer.options.iter().map(|o| (*o).to_owned()));
        command
    }

    /// The command of the server that a library pushes to; see `serve.mjs`.
    pub(crate) fn server(&self, peer: &Peer, dir: &Path) -> Option<Vec<String>> {
        let serve = self.home.join("serve.mjs").display().to_string();
        let dir = dir.display().to_string();
        let kind = peer.server?.to_owned();
        Some(vec!["node".into(), serve, kind, "--dir".into(), dir])
    }
}

/// Writes the floor's payloads for the drivers.
pub(crate) fn write_attempts(file: &Path, payloads: &[Payload]) -> Result<(), Failure> {
    let lines = payloads.iter().map(|payload| {
        let signature = BASE64.encode(&payload.signature);
        json!({"id": payload.id, "record": payload.record, "signature": signature})
    });
    write_lines(file, lines)
}

/// Writes the floor's stops and changes for the servers.
pub(crate) fn write_items(file: &Path, stops: &[Value], changes: &[Value]) -> Result<(), Failure> {
    let of = |table: &'static str, items: &[Value]| -> Vec<Value> {
        let line = |item: &Value| json!({"table": table, "id": item.get("id"), "data": item});
        items.iter().map(line).collect()
    };
    let stops = of("stops", stops);
    write_lines(file, stops.into_iter().chain(of("changes", changes)))
}

fn write_lines(file: &Path, lines: impl Iterator<Item = Value>) -> Result<(), Failure> {
    let mut text = String::new();
    for line in lines {
        writeln!(text, "{line}")?;
    }
    std::fs::write(file, text)?;
    Ok(())
}
