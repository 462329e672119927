// Calls and the one-tap abnormal report, with the remedies the core proposes.

import { h, post } from "./dom.js";
import { of, t } from "./text.js";

const field = (label, control) => h("label", { class: "field" }, h("span", {}, label), control);

/** A call that was made: the number stays masked, only its result is kept. */
export function callBox(stop, codes, actions) {
  const said = h("p", { class: "ok", "aria-live": "polite", "data-testid": "calls" });
  const log = (result) => async () => {
    try {
      const { calls } = await post(`/api/stops/${stop.stop_id}/calls`, { result, duration_s: result === "ANSWERED" ? 20 : 0 });
      said.textContent = t("calls_logged", calls);
    } catch (error) { actions.refused(error); }
  };
  return h("details", { class: "how" }, h("summary", { "data-testid": "call-log" }, t("log_call")), said,
    h("div", { class: "choices" }, codes.call_results.map((result) => h("button", { type: "button", "data-testid": `call-${result.code}`, onclick: log(result.code) }, of(result)))));
}

/** Something is wrong: a reason, and at once what can be offered to the customer. */
export function reportBox(stop, codes, actions) {
  const remedies = h("div", { "aria-live": "polite" });
  const reason = h("select", { "data-testid": "report-reason", "aria-label": t("reason") }, h("option", { value: "" }, t("choose_reason")), codes.reasons.map((r) => h("option", { value: r.code }, of(r))));
  const words = h("textarea", { rows: "2", maxlength: "500", "aria-label": t("note"), "data-testid": "report-words" });
  const send = async () => {
    try {
      const report = await post(`/api/stops/${stop.stop_id}/reports`, { reason: reason.value, words: words.value || null, parcels: stop.parcels.map((p) => p.parcel_id) });
      remedies.replaceChildren(h("p", { class: "ok", "data-testid": "report-taken" }, of(report.text)), h("p", {}, t("remedies")),
        h("ul", {}, report.remedies.map((remedy) => h("li", { "data-testid": "remedy" }, of(remedy.action), remedy.needs.length ? ` (${remedy.needs.map(of).join(" · ")})` : ""))));
    } catch (error) { actions.refused(error); }
  };
  return h("details", { class: "how" }, h("summary", { "data-testid": "report" }, t("report")), field(t("reason"), reason), field(t("note"), words),
    h("button", { type: "button", class: "main", "data-testid": "send-report", onclick: send }, t("send_report")), remedies);
}
