"""The study: everything that decides the numbers of a result, and nothing else."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from inspect import signature
from typing import Any, Self, TypeVar

from pydantic import ValidationError

from kernels.floating_point import default_floating_point
from sweep.errors import StudyError, shown
from sweep.study.axes.grid import values_of_axes
from sweep.study.axes.study_axes import read_axes, swept_data, swept_keys
from sweep.study.axes.swept_values import Reading, named_options, set_twice_or_missing
from sweep.study.conflicts import combination_faults
from sweep.study.content import StudyContent
from sweep.study.data.data_sets import read_data
from sweep.study.data.data_table import DATA_KEYS
from sweep.study.data.frames import FrameTable, has_classes, patterns_of, table_of_arrays
from sweep.study.data.packed import packed_text, set_aside, sha256
from sweep.study.data.pattern_files import MAX_PATTERNS, Classes
from sweep.study.explanations.glossary import entries, glossary
from sweep.study.options.custom_components import components_table, custom_components
from sweep.study.options.explicit_weights import with_columns
from sweep.study.options.key_hints import unknown_key
from sweep.study.options.option_tables import OptionTables, known_tables, loss_and_reduction, option_tables
from sweep.study.options.option_values import MAX_STEPS, names_arrays
from sweep.study.options.other_sections import Record, Restarts, Seeds
from sweep.study.options.validation import sentences
from sweep.study.reading.faults import Faults
from sweep.study.reading.section import Section
from sweep.system.formatting import count_text
from sweep.system.plain_values import plain

# File systems allow names of 255 bytes.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
# What stands for bytes of the command line that are not UTF-8. It cannot be encoded.
_SURROGATE = re.compile("[\ud800-\udfff]")

S = TypeVar("S", bound=Section)


class Study(StudyContent):
    """A sweep to run: patterns, networks, training, swept parameters and seeds.

    Lists may be tuples, ranges, NumPy arrays or pandas Series; scalars may be those of NumPy.

    Parameters
    ----------
    name
        Name of the study and of its default results folder: at most 255 letters, digits, ``.``, ``_``, ``-``.
    description
        Free text.
    data, network, initial_weights, training, convergence, restarts, seeds, record
        Tables as in the study file; omitted keys have their defaults. In ``data``, ``targets`` may be a flat list
        where there is one output.
    parameters
        Swept parameters: ``{"hidden": [2, 4, 8]}``, or any other form that
        :func:`sweep.study.reading.value_forms.expand` reads, such as ``{"hidden": {"range": [2, 8]}}``. Their order
        decides the numbering of configurations (cells): the last parameter varies fastest.
    zip, samples, exclude
        Lists of tables as in the study file. Each table of ``zip`` and ``samples`` is an axis of several options that
        vary together: lists of equal length, or ``count`` points drawn by ``method`` (``"sobol"``, ``"random"``) from
        ranges of options. Each table of ``exclude`` is a condition on swept options; cells that meet it are excluded.
    method
        ``"grid"``: each combination of one point of every axis is a cell.
    components
        Declarations of custom components, without their code, as in the canonical form of a study. Not needed for
        components that :func:`sweep.activation`, :func:`sweep.loss`, :func:`sweep.optimizer` or
        :func:`sweep.learning_rate_schedule` has declared.
    **unknown
        Any other key is refused, with the section or the key that it may mean.

    Raises
    ------
    StudyError
        If the study is not valid, with a sentence for each fault.

    Examples
    --------
    >>> study = Study(
    ...     name="small",
    ...     data={"task": "xor"},
    ...     parameters={"hidden": [2, 4], "learning_rate": {"geomspace": [0.01, 1.0, 3]}},
    ...     seeds={"count": 100},
    ... )
    >>> study.parameters
    {'hidden': (2, 4), 'learning_rate': (0.01, 0.1, 1.0)}
    """

    @default_floating_point
    def __init__(
        self,
        *,
        name: str = "study",
        description: str = "",
        data: Mapping[str, Any],
        network: Mapping[str, Any] | None = None,
        initial_weights: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
        convergence: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        zip: Sequence[Mapping[str, Any]] | None = None,
        samples: Sequence[Mapping[str, Any]] | None = None,
        exclude: Sequence[Mapping[str, Any]] | None = None,
        seeds: Mapping[str, Any] | None = None,
        record: Mapping[str, Any] | None = None,
        restarts: Mapping[str, Any] | None = None,
        method: str = "grid",
        components: Mapping[str, Any] | None = None,
        **unknown: Any,
    ) -> None:
        raw = {
            "name": name,
            "description": description,
            "data": data,
            "network": network,
            "initial_weights": with_columns(initial_weights),
            "training": training,
            "convergence": convergence,
            "parameters": {} if parameters is None else parameters,
            "zip": zip,
            "samples": samples,
            "exclude": exclude,
            "seeds": seeds,
            "record": record,
            "restarts": restarts,
            "method": method,
            "components": components,
        }
        if unknown:
            raise StudyError(*(unknown_key("key", key, raw, known_tables().section_of) for key in unknown))
        named = self._resolve(plain(raw))
        self._check(named)
        self._leave_out_default_reduction()

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        target: str | None = None,
        *,
        targets: Sequence[str] | None = None,
        inputs: Sequence[str] | None = None,
        one_hot: Sequence[str] = (),
        validation: Any = None,
        test: Any = None,
        target_low: float = 0.0,
        target_high: float = 1.0,
        target_one_hot: bool = False,
        **options: Any,
    ) -> Self:
        """Return a study of the patterns in a data frame of pandas, polars or Arrow.

        Parameters
        ----------
        frame
            A row for each pattern. Split off held-out patterns with options: ``test_count=30``, ``folds=5``.
        target
            Column of classes: texts, integers, bools or categories. Each class, in ascending order, has a target, but
            two classes share one, which is high for the second.
        targets
            Columns of numbers, in place of ``target``.
        inputs
            Columns of inputs, of numbers and bools; by default all others.
        one_hot
            Columns of inputs that hold categories, of which each becomes an input.
        validation, test
            Frames of held-out patterns with the same columns.
        target_low, target_high
            Targets for the other classes and for the class of a pattern.
        target_one_hot
            Whether two classes have a target each, as softmax needs them.
        **options
            Options by their names, as ``hidden=[4, 8]``, which sweeps, or ``learning_rate=0.1``; or tables, as of
            :class:`Study`.

        Raises
        ------
        StudyError
            If the study is not valid. A value that is missing or no number is named by column and row.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1], "differ": [False, True, True, False]})
        >>> study = Study.from_frame(frame, target="differ", hidden=[2, 4], learning_rate=0.1, count=100)
        >>> study.n_runs, study.data.targets
        (200, ((0.0,), (1.0,), (1.0,), (0.0,)))
        """
        if (target is None) == (targets is None):
            raise StudyError("from_frame: must have one of target (classes) and targets (numbers); set one")
        frames = {"data": frame, "data.validation": validation, "data.test": test}
        tables = {key: FrameTable(each, key) for key, each in frames.items() if each is not None}
        classes = Classes(target_low, target_high, target_one_hot)
        patterns = patterns_of(tables, inputs, targets, target, classes, one_hot)
        return cls(**_tables_of_options(options, patterns))

    @classmethod
    def from_arrays(
        cls,
        inputs: Any,
        targets: Any,
        *,
        validation: tuple[Any, Any] | None = None,
        test: tuple[Any, Any] | None = None,
        target_low: float = 0.0,
        target_high: float = 1.0,
        target_one_hot: bool = False,
        **options: Any,
    ) -> Self:
        """Return a study of the patterns in arrays.

        Parameters
        ----------
        inputs
            A row of numbers for each pattern.
        targets
            A class for each pattern (texts, integers, bools), or numbers (floats, or several columns).
        validation, test
            Inputs and targets of held-out patterns.
        target_low, target_high, target_one_hot, **options
            As of :meth:`from_frame`.

        Raises
        ------
        StudyError
            If the study is not valid.

        Examples
        --------
        >>> study = Study.from_arrays([[0], [1], [2]], ["a", "b", "c"], hidden=2, learning_rate=0.1)
        >>> study.data.targets
        ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
        """
        arrays = {"data": (inputs, targets), "data.validation": validation, "data.test": test}
        tables = {key: table_of_arrays(*pair, key) for key, pair in arrays.items() if pair is not None}
        names = [name for name in tables["data"].names if name.startswith("y")]
        classes = Classes(target_low, target_high, target_one_hot)
        target = "y0" if has_classes(targets) else None
        patterns = patterns_of(tables, None, None if target else names, target, classes)
        return cls(**_tables_of_options(options, patterns))

    def _resolve(self, raw: dict[str, Any]) -> set[str]:
        """Set the attributes from the tables of a study file, and return the options that these name."""
        faults = Faults()
        faults.add(*_text_faults(raw["name"], raw["description"], raw["method"]))
        self.name = raw["name"]
        self.description = raw["description"]
        self.tables = tables = option_tables(custom_components(raw, faults))
        raw["parameters"] = _with_each_fold(raw, tables)
        sources = swept_keys(raw, tables)
        named = named_options(raw, sources, tables)
        sets = None
        with faults.of("data"):
            of_data = partial(sentences, path="data", known_keys=DATA_KEYS, tables=tables)
            sets = read_data(raw["data"], swept_data(raw, tables), of_data)
        n_patterns = sets.n_patterns if sets else MAX_PATTERNS
        raw["training"] = _within_epochs(raw["training"], named)
        read: dict[str, Any] = {}
        models: dict[str, type[Section]] = {**tables.sections, "seeds": Seeds, "record": Record, "restarts": Restarts}
        for section, model in models.items():
            with faults.of(section):
                read[section] = _read_table(section, model, raw[section], tables, n_patterns)
        with faults.of("parameters"):
            self.axes, self.sources = read_axes(raw, Reading(tables, n_patterns))
            self.parameters = values_of_axes(self.axes)
        faults.add(*set_twice_or_missing(raw, sources, tables))
        faults.check()
        assert sets  # swept options of [data] without faults
        self.data = sets
        self.seeds, self.record, self.restarts = read["seeds"], read["record"], read["restarts"]
        self.in_tables = {name: value for section in tables.sections for name, value in read[section]}
        if "monitor" not in named:
            self.in_tables["monitor"] = self.default_monitor
        return named

    def _check(self, named: set[str]) -> None:
        """Raise an error if the options conflict, each of which is valid by itself."""
        if self.n_runs >= 2**63:
            raise StudyError(f"parameters and seeds: must be fewer than 2^63 runs, got {self.n_runs:,}")
        faults = combination_faults(self, named)
        if faults:
            raise StudyError(*faults)

    def _leave_out_default_reduction(self) -> None:
        """Drop an explicit reduction that all losses have by default, so that it does not change the identity."""
        reduction = self.in_tables["reduction"]
        if reduction and all(loss_and_reduction(loss)[1] == reduction for loss in self.values_of("loss")):
            self.in_tables["reduction"] = None

    @default_floating_point
    def canonical(self) -> dict[str, Any]:
        """Return the canonical form: the tables of the study file, in which everything is explicit."""
        tables: dict[str, Any] = {"name": self.name, "description": self.description, "method": "grid"}
        tables["data"] = dict(self.data.table)
        always = {name for name, option in self.tables.options.items() if option.is_always_written}
        if self.data.n_validations and self.uses("monitor"):
            always.add("monitor")  # a reader need not know which patterns the study has
        for section, model in self.tables.sections.items():
            defaults = dict(model.model_validate({}, context={"n_patterns": self.data.n_patterns}))
            if "monitor" in defaults:
                defaults["monitor"] = self.default_monitor
            tables[section] = {
                name: self.in_tables[name]
                for name, default in defaults.items()
                if name not in self.parameters and (name in always or self.in_tables[name] != default)
            }
        if self.values_of("values")[0]:
            tables["initial_weights"]["values"] = self.values_of("values")[0].table()
        alone, together = ([axis for axis in self.axes if (len(axis) > 1) == several] for several in (False, True))
        tables["parameters"] = {key: {"values": list(values)} for axis in alone for key, values in axis.items()}
        if together:
            tables["zip"] = [{key: list(values) for key, values in axis.items()} for axis in together]
        tables["seeds"] = self.seeds.model_dump(exclude_none=True)
        for name, table in (("restarts", self.restarts), ("record", self.record)):
            usual = dict(type(table).model_validate({}))
            values = table.model_dump(exclude_none=True)
            values = {key: value for key, value in values.items() if value != usual[key]}
            if values:
                tables[name] = plain(values)
        if self.tables.custom:
            tables["components"] = components_table(self.tables.custom.values())
        return tables

    @cached_property
    @default_floating_point
    def identity(self) -> str:
        """SHA-256 of the canonical form without name and description.

        It depends on the order of the parameters, but not on that of other keys.
        """
        tables = self.canonical()
        del tables["name"], tables["description"]
        for component in tables.get("components", {}).values():
            for cost in ("operations", "elementary"):  # they follow from the source
                component.pop(cost, None)
        tables["data"], large = set_aside(tables["data"])
        if large:
            tables["data"]["large"] = {key: [len(rows[0]), sha256(rows)] for key, rows in large.items()}
        tables["parameters"] = list(tables["parameters"].items())
        if "zip" in tables:
            tables["zip"] = [list(axis.items()) for axis in tables["zip"]]
        text = json.dumps(tables, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @default_floating_point
    def to_toml(self) -> str:
        """Return the canonical form as the text of a study file; large matrices of patterns are packed at its end."""
        import tomli_w

        tables = self.canonical()
        tables["data"], large = set_aside(tables["data"])
        return tomli_w.dumps(tables) + "".join(packed_text(f"data.{key}", rows) for key, rows in large.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Study) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    def __repr__(self) -> str:
        size = f"{count_text(self.n_cells, 'cell')} x {count_text(self.seeds.count, 'seed')}"
        return f"<Study {self.name!r}: {size}, {self.identity[:12]}>"

    def _repr_html_(self) -> str:
        from sweep.study.description import study_html

        return study_html(self)


if Study.__doc__:  # Python drops docstrings with -OO
    Study.__doc__ += f"""
    Notes
    -----
    The keys of the tables, as ``sweep explain`` prints them; ``parameters`` may hold those that can be swept::

