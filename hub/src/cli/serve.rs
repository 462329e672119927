//! `serve`: the listener, the clock and the ways to stop.

use std::io::BufRead;
use std::sync::Arc;

use satchel_hub::{Clock, Hub, HubConfig, SimClock, SystemClock};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::{CliError, ServeArgs, URL_FILE};

pub(super) async fn serve(args: ServeArgs) -> Result<(), CliError> {
    satchel_hub::open_many();
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(CliError::io("listen"))?;
    let local = listener.local_addr().map_err(CliError::io("listen"))?;
    let url = args
        .place
        .public_url
        .clone()
        .unwrap_or_else(|| format!("http://{local}"));
    let mut config = HubConfig::new(&args.place.data, url);
    config.complaint_contact = args.complaint_contact;
    config.witnesses = args.witnesses;
    config.timestamp_url = args.timestamp_url;
    config.require_hardware_key = args.require_hardware_key;
    config.lease_ms = args.lease_hours.map(|hours| hours * 3_600_000);
    config.behind_proxy = args.behind_proxy;
    config.utc_offset_min = args.utc_offset_min;
    let input_ended = Arc::new(Notify::new());
    if args.clock_stdin {
        let clock = Arc::new(SimClock::flowing(SystemClock.now_ms()));
        config.clock = clock.clone();
        follow_stdin(clock, Arc::clone(&input_ended));
    }
    let hub = Hub::open(config).await?;
    std::fs::write(args.place.data.join(URL_FILE), hub.public_url())
        .map_err(CliError::io("remember the public URL"))?;
    println!("listening http://{local}");
    tracing::info!(%local, public_url = hub.public_url(), "hub is up");
    hub.serve(listener, stop(input_ended)).await?;
    tracing::info!("hub is down");
    Ok(())
}

/// Reads the clock on a thread of its own: a blocked read must not keep the process from ending.
fn follow_stdin(clock: Arc<SimClock>, ended: Arc<Notify>) {
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            let time = line
                .trim()
                .strip_prefix("clock ")
                .and_then(|ms| ms.trim().parse().ok());
            match time {
                Some(unix_ms) => {
                    clock.set(unix_ms);
                    // Tells whoever plays the day that requests of that time will be accepted.
                    println!("clock {unix_ms}");
                }
                None => tracing::warn!("standard input: expected `clock UNIX_MS`"),
            }
        }
        ended.notify_one();
    });
}

/// Ctrl-C, SIGTERM, or the end of the clock's input.
async fn stop(input_ended: Arc<Notify>) {
    let ctrl_c = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = ctrl_c => {}
        () = terminated() => {}
        () = input_ended.notified() => {}
    }
    tracing::info!("stopping");
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut term) => {
            term.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
