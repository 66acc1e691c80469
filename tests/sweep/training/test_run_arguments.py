"""Arguments of ``run``, and studies that are too large."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sweep
from sweep import StudyError, SweepError, figures
from sweep.system import progress as progress_module
from sweep.training.run_options import RunOptions
from tests.sweep.support import make_study, training_watched, tree, write_study


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in memory leaves no file."""
    monkeypatch.chdir(tmp_path)
    result = sweep.run(make_study())
    assert result.directory is None
    assert len(result.runs()) == 80
    assert tree(tmp_path) == {}


def test_each_option_has_one_default_and_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    """``run`` and ``RunOptions`` have the same options with the same defaults, and ``run`` hands on each value."""
    monkeypatch.setattr("sweep.training.run.run_in_parts", lambda study, options: options)
    run: Any = sweep.run
    assert run("xor") == RunOptions()
    values: Any = {each.name: object() for each in fields(RunOptions)}
    assert run("xor", **values) == RunOptions(**values)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"allow_runs": 79}, ("at most 79 runs", "got 80", "allow_runs=80")),
        ({"threads": 0}, ("threads", "got 0", "from 1 to")),
        ({"threads": 10**6}, ("threads", "got 1000000", "from 1 to")),
        ({"keep": "rows"}, ("keep", "got 'rows'", "'runs' or 'cells'")),
        ({"threads": "y"}, ("threads", "got 'y'", "an integer")),
        ({"threads": 1.5}, ("threads", "got 1.5", "an integer")),
        ({"threads": True}, ("threads", "got True", "an integer")),
        ({"threads": np.array([1, 2])}, ("threads", "got array([1, 2])", "an integer")),
        ({"max_runs": "3"}, ("max_runs", "got '3'", "an integer")),
        ({"time_budget": "5 minutes"}, ("time_budget", "got '5 minutes'")),
        ({"time_budget": [5]}, ("time_budget", "got [5]")),
        ({"time_budget": 0}, ("time_budget: must be above 0", "got 0")),
        ({"time_budget": float("nan")}, ("time_budget: must be above 0", "got nan")),
        ({"max_runs": 0}, ("max_runs", "got 0", "at least 1")),
        ({"shard": (0, 3)}, ("shard", "got 0/3", "I from 1 to N")),
        ({"shard": ("1", 2)}, ("shard", "got ('1', 2)", "two integers")),
        ({"shard": 1}, ("shard", "got 1", "two integers")),
        ({"shard": (4, 3)}, ("shard", "got 4/3", "I from 1 to N")),
        ({"shard": (2, 3), "overwrite": True}, ("shard", "got 2/3", "overwrite")),
    ],
)
def test_bad_arguments(tmp_path: Path, arguments: dict[str, Any], words: tuple[str, ...]) -> None:
    """Invalid arguments are refused before anything is trained or written."""
    with training_watched() as trained, pytest.raises(StudyError) as caught:
        sweep.run(make_study(), out=tmp_path / "out", **arguments)
    for word in words:
        assert word in str(caught.value)
    assert trained == []
    assert tree(tmp_path) == {}


def test_more_than_a_billion_runs_need_permission() -> None:
    """More than 10^9 runs need ``allow_runs``."""
    with training_watched(0, AssertionError("training began")) as trained:
        with pytest.raises(StudyError, match="got 1,000,000,002"):
            sweep.run(make_study(count=500_000_001, hidden=2))
        with pytest.raises(AssertionError, match="training began"):
            sweep.run(make_study(count=500_000_000, hidden=2, max_steps=0), keep="cells")
    assert trained == []


def test_rows_that_do_not_fit_into_memory() -> None:
    """Rows that do not fit into memory are refused, with a remedy."""
    with (
        training_watched() as trained,
        pytest.raises(StudyError, match=r"8,589,934,590 runs.*must fit into the memory.*out="),
    ):
        sweep.run(make_study(count=2**32 - 1, hidden=2, bias=True), allow_runs=10**12)
    assert trained == []


def test_few_of_many_runs_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit of runs counts, not the size of the study."""
    monkeypatch.setattr("kernels.effort._LITTLE", np.inf)  # so many runs would compile a kernel that no other test uses
    study = make_study(count=2**32 - 1, hidden=2, bias=True, max_steps=1)
    assert 0 < sweep.run(study, allow_runs=10**12, max_runs=10, threads=1).facts["n_runs"] < 10**6


def test_studies_by_name_and_path(tmp_path: Path) -> None:
    """``run`` and ``trace`` accept a built-in name or a path, and refuse anything else in one sentence."""
    file = write_study(tmp_path / "mine.toml", make_study(count=2, hidden=2, learning_rate=0.1, max_steps=3))
    for source in (file, str(file)):
        assert len(sweep.run(source, time_budget="5m").runs()) == 2
        assert sweep.trace(source, 1).seed == 1
    for call in (sweep.run, sweep.trace):
        with pytest.raises(StudyError, match="unknown study 'xro'; did you mean 'xor'"):
            call("xro")  # type: ignore[operator]
    with pytest.raises(StudyError, match=r"study: must be a Study, .* or the path of one, got 3"):
        sweep.run(3)  # type: ignore[arg-type]


def test_losses_of_a_trace() -> None:
    """The losses of a run are drawn over its steps; anything but a result or a trace is refused."""
    traced = sweep.trace(make_study(hidden=2, learning_rate=0.1, max_steps=30), 1)
    (line,) = figures.losses(traced).lines
    assert line.get_ydata().tolist() == traced.losses.tolist()
    with pytest.raises(SweepError, match="losses: must be a Result or a Trace"):
        figures.losses([1.0, 0.5])  # type: ignore[arg-type]
    study = make_study(hidden=2)
    for draw in (figures.draw, figures.heatmap, figures.incidence, figures.learning_curves):
        with pytest.raises(SweepError, match=r"must be a result, got <Study .*; sweep.run\(study\) returns one"):
            draw(study)  # type: ignore[arg-type]


def test_progress_from_python(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A call shows progress if it is requested, and by default only if it takes long."""
    study = make_study(count=2, hidden=2, max_steps=2)
    for progress, delays, is_shown in ((None, 10.0, False), (None, 0.0, True), (False, 0.0, False), (True, 10.0, True)):
        monkeypatch.setattr(progress_module, "_LINE_SECONDS", delays)
        sweep.run(study, progress=progress)
        out, err = capsys.readouterr()
        assert (out, "of 4 runs" in err) == ("", is_shown)
    monkeypatch.setattr(progress_module, "_LINE_SECONDS", 0.0)
    monkeypatch.setattr(sys, "stderr", None)
    sweep.run(study)
    assert capsys.readouterr().out == ""
