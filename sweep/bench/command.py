"""The command ``sweep bench``: from its options to tables and files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

from kernels.recipe import Hidden
from kernels.start.names import MAX_LAYERS
from sweep.bench.case import ACTIVATIONS, CASES, DTYPES, Case
from sweep.bench.measurement import FULL, QUICK
from sweep.bench.peers import HOMES
from sweep.bench.report import print_findings, to_dict
from sweep.bench.runner import Findings, run_benchmark
from sweep.errors import SweepError, unknown
from sweep.system.host import available_threads, most_threads

# Cases measured by default: all but those that show how time grows with the number of patterns.
USUAL = tuple(name for name in CASES if not name.startswith("relu-parity"))

# XOR comes in several sizes and forms, the other cases in one.
HIDDEN = (2, 8, 32)
XOR_ACTIVATIONS = ("relu", "tanh")
MAX_HIDDEN = 1024


def bench(
    peers: str | None,
    case: str | None,
    hidden: str | None,
    dtype: str | None,
    activation: str | None,
    *,
    quick: bool,
    as_json: bool,
    out: Path,
    threads: int | None,
) -> bool:
    """Measure, print and write; return whether all losses agree.

    Parameters
    ----------
    peers, case
        Peers and cases to measure, separated by commas; all by default.
    hidden, dtype, activation
        Changes to the cases; by default XOR comes in several of each, and other cases are unchanged.
    quick
        Measure only XOR with hidden size 2 in float64, unless other options say otherwise, and for a shorter time.
    as_json
        Print JSON instead of tables.
    out
        Folder of the file with all results, ``bench.json``.
    threads
        Threads for xor-sweep and for each peer; all processors by default.

    Raises
    ------
    SweepError
        If an option has a value that is not allowed.
    KeyboardInterrupt
        If interrupted; what was measured so far is printed and written.
    """
    chosen = _names("peers", peers, tuple(HOMES), tuple(HOMES))
    cases = chosen_cases(case, hidden, dtype, activation, quick=quick)
    if threads is not None and not 1 <= threads <= most_threads():
        raise SweepError(f"--threads: must be from 1 to {most_threads()} on this machine, got {threads}")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SweepError(f"--out: must be a folder that can be created, got {str(out)!r}: {error.strerror}") from None
    findings = Findings()
    try:
        run_benchmark(chosen, cases, QUICK if quick else FULL, threads or available_threads(), findings)
    finally:
        if findings.comparisons or findings.absent:
            text, file = json.dumps(to_dict(findings), indent=2), out / "bench.json"
            file.write_text(f"{text}\n")
            if as_json:
                print(text)
            else:
                print_findings(findings)
                print(f"results in {file}")
    return all(comparison.agrees for comparison in findings.comparisons)


def chosen_cases(
    case: str | None, hidden: str | None, dtype: str | None, activation: str | None, *, quick: bool
) -> list[Case]:
    """Return the cases that options name, as for :func:`bench`."""
    return [
        changed
        for name in _names("case", case, tuple(CASES), USUAL[:1] if quick else USUAL)
        for changed in _cases(CASES[name], hidden, dtype, activation, quick)
    ]


def _cases(case: Case, hidden: str | None, dtype: str | None, activation: str | None, quick: bool) -> list[Case]:
    """Return the cases of one name: by default one, or several for XOR."""
    many = case.name == "xor" and not quick
    sizes = _sizes(hidden, HIDDEN if many else (case.hidden,))
    dtypes = _names("dtype", dtype, DTYPES, DTYPES if many else (case.dtype,))
    activations = _names("activation", activation, ACTIVATIONS, XOR_ACTIVATIONS if many else (case.activation,))
    return [
        replace(case, hidden=size, dtype=number, activation=function)
        for function, number, size in product(activations, dtypes, sizes)
    ]


def _names(what: str, text: str | None, allowed: Sequence[str], default: Sequence[str]) -> tuple[str, ...]:
    """Split a list and check its names."""
    names = default if text is None else [name.strip() for name in text.split(",")]
    for name in names:
        if name not in allowed:
            raise SweepError(f"--{what}: {unknown(what.removesuffix('s'), name, list(allowed))}")
    return tuple(dict.fromkeys(names))


def _sizes(sizes_text: str | None, default: Sequence[Hidden]) -> tuple[Hidden, ...]:
    """Split a list of hidden sizes, with several layers written as 8-8, and check them."""
    if sizes_text is None:
        return tuple(default)
    sizes: list[Hidden] = []
    for text in sizes_text.split(","):
        layers = text.strip().split("-")
        if len(layers) > MAX_LAYERS or not all(part.isdecimal() and 1 <= int(part) <= MAX_HIDDEN for part in layers):
            allowed = f"integers from 1 to {MAX_HIDDEN}, or up to {MAX_LAYERS} of them joined as in 8-8"
            raise SweepError(f"--hidden: must be {allowed}, got {text.strip()!r}")
        sizes.append(tuple(map(int, layers)) if len(layers) > 1 else int(text))
    return tuple(dict.fromkeys(sizes))
