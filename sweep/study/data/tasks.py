"""Built-in tasks: patterns to learn, each made by a function of its arguments.

A task is one function here. Its parameters are the keys of the table [data] that it takes, with their defaults;
:data:`ARGUMENTS` declares these keys. Bits are numbered from 0: input j of pattern c is bit j of c. Only xor, and, or
are in the order of truth tables, in which the first input changes last.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import Field

from sweep.errors import shown, unknown
from sweep.study.data.monks import Robot, all_robots, one_hot, trained_robots
from sweep.study.data.pattern_files import MAX_PATTERNS, Matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

Patterns = tuple[Matrix, Matrix]

# Most units of an encoder, and numbers of drawn patterns.
_MOST_UNITS = 1024
_MOST_NUMBERS = 2**22

# The value of data_seed with which each run draws its patterns, with its seed.
BY_RUN = "seed"

# Inputs for a clear bit and for a set bit.
CODINGS = {"01": (0.0, 1.0), "pm1": (-1.0, 1.0)}

# What to do for several values of a size.
ONE_SIZE = "all cells have patterns of the same size, so make a study for each value"


class Argument(NamedTuple):
    """A key of the table [data] that some tasks take."""

    meaning: str  # its documentation
    kind: type  # ``int``, ``float``, ``bool`` or ``str``
    # Limits of a number; tasks may have a lower ``most``
    least: float = -sys.float_info.max
    most: float = sys.float_info.max
    also: str = ""  # a value that only [data] takes, and what it means
    is_size: bool = False  # whether it sets numbers of patterns, inputs or targets, which are the same in all cells
    is_size_in: str = ""  # a task in which it does, if not in others
    example: str = ""  # a value as in a study file
    names: tuple[str, ...] = ()  # in other programs, for which errors suggest this key

    @property
    def type(self) -> Any:
        """Its type with limits, for validation of a field."""
        if self.kind is str:
            return Literal[tuple(CODINGS)]
        if self.kind is bool:
            return bool
        allows_infinity = None if self.kind is int else False
        return Annotated[self.kind, Field(ge=self.least, le=self.most, allow_inf_nan=allows_infinity)]

    @property
    def allowed(self) -> str:
        """The allowed values, as text."""
        if self.kind is str:
            return f"one of {', '.join(CODINGS)}"
        if self.kind is bool:
            return "true, false"
        if self.most == sys.float_info.max:
            return "a finite number"
        return f"{'an integer' if self.kind is int else 'a number'} from {self.least:,} to {self.most:,}"

    def allows(self, value: Any) -> bool:
        """Return whether a value is allowed."""
        if self.kind is str:
            return isinstance(value, str) and value in CODINGS
        if self.kind is bool:
            return isinstance(value, bool)
        kinds = (int,) if self.kind is int else (int, float)
        return isinstance(value, kinds) and not isinstance(value, bool) and self.least <= value <= self.most

    def refusal(self, name: str, value: Any, task: str | None = None) -> str:
        """Return a sentence with the allowed values; for several values also how they are swept."""
        how_to_vary = (
            ONE_SIZE if self.is_size or self.is_size_in == task else f"to sweep {name}, move it to [parameters]"
        )
        several = f"; {how_to_vary}" if isinstance(value, (list, dict)) else ""
        also = f", or {self.also}" if self.also else ""
        return f"{name} must be {self.allowed}{also}, got {shown(value)}{several}"


ARGUMENTS = {
    "bits": Argument(
        "number of bits of a pattern, or of each summand; input j of pattern c is bit j of c",
        int,
        1,
        16,
        is_size=True,
        example="4",
    ),
    "function": Argument(
        "number of a truth table, whose bit c is the target of pattern c", int, 0, 2**32 - 1, example="6"
    ),
    "n": Argument(
        "number of patterns; in a task with classes, of each class", int, 1, 65_536, is_size=True, example="50"
    ),
    "n_inputs": Argument("number of inputs", int, 1, 1024, is_size=True, example="16"),
    "n_outputs": Argument("number of targets", int, 1, 1024, is_size=True, example="2"),
    "classes": Argument("number of classes, each with a target", int, 2, 64, is_size=True, example="2"),
    "noise": Argument("standard deviation of the noise added to points", float, 0, 1_000_000, example="0.1"),
    "problem": Argument("which of the three MONK's problems", int, 1, 3, is_size_in="monks", example="2"),
    "data_seed": Argument(
        "seed of drawn patterns",
        int,
        0,
        2**32 - 1,
        f'"{BY_RUN}" in [data]: each run draws its patterns with its own seed',
        example="3",
    ),
    "coding": Argument("inputs for a bit: 01 for 0 and 1, pm1 for -1 and 1", str, example='"pm1"'),
    "target_low": Argument("target for false", float, example="-1.0"),
    "target_high": Argument("target for true", float, example="0.9"),
}


def _bits(count: int, coding: str = "01") -> Matrix:
    """Return all patterns of bits; input j of pattern c is bit j of c."""
    _check_patterns(2**count)
    levels = CODINGS[coding]
    return tuple(tuple(levels[c >> j & 1] for j in range(count)) for c in range(2**count))


def _check_patterns(count: int) -> None:
    if count > MAX_PATTERNS:
        raise ValueError(f"must be at most {MAX_PATTERNS:,} patterns, got {count:,}")


def _levels(truths: Iterable[Iterable[Any]], target_low: float, target_high: float) -> Matrix:
    """Return the targets for truth values."""
    return tuple(tuple(float(target_high if truth else target_low) for truth in row) for row in truths)


def _number(bits: Iterable[float]) -> int:
    """Return the number of which bit j is entry j, coded 0 and 1."""
    return sum(int(bit) << j for j, bit in enumerate(bits))


def boolean(
    bits: int, function: int, coding: str = "01", target_low: float = 0.0, target_high: float = 1.0
) -> Patterns:
    """Return any Boolean function: of two inputs AND is 8, XOR 6 and OR 14; of three there are 256."""
    if bits > 5:
        raise ValueError(f"bits must be at most 5 with task 'boolean', got {bits}")
    if function >= 1 << 2**bits:
        raise ValueError(f"function must be at most {(1 << 2**bits) - 1} with {bits} bits, got {function}")
    return _bits(bits, coding), _levels([[function >> c & 1] for c in range(2**bits)], target_low, target_high)


def xor(coding: str = "01", target_low: float = 0.0, target_high: float = 1.0) -> Patterns:
    """Return XOR, in the order of truth tables: 00, 01, 10, 11."""
    return _of_two([0, 1, 1, 0], coding, target_low, target_high)


def and_(coding: str = "01", target_low: float = 0.0, target_high: float = 1.0) -> Patterns:
    """Return AND, in the order of truth tables."""
    return _of_two([0, 0, 0, 1], coding, target_low, target_high)


def or_(coding: str = "01", target_low: float = 0.0, target_high: float = 1.0) -> Patterns:
    """Return OR, in the order of truth tables."""
    return _of_two([0, 1, 1, 1], coding, target_low, target_high)


def _of_two(truths: list[int], coding: str, target_low: float, target_high: float) -> Patterns:
    zero, one = CODINGS[coding]
    inputs = ((zero, zero), (zero, one), (one, zero), (one, one))
    return inputs, _levels([[truth] for truth in truths], target_low, target_high)


def seed() -> Patterns:
    """Return the table of the notebook that this project started from: its fourth row repeats the first."""
    return ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.0)), ((0.0,), (1.0,), (1.0,), (0.0,))


def parity(bits: int, coding: str = "01", target_low: float = 0.0, target_high: float = 1.0) -> Patterns:
    """Return whether the number of set bits is odd."""
    return _bits(bits, coding), _levels([[c.bit_count() & 1] for c in range(2**bits)], target_low, target_high)


def symmetry(bits: int = 6, coding: str = "pm1", target_low: float = 0.0, target_high: float = 1.0) -> Patterns:
    """Return whether a pattern equals its mirror image (Rumelhart, Hinton and Williams, Nature 323, 1986)."""
    return _bits(bits, coding), _levels([[row == row[::-1]] for row in _bits(bits)], target_low, target_high)


def negation(bits: int = 3, coding: str = "01", target_low: float = 0.0, target_high: float = 1.0) -> Patterns:
    """Return all bits but the last, inverted where the last input is set (PDP, volume 1, chapter 8)."""
    truths = [[bit != row[-1] for bit in row[:-1]] for row in _bits(bits + 1)]
    return _bits(bits + 1, coding), _levels(truths, target_low, target_high)


def addition(bits: int = 2, coding: str = "01", target_low: float = 0.0, target_high: float = 1.0) -> Patterns:
    """Return the sum of two numbers of ``bits`` bits each, bit 0 first (PDP, volume 1, chapter 8)."""
    sums = [_number(row[:bits]) + _number(row[bits:]) for row in _bits(2 * bits)]
    return _bits(2 * bits, coding), _levels(
        [[total >> j & 1 for j in range(bits + 1)] for total in sums], target_low, target_high
    )


def encoder(n: int, coding: str = "01", target_low: float = 0.0, target_high: float = 1.0) -> Patterns:
    """Return ``n`` patterns with one input set each, which are their own targets (PDP, volume 1, chapter 8)."""
    if n > _MOST_UNITS:
        raise ValueError(f"n must be at most {_MOST_UNITS} with task 'encoder', got {n}")
    truths = [[j == c for j in range(n)] for c in range(n)]
    return tuple(tuple(CODINGS[coding][truth] for truth in row) for row in truths), _levels(
        truths, target_low, target_high
    )


def moons(
    n: int, noise: float = 0.0, data_seed: int = 0, target_low: float = 0.0, target_high: float = 1.0
) -> Patterns:
    """Return two half circles: ``make_moons(2 * n, noise=noise, random_state=data_seed)`` of scikit-learn to 1e-15."""
    import numpy as np

    _check_patterns(2 * n)
    state = np.random.RandomState(data_seed)
    order = np.arange(2 * n)
    cosines, sines = _cosines_and_sines(np.linspace(0, np.pi, n))
    points = np.concatenate([(cosines, sines), (1 - cosines, 1 - sines - 0.5)], axis=1).T
    state.shuffle(order)
    points = points[order] + (state.normal(scale=noise, size=points.shape) if noise else 0.0)
    return tuple(map(tuple, points.tolist())), _levels((order >= n)[:, np.newaxis].tolist(), target_low, target_high)


def spiral(
    n: int = 100,
    classes: int = 3,
    noise: float = 0.2,
    data_seed: int = 0,
    target_low: float = 0.0,
    target_high: float = 1.0,
) -> Patterns:
    """Return points on the arms of a spiral, class after class, as in Stanford's CS231n."""
    import numpy as np

    _check_patterns(n * classes)
    state = np.random.RandomState(data_seed)
    radius = np.linspace(0.0, 1, n)
    points = []
    for k in range(classes):
        cosines, sines = _cosines_and_sines(np.linspace(k * 4, (k + 1) * 4, n) + state.randn(n) * noise)
        points.append(np.column_stack([radius * sines, radius * cosines]))
    truths = [[j == k for j in range(classes)] for k in range(classes) for _ in range(n)]
    return tuple(map(tuple, np.concatenate(points).tolist())), _levels(truths, target_low, target_high)


