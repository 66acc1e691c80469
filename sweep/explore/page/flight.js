// A flight: the map as files, which answer in place of a server. Tiles are compressed; see sweep/explore/flight.py.

const address = document.body.dataset.flight;

/** Whether the page shows files. */
export const isFlight = address !== undefined;

/** What the files hold, once it is read. */
let facts = null;
/** Tiles that were read, by level, column and row. */
const tiles = new Map();
const MOST_TILES = 64;

const AXES = ["x", "y"];
const ARRAYS = { f4: Float32Array, u1: Uint8Array };

async function read(path, signal) {
  const response = await fetch(path, { signal });
  if (!response.ok) throw new Error(`The file ${path} of this map is missing.`);
  return response;
}

async function readFacts() {
  facts ??= (await read(address)).json();
  return facts;
}

/** Return what the server would answer as JSON. */
export async function flightJson(path, signal) {
  const { choices } = await readFacts();
  const [name, query] = path.split("?");
  if (name === "choices") return choices;
  if (name === "network") return flightNetwork(new URLSearchParams(query), signal);
  return {};
}

/** Return a tile as the server would: its planes with n pixels per side. */
export async function flightTile({ z, x, y }, n, signal) {
  const tile = await readTile(`${z}/${x}/${y}`, signal);
  const step = tile.n / n;
  const planes = {};
  for (const [name, plane] of Object.entries(tile.planes)) planes[name] = thinned(plane, tile.n, step);
  return { n, planes, distinct: AXES.map((axis) => new Set(tile[axis]).size) };
}

async function readTile(place, signal) {
  const { choices: { tile: n }, tiles: written, planes } = await readFacts();
  if (!written.includes(place)) throw new Error("This map has no finer tiles here; sweep explore trains them.");
  if (!tiles.has(place)) {
    const { body } = await read(`tiles/${place}.gz`, signal);
    const bytes = await new Response(body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
    tiles.set(place, unpacked(bytes, n, planes));
    if (tiles.size > MOST_TILES) tiles.delete(tiles.keys().next().value);
  }
  return tiles.get(place);
}

/** Return the values of columns and rows, and the planes, in the bytes of a tile. */
function unpacked(bytes, n, planes) {
  const tile = { n, planes: {} };
  let start = 0;
  const take = (Type, count) => {
    const part = new Type(bytes.slice(start, start + Type.BYTES_PER_ELEMENT * count));
    start += part.byteLength;
    return part;
  };
  for (const axis of AXES) tile[axis] = take(Float64Array, n);
  for (const [name, type] of planes) tile.planes[name] = Float64Array.from(take(ARRAYS[type], n * n));
  return tile;
}

/** Return every step-th pixel of a plane, the same ones that the server trains for coarse tiles. */
function thinned(plane, n, step) {
  if (step === 1) return plane;
  const side = n / step;
  return Float64Array.from({ length: side * side }, (_, k) => {
    const [row, column] = [Math.floor(k / side), k % side];
    return plane[(step * row + step / 2) * n + step * column + step / 2];
  });
}

/** Return the network of a pixel: its file, or else what its tile says of it. */
async function flightNetwork(query, signal) {
  const { choices, networks, command, seed } = await readFacts();
  const [z, column, row] = ["z", "column", "row"].map((name) => Number(query.get(name)));
  const name = `${z}.${column}.${row}`;
  if (networks.includes(name)) return (await read(`networks/${name}.json`, signal)).json();
  const n = choices.tile;
  const tile = await readTile(`${z}/${Math.floor(column / n)}/${Math.floor(row / n)}`, signal);
  const pixel = (row % n) * n + (column % n);
  const values = { x: tile.x[column % n], y: tile.y[row % n] };
  const found = { ...values, x_text: String(values.x), y_text: String(values.y), seed, value: tile.planes.value[pixel] };
  const status = tile.planes.status && choices.statuses.find(({ code }) => code === tile.planes.status[pixel]).label;
  return { ...found, status, command: command.replace("{x}", values.x).replace("{y}", values.y) };
}
