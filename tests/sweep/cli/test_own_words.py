"""Words of a user's own on the command line: from a file that the command names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sweep.own import FILE, only_words_of
from tests.sweep.support import assert_refused, command

CHANGES = [word for change in ("optimizer=quickprop", "mu=1.75,2", "hidden=2") for word in ("--set", change)]


@pytest.mark.slow
def test_words_option(place: Path) -> None:
    """Commands that read or train a study take files of words; those that read results need none."""
    small = ["--set", "seeds.count=3", "--set", "max_steps=20"]
    with only_words_of():
        planned = command("plan", "mine.toml", *CHANGES, "--words", FILE)
        assert planned.code == 0, planned
        assert "mu" in planned.out
        trained = command("run", "mine.toml", *CHANGES, *small, "--words", FILE)
        assert trained.code == 0, trained
    with only_words_of():
        shown = command("show", "results/mine", "--by", "mu")
        assert shown.code == 0, shown
        assert "1.75" in shown.out
        assert command("verify", "results/mine").code == 0
        assert_refused(command("trace", "results/mine", "--run", "3"), ("'quickprop' needs code", "--words FILE"))
        assert command("trace", "results/mine", "--run", "3", "--words", FILE).code == 0
    with only_words_of():
        assert command("verify", "results/mine", "--sample", "2", "--words", FILE).code == 0


def test_unknown_words(place: Path) -> None:
    """Without the file its words are unknown; a file without any is refused, and no default path is looked at."""
    (place / "words.py").write_text("import sweep\n")
    with only_words_of():
        assert_refused(command("plan", "mine.toml", "--set", "optimizer=quickprop"), ("'quickprop'", "must be one of"))
        assert_refused(command("plan", "mine.toml", "--set", "mu=2"), ("unknown key 'mu'",))
        assert_refused(command("plan", "mine.toml", "--words", "words.py"), ("declares no word",))
        assert_refused(command("plan", "mine.toml", "--words", "none.py"), ("none.py", "cannot be read"))


def test_glossary_explains_them(place: Path) -> None:
    """`sweep words` lists settings of a file with their limits."""
    with only_words_of():
        told = command("words", "mu", "--words", FILE)
        assert "mu: most growth of a change" in told.out
        assert "above 0.0; default 1.75; used with optimizer quickprop" in told.out
        assert "swish" in command("words", "activation", "--words", FILE).out
