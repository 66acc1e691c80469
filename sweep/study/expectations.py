"""Published figures that the runs of a study are compared with: ``NAME.expect.toml`` beside ``NAME.toml``.

They are no part of a study, so they change neither its identity nor its rows.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

from pydantic import Field, ValidationError, model_validator

from sweep.errors import StudyError, cut, shown, unknown
from sweep.study.load import built_in_tables
from sweep.study.options.option_tables import known_tables
from sweep.study.options.validation import sentences
from sweep.study.reading.faults import Faults
from sweep.study.reading.section import FiniteFloat, Section
from sweep.system.formatting import count_text, list_text, short
from sweep.system.plain_values import plain
from sweep.system.user_files import read_text

# What a built-in study is about, in the order of ``sweep studies``.
Question = Literal[
    "Does it learn at all?",
    "How fast does it learn?",
    "Width and depth",
    "Generalization",
    "Initial weights",
    "Geometry",
    "Functions",
]
QUESTIONS: tuple[str, ...] = get_args(Question)
# Statistics of a measure over runs, in addition to those of cells.
OF_MEASURES = ("mean", "median", "min", "max")
# A column of runs with this ending is infinite for runs that did not converge, as in ``steps_to_converge``.
TO_CONVERGE = "_to_converge"

_FromZero = Annotated[int, Field(ge=0)]
_FromOne = Annotated[int, Field(ge=1)]
_Spread = Annotated[FiniteFloat, Field(gt=0)]


class Figure(Section):
    """A published figure, and how the same quantity is found from the runs of a study."""

    # With the digits that were printed, which text keeps too; None if it is a share as counts
    printed: Annotated[Decimal, Field(strict=False, allow_inf_nan=True)] | None = Field(None, alias="published")
    measure: str = ""  # a column of runs; of one run if there is no statistic
    statistic: str = ""  # one of cells, or one of OF_MEASURES
    share: str = ""  # the share of runs that meet this condition, as ``n_correct == 4``
    among: str = ""  # only runs that meet this condition
    where: dict[str, Any] = Field(default={})  # only cells with these values of parameters
    seed: _FromZero | None = Field(None, alias="seeds")  # of a single run
    step: _FromZero | None = Field(None, alias="steps")  # of a learning curve
    first_seeds: _FromOne | None = None  # only so many seeds of the study
    name: str = ""
    kind: Literal["exact", "statistical"] | None = None  # by default statistical if it has an error
    tolerance: Annotated[FiniteFloat, Field(ge=0)] | None = None  # of exact figures, in units of the last printed digit
    # The error of a statistical figure
    error: _Spread | None = None
    sd: _Spread | None = None
    trials: _FromOne | None = None
    successes: _FromZero | None = None
    between: Annotated[tuple[FiniteFloat, FiniteFloat], Field(strict=False)] | None = None  # TOML has lists
    known_difference: str = ""
    source: str = ""  # if it is not that of the others
    # Not of the file
    place: int = 0  # of the seed of a single run among those of the study, if none is named
    entry: int = 1  # the number of its table [[figures]]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for fault in self._faults():
            raise ValueError(fault)
        return self

    def _faults(self) -> Iterator[str]:
        """Yield what does not fit together; only the first counts."""
        if (self.printed is None) == (self.successes is None):
            yield "must have either published or successes (with trials)"
        if bool(self.share) == bool(self.measure or self.statistic):
            yield "must have measure, share or statistic, or a measure and one of its statistics"
        if self.statistic and (self.statistic in OF_MEASURES) != bool(self.measure):
            yield f"statistic: must be one of {', '.join(OF_MEASURES)} with a measure, and another name without"
        if self.successes is not None and self.successes > (self.trials or 0):
            yield f"trials: must be at least successes, {self.successes}, got {self.trials}"
        if self.sd is not None and self.trials is None:
            yield "trials: must be the number of published runs with sd, got none"
        if not self.is_of_run and (self.seed, self.step) != (None, None):
            yield "seeds, steps: must be left out of figures of several runs; first_seeds selects the first seeds"
        if self.published.is_nan() or (self.statistic and not self.published.is_finite()):
            yield f"published: must be a number (finite for a statistic), got {self.published}"
        if self.share and not 0 <= self.published <= 1:
            yield f"published: must be a share from 0 to 1, got {self.published}; divide percentages by 100"
        if self.kind == "exact" and self._has_error:
            yield "kind: must be statistical if the figure has an error, got exact"
        if self.is_of_run and not self.is_exact:
            yield "kind: must be exact for a single run, got statistical"
        if self.tolerance is not None and not self.is_exact:
            yield "tolerance: must be left out if the figure has an error; exact figures have a tolerance"
        if self.between and not self.between[0] <= self.published <= self.between[1]:
            yield f"between: must be the lower and the upper end around {self.published}, got {list(self.between)}"

    @property
    def is_of_run(self) -> bool:
        """Whether it is of a single run."""
        return not self.statistic and not self.share

    def at(self, base: int) -> Figure:
        """Return the figure with its seed in a study whose first seed is ``base``."""
        return self.model_copy(update={"seed": base + self.place}) if self.is_of_run and self.seed is None else self

    @property
    def is_exact(self) -> bool:
        """Whether its printed digits are compared, and not its error."""
        return self.kind != "statistical" and not self._has_error

    @property
    def _has_error(self) -> bool:
        return any(each is not None for each in (self.trials, self.error, self.sd, self.between))

    @property
    def published(self) -> Decimal:
        """The figure with the digits that were printed."""
        return Decimal(self.successes or 0) / Decimal(self.trials or 1) if self.printed is None else self.printed

    @property
    def unit(self) -> Decimal:
        """One unit of the last printed digit."""
        exponent = self.published.as_tuple().exponent
        return Decimal((0, (1,), exponent)) if isinstance(exponent, int) else Decimal(0)

    @property
    def most_off(self) -> Decimal:
        """The largest difference at which an exact figure agrees."""
        # Figures with decimals were rounded; whole numbers are counts, or printed without loss.
        rounding = 0.5 if self.unit < 1 else 0
        return Decimal(str(rounding if self.tolerance is None else self.tolerance)) * self.unit

    @property
    def published_text(self) -> str:
        """The figure as it was printed, and its error."""
        if self.successes is not None:
            return f"{self.successes:,} of {self.trials:,}"
        text = str(self.published) if self.published.is_finite() else "never"
        if self.error is not None:
            return f"{text} \N{PLUS-MINUS SIGN} {self.error:g}"
        if self.between:
            return f"{text} ({self.between[0]:g} to {self.between[1]:g})"
        facts = [f"sd {self.sd:g}"] if self.sd is not None else []
        facts += [count_text(self.trials, "trial")] if self.trials is not None else []
        return f"{text} ({', '.join(facts)})" if facts else text

    @property
    def label(self) -> str:
        """What the figure is."""
        what = self.name or self._what()
        at = [f"{name.replace('_', ' ')} {_value_text(value)}" for name, value in self.where.items()]
        at += [f"step {self.step:,}"] if self.step is not None else []
        at += [f"seed {self.seed}"] if self.seed is not None else []
        at += [f"first {self.first_seeds:,} seeds"] if self.first_seeds is not None and self.seed is None else []
        return ", ".join([what, *at])

    def _what(self) -> str:
        what = f"{self.statistic} {self.measure}".strip() or f"share of {self.share}"
        return what.replace("_", " ") + (f" among {self.among}" if self.among else "")


class Picture(Section, extra="allow"):
    """The kind and the options of a study's figure on the page of published figures."""

    kind: str


