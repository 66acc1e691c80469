"""Run the benchmark: every peer on every case, each in its process."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sweep.bench.bench_host import Host
from sweep.bench.case import Case
from sweep.bench.measurement import Comparison, Effort, compare
from sweep.bench.operation_counts import step_operations
from sweep.bench.peers import HOMES, OWN, MissingError, UnsupportedError

# The C++ peer takes its initial weights; over so many steps, drawing them costs little.
STEPS = {"cpp": 4000}
# All but xor-sweep itself.
PEERS = tuple(name for name in HOMES if name != OWN)


@dataclass
class Findings:
    """Results of a benchmark."""

    comparisons: list[Comparison] = field(default_factory=list)  # in the order of measurement
    # For each dtype: peak operations and tanh per second of this machine, the first without functions, divisions and
    # square roots
    roofs: dict[str, dict[str, float]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)  # reasons why a peer, or a peer on a case, was not measured

    def peak_share(self, comparison: Comparison) -> float:
        """Return the operations per second of xor-sweep divided by the peak."""
        row = comparison.summary()
        return float(
            row["own_rate"] * step_operations(comparison.case).simple / self.roofs[comparison.case.dtype]["peak"]
        )


def run_benchmark(peers: tuple[str, ...], cases: list[Case], effort: Effort, threads: int, findings: Findings) -> None:
    """Measure ``peers`` on ``cases`` and add the results to ``findings``.

    After an interrupt, ``findings`` has all results so far.
    """
    dtypes = tuple(dict.fromkeys(case.dtype for case in cases))
    _raise_roofs(findings, dtypes, threads)
    with (
        tempfile.TemporaryDirectory(prefix="xor-sweep-bench-") as folder,
        Host(OWN, threads, Path(folder)) as own,
        _Report(len(peers) * len(cases)) as report,
    ):
        for name in peers:
            with Host(name, threads, Path(folder)) as peer:
                for k, case in enumerate(cases):
                    case = replace(case, steps=STEPS.get(name, case.steps))
                    report.turn(name, case)
                    try:
                        comparison = compare(own, peer, case, effort, report.say)
                    except MissingError as error:
                        findings.absent[name] = str(error)
                        report.finish(f"not measured: {error}", len(cases) - k)
                        break
                    except UnsupportedError as error:
                        findings.absent[f"{name}, {case.name}, {case.activation}"] = str(error)
                        report.finish(f"not measured: {error}")
                        continue
                    findings.comparisons.append(comparison)
                    row = comparison.summary()
                    report.finish(
                        f"{row['rate'] / 1e6:,.4g} M steps/s; xor-sweep {row['ratio']:,.4g} times as fast "
                        f"({row['ratio_low']:,.4g} to {row['ratio_high']:,.4g})"
                    )
            _raise_roofs(findings, dtypes, threads)


def _raise_roofs(findings: Findings, dtypes: tuple[str, ...], threads: int) -> None:
    """Measure the roofs and keep the highest so far, since a busy machine measures too little."""
    from sweep.bench.roof import peak_operations, tanh_rate

    for dtype in dtypes:
        before = findings.roofs.get(dtype, {"peak": 0.0, "tanh": 0.0})
        now = {"peak": peak_operations(dtype, threads), "tanh": tanh_rate(dtype, threads)}
        findings.roofs[dtype] = {name: max(before[name], now[name]) for name in before}


class _Report:
    """Progress on standard error: a bar on a terminal, a line for each measurement elsewhere."""

    def __init__(self, total: int) -> None:
        console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            BarColumn(20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._console = console
        self._task = self._bar.add_task("", total=total)
        self._turn = ""

    def turn(self, peer: str, case: Case) -> None:
        """Set what is measured next."""
        self._turn = f"{peer}, {case.title}, hidden {case.size}"
        self.say("starting")

    def say(self, what: str) -> None:
        """Show what happens now."""
        self._bar.update(self._task, description=f"{self._turn}: {what}")

    def finish(self, found: str, count: int = 1) -> None:
        """Show a result."""
        self._console.print(f"{self._turn}: {found}", soft_wrap=True, markup=False)
        self._bar.advance(self._task, count)

    def __enter__(self) -> _Report:
        """Start the display."""
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Restore the screen."""
        self._bar.stop()
