"""From what the orders of patterns of each attempt of a run come: its seed, or a stream of NumPy that goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.recipe import Recipe
from kernels.start.streams import draw_turns, numbers_of, random_of, streams_of, turns_before_orders, with_pauses
from sweep.study.axes.grid import Cell
from sweep.study.model import Study
from sweep.training.networks.attempts import Attempt, spawned

Array = NDArray[Any]


class AttemptOrders:
    """The seeds or streams of the latest attempts of runs of one shape.

    With ``order = "continued"`` the generator of a seed draws weights, an order for each epoch, and after a restart the
    weights of the next attempt, and so on; with spawned seeds each attempt has its own generator. ``pause`` is called
    about every second, and an exception that it raises ends the work.

    Attributes
    ----------
    sources : (runs,) or (runs, numbers)
        Seeds, or where orders continue streams that are passed, these: see :meth:`kernels.train.Trainer.train`.
    """

    def __init__(
        self, study: Study, recipe: Recipe, cell: Cell, seeds: Array, pause: Callable[[], None] | None = None
    ) -> None:
        self._restarts, self._recipe, self._seeds, self._pause = study.restarts, recipe, seeds, pause
        self._n_patterns, self._n_windows = study.data.n_patterns, -(-study.data.n_patterns // cell["batch"])
        self._generator = recipe.generator_of_orders
        self._continues = bool(self._generator) or recipe.order.startswith("continued")
        self._turns = turns_before_orders(recipe, cell.hidden) if self._continues else []
        self._random: dict[int, Any] = {}  # the generators of runs that have restarted
        goes_on = self._generator and study.restarts.max_restarts and study.restarts.draw == "next"
        self.sources = streams_of(recipe, cell.hidden, seeds, pause) if goes_on else seeds.copy()

    def advance(self, attempt: Attempt) -> Array | None:
        """Go on to an attempt of some runs.

        Return the random numbers of its initial weights, (n, drawn), if they follow earlier orders; otherwise None.
        """
        if not attempt.number or not self._continues:
            return None
        if self._restarts.draw == "spawned":
            self.sources[attempt.runs] = spawned(self._seeds[attempt.runs], attempt.number)
            return None
        drawn = []
        n_orders = -(-attempt.steps_before // self._n_windows)
        runs = zip(attempt.runs.tolist(), n_orders.tolist(), strict=True)
        for run, count in with_pauses(runs, self._pause):
            random = self._random.get(run) or self._started(run)
            for _ in with_pauses(range(count), self._pause):
                random.permutation(self._n_patterns)
            drawn.append(draw_turns(random, self._turns))
            self.sources[run] = numbers_of(random)
            self._random[run] = random
        return np.array(drawn)

    def _started(self, run: int) -> Any:
        """Return the generator of a run after the weights of its first attempt."""
        random = random_of(self._generator, int(self._seeds[run]))
        draw_turns(random, self._turns)
        return random
