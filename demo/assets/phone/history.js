// What happened to a parcel, everything the log holds, and how a slip is put right.
//
// What can be corrected is the core's answer, per line. A correction is a new entry; nothing goes away.

import { get, h, post, postFile } from "./dom.js";
import { of, t } from "./text.js";

const field = (label, control) => h("label", { class: "field" }, h("span", {}, label), control);
const time = (ms) => new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

export async function historyView(stop, codes, actions) {
  const box = h("div", { class: "history" });
  const draw = async () => {
    const parcels = await Promise.all(stop.parcels.map((parcel) => get(`/api/parcels/${parcel.parcel_id}/history`)));
    box.replaceChildren(
      h("button", { type: "button", class: "quiet", "data-testid": "back", onclick: actions.back }, `‹ ${t("back")}`),
      h("h2", {}, t("history")),
      ...parcels.map((parcel, at) => parcelBox(stop.parcels[at], parcel)));
  };

  const correct = async (parcel, body) => {
    try {
      await post(`/api/parcels/${parcel.parcel_id}/correct`, body);
      actions.corrected();
      await draw();
    } catch (error) { actions.refused(error); }
  };

  function words(label, done) {
    const text = h("textarea", { rows: "2", maxlength: "500", "data-testid": "correction-words", "aria-label": t("why") });
    return h("div", { class: "item" }, field(t("why"), text),
      h("button", { type: "button", class: "main", "data-testid": "correct", onclick: () => done(text.value) }, label));
  }

  function wrongReason(parcel, line) {
    const action = h("select", { "data-testid": "correct-action", "aria-label": t("action") });
    const reason = h("select", { "data-testid": "correct-reason", "aria-label": t("reason") }, h("option", { value: "" }, t("choose_reason")), codes.reasons.map((r) => h("option", { value: r.code }, of(r))));
    reason.addEventListener("change", () => {
      const chosen = codes.reasons.find((r) => r.code === reason.value);
      action.replaceChildren(...(chosen?.actions ?? []).map((a) => h("option", { value: a.code }, of(a))));
    });
    return h("div", { class: "item" }, field(t("reason"), reason), field(t("action"), action),
      words(t("correct_reason"), (text) => correct(parcel, { of: line.id, kind: "wrong_reason", reason: reason.value, action: action.value, words: text })));
  }

  function latePhoto(parcel, line) {
    return h("label", { class: "button" }, t("late_photo"), h("input", { type: "file", accept: "image/*", class: "hidden", "data-testid": "late-photo", onchange: async (event) => {
      const [file] = event.target.files;
      if (!file) return;
      try {
        const { attempt_id } = await post(`/api/parcels/${parcel.parcel_id}/drafts`);
        await postFile(`/api/attempts/${attempt_id}/photos?origin=camera`, file);
        await correct(parcel, { of: line.id, kind: "late_proof", words: t("late_photo"), attempt_id });
      } catch (error) { actions.refused(error); }
    } }));
  }

  function tools(parcel, line) {
    const more = h("div", {});
    const open = (element) => more.replaceChildren(element);
    const button = (id, onclick) => h("button", { type: "button", class: "quiet", "data-testid": `correct-${id}`, onclick }, t(`correct_${id}`));
    const offers = {
      undo: () => button("undo", () => correct(parcel, { of: line.id, kind: "undo" })),
      reopen: () => button("reopen", () => open(words(t("correct_reopen"), (text) => correct(parcel, { of: line.id, kind: "reopen", words: text })))),
      wrong_reason: () => button("wrong_reason", () => open(wrongReason(parcel, line))),
      late_proof: () => latePhoto(parcel, line),
    };
    return h("div", {}, h("div", { class: "row" }, line.can.map((kind) => offers[kind]?.()).filter(Boolean)), more);
  }

  function parcelBox(parcel, history) {
    return h("section", { class: "item", "data-testid": "parcel-history", "data-state": history.state.code },
      h("h3", {}, parcel.waybill, " ", h("small", { "data-testid": "parcel-state" }, of(history.state))),
      history.flags.map((flag) => h("p", { class: "chip strong", "data-testid": "flag" }, of(flag))),
      h("ol", { class: "lines" }, history.lines.map((line) => h("li", { "data-testid": "history-line", "data-effect": line.effect },
        h("strong", {}, of(line)), ` · ${time(line.at_ms)} · ${of(line.who)}`, line.words ? h("q", {}, line.words) : null,
        line.effect === "taken_back" ? h("small", {}, ` ${t("taken_back")}`) : null, line.effect === "no_effect" ? h("small", {}, ` ${t("no_effect")}`) : null,
        line.can.length ? tools(parcel, line) : null))));
  }

  await draw();
  return box;
}
