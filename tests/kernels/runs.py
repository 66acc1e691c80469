"""Runs for tests: initial weights, settings and seeds, drawn so that runs end in every way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kernels.settings import SETTINGS, make_settings
from tests.kernels.specs import Spec
from tests.kernels.support import Array
from tests.oracle.training import shared_parameters


@dataclass(frozen=True)
class Runs:
    """Initial weights (R, P), settings (R,) and the seeds of shuffled orders (R,)."""

    weights: Array
    settings: Array
    seeds: Array

    def __len__(self) -> int:
        """Count the runs."""
        return len(self.weights)

    def __getitem__(self, runs: Any) -> Runs:
        """Select runs by anything that indexes an array to an array."""
        return Runs(self.weights[runs], self.settings[runs], self.seeds[runs])

    def having(self, **changes: Any) -> Runs:
        """Change weights, seeds or settings of all runs, by name."""
        parts = {"weights": self.weights, "settings": self.settings.copy(), "seeds": self.seeds}
        for name, value in changes.items():
            if name in SETTINGS.names:
                parts["settings"][name] = value
            else:
                parts[name] = value
        return Runs(**parts)


def make_runs(weights: ArrayLike, dtype: str = "float64", **settings: Any) -> Runs:
    """Make runs of ``weights`` with settings by name: a number for all runs, or one for each."""
    rows = np.asarray(weights, dtype)
    usual = {"learning_rate": 0.1, "threshold": 1e-3, "max_steps": 10}
    return Runs(rows, make_settings(len(rows), **(usual | settings)), np.arange(len(rows)))


def join(*parts: Runs) -> Runs:
    """Concatenate runs."""
    return Runs(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("weights", "settings", "seeds")))


def draw_weights(spec: Spec, hidden: int, count: int, seed: int) -> Array:
    """Draw ``count`` networks of ordinary weights."""
    random = np.random.default_rng(seed)
    size = (count, spec.n_parameters(hidden))
    weights = random.normal(0.0, random.uniform(0.3, 1.5, (count, 1)), size).astype(spec.dtype)
    shapes = spec.recipe.architecture.shapes((*spec.below, hidden) if spec.below else hidden)
    for first, *others in shared_parameters(shapes, spec.share):
        for other in others:
            weights[:, other] = weights[:, first]
    return weights


@dataclass(frozen=True)
class Kinds:
    """Which settings of drawn runs differ from run to run."""

    output_rate: str = "same"  # as the other learning rate, or "own", or "zero"
    divergence_threshold: str = "none"  # or "own"
    from_step: str = "start"  # or "own"


# Powers of ten between which learning rates are ordinary.
RATES = {"gd": (-2, 0), "momentum": (-2.5, -0.5), "nesterov": (-2.5, -0.5)}
OTHER_RATES = (-3.0, -0.5)


def draw_runs(spec: Spec, hidden: int, count: int, seed: int, most_steps: int, kinds: Kinds | None = None) -> Runs:
    """Draw runs that converge, stall (no update is large enough), diverge or exhaust their steps.

    Of ten runs five have an ordinary learning rate, two have one that moves nothing and an optimizer that remembers
    nothing, and three have a rate that is too large. A fifth of the step limits is 0 or 1. The runs are shuffled.
    """
    kinds, random = kinds or Kinds(), np.random.default_rng(seed)
    kind = random.permutation(np.arange(count) % 10)
    still, huge = kind < 2, kind >= 7
    rate = 10.0 ** random.uniform(*RATES.get(spec.optimizer, OTHER_RATES), count)
    rate[still] = 1e-30
    rate[huge] = 10.0 ** random.uniform(1, 30, int(huge.sum()))
    max_steps = random.integers(2, most_steps, count, endpoint=True)
    max_steps[random.random(count) < 0.2] = random.integers(0, 2)
    max_steps[0], max_steps[-1] = 0, most_steps
    settings = {
        "learning_rate": rate,
        "threshold": random.choice((1e-3, 0.1, 0.6, 1.2, 3.0), count),
        "max_steps": max_steps,
        **_draw_kinds(kinds, rate, random),
    }
    for setting in (each for each in spec.recipe.settings if each.case):
        limit = () if setting.at_least is None else (setting.at_least,)
        drawn = random.choice((setting.default, *setting.case.values, *limit), count)
        remembers = setting.at_least == 0 and setting.below == 1
        settings[setting.name] = np.where(still & remembers, 0.0, drawn)
    if spec.schedule != "constant":
        settings["schedule_steps"] = random.choice((0, 1000), count)
    if spec.sets != "one":
        settings["patterns"] = random.integers(0, len(spec.pattern_sets), count)
    runs = make_runs(draw_weights(spec, hidden, count, seed + 1), spec.dtype, **settings)
    return runs.having(seeds=random.integers(0, 2**32, count))


def _draw_kinds(kinds: Kinds, rate: Array, random: np.random.Generator) -> dict[str, Array]:
    """Draw the settings that differ from run to run."""
    count, drawn = len(rate), {}
    if kinds.output_rate == "own":
        own = np.minimum(rate * 10.0 ** random.uniform(-1, 1, count), 1e30)
        drawn["output_learning_rate"] = np.where(random.random(count) < 0.3, np.nan, own)
    if kinds.output_rate == "zero":
        drawn["output_learning_rate"] = np.zeros(count)
    if kinds.divergence_threshold == "own":
        drawn["divergence_threshold"] = random.choice((2.0, 20.0, 1e6, np.inf), count)
    if kinds.from_step == "own":
        drawn["from_step"] = random.integers(0, 4, count)
    return drawn
