"""``sweep explain`` and ``help(sweep.Study)`` show every key as declared; the shell completes the keys."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
import typer

from kernels.start.names import NAMED_SCALES, scale_of
from sweep import Study, figures
from sweep.analysis.importance import EXPLAINED
from sweep.cli.app import make_app
from sweep.cli.arguments import complete_change, complete_study
from sweep.cli.completions import complete_figure, complete_value
from sweep.figures.statistics import drawable
from sweep.results.answers import column_of
from sweep.study.data.data_table import DATA_OPTIONS, HELD_OUT_ARGUMENTS
from sweep.study.data.tasks import TASKS, make_patterns
from sweep.study.explanations.glossary import entries, glossary
from sweep.study.load import built_in_studies
from sweep.study.options.option_tables import OPTIONS, SECTION_OF
from tests.sweep.support import assert_refused, command, make_study, write_study


def test_every_key_is_listed() -> None:
    """Each key is listed once, under its table, with its meaning."""
    found = entries()
    keys = {name: section for name, section in SECTION_OF.items() if name not in HELD_OUT_ARGUMENTS}
    assert {entry.key: entry.section for entry in found} == keys
    assert len(found) == len(keys)
    assert "noise of the task of test patterns" in " ".join(command("explain", "test_noise").out.split())
    explained = " ".join(command("explain", "test_n").out.split())
    assert explained.startswith("[data.test] test_n: ")
    assert explained.endswith("set as n here, or by --set test_n=VALUE; cannot be swept")
    for name, option in OPTIONS.items():
        if name in HELD_OUT_ARGUMENTS:
            continue
        (entry,) = (each for each in found if each.key == name)
        assert entry.meaning == option.meaning
        assert option.unit in option.meaning or f"; unit: {option.unit}" in entry.facts
        is_size = name in DATA_OPTIONS and DATA_OPTIONS[name].is_size
        assert (option.is_swept and not is_size) == ("cannot be swept" not in entry.facts)
    listed = command("explain").out.partition("\n\nsweep explain NAME")[0]
    assert glossary(entries(), 80) == listed
    lines = listed.splitlines()
    assert max(map(len, lines)) <= 80
    tables = ("data", "network", "initial_weights", "training", "convergence", "restarts", "seeds", "record")
    assert [line for line in lines if line[0] == "["] == [f"[{name}]" for name in tables]


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        (
            "hidden",
            "an integer from 0 (inputs join outputs directly, by v) to 65,536, or for several layers a text such as "
            "8-4; required",
        ),
        ("depth", "an integer from 1 to 8; default 1"),
        ("training.momentum", "a number from 0 to below 1; default 0.9; used with optimizer momentum, nesterov"),
        ("lr", "a number from 0; unit: weight^2/loss; required"),
        ("bias_scale", "a number from 0, or a name as in scale; unit: weight; default scale; used with bias true"),
        ("bias", "true, false; default true"),
        ("batch", "full, online, 1 to the number of patterns; default full"),
        ("generator", "mt19937, pcg64; default mt19937"),
        ("dtype", "float64, float32; default float64"),
        ("count", "an integer from 1 to 4,294,967,296; default 1000; cannot be swept"),
        (
            "task",
            "xor, and, or, seed, boolean, parity, symmetry, negation, addition, encoder, moons, spiral, noise, "
            "monks, monks_all; cannot be swept",
        ),
        (
            "bits",
            "an integer from 1 to 16; default 6 (symmetry), 3 (negation), 2 (addition); used with task boolean, "
            "parity, symmetry, negation, addition; cannot be swept",
        ),
    ],
)
def test_limits_and_defaults(name: str, facts: str) -> None:
    """Allowed values and default follow from the type of a key; any of its names finds it."""
    assert " ".join(command("explain", name).out.split()).partition(" example: ")[0].endswith(facts)


def test_values_are_found_too() -> None:
    """The name of a value finds the keys that allow it, and the keys that it uses."""
    lines = command("explain", "Adam").out.splitlines()
    assert [line.partition(":")[0] for line in lines if line[0] not in " ["] == [
        "optimizer adam",
        "optimizer",
        "beta1",
        "beta2",
        "eps",
    ]
    swish = command("explain", "swish").out
    assert "activation: " in swish
    assert "output: " in swish


@pytest.mark.parametrize(("name", "keys"), [("on", ["on"]),
                                            ("restarts", ["max_restarts", "after_steps", "on", "draw"])])  # fmt: skip
def test_lists_and_sections_are_found_too(name: str, keys: list[str]) -> None:
    """The name of a key finds the key; that of a section finds all its keys."""
    _, _, section = command("explain", name).out.partition("]\n")
    assert [line.partition(":")[0] for line in section.splitlines() if line[0] != " "] == keys
    assert command("explain", "sobol").out == command("explain", "samples").out


def test_tasks_show_their_patterns() -> None:
    """The table of a task shows the order of bits and patterns, if it fits on a screen."""
    rows = [line.split() for line in command("explain", "parity").out.splitlines() if " -> " in line]
    inputs, targets = make_patterns("parity", {"bits": 3})
    assert [[float(number) for number in line if number != "->"] for line in rows] == [
        [*x, *y] for x, y in zip(inputs, targets, strict=True)
    ]
    for task in TASKS:
        out = command("explain", task).out
        assert f"\ntask {task}: " in out
        assert " -> " in out or task in ("moons", "spiral", "noise", "monks", "monks_all")


def test_formulas_of_scales() -> None:
    """The formulas of names in the glossary are the deviations of drawn weights."""
    text = " ".join(command("explain", "scale").out.split()).replace("fan- ", "fan-")
    for name in NAMED_SCALES:
        (formula,) = re.findall(rf"{name}: sqrt\((.+?)\)(?:, [a-z]+:|\), or a table)", text)
        value = eval(formula.replace("fan-in", "3").replace("fan-out", "5"))
        assert math.sqrt(value) == scale_of(name, "normal", 3, 5)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        *((name, ("[parameters]\noptions that are swept",)) for name in ("parameters", "geomspace")),
        *((name, (f"[[{name}]]\n",)) for name in ("samples", "zip", "exclude")),
        ("adam", ("optimizer adam: ", "m = beta1 * m", "source: torch.optim.Adam", "beta1: decay")),
        ("mish", ("activation mish: ", "tanh(softplus(z))")),
        (
            "expected_steps",
            ("expected_steps: ", "(expected running time, ERT).", "formula: (sum over i of t_i) / s"),
        ),
        ("max_error", ("criterion max_error: ", "absolute(y - target) < threshold")),
    ],
)
def test_other_names_are_explained(name: str, parts: tuple[str, ...]) -> None:
    """Forms of swept values, tables of options that vary together, components and statistics are found like options."""
    out = command("explain", name).out
    assert all(part in out for part in parts)


@pytest.mark.parametrize(("name", "order"), [("w[0,1]", "by input and unit"), ("b2[3]", "by unit")])
def test_single_weights_are_explained(name: str, order: str) -> None:
    """Single weights, which can be swept like options, are found too."""
    text = " ".join(command("explain", name).out.split())
    assert text.startswith(f'[parameters] "{name}": a single initial weight of array {name.split("[")[0]}, {order}')
    assert_refused(command("explain", "b[3,1]"), ("unknown name 'b[3,1]'",))


def test_unknown_options() -> None:
    """The answer to other names is that to unknown keys of a study."""
    assert_refused(command("explain", "hiden"), ("unknown name 'hiden'", "did you mean 'hidden'?"))
    assert_refused(command("explain", "dropout"), ("unknown name 'dropout'", "dropout is not supported"))
    assert_refused(command("explain", "xyz"), ("unknown name 'xyz'", "lists all keys"))


def test_help_of_a_study() -> None:
    """The documentation of the class lists every key."""
    documentation = " ".join(str(Study.__doc__).split())
    for entry in entries():
        assert f" {entry.key}: {entry.meaning}" in documentation


def test_completion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell completes names of studies, paths of their files and of folders, keys, and values that are names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.toml").touch()
    (tmp_path / "own.txt").touch()
    (tmp_path / "owner").mkdir()
    assert complete_study("ow") == ["own.toml", "owner/"]
    assert set(complete_study("")) >= set(built_in_studies())
    assert complete_change("learning") == ["learning_rate="]
    assert complete_change("optimizer=n") == ["optimizer=nesterov"]
    assert complete_change("network.activation=t") == ["network.activation=tanh"]
    assert complete_change("hidden=") == []


def complete(*options: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the completions of the last option in bash."""
    monkeypatch.setenv("COMP_WORDS", " ".join(["sweep", *options]))
    monkeypatch.setenv("COMP_CWORD", str(len(options)))
    monkeypatch.setenv("_SWEEP_COMPLETE", "complete_bash")
    with pytest.raises(SystemExit), redirect_stdout(StringIO()) as output:
        typer.main.get_command(make_app()).main(prog_name="sweep")  # type: ignore[attr-defined]
    return output.getvalue().split()


