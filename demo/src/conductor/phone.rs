//! The conductor's hand on one phone process.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use satchel_core::protocol::feed::LatLng;
use satchel_core::protocol::ids::StopId;

use crate::child::process::Process;
use crate::child::words::{
    Ack, ClockChoice, Link, PhoneAnswer, PhoneCommand, PhoneStatus, RoundOrders, RouteStop, Visit,
};
use crate::error::{DemoError, Result};

/// What went over the phones' networks, counted by all phones at once.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Requests sent.
    pub requests: AtomicU64,
    /// Requests without a whole answer.
    pub lost: AtomicU64,
    /// Proof requests with a good answer.
    pub proofs: AtomicU64,
    /// Bytes of request bodies.
    pub sent_bytes: AtomicU64,
}

/// How a sync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Synced {
    /// Requests sent.
    pub requests: u32,
    /// Requests without a whole answer.
    pub lost: u32,
    /// The core said that nothing is left.
    pub done: bool,
}

/// A virtual phone as a child process, with what is needed to start it again.
#[derive(Debug)]
pub struct PhoneHandle {
    /// Its courier.
    pub name: String,
    dir: PathBuf,
    seed: u64,
    clock: ClockChoice,
    booted_at_ms: i64,
    process: Option<Process>,
    /// How often it was found dead and started again, by whoever's hand it died.
    pub revived: u64,
}

