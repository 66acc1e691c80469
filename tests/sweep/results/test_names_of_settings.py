"""Settings of custom components become columns. Some names are refused; all others work in every answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import sweep
from sweep.columns import reserved_columns
from sweep.results.comparison import Pairing
from sweep.training import run as training
from sweep.training.networks import part_trainer
from tests.sweep.in_parts import run_in_parts
from tests.sweep.own import only_plugins

# Names that the code uses for something else, in groups of as many settings as a component may have.
NAMES = (("group", "weight", "event", "index"), ("self", "cell_x", "level_0", "seconds"))


def write_component(folder: Path, names: tuple[str, ...]) -> Path:
    """Write a plugin with an optimizer whose settings all change its steps."""
    settings = "".join(f"sweep.Setting({name!r}, 1.0, 'pace'), " for name in names)
    arguments = ", ".join(f"s{k}" for k in range(len(names)))
    product = " * ".join(f"s{k}" for k in range(len(names)))
    (file := folder / "mine.py").write_text(
        f"import sweep\n\n@sweep.optimizer(settings=({settings}))\n"
        f"def mine(p, g, rate, {arguments}):\n    return p - rate * g * ({product})\n"
    )
    return file


def study_of(names: tuple[str, ...]) -> sweep.Study:
    """Sweep two of the settings, and fix the others."""
    training = {"optimizer": "mine", "max_steps": 15, "learning_rate": 0.1} | dict.fromkeys(names[2:], 0.5)
    swept: dict[str, Any] = {name: {"values": [1.0, 2.0]} for name in names[:2]}
    return sweep.Study(
        data={"task": "xor"},
        network={"hidden": 2},
        training=training,
        convergence={"threshold": 0.6},
        parameters=swept | {"criterion": {"values": ["loss", "none"]}},
        seeds={"count": 8},
        record={"loss_thresholds": [1.0, 0.1], "measures": ["margin", "learned_function"]},
    )


# Functions of a result and the name of a parameter that return tables with this parameter.
ANSWERS: dict[str, Callable[[sweep.Result, str], pd.DataFrame]] = {
    "cells": lambda result, name: result.cells,
    "runs": lambda result, name: result.runs(),
    "summarize": lambda result, name: result.summarize(name),
    "best": lambda result, name: result.best(),
    "best of each": lambda result, name: result.best(name),
    "best by a mean": lambda result, name: result.best("n_correct"),
    "best by a loss": lambda result, name: result.best("final_loss"),
    "best by an error": lambda result, name: result.best("max_error"),
    "compare": lambda result, name: result.compare("criterion", [name, "rate"], margin=0.1),
    "compare losses": lambda result, name: result.compare("criterion", [name, "final_loss"]),
    "compare means": lambda result, name: result.compare("criterion", [name, "n_correct"]),
    "incidence": lambda result, name: result.incidence(name),
    "run lengths": lambda result, name: result.run_lengths(name),
    "parallel runs": lambda result, name: result.parallel_runs(2, by=name),
    "profile": lambda result, name: result.performance_profile(name),
    "functions": lambda result, name: result.functions(name),
    "thresholds": lambda result, name: result.by_threshold.cells,
    "two results": lambda result, name: Pairing(result, result).compare([name, "rate"]),
}


@pytest.fixture(scope="module", params=NAMES, ids=" ".join)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return the names of a component's settings, and a result."""
    with (
        pytest.MonkeyPatch.context() as patch,
        only_plugins(write_component(tmp_path_factory.mktemp("w"), request.param)),
    ):
        for module in (training, part_trainer):
            patch.setattr(module, "check_custom_components", lambda study: None)
        yield request.param, sweep.run(study_of(request.param), threads=1)


@pytest.mark.parametrize("answer", ANSWERS)
def test_other_names_work_in_every_answer(trained: Any, answer: str) -> None:
    """Answers have the values of the setting. All their other columns have names that settings may not have."""
    names, result = trained
    for name in names[:2]:
        table = ANSWERS[answer](result, name)
        assert set(table[name]) == {1.0, 2.0}
        assert {*table.columns} - {*names, *result.study.parameters} <= reserved_columns() | {
            column for column in table if column.startswith("steps_to_")
        }


@pytest.mark.parametrize("to", ["csv", "json", "tex"])
def test_exports_have_all_columns(trained: Any, to: str) -> None:
    """Settings are columns of exports; those of partial results have one more column."""
    names, result = trained
    assert all(name in result.export(to).replace("\\_", "_") for name in names[:2])
    partial = run_in_parts(result.study, part_runs=4, max_runs=5).export("csv")
    head, first = (line.split(",") for line in partial.splitlines()[:2])
    assert len(set(head)) == len(head)
    assert [first[head.index(name)] for name in (*names[:2], "partial")] == ["1.0", "1.0", "True"]


@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.wide)])
def test_columns_of_answers_are_refused(tmp_path: Path, stride: int) -> None:
    """The error names each setting; `make test` takes some of all groups of names."""
    names = {name for name in reserved_columns() if len(name) <= 40} | {"schedule_steps", "patterns", "copy", "json"}
    assert names >= {"n_cells", "k", "first", "second", "share", "factor", "partial", "loss_threshold"}
    ordered = sorted(names)
    for some in (tuple(ordered[k : k + 4]) for k in range(0, len(ordered), 4 * stride)):
        with only_plugins(write_component(tmp_path, some)), pytest.raises(sweep.StudyError) as caught:
            sweep.load_study("xor", {"optimizer": "mine"})
        assert len(caught.value.faults) == len(some)
        assert all(repr(name) in fault for name, fault in zip(some, caught.value.faults, strict=True))
