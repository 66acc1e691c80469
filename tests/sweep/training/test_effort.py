"""The effort of compilation changes no row."""

from __future__ import annotations

import pandas as pd
import pytest

import sweep
from kernels.effort import Effort
from sweep.schedule.plan import Plan
from sweep.training.networks import part_trainer
from sweep.training.networks.part_trainer import PartTrainer
from tests.sweep.support import make_study

# Networks of several sizes, some of which diverge, stall or become infinite.
STUDY = make_study(count=30, hidden=[1, 2, 5, 9], learning_rate=[0.05, 1e6, 1e200], max_steps=60)


@pytest.mark.wide
@pytest.mark.parametrize("threads", [1, 2])
def test_every_effort_gives_the_same_rows(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows have the same bits with all kernels."""
    rows, variants = list[pd.DataFrame](), set[object]()
    for effort in Effort:
        monkeypatch.setattr(part_trainer, "study_effort", lambda *_, effort=effort: effort)
        rows.append(sweep.run(STUDY, threads=threads).runs())
        worker = PartTrainer(Plan(STUDY))
        trainer = worker.trainer(worker.plan.grid.cell(0))
        variants |= {trainer.variant(hidden) for hidden in (1, 2, 5)}
    assert len(variants) >= 4
    for others in rows[1:]:
        pd.testing.assert_frame_equal(others, rows[0], check_exact=True)
