// The legend of a map: categories with their shares, or a ramp with ticks and controls of its limits.

import { categoryColor, DIVERGED, MISSING, rampFor } from "./colors.js";
import { fillInput, make } from "./elements.js";
import { short, ticks } from "./scales.js";

// Categories without any pixel in view are left out where there are more.
const MANY = 6;

export class Legend {
  /** `onChange({scale, low, high})` is called when a user changes colors; null unlocks or resets. */
  constructor(root, onChange) {
    this.root = root;
    this.onChange = onChange;
  }

  draw({ value, limits, scale, locked, shares, beyond, hasMissing }) {
    if (value.categories) this.drawCategories(value.categories, shares);
    else this.drawRamp(value, limits, scale, locked, [...(beyond ? [entry(DIVERGED, beyond)] : []), ...(hasMissing ? [entry(MISSING, "no value")] : [])]);
  }

  drawCategories(categories, shares) {
    const known = new Map(categories.map((category) => [category.code, category]));
    for (const code of shares.keys()) if (!known.has(code)) known.set(code, { code, label: Number.isNaN(code) ? "no value" : short(code), color: Number.isNaN(code) ? MISSING : undefined });
    let shown = [...known.values()];
    if (shown.length > MANY) {
      shown = shown.filter(({ code }) => shares.has(code)).sort((a, b) => shares.get(b.code) - shares.get(a.code)).slice(0, 2 * MANY);
    }
    const list = make("ul", "entries");
    for (const category of shown) {
      const share = shares.get(category.code);
      list.append(entry(category.color ?? categoryColor(category), share ? `${category.label}: ${percent(share)}` : category.label));
    }
    this.ramp = null;
    this.root.replaceChildren(list);
  }

  drawRamp(value, limits, scale, locked, others) {
    if (!this.ramp) this.build();
    const { canvas, numbers, lock, log, low, high, entries, title } = this.ramp;
    title.textContent = value.unit ? `${value.label}, ${value.unit}` : value.label;
    canvas.width = 256;
    canvas.height = 1;
    const image = new ImageData(256, 1);
    new Uint32Array(image.data.buffer).set(rampFor({ isDifference: value.isDifference, scale }));
    canvas.getContext("2d").putImageData(image, 0, 0);
    const axis = { low: limits[0], high: limits[1], scale };
    const marks = ticks(axis, 0, 1, 4);
    numbers.replaceChildren(...marks.map(({ at, text }) => {
      const number = make("span", "", text);
      number.style.left = `${100 * at}%`;
      return number;
    }));
    lock.checked = locked;
    log.checked = scale === "log";
    log.parentElement.hidden = Boolean(value.isDifference) || value.scale === "signed_log";
    for (const [input, limit] of [[low, limits[0]], [high, limits[1]]]) fillInput(input, String(Number(limit.toPrecision(4))));
    entries.replaceChildren(...others);
  }

  build() {
    const ramp = {
      title: make("span", "name"), canvas: make("canvas"), numbers: make("div", "numbers"), entries: make("ul", "entries"),
      low: input("text", "lowest"), high: input("text", "highest"), lock: input("checkbox"), log: input("checkbox"),
    };
    ramp.canvas.setAttribute("aria-hidden", "true");
    const bar = make("div", "bar");
    bar.append(ramp.canvas, ramp.numbers);
    const settings = make("div", "settings");
    settings.append(ramp.low, " to ", ramp.high, labeled(ramp.lock, "lock limits"), labeled(ramp.log, "log colors"));
    this.root.replaceChildren(ramp.title, bar, settings, ramp.entries);
    const limits = () => [ramp.low, ramp.high].map(({ value }) => Number(value));
    ramp.lock.addEventListener("change", () => {
      const [low, high] = limits();
      this.onChange(ramp.lock.checked ? { low, high } : { low: null, high: null });
    });
    for (const each of [ramp.low, ramp.high]) {
      each.addEventListener("change", () => {
        const [low, high] = limits();
        if (low < high) this.onChange({ low, high });
      });
    }
    ramp.log.addEventListener("change", () => this.onChange({ scale: ramp.log.checked ? "log" : "linear", low: null, high: null }));
    this.ramp = ramp;
  }
}

function percent(share) {
  return share < 0.01 ? "< 1 %" : `${(100 * share).toFixed(0)} %`;
}

function entry(color, text) {
  const item = make("li", "", text);
  const swatch = make("span", "swatch");
  swatch.style.backgroundColor = color;
  item.prepend(swatch);
  return item;
}

function input(type, name = "") {
  const element = document.createElement("input");
  element.type = type;
  if (type === "text") {
    element.inputMode = "decimal";
    element.setAttribute("aria-label", `${name} value on the color scale`);
  }
  return element;
}

function labeled(element, text) {
  const label = document.createElement("label");
  label.append(element, ` ${text}`);
  return label;
}
