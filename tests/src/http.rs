//! A transport to a real hub: exactly what the task says, over HTTP.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use satchel_core::sync::task::{HttpTask, TaskOutcome};
use ureq::config::AutoHeaderValue;

use crate::link::Transport;

/// Sends tasks with a plain HTTP client that follows no redirect.
pub struct HttpTransport {
    agent: ureq::Agent,
}

impl HttpTransport {
    /// Gives up on a request after `timeout`.
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(timeout))
            .allow_non_standard_methods(true)
            // The host adds only what HTTP must have.
            .user_agent(AutoHeaderValue::None)
            .accept(AutoHeaderValue::None)
            .build()
            .into();
        Self { agent }
    }
}

impl Transport for HttpTransport {
    fn send(&self, task: &HttpTask) -> Option<TaskOutcome> {
        let mut request = ureq::http::Request::builder()
            .method(task.method)
            .uri(&task.url);
        for (name, value) in &task.headers {
            request = request.header(name, value);
        }
        let sent = match task.method {
            "GET" | "HEAD" => self.agent.run(request.body(()).unwrap()),
            _ => self.agent.run(request.body(task.body.clone()).unwrap()),
        };
        let Ok(mut answer) = sent else {
            return Some(TaskOutcome::Failed);
        };
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .filter_map(|(n, v)| Some((n.to_string(), v.to_str().ok()?.to_owned())))
            .collect();
        let body = answer
            .body_mut()
            .with_config()
            .limit(task.max_answer_bytes as u64)
            .read_to_vec();
        Some(match body {
            Ok(body) => TaskOutcome::Response {
                status,
                headers,
                body,
            },
            Err(_) => TaskOutcome::Failed,
        })
    }

    /// The request as an HTTP client would write it, up to the cut.
    fn send_cut(&self, task: &HttpTask, bytes: usize) {
        let Some((host, path)) = task
            .url
            .strip_prefix("http://")
            .and_then(|rest| rest.split_at_checked(rest.find('/')?))
        else {
            return;
        };
        let mut head = format!(
            "{} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n",
            task.method,
            task.body.len()
        );
        for (name, value) in &task.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        if let Ok(mut line) = TcpStream::connect(host) {
            // The other side may have hung up already; it is cut either way.
            let _ = line.write_all(head.as_bytes());
            let _ = line.write_all(&task.body[..bytes]);
            let _ = line.flush();
            // A line that breaks has been there for a while: what was sent has arrived.
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}