def _cosines_and_sines(angles: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return cosines and sines of the C library, since those of NumPy differ in the last bits from CPU to CPU."""
    import numpy as np

    return np.array(list(map(math.cos, angles))), np.array(list(map(math.sin, angles)))


def noise(n: int, n_inputs: int, n_outputs: int = 1, data_seed: int = 0) -> Patterns:
    """Return standard normal inputs and targets, drawn pattern after pattern."""
    import numpy as np

    if n * (n_inputs + n_outputs) > _MOST_NUMBERS:
        raise ValueError(
            f"n times inputs and outputs must be at most {_MOST_NUMBERS:,}, got n {n} times {n_inputs} inputs and "
            f"{n_outputs} outputs"
        )
    rows = np.random.RandomState(data_seed).randn(n, n_inputs + n_outputs).tolist()
    return tuple(tuple(row[:n_inputs]) for row in rows), tuple(tuple(row[n_inputs:]) for row in rows)


def monks(problem: int, coding: str = "01", target_low: float = 0.0, target_high: float = 1.0) -> Patterns:
    """Return the robots to train on of a MONK's problem, with one input for each value of their attributes."""
    return _robots(trained_robots(problem), coding, target_low, target_high)


def monks_all(problem: int, coding: str = "01", target_low: float = 0.0, target_high: float = 1.0) -> Patterns:
    """Return all 432 robots of a MONK's problem with their true classes, to test networks."""
    return _robots(all_robots(problem), coding, target_low, target_high)


def _robots(robots: list[tuple[Robot, bool]], coding: str, target_low: float, target_high: float) -> Patterns:
    inputs = tuple(tuple(CODINGS[coding][has] for has in one_hot(robot)) for robot, _ in robots)
    return inputs, _levels([[truth] for _, truth in robots], target_low, target_high)


TASKS: dict[str, Callable[..., Patterns]] = {
    **{"xor": xor, "and": and_, "or": or_, "seed": seed, "boolean": boolean, "parity": parity, "symmetry": symmetry},
    **{"negation": negation, "addition": addition, "encoder": encoder},
    **{"moons": moons, "spiral": spiral, "noise": noise, "monks": monks, "monks_all": monks_all},
}


def arguments_of(task: str) -> dict[str, Any]:
    """Return the arguments of a task and their defaults; ``Parameter.empty`` for a required one."""
    return {name: parameter.default for name, parameter in signature(TASKS[task]).parameters.items()}


def make_patterns(task: Any, arguments: dict[str, Any]) -> Patterns:
    """Return inputs and targets of a task, a row for each pattern; its arguments are not yet validated."""
    if not isinstance(task, str) or task not in TASKS:
        raise ValueError(unknown("task", task, TASKS))
    takes = arguments_of(task)
    for name, value in arguments.items():
        if name not in takes:
            listed = ", ".join(takes) or "none"
            raise ValueError(f"task {task!r} does not take {name}, got {shown(value)}; its arguments are: {listed}")
        if not ARGUMENTS[name].allows(value):
            raise ValueError(ARGUMENTS[name].refusal(name, value, task))
    for name, default in takes.items():
        if default is Parameter.empty and name not in arguments:
            raise ValueError(f"{name} is missing; task {task!r} needs {ARGUMENTS[name].allowed}")
    return TASKS[task](**arguments)
