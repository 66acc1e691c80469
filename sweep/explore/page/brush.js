// Selects cells of a map of results: by a click, by dragging, or with a cursor that arrows move.

import { between, cellOf, centerOf } from "./cells.js";

const L = window.L;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

export class Brush {
  /** `onSelect(cells)` is called with a selection, `onMove(cursor)` when the cursor moved, or went (null). */
  constructor(map, onSelect, onMove) {
    this.map = map;
    this.onSelect = onSelect;
    this.onMove = onMove;
    this.cursor = null;
    this.anchor = null;
    this.cells = null;
    this.outlines = L.layerGroup().addTo(map.leaflet);
    const picture = map.part(".picture");
    // Before Leaflet sees the events: it would move the map.
    for (const name of ["pointerdown", "pointermove", "pointerup", "pointercancel", "click", "keydown"]) {
      picture.addEventListener(name, (event) => { if (map.grid) this[name](event); }, { capture: true });
    }
  }

  /** Let all drags select, not only those with Shift: fingers have none. */
  set isOn(isOn) {
    if (isOn === this.on) return;
    this.on = isOn;
    this.map.part(".picture").classList.toggle("selecting", isOn);
    this.map.leaflet.dragging[isOn ? "disable" : "enable"]();
  }

  /** Outline the selection and the cell of a row of a table. */
  show(cells, chosen) {
    this.cells = cells;
    this.chosen = chosen;
    const { grid } = this.map;
    // Other axes may have fewer cells.
    if (this.cursor && !(this.cursor.column < grid?.columns && this.cursor.row < grid?.rows)) this.cursor = this.anchor = null;
    this.draw();
  }

  /** Return the pixel of the cursor, or null. */
  pixel() {
    return this.map.grid && this.cursor ? centerOf(this.cursor, this.map.grid, this.map.leaflet.getZoom()) : null;
  }

  /** Return the cell under the pointer. */
  under(event) {
    return cellOf(this.map.pixelAt(this.map.leaflet.mouseEventToLatLng(event)), this.map.grid);
  }

  pointerdown(event) {
    if (!event.isPrimary) {
      this.pointercancel(); // a second finger zooms
      return;
    }
    this.hasDragged = false;
    this.anchor = null;
    this.onMove(null);
    const isControl = event.target.closest(".leaflet-control");
    if (isControl || event.button !== 0 || !(event.shiftKey || this.on)) return;
    this.hasDragged = true;
    this.start = this.under(event);
    this.map.part(".picture").setPointerCapture(event.pointerId);
    this.pointermove(event);
  }

  pointermove(event) {
    if (!this.start || !event.isPrimary) return;
    this.dragged = between(this.start, this.under(event));
    this.draw();
  }

  pointerup(event) {
    if (!this.start || !event.isPrimary) return;
    const cells = this.dragged;
    this.pointercancel();
    this.onSelect(cells);
  }

  pointercancel() {
    this.start = this.dragged = null;
    this.draw();
  }

  /** Keep the click after a drag from selecting the cell where the drag ended. */
  click(event) {
    if (this.hasDragged) event.stopImmediatePropagation();
    this.hasDragged = false;
  }

  keydown(event) {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const { grid, leaflet } = this.map;
    const step = ARROWS[event.key];
    if (!step && event.key !== "Enter") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const [first] = this.cells ? [{ column: this.cells.columns[0], row: this.cells.rows[0] }] : [];
    this.cursor ??= first ?? cellOf(this.map.center(), grid);
    if (!step) this.onSelect(between(this.cursor, this.cursor));
    else {
      const from = this.cursor;
      const moved = (k, by, n) => Math.max(0, Math.min(n - 1, k + by));
      this.cursor = { column: moved(from.column, step[0], grid.columns), row: moved(from.row, step[1], grid.rows) };
      this.anchor = event.shiftKey ? this.anchor ?? from : null;
      if (this.anchor) this.onSelect(between(this.anchor, this.cursor));
      leaflet.panInside(this.map.latLng(this.pixel()), { padding: [48, 48] });
    }
    this.onMove(this.cursor);
  }

  moveTo(cursor) {
    this.cursor = cursor;
    this.draw();
  }

  draw() {
    this.outlines.clearLayers();
    const { grid } = this.map;
    if (!grid) return;
    this.outline(this.dragged ?? this.cells, "brush");
    for (const [cell, name] of [[this.chosen, "chosen"], [this.cursor, "cursor"]]) if (cell) this.outline(between(cell, cell), name);
  }

  outline(cells, className) {
    if (!cells) return;
    const { columns, rows } = this.map.grid;
    const corner = (column, row) => this.map.leaflet.unproject([(256 * column) / columns, 256 * (1 - row / rows)], 0);
    const bounds = [corner(cells.columns[0], cells.rows[0]), corner(cells.columns[1], cells.rows[1])];
    // A light line below a dark one is seen on each color.
    for (const each of ["halo", className]) L.rectangle(bounds, { className: `outline ${each}`, fill: false, interactive: false }).addTo(this.outlines);
  }
}
