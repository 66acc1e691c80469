"""Choices that were measured are kept beside kernels, decide variants of later processes, and survive damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernels import measured_choices
from kernels.effort import Effort
from kernels.measured_choices import Choice, NetworkClass, keep_choice, measured_choice, tuning_for
from kernels.recipe import make_settings
from kernels.train import Trainer
from kernels.tuning import tuning_here
from tests.kernels.specs import Spec

XOR = NetworkClass.of(Spec("relu").recipe, 2, 4, 1)
FOUR = Choice({"turns": 4, "unrolled_units": 0}, 1.1, "2026-12-01")


@pytest.fixture(autouse=True)
def turned_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use choices, of an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(measured_choices.SWITCH, "on")
    monkeypatch.setattr(measured_choices, "ENABLED", True)
    measured_choice.cache_clear()


def _next_process() -> None:
    measured_choice.cache_clear()


def _trainer(effort: Effort = Effort.MOST) -> Trainer:
    spec = Spec("relu")
    return Trainer(spec.recipe, *spec.patterns, effort=effort)


def test_next_process_takes_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A running process keeps its kernels; the next one takes what was measured, unless that is turned off."""
    settings = make_settings(1, max_steps=10)
    guessed = _trainer().variant(2, settings)
    keep_choice(XOR, FOUR)
    assert measured_choice(XOR) is None
    assert _trainer().variant(2, settings) == guessed
    _next_process()
    assert measured_choice(XOR) == FOUR
    chosen = _trainer().variant(2, settings)
    assert (chosen.packets, chosen.hidden) == (4, None)
    assert _trainer().variant(3, settings).packets == 2  # another class
    _next_process()
    monkeypatch.setenv(measured_choices.SWITCH, "off")
    assert _trainer().variant(2, settings) == guessed


def test_kernels_for_several_classes_take_no_choice() -> None:
    """A kernel of less effort serves networks of several classes, and one that computes every product a few runs."""
    settings = make_settings(1, max_steps=10)
    shared, exact = _trainer(Effort.SHARED).variant(2, settings), _trainer().variant(2, settings, exact=True)
    keep_choice(XOR, Choice({"row_bytes": 16, "turns": 4}, 1.1, "2026-12-01"))
    _next_process()
    assert _trainer(Effort.SHARED).variant(2, settings) == shared
    assert _trainer().variant(2, settings, exact=True) == exact


@pytest.mark.parametrize("damage", [b"", b"damaged", None])
def test_damaged_choice_is_none(tmp_path: Path, damage: bytes | None) -> None:
    """A file that is empty, changed, or that others can write leaves the first guess."""
    keep_choice(XOR, FOUR)
    _next_process()
    (file,) = tmp_path.rglob(f"*.{measured_choices.KIND}")
    if damage is None:
        file.chmod(0o666)
    else:
        file.write_bytes(damage)
    assert measured_choice(XOR) is None
    assert tuning_for(XOR, tuning_here()) == tuning_here()


def test_classes() -> None:
    """Losses and criteria do not decide which kernel is fastest; sizes, patterns and activations do."""
    spec = Spec("relu")
    same = Spec("relu", loss="half_squared", reduction="mean", criterion="none", schedule="cosine")
    assert NetworkClass.of(same.recipe, 2, 4, 1) == XOR
    others = [
        NetworkClass.of(spec.recipe, 3, 4, 1),
        NetworkClass.of(spec.recipe, 2, 8, 1),
        NetworkClass.of(spec.recipe, 2, 4, 3),
        NetworkClass.of(Spec("tanh").recipe, 2, 4, 1),
        NetworkClass.of(Spec("relu", optimizer="adam").recipe, 2, 4, 1),
        NetworkClass.of(Spec("relu", dtype="float32").recipe, 2, 4, 1),
    ]
    assert len({XOR, *others}) == 7
