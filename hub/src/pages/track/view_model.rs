//! A tracked parcel in the words of its page. Names, addresses and numbers are masked here.

use chrono::{DateTime, FixedOffset};
use satchel_protocol::ids::Handle;
use satchel_protocol::mask;
use satchel_protocol::taxonomy::HandoffKind;

use crate::care;
use crate::choices::{self, HANDOFFS, leaves_the_door};
use crate::error::HubError;
use crate::hub::Hub;
use crate::i18n::{Care, Lang};
use crate::import::Contents;
use crate::mask::waybill_tail;
use crate::pages::view;
use crate::shares::{self, Link};
use crate::tracking::{Attempt, Tracked};

/// How long a proof link opens: long enough to send it on, too short to lie around.
const PROOF_TTL_MS: i64 = 24 * 3_600 * 1_000;

pub(super) struct EtaView {
    pub(super) window: String,
    pub(super) stops: String,
    pub(super) age: String,
}

pub(super) struct PlaceView {
    pub(super) words: String,
    pub(super) age: String,
}

pub(super) struct Line {
    pub(super) when: String,
    pub(super) what: String,
    pub(super) words: String,
}

pub(super) struct ProofView {
    pub(super) what: String,
    pub(super) when: String,
    pub(super) how: String,
    pub(super) signer: Option<String>,
    pub(super) proofs: i64,
    pub(super) hash: String,
}

type Choice = (&'static str, &'static str, bool);

pub(super) struct ParcelView {
    pub(super) waybill_tail: String,
    pub(super) state: String,
    pub(super) open: bool,
    pub(super) elsewhere: bool,
    pub(super) recipient: String,
    pub(super) address: String,
    pub(super) promise: String,
    pub(super) promised_by: String,
    pub(super) method: String,
    pub(super) goods: String,
    pub(super) eta: Option<EtaView>,
    pub(super) place: Option<PlaceView>,
    pub(super) history: Vec<Line>,
    pub(super) proof: Option<String>,
    pub(super) cases: Vec<(String, String)>,
    pub(super) door_required: bool,
    pub(super) chosen: Option<String>,
    pub(super) handoffs: Vec<Choice>,
    pub(super) wishes: Vec<Choice>,
    pub(super) wish: Option<String>,
    pub(super) time_wish: Option<String>,
    pub(super) booked: Option<String>,
    pub(super) today: String,
}

