// One stop: how it is handed over, what that needs, and its completion.
//
// The form is built from what the core requires for the chosen handoff. Nothing here decides whether
// something may be skipped: the core refuses, and its words are shown.

import { get, h, post, postFile } from "./dom.js";
import { of, t } from "./text.js";
import { controls, field, parcelOutcomes, skip } from "./controls.js";
import { consentForm, consentList } from "./consent.js";
import { callBox, reportBox } from "./report.js";
import { signaturePad } from "./pad.js";

export async function handoffView(stop, codes, actions) {
  const { handoffs } = await get(`/api/stops/${stop.stop_id}/handoffs`);
  const view = h("div", { class: "stop" });
  const form = h("form", { class: "form", novalidate: true });
  form.addEventListener("submit", (event) => event.preventDefault());
  const openParcels = stop.parcels.filter((parcel) => parcel.open);
  let draft = null;
  let handoff = null;
  let given = {};

  const attempt = async () => {
    draft ??= await post(`/api/stops/${stop.stop_id}/begin`, { handoff });
    return draft.attempt_id;
  };

  // The picture as the core stored it: exactly what the hub will show.
  const picture = (attemptId, hash, words) => h("figure", { "data-testid": "photo" },
    h("img", { src: `/api/attempts/${attemptId}/photos/${hash}`, alt: t("photo_ok") }),
    h("figcaption", {}, words.length ? words.join(" · ") : t("photo_ok")));

  // One taken earlier is shown small, as it lies beside its record; it opens as the hub will show it.
  const earlier = (attemptId, hash) => h("figure", { "data-testid": "photo" },
    h("a", { href: `/api/attempts/${attemptId}/photos/${hash}`, target: "_blank", rel: "noopener" },
      h("img", { src: `/api/attempts/${attemptId}/thumbs/${hash}`, alt: t("photo_ok"), "data-testid": "thumbnail" })),
    h("figcaption", {}, t("photo_ok")));

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
    attempt().then((id) => shown.prepend(...draft.photos.map((photo) => earlier(id, photo.hash)))).catch(actions.refused);
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
      if (!given.pad.drawn()) return;
      try {
        const check = await post(`/api/attempts/${await attempt()}/signature`, given.pad.value());
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
    given.pad = signaturePad(drawn);
    return h("div", {}, h("p", { "data-testid": "disclaimer" }, disclaimer().text), given.pad.element, seen);
  }

  const control = (code) => ({ ...controls(codes, given), PHOTO: photos, SIGNATURE: signature })[code];

  function item(requirement) {
    const draw = control(requirement.code);
    const count = requirement.count > 1 ? ` × ${requirement.count}` : "";
    return h("section", { class: "item", "data-testid": `item-${requirement.code}`, "data-level": requirement.level },
      h("h3", {}, of(requirement), count, " ", h("small", { class: requirement.level, title: requirement.source }, t(requirement.level))),
      draw ? draw() : null,
      requirement.level === "required_with_reason" ? skip(requirement, codes, given) : null);
  }

  async function finish(outcome) {
    try {
      const outcomes = outcome ? [...given.outcomes.keys()].map((id) => [id, outcome]) : [...given.outcomes];
      const { pad, asked_again, outcomes: _, ...answers } = given;
      const answer = await post(`/api/attempts/${await attempt()}/complete`, {
        ...answers,
        handoff,
        parcels: outcomes.map(([parcel_id, result]) => ({ parcel_id, ...result })),
        signature: pad?.drawn() ? { ...pad.value(), disclaimer: disclaimer(), asked_again: asked_again ?? false } : null,
      });
      actions.recorded(answer.ratings.map((rating) => rating.parcel_id), answer.warnings ?? []);
    } catch (error) {
      for (const section of form.querySelectorAll(".item.missing")) section.classList.remove("missing");
      for (const missing of error.missing ?? []) form.querySelector(`[data-testid="item-${missing.code}"]`)?.classList.add("missing");
      form.querySelector(".item.missing")?.scrollIntoView({ block: "center" });
      actions.refused(error);
    }
  }

  function deliverForm(option) {
    given = {};
    const which = parcelOutcomes(openParcels, codes, given);
    const needed = option.requirements.filter((r) => r.level.startsWith("required")).map(item);
    const more = option.requirements.filter((r) => r.level === "optional").map(item);
    const damaged = h("label", { class: "check" }, h("input", { type: "checkbox", "data-testid": "damaged", onchange: (e) => { given.visibly_damaged = e.target.checked; } }), h("span", {}, t("damaged")));
    form.replaceChildren(...[h("h2", {}, t("checklist")), which, ...needed, damaged,
      more.length ? h("details", {}, h("summary", { "data-testid": "optional" }, t("optional")), ...more) : null,
      h("button", { type: "button", class: "main", "data-testid": "complete", onclick: () => finish(null) }, t("complete")),
      h("button", { type: "button", class: "quiet wide", "data-testid": "fail", onclick: failForm }, t("fail"))].filter(Boolean));
    given.pad?.redraw();
  }

  function failForm() {
    const outcome = {};
    given = { outcomes: new Map(openParcels.map((parcel) => [parcel.parcel_id, {}])) };
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
    form.replaceChildren(h("h2", {}, t("fail")), field(t("reason"), reason), field(t("action"), action),
      h("section", { class: "item", "data-testid": "item-PHOTO" }, photos()),
      h("section", { class: "item", "data-testid": "item-NOTE" }, field(t("note"), control("NOTE")())),
      h("button", { type: "button", class: "main", "data-testid": "record-fail", onclick: () => finish(outcome) }, t("record_fail")));
    reason.focus();
  }

  function chooseHandoff(option) {
    handoff = option.code;
    draft = null;
    deliverForm(option);
  }

  const kinds = h("div", { class: "kinds", role: "radiogroup", "aria-label": t("how") }, handoffs.map((option) => {
    // A consent can open this one; what no consent opens stays shut.
    const askable = (option.locked?.channels ?? []).length > 0;
    const button = h("button", { type: "button", role: "radio", "aria-checked": "false", disabled: option.locked !== null && !askable, "data-testid": `handoff-${option.code}`, "data-locked": String(option.locked !== null), title: option.locked ? of(option.locked) : null },
      of(option), option.locked ? h("small", {}, `🔒 ${of(option.locked)}`) : null);
    button.addEventListener("click", () => {
      for (const other of button.parentElement.children) other.setAttribute("aria-checked", String(other === button));
      if (option.locked) form.replaceChildren(consentForm(stop, option, actions, () => actions.open(stop.stop_id, option.code)));
      else chooseHandoff(option);
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

  const agreed = await consentList(stop, actions, () => actions.open(stop.stop_id));
  view.append(...[
    h("button", { type: "button", class: "quiet", "data-testid": "back", onclick: actions.back }, `‹ ${t("back")}`),
    contact,
    stop.parcels.some((parcel) => parcel.attempts) ? h("button", { type: "button", class: "quiet", "data-testid": "history", onclick: () => actions.history(stop.stop_id) }, t("history")) : null,
    agreed,
    callBox(stop, codes, actions),
    reportBox(stop, codes, actions),
    h("details", { class: "how", open: handoffs[0].locked !== null }, h("summary", {}, t("how")), kinds),
    form].filter(Boolean));
  return {
    element: view,
    shown: () => given.pad?.redraw(),
    /** Shows this handoff, or the first one that is open. */
    choose: (code) => {
      const wanted = handoffs.findIndex((option) => option.code === code && option.locked === null);
      const first = wanted >= 0 ? wanted : handoffs.findIndex((option) => option.locked === null);
      if (first < 0) return;
      kinds.children[first].setAttribute("aria-checked", "true");
      chooseHandoff(handoffs[first]);
    },
  };
}
