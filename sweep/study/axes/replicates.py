"""Swept options whose values are replicates, like seeds: splits of the data and draws of label noise."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sweep.study.axes.grid import Axis

# Answers pool over their values and never name one as the best.
REPLICATES = ("split_seed", "validation_seed", "fold", "noise_seed")


def replicate_axes(axes: Sequence[Axis], named: Collection[str] = ()) -> list[int]:
    """Return the axes with several points on which only replicates vary, without those of named options."""
    return [
        k
        for k, axis in enumerate(axes)
        if len(next(iter(axis.values()))) > 1
        and not any(name in named for name in axis)
        and all(name in REPLICATES for name, values in axis.items() if len(set(values)) > 1)
    ]
