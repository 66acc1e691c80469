"""A study and its circumstances in words, for a report."""

from __future__ import annotations

from typing import Any

from sweep.result import Result
from sweep.study import Study
from sweep.wording import list_text, short
from sweep.words import WORDS

# Values that are written out; of more, the first, the last and how many there are.
_MOST_VALUES = 16


def asked(study: Study) -> dict[str, Any]:
    """Return what a study asks: a sentence, and its words with their meaning and values."""
    n_patterns, n_inputs, n_outputs = (len(study.data.inputs), len(study.data.inputs[0]), len(study.data.targets[0]))
    sentence = (
        f"{study.n_runs:,} networks of one hidden layer learn {n_patterns:,} patterns of {_count(n_inputs, 'input')} "
        f"and {_count(n_outputs, 'target')}: {study.seeds.count:,} seeds in each of {_count(study.n_cells, 'cell')}"
    )
    if study.n_cells > 1:
        sentence += f", one for each combination of {list_text([name.replace('_', ' ') for name in study.parameters])}"
    fixed = study.fixed()
    swept = [(name, _values(study.parameters[name])) for name in study.parameters]
    others = [(name, str(fixed[name])) for name in fixed if fixed[name] is not None and study.uses(name)]
    return {
        "sentence": f"{sentence}.",
        "swept": [(name.replace("_", " "), values, WORDS[name].meaning) for name, values in swept],
        "fixed": [(name.replace("_", " "), value, WORDS[name].meaning) for name, value in others],
        "patterns": [
            (", ".join(map(short, x)), ", ".join(map(short, y)))
            for x, y in zip(study.data.inputs, study.data.targets, strict=True)
        ]
        if n_patterns <= _MOST_VALUES
        else [],
    }


def provenance(result: Result) -> list[tuple[str, str]]:
    """Return where a result comes from: identity, digest, machine, versions and seconds, as far as they are known."""
    facts = result.facts
    return [(words, _text(facts[name])) for name, words in _FACTS.items() if facts.get(name) is not None]


# What is told of a result, and how it is called.
_FACTS = {
    "identity": "identity of the study",
    "digest": "digest of the result",
    "n_runs": "runs",
    "net_steps": "steps of all runs",
    "kernel_seconds": "seconds of training",
    "wall_seconds": "seconds in all",
    "threads": "threads",
    "cpu": "CPU",
    "system": "system",
    "versions": "versions",
    "numerics": "version of the numerics",
    "finished": "finished",
}


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    return str(value)


def _values(values: tuple[Any, ...]) -> str:
    if len(values) <= _MOST_VALUES:
        return ", ".join(map(short, values))
    return f"{len(values):,} values from {short(values[0])} to {short(values[-1])}"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("s" if n != 1 else "")
