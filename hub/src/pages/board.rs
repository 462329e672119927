//! The board: what came in, with its proofs; ratings; what needs a person. Personal data is masked.

mod care;
mod data;
mod detail;
mod doubts;
mod reports;
mod story;
mod want;

pub(crate) use care::{cases, judge, work};
pub(crate) use doubts::{doubts, judge as judge_doubt};
pub(crate) use reports::{answer, reports, step};
pub(crate) use want::want;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;

use crate::error::HubError;
use crate::hub::Hub;
use crate::i18n::{Lang, Texts};
use crate::pages::session::{BoardUser, LANG_COOKIE};
use crate::pages::{Style, fault, notice, page, view};
use data::{AlarmLine, Counts, ParcelLine, RatingLine};

/// Rows on one page.
pub(crate) const PAGE_ROWS: i64 = 50;

/// Which page, which language.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct BoardQuery {
    page: Option<i64>,
    lang: Option<String>,
}

/// What every page of the board shows around its content.
struct Frame {
    t: &'static Texts,
    lang: Lang,
    css: &'static str,
    zone: String,
    counts: Counts,
    /// Path of the page, for the language switch and paging.
    path: String,
}

/// Where one is in a long list.
#[derive(Clone, Copy)]
struct Paging {
    page: i64,
    pages: i64,
}

impl Paging {
    fn new(wish: Option<i64>, rows: i64) -> Self {
        let pages = rows.div_euclid(PAGE_ROWS) + i64::from(rows.rem_euclid(PAGE_ROWS) > 0);
        let pages = pages.max(1);
        Self {
            page: wish.unwrap_or(1).clamp(1, pages),
            pages,
        }
    }

    fn skip(&self) -> i64 {
        (self.page - 1) * PAGE_ROWS
    }
}

#[derive(Template)]
#[template(path = "board_parcels.html")]
struct ParcelsPage {
    f: Frame,
    rows: Vec<ParcelLine>,
    paging: Paging,
}

#[derive(Template)]
#[template(path = "board_ratings.html")]
struct RatingsPage {
    f: Frame,
    rows: Vec<RatingLine>,
    paging: Paging,
}

#[derive(Template)]
#[template(path = "board_alarms.html")]
struct AlarmsPage {
    f: Frame,
    rows: Vec<AlarmLine>,
}

#[derive(Template)]
#[template(path = "board_parcel.html")]
struct ParcelPage {
    f: Frame,
    parcel: ParcelLine,
    promised: String,
    flags: Vec<&'static str>,
    story: Vec<story::StoryLine>,
    attempts: Vec<detail::AttemptDetail>,
    ratings: Vec<RatingLine>,
}

/// `GET /board`.
pub(crate) async fn parcels(
    State(hub): State<Hub>,
    user: BoardUser,
    Query(query): Query<BoardQuery>,
) -> Response {
    let made = async {
        let f = frame(&hub, user, "/board").await?;
        let paging = Paging::new(query.page, f.counts.parcels);
        let rows = data::parcels(&hub, user.lang, paging.skip()).await?;
        Ok(ParcelsPage { f, rows, paging })
    };
    show(user.lang, &query, made.await)
}

/// `GET /board/ratings`, newest first.
pub(crate) async fn ratings(
    State(hub): State<Hub>,
    user: BoardUser,
    Query(query): Query<BoardQuery>,
) -> Response {
    let made = async {
        let f = frame(&hub, user, "/board/ratings").await?;
        let paging = Paging::new(query.page, f.counts.ratings);
        let rows = data::ratings(&hub, user.lang, None, paging.skip()).await?;
        Ok(RatingsPage { f, rows, paging })
    };
    show(user.lang, &query, made.await)
}

/// `GET /board/alarms`.
pub(crate) async fn alarms(
    State(hub): State<Hub>,
    user: BoardUser,
    Query(query): Query<BoardQuery>,
) -> Response {
    let made = async {
        let f = frame(&hub, user, "/board/alarms").await?;
        let rows = data::alarms(&hub, user.lang).await?;
        Ok(AlarmsPage { f, rows })
    };
    show(user.lang, &query, made.await)
}

/// `GET /board/parcels/{id}`.
pub(crate) async fn parcel(
    State(hub): State<Hub>,
    user: BoardUser,
    Path(id): Path<String>,
    Query(query): Query<BoardQuery>,
) -> Response {
    let found = async {
        let Ok(id) = id.parse() else { return Ok(None) };
        let Some(parcel) = data::parcel(&hub, user.lang, id).await? else {
            return Ok(None);
        };
        let f = frame(&hub, user, &format!("/board/parcels/{id}")).await?;
        let promised = view::time(parcel.promised_by_ms, hub.config().utc_offset_min);
        let flags = data::parcel_alarms(&hub, user.lang, id).await?;
        let story = story::story(&hub, user.lang, id).await?;
        let attempts = detail::attempts(&hub, user.lang, id).await?;
        let ratings = data::ratings(&hub, user.lang, Some(id), 0).await?;
        Ok(Some(ParcelPage {
            f,
            parcel,
            promised,
            flags,
            story,
            attempts,
            ratings,
        }))
    };
    match found.await {
        Ok(Some(made)) => show(user.lang, &query, Ok(made)),
        Ok(None) => {
            let t = user.lang.texts();
            notice(StatusCode::NOT_FOUND, user.lang, t.dead_title, t.none_yet)
        }
        Err(error) => fault(user.lang, &error),
    }
}

async fn frame(hub: &Hub, user: BoardUser, path: &str) -> Result<Frame, HubError> {
    Ok(Frame {
        t: user.lang.texts(),
        lang: user.lang,
        css: Style::Board.css(),
        zone: view::zone(hub.config().utc_offset_min),
        counts: data::counts(hub).await?,
        path: path.to_owned(),
    })
}

fn show(lang: Lang, query: &BoardQuery, made: Result<impl Template, HubError>) -> Response {
    let mut answer = match made {
        Ok(template) => page(StatusCode::OK, Style::Board, &template),
        Err(error) => return fault(lang, &error),
    };
    if query.lang.is_some() {
        let cookie = format!("{LANG_COOKIE}={}; Path=/board; SameSite=Strict", lang.tag());
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            answer.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paging_stays_inside_the_list() {
        let p = |wish, rows| {
            let p = Paging::new(wish, rows);
            (p.page, p.pages, p.skip())
        };
        assert_eq!(p(None, 0), (1, 1, 0));
        assert_eq!(p(Some(2), 51), (2, 2, 50));
        assert_eq!(p(Some(99), 100), (2, 2, 50));
        assert_eq!(p(Some(-5), 100), (1, 2, 0));
    }
}
