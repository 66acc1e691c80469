"""The runs table of a study according to the oracle."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from sweep import Study
from sweep.study.data.data_table import Data
from tests import oracle
from tests.kernels.compare import FUNCTIONS
from tests.oracle.training import shared_parameters
from tests.sweep.expected_networks import recorded, recorded_names
from tests.sweep.naive_race import naive_race
from tests.sweep.support import SECTIONS, SHAPE, START

OUTCOME = ("status", "steps", "initial_loss", "final_loss", "n_correct", "max_error")
HELD_OUT = {
    "train": ("train_accuracy",),
    "validation": ("validation_loss", "validation_accuracy"),
    "test": ("test_loss", "n_test_correct", "test_accuracy"),
}
ATTEMPTS = ("restarts", "total_steps")


def naive_rows(study: Study) -> list[dict[str, Any]]:
    """Return every run of a study with all its scalars, in run order."""
    tables = study.canonical()
    axes = [[{name: value} for value in given["values"]] for name, given in tables["parameters"].items()]
    axes += [
        [dict(zip(each, row, strict=True)) for row in zip(*each.values(), strict=True)]
        for each in tables.get("zip", [])
    ]
    rows = []
    for cell, points in enumerate(itertools.product(*axes)):
        for offset in range(study.seeds.count):
            row = {"run": len(rows), "cell": cell, "seed": study.seeds.base + offset}
            rows.append({**study.fixed(), **row, **{name: point[name] for point in points for name in point}})
    return rows


def expected_runs(study: Study) -> pd.DataFrame:
    """Train every run of a study with the oracle and return the runs table, in run order."""
    rows = naive_rows(study)
    sets = [study.patterns_of(row["cell"], row["seed"]) for row in rows]
    key_of = lambda row: (*(row[name] for name in SHAPE + START), sets[row["run"]])  # noqa: E731
    for key in dict.fromkeys(map(key_of, rows)):
        alike = [row for row in rows if key_of(row) == key]
        patterns = sets[alike[0]["run"]]
        if study.restarts.max_restarts:
            found = [last_attempt(study, row, patterns) for row in alike]
        else:
            found = outcomes_of(study, alike, patterns)
        for row, values in zip(alike, found, strict=True):
            row |= values
    if study.seeds.until:
        rows = rows_of_rounds(study, rows)
    epochs = ["epochs"] if any(row["batch"] < len(sets[0].inputs) for row in rows) else []
    ends = [*OUTCOME[:2], *epochs, *(ATTEMPTS if study.restarts.max_restarts else ())]
    outcome = [*ends, *OUTCOME[2:], *held_out_names(study), *target_names(study)]
    return pd.DataFrame(rows)[["run", "cell", "seed", *study.parameters, *outcome, *recorded_names(study)]]


def last_attempt(study: Study, row: dict[str, Any], patterns: Data) -> dict[str, Any]:
    """Train a run that restarts where it fails, attempt by attempt, and return the outcome of the last one."""
    restarts, met = study.restarts, dict.fromkeys(target_names(study), -1)
    windows, epochs = -(-len(patterns.inputs) // row["batch"]), row["max_epochs"]
    limit = row["max_steps"] if epochs is None else min(row["max_steps"], epochs * windows)
    total, number = 0, 0
    while True:
        most = limit - total
        if restarts.after_steps is not None and number < restarts.max_restarts:
            most = min(most, restarts.after_steps)
        own = {"max_steps": most, "max_epochs": None, "attempt": number, "schedule_steps": limit}
        (told,) = outcomes_of(study, [row | own], patterns)
        met = {name: total + told[name] if met[name] < 0 <= told[name] else met[name] for name in met}
        total += told["steps"]
        fails = told["status"] == "exhausted" or told["status"] in restarts.on
        if not fails or total == limit or number == restarts.max_restarts:
            return told | met | {"restarts": number, "total_steps": total}
        number += 1


def outcomes_of(study: Study, rows: list[dict[str, Any]], patterns: Data) -> list[dict[str, Any]]:
    """Train runs that differ only in settings with the oracle, and return the outcome of each."""
    result = train_with_oracle(study, rows, patterns, record=bool(study.record.loss_sums))
    found: list[dict[str, Any]] = [{} for _ in rows]
    for name in (*OUTCOME, "epochs"):
        for row, value in zip(found, getattr(result, name).tolist(), strict=True):
            row[name] = value
    for row, steps in zip(found, result.threshold_steps.tolist(), strict=True):
        row |= dict(zip(target_names(study), steps, strict=True))
    if names := study.record.loss_sums:
        for row, sums in zip(found, result.loss_sums(names).tolist(), strict=True):
            row |= dict(zip(names, sums, strict=True))
    of_tests = tested_by_oracle(study, rows, result.weights, result.status == "diverged")
    for row, n_right in zip(of_tests, result.n_right.tolist(), strict=True):
        if "train_accuracy" in row:  # a run may converge although its loss overflows, as a test of it does not
            row["train_accuracy"] = n_right / len(patterns.inputs)
    if study.data.n_validations:
        for row, best in zip(of_tests, best_by_oracle(study, rows, result), strict=True):
            row |= best
    lost = result.status == "diverged"
    networks = start_of(study, rows, patterns), result.weights, lost, result.best_weights, result.best_steps
    functions = FUNCTIONS[rows[0]["dtype"]]
    needed = bool(recorded_names(study))
    of_networks = recorded(study, options_of(study, rows, patterns), patterns, functions, networks) if needed else found
    return [row | tested | networks for row, tested, networks in zip(found, of_tests, of_networks, strict=True)]


def rows_of_rounds(study: Study, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the runs that adaptive seeds need: each round of a cell doubles its runs."""
    until, kept = study.seeds.until, []
    assert until is not None
    cells = [list(own) for _, own in itertools.groupby(rows, lambda row: row["cell"])]
    if until.best:
        return [row for cell, n in zip(cells, seeds_of_race(study, cells), strict=True) for row in cell[:n]]
    assert until.width is not None
    for cell in cells:
        n = min(until.first, len(cell))
        while n < len(cell):
            n_converged = sum(row["status"] == "converged" for row in cell[:n])
            interval = binomtest(n_converged, n).proportion_ci(method="wilson")
            if interval.high - interval.low < until.width:
                break
            n = min(2 * n, len(cell))
        kept += cell[:n]
    return kept


