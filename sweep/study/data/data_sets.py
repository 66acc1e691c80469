"""The patterns of a study: one set for all cells, or one for each combination of the swept options of [data]."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import ValidationError

from sweep.errors import StudyError, shown
from sweep.study.data.data_table import (
    DATA_OPTIONS,
    HELD_OUT,
    HELD_OUT_ARGUMENTS,
    OF_FILES,
    Data,
    Patterns,
    with_columns_of_training,
)
from sweep.study.data.packed import numbers_bytes
from sweep.study.data.pattern_files import MAX_NUMBERS, Matrix
from sweep.study.data.splits import DEFAULTS, prepare, standardized
from sweep.study.data.tasks import ARGUMENTS, BY_RUN, ONE_SIZE, TASKS, arguments_of
from sweep.study.reading.value_forms import Scalar
from sweep.system.formatting import count_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Returns the faults of a table that is not valid.
Sentences = Callable[[ValidationError], list[str]]

# Seeds of the sets that stand for all sets of such a study: what a study looks at is the same for all seeds.
_SPECIMENS = (0, 1)

# Most sets of patterns of a study.
MAX_SETS = 65_536


class DrawnByRun(NamedTuple):
    """What the patterns of a run are drawn from, besides its seed."""

    table: Mapping[str, Any]  # the table [data], with held-out patterns that all runs share in place of their sources
    combinations: list[dict[str, Scalar]]  # of the values of its swept options, by the number of the set


@dataclass(frozen=True)
class DataSets:
    """The patterns of a study."""

    # One set, or one for each combination of the values of ``options``, the last option fastest. All sets have
    # equally many patterns, inputs and targets to train on, to validate and to test with. Where each run draws its
    # own, those of two seeds, one seed after the other.
    sets: tuple[Data, ...]
    options: tuple[str, ...]  # the swept options that decide which set a cell has
    # The table [data] in the canonical form: the patterns, or their source where options are swept
    table: Mapping[str, Any]
    drawn: DrawnByRun | None = None  # None unless each run draws its own patterns

    @property
    def n_patterns(self) -> int:
        """Patterns that a network is trained on."""
        return self.sets[0].shape[0]

    @property
    def n_inputs(self) -> int:
        """Inputs of a network."""
        return self.sets[0].shape[1]

    @property
    def n_targets(self) -> int:
        """Targets of a pattern."""
        return self.sets[0].shape[2]

    @property
    def n_validations(self) -> int:
        """Patterns that validate a network."""
        return len(self.sets[0].validation.inputs) if self.sets[0].validation else 0

    @property
    def n_tests(self) -> int:
        """Patterns that test a network."""
        return len(self.sets[0].test.inputs) if self.sets[0].test else 0

    @property
    def held_out(self) -> tuple[Literal["validation", "test"], ...]:
        """The kinds of patterns that do not train a network."""
        counts: tuple[tuple[Literal["validation", "test"], int], ...] = (
            ("validation", self.n_validations),
            ("test", self.n_tests),
        )
        return tuple(name for name, n_patterns in counts if n_patterns)

    @cached_property
    def is_one_hot(self) -> bool:
        """Whether the targets of each pattern to train on are one high number, and otherwise one low number."""
        values = {value for data in self.sets for row in data.targets for value in row}
        rows = (row for data in self.sets for row in data.targets)
        return len(values) == 2 and all(row.count(max(values)) == 1 for row in rows) and self.n_targets > 1

    @cached_property
    def least_share(self) -> float:
        """Share of the patterns to train on that have the rarest targets: of classes, those of the rarest one."""
        return min(min(Counter(data.targets).values()) for data in self.sets) / self.n_patterns

    @property
    def n_numbers(self) -> int:
        """Numbers of a set, with held-out patterns."""
        return sum(n_patterns * (n_in + n_out) for n_patterns, n_in, n_out in _shapes(self.sets[0]))

    def of_run(self, number: int, seed: int) -> Data:
        """Return the patterns of a run, by the number of the set of its cell, and its seed."""
        if self.drawn is None:
            return self.sets[number]
        table = _with_values(self.drawn.table, {**self.drawn.combinations[number], "data_seed": seed})
        return _prepared(_source_patterns(table, lambda error: [str(error)]), table)

    @property
    def only(self) -> Data:
        """The one set of patterns; ValueError if there are several."""
        if self.drawn:
            raise ValueError("each run has other patterns, since data_seed is 'seed'; use 'Study.patterns_of'")
        if len(self.sets) > 1:
            raise ValueError(f"cells have different patterns, since {' and '.join(self.options)} vary; use 'sets'")
        return self.sets[0]

    @property
    def inputs(self) -> Matrix:
        """Inputs of the one set of patterns."""
        return self.only.inputs

    @property
    def targets(self) -> Matrix:
        """Targets of the one set of patterns."""
        return self.only.targets

    def arrays(
        self, of: Literal["train", "validation", "test"] = "train"
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return inputs and targets of the patterns to train on or of held-out ones, stacked if there are several sets.

        Returns
        -------
        inputs, targets : (patterns, numbers), or (sets, patterns, numbers)
        """
        import numpy as np

        chosen = [data if of == "train" else data.held_out[of] for data in self.sets]
        inputs, targets = np.array([each.inputs for each in chosen]), np.array([each.targets for each in chosen])
        return (inputs, targets) if len(chosen) > 1 else (inputs[0], targets[0])

    def decision_thresholds(self) -> NDArray[np.float64] | np.float64:
        """Return the decision thresholds, (sets,), or one number: NaN for the midrange of the targets."""
        import numpy as np

        found = np.array([np.nan if data.decision_threshold is None else data.decision_threshold for data in self.sets])
        return found if len(found) > 1 else np.float64(found[0])

    @property
    def used_decision_thresholds(self) -> tuple[float, ...]:
        """The decision threshold of each set, explicit or not, before it is rounded to the dtype."""
        return tuple(
            _midrange(data.targets) if data.decision_threshold is None else data.decision_threshold
            for data in self.sets
        )

    def is_made_as(self, other: DataSets) -> bool:
        """Return whether patterns are equal, or have the same source and swept options, whatever their values."""
        if self.options or other.options or self.drawn or other.drawn:
            mine, others = ({**data.table, "sha256": None} for data in (self, other))
            return set(self.options) == set(other.options) and mine == others
        return self.sets == other.sets


