// The order of the stops as a drawing: GeoJSON to SVG, no tiles, no network, only the places themselves.

import { h } from "./dom.js";
import { t } from "./text.js";

const SPACE = "http://www.w3.org/2000/svg";
const WIDTH = 320;
const HEIGHT = 240;
const EDGE = 18;
/** More numbers than this cover each other and the drawing. */
const MOST_NUMBERS = 30;

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Degrees to pixels, a degree of longitude shortened by the latitude, the same scale both ways. */
function projection(places) {
  const shrink = Math.cos((places[0][1] * Math.PI) / 180);
  const xs = places.map(([lng]) => lng * shrink);
  const ys = places.map(([, lat]) => -lat);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = Math.min((WIDTH - 2 * EDGE) / (right - left || 1e-6), (HEIGHT - 2 * EDGE) / (bottom - top || 1e-6));
  const [dx, dy] = [(WIDTH - (right - left) * scale) / 2, (HEIGHT - (bottom - top) * scale) / 2];
  return ([lng, lat]) => [dx + (lng * shrink - left) * scale, dy + (-lat - top) * scale].map((v) => v.toFixed(1));
}

function door(at, { order, late, start }, numbered) {
  const [x, y] = at;
  if (start) return svg("rect", { class: "start", x: x - 4, y: y - 4, width: 8, height: 8 });
  const dot = svg("circle", { class: `dot${order === 1 ? " first" : ""}${late ? " late" : ""}`, cx: x, cy: y, r: numbered ? 7 : 3.5 });
  return numbered ? svg("g", {}, dot, svg("text", { class: order === 1 ? "first" : "", x, y, dy: ".35em" }, String(order))) : dot;
}

/** The plan over the order it replaced; `words` say what the drawing shows. */
export function routeMap(geojson, words) {
  const lines = geojson.features.filter((feature) => feature.geometry.type === "LineString");
  const points = geojson.features.filter((feature) => feature.geometry.type === "Point");
  if (points.length < 2) return null;
  const at = projection([...lines.flatMap((line) => line.geometry.coordinates), ...points.map((point) => point.geometry.coordinates)]);
  const numbered = points.length <= MOST_NUMBERS;
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words });
  drawing.append(
    ...lines.map((line) => svg("polyline", { class: line.properties.line, "data-line": line.properties.line, points: line.geometry.coordinates.map((place) => at(place).join(",")).join(" ") })),
    ...points.map((point) => door(at(point.geometry.coordinates), point.properties, numbered)),
  );
  return h("figure", { class: "map", "data-testid": "map" }, drawing,
    h("figcaption", {}, h("span", { class: "key before" }), t("map_before"), " ", h("span", { class: "key after" }), t("map_after"), h("br"), words));
}
