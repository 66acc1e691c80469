"""The three MONK's problems: 432 robots with six attributes, some of which are the patterns to train on.

S. B. Thrun and others, The MONK's problems: a performance comparison of different learning algorithms, report
CMU-CS-91-197, Carnegie Mellon University, 1991.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

Robot = tuple[int, ...]

# Values of each attribute: head shape, body shape, smiles, holds, color of the jacket, wears a tie.
ATTRIBUTES = (3, 3, 2, 3, 4, 2)
ROBOTS = tuple(product(*(range(1, count + 1) for count in ATTRIBUTES)))

CONCEPTS: dict[int, Callable[[Robot], bool]] = {
    1: lambda a: a[0] == a[1] or a[4] == 1,
    2: lambda a: a.count(1) == 2,
    3: lambda a: (a[4] == 3 and a[3] == 1) or (a[4] != 4 and a[1] != 3),
}

# Robots to train on, as a bit mask by their numbers: 124, 169 and 122 robots.
_TRAINED = {
    1: 0xAA00E18EA0854500230082810828090809032007209211014004E1AB201C48909840DB30C5EA08DA444438E00884B19602500C240030,
    2: 0x853501002035A12D3935063A8E04F92BEA40B0259646B1238D19E9701190AB84496A081904A270986C3AF35044FB7A020AD003445748,
    3: 0xA128034D806061022802104801A00482801585904A102D10403208B906A00240086803C340A0871160440D0D906F1C1033C88800895E,
}
# Robots to train on whose class is wrong, some 5 %.
_WRONG = {1: (), 2: (), 3: (4, 60, 202, 212, 213, 390)}


def trained_robots(problem: int) -> list[tuple[Robot, bool]]:
    """Return the robots to train on, each with its class, including the noise of problem 3."""
    numbers = [number for number in range(len(ROBOTS)) if _TRAINED[problem] >> number & 1]
    concept = CONCEPTS[problem]
    return [(ROBOTS[number], concept(ROBOTS[number]) != (number in _WRONG[problem])) for number in numbers]


def all_robots(problem: int) -> list[tuple[Robot, bool]]:
    """Return all robots, each with its true class."""
    return [(robot, CONCEPTS[problem](robot)) for robot in ROBOTS]


def one_hot(robot: Robot) -> list[bool]:
    """Return, for each of the 17 values of attributes, whether a robot has it."""
    return [value == mine for mine, count in zip(robot, ATTRIBUTES, strict=True) for value in range(1, count + 1)]
