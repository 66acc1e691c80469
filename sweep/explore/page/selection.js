// Panels of selected cells: their statistics, slices along an axis, and when their runs ended.

import { Answered } from "./answered.js";
import { lineChart, scaleOf, seriesLegend } from "./charts.js";
import { categoryColor } from "./colors.js";
import { command, detailed, figure, make } from "./elements.js";
import { short } from "./scales.js";

// Statistics that are always shown; more are folded.
const MOST_STATISTICS = 8;

export class Selection {
  constructor(root) {
    this.root = root;
    this.panels = [];
    this.spoken = make("p", "spoken");
    this.spoken.setAttribute("role", "status");
    root.append(this.spoken);
  }

  /** Show the selection in each of these maps; [] shows none. `request` is the query of the cells. */
  show(maps, queries, request) {
    for (const panel of this.panels.splice(maps.length)) {
      panel.abort();
      panel.element.remove();
    }
    maps.forEach((map, k) => {
      this.panels[k] ??= this.panel();
      const panel = this.panels[k];
      panel.draw = (answer) => {
        this.spoken.textContent = answer.title;
        panel.element.replaceChildren(...contents(answer, map, maps.length > 1 ? `Map ${k + 1}: ` : ""));
      };
      panel.ask(`selection?${queries[k]}&${request}`);
    });
  }

  panel() {
    const element = make("section", "panel", "Loading ..");
    this.root.append(element);
    return new Answered(element);
  }
}

function contents({ title, statistics, slice, incidence, command: text }, map, prefix) {
  const found = [make("h2", "", prefix + title), facts(statistics.slice(0, MOST_STATISTICS))];
  if (statistics.length > MOST_STATISTICS) found.push(detailed("More statistics", facts(statistics.slice(MOST_STATISTICS))));
  if (slice?.series.some(({ points }) => points.length > 1)) found.push(sliceFigure(slice, map));
  if (incidence) found.push(incidenceFigure(incidence));
  if (text) found.push(command("This command prints them:", text));
  return found;
}

function facts(statistics) {
  const list = make("dl");
  for (const { label, text } of statistics) list.append(make("dt", "", label), make("dd", "", text));
  return list;
}

/** The value of the map along one axis, with a line for each value of the other one. */
function sliceFigure({ axis, series, thinned }, map) {
  const { value, axes } = map;
  const [along, across] = axis === "x" ? [axes.x, axes.y] : [axes.y, axes.x];
  // That of one cell goes beyond the cell.
  const places = series.flatMap(({ points }) => points.map(([at]) => at));
  const first = places.reduce((a, b) => Math.min(a, b));
  const end = places.reduce((a, b) => Math.max(a, b)) + 1;
  const scaled = (number) => (number === null ? null : number * value.factor);
  const drawn = series.map(({ name, points }) => ({ name, points: points.map(([at, ...numbers]) => [at - first, ...numbers.map(scaled)]) }));
  const what = `${value.label}${value.unit ? `, ${value.unit},` : ""} by ${along.label || "cell"}`;
  const x = { ...along, texts: along.texts.slice(first, end) };
  const chart = lineChart({ x, y: scaleOf(drawn, value), series: drawn, label: `${what}. ${drawn.map(described).join(" ")}` });
  const names = across.label ? [make("p", "note", `${across.label}${thinned ? `; ${thinned}` : ""}:`), seriesLegend(drawn)] : [];
  return figure(what.charAt(0).toUpperCase() + what.slice(1), chart, ...names);
}

function described({ name, points }) {
  const values = points.map(([, value]) => value).filter((value) => value !== null);
  if (!values.length) return `${name}: no value.`;
  return `${name}: from ${short(values[0])} to ${short(values.at(-1))}.`;
}

/** The share of runs that ended in each way up to a step. */
function incidenceFigure({ steps, curves }) {
  const series = curves.map(({ name, values }) => {
    const last = values.findLast((value) => value !== null) ?? 0;
    return { name: `${name}: ${short(100 * last, 3)} %`, color: categoryColor({ label: name }), points: steps.map((step, k) => [step, values[k] === null ? null : 100 * values[k]]) };
  });
  const x = { low: 0, high: Math.max(1, steps.at(-1) ?? 1), scale: "linear", integer: true };
  const y = { low: 0, high: 100, scale: "linear" };
  const chart = lineChart({ x, y, series, label: `Runs that ended, by step. At the end: ${series.map(({ name }) => name).join(", ")}.`, isStepped: true });
  return figure("Runs that ended, %, by step", chart, seriesLegend(series));
}
