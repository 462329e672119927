//! The hub as a process of its own, so that it can really be killed and started again.
//!
//! It is the library's hub on a real listener with its own SQLite file. Its input takes what an
//! operator would do on the command line (import, invite, login link) and, in a played day, the time.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use satchel_hub::import::{GroupRule, Mapping};
use satchel_hub::{
    Audit, Clock, Hub, HubConfig, ImportOptions, ImportReport, SimClock, SystemClock,
};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::words::ClockChoice;
use crate::error::{DemoError, Result};

/// How long a link to the board can be opened.
const LOGIN_TTL_MS: i64 = 12 * 3_600 * 1_000;

/// How a hub child is started.
#[derive(Debug, Clone, clap::Args)]
pub struct HubArgs {
    /// Its data directory.
    #[arg(long)]
    pub dir: PathBuf,
    /// Where it listens.
    #[arg(long)]
    pub listen: SocketAddr,
    /// Which clock it has.
    #[arg(long, value_enum)]
    pub clock: ClockChoice,
    /// What a played clock shows at the start, Unix milliseconds.
    #[arg(long, default_value_t = 0)]
    pub now_ms: i64,
}

/// What the hub child is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "cmd", rename_all = "snake_case")]
pub enum HubCommand {
    /// Set a played clock; it flows on from there.
    Clock {
        /// Unix milliseconds.
        unix_ms: i64,
    },
    /// Import a file of deliveries.
    Import {
        /// The file.
        file: PathBuf,
        /// Its mapping.
        mapping: PathBuf,
        /// A grouping rule instead of the mapping's.
        group: Option<String>,
        /// Who drives, in turn; empty: as the file says.
        couriers: Vec<String>,
    },
    /// Make an invite for a courier's phone.
    Invite {
        /// The courier.
        courier: String,
    },
    /// Make a link to the board.
    LoginLink,
    /// Count everything held.
    Audit,
}

/// What the hub child says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum HubAnswer {
    /// It listens.
    Ready,
    /// Done, nothing to tell.
    Ok,
    /// What the import did.
    Imported {
        /// The hub's report.
        report: ImportReport,
    },
    /// A text to show: an invite or a link.
    Text {
        /// The text.
        text: String,
    },
    /// Everything held.
    Audit {
        /// The hub's audit.
        audit: Audit,
    },
    /// The command failed.
    Error {
        /// Why; holds no personal data.
        message: String,
    },
}

/// Serves until its input ends.
///
/// # Errors
/// When the hub cannot be opened or the address is taken.
pub fn run(args: HubArgs) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(DemoError::io("start the runtime"))?
        .block_on(serve(args))
}

async fn serve(args: HubArgs) -> Result<()> {
    let played = match args.clock {
        ClockChoice::Real => None,
        ClockChoice::Played => Some(Arc::new(SimClock::flowing(args.now_ms))),
    };
    let clock: Arc<dyn Clock> = match &played {
        Some(clock) => clock.clone(),
        None => Arc::new(SystemClock),
    };
    let mut config = HubConfig::new(&args.dir, format!("http://{}", args.listen));
    config.clock = clock;
    let hub = Hub::open(config).await?;
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(DemoError::io("listen"))?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn({
        let hub = hub.clone();
        async move {
            hub.serve(listener, async {
                // A dropped sender stops the server as well as a sent word.
                let _ = stopped.await;
            })
            .await
        }
    });
    let told = obey_all(&hub, played.as_deref()).await;
    let _ = stop.send(());
    match server.await {
        Ok(served) => served?,
        Err(_) => {
            return Err(DemoError::ChildGone {
                name: "hub server".to_owned(),
            });
        }
    }
    told
}

async fn obey_all(hub: &Hub, clock: Option<&SimClock>) -> Result<()> {
    let mut out = tokio::io::stdout();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut answer = HubAnswer::Ready;
    loop {
        let mut line = serde_json::to_vec(&answer).map_err(DemoError::json("answer"))?;
        line.push(b'\n');
        out.write_all(&line)
            .await
            .map_err(DemoError::io("answer"))?;
        out.flush().await.map_err(DemoError::io("answer"))?;
        let next = lines.next_line().await;
        let Some(text) = next.map_err(DemoError::io("read a command"))? else {
            return Ok(());
        };
        let command = serde_json::from_str(&text).map_err(DemoError::json("command"))?;
        answer = match obey(hub, clock, command).await {
            Ok(answer) => answer,
            Err(error) => HubAnswer::Error {
                message: error.to_string(),
            },
        };
    }
}

async fn obey(hub: &Hub, clock: Option<&SimClock>, command: HubCommand) -> Result<HubAnswer> {
    Ok(match command {
        HubCommand::Clock { unix_ms } => {
            if let Some(clock) = clock {
                clock.set(unix_ms);
            }
            HubAnswer::Ok
        }
        HubCommand::Import {
            file,
            mapping,
            group,
            couriers,
        } => {
            let bytes = std::fs::read(file).map_err(DemoError::io("read the deliveries"))?;
            let json = std::fs::read(mapping).map_err(DemoError::io("read the mapping"))?;
            let group = group.map(|rule| rule.parse::<GroupRule>()).transpose()?;
            let options = ImportOptions {
                group,
                couriers,
                dry_run: false,
            };
            let report = hub
                .import(&bytes, &Mapping::from_json(&json)?, &options)
                .await?;
            HubAnswer::Imported { report }
        }
        HubCommand::Invite { courier } => HubAnswer::Text {
            text: hub.invite(&courier).await?.to_text(),
        },
        HubCommand::LoginLink => HubAnswer::Text {
            text: hub.login_link(LOGIN_TTL_MS).await?,
        },
        HubCommand::Audit => {
            // Now, and not at the next review minutes later.
            hub.look_for_doubts().await?;
            let audit = hub.audit().await?;
            HubAnswer::Audit { audit }
        }
    })
}
