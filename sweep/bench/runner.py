"""Run the benchmark: every peer on every case, each in its process, and xor-sweep beside it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.status import Status

from sweep.bench.bench_host import Checkout, Host
from sweep.bench.case import Case
from sweep.bench.measurement import Comparison, Effort, compare
from sweep.bench.peers import HOMES, MissingError, UnsupportedError

HERE = Path(__file__).parents[2]
# Over so many steps it matters little that the C++ is given its initial weights, and xor-sweep draws them.
STEPS = {"cpp": 4000}


@dataclass
class Findings:
    """Results of a benchmark."""

    comparisons: list[Comparison] = field(default_factory=list)  # in the order of measurement
    absent: dict[str, str] = field(default_factory=dict)  # reasons why a peer was not measured, or not on all cases


def run_benchmark(peers: tuple[str, ...], cases: list[Case], effort: Effort, threads: int, findings: Findings) -> None:
    """Measure ``peers``, or other checkouts by their paths, on ``cases`` and add the results to ``findings``.

    After an interrupt, ``findings`` has all results so far.
    """
    console = Console(stderr=True, highlight=False)
    with (
        tempfile.TemporaryDirectory(prefix="xor-sweep-bench-") as folder,
        Checkout("here", HERE, threads, Path(folder)) as own,
        console.status("") as status,
    ):
        for name in peers:
            with _host(name, threads, Path(folder)) as peer:
                for given in cases:
                    case = replace(given, steps=STEPS.get(name, given.steps))
                    turn = f"{name}, {case.title}, hidden {case.size}"
                    try:
                        found = compare(own, peer, case, effort, partial(_say, status, turn))
                    except (MissingError, UnsupportedError) as error:
                        findings.absent[name] = str(error)
                        if isinstance(error, MissingError):
                            break
                        continue
                    findings.comparisons.append(found)
                    row = {key: f"{found.summary()[key]:,.4g}" for key in ("ratio", "ratio_low", "ratio_high")}
                    text = "xor-sweep {ratio} times as fast ({ratio_low} to {ratio_high})".format(**row)
                    console.print(f"{turn}: {text}", soft_wrap=True, markup=False)


def _host(name: str, threads: int, folder: Path) -> Host:
    return Host(name, threads, folder) if name in HOMES else Checkout("there", Path(name), threads, folder)


def _say(status: Status, turn: str, what: str) -> None:
    status.update(f"{turn}: {what}")
