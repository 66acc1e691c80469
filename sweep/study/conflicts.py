"""Conflicts between options of a study, each of which is valid by itself, found value by value and not cell by cell."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from kernels import vocabulary
from kernels.start.names import ALL, NAMED_SCALES, by_array, distributions_in, value_for
from sweep.errors import shown, shown_names
from sweep.measures import MEASURES
from sweep.study.curve_points import curve_faults
from sweep.study.idle_options import idle_options
from sweep.study.options.convergence import HELD_OUT_OPTIONS
from sweep.study.options.explicit_weights import Numbers, Shapes, element_of, shape_of
from sweep.study.options.option_tables import LOSS_ALIASES, loss_and_reduction
from sweep.study.options.option_values import MAX_STEPS
from sweep.study.options.other_sections import Restarts
from sweep.study.until_faults import until_faults
from sweep.system.formatting import count_text
from sweep.system.plain_values import as_written

if TYPE_CHECKING:
    from kernels.components.declarations import Loss
    from sweep.study.content import StudyContent


# Most hidden activations of one network over all patterns. This limits the time of a step, which cannot be interrupted.
# With several hidden layers, weights times patterns are limited too. Many networks are in memory side by side.
MAX_ACTIVATIONS = 2**24
MAX_PRODUCTS = 2**28
MAX_DEEP_WEIGHTS = 2**22


class Rule(NamedTuple):
    """A requirement of the values that two options have in one cell."""

    option: str
    other: str
    allows: Callable[[Any, Any], bool]  # (value of the option, of the other) -> bool
    needs: str  # what the option needs of the other, as part of an error message
    remedy: str = ""  # what to do, where that is more than to set ``other``


# Rules of values that follow from no component.
_RULES = (
    Rule("step_min", "step_max", lambda least, most: least <= most, "a step_max of at least as much"),
    Rule(
        "hidden",
        "scaling",
        lambda hidden, scaling: str(hidden) != "0" or scaling == "standard",
        "scaling 'standard', since its sums have no factor",
    ),
    Rule(
        "share",
        "step_ratio",
        lambda share, ratio: share == "none" or ratio == 1,
        "step_ratio 1, equal first steps of Rprop",
    ),
)


def _one_of(*values: Any) -> Callable[[Any], bool]:
    return values.__contains__


def _is_above_zero(rate: float | None) -> bool:
    return rate is None or rate > 0


def _of_value(option: str, value: str, other: str, allows: Callable[[Any], bool], needs: str, remedy: str = "") -> Rule:
    """Return the rule that one value of an option has for another option."""
    return Rule(option, other, lambda mine, its: mine != value or allows(its), needs, remedy)


def _rules(study: StudyContent) -> Iterator[Rule]:
    yield from _RULES
    users, n_patterns, n_outputs = study.tables.users, study.data.n_patterns, study.n_outputs
    for alias, (name, own) in LOSS_ALIASES.items():
        yield _of_value("loss", alias, "reduction", _one_of(None, own), f"reduction {own!r} (loss {name!r} allows any)")
    for name, loss in users["loss"].items():
        if loss.output:
            yield _of_value("loss", name, "output", _one_of(loss.output), f"output {loss.output!r}")
    for name, output in vocabulary.OVER_OUTPUTS.items():
        yield _of_value("output", name, "loss", _one_of(output.needs_loss), f"loss {output.needs_loss!r}")
    for name, optimizer in users["optimizer"].items():
        if optimizer.full_batch:
            yield _of_value("optimizer", name, "batch", _one_of(n_patterns), "batch 'full'")
        if optimizer.starts_at_rate:
            yield _of_value("optimizer", name, "schedule", _one_of("constant"), "schedule 'constant'")
            yield _of_value("optimizer", name, "warmup", _one_of(0), "warmup 0")
            for rate in ("learning_rate", "output_learning_rate"):
                yield _of_value(
                    "optimizer", name, rate, lambda rate: rate is None or rate > 0, "learning rates above 0"
                )
        if optimizer.needs_decay:
            needs = "penalty false, since its decay is the gradient of no penalty"
            yield _of_value("optimizer", name, "penalty", _one_of(False), needs, "use 'adam', or remove penalty")

    has_classes = study.data.n_targets == 1 or study.data.is_one_hot
    yield Rule(
        "class_weight",
        "output",
        lambda weight, output: weight == "none" or has_classes or output in vocabulary.OVER_OUTPUTS,
        "output 'softmax', one target, or one-hot targets",
    )
    for name, criterion in vocabulary.CRITERIA.items():
        if criterion.of_running:
            yield _of_value("criterion", name, "criterion_on", _one_of("train"), "criterion_on 'train'")
    for name, rule in vocabulary.STOPPING_RULES.items():
        if rule.needs_loss:
            losses = ("validation_loss", "test_loss")
            yield _of_value(
                "stopping_rule", name, "monitor", _one_of(*losses), "monitor 'validation_loss' or 'test_loss'"
            )
        if name not in ("patience", *vocabulary.RULES_WITHOUT_PATIENCE):  # without patience, patience ends no run
            yield _of_value("stopping_rule", name, "patience", bool, "patience", "set patience")
    for monitor in ("train_accuracy", "validation_accuracy"):
        yield _of_value(
            "monitor", monitor, "min_delta", lambda share: share < 1, "min_delta below 1, a share of patterns"
        )
    needs = f"min_delta below {n_outputs}, the outputs over all patterns"
    yield _of_value("monitor", "n_correct", "min_delta", lambda n: n < n_outputs, needs)


def combination_faults(study: StudyContent, named: set[str]) -> list[str]:
    """Return a sentence for each conflict of a study of valid tables; ``named`` options are set or swept."""
    return [
        *_broken_rules(study),
        *_refused_targets(study),
        *_unfit_class_weights(study),
        *_idle_decay(study),
        *idle_options(study, named),
        *_missing_layers(study),
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
    for rule in _rules(study):
        for mine, its in study.combinations((rule.option, rule.other)):
            if not rule.allows(mine, its):
                is_word = its is None or isinstance(its, bool)
                found = str(its).lower() if is_word else shown(as_written(its))
                key, other = study.key_of(rule.option), study.key_of(rule.other)
                remedy = f"; {rule.remedy}" if rule.remedy else ""
                yield f"{key}: {as_written(mine)!r} needs {rule.needs}, got {other} {found}{remedy}"
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
            is_binary = option.takes_row and study.data.n_targets == 1
            remedy = "; if the patterns are in a file with two classes, set target_one_hot=true" if is_binary else ""
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
            allowed = set()  # rows, of which classes have few
            for pattern, row in enumerate(patterns.targets):
                if row in allowed:
                    continue
                for k, target in enumerate(row):
                    if not loss.takes_target(target):
                        yield f"{key}.targets[{pattern}][{k}]{of_set}", repr(target)
                if loss.takes_row and not loss.takes_row(row):
                    yield f"{key}.targets[{pattern}]{of_set}", shown(list(row))
                allowed.add(row)


def _unfit_class_weights(study: StudyContent) -> Iterator[str]:
    n_classes = max(study.data.n_targets, 2)
    for value in study.values_of("class_weight"):
        if value not in ("none", "balanced") and len(value.split()) != n_classes:
            needs = f"must have one number for each of the {n_classes} classes"
            yield f"{study.key_of('class_weight')}: {needs}, got {value!r}"


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
        for name in re.findall(r"[wbk][1-9]", order):
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


def _rounded_away(study: StudyContent) -> Iterator[str]:
    """Yield a sentence for each number that float32 rounds to 0, to infinity or to its excluded upper limit."""
    if "float32" in study.values_of("dtype"):
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
    setting = study.tables.settings.get(name)
    most = setting.below if setting else None
    return f"below {most:g}" if most is not None and rounded >= most else None


def _too_many_weights(study: StudyContent) -> Iterator[str]:
    n_patterns = study.data.sets[0].shape[0]
    of_several = [shapes for shapes in study.all_shapes if "w1" in shapes]
    most = max((sum(prod(each[name]) for name in each if name[0] in "wvk") for each in of_several), default=0)
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
    for name in study.record.measures:
        measure = MEASURES[name]
        lacking = measure.lacking(study) if measure.compute else None
        reason = measure.fault and measure.fault(study)
        if lacking:
            reason = f"needs {lacking} patterns; set data.{lacking}_count or data.{lacking}"
        if reason:
            yield f"record.measures: {name!r} {reason}"


def _beyond_limits(study: StudyContent, named: set[str]) -> Iterator[str]:
    n_patterns = max(study.data.n_patterns, study.data.n_validations, study.data.n_tests)
    hidden = max(sum(sizes) for sizes in study.hidden_layers)
    if n_patterns * hidden > MAX_ACTIVATIONS:
        yield (
            f"network.hidden: patterns times hidden units must be at most {MAX_ACTIVATIONS}, got {n_patterns} times "
            f"{hidden}"
        )
    yield from _too_many_weights(study)
    largest = _largest_number(study) if "float32" in study.values_of("dtype") else 0.0
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
    patterns = [each for data in study.data.sets for each in (data, *data.held_out.values())]
    rows = [row for each in patterns for row in (*each.inputs, *each.targets)]
    return max(max(map(max, rows)), -min(map(min, rows)))


def restart_faults(study: StudyContent) -> Iterator[str]:
    """Yield a sentence for each key of [restarts] without effect, and for restarts that repeat an attempt."""
    restarts = study.restarts
    defaults = Restarts.model_validate({})
    if not restarts.max_restarts:
        for key, value in restarts:
            if value != getattr(defaults, key):
                found = shown(list(value) if isinstance(value, tuple) else value)
                yield f"restarts.{key}: {found} has no effect; set restarts.max_restarts above 0, or remove it"
        return
    if restarts.after_steps is None and not set(restarts.on) - ({"plateau"} if not study.has_patience else set()):
        yield (
            f"restarts.on: must hold a status that a run can have, got {shown(list(restarts.on))}; or set "
            f"restarts.after_steps{' or convergence.patience' if restarts.on else ''}"
        )
    most = max(study.step_limits)
    if restarts.after_steps is not None and restarts.after_steps >= most:
        yield f"restarts.after_steps: must be below {most}, the most updates of a run, got {restarts.after_steps}"
    if restarts.after_steps is not None and set(study.values_of("criterion")) == {"none"}:
        yield "restarts.after_steps: needs a criterion, got 'none', so no attempt converges; set convergence.criterion"
    if {"constant"} in map(distributions_in, study.values_of("distribution")):
        cause = f"{study.key_of('distribution')} 'constant'"
    elif not study.draws_weights:
        cause = f"{study.key_of('values')} of all parameters"
    else:
        return
    yield f"restarts.max_restarts: must be 0 with {cause}, got {restarts.max_restarts}: each attempt would be the same"


MAX_FLOAT32 = 3.4028234663852886e38


def start_faults(study: StudyContent) -> Iterator[str]:
    """Yield a sentence for each fault of initial weights that depends on the networks or the seeds."""
    shapes = study.all_shapes
    yield from _faults_by_array(study, shapes)
    yield from _kind_faults(study, shapes)
    yield from _share_faults(study, shapes)
    yield from _idle_draws(study)
    for name, numbers in study.explicit_weights.items():
        if name in study.parameters:
            yield f"parameters.{name}: is also set in initial_weights.values; keep one"
        yield from _misfits(f"initial_weights.values.{name}", name, shape_of(numbers), shapes, study.seeds.count)
        if "float32" in study.values_of("dtype") and _largest(numbers) > MAX_FLOAT32:
            most = f"at most {MAX_FLOAT32!r} with dtype 'float32'"
            yield f"initial_weights.values.{name}: must be {most}, got {_largest(numbers)!r}"
    for name in study.parameters:
        if element_of(name):
            yield from _misfits(f"parameters.{name}", name, (), shapes, study.seeds.count)


def _faults_by_array(study: StudyContent, shapes: list[Shapes]) -> Iterator[str]:
    """Yield a sentence for options of starts that name arrays no network has, and for named scales of constants."""
    arrays = list(dict.fromkeys(name for each in shapes for name in each))
    known = {*arrays, *(name[0] for name in arrays), *(f"{name}1" for name in arrays if name in ("w", "b"))}
    for option in ("distribution", "scale", "offset"):
        unknown = [name for value in study.values_of(option) for name in by_array(value)[1] if name not in known]
        if unknown:
            yield f"{study.key_of(option)}: must name parameters of the networks, got {unknown[0]}"
    yield from _faults_of_units(study, shapes)
    for value in study.values_of("distribution"):
        constant = [name for name in arrays if (value_for(value, name) or by_array(value)[0]) == "constant"]
        for option, named in ((option, _named_scale(study, option, constant)) for option in _SCALES):
            if named:
                constants = f"{study.key_of('distribution')} 'constant'"
                yield f"{study.key_of(option)}: must be a number with {constants}, got {named!r}"
                return


def _faults_of_units(study: StudyContent, shapes: list[Shapes]) -> Iterator[str]:
    """Yield a sentence for offsets of single units that are no biases, or not as many as the units of all networks."""
    for value in study.values_of("offset"):
        lists = {name: own for name, own in by_array(value)[1].items() if isinstance(own, tuple)}
        for name in (name for name in lists if name[0] not in "bc"):
            yield f"{study.key_of('offset')}: {name} must be one number, since only biases have one for each unit"
            return
        for each in shapes:
            for name, shape in each.items():
                own = value_for(value, name) if lists and name[0] in "bc" else None
                if isinstance(own, tuple) and (len(own),) != shape:
                    yield (
                        f"{study.key_of('offset')}: {name} must have a number for each unit, {shape[0]} in some "
                        f"network, got {len(own)}"
                    )
                    return


# Options of scales, and the kinds of arrays that each may be the scale of.
_SCALES = {"scale": "wvbck", "output_scale": "vk", "bias_scale": "bc"}


def _named_scale(study: StudyContent, option: str, arrays: list[str]) -> str | None:
    """Return a name that an option of scales gives some of these arrays, or None."""
    others = {
        kind for name in ("output_scale", "bias_scale") if None not in study.values_of(name) for kind in _SCALES[name]
    }
    for value in study.values_of(option):
        of_most, _ = by_array(value)
        for name in (name for name in arrays if name[0] in _SCALES[option]):
            if option == "output_scale" and name[1:]:  # k2 leads to a hidden layer
                continue
            own = value_for(value, name)
            follows = option != "scale" or name[0] not in others
            if name[0] in "bc" and option == "scale" and isinstance(of_most, str):
                follows &= NAMED_SCALES[of_most].of_biases
            scale = of_most if own is None and follows else own
            if isinstance(scale, str):
                return scale
    return None


def _idle_draws(study: StudyContent) -> Iterator[str]:
    """Yield a sentence for each option of drawing where nothing is drawn."""
    if study.draws_weights:
        return
    for name in study.tables.with_role("start"):
        decides_places = name == "draw_order" and ALL in study.explicit_weights
        values, option = study.values_of(name), study.tables.options[name]
        if name != "values" and not decides_places and set(values) != {option.default}:
            found = shown(list(values) if name in study.parameters else values[0])
            yield (
                f"{study.key_of(name)}: {found} has no effect, since initial_weights.values sets all parameters; "
                "remove one"
            )


def _kind_faults(study: StudyContent, shapes: list[Shapes]) -> Iterator[str]:
    """Yield a sentence for named parameters that no network has, and for networks whose parameters are all frozen."""
    kinds = [{name[0] for name in each} for each in shapes]
    neutral = {"freeze": "none", "decays": study.tables.options["decays"].default}
    for option, default in neutral.items():
        for value in (each for each in study.values_of(option) if each != default):
            key, names = study.key_of(option), [name for name in value.split() if not element_of(name)]
            unknown = [name for name in names if not any(name in each for each in kinds)]
            places = (_misplaced(*element, shapes) for element in map(element_of, value.split()) if element)
            yield from (f"{key}: {fault} in {value!r}" for fault in places if fault)
            if unknown:
                yield f"{key}: must name parameters of the networks, got {unknown[0]} in {value!r}"
            elif option == "freeze" and any(each <= set(names) for each in kinds):
                yield f"{key}: must leave parameters to train, got {value!r}, all of some network"


def _share_faults(study: StudyContent, shapes: list[Shapes]) -> Iterator[str]:
    """Yield a sentence for weights that stay equal but that some network lacks, that are frozen, or that differ."""
    key = study.key_of("share")
    for share, freeze in study.combinations(("share", "freeze")):
        names = share.replace(";", "").split() if share != "none" else []
        for name in names:
            array, _, places = name.removesuffix("]").partition("[")
            held = [
                each for each in freeze.split() if each in (array[0], name) or each.startswith(f"{array}[{places},")
            ]
            fault = _misplaced(array, tuple(map(int, places.split(","))), shapes)
            if fault:
                yield f"{key}: {fault} in {share!r}"
            elif held:
                yield f"{key}: must name trained parameters, got {name} with {study.key_of('freeze')} {held[0]!r}"
            else:
                continue
            return


def _misplaced(array: str, index: tuple[int, ...], shapes: list[Shapes]) -> str:
    """Return a clause if an element of an array, or a row of it, is not in some network, or in none; else empty."""
    found = [each[array] for each in shapes if array in each]
    if not found:
        return f"must name parameters of the networks, got {array}"
    if any(place >= size for shape in found for place, size in zip(index, shape, strict=False)):
        within = f"the shape {_text(min(found))} that {array} has in some network (from 0)"
        return f"index must be within {within}, got {array}[{','.join(map(str, index))}]"
    return ""


def _misfits(key: str, name: str, found: tuple[int, ...], shapes: list[Shapes], n_seeds: int) -> Iterator[str]:
    """Yield a sentence if values of a shape do not fit an array, or an element of it, of some network."""
    array, index = element_of(name) or (name, ())
    fault = _misplaced(array, index, shapes) if array != ALL else ""
    if fault:
        known = list(dict.fromkeys(name for each in shapes for name in each))
        yield f"{key}: {fault}" + (f"; they have {shown_names(known)}" if array not in known else "")
        return
    of_arrays = [
        (sum(map(prod, each.values())),) if array == ALL else each[array] for each in shapes if array in (*each, ALL)
    ]
    for shape in of_arrays:
        whole = () if index else shape
        if found not in ((), whole, (n_seeds, *whole)):
            yield (
                f"{key}: must be one number, or numbers of the shape {_text(whole)}{' or ' * bool(whole)}"
                f"{_text((n_seeds, *whole))} (a row for each seed), got shape {_text(found)}"
            )
            return


def _text(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _largest(numbers: Numbers) -> float:
    return max(map(_largest, numbers)) if isinstance(numbers, tuple) else abs(numbers)
