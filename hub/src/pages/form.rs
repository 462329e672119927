//! Forms that may carry pictures: read under limits, pictures made harmless before anything is kept.

use std::collections::HashMap;

use axum::extract::multipart::{Field, Multipart};
use satchel_protocol::ids::Hash32;
use satchel_protocol::limits;
use satchel_protocol::taxonomy::CareReason;

use crate::care::picture::{self, MAX_FILE_BYTES, MAX_FILES};
use crate::error::HubError;
use crate::hub::Hub;
use crate::i18n::{Care, Lang};
use crate::pages::cases::reason_words;
use crate::visitor::{Deed, Visitor};

/// All pictures and room for the words.
pub(crate) const MAX_BYTES: usize = MAX_FILES * MAX_FILE_BYTES + 64 * 1_024;
/// More fields than any form of ours has.
const MAX_FIELDS: usize = 24;
/// A comment at its limit in UTF-8, and room.
const MAX_FIELD_BYTES: usize = 4 * limits::MAX_TEXT_CHARS + 512;
const MAX_CONTACT_CHARS: usize = 100;
const CHANNELS: [&str; 5] = ["page", "phone", "wechat", "sms", "email"];

/// What a form brought.
#[derive(Debug, Default)]
pub(super) struct Given {
    fields: HashMap<String, String>,
    /// Pictures that lie cleaned in the store.
    pub(super) pictures: Vec<(Hash32, usize)>,
}

/// Why a form is not taken.
#[derive(Debug)]
pub(super) enum Refused {
    /// Cut off, too large, or not a form.
    Malformed,
    /// A file that is no picture.
    Picture,
    /// Too many pictures from there.
    TooOften,
    Failed(HubError),
}

impl From<HubError> for Refused {
    fn from(error: HubError) -> Self {
        Self::Failed(error)
    }
}

/// Reads a form that may carry pictures.
pub(super) async fn read(
    hub: &Hub,
    visitor: &Visitor,
    mut form: Multipart,
) -> Result<Given, Refused> {
    let mut given = Given::default();
    let mut files = Vec::new();
    for _ in 0..MAX_FIELDS {
        let Some(mut field) = form.next_field().await.map_err(|_| Refused::Malformed)? else {
            break;
        };
        let name = field.name().unwrap_or_default().to_owned();
        if name == "photos" {
            let bytes = bounded(&mut field, MAX_FILE_BYTES).await?;
            if !bytes.is_empty() {
                files.push(bytes);
            }
        } else {
            let bytes = bounded(&mut field, MAX_FIELD_BYTES).await?;
            let text = String::from_utf8(bytes).map_err(|_| Refused::Malformed)?;
            given.fields.insert(name, text);
        }
    }
    if files.len() > MAX_FILES {
        return Err(Refused::Picture);
    }
    for file in files {
        if !hub.limits().allow(visitor.net, Deed::Picture, hub.now_ms()) {
            return Err(Refused::TooOften);
        }
        let kept = picture::keep(hub, file).await?;
        given.pictures.push(kept.ok_or(Refused::Picture)?);
    }
    Ok(given)
}

async fn bounded(field: &mut Field<'_>, limit: usize) -> Result<Vec<u8>, Refused> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|_| Refused::Malformed)? {
        if bytes.len() + chunk.len() > limit {
            return Err(Refused::Malformed);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

impl Given {
    /// A form without pictures.
    pub(super) fn plain(fields: HashMap<String, String>) -> Self {
        Self {
            fields,
            pictures: Vec::new(),
        }
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |v| v.trim())
    }

    /// A person's words, without control characters; `None` when there are none or too many.
    pub(super) fn words(&self, max_chars: usize) -> Option<String> {
        let words: String = self
            .get("words")
            .chars()
            .filter(|c| !c.is_control() || *c == '\n')
            .collect();
        (1..=max_chars)
            .contains(&words.chars().count())
            .then_some(words)
    }

    pub(super) fn reason(&self) -> Option<CareReason> {
        CareReason::from_code(self.get("reason")).ok()
    }

    /// How the customer wants to be reached, and where.
    pub(super) fn channel(&self) -> (String, String) {
        let wish = self.get("channel");
        let channel = CHANNELS.into_iter().find(|c| *c == wish).unwrap_or("page");
        let contact = self
            .get("contact")
            .chars()
            .filter(|c| !c.is_control())
            .take(MAX_CONTACT_CHARS)
            .collect();
        (channel.to_owned(), contact)
    }
}

/// The reasons of a complaint, with the likely one chosen.
pub(super) fn reasons(
    lang: Lang,
    chosen: Option<CareReason>,
) -> Vec<(&'static str, &'static str, bool)> {
    CareReason::ALL
        .iter()
        .map(|r| (r.code(), reason_words(lang, *r), chosen == Some(*r)))
        .collect()
}

/// The problem to show for a refused form, or the failure.
pub(super) fn problem(c: &'static Care, refused: Refused) -> Result<&'static str, Refused> {
    match refused {
        Refused::Malformed | Refused::Picture => Ok(c.bad_photo),
        other => Err(other),
    }
}
