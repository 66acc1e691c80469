"""The record in which a measure of runs is declared, and what those of trained networks are computed from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sweep.measures.curvature.hessian import GradientsAt

    Array = NDArray[Any]
else:
    Array = Any  # commands that compute no measure do not import NumPy


@dataclass(frozen=True)
class Measure:
    """A measure of runs: a number for each, in a separate column."""

    name: str  # its column, which is also the name of its module
    place: int  # where its column stands among those of measures, by ascending numbers
    label: str  # what sentences, tables and figures call it
    # As in the files and the manual
    unit: str
    meaning: str
    # ``"value"`` of any size, number of ``"outputs"``, ``"steps"``, -1 if there are none, ``"share"`` of patterns,
    # ``"balanced share"``, its mean over classes, or ``"name"``, a number by which answers compare and rank nothing
    kind: Literal["value", "outputs", "steps", "share", "balanced share", "name"] = "value"
    # Whether studies have it that record it, in addition to those with the patterns that it ``needs``
    is_recorded: bool = True
    # Which patterns that do not train a study must have: ``"validation"``, ``"test"``, or ``"held-out"`` for either.
    # Training fills the columns of such measures, unless they have a function ``compute``.
    needs: tuple[str, ...] = ()
    at_best: str = ""  # what its value for the network at the best validation is called; empty if there is none
    # Whether cells are ranked from the highest value, and runs that diverged have the lowest
    more_is_better: bool = False
    is_signed: bool = False  # whether it may be negative
    # Returns its value for trained networks, (runs,); None if kernels compute it
    compute: Callable[[Networks], Array] | None = None
    needs_curvature: bool = False  # whether ``compute`` needs second derivatives of the loss
    fault: Callable[[Any], str | None] | None = None  # returns why a study cannot record it, or None

    @property
    def type(self) -> str:
        """The type of its column."""
        return {"outputs": "int32", "steps": "int32", "name": "int64"}.get(self.kind, "float64")

    @property
    def is_share(self) -> bool:
        """Whether it is a share of patterns, shown in percent."""
        return self.kind in ("share", "balanced share")

    @property
    def least(self) -> float:
        """What no value is below."""
        return -float("inf") if self.is_signed else 0.0

    @property
    def has_mean(self) -> bool:
        """Whether cells have the mean of its values, which are limited, instead of quartiles."""
        return self.kind == "outputs" or self.is_share

    @property
    def is_at_best(self) -> bool:
        """Whether it describes the network at the best validation."""
        return self.name.endswith("_at_best")

    @property
    def is_filled(self) -> bool:
        """Whether training fills its column where a study has the patterns that it needs."""
        return bool(self.needs) and self.compute is None

    def lacking(self, study: Any) -> str | None:
        """Return the first kind of patterns that it needs and a study lacks, or None."""
        there = {*study.data.held_out, *(["held-out"] if study.data.held_out else [])}
        return next((each for each in self.needs if each not in there), None)

    def is_in(self, study: Any) -> bool:
        """Return whether runs of a study have it."""
        if self.is_filled and not self.lacking(study):
            return True
        return self.name in study.record.measures if self.is_recorded else not self.needs


def at_best(measure: Measure) -> Measure:
    """Return the record of a measure for the network at the best validation."""
    lost = "0" if measure.is_share else "-inf" if measure.more_is_better else "inf"
    what = measure.at_best.removesuffix("_at_best")
    compute = measure.compute

    def compute_at_best(networks: Networks) -> Array:
        assert compute
        assert networks.best
        return compute(networks.best)

    return replace(
        measure,
        name=measure.at_best,
        place=measure.place + 50,
        label=f"{measure.label.removeprefix('final ')} at the best validation",
        meaning=f"{what} of the network after steps_at_best updates; {lost} if no validation loss was finite",
        is_recorded=compute is not None,
        needs=("validation", *measure.needs),
        at_best="",
        compute=compute_at_best if compute else None,
    )


class Curved(NamedTuple):
    """What second derivatives of the loss are made of."""

    # (runs, parameters) of bool: parameters that training may change: those that are not frozen, of layers whose
    # learning rate is above 0
    trained: NDArray[np.bool_]
    gradients: GradientsAt  # returns gradients of the loss at other weights of runs
    # Groups of weights or rows that stay equal: the numbers of the parameters of each member
    shared: Sequence[Sequence[list[int]]] = ()


class Patterns(NamedTuple):
    """Outputs of networks for some patterns, and the targets of these."""

    outputs: Array  # (runs, patterns, outputs)
    targets: Array  # (runs or 1, patterns, outputs)


class Networks(NamedTuple):
    """Trained networks of one shape, as float64."""

    initial: Array
    final: Array
    shapes: Mapping[str, tuple[int, ...]]  # the shape of each parameter array, in the order of the parameters
    # Those of ``"train"``, and those of ``"validation"`` and ``"test"`` that measures need
    patterns: Mapping[str, Patterns]
    decision_threshold: Array  # (runs or 1, 1, 1): what separates high outputs from low ones
    of_classes: bool  # whether outputs are those of classes (softmax), of which the largest counts
    diverged: NDArray[np.bool_]
    curved: Curved | None = None  # only where a measure needs it
    best: Networks | None = None  # those at the best validation as final ones, if a measure needs them

    @property
    def outputs(self) -> Array:
        """Their outputs for the patterns to train on."""
        return self.patterns["train"].outputs

    @property
    def targets(self) -> Array:
        """The targets of the patterns to train on."""
        return self.patterns["train"].targets

    @property
    def first_layer(self) -> Array:
        """The final weights from the inputs to the first hidden layer, (runs, inputs, units)."""
        n_inputs, n_units = next(iter(self.shapes.values()))
        return self.final[:, : n_inputs * n_units].reshape(-1, n_inputs, n_units)


def ordered_sum(terms: Array) -> Array:
    """Return the sums of rows, (runs, terms), from the first term to the last."""
    total: Array = terms[:, 0].copy()
    for k in range(1, terms.shape[1]):
        total += terms[:, k]
    return total


def largest_other(outputs: Array, o: int) -> Array:
    """Return the largest of the other outputs of each pattern; below all numbers if there is none."""
    import numpy as np

    others = np.delete(outputs, o, axis=2)
    return others.max(axis=2) if others.shape[2] else np.full(outputs.shape[:2], -np.inf)
