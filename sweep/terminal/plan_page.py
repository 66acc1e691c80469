"""The size and estimated cost of a study before it is trained."""

from __future__ import annotations

import math

from kernels.vocabulary import OVER_OUTPUTS
from sweep.schedule.kernel_count import compiler_note, most_kernels
from sweep.schedule.plan import Plan
from sweep.schemas.run_columns import row_bytes
from sweep.study.axes.grid import Axis
from sweep.study.description import patterns_text, until_text, values_text
from sweep.study.model import Study
from sweep.system.formatting import count_text, duration, exact, list_text
from sweep.system.host import available_threads
from sweep.system.wrapping import print_text
from sweep.training.speed import FEW_STEPS, estimate, noted_kernel_seconds


def print_plan(study: Study, *, every: bool = False) -> None:
    """Print cells, runs and bytes of a study, estimates of compiling and training, and a table of its options.

    A long list of values is shortened to the first ones, their number and their range, unless ``every`` is set.
    """
    planned = Plan(study)
    shape = " x ".join(map(_shape_of, study.axes)) or "nothing swept"
    first, last = study.seeds.base, study.seeds.base + study.seeds.count - 1
    memory, disk = row_bytes(study)
    most = "at most " if study.seeds.until else ""
    lines = {
        "study": f"{study.name}  {study.identity}",
        "cells": f"{study.n_cells:,} ({shape})",
        "seeds": f"{study.seeds.count:,} ({first} to {last}){_rounds(study)}",
        "runs": f"{most}{study.n_runs:,} in {count_text(planned.n_parts, 'part')}",
        "seconds": _seconds(planned),
        "kernels": _kernels(planned),
        **({"compiler": note} if (note := compiler_note()) else {}),
        "bytes": f"{memory * study.n_runs:,} in memory, about {disk * study.n_runs:,} on disk",
        "patterns": patterns_text(study),
    }
    if not study.data.drawn and any(
        output not in OVER_OUTPUTS for output in study.values_of("output")
    ):  # softmax: the largest output counts, not a threshold
        lines["decision_threshold"] = ", ".join(map(exact, dict.fromkeys(study.data.used_decision_thresholds)))
    options = _options(study, every=every)
    width = max(map(len, [*lines, *options]))
    for name, text in lines.items():
        print_text(f"{name:{width}}  {text}")
    print_text("", f"{'option':{width}}  values", "─" * (width + 8))
    for name, text in options.items():
        print_text(f"{name:{width}}  {text}")


def _options(study: Study, *, every: bool) -> dict[str, str]:
    """Return the values of all options as texts: those that are swept, then the others."""
    lines = {
        name: ", ".join(map(exact, values)) if every else values_text(values)
        for axis in study.axes
        for name, values in axis.items()
    }
    fixed = study.fixed()
    idle = set() if study.has_patience else {"stopping_rule"}  # which ends no run without patience
    used = (name for name in fixed if fixed[name] is not None and study.uses(name))
    lines |= {name: exact(fixed[name]) for name in used if name not in idle}
    if study.record.loss_thresholds:
        lines["record.loss_thresholds"] = ", ".join(map(exact, study.record.loss_thresholds))
    if study.record.measures:
        lines["record.measures"] = ", ".join(study.record.measures)
    if study.restarts.max_restarts:
        lines |= {
            f"restarts.{key}": ", ".join(value) if isinstance(value, tuple) else str(value)
            for key, value in study.restarts
            if value is not None
        }
    if study.record.curves:
        n_seeds = study.record.curves.seeds
        lines["record.curves"] = f"{n_seeds:,} of {study.seeds.count:,} seeds per cell; their runs are trained twice"
    return lines


def power_text(
    study: Study, difference: float | None, ratio: float | None, rate: float, steps: float | None, variation: float
) -> str:
    """Return how many seeds per cell detect a difference of rates or a ratio of expected steps, a line each.

    ``difference`` and ``ratio`` are the effects to detect, None to leave one out; ``rate``, ``steps`` and ``variation``
    are assumptions, as for :func:`sweep.statistics.power.seeds_for_ratio`. By default, steps are a tenth of the limit.
    A run that does not converge takes as many steps as this study allows. SweepError is raised if a number is out of
    range.
    """
    lines = []
    if difference is not None:
        from sweep.statistics.power import seeds_for_difference

        n = seeds_for_difference(difference, rate)
        what = f"a difference of {100 * difference:g} percentage points between two rates around {100 * rate:g} %"
        lines.append(f"{n:,} seeds per cell detect {what}")
    if ratio is not None:
        from sweep.statistics.power import seeds_for_ratio

        limit = max(study.step_limits)
        took = limit / 10 if steps is None else steps
        n = seeds_for_ratio(ratio, rate, took, variation, limit)
        mean = f"{took:,g} ± {took * variation:,g} steps (mean ± standard deviation)"
        runs = f"if {100 * rate:g} % converge in {mean} and the others take {limit:,}"
        lines.append(f"{n:,} seeds per cell detect a ratio of {ratio:g} of expected steps (ERT), {runs}")
    return "".join(f"{line} (80 % power, one comparison at 5 %)\n" for line in lines)


def _shape_of(axis: Axis) -> str:
    """Return the number of values of an option, or of points of several options that vary together."""
    n_points = len(next(iter(axis.values())))
    return (
        f"{n_points} {next(iter(axis))}"
        if len(axis) == 1
        else f"{count_text(n_points, 'point')} of {list_text(list(axis))}"
    )


def _rounds(study: Study) -> str:
    """Return the clause on adaptive seeds; empty without them."""
    until = study.seeds.until
    return f", {until.first} at first, doubled {until_text(until)}" if until else ""


def _kernels(plan: Plan) -> str:
    """Return the largest number of kernels to compile, and the time it takes if it is known."""
    each, number = noted_kernel_seconds(), most_kernels(plan.study, plan.parts.operations)
    if each is None:
        seconds = "some seconds each"
    else:
        side_by_side = min(available_threads(), number)
        seconds = f"in about {duration(each * math.ceil(number / side_by_side))} at this machine's latest speed"
    return f"at most {number:,} to compile, fewer if some are cached, {seconds}"


def _seconds(plan: Plan) -> str:
    """Return the estimated time of training: a range if runs may end early, and how early is not known yet."""
    threads = min(available_threads(), plan.n_parts)
    found = estimate(plan, threads)
    on = f"of training on {threads} threads" if threads > 1 else "of training on one thread"
    fewest, most = duration(found.most * FEW_STEPS), duration(found.most)
    if found.expected is None:
        text = f"{fewest} to {most} {on}, depending on how early runs end" if fewest != most else f"at most {most} {on}"
    else:
        expected = duration(found.expected)
        text = f"about {expected} {on}"
        text += f" if runs end as early as the latest such runs, at most {most}" if expected != most else ""
    return text if found.is_measured else f"{text} (such networks were not trained on this machine yet)"
