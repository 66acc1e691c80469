"""Restarts that have no effect: nothing begins anew, or only what has just failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sweep.errors import shown
from sweep.study.sections import Restarts

if TYPE_CHECKING:
    from sweep.study.content import StudyContent


def restart_faults(study: StudyContent) -> Iterator[str]:
    """Yield a sentence for each key of [restarts] without effect, and for restarts that repeat an attempt."""
    restarts, defaults = study.restarts, Restarts.model_validate({})
    if not restarts.most:
        for key, value in restarts:
            if value != getattr(defaults, key):
                told = shown(list(value) if isinstance(value, tuple) else value)
                yield f"restarts.{key}: {told} given, which no run uses; it is used with restarts.most above 0"
        return
    if restarts.after is None and not set(restarts.on) - ({"plateau"} if not study.has_patience else set()):
        yield (
            f"restarts.on: {shown(list(restarts.on))} given without restarts.after"
            f"{' and convergence.patience' if restarts.on else ''}; one of them must say when a run begins anew"
        )
    most = max(study.step_limits)
    if restarts.after is not None and restarts.after >= most:
        yield f"restarts.after: {restarts.after} given; must be below {most}, the most updates of a run"
    if restarts.after is not None and set(study.values_of("criterion")) == {"none"}:
        yield f"restarts.after: {restarts.after} given with criterion 'none', by which no attempt converges"
    if "constant" in study.values_of("distribution"):
        key, value = study.key_of("distribution"), "'constant'"
    elif not study.draws_weights:
        key, value = study.key_of("values"), "all parameters"
    else:
        return
    yield f"{key}: {value} given with restarts.most {restarts.most}; a run would begin anew with the same weights"
