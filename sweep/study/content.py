"""What a study holds: patterns, words and seeds, and what follows by looking at them."""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import Any

from sweep.study.grid import Grid
from sweep.study.parameters import Scalar
from sweep.study.sections import Data, Seeds
from sweep.study.words import WORDS, Convergence, InitialWeights, Network, Training


class StudyContent:
    """The base of :class:`sweep.study.model.Study`, for what looks at a study and makes none.

    Attributes
    ----------
    name, description : str
    data : Data
    network, initial_weights, training, convergence
        Words that are not swept, by table.
    parameters : dict
        The values of each swept word, in file order.
    seeds : Seeds
    """

    name: str
    description: str
    data: Data
    network: Network
    initial_weights: InitialWeights
    training: Training
    convergence: Convergence
    parameters: dict[str, tuple[Scalar, ...]]
    seeds: Seeds

    @cached_property
    def grid(self) -> Grid:
        """The cells, by arithmetic."""
        axes = [{name: values} for name, values in self.parameters.items()]
        return Grid(axes, self.fixed(), len(self.data.inputs), self.seeds.count)

    @property
    def n_cells(self) -> int:
        """Number of combinations of the swept parameters."""
        return prod(map(len, self.parameters.values()))

    @property
    def n_outputs(self) -> int:
        """Number of outputs that can be right: patterns times targets."""
        return len(self.data.inputs) * len(self.data.targets[0])

    @property
    def n_runs(self) -> int:
        """Number of networks: cells times seeds."""
        return self.n_cells * self.seeds.count

    def fixed(self) -> dict[str, Any]:
        """Return every word that has the same value in all cells; None stands for what its default says."""
        return {name: self.values_of(name)[0] for name in WORDS if name not in self.parameters}

    def values_of(self, name: str) -> tuple[Any, ...]:
        """Return every value that a word has in some cell."""
        return self.parameters.get(name) or (getattr(getattr(self, WORDS[name].section), name),)

    def key_of(self, name: str) -> str:
        """Return the key under which a word stands in the study file."""
        return f"parameters.{name}" if name in self.parameters else f"{WORDS[name].section}.{name}"

    def uses(self, name: str) -> bool:
        """Tell whether a word does anything in some cell."""
        used_with = WORDS[name].used_with
        return not used_with or any(set(values) & set(self.values_of(other)) for other, values in used_with.items())

    def shares_runs_with(self, other: StudyContent) -> bool:
        """Tell whether some run of another study is one of this: its patterns, its seed and every word are the same."""
        mine, others = self.seeds, other.seeds
        is_seed_common = max(mine.base, others.base) < min(mine.base + mine.count, others.base + others.count)
        return (
            is_seed_common
            and self.data == other.data
            and all(set(self.values_of(name)) & set(other.values_of(name)) for name in WORDS)
        )
