"""Conflicts between options of a study, each of which is valid by itself.

Two options are compared value by value, not cell by cell: for each value of one option, the values that the other has
in the same cells. These are all of its values unless both options are of one axis. So the number of cells does not
matter.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from kernels import vocabulary
from sweep.errors import shown
from sweep.measures import MEASURES
from sweep.study.curve_points import curve_faults
from sweep.study.idle_options import idle_options
from sweep.study.options.option_tables import HELD_OUT_OPTIONS, LOSS_ALIASES, MAX_STEPS, loss_and_reduction
from sweep.study.restart_faults import restart_faults
from sweep.study.start_faults import MAX_FLOAT32, start_faults
from sweep.study.until_faults import until_faults
from sweep.system.formatting import count_text

if TYPE_CHECKING:
    from kernels.components.declarations import Loss
    from sweep.study.content import StudyContent
    from sweep.study.options.option_tables import OptionTables

# Most hidden activations of one network over all patterns. This limits the time of a step, which cannot be interrupted.
# With several hidden layers, weights times patterns are limited too. Many networks are in memory side by side.
MAX_ACTIVATIONS = 2**24
MAX_PRODUCTS = 2**28
MAX_DEEP_WEIGHTS = 2**22


class Rule(NamedTuple):
    """A requirement of one value of an option for the values of another option."""

    # The rule holds where this option has this value
    option: str
    value: str
    other: str  # the option whose values are restricted
    # (value of other, number of patterns) -> bool: whether a value of ``other`` is allowed
    allows: Callable[[Any, int], bool]
    needs: str  # the allowed value, as part of an error message


def _one_of(*values: Any) -> Callable[[Any, int], bool]:
    return lambda value, _: value in values


def _rules(tables: OptionTables) -> Iterator[Rule]:
    """Yield the rules of the options of a study."""
    for alias, (name, own) in LOSS_ALIASES.items():
        yield Rule("loss", alias, "reduction", _one_of(None, own), f"reduction {own!r} (loss {name!r} allows any)")
    for name, loss in tables.users["loss"].items():
        if loss.output:
            yield Rule("loss", name, "output", _one_of(loss.output), f"output {loss.output!r}")
    for name, output in vocabulary.OVER_OUTPUTS.items():
        yield Rule("output", name, "loss", _one_of(output.needs_loss), f"loss {output.needs_loss!r}")
    for name, optimizer in tables.users["optimizer"].items():
        if optimizer.full_batch:
            yield Rule("optimizer", name, "batch", lambda batch, n_patterns: batch == n_patterns, "batch 'full'")
        if not optimizer.follows_rate:
            yield Rule("optimizer", name, "schedule", _one_of("constant"), "schedule 'constant'")
            yield Rule("optimizer", name, "warmup", _one_of(0), "warmup 0")
        if optimizer.positive_rate:
            for rate in ("learning_rate", "output_learning_rate"):
                yield Rule("optimizer", name, rate, lambda rate, _: rate is None or rate > 0, "learning rates above 0")

    for name, rule in vocabulary.STOPPING_RULES.items():
        if rule.needs_loss:
            losses = ("validation_loss", "test_loss")
            yield Rule("stopping_rule", name, "monitor", _one_of(*losses), "monitor 'validation_loss' or 'test_loss'")


def combination_faults(study: StudyContent, named: set[str]) -> list[str]:
    """Return a sentence for each conflict of a study whose tables are all valid.

    Options that are not ``named``, set or swept, have their defaults.
    """
    return [
        *_broken_rules(study),
        *_refused_targets(study),
        *_idle_decay(study),
        *idle_options(study, named),
        *_missing_layers(study),
        *_impossible_improvement(study),
        *_held_out_faults(study),
        *start_faults(study),
        *_too_large_to_measure(study),
        *restart_faults(study),
        *_rounded_away(study),
        *_beyond_limits(study, named),
        *until_faults(study),
        *curve_faults(study),
    ]


def _broken_rules(study: StudyContent) -> Iterator[str]:
    for rule in _rules(study.tables):
        if rule.value in study.values_of(rule.option):
            for value in study.values_beside(rule.other, rule.option, rule.value):
                if not rule.allows(value, study.data.n_patterns):
                    yield (
                        f"{study.key_of(rule.option)}: {rule.value!r} needs {rule.needs}, got "
                        f"{study.key_of(rule.other)} {shown(value)}"
                    )
                    break


def _refused_targets(study: StudyContent) -> Iterator[str]:
    numbers = {values: k for k, values in enumerate(study.combinations(study.data.options))}
    used: dict[str, set[int]] = {}
    for loss, *values in study.combinations(("loss", *study.data.options)):
        used.setdefault(loss, set()).add(numbers[tuple(values)])
    for loss, sets in used.items():
        option = study.tables.users["loss"][loss_and_reduction(loss)[0]]
        refused = next(_targets_refused(study, option, sets), None)
        if refused:
            key, target = refused
            remedy = "; two classes need target_one_hot" if option.takes_row and study.data.n_targets == 1 else ""
            yield f"{key}: got {target}, but {study.key_of('loss')} {loss!r} needs {option.targets}{remedy}"


def _targets_refused(study: StudyContent, loss: Loss, sets: set[int]) -> Iterator[tuple[str, str]]:
    """Yield key and value of each target in some sets of patterns that a loss does not allow."""
    if loss.takes_target is None:
        return
    for number in sorted(sets):
        data = study.data.sets[number]
        for name, patterns in ({"": data} | data.held_out).items():
            key = f"data.{name}".rstrip(".")
            of_set = f" of set {number}" if study.data.options else ""
            for pattern, row in enumerate(patterns.targets):
                for k, target in enumerate(row):
                    if not loss.takes_target(target):
                        yield f"{key}.targets[{pattern}][{k}]{of_set}", repr(target)
                if loss.takes_row and not loss.takes_row(row):
                    yield f"{key}.targets[{pattern}]{of_set}", shown(list(row))


def _idle_decay(study: StudyContent) -> Iterator[str]:
    for name in study.values_of("optimizer"):
        decays = study.values_beside("weight_decay", "optimizer", name)
        if study.tables.users["optimizer"][name].needs_decay and not any(decays):
            yield (
                f"{study.key_of('optimizer')}: {name!r} needs weight decay, got {study.key_of('weight_decay')} 0; set "
                "training.weight_decay, as 0.01, or use the optimizer without decay"
            )


def _missing_layers(study: StudyContent) -> Iterator[str]:
    """Yield a sentence for each order of drawing with a layer that no network has."""
    most = max(map(len, study.hidden_layers))
    for order in study.values_of("draw_order"):
        for name in re.findall(r"[wb][1-9]", order):
            if int(name[1]) > most:
                yield (
                    f"{study.key_of('draw_order')}: must name layers of the networks, which have at most "
                    f"{count_text(most, 'hidden layer')}; got {name} in {order!r}"
                )
                break


def _held_out_faults(study: StudyContent) -> Iterator[str]:
    """Yield a sentence for each option that names held-out patterns that networks are not evaluated on."""
    for name in HELD_OUT_OPTIONS:
        for value in study.values_of(name):
            kind = value.partition("_")[0]
            if kind in ("validation", "test") and kind not in study.data.held_out:
                yield f"{study.key_of(name)}: {value!r} needs {kind} patterns; set data.{kind}_count or data.{kind}"
            elif kind == "test" and study.data.n_validations:
                yield (
                    f"{study.key_of(name)}: must not be {value!r} in a study with validation patterns, which decide "
                    "the best network; use those, or remove them"
                )

    if "best_weights" in study.record.columns_of_weights and not study.data.n_validations:
        yield (
            f"record.weights: {study.record.weights!r} needs validation patterns; "
            "set data.validation_count or data.validation"
        )


def _impossible_improvement(study: StudyContent) -> Iterator[str]:
    """Yield a sentence for each improvement by more outputs than there are, or by more than all patterns."""
    for improvement in study.values_beside("min_delta", "monitor", "validation_accuracy"):
        if improvement >= 1:
            yield (
                f"{study.key_of('min_delta')}: must be below 1, a share of patterns, with {study.key_of('monitor')} "
                f"'validation_accuracy'; got {improvement:g}"
            )
    for improvement in study.values_beside("min_delta", "monitor", "n_correct"):
        if improvement >= study.n_outputs:
            yield (
                f"{study.key_of('min_delta')}: must be below {study.n_outputs}, the outputs over all patterns, with "
                f"{study.key_of('monitor')} 'n_correct'; got {improvement:g}"
            )


def _rounded_away(study: StudyContent) -> Iterator[str]:
    """Yield a sentence for each number that float32 rounds to 0, to infinity or to its excluded upper limit."""
    if study.network.dtype == "float32":
        options = study.tables.options
        for name in {**options, **study.parameters}:
            for value in study.values_of(name) if options[name].role != "data" else ():
                needs = _lost_in_float32(study, name, value) if isinstance(value, float) else None
                if needs:
                    yield f"{study.key_of(name)}: must be {needs} after rounding to float32, got {value!r}"
                    break
        for threshold in study.record.loss_thresholds:
            needs = _lost_in_float32(study, "loss_thresholds", threshold)
            if needs:
                yield f"record.loss_thresholds: must be {needs} after rounding to float32, got {threshold!r}"
                break


def _lost_in_float32(study: StudyContent, name: str, value: float) -> str | None:
    """Return the requirement that a value violates after rounding to float32, or None."""
    try:
        rounded = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return "finite"
    if rounded == 0 and value != 0:
        return "other than 0"
    setting = vocabulary.SETTINGS.get(name) or study.tables.custom_settings.get(name)
    most = setting.below if setting else None
    return f"below {most:g}" if most is not None and rounded >= most else None


def _too_many_weights(study: StudyContent) -> Iterator[str]:
    """Yield a sentence where networks of several hidden layers have too many weights."""
    n_patterns, n_inputs, n_outputs = study.data.sets[0].shape
    fans = [(n_inputs, *sizes, n_outputs) for sizes in study.hidden_layers if len(sizes) > 1]
    most = max((sum(below * size for below, size in pairwise(fan)) for fan in fans), default=0)
    if most > MAX_DEEP_WEIGHTS:
        yield (
            f"{study.key_of('hidden')}: networks of several hidden layers must have at most {MAX_DEEP_WEIGHTS} "
            f"weights, got {most}"
        )
    elif most * n_patterns > MAX_PRODUCTS:
        yield (
            f"{study.key_of('hidden')}: patterns times weights of several hidden layers must be at most "
            f"{MAX_PRODUCTS}, got {n_patterns} times {most}"
        )


def _too_large_to_measure(study: StudyContent) -> Iterator[str]:
    """Yield a sentence for each measure that the study records and cannot have."""
    for name in study.record.measures:
        fault = MEASURES[name].fault
        reason = fault and fault(study)
        if reason:
            yield f"record.measures: {name!r} {reason}"


def _beyond_limits(study: StudyContent, named: set[str]) -> Iterator[str]:
    """Yield a sentence for each product or number that is too large."""
    n_patterns = max(study.data.n_patterns, study.data.n_validations, study.data.n_tests)
    hidden = max(sum(sizes) for sizes in study.hidden_layers)
    if n_patterns * hidden > MAX_ACTIVATIONS:
        yield (
            f"network.hidden: patterns times hidden units must be at most {MAX_ACTIVATIONS}, got {n_patterns} times "
            f"{hidden}"
        )
    yield from _too_many_weights(study)
    largest = _largest_number(study) if study.network.dtype == "float32" else 0.0
    if largest > MAX_FLOAT32:
        yield f"data: numbers must be at most {MAX_FLOAT32!r} with dtype 'float32', got {largest!r}"
    if "max_steps" not in named:
        pairs = (
            (most or 0, -(-study.data.n_patterns // batch))
            for most, batch in study.combinations(("max_epochs", "batch"))
        )
        epochs, n_windows = max(pairs, key=prod)
        if epochs * n_windows > MAX_STEPS:
            yield (
                f"{study.key_of('max_epochs')}: must be at most {MAX_STEPS} steps in all, got {epochs} epochs of "
                f"{n_windows} steps"
            )


def _largest_number(study: StudyContent) -> float:
    """Return the largest absolute value in all patterns."""
    patterns = [each for data in study.data.sets for each in (data, *data.held_out.values())]
    return max(abs(value) for each in patterns for row in (*each.inputs, *each.targets) for value in row)
