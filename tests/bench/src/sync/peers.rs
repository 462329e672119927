//! The libraries of others on the line: each with a server of its own kind, in processes of their own, with the
//! floor's payloads and over a line like the floor's.
//!
//! Times are the client's own, from being told to begin. CPU is that of client, server and line together, as for the
//! others. Requests are counted on the wire.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::wire::{Line, Traffic, Wire};
use super::{CHANGES, Measured, STOPS, cpu_ms};
use crate::Failure;
use crate::peers::{Drivers, Peer, Talk, write_attempts, write_items};
use crate::record::Payload;

/// The drivers and what they are given.
#[derive(Debug)]
pub(super) struct Peers {
    drivers: Drivers,
    attempts: PathBuf,
    count: usize,
    items: PathBuf,
}

/// A server that listens.
#[derive(Debug, Deserialize)]
struct Listening {
    port: u16,
    /// What its client needs to find the route.
    seed: Option<String>,
}

/// A client that waits to be told.
#[derive(Debug, Deserialize)]
struct Ready {
    ready: bool,
}

/// What a client measured.
#[derive(Debug, Deserialize)]
struct Told {
    ms: f64,
    cpu_ms: f64,
    /// What it holds or sent.
    items: usize,
}

#[derive(Debug, Deserialize)]
struct Used {
    cpu_ms: f64,
}

#[derive(Debug, Deserialize)]
struct Held {
    attempts: usize,
}

/// A server behind its line.
struct Served {
    server: Talk,
    wire: Wire,
    seed: Option<String>,
}

/// What had been used and sent before a step.
struct Before {
    server_ms: f64,
    own_ms: f64,
    traffic: Traffic,
}

impl Peers {
    /// Writes the payloads of the floor into `home`.
    pub(super) fn new(
        home: &Path,
        (count, ink_bytes): (usize, usize),
        (stops, changes): (&[Value], &[Value]),
    ) -> Result<Self, Failure> {
        let (attempts, items) = (home.join("attempts.ndjson"), home.join("items.ndjson"));
        write_attempts(&attempts, &Payload::make(count, ink_bytes))?;
        write_items(&items, stops, changes)?;
        Ok(Self {
            drivers: Drivers::find(),
            attempts,
            count,
            items,
        })
    }

    pub(super) fn has(&self, peer: &Peer) -> bool {
        self.drivers.has(peer)
    }

    /// Records all attempts, then pushes them to a fresh server.
    pub(super) fn push(&self, peer: &Peer, dir: &Path, line: Line) -> Result<Measured, Failure> {
        let mut served = self.serve(peer, &dir.join("server"), line, &[])?;
        let work = self.attempts.display().to_string();
        let measured = self.step(peer, "push", dir, &mut served, &["--work", &work])?;
        served.server.say("count")?;
        let held: Held = served.server.hear()?;
        if held.attempts != self.count || measured.1 != self.count {
            let (name, all) = (peer.name, self.count);
            return Err(format!("{name}: {} of {all} attempts arrived", held.attempts).into());
        }
        Ok(measured.0)
    }

    /// A fresh client fetches the route.
    pub(super) fn pull(&self, peer: &Peer, dir: &Path, line: Line) -> Result<Measured, Failure> {
        let items = self.items.display().to_string();
        let mut served = self.serve(peer, &dir.join("server"), line, &["--items", &items])?;
        let (measured, held) = self.step(peer, "pull", dir, &mut served, &[])?;
        if held != STOPS + CHANGES {
            let (name, all) = (peer.name, STOPS + CHANGES);
            return Err(format!("{name}: {held} of {all} stops and changes arrived").into());
        }
        Ok(measured)
    }

    fn serve(&self, peer: &Peer, dir: &Path, line: Line, more: &[&str]) -> Result<Served, Failure> {
        let command = self.drivers.server(peer, dir);
        let mut command = command.ok_or("a library without a server takes no part")?;
        command.extend(more.iter().map(|o| (*o).to_owned()));
        let mut server = Talk::start(format!("{}, server", peer.name), &command)?;
        let listening: Listening = server.hear()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, listening.port));
        Ok(Served {
            wire: Wire::counting(address, line)?,
            server,
            seed: listening.seed,
        })
    }

    /// One step of a client, and what it says it holds or sent.
    fn step(
        &self,
        peer: &Peer,
        step: &str,
        dir: &Path,
        served: &mut Served,
        more: &[&str],
    ) -> Result<(Measured, usize), Failure> {
        let mut command = self.drivers.step(peer, step, &dir.join("client"));
        command.extend(["--url".to_owned(), served.wire.url.clone()]);
        command.extend(more.iter().map(|o| (*o).to_owned()));
        if let Some(seed) = &served.seed {
            command.extend(["--seed".to_owned(), seed.clone()]);
        }
        let mut client = Talk::start(format!("{}, {step}", peer.name), &command)?;
        if !client.hear::<Ready>()?.ready {
            return Err(format!("{} is not ready", peer.name).into());
        }
        let before = Before {
            server_ms: used_ms(&mut served.server)?,
            own_ms: cpu_ms(),
            traffic: served.wire.traffic(),
        };
        client.say("go")?;
        let told: Told = client.hear()?;
        let traffic = served.wire.traffic().since(before.traffic);
        let line_ms = cpu_ms() - before.own_ms;
        let server_ms = used_ms(&mut served.server)? - before.server_ms;
        let measured = Measured {
            ms: told.ms,
            cpu_ms: told.cpu_ms + server_ms + line_ms,
            requests: traffic.requests,
            bytes_up: traffic.up,
            bytes_down: traffic.down,
            cuts: traffic.cuts,
        };
        Ok((measured, told.items))
    }
}

fn used_ms(server: &mut Talk) -> Result<f64, Failure> {
    server.say("cpu")?;
    Ok(server.hear::<Used>()?.cpu_ms)
}

#[cfg(test)]
mod tests {
    use super::{Held, Listening, Told, Used};

    #[test]
    fn what_clients_and_servers_say_is_read() {
        let told: Told =
            serde_json::from_str(r#"{"ms":97.25,"cpu_ms":31.5,"items":1000}"#).unwrap();
        assert_eq!((told.ms, told.cpu_ms, told.items), (97.25, 31.5, 1_000));
        let bare: Listening = serde_json::from_str(r#"{"port":4711}"#).unwrap();
        assert_eq!((bare.port, bare.seed), (4_711, None));
        let seeded: Listening = serde_json::from_str(r#"{"port":1,"seed":"a:b"}"#).unwrap();
        assert_eq!(seeded.seed.as_deref(), Some("a:b"));
        let used: Used = serde_json::from_str(r#"{"cpu_ms":12}"#).unwrap();
        let held: Held = serde_json::from_str(r#"{"attempts":1000}"#).unwrap();
        assert_eq!((used.cpu_ms, held.attempts), (12.0, 1_000));
    }

    #[test]
    fn a_client_that_measured_nothing_is_refused() {
        assert!(serde_json::from_str::<Told>(r#"{"items":1000}"#).is_err());
    }
}