class SweptData(NamedTuple):
    """The swept options of the table [data]."""

    options: tuple[str, ...]
    n_sets: int  # number of combinations of values in the cells
    combinations: Iterable[tuple[Scalar, ...]]  # these combinations


def read_data(raw: Any, swept: SweptData | None, sentences: Sentences) -> DataSets | None:
    """Return the patterns of the table [data], one set for each combination of its swept options.

    None if the values of swept options are not valid, which are then None too. A ValueError says what is wrong.
    """
    if not isinstance(raw, Mapping):
        raise ValueError(f"must be a table (in Python a dict), got {shown(raw)}")
    if swept is None:
        return None
    options, n_sets, combinations = swept
    if n_sets > MAX_SETS:
        raise ValueError(f"must be at most {MAX_SETS:,} sets of patterns, got {n_sets:,} by {_names(options)}")
    _check_held_out_arguments(raw)
    table = with_columns_of_training(raw)
    by_run = _is_by_run(table)
    if options or by_run:
        table.pop("sha256", None)
    has_seed = "noise_seed" in options or table.get("noise_seed", 0) != 0
    if has_seed and "label_noise" not in options and table.get("label_noise") == 0:
        raise StudyError("data.noise_seed: has no effect with label_noise 0; remove it")
    sets: list[Data] = []
    known: dict[tuple[Scalar, ...], Data] = {}
    points = [dict(zip(options, values, strict=True)) for values in combinations]
    for values in [{**point, "data_seed": seed} for seed in _SPECIMENS for point in points] if by_run else points:
        each = _with_values(table, values)
        source = tuple(value for name, value in values.items() if name not in DEFAULTS)
        if source not in known:
            known[source] = _source_patterns(each, sentences)
        found = _prepared(known[source], each)
        sets.append(found)
        first = sets[0]
        if _shapes(found) != _shapes(first):
            raise StudyError(
                f"parameters.{options[0]}: all sets of patterns must have the same size, got {_size(first)}, and "
                f"{_size(found)}, by {_names(options)}; make a study for each size"
            )
        size = sum(n_patterns * (n_in + n_out) for n_patterns, n_in, n_out in _shapes(found))
        if size * n_sets > MAX_NUMBERS:
            raise ValueError(
                f"must be at most {MAX_NUMBERS:,} numbers in all sets, got {size * n_sets:,} in {n_sets:,} sets"
            )
    if not options and not by_run:
        return DataSets(tuple(sets), (), _written_out(sets[0], known[()], table))
    digest = _digest(sets)
    if raw.get("sha256", digest) != digest:
        raise StudyError(
            f"data.sha256: must be that of the patterns made here, {digest}, got {shown(raw['sha256'])}; the study "
            "has other patterns"
        )
    unprepared = next(iter(known.values()))  # inputs are standardized again when the study is read
    held_out = {name: _rows(patterns) for name, patterns in unprepared.held_out.items()}
    arguments = [HELD_OUT_ARGUMENTS[name] for name in options if name in HELD_OUT_ARGUMENTS]
    shared = {use: patterns for use, patterns in unprepared.held_out.items() if use not in dict(arguments)}
    for use in {use for use, _ in arguments}:
        held_out[use] = _source(table[use], [key for of, key in arguments if of == use], None)
    source_table = _source(table, options, known.get(())) | held_out | {"sha256": digest}
    return DataSets(tuple(sets), options, source_table, DrawnByRun(table | shared, points) if by_run else None)


