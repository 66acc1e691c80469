// Requests to the server. All addresses are relative, so they stay below the token of this page's address.

import { flightJson, flightTile, isFlight } from "./flight.js";

let isAway = false;

/** A refusal in one sentence: the request is wrong or a folder is damaged, and repeating it does not help. */
export class Refusal extends Error {}

/** Return whether the server did not answer the last request. */
export function serverIsAway() {
  return isAway;
}

function setAway(away) {
  if (away === isAway) return;
  isAway = away;
  document.dispatchEvent(new CustomEvent("server", { detail: { away } }));
}

/** Return the response to a request; wait while the server is away. */
export async function request(path, signal) {
  for (;;) {
    try {
      const response = await fetch(path, { signal, cache: "no-store" });
      if (response.ok) {
        setAway(false);
        return response;
      }
      if (response.status === 429) {
        // The server has as much work as it takes at a time.
        await pause(500, signal);
        continue;
      }
      setAway(false);
      throw new Refusal(await response.text());
    } catch (error) {
      if (error.name === "AbortError" || error instanceof Refusal) throw error;
    }
    setAway(true);
    await pause(1000, signal);
  }
}

/** Return the JSON that answers a request. */
export async function requestJson(path, signal) {
  return isFlight ? flightJson(path, signal) : (await request(path, signal)).json();
}

/** Return the planes of a tile: their names, n pixels per side, and how many x and y values differ. */
export async function requestTile(query, { z, x, y }, n, signal) {
  if (isFlight) return flightTile({ z, x, y }, n, signal);
  const response = await request(`tile/${z}/${x}/${y}/${n}?${query}`, signal);
  const names = response.headers.get("Sweep-Planes").split(",");
  const distinct = response.headers.get("Sweep-Distinct").split(",").map(Number);
  const bytes = await response.arrayBuffer();
  const planes = {};
  names.forEach((name, k) => { planes[name] = new Float64Array(bytes, 8 * n * n * k, n * n); });
  return { n, planes, distinct };
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("aborted", "AbortError"));
    }, { once: true });
  });
}
