"""The content of a study: patterns, options and seeds, and properties that follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import product, starmap
from math import prod
from typing import TYPE_CHECKING, Any

from kernels import vocabulary
from kernels.shapes import parameter_shapes
from kernels.start.names import ALL, distributions_in
from sweep.study.axes.grid import Axis, Grid, combinations, hidden_sizes, skip_of
from sweep.study.data.data_sets import DataSets
from sweep.study.data.data_table import Data
from sweep.study.options.convergence import HELD_OUT_OPTIONS
from sweep.study.options.explicit_weights import Numbers, Shapes, element_of, is_by_seed
from sweep.study.options.option_tables import OptionTables
from sweep.study.options.other_sections import Record, Restarts, Seeds
from sweep.study.reading.value_forms import Scalar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


# Options without effect on networks without hidden units.
_OF_UNITS = ("layers", "activation", "gain", "skip", "shortcuts", "scaling")


class StudyContent:
    """The base class of :class:`sweep.study.model.Study`, for code that reads studies without making any."""

    name: str
    description: str
    data: DataSets  # the patterns
    in_tables: dict[str, Any]  # the value of each option in its table; those of swept options are defaults
    # The swept options. Options of one axis vary together; the points of different axes are all combined.
    axes: list[Axis]
    parameters: dict[str, tuple[Scalar, ...]]  # the distinct values of each swept option, in the order of the axes
    sources: dict[str, str]  # for each swept option, the key of its values, such as ``"samples[0].learning_rate"``
    seeds: Seeds
    record: Record
    restarts: Restarts
    tables: OptionTables  # the options that the study may use: built-in ones, and those of its custom components

    @cached_property
    def grid(self) -> Grid:
        """The cells (configurations), computed by arithmetic."""
        return Grid(self.axes, self.fixed(), self.data.n_patterns, self.seeds.count)

    @property
    def n_cells(self) -> int:
        """Number of cells: combinations of the points of the axes."""
        return prod(len(next(iter(axis.values()))) for axis in self.axes)

    @property
    def n_outputs(self) -> int:
        """Most outputs that can be correct in a cell: patterns times :attr:`n_evaluated`."""
        return self.data.n_patterns * self.n_evaluated

    @property
    def n_evaluated(self) -> int:
        """Most outputs of a pattern that can be correct in a cell: see :meth:`n_evaluated_with`."""
        return max(map(self.n_evaluated_with, self.values_of("output")))

    def n_evaluated_with(self, output: str) -> int:
        """Return how many outputs of a pattern can be correct: its targets; with softmax 1, its class."""
        return 1 if output in vocabulary.OVER_OUTPUTS else self.data.n_targets

    @property
    def n_runs(self) -> int:
        """Number of runs: cells times seeds."""
        return self.n_cells * self.seeds.count

    @property
    def has_criterion(self) -> bool:
        """Whether any cell has a convergence criterion."""
        return set(self.values_of("criterion")) != {"none"}

    @property
    def has_patience(self) -> bool:
        """Whether runs can end on a plateau."""
        return self.grid.has_patience

    @property
    def default_monitor(self) -> str:
        """What stopping rules watch by default."""
        return "validation_loss" if self.data.n_validations else "loss"

    @property
    def evaluates_held_out(self) -> bool:
        """Whether some networks are evaluated with held-out patterns while they train."""
        named = (value for name in HELD_OUT_OPTIONS for value in self.values_of(name))
        return self.data.n_validations > 0 or any(value in ("test", "test_loss") for value in named)

    @property
    def step_limits(self) -> list[int]:
        """The limit of steps of a run, for each combination of limits in the cells."""
        limits = self.combinations(("max_steps", "max_epochs", "batch"))
        return [
            most if epochs is None else min(most, epochs * -(-self.data.n_patterns // batch))
            for most, epochs, batch in limits
        ]

    def fixed(self) -> dict[str, Any]:
        """Return the options with one value in all cells; None means that the value follows from another option."""
        return {
            name: self.values_of(name)[0]
            for name, option in self.tables.options.items()
            if name not in self.parameters and option.role != "data"
        }

    def values_of(self, name: str) -> tuple[Any, ...]:
        """Return the values of an option in the cells: the fixed one, or the swept ones."""
        if name in self.parameters:
            return self.parameters[name]
        if element_of(name):
            return (None,)  # drawn, or set in initial_weights.values
        if self.tables.options[name].role == "data":
            return (None,)  # the study holds the patterns themselves
        return (self.in_tables[name],)

    def column(self, name: str, cells: NDArray[np.int64]) -> NDArray[Any]:
        """Return the value of an option in some cells, (cells,); NaN for single weights that are not swept."""
        import numpy as np

        known = name in self.parameters or name in self.grid.fixed
        return self.grid.column(name, cells) if known else np.full(len(cells), np.nan)

    def combinations(self, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Yield the distinct combinations of values of some options in the cells."""
        swept = [name for name in names if name in self.parameters]
        for values in combinations(self.axes, swept):
            found = dict(zip(swept, values, strict=True))
            yield tuple(found[name] if name in found else self.values_of(name)[0] for name in names)

    @property
    def widest_dtype(self) -> str:
        """The dtype that holds the parameters of all networks."""
        return "float64" if "float64" in self.values_of("dtype") else "float32"

    def values_beside(self, name: str, other: str, value: Any) -> tuple[Any, ...]:
        """Return the values of an option in the cells in which another option has some value."""
        axis = next((axis for axis in self.axes if name in axis and other in axis), None)
        if axis is None:
            return self.values_of(name) if value in self.values_of(other) else ()
        pairs = zip(axis[name], axis[other], strict=True)
        return tuple(dict.fromkeys(mine for mine, beside in pairs if beside == value))

    def set_numbers(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of the set of patterns of each of some cells, both (cells,)."""
        return self.grid.number(self.data.options, cells)

    def patterns_of(self, cell: int, seed: int = 0) -> Data:
        """Return the patterns of a cell, or of its run with a seed where each run draws its own."""
        import numpy as np

        return self.data.of_run(int(self.set_numbers(np.array([cell]))[0]), seed)

    @cached_property
    def hidden_layers(self) -> list[tuple[int, ...]]:
        """The distinct hidden layers of all networks: the units of each layer."""
        pairs = self.combinations(("hidden", "layers"))
        return list(dict.fromkeys(hidden_sizes(hidden, layers) for hidden, layers in pairs))

    @cached_property
    def explicit_weights(self) -> dict[str, Numbers]:
        """The initial weights that the study sets, by the name of an array, of an element, or of all parameters."""
        values = self.values_of("values")[0]
        return dict(values.entries) if values else {}

    @property
    def draws_weights(self) -> bool:
        """Whether some initial weight of some network is drawn."""
        names = self.explicit_weights.keys()
        return ALL not in names and not all(shapes.keys() <= names for shapes in self.all_shapes)

    @cached_property
    def all_shapes(self) -> list[Shapes]:
        """The shapes of the parameter arrays of all networks."""
        skips = dict.fromkeys(starmap(skip_of, self.combinations(("skip", "shortcuts"))))
        each = product(self.hidden_layers, self.values_of("bias"), skips)
        ends = self.data.n_inputs, self.data.n_targets
        return [
            parameter_shapes((ends[0], *sizes, ends[1]), bias=bias, skip=skip, deep=len(sizes) > 1)
            for sizes, bias, skip in each
        ]

    @cached_property
    def most_parameters(self) -> int:
        """The parameters of the largest network."""
        return max(sum(map(prod, shapes.values())) for shapes in self.all_shapes)

    @property
    def has_weights_by_seed(self) -> bool:
        """Whether some initial weights that the study sets depend on the seed."""
        return is_by_seed(self.values_of("values")[0], self.all_shapes)

    def key_of(self, name: str) -> str:
        """Return the dotted key of an option in the study file."""
        return self.sources[name] if name in self.parameters else f"{self.tables.options[name].section}.{name}"

    def uses(self, name: str) -> bool:
        """Return whether an option has an effect in some cell."""
        if name in _OF_UNITS and self.hidden_layers == [(0,)]:
            return False
        if name == "layers":
            return isinstance(self.values_of("hidden")[0], int)  # a text sets the layers
        if name == "draw_order":
            return any(distributions_in(each) != {"constant"} for each in self.values_of("distribution"))
        if name == "validate_every":
            return self.evaluates_held_out
        if name == "thresholds_on":
            return bool(self.record.loss_thresholds)
        if name == "monitor" and self.data.n_validations and "validation_accuracy" in self.values_of(name):
            return True  # by which the best validation is chosen
        return self.tables.options[name].has_effect(self.values_of)

    def comparable(self, value: Any) -> Any:
        """Return a value in a form that all studies share: numbers as text, custom components by their keys."""
        if isinstance(value, str) and value in self.tables.custom:
            return self.tables.custom[value].key
        return str(value) if isinstance(value, int) else value
