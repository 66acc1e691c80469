"""Custom components are trained like ours: same bits by threads, parts, processes, resume and replay."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sweep
from kernels.custom.registry import declared_components
from kernels.simd import jit
from sweep.training import component_trials
from sweep.training.component_trials import check_custom_components, sent_components, take_components
from sweep.training.executors.remote import Job
from sweep.training.run import Options, run_in_parts
from tests.sweep.own import FILE, only_plugins
from tests.sweep.support import assert_same_table, training_watched

ALIKE = {"hidden": 2, "learning_rate": [0.05, 0.2], "max_steps": 60, "seeds.count": 30, "threshold": 0.01}


@pytest.fixture
def own() -> Iterator[None]:
    """Know the options of the file."""
    with only_plugins(FILE):
        yield


def study_of(**changes: Any) -> sweep.Study:
    """Make a small study of XOR, which one kernel trains."""
    return sweep.load_study("xor", ALIKE | changes)


QUICK = {"optimizer": "quickprop", "mu": [1.75, 2.0]}


@pytest.mark.wide
@pytest.mark.usefixtures("own")
def test_one_digest(tmp_path: Path) -> None:
    """Threads, sizes of parts, parts of a study, resuming and reuse do not change a bit; replay and verify agree."""
    study = study_of(**QUICK)
    expected = sweep.run(study, tmp_path / "one", threads=1)
    for part_runs in (7, 64):
        found = run_in_parts(study, None, 2, "runs", Options(), part_runs)
        assert_same_table(found.runs(), expected.runs())
    for number in (1, 2):
        sweep.run(study, tmp_path / "parts", shard=(number, 2))
    assert sweep.open_result(tmp_path / "parts").facts["digest"] == expected.facts["digest"]
    with pytest.raises(KeyboardInterrupt), training_watched(1, KeyboardInterrupt()):
        run_in_parts(study, tmp_path / "resumed", 1, "runs", Options(), 40)
    resumed = run_in_parts(study, tmp_path / "resumed", 2, "runs", Options(), 40)
    assert resumed.facts["digest"] == expected.facts["digest"]
    with training_watched():
        grown = sweep.run(study_of(**QUICK, **{"seeds.count": 40}), reuse=tmp_path / "one")
    assert grown.facts["reused_steps"] == expected.facts["net_steps"]
    assert sweep.trace(expected, 100).mismatches == {}
    assert sweep.verify(tmp_path / "one", sample=20).intact


@pytest.mark.wide
@pytest.mark.usefixtures("own")
def test_read_without_the_code(tmp_path: Path) -> None:
    """Results are read, compared, drawn and checked where nobody has the code; only training needs the same source."""
    study = study_of(**QUICK)
    expected = sweep.run(study, tmp_path / "one").cells
    changed = tmp_path / "changed.py"
    changed.write_text(FILE.read_text().replace("mu / (1.0 + mu)", "mu / (mu + 1.0)"))
    for files, told in (((), "none is known here"), ((changed,), "the one known here has SHA-256")):
        with only_plugins(*files):
            result = sweep.open_result(tmp_path / "one")
            assert_same_table(result.cells, expected)
            assert len(result.compare("mu", by=["learning_rate"])) == 2
            assert sweep.verify(tmp_path / "one").intact
            needs = f"optimizer 'quickprop' needs code whose source has SHA-256 [0-9a-f]{{64}}, and {told}"
            for train in (
                lambda result=result: sweep.trace(result, 3),
                lambda result=result: sweep.run(result.study, tmp_path / "two"),
                lambda: sweep.verify(tmp_path / "one", sample=1),
            ):
                with pytest.raises(sweep.StudyError, match=needs):
                    train()
            assert not (tmp_path / "two").exists()
    with only_plugins(changed):  # another source is another study, whose runs are not the same
        other = study_of(**QUICK)
        assert other.identity != study.identity
        assert sweep.run(other, reuse=tmp_path / "one").facts["reused_steps"] == 0


@pytest.mark.usefixtures("own")
def test_runs_of_ours_are_reused_beside_options_of_ones_own(tmp_path: Path) -> None:
    """A setting that the earlier study has not takes no run from it, and one that the later has not none either."""
    before = sweep.run(study_of(), tmp_path / "ours")
    both = sweep.run(
        study_of(optimizer=["gd", "quickprop"], mu=[1.75, 2.0]), tmp_path / "both", reuse=tmp_path / "ours"
    )
    assert both.facts["reused_steps"] == 2 * before.facts["net_steps"]
    assert_same_table(sweep.run(study_of(), reuse=tmp_path / "both").runs(), before.runs())


@pytest.mark.usefixtures("own")
def test_processes_take_options_from_the_call() -> None:
    """What is sent makes the options elsewhere; it can be part of the data of a job, which is hashed."""
    study = study_of(activation="swish", steepness=0.5, **QUICK)
    sent = sent_components(study)
    assert hash(Job("", "runs", "", "", "", None, (), sent))
    with only_plugins():
        take_components(sent)
        assert sorted(declared_components()) == ["quickprop", "swish"]
        check_custom_components(study)


HEAD = "import sweep\nfrom sweep.lanes import constant, exp, select, sqrt, tanh\n\n"
FAILS = {
    "slope": (
        {"activation": "mine"},
        "@sweep.activation\ndef mine(z):\n    return z * z, 3.0 * z\n",
        "activation 'mine': its slope is ",
    ),
    "number": (
        {"activation": "mine"},
        "@sweep.activation\ndef mine(z):\n    return z, 1.0\n",
        "value 1 of function must be lanes, got 1.0; write constant(1.0, z) of sweep.lanes",
    ),
    "loss": (
        {"loss": "mine"},
        "@sweep.loss\ndef mine(y, target):\n    return (y - target) * (y - target), y - target\n",
        "declare it with surrogate=True",
    ),
    "two numbers": (
        {"optimizer": "mine", "dtype": "float32"},
        "@sweep.optimizer\ndef mine(p, g, rate):\n    s = select(g > 0.0, 1.5, 0.5)\n    return p - rate * s\n",
        "at line 6 of {file} (s = select(g > 0.0, 1.5, 0.5)): TypeError: select: "
        "must have lanes as a value, got two numbers; write constant(1.5, z) of sweep.lanes",
    ),
    "forgets": (
        {"optimizer": "mine"},
        "@sweep.optimizer(keeps_infinity=True)\ndef mine(p, g, rate):\n    return select(g > 1.0, p, p - rate * g)\n",
        "optimizer 'mine': it is declared with keeps_infinity=True, but parameters are finite again",
    ),
}


@pytest.mark.parametrize("case", FAILS)
def test_tried_on_lanes(tmp_path: Path, case: str) -> None:
    """An option that cannot be computed on lanes, or not as it says, is refused before anything is written."""
    changes, code, told = FAILS[case]
    file = tmp_path / "mine.py"
    file.write_text(HEAD + code)
    with only_plugins(file), pytest.raises(sweep.StudyError) as caught:
        sweep.run(study_of(**changes), tmp_path / "out")
    (fault,) = caught.value.faults
    assert told.format(file=file) in fault
    assert "\n" not in fault
    assert not (tmp_path / "out").exists()


SQUARE = HEAD + "@sweep.activation\ndef square(z):\n    return z * z, 2.0 * z\n"


@pytest.mark.parametrize(
    ("program", "told"), [(None, "sys.executable names no Python"), ("", "names no Python"), ("/none", "No such file")]
)
def test_no_other_process_can_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str | None, told: str
) -> None:
    """One sentence says that an option is tried there, and why it is not."""
    (file := tmp_path / "square.py").write_text(SQUARE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "executable", program)
    with only_plugins(file), pytest.raises(sweep.SweepError, match=f"and none can be started .*{told}"):
        check_custom_components(study_of(activation="square"))


def test_whatever_python_does_when_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a site prints is no answer, and places that Python ignores are ignored."""
    (file := tmp_path / "square.py").write_text(SQUARE)
    (tmp_path / "sitecustomize.py").write_text("import sys\nprint('welcome')\nprint('x' * 10**6, file=sys.stderr)\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [*sys.path, tmp_path])
    with only_plugins(file):
        check_custom_components(study_of(activation="square"))


def test_a_process_that_ends_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last options are told."""
    (file := tmp_path / "square.py").write_text(SQUARE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(component_trials, "_PROGRAM", "sys.exit('no more')")
    with only_plugins(file), pytest.raises(sweep.SweepError, match="has ended early: no more"):
        check_custom_components(study_of(activation="square"))


@pytest.mark.wide
@pytest.mark.usefixtures("own")
def test_published_quickprop() -> None:
    """Fahlman 1988: 22.1 epochs (standard deviation 8.9, 100 trials) to learn the 10-5-10 encoder; simulated, 20.9.

    The slope of a unit has 0.1 more than the derivative, an error below 0.1 counts as none, and weights decay.
    """
    result = sweep.run(
        sweep.Study(
            data={"task": "encoder", "n": 10},
            network={"hidden": 5, "activation": "steep", "output": "steep"},
            initial_weights={"distribution": "uniform", "scale": 2.0},
            training={
                "optimizer": "quickprop",
                "mu": 1.75,
                "loss": "tolerant",
                "learning_rate": 1.5,
                "weight_decay": 1e-4,
                "max_steps": 1000,
            },
            convergence={"criterion": "max_error", "threshold": 0.4},
            seeds={"count": 400},
        )
    )
    runs = result.runs(["status", "steps"])
    assert (runs["status"] == "converged").all()
    assert 19.9 <= runs["steps"].mean() <= 22.6


@pytest.mark.wide
@pytest.mark.skipif(not jit.ENABLED, reason="workers have kernels to compile")
@pytest.mark.usefixtures("own")
def test_on_a_cluster(tmp_path: Path) -> None:
    """Workers, which know no options, have them from the call and not from the results folder."""
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    study = study_of(**QUICK)
    expected = sweep.run(study)
    found = sweep.run(study, tmp_path / "out", cluster="local:2")
    assert_same_table(found.runs(), expected.runs())
    assert os.listdir(tmp_path / "out" / "parts")
