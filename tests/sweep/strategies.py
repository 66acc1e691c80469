"""Random valid studies for hypothesis."""

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