impl PhoneHandle {
    /// Starts a phone with an empty store, or with the one that is there.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(
        name: &str,
        dir: &Path,
        seed: u64,
        clock: ClockChoice,
        booted_at_ms: i64,
    ) -> Result<Self> {
        let mut phone = Self {
            name: name.to_owned(),
            dir: dir.to_owned(),
            seed,
            clock,
            booted_at_ms,
            process: None,
            revived: 0,
        };
        phone.restart()?;
        Ok(phone)
    }

    /// Starts the process, again after a kill, on the same store.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> Result<()> {
        let clock = match self.clock {
            ClockChoice::Real => "real",
            ClockChoice::Played => "played",
        };
        let args = [
            "phone-child".to_owned(),
            format!("--dir={}", self.dir.display()),
            format!("--name={}", self.name),
            format!("--seed={}", self.seed),
            format!("--clock={clock}"),
            format!("--booted-at-ms={}", self.booted_at_ms),
        ];
        self.process = Some(Process::start(&self.name, &args)?);
        Ok(())
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.as_ref().map_or(0, Process::pid)
    }

    /// SIGKILL: no goodbye, nothing flushed that was not flushed before.
    ///
    /// # Errors
    /// When it ended in another way.
    pub fn kill(&mut self) -> Result<()> {
        self.process.take().ok_or_else(|| self.gone())?.kill()
    }

    /// Ends it in order.
    pub fn end(&mut self) {
        if let Some(process) = self.process.take() {
            process.end();
        }
    }

    /// Gives it the invite; the next sync enrols.
    ///
    /// # Errors
    /// The core's refusal.
    pub fn enrol(&mut self, invite: &str) -> Result<()> {
        match self.ask(
            &PhoneCommand::Enrol {
                invite: invite.to_owned(),
            },
            None,
        )? {
            PhoneAnswer::Ok => Ok(()),
            _ => Err(self.unexpected("enrol")),
        }
    }

    /// Its route.
    ///
    /// # Errors
    /// When it is gone.
    pub fn stops(&mut self) -> Result<Vec<RouteStop>> {
        match self.ask_again(&PhoneCommand::Stops, None)? {
            PhoneAnswer::Stops { stops } => Ok(stops),
            _ => Err(self.unexpected("stops")),
        }
    }

    /// Plans one round, given in the order it was driven.
    ///
    /// # Errors
    /// When it is gone.
    pub fn plan(
        &mut self,
        driven: Vec<StopId>,
        from: Option<LatLng>,
        depart_ms: i64,
    ) -> Result<RoundOrders> {
        let command = PhoneCommand::Plan {
            driven,
            from,
            depart_ms,
        };
        match self.ask_again(&command, None)? {
            PhoneAnswer::Orders { orders } => Ok(orders),
            _ => Err(self.unexpected("plan")),
        }
    }

    /// One visit; what comes back is a promise.
    ///
    /// # Errors
    /// The core's refusal. [`DemoError::ChildGone`] when the phone died over it; whether the visit is
    /// on its disk must then be asked, after [`PhoneHandle::revive`].
    pub fn deliver(&mut self, stop: StopId, at_ms: Option<i64>, visit: Visit) -> Result<Ack> {
        match self.ask(&PhoneCommand::Deliver { stop, at_ms, visit }, None)? {
            PhoneAnswer::Ack { ack } => Ok(ack),
            _ => Err(self.unexpected("deliver")),
        }
    }

    /// Talks to the hub until nothing is left, the window closes or the hub is not there.
    ///
    /// # Errors
    /// When the phone is gone.
    pub fn sync(&mut self, at_ms: i64, link: Link, traffic: &Traffic) -> Result<Synced> {
        let command = PhoneCommand::Sync {
            at_ms: Some(at_ms),
            link,
        };
        match self.ask_again(&command, Some(traffic))? {
            PhoneAnswer::Synced {
                requests,
                failed,
                done,
            } => Ok(Synced {
                requests,
                lost: failed,
                done,
            }),
            _ => Err(self.unexpected("sync")),
        }
    }

    /// The network comes or goes (live demo).
    ///
    /// # Errors
    /// When it is gone.
    pub fn set_network(&mut self, on: bool) -> Result<()> {
        match self.ask_again(&PhoneCommand::SetNetwork { on }, None)? {
            PhoneAnswer::Ok => Ok(()),
            _ => Err(self.unexpected("network")),
        }
    }

    /// What it shows.
    ///
    /// # Errors
    /// When it is gone.
    pub fn status(&mut self) -> Result<PhoneStatus> {
        match self.ask_again(&PhoneCommand::Status, None)? {
            PhoneAnswer::Status { status } => Ok(status),
            _ => Err(self.unexpected("status")),
        }
    }

    /// Starts it again after it was found dead.
    ///
    /// # Errors
    /// When it does not start.
    pub fn revive(&mut self) -> Result<()> {
        self.process = None;
        self.revived += 1;
        self.restart()
    }

    /// For commands that may safely be given twice: a phone killed by hand is started again.
    fn ask_again(
        &mut self,
        command: &PhoneCommand,
        traffic: Option<&Traffic>,
    ) -> Result<PhoneAnswer> {
        match self.ask(command, traffic) {
            Err(DemoError::ChildGone { .. }) => {
                self.revive()?;
                self.ask(command, traffic)
            }
            answer => answer,
        }
    }

    fn ask(&mut self, command: &PhoneCommand, traffic: Option<&Traffic>) -> Result<PhoneAnswer> {
        let gone = self.gone();
        let process = self.process.as_mut().ok_or(gone)?;
        process.send(command)?;
        loop {
            match process.receive()? {
                PhoneAnswer::Exchange {
                    ok,
                    answered,
                    proof,
                    sent_bytes,
                } => {
                    if let Some(traffic) = traffic {
                        traffic.count(ok, answered, proof, sent_bytes);
                    }
                }
                PhoneAnswer::Error { message } => {
                    return Err(DemoError::Child {
                        name: self.name.clone(),
                        message,
                    });
                }
                answer => return Ok(answer),
            }
        }
    }

    fn gone(&self) -> DemoError {
        DemoError::ChildGone {
            name: self.name.clone(),
        }
    }

    fn unexpected(&self, asked: &'static str) -> DemoError {
        DemoError::Unexpected {
            name: self.name.clone(),
            asked,
        }
    }
}

impl Traffic {
    fn count(&self, ok: bool, answered: bool, proof: bool, sent_bytes: u64) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.sent_bytes.fetch_add(sent_bytes, Ordering::Relaxed);
        self.lost.fetch_add(u64::from(!answered), Ordering::Relaxed);
        self.proofs
            .fetch_add(u64::from(ok && proof), Ordering::Relaxed);
    }

    /// Reads a counter.
    #[must_use]
    pub fn read(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}
