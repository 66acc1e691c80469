"""Probabilities of classes: e^u of each output as a share of the sum over all."""

from collections.abc import Callable
from typing import Any

from kernels.components.declarations import Output
from kernels.elementary.lane_functions import exp, log
from kernels.lanes.arithmetic import Lanes, constant, select


def shift(load: Callable[..., Any], store: Callable[..., Any], n_outputs: int) -> Callable[[Any, int], None]:
    """Replace u of a pattern by u - m, where m is the largest: ``(rows, first)``."""

    def shift_pattern(rows: Any, first: int) -> None:
        largest = load(rows, first)
        for o in range(1, n_outputs):
            u = load(rows, first + o)
            largest = select(u > largest, u, largest)
        for o in range(n_outputs):
            store(rows, first + o, load(rows, first + o) - largest)

    return shift_pattern


def power(shifted: Lanes) -> Lanes:
    return exp(shifted)


def share(load: Callable[..., Any], store: Callable[..., Any], n_outputs: int) -> Callable[[Any, int], Any]:
    """Replace powers q of a pattern by q / s and return s, the sum of all q in order: ``(rows, first)``."""

    def share_pattern(rows: Any, first: int) -> Any:
        total = constant(-0.0, load(rows, first))
        for o in range(n_outputs):
            total = total + load(rows, first + o)
        for o in range(n_outputs):
            store(rows, first + o, load(rows, first + o) / total)
        return total

    return share_pattern


def logarithm(total: Lanes) -> Lanes:
    return log(total)


COMPONENT = Output(shift, power, share, logarithm, needs_loss="cross_entropy", source="torch.nn.functional.softmax")
