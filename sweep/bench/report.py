"""The results of a benchmark: tables and JSON."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sweep.bench.measurement import Comparison
from sweep.bench.runner import Findings
from sweep.results.tables.table import Table, value_column
from sweep.system.host import machine_facts
from sweep.terminal.screen import print_table


def to_dict(findings: Findings) -> dict[str, Any]:
    """Return everything as plain values: machine, rows with the rates of each pair, and peers not measured."""
    rows = [comparison.summary() for comparison in findings.comparisons]
    return {"machine": machine_facts(), "rows": rows, "absent": findings.absent}


def print_findings(findings: Findings) -> None:
    """Print a table for each kind of case, and peers that were not measured."""
    for title in dict.fromkeys(comparison.case.title for comparison in findings.comparisons):
        print_table(_table([each for each in findings.comparisons if each.case.title == title], title))
    for name, why in findings.absent.items():
        print(f"not measured: {name}: {why}")
    for each in findings.comparisons:
        if not each.agrees:
            case = f"{each.case.title}, hidden {each.case.size}, {each.case.steps} steps"
            print(f"losses differ: {each.peer}, {case}: only {each.agreement:.1%} of the networks agree")


def _table(comparisons: list[Comparison], title: str) -> Table:
    """Make a table with a row for each peer and two columns for each hidden size."""
    rows = []
    for peer in dict.fromkeys(c.title for c in comparisons):
        row = {"peer": peer}
        for found in (c.summary() for c in comparisons if c.title == peer):
            size, low, high = found["hidden"], _number(found["ratio_low"]), _number(found["ratio_high"])
            row[f"hidden {size}"] = _number(found["rate"] / 1e6)
            row[f"times {size}"] = f"{_number(found['ratio'])} [{low}, {high}]"
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
