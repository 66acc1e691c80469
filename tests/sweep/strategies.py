"""Random studies for hypothesis: valid ones, and anything at all."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.sweep.support import SECTIONS

positive = st.floats(min_value=5e-324, allow_nan=False, allow_infinity=False)
finite = st.floats(allow_nan=False, allow_infinity=False)
activations = st.sampled_from(["relu", "tanh", "sigmoid", "identity"])

SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "hidden": st.integers(1, 65_536),
    "activation": activations,
    "output": activations,
    "bias": st.booleans(),
    "distribution": st.sampled_from(["normal", "uniform"]),
    "scale": positive,
    "stream": st.sampled_from(["mt19937", "pcg64"]),
    "loss": st.sampled_from(["sse", "mse"]),
    "optimizer": st.just("gd"),
    "learning_rate": positive,
    "max_steps": st.integers(0, 2**31 - 1),
    "criterion": st.sampled_from(["loss", "max_error", "correct", "none"]),
    "below": positive,
}


@st.composite
def data_tables(draw: st.DrawFn) -> dict[str, Any]:
    """Draw patterns: a task, or a few rows of any finite numbers."""
    if draw(st.booleans()):
        return {"task": draw(st.sampled_from(["xor", "seed"]))}
    n_patterns, n_inputs, n_outputs = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 2))

    def rows(width: int) -> list[list[float]]:
        return draw(
            st.lists(st.lists(finite, min_size=width, max_size=width), min_size=n_patterns, max_size=n_patterns)
        )

    return {"inputs": rows(n_inputs), "targets": rows(n_outputs)}


@st.composite
def study_tables(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the keywords of a valid study: some scalars swept, in any order, others fixed or left to their default."""
    swept = draw(st.lists(st.sampled_from(sorted(SCALARS)), unique=True, max_size=4))
    tables: dict[str, Any] = {
        "name": draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)),
        "description": draw(st.text(st.characters(codec="utf-8"), max_size=30)),
        "data": draw(data_tables()),
        "parameters": {},
    }
    for name in swept:
        values = draw(st.lists(SCALARS[name], unique=True, min_size=1, max_size=4))
        tables["parameters"][name] = {"values": values}
    for name, section in SECTIONS.items():
        if name not in swept and (name in ("hidden", "learning_rate") or draw(st.booleans())):
            tables.setdefault(section, {})[name] = draw(SCALARS[name])
    base = draw(st.integers(0, 2**32 - 1))
    tables["seeds"] = {"base": base, "count": draw(st.integers(1, 2**32 - base))}
    return tables


# Words that mean something in a study, so that what is drawn comes close to being valid.
WORDS = [
    *("name", "description", "method", "data", "network", "initial_weights", "training", "convergence", "parameters"),
    *("seeds", "task", "file", "inputs", "targets", "dtype", "base", "count", "value", "values", "min", "max", "num"),
    *("distribution", "logspace", "geomspace", "linspace", "range", "xor", "grid", "relu", "log_uniform_values"),
    *SCALARS,
]
TABLES = [*sorted(set(SECTIONS.values())), "data", "seeds"]
words = st.sampled_from(WORDS)
keys = st.one_of(words, st.text(max_size=8))
odd_scalars = st.one_of(
    *(st.none(), st.booleans(), st.integers(-5, 20), st.integers(), st.floats(), words, st.text(max_size=20)),
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
    *(st.fixed_dictionaries({word: few_numbers}) for word in ("logspace", "geomspace", "linspace", "range")),
    st.fixed_dictionaries({"min": st.integers(-1, 5), "max": st.integers(0, 9), "num": st.integers(0, 5)}),
)


@st.composite
def any_tables(draw: st.DrawFn) -> dict[str, Any]:
    """Draw keywords of a study, most of them faulty: known tables with anything in them, some of it nearly right."""
    tables: dict[str, Any] = {"data": {"task": "xor"}, "network": {"hidden": 2}, "training": {"learning_rate": 0.1}}
    near = st.dictionaries(st.sampled_from(sorted(SCALARS)), swept, max_size=3)
    tables["parameters"] = draw(st.one_of(anything, near, near))
    for name in draw(st.lists(st.sampled_from(TABLES), max_size=3)):
        tables[name] = draw(st.one_of(anything, st.dictionaries(words, anything, max_size=3)))
    for name in draw(st.lists(st.sampled_from(["name", "description", "method"]), max_size=1)):
        tables[name] = draw(anything)
    return tables


@st.composite
def assignments(draw: st.DrawFn) -> str:
    """Draw a text for ``--set``, mostly of a known key."""
    key = draw(st.one_of(words, words, st.text(max_size=10)))
    forms = st.sampled_from(["", "[1, 2]", "{ range = [1, 3] }", ".5", "1_0", "nan", "1979-05-27"])
    numbers = st.lists(st.one_of(st.integers(-2, 99).map(str), st.floats().map(repr), forms), min_size=1, max_size=3)
    value = draw(st.one_of(numbers.map(",".join), st.text(max_size=20), words))
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
