"""What small results of every kind answer, compared with files that a person can read in a diff.

``python -m tests.golden.test_golden`` writes the files again. Read what changed.
"""

from __future__ import annotations

import contextlib
import html
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep.report import report_page
from tests.sweep.own import only_plugins

FOLDER = Path(__file__).parent
STUDIES: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / "studies.toml").read_text("utf-8"))
DEFAULTS = STUDIES.pop("defaults")
MARKS = {"quick": [], "test": [pytest.mark.slow], "all": [pytest.mark.wide]}
# Built-in studies whose first steps take more than two seconds without the JIT, by the start of their names.
LONG = ("cs231n-spiral", "kolen", "mnist1d", "nnfs", "proben1", "sonar", "sparse-parity", "trainability", "xor-atlas")
# Every result answers these, if only with an error. ``first`` and ``last`` are swept options.
QUESTIONS = [
    "str(result)",
    "result.digest",
    "result.runs().head()",
    "result.cells",
    "result.over_replicates.cells",
    "result.summarize([first, 'rate_within_half'])",
    "result.best()",
    "result.best('expected_steps', top=2)",
    "result.best('final_loss', top=2)",
    "result.best(last)",
    "result.race()",
    "result.compare(first)",
    "result.compare(last, 'final_loss')",
    "result.compare(first, [], margin=0.2)",
    "result.compare(first, each_at_best=True)",
    "result.importance()",
    "result.importance('restricted_mean_steps', errors=False)",
    "result.importance('final_loss')",
    "result.incidence(first)",
    "result.incidence(event='stalled')",
    "result.parallel_runs([1, 3])",
    "result.performance_profile(first)",
    "result.run_lengths()",
    "result.by_threshold.best()",
    "result.by_threshold.summarize('loss_threshold')",
    "result.learning_curves()",
    "result.weights()",
    "result.functions()",
    "report_page(result)",
]


def result_of(name: str) -> sweep.Result:
    """Train a study of studies.toml."""
    tables = {key: table for key, table in STUDIES[name].items() if key not in ("ask", "plugin", "ring", "run")}
    study = sweep.Study(name=name, **{**DEFAULTS, **tables})
    calls = STUDIES[name].get("run", [{}])
    results = [sweep.run(study, threads=1, progress=False, **call) for call in calls]
    return results[0] if len(results) == 1 else sweep.merge([call["out"] for call in calls], "merged")


def golden_text(name: str) -> str:
    """Return the questions to the result of a study, and its answers."""
    plugins = [FOLDER / STUDIES[name]["plugin"]] if "plugin" in STUDIES[name] else []
    with only_plugins(*plugins), TemporaryDirectory() as folder, contextlib.chdir(folder):
        result = result_of(name)
        first, *_, last = [*result.study.parameters, *result.study.parameters] or ["hidden", "learning_rate"]
        asked = {"result": result, "first": first, "last": last, "report_page": report_page}
        text, seen = f"# {name}: first is {first}, last is {last}\n", dict[str, str]()
        for question in [*QUESTIONS, *STUDIES[name].get("ask", [])]:
            try:
                answer = "\n".join(lines_of(eval(question, asked)))
            except sweep.SweepError as error:
                answer = f"{type(error).__name__}: {error}"
            same = seen.setdefault(answer, question)
            text += f"\n## {question}\n\n{answer if same == question else f'The answer of {same}.'}\n"
        return text


def lines_of(answer: Any) -> Iterator[str]:
    """Yield an answer as lines: short tables with a line for each column, long ones with a line for each row."""
    if isinstance(answer, pd.DataFrame):
        rows = [list(answer.columns), *(list(map(text_of, row)) for row in answer.itertuples(index=False))]
        yield from map(", ".join, rows if len(rows) > 16 else zip(*rows, strict=True))
        yield from (f"{key}: {value}".rstrip() for key, value in answer.attrs.items())
    elif isinstance(answer, dict):
        yield from (f"{name}, {array.shape}: {text_of(array[:2].ravel())}" for name, array in answer.items())
    elif str(answer).startswith("<!doctype html>"):
        yield from lines_of_page(answer)
    else:
        yield str(answer)


def text_of(value: Any) -> str:
    """Return a value with at most eight digits: the tenth depends on the version of SciPy."""
    if isinstance(value, np.ndarray):
        return " ".join(map(text_of, value))
    return f"{round(float(value), 14) + 0.0:.8g}" if isinstance(value, float | np.floating) else str(value)


def lines_of_page(page: str) -> Iterator[str]:
    """Yield the texts of a page, but not those of figures, of options that are not swept, and of the machine."""
    page = re.sub(r"(?s)<(head|style|script|svg|details|form).*?</\1>|<h2>Provenance.*", "", page)
    page = re.sub(r"</t[hd]>\s*<t[hd][^>]*>", " | ", page)
    yield from filter(None, map(str.strip, html.unescape(re.sub(r"<[^>]*>", "", page)).splitlines()))


def identities() -> str:
    """Return the identity of each built-in study, and the digest on the page of published figures."""
    listed = subprocess.run([sys.executable, "-m", "sweep", "studies"], capture_output=True, text=True, check=True)
    page = (FOLDER.parents[1] / "docs/findings/published.md").read_text("utf-8")
    published = {name: digest for digest, name in re.findall(r"digest `(\w+)`: `sweep reproduce (\S+)`", page)}
    names = sorted(re.findall(r"(?m)^[* ] (\S+) ", listed.stdout))
    rows = [f"{name}, {sweep.load_study(name).identity[:12]}, {published.get(name, '-')}\n" for name in names]
    return "study, identity, published digest\n" + "".join(rows)


def first_steps() -> str:
    """Return digests of three steps of one seed, or of all if there are at most ten, of each study but the longest."""
    text = "study, digest of three steps\n"
    few: dict[str, Any] = {"max_steps": 3, "record.curves": {"seeds": 1, "steps": [0]}}
    for row in (FOLDER / "identities.csv").read_text("utf-8").splitlines()[1:]:
        name = row.partition(",")[0]
        if not name.startswith(LONG):
            count = sweep.load_study(name).seeds.count
            study = sweep.load_study(name, {**few, "seeds.count": count if count <= 10 else 1})
            text += f"{name}, {sweep.run(study, threads=1, progress=False).digest[:12]}\n"
    return text


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=MARKS[study.get("ring", "all")]) for name, study in STUDIES.items()]
)
def test_answers(name: str) -> None:
    """A result answers what it has always answered."""
    assert golden_text(name) == (FOLDER / "results" / f"{name}.txt").read_text("utf-8")


def test_identities() -> None:
    """Built-in studies keep their identities, and the page of published figures their digests."""
    assert identities() == (FOLDER / "identities.csv").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") != "1", reason="compiles forty kernels")
def test_first_steps() -> None:
    """Built-in studies keep the bits of their first steps."""
    assert first_steps() == (FOLDER / "first_steps.csv").read_text("utf-8")


def main() -> None:
    """Write the files again."""
    for name in STUDIES:
        (FOLDER / "results" / f"{name}.txt").write_text(golden_text(name), "utf-8")
    for table in (identities, first_steps):
        (FOLDER / f"{table.__name__}.csv").write_text(table(), "utf-8")


if __name__ == "__main__":
    main()
