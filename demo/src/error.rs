//! What can go wrong in the demo itself.

use std::path::PathBuf;

use thiserror::Error;

/// Result of the demo.
pub type Result<T, E = DemoError> = core::result::Result<T, E>;

/// Why the demo cannot go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The system refused something.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why not.
        source: std::io::Error,
    },
    /// A child ended when it should not.
    #[error("{name} has ended unexpectedly; its last words are above")]
    ChildGone {
        /// Which one.
        name: String,
    },
    /// A child was to be killed but ended in another way.
    #[error("{name} did not end by SIGKILL")]
    NotKilled {
        /// Which one.
        name: String,
    },
    /// A child said something else than was asked.
    #[error("{name} gave an unexpected answer to {asked}")]
    Unexpected {
        /// Which one.
        name: String,
        /// What was asked.
        asked: &'static str,
    },
    /// A child refused a command.
    #[error("{name}: {message}")]
    Child {
        /// Which one.
        name: String,
        /// Its words.
        message: String,
    },
    /// A line between the processes is not what it should be.
    #[error("unreadable {what}: {source}")]
    Json {
        /// What it should have been.
        what: &'static str,
        /// Why it is not.
        source: serde_json::Error,
    },
    /// The phone's core refused.
    #[error(transparent)]
    Core(#[from] satchel_core::Error),
    /// The hub refused.
    #[error(transparent)]
    Hub(#[from] satchel_hub::HubError),
    /// The mapping file is not one.
    #[error("mapping: {0}")]
    Mapping(#[from] satchel_hub::import::MappingError),
    /// The deliveries cannot be read.
    #[error("deliveries: {0}")]
    Import(#[from] satchel_hub::import::ImportError),
    /// The rule of `--group` is not one.
    #[error("--group: {0}")]
    Group(#[from] satchel_hub::import::GroupRuleError),
    /// The deliveries do not fit the rule.
    #[error("{0}")]
    Rounds(#[from] satchel_hub::import::GroupError),
    /// No saved mapping fits the file's columns.
    #[error("no mapping in {} fits this file's columns; give one with --mapping", folder.display())]
    NoMapping {
        /// Where mappings were looked for.
        folder: PathBuf,
    },
    /// The folder of `--data` is in use.
    #[error("the folder of --data is not empty; give a new one")]
    NotEmpty,
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// A thread of the demo ended early; only a bug does that.
    #[error("a thread of the demo ended early")]
    Thread,
    /// The file has no deliveries that can be played.
    #[error("the file has no delivery that can be played")]
    NothingToPlay,
    /// A proof could not be made.
    #[error("a picture could not be made: {0}")]
    Picture(#[from] image::ImageError),
    /// A customer's browser got no answer.
    #[error("the rating page did not answer: {0}")]
    Browser(#[from] Box<ureq::Error>),
}

impl DemoError {
    /// Names what was tried when the system refused.
    pub fn io(what: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }

    /// Names what was to be read.
    pub fn json(what: &'static str) -> impl Fn(serde_json::Error) -> Self {
        move |source| Self::Json { what, source }
    }
}
