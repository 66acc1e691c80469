"""Plugins: each fault is one sentence, with the line of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

import sweep
from kernels.custom.registry import declared_components
from kernels.custom.source import ComponentError
from tests.sweep.own import only_plugins
from tests.sweep.support import refused

SHARE = 0.5
HEAD = "import math\nimport numpy as np\nimport sweep\nfrom sweep.lanes import select\nSOME = [1.0]\nBIG = 1e400\n"
OPTIMIZER = "@sweep.optimizer\n"

CASES = {
    "def gd(p, g, rate):\n    return p - g\n": "already has a component of this name",
    "def Mine(p, g, rate):\n    return p - g\n": "lower-case letters",
    "def mine(p, g):\n    return p - g\n": "mine must take p, gradient, learning rate, got 2 arguments",
    "def mine(p, g, rate):\n    return p - g, g\n": "must return one value, got a tuple of 2",
    "def mine(p, g, rate):\n    p = p - g\n": "each return must have the same number of values",
    "def mine(p, g, rate=1.0):\n    return p - g\n": "put defaults into settings",
    "def mine(p, g, rate):\n    return p - SOME * g\n": "line 9 of {file}: names must be its arguments",
    "def mine(p, g, rate):\n    return p - BIG * g\n": "line 9 of {file}: names must be its arguments",
    "def mine(p, g, rate):\n    return p - abs(g)\n": "; write absolute(x)",
    "def mine(p, g, rate):\n    return p - np.maximum(g, p)\n": "; write select(x > y, x, y) for the larger",
    "def mine(p, g, rate):\n    return p - np.sign(g)\n": "is not allowed in a formula; write select(x > 0.0,",
    "def mine(p, g, rate):\n    return p - g.mean()\n": "'g.mean()' is not allowed in a formula",
    "def mine(p, g, rate):\n    g = g ** 3.0\n    return p - g\n": "in a formula; write x * x",
    "def mine(p, g, rate):\n    p -= g\n    return p\n": "'p -= g' is not allowed in a formula; write x = x + y",
    "def mine(p, g, rate):\n    if g > 0.0:\n        g = -g\n    return p - g\n": "'if g > 0.0:' is not allowed",
    "def mine(p, g, rate):\n    s = 0.0 < g < 1.0\n    return select(s, p, g)\n": "; write (a < b) & (b < c)",
    "def mine(p, g, rate):\n    s = g > 0.0 and p > 0.0\n    return select(s, p, g)\n": "; write (a > b) & (b > c)",
    "def mine(p, g, rate):\n    f = lambda x: x\n    return f(p)\n": "formula; use assignments",
    "def mine(p, g, rate):\n    import math\n    return p\n": "'import math' is not allowed in a formula",
    "def mine(p, g, rate):\n    assert g\n    return p\n": "'assert g' is not allowed in a formula",
    "def mine(p, g, rate):\n    return select(mask=g > 0.0, chosen=p, otherwise=g)\n": "formula; use assignments",
}


@pytest.mark.parametrize("code", CASES)
def test_functions_that_are_refused(tmp_path: Path, code: str) -> None:
    """A function may only use its arguments, numbers and functions of lanes, and must have the form of its kind."""
    file = tmp_path / "mine.py"
    file.write_text(HEAD + OPTIMIZER + code)
    with only_plugins(), pytest.raises(sweep.StudyError) as caught:
        sweep.load_plugin(file)
    (fault,) = caught.value.faults
    assert CASES[code].format(file=file) in fault
    assert str(file) in fault or "already" in fault or "lower-case letters" in fault


SIX = ", ".join(f"sweep.Setting('s{k}', 1.0, 'one of six')" for k in range(6))


@pytest.mark.parametrize(
    ("states", "settings", "arguments", "value", "fault"),
    [
        ("", "", "t", "t", "mine must take t, steps, got 1 arguments"),
        ("0.0", "", "t, steps, last", "1.0 / t", "mine must return a tuple of 2, got one value"),
        ("1e999", "", "t, steps, last", "last, t", "states: must be at most 5 finite numbers, got (inf,)"),
        ("", SIX, "t, steps, a, b, c, d, e, f", "a / t", "settings: must be at most 5, got 6"),
    ],
)
def test_schedules_that_are_refused(
    tmp_path: Path, states: str, settings: str, arguments: str, value: str, fault: str
) -> None:
    """A schedule takes update, steps, states and at most five settings, and returns a factor and its states."""
    declared = f"@sweep.learning_rate_schedule(states=[{states}], settings=[{settings}])\n"
    file = tmp_path / "mine.py"
    file.write_text(f"import sweep\n\n{declared}def mine({arguments}):\n    return {value}\n")
    with only_plugins(), refused("schedule 'mine'", fault):
        sweep.load_plugin(file)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x = 1\n", "declares no component"),
        ("import sweep\nx = (\n", "line 2: '(' was never closed"),
        ("import sweep\n\nx = 1 / 0\n", "line 3: ZeroDivisionError: division by zero"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, fault: str) -> None:
    """A file that fails is named with its line."""
    file = tmp_path / "mine.py"
    file.write_text(text)
    with only_plugins(), refused("plugin", fault):
        sweep.load_plugin(file)
    with pytest.raises(sweep.StudyError, match="cannot be read"):
        sweep.load_plugin(tmp_path / "none.py")


@pytest.mark.parametrize("n_terms", [2000, 5000])
def test_formulas_that_python_cannot_read(tmp_path: Path, n_terms: int) -> None:
    """They are too long for Python's trees, or for its compiler, which from Python 3.13 on takes longer ones."""
    file = tmp_path / "mine.py"
    file.write_text(f"{HEAD}{OPTIMIZER}def mine(p, g, rate):\n    return {' + '.join(['p'] * n_terms)}\n")
    with only_plugins(), pytest.raises(sweep.StudyError, match="split it into several assignments"):
        sweep.load_plugin(file)