class Expectations(Section):
    """The published figures of a study."""

    figures: tuple[Figure, ...] = ()
    source: str = ""  # where they were published
    inferred: str = ""  # what of the protocol is not in the source
    question: Question | None = None
    picture: Picture | None = None  # by default the first figure of a report

    def seeds_needed(self, base: int, count: int) -> int:
        """Return how many of ``count`` seeds from ``base`` the exact figures need."""
        exact = [each for each in self.figures if each.is_exact]
        of_runs = [base + each.place if each.seed is None else each.seed for each in exact if each.is_of_run]
        needed = [each.first_seeds or count for each in exact if not each.is_of_run]
        needed += [seed - base + 1 for seed in of_runs]
        return min(max(needed, default=0), count)


def built_in_expectations() -> dict[str, Expectations]:
    """Return the expectations of the built-in studies that have them, by name of the study."""
    tables = built_in_tables("expect.toml", Decimal)
    return {name: _expectations(raw, f"expectations of {name}") for name, raw in tables.items()}


def load_expectations(source: str | os.PathLike[str] | Mapping[str, Any]) -> Expectations:
    """Return the expectations in a file or a dict, or those of a built-in study.

    A file of a study stands for the file of expectations beside it.
    """
    if isinstance(source, Mapping):
        return _expectations(plain(source), "expectations")
    if not isinstance(source, (str, os.PathLike)):
        raise StudyError(f"expectations: must be a path, the name of a built-in study or a dict, got {shown(source)}")
    if (known := built_in_expectations().get(str(source))) is not None:
        return known
    path = Path(source)
    if not path.name.endswith(".expect.toml"):
        path = path.with_name(path.name.removesuffix(".toml") + ".expect.toml")
    try:
        text = read_text(path)
    except ValueError as error:
        raise StudyError(f"expectations {shown(str(path), 200)} cannot be read: {error}") from None
    return parse(text, str(path))


