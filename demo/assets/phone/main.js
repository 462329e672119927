// The phone screen: bar, queue line and three views (route, stop, rating code).
//
// For tests: data-testid names every control. `airplane` the switch; `stop-card` (data-stop-id,
// data-state) with `open-stop`, `sync-badge` (data-sync: nothing, local, sending, received, lost, synced),
// `show-code`, `rating` (data-stars); in a stop `handoff-CODE`, `item-CODE`, `identity-CODE`,
// `inspection-CODE`, `photo-camera`, `photo-gallery`, `photo`, `signature`, `complete`, `fail`, `reason`,
// `action`, `record-fail`; `plan`, `map`, `change` (data-kept, data-known), `replan`, `delayed`, and in a card `eta`,
// `late`, `why` (data-why) with `first` and `set_aside`, `bring_back`; then `qr` (data-url) and `finish`; `toast` for refusals, `queue` for the queue.

import { get, h, post } from "./dom.js";
import { lang, of, span, switchLanguage, t } from "./text.js";
import { handoffView } from "./handoff.js";
import { appealView, routeView } from "./route.js";
import { historyView } from "./history.js";
import { dayView, loadView } from "./day.js";

const bar = document.getElementById("bar");
const queue = document.getElementById("queue");
const main = document.getElementById("view");
const toast = document.getElementById("toast");

let state = null;
let codes = null;
let opened = null;
let screen = "route";
let drawn = "";

function say(words, kind = "refusal") {
  toast.textContent = words;
  toast.className = kind;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { toast.className = ""; toast.textContent = ""; }, 6000);
}

/** Plans and shows the plan; the core has stored it. */
async function planned(path, told) {
  try {
    await post(path, told);
    drawn = "";
    await refresh();
  } catch (error) { actions.refused(error); }
}

const actions = {
  back: () => show("route"),
  refused: (error) => say(error.words ? of(error.words) : String(error)),
  open: async (stopId, handoff) => {
    try {
      codes ??= await get("/api/codes");
      opened = stopId;
      const stop = state.stops.find((s) => s.stop_id === stopId);
      const view = await handoffView(stop, codes, actions);
      show("stop", view.element);
      view.choose(handoff);
      view.shown();
    } catch (error) { actions.refused(error); }
  },
  plan: () => planned("/api/plan"),
  replan: (told) => planned("/api/replan", told),
  history: async (stopId) => {
    try {
      codes ??= await get("/api/codes");
      show("history", await historyView(state.stops.find((s) => s.stop_id === stopId), codes, actions));
    } catch (error) { actions.refused(error); }
  },
  day: async () => {
    try { show("day", await dayView(actions)); } catch (error) { actions.refused(error); }
  },
  load: async () => {
    try { show("load", await loadView(actions)); } catch (error) { actions.refused(error); }
  },
  appeal: (parcel) => show("appeal", appealView(parcel, actions)),
  sendAppeal: async (parcelId, words) => {
    try {
      await post(`/api/parcels/${parcelId}/appeal`, { words });
      show("route");
      say(t("appeal_kept"), "good");
    } catch (error) { actions.refused(error); }
  },
  corrected: async () => {
    await refresh();
    say(t("corrected"), "good");
  },
  recorded: async (parcels, warnings) => {
    // The queue line must not say "synced" for as much as a second after something was recorded.
    await refresh();
    say([t("recorded"), ...warnings.map(of)].join(" "), "good");
    // The courier stands at this door now; the order goes on from here.
    if (state.plan && opened) await planned("/api/replan", { event: "recorded", stop_id: opened });
    if (parcels.length) actions.code(parcels);
    else show("route");
  },
  code: async (parcels) => {
    try {
      const views = await Promise.all(parcels.map(async (parcel) => {
        const rating = await get(`/api/parcels/${parcel}/rating`);
        return h("img", { class: "qr", "data-testid": "qr", "data-url": rating.url, src: `/api/parcels/${parcel}/qr.svg`, alt: t("rate_title") });
      }));
      show("code", h("div", { class: "code" }, h("h2", {}, t("rate_title")), views, h("p", {}, t("rate_note")),
        h("button", { type: "button", class: "main", "data-testid": "finish", onclick: actions.back }, t("finish"))));
    } catch (error) { actions.refused(error); }
  },
};

function show(name, element) {
  screen = name;
  drawn = "";
  if (toast.className === "refusal") say("");
  document.body.dataset.screen = name;
  if (element) main.replaceChildren(element);
  else refresh();
  main.focus();
  window.scrollTo(0, 0);
}

function drawBar() {
  bar.replaceChildren(
    h("h1", {}, state.courier || "Satchel"),
    h("button", { type: "button", class: "quiet", "data-testid": "day", onclick: actions.day }, t("my_day")),
    h("button", { type: "button", class: "quiet", lang: lang() === "zh" ? "en" : "zh-CN", "data-testid": "language", onclick: () => { switchLanguage(); drawn = ""; codes = null; show("route"); } }, t("language")),
    h("button", { type: "button", role: "switch", class: "switch", "aria-checked": String(!state.online), "data-testid": "airplane", onclick: async () => {
      try { await post("/api/airplane", { on: state.online }); await refresh(); } catch (error) { actions.refused(error); }
    } }, h("span", { "aria-hidden": "true" }, "✈"), ` ${t("airplane")}`));
}

function queueLine() {
  const sync = state.sync;
  const parts = [];
  if (sync.unsent_entries || sync.unsent_proofs) {
    parts.push(t("queue", sync.unsent_entries, sync.unsent_proofs));
    if (sync.oldest_unsent_ms) parts.push(t("oldest", span(Date.now() - sync.oldest_unsent_ms)));
  } else if (state.enrolled) parts.push(t("queue_empty"));
  if (sync.lost_proofs) parts.push(t("lost_proofs", sync.lost_proofs));
  if (!state.online) parts.push(t("offline"));
  else {
    if (sync.blocking) parts.push(t(`blocking_${sync.blocking}`));
    if (sync.next_retry_ms) parts.push(t("retry", span(sync.next_retry_ms - Date.now())));
  }
  if (sync.last_contact_ms) parts.push(t("contact", span(Date.now() - sync.last_contact_ms)));
  return parts.join(" · ");
}

async function refresh() {
  try {
    state = await get("/api/state");
  } catch (error) {
    return actions.refused(error);
  }
  const line = queueLine();
  if (queue.textContent !== line) queue.textContent = line;
  queue.className = state.sync.unsent_entries || state.sync.unsent_proofs ? "waiting" : "";
  // Redrawn only when something changed, so that focus and a finger on a button are left alone.
  const key = JSON.stringify([state.courier, state.online, lang(), screen === "route" ? [state.stops, state.plan?.made_at_ms] : null, screen === "route" ? Math.floor(Date.now() / 60_000) : null, state.sync.last_contact_ms === null]);
  if (key === drawn) return;
  drawn = key;
  drawBar();
  if (screen === "route") main.replaceChildren(routeView(state, actions));
}

await refresh();
setInterval(refresh, 1000);
