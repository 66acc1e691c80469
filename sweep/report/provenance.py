"""The provenance of a result as labelled texts."""

from __future__ import annotations

from typing import Any

from sweep.results.result import Result


def provenance(result: Result) -> list[tuple[str, str]]:
    """Return labels and texts of identity, digest, machine, versions and seconds, as far as they are known."""
    facts = result.facts
    return [(words, _text(facts[name])) for name, words in _FACTS.items() if facts.get(name) is not None]


# Facts of a result with their labels.
_FACTS = {
    "identity": "identity of the study",
    "digest": "digest of the result",
    "n_runs": "runs",
    "net_steps": "steps of all runs",
    "kernel_seconds": "seconds of training",
    "wall_seconds": "seconds of all calls",
    "threads": "threads",
    "cpu": "CPU",
    "system": "system",
    "versions": "versions",
    "numerics_version": "version of the numerics_version",
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
