// Positions, values and tick labels of an axis of the map.

/** Return the value at a fraction of an axis. The server computes values of pixels exactly; this is for labels. */
export function valueAt({ low, high, scale }, fraction) {
  return scale === "log" ? Math.exp(Math.log(low) + fraction * Math.log(high / low)) : low + fraction * (high - low);
}

/** Return the fraction of an axis at a value.
 *
 * A signed log scale has 0 in its middle, is linear near it and logarithmic on both sides, from `low` and to `high`.
 * On a list, `value` is an index, and its place the center of a cell.
 */
export function fractionOf({ low, high, scale, texts }, value) {
  if (scale === "list") return (value + 0.5) / texts.length;
  if (scale === "log") return Math.log(value / low) / Math.log(high / low);
  if (scale === "signed_log") return 0.5 + 0.5 * (value < 0 ? -Math.log1p(-value) / Math.log1p(-low) : Math.log1p(value) / Math.log1p(high));
  return (value - low) / (high - low);
}

/** Return the largest of 1, 2, 5 times a power of ten that is at most `most`, as [factor, exponent]. */
function roundBelow(most) {
  const exponent = Math.floor(Math.log10(most) + 1e-9);
  const factor = [5, 2, 1].find((each) => each * 10 ** exponent <= most * (1 + 1e-9)) ?? 1;
  return [factor, exponent];
}

/** Return a number with the digits that tell it from numbers `step` away. */
export function digitsFor(value, step) {
  if (!Number.isFinite(value)) return String(value);
  if (!(step > 0)) return String(value);
  const places = -Math.floor(Math.log10(step) + 1e-9);
  const size = Math.abs(value);
  if (size < step * 1e-6) return "0";
  const exponent = Math.floor(Math.log10(size));
  const digits = Math.max(1, Math.min(17, exponent + 1 + places));
  if (exponent < -4 || exponent >= 7) return withMinus(value.toExponential(digits - 1).replace("e+", "e"));
  return withMinus(value.toFixed(Math.max(0, digits - 1 - exponent)));
}

/** Return a short text of a number of no particular precision. */
export function short(value, digits = 4) {
  if (value === null || Number.isNaN(value)) return "none";
  if (!Number.isFinite(value)) return value > 0 ? "infinite" : "-infinite";
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return withMinus(value.toLocaleString("en"));
  const text = Math.abs(value) < 1e7 ? String(Number(value.toPrecision(digits))) : value.toExponential(digits - 1).replace(/\.?0*e/, "e");
  return withMinus(text.replace("e+", "e"));
}

function withMinus(text) {
  return text.replace("-", "\u2212").replace("e-", "e\u2212");
}

/** Return the ticks of an axis between two fractions, [{at: fraction, text}], at most `most` of them. */
export function ticks(axis, from, to, most) {
  const [start, end] = [Math.max(0, from), Math.min(1, to)];
  if (!(start < end) || most < 1) return [];
  let found;
  if (axis.scale === "list") {
    const n = axis.texts.length;
    return linearTicks({ integer: true }, start * n - 0.5, end * n - 0.5, most).map(({ value }) => ({ at: fractionOf(axis, value), text: axis.texts[Math.round(value)] }));
  }
  const [low, high] = axis.scale === "signed_log" ? [axis.low, axis.high] : [valueAt(axis, start), valueAt(axis, end)];
  const decades = axis.scale === "log" ? Math.log10(high / low) : 0;
  if (axis.scale === "signed_log") {
    const below = sideTicks(-low, most / 2).map(({ value, text }) => ({ value: -value, text: withMinus(`-${text}`) }));
    found = [...below, { value: 0, text: "0" }, ...sideTicks(high, most / 2)];
  } else if (decades > 1) found = decadeTicks(low, high, most);
  else {
    found = linearTicks(axis, low, high, most);
    // Within a decade, 1, 2 and 5 may be more than the multiples of one step.
    const rounded = decades ? decadeTicks(low, high, most) : [];
    if (rounded.length > found.length) found = rounded;
  }
  return found
    .map(({ value, text }) => ({ at: fractionOf(axis, value), text }))
    .filter(({ at }) => at >= start - 1e-15 && at <= end + 1e-15);
}

function linearTicks(axis, low, high, most) {
  let [factor, exponent] = roundBelow((high - low) / most);
  // The largest round step below is too small: the next one is large enough.
  if (factor * 10 ** exponent * most < high - low) [factor, exponent] = { 1: [2, exponent], 2: [5, exponent], 5: [1, exponent + 1] }[factor];
  if (axis.integer && exponent < 0) [factor, exponent] = [1, 0];
  const step = factor * 10 ** exponent;
  const found = [];
  const last = Math.floor(high / step + 1e-9);
  for (let k = Math.ceil(low / step - 1e-9); k <= last && found.length <= 2 * most; k += 1) {
    // A division by a power of ten is rounded once: labels are as short as they can be.
    const value = exponent < 0 ? (k * factor) / 10 ** -exponent : k * factor * 10 ** exponent;
    found.push({ value, text: digitsFor(value, step) });
  }
  return found.length || !axis.integer ? found : integersBetween(low, high, most);
}

/** Return a tick in the middle of what is seen of each integer, which reaches half way to the next ones; if they are too many, of one. */
function integersBetween(low, high, most) {
  const first = Math.round(low);
  const seen = Array.from({ length: Math.ceil(high + 0.5) - first }, (_, k) => first + k);
  const named = seen.length <= most ? seen : [Math.round((low + high) / 2)];
  return named.map((k) => ({ value: (Math.max(low, k - 0.5) + Math.min(high, k + 0.5)) / 2, text: digitsFor(k, 1) }));
}

function decadeTicks(low, high, most) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const decades = Math.log10(high / low);
  const every = Math.ceil(decades / most);
  const factors = decades * 3 <= most ? [1, 2, 5] : [1];
  const found = [];
  for (let exponent = Math.ceil(first / every) * every; exponent <= last; exponent += every) {
    for (const factor of every === 1 ? factors : [1]) {
      const value = Number(`${factor}e${exponent}`);
      found.push({ value, text: short(value) });
    }
  }
  return found.filter(({ value }) => value >= low * (1 - 1e-12) && value <= high * (1 + 1e-12));
}

/** Return powers of ten on one side of a signed log scale that are far enough from its middle. */
function sideTicks(end, most) {
  return decadeTicks(Math.min(1, end / 10), end, most).filter(({ value }) => Math.log1p(value) > 0.3 * Math.log1p(end));
}

/** Return a bar of a round length near `pixels`, {pixels, text}: a difference, or a factor on a log scale. */
export function scaleBar(axis, from, perPixel, pixels) {
  const low = valueAt(axis, from);
  const high = valueAt(axis, from + pixels * perPixel);
  if (axis.scale === "log" && high / low > 1.5) {
    const [factor, exponent] = roundBelow(high / low);
    const ratio = Math.max(factor * 10 ** exponent, 1.5);
    return { pixels: Math.log(ratio) / Math.log(axis.high / axis.low) / perPixel, text: `factor ${short(ratio)}` };
  }
  const [factor, exponent] = roundBelow(high - low);
  const length = factor * 10 ** exponent;
  return { pixels: (length / (high - low)) * pixels, text: short(length) };
}
