"""Published figures that the runs of a study are compared with: ``NAME.expect.toml`` beside ``NAME.toml``.

They are no part of a study, so they change neither its identity nor its rows.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from math import inf, isfinite
from pathlib import Path
from typing import Any

from sweep.errors import StudyError, cut, shown, unknown
from sweep.study.load import built_in_tables
from sweep.system.formatting import count_text, list_text, short
from sweep.system.plain_values import is_integer, plain
from sweep.system.user_files import read_text

# What a built-in study is about, in the order of ``sweep studies``.
QUESTIONS = (
    "Does it learn at all?",
    "How fast does it learn?",
    "Width and depth",
    "Generalization",
    "Initial weights",
    "Geometry",
    "Functions",
)
# Statistics of a measure over runs, in addition to those of cells.
OF_MEASURES = ("mean", "median", "min", "max")
# A column of runs with this ending is infinite for runs that did not converge, as in ``steps_to_converge``.
TO_CONVERGE = "_to_converge"

_TOP = ("source", "inferred", "question", "picture", "figures")
_TEXTS = ("name", "measure", "statistic", "share", "among", "kind", "source", "known_difference")
# Keys of which each of several published values may have its own.
_EACH = ("measure", "error", "sd", "trials", "tolerance", "known_difference", "between", "seeds", "steps")
_ERRORS = ("error", "sd", "between")
_KEYS = tuple(dict.fromkeys((*_TEXTS, *_EACH, "published", "successes", "where", "first_seeds")))
# Exact figures with decimals were rounded; whole numbers are counts, or printed without loss.
_HALF = Decimal("0.5")


@dataclass(frozen=True)
class Figure:
    """A published figure, and how the same quantity is found from the runs of a study."""

    published: Decimal  # with the digits that were printed
    measure: str = ""  # a column of runs; of one run if there is no statistic
    statistic: str = ""  # one of cells, or one of OF_MEASURES
    share: str = ""  # the share of runs that meet this condition, as ``n_correct == 4``
    among: str = ""  # only runs that meet this condition
    where: Mapping[str, Any] = field(default_factory=dict)  # only cells with these values of parameters
    seed: int | None = None  # of a single run
    place: int = 0  # of the seed of a single run among those of the study, if none is named
    step: int | None = None  # of a learning curve
    first_seeds: int | None = None  # only so many seeds of the study
    name: str = ""
    is_exact: bool = True
    tolerance: Decimal = _HALF  # of exact figures, in units of the last printed digit
    # The error of a statistical figure
    error: float | None = None
    sd: float | None = None
    trials: int | None = None
    successes: int | None = None
    between: tuple[float, float] | None = None
    known_difference: str = ""
    source: str = ""  # if it is not that of the others
    entry: int = 1  # the number of its table [[figures]]

    @property
    def is_of_run(self) -> bool:
        """Whether it is of a single run."""
        return not self.statistic and not self.share

    def at(self, base: int) -> Figure:
        """Return the figure with its seed in a study whose first seed is ``base``."""
        return replace(self, seed=base + self.place) if self.is_of_run and self.seed is None else self

    @property
    def unit(self) -> Decimal:
        """One unit of the last printed digit."""
        return _unit(self.published)

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


@dataclass(frozen=True)
class Expectations:
    """The published figures of a study."""

    figures: tuple[Figure, ...]
    source: str = ""  # where they were published
    inferred: str = ""  # what of the protocol is not in the source
    question: str = ""  # one of QUESTIONS
    # The kind and the options of the picture on the page of published figures; by default the first one of a report
    picture: Mapping[str, Any] = field(default_factory=dict)

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
        return parse(read_text(path), str(path))
    except ValueError as error:
        if isinstance(error, StudyError):
            raise
        raise StudyError(f"expectations {shown(str(path), 200)} cannot be read: {error}") from None


def parse(text: str, named: str) -> Expectations:
    """Return the expectations in a text; numbers keep the digits that they are written with."""
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"expectations {shown(named, 200)} are not valid TOML: {cut(str(error), 120)}") from None
    return _expectations(raw, f"expectations {shown(named, 200)}")


def _expectations(raw: Mapping[str, Any], named: str) -> Expectations:
    faults = [f"{named}: {unknown('key', key, _TOP)}" for key in raw if key not in _TOP]
    texts = {key: raw.get(key, "") for key in _TOP[:3]}
    picture = raw.get("picture", {})
    if not isinstance(picture, Mapping) or (picture and not _is_text(picture.get("kind"))):
        faults.append(
            f"{named}: picture: must be a table such as {{ kind = 'lines', x = 'hidden' }}, got {shown(picture)}"
        )
        picture = {}
    faults += [f"{named}: {key}: must be text, got {shown(text)}" for key, text in texts.items() if not _is_text(text)]
    if texts["question"] not in ("", *QUESTIONS):
        faults.append(f"{named}: question: must be one of {', '.join(QUESTIONS)}, got {shown(texts['question'])}")
    tables = raw.get("figures", [])
    if not isinstance(tables, Sequence) or not all(isinstance(each, Mapping) for each in tables):
        faults.append(f"{named}: figures: must be a list of tables, got {shown(tables)}")
        tables = []
    figures: list[Figure] = []
    for number, table in enumerate(tables, 1):
        try:
            figures += (replace(each, entry=number) for each in _figures(table))
        except ValueError as error:
            faults.append(f"{named}: figure {number}: {error}")
    if faults:
        raise StudyError(*faults)
    return Expectations(tuple(figures), picture=_plain(picture), **texts)


def _figures(table: Mapping[str, Any]) -> Iterator[Figure]:
    """Yield the figures of a table, one for each published value."""
    for key in table:
        if key not in _KEYS:
            raise ValueError(unknown("key", key, _KEYS))
    where = table.get("where", {})
    if not isinstance(where, Mapping):
        raise ValueError(f"where: must be a table such as {{ hidden = 8 }}, got {shown(where)}")
    if ("published" in table) == ("successes" in table):
        raise ValueError("must have either published or successes (with trials)")
    key = "published" if "published" in table else "successes"
    values = table[key]
    if not isinstance(values, list):
        yield _figure(dict(table))
        return
    of_run = not {"statistic", "share"} & set(table)
    listed = [name for name, each in where.items() if _are_each(each, values)]
    own = [name for name in _EACH if _are_each(table.get(name), values)]
    places = {"measure", "seeds", "steps"} & set(own)
    by_place = of_run and not listed and not places
    if not by_place and not listed and not places:
        raise ValueError(
            f"{key}: {len(values)} values need as many values of a parameter in where, of seeds or of steps"
        )
    for k, value in enumerate(values):
        at = {name: each[k] if name in listed else each for name, each in where.items()}
        figure = _figure({**table, key: value, "where": at, **{name: table[name][k] for name in own}})
        yield replace(figure, place=k) if by_place else figure


def _are_each(values: Any, published: Sequence[Any]) -> bool:
    """Return whether values are a list with one for each published value."""
    return isinstance(values, list) and len(values) == len(published)


def _figure(table: dict[str, Any]) -> Figure:
    """Return the figure of a table with a single value."""
    for key, (needs, holds) in _NEEDS.items():
        value = table.get(key)
        if value is not None and not holds(value):
            raise ValueError(f"{key}: must be {needs}, got {shown(_plain(value))}")
    kinds = [key for key in ("measure", "share", "statistic") if table.get(key)]
    if kinds not in (["measure"], ["share"], ["statistic"], ["measure", "statistic"]):
        raise ValueError("must have measure, share or statistic, or a measure and one of its statistics")
    if (table.get("statistic") in OF_MEASURES) != (kinds == ["measure", "statistic"]):
        raise ValueError(f"statistic: must be one of {', '.join(OF_MEASURES)} with a measure, and another name without")
    trials, successes = table.get("trials"), table.get("successes")
    if successes is not None:
        if successes > (trials or 0):
            raise ValueError(f"trials: must be at least successes, {successes}, got {trials}")
        published = Decimal(successes) / Decimal(trials or 1)
    else:
        published = _decimal(table["published"], "published")
    if table.get("sd") is not None and not trials:
        raise ValueError("trials: must be the number of published runs with sd, got none")
    if "measure" not in kinds or "statistic" in kinds:
        _check_of_runs(table, published)
    if not published.is_finite() and "statistic" in kinds:
        raise ValueError(f"published: must be finite for a statistic, got {published}")
    has_error = any(table.get(key) is not None for key in ("trials", *_ERRORS))
    kind = table.get("kind") or ("statistical" if has_error else "exact")
    if kind not in ("exact", "statistical") or (kind == "exact" and has_error):
        raise ValueError(
            f"kind: must be exact or statistical, and statistical if the figure has an error, got {shown(kind)}"
        )
    if kind == "statistical" and kinds == ["measure"]:
        raise ValueError("kind: must be exact for a single run, got statistical")
    if kind == "statistical" and "tolerance" in table:
        raise ValueError("tolerance: must be left out if the figure has an error; exact figures have a tolerance")
    between = table.get("between")
    if between and not float(between[0]) <= float(published) <= float(between[1]):
        raise ValueError(
            f"between: must be the lower and the upper end around {published}, got {shown(_plain(between))}"
        )
    return Figure(
        published=published,
        seed=table.get("seeds"),
        step=table.get("steps"),
        is_exact=kind == "exact",
        tolerance=_decimal(table.get("tolerance", _HALF if _unit(published) < 1 else 0), "tolerance"),
        between=tuple(_plain(between)) if between else None,
        **{key: _plain(table[key]) for key in _AS_WRITTEN if table.get(key) is not None},
    )


def _check_of_runs(table: Mapping[str, Any], published: Decimal) -> None:
    """Refuse what a figure of several runs cannot have."""
    for key in ("seeds", "steps"):
        if key in table:
            raise ValueError(f"{key}: must be left out of figures of several runs; first_seeds selects the first seeds")
    if table.get("share") and not 0 <= published <= 1:
        raise ValueError(f"published: must be a share from 0 to 1, got {published}; divide percentages by 100")


def _unit(number: Decimal) -> Decimal:
    """Return one unit of the last digit of a number."""
    exponent = number.as_tuple().exponent
    return Decimal((0, (1,), exponent)) if isinstance(exponent, int) else Decimal(0)


def _decimal(value: Any, key: str) -> Decimal:
    """Return a number with the digits that it is written with, which text has too."""
    if isinstance(value, str):
        with suppress(ArithmeticError):
            value = Decimal(value)
    if not _is_finite(value) and not (_is_number(value) and value in (inf, -inf)):
        raise ValueError(f"{key}: must be a number, got {shown(_plain(value))}")
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def _plain(value: Any) -> Any:
    """Return a value of TOML with its decimals as floats."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value


