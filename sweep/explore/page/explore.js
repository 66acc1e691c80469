// The page of `sweep explore`: it shows what its address says, and what a user does changes the address.

import { change, mapQuery, place, read, SUFFIXES } from "./address.js";
import { Brush } from "./brush.js";
import { between, cellOf, centerOf, readCells, writeCells } from "./cells.js";
import { fillAxes, fillOptions, listenToAxes } from "./controls.js";
import { SweepMap } from "./map.js";
import { Networks } from "./networks.js";
import { Selection } from "./selection.js";
import { requestJson } from "./server.js";
import { Tables } from "./tables.js";
import { queue } from "./tiles.js";

const axesForm = document.getElementById("axes");
const notice = document.getElementById("notice");

/** The maps on the page: one, two, or two and their difference. */
const maps = [];
/** The choices of the first and the second map, and the queries with which they were asked for. */
const answers = [];
/** The number of the last call of `show`, and of the last one that ended. */
let version = 0;
let shownVersion = 0;
let isFollowing = false;

const networks = new Networks(document.getElementById("networks"), (list) => update({ networks: writeNetworks(list) }));
const selection = new Selection(document.getElementById("selection"));
const tables = new Tables(document.getElementById("tables"), chooseRow, (row) => {
  chosenRow = row;
  outline();
});
let chosenRow = null;
/** Configurations of which statistics are shown where none is selected. */
const MOST_UNASKED = 100_000;
/** What the notice says when nothing is wrong. */
let standing = "";

/** Change the address, and the page with it. */
function update(changes, options) {
  change(changes, options);
  show();
}

/** Show what the address says. Only the last of several calls takes effect. */
async function show() {
  const mine = ++version;
  document.body.dataset.finished = "false";
  showProgress();
  let parameters = read();
  const count = parameters.has("pair") ? 2 : 1;
  try {
    const fetched = await Promise.all(SUFFIXES.slice(0, count).map((suffix, k) => ask(mapQuery(parameters, suffix), answers[k])));
    if (mine !== version) return;
    fetched.forEach((answer, k) => { answers[k] = answer; });
  } catch (error) {
    if (mine !== version) return;
    if (!answers.length && location.hash) {
      // Without any map, users could not even correct the address: they get the usual one.
      history.replaceState(null, "", "#");
      await show();
    }
    say(error.message);
    return;
  }
  writeDefaults();
  parameters = read();
  answers.slice(0, count).forEach((answer, k) => { answer.asked = mapQuery(parameters, SUFFIXES[k]); });
  const isDifference = count === 2 && parameters.has("difference");
  const sameValue = answers[0].choices.map.value === answers[1]?.choices.map.value;
  const { study } = answers[0].choices;
  standing = isDifference && !sameValue ? "difference: both maps must show the same value; choose one for both." : study.partial ? `${study.partial}; reload this page to see what has been trained since` : "";
  say(standing);
  document.getElementById("study").textContent = study.name;
  document.getElementById("sentence").textContent = study.description;
  document.title = `${study.name}: sweep explore`;
  fillAxes(axesForm, answers[0].choices, parameters);
  showMaps(isDifference && sameValue ? 3 : count, parameters);
  showNetworks(parameters);
  showSelection(parameters);
  summarize();
  shownVersion = mine;
  showProgress();
}

/** Return choices with the query that asks for the same map, and ask only if the map changes. */
async function ask(query, known) {
  if (known?.asked === query) return known;
  const choices = await requestJson(`choices?${query}`);
  return { asked: query, choices, query: fullQuery(choices.map) };
}

function fullQuery({ set, ...map }) {
  const query = new URLSearchParams(Object.entries(map).map(([name, value]) => [name, String(value)]));
  for (const [name, value] of Object.entries(set)) query.set(`set.${name}`, String(value));
  return query.toString();
}

/** Write what the server filled in into the address, which then shows the same view when defaults change. */
function writeDefaults() {
  const { set, value, ...shared } = answers[0].choices.map;
  const filled = { value, ...shared };
  if (read().has("pair")) filled["value.2"] = answers[1].choices.map.value;
  change(Object.fromEntries(Object.entries(filled).map(([name, each]) => [name, String(each)])), { entry: false });
}

