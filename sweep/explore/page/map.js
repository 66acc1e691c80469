// One map: the Leaflet map with its tiles, axes, legend and the values under the pointer.

import { cellOf } from "./cells.js";
import { categoryPainter, differenceCategories, limitsOf, numberPainter } from "./colors.js";
import { svgElement } from "./elements.js";
import { Legend } from "./legend.js";
import { digitsFor, scaleBar, short, ticks, valueAt } from "./scales.js";
import { requestTile } from "./server.js";
import { ValueLayer } from "./tiles.js";

const L = window.L;
const LETTER = 7; // pixels of a letter of a label
const SHORTENED = 8; // letters of texts of cells if all had no place in full; the one under the pointer is written below

/** Return the coordinates of a square world whose unit is a pixel of the deepest level.
 *
 * Zooming is then multiplication by powers of two, which is exact in float64 down to an eighth of a pixel of level 42,
 * and Leaflet's comparisons of places, which allow differences of 1e-9, never take two pixels for one.
 */
function squareWorld(maxLevel) {
  const side = 256 * 2 ** maxLevel;
  return L.extend({}, L.CRS.Simple, {
    projection: { project: ({ lat, lng }) => new L.Point(lng, lat), unproject: ({ x, y }) => new L.LatLng(y, x), bounds: new L.Bounds([0, 0], [side, side]) },
    transformation: new L.Transformation(1, 0, 1, 0), // y grows downward, as in images
    scale: (zoom) => 2 ** (zoom - maxLevel),
    zoom: (scale) => Math.log2(scale) + maxLevel,
    infinite: false,
  });
}

/** Return a value as the page shows it: shares in percent, and with its categories, or null if it is a number. */
function shownValue(value, statuses) {
  const named = value.name === "status" ? statuses : value.categories ?? [{ code: -1, label: "diverged" }];
  const shown = { ...value, factor: 1, categories: value.scale === "category" ? named : null };
  if (value.unit === "fraction") {
    const ends = [value.low, value.high].map((end) => (end === null ? null : 100 * end));
    return { ...shown, label: value.label.replace(/, %$/, ""), unit: "%", factor: 100, low: ends[0], high: ends[1] };
  }
  return { ...shown, unit: value.label.endsWith(value.unit) ? "" : value.unit };
}

/** Return what the difference of two maps of a value is. */
function differenceOf(value) {
  if (value.categories) return { name: "difference", label: `equal or different ${value.label}`, unit: "", categories: differenceCategories() };
  return { ...value, label: `difference in ${value.label}`, categories: null, scale: "linear", isDifference: true, low: undefined, high: undefined };
}

