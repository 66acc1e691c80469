"""The points of learning curves: the epochs after which the runs of a cell have one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweep.study.content import StudyContent

# Most weights of the networks along one curve, 1 GiB, and most points of all curves of a study, some 3 GB.
_MOST_NUMBERS = 2**27
_MOST_POINTS = 50_000_000


def curve_epochs(study: StudyContent, n_windows: int, most_steps: int) -> list[int]:
    """Return the ascending epochs after which learning curves have points, in addition to the end of each run.

    A step within an epoch of ``n_windows`` steps is moved to its end, where the network is evaluated.
    """
    curves = study.record.curves
    steps = curves.steps if curves and curves.steps is not None else _usual_steps(most_steps)
    return sorted({-(-step // n_windows) for step in steps if -(-step // n_windows) * n_windows <= most_steps})


def _usual_steps(most_steps: int) -> Iterator[int]:
    """Yield 0, 1, 2, 5, 10, 20, 50, .. up to a limit."""
    yield 0
    for k in count():
        step = (1, 2, 5)[k % 3] * 10 ** (k // 3)
        if step > most_steps:
            return
        yield step


def most_points(study: StudyContent) -> int:
    """Return an upper bound of the points of all learning curves of a study."""
    seeds = study.record.curves.seeds if study.record.curves else 0
    return study.n_cells * min(seeds, study.seeds.count) * _points_of_curve(study)


def _points_of_curve(study: StudyContent) -> int:
    """Return an upper bound of the points of one learning curve, its end included."""
    return max(len(curve_epochs(study, 1, limit)) for limit in study.step_limits) + 1


def curve_faults(study: StudyContent) -> list[str]:
    """Return a sentence for each reason why a study cannot record its learning curves."""
    curves = study.record.curves
    if curves is None:
        return []
    faults = []
    if curves.seeds > study.seeds.count:
        faults.append(
            f"record.curves.seeds: must be at most {study.seeds.count:,}, the seeds of a cell, got {curves.seeds:,}"
        )
    limits = study.step_limits
    if curves.steps and curves.steps[-1] > max(limits):
        faults.append(
            f"record.curves.steps: must be at most {max(limits):,}, the most steps of a run, got {curves.steps[-1]:,}"
        )
    n_points = _points_of_curve(study)
    n_parameters = study.most_parameters
    if n_points * n_parameters > _MOST_NUMBERS:
        faults.append(
            f"record.curves.steps: points times weights of a network must be at most {_MOST_NUMBERS:,}, got "
            f"{n_points:,} times {n_parameters:,}; set fewer steps"
        )
    total = most_points(study)
    if total > _MOST_POINTS:
        faults.append(
            f"record.curves: all curves must have at most {_MOST_POINTS:,} points, got {total:,}; set fewer seeds or "
            "steps"
        )
    return faults
