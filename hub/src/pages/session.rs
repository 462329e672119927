//! Who may see the board: a session cookie, got from a link that works once.

use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use satchel_protocol::token::base32;
use serde::Deserialize;

use crate::error::HubError;
use crate::hub::Hub;
use crate::i18n::Lang;
use crate::pages::customer::from_another_site;
use crate::pages::{fault, lang_of, notice, private};
use crate::people::token_hash;
use crate::store::sessions;

/// One shift; afterwards a new link.
const SESSION_TTL_MS: i64 = 12 * 3_600 * 1_000;

/// A person with a valid session, and the language they read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BoardUser {
    pub(crate) lang: Lang,
}

#[derive(Debug, Deserialize)]
struct LangQuery {
    lang: Option<String>,
}

impl FromRequestParts<Hub> for BoardUser {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Response> {
        let wish = Query::<LangQuery>::try_from_uri(&parts.uri)
            .ok()
            .and_then(|q| q.0.lang);
        let kept = cookie(&parts.headers, LANG_COOKIE);
        let lang = lang_of(wish.as_deref().or(kept), &parts.headers);
        match is_valid(hub, &parts.headers).await {
            Ok(true) => Ok(Self { lang }),
            Ok(false) => {
                let t = lang.texts();
                Err(notice(
                    StatusCode::UNAUTHORIZED,
                    lang,
                    t.login_title,
                    t.login_body,
                ))
            }
            Err(error) => Err(fault(lang, &error)),
        }
    }
}

/// Remembers the language chosen on the board; holds nothing else.
pub(crate) const LANG_COOKIE: &str = "satchel_lang";

async fn is_valid(hub: &Hub, headers: &HeaderMap) -> Result<bool, HubError> {
    let Some(token) = cookie(headers, session_cookie(hub)) else {
        return Ok(false);
    };
    sessions::session_is_valid(hub.db().read(), &token_hash(token), hub.now_ms()).await
}

/// With TLS the name itself makes browsers insist on `Secure`, `Path=/` and no `Domain`.
fn session_cookie(hub: &Hub) -> &'static str {
    if is_tls(hub) {
        "__Host-satchel_board"
    } else {
        "satchel_board"
    }
}

pub(crate) fn is_tls(hub: &Hub) -> bool {
    hub.public_url().starts_with("https://")
}

pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// `GET /board/login/{token}`: uses the link up and starts a session.
pub(crate) async fn login(
    State(hub): State<Hub>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let lang = lang_of(None, &headers);
    let t = lang.texts();
    match start_session(&hub, &token.to_ascii_uppercase()).await {
        Ok(Some(session)) => {
            let secure = if is_tls(&hub) { "; Secure" } else { "" };
            let value = format!(
                "{}={session}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{secure}",
                session_cookie(&hub),
                SESSION_TTL_MS / 1_000
            );
            to_board(&value)
        }
        Ok(None) => notice(StatusCode::NOT_FOUND, lang, t.dead_title, t.login_body),
        Err(error) => fault(lang, &error),
    }
}

async fn start_session(hub: &Hub, token: &str) -> Result<Option<String>, HubError> {
    let session = base32(&hub.draw::<20>()?);
    let now_ms = hub.now_ms();
    let mut tx = hub.db().write().await?;
    if !sessions::use_link(&mut tx, &token_hash(token), now_ms).await? {
        return Ok(None);
    }
    let expires_at_ms = now_ms.saturating_add(SESSION_TTL_MS);
    sessions::add_session(&mut tx, &token_hash(&session), now_ms, expires_at_ms).await?;
    tx.commit().await?;
    tracing::info!("board session started");
    Ok(Some(session))
}

/// `POST /board/logout`.
pub(crate) async fn logout(
    State(hub): State<Hub>,
    user: BoardUser,
    headers: HeaderMap,
) -> Response {
    if from_another_site(&hub, &headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let name = session_cookie(&hub);
    let ended = async {
        let Some(token) = cookie(&headers, name) else {
            return Ok(());
        };
        let mut tx = hub.db().write().await?;
        sessions::end_session(&mut tx, &token_hash(token)).await?;
        tx.commit().await?;
        Ok(())
    };
    match ended.await {
        Ok(()) => to_board(&format!(
            "{name}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
        )),
        Err(error) => fault(user.lang, &error),
    }
}

fn to_board(set_cookie: &str) -> Response {
    let mut answer = StatusCode::SEE_OTHER.into_response();
    let headers = answer.headers_mut();
    headers.insert(header::LOCATION, HeaderValue::from_static("/board"));
    if let Ok(value) = HeaderValue::from_str(set_cookie) {
        headers.append(header::SET_COOKIE, value);
    }
    private(headers);
    answer
}
