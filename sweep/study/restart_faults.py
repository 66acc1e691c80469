"""Faults of the table [restarts]: keys without effect, and restarts that repeat the same attempt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sweep.errors import shown
from sweep.study.options.other_sections import Restarts

if TYPE_CHECKING:
    from sweep.study.content import StudyContent


def restart_faults(study: StudyContent) -> Iterator[str]:
    """Yield a sentence for each key of [restarts] without effect, and for restarts that repeat an attempt."""
    restarts = study.restarts
    defaults = Restarts.model_validate({})
    if not restarts.max_restarts:
        for key, value in restarts:
            if value != getattr(defaults, key):
                found = shown(list(value) if isinstance(value, tuple) else value)
                yield f"restarts.{key}: {found} has no effect; set restarts.max_restarts above 0, or remove it"
        return
    if restarts.after_steps is None and not set(restarts.on) - ({"plateau"} if not study.has_patience else set()):
        yield (
            f"restarts.on: must hold a status that a run can have, got {shown(list(restarts.on))}; or set "
            f"restarts.after_steps{' or convergence.patience' if restarts.on else ''}"
        )
    most = max(study.step_limits)
    if restarts.after_steps is not None and restarts.after_steps >= most:
        yield f"restarts.after_steps: must be below {most}, the most updates of a run, got {restarts.after_steps}"
    if restarts.after_steps is not None and set(study.values_of("criterion")) == {"none"}:
        yield "restarts.after_steps: needs a criterion, got 'none', so no attempt converges; set convergence.criterion"
    if "constant" in study.values_of("distribution"):
        cause = f"{study.key_of('distribution')} 'constant'"
    elif not study.draws_weights:
        cause = f"{study.key_of('values')} of all parameters"
    else:
        return
    yield f"restarts.max_restarts: must be 0 with {cause}, got {restarts.max_restarts}: each attempt would be the same"
