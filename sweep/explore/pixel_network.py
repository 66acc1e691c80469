"""The network of a pixel: trained again step by step, as the page shows it after a click."""

from __future__ import annotations

import shlex
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.errors import SweepError
from sweep.explore.block import Block
from sweep.explore.function_names import function_names
from sweep.explore.map_view import Explored, MapView
from sweep.system.formatting import exact
from sweep.training.networks.trace import Trace, trace
from sweep.training.networks.trajectory import outputs_plane

_MOST_LOSSES = 1000
_MOST_PATTERNS = 64


def pixel_network(explored: Explored, view: MapView, block: Block, offset: int) -> dict[str, Any]:
    """Return the network of the first pixel of a block, of the seed ``offset`` after the first one.

    SweepError if the map has no such seed.
    """
    study, values = view.pixel(block)
    if not 0 <= offset < study.seeds.count:
        raise SweepError(f"seed: must be from 0 to {study.seeds.count - 1}, got {offset}")
    seed = study.seeds.base + offset
    found = trace(study, seed)
    plane = outputs_plane(found)
    evaluations = _thinned(len(found.losses))
    surface = plane and {
        "x": [float(plane.x[0]), float(plane.x[-1])],
        "y": [float(plane.y[0]), float(plane.y[-1])],
        "n": len(plane.x),
        "outputs": _numbers(plane.outputs[::-1]),
    }
    return {
        **dict(zip("xy", values.values(), strict=True)),
        **{f"{name}_text": exact(value) for name, value in zip("xy", values.values(), strict=True)},
        "seed": seed,
        **{name: getattr(found, name) for name in ("status", "steps", "n_correct")},
        "final_loss": _number(found.final_loss),
        "n_outputs": study.n_outputs,
        "measures": {name: _number(value) for name, value in found.measures.items()},
        "function": function_names(study).get(int(found.row.get("learned_function", -2))),
        "losses": {
            "steps": found.evaluated_at[evaluations].tolist(),
            "losses": _numbers(found.losses[evaluations]),
        },
        "weights": [
            {"name": name, "shape": list(array.shape), "values": _numbers(array)}
            for name, array in found.weights.items()
        ],
        "predictions": _predictions(found),
        "surface": surface,
        "command": command_of(explored, view, values, seed),
    }


def command_of(explored: Explored, view: MapView, values: dict[str, Any], seed: int) -> str:
    """Return the command that trains the network of these values again."""
    study = explored.study
    # Such options are left out beside the others, and would be refused.
    idle = {name for axis in study.axes for name in axis if len(axis) == 1 and not view.fixed.uses(name)}
    fixed = {name: each[0] for name, each in study.parameters.items() if name not in {*values, *idle}}
    changes = {**explored.assignments, **fixed, **view.changes, **values}
    n_seeds = seed - study.seeds.base + 1
    if n_seeds > study.seeds.count:  # a map may have more seeds than its study
        changes["seeds.count"] = n_seeds
    assignments = [part for name, value in changes.items() for part in ("--set", f"{name}={exact(value)}")]
    plugins = [part for file in explored.plugins for part in ("--plugin", file)]
    return shlex.join(["sweep", "trace", explored.source, *plugins, *assignments, "--seed", str(seed)])


def _predictions(found: Trace) -> list[dict[str, Any]]:
    rows = zip(found.inputs, found.targets, found.predictions, strict=True)
    named = [dict(zip(("inputs", "targets", "outputs"), map(_numbers, row), strict=True)) for row in rows]
    return named[:_MOST_PATTERNS]


def _thinned(n: int) -> NDArray[np.intp]:
    """Return the numbers of evaluations to draw, the first and the last among them."""
    return np.unique(np.linspace(0, n - 1, min(n, _MOST_LOSSES)).round().astype(np.intp))


def _numbers(array: Any) -> list[float | None]:
    """Return numbers row by row; None for those that are not finite, which JSON does not have."""
    return [_number(value) for value in np.asarray(array, np.float64).ravel().tolist()]


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
