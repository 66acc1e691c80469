"""Promises for every study, from its file to its tables, with one function for each promise."""

from __future__ import annotations

import json
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

import sweep
from sweep import Study, StudyError, load_study
from sweep.errors import SweepError
from sweep.study.load import parse_changes
from tests.sweep.compositions.data import with_values
from tests.sweep.compositions.studies import Tables, with_files
from tests.sweep.expected import expected_runs, naive_rows
from tests.sweep.expected_networks import SHARPNESS
from tests.sweep.in_parts import run_in_parts
from tests.sweep.schemas import accepts
from tests.sweep.support import assert_same_table, command, digest_of, training_watched


@dataclass(frozen=True)
class Ways:
    """Other ways to run a study, which must not change a result."""

    # Threads and runs per part of a run in parts
    threads: int
    part_runs: int | None
    after: int  # number of parts after which it is interrupted
    smaller: str  # what an earlier study, whose rows are reused, has fewer of: "seeds" or "values"
    chosen: int  # choose the run that is replayed, and the parameter that is compared


ways = st.builds(
    Ways,
    threads=st.sampled_from([2, 1]),
    part_runs=st.sampled_from([3, 1, 7, None]),
    after=st.integers(0, 3),
    smaller=st.sampled_from(["seeds", "values"]),
    chosen=st.integers(0, 31),
)


def check_composition(tables: Tables, how: Ways, folder: Path) -> None:
    """Require all promises for a study; its files are not written yet, and the folder is empty."""
    (folder / "files").mkdir()
    tables = with_files(tables, folder / "files")
    study = Study(**tables)
    check_reading(study, tables, folder / "study.toml")
    check_patterns(study, tables)
    expected = expected_runs(study)
    place = folder / "result"
    with np.errstate(all="ignore"), training_watched(how.after, KeyboardInterrupt()), suppress(KeyboardInterrupt):
        run_in_parts(study, out=place, threads=1, part_runs=how.part_runs)
    with np.errstate(all="ignore"):
        result = run_in_parts(study, out=place, threads=how.threads, part_runs=how.part_runs)
    assert_same_rows(result.runs().drop(columns=[*SHARPNESS], errors="ignore"), expected)
    assert result.facts["digest"] == digest_of(result.runs(), study.widest_dtype)
    with np.errstate(all="ignore"):
        assert sweep.run(study, threads=1).facts["digest"] == result.facts["digest"]
        check_reuse(study, how, expected, folder)
        trace = sweep.trace(result, how.chosen % len(expected) if study.seeds.until is None else 0)
        assert trace.mismatches == {}
        assert sweep.verify(place, sample=-1, threads=1).faults == []
    check_cells(result, expected)
    if study.record.curves:
        ends = result.learning_curves().groupby("run").last()
        assert ends["steps"].tolist() == expected.set_index("run")["steps"][ends.index].tolist()
    check_answers(result, how, folder)


def check_reading(study: Study, tables: Tables, file: Path) -> None:
    """Require the same study from Python, a file, the command line and its canonical form, which fits the schema."""
    sections = {name: table for name, table in tables.items() if isinstance(table, dict)}
    others = "".join(f"{name} = {in_toml(each)}\n" for name, each in tables.items() if name not in sections)
    data, *rest = ((name, "\n".join(map("{} = {}".format, *_keys(table)))) for name, table in sections.items())
    file.write_text(others + "".join(f"[{name}]\n{lines}\n" for name, lines in (data, *rest)), "utf-8")
    assert load_study(file).identity == study.identity
    assert accepts(tables)
    file.write_text(f"[data]\n{data[1]}\n", "utf-8")
    assert load_study(file, parse_changes(changes(tables))).identity == study.identity
    text = study.to_toml()
    file.write_text(text, "utf-8")
    again = load_study(file)
    assert (again.identity, again.to_toml()) == (study.identity, text)
    assert (again.n_cells, list(again.parameters.items())) == (study.n_cells, list(study.parameters.items()))
    assert accepts(tomllib.loads(text))


