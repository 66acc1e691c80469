"""What the README says is so: its commands, its study, its Python and its recipes run, in the order given."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

import sweep
from kernels import vocabulary
from sweep.cli.app import app
from sweep.cli.outputs import app as outputs
from sweep.cli.results import app as results
from sweep.cli.studies import app as studies
from sweep.results import sentences
from sweep.study.options import OPTIONS
from tests.sweep.support import command

ROOT = Path(__file__).parents[1]
README, MAKEFILE = ((ROOT / name).read_text("utf-8") for name in ("README.md", "Makefile"))
BLOCKS = re.findall(r"^```(sh|toml|python|text)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
MAX_LINES = 200

# Rows that name options of the vocabulary: of activations, losses and optimizers, and of their settings.
OF_VOCABULARY = re.compile(r"\| \| (`activation`|`loss`|`optimizer`|.* of options that take them: )")


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return [text for kind, text in BLOCKS if kind == language]


def test_length() -> None:
    assert len(README.splitlines()) <= MAX_LINES


def test_first_commands_are_goals_of_make() -> None:
    goals = [line.split()[1] for line in blocks("sh")[0].splitlines()]
    assert goals == ["run", "test"]
    for goal in goals:
        assert re.search(rf"^{goal}:", MAKEFILE, re.MULTILINE)


def test_study_is_that_of_the_python_example() -> None:
    (text,) = blocks("toml")
    study = sweep.Study(**tomllib.loads(text))
    assert study.n_runs == 27_000
    found: dict[str, sweep.Study] = {}
    creation = blocks("python")[0].partition("result =")[0]
    exec(compile(creation, "README", "exec"), found)
    assert found["study"].parameters == study.parameters
    assert found["study"].network == study.network


def run_line(line: str) -> None:
    """Run one line of a shell block, studies but the first with few seeds."""
    words = shlex.split(line, comments=True)
    if words[0] != "sweep":
        subprocess.run(["sh", "-c", line], check=True)
        return
    few = ["--set", "seeds.count=4"] if words[1] == "run" and "--set" in words else []
    few += ["--set", "hidden=4,8"] if few and "activation=relu,tanh,sigmoid" in words else []  # fewer kernels
    finished = command(*words[1:], *few)
    assert finished.code == 0, f"{line}: {finished.err}"
    assert finished.out, line


def assert_printed(told: str, printed: str) -> None:
    """Check that a block of the README is what the command prints, but for the table between and for seconds."""
    head, *answer = told.splitlines()
    assert re.fullmatch(
        r"xor: 91,000 runs in 91 cells, 102,484,405 steps in [\d.]+ s of training \(.* per second\)", head
    )
    lines = printed.splitlines()
    assert lines[0].partition(" in ")[0] == head.partition(" in ")[0]
    assert [line for line in answer if line not in lines] == []


def test_recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Every block but the commands of make runs, in the order of the README, in one folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    for language, text in BLOCKS:
        if language == "toml":
            Path("tanh.toml").write_text(text)
            assert command("run", "tanh.toml", "--set", "seeds.count=2").code == 0
        elif language == "python" and "@sweep." in text:
            assert "`quickprop.py` holds" in README
            Path("quickprop.py").write_text(text)
            run_line(next(line for line in re.findall("`(.*?)`", README) if "--plugin quickprop.py" in line))
        elif language == "python":
            exec(compile(text, "README", "exec"), {})
        elif language == "sh" and not text.startswith("make"):
            for line in text.splitlines():
                run_line(line)
    assert "convergence_rate" in capsys.readouterr().out
    assert_printed(blocks("text")[0], command("run", "xor").out)
    assert Path("map.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in Path("results").iterdir()} == {
        *("tanh-xor", "tanh-100", "activations", "or", "quickprop", "xor")
    }


def test_what_is_said_of_linear_networks() -> None:
    """The numbers of studies that the README names."""
    assert "No linear network learns XOR (`sweep run linear-xor`: 0 of 3,000)" in README
    assert "but all learn the notebook's table" in README
    assert "(`linear-seed`)" in README
    for name, converged in (("linear-xor", 0), ("linear-seed", 3_000)):
        assert sweep.run(sweep.load_study(name), keep="cells").cells["n_converged"].sum() == converged


def test_every_table_has_a_header() -> None:
    """Rows without one are no table where the page is read."""
    for table in re.findall(r"(?:^\|.*\n)+", README, re.MULTILINE):
        assert re.fullmatch(r"\|(---\|)+", table.splitlines()[1]), table.splitlines()[0]


def test_every_command_is_listed() -> None:
    for registered in [each for part in (app, studies, results, outputs) for each in part.registered_commands]:
        assert registered.callback is not None
        assert f"`sweep {registered.name or registered.callback.__name__}" in README


def test_every_key_of_a_study_is_listed() -> None:
    study = sweep.Study(data={"task": "xor"}, network={"hidden": 2}, training={"learning_rate": 0.1})
    for key in [*study.fixed(), "task", "file", "inputs", "targets", "base", "count"]:
        assert f"`{key}`" in README


def rows_of_the_vocabulary() -> list[str]:
    """Return the rows of the README's table of keys that name words of the vocabulary, in their order."""

    def names(words: Iterable[str]) -> str:
        return ", ".join(f"`{word}`" for word in words)

    def settings(table: str) -> str:
        own = [setting for name, setting in vocabulary.OWN.items() if OPTIONS[name].section == table]
        defaults = ", ".join(f"{setting.default:g}" for setting in own)
        named = names(setting.name for setting in own)
        return f"| | {named} | of words that take them: `sweep explain NAME` | {defaults} |"

    outputs = names(vocabulary.OVER_OUTPUTS)
    return [
        f"| | `activation`, `output` | {names(vocabulary.ACTIVATIONS)}; `output` also {outputs} | `relu`, `identity` |",
        settings("network"),
        f"| | `loss` | {names(vocabulary.LOSSES)}; `sse`, `mse`: sum, mean of `squared` | `sse` |",
        f"| | `optimizer`, `schedule` | {names(vocabulary.OPTIMIZERS)}; {names(vocabulary.SCHEDULES)} | `gd`, "
        "`constant` |",
        settings("training"),
    ]


def test_options_are_listed() -> None:
    """`python -m tests.test_readme` writes these rows, after an option was added."""
    assert [line for line in README.splitlines() if OF_VOCABULARY.match(line)] == rows_of_the_vocabulary()


def write_options() -> None:
    """Write the rows of the vocabulary into the README."""
    rows = iter(rows_of_the_vocabulary())
    lines = [next(rows) if OF_VOCABULARY.match(line) else line for line in README.splitlines()]
    (ROOT / "README.md").write_text("\n".join(lines) + "\n", "utf-8")


def test_answer_is_that_of_the_published_result() -> None:
    """Its first interval, the comparison of cells and errors of effects take rows, which are not published."""
    printed = [line for line in blocks("text")[0].splitlines() if line.split()[0] in ("of", "best")]
    answers = sentences.answer(sweep.open_result(ROOT / "results/published/xor"))[:2]
    rows = re.compile(r" \[[\d., ]+\](?= converged;)|; [^;]+ cell[^;]+$")
    assert [rows.sub("", line) for line in printed] == [rows.sub("", line) for line in answers]


if __name__ == "__main__":
    write_options()
