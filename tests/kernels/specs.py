"""Named specifications that runs of a test share: the components of a recipe, a task, and a tuning."""

from __future__ import annotations

from dataclasses import field, fields, make_dataclass
from typing import Any

import numpy as np

from kernels.recipe import Architecture, Recipe
from kernels.train import Trainer
from kernels.tuning import Tuning
from tests.kernels.support import Array, of_width
from tests.kernels.tasks import TASKS, UNEVEN, fit_targets
from tests.oracle.components import OWN_OUTPUTS

ORDERS = ("cyclic", "shuffled")

# Every way of taking a step, none of which depends on the machine that runs the tests.
TUNINGS = {
    "plain": Tuning(),
    "one packet": Tuning(packets=1),
    "three packets": Tuning(packets=3),
    "small cache": Tuning(cache_bytes=0),
    "rows of 32 bytes": Tuning(row_bytes=32, register_bytes=32, registers=16),
    "rows of 16 bytes": Tuning(row_bytes=16, register_bytes=16),
    "rows of two registers": Tuning(row_bytes=64, register_bytes=32, registers=16),
    "no constants": Tuning(constant_limit=0),
    "small blocks": Tuning(block_patterns=1),
    "uneven blocks": Tuning(block_patterns=3),
    "large blocks": Tuning(block_patterns=16),
}


class _SpecOfFields:
    """What follows from the fields of a :class:`Spec`."""

    def __post_init__(self) -> None:
        """Refuse combinations that no study allows."""
        assert OWN_OUTPUTS.get(self.loss, self.output) == self.output, "bce needs a sigmoid"
        assert self.output != "softmax" or self.loss == "cross_entropy", "softmax needs cross_entropy"
        assert self.optimizer != "rprop" or self.n_windows == 1, "rprop takes all patterns in a step"

    @property
    def patterns(self) -> tuple[Array, Array]:
        """Copy inputs and targets that the loss allows."""
        inputs, targets = TASKS[self.task]
        return inputs.copy(), fit_targets(targets, self.loss).copy()

    @property
    def pattern_sets(self) -> list[tuple[Array, Array]]:
        """Copy all sets: the second has its targets in another order, the third has the largest target everywhere."""
        inputs, targets = self.patterns
        if self.sets == "one":
            return [(inputs, targets)]
        others = [np.roll(targets, 1, axis=0), np.full_like(targets, targets.max())]
        if self.sets == "targets":
            return [(inputs, targets), *((inputs.copy(), other) for other in others)]
        return [(inputs, targets), (-0.5 * inputs, others[0]), (inputs[::-1].copy(), others[1])]

    @property
    def held_out_sets(self) -> list[tuple[Array, Array]] | None:
        """Return held-out patterns for each set: numbers of both signs, with targets that the loss allows."""
        if not self.recipe.holds_out:
            return None
        (inputs, targets), *_ = sets = self.pattern_sets
        random = np.random.default_rng(self.held_out)
        sizes = (self.held_out, inputs.shape[1]), (self.held_out, targets.shape[1])
        low, high = targets.min(), targets.max()
        found = []
        for _ in sets:
            drawn = np.round(random.normal(0.0, 1.0, sizes[0]), 1), random.uniform(low, high, sizes[1])
            found.append((drawn[0], fit_targets(drawn[1], self.loss)))
        return found

    @property
    def step_patterns(self) -> int | None:
        """Return the patterns per step, None for all."""
        if isinstance(self.batch, str):
            return {"uneven": UNEVEN[self.task]}[self.batch]
        return self.batch

    @property
    def n_windows(self) -> int:
        """Count the steps of an epoch."""
        n_patterns = len(TASKS[self.task][0])
        return -(-n_patterns // (self.step_patterns or n_patterns))

    @property
    def is_shuffled(self) -> bool:
        """Return whether runs need seeds."""
        return "step_ratio" in self.used or (self.order != "cyclic" and self.n_windows > 1)

    @property
    def recipe(self) -> Recipe:
        """Return the recipe."""
        inputs, targets = TASKS[self.task]
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        own |= {"inputs": inputs.shape[1], "outputs": targets.shape[1], "deep": bool(self.below)}
        own["architecture"] = Architecture(**{name: own[name] for name in Architecture._fields})
        own |= {"batch": self.step_patterns, "records_thresholds": bool(self.targets)}
        return Recipe(**{name: own[name] for name in Recipe._fields})

    def n_parameters(self, hidden: int) -> int:
        """Count the parameters with this number of units in the last hidden layer."""
        return self.recipe.architecture.n_parameters((*self.below, hidden))

    def sizes(self, n_parameters: int) -> tuple[int, ...]:
        """Return the units of each hidden layer of networks with this number of parameters."""
        with_one, with_two = self.n_parameters(1), self.n_parameters(2)
        return (*self.below, 1 + (n_parameters - with_one) // (with_two - with_one))

    def trainer(self, width: int | None = None) -> Trainer:
        """Make a trainer with copies of the patterns."""
        tuning = of_width(width, self.dtype, TUNINGS[self.tuning])
        sets = self.pattern_sets
        inputs, targets = _stacked(sets)
        held_out = self.held_out_sets
        other = {"held_out": held_out and _stacked(held_out), "validate_every": self.validate_every}
        return Trainer(self.recipe, inputs, targets, self.targets, tuning=tuning, **other)


# What all runs of a call share, except the hidden size: fields of a recipe, of its architecture, and of a test.
# ``batch`` may be "uneven": with a shorter last step.
RECIPE_FIELDS = {"activation": "relu", "output": "identity", **Recipe._field_defaults, "bias": True}
RECIPE_FIELDS |= Architecture._field_defaults
del RECIPE_FIELDS["deep"], RECIPE_FIELDS["records_thresholds"]  # which follow from below and targets
TEST_FIELDS = {
    "task": "xor",
    "tuning": "plain",
    "targets": (),  # of the loss
    "held_out": 0,  # patterns, if the recipe looks at some
    "validate_every": 1,
    "below": (),  # units of the hidden layers below the last one
    "sets": "one",  # of patterns; several that differ in "targets", or in "patterns" as a whole
}
Spec = make_dataclass(
    "Spec",
    [(name, Any, field(default=value)) for name, value in (RECIPE_FIELDS | TEST_FIELDS).items()],
    bases=(_SpecOfFields,),
    frozen=True,
)
Spec.__module__ = __name__  # for other processes


def _stacked(sets: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Stack the patterns of several sets."""
    inputs, targets = map(np.stack, zip(*sets, strict=True)) if len(sets) > 1 else sets[0]
    return inputs, targets


def name_of(spec: Spec) -> str:
    """Name a spec in a test's id by its unusual fields."""
    components = []
    for each in fields(spec):
        value = getattr(spec, each.name)
        if value != each.default:
            components.append(
                {True: each.name, False: f"no {each.name}"}[value] if isinstance(value, bool) else str(value)
            )
    return "-".join(components) or "plain"
