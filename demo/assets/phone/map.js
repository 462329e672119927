// The order of the stops as a drawing: no tiles, no network, only the places themselves.

import { h } from "./dom.js";
import { t } from "./text.js";

const SPACE = "http://www.w3.org/2000/svg";
const WIDTH = 320;
const HEIGHT = 220;
const EDGE = 16;

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Degrees to pixels, a degree of longitude shortened by the latitude, the same scale both ways. */
function projection(places) {
  const shrink = Math.cos((places[0].lat * Math.PI) / 180);
  const xs = places.map((place) => place.lng * shrink);
  const ys = places.map((place) => -place.lat);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = Math.min((WIDTH - 2 * EDGE) / (right - left || 1e-6), (HEIGHT - 2 * EDGE) / (bottom - top || 1e-6));
  const [dx, dy] = [(WIDTH - (right - left) * scale) / 2, (HEIGHT - (bottom - top) * scale) / 2];
  return (place) => [dx + (place.lng * shrink - left) * scale, dy + (-place.lat - top) * scale];
}

/** The plan over the order it replaced; `before` and `after` are places in order. */
export function routeMap(before, after, words) {
  if (!after.length) return null;
  const at = projection([...before, ...after]);
  const line = (places, name) => svg("polyline", { class: name, points: places.map((place) => at(place).map((v) => v.toFixed(1)).join(",")).join(" ") });
  const dots = after.map((place, index) => {
    const [x, y] = at(place);
    return svg("g", {}, svg("circle", { class: index ? "dot" : "dot first", cx: x.toFixed(1), cy: y.toFixed(1), r: index ? 4 : 7 }));
  });
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words });
  drawing.append(line(before, "before"), line(after, "after"), ...dots);
  return h("figure", { class: "map", "data-testid": "map" }, drawing,
    h("figcaption", {}, h("span", { class: "key before" }), t("map_before"), " ", h("span", { class: "key after" }), t("map_after"), h("br"), words));
}
