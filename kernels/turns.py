"""The inner loop: batches take turns, half a step each, while no lane ends."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from kernels.batch import Batch, Patterns, PatternSource, Signals, Workspace, make_in_memory
from kernels.jit import device
from kernels.judge import make_all_go_on
from kernels.lanes import Memory, Rows, any_lane
from kernels.losses import make_large_errors
from kernels.relu import ReluForms
from kernels.specialization import Specialization
from kernels.step import make_advance, make_forward


@device
def stand_still(patterns: Patterns, workspaces: tuple[Workspace, ...], turns: int, n_hidden: int) -> tuple[int, int]:
    """Take no turns: every step of a batch is attended."""
    return 0, len(workspaces)


@cache
def make_take_turns(
    special: Specialization, known: PatternSource, memory: Memory, forms: ReluForms | None
) -> Callable[[Patterns, tuple[Workspace, ...], int, int], tuple[int, int]]:
    """Return the function that steps two or three batches until one must be attended.

    The function takes ``(patterns, workspaces, turns, n_hidden)`` and steps each batch up to
    ``turns`` times. It returns how many turns all have taken, and the batch that may not take
    the next, or the number of batches. Where steps are judged, the batches before that one
    have taken it.

    Notes
    -----
    All go forward, then all go back, and what a pass works on is in registers where the loop
    over units is unrolled. Judged or not makes a difference of order only. A batch is judged
    right before it goes back, so that registers hold one loss at a time, and the last to go
    forward is the first. Without a criterion, one test whether all losses are plainly finite
    costs less than one for each.
    """
    architecture, loss, criterion, _, _, table, fixed_hidden, one_pass, _, group, n_batches = special
    judged, unrolls, three = special.judged, fixed_hidden is not None, n_batches == 3
    quick = not (judged or one_pass) and architecture.output == "identity"
    forward = make_forward(architecture, known, memory, fixed_hidden, forms, group, quick)
    advance = make_advance(architecture, known, loss, judged, memory, fixed_hidden, forms, one_pass, group, quick)
    large_errors = make_large_errors(known, memory)
    all_lanes_go_on = make_all_go_on(architecture, known, loss, criterion, memory, fixed_hidden, forms)
    in_memory = make_in_memory(architecture, known, memory)
    load, store, rows_of = memory.load, memory.store, memory.rows_of
    n_results = len(table[1]) * architecture.outputs if table else 0
    n_carried = n_results if one_pass else 0
    n_held = architecture.n_parameters(fixed_hidden) if fixed_hidden else 0
    n_activations = (fixed_hidden or 0) * n_results // architecture.outputs
    n_registers = n_held + n_activations + 3 * n_results + 1
    registers = memory.stack(n_batches * n_registers)

    @device
    def in_registers(batch: Batch, rows: Rows, first: int) -> Batch:
        """Return a batch in ``rows`` from ``first`` on, apart from what stays in memory."""
        results = first + n_held + n_activations
        return Batch(
            rows_of(rows, first) if unrolls else batch.parameters,
            batch.control,
            Signals(
                rows_of(rows, results),
                rows_of(rows, results + n_results),
                rows_of(rows, results + 2 * n_results),
                rows_of(rows, first + n_held) if unrolls else batch.signals.hidden,
                rows_of(rows, first + n_registers - 1),
            ),
        )

    @device
    def carry(source: Batch, target: Batch) -> None:
        """Copy what a step needs of the one before, into registers or back."""
        for k in range(n_held):
            store(target.parameters, k, load(source.parameters, k))
        for k in range(n_carried):
            store(target.signals.outputs, k, load(source.signals.outputs, k))
            store(target.signals.errors, k, load(source.signals.errors, k))
        store(target.signals.previous, 0, load(source.signals.previous, 0))

    @device
    def quiet(patterns: Patterns, a: Batch, b: Batch, c: Batch) -> bool:
        """Tell whether the losses of all batches are plainly finite."""
        union = large_errors(patterns, a.signals) | large_errors(patterns, b.signals)
        if three:
            union = union | large_errors(patterns, c.signals)
        return not any_lane(union != 0)

    @device
    def goes_on(patterns: Patterns, batch: Batch, n_hidden: int) -> bool:
        return all_lanes_go_on(patterns, batch.parameters, batch.signals, batch.control, n_hidden)

    @device
    def go_back(patterns: Patterns, batch: Batch, n_hidden: int) -> bool:
        """Take the second half of a step, if no lane ends before it."""
        if judged and not goes_on(patterns, batch, n_hidden):
            return False
        advance(patterns, batch.parameters, batch.signals, batch.control, n_hidden)
        return True

    @device
    def take_turns(patterns: Patterns, workspaces: tuple[Workspace, ...], turns: int, n_hidden: int) -> tuple[int, int]:
        home_a, home_b = in_memory(patterns, workspaces[0]), in_memory(patterns, workspaces[1])
        home_c = in_memory(patterns, workspaces[-1])
        rows = registers()
        a, b = in_registers(home_a, rows, 0), in_registers(home_b, rows, n_registers)
        c = in_registers(home_c, rows, (n_batches - 1) * n_registers)  # which is b if there are two
        first, last = (c, a) if judged else (a, c)
        carry(home_a, a)
        carry(home_b, b)
        if three:
            carry(home_c, c)
        turn, stops = 0, n_batches
        while turn < turns:
            if not one_pass:
                forward(patterns, first.parameters, first.signals, n_hidden)
                if three:
                    forward(patterns, b.parameters, b.signals, n_hidden)
                forward(patterns, last.parameters, last.signals, n_hidden)
            if not judged and not quiet(patterns, a, b, c):
                if not goes_on(patterns, a, n_hidden):
                    stops = 0
                    break
                if not goes_on(patterns, b, n_hidden):
                    stops = 1
                    break
                if three and not goes_on(patterns, c, n_hidden):
                    stops = 2
                    break
            if not go_back(patterns, a, n_hidden):
                stops = 0
                break
            if not go_back(patterns, b, n_hidden):
                stops = 1
                break
            if three and not go_back(patterns, c, n_hidden):
                stops = 2
                break
            turn += 1
        carry(a, home_a)
        carry(b, home_b)
        if three:
            carry(c, home_c)
        return turn, stops

    return take_turns