function showMaps(count, parameters) {
  const isOther = maps.length && maps[0].maxLevel !== answers[0].choices.max_level;
  while (maps.length > (isOther ? 0 : count)) maps.pop().remove();
  while (maps.length < count) maps.push(newMap(maps.length));
  document.getElementById("maps").dataset.count = count;
  const at = place(parameters);
  maps.forEach((map, k) => {
    const suffix = SUFFIXES[k];
    const answer = answers[k === 2 ? 0 : k];
    const second = k === 2 ? answers[1].query : null;
    isFollowing = true;
    map.resized();
    if (at) map.moveTo(at);
    else if (k === 0) map.showWhole();
    else map.moveTo(maps[0].center());
    isFollowing = false;
    const what = `${answer.query} ${second}`;
    if (map.shown !== what) {
      map.shown = what;
      map.show(answer.query, answer.choices, second);
    }
    if (k < 2) fillOptions(map.part(".options"), answer.choices, suffix, update);
    const number = (name) => (parameters.has(name + suffix) ? Number(parameters.get(name + suffix)) : NaN);
    map.setColors({ scale: parameters.get(`colors${suffix}`) ?? undefined, low: number("low"), high: number("high") });
  });
}

function newMap(k) {
  const suffix = SUFFIXES[k];
  const map = new SweepMap(k, answers[0].choices, {
    onMove: moved,
    onInspect: inspect,
    onColors: ({ scale, low, high }) => {
      const changes = { [`low${suffix}`]: low === null ? null : String(low), [`high${suffix}`]: high === null ? null : String(high) };
      if (scale) changes[`colors${suffix}`] = scale;
      update(changes);
    },
  });
  map.brush = new Brush(map, select, (cursor) => {
    for (const other of maps) other.brush.moveTo(cursor);
    summarizeSoon();
  });
  map.addEventListener("refused", ({ detail }) => say(detail.message));
  map.leaflet.on("move", () => follow(map));
  map.leaflet.on("zoomanim", ({ center, zoom }) => {
    if (isFollowing) return;
    isFollowing = true;
    for (const other of maps) {
      if (other === map) continue;
      other.endAnimation();
      other.leaflet.setView(center, zoom, { animate: true });
    }
    isFollowing = false;
  });
  return map;
}

/** Let the other maps show the place of one. */
function follow(map) {
  if (isFollowing) return;
  isFollowing = true;
  for (const other of maps) {
    if (other === map || !other.leaflet._loaded) continue;
    if (other.leaflet.getZoom() === map.leaflet.getZoom()) other.shiftTo(map.center());
  }
  isFollowing = false;
}

/** A map came to rest: the others do too, and the address says where. */
function moved(map) {
  if (isFollowing || !maps.includes(map)) return;
  const center = map.center();
  if (!Number.isInteger(center.z)) return;
  isFollowing = true;
  for (const other of maps) if (other !== map) other.moveTo(center);
  isFollowing = false;
  const before = place(read());
  // Back returns to the level before; moves on one level are one entry.
  change({ z: String(center.z), column: String(center.column), row: String(center.row) }, { entry: before !== null && before.z !== center.z });
  summarizeSoon();
}

function say(sentence) {
  notice.textContent = sentence;
  notice.hidden = !sentence;
}

// Networks

function inspect(map, pixel, keep) {
  if (map.grid) {
    const cell = cellOf(pixel, map.grid);
    select(between(cell, cell));
    return;
  }
  const chosen = { map: map.number === 2 ? 0 : map.number, pixel };
  const open = readNetworks(read());
  // Both networks of a difference are shown.
  const added = map.number === 2 ? [chosen, { map: 1, pixel }] : [chosen];
  update({ networks: writeNetworks(keep || axesForm.elements.keep.checked ? [...open, ...added] : added) });
}

function showNetworks(parameters) {
  const list = maps[0].grid ? [] : readNetworks(parameters);
  networks.show(list, answers.slice(0, parameters.has("pair") ? 2 : 1).map(({ query }) => query));
  maps.forEach((map, k) => map.mark(list.flatMap(({ map: of, pixel }, number) => (of === k || k === 2 ? [{ pixel, text: String(number + 1) }] : []))));
}

function readNetworks(parameters) {
  const text = parameters.get("networks");
  if (!text) return [];
  return text.split("_").map((each) => {
    const [map, z, column, row, seed] = each.split(".").map(Number);
    return { map, pixel: { z, column, row }, seed };
  }).filter(({ map, pixel }) => [map, pixel.z, pixel.column, pixel.row].every(Number.isSafeInteger));
}

