//! `satchel-witness`: remembers how far a hub's transparency log had grown, and cosigns only what grew out
//! of that (C2SP `tlog-witness`).
//!
//! It is for people who are not the hub's operator: a works council, an insurer, a court's clerk. It needs
//! one small folder, learns nothing but sizes and hashes, and its line under a checkpoint means that the
//! hub cannot have shown another past to anybody else. It works for any log that speaks `tlog-checkpoint`.

// A command line speaks on standard output; everything else goes through tracing to standard error.
#![allow(clippy::print_stdout)]

mod memory;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use clap::Parser;
use data_encoding::BASE64;
use ed25519_dalek::SigningKey;
use satchel_protocol::ids::Hash32;
use satchel_protocol::tlog::{
    Checkpoint, MAX_NOTE_BYTES, Note, SigType, Vkey, cosign, verify_consistency,
};

use memory::{Memory, MemoryError, Seen};

/// A note, 63 lines of proof, and the first line.
const MAX_BODY_BYTES: usize = MAX_NOTE_BYTES + 64 * 46;

/// Cosigns the checkpoints of transparency logs that only grow.
#[derive(Debug, Parser)]
#[command(name = "satchel-witness", version)]
struct Args {
    /// Where the witness keeps its key and what it has seen. Made if missing.
    #[arg(long)]
    data: PathBuf,
    /// The witness's name in its signatures, an address without scheme such as witness.example.org/w1.
    #[arg(long)]
    name: String,
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// A log it watches, by its verifier key; give one for each log.
    #[arg(long = "log", required = true)]
    logs: Vec<Vkey>,
}

struct Witness {
    name: String,
    key: SigningKey,
    logs: Vec<Vkey>,
    memory: Mutex<Memory>,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), MemoryError> {
    let (memory, key) = Memory::open(&args.data)?;
    let vkey = Vkey {
        name: args.name.clone(),
        sig_type: SigType::Cosignature,
        key: key.verifying_key(),
    };
    let witness = Arc::new(Witness {
        name: args.name,
        key,
        logs: args.logs,
        memory: Mutex::new(memory),
    });
    let told = format!("{vkey}\n");
    let router = Router::new()
        .route("/key", get(move || async move { told }))
        .route("/add-checkpoint", post(add))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(witness);
    let listener = tokio::net::TcpListener::bind(args.listen).await?;
    println!("{vkey}");
    println!("listening http://{}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}

async fn add(State(witness): State<Arc<Witness>>, body: String) -> Response {
    match judge(&witness, &body) {
        Ok(line) => line.into_response(),
        Err(Refusal::Knows(size)) => (
            StatusCode::CONFLICT,
            [(header::CONTENT_TYPE, "text/x.tlog.size")],
            format!("{size}\n"),
        )
            .into_response(),
        Err(Refusal::Status(status)) => status.into_response(),
    }
}

enum Refusal {
    /// The log is known at this size.
    Knows(u64),
    Status(StatusCode),
}

impl From<StatusCode> for Refusal {
    fn from(status: StatusCode) -> Self {
        Self::Status(status)
    }
}

/// What the request says, before anything of it is believed.
struct Asked {
    old: u64,
    proof: Vec<Hash32>,
    note: Note,
}

fn read(body: &str) -> Option<Asked> {
    let (head, note) = body.split_once("\n\n")?;
    let mut lines = head.split('\n');
    let number = lines.next()?.strip_prefix("old ")?;
    let old: u64 = number.parse().ok()?;
    let proof = lines
        .map(|line| Hash32::try_from(BASE64.decode(line.as_bytes()).ok()?.as_slice()).ok())
        .collect::<Option<Vec<_>>>()?;
    (old.to_string() == number && proof.len() <= 63).then_some(())?;
    Some(Asked {
        old,
        proof,
        note: Note::parse(note).ok()?,
    })
}

/// The witness's line, or why there is none. What was seen is on disk before the line leaves.
fn judge(witness: &Witness, body: &str) -> Result<String, Refusal> {
    let asked = read(body).ok_or(StatusCode::BAD_REQUEST)?;
    let claimed = Checkpoint::parse(&asked.note.text).map_err(|_| StatusCode::BAD_REQUEST)?;
    let mut keys = witness.logs.iter().filter(|k| k.name == claimed.origin);
    let checkpoint = match keys.clone().count() {
        0 => return Err(StatusCode::NOT_FOUND.into()),
        _ => keys
            .find_map(|key| Checkpoint::open(&asked.note, key).ok())
            .ok_or(StatusCode::FORBIDDEN)?,
    };
    if asked.old > checkpoint.size {
        return Err(StatusCode::BAD_REQUEST.into());
    }
    // Held over the whole judgement: two requests must not pass each other between look and write.
    let mut memory = witness
        .memory
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let seen = memory.seen(&checkpoint.origin);
    let known = seen.as_ref().map_or(0, |s| s.size);
    if asked.old != known {
        return Err(Refusal::Knows(known));
    }
    if let Some(seen) = &seen {
        if seen.size == checkpoint.size && seen.root != checkpoint.root {
            tracing::error!(
                origin = checkpoint.origin,
                size = seen.size,
                "two trees of one size: the log is forked"
            );
            return Err(Refusal::Knows(known));
        }
        if seen.size > 0 {
            let grew = verify_consistency(
                seen.size,
                checkpoint.size,
                &asked.proof,
                seen.root,
                checkpoint.root,
            );
            if let Err(error) = grew {
                tracing::error!(origin = checkpoint.origin, %error, "the log did not grow");
                return Err(StatusCode::UNPROCESSABLE_ENTITY.into());
            }
        }
    }
    let seen = Seen {
        size: checkpoint.size,
        root: checkpoint.root,
        note: asked.note.to_string(),
    };
    memory.keep(&checkpoint.origin, seen).map_err(|error| {
        tracing::error!(%error, "what was seen cannot be kept");
        StatusCode::INTERNAL_SERVER_ERROR
    })?;
    drop(memory);
    let time_s = now_s().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(cosign(&asked.note, &witness.name, &witness.key, time_s).to_string())
}

/// A witness's own clock is the point of its signature; there is nobody to inject another.
#[allow(clippy::disallowed_methods)]
fn now_s() -> Option<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}
