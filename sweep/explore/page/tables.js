// Tables of the configurations and runs that are selected. The server sorts them and returns a page at a time.

import { Answered } from "./answered.js";
import { button, command, make } from "./elements.js";
import { short } from "./scales.js";

const COUNT = 50;
const KINDS = { cells: "Configurations", runs: "Runs" };

export class Tables {
  /** `onChange(changes)` changes the address; `onChosen(row)` is called with the chosen row, or null. */
  constructor(root, onChange, onChosen) {
    this.root = root;
    this.onChange = onChange;
    this.onChosen = onChosen;
    this.tabs = make("div", "tabs");
    this.body = make("div");
    this.answered = new Answered(this.body, (answer) => {
      this.answer = answer;
      this.draw();
    });
    root.append(this.tabs, this.body);
  }

  /** Show the table that the address wants, of the cells in a query; `queries` are those of the maps, [] hides it. */
  show(parameters, queries, request) {
    this.root.hidden = !queries.length;
    if (!queries.length) return;
    const tabs = queries.flatMap((_, k) => Object.keys(KINDS).map((kind) => ({ kind, k, name: k ? `${kind}.2` : kind })));
    const shown = tabs.find(({ name }) => name === parameters.get("table")) ?? tabs[0];
    const focused = this.tabs.contains(document.activeElement);
    this.tabs.replaceChildren(...tabs.map(({ kind, k, name }) => {
      const text = queries.length > 1 ? `${KINDS[kind]} of map ${k + 1}` : KINDS[kind];
      const tab = button(text, () => this.onChange({ table: name, sort: null, descending: null, first: null, chosen: null }));
      tab.setAttribute("aria-pressed", String(name === shown.name));
      return tab;
    }));
    if (focused) this.tabs.querySelector("[aria-pressed=true]").focus();
    const integer = (name) => (/^\d+$/.test(parameters.get(name) ?? "") ? Number(parameters.get(name)) : null);
    this.title = KINDS[shown.kind];
    this.sort = parameters.get("sort");
    this.isDescending = parameters.has("descending");
    this.first = integer("first") ?? 0;
    this.chosen = integer("chosen");
    const query = new URLSearchParams({ ...(this.sort ? { sort: this.sort, descending: this.isDescending } : {}), first: this.first, count: COUNT });
    const path = `${shown.kind}?${queries[shown.k]}&${request}&${query}`;
    if (path === this.answered.path && this.answer) this.draw();
    else {
      this.answer = null;
      this.onChosen(null);
      this.answered.ask(path);
    }
  }

  draw() {
    const { columns, rows, total, first } = this.answer;
    const focused = this.body.contains(document.activeElement) ? document.activeElement.dataset.name : null;
    const chosen = this.chosen === null ? undefined : rows[this.chosen - first];
    const table = make("table");
    table.createCaption().textContent = this.title;
    table.caption.className = "spoken";
    table.createTHead().insertRow().append(...columns.map((column) => this.head(column)));
    const body = table.createTBody();
    rows.forEach((row, k) => this.row(body.insertRow(), row, columns, first + k));
    const scroll = make("div", "scroll");
    scroll.tabIndex = 0; // keys can scroll it
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", this.title);
    scroll.append(table);
    if (chosen) {
      const cell = body.insertRow(this.chosen - first + 1).insertCell();
      cell.colSpan = columns.length;
      cell.className = "text";
      cell.append(command("This command shows it:", chosen.command));
    }
    const isSame = this.drawn === this.answer;
    const top = this.body.querySelector(".scroll")?.scrollTop;
    this.drawn = this.answer;
    this.body.replaceChildren(this.pages(total, first, rows.length), scroll);
    if (isSame) scroll.scrollTop = top;
    if (focused) this.body.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    this.onChosen(chosen ?? null);
  }

  head({ name, label, numeric }) {
    const cell = make("th", numeric ? "" : "text");
    cell.scope = "col";
    const isSorted = () => this.sort === name;
    if (isSorted()) cell.setAttribute("aria-sort", this.isDescending ? "descending" : "ascending");
    const sort = button(label, () => this.onChange({ sort: name, descending: isSorted() && !this.isDescending ? "1" : null, first: null, chosen: null }));
    sort.dataset.name = `sort ${name}`;
    cell.append(sort);
    return cell;
  }

  row(line, { texts }, columns, index) {
    texts.forEach((text, k) => { line.insertCell().append(text); line.cells[k].className = columns[k].numeric ? "" : "text"; });
    // The first cell is a button for the keyboard; the mouse can click anywhere in the row.
    const choose = button(texts[0], () => {}, "choose");
    choose.dataset.name = `row ${index}`;
    choose.setAttribute("aria-pressed", String(index === this.chosen));
    line.cells[0].replaceChildren(choose);
    if (index === this.chosen) line.className = "chosen";
    line.addEventListener("click", () => {
      if (getSelection().isCollapsed) this.onChange({ chosen: index === this.chosen ? null : String(index) }, this.answer.rows[index - this.answer.first]);
    });
  }

  pages(total, first, count) {
    const pages = make("div", "pages");
    const to = (start) => () => this.onChange({ first: start ? String(start) : null, chosen: null });
    const [back, on] = [button("Previous", to(Math.max(0, first - COUNT))), button("Next", to(first + COUNT))];
    [back.dataset.name, on.dataset.name] = ["previous", "next"];
    back.disabled = first === 0;
    on.disabled = first + count >= total;
    const text = make("span", "", count ? `${short(first + 1)} to ${short(first + count)} of ${short(total)}` : `none of ${short(total)}`);
    text.setAttribute("role", "status");
    pages.append(back, on, text);
    return pages;
  }
}