function writeNetworks(list) {
  return list.map(({ map, pixel: { z, column, row }, seed }) => [map, z, column, row, ...(seed === undefined ? [] : [seed])].join(".")).join("_");
}

// Cells of results

/** Select cells, or none. */
function select(cells) {
  update({ ...writeCells(cells), first: null, chosen: null });
}

/** Show what is selected, or the whole map; of a large one, the tables only, since statistics take the server seconds. */
function showSelection(parameters) {
  const { grid } = maps[0];
  const selected = grid && readCells(parameters, grid);
  const cells = selected ?? (grid && { columns: [0, grid.columns], rows: [0, grid.rows] });
  const queries = grid ? answers.slice(0, parameters.has("pair") ? 2 : 1).map(({ query }) => query) : [];
  const request = new URLSearchParams(writeCells(cells));
  document.getElementById("selection").hidden = !grid;
  document.getElementById("hint").hidden = Boolean(selected);
  const hasPanels = selected || answers[0].choices.n_cells <= MOST_UNASKED;
  selection.show(hasPanels ? maps.slice(0, queries.length) : [], queries, request);
  tables.show(parameters, queries, request);
  setBrushes();
  outline();
}

/** Outline the selection and the cell of the chosen row. */
function outline() {
  const { grid } = maps[0];
  for (const map of maps) map.brush.show(grid && readCells(read(), grid), chosenRow);
}

function setBrushes() {
  for (const map of maps) map.brush.isOn = Boolean(map.grid) && axesForm.elements.select.checked;
}

/** Change what the tables show; with a row, show its cell, at least eight pixels wide. */
function chooseRow(changes, row) {
  if (row && changes.chosen !== null) {
    const { grid, maxLevel, leaflet } = maps[0];
    const level = Math.ceil(Math.log2((8 * Math.max(grid.columns, grid.rows)) / 256));
    const at = centerOf(row, grid, Math.min(maxLevel, Math.max(leaflet.getZoom(), level)));
    Object.assign(changes, Object.fromEntries(Object.entries(at).map(([name, each]) => [name, String(each)])));
  }
  update(changes);
}

// The summary of the view that screen readers speak

let summaryTimer = null;

function summarizeSoon() {
  clearTimeout(summaryTimer);
  summaryTimer = setTimeout(summarize, 1000);
}

function summarize() {
  document.getElementById("summary").textContent = maps.filter((map) => map.value).map((map) => map.sentence()).join(" ");
  maps.forEach((map) => map.point(null));
}

let progressFrame = null;
/** What the server said last of its work, and the timer of the next question. */
let work = {};
let askTimer = null;

/** Ask the server for its speed, and until all tiles are written, whether it can keep them. */
function askForWork() {
  askTimer ??= setTimeout(async () => {
    work = await requestJson("state");
    askTimer = null;
    const fault = document.getElementById("fault");
    fault.hidden = !work.save_fault;
    fault.textContent = work.save_fault ? `The server says: ${work.save_fault}.` : "";
    if (work.unsaved) askForWork();
  }, 1500);
}

function showProgress() {
  progressFrame ??= requestAnimationFrame(() => {
    progressFrame = null;
    const { visible, finished } = queue.progress();
    askForWork();
    const { map, tile } = answers[0]?.choices ?? {};
    const speed = work.networks_per_second;
    const seconds = speed ? ((visible - finished) * tile ** 2 * map.seeds) / speed : 0;
    const estimate = seconds > 2 ? ` About ${Math.ceil(seconds)} s are left.` : "";
    document.getElementById("progress").textContent = `Tiles: ${finished} of ${visible} are finished.${estimate}`;
    document.body.dataset.finished = String(visible > 0 && finished === visible && shownVersion === version);
    if (finished === visible) summarizeSoon();
  });
}

document.addEventListener("tiles", showProgress);
document.addEventListener("server", ({ detail: { away } }) => say(away ? "The server does not answer; trying again." : standing));
window.addEventListener("popstate", show);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (maps[0]?.grid) select(null);
  else networks.closeLast();
});
document.getElementById("whole").addEventListener("click", () => maps[0].showWhole());
axesForm.elements.select.addEventListener("change", setBrushes);
listenToAxes(axesForm, update);
show();