{glossary(entries(), 112, " " * 8)}
    """


def _tables_of_options(options: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    known = known_tables()
    arguments = [name for name, each in signature(Study).parameters.items() if each.kind is each.KEYWORD_ONLY]
    tables: dict[str, Any] = {key: value for key, value in options.items() if key in arguments}
    faults = []
    for name, value in options.items():
        if name in tables:
            continue
        if name not in known.section_of:
            faults.append(unknown_key("option", name, [*arguments, *known.section_of], known.section_of))
            continue
        is_swept = name in known.sweepable and isinstance(plain(value), list | Mapping) and not names_arrays(value)
        section = "parameters" if is_swept else known.section_of[name]
        tables[section] = {**tables.get(section, {}), name: value}
    if faults:
        raise StudyError(*faults)
    return {**tables, "data": {**tables.get("data", {}), **data}}


def _text_faults(name: Any, description: Any, method: Any) -> list[str]:
    faults = []
    if not isinstance(name, str) or not NAME.fullmatch(name):
        faults.append(
            "name: must be text of at most 255 letters, digits, '.', '_' and '-', since it names a folder, got "
            f"{shown(name)}"
        )
    if not isinstance(description, str) or _SURROGATE.search(description):
        faults.append(f"description: must be text, got {shown(description)}")
    if method != "grid":
        faults.append(f"method: must be 'grid', got {shown(method)}")
    return faults


def _with_each_fold(raw: Mapping[str, Any], tables: OptionTables) -> Any:
    """Return the table [parameters], with all folds where the study names none."""
    data, parameters = raw["data"], raw["parameters"]
    if not isinstance(data, Mapping) or not isinstance(parameters, Mapping):
        return parameters
    folds = data.get("folds")
    if not isinstance(folds, int) or not 2 <= folds <= MAX_PATTERNS or "fold" in {*data, *swept_keys(raw, tables)}:
        return parameters
    return {**parameters, "fold": {"range": [0, folds - 1]}}


def _within_epochs(training: Any, options: set[str]) -> Any:
    """Return the table [training], with the largest limit of steps where only epochs are limited."""
    if "max_epochs" in options and "max_steps" not in options and isinstance(training, Mapping | None):
        return {**(training or {}), "max_steps": MAX_STEPS}
    return training


def _read_table(name: str, model: type[S], raw: Any, tables: OptionTables, n_patterns: int) -> S:
    """Return a validated table; None is an empty one."""
    try:
        return model.model_validate({} if raw is None else raw, context={"n_patterns": n_patterns})
    except ValidationError as error:
        raise StudyError(*sentences(error, name, list(model.model_fields), tables)) from None
