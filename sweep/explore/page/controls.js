// The controls: axes and seeds of all maps, value and options of each. What a user changes goes into the address.

import { read } from "./address.js";
import { fillInput } from "./elements.js";

const SHOWS = { results: "results", training: "networks trained when looked at" };

/** Fill the form of axes and seeds. */
export function fillAxes(form, choices, parameters) {
  const isResults = choices.map.show === "results";
  const shows = choices.shows ?? [];
  const axes = choices.axes.filter(({ name }) => name);
  fillSelect(form.elements.show, shows.map((name) => ({ value: name, label: SHOWS[name] })), choices.map.show);
  form.elements.show.parentElement.hidden = shows.length < 2;
  document.body.dataset.show = isResults ? "results" : "training";
  for (const [k, name] of ["x", "y"].entries()) {
    form.elements[name].parentElement.hidden = axes.length <= k; // a study may sweep less than two options
    fillSelect(form.elements[name], axes.map((axis) => ({ value: axis.name, label: axis.label, meaning: axis.meaning })), choices.map[name]);
    if (isResults) continue;
    for (const end of ["low", "high"]) fillInput(form.elements[`${name}_${end}`], String(choices.map[`${name}_${end}`]));
    form.elements[`${name}_scale`].value = choices.map[`${name}_scale`];
  }
  if (!isResults) fillInput(form.elements.seeds, String(choices.map.seeds));
  form.elements.pair.checked = parameters.has("pair");
  form.elements.difference.checked = parameters.has("difference");
  form.elements.difference.disabled = !parameters.has("pair");
}

/** Call `change` with what a user changes in that form. Other axes or ranges are another map: it is shown whole. */
export function listenToAxes(form, change) {
  const nowhere = { z: null, column: null, row: null, networks: null, columns: null, rows: null, first: null, chosen: null };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", ({ target }) => {
    const { name } = target;
    if (name === "keep" || name === "select") return;
    if (name === "show") change({ ...Object.fromEntries([...read().keys()].map((key) => [key, null])), show: target.value });
    else if (name === "pair") change({ ...ofSecondMap(target.checked), difference: null });
    else if (name === "difference") change({ difference: target.checked ? "1" : null });
    else if (name === "x" || name === "y") {
      const changes = { ...nowhere, ...newAxis(name, target.value) };
      // An option is on one axis: the other one gets what this one had.
      const other = name === "x" ? "y" : "x";
      if (form.elements[other].value === target.value) Object.assign(changes, newAxis(other, read().get(name)));
      change(changes);
    } else if (name === "seeds") {
      // One run and many have different values to show.
      const others = (read().get("seeds") === "1") === (target.value === "1") ? {} : { value: null, "value.2": null };
      change({ seeds: target.value, networks: null, ...others });
    } else change({ [name]: target.value, ...nowhere });
  });
}

/** Return the options of the second map: a copy of those of the first one, or none. */
function ofSecondMap(isShown) {
  const changes = { pair: isShown ? "1" : null };
  for (const [name, value] of read()) {
    if (/\.[2d]$/.test(name)) changes[name] = null;
    else if (isShown && (name === "value" || name.startsWith("set."))) changes[`${name}.2`] = value;
  }
  return changes;
}

function newAxis(name, option) {
  // An axis has all values: none is pinned.
  const pins = { [`set.${option}`]: null, [`set.${option}.2`]: null };
  return { ...pins, [name]: option, [`${name}_low`]: null, [`${name}_high`]: null, [`${name}_scale`]: null };
}

/** Fill the form of one map: its value, and the options that may change. */
export function fillOptions(form, choices, suffix, change) {
  const { map, options, values } = choices;
  const value = choice(`value${suffix}`, "show", values.map((each) => ({ value: each.name, label: each.label, meaning: each.meaning })), map.value);
  const others = options.filter((option) => option.values.length > 1).map((option) => choice(
    `set.${option.name}${suffix}`, option.label, option.values.map((each) => ({ value: String(each), label: String(each) })), String(option.value), option.meaning));
  const focused = form.contains(document.activeElement) ? document.activeElement.name : null;
  const isResults = map.show === "results";
  const isOpen = form.querySelector("details")?.open ?? isResults;
  form.replaceChildren(value, ...(others.length ? [moreOptions(others, map.set, isOpen, isResults ? "other options" : "options")] : []));
  if (focused) form.elements[focused]?.focus();
  form.onchange = ({ target }) => {
    const colors = target.name.startsWith("value") ? { [`low${suffix}`]: null, [`high${suffix}`]: null, [`colors${suffix}`]: null } : {};
    // Other runs have other tables.
    change({ [target.name]: target.value, ...colors, first: null, chosen: null });
  };
  form.onsubmit = (event) => event.preventDefault();
}

/** Return what opens the options, with those that were changed. */
function moreOptions(others, changed, isOpen, title) {
  const whole = document.createElement("details");
  const summary = document.createElement("summary");
  const texts = Object.entries(changed).map(([name, text]) => `${name.replaceAll("_", " ")} ${text}`);
  summary.textContent = texts.length ? `${title}: ${texts.join(", ")}` : title;
  const box = document.createElement("div");
  box.className = "controls";
  box.append(...others);
  whole.append(summary, box);
  whole.open = isOpen;
  return whole;
}

function choice(name, label, entries, current, meaning = "") {
  const whole = document.createElement("label");
  const select = document.createElement("select");
  select.name = name;
  whole.title = meaning;
  fillSelect(select, entries, current);
  whole.append(`${label} `, select);
  return whole;
}

function fillSelect(select, entries, current) {
  select.replaceChildren(...entries.map(({ value, label, meaning }) => {
    const option = new Option(label, value, false, value === current);
    option.title = meaning ?? "";
    return option;
  }));
}
