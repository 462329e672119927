//! The customers: they open the rating page a QR leads to and send its form, over HTTP as a browser
//! does, whether the attempt has reached the hub or not.

use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

use crate::day::words::COMMENTS;
use crate::error::{DemoError, Result};
use crate::seed;

const TIMEOUT: Duration = Duration::from_secs(20);
const TAGS: &[&str] = &[
    "tag_polite",
    "tag_proactive",
    "tag_patient",
    "tag_to_address",
];

/// What one customer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// 1 to 5.
    pub stars: u8,
    /// A tag's form field, ticked or not.
    pub tag: Option<&'static str>,
    /// Words.
    pub comment: Option<String>,
    /// Sends the form a second time, as impatient fingers do.
    pub twice: bool,
}

impl Opinion {
    /// The opinion on one parcel.
    #[must_use]
    pub fn of(day_seed: u64, parcel: &str) -> Self {
        let mut rng = seed::rng(day_seed, &format!("opinion/{parcel}"));
        let stars = match rng.random_range(0..20_u8) {
            0 => 1,
            1 => 2,
            2 | 3 => 3,
            4..=8 => 4,
            _ => 5,
        };
        Self {
            stars,
            tag: rng.random_bool(0.5).then(|| tag(&mut rng)),
            comment: COMMENTS
                .choose(&mut rng)
                .filter(|words| !words.is_empty())
                .map(|words| (*words).to_owned()),
            twice: rng.random_bool(0.15),
        }
    }
}

fn tag(rng: &mut StdRng) -> &'static str {
    TAGS.choose(rng).copied().unwrap_or("tag_polite")
}

/// A customer's browser.
#[derive(Debug)]
pub struct Browser {
    agent: ureq::Agent,
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl Browser {
    /// A browser that shows redirects instead of following them.
    #[must_use]
    pub fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(TIMEOUT))
            .build();
        Self {
            agent: config.new_agent(),
        }
    }

    /// Whether the page behind a QR offers its form.
    ///
    /// # Errors
    /// When the hub does not answer.
    pub fn open(&self, url: &str) -> Result<bool> {
        let mut answer = self
            .agent
            .get(as_typed(url))
            .header("accept-language", "zh-CN,zh;q=0.9")
            .call()
            .map_err(boxed)?;
        let page = answer.body_mut().read_to_string().map_err(boxed)?;
        Ok(answer.status() == 200 && page.contains("<form") && page.contains("name=\"stars\""))
    }

    /// Sends the form. `true` when the hub says thanks, `false` when it shows the neutral page.
    ///
    /// # Errors
    /// When the hub does not answer.
    pub fn rate(&self, url: &str, opinion: &Opinion) -> Result<bool> {
        let url = as_typed(url);
        let stars = opinion.stars.to_string();
        let comment = opinion.comment.as_deref().unwrap_or_default();
        let mut form = vec![
            ("stars", stars.as_str()),
            ("attitude", &stars),
            ("comment", comment),
        ];
        form.extend(opinion.tag.map(|tag| (tag, "1")));
        let answer = self
            .agent
            .post(&url)
            .header("origin", origin(&url))
            .send_form(form)
            .map_err(boxed)?;
        let thanks = answer
            .headers()
            .get("location")
            .and_then(|to| to.to_str().ok())
            .is_some_and(|to| to.starts_with("/thanks"));
        Ok(answer.status() == 303 && thanks)
    }
}

/// A QR holds upper case only; browsers write scheme and host in lower case before they ask.
fn as_typed(url: &str) -> String {
    let start = origin(url).len();
    let (origin, path) = url.split_at_checked(start).unwrap_or((url, ""));
    format!("{}{path}", origin.to_ascii_lowercase())
}

fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url
        .get(host..)
        .and_then(|rest| rest.find('/'))
        .map_or(url.len(), |slash| host + slash);
    url.get(..end).unwrap_or(url)
}

fn boxed(error: ureq::Error) -> DemoError {
    DemoError::Browser(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_origin_is_lowered() {
        assert_eq!(as_typed("HTTP://127.0.0.1:80/AB"), "http://127.0.0.1:80/AB");
        assert_eq!(origin("http://h:1/AB"), "http://h:1");
        assert_eq!(as_typed("HTTPS://H"), "https://h");
    }

    #[test]
    fn opinions_repeat_and_differ() {
        assert_eq!(Opinion::of(1, "a"), Opinion::of(1, "a"));
        let stars: std::collections::HashSet<u8> = (0..100)
            .map(|n| Opinion::of(1, &n.to_string()).stars)
            .collect();
        assert!(stars.len() >= 4);
    }
}