export class SweepMap extends EventTarget {
  constructor(number, choices, { onMove, onInspect, onColors }) {
    super();
    this.number = number;
    this.root = document.getElementById("map-template").content.firstElementChild.cloneNode(true);
    this.root.dataset.map = number;
    this.onInspect = onInspect;
    this.part = (selector) => this.root.querySelector(selector);
    this.legend = new Legend(this.part(".legend"), onColors);
    this.markers = [];
    this.pointed = null;
    this.locked = null;
    this.maxLevel = choices.max_level;
    document.getElementById("maps").append(this.root);
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.leaflet = L.map(this.part(".picture"), {
      crs: squareWorld(choices.max_level), minZoom: 0, maxZoom: choices.max_level, attributionControl: false,
      trackResize: false, fadeAnimation: false, zoomAnimation: !calm, inertia: !calm, doubleClickZoom: false, boxZoom: false, keyboardPanDelta: 64, wheelPxPerZoomLevel: 120,
    });
    this.leaflet.zoomControl.setPosition("topright");
    this.leaflet.on("move zoom resize", () => this.drawAxes());
    this.leaflet.on("moveend", () => {
      if (this.returnInside()) return; // moving back ends here too
      this.colorsChanged();
      onMove(this);
    });
    this.leaflet.on("mousemove", ({ latlng }) => this.point(this.pixelAt(latlng)));
    this.leaflet.on("mouseout", () => this.point(null));
    this.leaflet.on("click", ({ latlng, originalEvent }) => this.inspect(this.pixelAt(latlng), originalEvent.shiftKey));
    this.part(".picture").addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.inspect(this.center(), event.shiftKey);
    });
    // During an animation, Leaflet ignores what comes next.
    for (const name of ["keydown", "click", "wheel"]) {
      this.part(".picture").addEventListener(name, ({ repeat }) => { if (!repeat) this.endAnimation(); }, { capture: true, passive: true });
    }
    this.sizeObserver = new ResizeObserver(() => this.resized());
    this.sizeObserver.observe(this.part(".picture"));
  }

  /** Keep the pixel at the center where it is: Leaflet would move it by a pixel at each change of the size. */
  resized() {
    const { clientWidth, clientHeight } = this.part(".picture");
    if (!clientWidth || !clientHeight) return; // hidden for a moment: Leaflet would drop all tiles
    const place = this.leaflet._loaded ? this.center() : null;
    this.leaflet.invalidateSize({ pan: false });
    if (place && Number.isInteger(place.z)) this.shiftTo(place);
  }

  /** Show at once what Leaflet zooms to. */
  endAnimation() {
    if (this.leaflet._animatingZoom) this.leaflet._onZoomTransitionEnd();
  }

  remove() {
    this.sizeObserver.disconnect();
    this.leaflet.remove();
    this.root.remove();
  }

  // What it shows

  /** Show a value of a study; with a second query, the difference of the second map from the first. */
  show(query, choices, secondQuery = null) {
    this.query = query;
    this.choices = choices;
    this.axes = axesOf(choices);
    const { x, y } = this.axes;
    /** How many cells there are where results are shown. */
    this.grid = x.texts ? { columns: x.texts.length, rows: y.texts.length } : null;
    const value = shownValue(choices.values.find(({ name }) => name === choices.map.value), choices.statuses);
    this.value = secondQuery === null ? value : differenceOf(value);
    // On both sides of 0, diverged runs are colored by their values.
    const paintsDiverged = choices.map.seeds === 1 && !this.value.isDifference && value.scale !== "signed_log";
    this.divergedCode = paintsDiverged ? choices.statuses.find(({ label }) => label === "diverged").code : undefined;
    this.layer?.remove();
    const queries = secondQuery === null ? [query] : [query, secondQuery];
    const fetchTile = async (coords, n, signal) => {
      const tiles = await Promise.all(queries.map((each) => requestTile(each, coords, n, signal)));
      for (const { planes } of tiles) for (const name of ["value", "low", "high"]) multiply(planes[name], value.factor);
      return tiles.length === 1 ? tiles[0] : difference(tiles, Boolean(value.categories));
    };
    this.layer = new ValueLayer(fetchTile, choices.sizes, { tileSize: choices.tile, minZoom: 0, maxZoom: choices.max_level });
    this.layer.on("values", () => this.colorsChanged());
    this.layer.on("refused", ({ error }) => this.dispatchEvent(new CustomEvent("refused", { detail: error })));
    this.limits = null;
    this.repaint();
    if (this.leaflet._loaded) this.layer.addTo(this.leaflet);
    else this.leaflet.whenReady(() => this.layer.addTo(this.leaflet));
    this.part(".picture").setAttribute("role", "application");
    this.part(".picture").setAttribute("aria-label",
      `Map ${this.number + 1} of ${this.value.label}: ${x.label} from left to right, ${y.label} from bottom to top. `
      + (this.grid ? "Arrows move over its cells, with Shift they select several, Enter selects one. Plus and minus zoom."
        : "Arrows move it, plus and minus zoom, Enter inspects the network at the center."));
    this.drawAxes();
  }

  /** Use settings of colors, {scale, low, high}: a scale replaces the usual one, and limits are locked. */
  setColors({ scale, low, high }) {
    this.locked = Number.isFinite(low) && Number.isFinite(high) ? [low, high] : null;
    this.scale = scale;
    this.limits = null;
    this.repaint();
  }

  get usedScale() {
    return this.value.isDifference ? "linear" : this.scale ?? this.value.scale;
  }

  /** Repaint in the next frame, at most once, if new values in view change the colors. */
  colorsChanged() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      if (this.layer) this.repaint();
    });
  }

  repaint() {
    if (!this.value) return;
    const seen = this.layer._map ? this.layer.seen() : [];
    if (this.value.categories) {
      if (!this.limits) {
        this.layer.colors = categoryPainter(this.value.categories);
        this.layer.repaint();
      }
      this.limits = [];
    } else {
      const settings = { scale: this.usedScale, isDifference: Boolean(this.value.isDifference), divergedCode: this.divergedCode };
      const fixed = [this.value.low, this.value.high].every(Number.isFinite) ? [this.value.low, this.value.high] : null;
      const limits = this.locked ?? fixed ?? limitsOf(seen, settings);
      if (!this.limits || limits[0] !== this.limits[0] || limits[1] !== this.limits[1]) {
        this.limits = limits;
        this.layer.colors = numberPainter({ low: limits[0], high: limits[1], ...settings });
        this.layer.repaint();
      }
    }
    const isInfinite = !this.value.isDifference && seen.some(({ values: { planes: { value } } }) => value.includes(Infinity));
    const hasMissing = seen.some(({ values: { planes: { value } } }) => value.some(Number.isNaN));
    const beyond = this.divergedCode !== undefined ? "diverged" : isInfinite ? "infinite" : null;
    this.legend.draw({ value: this.value, limits: this.limits, scale: this.usedScale, locked: this.locked !== null, shares: this.shares(), beyond, hasMissing });
    this.tellLimit(seen);
    this.point(this.pointed);
  }

  /** Return the share of each category, or status, in the view. */
  shares() {
    const counts = new Map();
    let total = 0;
    const plane = this.value.categories ? "value" : "status";
    if (!this.layer._map) return counts;
    const { min, max } = this.layer.view();
    for (const { coords, values: { n, planes } } of this.layer.seen()) {
      if (!planes[plane]) continue;
      const size = 256 / n;
      const step = Math.max(1, n / 64);
      for (let row = Math.floor(step / 2); row < n; row += step) {
        const y = 256 * coords.y + (row + 0.5) * size;
        if (y < min.y || y >= max.y) continue;
        for (let column = Math.floor(step / 2); column < n; column += step) {
          const x = 256 * coords.x + (column + 0.5) * size;
          if (x < min.x || x >= max.x) continue;
          const code = planes[plane][row * n + column];
          counts.set(code, (counts.get(code) ?? 0) + size * size * step * step);
          total += size * size * step * step;
        }
      }
    }
    for (const [code, count] of counts) counts.set(code, count / total);
    return counts;
  }

  tellLimit(seen) {
    if (this.grid) return;
    const ends = { x: false, y: false };
    for (const { values: { n, distinct } } of seen) {
      if (n !== this.choices.tile) continue;
      ["x", "y"].forEach((name, k) => { ends[name] ||= distinct[k] < n && !this.axes[name].integer; });
    }
    const names = ["x", "y"].filter((name) => ends[name]).map((name) => this.axes[name].label);
    this.part(".limit").hidden = !names.length;
    this.part(".limit").textContent = names.length ? `float64 ends here: neighboring pixels are equal in ${names.join(" and ")}.` : "";
  }

  // Where it is

  /** Return the pixel at a place, {z, column, row}. */
  pixelAt(latlng) {
    const z = this.leaflet.getZoom();
    const { x, y } = this.leaflet.project(latlng, z);
    return { z, column: Math.floor(x), row: Math.floor(y) };
  }

  center() {
    return this.pixelAt(this.leaflet.getCenter());
  }

  /** Return the center of a pixel. */
  latLng({ z, column, row }) {
    return this.leaflet.unproject([column + 0.5, row + 0.5], z);
  }

  /** Return the place to show so that `center` returns this pixel, also after Leaflet rounds to whole pixels. */
  viewOf({ z, column, row }) {
    return this.leaflet.unproject([column, row], z);
  }

  /** Move within a level. In contrast to a new view of the same level, Leaflet then keeps the tiles. */
  shiftTo({ column, row }) {
    const { x, y } = this.leaflet.getSize();
    const offset = new L.Point(column - x / 2, row - y / 2).round().subtract(this.leaflet.getPixelBounds().min);
    if (offset.x || offset.y) this.leaflet.panBy(offset, { animate: false });
  }

  /** Move the center back to the map if a drag or its inertia left it, and return whether it did. */
  returnInside() {
    const { z, column, row } = this.center();
    if (!Number.isInteger(z) || this.isInside({ z, column, row })) return false;
    const nearest = (k) => Math.max(0, Math.min(256 * 2 ** z - 1, k));
    this.shiftTo({ column: nearest(column), row: nearest(row) });
    return true;
  }

  /** Show the world, as large as it fits. */
  showWhole() {
    const { x, y } = this.leaflet.getSize();
    const z = Math.max(0, Math.min(this.maxLevel, Math.floor(Math.log2(Math.min(x, y) / 256))));
    this.leaflet.setView(this.leaflet.unproject([128 * 2 ** z, 128 * 2 ** z], z), z, { animate: false });
  }

  moveTo(place) {
    if (this.leaflet._loaded && place.z === this.leaflet.getZoom()) this.shiftTo(place);
    else this.leaflet.setView(this.viewOf(place), Math.max(0, Math.min(this.maxLevel, place.z)), { animate: false });
  }

  isInside({ z, column, row }) {
    const side = 256 * 2 ** z;
    return column >= 0 && row >= 0 && column < side && row < side;
  }

  inspect(pixel, keep) {
    if (Number.isInteger(pixel.z) && this.isInside(pixel)) this.onInspect(this, pixel, keep);
  }

  /** Mark pixels of open networks, [{pixel, text}]. */
  mark(marks) {
    this.markers.forEach((marker) => marker.remove());
    this.markers = marks.map(({ pixel, text }) => {
      const icon = L.divIcon({ className: "mark", html: text, iconSize: [22, 22] });
      return L.marker(this.latLng(pixel), { icon, interactive: false, keyboard: false }).addTo(this.leaflet);
    });
  }

  // What it says

  valueText(pixel) {
    const values = this.layer?._map ? this.layer.valuesAt(pixel) : null;
    if (!values) return this.grid ? "not loaded yet" : "not trained yet";
    const { value, categories, unit } = { ...this.value, value: values.value };
    const label = (codes, code) => codes.find((each) => each.code === code)?.label ?? short(code);
    if (categories) return Number.isNaN(value) ? "no value" : label(categories, value);
    const status = values.status === undefined ? "" : `, ${label(this.choices.statuses, values.status)}`;
    const interval = values.low === undefined || Number.isNaN(values.low) ? "" : ` [${short(values.low, 3)}, ${short(values.high, 3)}] of ${short(values.n_runs)} ${values.n_runs === 1 ? "run" : "runs"}`;
    return (Number.isNaN(value) ? "no value" : `${short(value)}${unit ? ` ${unit}` : ""}`) + interval + status;
  }

  placeText(pixel) {
    const { z, column, row } = pixel;
    if (this.grid) {
      const cell = cellOf(pixel, this.grid);
      const values = [[this.axes.x, cell.column], [this.axes.y, cell.row]].filter(([{ label }]) => label);
      return values.map(([{ label, texts }, k]) => `${label} ${texts[k]}`).join(", ") || "the only cell";
    }
    const side = 256 * 2 ** z;
    return ["x", "y"].map((name) => {
      const axis = this.axes[name];
      const at = (k) => valueAt(axis, name === "x" ? (k + 0.5) / side : 1 - (k + 0.5) / side);
      const k = name === "x" ? column : row;
      const value = at(k);
      return `${axis.label} ${axis.integer ? Math.round(value) : digitsFor(value, Math.abs(at(k + 1) - value))}`;
    }).join(", ");
  }

  point(pixel) {
    this.pointed = pixel;
    if (!this.axes || !this.leaflet._loaded) return;
    const shown = pixel ?? this.here();
    const where = pixel || this.grid ? "" : "center: ";
    this.part(".readout").textContent = this.isInside(shown) ? `${where}${this.placeText(shown)}: ${this.value.label} ${this.valueText(shown)}` : "outside the map";
  }

  /** Return the pixel of which it speaks: the center, or that of the cell that keys reached. */
  here() {
    return this.brush?.pixel() ?? this.center();
  }

  /** Return what is at the center and in view, in one sentence. */
  sentence() {
    const center = this.here();
    const labels = this.value.categories ?? this.choices.statuses;
    const shares = [...this.shares()].sort((a, b) => b[1] - a[1]).slice(0, 5)
      .map(([code, share]) => `${(100 * share).toFixed(0)} % ${labels.find((each) => each.code === code)?.label ?? short(code)}`);
    const at = this.isInside(center) ? `${this.placeText(center)}: ${this.value.label} ${this.valueText(center)}` : "outside the map";
    return `Map ${this.number + 1}, level ${center.z}. ${this.grid ? "Cell" : "Center"}: ${at}.${shares.length ? ` In view: ${shares.join(", ")}.` : ""}`;
  }

  drawAxes() {
    if (!this.axes || !this.leaflet._loaded) return;
    const z = this.leaflet.getZoom();
    const side = 256 * 2 ** z;
    const { min } = this.leaflet.getPixelBounds();
    const size = this.leaflet.getSize();
    const { x, y } = this.axes;
    // The map may be smaller than the picture: it has as many ticks as there is place for.
    const most = (axis, start, length) => {
      const seen = Math.min(side, start + length) - Math.max(0, start);
      return axis.texts ? Math.max(1, seen / (12 + LETTER * axis.longest)) : seen / spacing(z);
    };
    drawAxis(this.part(".axis.x"), x, ticks(x, min.x / side, (min.x + size.x) / side, most(x, min.x, size.x)), (at) => at * side - min.x, size.x, false);
    const bottom = 1 - (min.y + size.y) / side;
    drawAxis(this.part(".axis.y"), y, ticks(y, bottom, 1 - min.y / side, most(y, min.y, size.y)), (at) => (1 - at) * side - min.y, size.y, true);
    if (this.grid) this.part(".level").textContent = `${short(this.grid.columns)} x ${short(this.grid.rows)} ${x.ranges || y.ranges ? "ranges of sampled values, named by their centers" : "cells"}`;
    else {
      const from = Math.max(0, Math.min(1, (min.x + size.x / 2) / side));
      this.drawScaleBar(scaleBar(x, from, 1 / side, Math.min(140, size.x / 3)), x);
      this.part(".level").textContent = `Level ${Math.round(z)}: ${short(256 * 2 ** Math.round(z))} pixels a side.`;
    }
    this.point(null);
    this.linkStudy();
  }

  drawScaleBar(bar, axis) {
    if (!this.bar) {
      this.bar = L.control({ position: "bottomleft" });
      this.bar.onAdd = () => L.DomUtil.create("div", "scale-bar");
      this.bar.addTo(this.leaflet);
    }
    const element = this.bar.getContainer();
    element.textContent = bar.text;
    element.hidden = axis.integer || !(bar.pixels > 10);
    element.style.width = `${bar.pixels}px`;
  }

  /** The study of the 512 x 512 pixels around the center, or of as many as the level has. */
  linkStudy() {
    const link = this.part(".study");
    link.hidden = Boolean(this.grid || this.value.isDifference) || this.value.name === "difference";
    const { z, column, row } = this.center();
    const side = 256 * 2 ** z;
    const width = Math.min(512, side);
    const start = (k) => Math.max(0, Math.min(side - width, k - width / 2));
    link.href = `study?${this.query}&z=${z}&column=${start(column)}&row=${start(row)}&width=${width}&height=${width}`;
  }
}

