// Colors of values. Statuses have those of the report; all are distinct for any color vision.

import { fractionOf } from "./scales.js";

// viridis and a map from brown over white to violet, at equal distances.
const VIRIDIS = "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725";
const DIVERGING = "7f3b08 a04d07 be630a db7d12 ef9e3c fdbd6e fed7a2 fbe9cf f6f6f7 e3e4ef cecde4 b6b0d4 988dbe 7967a6 5d3790 44176f 2d004b";
const STATUS = { converged: "#0072b2", diverged: "#d55e00", stalled: "#cc79a7", exhausted: "#8c8c8c", plateau: "#e69f00" };
export const DIVERGED = STATUS.diverged;
export const MISSING = "#b9b9b9";
const DIFFERENCE = { 0: "#e3e4ef", 1: "#5d3790" };
// Any two differ by at least 17 in CIELAB, also to the color-blind (deutan, protan and tritan, simulated as by Machado 2009).
const CATEGORIES = (
  "0072b2 e69f00 009e73 990000 99ccff 33334d f0e442 9900ff 663333 66ff99 ff33ff b3994d 3333b3 b3e666 666680 e63300"
).split(" ").map((digits) => `#${digits}`);

/** Return the color of a category as CSS. */
export function categoryColor({ code, label }) {
  if (code < 0) return MISSING;
  if (label in STATUS) return STATUS[label];
  return CATEGORIES[code % CATEGORIES.length];
}

/** Return the two categories of a difference between categories. */
export function differenceCategories() {
  return [{ code: 0, label: "equal", color: DIFFERENCE[0] }, { code: 1, label: "different", color: DIFFERENCE[1] }];
}

/** Return a color as a pixel of an ImageData seen as 32-bit integers, which are little-endian on every computer of today. */
export function pixelOf(css) {
  const digits = Number.parseInt(css.slice(1), 16);
  return ((255 << 24) | ((digits & 255) << 16) | (digits & 0xff00) | (digits >> 16)) >>> 0;
}

function ramp(table) {
  const anchors = table.split(" ").map((digits) => [0, 2, 4].map((k) => Number.parseInt(digits.slice(k, k + 2), 16)));
  return Uint32Array.from({ length: 256 }, (_, k) => {
    const at = (k / 255) * (anchors.length - 1);
    const low = Math.min(Math.floor(at), anchors.length - 2);
    const [red, green, blue] = anchors[low].map((value, c) => Math.round(value + (at - low) * (anchors[low + 1][c] - value)));
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  });
}

// Of signed values, those below 0 are the better ones: their side is the one of converged runs.
export const RAMPS = { viridis: ramp(VIRIDIS), diverging: ramp(DIVERGING), signed: ramp(DIVERGING).reverse() };

/** Return the ramp of numbers on a scale. */
export function rampFor({ isDifference, scale }) {
  if (isDifference) return RAMPS.diverging;
  return scale === "signed_log" ? RAMPS.signed : RAMPS.viridis;
}

/** Return a painter of numbers: `low` to `high` along a ramp; diverged runs and infinite losses have another color. */
export function numberPainter({ low, high, scale, isDifference, divergedCode }) {
  const colors = rampFor({ isDifference, scale });
  const axis = { low, high, scale };
  const infinite = isDifference || scale === "signed_log" ? undefined : Infinity;
  const [diverged, missing] = [pixelOf(DIVERGED), pixelOf(MISSING)];
  return ({ planes: { value, status } }, pixels) => {
    for (let k = 0; k < pixels.length; k += 1) {
      if (value[k] === infinite || (status && status[k] === divergedCode)) pixels[k] = diverged;
      else if (Number.isNaN(value[k])) pixels[k] = missing;
      else pixels[k] = colors[Math.max(0, Math.min(255, Math.round(255 * fractionOf(axis, value[k])) || 0))];
    }
  };
}

/** Return a painter of categories. */
export function categoryPainter(categories) {
  const known = new Map(categories.map((category) => [category.code, pixelOf(category.color ?? categoryColor(category))]));
  const missing = pixelOf(MISSING);
  const color = (code) => {
    if (!known.has(code)) known.set(code, Number.isNaN(code) ? missing : pixelOf(categoryColor({ code, label: "" })));
    return known.get(code);
  };
  return ({ planes: { value } }, pixels) => {
    for (let k = 0; k < pixels.length; k += 1) pixels[k] = color(value[k]);
  };
}

/** Return limits of colors for values in view: all but the outermost hundredth at each end. */
export function limitsOf(tiles, { scale, isDifference, divergedCode }) {
  const values = [];
  for (const { values: { planes: { value, status } } } of tiles) {
    // An odd stride: an even one would see the same few columns in each row.
    const stride = Math.floor(value.length / 4096) | 1;
    for (let k = 0; k < value.length; k += stride) {
      if (!Number.isFinite(value[k]) || (status && status[k] === divergedCode)) continue;
      if (scale !== "log" || value[k] > 0) values.push(value[k]);
    }
  }
  if (!values.length) return isDifference ? [-1, 1] : [scale === "log" ? 0.1 : 0, 1];
  values.sort((a, b) => a - b);
  let low = values[Math.floor(0.01 * (values.length - 1))];
  let high = values[Math.ceil(0.99 * (values.length - 1))];
  if (scale === "signed_log") return [Math.min(low, -1e-3), Math.max(high, 1e-3)];
  if (isDifference) {
    high = Math.max(Math.abs(low), Math.abs(high)) || 1;
    low = -high;
  }
  if (low === high) [low, high] = scale === "log" ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  return [low, high];
}
