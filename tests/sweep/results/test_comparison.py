"""Comparisons of two results, and the output of `sweep best` and `sweep compare`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import sweep
from sweep import Result, SweepError
from sweep.results.comparison import Pairing
from tests.sweep.support import assert_refused, command, make_study

OPTIONS: dict[str, Any] = {"hidden": [2, 3], "max_steps": 200, "threshold": 0.4}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Train one study of both learning rates."""
    study = make_study(count=20, learning_rate=[0.1, 0.2], **OPTIONS)
    return sweep.run(study, tmp_path_factory.mktemp("compared") / "r")


def alone(rate: float, count: int = 20, **options: Any) -> Result:
    """Train a study of one learning rate, which is not swept."""
    return sweep.run(make_study(**{"count": count, "learning_rate": rate, **OPTIONS, **options}))


@pytest.mark.parametrize("by", [[], ["hidden"]])
def test_two_results_as_two_values(both: Result, by: list[str]) -> None:
    """Two studies compare as the values of a parameter of one study do."""
    expected = both.compare("learning_rate", by).drop(columns=["first", "second"])
    compared = Pairing(alone(0.1), alone(0.2)).compare(by)
    assert set(compared["first"]) == {"small learning_rate 0.1"}
    assert set(compared["second"]) == {"small learning_rate 0.2"}
    pd.testing.assert_frame_equal(compared.drop(columns=["first", "second"]), expected)


def test_a_value_that_one_study_fixes(both: Result) -> None:
    """Cells are paired by parameters that either study sweeps; the same runs never differ."""
    compared = Pairing(both, alone(0.2)).compare(["hidden"])
    assert list(compared["n_pairs"]) == [20, 20]
    assert (compared["p_value"] == 1.0).all()
    assert (compared["difference"] == 0.0).all()


@pytest.mark.wide
def test_sizes_of_several_layers(both: Result) -> None:
    """A number of units is the same as a text of one number."""
    compared = Pairing(both, alone(0.2, hidden=["3", "2-2"])).compare(["hidden"])
    assert compared[["hidden", "n_pairs", "difference"]].to_numpy().tolist() == [["3", 20, 0.0]]


def test_seeds_in_both() -> None:
    """Only common seeds count."""
    compared = Pairing(alone(0.1), alone(0.2, base=15)).compare([])
    assert list(compared["n_seeds"]) == [5]
    with pytest.raises(SweepError, match="no seed in common"):
        Pairing(alone(0.1), alone(0.2, base=20))


def test_unpaired_cells_and_seeds_are_reported(tmp_path: Path) -> None:
    """The command prints how many cells and seeds of each result are not compared."""
    for name, rates, count in (("a", [0.1, 0.2], 20), ("b", [0.2, 0.3, 0.4], 15)):
        sweep.run(make_study(count=count, learning_rate=rates, **OPTIONS), out=tmp_path / name)
    out = command("compare", tmp_path / "a", tmp_path / "b").out
    assert "2 of 4 cells and 5 of 20 seeds of the first result; 4 of 6 cells of the second result" in out
    assert "not compared" not in command("compare", tmp_path / "a", tmp_path / "a").out


def test_what_cannot_be_paired(both: Result) -> None:
    """Results without a common cell, and unknown names, are errors."""
    with pytest.raises(SweepError, match="no cell in common: no combination of learning_rate, hidden"):
        Pairing(both, alone(0.3))
    with pytest.raises(SweepError, match="'scale' is not swept"):
        Pairing(both, alone(0.2)).compare(["scale"])


def test_equivalence_is_printed(tmp_path: Path) -> None:
    """With a margin the first table has a column; the second one names the limit of steps."""
    sweep.run(make_study(count=20, hidden=[8, 16], learning_rate=0.03, max_steps=200), out=tmp_path)
    out = command("compare", tmp_path, "--vary", "hidden", "--margin", "0.999").out
    assert "counts as 200, the smaller of the two step limits" in out
    assert re.search(r"equivalent *\n─+ *\n.* yes ", out)
    assert "equivalent" not in command("compare", tmp_path, "--vary", "hidden").out
    assert "not proven" in command("compare", tmp_path, "--vary", "hidden", "--margin", "0.001").out


