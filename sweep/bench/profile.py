"""Show where time goes: ``python -m sweep.bench.profile --hidden 2``.

Prints two things. *The budget of a run*: nanoseconds of one thread for initial
weights, for assigning a lane, the evaluation at the end and recording, and for each step, with
and without a criterion. *The hot loop*: the machine code of the steps,
counted by kind; ``--assembly`` prints it.

How to read the loop. Every vector instruction should be one of the step's
operations (:mod:`sweep.bench.operation_counts`), a load of a parameter or activation, or
a store of one. Stores to the stack are spills, ``call`` a function that was not
inlined, instructions on ``xmm`` registers that end in ``sd`` or ``ss`` scalar code;
none of them should be there. For a sampling profile, LLVM can name kernels to
``perf``: ``NUMBA_ENABLE_PROFILING=1 perf record -k 1 -e cpu-clock sweep run STUDY``.
"""

from __future__ import annotations

import argparse
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from sweep.bench.case import ACTIVATIONS, CASES, DTYPES, Array, Case
from sweep.bench.operation_counts import step_operations

if TYPE_CHECKING:
    from kernels.loop.run_arrays import Outcome
    from kernels.train import Trainer

_JUMP = re.compile(r"\tj\w+\s+(\.L\w+)")
_LABEL = re.compile(r"(\.L\w+):")
_ARITHMETIC = re.compile(r"\tv?(add|sub|mul|div|max|min)p[sd]\s|vpmaxs[dq]|\tv?f(add|sub|mul|div|max\w*|min\w*)\s")
_STACK_STORE = re.compile(r"\tv?mov\S*\s+%[xyz]mm\d+, -?\d*\(%r[sb]p")
_SCALAR = re.compile(r"\tv?(add|sub|mul|div)s[sd]\s")


class HotLoop(NamedTuple):
    """Instructions of a loop, and how many are of which kind."""

    lines: list[str]
    kinds: Counter[str]
    arithmetic: int
    stack_stores: int
    calls: int
    scalar: int


def hot_loop(assembly: str) -> HotLoop:
    """Return the innermost loop with the most vector arithmetic, if possible without a call; code is in AT&T syntax."""
    lines = assembly.splitlines()
    labels = {match[1]: k for k, line in enumerate(lines) if (match := _LABEL.match(line))}
    jumps = [
        (labels[match[1]], k) for k, line in enumerate(lines) if (match := _JUMP.match(line)) and match[1] in labels
    ]
    loops = [(start, end) for start, end in jumps if start < end]
    innermost = [
        (start, end)
        for start, end in loops
        if not any(start <= first and last <= end and (first, last) != (start, end) for first, last in loops)
    ]
    bodies = [[line for line in lines[start : end + 1] if re.match(r"\t[a-z]", line)] for start, end in innermost]
    straight = [body for body in bodies if not any(line.startswith("\tcall") for line in body)]
    body = max(straight or bodies, key=lambda body: sum(bool(_ARITHMETIC.search(line)) for line in body))
    return HotLoop(
        body,
        Counter(line.split()[0] for line in body),
        sum(bool(_ARITHMETIC.search(line)) for line in body),
        sum(bool(_STACK_STORE.search(line)) for line in body),
        sum(line.startswith("\tcall") for line in body),
        sum(bool(_SCALAR.search(line)) for line in body),
    )


def kernel_assembly(case: Case, criterion: str) -> str:
    """Compile the kernel that trains ``case`` and return its machine code as text."""
    from numba.core.caching import NullCache

    from kernels.kept import kernel_for
    from kernels.loop.kernel import make_kernel
    from sweep.bench.peers.own import settings

    trainer = _trainer(case, criterion)
    _train(trainer, case, 1, case.initial_weights(1))
    chosen = trainer.recipe, trainer.variant(case.hidden, settings(case))
    trained: Any = kernel_for(*chosen)
    kernel: Any = make_kernel(*chosen)
    kernel._cache = NullCache()  # only what is compiled now can be shown
    kernel.compile(trained.signatures[0])
    return str(next(iter(kernel.inspect_asm().values())))


