//! The smallest client that can keep a connection busy: it must cost less than what it measures.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Failure;

/// One kept connection.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) first_byte: Duration,
    pub(super) total_bytes: usize,
    pub(super) body: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(address: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; 64 * 1_024],
        })
    }

    /// Sends one request and reads the whole answer.
    pub(super) async fn ask(&mut self, request: &str) -> Result<Answer, Failure> {
        let begin = Instant::now();
        self.stream.write_all(request.as_bytes()).await?;
        let (mut got, mut first_byte, mut whole) = (Vec::new(), Duration::ZERO, None);
        while whole.is_none_or(|n| got.len() < n) {
            let n = self.stream.read(&mut self.buffer).await?;
            if n == 0 {
                return Err("the hub closed the connection".into());
            }
            if got.is_empty() {
                first_byte = begin.elapsed();
            }
            got.extend_from_slice(self.buffer.get(..n).unwrap_or_default());
            if whole.is_none() {
                whole = length(&got);
            }
        }
        let status = std::str::from_utf8(got.get(9..12).unwrap_or_default())?.parse()?;
        let head = head_end(&got).unwrap_or(0);
        Ok(Answer {
            status,
            first_byte,
            total_bytes: got.len(),
            body: got.split_off(head),
        })
    }
}

fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .map(|at| at + 4)
}

/// Bytes of head and body, once the head is there. Every answer of the hub has a length.
fn length(bytes: &[u8]) -> Option<usize> {
    let end = head_end(bytes)?;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let body = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, n)| n.trim().parse::<usize>().ok())
        .unwrap_or(0);
    Some(end + body)
}

/// Any other status is a failed bench, not a slow one.
pub(super) fn answered(answer: &Answer, status: u16) -> Result<(), Failure> {
    if answer.status == status {
        Ok(())
    } else {
        Err(format!("status {} where {status} was expected", answer.status).into())
    }
}
