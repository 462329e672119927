// The route as a list, next stop on top. It shows what the core says of each stop and nothing else.

import { h } from "./dom.js";
import { lang, of, span, t } from "./text.js";
import { routeMap } from "./map.js";

const now = () => Date.now();

function promise(stop) {
  if (!stop.promised_by_ms || stop.state === "done") return null;
  const left = stop.promised_by_ms - now();
  return left >= 0
    ? h("span", { class: left < 3_600_000 ? "clock soon" : "clock" }, t("left", span(left)))
    : h("span", { class: "clock late" }, t("late", span(-left)));
}

export function badge(stop) {
  return h("span", { class: `badge ${stop.sync}`, "data-testid": "sync-badge", "data-sync": stop.sync }, t(`sync_${stop.sync}`));
}

/** What the customer said and what it counts for, with the way to object to it. */
function stars(parcel, actions) {
  const rating = parcel.rating;
  const filled = "★".repeat(rating.stars) + "☆".repeat(5 - rating.stars);
  const items = rating.items.map((n, i) => (n ? t("item_rated", t(`rated_${i}`), n) : null)).filter(Boolean);
  return h("div", { class: "rating", "data-testid": "rating", "data-stars": rating.stars, "data-class": rating.class?.code ?? "" },
    h("span", { role: "img", "aria-label": t("stars", rating.stars) }, filled),
    h("span", { class: "facts" },
      rating.class ? h("span", { class: "chip" }, of(rating.class)) : null,
      rating.tags.map((tag) => h("span", { class: "chip" }, t(`tag_${tag}`)))),
    items.length ? h("small", {}, items.join(" · ")) : null,
    rating.comment ? h("q", {}, rating.comment) : null,
    rating.flags.map((flag) => h("small", {}, of(flag))),
    rating.hidden ? h("small", {}, t("words_hidden", rating.hidden)) : null,
    rating.appeal ? appealed(rating.appeal)
      : h("button", { type: "button", class: "quiet", "data-testid": "appeal", onclick: () => actions.appeal(parcel) }, t("appeal")));
}

function appealed(appeal) {
  return h("small", { "data-testid": "appealed", "data-case": appeal.case ?? "" }, t("appealed", appeal.words),
    appeal.case ? ` · ${t("case", appeal.case)}` : null,
    appeal.answer ? h("b", { "data-testid": "appeal-answer" }, ` · ${t("answer", appeal.answer)}`) : null);
}

/** A form of its own, so that news from the hub does not wipe what is being typed. */
export function appealView(parcel, actions) {
  const words = h("textarea", { maxlength: 2000, required: true, rows: 4, "aria-label": t("appeal_words"), "data-testid": "appeal-words" });
  return h("form", { class: "appeal", onsubmit: (event) => { event.preventDefault(); actions.sendAppeal(parcel.parcel_id, words.value); } },
    h("h2", {}, t("appeal_words")),
    h("p", {}, "★".repeat(parcel.rating.stars), parcel.rating.comment ? h("q", {}, parcel.rating.comment) : null),
    words,
    h("button", { class: "main", "data-testid": "send-appeal" }, t("send_appeal")),
    h("button", { type: "button", class: "quiet wide", onclick: actions.back }, t("back")));
}

function tags(stop) {
  const all = new Map(stop.parcels.flatMap((parcel) => parcel.tags).map((tag) => [tag.code, tag]));
  const chips = [...all.values()].map((tag) => h("span", { class: "chip" }, of(tag)));
  if (stop.parcels.some((parcel) => parcel.door_required)) chips.push(h("span", { class: "chip strong" }, t("door")));
  return chips;
}

const clock = (ms) => new Date(ms).toLocaleTimeString(lang() === "zh" ? "zh-CN" : "en-GB", { hour: "2-digit", minute: "2-digit" });

const plannedStop = (stop, plan) => (stop.state === "done" ? null : plan?.stops.find((one) => one.stop_id === stop.stop_id) ?? null);

/** When the courier will be there, as an honest window. */
function expected(stop, plan) {
  const planned = plannedStop(stop, plan);
  if (!planned) return null;
  return [h("span", { class: "chip", "data-testid": "eta" }, t("eta", clock(planned.eta_from_ms), clock(planned.eta_to_ms))),
    planned.predicted_late ? h("span", { class: "chip strong", "data-testid": "late" }, planned.lateness_ms > 0 ? t("will_be_late_by", span(planned.lateness_ms)) : t("will_be_late")) : null];
}

/** Why the stop is where it is: one line, the numbers behind it, and what the courier may wish instead. */
function reasons(stop, plan, actions) {
  const planned = plannedStop(stop, plan);
  if (!planned) return null;
  const facts = [t("arrival", clock(planned.arrival_ms))];
  if (planned.wait_ms > 0) facts.push(t("wait", span(planned.wait_ms)));
  facts.push(t("service", span(planned.service_ms)));
  if (planned.lateness_ms > 0) facts.push(t("lateness", span(planned.lateness_ms)));
  else if (planned.slack_ms !== null) facts.push(t("slack", span(planned.slack_ms)));
  const button = (event, words) => h("button", { type: "button", class: "quiet", "data-testid": event, onclick: () => actions.replan({ event, stop_id: stop.stop_id }) }, t(words));
  return h("details", { class: "why", "data-testid": "why", "data-why": planned.why.code },
    h("summary", {}, of(planned.why)),
    h("p", {}, facts.join(" · ")),
    h("p", {}, button("first", "do_first"), " ", button("set_aside", "set_aside")));
}

