"""What the oracle says of a study: the runs table that training must give."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from kernels import vocabulary
from sweep import Study
from sweep.study.data import Data
from tests import oracle
from tests.accuracy import survey
from tests.sweep.support import SECTIONS, SHAPE, START

# The project's own functions, as the oracle names and wants them.
OURS = {name: name for name in ("exp", "log", "tanh", "sigmoid", "softplus", "sin", "cos", "normal_cdf")}
OURS |= {"expm1": "elu", "normal_pdf": "normal_density"}
FUNCTIONS: dict[str, oracle.Functions] = {
    dtype: {name: partial(survey.apply, ours, dtype) for name, ours in OURS.items()}
    | {"cos of float64": partial(survey.apply, "cos", "float64")}
    | {"log1p_exp_negative": lambda x, dtype=dtype: survey.apply("softplus", dtype, -x)}
    for dtype in ("float64", "float32")
}

OUTCOME = ("status", "steps", "initial_loss", "final_loss", "n_correct", "max_error")
TESTED = ("test_loss", "n_test_correct")


def naive_rows(study: Study) -> list[dict[str, Any]]:
    """List every run of a study with all its scalars, in run order."""
    names = list(study.parameters)
    rows = []
    for cell, values in enumerate(itertools.product(*study.parameters.values())):
        for offset in range(study.seeds.count):
            row = {"run": len(rows), "cell": cell, "seed": study.seeds.base + offset}
            rows.append({**study.fixed(), **row, **dict(zip(names, values, strict=True))})
    return rows


def expected_runs(study: Study) -> pd.DataFrame:
    """Train every run of a study with the oracle and return the runs table, in run order."""
    rows = naive_rows(study)
    sets = [study.patterns_of(cell) for cell in range(study.n_cells)]
    key_of = lambda row: (*(row[name] for name in SHAPE + START), sets[row["cell"]])  # noqa: E731
    for key in dict.fromkeys(map(key_of, rows)):
        alike = [row for row in rows if key_of(row) == key]
        result = train_with_oracle(study, alike, sets[alike[0]["cell"]])
        if study.data.n_tests:
            for row, values in zip(alike, tested_by_oracle(study, alike, result), strict=True):
                row |= values
        for name in (*OUTCOME, "epochs"):
            for row, value in zip(alike, getattr(result, name).tolist(), strict=True):
                row[name] = value
        for row, steps in zip(alike, result.target_steps.tolist(), strict=True):
            row |= dict(zip(target_names(study), steps, strict=True))
    epochs = ["epochs"] if any(row["batch"] < len(sets[0].inputs) for row in rows) else []
    outcome = [*OUTCOME[:2], *epochs, *OUTCOME[2:], *(TESTED if study.data.n_tests else ()), *target_names(study)]
    return pd.DataFrame(rows)[["run", "cell", "seed", *study.parameters, *outcome]]


def target_names(study: Study) -> list[str]:
    """Name the columns of the steps to targets of the loss, the largest first."""
    targets = sorted(study.record.targets, reverse=True)
    return [f"steps_below_{int(target) if target == int(target) else target}" for target in targets]


def train_with_oracle(
    study: Study, rows: list[dict[str, Any]], patterns: Data | None = None, record: bool = False
) -> oracle.Result:
    """Train the runs of rows, with all their scalars, that share a shape, a scheme of initial weights and patterns."""
    same, dtype = rows[0], study.network.dtype
    patterns = patterns or study.data.only
    n_inputs, n_outputs = len(patterns.inputs[0]), len(patterns.targets[0])
    sizes = tuple(map(int, str(same["hidden"]).split("-"))) * same["layers"]
    shapes = oracle.parameter_shapes(n_inputs, sizes, n_outputs, same["bias"], same["skip"])
    scales = {"w": same["scale"]}
    for name, key in (("v", "output_scale"), ("biases", "bias_scale")):
        scales[name] = same["scale"] if same[key] is None else same[key]
    if isinstance(scales["biases"], str):
        scales["biases"] = 0.0
    seeds = [row["seed"] for row in rows]
    how = (same["distribution"], scales, same["stream"], dtype, same["draw_order"])
    start = oracle.initial_parameters(seeds, shapes, *how, mirrored=same["mirrored"])
    place_given(start, shapes, study, rows)
    settings = [name for name in SECTIONS if name not in SHAPE + START and same[name] is not None]
    return oracle.train(
        patterns.inputs,
        patterns.targets,
        start,
        middle=patterns.middle,
        hidden=sizes,
        **{name: same[name] for name in SHAPE if name not in ("hidden", "layers") and same[name] is not None},
        **{name: [row[name] for row in rows] for name in settings},
        seed=seeds,
        dtype=dtype,
        functions=FUNCTIONS[dtype],
        record=record,
        loss_targets=sorted(study.record.targets, reverse=True),
    )


def place_given(start: Any, shapes: dict[str, Any], study: Study, rows: list[dict[str, Any]]) -> None:
    """Overwrite what a study gives of initial weights, number by number, swept ones last."""
    names = [
        name + (f"[{','.join(map(str, index))}]" if index else "")
        for name, shape in shapes.items()
        for index in itertools.product(*map(range, shape))
    ]
    for k, row in enumerate(rows):
        for given, numbers in row["values"].entries if row["values"] else ():
            own = np.array(numbers)
            of = names if given == "parameters" else [name for name in names if name.split("[")[0] == given] or [given]
            if own.size > len(of) or (own.size > 1 and len(of) == 1):
                own = own[row["seed"] - study.seeds.base]
            for name, number in zip(of, np.broadcast_to(own.ravel(), len(of)), strict=True):
                start[k, names.index(name)] = number
        for name in set(study.parameters) & set(names):
            start[k, names.index(name)] = row[name]


def tested_by_oracle(study: Study, rows: list[dict[str, Any]], trained: oracle.Result) -> list[dict[str, Any]]:
    """Judge trained networks by the test patterns, before any step: what is right is told by the trained patterns."""
    same, patterns = rows[0], study.patterns_of(rows[0]["cell"])
    assert patterns.test is not None
    targets = [target for row in patterns.targets for target in row]
    middle = (min(targets) + max(targets)) / 2 if patterns.middle is None else patterns.middle
    words = {name: same[name] for name in SHAPE if name not in ("hidden", "layers", "batch") and same[name] is not None}
    sizes = tuple(map(int, str(same["hidden"]).split("-"))) * same["layers"]
    settings = [name for name in vocabulary.OWN | {"gain": 0} if same[name] is not None]
    still = oracle.train(
        patterns.test.inputs,
        patterns.test.targets,
        trained.weights,
        **words | {"criterion": "none", "order": "cyclic", "middle": middle, "hidden": sizes},
        **{name: [row[name] for row in rows] for name in settings},
        learning_rate=0.1,
        max_steps=0,
        dtype=study.network.dtype,
        functions=FUNCTIONS[study.network.dtype],
    )
    lost = trained.status == "diverged"
    losses, correct = np.where(lost, np.inf, still.final_loss), np.where(lost, 0, still.n_correct)
    return [dict(zip(TESTED, each, strict=True)) for each in zip(losses.tolist(), correct.tolist(), strict=True)]
