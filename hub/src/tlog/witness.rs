//! Asking witnesses for their cosignature (C2SP `tlog-witness`, the log's side).
//!
//! A witness is somebody else's program that remembers one checkpoint per log and cosigns only what grew
//! out of it. With its line under a checkpoint the hub's operator cannot have shown another tree to others
//! without the witness taking part; that is why a witness must not be run by him (threat 23).

use std::time::Duration;

use data_encoding::BASE64;
use satchel_protocol::tlog::{Note, NoteSignature, Vkey, cosigned_at};

use super::{DAMAGED, Tree};
use crate::error::HubError;
use crate::hub::Hub;

/// A witness that does not answer must not hold up checkpoints.
const PATIENCE: Duration = Duration::from_secs(10);
/// A cosignature line is about 150 bytes.
const MAX_ANSWER_BYTES: u64 = 16 * 1_024;

/// A witness and the key it is believed by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Its submission prefix.
    pub url: String,
    /// Its name and key.
    pub vkey: Vkey,
}

impl std::str::FromStr for Witness {
    type Err = BadWitness;

    /// `URL=VKEY`, as on the command line.
    fn from_str(text: &str) -> Result<Self, BadWitness> {
        let (url, vkey) = text.split_once('=').ok_or(BadWitness)?;
        let http = url.starts_with("https://") || url.starts_with("http://");
        let vkey = vkey.parse().map_err(|_| BadWitness)?;
        http.then(|| Self {
            url: url.trim_end_matches('/').to_owned(),
            vkey,
        })
        .ok_or(BadWitness)
    }
}

/// Not a witness's address and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a witness is given as URL=NAME+HASH+KEY")]
pub struct BadWitness;

/// What came of asking.
enum Answer {
    Cosigned(String),
    /// The witness knows another size than we thought.
    Knows(u64),
    Refused(u16),
    Silent,
}

/// Adds the cosignatures of all witnesses that give one.
pub(crate) async fn collect(hub: &Hub, tree: &mut Tree, note: &mut Note) -> Result<(), HubError> {
    for witness in &hub.config().witnesses {
        let mut known = known_size(hub, witness, tree.log_no).await?;
        for _ in 0..2 {
            let mut tx = hub.db().read().begin().await?;
            let proof = tree.consistency(&mut tx, known, tree.size).await?;
            drop(tx);
            let mut body = format!("old {known}\n");
            for hash in proof {
                body.push_str(&BASE64.encode(&hash.0));
                body.push('\n');
            }
            body.push_str(&format!("\n{note}"));
            match ask(witness.url.clone(), body).await {
                Answer::Cosigned(lines) => {
                    take(note, witness, &lines);
                    set_known_size(hub, witness, tree).await?;
                    break;
                }
                Answer::Knows(size) if size <= tree.size && size != known => known = size,
                Answer::Knows(_) => {
                    tracing::warn!(witness = witness.vkey.name, "a witness knows a longer log");
                    break;
                }
                Answer::Refused(status) => {
                    tracing::warn!(witness = witness.vkey.name, status, "a witness refuses");
                    break;
                }
                Answer::Silent => {
                    tracing::warn!(witness = witness.vkey.name, "a witness does not answer");
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Takes over the lines that verify.
fn take(note: &mut Note, witness: &Witness, lines: &str) {
    for line in lines.lines() {
        let Ok(signature) = line.parse::<NoteSignature>() else {
            continue;
        };
        let mut with = note.clone();
        with.signatures.push(signature);
        if cosigned_at(&with, &witness.vkey).is_ok() {
            *note = with;
            return;
        }
    }
    tracing::warn!(
        witness = witness.vkey.name,
        "a witness's line does not verify"
    );
}

async fn ask(url: String, body: String) -> Answer {
    // The client blocks; a checkpoint a minute needs no other.
    tokio::task::spawn_blocking(move || post(&url, &body))
        .await
        .unwrap_or(Answer::Silent)
}

fn post(url: &str, body: &str) -> Answer {
    let agent = super::agent(PATIENCE);
    let Ok(mut response) = agent.post(format!("{url}/add-checkpoint")).send(body) else {
        return Answer::Silent;
    };
    let status = response.status().as_u16();
    let Ok(text) = response
        .body_mut()
        .with_config()
        .limit(MAX_ANSWER_BYTES)
        .read_to_string()
    else {
        return Answer::Silent;
    };
    match (status, text.trim().parse()) {
        (200, _) => Answer::Cosigned(text),
        (409, Ok(size)) => Answer::Knows(size),
        _ => Answer::Refused(status),
    }
}

async fn known_size(hub: &Hub, witness: &Witness, log_no: u32) -> Result<u64, HubError> {
    let size: Option<i64> =
        sqlx::query_scalar("SELECT size FROM tlog_witness WHERE vkey = ? AND log_no = ?")
            .bind(witness.vkey.to_string())
            .bind(log_no)
            .fetch_optional(hub.db().read())
            .await?;
    u64::try_from(size.unwrap_or(0)).map_err(|_| DAMAGED)
}

async fn set_known_size(hub: &Hub, witness: &Witness, tree: &Tree) -> Result<(), HubError> {
    let mut tx = hub.db().write().await?;
    sqlx::query(
        "INSERT INTO tlog_witness (vkey, log_no, size) VALUES (?, ?, ?) \
         ON CONFLICT (vkey, log_no) DO UPDATE SET size = excluded.size",
    )
    .bind(witness.vkey.to_string())
    .bind(tree.log_no)
    .bind(i64::try_from(tree.size).map_err(|_| DAMAGED)?)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}