def in_toml(value: Any) -> str:
    """Return a value in TOML, in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(map("{} = {}".format, *_keys(value))) + " }"
    return f"[{', '.join(map(in_toml, value))}]" if isinstance(value, list) else json.dumps(value)


def _keys(table: Tables) -> tuple[list[str], list[str]]:
    return [json.dumps(key) for key in table], [in_toml(value) for value in table.values()]


def changes(tables: Tables) -> list[str]:
    """Return a study without its patterns as assignments for the command line."""
    found = [f"{name}={in_toml(each)}" for name, each in tables.items() if isinstance(each, list)]
    for section in tables.keys() - {"data"}:
        table = tables[section]
        for key, value in table.items() if isinstance(table, dict) else ():
            dotted = f"{section}.{key.rpartition('.')[2]}"
            found.append(f"{dotted if section != 'parameters' else key}={in_toml(value)}")
    return found


def check_patterns(study: Study, tables: Tables) -> None:
    """Require that each run has the patterns of a study with only its values of [data]."""
    by_run = tables["data"].get("data_seed") == "seed"
    if not study.data.options and not by_run:
        return
    for row in naive_rows(study)[:: 1 if by_run else study.seeds.count]:
        own = with_values(tables["data"], {name: row[name] for name in study.data.options})
        own |= {"data_seed": row["seed"]} if by_run else {}
        if own.get("label_noise") == 0:
            own.pop("noise_seed", None)  # which is refused where it has no effect
        alone = Study(data=own, network={"hidden": 1}, training={"learning_rate": 0.1})
        assert alone.data.only == study.patterns_of(row["cell"], row["seed"])


def assert_same_rows(given: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Require equal tables, including lists of weights."""
    weights = [name for name in expected.columns if name.endswith("_weights")]
    for name in weights:
        pairs = zip(given[name], expected[name], strict=True)
        assert all(np.array_equal(one, other, equal_nan=True) for one, other in pairs), name
    assert list(given.columns) == list(expected.columns)
    assert_same_table(given.drop(columns=weights), expected.drop(columns=weights))


def check_reuse(study: Study, how: Ways, expected: pd.DataFrame, folder: Path) -> None:
    """Require that rows of a smaller study are reused and change nothing."""
    earlier = smaller_study(study, how)
    if earlier is None:
        return
    sweep.run(earlier, out=folder / "earlier", threads=1)
    grown = run_in_parts(study, out=folder / "grown", threads=1, part_runs=how.part_runs, reuse=[folder / "earlier"])
    assert grown.facts["digest"] == sweep.open_result(folder / "result").facts["digest"]
    if study.seeds.until:
        return  # their number does not follow from values and seeds alone
    names = ["seed", *study.parameters]
    known = {tuple(str(row[name]) for name in names) for row in naive_rows(earlier)}
    taken = [tuple(map(str, row)) in known for row in expected[names].itertuples(index=False)]
    updates = expected["total_steps" if study.restarts.max_restarts else "steps"]
    by_networks = bool(study.record.measures) or study.record.weights != "none"
    assert grown.facts["reused_steps"] == (0 if by_networks else updates[taken].sum())


def smaller_study(study: Study, how: Ways) -> Study | None:
    """Return a study with fewer seeds, or with fewer values of a parameter; None if there is none."""
    tables = study.canonical()
    lists = {name: given["values"] for name, given in tables["parameters"].items()}
    axes = [{name: values} for name, values in lists.items()] + tables.get("zip", [])
    axes = [axis for axis in axes if len(next(iter(axis.values()))) > 1]
    if how.smaller == "seeds" and study.seeds.count > 1 and not study.has_weights_by_seed:
        tables["seeds"]["count"] -= 1
    elif axes:
        for values in axes[how.chosen % len(axes)].values():
            del values[0]
        tables["data"].pop("sha256", None)
    else:
        return None
    with suppress(StudyError):  # values that no cell uses any more
        return Study(**tables)
    return None


def check_cells(result: sweep.Result, expected: pd.DataFrame) -> None:
    """Require that cells count their runs by status."""
    cells = result.cells
    for status in ("converged", "diverged", "stalled", "exhausted", *(["plateau"] if "n_plateau" in cells else ())):
        counts = (expected["status"] == status).groupby(expected["cell"]).sum()
        assert cells[f"n_{status}"].tolist() == counts.tolist()


def check_answers(result: sweep.Result, how: Ways, folder: Path) -> None:
    """Require every table without a warning, or one sentence why there is none."""
    place = folder / "result"
    swept = [name for name, values in result.study.parameters.items() if len(values) > 1]
    chosen = swept[how.chosen % len(swept)] if swept else "hidden"
    for options in (
        ["plan", folder / "study.toml"],
        ["show", place],
        ["best", place],
        ["export", place, "--to", ("csv", "json", "tex")[how.chosen % 3]],
        ["trace", place, "--run", 0],
    ):
        finished = command(*map(str, options))
        assert (finished.code, finished.err.count("error")) == (0, 0), finished
    for options in (
        ["show", place, "--by", chosen],
        ["best", place, "--by", chosen],
        ["compare", place, "--vary", chosen],
    ):
        finished = command(*map(str, options))
        assert finished.code in (0, 2), finished
        assert finished.code == 0 or len(finished.err.splitlines()) == 1, finished
    with suppress(SweepError):
        result.importance()
