//! HTTP requests counted on the wire: a line `METHOD /path HTTP/1.1`, wherever the chunks are cut. A websocket
//! is one request, whatever goes over it.

/// Longer request lines are not counted: no library here sends one.
const LINE_BYTES: usize = 8 * 1_024;
const METHODS: [&[u8]; 7] = [
    b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS",
];

/// One connection's way up.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// The line that has begun.
    line: Vec<u8>,
}

impl Requests {
    /// Requests whose line ends in this chunk.
    pub(super) fn begun_in(&mut self, chunk: &[u8]) -> u64 {
        let mut begun = 0;
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            // Bodies have no lines, or long ones: what is too long is remembered by its end alone, for a body that
            // does not end with a line break is followed at once by the next request's line.
            let part = part.get(part.len().saturating_sub(LINE_BYTES)..);
            self.line.extend_from_slice(part.unwrap_or_default());
            let surplus = self.line.len().saturating_sub(LINE_BYTES);
            self.line.drain(..surplus);
            if self.line.ends_with(b"\n") {
                begun += u64::from(is_request(&self.line));
                self.line.clear();
            }
        }
        begun
    }
}

fn is_request(line: &[u8]) -> bool {
    let Some(line) = line.strip_suffix(b" HTTP/1.1\r\n") else {
        return false;
    };
    let mut words = line.rsplitn(2, |byte| *byte == b' ');
    let (path, before) = (words.next(), words.next());
    path.is_some_and(|path| path.starts_with(b"/"))
        && before.is_some_and(|before| METHODS.iter().any(|m| before.ends_with(m)))
}

#[cfg(test)]
mod tests {
    use super::{LINE_BYTES, Requests};

    const TWO: &str = "POST /push HTTP/1.1\r\nhost: a\r\ncontent-length: 24\r\n\r\n{\"note\":\"at / HTTP/1.1\"}\
        GET /pull/1000?a=b HTTP/1.1\r\nhost: a\r\n\r\n";

    #[test]
    fn requests_are_counted_wherever_the_chunks_are_cut() {
        for size in 1..TWO.len() {
            let mut requests = Requests::default();
            let begun: u64 = TWO
                .as_bytes()
                .chunks(size)
                .map(|c| requests.begun_in(c))
                .sum();
            assert_eq!(begun, 2, "cut every {size} bytes");
        }
    }

    #[test]
    fn a_long_body_without_lines_hides_no_request_and_is_not_kept() {
        let mut requests = Requests::default();
        let body = vec![b'x'; 5 * LINE_BYTES];
        assert_eq!(requests.begun_in(&body), 0);
        assert!(requests.line.len() <= LINE_BYTES);
        assert_eq!(requests.begun_in(TWO.as_bytes()), 2);
    }

    #[test]
    fn answers_headers_and_text_are_no_requests() {
        let mut requests = Requests::default();
        let others = b"HTTP/1.1 200 OK\r\nvia: a /b HTTP/1.1\r\nsay / HTTP/1.1\r\n";
        assert_eq!(requests.begun_in(others), 0);
    }
}