/** Labels get longer with the level, and so does the distance of ticks. */
function spacing(z) {
  return 60 + 2.5 * z;
}

function axesOf({ axes, map }) {
  return Object.fromEntries(["x", "y"].map((name) => {
    const axis = axes.find((each) => each.name === map[name]);
    if (map.show === "results") return [name, listAxis(axis)];
    return [name, { ...axis, low: Number(map[`${name}_low`]), high: Number(map[`${name}_high`]), scale: map[`${name}_scale`] }];
  }));
}

/** Return an axis whose values are listed; without an option, it has one place without a text. */
function listAxis(axis) {
  const texts = axis?.texts ?? [""];
  const longest = texts.reduce((most, { length }) => Math.max(most, length), 0);
  const areNumbers = axis?.values?.every((value) => typeof value === "number");
  return { label: "", unit: "", ...axis, texts, areNumbers, longest: areNumbers ? longest : Math.min(longest, SHORTENED), scale: "list" };
}

function multiply(plane, factor) {
  if (plane && factor !== 1) for (let k = 0; k < plane.length; k += 1) plane[k] *= factor;
}

/** Return the difference of two tiles: of numbers, or whether categories differ. */
function difference([first, second], isCategory) {
  const value = new Float64Array(first.planes.value.length);
  const [a, b] = [first.planes.value, second.planes.value];
  for (let k = 0; k < value.length; k += 1) {
    if (!isCategory) value[k] = b[k] - a[k];
    else value[k] = a[k] === b[k] || (Number.isNaN(a[k]) && Number.isNaN(b[k])) ? 0 : 1;
  }
  return { n: first.n, planes: { value }, distinct: first.distinct };
}

