// The tiles of a map: a Leaflet layer of canvases, and the queue that decides which one is trained next.

const L = window.L;

// Requests at a time. Browsers open six connections to a server: the others are for networks and choices.
const MOST_REQUESTS = 3;

/** The queue of all maps: coarse sizes of every visible tile before fine ones of any, near tiles before far ones. */
class TileQueue {
  tiles = new Set();
  running = 0;

  add(tile) {
    this.tiles.add(tile);
    this.start();
  }

  remove(tile) {
    this.tiles.delete(tile);
    tile.abort();
  }

  /** Abort what nobody sees, then start what is seen. */
  start() {
    for (const tile of this.tiles) if (tile.request && !tile.isVisible()) tile.abort();
    while (this.running < MOST_REQUESTS) {
      let next = null;
      for (const tile of this.tiles) {
        if (tile.request || tile.isDone() || !tile.isVisible()) continue;
        tile.order = [tile.step, tile.distance()];
        if (!next || tile.order[0] < next.order[0] || (tile.order[0] === next.order[0] && tile.order[1] < next.order[1])) next = tile;
      }
      if (!next) break;
      this.run(next);
    }
    document.dispatchEvent(new CustomEvent("tiles"));
  }

  async run(tile) {
    this.running += 1;
    try {
      await tile.load();
    } finally {
      this.running -= 1;
      this.start();
    }
  }

  /** Return how many visible tiles there are, and how many of them are finished. */
  progress() {
    const visible = [...this.tiles].filter((tile) => tile.isVisible());
    return { visible: visible.length, finished: visible.filter((tile) => tile.isDone()).length };
  }
}

export const queue = new TileQueue();

/** One tile: its canvas and the finest values that have arrived. */
class Tile {
  step = 0;
  request = null;
  values = null;
  fault = null;

  constructor(layer, coords, ready) {
    this.layer = layer;
    this.coords = coords;
    this.ready = ready;
    this.canvas = L.DomUtil.create("canvas", "tile");
    this.canvas.width = this.canvas.height = 1;
    this.canvas.dataset.tile = `${coords.z}/${coords.x}/${coords.y}`;
    // What lies beneath may be finer than the first sizes.
    const known = layer.knownSize(coords);
    while (this.step < layer.sizes.length - 1 && layer.sizes[this.step] <= known) this.step += 1;
  }

  isDone() {
    return this.step >= this.layer.sizes.length || this.fault !== null;
  }

  isVisible() {
    return this.layer.sees(this.coords);
  }

  distance() {
    return this.layer.distance(this.coords);
  }

  abort() {
    this.request?.abort();
    this.request = null;
  }

  async load() {
    const request = new AbortController();
    this.request = request;
    try {
      const values = await this.layer.fetchTile(this.coords, this.layer.sizes[this.step], request.signal);
      this.values = values;
      this.step += 1;
      this.paint();
      this.ready(null, this.canvas);
      this.layer.fire("values", { tile: this });
    } catch (error) {
      if (error.name !== "AbortError") {
        this.fault = error;
        this.layer.fire("refused", { error });
      }
    } finally {
      if (this.request === request) this.request = null;
    }
  }

  paint() {
    if (!this.values) return;
    const { n } = this.values;
    const image = new ImageData(n, n);
    this.layer.colors(this.values, new Uint32Array(image.data.buffer));
    this.canvas.width = this.canvas.height = n;
    this.canvas.getContext("2d").putImageData(image, 0, 0);
  }
}

/** A Leaflet layer whose tiles hold numbers; `colors(values, pixels)` paints them. */
export const ValueLayer = L.GridLayer.extend({
  initialize(fetchTile, sizes, options) {
    L.GridLayer.prototype.initialize.call(this, { keepBuffer: 1, ...options });
    this.fetchTile = fetchTile;
    this.sizes = sizes;
    this.tiles = new Map();
    this.colors = () => {};
    this.on("tileunload", ({ coords }) => this._drop(this._tileCoordsToKey(coords)));
  },

  onAdd(map) {
    map.on("moveend resize", queue.start, queue);
    return L.GridLayer.prototype.onAdd.call(this, map);
  },

  onRemove(map) {
    map.off("moveend resize", queue.start, queue);
    L.GridLayer.prototype.onRemove.call(this, map);
  },

  createTile(coords, ready) {
    const tile = new Tile(this, coords, ready);
    this.tiles.set(this._tileCoordsToKey(coords), tile);
    queue.add(tile);
    return tile.canvas;
  },

  _drop(key) {
    const tile = this.tiles.get(key);
    if (!tile) return;
    this.tiles.delete(key);
    queue.remove(tile);
  },

  /** Return how many pixels per side of a tile are known from coarser levels. */
  knownSize({ x, y, z }) {
    for (let up = 1; up <= 3; up += 1) {
      const above = this.tiles.get(`${Math.floor(x / 2 ** up)}:${Math.floor(y / 2 ** up)}:${z - up}`);
      if (above?.values) return above.values.n / 2 ** up;
    }
    return 0;
  },

  /** Return the bounds of the view in pixels of the level of the tiles; of the view to come while Leaflet zooms. */
  view() {
    const map = this._map;
    const zoom = map._animatingZoom ? map._animateToZoom : map.getZoom();
    const center = map.project(map._animatingZoom ? map._animateToCenter : map.getCenter(), this._tileZoom);
    const half = map.getSize().divideBy(2 * map.getZoomScale(zoom, this._tileZoom));
    return new L.Bounds(center.subtract(half), center.add(half));
  },

  /** Return whether a tile of the current level lies in the view. */
  sees({ x, y, z }) {
    if (!this._map || z !== this._tileZoom) return false;
    const { min, max } = this.view();
    return 256 * x < max.x && 256 * (x + 1) > min.x && 256 * y < max.y && 256 * (y + 1) > min.y;
  },

  distance({ x, y }) {
    const center = this.view().getCenter();
    return Math.hypot(256 * (x + 0.5) - center.x, 256 * (y + 0.5) - center.y);
  },

  /** Return the tiles in the view that have values. */
  seen() {
    return [...this.tiles.values()].filter((tile) => tile.values && this.sees(tile.coords));
  },

  /** Return the value of each plane at a pixel of the current level, or null. */
  valuesAt({ z, column, row }) {
    if (z !== this._tileZoom) return null;
    const tile = this.tiles.get(`${Math.floor(column / 256)}:${Math.floor(row / 256)}:${this._tileZoom}`);
    if (!tile?.values) return null;
    const { n, planes } = tile.values;
    const place = Math.floor(((row % 256) * n) / 256) * n + Math.floor(((column % 256) * n) / 256);
    return Object.fromEntries(Object.entries(planes).map(([name, plane]) => [name, plane[place]]));
  },

  repaint() {
    for (const tile of this.tiles.values()) tile.paint();
  },
});
