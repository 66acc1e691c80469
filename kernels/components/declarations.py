"""Records that declare components: formula, settings and their limits, cost, and source.

A component is a module in the folder of its kind that holds one of these records as ``COMPONENT``. The module's name is
the name of the component. Formulas are written with :mod:`kernels.lanes.arithmetic`; :mod:`kernels.components.inlined`
compiles them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from kernels.lanes.arithmetic import Lanes, Mask, select


@dataclass(frozen=True)
class ValueOf:
    """A function that returns one of the values of another function, of the same arguments."""

    function: Callable[..., Any]  # returns several values
    number: int  # which of them to return
    skipped: int = 0  # how many arguments before those of the function are ignored

    def __call__(self, *arguments: Any) -> Any:
        """Return the value."""
        return self.function(*arguments[self.skipped :])[self.number]


# In ``used_with``, in place of the values of another option: any value but None and 0.
IS_SET = "set"


class Case(NamedTuple):
    """Values of an option that make a difference, for its example and for the tests that try every option."""

    values: tuple[Any, ...] = ()  # besides its default
    beside: tuple[tuple[str, Any], ...] = ()  # values of other options, without which these may make no difference
    example: str = ""  # as in a study file; the first value if it is empty


class Setting(NamedTuple):
    """A setting of a component: a number that studies set or sweep, such as ``momentum``.

    Attributes
    ----------
    name
        Key of the setting in studies.
    default
        Its value in studies that do not set it.
    meaning, unit
        Texts for ``sweep explain``, and for the column of a swept setting.
    at_least, above, below
        Limits, None for none; the number must be finite.
    multiple_of
        What the number must be a multiple of, None for nothing.
    also
        Names in other programs, for which errors suggest this one.
    case
        Values to try, None for a setting of a custom component.
    is_optional
        Whether it has no effect at its default. Recipes name the optional settings that some run has on, see
        :class:`kernels.recipe.Recipe`.
    section
        Of a setting of all cells: its table in a study.
    used_with
        What it has no effect without, if that is not a component that takes it: other options, with a test of their
        components or :data:`IS_SET`.
    stands_for
        The option whose value is its default.
    is_always_written
        Whether the canonical form of a study holds it where it has its default.
    """

    name: str
    default: float
    meaning: str
    unit: str = ""
    at_least: float | None = None
    above: float | None = None
    below: float | None = None
    multiple_of: float | None = None
    also: tuple[str, ...] = ()
    case: Case | None = None
    is_optional: bool = False
    section: str = ""
    used_with: tuple[tuple[str, Any], ...] = ()
    stands_for: str = ""
    is_always_written: bool = False


# The fields that a custom component may declare for a setting.
OF_CUSTOM_SETTINGS = Setting._fields[:8]


def product(gradient: Lanes, slope: Lanes) -> Lanes:
    """Multiply the gradient by the slope."""
    return gradient * slope


class Activation(NamedTuple):
    """An activation function."""

    value: Callable[..., Lanes]  # (z, *settings) -> a: the function itself
    # (z, *settings) -> (a, slope), or None: the function and its derivative; None if the derivative is computed from
    # a
    value_and_slope: Callable[..., tuple[Lanes, Lanes]] | None = None
    # (gradient, slope or a) -> lanes: the gradient with respect to z, from the gradient with respect to a. It takes
    # the slope if there is a ``value_and_slope``, and otherwise a.
    chain: Callable[[Lanes, Lanes], Lanes] = product
    settings: tuple[Setting, ...] = ()  # settings that the functions take
    # Whether it is a long chain of operations, so that it should process several rows side by side. Only for
    # functions without settings.
    elementary: bool = False
    # (dtype) -> (z) -> a, or None: the function as operations on integers, which take one instruction on some CPUs.
    # It may lose a NaN.
    integer_value: Callable[[str], Callable[[Lanes], Lanes]] | None = None
    source: str = ""  # of the formula
    also: tuple[str, ...] = ()  # names that other programs use


class Output(NamedTuple):
    """A function over all outputs of a pattern, which only one loss allows; other outputs are activations.

    It is a power of each shifted sum, divided by the sum of all powers. Functions of single rows are applied to several
    rows side by side, as those of activations are. Settings and the like are those of an :class:`Activation`.
    """

    # (load, store, n_outputs) -> (rows, first) -> None: makes the function that shifts the rows of a pattern, which
    # begin with row ``first``
    shift: Callable[..., Callable[[Any, int], None]]
    power: Callable[[Lanes], Lanes]  # (lanes) -> lanes: of a shifted row
    # (load, store, n_outputs) -> (rows, first) -> lanes: makes the function that replaces the powers of a pattern by
    # outputs, and returns the sum of the powers
    share: Callable[..., Callable[[Any, int], Lanes]]
    # (lanes) -> lanes: of that sum. In place of u the loss reads the logarithm minus the shifted row, which is -log
    # y.
    logarithm: Callable[[Lanes], Lanes]
    needs_loss: str  # that loss
    settings: tuple[Setting, ...] = ()
    elementary: bool = True
    value_and_slope: None = None
    source: str = ""  # of the formula
    also: tuple[str, ...] = ()  # names that other programs use


class Loss(NamedTuple):
    """A loss over patterns and outputs, of the sum u and the output y = out(u); a target is a number or lanes."""

    # (u, y, target, *settings) -> lanes: the term of one pattern and output. The sum of all terms is divided by the
    # count of the reduction and multiplied by ``factor``.
    term: Callable[..., Lanes]
    # (y, target, *settings) -> lanes: the derivative of ``factor * term`` with respect to y
    slope: Callable[..., Lanes]
    factor: float = 1.0  # of the whole loss
    settings: tuple[Setting, ...] = ()  # settings that both functions take
    # The only activation of outputs that the loss allows, None for any. If there is one, ``slope`` is the derivative
    # with respect to u instead, and ``term`` reads u.
    output: str | None = None
    takes_target: Callable[[float], bool] | None = None  # (target) -> bool: whether the loss allows a target
    # (targets of a pattern) -> bool: whether it allows all targets of a pattern together
    takes_row: Callable[[tuple[float, ...]], bool] | None = None
    targets: str = "any targets"  # both conditions as text, for users
    names: Mapping[str, str] = {}  # names of this loss with a reduction
    source: str = ""  # of the formula
    also: tuple[str, ...] = ()  # names that other programs use


# Stands for the learning rate of the parameter's layer as the initial value of a state.
LEARNING_RATE = "learning_rate"


def _rate_alone(rate: Lanes, *others: Lanes) -> tuple[Lanes]:
    return (rate,)


def into_gradient(p: Lanes, g: Lanes, rate: Lanes, weight_decay: Lanes) -> tuple[Lanes, Lanes]:
    """Add weight decay to a gradient: the gradient of a penalty on the sum of squares; 0 leaves it as it is."""
    return p, select(weight_decay > 0.0, g + weight_decay * p, g)


class Optimizer(NamedTuple):
    """How an update moves one parameter along its gradient."""

    # (p, gradient, *states, *factors, *settings) -> p, or (p, *states): the parameter and its states after an update
    update: Callable[..., Any]
    # Initial values of the states of a parameter: numbers or LEARNING_RATE; at most two states
    states: tuple[float | str, ...] = ()
    settings: tuple[Setting, ...] = ()  # settings that the functions take
    clocks: tuple[float, ...] = ()  # initial values of the numbers that count the updates of a network
    # (*clocks, *settings) -> clocks: these numbers after the current update
    tick: Callable[..., tuple[Lanes, ...]] | None = None
    # (rate, *clocks, *settings) -> factors: numbers that an update computes from the learning rate of a layer, once
    # for all its parameters
    factors: Callable[..., tuple[Lanes, ...]] = _rate_alone
    n_factors: int = 1  # number of factors
    # (p, gradient, rate, weight_decay) -> (p, gradient): how weights decay before the update, where ``weight_decay``
    # is above 0
    decay: Callable[[Lanes, Lanes, Lanes, Lanes], tuple[Lanes, Lanes]] = into_gradient
    # Whether a parameter or state never becomes finite again after an update with a gradient that is not finite
    keeps_infinity: bool = True
    full_batch: bool = False  # whether a step must take all patterns
    # Whether learning rates are only first steps: they must be above 0, and later changes have no effect
    starts_at_rate: bool = False
    operations: int = 30  # approximate number of operations of lanes in an update of one parameter
    source: str = ""  # of the formula
    also: tuple[str, ...] = ()  # names that other programs use

    @property
    def needs_decay(self) -> bool:
        """Whether it equals another optimizer if no weights decay."""
        return self.decay is not into_gradient


class Schedule(NamedTuple):
    """How the learning rates of a run change: by a factor for each update, computed in float64 and rounded once."""

    # (t, steps, *states, *settings) -> factor, or (factor, *states), or None: for update t, counted from 1, of a
    # schedule of ``steps`` updates, which the run may exceed; None if the factor is always 1
    advance: Callable[..., Any] | None
    states: tuple[float, ...] = ()  # initial values of numbers that an update leaves for the next, at most five
    settings: tuple[Setting, ...] = ()  # settings that the function takes
    source: str = ""  # of the formula
    also: tuple[str, ...] = ()  # names that other programs use


class Criterion(NamedTuple):
    """The condition for convergence, on the loss, on each output of each pattern, or on the patterns that are wrong.

    Comparisons are strict and false for NaN; no lane converges with a threshold of NaN.
    """

    of_loss: Callable[[Lanes, Lanes], Mask] | None  # (loss, threshold) -> mask
    # (y, target, threshold) -> mask; the target is a number, or lanes where each network has its own patterns
    of_output: Callable[[Lanes, Lanes | float, Lanes], Mask] | None
    meaning: str  # for users
    of_right: bool = False  # whether every output must be right
    of_running: bool = False  # whether ``of_loss`` takes the running loss of the last epoch
    # (share of patterns that are wrong, threshold) -> mask
    of_wrong: Callable[[Lanes, Lanes], Mask] | None = None
    also: tuple[str, ...] = ()  # names that other programs use


class StoppingRule(NamedTuple):
    """When a run ends whose score no longer improves. The score is what the recipe monitors; less is better."""

    # (score, loss, is_new, *states, *settings) -> states: the states after an evaluation, with the loss of the
    # training patterns. Where no held-out patterns are evaluated now, ``is_new`` is 0 and the score NaN; otherwise
    # ``is_new`` is 1.
    update: Callable[..., tuple[Lanes, ...]]
    ends: Callable[..., Mask]  # (*states, *settings) -> mask: whether runs end with these states
    states: tuple[float, ...]  # initial values of the numbers that an evaluation leaves for the next, at most five
    settings: tuple[Setting, ...]  # settings that the functions take
    needs_loss: bool = False  # whether the score must be the loss of held-out patterns
    meaning: str = ""  # for users: a run ends when ..
    source: str = ""  # of the formula
    also: tuple[str, ...] = ()  # names that other programs use
