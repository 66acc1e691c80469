// Panels of networks: how the network of a pixel was trained, and what it learned.

import { lineChart, scaleOf } from "./charts.js";
import { pixelOf, RAMPS } from "./colors.js";
import { button, command, detailed, figure, make, svgElement } from "./elements.js";
import { digitsFor, short } from "./scales.js";
import { requestJson } from "./server.js";

/** The open panels, in the order in which they were opened. */
export class Networks {
  constructor(root, onChange) {
    this.root = root;
    this.onChange = onChange;
    this.panels = [];
  }

  /** Show exactly these networks, [{map, pixel, seed}] with the seed counted from the first one, and load those that are not open. */
  show(wanted, queries) {
    const keyOf = ({ map, pixel, seed }) => [queries[map], pixel.z, pixel.column, pixel.row, seed ?? ""].join("/");
    const open = new Map(this.panels.map((panel) => [panel.key, panel]));
    this.panels = wanted.filter(({ map }) => queries[map] !== undefined).map((network) => {
      const key = keyOf(network);
      const panel = open.get(key) ?? this.load(key, network, queries[network.map]);
      open.delete(key);
      return panel;
    });
    for (const panel of open.values()) panel.request.abort();
    this.panels.forEach((panel, k) => { panel.title.textContent = `Network ${k + 1}`; });
    this.root.replaceChildren(...this.panels.map(({ element }) => element));
    this.root.hidden = !this.panels.length;
  }

  load(key, network, query) {
    const element = make("section", "network");
    const title = make("h2");
    const panel = { key, network, element, title, request: new AbortController() };
    const close = button("×", () => this.close(panel), "close");
    close.setAttribute("aria-label", "Close");
    const body = make("div", "body", "Training ..");
    body.setAttribute("aria-live", "polite");
    const head = make("header");
    head.append(title, close);
    element.append(head, body);
    const { z, column, row } = network.pixel;
    const seed = network.seed === undefined ? "" : `&seed=${network.seed}`;
    requestJson(`network?${query}&z=${z}&column=${column}&row=${row}${seed}`, panel.request.signal).then((answer) => {
      body.replaceChildren(...contents(answer, query));
      const seeds = seedChoice(answer, query, network.seed ?? 0, (chosen) => this.change(panel, chosen));
      if (seeds) body.prepend(seeds);
    }).catch((error) => {
      if (error.name !== "AbortError") body.textContent = error.message;
    });
    return panel;
  }

  close(panel) {
    this.onChange(this.panels.filter((each) => each !== panel).map(({ network }) => network));
  }

  closeLast() {
    if (this.panels.length) this.close(this.panels.at(-1));
  }

  change(panel, seed) {
    this.onChange(this.panels.map((each) => (each === panel ? { ...each.network, seed } : each.network)));
  }
}

/** Return a choice of the seeds of a pixel where there are several. */
function seedChoice(answer, query, offset, onChange) {
  const parameters = new URLSearchParams(query);
  const count = Number(parameters.get("seeds") ?? 1);
  if (!(count > 1)) return null;
  const label = make("label", "", "seed ");
  const select = make("select");
  const first = answer.seed - offset;
  for (let k = 0; k < count; k += 1) select.add(new Option(String(first + k), String(k), false, k === offset));
  select.addEventListener("change", () => onChange(Number(select.value)));
  label.append(select);
  return label;
}

function contents(answer, query) {
  const parameters = new URLSearchParams(query);
  const facts = make("dl");
  const fact = (name, text) => facts.append(make("dt", "", name), make("dd", "", text));
  if (answer.steps !== undefined) {
    fact("status", `${answer.status} after ${short(answer.steps)} steps`);
    fact("final loss", answer.final_loss === null ? "infinite" : short(answer.final_loss, 6));
    fact("correct", `${answer.n_correct} of ${answer.n_outputs} outputs`);
  } else if (answer.status) fact("status", answer.status);
  if (answer.function) fact("learned function", answer.function);
  for (const axis of ["x", "y"]) fact(parameters.get(axis).replaceAll("_", " "), answer[`${axis}_text`]);
  fact("seed", String(answer.seed));
  const found = [facts];
  if (answer.losses?.steps.length) found.push(figure("Loss", lossCurve(answer.losses)));
  if (answer.surface) found.push(figure("Output over both inputs", surface(answer.surface, answer.predictions)));
  if (answer.predictions) found.push(detailed("Predictions", predictionTable(answer.predictions)));
  if (answer.weights) found.push(detailed("Weights", ...answer.weights.map(weightTable)));
  found.push(command("This command trains the network again:", answer.command));
  return found;
}

