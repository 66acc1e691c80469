"""The kernel: batches take turns, half a step each, and those that may end are attended."""

from __future__ import annotations

from functools import cache

from kernels.attend import make_attend
from kernels.batch import (
    DEADLINE,
    OCCUPIED,
    STEP,
    Batch,
    Patterns,
    Runs,
    Signals,
    Workspace,
    make_in_memory,
    pattern_source,
)
from kernels.judge import make_all_go_on
from kernels.losses import make_large_errors
from kernels.relu import relu_forms
from kernels.simd import jit, lanes
from kernels.simd.compiling import Kernel
from kernels.simd.jit import device
from kernels.simd.lanes import Rows, align_frame, any_lane
from kernels.specialization import Specialization
from kernels.step import make_advance, make_forward

MAX_STEPS = 2**31 - 1


@cache
def make_kernel(special: Specialization) -> Kernel:
    """Return the training loop for one specialization.

    The kernel takes ``(patterns, runs, workspaces, n_hidden, most_turns)`` and trains runs until
    all have ended or so many turns are taken; called again with the same arguments it goes on.
    It returns the steps that batches took in all calls, counted together.

    Notes
    -----
    All go forward, then all go back, and what a pass works on is in registers where the loop
    over units is unrolled. Judged or not makes a difference of order only. A batch is judged
    right before it goes back, so that registers hold one loss at a time, and the last to go
    forward is the first. Without a criterion, one test whether all losses are plainly finite
    costs less than one for each.
    """
    architecture, loss, criterion, dtype, width, table, fixed_hidden, one_pass, gates, group, n_batches = special
    constant, judged, unrolls, three = table is not None, special.judged, fixed_hidden is not None, n_batches == 3
    known = pattern_source(table, dtype, architecture.bias)
    forms = relu_forms(architecture, table, one_pass=one_pass, unrolls=unrolls, gates=gates)
    memory = lanes.memory(dtype, width)
    enter, attend = make_attend(
        architecture, known, loss, criterion, memory, fixed_hidden, forms, one_pass, group, constant
    )
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

    @jit.kernel(repr(special))
    def train(patterns: Patterns, runs: Runs, workspaces: tuple[Workspace, ...], n_hidden: int, most_turns: int) -> int:
        align_frame()
        home_a, home_b = in_memory(patterns, workspaces[0]), in_memory(patterns, workspaces[n_batches // 2])
        home_c = in_memory(patterns, workspaces[-1])
        rows = registers()
        a, b = in_registers(home_a, rows, 0), in_registers(home_b, rows, n_batches // 2 * n_registers)
        c = in_registers(home_c, rows, (n_batches - 1) * n_registers)  # which is b if there are two
        first, last = (c, a) if judged else (a, c)
        steps = occupied = 0
        for k in range(n_batches):  # for runs that are seated already, this does again what was done
            enter(patterns, runs, workspaces[k], n_hidden)
            occupied += workspaces[k].clock[OCCUPIED]
        while occupied > 0 and most_turns > 0:
            turns = min(MAX_STEPS, most_turns) if constant else 0
            for k in range(n_batches):
                turns = min(turns, workspaces[k].clock[DEADLINE] - workspaces[k].clock[STEP])
            carry(home_a, a)
            carry(home_b, b)
            if three:
                carry(home_c, c)
            turn, stops = 0, n_batches
            while turn < turns:
                if constant and not one_pass:
                    forward(patterns, first.parameters, first.signals, n_hidden)
                    if three:
                        forward(patterns, b.parameters, b.signals, n_hidden)
                    forward(patterns, last.parameters, last.signals, n_hidden)
                if constant and not judged and not quiet(patterns, a, b, c):
                    if not goes_on(patterns, a, n_hidden):
                        stops = 0
                        break
                    if not goes_on(patterns, b, n_hidden):
                        stops = 1
                        break
                    if three and not goes_on(patterns, c, n_hidden):
                        stops = 2
                        break
                if constant:
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
            steps = occupied = 0
            for k in range(n_batches):
                workspace, clock = workspaces[k], workspaces[k].clock
                clock[STEP] += turn + (judged and k < stops < n_batches)
                due = k == stops or clock[STEP] == clock[DEADLINE] or (not constant and clock[OCCUPIED] > 0)
                if due and attend(patterns, runs, workspace, n_hidden):
                    enter(patterns, runs, workspace, n_hidden)
                steps += clock[STEP]
                occupied += clock[OCCUPIED]
            most_turns -= turn + 1
        return steps

    return train
