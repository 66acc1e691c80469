"""Candidates give the same bits, and the fastest is chosen only where it is faster than the noise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from kernels import candidates
from kernels.recipe import Recipe, make_settings
from kernels.tuning import Tuning, tuning_here
from kernels.variant import Variant
from tests.kernels.cases import Case, covering_cases
from tests.kernels.compare import assert_as_oracle
from tests.kernels.specs import TUNINGS, Spec
from tests.rings import one_in

# One of these is the fastest of both stages.
ROWS = Tuning(row_bytes=128, turns=2)
BEST = ROWS._replace(unrolled_units=0)


def _variant_of(spec: Spec, hidden: int) -> Callable[[Tuning], Variant]:
    trainer = spec.trainer(None)
    return lambda tuning: trainer.with_tuning(tuning).variant(hidden, make_settings(1, max_steps=10))


def _all(guess: Tuning, variant_of: Callable[[Tuning], Variant], recipe: Recipe) -> Iterator[Tuning]:
    """Yield every tuning that may be measured, whichever is the fastest in the first stage."""
    for first in candidates._rows_and_turns(guess, variant_of(guess), recipe):
        yield first
        yield from candidates._further(first, variant_of(first), recipe)


@pytest.mark.parametrize("case", one_in(3, covering_cases()[:: len(covering_cases()) // 8]), ids=str)
def test_candidates_as_oracle(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Candidates compose with all components and options, and none changes a bit."""
    random = np.random.default_rng(len(str(case)))
    variants = {}
    for tuning in _all(Tuning(), _variant_of(case.spec, case.hidden), case.spec.recipe):
        variants.setdefault(_variant_of(case.spec, case.hidden)(tuning), tuning)
    assert len(variants) >= 3  # rows of one, two and four registers
    for number in random.choice(len(variants), 2, replace=False):
        monkeypatch.setitem(TUNINGS, "candidate", list(variants.values())[number])
        assert_as_oracle(replace(case.spec, tuning="candidate"), case.draw(int(number)))


def _speed_of(speeds: dict[Tuning, float], noise: float) -> tuple[Callable[[Tuning], float], Counter[Tuning]]:
    """Return a timer of tunings with these speeds, by default 1, and how often each was timed."""
    random, calls = np.random.default_rng(5), Counter[Tuning]()

    def speed(tuning: Tuning) -> float:
        calls[tuning] += 1
        return float(speeds.get(tuning, 1.0) * random.lognormal(0.0, noise))

    return speed, calls


def test_fastest_of_both_stages() -> None:
    """The second stage varies the fastest of the first, and losers are not timed to the end."""
    speed, calls = _speed_of({ROWS: 1.2, BEST: 1.3, Tuning(row_bytes=256, turns=1): 0.5}, 0.05)
    spec = Spec("relu")
    found = candidates.fastest(Tuning(), _variant_of(spec, 2), spec.recipe, speed)
    assert found.tuning == BEST
    assert found.gain == pytest.approx(1.3, rel=0.05)
    assert calls[Tuning(row_bytes=256, turns=1)] <= 1 + candidates._HEATS[0]
    assert calls[Tuning()] > 2 * candidates._ROUNDS


def test_differences_within_noise_choose_nothing() -> None:
    """The first guess stays in nine of ten races where the best candidate is 2 % faster and times vary by 3 %."""
    spec = Spec("tanh")
    variant_of = _variant_of(spec, 8)
    speed, _ = _speed_of({ROWS: 1.02}, 0.03)
    kept = [candidates.fastest(Tuning(), variant_of, spec.recipe, speed).tuning == Tuning() for _ in range(100)]
    assert np.mean(kept) > 0.9


def test_first_guess_is_a_candidate() -> None:
    """Each variant is measured once, and the first guess is always among them."""
    spec = Spec("sigmoid", dtype="float32")
    speed, calls = _speed_of({}, 0.0)
    found = candidates.fastest(tuning_here(), _variant_of(spec, 3), spec.recipe, speed)
    assert found == (tuning_here(), 1.0, len(calls))
    assert len(set(map(_variant_of(spec, 3), calls))) == len(calls)