/** The losses before the updates over the steps, on a log scale. */
function lossCurve({ steps, losses }) {
  const points = steps.map((step, k) => [step, losses[k]]).filter(([, loss]) => Number.isFinite(loss) && loss > 0);
  const label = points.length ? `Loss from ${short(points[0][1])} at the start to ${short(points.at(-1)[1])}.` : "No loss is finite and positive.";
  const series = [{ name: "loss", points, color: "var(--accent)" }];
  return lineChart({ x: { low: 0, high: Math.max(1, steps.at(-1)), scale: "linear", integer: true }, y: scaleOf(series, { scale: "log" }), series, label });
}

/** The output over a grid of both inputs, with the patterns: light where the target is high. */
function surface({ x, y, n, outputs }, predictions) {
  const box = make("div", "surface");
  const canvas = make("canvas");
  canvas.width = canvas.height = n;
  const finite = outputs.filter((output) => output !== null && Number.isFinite(output));
  const [low, high] = finite.length ? [finite.reduce((a, b) => Math.min(a, b)), finite.reduce((a, b) => Math.max(a, b))] : [0, 1];
  const image = new ImageData(n, n);
  const pixels = new Uint32Array(image.data.buffer);
  const missing = pixelOf("#b9b9b9");
  outputs.forEach((output, k) => {
    pixels[k] = output === null || !Number.isFinite(output) ? missing : RAMPS.viridis[Math.round((255 * (output - low)) / (high - low || 1))];
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
  const svg = svgElement("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" });
  const targets = predictions.map(({ targets: [target] }) => target);
  const middle = (Math.min(...targets) + Math.max(...targets)) / 2;
  for (const { inputs: [a, b], targets: [target] } of predictions) {
    const place = { cx: (100 * (a - x[0])) / (x[1] - x[0]), cy: 100 - (100 * (b - y[0])) / (y[1] - y[0]) };
    svg.append(svgElement("circle", { ...place, r: 3, class: target > middle ? "high" : "low" }));
  }
  box.append(canvas, svg);
  const whole = make("div");
  const [dark, light] = [low, high].map((end) => digitsFor(end, (high - low) / 10));
  const range = dark === light ? `${short(low)} everywhere` : `From ${dark} (dark) to ${light} (light)`;
  whole.append(box, make("p", "note", `${range}. White points: high target, black: low target.`));
  return whole;
}

function predictionTable(predictions) {
  const rows = predictions.map(({ inputs, targets, outputs }) => [inputs, targets, outputs].map((numbers) => numbers.map((each) => short(each, 5)).join(" ")));
  return table(["inputs", "targets", "outputs"], rows);
}

/** The values of an array of weights, in rows of its last dimension. */
function weightTable({ name, shape, values }) {
  const length = shape.at(-1) ?? 1;
  const rows = Array.from({ length: values.length / length }, (_, k) => values.slice(k * length, (k + 1) * length).map((each) => short(each, 6)));
  const whole = make("div", "weights");
  whole.append(make("h3", "", name), table([], rows));
  return whole;
}

function table(head, rows) {
  const whole = make("table");
  if (head.length) {
    const row = whole.createTHead().insertRow();
    row.append(...head.map((text) => make("th", "", text)));
  }
  const body = whole.createTBody();
  for (const cells of rows) body.insertRow().append(...cells.map((text) => make("td", "", text)));
  return whole;
}
