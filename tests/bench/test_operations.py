"""Operations of a step: the formula, compared with a step in numbers that count their operations."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import pytest

from kernels.recipe import sizes_of
from sweep.bench.case import CASES, Case
from sweep.bench.operation_counts import Operations, step_operations
from tests.bench.test_peers import NAMED


class Counted:
    """A number that counts its operations, except those that vanish."""

    total = 0

    def __init__(self, constant: float | None = None) -> None:
        self.constant = constant

    def _count(self, other: Counted, neutral: float) -> Counted:
        for one, two in ((self, other), (other, self)):
            if one.constant == neutral:
                return two
        Counted.total += 1
        return Counted()

    def __add__(self, other: Counted) -> Counted:
        return self._count(other, 0.0)

    def __sub__(self, other: Counted) -> Counted:
        return self._count(other, 0.0)

    def __mul__(self, other: Counted) -> Counted:
        if 0.0 in (self.constant, other.constant):
            return Counted(0.0)
        signs = [Counted(abs(number.constant)) if number.constant else number for number in (self, other)]
        return signs[0]._count(signs[1], 1.0)


FUNCTION, ROOT, DIVISION = "function", "root", "division"


class Counter:
    """One step in counted numbers, layer by layer."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.others = {FUNCTION: 0, ROOT: 0, DIVISION: 0}
        self.scales = [Counted(1.0 if scale == 1 else None) for scale in case.scales]
        self.one = Counted()  # of a formula, not of a pattern

    def other(self, kind: str) -> Counted:
        """Count an operation that is not simple."""
        self.others[kind] += 1
        return Counted()

    def value(self, function: str) -> Counted:
        """Take a function of a sum."""
        Counted.total += function == "relu"  # a maximum
        return self.other(FUNCTION) if function in ("tanh", "sigmoid") else Counted()

    def chain(self, gradient: Counted, function: str, a: Counted) -> Counted:
        """Multiply a gradient with the slope of a function."""
        Counted.total += function == "relu"  # a comparison
        if function == "tanh":
            return gradient * (self.one - a * a)
        return gradient * (a * (self.one - a)) if function == "sigmoid" else gradient

    def gradients(self, x: list[list[Counted]], target: list[Counted]) -> None:
        """Go forward and backward over patterns with one target each."""
        case, bias = self.case, Counted(None if self.case.bias else 0.0)
        sizes = (*sizes_of(case.hidden), 1)
        below = [x]
        for size, scale, function in zip(sizes, self.scales, case.functions, strict=True):
            layer = []
            for numbers in below[-1]:
                for _ in range(size):
                    self.sum(number * Counted() for number in numbers) * scale + bias
                layer.append([self.value(function) for _ in range(size)])
            below.append(layer)
        deltas = []
        for n, each in enumerate(target):
            error = below[-1][n][0] - each
            error = error * Counted() if case.loss == "squared" else error
            error = self.other(DIVISION) if case.reduction == "mean" else error
            deltas.append([self.chain(error, case.output, Counted())])
        for size, scale, inputs in zip(reversed(sizes), reversed(self.scales), reversed(below[:-1]), strict=True):
            for unit in range(size):
                for place in range(len(inputs[0])):
                    self.sum(
                        numbers[place] * delta[unit] for numbers, delta in zip(inputs, deltas, strict=True)
                    ) * scale
                if case.bias:
                    self.sum(delta[unit] for delta in deltas)
            if inputs is not x:
                units = range(len(inputs[0]))
                passed = [[self.sum(each * Counted() for each in delta) * scale for _ in units] for delta in deltas]
                deltas = [[self.chain(each, case.activation, Counted()) for each in delta] for delta in passed]

    @staticmethod
    def sum(terms: Iterable[Counted]) -> Counted:
        """Add terms to an empty sum."""
        return functools.reduce(Counted.__add__, terms, Counted(0.0))

    def update(self) -> None:
        """Update every parameter."""
        p, g, m, v, beta = (Counted() for _ in range(5))
        if self.case.optimizer == "adam":
            beta * beta, beta * beta
            (beta * self.other(ROOT), self.one - beta, self.one - beta)
            self.other(DIVISION)
            beta * beta
        for _ in range(self.case.n_parameters):
            if self.case.optimizer == "momentum":
                g = beta * v + g
            if self.case.optimizer == "adam":
                m = beta * m + beta * g
                v = beta * v + beta * (g * g)
                beta * m, self.other(ROOT) + beta
                p = p - self.other(DIVISION)
            else:
                p = p - beta * g


def count_step(case: Case) -> Operations:
    """Count an epoch of forward and backward passes, and an update."""
    counter = Counter(case)
    Counted.total = 0
    for x, y in case.windows:
        counter.gradients(
            [[Counted(value) for value in row] for row in x.tolist()], [Counted(value) for (value,) in y.tolist()]
        )
    steps = len(case.windows)
    passes, functions, divisions = Counted.total, counter.others[FUNCTION], counter.others[DIVISION]
    Counted.total, counter.others[DIVISION] = 0, 0
    counter.update()
    return Operations(
        passes / steps + Counted.total,
        divisions / steps + counter.others[DIVISION],
        counter.others[ROOT],
        functions / steps,
    )


COUNTED = [
    Case(hidden, activation=activation)
    for hidden in (1, 2, 8, 33, (2, 3), (3, 1, 2))
    for activation in ("relu", "tanh")
]


@pytest.mark.parametrize("case", [*COUNTED, *NAMED], ids=lambda case: f"{case.title}, {case.hidden}")
def test_operations_are_those_of_a_counted_step(case: Case) -> None:
    """The formula gives the operations of a step in numbers that count them."""
    assert step_operations(case) == count_step(case)


def test_nominal_operations_do_not_depend_on_the_numbers() -> None:
    """Patterns of zeros and ones count like arbitrary numbers, for which no operation vanishes."""
    noise = CASES["trainability"]
    assert step_operations(noise, nominal=True) == step_operations(noise)
    for case in (CASES["xor"], CASES["relu-parity4"]):
        assert step_operations(case, nominal=True).simple > step_operations(case).simple
