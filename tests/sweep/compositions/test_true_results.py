"""`sweep check` never reports a true result: no trained run has what its rules call impossible."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import sweep
from sweep import Study, StudyError
from tests.sweep.strategies import small_study_tables
from tests.sweep.support import make_study

pytestmark = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT", "0") == "0",
    reason="each study would compile separate kernels, which give equal rows",
)

KEPT = st.sampled_from(["runs", "runs", "cells"])
DTYPES = st.sampled_from(["float64", "float32"])


def assert_true(study: Study, keep: Literal["runs", "cells"]) -> None:
    """Train a study, and require that its results are intact by the rules and by training again."""
    with tempfile.TemporaryDirectory() as place:
        with np.errstate(all="ignore"):
            sweep.run(study, out=Path(place) / "r", keep=keep, threads=1)
        for sample in (0, -1):
            assert sweep.verify(Path(place) / "r", sample=sample, threads=1).faults == []


def true_if_valid(tables: dict[str, Any], dtype: str, keep: Literal["runs", "cells"]) -> None:
    """Require it if the study is valid in this dtype: numbers may be too small for it."""
    study = None
    with suppress(StudyError):
        study = Study(**{**tables, "network": {**tables.get("network", {}), "dtype": dtype}})
    assume(study is not None)
    assert study is not None
    assert_true(study, "runs" if study.record.loss_thresholds or study.data.n_tests else keep)


@settings(max_examples=10)
@given(small_study_tables(), DTYPES, KEPT)
def test_random_studies(tables: dict[str, Any], dtype: str, keep: Literal["runs", "cells"]) -> None:
    """Results of studies with any options and numbers are called intact."""
    true_if_valid(tables, dtype, keep)


@pytest.mark.wide
@settings(max_examples=50)
@given(small_study_tables(), DTYPES, KEPT)
def test_more_random_studies(tables: dict[str, Any], dtype: str, keep: Literal["runs", "cells"]) -> None:
    """More studies."""
    true_if_valid(tables, dtype, keep)


@pytest.mark.soak
@given(small_study_tables(), DTYPES, KEPT)
@settings(max_examples=1500)
def test_random_studies_soak(tables: dict[str, Any], dtype: str, keep: Literal["runs", "cells"]) -> None:
    """Many more studies."""
    true_if_valid(tables, dtype, keep)


ONE = {"inputs": [[1.0], [1.0]], "targets": [[1.0], [1.0]]}
HUGE = {"data": ONE, "scale": 1e200, "bias": False, "learning_rate": 0.1, "hidden": 1, "criterion": "max_error"}
CLASSES = {"inputs": [[0.5, 1.0], [-1.0, 0.25], [0.0, 1.0]], "targets": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}


def beside_classes(**tables: Any) -> Study:
    """Return a study in which some networks predict classes and others single outputs."""
    study = make_study(data={**CLASSES, **tables}, criterion="correct", learning_rate=[0.1, 0.5], count=4).canonical()
    del study["training"]["loss"], study["network"]["output"]
    return Study(**study, zip=[{"loss": ["cross_entropy", "sse"], "output": ["softmax", "identity"]}])


STUDIES: dict[str, Callable[[], Study]] = {
    "loss is NaN, and converged": lambda: make_study(
        **HUGE, loss="bce", output="sigmoid", threshold=0.9, count=6, max_steps=5
    ),
    "error is infinite, and loss 0": lambda: make_study(
        **HUGE | {"criterion": "loss"}, loss="hinge", gain=1e200, threshold=0.9, count=6, max_steps=5
    ),
    "limit within an epoch": lambda: make_study(batch=[1, 2, 3], max_steps=[1, 2, 7], from_step=[0, 3], count=5),
    "nothing learns": lambda: make_study(learning_rate=[0.0, 0.1], batch=[1, 4], max_steps=[0, 3, 9], count=5),
    "stalls and divergence thresholds": lambda: make_study(
        divergence_threshold=[5.0, 50.0], learning_rate=[0.02, 0.5], max_steps=400, count=20
    ),
    "converges above the divergence threshold": lambda: make_study(
        divergence_threshold=0.5, threshold=[1.5, 0.01], from_step=[0, 4], count=20
    ),
    "other losses": lambda: make_study(loss=["sse", "mse", "half_squared"], criterion=["correct", "none"], count=5),
    "classes beside single outputs": beside_classes,
    "tested classes beside single outputs": lambda: beside_classes(test=CLASSES),
    "losses with settings": lambda: make_study(loss="huber", delta=[0.3, 1.0], learning_rate=[0.1, 0.5], count=4),
    "shuffled": lambda: make_study(batch=[2, 4], order=["cyclic", "shuffled"], learning_rate=[0.0, 0.2], count=6),
    "no epoch": lambda: make_study(max_epochs=[0, 1, 5], batch=2, criterion=["loss", "max_error"], count=4),
    "loss thresholds": lambda: make_study(
        loss_thresholds=[5.0, 1.0, 0.3, 0.01, 1e-3],
        criterion=["loss", "correct", "none"],
        batch=[3, 4],
        divergence_threshold=6.0,
        from_step=3,
    ),
    "targets are alike": lambda: make_study(data=ONE, criterion=["correct", "loss"], threshold=0.5, count=5),
}


@pytest.mark.parametrize("name", STUDIES)
def test_ends_that_are_rare(name: str) -> None:
    """Runs with rare ends: converged with a loss that is not finite, within an epoch, or before any step."""
    assert_true(STUDIES[name](), "runs")


COUNTED = ("error is infinite, and loss 0", "limit within an epoch", "no epoch", "shuffled")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in COUNTED else pytest.mark.soak) for name in STUDIES]
)
def test_counts_of_rare_ends(name: str) -> None:
    """The same holds for counts, except for what only rows have."""
    study = STUDIES[name]()
    if not study.record.loss_thresholds and not study.data.n_tests:
        assert_true(study, "cells")


def test_rare_ends_occur() -> None:
    """The rare ends occur as their names say."""
    with np.errstate(all="ignore"):
        nan, infinite, stalled = (
            sweep.run(STUDIES[name]()).runs()
            for name in (
                "loss is NaN, and converged",
                "error is infinite, and loss 0",
                "stalls and divergence thresholds",
            )
        )
    assert (nan["final_loss"].isna() & (nan["status"] == "converged")).any()
    assert ((infinite["max_error"] == np.inf) & (infinite["final_loss"] == 0)).any()
    assert {"stalled", "diverged", "exhausted"} <= set(stalled["status"])
