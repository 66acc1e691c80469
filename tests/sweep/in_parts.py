"""Training in parts of few runs, so that small studies have many parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

import sweep
from sweep.training import run as training
from sweep.training.run_options import RunOptions
from tests.sweep.support import training_watched


def run_in_parts(
    study: sweep.Study | str | Path,
    out: str | Path | None = None,
    threads: int | None = None,
    keep: Literal["runs", "cells"] = "runs",
    *,
    part_runs: int | None,
    **options: Any,
) -> sweep.Result:
    """Run a study as ``sweep.run`` does, in parts of ``part_runs`` runs, or in the planned parts."""
    return training.run_in_parts(study, RunOptions(out, threads, keep, **options), part_runs)


def interrupt_in_parts(
    study: sweep.Study, out: str | Path, after: int, *, part_runs: int | None, **options: Any
) -> None:
    """Start a study in parts, and interrupt it after some of them."""
    with training_watched(after, KeyboardInterrupt()), pytest.raises(KeyboardInterrupt):
        run_in_parts(study, out, 1, part_runs=part_runs)
