//! The page's calls beside the attempt: consents, calls, reports, corrections.
//!
//! They go through the same facade an app uses, so that the page cannot do what an app could not.

use axum::Json;
use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::routing::{get, post};
use satchel_core::Courier;
use satchel_core::model::consent::{ConsentInput, EvidenceInput};
use satchel_core::model::day::{CallInput, ReportInput};
use satchel_core::model::history::{CorrectionInput, HistoryLine};
use satchel_core::protocol::ids::{AttemptId, ParcelId, StopId};
use satchel_core::protocol::taxonomy::{
    Action, CallResult, ConsentRule, Giver, HandoffKind, Reason,
};
use satchel_core::rules::consent::Standing;
use satchel_core::rules::transitions::{Correction, EventId, EventKind, Origin, Verdict};
use satchel_core::rules::wording::Wording as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Screen;
use super::api::{Answer, parse, with_core};
use super::finish::FinishSignature;
use super::words::{Refused, word};

pub(super) fn router() -> Router<Screen> {
    Router::new()
        .route("/api/stops/{id}/consents", get(consents).post(consent))
        .route("/api/stops/{id}/consents/withdraw", post(withdraw))
        .route("/api/stops/{id}/calls", post(call))
        .route("/api/stops/{id}/reports", post(report))
        .route("/api/parcels/{id}/history", get(history))
        .route("/api/parcels/{id}/correct", post(correct))
        .route("/api/parcels/{id}/drafts", post(draft))
        .route("/api/parcels/{id}/appeal", post(appeal))
}

#[derive(Deserialize)]
struct Appeal {
    words: String,
}

async fn appeal(
    State(screen): State<Screen>,
    UrlPath(id): UrlPath<String>,
    Json(told): Json<Appeal>,
) -> Answer {
    let parcel: ParcelId = parse(&id)?;
    let answer = with_core(&screen, move |core| {
        let made = core.appeal(parcel, &told.words)?;
        Ok(Json(json!({ "words": made.words })))
    })
    .await?;
    screen.courier.request_sync();
    screen.host.wake();
    Ok(answer)
}

async fn consents(State(screen): State<Screen>, UrlPath(id): UrlPath<String>) -> Answer {
    let stop: StopId = parse(&id)?;
    with_core(&screen, move |core| {
        let all: Vec<Value> = core
            .consents(stop)?
            .into_iter()
            .map(|consent| {
                json!({
                    "consent_id": consent.consent_id,
                    "scope": consent.scope.iter().map(|h| word!(*h)).collect::<Vec<_>>(),
                    "channel": word!(consent.channel),
                    "withdrawn": consent.standing == Standing::Withdrawn,
                    "valid": consent.standing == Standing::Valid,
                })
            })
            .collect();
        Ok(Json(json!({ "consents": all })))
    })
    .await
}

#[derive(Deserialize)]
struct NewConsent {
    handoff: String,
    channel: String,
    #[serde(default)]
    duration_s: u32,
    message: Option<String>,
    signature: Option<FinishSignature>,
    code: Option<String>,
    named_person: Option<String>,
    place: Option<String>,
}

async fn consent(
    State(screen): State<Screen>,
    UrlPath(id): UrlPath<String>,
    Json(new): Json<NewConsent>,
) -> Answer {
    let stop: StopId = parse(&id)?;
    let handoff = HandoffKind::from_code(&new.handoff).map_err(|_| Refused::malformed())?;
    with_core(&screen, move |core| {
        let evidence = evidence(core, stop, new.channel.as_str(), &new)?;
        let view = core.record_consent(&ConsentInput {
            stop,
            parcels: vec![],
            scope: vec![handoff],
            giver: if handoff.consent() == ConsentRule::SenderInstruction {
                Giver::Sender
            } else {
                Giver::Recipient
            },
            named_person: text(new.named_person),
            place: text(new.place),
            evidence,
            expires_at_ms: None,
        })?;
        Ok(Json(json!({ "consent_id": view.consent_id })))
    })
    .await
}

