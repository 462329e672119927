// Consent on the spot: why a handoff is locked, and what opens it.
//
// The core names the channels that suffice for this handoff and judges the record; this form only asks.

import { get, h, post } from "./dom.js";
import { of, t } from "./text.js";
import { signaturePad } from "./pad.js";

const field = (label, control) => h("label", { class: "field" }, h("span", {}, label), control);

/** Form for a locked handoff; `opened` runs when the consent is stored. */
export function consentForm(stop, option, actions, opened) {
  const given = { duration_s: 30 };
  const box = h("section", { class: "item consent", "data-testid": "consent-form" });
  const details = h("div", {});
  let pad = null;

  const person = () => (option.code === "NAMED_PROXY"
    ? field(t("named_person"), h("input", { type: "text", maxlength: "80", autocomplete: "off", "data-testid": "named-person", oninput: (e) => { given.named_person = e.target.value; } }))
    : null);
  const place = () => (["LOCKER", "STATION", "LEAVE_AT_DOOR"].includes(option.code)
    ? field(t("consent_place"), h("input", { type: "text", maxlength: "80", autocomplete: "off", "data-testid": "consent-place", oninput: (e) => { given.place = e.target.value; } }))
    : null);

  const forms = {
    call: () => [h("p", {}, t("consent_call")),
      field(t("call_length"), h("input", { type: "text", inputmode: "numeric", value: "30", "data-testid": "call-length", oninput: (e) => { given.duration_s = Number(e.target.value) || 0; } }))],
    sms: () => [h("p", {}, t("consent_sms")),
      field(t("message_words"), h("textarea", { rows: "2", maxlength: "500", "data-testid": "message-words", oninput: (e) => { given.message = e.target.value; } }))],
    signature: () => { pad = signaturePad(() => {}); return [h("p", {}, t("consent_signature")), pad.element]; },
    code: () => [h("p", {}, t("consent_code")),
      field(t("code"), h("input", { type: "text", autocomplete: "off", maxlength: "64", "data-testid": "consent-code", oninput: (e) => { given.code = e.target.value; } }))],
  };
  const channels = (option.locked.channels ?? []).filter((channel) => forms[channel.code]);

  async function record() {
    try {
      await post(`/api/stops/${stop.stop_id}/consents`, {
        handoff: option.code,
        ...given,
        signature: pad?.drawn() ? pad.value() : null,
      });
      opened();
    } catch (error) { actions.refused(error); }
  }

  function choose(channel) {
    given.channel = channel.code;
    pad = null;
    details.replaceChildren(...forms[channel.code](), ...[person(), place()].filter(Boolean),
      h("button", { type: "button", class: "main", "data-testid": "record-consent", onclick: record }, t("record_consent")));
    pad?.redraw();
  }

  const buttons = channels.map((channel) => {
    const button = h("button", { type: "button", role: "radio", "aria-checked": "false", "data-testid": `channel-${channel.code}` }, of(channel));
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-checked", String(other === button));
      choose(channel);
    });
    return button;
  });
  box.append(h("h3", {}, t("get_consent", of(option))), h("p", {}, of(option.locked)),
    channels.length ? h("div", { class: "choices", role: "radiogroup", "aria-label": t("consent_how") }, buttons) : h("p", {}, t("consent_none")), details);
  return box;
}

/** What the customer has agreed to at this stop, each with its withdrawal. */
export async function consentList(stop, actions, changed) {
  const { consents } = await get(`/api/stops/${stop.stop_id}/consents`);
  if (!consents.length) return null;
  return h("details", { class: "how", "data-testid": "consents" }, h("summary", {}, t("consents", consents.length)),
    consents.map((consent) => h("p", { "data-testid": "consent" }, consent.scope.map(of).join(" · "), " — ", of(consent.channel), consent.withdrawn ? ` (${t("withdrawn")})` : "",
      consent.withdrawn ? null : h("button", { type: "button", class: "quiet", "data-testid": "withdraw", onclick: async () => {
        try { await post(`/api/stops/${stop.stop_id}/consents/withdraw`, { consent_id: consent.consent_id }); changed(); } catch (error) { actions.refused(error); }
      } }, t("withdraw")))));
}
