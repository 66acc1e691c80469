// Charts of lines with bands of intervals.

import { make, svgElement } from "./elements.js";
import { fractionOf, ticks } from "./scales.js";

const [WIDTH, HEIGHT, LEAST_LEFT, RIGHT, TOP, BOTTOM] = [320, 170, 52, 12, 10, 24];
const UP = HEIGHT - TOP - BOTTOM;
const LETTER = 7;
// Up to this many texts on the level axis, each one is written, aslant if they are long.
const MOST_TEXTS = 14;
const SLANT = 35;
// Up to this many points, each one has a dot: a point between missing ones has no line.
const MOST_DOTS = 40;

/** Return a chart of series, [{name, points: [[x, value, low, high]], color}], where the interval of a point may be missing.
 *
 * Without a color, series have shades from dark to light in their order. A stepped line keeps a value until the next.
 * Names have nothing between them: their points, side by side, have no line.
 */
export function lineChart({ x, y, series, label, isStepped = false }) {
  const upright = ticks(y, 0, 1, 4);
  const left = upright.reduce((most, { text }) => Math.max(most, LETTER * text.length + 5), LEAST_LEFT);
  const across = WIDTH - left - RIGHT;
  const texts = x.texts ?? [];
  const longest = x.texts ? texts.reduce((most, { length }) => Math.max(most, length), 0) : 5;
  const fitting = Math.max(1, Math.min(texts.length || 4, across / (LETTER * longest + 8)));
  const isSlanted = texts.length <= MOST_TEXTS && fitting < texts.length;
  const below = isSlanted ? Math.sin((SLANT * Math.PI) / 180) * LETTER * longest : 0;
  const svg = svgElement("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT + below}`, class: "curve", role: "img", "aria-label": label });
  const place = (at, value) => [(left + fractionOf(x, at) * across).toFixed(1), (HEIGHT - BOTTOM - fractionOf(y, value) * UP).toFixed(1)];
  for (const { at, text } of upright) {
    const height = HEIGHT - BOTTOM - at * UP;
    svg.append(svgElement("path", { d: `M${left} ${height}H${WIDTH - RIGHT}`, class: "grid" }), svgElement("text", { x: left - 5, y: height + 4, class: "end" }, text));
  }
  for (const { at, text } of ticks(x, 0, 1, isSlanted ? texts.length : fitting)) {
    const middle = left + at * across;
    const half = (text.length * LETTER) / 2;
    const where = isSlanted ? { transform: `translate(${middle + 4} ${HEIGHT - 12}) rotate(${-SLANT})`, class: "end" } : { x: Math.min(WIDTH - half, middle), y: HEIGHT - 8 };
    svg.append(svgElement("text", where, text));
  }
  series.forEach(({ name, points, color }, k) => {
    const group = svgElement("g", { class: color ? "series" : "series shade" });
    paint(group, color, k, series.length);
    group.style.setProperty("--count", String(series.length));
    group.append(svgElement("title", {}, name));
    if (x.texts && !x.areNumbers) {
      drawPoints(group, points, (at, value) => place(at + 0.6 * ((k + 0.5) / series.length - 0.5), value), y);
      svg.append(group);
      return;
    }
    for (const part of unbroken(points, ([, value, low, high]) => isShown(y, value) && isShown(y, low) && isShown(y, high))) {
      const ends = [...part.map(([at, , , high]) => place(at, high)), ...part.map(([at, , low]) => place(at, low)).reverse()];
      group.append(svgElement("path", { class: "band", d: `M${ends.map((each) => each.join(" ")).join("L")}Z` }));
    }
    for (const part of unbroken(points, ([, value]) => isShown(y, value))) {
      const places = part.map(([at, value]) => place(at, value));
      const rest = places.slice(1).map(([to, up]) => (isStepped ? `H${to}V${up}` : `L${to} ${up}`));
      group.append(svgElement("path", { class: "line", d: `M${places[0].join(" ")}${rest.join("")}` }));
      if (points.length <= MOST_DOTS && !isStepped) group.append(...places.map(([cx, cy]) => svgElement("circle", { cx, cy, r: 2, class: "dot" })));
    }
    svg.append(group);
  });
  return svg;
}

/** Add a dot for each point to an element, and a line for its interval. */
function drawPoints(group, points, place, y) {
  for (const [at, value, low, high] of points) {
    if (!isShown(y, value)) continue;
    const [cx, cy] = place(at, value);
    if (isShown(y, low) && isShown(y, high)) group.append(svgElement("path", { class: "line", d: `M${place(at, low).join(" ")}V${place(at, high)[1]}` }));
    group.append(svgElement("circle", { cx, cy, r: 3, class: "dot" }));
  }
}

/** Return what the colors of series mean. */
export function seriesLegend(series) {
  const list = make("ul", "entries");
  series.forEach(({ name, color }, k) => {
    const item = make("li", "", name);
    const swatch = make("span", color ? "swatch" : "swatch shade");
    paint(swatch, color, k, series.length);
    item.prepend(swatch);
    list.append(item);
  });
  return list;
}

function paint(element, color, k, count) {
  if (color) element.style.color = color;
  else element.style.setProperty("--at", String(count > 1 ? k / (count - 1) : 0));
}

/** Return the scale of values of a chart: the usual one of the values, if all that is there has a place on it. */
export function scaleOf(series, { scale, low, high }) {
  const values = series.flatMap(({ points }) => points.flatMap(([, ...each]) => each)).filter((value) => value !== null && Number.isFinite(value));
  if (Number.isFinite(low) && Number.isFinite(high)) return { low, high, scale: "linear" };
  if (!values.length) return { low: 0, high: 1, scale: "linear" };
  const ends = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const isLog = scale === "log" && ends[0] > 0;
  if (ends[0] !== ends[1]) return { low: ends[0], high: ends[1], scale: isLog ? "log" : "linear" };
  return isLog ? { low: ends[0] / 2, high: 2 * ends[0], scale: "log" } : { low: ends[0] - 0.5, high: ends[0] + 0.5, scale: "linear" };
}

function isShown({ scale }, value) {
  return value !== null && value !== undefined && Number.isFinite(value) && (scale !== "log" || value > 0);
}

/** Yield the longest stretches of points that have something. */
function* unbroken(points, has) {
  let part = [];
  for (const point of points) {
    if (has(point)) part.push(point);
    else if (part.length) {
      yield part;
      part = [];
    }
  }
  if (part.length) yield part;
}
