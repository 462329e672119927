// The controls of a handoff's checklist: one per item that the core can ask for. They collect answers;
// whether an answer suffices is for the core to say.

import { h } from "./dom.js";
import { of, t } from "./text.js";

/** One choice out of a few, each one tap. */
export function choices(name, options, chosen, onchoose) {
  return h("div", { class: "choices", role: "radiogroup", "aria-label": name },
    options.map((option) => {
      const button = h("button", { type: "button", role: "radio", "aria-checked": String(option.code === chosen), "data-testid": `${name}-${option.code}` }, option.label);
      button.addEventListener("click", () => {
        for (const other of button.parentElement.children) other.setAttribute("aria-checked", String(other === button));
        onchoose(option.code);
      });
      return button;
    }));
}

export const field = (label, control) => h("label", { class: "field" }, h("span", {}, label), control);

const text = (label, id, max, oninput) => h("input", { type: "text", autocomplete: "off", maxlength: String(max), "aria-label": label, "data-testid": id, oninput: (e) => oninput(e.target.value) });

/** The controls by item code; `given` collects what was entered. Camera and pad are the stop's own. */
export function controls(codes, given) {
  const yesNo = (name, set) => choices(name, [{ code: "yes", label: t("yes") }, { code: "no", label: t("no") }], null, (code) => set(code === "yes"));
  const leftAt = (key) => (value) => { given.left_at = { ...given.left_at, [key]: value }; };
  return {
    CONSENT: () => h("p", { class: "ok" }, t("consent_ok")),
    IDENTITY_CHECK: () => choices("identity", codes.identity_methods.map((m) => ({ code: m.code, label: t("matches", of(m)) })), given.identity?.method,
      (code) => { given.identity = { method: code, matched: true }; }),
    AGE_CHECK: () => yesNo("age", (yes) => { given.age_checked = yes; }),
    INSPECTION_PROMPT: () => choices("inspection", codes.inspection_results.map((r) => ({ code: r.code, label: of(r) })), given.inspection,
      (code) => { given.inspection = code; }),
    PARCEL_SCAN: () => h("textarea", { rows: "2", "aria-label": t("scan"), "data-testid": "scans", oninput: (e) => { given.scans = e.target.value.split(/\s+/).filter(Boolean); } }),
    TEMPERATURE: () => h("p", {}, t("temperature_note")),
    ITEM_COUNTS: () => itemCounts(given),
    SIGNER_NAME: () => text(t("name"), "signer-name", 80, (value) => { given.signer_name = value; }),
    RELATION: () => h("select", { "aria-label": t("relation"), "data-testid": "relation", onchange: (e) => { given.relation = e.target.value; } },
      h("option", { value: "" }, t("relation")), codes.relations.map((r) => h("option", { value: r.code }, of(r)))),
    LOCKER_ID: () => text(t("locker"), "locker", 80, leftAt("place")),
    SLOT_CODE: () => text(t("slot"), "slot", 40, leftAt("slot")),
    STATION_RECEIPT: () => text(t("receipt"), "receipt", 80, leftAt("receipt")),
    CODE: () => text(t("code"), "code", 64, (value) => { given.code = value; }),
    POSITION: () => h("p", {}, t("position_note")),
    NOTE: () => h("textarea", { rows: "2", maxlength: "2000", "aria-label": t("note"), "data-testid": "note", oninput: (e) => { given.note = e.target.value; } }),
  };
}

function itemCounts(given) {
  given.items = [];
  const rows = h("div", {});
  const add = () => {
    const row = { label: "", of: 1, accepted: 0 };
    given.items.push(row);
    const number = (key, label) => h("input", { type: "text", inputmode: "numeric", value: String(row[key]), "aria-label": label, "data-testid": `item-${key}`, oninput: (e) => { row[key] = Number(e.target.value) || 0; } });
    rows.append(h("div", { class: "counts" }, text(t("item_label"), "item-label", 80, (value) => { row.label = value; }), number("accepted", t("item_accepted")), h("span", {}, "/"), number("of", t("item_of"))));
  };
  add();
  return h("div", {}, rows, h("button", { type: "button", class: "quiet", onclick: add }, t("item_more")));
}

/** Leaving an item out, where the core says that it may be left out with a reason. */
export function skip(requirement, codes, given) {
  return h("details", { class: "skip" }, h("summary", { "data-testid": `skip-${requirement.code}` }, t("skip")),
    choices(`skip-${requirement.code}`, codes.skip_reasons.map((r) => ({ code: r.code, label: of(r) })), null,
      (reason) => { given.skips = [...(given.skips ?? []).filter((s) => s.item !== requirement.code), { item: requirement.code, reason }]; }));
}

/** What comes of each parcel at this door: handed over, left for later, or failed for a reason. */
export function parcelOutcomes(parcels, codes, given) {
  given.outcomes = new Map(parcels.map((parcel) => [parcel.parcel_id, {}]));
  if (parcels.length < 2) return null;
  return h("fieldset", {}, h("legend", {}, t("which")), parcels.map((parcel) => {
    const action = h("select", { hidden: true, "aria-label": t("action"), "data-testid": "parcel-action" });
    const outcome = h("select", { "aria-label": parcel.waybill, "data-testid": "parcel-outcome" },
      h("option", { value: "delivered" }, t("handed_over")), h("option", { value: "later" }, t("not_now")),
      codes.reasons.map((r) => h("option", { value: r.code }, of(r))));
    const set = () => {
      const chosen = codes.reasons.find((r) => r.code === outcome.value);
      action.hidden = !chosen;
      if (outcome.value === "later") given.outcomes.delete(parcel.parcel_id);
      else given.outcomes.set(parcel.parcel_id, chosen ? { reason: chosen.code, action: action.value } : {});
    };
    outcome.addEventListener("change", () => {
      const chosen = codes.reasons.find((r) => r.code === outcome.value);
      action.replaceChildren(...(chosen?.actions ?? []).map((a) => h("option", { value: a.code }, of(a))));
      set();
    });
    action.addEventListener("change", set);
    return h("div", { class: "parcel", "data-testid": "parcel", "data-waybill": parcel.waybill }, field(parcel.waybill, outcome), action);
  }));
}