def test_completion_of_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell completes kinds of figures, options, and the parameters and statistics of a result."""
    write_study(tmp_path / "study.toml", make_study(hidden=[2, 3], scale=[1.0, 2.0]))
    ask, folder = partial(complete, monkeypatch=monkeypatch), str(tmp_path)
    assert ask("figure", folder, "s") == ["slice", "steps"]
    assert ask("explain", "nes") == ["nesterov"]
    assert ask("show", folder, "--sort", "m") == ["median_steps", "mean_steps"]
    assert ask("show", folder, "--by", "") == ["learning_rate", "hidden", "scale"]
    names = ["scale", "steps_at_best", "sharpness", "sharpness_at_best"]
    assert ask("best", folder, "--by", "hidden,s") == [f"hidden,{name}" for name in names]
    assert ask("compare", folder, "--vary", "l") == ["learning_rate"]
    assert ask("figure", folder, "lines", "--value", "ma") == ["max_error", "margin", "margin_at_best"]
    assert ask("show", str(tmp_path / "none"), "--by", "") == []
    assert ask("explore", folder, "--x", "h") == ["hidden"]
    assert ask("explore", folder, "--value", "sta") == []
    assert ask("explore", "xor", "--value", "sta") == ["status"]


def test_completed_names_are_known() -> None:
    """Completed names are those of the modules that declare them, which are slow to import."""
    assert complete_figure("") == sorted(figures.KINDS)
    known = [*drawable(), *EXPLAINED]
    assert all(column_of(name, known) in known for name in complete_value(""))


def test_shells_ask_for_completion() -> None:
    """The variables that bash sets result in the names."""
    variables = {"_SWEEP_COMPLETE": "complete_bash", "COMP_WORDS": "sweep run li", "COMP_CWORD": "2"}
    code = "import sys; from sweep.__main__ import main; sys.argv = ['sweep']; main()"
    finished = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert finished.stdout.split() == ["linear-seed", "linear-xor"]
    for option in ("--install-completion", "--show-completion"):
        assert option in command("--help").out


def test_help_does_not_break_within_sentences() -> None:
    """Typer keeps the line breaks of paragraphs after the first, so each of their lines ends a sentence."""
    found = typer.main.get_command(make_app())
    assert len(found.commands) > 12  # type: ignore[attr-defined]
    for name, each in found.commands.items():  # type: ignore[attr-defined]
        for paragraph in str(each.help).split("\n\n")[1:]:
            assert all(line.endswith(".") for line in paragraph.splitlines()), name
