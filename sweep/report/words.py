"""A study and its circumstances in words, for a report."""

from __future__ import annotations

from typing import Any

from sweep.result import Result
from sweep.study import Study
from sweep.wording import count_text, list_text, short
from sweep.words import WORDS

# Values that are written out; of more, the first, the last and how many there are.
_MOST_VALUES = 16


def asked(study: Study) -> dict[str, Any]:
    """Return what a study asks: a sentence, and its words with their meaning and values."""
    data, n_patterns = study.data, len(study.data.inputs)
    patterns = f"{count_text(n_patterns, 'pattern')} of {count_text(len(data.inputs[0]), 'input')} and "
    patterns += count_text(len(data.targets[0]), "target")
    seeds = count_text(study.seeds.count, "seed")
    sentence = f"{count_text(study.n_runs, 'network')} of one hidden layer to learn {patterns}: {seeds}"
    if study.n_cells > 1:
        which = "value" if len(study.parameters) == 1 else "combination"
        names = list_text([name.replace("_", " ") for name in study.parameters])
        sentence += f" in each of {study.n_cells:,} cells, one for each {which} of {names}"
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
