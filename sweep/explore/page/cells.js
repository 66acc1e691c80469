// Cells of a map of results: indices of the values on both axes, of which rows count from the lowest value.

/** Return the cell of a pixel, {column, row}; the nearest one if it is outside the map. */
export function cellOf({ z, column, row }, { columns, rows }) {
  const index = (k, n) => Math.max(0, Math.min(n - 1, Math.floor((k * n) / (256 * 2 ** z))));
  return { column: index(column, columns), row: index(256 * 2 ** z - 1 - row, rows) };
}

/** Return the pixel at the center of a cell. */
export function centerOf({ column, row }, { columns, rows }, z) {
  const side = 256 * 2 ** z;
  const pixel = (k, n) => Math.floor(((k + 0.5) / n) * side);
  return { z, column: pixel(column, columns), row: side - 1 - pixel(row, rows) };
}

/** Return the cells between two, as ranges of which the ends are excluded: {columns: [first, end], rows: [first, end]}. */
export function between(a, b) {
  const range = (i, j) => [Math.min(i, j), Math.max(i, j) + 1];
  return { columns: range(a.column, b.column), rows: range(a.row, b.row) };
}

/** Return the selection in the address, or null; one that the grid does not have is none. */
export function readCells(parameters, grid) {
  const [columns, rows] = ["columns", "rows"].map((name) => {
    const ends = (parameters.get(name) ?? "").split(":").map(Number);
    return ends.length === 2 && ends.every(Number.isSafeInteger) && ends[0] >= 0 && ends[0] < ends[1] && ends[1] <= grid[name] ? ends : null;
  });
  return columns && rows ? { columns, rows } : null;
}

/** Return what the address and requests say of a selection. */
export function writeCells(cells) {
  return { columns: cells?.columns.join(":") ?? null, rows: cells?.rows.join(":") ?? null };
}
