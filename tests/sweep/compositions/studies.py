"""Random compositions of all options of a study: whole small studies, which train quickly without the JIT.

Options that need others are drawn with them, and those that a study refuses beside the others are left out; where it is
still refused, another is drawn, and `test_compositions.py` bounds how often.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import numpy as np
from hypothesis import strategies as st

from kernels import vocabulary
from sweep import Study, StudyError
from sweep.measures import RECORDED
from sweep.study.axes.samples import KEYS
from sweep.study.options.option_tables import LOSS_ALIASES, OPTIONS
from tests.oracle import parameter_shapes
from tests.sweep.compositions.axes import Lists, axes
from tests.sweep.compositions.data import File, Patterns, patterns
from tests.sweep.compositions.values import (
    CURVES,
    LEVELS,
    OPTION_VALUES,
    RACE,
    RECORD,
    RESTARTS,
    SEEDS,
    losses_for,
)
from tests.sweep.compositions.weights import Shapes, explicit_weights
from tests.sweep.support import SECTIONS

Tables = dict[str, Any]

# Options that are drawn independently: others depend on them or on their values.
_OF_HELD_OUT = ("stopping_rule", "monitor", *vocabulary.STOPPING_SETTINGS, "criterion_on")
_APART = ("loss", "output", "values", "dtype", "validate_every", "thresholds_on", *_OF_HELD_OUT)
_OF_ALL = [name for name in OPTION_VALUES if name not in _APART and not OPTIONS[name].used_with]
_OF_SOME = [name for name in OPTION_VALUES if name not in _APART and OPTIONS[name].used_with]
_ALWAYS = ("hidden", "learning_rate")
_DTYPES = get_args(OPTIONS["dtype"].type)


@st.composite
def compositions(draw: st.DrawFn) -> Tables:
    """Draw the tables of a study that is rarely refused; :func:`with_files` writes its files."""
    kind = draw(st.sampled_from(list(LEVELS)))
    data = draw(patterns(kind))
    options, together = draw(_losses(kind))
    options |= draw(_options(_OF_ALL, options))
    options |= draw(_options(_OF_SOME, options))
    held_out = _held_out(data)
    options |= draw(_stopping(options, held_out))
    together += _fit(draw, options, data)
    swept = {name: values for name, values in options.items() if len(values) > 1 or draw(st.integers(0, 7)) == 0}
    tables: Tables = {"data": data.table}
    tables["seeds"] = draw(_seeds(options))
    values, weights = draw(explicit_weights(_shapes(options, data), tables["seeds"]["count"]))
    for name in options.keys() - swept.keys():
        tables.setdefault(OPTIONS[name].section, {})[name] = options[name][0]
    if values:
        tables.setdefault("initial_weights", {})["values"] = values
    swept |= weights
    together = [[name for name in names if name in swept] for names in together]
    tables |= draw(axes(swept | data.swept, [names for names in together if len(names) > 1]))
    record = {name: draw(values) for name, values in RECORD.items() if draw(st.booleans())}
    if held_out != "validation" and record.get("weights") in ("best", "all"):
        del record["weights"]
    tables["record"] = record | ({"measures": draw(_measures(data, held_out))} if draw(st.booleans()) else {})
    if held_out and "loss_thresholds" in record and draw(st.booleans()):
        tables.setdefault("convergence", {})["thresholds_on"] = draw(st.sampled_from(["train", held_out]))
    if held_out == "validation" and draw(st.booleans()):
        tables.setdefault("convergence", {})["validate_every"] = draw(OPTION_VALUES["validate_every"])
    tables["name"], tables["description"] = "composed", draw(st.sampled_from(["", 'of all options, "ä"\n']))
    _leave_out_refused(tables)
    if "measures" in tables["record"] and not is_valid(tables):  # targets may have no classes
        kept = [name for name in tables["record"]["measures"] if RECORDED[name].kind != "balanced share"]
        tables["record"] |= {"measures": kept}
    curves = {"curves": draw(CURVES)}
    if not draw(st.integers(0, 3)) and is_valid({**tables, "record": tables["record"] | curves}):
        tables["record"] |= curves
    restarts = {name: value for name, values in RESTARTS.items() if (value := draw(values)) is not None}
    if not draw(st.integers(0, 2)) and is_valid({**tables, "restarts": restarts}):
        tables["restarts"] = restarts
    dtype = draw(st.sampled_from([None, *_DTYPES, list(_DTYPES)]))
    if dtype and (dtype == "float64" or _fits_float32(tables)):
        tables.setdefault("network" if isinstance(dtype, str) else "parameters", {})["dtype"] = dtype
    return tables


@st.composite
def valid_compositions(draw: st.DrawFn) -> Tables:
    """Draw a composition that the study accepts."""
    return draw(compositions().filter(is_valid))


def is_valid(tables: Tables) -> bool:
    """Return whether the tables are those of a valid study."""
    return not faults_of(tables)


def faults_of(tables: Tables) -> list[str]:
    """Return the faults of a study, an empty list if it is valid."""
    with TemporaryDirectory() as folder:
        try:
            Study(**with_files(tables, Path(folder)))
        except StudyError as error:
            return error.faults
    return []


def _leave_out_refused(tables: Tables) -> None:
    """Remove the options that faults name first, until there is none."""
    while places := _places_of({fault.partition(":")[0].rpartition(".")[2] for fault in faults_of(tables)}, tables):
        for table, key in places:
            del table[key]
        for name, keys in {"zip": set(), "exclude": set(), "samples": {*KEYS}}.items():
            tables[name] = [table for table in tables.get(name, []) if table.keys() - keys]


def _places_of(names: set[str], tables: Tables) -> list[tuple[Tables, str]]:
    """Return each table that sets or sweeps one of some options, and its key in it."""
    lists = [table for name in ("zip", "samples", "exclude") for table in tables.get(name, [])]
    own = [tables["parameters"], *lists, *(tables[name] for name in {*SECTIONS.values()} & tables.keys())]
    able = names & SECTIONS.keys() - {*_ALWAYS}
    return [(table, key) for table in own for key in table if key.rpartition(".")[2] in able]


def with_files(given: Any, folder: Path) -> Any:
    """Write each file into a folder, and return the tables with its path."""
    if isinstance(given, File):
        return given.write(folder)
    if isinstance(given, dict):
        return {key: with_files(value, folder) for key, value in given.items()}
    return given


def _default(name: str) -> Any:
    return OPTIONS[name].default


def _values_of(options: Lists, name: str) -> list[Any]:
    """Return the values of an option in a study with these options."""
    return options.get(name, [_default(name)])


@st.composite
def _several(draw: st.DrawFn, name: str, most: int) -> list[Any]:
    """Draw one or more different values of an option, of one type."""
    values = draw(st.lists(OPTION_VALUES[name], unique=True, min_size=1, max_size=most))
    return [value for value in values if name == "hidden" or isinstance(value, str) == isinstance(values[0], str)]


@st.composite
def _options(draw: st.DrawFn, names: list[str], beside: Lists) -> Lists:
    """Draw values of some options that have an effect with the others, and several values of a few of them."""
    used = [name for name in names if OPTIONS[name].has_effect(lambda other: _values_of(beside, other))]
    chosen = [name for name in used if name in _ALWAYS or draw(st.booleans())]
    several = draw(st.lists(st.sampled_from(chosen), max_size=2)) if chosen else []
    return {name: draw(_several(name, 3 if name in several else 1)) for name in chosen}


def _held_out(data: Patterns) -> str:
    """Return the held-out patterns that options may name: those of validation, or else of tests, if there are any."""
    is_validated = {"validation", "validation_count"} & {*data.table, *data.swept}
    return "validation" if is_validated else "test" if data.n_tests else ""


@st.composite
def _measures(draw: st.DrawFn, data: Patterns, held_out: str) -> list[str]:
    """Draw measures of networks with these patterns."""
    lacking = {*(["validation"] if held_out != "validation" else []), *([] if data.n_tests else ["test"])}
    able = [name for name, measure in RECORDED.items() if not {*measure.needs} & lacking]
    if (data.n_patterns + data.n_tests) * data.n_targets > 62:
        able.remove("learned_function")
    return draw(st.lists(st.sampled_from(able), unique=True, min_size=1, max_size=8))


@st.composite
def _stopping(draw: st.DrawFn, beside: Lists, held_out: str) -> Lists:
    """Draw a stopping rule with its settings, what it looks at, and what the criterion looks at."""
    found: Lists = {}
    criteria = set(_values_of(beside, "criterion"))
    if held_out and criteria != {"none"} and "running_loss" not in criteria and draw(st.booleans()):
        found["criterion_on"] = draw(st.lists(st.sampled_from(["train", held_out]), unique=True, min_size=1))
    losses = [f"{held_out}_loss"] if held_out else []
    monitors = ["loss", "running_loss", "n_correct", "train_accuracy", *losses]
    monitors += ["validation_accuracy"] if held_out == "validation" else []
    of_patience = [name for name in vocabulary.STOPPING_RULES if name not in vocabulary.RULES_WITHOUT_PATIENCE]
    rule = draw(st.sampled_from([None, *of_patience, *(vocabulary.STOPPING_RULES if held_out else [])]))
    if rule in of_patience:
        found |= {"patience": draw(_several("patience", 2)), "stopping_rule": [rule]}
        if draw(st.booleans()):
            found["min_delta"] = draw(_several("min_delta", 2))
        if draw(st.booleans()):
            found["monitor"] = draw(st.lists(st.sampled_from(monitors), unique=True, min_size=1, max_size=2))
    elif rule:
        found |= {"stopping_rule": [rule], "monitor": losses}
        found |= {each.name: draw(_several(each.name, 2)) for each in vocabulary.STOPPING_RULES[rule].settings}
    elif held_out == "validation" and draw(st.booleans()):
        found["monitor"] = ["validation_accuracy"]
    return found


@st.composite
def _losses(draw: st.DrawFn, kind: str) -> tuple[Lists, list[list[str]]]:
    """Draw losses and outputs that fit them; they vary together where both vary."""
    pairs = [("sse", "identity")] if kind != "classes" else []
    if not pairs or draw(st.integers(0, 4)):
        count = draw(st.sampled_from([1, 1, 1, 2, 3]))
        losses = [draw(st.sampled_from(losses_for(kind))) for _ in range(count)]
        outputs = [vocabulary.LOSSES[loss].output if loss in vocabulary.LOSSES else None for loss in losses]
        pairs = [
            (loss, output or draw(st.sampled_from(list(vocabulary.ACTIVATIONS))))
            for loss, output in zip(losses, outputs, strict=True)
        ]
    pairs = list(dict.fromkeys(pairs))
    columns = dict(zip(("loss", "output"), map(list, zip(*pairs, strict=True)), strict=True))
    if len({output for _, output in pairs}) == 1 or len({loss for loss, _ in pairs}) == 1:
        return {name: list(dict.fromkeys(values)) for name, values in columns.items()}, []
    return columns, [["loss", "output"]]


def _fit(draw: st.DrawFn, options: Lists, data: Patterns) -> list[list[str]]:
    """Change values of options that cannot be combined; return options that must be zipped."""
    if set(options["loss"]) & LOSS_ALIASES.keys():
        options.pop("reduction", None)
    if options["hidden"] == [0]:  # other options are of hidden units
        options["hidden"] = [0, 2]
    if 0 in options["hidden"]:
        options.pop("scaling", None)
    if any(isinstance(width, str) for width in options["hidden"]):
        options.pop("layers", None)
    if "offset" in options and False not in _values_of(options, "bias") and draw(st.booleans()):
        options["offset"] = [f"0.5 c=[{','.join(map(str, range(data.n_targets)))}]"]
    options["batch"] = _batches(options.get("batch", ["full"]), data.n_patterns)
    if "max_epochs" not in options:
        options.setdefault("max_steps", [draw(OPTION_VALUES["max_steps"])])
    return _fit_optimizers(draw, options)


def _batches(given: Iterable[Any], n_patterns: int) -> list[Any]:
    """Return different batches up to a number of patterns."""
    sizes = {value: {"full": n_patterns, "online": 1}.get(value, value) for value in given}
    kept = {min(size, n_patterns): value if size <= n_patterns else "full" for value, size in sizes.items()}
    return list(kept.values())


def _fit_optimizers(draw: st.DrawFn, options: Lists) -> list[list[str]]:
    """Give optimizers the values that they need; where one allows no other value of an option, both vary together."""
    names = _values_of(options, "optimizer")
    records = [vocabulary.OPTIMIZERS[name] for name in names]
    if any(record.needs_decay for record in records):
        options["weight_decay"] = [0.01, *(each for each in options.get("weight_decay", []) if each != 0.01)]
        options.pop("penalty", None)
    if any(record.starts_at_rate for record in records):
        for name in {"learning_rate", "output_learning_rate"} & options.keys():
            options[name] = [rate for rate in options[name] if rate > 0] or [0.1]
    strict = {"batch": [each.full_batch for each in records]}
    strict |= {name: [each.starts_at_rate for each in records] for name in ("schedule", "warmup")}
    needs = {"batch": "full", "schedule": "constant", "warmup": 0.0}
    together = ["optimizer"]
    for name in [name for name, needed in strict.items() if any(needed) and name in options]:
        if all(strict[name]) or name == "schedule" or draw(st.booleans()):
            options[name] = [needs[name]]
        else:
            own = options[name]
            options[name] = [needs[name] if only else own[k % len(own)] for k, only in enumerate(strict[name])]
            together.append(name)
    return [together]


def _shapes(options: Lists, data: Patterns) -> list[Shapes]:
    """Return the shapes of the parameters of all networks by name."""
    skips = [*product(_values_of(options, "skip"), _values_of(options, "shortcuts"))]
    return [
        parameter_shapes(data.n_inputs, tuple(map(int, str(width).split("-"))) * layers, data.n_targets, bias, skip)
        for width in options["hidden"]
        for layers in options.get("layers", [1])
        for bias in _values_of(options, "bias")
        for skip in {skip and ("all" if each == "all" else True) for skip, each in skips}
    ]


@st.composite
def _seeds(draw: st.DrawFn, options: Lists) -> Tables:
    """Draw seeds; rounds that follow a rate only where there is a criterion, and races only where cells differ."""
    evaluated = set(_values_of(options, "criterion")) != {"none"}
    chosen = [name for name in SEEDS if name == "count" or ((name != "until" or evaluated) and draw(st.booleans()))]
    found = {name: draw(SEEDS[name]) for name in chosen}
    if "until" in found and any(len(values) > 1 for values in options.values()) and draw(st.booleans()):
        found["until"] = draw(RACE)
    return found


def _numbers_in(given: Any) -> Iterator[float]:
    """Yield all floats in tables."""
    if isinstance(given, File):
        given = given.columns
    if isinstance(given, float):
        yield given
    for each in given.values() if isinstance(given, dict) else given if isinstance(given, list) else ():
        yield from _numbers_in(each)


def _fits_float32(tables: Tables) -> bool:
    """Return whether rounding makes no number infinite, zero or one."""
    with np.errstate(all="ignore"):
        pairs = [(float(np.float32(x)), x) for x in _numbers_in(tables)]
    return all(np.isfinite(near) and (near in (0.0, 1.0)) == (x in (0.0, 1.0)) for near, x in pairs)
