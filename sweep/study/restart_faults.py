"""Restarts that have no effect: nothing restarts, or only what has just failed."""

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
    if not restarts.max_restarts:
        for key, value in restarts:
            if value != getattr(defaults, key):
                told = shown(list(value) if isinstance(value, tuple) else value)
                yield f"restarts.{key}: {told} given, which no run uses; it is used with restarts.max_restarts above 0"
        return
    if restarts.after_steps is None and not set(restarts.on) - ({"plateau"} if not study.has_patience else set()):
        yield (
            f"restarts.on: {shown(list(restarts.on))} given without restarts.after_steps"
            f"{' and convergence.patience' if restarts.on else ''}; one of them must say when a run restarts"
        )
    most = max(study.step_limits)
    if restarts.after_steps is not None and restarts.after_steps >= most:
        yield f"restarts.after_steps: {restarts.after_steps} given; must be below {most}, the most updates of a run"
    if restarts.after_steps is not None and set(study.values_of("criterion")) == {"none"}:
        yield f"restarts.after_steps: {restarts.after_steps} given with criterion 'none', by which no attempt converges"
    if "constant" in study.values_of("distribution"):
        key, value = study.key_of("distribution"), "'constant'"
    elif not study.draws_weights:
        key, value = study.key_of("values"), "all parameters"
    else:
        return
    yield (
        f"{key}: {value} given with restarts.max_restarts {restarts.max_restarts}; a run would restart with the same "
        "weights"
    )
