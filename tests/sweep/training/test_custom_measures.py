"""Custom measures: values by hand, the same bits everywhere, read without their code, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

import sweep
from kernels.custom import on_lanes, registry
from kernels.custom.registry import CustomComponent
from kernels.custom.source import ComponentError
from sweep.figures import draw
from sweep.study.load import parse_study
from sweep.training import component_trials
from sweep.training.component_trials import check_custom_components, sent_components, take_components
from tests.sweep.in_parts import run_in_parts
from tests.sweep.own import only_plugins
from tests.sweep.support import assert_same_table

FILE = Path(__file__).parents[1] / "custom_measures.py"
NAMES = ["absolute_sum", "entropy", "flipped"]


@pytest.fixture
def custom() -> Iterator[None]:
    """Load the measures of the file."""
    with only_plugins(FILE):
        yield


def study_of(names: list[str] | None = None, **changes: Any) -> sweep.Study:
    """Return a small study of XOR, some of whose runs diverge, that records custom measures."""
    options: dict[str, Any] = {
        "hidden": [2, "3-2"],
        "learning_rate": [0.1, 1e3],
        "activation": "tanh",
        "divergence_threshold": 1e6,
        "max_steps": 30,
        "seeds.count": 5,
    }
    return sweep.load_study("xor", {**options, "record.measures": NAMES if names is None else names, **changes})


def by_hand(study: sweep.Study, row: dict[str, Any], outputs: np.ndarray) -> dict[str, float]:
    """Compute the measures of a run number by number."""
    start, end = row["initial_weights"], row["final_weights"]
    targets = [target for pattern in study.data.sets[0].targets for target in pattern]
    size, total, n_flipped = 0.0, 0.0, 0
    for p, q in zip(start, end, strict=True):
        size += abs(float(q))
        n_flipped += float(p) * float(q) < 0
    for y, target in zip(outputs.ravel().astype(float), targets, strict=True):
        p = min(max(y, 1e-6), 1 - 1e-6)
        total -= target * math.log(p) + (1 - target) * math.log(1 - p)
    return {"absolute_sum": size, "entropy": total / len(targets), "flipped": n_flipped / len(start)}


@pytest.mark.usefixtures("custom")
@pytest.mark.parametrize(
    "changes", [{}, pytest.param({"dtype": "float32"}, marks=pytest.mark.wide)], ids=["", "float32"]
)
def test_values_by_hand(changes: dict[str, Any]) -> None:
    """Each value equals the formula; diverged runs have the worst value; parts change no bit."""
    study = study_of(**changes, **{"record.weights": "both"})
    result = sweep.run(study)
    assert run_in_parts(study, part_runs=3).facts["digest"] == result.facts["digest"]
    rows = result.runs().to_dict("records")
    assert {row["status"] for row in rows} > {"diverged"}
    for row in rows:
        if row["status"] == "diverged":
            assert [row[name] for name in NAMES] == [math.inf, math.inf, -math.inf]
            continue
        for name, value in by_hand(study, row, sweep.trace(result, row["run"]).predictions).items():
            assert row[name] == pytest.approx(value, rel=1e-12), name


@pytest.mark.usefixtures("custom")
def test_answers(tmp_path: Path) -> None:
    """Ranks, comparisons, tables, figures, replays and checks treat custom measures as they treat others."""
    result = sweep.run(study_of(), out=tmp_path / "result")
    best = result.best("flipped")
    assert best["flipped_q50"].is_monotonic_decreasing
    assert list(result.best(["hidden", "absolute_sum"])["absolute_sum_q50"]) == sorted(
        result.cells["absolute_sum_q50"].groupby(result.cells["hidden"]).min()
    )
    assert result.compare("hidden", ["flipped"])["first_better"].between(0, 1).all()
    assert "absolute_sum_q50" in result.summarize("hidden")
    assert draw(result, "heatmap", value="entropy").axes
    assert not sweep.trace(result, 3).mismatches
    assert sweep.verify(tmp_path / "result", sample=-1).intact


def test_read_without_the_code(tmp_path: Path) -> None:
    """A result is read, ranked and checked without the code; its columns keep label, unit and meaning."""
    with only_plugins(FILE):
        expected = sweep.run(study_of(), out=tmp_path / "result").cells
        text = study_of().to_toml()
    with only_plugins():
        result = sweep.open_result(tmp_path / "result")
        assert_same_table(result.cells, expected)
        assert result.best("flipped")["flipped_q50"].is_monotonic_decreasing
        assert sweep.verify(tmp_path / "result").intact
        assert parse_study(text, "elsewhere").to_toml() == text
        declared = result.study.canonical()["components"]["absolute_sum"]
        assert declared["unit"] == "weight"
        assert declared["meaning"] == "Sum of the absolute values of all weights"
        with pytest.raises(sweep.StudyError, match=r"measure 'flipped': source must have SHA-256 .* none is declared"):
            sweep.trace(result, 3)


def test_the_source_is_part_of_the_identity(tmp_path: Path) -> None:
    """Another formula or label is another study; a new formula under an old name trains by its own source."""
    changed = tmp_path / "changed.py"
    changed.write_text(
        FILE.read_text().replace("return total + absolute(weight)", "return total + 2.0 * absolute(weight)")
    )
    found = []
    for file in (FILE, changed):
        with only_plugins(file):
            found.append(sweep.run(study_of(["absolute_sum"])))
    first, second = found
    assert first.study.identity != second.study.identity
    assert (2 * first.runs()["absolute_sum"] == second.runs()["absolute_sum"]).all()
    changed.write_text(FILE.read_text().replace('"mean cross entropy"', '"doubt"'))
    with only_plugins(FILE):
        study_of()
        sweep.load_plugin(changed)
        with pytest.raises(sweep.StudyError, match="entropy: another measure of this name has"):
            study_of()


@pytest.mark.usefixtures("custom")
def test_other_processes_get_the_source() -> None:
    """Processes that train for this one register the measures of the study from their source."""
    study = study_of()
    sent = sent_components(study)
    with only_plugins():
        take_components(sent)
        check_custom_components(study)
        again = parse_study(study.to_toml(), "sent")
        assert sweep.run(again).facts["digest"] == sweep.run(study).facts["digest"]


@pytest.mark.usefixtures("custom")
def test_refused() -> None:
    """Unknown names, measures of other studies and results without rows are refused as for built-in measures."""
    study_of(["absolute_sum"])
    with (
        mock.patch.object(registry, "_BY_NAME", {}),
        pytest.raises(sweep.StudyError, match=r"record\.measures: absolute_sum is a custom measure; load its file"),
    ):
        study_of(["absolute_sum"])
    with pytest.raises(sweep.StudyError, match="measure 'turn'"):
        study_of(["turn"])
    with pytest.raises(sweep.StudyError, match=r"keep: must be 'runs' with record\.measures"):
        sweep.run(study_of(), keep="cells")


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (
            "@sweep.measure\ndef m(total, weight):\n    return total",
            "m must take total 1, weight, initial, got 2 arguments",
        ),
        (
            "@sweep.measure(over='layers')\ndef m(t, w, i):\n    return t",
            "over: must be one of weights, outputs, got 'layers'",
        ),
        ("@sweep.measure(start=())\ndef m(w, i):\n    return w", "start: must be one to 4 finite numbers"),
        (
            "@sweep.measure(start=(0, 0))\ndef m(t, u, w, i):\n    return t, u",
            "finish: must be a function of 2 totals and n",
        ),
        ("@sweep.measure\ndef m(t, w, i):\n    return t, w", "m must return one value, got a tuple of 2"),
        ("@sweep.measure(label='a\\nb')\ndef m(t, w, i):\n    return t", "label must be a text of at most 200"),
        (
            "@sweep.measure\ndef m(t, w, i):\n    for k in w:\n        t = t + k\n    return t",
            "is not allowed in a formula",
        ),
        ("@sweep.measure\ndef m(t, w, i):\n    return max(t, w)", "names must be its arguments, finite numbers"),
    ],
)
def test_faults_of_declarations(tmp_path: Path, code: str, fault: str) -> None:
    """Functions that do not fit are refused when they are declared, in one sentence."""
    file = tmp_path / "faulty.py"
    file.write_text(f"import sweep\n\n{code}\n")
    with pytest.raises(sweep.StudyError, match=fault), only_plugins(file):
        pass


@pytest.mark.parametrize("name", ["steps", "hidden", "final_loss", "margin"])
def test_taken_names(tmp_path: Path, name: str) -> None:
    """Names of options and of columns are refused."""
    file = tmp_path / "taken.py"
    file.write_text(f"import sweep\n\n@sweep.measure\ndef {name}(total, weight, initial):\n    return total + weight\n")
    with (
        only_plugins(file),
        pytest.raises((sweep.StudyError, ComponentError), match="the name is that of an option or a column") as found,
    ):
        study_of([name])
    assert "unknown measure" not in str(found.value)


@pytest.mark.usefixtures("custom")
def test_different_bits_are_refused() -> None:
    """A measure whose compiled and interpreted values of networks differ cannot be recorded."""

    def differing(component: CustomComponent, dtype: str) -> on_lanes.Results:
        found = on_lanes.results(component, dtype)
        return {**found, "value 0": np.nextafter(found["value 0"], np.inf)}

    with (
        mock.patch.object(component_trials, "_elsewhere", differing),
        mock.patch("kernels.numba.entries.is_there", return_value=False),
        pytest.raises(sweep.StudyError, match="measure 'absolute_sum': its bits with and without the JIT differ"),
    ):
        check_custom_components(study_of(["absolute_sum"]))