def seeds_of_race(study: Study, cells: list[list[dict[str, Any]]]) -> list[int]:
    """Return the number of seeds of each cell that races by the convergence rate, or by wins of a measure."""
    until, replicates = study.seeds.until, ("split_seed", "noise_seed")
    assert until is not None
    assert until.best is not None
    assert until.confidence is not None
    if until.best == "rate":
        values = [[float(row["status"] == "converged") for row in cell] for cell in cells]
    else:
        sign = 1 if until.best == "n_correct" else -1
        values = [[sign * row[until.best] for row in cell] for cell in cells]
    apart = [name for axis in study.axes if not set(axis) <= set(replicates) for name in axis]
    contenders: dict[Any, list[int]] = {}
    for k, cell in enumerate(cells):
        contenders.setdefault(tuple(repr(cell[0][name]) for name in apart), []).append(k)
    finish = naive_race(
        [[values[k] for k in own] for own in contenders.values()],
        study.seeds.rounds,
        until.confidence,
        by_wins=until.compare == "wins" or until.best != "rate",
        margin=until.margin,
    )
    found = {k: n for own, n in zip(contenders.values(), finish.n_seeds, strict=True) for k in own}
    return [found[k] for k in range(len(cells))]


def target_names(study: Study) -> list[str]:
    """Return the names of the columns of steps to loss thresholds, the largest first."""
    targets = sorted(study.record.loss_thresholds, reverse=True)
    return [f"steps_to_{int(target) if target == int(target) else target}" for target in targets]


def train_with_oracle(
    study: Study, rows: list[dict[str, Any]], patterns: Data | None = None, record: bool = False
) -> oracle.Result:
    """Train the runs of rows with all their scalars; they share shape, scheme of initial weights and patterns."""
    patterns = patterns or study.data.only
    return oracle.train(
        patterns.inputs,
        patterns.targets,
        start_of(study, rows, patterns),
        **options_of(study, rows, patterns),
        dtype=rows[0]["dtype"],
        functions=FUNCTIONS[rows[0]["dtype"]],
        record=record,
        loss_thresholds=sorted(study.record.loss_thresholds, reverse=True),
        **held_out_of(study, patterns),
    )