function drawAxis(svg, axis, marks, position, length, isUpright) {
  const children = [];
  const add = (...parts) => children.push(svgElement(...parts));
  // An upright axis is a level one, turned.
  const turned = (x, y) => (isUpright ? { x: 0, y: 0, transform: `translate(${42 - y} ${x}) rotate(-90)` } : { x, y });
  const gap = marks.length > 1 ? Math.abs(position(marks[1].at) - position(marks[0].at)) : length;
  const most = axis.texts ? Math.max(axis.longest, Math.floor((gap - 12) / LETTER)) : Infinity;
  for (const { at, text: whole } of marks) {
    if (!whole) continue;
    const text = whole.length > most ? `${whole.slice(0, most - 1)}…` : whole;
    const place = position(at);
    add("path", { d: isUpright ? `M42 ${place}h-5` : `M${place} 0v5` });
    const half = (text.length * LETTER) / 2;
    const inset = Math.max(half, Math.min(length - half, place));
    add("text", isUpright ? turned(inset, 9) : turned(inset, 17), text);
  }
  add("text", { ...(isUpright ? turned(length / 2, 29) : turned(length / 2, 35)), class: "title" }, axis.unit ? `${axis.label}, ${axis.unit}` : axis.label);
  svg.replaceChildren(...children);
}
