"""Operations of a step are pinned. A step in numbers that count their operations once gave these values.

Operations that vanish are left out.
"""

from __future__ import annotations

import pytest

from sweep.bench.case import CASES, Case
from sweep.bench.operation_counts import step_operations
from tests.bench.test_peers import NAMED

# Simple operations of a step of XOR, with relu and with tanh, which calls a function for each unit and pattern.
XOR = {1: (55, 59), 2: (99, 107), 8: (363, 395), 33: (1463, 1595), (2, 3): (301, 321), (3, 1, 2): (270, 294)}
# Simple operations, divisions, roots and functions of other cases.
OTHERS = {
    "xor-momentum": (429, 0, 0, 0),
    "xor-adam": (633, 34, 34, 0),
    "xor-online": (123.5, 0, 0, 0),
    "parity5": (3220, 32, 0, 192),
    "deep-adam": (2945, 106, 106, 64),
    "relu-parity3": (372, 0, 0, 0),
    "relu-parity4": (1089, 0, 0, 0),
    "relu-parity5": (2996, 0, 0, 0),
    "relu-parity6": (7889, 0, 0, 0),
    "trainability": (60214, 272, 0, 816),
    "deep-noise": (68878, 272, 0, 0),
}


@pytest.mark.parametrize("hidden", XOR, ids=str)
def test_operations_of_xor(hidden: int | tuple[int, ...]) -> None:
    """Units, layers and activations count."""
    n_units = hidden if isinstance(hidden, int) else sum(hidden)
    for activation, simple, functions in zip(("relu", "tanh"), XOR[hidden], (0, 4 * n_units), strict=True):
        assert step_operations(Case(hidden, activation=activation)) == (simple, 0, 0, functions)


@pytest.mark.parametrize("case", NAMED, ids=lambda case: case.name)
def test_operations_of_a_case(case: Case) -> None:
    """Optimizers, windows, tasks, biases and losses count."""
    assert step_operations(case) == OTHERS[case.name]


def test_nominal_operations_do_not_depend_on_the_numbers() -> None:
    """Patterns of zeros and ones count like arbitrary numbers, for which no operation vanishes."""
    noise = CASES["trainability"]
    assert step_operations(noise, nominal=True) == step_operations(noise)
    for case in (CASES["xor"], CASES["relu-parity4"]):
        assert step_operations(case, nominal=True).simple > step_operations(case).simple
