"""Custom components train like built-in ones: the same bits for all threads, parts, processes, resumes and traces."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sweep
from kernels.custom.registry import declared_components
from sweep.training import component_trials
from sweep.training.component_trials import check_custom_components, sent_components, take_components
from sweep.training.executors.remote import Job
from tests.kernels.support import compiled_only
from tests.sweep.own import FILE, only_plugins
from tests.sweep.support import assert_same_table, refused

ALIKE = {"hidden": 2, "learning_rate": [0.05, 0.2], "max_steps": 60, "seeds.count": 30, "threshold": 0.01}


@pytest.fixture
def own() -> Iterator[None]:
    """Register the components of the file."""
    with only_plugins(FILE):
        yield


def study_of(**changes: Any) -> sweep.Study:
    """Return a small study of XOR that needs one kernel."""
    return sweep.load_study("xor", ALIKE | changes)


QUICK = {"optimizer": "quickprop", "mu": [1.75, 2.0]}


@pytest.mark.wide
@pytest.mark.usefixtures("own")
def test_read_without_the_code(tmp_path: Path) -> None:
    """Results are read, compared, drawn and checked without the code; only training needs the same source."""
    study = study_of(**QUICK)
    expected = sweep.run(study, tmp_path / "one").cells
    changed = tmp_path / "changed.py"
    changed.write_text(FILE.read_text().replace("mu / (1.0 + mu)", "mu / (mu + 1.0)"))
    for files, reason in (((), "none is declared"), ((changed,), "the declared one has SHA-256")):
        with only_plugins(*files):
            result = sweep.open_result(tmp_path / "one")
            assert_same_table(result.cells, expected)
            assert len(result.compare("mu", by=["learning_rate"])) == 2
            assert sweep.verify(tmp_path / "one").intact
            needs = f"optimizer 'quickprop': source must have SHA-256 [0-9a-f]{{64}}, but {reason}"
            for train in (
                lambda result=result: sweep.trace(result, 3),
                lambda result=result: sweep.run(result.study, tmp_path / "two"),
                lambda: sweep.verify(tmp_path / "one", sample=1),
            ):
                with pytest.raises(sweep.StudyError, match=needs):
                    train()
            assert not (tmp_path / "two").exists()
    with only_plugins(changed):  # another source makes another study, whose runs are not the same
        other = study_of(**QUICK)
        assert other.identity != study.identity
        assert sweep.run(other, reuse=tmp_path / "one").facts["reused_steps"] == 0


@pytest.mark.wide
@pytest.mark.usefixtures("own")
def test_reuse_with_and_without_custom_components(tmp_path: Path) -> None:
    """Runs are reused if only one of the studies has settings of custom components."""
    before = sweep.run(study_of(), tmp_path / "ours")
    both = sweep.run(
        study_of(optimizer=["gd", "quickprop"], mu=[1.75, 2.0]), tmp_path / "both", reuse=tmp_path / "ours"
    )
    assert both.facts["reused_steps"] == 2 * before.facts["net_steps"]
    assert_same_table(sweep.run(study_of(), reuse=tmp_path / "both").runs(), before.runs())


@pytest.mark.usefixtures("own")
def test_processes_get_components_from_the_call() -> None:
    """The sent sources declare the components in another process, and are hashable as part of a job."""
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
        "activation 'mine': its slope must be about ",
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
        "optimizer 'mine': it is declared with keeps_infinity=True, but parameters become finite",
    ),
}


@pytest.mark.parametrize("case", FAILS)
def test_tried_on_lanes(tmp_path: Path, case: str) -> None:
    """A component that fails on lanes or breaks its declaration is refused before anything is written."""
    changes, code, expected = FAILS[case]
    file = tmp_path / "mine.py"
    file.write_text(HEAD + code)
    with only_plugins(file), refused(expected.format(file=file)):
        sweep.run(study_of(**changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


SQUARE = HEAD + "@sweep.activation\ndef square(z):\n    return z * z, 2.0 * z\n"


@pytest.mark.parametrize(
    ("program", "reason"), [(None, "does not name a Python"), ("", "does not name a Python"), ("/none", "No such file")]
)
def test_no_other_process_can_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str | None, reason: str
) -> None:
    """The error says why no other Python process can be started."""
    (file := tmp_path / "square.py").write_text(SQUARE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "executable", program)
    with only_plugins(file), pytest.raises(sweep.SweepError, match=f"which cannot be started .*{reason}"):
        check_custom_components(study_of(activation="square"))


def test_site_configurations_do_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Output of a site configuration is not taken for an answer, and invalid entries of sys.path are ignored."""
    (file := tmp_path / "square.py").write_text(SQUARE)
    (tmp_path / "sitecustomize.py").write_text("import sys\nprint('welcome')\nprint('x' * 10**6, file=sys.stderr)\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [*sys.path, tmp_path])
    with only_plugins(file):
        check_custom_components(study_of(activation="square"))


def test_a_process_that_ends_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error contains the last line of the process."""
    (file := tmp_path / "square.py").write_text(SQUARE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(component_trials, "_PROGRAM", "sys.exit('no more')")
    with only_plugins(file), pytest.raises(sweep.SweepError, match="ended early: no more"):
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
@compiled_only
@pytest.mark.usefixtures("own")
def test_on_a_cluster(tmp_path: Path) -> None:
    """Workers get components from the call, not from the results folder."""
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    study = study_of(**QUICK)
    expected = sweep.run(study)
    found = sweep.run(study, tmp_path / "out", cluster="local:2")
    assert_same_table(found.runs(), expected.runs())
    assert os.listdir(tmp_path / "out" / "parts")
