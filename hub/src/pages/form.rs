//! Forms that may carry pictures: read under limits, pictures made harmless one by one as they come, and nothing kept
//! before somebody has judged the form.
//!
//! Anybody may send them, so they have room of their own: one file of each form is in memory at a time, so many in all,
//! and a part of that for each address. What does not come in time gives its room back.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use axum::extract::Form;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::rejection::FormRejection;
use axum::http::{HeaderMap, header};
use satchel_protocol::ids::Hash32;
use satchel_protocol::limits;
use satchel_protocol::taxonomy::CareReason;
use tokio::time::{Instant, timeout_at};

use crate::api::unread::NotHeard;
use crate::care::picture::{self, MAX_FILE_BYTES, MAX_FILES, Picture};
use crate::error::HubError;
use crate::hub::Hub;
use crate::i18n::{Care, Lang};
use crate::pages::cases::reason_words;
use crate::space::{Space, Taken};
use crate::visitor::{Deed, Visitor};

/// All pictures and room for the words.
pub(crate) const MAX_BYTES: usize = MAX_FILES * MAX_FILE_BYTES + 64 * 1_024;
/// A form without pictures takes no more: a comment at its limit, every character written as `%XX%XX%XX`, and room.
pub(crate) const WORDS_BYTES: usize = 64 * 1_024;
/// Longest that nothing of a form may come.
pub(super) const SILENT_WITHIN: Duration = Duration::from_secs(20);
/// Longest that a form may take, four photos on a poor line.
const WITHIN: Duration = Duration::from_secs(5 * 60);
/// Longest wait for room.
const PATIENCE: Duration = Duration::from_secs(5);
/// Files in memory at a time, in KB: eight of the largest, two of them of one address.
static ROOM: LazyLock<Space<[u8; 8]>> = LazyLock::new(|| Space::new(8 * FILE_KB, 2 * FILE_KB));
const FILE_KB: u32 = 12 * 1_024;
const _: () = assert!(FILE_KB as usize * 1_024 == MAX_FILE_BYTES);
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
    /// Clean pictures that are kept nowhere yet.
    pictures: Vec<Picture>,
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
    /// There is no room for it now, or it did not come in time.
    NotThrough,
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
    headers: &HeaderMap,
    form: Multipart,
) -> Result<Given, Refused> {
    let _room = room(visitor, headers).await?;
    fields(form, Some((hub, visitor))).await
}

/// Reads a form that has no place for pictures.
pub(super) async fn read_words(form: Multipart) -> Result<Given, Refused> {
    fields(form, None).await
}

async fn fields(mut form: Multipart, pictures: Option<(&Hub, &Visitor)>) -> Result<Given, Refused> {
    let end = Instant::now() + WITHIN;
    let mut given = Given::default();
    for _ in 0..MAX_FIELDS {
        let Some(mut field) = in_time(end, form.next_field()).await? else {
            break;
        };
        let name = field.name().unwrap_or_default().to_owned();
        if let Some((hub, visitor)) = pictures.filter(|_| name == "photos") {
            let bytes = bounded(end, &mut field, MAX_FILE_BYTES).await?;
            if !bytes.is_empty() {
                let picture = clean(hub, visitor, &given, bytes).await?;
                given.pictures.push(picture);
            }
        } else {
            let bytes = bounded(end, &mut field, MAX_FIELD_BYTES).await?;
            let text = String::from_utf8(bytes).map_err(|_| Refused::Malformed)?;
            given.fields.insert(name, text);
        }
    }
    Ok(given)
}

/// Room for the largest file that a form may carry, if it is long enough to carry any.
async fn room(visitor: &Visitor, headers: &HeaderMap) -> Result<Option<Taken<[u8; 8]>>, Refused> {
    let announced = headers.get(header::CONTENT_LENGTH);
    let announced: Option<usize> = announced.and_then(|v| v.to_str().ok()?.parse().ok());
    let bytes = announced.unwrap_or(MAX_FILE_BYTES).min(MAX_FILE_BYTES);
    if bytes <= WORDS_BYTES {
        return Ok(None);
    }
    let kb = u32::try_from(bytes.div_ceil(1_024)).unwrap_or(FILE_KB);
    let taken = ROOM.take(visitor.net, kb, PATIENCE).await;
    taken.map(Some).ok_or(Refused::NotThrough)
}

async fn clean(
    hub: &Hub,
    visitor: &Visitor,
    given: &Given,
    bytes: Vec<u8>,
) -> Result<Picture, Refused> {
    if given.pictures.len() >= MAX_FILES {
        return Err(Refused::Picture);
    }
    if !hub.limits().allow(visitor.net, Deed::Picture, hub.now_ms()) {
        return Err(Refused::TooOften);
    }
    picture::cleaned(bytes).await?.ok_or(Refused::Picture)
}

async fn bounded(end: Instant, field: &mut Field<'_>, limit: usize) -> Result<Vec<u8>, Refused> {
    let mut bytes = Vec::new();
    while let Some(chunk) = in_time(end, field.chunk()).await? {
        if bytes.len() + chunk.len() > limit {
            return Err(Refused::Malformed);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The next piece of a form, if it comes before long, and before `end`.
async fn in_time<T>(
    end: Instant,
    piece: impl Future<Output = Result<T, MultipartError>>,
) -> Result<T, Refused> {
    match timeout_at(end.min(Instant::now() + SILENT_WITHIN), piece).await {
        Ok(Err(error)) if NotHeard::is_behind(&error) => Err(Refused::NotThrough),
        Ok(piece) => piece.map_err(|_| Refused::Malformed),
        Err(_) => Err(Refused::NotThrough),
    }
}

/// What a form without pictures says, nothing where it says it wrongly; `None` where there was no room for it, or it did
/// not come in time.
pub(super) fn heard<T: Default>(form: Result<Form<T>, FormRejection>) -> Option<T> {
    match form {
        Err(error) if NotHeard::is_behind(&error) => None,
        read => Some(read.map(|Form(given)| given).unwrap_or_default()),
    }
}

impl Given {
    /// A form without pictures.
    pub(super) fn plain(fields: HashMap<String, String>) -> Self {
        Self {
            fields,
            pictures: Vec::new(),
        }
    }

    /// Stores the pictures: the form is accepted.
    pub(super) async fn keep_pictures(&self, hub: &Hub) -> Result<Vec<(Hash32, usize)>, HubError> {
        picture::keep(hub, &self.pictures).await
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
