"""Custom components on the command line: `--plugin FILE`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sweep.own import FILE, only_plugins
from tests.sweep.support import assert_refused, command

MEASURES = Path(__file__).parents[1] / "custom_measures.py"
CHANGES = [option for change in ("optimizer=quickprop", "mu=1.75,2", "hidden=2") for option in ("--set", change)]


@pytest.mark.slow
def test_plugin(place: Path) -> None:
    """Commands that read or train a study need `--plugin`; commands that only read results do not."""
    small = ["--set", "seeds.count=3", "--set", "max_steps=20"]
    with only_plugins():
        planned = command("plan", "mine.toml", *CHANGES, "--plugin", FILE)
        assert planned.code == 0, planned
        assert "mu" in planned.out
        trained = command("run", "mine.toml", *CHANGES, *small, "--plugin", FILE)
        assert trained.code == 0, trained
    with only_plugins():
        shown = command("show", "results/mine", "--by", "mu")
        assert shown.code == 0, shown
        assert "1.75" in shown.out
        assert command("verify", "results/mine").code == 0
        assert_refused(command("trace", "results/mine", "--run", "3"), ("optimizer 'quickprop'", "--plugin FILE"))
        assert_refused(command("weights", "results/mine"), ("optimizer 'quickprop'", "--plugin FILE"))
        assert command("trace", "results/mine", "--run", "3", "--plugin", FILE).code == 0
    with only_plugins():
        assert command("weights", "results/mine", "--plugin", FILE).code == 0
    with only_plugins():
        assert command("verify", "results/mine", "--sample", "2", "--plugin", FILE).code == 0


def test_without_plugin(place: Path) -> None:
    """Without the file its components are unknown. A file without components is refused."""
    (place / "empty.py").write_text("import sweep\n")
    with only_plugins():
        assert_refused(command("plan", "mine.toml", "--set", "optimizer=quickprop"), ("'quickprop'", "must be one of"))
        assert_refused(command("plan", "mine.toml", "--set", "mu=2"), ("unknown key 'mu'",))
        assert_refused(command("plan", "mine.toml", "--plugin", "empty.py"), ("declares no component",))
        assert_refused(command("plan", "mine.toml", "--plugin", "none.py"), ("none.py", "cannot be read"))


def test_explain_custom_components(place: Path) -> None:
    """`sweep explain` describes the settings in a plugin with their limits."""
    with only_plugins():
        explained = command("explain", "mu", "--plugin", FILE)
        assert "\nmu: " in explained.out
        assert "above 0.0; default 1.75; used with optimizer quickprop" in explained.out
        assert "swish" in command("explain", "activation", "--plugin", FILE).out


def test_explain_custom_measures_and_statistics(place: Path) -> None:
    """`sweep explain` has label, unit and docstring of measures and statistics in a plugin."""
    statistic = '@sweep.statistic(unit="update")\ndef easy(runs):\n    """Steps of easy runs."""\n    return 1.0\n'
    (place / "both.py").write_text(f"{MEASURES.read_text()}\n\n{statistic}")
    described = "entropy: mean cross entropy, in nat; mean cross entropy; inf if diverged"
    with only_plugins():
        assert "Unit: update." in command("explain", "easy", "--plugin", "both.py").out
        for name in ("entropy", "measures"):
            explained = " ".join(command("explain", name, "--plugin", "both.py").out.split())
            assert described in explained
        assert ", absolute_sum, entropy, flipped;" in explained
        assert "absolute_sum: absolute sum, in weight; Sum of the absolute values" in explained
