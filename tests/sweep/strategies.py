"""Anything at all in place of a study, for hypothesis; `compositions` draws valid studies."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from kernels.components.declarations import Setting
from sweep.study.options.option_tables import SWEEPABLE
from tests.sweep.support import SECTIONS

positive = st.floats(min_value=5e-324, allow_nan=False, allow_infinity=False)
finite = st.floats(allow_nan=False, allow_infinity=False)


def numbers(setting: Setting) -> st.SearchStrategy[float]:
    """Return the allowed numbers of a setting."""
    low = setting.at_least if setting.above is None else setting.above
    limits = {"min_value": low, "max_value": setting.below}
    given = {name: limit for name, limit in limits.items() if limit is not None}
    excluded = {f"exclude_{name.partition('_')[0]}": True for name, limit in limits.items() if limit is not None}
    if setting.at_least is not None:
        excluded["exclude_min"] = False
    if setting.multiple_of:
        return st.integers(1, 10**6).map(lambda k: k * setting.multiple_of)
    return st.floats(**given, **excluded, allow_nan=False, allow_infinity=False)


# Texts that occur in studies, so that drawn studies are nearly valid.
OPTIONS = [
    *("name", "description", "method", "data", "network", "initial_weights", "training", "convergence", "parameters"),
    *("record", "record.loss_thresholds", "seeds", "task", "file", "inputs", "targets", "base", "count"),
    *("value", "values", "min", "max", "num", "zip", "samples", "exclude", "samples.count", "sobol"),
    *("distribution", "geomspace", "geomspace", "linspace", "range", "xor", "grid", "relu", "log_uniform_values"),
    *("bce", "hinge", "rprop", "adam", "full", "online", "shuffled", "mean", "w.T b v c"),
    *SWEEPABLE,
]
TABLES = [*sorted(set(SECTIONS.values())), "data", "seeds", "record", "zip", "samples", "exclude"]
options = st.sampled_from(OPTIONS)
keys = st.one_of(options, st.text(max_size=8))
odd_scalars = st.one_of(
    *(st.none(), st.booleans(), st.integers(-5, 20), st.integers(), st.floats(), options, st.text(max_size=20)),
    st.sampled_from([10**400, -(10**1000), "x" * 1000, "\udcff", "a\nb", 2**63, 5e-324]),
)
anything = st.recursive(
    odd_scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=8,
)
few_numbers = st.lists(st.one_of(st.integers(-2, 9), finite), min_size=2, max_size=3)
swept = st.one_of(
    *(anything, st.lists(st.integers(-1, 9), max_size=4), st.lists(finite, max_size=4)),
    *(st.fixed_dictionaries({option: few_numbers}) for option in ("geomspace", "geomspace", "linspace", "range")),
    st.fixed_dictionaries({"min": st.integers(-1, 5), "max": st.integers(0, 9), "num": st.integers(0, 5)}),
)


@st.composite
def any_tables(draw: st.DrawFn) -> dict[str, Any]:
    """Draw keywords of a study, mostly faulty: known tables with any content, some of it nearly right."""
    tables: dict[str, Any] = {"data": {"task": "xor"}, "network": {"hidden": 2}, "training": {"learning_rate": 0.1}}
    near = st.dictionaries(st.sampled_from(sorted(SWEEPABLE)), swept, max_size=3)
    tables["parameters"] = draw(st.one_of(anything, near, near))
    for name in draw(st.lists(st.sampled_from(TABLES), max_size=3)):
        tables[name] = draw(st.one_of(anything, st.dictionaries(options, anything, max_size=3)))
    for name in draw(st.lists(st.sampled_from(["name", "description", "method"]), max_size=1)):
        tables[name] = draw(anything)
    return tables


@st.composite
def assignments(draw: st.DrawFn) -> str:
    """Draw a text for ``--set``, mostly of a known key."""
    key = draw(st.one_of(options, options, st.text(max_size=10)))
    forms = st.sampled_from(["", "[1, 2]", "{ range = [1, 3] }", ".5", "1_0", "nan", "1979-05-27"])
    numbers = st.lists(st.one_of(st.integers(-2, 99).map(str), st.floats().map(repr), forms), min_size=1, max_size=3)
    value = draw(st.one_of(numbers.map(",".join), st.text(max_size=20), options))
    return f"{key}={value}" if draw(st.integers(0, 9)) else key


@st.composite
def pattern_files(draw: st.DrawFn) -> str:
    """Draw the text of a pattern file, some of them right."""
    names = draw(st.sampled_from(["x0,y", "x0,x1,y", "y0,x0,y1", "x0", "y", "x0;y", 'x0,"y\n"', "x0,\0"]))
    cell = st.one_of(
        st.integers().map(str), finite.map(repr), st.sampled_from(["", " 1 ", "1_0", "nan", "\uff11", "\0"])
    )
    width = names.count(",") + 1
    line = st.one_of(st.lists(cell, min_size=width, max_size=width).map(",".join), st.text(max_size=10))
    return "\n".join([names, *draw(st.lists(line, max_size=4))])


def nested(depth: int) -> Any:
    """Return a number nested in a number of lists."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value
