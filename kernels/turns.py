"""The inner loop: batches take turns, half a step each, while no lane ends."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from kernels.batch import Batch, Patterns, PatternSource, Signals, Workspace, make_in_memory
from kernels.jit import device, unrolled
from kernels.judge import make_all_go_on
from kernels.lanes import Memory, Rows, any_lane, bits
from kernels.losses import make_large_errors
from kernels.relu import ReluForms
from kernels.specialization import Specialization
from kernels.step import make_advance, make_forward


@cache
def make_take_turns(
    special: Specialization, known: PatternSource, memory: Memory, forms: ReluForms | None
) -> Callable[[Patterns, tuple[Workspace, ...], int, int], tuple[int, int]]:
    """Return the function that steps all batches until one must be attended.

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
    judged, unrolls = special.judged, fixed_hidden is not None
    quick = not (judged or one_pass) and architecture.output == "identity"
    forward = make_forward(architecture, known, memory, fixed_hidden, forms, group, quick)
    advance = make_advance(architecture, known, loss, judged, memory, fixed_hidden, forms, one_pass, group, quick)
    large_errors = make_large_errors(known, memory)
    all_lanes_go_on = make_all_go_on(architecture, known, loss, criterion, memory, fixed_hidden, forms)
    in_memory = make_in_memory(architecture, known, memory)
    load, store, fill, rows_of = memory.load, memory.store, memory.fill, memory.rows_of
    n_results = len(table[1]) * architecture.outputs if table else 0
    n_carried = n_results if one_pass else 0
    n_held = architecture.n_parameters(fixed_hidden) if fixed_hidden else 0
    n_activations = (fixed_hidden or 0) * n_results // architecture.outputs
    n_registers = n_held + n_activations + 3 * n_results + 1
    registers = memory.stack(n_batches * n_registers)

    @device
    def in_registers(k: int, patterns: Patterns, workspaces: tuple[Workspace, ...], rows: Rows) -> Batch:
        """Return batch k in its part of ``rows``, apart from what stays in memory."""
        batch = in_memory(patterns, workspaces[k])
        first = k * n_registers
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
    def fetch(k: int, patterns: Patterns, workspaces: tuple[Workspace, ...], rows: Rows, n_hidden: int) -> bool:
        carry(in_memory(patterns, workspaces[k]), in_registers(k, patterns, workspaces, rows))
        return True

    @device
    def bring_back(k: int, patterns: Patterns, workspaces: tuple[Workspace, ...], rows: Rows, n_hidden: int) -> bool:
        carry(in_registers(k, patterns, workspaces, rows), in_memory(patterns, workspaces[k]))
        return True

    @device
    def go_forward(k: int, patterns: Patterns, workspaces: tuple[Workspace, ...], rows: Rows, n_hidden: int) -> bool:
        batch = in_registers(n_batches - 1 - k if judged else k, patterns, workspaces, rows)
        forward(patterns, batch.parameters, batch.signals, n_hidden)
        return True

    @device
    def goes_on(k: int, patterns: Patterns, workspaces: tuple[Workspace, ...], rows: Rows, n_hidden: int) -> bool:
        batch = in_registers(k, patterns, workspaces, rows)
        return all_lanes_go_on(patterns, batch.parameters, batch.signals, batch.control, n_hidden)

    @device
    def go_back(k: int, patterns: Patterns, workspaces: tuple[Workspace, ...], rows: Rows, n_hidden: int) -> bool:
        if judged and not goes_on(k, patterns, workspaces, rows, n_hidden):
            return False
        batch = in_registers(k, patterns, workspaces, rows)
        advance(patterns, batch.parameters, batch.signals, batch.control, n_hidden)
        return True

    @device
    def quiet(patterns: Patterns, workspaces: tuple[Workspace, ...], rows: Rows) -> bool:
        """Tell whether the losses of all batches are plainly finite."""
        union = bits(fill(0.0))
        for k in range(n_batches):
            union = union | large_errors(patterns, in_registers(k, patterns, workspaces, rows).signals)
        return not any_lane(union != 0)

    fetch_all, all_forward, all_back, bring_all_back = (
        unrolled(part, n_batches) for part in (fetch, go_forward, go_back, bring_back)
    )
    all_going_on = unrolled(goes_on, n_batches)

    @device
    def take_turns(patterns: Patterns, workspaces: tuple[Workspace, ...], turns: int, n_hidden: int) -> tuple[int, int]:
        rows = registers()
        fetch_all(patterns, workspaces, rows, n_hidden)
        turn, stops = 0, n_batches
        while turn < turns:
            if not one_pass:
                all_forward(patterns, workspaces, rows, n_hidden)
            if not judged and not quiet(patterns, workspaces, rows):
                stops = all_going_on(patterns, workspaces, rows, n_hidden)
                if stops < n_batches:
                    break
            stops = all_back(patterns, workspaces, rows, n_hidden)
            if stops < n_batches:
                break
            turn += 1
        bring_all_back(patterns, workspaces, rows, n_hidden)
        return turn, stops

    return take_turns