def _trainer(case: Case, criterion: str) -> Trainer:
    from kernels.train import Trainer
    from sweep.bench.peers.own import recipe

    return Trainer(recipe(case)._replace(criterion=criterion), case.inputs, case.targets)


def _train(trainer: Trainer, case: Case, max_steps: int, weights: Array, *, losses: bool = False) -> Outcome:
    """Train the runs of one cell, which never converge."""
    import numpy as np

    from sweep.bench.peers.own import settings

    counts = np.array([len(weights)])
    return trainer.train(settings(case, max_steps=max_steps), weights, counts, hidden=case.hidden, losses=losses)


def _lively(trainer: Trainer, case: Case, n_runs: int) -> Array:
    """Return weights of networks whose loss changes at every evaluation, so that no evaluation tests for a stall."""
    import numpy as np

    weights = case.initial_weights(min(512, n_runs))
    losses = _train(trainer, case, case.steps, weights, losses=True).losses
    return np.resize(weights[(np.diff(losses) != 0).all(axis=1)], (n_runs, case.n_parameters))


def budget(case: Case, n_runs: int | None = None, trials: int = 5) -> dict[str, float]:
    """Measure nanoseconds of one thread for ``initial weights`` and ``assign and record`` for a run, and for a step.

    Each is the best of several trials, of as many networks as take about a second by default. Steps are those of
    ``case.steps`` with ``criterion none`` and ``criterion loss``.
    """
    import numpy as np

    from sweep.bench.peers.own import draw

    n_runs = n_runs or max(64, int(2**22 / step_operations(case).simple))

    def best(function: Callable[[], Any]) -> float:
        function()
        seconds = []
        for _ in range(trials):
            start = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - start)
        return min(seconds) / n_runs * 1e9

    found = {"initial weights": best(lambda: draw(case, np.arange(n_runs)))}
    trainers = {criterion: _trainer(case, criterion) for criterion in ("none", "loss")}
    weights = _lively(trainers["none"], case, n_runs)
    found["assign and record"] = best(partial(_train, trainers["none"], case, 0, weights))
    for criterion, trainer in trainers.items():
        seated, trained = (best(partial(_train, trainer, case, steps, weights)) for steps in (0, case.steps))
        found[f"step, criterion {criterion}"] = (trained - seated) / case.steps
    return found


def main() -> None:
    """Print budget and hot loop of one case."""
    parser = argparse.ArgumentParser(prog="python -m sweep.bench.profile", description=__doc__.splitlines()[0])
    parser.add_argument("--case", choices=CASES, default="xor")
    parser.add_argument("--hidden", type=int)
    parser.add_argument("--dtype", choices=DTYPES)
    parser.add_argument("--activation", choices=ACTIVATIONS)
    parser.add_argument("--criterion", choices=("none", "loss", "max_error", "correct"), default="none")
    parser.add_argument("--assembly", action="store_true", help="print the hot loop itself")
    options = parser.parse_args()
    changes = {name: getattr(options, name) for name in ("hidden", "dtype", "activation")}
    case = replace(CASES[options.case], **{name: value for name, value in changes.items() if value is not None})
    loop = hot_loop(kernel_assembly(case, options.criterion))
    for name, nanoseconds in budget(case).items():
        print(f"{name:22} {nanoseconds:9.3f} ns")
    print("a step takes " + ", ".join(f"{n:g} {name}" for name, n in step_operations(case)._asdict().items()))
    print(
        f"hot loop: {len(loop.lines)} instructions, {loop.arithmetic} of them arithmetic; "
        f"{loop.stack_stores} spills, {loop.calls} calls, {loop.scalar} scalar"
    )
    print("  " + ", ".join(f"{count} {name}" for name, count in loop.kinds.most_common()))
    if options.assembly:
        print("\n".join(loop.lines))


if __name__ == "__main__":
    main()