/// What the courier has to show for it. A call is logged first: the consent names its entry.
fn evidence(
    core: &Courier,
    stop: StopId,
    channel: &str,
    new: &NewConsent,
) -> Result<EvidenceInput, Refused> {
    let number = core.stop(stop)?.recipient_phone;
    Ok(match channel {
        "call" => {
            let call = core.log_call(&CallInput {
                stop,
                number,
                virtual_number: false,
                result: CallResult::Answered,
                duration_s: new.duration_s,
                call_id: None,
            })?;
            EvidenceInput::Call { seq: call.seq }
        }
        "sms" => EvidenceInput::Message {
            text: new.message.clone().unwrap_or_default(),
            number,
        },
        "signature" => EvidenceInput::Signature(
            new.signature
                .clone()
                .ok_or_else(Refused::malformed)?
                .into_input(),
        ),
        "code" => {
            for parcel in core.stop(stop)?.parcels {
                core.enter_code(parcel.parcel_id, new.code.as_deref().unwrap_or_default())?;
            }
            EvidenceInput::Code
        }
        _ => return Err(Refused::malformed()),
    })
}

#[derive(Deserialize)]
struct Withdraw {
    consent_id: String,
}

async fn withdraw(
    State(screen): State<Screen>,
    UrlPath(id): UrlPath<String>,
    Json(input): Json<Withdraw>,
) -> Answer {
    let stop: StopId = parse(&id)?;
    with_core(&screen, move |core| {
        core.withdraw_consent(&input.consent_id, Some(stop))?;
        Ok(Json(json!({})))
    })
    .await
}

#[derive(Deserialize)]
struct NewCall {
    result: String,
    #[serde(default)]
    duration_s: u32,
}

async fn call(
    State(screen): State<Screen>,
    UrlPath(id): UrlPath<String>,
    Json(input): Json<NewCall>,
) -> Answer {
    let stop: StopId = parse(&id)?;
    let result = CallResult::from_code(&input.result).map_err(|_| Refused::malformed())?;
    with_core(&screen, move |core| {
        core.log_call(&CallInput {
            stop,
            number: core.stop(stop)?.recipient_phone,
            virtual_number: false,
            result,
            duration_s: input.duration_s,
            call_id: None,
        })?;
        Ok(Json(json!({ "calls": core.calls(stop)?.len() })))
    })
    .await
}

#[derive(Deserialize)]
struct NewReport {
    reason: String,
    words: Option<String>,
    parcels: Vec<String>,
}

async fn report(
    State(screen): State<Screen>,
    UrlPath(id): UrlPath<String>,
    Json(input): Json<NewReport>,
) -> Answer {
    let stop: StopId = parse(&id)?;
    let reason = Reason::from_code(&input.reason).map_err(|_| Refused::malformed())?;
    let parcels = input
        .parcels
        .iter()
        .map(|parcel| parse::<ParcelId>(parcel))
        .collect::<Result<_, _>>()?;
    with_core(&screen, move |core| {
        let taken = core.report(&ReportInput {
            draft: None,
            stop: Some(stop),
            parcels,
            reason,
            words: text(input.words),
            fix: None,
        })?;
        let remedies: Vec<Value> = taken
            .remedies
            .iter()
            .map(|remedy| {
                json!({
                    "action": word!(remedy.action),
                    "needs": remedy.needs.iter().map(|need| word!(*need)).collect::<Vec<_>>(),
                })
            })
            .collect();
        Ok(Json(json!({
            "text": { "zh": taken.text.zh, "en": taken.text.en },
            "owes_photo": taken.owes_photo,
            "remedies": remedies,
        })))
    })
    .await
}