def held_out_of(study: Study, patterns: Data) -> dict[str, Any]:
    """Return the arguments of the oracle that say which held-out patterns it evaluates while it trains."""
    named = {value for name in ("monitor", "criterion_on", "thresholds_on") for value in study.values_of(name)}
    held_out = patterns.validation or (patterns.test if named & {"test", "test_loss"} else None)
    if held_out is None:
        return {}
    return {
        "held_out": (held_out.inputs, held_out.targets),
        "keeps_best": patterns.validation is not None,
        "thresholds_on": in_training(study.in_tables["thresholds_on"]),
        "validate_every": study.in_tables["validate_every"],
    }


def in_training(named: str) -> str:
    """Return the oracle's name of patterns, or of what is monitored."""
    names = {"validation": "held_out", "test": "held_out", "validation_accuracy": "held_out_accuracy"}
    names["train_accuracy"] = "accuracy"
    return names.get(named, "held_out_loss" if named in ("validation_loss", "test_loss") else named)


def sizes_of(row: dict[str, Any]) -> tuple[int, ...]:
    """Return the units of each hidden layer of a run."""
    return tuple(map(int, str(row["hidden"]).split("-"))) * row["layers"]


def skip_of(row: dict[str, Any]) -> bool | str:
    """Return whether inputs join outputs, or "all" where each layer receives the outputs of all earlier ones."""
    return "all" if row["skip"] and row["shortcuts"] == "all" else bool(row["skip"])


def shapes_of(row: dict[str, Any], patterns: Data) -> dict[str, tuple[int, ...]]:
    """Return the shape of each array of parameters of a run."""
    ends = len(patterns.inputs[0]), len(patterns.targets[0])
    return oracle.parameter_shapes(ends[0], sizes_of(row), ends[1], row["bias"], skip_of(row))


def start_of(study: Study, rows: list[dict[str, Any]], patterns: Data) -> Any:
    """Return the initial parameters of runs that share their shape and scheme, (R, P)."""
    same = rows[0]
    shapes = shapes_of(same, patterns)
    scales, named = by_array(same["scale"], shapes)
    for name in shapes:
        kind = "w" if name[0] == "k" and name[1:] else name[0]
        own = same[{"w": "scale", "b": "bias_scale", "c": "bias_scale"}.get(kind, "output_scale")]
        if name not in named and own is not None:
            scales[name] = by_array(own, shapes)[0][name]
        elif name not in named and name[0] in "bc" and scales[name] in ("he", "glorot", "lecun"):
            scales[name] = 0.0
    how = (
        by_array(same["distribution"], shapes)[0],
        scales,
        same["generator"],
        same["dtype"],
        same["draw_order"],
    )
    seeds, attempt = [row["seed"] for row in rows], same.get("attempt", 0)
    if attempt and study.restarts.draw == "spawned":
        spawned = (np.random.SeedSequence(seed).spawn(attempt)[-1] for seed in seeds)
        seeds, attempt = [int(each.generate_state(1)[0]) for each in spawned], 0
    offsets = by_array(same["offset"], shapes)[0]
    start = oracle.initial_parameters(seeds, shapes, *how, attempt=attempt, offsets=offsets)
    place_given(start, shapes, study, rows)
    for first, *others in shared_parameters(shapes, groups_in(same["share"])):
        for other in others:
            start[:, other] = start[:, first]
    return start


