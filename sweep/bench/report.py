"""The results of a benchmark: table, figure, JSON, Parquet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from sweep.bench.case import Case
from sweep.bench.figure import draw, kinds
from sweep.bench.measurement import Comparison
from sweep.bench.operation_counts import Operations, step_operations
from sweep.bench.runner import Findings
from sweep.results.tables.table import Table, value_column
from sweep.system.host import machine_facts
from sweep.terminal.screen import print_table


def to_dict(findings: Findings) -> dict[str, Any]:
    """Return everything as plain values: machine, roofs, rows, and peers that were not measured."""
    rows = [
        {
            **comparison.summary(),
            **{f"step_{name}": count for name, count in step_operations(comparison.case)._asdict().items()},
            "peak_share": findings.peak_share(comparison),
        }
        for comparison in findings.comparisons
    ]
    return {"machine": machine_facts(), "roofs": findings.roofs, "rows": rows, "absent": findings.absent}


def write_files(findings: Findings, folder: Path) -> list[Path]:
    """Write ``bench.json``, ``bench.parquet`` (a row for each pair) and ``bench.png``; return their paths."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in ("bench.json", "bench.parquet", "bench.png")]
    paths[0].write_text(json.dumps(to_dict(findings), indent=2) + "\n")
    pairs = [
        {**comparison.summary(), "pair": k, "rate": rate, "own_rate": own_rate, "ratio": own_rate / rate}
        for comparison in findings.comparisons
        for k, (rate, own_rate) in enumerate(zip(comparison.rates, comparison.own_rates, strict=True))
    ]
    pq.write_table(pa.Table.from_pylist(pairs), paths[1])
    draw(findings.comparisons, paths[2])
    return paths


def print_findings(findings: Findings) -> None:
    """Print a table for each kind of case, the roofs, and peers that were not measured."""
    for title in kinds(findings.comparisons):
        chosen = [c for c in findings.comparisons if c.case.title == title]
        print_table(_table(chosen, title))
        print(_own_line(findings, chosen))
    for name, why in findings.absent.items():
        print(f"not measured: {name}: {why}")
    for comparison in findings.comparisons:
        if not comparison.agrees:
            share, case = f"{comparison.agreement:.1%}", _describe(comparison.case)
            print(f"losses differ: {comparison.peer}, {case}: only {share} of the networks agree")


def _describe(case: Case) -> str:
    return f"{case.title}, hidden {case.size}, {case.steps} steps"


def _table(comparisons: list[Comparison], title: str) -> Table:
    """Make a table with a row for each peer and two columns for each hidden size."""
    rows = []
    for peer in dict.fromkeys(c.title for c in comparisons):
        row = {"peer": peer}
        for found in (c.summary() | {"size": c.case.size} for c in comparisons if c.title == peer):
            row |= {f"hidden {found['size']}": _number(found["rate"] / 1e6), f"times {found['size']}": _times(found)}
        rows.append(row)
    frame = pd.DataFrame(rows).fillna("-")
    columns = tuple(
        value_column(name, "times" if name.startswith("times") else name, is_text=name == "peer")
        for name in map(str, frame)
    )
    what = "million network-steps per second, and speed of xor-sweep / speed of the peer (median [range])"
    return Table(f"{title}: {what}", columns, frame, len(frame))


def _number(value: float) -> str:
    """Write a number in three significant digits, without an exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _times(row: dict[str, Any]) -> str:
    return f"{_number(row['ratio'])} [{_number(row['ratio_low'])}, {_number(row['ratio_high'])}]"


def _own_line(findings: Findings, comparisons: list[Comparison]) -> str:
    """Return how close xor-sweep comes to the roofs of the machine, from the fastest pairs of each size."""
    parts = []
    for size in dict.fromkeys(c.case.size for c in comparisons):
        best = max((c for c in comparisons if c.case.size == size), key=lambda c: c.summary()["own_rate"])
        case, rate = best.case, best.summary()["own_rate"]
        text = (
            f"hidden {size}: {_number(rate / 1e6)} M steps/s of {_counts(step_operations(case))}, "
            f"{findings.peak_share(best):.0%} of the peak"
        )
        if case.activation == "tanh":
            roof = findings.roofs[case.dtype]["tanh"] / step_operations(case).functions
            text += f", {rate / roof:.0%} of the bound by tanh alone"
        parts.append(text)
    roofs = findings.roofs[comparisons[0].case.dtype]
    return (
        f"xor-sweep by itself: {'; '.join(parts)}\n(peak: {roofs['peak'] / 1e9:.4g} G additions and multiplications, "
        f"{roofs['tanh'] / 1e9:.3g} G tanh a second)"
    )


def _counts(operations: Operations) -> str:
    """Return the operations of a step as text."""
    parts = [f"{_number(operations.simple)} operations"]
    for name, count in operations._asdict().items():
        if name != "simple" and count:
            parts.append(f"{_number(count)} {name.replace('_', ' ')}")
    return ", ".join(parts)