/// Goods, pieces, weight and fee, as far as they are known (Art 25).
fn goods(c: &Care, contents: &Contents) -> String {
    let part = |words: &str, value: Option<String>| value.map(|v| words.replace("%n", &v));
    let parts = [
        contents.goods.clone(),
        part(c.goods_pieces, contents.pieces.map(|n| n.to_string())),
        part(
            c.goods_weight,
            contents
                .weight_g
                .map(|g| format!("{}.{:03}", g / 1_000, g % 1_000)),
        ),
        part(
            c.goods_fee,
            contents
                .fee_fen
                .map(|fen| format!("{}.{:02}", fen / 100, fen % 100)),
        ),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

impl ParcelView {
    pub(super) async fn of(
        hub: &Hub,
        lang: Lang,
        handle: Handle,
        p: &Tracked,
    ) -> Result<Self, HubError> {
        let (c, offset) = (lang.care(), hub.config().utc_offset_min);
        let chosen = choices::last(hub, p.parcel, "handoff").await?;
        let code = |value: &str| value.split(' ').next().unwrap_or_default().to_owned();
        let chosen_code = chosen.as_deref().map(code);
        let wish = choices::last(hub, p.parcel, "standing").await?;
        let cases = care::of_parcel(hub, p.parcel).await?;
        Ok(Self {
            waybill_tail: waybill_tail(&p.waybill),
            state: state(lang, p),
            open: p.is_open(),
            elsewhere: p.is_elsewhere(),
            recipient: mask::name(&p.recipient_name),
            address: mask::address(&p.address),
            promise: view::promise_class(&p.promise_class, lang),
            promised_by: view::minute(p.promised_by_ms, offset),
            method: match &chosen {
                Some(value) => chosen_words(c, value),
                None => c.fact_method_default.to_owned(),
            },
            goods: goods(c, &p.contents),
            eta: eta(hub, lang, p),
            place: p.place.map(|place| PlaceView {
                words: c.where_km.replace("%n", &place.km.to_string()),
                age: c
                    .eta_age
                    .replace("%a", &view::span(place.age_ms.max(60_000), lang)),
            }),
            history: p.attempts.iter().map(|a| line(a, lang, offset)).collect(),
            proof: (!p.attempts.is_empty()).then(|| proof_path(hub, handle)),
            cases: cases
                .into_iter()
                .map(|case| (case.path(hub), case.number))
                .collect(),
            door_required: p.door_required,
            handoffs: HANDOFFS
                .into_iter()
                .filter(|k| !(p.door_required && leaves_the_door(*k)))
                .map(|k| {
                    (
                        k.code(),
                        words(c, k),
                        chosen_code.as_deref() == Some(k.code()),
                    )
                })
                .collect(),
            wishes: HANDOFFS
                .into_iter()
                .map(|k| (k.code(), words(c, k), false))
                .collect(),
            chosen: chosen.as_deref().map(|value| chosen_words(c, value)),
            wish: wish.as_deref().map(|value| chosen_words(c, value)),
            time_wish: choices::last(hub, p.parcel, "time").await?,
            booked: choices::last(hub, p.parcel, "book").await?,
            today: day(hub, hub.now_ms()),
        })
    }
}

/// The local date, `YYYY-MM-DD`.
pub(super) fn day(hub: &Hub, ms: i64) -> String {
    let zone = FixedOffset::east_opt(hub.config().utc_offset_min.saturating_mul(60));
    match (DateTime::from_timestamp_millis(ms), zone) {
        (Some(t), Some(zone)) => t.with_timezone(&zone).date_naive().to_string(),
        _ => String::new(),
    }
}

fn words(c: &'static Care, kind: HandoffKind) -> &'static str {
    match kind {
        HandoffKind::LeaveAtDoor => c.choice_door,
        HandoffKind::Neighbour => c.choice_neighbour,
        HandoffKind::Guard => c.choice_guard,
        HandoffKind::Station => c.choice_station,
        HandoffKind::Locker => c.choice_locker,
        _ => c.choice_self,
    }
}

/// A stored choice: its code, and whom or where in the customer's own words.
fn chosen_words(c: &'static Care, value: &str) -> String {
    let (code, whom) = value.split_once(' ').unwrap_or((value, ""));
    let what = HandoffKind::from_code(code).map_or(c.choice_self, |k| words(c, k));
    if whom.is_empty() {
        what.to_owned()
    } else {
        format!("{what} ({whom})")
    }
}

fn state(lang: Lang, p: &Tracked) -> String {
    let c = lang.care();
    match p.attempts.last() {
        Some(last) if !p.is_open() => view::outcome(&last.outcome, lang),
        Some(last) => format!(
            "{} · {}",
            c.state_on_way,
            view::outcome(&last.outcome, lang)
        ),
        None if p.given_out => c.state_on_way.to_owned(),
        None => c.state_waiting.to_owned(),
    }
}

fn eta(hub: &Hub, lang: Lang, p: &Tracked) -> Option<EtaView> {
    let (eta, c) = (p.eta?, lang.care());
    let offset = hub.config().utc_offset_min;
    let to = view::minute(eta.to_ms, offset);
    Some(EtaView {
        window: format!(
            "{}–{}",
            view::minute(eta.from_ms, offset),
            to.get(6..).unwrap_or(&to)
        ),
        stops: c.eta_stops.replace("%n", &eta.stops_before.to_string()),
        age: c
            .eta_age
            .replace("%a", &view::span(eta.age_ms.max(60_000), lang)),
    })
}

fn line(a: &Attempt, lang: Lang, offset: i32) -> Line {
    let words = match &a.reason {
        Some(reason) => view::reason(reason, lang),
        None => view::handoff(&a.handoff, lang),
    };
    Line {
        when: view::minute(a.occurred_at_ms, offset),
        what: view::outcome(&a.outcome, lang),
        words,
    }
}

fn proof_path(hub: &Hub, handle: Handle) -> String {
    let until_ms = hub.now_ms().saturating_add(PROOF_TTL_MS);
    let payload = [&handle.0[..], &until_ms.to_be_bytes()].concat();
    format!("/p/{}", shares::seal(hub, Link::Proof, &payload))
}

/// The parcel of a proof link that has not run out.
pub(super) fn read_proof_link(hub: &Hub, link: &str) -> Option<Handle> {
    let payload: [u8; 16] = shares::unseal(hub, Link::Proof, link)?;
    let (handle, until) = payload.split_first_chunk::<8>()?;
    let until_ms = i64::from_be_bytes(until.try_into().ok()?);
    (hub.now_ms() <= until_ms).then_some(Handle(*handle))
}

/// The attempts as proof, signers masked.
pub(super) fn proofs(hub: &Hub, lang: Lang, p: &Tracked) -> Vec<ProofView> {
    let offset = hub.config().utc_offset_min;
    p.attempts
        .iter()
        .map(|a| ProofView {
            what: view::outcome(&a.outcome, lang),
            when: view::minute(a.occurred_at_ms, offset),
            how: view::handoff(&a.handoff, lang),
            signer: a.signer_name.as_deref().map(|name| {
                let relation = a.relation.as_deref().map(|r| view::relation(r, lang));
                match relation {
                    Some(relation) => format!("{} ({relation})", mask::name(name)),
                    None => mask::name(name),
                }
            }),
            proofs: a.proofs,
            hash: a.hash.to_string(),
        })
        .collect()
}