/** What a re-plan changed, in the courier's terms. */
function changes(plan) {
  const said = [];
  if (plan.pairs_known) said.push(t("kept", plan.pairs_kept, plan.pairs_known));
  for (const what of ["added", "dropped", "moved", "newly_late", "no_longer_late"]) {
    if (plan.change[what].length) said.push(t(`change_${what}`, plan.change[what].length));
  }
  return said;
}

/** What the plan gained, drawn, and the ways to have another. */
function planned(plan, actions) {
  if (!plan?.stops.length) return null;
  const km = (m) => (m / 1000).toFixed(1);
  const words = [t("planned", km(plan.distance_before_m), km(plan.distance_m))];
  if (plan.completion_ms < plan.completion_before_ms) words.push(t("sooner", span(plan.completion_before_ms - plan.completion_ms)));
  if (plan.lateness < plan.lateness_before) words.push(t("less_late"));
  const said = changes(plan);
  const again = (told, words, id) => h("button", { type: "button", class: "quiet", "data-testid": id, onclick: () => actions.replan(told) }, words);
  return [routeMap(plan.map, words.join(" · ")),
    said.length ? h("p", { class: "change", "data-testid": "change", "data-kept": plan.pairs_kept, "data-known": plan.pairs_known }, said.join(" · ")) : null,
    h("p", { class: "again" }, again({ event: "again" }, t("replan"), "replan"), " ", again({ event: "delayed", by_min: 15 }, t("delayed"), "delayed"))];
}

/** Stops the plan leaves out, each with the way back into it. */
function leftOut(stop, plan, actions) {
  if (!plan?.left_out.includes(stop.stop_id)) return null;
  return h("p", { class: "why" }, t("left_out"), " ",
    h("button", { type: "button", class: "quiet", "data-testid": "bring_back", onclick: () => actions.replan({ event: "bring_back", stop_id: stop.stop_id }) }, t("bring_back")));
}

function card(stop, isNext, actions, plan) {
  const outcome = stop.parcels.map((parcel) => parcel.outcome).find(Boolean);
  const delivered = stop.parcels.find((parcel) => parcel.outcome?.code === "delivered");
  const open = stop.state === "open" || stop.state === "failed";
  return h("li", { class: `card ${stop.state}${isNext ? " next" : ""}`, "data-testid": "stop-card", "data-stop-id": stop.stop_id, "data-state": stop.state },
    h("button", { type: "button", class: "cardbody", disabled: !open, "data-testid": "open-stop", onclick: () => actions.open(stop.stop_id) },
      h("span", { class: "number", "aria-hidden": "true" }, String(stop.position)),
      h("span", { class: "what" },
        h("strong", {}, stop.address),
        h("span", { class: "who" }, `${stop.name} · ${t("parcels", stop.parcels.length)}`),
        h("span", { class: "facts" }, promise(stop), expected(stop, plan) ?? [], outcome ? h("span", { class: "chip" }, of(outcome)) : null, tags(stop)))),
    reasons(stop, plan, actions), leftOut(stop, plan, actions),
    stop.sync === "nothing" ? null : h("div", { class: "foot" }, badge(stop),
      h("button", { type: "button", class: "quiet", "data-testid": "history", onclick: () => actions.history(stop.stop_id) }, t("history")),
      delivered ? h("button", { type: "button", class: "quiet", "data-testid": "show-code", onclick: () => actions.code([delivered.parcel_id]) }, t("show_code")) : null),
    stop.parcels.filter((parcel) => parcel.rating).map((parcel) => stars(parcel, actions)));
}

export function routeView(state, actions) {
  const shown = state.stops.filter((stop) => stop.state !== "removed");
  if (!shown.length) {
    const why = state.refused ? "refused" : state.enrolled ? (state.sync.last_contact_ms ? "empty" : "waiting") : "enrolling";
    return h("p", { class: "hint", "data-testid": "hint" }, t(why));
  }
  const todo = shown.filter((stop) => stop.state !== "done");
  const done = shown.filter((stop) => stop.state === "done");
  const list = (title, stops, first) => stops.length
    ? [h("h2", {}, title), h("ul", { class: "stops" }, stops.map((stop) => card(stop, first, actions, state.plan)))]
    : [];
  return h("div", {},
    h("p", { class: "progress" }, t("stops", done.length, shown.length),
      h("progress", { max: shown.length, value: done.length, "aria-label": t("title") })),
    done.length ? null : h("button", { type: "button", class: "quiet wide", "data-testid": "load", onclick: actions.load }, t("load_check")),
    todo.length > 1 && !state.plan ? h("button", { type: "button", class: "quiet wide", "data-testid": "plan", onclick: actions.plan }, t("plan")) : null,
    planned(state.plan, actions),
    list(t("next"), todo.slice(0, 1), true),
    list(t("later"), todo.slice(1), false),
    list(t("done"), done, false));
}