def plain(p, g, rate):  # type: ignore[no-untyped-def]
    return p - rate * g


def halving(p, g, rate):  # type: ignore[no-untyped-def]
    return p - SHARE * g


def test_numbers_are_those_at_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A component computes the source that was hashed: a number that changes later has no effect."""
    with only_plugins():
        assert sweep.optimizer(halving) is halving
        monkeypatch.setitem(globals(), "SHARE", 2.0)
        assert halving(1.0, 1.0, 0.0) == -1.0
        assert declared_components()["halving"].functions["function"](1.0, 1.0, 0.0) == 0.5


def test_closures_and_prompts_are_refused() -> None:
    """Variables of an enclosing function, or of a prompt, are not part of a function's source."""
    share = 0.5

    def mine(p, g, rate):  # type: ignore[no-untyped-def]
        return p - share * g

    with pytest.raises(ComponentError, match="it must not use share of the enclosing function"):
        sweep.optimizer(mine)
    with pytest.raises(ComponentError, match="must be a function defined with def"):
        sweep.optimizer(lambda p, g, rate: p)
    found: dict[str, object] = {}
    exec(compile("def mine(p, g, rate):\n    return p - g\n", "<stdin>", "exec"), found)
    with pytest.raises(ComponentError, match="its source cannot be read; write it in a file or a notebook"):
        sweep.optimizer(found["mine"])
    with pytest.raises(ComponentError, match="clocks, tick and factors need each other"):
        sweep.optimizer(clocks=(1.0,))(plain)
    with pytest.raises(ComponentError, match="at most two, finite numbers or 'learning_rate'"):
        sweep.optimizer(states=("rate",))(plain)
    with pytest.raises(ComponentError, match=r"settings: must be Setting.*got 'mu'"):
        sweep.optimizer(settings=("mu",))(plain)


@pytest.mark.wide
def test_built_in_study_with_components(tmp_path: Path) -> None:
    """A built-in study brings its components, also where a process only reads its result."""
    changes = {"seeds.count": 3, "max_steps": 5}
    with only_plugins():
        result = sweep.run(sweep.load_study("fahlman-4-2-4", changes), out=tmp_path / "quick")
        assert {"hyper", "quickprop", "sigmoid_plus"} <= set(declared_components())
    with only_plugins():
        assert not declared_components()
        assert sweep.verify(tmp_path / "quick", sample=3).faults == []
    assert (result.runs()["steps"] == 5).all()