async fn history(State(screen): State<Screen>, UrlPath(id): UrlPath<String>) -> Answer {
    let parcel: ParcelId = parse(&id)?;
    with_core(&screen, move |core| {
        let view = core.parcel(parcel)?;
        let lines = core.history(parcel)?;
        let last = lines
            .iter()
            .rev()
            .find(|line| matches!(line.verdict, Verdict::Moved { .. }))
            .map(|line| line.event.id);
        Ok(Json(json!({
            "state": word!(view.state),
            "flags": view.flags.iter().map(|flag| { let text = flag.text(); json!({ "zh": text.zh, "en": text.en }) }).collect::<Vec<_>>(),
            "lines": lines.iter().map(|one| line(one, Some(one.event.id) == last)).collect::<Vec<_>>(),
        })))
    })
    .await
}

fn line(line: &HistoryLine, is_last: bool) -> Value {
    let text = line.event.kind.text();
    let who = match (line.event.id.origin, line.here) {
        (Origin::Hub, _) => ("服务器", "hub"),
        (_, true) => ("本机", "this phone"),
        _ => ("另一部手机", "another phone"),
    };
    // What is offered is only what the page shows; the core decides again.
    let mut can: Vec<&str> = Vec::new();
    if line.here && is_last && matches!(line.verdict, Verdict::Moved { .. }) {
        can.extend(["undo", "reopen"]);
        if matches!(line.event.kind, EventKind::Failed { .. }) {
            can.push("wrong_reason");
        }
        can.push("late_proof");
    }
    json!({
        "id": line.event.id.to_string(),
        "at_ms": line.event.at_ms,
        "zh": text.zh,
        "en": text.en,
        "who": { "zh": who.0, "en": who.1 },
        "words": line.words,
        "photos": line.proofs.len(),
        "late": line.late,
        "effect": match line.verdict {
            Verdict::Moved { .. } => "moved",
            Verdict::Holds => "holds",
            Verdict::TakenBack { .. } => "taken_back",
            Verdict::NoEffect(_) => "no_effect",
        },
        "can": can,
    })
}

#[derive(Deserialize)]
struct NewCorrection {
    of: Option<String>,
    kind: String,
    words: Option<String>,
    reason: Option<String>,
    action: Option<String>,
    attempt_id: Option<String>,
}

async fn correct(
    State(screen): State<Screen>,
    UrlPath(id): UrlPath<String>,
    Json(input): Json<NewCorrection>,
) -> Answer {
    let parcel: ParcelId = parse(&id)?;
    let correction = match input.kind.as_str() {
        "undo" => Correction::Undo,
        "reopen" => Correction::Reopen,
        "late_proof" => Correction::LateProof,
        "wrong_reason" => Correction::WrongReason {
            reason: Reason::from_code(input.reason.as_deref().unwrap_or_default())
                .map_err(|_| Refused::malformed())?,
            action: Action::from_code(input.action.as_deref().unwrap_or_default())
                .map_err(|_| Refused::malformed())?,
        },
        _ => return Err(Refused::malformed()),
    };
    let of = input.of.as_deref().map(parse::<EventId>).transpose()?;
    let draft = input
        .attempt_id
        .as_deref()
        .map(parse::<AttemptId>)
        .transpose()?;
    let answer = with_core(&screen, move |core| {
        core.correct(&CorrectionInput {
            parcel,
            of,
            correction,
            words: text(input.words),
            draft,
        })?;
        Ok(Json(json!({})))
    })
    .await?;
    screen.host.wake();
    Ok(answer)
}

async fn draft(State(screen): State<Screen>, UrlPath(id): UrlPath<String>) -> Answer {
    let parcel: ParcelId = parse(&id)?;
    with_core(&screen, move |core| {
        Ok(Json(
            json!({ "attempt_id": core.begin_correction(parcel)? }),
        ))
    })
    .await
}

fn text(input: Option<String>) -> Option<String> {
    input.filter(|text| !text.trim().is_empty())
}
