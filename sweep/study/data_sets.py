"""The patterns of a study: one set for all cells, or one for each combination of the swept options of [data]."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from sys import byteorder
from typing import Any, NamedTuple

from pydantic import ValidationError

from sweep.errors import shown
from sweep.study.data import DATA_KEYS, DATA_OPTIONS, Data, Patterns
from sweep.study.messages import sentences
from sweep.study.parameters import Scalar
from sweep.study.patterns import Matrix
from sweep.study.splits import DEFAULTS, prepare
from sweep.study.tasks import ARGUMENTS, arguments_of
from sweep.system.formatting import count_text

# Most sets of patterns of a study, and numbers in all of them.
MAX_SETS, MAX_NUMBERS = 65_536, 2**24


@dataclass(frozen=True)
class DataSets:
    """The patterns of a study.

    Attributes
    ----------
    sets : tuple of Data
        One set, or one for each combination of the values of ``options``, the last of which varies fastest. All have
        the same numbers of patterns, inputs and targets, to train on and to test with.
    options : tuple of str
        The swept options that decide which set a cell has.
    said : dict
        The table [data] in the canonical form: patterns; where options are swept, what they are made from.
    """

    sets: tuple[Data, ...]
    options: tuple[str, ...]
    said: Mapping[str, Any]

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
    def n_tests(self) -> int:
        """Patterns that test a network."""
        return len(self.sets[0].test.inputs) if self.sets[0].test else 0

    @property
    def only(self) -> Data:
        """The one set of patterns.

        Raises
        ------
        ValueError
            If there are several.
        """
        if len(self.sets) > 1:
            raise ValueError(f"{' and '.join(self.options)} are swept, so cells have different patterns; see 'sets'")
        return self.sets[0]

    @property
    def inputs(self) -> Any:
        """Inputs of the one set of patterns."""
        return self.only.inputs

    @property
    def targets(self) -> Any:
        """Targets of the one set of patterns."""
        return self.only.targets

    def arrays(self, *, tested: bool = False) -> tuple[Any, Any]:
        """Return inputs and targets, of all sets side by side if there are several; with ``tested`` those to test with.

        Returns
        -------
        inputs, targets : (patterns, numbers), or (sets, patterns, numbers)
        """
        import numpy as np

        chosen = [data.test if tested else data for data in self.sets]
        inputs, targets = (np.array([getattr(each, name) for each in chosen]) for name in ("inputs", "targets"))
        return (inputs, targets) if len(chosen) > 1 else (inputs[0], targets[0])

    def decision_thresholds(self) -> Any:
        """Return what separates high outputs from low ones, (sets,), or one number: NaN for the middle of the range."""
        import numpy as np

        given = np.array([np.nan if data.decision_threshold is None else data.decision_threshold for data in self.sets])
        return given if len(given) > 1 else given[0]

    @property
    def used_decision_thresholds(self) -> tuple[float, ...]:
        """What separates high outputs from low ones in each set, given or not, before it is rounded to the dtype."""
        return tuple(
            _middle_of_range(data.targets) if data.decision_threshold is None else data.decision_threshold
            for data in self.sets
        )

    def is_made_as(self, other: DataSets) -> bool:
        """Return whether patterns are equal, or made from the same by the same swept options, of whatever values."""
        if self.options or other.options:
            mine, others = ({**data.said, "sha256": None} for data in (self, other))
            return set(self.options) == set(other.options) and mine == others
        return self.sets == other.sets


class SweptData(NamedTuple):
    """The swept options of the table [data].

    Attributes
    ----------
    options : tuple of str
    n_sets : int
        How many combinations of values cells have; 0 where values are refused.
    combinations : iterable of tuple
        These combinations.
    """

    options: tuple[str, ...]
    n_sets: int
    combinations: Iterable[tuple[Scalar, ...]]


def read_data(raw: Any, swept: SweptData, faults: list[str]) -> DataSets | None:
    """Return the patterns of a study.

    Parameters
    ----------
    raw
        The table [data].
    swept
        The options of [data] that are swept, in file order.
    faults
        A sentence for each fault is appended to this list.

    Returns
    -------
    DataSets or None
        None if there is a fault.
    """
    if not isinstance(raw, Mapping):
        faults.append(f"data: {shown(raw)} given; must be a table (in Python a dict)")
        return None
    options, n_sets, combinations = swept
    if not n_sets:
        return None  # for values that are refused
    if n_sets > MAX_SETS:
        faults.append(f"data: {n_sets:,} sets of patterns given by {_names(options)}; at most {MAX_SETS:,} are allowed")
        return None
    table = {key: value for key, value in raw.items() if key != "sha256" or not options}
    has_seed = "noise_seed" in options or table.get("noise_seed", 0) != 0
    if has_seed and "label_noise" not in options and table.get("label_noise") == 0:
        faults.append("data.noise_seed: given beside label_noise 0, so it has no effect")
        return None
    sets: list[Data] = []
    for values in combinations:
        found = _data(table | dict(zip(options, values, strict=True)), faults)
        if found is None:
            return None
        sets.append(found)
        first, size = sets[0], sum(n_patterns * (n_in + n_out) for n_patterns, n_in, n_out in _shapes(found))
        if _shapes(found) != _shapes(first):
            faults.append(
                f"parameters.{options[0]}: sets of patterns of different sizes given by {_names(options)} "
                f"({_size(first)}; {_size(found)}); make a study for each size"
            )
            return None
        if size * n_sets > MAX_NUMBERS:
            faults.append(
                f"data: {size * n_sets:,} numbers given in {n_sets:,} sets; at most {MAX_NUMBERS:,} are allowed"
            )
            return None
    if not options:
        return DataSets(tuple(sets), (), _rows(sets[0]))
    digest = _digest(sets)
    if raw.get("sha256", digest) != digest:
        faults.append(
            f"data.sha256: {shown(raw['sha256'])} given; the patterns made here have {digest}, so they are others"
        )
    source = _source(table, options) | ({"test": _rows(sets[0].test)} if "test" in table and sets[0].test else {})
    return DataSets(tuple(sets), options, source | {"sha256": digest})


def _data(table: dict[str, Any], faults: list[str]) -> Data | None:
    """Return one set of patterns, or None and add its faults."""
    prepared = {key: value for key, value in table.items() if key in ("train", *DEFAULTS)}
    try:
        data = Data.model_validate({key: value for key, value in table.items() if key not in prepared})
    except ValidationError as error:
        faults += sentences(error, "data", DATA_KEYS)
        return None
    try:
        (inputs, targets), rest = prepare((data.inputs, data.targets), prepared)
        if rest and data.test:
            raise ValueError("test given beside train or train_count, which set patterns apart for it; give one")
    except ValueError as error:
        faults.append(f"data: {error}")
        return None
    test = Patterns(inputs=rest[0], targets=rest[1]) if rest else data.test
    if not prepared and _decision_threshold(table, data, targets) == data.decision_threshold:
        return data
    return Data(inputs=inputs, targets=targets, test=test, decision_threshold=_decision_threshold(table, data, targets))


def _decision_threshold(table: dict[str, Any], data: Data, trained: Matrix) -> float | None:
    """Return what separates high outputs from low ones; None where it is the middle of the range of trained targets.

    It is the middle of all targets, whatever was set apart or spoiled. A task whose targets are all high, or all low,
    tells both levels.
    """
    middle, arguments = data.decision_threshold, arguments_of(table["task"]) | table if "task" in table else {}
    if middle is None and "target_low" in arguments and len(set(data.targets)) == 1:
        middle = (float(arguments["target_low"]) + float(arguments["target_high"])) / 2
    middle = _middle_of_range(data.targets) if middle is None else middle
    return middle if isfinite(middle) and middle != _middle_of_range(trained) else None


def _middle_of_range(targets: Matrix) -> float:
    return (min(map(min, targets)) + max(map(max, targets))) / 2


def _shapes(data: Data) -> list[tuple[int, int, int]]:
    """Return the shapes of the patterns to train on, and to test with."""
    return [data.shape, *([data.test.shape] if data.test else [])]


def _size(data: Data) -> str:
    n_patterns, n_inputs, n_targets = data.shape
    tested = f", {data.test.shape[0]} to test with" if data.test else ""
    said = count_text(n_patterns, "pattern"), count_text(n_inputs, "input"), count_text(n_targets, "target")
    return "{} of {} and {}".format(*said) + tested


def _names(options: Sequence[str]) -> str:
    return " and ".join(options)


def _rows(data: Patterns) -> dict[str, Any]:
    """Return patterns as a table of the canonical form."""
    table: dict[str, Any] = {name: [list(row) for row in getattr(data, name)] for name in ("inputs", "targets")}
    if isinstance(data, Data):
        table |= {"decision_threshold": data.decision_threshold} if data.decision_threshold is not None else {}
        table |= {"test": _rows(data.test)} if data.test else {}
    return table


def _source(table: dict[str, Any], swept: Sequence[str]) -> dict[str, Any]:
    """Return what patterns to train on are made from, with all defaults, and without the options that are swept."""
    keys = ("decision_threshold", "train", *DEFAULTS)
    kept = {key: table[key] for key in keys if table.get(key) is not None and table[key] != DEFAULTS.get(key)}
    kept = {key: value if key == "train" else DATA_OPTIONS[key].kind(value) for key, value in kept.items()}
    if "task" in table:
        arguments = arguments_of(table["task"]) | {key: table[key] for key in ARGUMENTS if key in table}
        source = {key: ARGUMENTS[key].kind(value) for key, value in arguments.items() if key not in swept}
        return {"task": table["task"], **source, **kept}
    base = {
        key: table[key] for key in ("file", "inputs", "targets", "target", "target_low", "target_high") if key in table
    }
    return _rows(Patterns.model_validate(base)) | kept


def _digest(sets: Sequence[Data]) -> str:
    """Return the SHA-256 of sets: middle, shapes and numbers as little-endian integers and floats of 8 bytes."""
    digest = hashlib.sha256()
    for data in sets:
        digest.update(repr(data.decision_threshold).encode())
        for patterns in (data, *([data.test] if data.test else [])):
            rows = (*patterns.inputs, *patterns.targets)
            for numbers in (array("q", patterns.shape), array("d", (value for row in rows for value in row))):
                if byteorder == "big":
                    numbers.byteswap()
                digest.update(numbers.tobytes())
    return digest.hexdigest()
