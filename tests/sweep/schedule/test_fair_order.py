"""The runs that are trained first represent the whole study."""

from __future__ import annotations

import numpy as np

from sweep import Study
from sweep.schedule.plan import Plan
from tests.sweep.support import make_study


def random_study(random: np.random.Generator) -> Study:
    """Return a grid of up to three parameters, some of which decide the kernel."""
    sizes = random.integers(2, 17, 3)
    parameters = {
        "hidden": list(range(1, int(sizes[0]) + 1)),
        "learning_rate": [0.01 * k for k in range(1, int(sizes[1]) + 1)],
        "scale": [0.1 * k for k in range(1, int(sizes[2]) + 1)],
    }
    chosen = random.permutation(list(parameters))[: random.integers(1, 4)]
    options = {"hidden": 4, "learning_rate": 0.1} | {str(name): parameters[name] for name in chosen}
    return make_study(count=int(10 ** random.uniform(2.6, 3.6)), max_steps=int(10 ** random.uniform(2, 5)), **options)


def runs_of_prefix(plan: Plan, share: float) -> np.ndarray:
    """Return the number of runs of each cell in the first parts, which hold this share of all runs."""
    counts = np.zeros(plan.n_cells, np.int64)
    for index in plan.parts.order():
        cells, n = plan.cells(plan.part(index))
        counts[cells] += n
        if counts.sum() >= share * plan.n_runs:
            break
    return counts


def test_prefixes_have_all_cells() -> None:
    """In 100 random studies, the first runs cover nearly every cell if there are enough of them."""
    random = np.random.default_rng(1)
    for number in range(100):
        plan = Plan(random_study(random))
        counts = runs_of_prefix(plan, (0.05, 0.1, 0.5)[number % 3])
        assert (counts > 0).mean() >= 0.95 or counts.sum() < plan.n_cells
        assert counts.max() <= max(2 * np.median(counts), counts.sum() / plan.n_cells + 16)


def test_means_of_prefixes_are_those_of_studies() -> None:
    """The 95 % interval of the mean rate of 10 % of a study contains the mean rate of the whole in 90 of 100."""
    random, n_held = np.random.default_rng(2), 0
    for _ in range(100):
        plan = Plan(random_study(random))
        n = runs_of_prefix(plan, 0.1)
        trend = sum(np.sin(random.uniform(0, 6) + 6 * plan.grid.place(name, np.arange(plan.n_cells)) / len(values))
                    for name, values in plan.study.parameters.items())  # fmt: skip
        chance = 1 / (1 + np.exp(-2 * trend))
        there = n > 0
        rates = random.binomial(n[there], chance[there]) / n[there]
        of_all = (random.binomial(plan.n_seeds - n, chance).sum() + (rates * n[there]).sum()) / plan.n_runs
        error = np.sqrt((chance[there] * (1 - chance[there]) / n[there]).sum()) / there.sum()
        n_held += abs(rates.mean() - of_all) <= 1.96 * error
    assert n_held >= 90


def test_grids_of_powers_of_two_do_not_alias() -> None:
    """The first 5 % of 16 x 16 cells with 100,000 seeds cover every cell, with about equally many seeds each."""
    parameters = {"hidden": list(range(2, 18)), "learning_rate": [0.01 * k for k in range(1, 17)]}
    counts = runs_of_prefix(Plan(make_study(count=100_000, max_steps=5000, **parameters)), 0.05)
    assert counts.min() > 0
    assert counts.max() <= 2 * counts.min()