def parse(text: str, named: str) -> Expectations:
    """Return the expectations in a text; numbers keep the digits that they are written with."""
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"expectations {shown(named, 200)} are not valid TOML: {cut(str(error), 120)}") from None
    return _expectations(raw, f"expectations {shown(named, 200)}")


_M = TypeVar("_M", Figure, Expectations)


def _expectations(raw: Mapping[str, Any], named: str) -> Expectations:
    faults = Faults()
    tables = raw.get("figures", [])
    if not isinstance(tables, list) or not all(isinstance(each, Mapping) for each in tables):
        faults.add(f"{named}: figures: must be a list of tables, got {shown(tables)}")
        tables = []
    figures: list[Figure] = []
    for number, table in enumerate(tables, 1):
        with faults.of(f"{named}: figure {number}"):
            for place, single in _singles(table):
                figure = _read(Figure, single, f"{named}: figure {number}")
                figures.append(figure.model_copy(update={"place": place, "entry": number}))
    with faults.of(named):
        found = _read(Expectations, {**raw, "figures": tuple(figures)}, named)
    faults.check()
    return found


def _read(model: type[_M], raw: Mapping[str, Any], named: str) -> _M:
    """Return the record of a table."""
    keys = [field.alias or name for name, field in model.model_fields.items() if name not in ("place", "entry")]
    faults = [unknown("key", key, keys) for key in raw if key not in keys]
    try:
        found = model.model_validate(
            {key: raw[key] if key == "published" else _plain(raw[key]) for key in raw.keys() & keys}
        )
    except ValidationError as error:
        faults += [sentence.lstrip(".: ") for sentence in sentences(error, "", keys, known_tables())]
    if faults:
        raise StudyError(*(f"{named}: {fault}" for fault in faults))
    return found


def _singles(table: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the table of each published value of a table, and the place of its seed if no seed is named."""
    key = "published" if "published" in table else "successes"
    values, where = table.get(key), table.get("where", {})
    if not isinstance(where, Mapping):
        raise ValueError(f"where: must be a table such as {{ hidden = 8 }}, got {shown(where)}")
    if not isinstance(values, list):
        yield 0, dict(table)
        return
    own, at = _lists(table, len(values)), _lists(where, len(values))
    are_placed = bool(at or {"measure", "seeds", "steps"} & own.keys())
    if not are_placed and {"statistic", "share"} & table.keys():
        raise ValueError(
            f"{key}: {len(values)} values need as many values of a parameter in where, of seeds or of steps"
        )
    for k in range(len(values)):
        own_where = {**where, **{name: each[k] for name, each in at.items()}}
        yield 0 if are_placed else k, {**table, **{name: each[k] for name, each in own.items()}, "where": own_where}


def _lists(table: Mapping[str, Any], length: int) -> dict[str, list[Any]]:
    """Return the lists with a value for each figure."""
    return {name: each for name, each in table.items() if isinstance(each, list) and len(each) == length}


def _plain(value: Any) -> Any:
    """Return a value of TOML with its decimals as floats."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value


def _value_text(value: Any) -> str:
    return list_text([short(each) for each in value]) if isinstance(value, list) else short(value)
