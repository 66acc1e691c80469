// The address of the page holds the whole view: axes, options, place, colors and open networks.
// Map 1 has plain keys; keys of map 2 end in ".2", and those of the difference in ".d".

const SHARED = ["show", "x", "x_low", "x_high", "x_scale", "y", "y_low", "y_high", "y_scale", "seeds"];

export const SUFFIXES = ["", ".2", ".d"];

/** Return the parameters in the address. */
export function read() {
  return new URLSearchParams(location.hash.slice(1));
}

/** Change parameters; null removes one. A new entry of the history makes Back return to the view before. */
export function change(changes, { entry = true } = {}) {
  const parameters = read();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") parameters.delete(name);
    else parameters.set(name, value);
  }
  const hash = `#${parameters}`;
  if (hash === location.hash) return;
  if (entry) history.pushState(null, "", hash);
  else history.replaceState(null, "", hash);
}

/** Return the query by which the server knows a map. */
export function mapQuery(parameters, suffix) {
  const query = new URLSearchParams();
  for (const name of SHARED) if (parameters.has(name)) query.set(name, parameters.get(name));
  const value = parameters.get("value" + suffix);
  if (value) query.set("value", value);
  for (const [name, text] of parameters) {
    if (!name.startsWith("set.")) continue;
    if (suffix ? name.endsWith(suffix) : !/\.[2d]$/.test(name)) query.set(name.slice(0, name.length - suffix.length), text);
  }
  return query.toString();
}

/** Return the place in the address, {z, column, row} of the pixel at the center, or null. */
export function place(parameters) {
  const [z, column, row] = ["z", "column", "row"].map((name) => Number(parameters.get(name) ?? NaN));
  return [z, column, row].every(Number.isSafeInteger) ? { z, column, row } : null;
}
