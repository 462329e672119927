//! A hub in another process: the hub in memory behind a local socket, so that a phone's process can be shot
//! while its hub lives on.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use satchel_core::sync::task::{HttpTask, Purpose, TaskOutcome};
use serde::{Deserialize, Serialize};

use crate::link::Transport;
use crate::toy_hub::ToyHub;

/// Largest message; a test's photos are small.
const MAX_BYTES: u32 = 16 * 1_024 * 1_024;

#[derive(Serialize, Deserialize)]
struct Asked {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    max_answer_bytes: usize,
}

#[derive(Serialize, Deserialize)]
enum Told {
    Response(u16, Vec<(String, String)>, Vec<u8>),
    Failed,
}

/// Serves `hub` until the process ends. Gives the address.
///
/// # Errors
/// When no socket can be had.
pub fn serve(hub: Arc<ToyHub>) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let at = listener.local_addr()?;
    std::thread::spawn(move || {
        for line in listener.incoming().flatten() {
            // One phone at a time; whatever breaks is the end of its line, not of the hub.
            let _ = talk(&hub, line);
        }
    });
    Ok(at)
}

fn talk(hub: &ToyHub, mut line: TcpStream) -> std::io::Result<()> {
    loop {
        let asked: Asked = receive(&mut line)?;
        let method = ["GET", "HEAD", "POST", "PATCH", "DELETE", "PUT"]
            .into_iter()
            .find(|m| *m == asked.method)
            .ok_or(std::io::ErrorKind::InvalidData)?;
        let task = HttpTask {
            id: String::new(),
            purpose: Purpose::Log,
            upload: None,
            method,
            url: asked.url,
            headers: asked.headers,
            body: asked.body,
            max_answer_bytes: asked.max_answer_bytes,
        };
        let told = match hub.send(&task) {
            Some(TaskOutcome::Response {
                status,
                headers,
                body,
            }) => Told::Response(status, headers, body),
            _ => Told::Failed,
        };
        send(&mut line, &told)?;
    }
}

/// The phone's end.
pub struct RemoteHub(SocketAddr);

impl RemoteHub {
    /// A hub that [`serve`] serves there.
    #[must_use]
    pub const fn new(at: SocketAddr) -> Self {
        Self(at)
    }

    fn ask(&self, task: &HttpTask) -> std::io::Result<Told> {
        let mut line = TcpStream::connect(self.0)?;
        let asked = Asked {
            method: task.method.to_owned(),
            url: task.url.clone(),
            headers: task.headers.clone(),
            body: task.body.clone(),
            max_answer_bytes: task.max_answer_bytes,
        };
        send(&mut line, &asked)?;
        receive(&mut line)
    }
}

impl Transport for RemoteHub {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        Some(match self.ask(task) {
            Ok(Told::Response(status, headers, body)) => TaskOutcome::Response {
                status,
                headers,
                body,
            },
            Ok(Told::Failed) | Err(_) => TaskOutcome::Failed,
        })
    }
}

fn send(line: &mut TcpStream, what: &impl Serialize) -> std::io::Result<()> {
    let bytes = serde_json::to_vec(what)?;
    let length = u32::try_from(bytes.len()).map_err(|_| std::io::ErrorKind::InvalidData)?;
    line.write_all(&length.to_be_bytes())?;
    line.write_all(&bytes)
}

fn receive<T: for<'a> Deserialize<'a>>(line: &mut TcpStream) -> std::io::Result<T> {
    let mut length = [0; 4];
    line.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > MAX_BYTES {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length as usize];
    line.read_exact(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}