def _check_held_out_arguments(raw: Mapping[str, Any]) -> None:
    """Check that arguments of held-out patterns stand in their table, with one value each."""
    for name, (use, key) in HELD_OUT_ARGUMENTS.items():
        table = raw.get(use)
        value = table.get(key) if isinstance(table, Mapping) else None
        if name in raw:
            fault = f"data.{name}: must be data.{use}.{key}, or be swept in [parameters], got {shown(raw[name])}"
            raise StudyError(fault)
        if isinstance(value, (list, dict)):
            advice = ONE_SIZE if ARGUMENTS[key].is_size else f"to sweep it, set {name} in [parameters]"
            raise StudyError(f"data.{use}.{key}: must be one value, got {shown(value)}; {advice}")


def _is_by_run(table: Mapping[str, Any]) -> bool:
    """Return whether each run draws its own patterns; StudyError if a table of held-out patterns asks for it."""
    for use in HELD_OUT:
        if isinstance(table.get(use), dict) and table[use].get("data_seed") == BY_RUN:
            raise StudyError(
                f"data.{use}.data_seed: must be an integer, got {BY_RUN!r}; to draw {use} patterns for each run, set "
                f"data.data_seed to {BY_RUN!r} and data.{use}_count"
            )
    task = table.get("task")
    return table.get("data_seed") == BY_RUN and task in [*TASKS] and "data_seed" in arguments_of(str(task))


def _with_values(table: Mapping[str, Any], values: Mapping[str, Scalar]) -> dict[str, Any]:
    """Return a table [data] with values of its swept options, those of held-out patterns in their tables."""
    found = {**table, **{name: value for name, value in values.items() if name not in HELD_OUT_ARGUMENTS}}
    for name in values.keys() & HELD_OUT_ARGUMENTS.keys():
        use, key = HELD_OUT_ARGUMENTS[name]
        held_out = found.get(use)
        if not isinstance(held_out, dict) or "task" not in held_out:
            raise StudyError(f"parameters.{name}: must have a task in the table data.{use}, whose {key} it varies")
        found[use] = {**held_out, key: values[name]}
    return found


def _source_patterns(table: dict[str, Any], sentences: Sentences) -> Data:
    """Return the patterns of a table before any preparation."""
    try:
        return Data.model_validate({key: value for key, value in table.items() if key not in ("train", *DEFAULTS)})
    except ValidationError as error:
        raise StudyError(*sentences(error)) from None


def _prepared(data: Data, table: dict[str, Any]) -> Data:
    """Return one set of patterns: split, with label noise."""
    values = {key: value for key, value in table.items() if key in ("train", *DEFAULTS)}
    parts = prepare((data.inputs, data.targets), values, data.held_out) if values else {}
    inputs, targets = parts.pop("train", (data.inputs, data.targets))
    made: dict[str, Any] = {"inputs": inputs, "targets": targets}
    for use, rows in parts.items():
        made[use] = Patterns.model_construct(inputs=rows[0], targets=rows[1])
    made["decision_threshold"] = _decision_threshold(table, data, targets)
    found = data.model_copy(update=made)  # checked already
    return _standardized(found) if table.get("standardize") else found


