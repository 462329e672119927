//! The phone screen in the browser: a host of the core like an Android app would be.
//!
//! It holds no rules. What a handoff needs, what is locked and why, which actions are legal and what a
//! stop's sync badge says all come from the core; the page only shows them. The host loop runs beside
//! it and obeys the airplane-mode switch.

mod api;
mod day;
mod doorstep;
mod files;
mod finish;
mod plan;
mod view;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use satchel_core::clock::{Clock, OsEntropy, SystemClock};
use satchel_core::protocol::crypto::Secret32;
use satchel_core::sync::task::Network;
use satchel_core::{Courier, Environment, OpenConfig};
use tokio::net::TcpListener;

use crate::error::{DemoError, Result};
use crate::host::HostLoop;

/// How the phone screen is started by itself.
#[derive(Debug, Clone, clap::Args)]
pub struct ScreenArgs {
    /// Invite text of a hub. Not needed when the folder already holds an enrolled phone.
    #[arg(long)]
    pub invite: Option<String>,
    /// Address to serve on.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: String,
    /// Folder of the phone's store.
    #[arg(long)]
    pub data: PathBuf,
    /// What the courier calls this phone.
    #[arg(long, default_value = "phone screen")]
    pub label: String,
    /// The phone's line costs money: full photos wait for another, or until the hub asks for them.
    #[arg(long)]
    pub metered: bool,
}

/// A phone with its page; drop it to stop the host loop.
#[derive(Clone)]
pub struct Screen {
    courier: Arc<Courier>,
    host: Arc<HostLoop>,
    /// The network it has outside airplane mode.
    online: Network,
    /// The phone's own clock.
    clock: Arc<dyn Clock>,
    /// Photos wait here between the browser's upload and the core taking them over.
    inbox: PathBuf,
}

impl Screen {
    /// Opens the phone in `args.data`, enrols it if it is new, and starts its host loop.
    ///
    /// # Errors
    /// Those of the core, and of the folder.
    pub fn open(args: &ScreenArgs) -> Result<Self> {
        let inbox = args.data.join("inbox");
        std::fs::create_dir_all(&inbox).map_err(DemoError::io("make the phone's folder"))?;
        let config = OpenConfig {
            dir: args.data.join("store"),
            key: demo_key(&args.label),
        };
        let clock: Arc<dyn Clock> =
            Arc::new(SystemClock::detect().map_err(satchel_core::Error::from)?);
        let env = Environment {
            clock: Arc::clone(&clock),
            entropy: Arc::new(OsEntropy),
        };
        let courier = Arc::new(Courier::open(config, env)?);
        if let Some(invite) = &args.invite {
            match courier.enrol(invite, &args.label) {
                Ok(()) | Err(satchel_core::Error::AlreadyEnrolled) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let online = if args.metered {
            Network::Metered
        } else {
            Network::Unmetered
        };
        let host = HostLoop::start(Arc::clone(&courier), online, |_| {})
            .map_err(DemoError::io("start the host loop"))?;
        Ok(Self {
            courier,
            host: Arc::new(host),
            online,
            clock,
            inbox,
        })
    }

    /// Serves the page until `shutdown` ends.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<()> {
        axum::serve(listener, api::router(self))
            .with_graceful_shutdown(shutdown)
            .await
            .map_err(DemoError::io("serve the phone screen"))
    }
}

/// Runs the phone screen alone until Ctrl-C; prints its address.
///
/// # Errors
/// Those of [`Screen::open`] and [`Screen::serve`].
pub fn run(args: &ScreenArgs) -> Result<()> {
    let runtime =
        tokio::runtime::Runtime::new().map_err(DemoError::io("start the async runtime"))?;
    let screen = Screen::open(args)?;
    runtime.block_on(async {
        let listener = TcpListener::bind(&args.listen)
            .await
            .map_err(DemoError::io("listen for the phone screen"))?;
        let address = listener
            .local_addr()
            .map_err(DemoError::io("read the address"))?;
        announce(&format!("phone http://{address}"));
        screen
            .serve(listener, async {
                // Without a signal handler the process ends by the signal itself.
                let _ = tokio::signal::ctrl_c().await;
            })
            .await
    })
}

#[expect(
    clippy::print_stdout,
    reason = "the address is what the command is for"
)]
fn announce(line: &str) {
    println!("{line}");
}

/// A real app unseals a random key from the device's keystore. The demo has none, so its key follows
/// from the phone's name and protects nothing.
fn demo_key(label: &str) -> Secret32 {
    Secret32::new(
        satchel_core::protocol::crypto::sha256(&[b"satchel-demo-key\0", label.as_bytes()]).0,
    )
}
