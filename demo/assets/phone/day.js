// The courier's own view: shift, promise clocks, figures and what the day has earned. All from the core,
// all without a network; each figure says out of what it is counted.

import { get, h, post } from "./dom.js";
import { of, span, t } from "./text.js";

export async function dayView(actions) {
  const box = h("div", { class: "day" });
  const draw = async () => {
    const day = await get("/api/day");
    box.replaceChildren(...[
      h("button", { type: "button", class: "quiet", "data-testid": "back", onclick: actions.back }, `‹ ${t("back")}`),
      h("section", { class: "item" }, h("h3", {}, t("shift")),
        h("p", { "data-testid": "duty", "data-on": String(day.duty.on) }, day.duty.on ? t("on_duty", span(Date.now() - day.duty.since_ms)) : t("off_duty")),
        h("button", { type: "button", class: "main", "data-testid": "shift", onclick: async () => {
          try { await post("/api/shift", { on: !day.duty.on }); await draw(); } catch (error) { actions.refused(error); }
        } }, day.duty.on ? t("end_shift") : t("start_shift")),
        day.leave ? h("p", { class: "chip strong", "data-testid": "leave" }, of(day.leave)) : null),
      h("section", { class: "item" }, h("h3", {}, t("figures")),
        h("dl", { class: "figures" }, day.figures.flatMap((figure) => [
          h("dt", { "data-testid": `kpi-${figure.code}` }, of(figure), figure.over_line ? h("span", { class: "chip strong" }, ` ${t("over_line")}`) : null),
          h("dd", { "data-numerator": String(figure.numerator), "data-denominator": String(figure.denominator) },
            figure.value === null ? "–" : figure.share ? `${(figure.value / 100).toFixed(2)} %` : (figure.value / 100).toFixed(2),
            h("small", {}, ` ${figure.numerator} / ${figure.denominator}`)),
        ]))),
      day.earnings ? h("section", { class: "item" }, h("h3", {}, t("earnings")),
        h("p", { "data-testid": "earnings" }, `${(day.earnings.total_minor / 100).toFixed(2)} ${day.earnings.currency}`), h("small", {}, t("estimate"))) : null,
      h("section", { class: "item" }, h("h3", {}, t("clocks")),
        h("ul", {}, day.clocks.map((clock) => h("li", {}, clock.waybill, " ", clock.left_ms >= 0 ? t("left", span(clock.left_ms)) : t("late", span(-clock.left_ms)))))),
    ].filter(Boolean));
  };
  await draw();
  return box;
}

/** The load check: scan, and learn at once what the parcel is. */
export async function loadView(actions) {
  const said = h("p", { role: "status", "aria-live": "assertive", "data-testid": "scan-result" });
  const rest = h("p", { "data-testid": "load-rest" });
  const input = h("input", { type: "text", autocomplete: "off", autocapitalize: "characters", "data-testid": "scan", "aria-label": t("scan") });
  const show = (report) => { rest.textContent = t("load_rest", report.loaded, report.missing, report.missorts + report.surplus); };
  const form = h("form", { class: "form" }, h("label", { class: "field" }, h("span", {}, t("scan")), input), h("button", { class: "main", "data-testid": "scan-go" }, t("scan_go")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const scan = await post("/api/scan", { text: input.value });
      said.textContent = of(scan.result);
      said.dataset.result = scan.result.code;
      show(scan.report);
      input.value = "";
    } catch (error) { actions.refused(error); }
  });
  show(await get("/api/load"));
  return h("div", {}, h("button", { type: "button", class: "quiet", "data-testid": "back", onclick: actions.back }, `‹ ${t("back")}`), h("h2", {}, t("load_check")), form, said, rest);
}
