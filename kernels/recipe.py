"""What decides the bits of a training and is shared by runs; without NumPy, so that a plan can compare recipes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from kernels import vocabulary
from kernels.components.declarations import Setting
from kernels.components.scalings import SCALINGS
from kernels.shapes import Skip, parameter_shapes, parameter_slices

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Hidden units: of the one hidden layer, 0 for none, or of each of several from the inputs up. A network without hidden
# units is one of skip connections alone, in kernels and in its recipe; their parameters are its output weights v.
Hidden: TypeAlias = int | tuple[int, ...]


class NamedParameters(dict[str, Any]):
    """Views of the parameters of one network by name, also as attributes: None for biases or skips that it lacks."""

    def __getattr__(self, name: str) -> Any:
        """Return the parameters of a name in :meth:`Architecture.shapes`."""
        if name in self:
            return self[name]
        if name in ("c", "k") or (name[:1] in ("b", "k") and f"w{name[1:]}" in self):
            return None
        raise AttributeError(f"parameters {name!r}: must be one of {', '.join(self)}")


class Architecture(NamedTuple):
    """A network of one hidden layer, or of several, of any sizes."""

    # Numbers of inputs and outputs
    inputs: int
    outputs: int
    # Activation of the hidden units, one of :data:`kernels.vocabulary.ACTIVATIONS`, and of the outputs, one of
    # :data:`kernels.vocabulary.OUTPUTS`
    activation: str
    output: str
    bias: bool  # whether units have biases
    # Whether skip connections join inputs to outputs directly, with parameters k, or with several hidden layers
    # ``"all"``: each layer receives the outputs of all earlier ones, with parameters k2, k3, .. and k
    skip: Skip = False
    scaling: str = "standard"  # one of :data:`kernels.components.scalings.SCALINGS`
    # Whether there are several hidden layers. Kernels for them take any number of layers.
    deep: bool = False

    @property
    def n_unit_parameters(self) -> int:
        """Parameters of a unit of the one hidden layer: its input weights, output weights, and bias."""
        return self.inputs + self.outputs + self.bias

    @property
    def n_classes(self) -> int:
        """Number of classes of which one pattern may be: two of one output, otherwise one of each output."""
        return max(self.outputs, 2)

    @property
    def n_output_parameters(self) -> int:
        """Parameters that belong to no hidden unit: output biases and skip connections from inputs to outputs."""
        return self.outputs * (self.bias + self.inputs * bool(self.skip))

    @property
    def joins_all(self) -> bool:
        """Whether each of several hidden layers, and the outputs, receive the outputs of all earlier layers."""
        return self.deep and self.skip == "all"

    def shapes(self, hidden: Hidden) -> dict[str, tuple[int, ...]]:
        """Return the shape of each parameter array that the network has, in the order in which they are numbered.

        Those of the hidden layer are w and b, those of several w1, w2, .. and b1, b2, .., and with skip ``"all"`` also
        k2, k3, ..
        """
        fans = self.inputs, *sizes_of(hidden), self.outputs
        return parameter_shapes(fans, bias=self.bias, skip=self.skip, deep=self.deep)

    def n_parameters(self, hidden: Hidden) -> int:
        """Return the number of parameters with these hidden units."""
        return sum(map(math.prod, self.shapes(hidden).values()))

    def hidden(self, n_parameters: int) -> int:
        """Return the hidden size of a network of one hidden layer with ``n_parameters`` parameters.

        ValueError if there is no such hidden size, or there are several hidden layers.
        """
        if self.deep:
            raise ValueError(
                f"hidden: must be passed with several hidden layers; {n_parameters} parameters fit many sizes"
            )
        hidden, rest = divmod(n_parameters - self.n_output_parameters, self.n_unit_parameters)
        if rest or hidden < (0 if self.skip else 1):
            raise ValueError(f"no hidden size has {n_parameters} parameters; each unit has {self.n_unit_parameters}")
        return hidden

    def split(self, row: NDArray[Any], hidden: Hidden | None = None) -> NamedParameters:
        """View one network's parameters, (parameters,), as the arrays of :meth:`shapes` by name.

        ``hidden`` units of one hidden layer follow from the number of parameters.
        """
        shapes = self.shapes(self.hidden(row.size) if hidden is None else hidden)
        places = parameter_slices(shapes)
        return NamedParameters({name: row[places[name]].reshape(shape) for name, shape in shapes.items()})

    def scales(self, hidden: Hidden) -> tuple[tuple[float, ...], float]:
        """Return the factors of the sums of each hidden layer, without the gain, and of those of the outputs."""
        scaling = SCALINGS[self.scaling]
        sizes = sizes_of(hidden)
        if sizes == (0,):
            return (1.0,), 1.0
        return tuple(map(scaling.hidden, (self.inputs, *sizes[:-1]))), scaling.output(sizes[-1])


def sizes_of(hidden: Hidden) -> tuple[int, ...]:
    """Return the hidden units of each layer."""
    return hidden if isinstance(hidden, tuple) else (hidden,)


class Recipe(NamedTuple):
    """What decides the bits of runs. Runs of one recipe and the same hidden units can be trained together.

    Its ``repr`` is the key of trainers and, with a variant, of compiled kernels.
    """

    architecture: Architecture
    # One of :data:`kernels.vocabulary.LOSSES`, and one of :data:`kernels.components.reductions.REDUCTIONS`
    loss: str = "squared"
    reduction: str = "sum"
    optimizer: str = "gd"  # one of :data:`kernels.vocabulary.OPTIMIZERS`
    batch: int | None = None  # patterns per step, None for all
    # Shuffled patterns come in another order in each epoch, that of the seed
    order: Literal["cyclic", "shuffled"] = "cyclic"
    criterion: str = "loss"  # one of :data:`kernels.vocabulary.CRITERIA`
    dtype: Literal["float64", "float32"] = "float64"
    schedule: str = "constant"  # one of :data:`kernels.vocabulary.SCHEDULES`
    # The optional settings that some run has on, in alphabetical order: those with another value than their default.
    # The results of runs that have one off do not depend on it.
    used: tuple[str, ...] = ()
    # Parameters that keep their initial values, as in ``("w", "b", "v[0,1]")``: kinds, w and b of all hidden layers, v,
    # c and k, and single weights
    freeze: tuple[str, ...] = ()
    # Groups of single weights, or of rows of an array, that stay equal, as in ``(("w[0]", "w[1]"), ("b[0]", "b[2]"))``
    share: tuple[tuple[str, ...], ...] = ()
    decays: tuple[str, ...] = ("w", "v", "b", "c", "k")  # kinds of parameters on which weight decay acts
    # Factors of the terms of the training loss: one for each class, or balanced, where all classes have one weight
    class_weight: tuple[float, ...] | Literal["", "balanced"] = ""
    # Whether the loss over the patterns to train on includes the penalty of which weight decay is the gradient
    penalty: bool = False
    # Whether the first steps at which the loss is below each of some thresholds are recorded. The thresholds are not
    # part of a recipe.
    records_thresholds: bool = False
    monitor: str = ""  # what the stopping rule looks at, one of :data:`kernels.vocabulary.MONITORS`, or nothing
    # Sums over the losses of evaluations, of :data:`kernels.vocabulary.LOSS_SUMS`
    loss_sums: tuple[str, ...] = ()
    counts_right: bool = False  # whether the patterns that are right at the end are counted
    # Whether a pattern is right where the output of its class is the largest: targets are one-hot. With an output
    # function over all outputs it always is; otherwise all its outputs must be on the side of their targets.
    one_hot: bool = False
    stopping_rule: str = "patience"  # one of :data:`kernels.vocabulary.STOPPING_RULES`, where something is monitored
    # Which patterns the criterion, and loss thresholds, look at
    criterion_on: Literal["train", "held_out"] = "train"
    thresholds_on: Literal["train", "held_out"] = "train"
    # Whether the parameters are kept with which held-out patterns had the lowest loss, or with monitor
    # ``"held_out_accuracy"`` the most were right, at an evaluation of them or at the end of the run: the first such
    keeps_best: bool = False
    # Whether a run that converges, or that its stopping rule ends, takes its next epoch too: after
    stop: Literal["before", "after"] = "before"

    @property
    def holds_out(self) -> bool:
        """Whether it needs held-out patterns."""
        looks = self.criterion_on, self.thresholds_on, self.monitor[: len("held_out")]
        return self.keeps_best or "held_out" in looks

    @property
    def keeps_running_loss(self) -> bool:
        """Whether something looks at the running loss of each epoch."""
        return "running_loss" in (self.criterion, self.monitor, *self.loss_sums)

    @property
    def keeps_totals(self) -> bool:
        """Whether the sums of the outputs are kept, since the loss reads them."""
        return vocabulary.LOSSES[self.loss].output is not None

    @property
    def is_scheduled(self) -> bool:
        """Whether learning rates may change from update to update."""
        return "warmup" in self.used or self.schedule != "constant"

    @property
    def frozen(self) -> frozenset[str]:
        """The kinds of parameters that keep their initial values."""
        return frozenset(self.freeze) - {*self.frozen_weights}

    @property
    def frozen_weights(self) -> tuple[str, ...]:
        """The names of single weights that keep their initial values."""
        return tuple(name for name in self.freeze if "[" in name)

    def has_decay(self, kind: str) -> bool:
        """Return whether there are parameters of a kind, such as ``"w"``, on which weight decay acts."""
        is_there = {"b": self.architecture.bias, "c": self.architecture.bias, "k": bool(self.architecture.skip)}
        return "weight_decay" in self.used and kind in self.decays and is_there.get(kind, True)

    @property
    def has_penalty(self) -> bool:
        """Whether the loss over the patterns to train on includes a penalty."""
        return self.penalty and "weight_decay" in self.used

    @property
    def sums_gradients(self) -> bool:
        """Whether the gradients of a window are added up in memory before its update, which needs several of them."""
        return bool(self.share) or "clip_norm" in self.used

    def scaled_sums(self, hidden: Hidden) -> tuple[bool, bool]:
        """Return whether sums over inputs, and over hidden units, are multiplied by a factor, which may be 1."""
        of_hidden, of_outputs = self.architecture.scales(hidden)
        return "gain" in self.used or {*of_hidden} != {1.0}, of_outputs != 1.0

    @property
    def trains_biases(self) -> bool:
        """Whether there are biases, and all are updated."""
        return self.architecture.bias and not any(name[0] in "bc" for name in self.freeze)

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The settings of its components, and optional ones, each once."""
        names = self.architecture.activation, self.architecture.output
        activations = (vocabulary.OUTPUTS[name] for name in names)
        optimizer = vocabulary.OPTIMIZERS[self.optimizer]
        schedule = vocabulary.SCHEDULES[self.schedule]
        components: tuple[Any, ...] = (*activations, vocabulary.LOSSES[self.loss], optimizer, schedule)
        own = {setting.name: setting for component in components for setting in component.settings}
        own |= {name: vocabulary.SETTINGS[name] for name in self.used}
        return (*own.values(), *(vocabulary.STOPPING_RULES[self.stopping_rule].settings if self.monitor else ()))
