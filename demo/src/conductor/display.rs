//! The live progress: one line a phone. Where the output is no terminal, only the headlines are
//! printed, so that a log stays readable.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::child::words::{PhoneStatus, SyncWord};

/// The lines on the terminal.
#[derive(Debug)]
pub struct Display {
    all: MultiProgress,
    bars: Vec<ProgressBar>,
    terminal: bool,
}

impl Display {
    /// One line for each phone: its name and how many stops it has.
    #[must_use]
    pub fn new(phones: &[(String, u64)]) -> Self {
        let all = MultiProgress::new();
        let style = ProgressStyle::with_template("{prefix:17} {bar:12} {pos:>3}/{len:3} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━╸ ");
        let bars = phones
            .iter()
            .map(|(name, stops)| {
                let bar = all.add(ProgressBar::new(*stops).with_style(style.clone()));
                bar.set_prefix(name.clone());
                bar
            })
            .collect();
        let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        Self {
            all,
            bars,
            terminal,
        }
    }

    /// One more visit of a phone is done.
    pub fn visited(&self, phone: usize) {
        if let Some(bar) = self.bars.get(phone) {
            bar.inc(1);
        }
    }

    /// What a phone shows, in figures.
    pub fn show(&self, phone: usize, status: &PhoneStatus, online: bool) {
        if let Some(bar) = self.bars.get(phone) {
            let [local, received, synced] = figures(status);
            let net = if online { "online " } else { "offline" };
            bar.set_message(format!(
                "{net} phone {local:<2} received {received:<2} synced {synced:<2}"
            ));
        }
    }

    /// How many stops of a phone are done, where visits are not counted one by one.
    pub fn set_done(&self, phone: usize, done: u64) {
        if let Some(bar) = self.bars.get(phone) {
            bar.set_position(done);
        }
    }

    /// How many visits a phone has before it, once that is known.
    pub fn set_length(&self, phone: usize, visits: u64) {
        if let Some(bar) = self.bars.get(phone) {
            bar.set_length(visits);
        }
    }

    /// Who it is, with the process id for whoever wants to kill it.
    pub fn name(&self, phone: usize, name: &str, pid: u32) {
        if let Some(bar) = self.bars.get(phone) {
            bar.set_prefix(format!("{name} [{pid}]"));
        }
    }

    /// A headline above the lines.
    #[allow(clippy::print_stdout)] // the demo's output where there is no terminal to draw on
    pub fn say(&self, words: &str) {
        if self.terminal {
            // A terminal that is gone has nobody to read this.
            let _ = self.all.println(words);
        } else {
            println!("{words}");
        }
    }

    /// Takes the lines away.
    pub fn clear(&self) {
        let _ = self.all.clear();
    }
}

/// Stops whose records are on the phone only, at the hub, and complete there.
#[must_use]
pub fn figures(status: &PhoneStatus) -> [u64; 3] {
    let count =
        |word: fn(SyncWord) -> bool| status.stops.iter().filter(|s| word(s.sync)).count() as u64;
    [
        count(|s| matches!(s, SyncWord::Local | SyncWord::Sending)),
        count(|s| matches!(s, SyncWord::Received | SyncWord::Lost)),
        count(|s| s == SyncWord::Synced),
    ]
}