def _standardized(data: Data) -> Data:
    """Return patterns with standardized inputs."""
    scaling, (inputs, *others) = standardized(data.inputs, [patterns.inputs for patterns in data.held_out.values()])
    held_out = zip(data.held_out.items(), others, strict=True)
    made = {name: patterns.model_copy(update={"inputs": rows}) for (name, patterns), rows in held_out}
    return data.model_copy(update={"inputs": inputs, **made}).with_scaling(scaling)


def _decision_threshold(table: dict[str, Any], data: Data, trained: Matrix) -> float | None:
    """Return the decision threshold; None where it is the midrange of the targets to train on.

    By default it is the midrange of all targets, before test patterns are split off and label noise is added. For a
    task whose targets are all high, or all low, it is halfway between both levels.
    """
    threshold = data.decision_threshold
    arguments = arguments_of(table["task"]) | table if "task" in table else {}
    if threshold is None and "target_low" in arguments and len(set(data.targets)) == 1:
        threshold = (float(arguments["target_low"]) + float(arguments["target_high"])) / 2
    threshold = _midrange(data.targets) if threshold is None else threshold
    return threshold if isfinite(threshold) and threshold != _midrange(trained) else None


def _midrange(targets: Matrix) -> float:
    return (min(map(min, targets)) + max(map(max, targets))) / 2


def _shapes(data: Data) -> list[tuple[int, int, int]]:
    """Return the shapes of the patterns to train on and of those held out."""
    return [data.shape, *(patterns.shape for patterns in data.held_out.values())]


def _size(data: Data) -> str:
    n_patterns, n_inputs, n_targets = data.shape
    held_out = ""
    for name, use in zip(HELD_OUT, ("to validate", "to test with"), strict=True):
        held_out += f", {data.held_out[name].shape[0]} {use}" if name in data.held_out else ""
    numbers = f"{count_text(n_inputs, 'input')} and {count_text(n_targets, 'target')}"
    return f"{count_text(n_patterns, 'pattern')} of {numbers}{held_out}"


def _names(options: Sequence[str]) -> str:
    return " and ".join(options)


def _rows(data: Patterns) -> dict[str, Any]:
    """Return patterns as a table of the canonical form."""
    table: dict[str, Any] = {"inputs": data.inputs, "targets": data.targets}
    if isinstance(data, Data):
        table |= {"decision_threshold": data.decision_threshold} if data.decision_threshold is not None else {}
        table |= {name: _rows(patterns) for name, patterns in data.held_out.items()}
    return table


def _written_out(data: Data, source: Data, table: dict[str, Any]) -> dict[str, Any]:
    """Return the one set of patterns as the table [data] of the canonical form, before inputs are standardized."""
    if not table.get("standardize"):
        return _rows(data)
    return _rows(_prepared(source, table | {"standardize": False})) | {"standardize": True}


def _source(table: dict[str, Any], swept: Sequence[str], unprepared: Patterns | None) -> dict[str, Any]:
    """Return the source of the patterns to train on, with all defaults and without swept options.

    ``unprepared`` are its patterns, if no option changes them.
    """
    keys = ("decision_threshold", "train", *DEFAULTS)
    kept = {key: table[key] for key in keys if table.get(key) is not None and table[key] != DEFAULTS.get(key)}
    kept = {key: value if key == "train" else DATA_OPTIONS[key].kind(value) for key, value in kept.items()}
    if "task" in table:
        arguments = arguments_of(table["task"]) | {key: table[key] for key in ARGUMENTS if key in table}
        source = {
            key: value if value == BY_RUN else ARGUMENTS[key].kind(value)
            for key, value in arguments.items()
            if key not in swept
        }
        return {"task": table["task"], **source, **kept}
    base = {key: table[key] for key in (*OF_FILES, "target_low", "target_high") if key in table}
    patterns = unprepared or Data.model_validate(base)
    return {name: rows for name, rows in _rows(patterns).items() if name in ("inputs", "targets")} | kept


def _digest(sets: Sequence[Data]) -> str:
    """Return the SHA-256 of sets: decision thresholds, shapes and numbers (8 bytes each, little-endian)."""
    digest = hashlib.sha256()
    for data in sets:
        digest.update(repr(data.decision_threshold).encode())
        for name, patterns in ({"": data} | data.held_out).items():
            digest.update(b"validation" if name == "validation" else b"")
            rows = chain(patterns.inputs, patterns.targets)
            digest.update(b"".join(each.to_bytes(8, "little") for each in patterns.shape))
            digest.update(numbers_bytes(chain.from_iterable(rows)))
    return digest.hexdigest()