def _value_text(value: Any) -> str:
    return list_text([short(each) for each in value]) if isinstance(value, list) else short(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    """Return whether a value is a number that float64 can hold."""
    try:
        return _is_number(value) and isfinite(float(value))
    except OverflowError:
        return False


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


# Exact as float64.
_MOST = 2**53
# What values of keys must be.
_NEEDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(_TEXTS, ("text", _is_text)),
    **dict.fromkeys(("error", "sd"), ("a number above 0", lambda n: _is_finite(n) and n > 0)),
    **dict.fromkeys(
        ("seeds", "steps", "successes"),
        ("an integer of at least 0, or a list with one per value", lambda n: is_integer(n) and 0 <= n <= _MOST),
    ),
    "trials": ("an integer from 1 to 2^53, or a list with one per value", lambda n: is_integer(n) and 1 <= n <= _MOST),
    "first_seeds": ("an integer of at least 1", lambda n: is_integer(n) and n >= 1),
    "tolerance": ("a number of at least 0", lambda n: _is_finite(n) and n >= 0),
    "between": (
        "two numbers",
        lambda ends: _are_each(ends, (0, 1)) and all(map(_is_finite, ends)),
    ),
}
# Keys that are fields of a figure.
_AS_WRITTEN = (
    *(key for key in _TEXTS if key != "kind"),
    *("where", "first_seeds", "trials", "successes", "error", "sd"),
)
