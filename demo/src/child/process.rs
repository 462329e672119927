//! Starting, asking, killing and ending a child.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Stopwatch;
use crate::error::{DemoError, Result};

/// SIGKILL on every Unix.
const SIGKILL: i32 = 9;
/// How long a child may take to end in order before it is killed.
const END_WITHIN: Duration = Duration::from_secs(10);

/// A running child and its two pipes.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    /// Starts this very binary with `args`.
    ///
    /// # Errors
    /// When the system does not start it.
    pub fn start(name: &str, args: &[String]) -> Result<Self> {
        let binary = std::env::current_exe().map_err(DemoError::io("find this program"))?;
        let mut child = Command::new(binary)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C in the terminal is for the demo, which then ends its children in order.
            .process_group(0)
            .spawn()
            .map_err(DemoError::io("start a child"))?;
        let gone = || DemoError::ChildGone {
            name: name.to_owned(),
        };
        let stdin = child.stdin.take().ok_or_else(gone)?;
        let stdout = BufReader::new(child.stdout.take().ok_or_else(gone)?);
        Ok(Self {
            name: name.to_owned(),
            child,
            stdin: Some(stdin),
            stdout,
        })
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs. Somebody may kill a child by hand; that is what it is for.
    #[must_use]
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends one command.
    ///
    /// # Errors
    /// [`DemoError::ChildGone`] when the child is no longer there.
    pub fn send(&mut self, command: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(command).map_err(DemoError::json("command"))?;
        line.push(b'\n');
        let gone = self.gone();
        let stdin = self.stdin.as_mut().ok_or(gone)?;
        stdin
            .write_all(&line)
            .and_then(|()| stdin.flush())
            .map_err(|_| self.gone())
    }

    /// Reads one answer.
    ///
    /// # Errors
    /// [`DemoError::ChildGone`] at the end of the pipe, [`DemoError::Json`] for anything unreadable.
    pub fn receive<A: DeserializeOwned>(&mut self) -> Result<A> {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line).map_err(|_| self.gone())?;
        if read == 0 || !line.ends_with('\n') {
            return Err(self.gone());
        }
        serde_json::from_str(&line).map_err(DemoError::json("answer"))
    }

    /// Sends SIGKILL and waits: no destructor runs, nothing is flushed.
    ///
    /// # Errors
    /// [`DemoError::NotKilled`] when the child ended in another way.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill().map_err(DemoError::io("kill a child"))?;
        let status = self
            .child
            .wait()
            .map_err(DemoError::io("wait for a child"))?;
        if was_killed(status) {
            Ok(())
        } else {
            Err(DemoError::NotKilled {
                name: self.name.clone(),
            })
        }
    }

    /// Closes the child's input, which every child takes as the order to end, and waits.
    pub fn end(mut self) {
        self.stdin = None;
        let waited = Stopwatch::start();
        while waited.elapsed() < END_WITHIN {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn gone(&self) -> DemoError {
        DemoError::ChildGone {
            name: self.name.clone(),
        }
    }
}

/// Whether a process ended by SIGKILL and by nothing else.
fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(SIGKILL)
}

impl Drop for Process {
    /// No child outlives the demo, however the demo ends.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            // Best effort: it may end on its own between the two calls.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