def by_array(value: Any, shapes: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Return the value of each array of an option such as ``1 w=he w2=0.1``, and the arrays that it names."""
    first, *entries = str(value).split()
    own = dict(entry.split("=") for entry in entries)
    names = {name: [f"{name}1" if name in ("w", "b") else name, name[0]] for name in shapes}
    texts = {name: next((own[key] for key in keys if key in own), first) for name, keys in names.items()}
    values: dict[str, Any] = {name: text if text[0].isalpha() else _numbers(text) for name, text in texts.items()}
    return values, {name for name, keys in names.items() if not own.keys().isdisjoint(keys)}


def _numbers(text: str) -> Any:
    """Return a number, or those of each unit."""
    return np.array(text[1:-1].split(","), np.float64) if "[" in text else float(text)


def groups_in(share: str) -> list[list[str]]:
    """Return the names in each group of weights that stay equal."""
    return [group.split() for group in share.split(";")]


def options_of(study: Study, rows: list[dict[str, Any]], patterns: Data) -> dict[str, Any]:
    """Return the options that runs share, and the settings of each, in the oracle's terms."""
    settings = [name for name in SECTIONS if name not in SHAPE + START and rows[0][name] is not None]
    return {
        "hidden": sizes_of(rows[0]),
        **{
            name: rows[0][name]
            for name in SHAPE
            if name not in ("dtype", "hidden", "layers", "shortcuts") and rows[0][name] is not None
        },
        **{name: rows[0][name].split() for name in ("freeze", "decays")},
        "share": groups_in(rows[0]["share"]),
        "skip": skip_of(rows[0]),
        **({"reduction": "pattern_mean"} if rows[0]["output"] == "softmax" and rows[0]["reduction"] == "mean" else {}),
        **{name: in_training(rows[0][name]) for name in ("monitor", "criterion_on")},
        **{name: [row[name] for row in rows] for name in settings},
        "seed": [row["seed"] for row in rows],
        "schedule_steps": [row.get("schedule_steps", 0) for row in rows],
        "decision_threshold": patterns.decision_threshold,
        "one_hot": is_one_hot(study),
    }


def place_given(start: Any, shapes: dict[str, Any], study: Study, rows: list[dict[str, Any]]) -> None:
    """Overwrite initial weights with a study's explicit ones, number by number, swept ones last."""
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


def middle_of(patterns: Data) -> float:
    """Return the decision threshold."""
    targets = [target for row in patterns.targets for target in row]
    return (min(targets) + max(targets)) / 2 if patterns.decision_threshold is None else patterns.decision_threshold


def held_out_names(study: Study) -> list[str]:
    """Return the names of the columns of accuracies and of measures with held-out patterns, in their order."""
    kinds = study.data.held_out
    kinds = ("train", *kinds) if kinds or "train_accuracy" in study.record.measures else ()
    names = [name for kind in kinds for name in HELD_OUT[kind]]
    of_best = [f"{name}_at_best" for name in names if name != "n_test_correct"]
    return [*names, *(["steps_at_best", "loss_at_best", *of_best] if study.data.n_validations else ())]


def best_by_oracle(study: Study, rows: list[dict[str, Any]], trained: oracle.Result) -> list[dict[str, Any]]:
    """Return the columns on the best validation of each run."""
    assert trained.best_steps is not None
    found = tested_by_oracle(study, rows, trained.best_weights, trained.best_steps < 0)
    return [
        {"steps_at_best": steps, "loss_at_best": one["train_loss"]} | {f"{name}_at_best": one[name] for name in one}
        for steps, one in zip(trained.best_steps.tolist(), found, strict=True)
    ]


def is_one_hot(study: Study) -> bool:
    """Return whether each training pattern of any set has one high target, and all its others are the low one."""
    rows = [row for data in study.data.sets for row in data.targets]
    low, high = min(map(min, rows)), max(map(max, rows))
    return low < high and all(sorted(row) == [low] * (len(row) - 1) + [high] for row in rows) and len(rows[0]) > 1


def tested_by_oracle(study: Study, rows: list[dict[str, Any]], weights: Any, lost: Any) -> list[dict[str, Any]]:
    """Evaluate networks on all patterns; those to train on decide the threshold."""
    patterns = study.patterns_of(rows[0]["cell"], rows[0]["seed"])
    options = options_of(study, rows, patterns) | {
        "decision_threshold": middle_of(patterns),
        "batch": None,
        "order": "cyclic",
    }
    options |= {
        "schedule_steps": 0,
        "patience": np.inf,
        "criterion": "none",
        "schedule": "constant",
        "warmup": 0.0,
        "max_steps": 0,
        "divergence_threshold": np.inf,
        "from_step": 0,
        "monitor": "",
        "criterion_on": "train",
    }
    columns: dict[str, Any] = {}
    for kind in ("train", *study.data.held_out) if held_out_names(study) else ():
        own = patterns if kind == "train" else getattr(patterns, kind)
        still = oracle.train(
            own.inputs,
            own.targets,
            weights,
            **options,
            is_training=kind == "train",
            dtype=rows[0]["dtype"],
            functions=FUNCTIONS[rows[0]["dtype"]],
        )
        columns[f"{kind}_loss"] = np.where(lost, np.inf, still.final_loss)
        columns[f"n_{kind}_correct"] = np.where(lost, 0, still.n_correct)
        columns[f"{kind}_accuracy"] = np.where(lost, 0, still.n_right) / len(own.inputs)
    return [{name: values[k].item() for name, values in columns.items()} for k in range(len(rows))]
