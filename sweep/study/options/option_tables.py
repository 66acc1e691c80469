"""The options of a study: every scalar property of a cell, declared once as a field of its table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from functools import lru_cache
from math import isfinite
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, cast, get_args, get_origin, get_type_hints

from pydantic import Field, create_model

from kernels import vocabulary
from kernels.components.declarations import LEARNING_RATE, Setting
from kernels.components.reductions import REDUCTIONS
from kernels.components.scalings import SCALINGS
from kernels.custom.registry import Declaration, declared_components, record_of
from kernels.start.names import DISTRIBUTIONS, GENERATORS, MAX_LAYERS
from sweep.study.data.data_table import DATA_KEYS, DATA_OPTIONS
from sweep.study.options.explicit_weights import Values, WithWeights
from sweep.study.options.option_values import (
    DRAWN,
    Batch,
    Decays,
    Distribution,
    DrawOrder,
    Freeze,
    HiddenUnits,
    Offset,
    OutputScale,
    Scale,
    Share,
)
from sweep.study.options.other_sections import Record, Restarts, Seeds
from sweep.study.reading.section import Section

Role = Literal["kernel", "setting", "limit", "start", "data"]

# In ``used_with``, in place of the values of another option: any value but None and 0.
IS_SET = "set"


class Option(NamedTuple):
    """An option of a study: a property of each cell. Type and default belong to its field."""

    section: str  # its table in the study file
    # As in the documentation of results
    meaning: str
    unit: str
    # ``"kernel"``: it decides which kernel trains, so runs of one shape share it; ``"setting"``: a number of each
    # cell, a field of :data:`kernels.recipe.SETTINGS`; ``"limit"``: it limits the steps of each cell; ``"start"``: it
    # decides the initial weights of a seed; ``"data"``: it decides the patterns
    role: Role
    # Values of other options, or IS_SET for any but None and 0. Without any of them this option has no effect.
    used_with: dict[str, list[Any]]
    is_swept: bool  # whether it can be swept


def option(
    default: Any,
    role: Role,
    meaning: str,
    unit: str = "",
    used_with: dict[str, list[Any]] | None = None,
    is_swept: bool = True,
) -> Any:
    """Return a pydantic field that declares an option; see :class:`Option`."""
    notes: dict[str, Any] = {"unit": unit, "role": role, "used_with": used_with or {}, "is_swept": is_swept}
    return Field(default, description=meaning, json_schema_extra=notes)


def choice(names: Iterable[str], default: str, meaning: str, role: Role = "kernel") -> Any:
    """Return type and field of an option whose values are names of components."""
    return Literal[tuple(names)], option(default, role, meaning)


# Components with settings, built in or custom, by the option whose values they are.
Users = Mapping[str, Mapping[str, Any]]


def users_with(custom: Iterable[Declaration]) -> Users:
    """Return the components with settings: built-in ones, and these custom ones."""
    users: dict[str, dict[str, Any]] = {
        "activation": {**vocabulary.ACTIVATIONS},
        "output": {**vocabulary.OUTPUTS},
        "loss": {**vocabulary.LOSSES},
        "optimizer": {**vocabulary.OPTIMIZERS},
        "schedule": {**vocabulary.SCHEDULES},
        "stopping_rule": {**vocabulary.STOPPING_RULES},
    }
    for each in custom:
        for key in ("activation", "output") if each.kind == "activation" else (each.kind,):
            users[key][each.name] = record_of(each)
    return users


def setting(declared: Setting | str, users: Users, used_with: dict[str, list[Any]] | None = None) -> Any:
    """Return type and field of a setting, declared here or in the vocabulary; an infinite default becomes None."""
    declared = vocabulary.SETTINGS[declared] if isinstance(declared, str) else declared
    limits = {"ge": declared.at_least, "gt": declared.above, "lt": declared.below}
    limits["multiple_of"] = declared.multiple_of
    limits = {key: limit for key, limit in limits.items() if limit is not None}
    number = Annotated[float, Field(allow_inf_nan=False, **limits)]
    has_default = isfinite(declared.default)
    default = declared.default if has_default else None
    notes = option(default, "setting", declared.meaning, declared.unit, used_with or _used_with(declared, users))
    return number if has_default else number | None, notes


def _used_with(setting: Setting, users: Users) -> dict[str, list[Any]]:
    """Return the components that use a setting, by the option whose values they are; none if all cells use it."""
    found = {of: [name for name, each in options.items() if setting in each.settings] for of, options in users.items()}
    return {of: names for of, names in found.items() if names}


def settings_of(kind: str, users: Users) -> dict[str, Any]:
    """Declare the settings of the components of a kind, by name, without names that no table can have."""
    settings = {each.name: each for user in users[kind].values() for each in user.settings}
    return {name: setting(each, users) for name, each in settings.items() if not hasattr(Section, name)}


def table(declared: type[S], behind: Mapping[str, dict[str, Any]]) -> type[S]:
    """Return a table with options inserted after the fields that are keys of ``behind``; ``""`` is the start."""
    hints = get_type_hints(declared, include_extras=True)
    fields = dict(behind.get("", {}))
    for name, field in declared.model_fields.items():
        of_default = copy(field)
        of_default.metadata = []  # create_model adds those of the hint, pydantic 2.5 to this list
        fields[name] = hints[name], of_default
        fields |= behind.get(name, {})
    made = create_model(declared.__name__, __base__=Section, __doc__=declared.__doc__, **fields)
    return cast("type[S]", made)


S = TypeVar("S", bound=Section)

MAX_STEPS = 2**31 - 1

Steps = Annotated[int, Field(ge=0, le=MAX_STEPS)]
Monitor = Literal[
    "loss", "running_loss", "n_correct", "train_accuracy", "validation_loss", "validation_accuracy", "test_loss"
]

# Names that stand for a loss and its reduction, such as mse.
LOSS_ALIASES = {
    alias: (name, reduction) for name, loss in vocabulary.LOSSES.items() for alias, reduction in loss.names.items()
}


_SCALINGS = (
    "standard: 1, ntk: 1 / sqrt(fan-in), mean_field: 1 / sqrt(fan-in) in hidden layers and 1 / fan-in in that of the "
    "outputs"
)

# Constant weights are not drawn.
_DRAWN = {"distribution": [name for name in DISTRIBUTIONS if name != "constant"]}


class Network(Section):
    """The architecture of the networks."""

    hidden: HiddenUnits | None = option(None, "kernel", "hidden units", "units")
    layers: Annotated[int, Field(ge=1, le=MAX_LAYERS)] = option(
        1,
        "kernel",
        "number of hidden layers, each with hidden units; not used with a text such as hidden = '8-4'",
        "layers",
    )
    bias: bool = option(True, "kernel", "whether units have biases")
    skip: bool = option(False, "kernel", "whether inputs also connect to outputs directly")
    shortcuts: Annotated[
        Literal["outputs", "all"],
        "outputs: from the inputs to the outputs; all: also between hidden layers, so that each layer receives the "
        "outputs of all earlier ones. With one hidden layer both are the same",
    ] = option("outputs", "kernel", "where skip connections lead", used_with={"skip": [True]})
    dtype: Literal["float64", "float32"] = option("float64", "kernel", "type of all numbers of the networks")


class InitialWeights(Section):
    """The initial weights of the networks."""

    distribution: Distribution = option(
        "normal",
        "start",
        "distribution of the initial weights; constant ones take no random numbers. NumPy draws arrays of different "
        "distributions one after another, which is slower",
    )
    scale: Scale = option(
        1.0,
        "start",
        "size of the initial weights: standard deviation (normal), half width (uniform) or value (constant)",
        "weight",
    )
    output_scale: OutputScale | None = option(
        None, "start", "scale of the arrays v and k, the initial weights of the output layer", "weight"
    )
    bias_scale: OutputScale | None = option(
        None,
        "start",
        "scale of the initial biases; by default 0 where scale is a name, except torch",
        "weight",
        used_with={"bias": [True]},
    )
    offset: Offset = option(0.0, "start", "number added to the initial weights", "weight")
    values: Values = option(None, "start", "explicit initial weights, in place of drawn ones", "weight", is_swept=False)
    draw_order: DrawOrder = option(
        " ".join(DRAWN), "start", "order in which the arrays of initial weights are drawn", used_with=_DRAWN
    )


class Training(Section):
    """How the networks are trained."""

    batch: Batch = option("full", "kernel", "patterns per update", "patterns")
    freeze: Freeze = option(
        "none",
        "kernel",
        "weights that keep their initial values",
    )
    share: Share = option(
        "none",
        "kernel",
        "groups of weights that stay equal (weight sharing): they start with the value of the first in the group, and "
        "each update uses the sum of their gradients. Weight decay and penalty count a group once",
    )
    decays: Decays = option(
        " ".join(DRAWN),
        "kernel",
        "arrays that weight decay acts on (see 'sweep explain arrays')",
        used_with={"weight_decay": [IS_SET]},
    )
    penalty: bool = option(
        False,
        "kernel",
        "whether the training loss, wherever it is reported or evaluated, includes a penalty whose gradient is weight "
        "decay: half of weight_decay times the sum of the squares of the weights in the arrays of decays; validation "
        "and test losses never do",
        used_with={"weight_decay": [IS_SET]},
    )
    order: Literal["cyclic", "shuffled"] = option(
        "cyclic", "kernel", "order of the patterns where an epoch takes several updates"
    )
    max_steps: Steps = option(5000, "limit", "updates after which a run ends as exhausted (right-censored)", "updates")
    max_epochs: Steps | None = option(
        None, "limit", "epochs after which a run ends as exhausted (right-censored)", "epochs"
    )


class Convergence(Section):
    """When a run has converged, and when it has diverged."""

    monitor: Monitor = option(
        "loss",
        "kernel",
        "measure that the stopping rule watches. loss, running_loss, n_correct (number of correct outputs) and "
        "train_accuracy use training patterns, the others held-out ones. The best validation of "
        "a run (steps_at_best) has the lowest loss, or with validation_accuracy the highest accuracy",
        used_with={"patience": [IS_SET], "stopping_rule": [*vocabulary.RULES_WITHOUT_PATIENCE]},
    )
    validate_every: Annotated[int, Field(ge=1, le=MAX_STEPS)] = option(
        1,
        "kernel",
        "epochs from one evaluation on held-out patterns to the next",
        "epochs",
        is_swept=False,
    )
    criterion_on: Literal["train", "validation", "test"] = option(
        "train",
        "kernel",
        "patterns on which the criterion is evaluated",
        used_with={"criterion": [name for name in vocabulary.CRITERIA if name != "none"]},
    )
    thresholds_on: Literal["train", "validation", "test"] = option(
        "train", "kernel", "the patterns whose loss is compared with record.loss_thresholds", is_swept=False
    )
    from_step: Steps = option(
        0,
        "setting",
        "first step at which the criterion is evaluated",
        "updates",
        used_with={"criterion": [name for name in vocabulary.CRITERIA if name != "none"]},
    )
    stop: Annotated[
        Literal["before", "after"],
        "before: the run ends at once; after: it takes one more update (in minibatches, one more epoch), as a loop "
        "does that computes the loss, updates, and then breaks; its row and steps include that update",
    ] = option(
        "before",
        "kernel",
        "whether a run that meets its criterion or stopping rule ends before or after the next update",
        used_with={
            "criterion": [name for name in vocabulary.CRITERIA if name != "none"],
            "patience": [IS_SET],
            "stopping_rule": [*vocabulary.RULES_WITHOUT_PATIENCE],
        },
    )


def _network(users: Users) -> dict[str, dict[str, Any]]:
    scalings, of_scaling = choice(
        SCALINGS, "standard", "factor of the sums of each layer, which exclude biases and skip connections"
    )
    return {
        "hidden": {
            "activation": choice(users["activation"], "relu", "activation of the hidden units"),
            "output": choice(users["output"], "identity", "activation of the outputs"),
            **settings_of("activation", users),
            "gain": setting("gain", users),
        },
        "skip": {
            "scaling": (Annotated[scalings, _SCALINGS], of_scaling),
        },
    }


def _initial_weights() -> dict[str, dict[str, Any]]:
    return {
        "draw_order": {
            "generator": choice(GENERATORS, "mt19937", "random number generator of the initial weights", "start"),
        },
    }


def with_first_steps(users: Users) -> list[str]:
    """Return the optimizers with a state that starts at the learning rate, or of which the states are not known."""
    optimizers = users["optimizer"].items()
    return [name for name, each in optimizers if each.full_batch and (LEARNING_RATE in each.states or not each.states)]


def _training(users: Users) -> dict[str, dict[str, Any]]:
    reductions = (
        "how errors make one loss: their sum, their mean, or the mean over patterns of the sum over outputs; with "
        "cross_entropy, mean is that over patterns"
    )
    names, _ = choice(REDUCTIONS, "sum", reductions)
    return {
        "": {
            "loss": choice([*LOSS_ALIASES, *users["loss"]], "sse", "loss function"),
            **settings_of("loss", users),
            "reduction": (names | None, option(None, "kernel", reductions)),
            "optimizer": choice(users["optimizer"], "gd", "update rule"),
            **{name: setting(name, users) for name in ("learning_rate", "output_learning_rate", "weight_decay")},
            **settings_of("optimizer", users),
            "step_ratio": setting("step_ratio", users, {"optimizer": with_first_steps(users)}),
            "schedule": choice(users["schedule"], "constant", "how learning rates change from update to update"),
            **settings_of("schedule", users),
            "warmup": setting("warmup", users),
        }
    }


def _convergence(users: Users) -> dict[str, dict[str, Any]]:
    criterion = choice(vocabulary.CRITERIA, "loss", "convergence criterion")
    rules = (
        "rule that ends a run with status plateau (early stopping). patience, patience_best and patience_change end a "
        "run that does not improve, and need the option patience; gl (Prechelt) ends a run whose held-out "
        "loss rises, gl_or_progress also one whose training loss hardly falls"
    )
    of_plateaus = {
        "stopping_rule": choice(users["stopping_rule"], "patience", rules),
        **settings_of("stopping_rule", users),
        "min_delta": setting("min_delta", users, {"patience": [IS_SET]}),
    }
    with_threshold = [
        name for name, each in vocabulary.CRITERIA.items() if each.of_loss or each.of_output or each.of_wrong
    ]
    options = {
        "criterion": criterion,
        "threshold": setting("threshold", users, {"criterion": with_threshold}),
        "divergence_threshold": setting("divergence_threshold", users),
    }
    return {"": options | of_plateaus}


class OptionTables:
    """The options that a study may use: built-in ones, and those of custom components, from their declarations."""

    def __init__(self, custom: tuple[Declaration, ...] = ()) -> None:
        self.custom = {each.name: each for each in custom}
        # Components with settings, by the option whose values they are
        self.users = users_with(each for each in custom if each.kind != "measure")
        self.sections: dict[str, type[Section]] = {
            "network": table(Network, _network(self.users)),
            "initial_weights": table(InitialWeights, _initial_weights()),
            "training": table(Training, _training(self.users)),
            "convergence": table(Convergence, _convergence(self.users)),
        }
        weight = Option("initial_weights", "initial value of this weight", "weight", "start", {}, is_swept=True)
        # All options by name, and their types with limits. Those of [data] are options of cells only where swept.
        self.options: dict[str, Option] = WithWeights({}, weight)
        self.kinds: dict[str, Any] = WithWeights({}, Annotated[float, Field(allow_inf_nan=False)])
        for section, model in self.sections.items():
            hints = get_type_hints(model, include_extras=True)
            for name, field in model.model_fields.items():
                notes: Any = field.json_schema_extra
                self.options[name] = Option(section, str(field.description), **notes)
                self.kinds[name] = hints[name]
        for name, argument in DATA_OPTIONS.items():
            self.options[name] = Option("data", argument.meaning, "", "data", {}, is_swept=True)
            self.kinds[name] = argument.type
        swept = {name: option.section for name, option in self.options.items() if option.is_swept}
        self.sweepable: dict[str, str] = WithWeights(swept, weight.section)
        self.section_of = {  # the table of every key that can be changed
            **dict.fromkeys(Record.model_fields, "record"),
            **dict.fromkeys(Restarts.model_fields, "restarts"),
            **{name: option.section for name, option in self.options.items()},
            **dict.fromkeys(Seeds.model_fields, "seeds"),
            **dict.fromkeys(DATA_KEYS, "data"),
        }
        settings = {each.name: each for component in custom for each in component.settings}
        self.custom_settings = {name: each for name, each in settings.items() if name not in vocabulary.SETTINGS}

    def with_role(self, role: str) -> tuple[str, ...]:
        """Return the options with a role; see :class:`Option`."""
        return tuple(name for name, option in self.options.items() if option.role == role)


@lru_cache(16)
def option_tables(custom: tuple[Declaration, ...]) -> OptionTables:
    """Return the options of studies that may use these custom components."""
    return OptionTables(custom)


def known_tables() -> OptionTables:
    """Return the options of studies that may use all custom components of this process."""
    return option_tables(tuple(component.declaration for component in declared_components().values()))


BUILT_IN = option_tables(())
SECTIONS = BUILT_IN.sections
OPTIONS = BUILT_IN.options
with_role = BUILT_IN.with_role
KINDS = BUILT_IN.kinds
SWEEPABLE = BUILT_IN.sweepable
SECTION_OF = BUILT_IN.section_of
NETWORK, INITIAL_WEIGHTS, TRAINING, CONVERGENCE = SECTIONS.values()

# Options that may name held-out patterns.
HELD_OUT_OPTIONS = ("monitor", "criterion_on", "thresholds_on")

# The option whose value stands in for an omitted option; other omitted options mean no limit.
STANDS_FOR = {"output_scale": "scale", "bias_scale": "scale", "output_learning_rate": "learning_rate"}
REQUIRED = ("hidden", "learning_rate")

# Options that the canonical form always holds. Any other option is omitted where it has its default, so that studies
# keep their identity when options are added.
ALWAYS_WRITTEN = (
    *("hidden", "activation", "output", "bias", "dtype", "distribution", "scale", "generator"),
    *("loss", "optimizer", "learning_rate", "max_steps", "criterion", "threshold"),
)


def with_default_monitor(table: S, *, validates: bool) -> S:
    """Return a table of a study; where it has validation patterns, its ``monitor`` is the validation loss."""
    if validates and "monitor" in type(table).model_fields:
        return table.model_copy(update={"monitor": "validation_loss"})
    return table


def loss_and_reduction(loss: str, reduction: str | None = None) -> tuple[str, str]:
    """Return the loss and the reduction that kernels use; the default reduction is the sum.

    A loss over classes has one term per pattern, so its mean is that over patterns, as in PyTorch and scikit-learn.
    """
    if reduction == "mean" and loss in (output.needs_loss for output in vocabulary.OVER_OUTPUTS.values()):
        reduction = "pattern_mean"
    return LOSS_ALIASES.get(loss, (loss, reduction or "sum"))


def takes_integers(kind: Any) -> bool:
    """Return whether the values of a type are integers."""
    return kind is int or any(map(takes_integers, get_args(kind)))


def names_of(kind: Any) -> tuple[str, ...]:
    """Return the names that a type allows, if its values are names."""
    if get_origin(kind) is Literal:
        return tuple(map(str, get_args(kind)))
    return next(filter(None, map(names_of, get_args(kind))), ())
