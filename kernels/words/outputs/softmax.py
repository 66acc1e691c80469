"""Probabilities of classes: e^u of each output as a share of the sum over all."""

from collections.abc import Callable
from typing import Any

from kernels.simd.functions import constant, exp, log, select
from kernels.words.records import Output


def make(load: Callable[..., Any], store: Callable[..., Any], n_outputs: int, logs: bool) -> Callable[..., None]:
    """Q / s with q = e^(u - m), m the largest u and s the sum of all q; and log(s) - (u - m), which is -log of it."""

    def softmax(outputs: Any, totals: Any, first: int) -> None:
        largest = load(outputs, first)
        for o in range(1, n_outputs):
            u = load(outputs, first + o)
            largest = select(u > largest, u, largest)
        total = constant(-0.0, largest)
        for o in range(n_outputs):
            below = load(outputs, first + o) - largest
            power = exp(below)
            total = total + power
            store(outputs, first + o, power)
            if logs:
                store(totals, first + o, below)
        for o in range(n_outputs):
            store(outputs, first + o, load(outputs, first + o) / total)
        if logs:
            log_total = log(total)
            for o in range(n_outputs):
                store(totals, first + o, log_total - load(totals, first + o))

    return softmax


WORD = Output(make, needs_loss="cross_entropy", source="torch.nn.functional.softmax")
