"use strict";
(() => {
  const table = document.getElementById("all-cells");
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...body.rows];
  const selects = [...document.querySelectorAll(".filters select")];

  // The exact value of a table cell, which may show fewer digits.
  const textOf = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent;

  // The sort key of a table cell: a number if possible. Missing values come last in both directions.
  const keyOf = (row, column) => {
    const text = textOf(row, column);
    const plain = text.replace(/,/g, "");
    return text === "" ? null : isNaN(plain) ? text : Number(plain);
  };

  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b));
  };

  const sortBy = (column) => {
    const downward = heads[column].getAttribute("aria-sort") === "ascending";
    heads.forEach((head, k) => head.setAttribute("aria-sort", k !== column ? "none" : downward ? "descending" : "ascending"));
    const keyed = rows.map((row) => [keyOf(row, column), row]);
    keyed.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return downward ? compare(b, a) : compare(a, b);
    });
    body.append(...keyed.map(([, row]) => row));
  };

  const filter = () => {
    let shown = 0;
    for (const row of rows) {
      row.hidden = selects.some((each) => each.value !== "" && textOf(row, each.dataset.column) !== each.value);
      shown += !row.hidden;
    }
    document.getElementById("shown").textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} cell${rows.length === 1 ? "" : "s"}`;
  };

  const replay = (row) => {
    const place = document.getElementById("replay");
    if (!place) return;
    const first = Number(row.dataset.run);
    const { folder, seeds, base } = place.dataset;
    const command = document.createElement("code");
    command.textContent = `sweep trace ${folder} --run ${first}`;
    const last = first + Number(seeds) - 1;
    place.replaceChildren(
      `Cell ${row.cells[0].textContent} has runs ${first} to ${last}, with seeds ${base} to ${Number(base) + Number(seeds) - 1}. `,
      "Replay the first run with ", command,
    );
  };

  // Boxes wider than the screen fade out at the right until they are scrolled to the end.
  const boxes = [...document.querySelectorAll(".picture, div.wide")];
  const hint = (box) => box.classList.toggle("more", box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
  boxes.forEach((box) => box.addEventListener("scroll", () => hint(box), { passive: true }));
  addEventListener("resize", () => boxes.forEach(hint));
  boxes.forEach(hint);

  heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => sortBy(column)));
  selects.forEach((select) => select.addEventListener("change", filter));
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row) replay(row);
  });
})();
