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
from sweep.terminal.printed import print_comparison
from tests.sweep.support import assert_refused, command, make_study

OPTIONS: dict[str, Any] = {"hidden": [2, 3], "max_steps": 200, "threshold": 0.4}


@pytest.fixture(scope="module")
def both() -> Result:
    """Train one study of both learning rates."""
    return sweep.run(make_study(count=20, learning_rate=[0.1, 0.2], **OPTIONS))


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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Store a study of two parameters."""
    out = tmp_path_factory.mktemp("compared") / "r"
    sweep.run(make_study(count=20, learning_rate=[0.1, 0.2], **OPTIONS), out=out)
    return out


def test_best_is_printed(folder: Path, both: Result) -> None:
    """The command ranks the cells and prints how many may be the best."""
    finished = command("best", folder)
    assert finished.code == 0
    ranked, _, _ = finished.out.partition("contenders")
    lines = [line for line in ranked.splitlines() if re.match(r" *\d+ +\d+ ", line)]
    rows = [line.split() for line in lines]
    best = both.best()
    assert [(int(row[0]), int(row[1])) for row in rows] == list(zip(best["rank"], best["cell"], strict=True))
    n = int(best["may_be_best"].sum())
    assert f"{n} of 4 cells may be the best (95 % confidence)" in finished.out
    assert sum("may be the best" in line for line in lines) == n
    assert len(command("best", folder, "--by", "expected_steps", "--top", "2").out.splitlines()) < len(
        finished.out.splitlines()
    )


def test_comparisons_are_printed(folder: Path, both: Result) -> None:
    """Each comparison is a line with rates, difference and p-values."""
    (row,) = both.compare("hidden", []).to_dict("records")
    finished = command("compare", folder, "--vary", "hidden")
    assert finished.code == 0
    difference = f"{100 * row['difference']:+.1f} [{100 * row['difference_low']:+.1f}, "
    assert difference in finished.out
    assert f"{100 * row['first_rate']:.1f}" in finished.out
    assert len(command("compare", folder, "--vary", "hidden", "--by", "learning_rate").out.splitlines()) > len(
        finished.out.splitlines()
    )
    assert "first" in command("compare", folder, folder).out


def test_steps_are_printed(tmp_path: Path) -> None:
    """A second table has the ratio of expected steps and the difference of mean steps, with their limit."""
    result = sweep.run(make_study(count=20, hidden=[8, 16], learning_rate=0.03, max_steps=200), out=tmp_path)
    (row,) = result.compare("hidden").to_dict("records")
    out = command("compare", tmp_path, "--vary", "hidden", "--margin", "0.999").out
    ratio, low, high = (f"{row[f'expected_steps_ratio{end}']:.3g}" for end in ("", "_low", "_high"))
    assert f"{ratio} [{low}, {high}]" in out
    difference, low, high = (f"{row[f'restricted_mean_difference{end}']:+,.0f}" for end in ("", "_low", "_high"))
    assert f"{difference} [{low}, {high}]" in out
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


@pytest.mark.parametrize(("columns", "whole"), [(80, False), (120, True)])
def test_tables_fit_the_screen(
    both: Result, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int, *, whole: bool
) -> None:
    """A narrow screen omits columns, which the title names; no column is cut."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    print_comparison(both.compare("learning_rate", [], margin=0.05), [], None)
    rates, steps = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).split("\n\n")
    assert ("seeds need a screen" in rates) != whole
    assert ("seeds" in rates.splitlines()[3]) == whole
    assert "faster runs need" not in steps or not whole
    tables = [line for line in [*rates.splitlines()[1:-1], *steps.splitlines()[1:-3]] if line.strip()]
    assert max(map(len, tables)) <= columns


def test_a_side_that_never_converges_is_named(folder: Path, both: Result) -> None:
    """The table names the side instead of an infinite ratio."""
    assert (both.compare("hidden", [])["first_rate"] == 0).all()
    out = command("compare", folder, "--vary", "hidden").out
    assert "first never converges" in out
    assert "inf" not in out
    assert "nan" not in out


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
def test_errors(folder: Path, options: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Invalid options are errors in one sentence."""
    assert_refused(command(options[0], folder, *options[1:]), expected)


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