@pytest.mark.wide
def test_data_of_one_side_alone() -> None:
    """Cells with different data have no partner."""
    tables = make_study(count=2, hidden=2).canonical()
    data, swept = {"task": "noise", "n": 4, "n_inputs": 2}, tables["parameters"] | {"data_seed": {"values": [1, 2]}}
    others = sweep.run(sweep.Study(**tables | {"data": data, "parameters": swept}))
    with pytest.raises(SweepError, match="no cell in common"):
        Pairing(sweep.run(make_study(count=2, hidden=2)), others)


def test_limits_that_differ(tmp_path: Path) -> None:
    """If pairs have different step limits, no number is printed."""
    sweep.run(make_study(count=2, hidden=[2, 3], learning_rate=0.03, max_steps=[5, 9]), out=tmp_path)
    assert "counts as the smaller of the two step limits" in command("compare", tmp_path, "--vary", "hidden").out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("best", "--by", "speed"), ("unknown statistic 'speed'; known: ", "expected_steps")),
        (("best", "--by", "acuracy"), ("unknown statistic 'acuracy'; did you mean 'test_accuracy'?",)),
        (("best", "--top", "0"), ("top: must be an integer from 1, got 0",)),
        (("compare",), ("must have one of --vary NAME", "got neither; swept: learning_rate, hidden")),
        (("compare", "--vary", "hiden"), ("'hiden' is not swept", "did you mean 'hidden'")),
        (("compare", "--vary", "hidden", "--by", "hidden"), ("'hidden' occurs twice",)),
        (("compare", "--vary", "hidden", "--margin", "5"), ("margin: must be", "above 0 and below 1", "got 5.0")),
    ],
)
def test_errors(both: Result, options: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Invalid options are errors in one sentence."""
    assert_refused(command(options[0], str(both.directory), *options[1:]), expected)


def test_the_only_swept_parameter_is_compared(tmp_path: Path) -> None:
    """Without --vary the command compares the values of the one parameter that is swept."""
    folder = str(tmp_path / "r")
    sweep.run(make_study(count=3, hidden=2, learning_rate=[0.1, 0.2]), out=folder)
    assert command("compare", folder).out == command("compare", folder, "--vary", "learning_rate").out != ""
    assert_refused(command("compare", folder, "--by", "learning_rate"), ("got neither; swept: learning_rate",))


def test_names_alone_or_in_a_list(both: Result) -> None:
    """A single name may be a string."""
    pd.testing.assert_frame_equal(both.compare("hidden", "learning_rate"), both.compare("hidden", ["learning_rate"]))
    pd.testing.assert_frame_equal(both.summarize("hidden"), both.summarize(["hidden"]))
    pd.testing.assert_frame_equal(both.incidence("hidden"), both.incidence(["hidden"]))
    with pytest.raises(SweepError, match="by: must be one or more parameters"):
        both.summarize([])


def test_two_results_by_measures(tmp_path: Path) -> None:
    """Measures of two studies compare like those of two values of one study, also without a criterion."""
    options = {"hidden": [2, 3], "max_steps": 20, "criterion": "none"}
    both = sweep.run(make_study(count=12, **options, learning_rate=[0.1, 0.2]))
    names = ["first", "second"]
    for rate in (0.1, 0.2):
        sweep.run(make_study(count=12, **options, learning_rate=rate), tmp_path / str(rate))
    pairing = Pairing(*(sweep.open_result(tmp_path / name) for name in ("0.1", "0.2")))
    for by in ([], ["hidden"], ["hidden", "max_error"], ["n_correct"]):
        expected = both.compare("learning_rate", by).drop(columns=names)
        pd.testing.assert_frame_equal(pairing.compare(by).drop(columns=names), expected)
    with pytest.raises(SweepError, match="criterion 'none'"):
        pairing.compare(["rate"])
    with pytest.raises(SweepError, match=r"margin: .* final_loss"):
        pairing.compare([], margin=0.05)
    shown = command("compare", tmp_path / "0.1", tmp_path / "0.2", "--by", "hidden")
    assert shown.code == 0, shown.err
    assert shown.out.startswith("final training loss\n")
