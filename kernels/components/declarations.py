"""Records that declare components: formula, settings and their limits, cost, and source.

A component is a module in the folder of its kind that holds one of these records as ``COMPONENT``. The module's name is
the name of the component. Formulas are written with :mod:`kernels.lanes.arithmetic`; :mod:`kernels.components.inlined`
compiles them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kernels.lanes.arithmetic import Lanes, Mask, select


class Setting(NamedTuple):
    """A number of each cell.

    Attributes
    ----------
    name, default
    meaning, unit
        As results document them.
    at_least, above, below
        Limits, None for none; the number must be finite.
    also
        Names that other programs use.
    multiple_of
        What the number must be a multiple of, None for nothing.
    """

    name: str
    default: float
    meaning: str
    unit: str = ""
    at_least: float | None = None
    above: float | None = None
    below: float | None = None
    also: tuple[str, ...] = ()
    multiple_of: float | None = None


def product(gradient: Lanes, slope: Lanes) -> Lanes:
    """Multiply the gradient by the slope."""
    return gradient * slope


class Activation(NamedTuple):
    """An activation function.

    Attributes
    ----------
    value : (z, *settings) -> a
        The function itself.
    value_and_slope : (z, *settings) -> (a, slope), or None
        The function and its derivative; None if the derivative is computed from a.
    chain : (gradient, slope or a) -> lanes
        The gradient with respect to z, from the gradient with respect to a. It takes the slope if there is a
        ``value_and_slope``, and otherwise a.
    settings
        Settings that the functions take.
    elementary
        Whether it is a long chain of operations, so that it should process several rows side by side. Only for
        functions without settings.
    integer_value : (dtype) -> (z) -> a, or None
        The function as operations on integers, which take one instruction on some CPUs. It may lose a NaN.
    source
        Of the formula.
    also
        Names that other programs use.
    """

    value: Callable[..., Lanes]
    value_and_slope: Callable[..., tuple[Lanes, Lanes]] | None = None
    chain: Callable[[Lanes, Lanes], Lanes] = product
    settings: tuple[Setting, ...] = ()
    elementary: bool = False
    integer_value: Callable[[str], Callable[[Lanes], Lanes]] | None = None
    source: str = ""
    also: tuple[str, ...] = ()


class Output(NamedTuple):
    """A function over all outputs of a pattern, which only one loss allows; other outputs are activations.

    It is a power of each shifted sum, divided by the sum of all powers. Functions of single rows are applied to several
    rows side by side, as those of activations are.

    Attributes
    ----------
    shift : (load, store, n_outputs) -> (rows, first) -> None
        Makes the function that shifts the rows of a pattern, which begin with row ``first``.
    power : (lanes) -> lanes
        Of a shifted row.
    share : (load, store, n_outputs) -> (rows, first) -> lanes
        Makes the function that replaces the powers of a pattern by outputs, and returns the sum of the powers.
    logarithm : (lanes) -> lanes
        Of that sum. In place of u the loss reads the logarithm minus the shifted row, which is -log y.
    needs_loss
        That loss.
    settings, elementary, value_and_slope
        As of an :class:`Activation`.
    source
        Of the formula.
    also
        Names that other programs use.
    """

    shift: Callable[..., Callable[[Any, int], None]]
    power: Callable[[Lanes], Lanes]
    share: Callable[..., Callable[[Any, int], Lanes]]
    logarithm: Callable[[Lanes], Lanes]
    needs_loss: str
    settings: tuple[Setting, ...] = ()
    elementary: bool = True
    value_and_slope: None = None
    source: str = ""
    also: tuple[str, ...] = ()


class Loss(NamedTuple):
    """A loss over patterns and outputs, of the sum u and the output y = out(u); a target is a number or lanes.

    Attributes
    ----------
    term : (u, y, target, *settings) -> lanes
        The term of one pattern and output. The sum of all terms is divided by the count of the reduction and
        multiplied by ``factor``.
    slope : (y, target, *settings) -> lanes
        The derivative of ``factor * term`` with respect to y.
    factor
        Of the whole loss.
    of_sum
        Whether ``slope`` is the derivative with respect to u instead, and ``term`` reads u.
    settings
        Settings that both functions take.
    output
        The only activation of outputs that the loss allows, None for any.
    takes_target : (target) -> bool
        Whether the loss allows a target.
    takes_row : (targets of a pattern) -> bool
        Whether it allows all targets of a pattern together.
    targets
        Both conditions as text, for users.
    squares
        Factor of the squared error in the term; None for other terms.
    names
        Names of this loss with a reduction.
    source
        Of the formula.
    also
        Names that other programs use.
    """

    term: Callable[..., Lanes]
    slope: Callable[..., Lanes]
    factor: float = 1.0
    of_sum: bool = False
    settings: tuple[Setting, ...] = ()
    output: str | None = None
    takes_target: Callable[[float], bool] | None = None
    takes_row: Callable[[tuple[float, ...]], bool] | None = None
    targets: str = "any targets"
    squares: float | None = None
    names: Mapping[str, str] = {}
    source: str = ""
    also: tuple[str, ...] = ()


# Stands for the learning rate of the parameter's layer as the initial value of a state.
LEARNING_RATE = "learning_rate"


def _rate_alone(rate: Lanes, *others: Lanes) -> tuple[Lanes]:
    """Return the learning rate unchanged."""
    return (rate,)


def into_gradient(p: Lanes, g: Lanes, rate: Lanes, weight_decay: Lanes) -> tuple[Lanes, Lanes]:
    """Add weight decay to a gradient: the gradient of a penalty on the sum of squares.

    Parameters
    ----------
    p, g
        The parameter and its gradient.
    rate
        The learning rate, which is not used.
    weight_decay
        Factor of the parameter; 0 leaves the gradient as it is.

    Returns
    -------
    (p, gradient)
    """
    return p, select(weight_decay > 0.0, g + weight_decay * p, g)


class Optimizer(NamedTuple):
    """How an update moves one parameter along its gradient.

    Attributes
    ----------
    update : (p, gradient, *states, *factors, *settings) -> p, or (p, *states)
        The parameter and its states after an update.
    states
        Initial values of the states of a parameter: numbers or LEARNING_RATE; at most two states.
    settings
        Settings that the functions take.
    clocks
        Initial values of the numbers that count the updates of a network.
    tick : (*clocks, *settings) -> clocks
        These numbers after the current update.
    factors : (rate, *clocks, *settings) -> factors
        Numbers that an update computes from the learning rate of a layer, once for all its parameters.
    n_factors
        Number of factors.
    decay : (p, gradient, rate, weight_decay) -> (p, gradient)
        How weights decay before the update, where ``weight_decay`` is above 0.
    keeps_infinity
        Whether a parameter or state never becomes finite again after an update with a gradient that is not finite.
    full_batch
        Whether a step must take all patterns.
    positive_rate
        Whether learning rates must be above 0.
    follows_rate
        Whether a learning rate that changes later has an effect.
    needs_decay
        Whether it equals another optimizer if no weights decay.
    operations
        Approximate number of operations of lanes in an update of one parameter.
    source
        Of the formula.
    also
        Names that other programs use.
    """

    update: Callable[..., Any]
    states: tuple[float | str, ...] = ()
    settings: tuple[Setting, ...] = ()
    clocks: tuple[float, ...] = ()
    tick: Callable[..., tuple[Lanes, ...]] | None = None
    factors: Callable[..., tuple[Lanes, ...]] = _rate_alone
    n_factors: int = 1
    decay: Callable[[Lanes, Lanes, Lanes, Lanes], tuple[Lanes, Lanes]] = into_gradient
    keeps_infinity: bool = True
    full_batch: bool = False
    positive_rate: bool = False
    follows_rate: bool = True
    needs_decay: bool = False
    operations: int = 30
    source: str = ""
    also: tuple[str, ...] = ()


class Schedule(NamedTuple):
    """How the learning rates of a run change: by a factor for each update, computed in float64 and rounded once.

    Attributes
    ----------
    advance : (t, steps, *states, *settings) -> (factor, *states), or None
        For update t, counted from 1, of a run of at most ``steps``; None if the factor is always 1.
    states
        Initial values of numbers that an update leaves for the next, at most two.
    settings
        Settings that the function takes.
    source
        Of the formula.
    also
        Names that other programs use.
    """

    advance: Callable[..., tuple[Lanes, ...]] | None
    states: tuple[float, ...] = ()
    settings: tuple[Setting, ...] = ()
    source: str = ""
    also: tuple[str, ...] = ()


class Criterion(NamedTuple):
    """The condition for convergence, on the loss or on each output of each pattern.

    Comparisons are strict and false for NaN; no lane converges with a threshold of NaN.

    Attributes
    ----------
    of_loss : (loss, threshold) -> mask, or None
    of_output : (y, target, threshold) -> mask, or None
        The target is a number, or lanes where each network has its own patterns.
    meaning
        For users.
    of_right
        Whether every output must be right.
    """

    of_loss: Callable[[Lanes, Lanes], Mask] | None
    of_output: Callable[[Lanes, Lanes | float, Lanes], Mask] | None
    meaning: str
    of_right: bool = False


class StoppingRule(NamedTuple):
    """When a run ends whose score no longer improves. The score is what the recipe monitors; less is better.

    Attributes
    ----------
    update : (score, loss, is_new, *states, *settings) -> states
        The states after an evaluation, with the loss of the training patterns. Where no held-out patterns are evaluated
        now, ``is_new`` is 0 and the score NaN; otherwise ``is_new`` is 1.
    ends : (*states, *settings) -> mask
        Whether runs end with these states.
    states
        Initial values of the numbers that an evaluation leaves for the next, at most five.
    settings
        Settings that the functions take.
    needs_loss
        Whether the score must be the loss of held-out patterns.
    meaning
        For users: a run ends when ..
    source
        Of the formula.
    also
        Names that other programs use.
    """

    update: Callable[..., tuple[Lanes, ...]]
    ends: Callable[..., Mask]
    states: tuple[float, ...]
    settings: tuple[Setting, ...]
    needs_loss: bool = False
    meaning: str = ""
    source: str = ""
    also: tuple[str, ...] = ()
