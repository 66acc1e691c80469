"""The visiting order of studies whose options vary together, against lists of all runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sweep import Study
from sweep.schedule.plan import Plan

STUDIES: list[dict[str, Any]] = [
    {"samples": [{"count": 9, "hidden": [2, 4], "learning_rate": {"geomspace": [0.01, 1.0]}}]},
    {
        "parameters": {"hidden": [2, 4], "gain": [1.0, 2.0, 3.0]},
        "samples": [{"count": 7, "learning_rate": {"geomspace": [0.01, 1.0]}, "activation": ["relu", "tanh"]}],
        "zip": [{"threshold": [0.1, 0.01], "batch": [1, 2]}],
    },
    {
        "parameters": {"hidden": [2, 3, 4], "learning_rate": [0.1, 0.2]},
        "exclude": [{"hidden": 3, "learning_rate": 0.2}],
    },
]
KERNEL = ("hidden", "activation", "batch")


@pytest.mark.parametrize("tables", STUDIES)
@pytest.mark.parametrize("part_runs", [None, 37])
def test_every_run_is_visited_once(tables: dict[str, Any], part_runs: int | None) -> None:
    """Parts hold each run once, positions follow the order, and each piece has one kernel."""
    study = Study(data={"task": "xor"}, seeds={"count": 50}, **tables)
    plan = Plan(study, part_runs)
    seen: list[int] = []
    for index in range(plan.n_parts):
        part = plan.part(index)
        runs = plan.runs(part)
        assert plan.position(runs).tolist() == list(range(part.start, part.stop))
        assert [plan.position(run) for run in runs.tolist()] == list(range(part.start, part.stop))
        pieces = [plan.runs(piece) for piece in plan.pieces(part)]
        assert np.concatenate(pieces).tolist() == runs.tolist()
        for piece in pieces:
            cells = [study.grid.cell(int(run) // 50) for run in piece]
            assert len({tuple(cell[name] for name in KERNEL) for cell in cells}) == 1
        seen += runs.tolist()
    assert sorted(seen) == list(range(study.n_runs))


def test_points_of_one_kernel_train_side_by_side() -> None:
    """A sample of two sizes is trained in few pieces, not one for each point."""
    samples = [{**STUDIES[0]["samples"][0], "count": 200}]
    plan = Plan(Study(data={"task": "xor"}, seeds={"count": 2}, samples=samples))
    n_pieces = sum(1 for index in range(plan.n_parts) for _ in plan.pieces(plan.part(index)))
    assert n_pieces <= plan.n_parts + 4
