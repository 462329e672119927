// The signature pad: finger, pen or mouse. It collects strokes and draws them; whether they are a
// signature is for the core to say.

import { h } from "./dom.js";
import { t } from "./text.js";

export function signaturePad(onchange) {
  const canvas = h("canvas", { class: "pad", "data-testid": "signature", role: "img", "aria-label": t("sign_here"), tabindex: "0" });
  const strokes = [];
  let started = null;

  const size = () => ({ width: canvas.clientWidth || 320, height: canvas.clientHeight || 160 });

  function redraw() {
    const { width, height } = size();
    const ratio = window.devicePixelRatio || 1;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.lineWidth = 2.6;
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = "#111";
    for (const stroke of strokes) {
      pen.beginPath();
      stroke.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      pen.stroke();
    }
  }

  function add(event) {
    const box = canvas.getBoundingClientRect();
    started ??= event.timeStamp;
    const { width, height } = size();
    const x = Math.min(width, Math.max(0, event.clientX - box.left));
    const y = Math.min(height, Math.max(0, event.clientY - box.top));
    strokes.at(-1).push([x, y, Math.max(0, Math.round(event.timeStamp - started))]);
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    strokes.push([]);
    add(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId) || !strokes.length) return;
    // A browser bundles quick moves; a signature needs them all.
    const all = event.getCoalescedEvents?.() ?? [];
    for (const one of all.length ? all : [event]) add(one);
    redraw();
  });
  canvas.addEventListener("pointerup", () => onchange());

  return {
    element: h("div", { class: "padbox" }, canvas,
      h("button", { type: "button", class: "quiet", "data-testid": "signature-clear", onclick: () => { strokes.length = 0; redraw(); onchange(); } }, t("clear"))),
    drawn: () => strokes.some((stroke) => stroke.length > 1),
    value: () => (strokes.length ? { strokes, ...size() } : null),
    redraw,
  };
}
