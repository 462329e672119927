//! The libraries of others take their turn: one process a turn, with the floor's own payloads.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Payload, Run};
use crate::Failure;
use crate::peers::{Drivers, Peer, last_line, tail, write_attempts};

/// The drivers, and where payloads for them are.
#[derive(Debug)]
pub(super) struct Peers {
    drivers: Drivers,
    home: PathBuf,
    ink_bytes: usize,
}

impl Peers {
    pub(super) fn new(home: &Path, ink_bytes: usize) -> Self {
        Self {
            drivers: Drivers::find(),
            home: home.to_owned(),
            ink_bytes,
        }
    }

    pub(super) fn has(&self, peer: &Peer) -> bool {
        self.drivers.has(peer)
    }

    /// The command that records `attempts` payloads in a new folder.
    pub(super) fn command(
        &self,
        peer: &Peer,
        attempts: usize,
        dir: &Path,
    ) -> Result<Vec<String>, Failure> {
        let work = self.home.join(format!("attempts-{attempts}.ndjson"));
        if !work.exists() {
            write_attempts(&work, &Payload::make(attempts, self.ink_bytes))?;
        }
        let mut command = self.drivers.step(peer, "record", dir);
        command.extend(["--work".into(), work.display().to_string()]);
        Ok(command)
    }

    /// Records `attempts` payloads in a new folder.
    pub(super) fn record(&self, peer: &Peer, attempts: usize, dir: &Path) -> Result<Run, Failure> {
        measured(peer.name, &self.command(peer, attempts, dir)?)
    }
}

/// Runs a measured process to its end.
pub(super) fn measured(what: &str, command: &[String]) -> Result<Run, Failure> {
    let (program, rest) = command.split_first().ok_or("a command without a program")?;
    let out = Command::new(program)
        .args(rest)
        .output()
        .map_err(|error| format!("{what} does not start: {error}"))?;
    if !out.status.success() {
        let said = tail(&out.stderr);
        return Err(format!("{what} crashed ({}): {said}", out.status).into());
    }
    last_line(what, &out.stdout)
}

#[cfg(test)]
mod tests {
    use super::measured;

    fn shell(script: &str) -> Vec<String> {
        ["sh", "-c", script].map(str::to_owned).to_vec()
    }

    #[test]
    fn what_a_driver_prints_is_a_run() {
        let line = r#"{"seconds":0.5,"micros":[90,110],"bytes_written":9000,"disk_before":4096,"disk_after":12288,"payload":[600,4096]}"#;
        let run = measured("a peer", &shell(&format!("echo chatter; echo '{line}'"))).unwrap();
        assert_eq!((run.seconds, run.micros), (0.5, vec![90, 110]));
        assert_eq!((run.bytes_written, run.ink_micros), (9_000, 0));
        assert_eq!((run.disk_before, run.disk_after), (4_096, 12_288));
        assert_eq!(run.payload, (600, 4_096));
    }

    #[test]
    fn a_driver_that_crashes_or_says_nothing_fails_the_bench() {
        let crash = measured("a peer", &shell("echo no such module >&2; exit 1"));
        let crash = crash.unwrap_err().to_string();
        assert!(crash.contains("a peer crashed") && crash.contains("no such module"));
        let silent = measured("a peer", &shell("echo chatter"));
        assert_eq!(silent.unwrap_err().to_string(), "a peer gave no result");
    }
}
