// One stop: how it is handed over, what that needs, and its completion.
//
// The form is built from what the core requires for the chosen handoff. Nothing here decides whether
// something may be skipped: the core refuses, and its words are shown.

import { get, h, post, postFile } from "./dom.js";
import { of, t } from "./text.js";
import { signaturePad } from "./pad.js";

/** One choice out of a few, each one tap. */
function choices(name, options, chosen, onchoose) {
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

const field = (label, control) => h("label", { class: "field" }, h("span", {}, label), control);

export async function handoffView(stop, codes, actions) {
  const { handoffs } = await get(`/api/stops/${stop.stop_id}/handoffs`);
  const view = h("div", { class: "stop" });
  const form = h("form", { class: "form", novalidate: true });
  form.addEventListener("submit", (event) => event.preventDefault());
  const openParcels = stop.parcels.filter((parcel) => parcel.outcome?.code !== "delivered" && parcel.outcome?.code !== "returned");
  const given = { parcels: new Set(openParcels.map((parcel) => parcel.parcel_id)) };
  let draft = null;
  let handoff = null;
  let pad = null;

  const attempt = async () => {
    draft ??= await post(`/api/stops/${stop.stop_id}/begin`, { handoff });
    return draft.attempt_id;
  };

  // The picture as the core stored it: exactly what the hub will show.
  const picture = (attemptId, hash, words) => h("figure", { "data-testid": "photo" },
    h("img", { src: `/api/attempts/${attemptId}/photos/${hash}`, alt: t("photo_ok") }),
    h("figcaption", {}, words.length ? words.join(" · ") : t("photo_ok")));

  const controls = {
    CONSENT: () => h("p", { class: "ok" }, t("consent_ok")),
    IDENTITY_CHECK: () => choices("identity", codes.identity_methods.map((m) => ({ code: m.code, label: t("matches", of(m)) })), given.identity?.method,
      (code) => { given.identity = { method: code, matched: true }; }),
    INSPECTION_PROMPT: () => choices("inspection", codes.inspection_results.map((r) => ({ code: r.code, label: of(r) })), given.inspection,
      (code) => { given.inspection = code; }),
    SIGNER_NAME: () => h("input", { type: "text", autocomplete: "off", maxlength: "80", "aria-label": t("name"), "data-testid": "signer-name", oninput: (e) => { given.signer_name = e.target.value; } }),
    RELATION: () => h("select", { "aria-label": t("relation"), "data-testid": "relation", onchange: (e) => { given.relation = e.target.value; } },
      h("option", { value: "" }, t("relation")), codes.relations.map((r) => h("option", { value: r.code }, of(r)))),
    PHOTO: () => photos(),
    SIGNATURE: () => signature(),
    NOTE: () => h("textarea", { rows: "2", maxlength: "2000", "aria-label": t("note"), "data-testid": "note", oninput: (e) => { given.note = e.target.value; } }),
  };

  function photos() {
    const shown = h("div", { class: "photos", "aria-live": "polite" });
    const take = async (event, origin) => {
      const [file] = event.target.files;
      event.target.value = "";
      if (!file) return;
      try {
        const id = await attempt();
        const photo = await postFile(`/api/attempts/${id}/photos?origin=${origin}`, file);
        shown.append(picture(id, photo.hash, photo.warnings.map((w) => t(w))));
      } catch (error) {
        actions.refused(error);
      }
    };
    const input = (origin, label, extra) => h("label", { class: "button" }, label,
      h("input", { type: "file", accept: "image/*", class: "hidden", "data-testid": `photo-${origin}`, onchange: (e) => take(e, origin), ...extra }));
    // Photos taken before the courier went back or the app was killed are still there.
    attempt().then((id) => shown.prepend(...draft.photos.map((photo) => picture(id, photo.hash, [])))).catch(actions.refused);
    return h("div", {}, h("div", { class: "row" }, input("camera", t("take"), { capture: "environment" }), input("gallery", t("choose"), {})), shown);
  }

  // The text the signer sees goes into the signed record with its version.
  const disclaimer = () => ({ version: "demo-1", text: t("disclaimer") });
  let asked = 0;

  /** The pad, and below it the drawing as the core will store it and the hub will show it. */
  function signature() {
    const seen = h("div", { "aria-live": "polite" });
    const drawn = async () => {
      const mine = ++asked;
      seen.replaceChildren();
      if (!pad.drawn()) return;
      try {
        const check = await post(`/api/attempts/${await attempt()}/signature`, pad.value());
        if (mine !== asked) return;
        const picture = document.adoptNode(new DOMParser().parseFromString(check.svg, "image/svg+xml").documentElement);
        picture.setAttribute("role", "img");
        picture.setAttribute("aria-label", t("as_hub"));
        given.asked_again = check.doubts.length > 0;
        seen.replaceChildren(
          h("figure", { class: "ink", "data-testid": "signature-seen" }, picture, h("figcaption", {}, t("as_hub"))),
          ...(check.doubts.length ? [h("p", { class: "doubt", "data-testid": "signature-doubt" }, `${check.doubts.map(of).join(" · ")} — ${t("sign_again")}`)] : []));
      } catch (error) {
        if (mine === asked) actions.refused(error);
      }
    };
    pad = signaturePad(drawn);
    return h("div", {}, h("p", { "data-testid": "disclaimer" }, disclaimer().text), pad.element, seen);
  }

  function item(requirement, level) {
    return h("section", { class: "item", "data-testid": `item-${requirement.code}` },
      h("h3", {}, of(requirement), " ", h("small", { class: level, title: requirement.source }, t(level))),
      controls[requirement.code]());
  }

  function parcels() {
    if (openParcels.length < 2) return null;
    return h("fieldset", {}, h("legend", {}, t("which")), openParcels.map((parcel) => h("label", { class: "check" },
      h("input", { type: "checkbox", checked: true, "data-testid": "parcel", onchange: (e) => given.parcels[e.target.checked ? "add" : "delete"](parcel.parcel_id) }),
      h("span", {}, parcel.waybill))));
  }

  async function finish(outcome) {
    try {
      const answer = await post(`/api/attempts/${await attempt()}/complete`, {
        handoff,
        parcels: [...given.parcels].map((parcel_id) => ({ parcel_id, ...outcome })),
        signer_name: given.signer_name ?? null,
        relation: given.relation ?? null,
        identity: given.identity ?? null,
        inspection: given.inspection ?? null,
        signature: pad?.drawn() ? { ...pad.value(), disclaimer: disclaimer(), asked_again: given.asked_again ?? false } : null,
        note: given.note ?? null,
      });
      actions.recorded(answer.ratings.map((rating) => rating.parcel_id));
    } catch (error) {
      for (const section of form.querySelectorAll(".item.missing")) section.classList.remove("missing");
      for (const missing of error.missing ?? []) form.querySelector(`[data-testid="item-${missing.code}"]`)?.classList.add("missing");
      form.querySelector(".item.missing")?.scrollIntoView({ block: "center" });
      actions.refused(error);
    }
  }

  function deliverForm(option) {
    // What this page has no control for yet is left out; if the core needs it, its refusal names it.
    const known = option.requirements.filter((r) => r.code in controls);
    const needed = known.filter((r) => r.level === "required").map((r) => item(r, "required"));
    const more = known.filter((r) => r.level === "optional").map((r) => item(r, "optional"));
    form.replaceChildren(h("h2", {}, t("checklist")), ...[parcels()].filter(Boolean), ...needed,
      ...(more.length ? [h("details", {}, h("summary", {}, t("optional")), ...more)] : []),
      h("button", { type: "button", class: "main", "data-testid": "complete", onclick: () => finish({}) }, t("complete")),
      h("button", { type: "button", class: "quiet wide", "data-testid": "fail", onclick: failForm }, t("fail")));
    pad?.redraw();
  }

  function failForm() {
    const outcome = {};
    const action = h("select", { "data-testid": "action", onchange: (e) => { outcome.action = e.target.value; } });
    const reason = h("select", { "data-testid": "reason" }, h("option", { value: "" }, t("choose_reason")),
      codes.reasons.map((r) => h("option", { value: r.code }, of(r))));
    reason.addEventListener("change", () => {
      const chosen = codes.reasons.find((r) => r.code === reason.value);
      outcome.reason = chosen?.code;
      // The first legal action is the suggested one.
      outcome.action = chosen?.actions[0]?.code;
      action.replaceChildren(...(chosen?.actions ?? []).map((a) => h("option", { value: a.code }, of(a))));
    });
    pad = null;
    form.replaceChildren(h("h2", {}, t("fail")), ...[parcels()].filter(Boolean), field(t("reason"), reason), field(t("action"), action),
      h("section", { class: "item", "data-testid": "item-PHOTO" }, photos()),
      h("section", { class: "item", "data-testid": "item-NOTE" }, field(t("note"), controls.NOTE())),
      h("button", { type: "button", class: "main", "data-testid": "record-fail", onclick: () => finish(outcome) }, t("record_fail")));
    reason.focus();
  }

  function chooseHandoff(option) {
    handoff = option.code;
    draft = null;
    pad = null;
    deliverForm(option);
  }

  const kinds = h("div", { class: "kinds", role: "radiogroup", "aria-label": t("how") }, handoffs.map((option) => {
    const button = h("button", { type: "button", role: "radio", "aria-checked": "false", disabled: option.locked !== null, "data-testid": `handoff-${option.code}`, title: option.locked ? of(option.locked) : null },
      of(option), option.locked ? h("small", {}, `🔒 ${of(option.locked)}`) : null);
    button.addEventListener("click", () => {
      for (const other of button.parentElement.children) other.setAttribute("aria-checked", String(other === button));
      chooseHandoff(option);
    });
    return button;
  }));

  const contact = h("div", { class: "contact" },
    h("p", {}, h("strong", { "data-testid": "name" }, stop.name), ` · ${stop.phone}`), h("p", {}, stop.address),
    h("button", { type: "button", class: "quiet", "data-testid": "reveal", title: t("contact_note"), onclick: async () => {
      try {
        const full = await post(`/api/stops/${stop.stop_id}/reveal`);
        contact.replaceChildren(h("p", {}, h("strong", { "data-testid": "name" }, full.name), " · ", h("a", { href: `tel:${full.phone}` }, full.phone)), h("p", {}, full.address));
      } catch (error) { actions.refused(error); }
    } }, t("show")));

  view.append(
    h("button", { type: "button", class: "quiet", "data-testid": "back", onclick: actions.back }, `‹ ${t("back")}`),
    contact,
    h("details", { class: "how", open: handoffs[0].locked !== null }, h("summary", {}, t("how")), kinds),
    form);
  const first = handoffs.findIndex((option) => option.locked === null);
  if (first >= 0) {
    kinds.children[first].setAttribute("aria-checked", "true");
    chooseHandoff(handoffs[first]);
  }
  return { element: view, shown: () => pad?.redraw() };
}
