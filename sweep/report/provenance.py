"""The provenance of a result: machine, versions and identities."""

from __future__ import annotations

from typing import Any

from sweep.results.result import Result


def provenance(result: Result) -> list[tuple[str, str]]:
    """Return the labels and texts of all known facts."""
    facts = result.facts
    return [(label, _text(facts[name])) for name, label in _FACTS.items() if facts.get(name) is not None]


_FACTS = {
    "identity": "identity of the study",
    "digest": "digest of the result",
    "n_runs": "runs",
    "net_steps": "steps of all runs",
    "kernel_seconds": "training time, s",
    "wall_seconds": "wall time, s",
    "threads": "threads",
    "cpu": "CPU",
    "system": "system",
    "versions": "versions",
    "numerics_version": "numerics version",
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
