"""Trainers, made once for each recipe."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from kernels.recipe import Recipe
from kernels.train import Trainer


class KeptTrainers:
    """Trainers by recipe, each made when it is first needed; threads share them."""

    def __init__(self, make: Callable[[Recipe], Trainer]) -> None:
        self._make = make
        self._made: dict[Recipe, Trainer] = {}
        self._lock = Lock()

    def of(self, recipe: Recipe) -> Trainer:
        """Return the trainer of a recipe."""
        with self._lock:
            if recipe not in self._made:
                self._made[recipe] = self._make(recipe)
            return self._made[recipe]
