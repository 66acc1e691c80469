"""The options of a study: every scalar property of a cell, declared once.

An option is a field of its table: type and limits, default, role, meaning and unit (see
:class:`sweep.study.fields.Option`). Activations, losses, optimizers, criteria and their settings are those of
:mod:`kernels.vocabulary`. Sweepable parameters, plan, settings of cells and columns of results follow from them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal, get_args, get_type_hints

from pydantic import Field

from kernels import vocabulary
from kernels.components.reductions import REDUCTIONS
from kernels.components.scalings import SCALINGS
from kernels.custom.registry import Declaration, declared_components
from kernels.start.names import DISTRIBUTIONS, GENERATORS, MAX_LAYERS
from sweep.study.data import DATA_KEYS, DATA_OPTIONS
from sweep.study.fields import IS_GIVEN, Option, Users, choice, option, setting, settings_of, table, users_with
from sweep.study.given_weights import Values, WithWeights
from sweep.study.option_values import DRAWN, Batch, DrawOrder, Freeze, HiddenUnits, OutputScale, Scale
from sweep.study.sections import Record, Restarts, Section, Seeds

MAX_STEPS = 2**31 - 1

PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegativeFloat = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Steps = Annotated[int, Field(ge=0, le=MAX_STEPS)]

# Names of a loss together with a reduction.
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
        1, "kernel", "hidden layers, of so many units each; a text of hidden tells its own", "layers"
    )
    bias: bool = option(True, "kernel", "whether units have biases")
    skip: bool = option(False, "kernel", "whether inputs are joined to outputs directly too")
    dtype: Literal["float64", "float32"] = option(
        "float64", "kernel", "type of all numbers of the networks", is_swept=False
    )


class InitialWeights(Section):
    """The initial weights of the networks."""

    scale: Scale = option(
        1.0,
        "start",
        "deviation (normal), half width (uniform) or value (constant) of the initial weights",
        "weight",
    )
    output_scale: OutputScale | None = option(
        None, "start", "scale of the initial weights of the output layer", "weight"
    )
    bias_scale: NotNegativeFloat | None = option(
        None,
        "start",
        "scale of the initial biases; by default 0 where scale is a name",
        "weight",
        used_with={"bias": [True]},
    )
    mirrored: bool = option(
        False,
        "start",
        "whether units of the last hidden layer begin in pairs with opposite output weights",
    )
    values: Values = option(
        None, "start", "initial weights that are given, in place of drawn ones", "weight", is_swept=False
    )
    draw_order: DrawOrder = option(
        " ".join(DRAWN), "start", "parameters in the order in which they are drawn", used_with=_DRAWN
    )


class Training(Section):
    """How the networks are trained."""

    batch: Batch = option("full", "kernel", "patterns per update", "patterns")
    freeze: Freeze = option("none", "kernel", "parameters that keep their initial values: of w, v, b, c and k")
    order: Literal["cyclic", "shuffled"] = option(
        "cyclic", "kernel", "order of the patterns where an epoch takes several updates"
    )
    max_steps: Steps = option(5000, "limit", "updates after which a run is exhausted", "updates")
    max_epochs: Steps | None = option(None, "limit", "epochs after which a run is exhausted", "epochs")


class Convergence(Section):
    """When a run has converged, and when it has diverged."""

    monitor: Literal["loss", "n_correct"] = option(
        "loss",
        "kernel",
        "what has to improve within the patience: the loss, or the number of outputs on the side of the middle where "
        "their targets are, with softmax of patterns whose class is right (n_correct)",
        used_with={"patience": [IS_GIVEN]},
    )
    from_step: Steps = option(
        0,
        "setting",
        "first step at which there is a criterion",
        "updates",
        used_with={"criterion": [name for name in vocabulary.CRITERIA if name != "none"]},
    )
    tie: Annotated[
        Literal["wrong", "right"],
        "wrong, right; sigmoid rounds to 0.5 where its sum is within some 1e-16 of 0, in float32 within 1e-7",
    ] = option(
        "wrong",
        "kernel",
        "what an output is that, as rounded, equals the middle, and with softmax the largest of several equal ones",
    )


def _network(users: Users) -> dict[str, dict[str, Any]]:
    """Return the options of the vocabulary in the table [network]."""
    scalings, of_scaling = choice(SCALINGS, "standard", "factor of the sums of each layer, without biases and skips")
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
    """Return the options of the vocabulary in the table [initial_weights]."""
    return {
        "": {"distribution": choice(DISTRIBUTIONS, "normal", "distribution of the initial weights", "start")},
        "draw_order": {
            "generator": choice(GENERATORS, "mt19937", "random number generator of the initial weights", "start"),
        },
    }


def _training(users: Users) -> dict[str, dict[str, Any]]:
    """Return the options of the vocabulary in the table [training]."""
    reductions = "what the loss is: the sum of its terms, their mean, or the mean over patterns of such sums"
    names, _ = choice(REDUCTIONS, "sum", reductions)
    return {
        "": {
            "loss": choice([*LOSS_ALIASES, *users["loss"]], "sse", "loss function"),
            **settings_of("loss", users),
            "reduction": (names | None, option(None, "kernel", reductions)),
            "optimizer": choice(users["optimizer"], "gd", "update rule"),
            **{name: setting(name, users) for name in ("learning_rate", "output_learning_rate", "weight_decay")},
            **settings_of("optimizer", users),
            "schedule": choice(users["schedule"], "constant", "how learning rates change from update to update"),
            **settings_of("schedule", users),
            "warmup": setting("warmup", users),
        }
    }


def _convergence(users: Users) -> dict[str, dict[str, Any]]:
    """Return the options of the vocabulary in the table [convergence]."""
    criterion = choice(vocabulary.CRITERIA, "loss", "convergence criterion")
    of_plateaus = {
        "patience": setting("patience", users),
        "min_delta": setting("min_delta", users, {"patience": [IS_GIVEN]}),
    }
    options = {
        "criterion": criterion,
        "threshold": setting("threshold", users),
        "divergence_threshold": setting("divergence_threshold", users),
    }
    return {"": options | of_plateaus}


class OptionTables:
    """The options of studies: ours, and those of a user's own that a study may use.

    Parameters
    ----------
    own
        Declarations of custom components.

    Attributes
    ----------
    own : dict
        These declarations by name.
    users
        Options with settings, by the key whose values they are; see :func:`sweep.study.fields.users_with`.
    sections : dict
        The tables of a study that hold options.
    options : dict
        All options by name. Those of [data] are options of cells only where they are swept. Single initial weights, as
        w[0,1], are options too, which are not listed.
    kinds : dict
        Their types with limits.
    sweepable : dict
        The table of each option that can be swept.
    own_settings : dict
        Settings of custom components alone, by name.
    homes : dict
        The table of every key that can be changed.
    """

    def __init__(self, own: tuple[Declaration, ...] = ()) -> None:
        self.own, self.users = {each.name: each for each in own}, users_with(own)
        self.sections: dict[str, type[Section]] = {
            "network": table(Network, _network(self.users)),
            "initial_weights": table(InitialWeights, _initial_weights()),
            "training": table(Training, _training(self.users)),
            "convergence": table(Convergence, _convergence(self.users)),
        }
        weight = Option("initial_weights", "initial value of this weight", "weight", "start", {}, is_swept=True)
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
        self.homes = {
            **dict.fromkeys(Record.model_fields, "record"),
            **dict.fromkeys(Restarts.model_fields, "restarts"),
            **{name: option.section for name, option in self.options.items()},
            **dict.fromkeys(Seeds.model_fields, "seeds"),
            **dict.fromkeys(DATA_KEYS, "data"),
        }
        settings = {each.name: each for option in own for each in option.settings}
        self.own_settings = {name: each for name, each in settings.items() if name not in vocabulary.SETTINGS}

    def with_role(self, role: str) -> tuple[str, ...]:
        """Return the options with a role; see :class:`sweep.study.fields.Option`."""
        return tuple(name for name, option in self.options.items() if option.role == role)


@lru_cache(16)
def option_tables(own: tuple[Declaration, ...]) -> OptionTables:
    """Return the options of studies that may use these custom components."""
    return OptionTables(own)


def known_tables() -> OptionTables:
    """Return the options of studies with all custom components that this process knows by name."""
    return option_tables(tuple(option.declaration for option in declared_components().values()))


OURS = option_tables(())
SECTIONS, OPTIONS, KINDS, SWEEPABLE, HOMES = OURS.sections, OURS.options, OURS.kinds, OURS.sweepable, OURS.homes
NETWORK, INITIAL_WEIGHTS, TRAINING, CONVERGENCE = SECTIONS.values()

# The option whose value an omitted option has; other options without a value mean no limit.
STANDS_FOR = {"output_scale": "scale", "bias_scale": "scale", "output_learning_rate": "learning_rate"}
REQUIRED = ("hidden", "learning_rate")

# Options that the canonical form always holds, as in the first version. Any other option is left out where it has its
# default, so that studies keep their identity.
ALWAYS_WRITTEN = (
    *("hidden", "activation", "output", "bias", "dtype", "distribution", "scale", "generator"),
    *("loss", "optimizer", "learning_rate", "max_steps", "criterion", "threshold"),
)


def loss_and_reduction(loss: str, reduction: str | None = None) -> tuple[str, str]:
    """Return a loss and its reduction by the names of the kernels; by default the terms are summed."""
    return LOSS_ALIASES.get(loss, (loss, reduction or "sum"))


def with_role(role: str) -> tuple[str, ...]:
    """Return the options of ours with a role."""
    return OURS.with_role(role)


def takes_integers(kind: Any) -> bool:
    """Return whether the values of a type are integers."""
    return kind is int or any(map(takes_integers, get_args(kind)))
