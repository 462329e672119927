//! A process that speaks one line of JSON at a time and hears one word a line: a driver or its server.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use crate::Failure;

/// The longest step is a thousand requests one after another on a line of 400 ms.
const PATIENCE: Duration = Duration::from_mins(20);
/// What a server is given to end when nobody speaks to it any more.
const GOODBYE: Duration = Duration::from_secs(2);
/// How much of what a process complained about is shown.
const LAST_WORDS_BYTES: usize = 2_000;

/// The process; it does not outlive this.
#[derive(Debug)]
pub(crate) struct Talk {
    what: String,
    child: Child,
    words: Option<ChildStdin>,
    lines: Receiver<String>,
    complaints: Option<JoinHandle<Vec<u8>>>,
}

impl Talk {
    /// Starts `command`; `what` is its name in failures.
    pub(crate) fn start(what: String, command: &[String]) -> Result<Self, Failure> {
        let (program, rest) = command.split_first().ok_or("a command without a program")?;
        let mut child = Command::new(program)
            .args(rest)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{what} does not start: {error}"))?;
        let out = child.stdout.take().ok_or("no standard output")?;
        let mut err = child.stderr.take().ok_or("no standard error")?;
        let words = child.stdin.take();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if line.starts_with('{') && sender.send(line).is_err() {
                    break;
                }
            }
        });
        let complaints = std::thread::spawn(move || {
            let mut all = Vec::new();
            let _ = err.read_to_end(&mut all);
            all
        });
        Ok(Self {
            what,
            child,
            words,
            lines,
            complaints: Some(complaints),
        })
    }

    /// The next line, as what it must be.
    pub(crate) fn hear<T: DeserializeOwned>(&mut self) -> Result<T, Failure> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => parse(&self.what, &line),
            Err(RecvTimeoutError::Timeout) => {
                let minutes = PATIENCE.as_secs() / 60;
                Err(format!("{} said nothing for {minutes} minutes", self.what).into())
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.last_words()),
        }
    }

    /// Says a word.
    pub(crate) fn say(&mut self, word: &str) -> Result<(), Failure> {
        let told = self
            .words
            .as_mut()
            .ok_or("nobody listens")
            .map(|words| writeln!(words, "{word}"));
        match told {
            Ok(Ok(())) => Ok(()),
            _ => Err(self.last_words()),
        }
    }

    /// Why it ended early: how, and what it complained about.
    fn last_words(&mut self) -> Failure {
        let ended = self.child.wait();
        let said = self.complaints.take().and_then(|all| all.join().ok());
        let said = tail(&said.unwrap_or_default());
        match ended {
            Ok(status) => format!("{} ended early ({status}): {said}", self.what).into(),
            Err(error) => format!("{} is lost ({error}): {said}", self.what).into(),
        }
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // A server that starts another program ends it when its input ends, and would leave it when killed.
        self.words = None;
        let until = Instant::now() + GOODBYE;
        while Instant::now() < until {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last line of JSON of a process that has ended, as what it must be.
pub(crate) fn last_line<T: DeserializeOwned>(what: &str, out: &[u8]) -> Result<T, Failure> {
    let text = String::from_utf8_lossy(out);
    let line = text.lines().rfind(|line| line.starts_with('{'));
    parse(what, line.ok_or_else(|| format!("{what} gave no result"))?)
}

fn parse<T: DeserializeOwned>(what: &str, line: &str) -> Result<T, Failure> {
    let shown: String = line.chars().take(200).collect();
    serde_json::from_str(line).map_err(|error| format!("{what} said {shown}: {error}").into())
}

/// The end of what was complained about.
pub(crate) fn tail(said: &[u8]) -> String {
    let from = said.len().saturating_sub(LAST_WORDS_BYTES);
    let said = said.get(from..).unwrap_or_default();
    String::from_utf8_lossy(said).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::Talk;

    #[derive(Debug, serde::Deserialize)]
    struct Told {
        ms: f64,
    }

    fn shell(script: &str) -> Talk {
        let command = ["sh", "-c", script].map(str::to_owned);
        Talk::start("a peer".into(), &command).unwrap()
    }

    #[test]
    fn a_line_of_json_is_heard_and_a_librarys_own_chatter_is_not() {
        let mut talk =
            shell("echo setting up; echo '{\"ms\":1.5}'; read word; echo \"{\\\"ms\\\":$word}\"");
        assert_eq!(talk.hear::<Told>().unwrap().ms, 1.5);
        talk.say("7").unwrap();
        assert_eq!(talk.hear::<Told>().unwrap().ms, 7.0);
    }

    #[test]
    fn a_crash_says_who_how_and_why() {
        let mut talk = shell("echo the disk is full >&2; exit 3");
        let failure = talk.hear::<Told>().unwrap_err().to_string();
        for part in ["a peer", "3", "the disk is full"] {
            assert!(failure.contains(part), "{part} is not in: {failure}");
        }
    }

    #[test]
    fn a_line_of_another_form_is_refused_and_shown() {
        let mut talk = shell("echo '{\"seconds\":1}'");
        let failure = talk.hear::<Told>().unwrap_err().to_string();
        assert!(failure.contains("{\"seconds\":1}"), "{failure}");
    }
}
