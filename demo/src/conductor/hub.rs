//! The conductor's hand on the hub process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use satchel_hub::{Audit, ImportReport};

use crate::child::hub::{HubAnswer, HubCommand};
use crate::child::process::Process;
use crate::child::words::ClockChoice;
use crate::clock::Stopwatch;
use crate::error::{DemoError, Result};

const NAME: &str = "hub";

/// A hub as a child process, with what is needed to start it again.
#[derive(Debug)]
pub struct HubHandle {
    dir: PathBuf,
    listen: SocketAddr,
    clock: ClockChoice,
    /// What a played clock was set to, and when that was.
    set: (i64, Stopwatch),
    process: Option<Process>,
}

impl HubHandle {
    /// Starts a hub on a free port of loopback, or on the given one.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(dir: &Path, port: Option<u16>, clock: ClockChoice, now_ms: i64) -> Result<Self> {
        let listen = match port {
            Some(port) => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            None => free_address()?,
        };
        let mut hub = Self {
            dir: dir.to_owned(),
            listen,
            clock,
            set: (now_ms, Stopwatch::start()),
            process: None,
        };
        hub.restart()?;
        Ok(hub)
    }

    /// Starts the process, again after a kill: same data, same address, and the time it would have.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> Result<()> {
        let clock = match self.clock {
            ClockChoice::Real => "real",
            ClockChoice::Played => "played",
        };
        let args = [
            "hub-child".to_owned(),
            format!("--dir={}", self.dir.display()),
            format!("--listen={}", self.listen),
            format!("--clock={clock}"),
            format!("--now-ms={}", self.now_ms()),
        ];
        let mut process = Process::start(NAME, &args)?;
        match process.receive()? {
            HubAnswer::Ready => {}
            _ => return Err(unexpected("start")),
        }
        self.process = Some(process);
        Ok(())
    }

    /// Starts it again if somebody has killed it. `true` when that was so.
    ///
    /// # Errors
    /// When it does not start.
    pub fn revive(&mut self) -> Result<bool> {
        if self.process.as_mut().is_some_and(Process::is_running) {
            return Ok(false);
        }
        self.process = None;
        self.restart()?;
        Ok(true)
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.as_ref().map_or(0, Process::pid)
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// When it ended in another way.
    pub fn kill(&mut self) -> Result<()> {
        self.process.take().ok_or_else(gone)?.kill()
    }

    /// Ends it in order.
    pub fn end(&mut self) {
        if let Some(process) = self.process.take() {
            process.end();
        }
    }

    /// Its address, as a browser writes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// The time of a played hub, which flows since it was set.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        let flowed = i64::try_from(self.set.1.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.set.0.saturating_add(flowed)
    }

    /// Sets a played clock.
    ///
    /// # Errors
    /// When the hub is gone.
    pub fn set_clock(&mut self, unix_ms: i64) -> Result<()> {
        self.set = (unix_ms, Stopwatch::start());
        match self.ask(&HubCommand::Clock { unix_ms })? {
            HubAnswer::Ok => Ok(()),
            _ => Err(unexpected("clock")),
        }
    }

    /// Imports a file.
    ///
    /// # Errors
    /// The hub's refusal.
    pub fn import(
        &mut self,
        file: &Path,
        mapping: &Path,
        group: Option<&str>,
        couriers: &[String],
    ) -> Result<ImportReport> {
        let command = HubCommand::Import {
            file: file.to_owned(),
            mapping: mapping.to_owned(),
            group: group.map(str::to_owned),
            couriers: couriers.to_vec(),
        };
        match self.ask(&command)? {
            HubAnswer::Imported { report } => Ok(report),
            _ => Err(unexpected("import")),
        }
    }

    /// Makes an invite.
    ///
    /// # Errors
    /// The hub's refusal.
    pub fn invite(&mut self, courier: &str) -> Result<String> {
        match self.ask(&HubCommand::Invite {
            courier: courier.to_owned(),
        })? {
            HubAnswer::Text { text } => Ok(text),
            _ => Err(unexpected("invite")),
        }
    }

    /// Makes a link that opens the board once.
    ///
    /// # Errors
    /// The hub's refusal.
    pub fn login_link(&mut self) -> Result<String> {
        match self.ask(&HubCommand::LoginLink)? {
            HubAnswer::Text { text } => Ok(text),
            _ => Err(unexpected("login link")),
        }
    }

    /// Counts everything held.
    ///
    /// # Errors
    /// When the hub is gone.
    pub fn audit(&mut self) -> Result<Audit> {
        match self.ask(&HubCommand::Audit)? {
            HubAnswer::Audit { audit } => Ok(audit),
            _ => Err(unexpected("audit")),
        }
    }

    fn ask(&mut self, command: &HubCommand) -> Result<HubAnswer> {
        let process = self.process.as_mut().ok_or_else(gone)?;
        process.send(command)?;
        match process.receive()? {
            HubAnswer::Error { message } => Err(DemoError::Child {
                name: NAME.to_owned(),
                message,
            }),
            answer => Ok(answer),
        }
    }
}

fn gone() -> DemoError {
    DemoError::ChildGone {
        name: NAME.to_owned(),
    }
}

fn unexpected(asked: &'static str) -> DemoError {
    DemoError::Unexpected {
        name: NAME.to_owned(),
        asked,
    }
}

/// An address that was free a moment ago; the hub needs to know it before it listens, because its
/// public URL is part of every signature.
///
/// # Errors
/// When loopback has no free port.
pub fn free_address() -> Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(DemoError::io("find a free port"))
}
