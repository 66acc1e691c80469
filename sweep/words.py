"""The words of a study: every scalar that a cell has, declared once.

A word is a field of its table here: type and limits, default, role, meaning and unit (see :class:`Word`). What can be
swept, the plan, the settings of cells and the columns of results follow from that.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple, get_args, get_type_hints

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from sweep.errors import shown
from sweep.patterns import MAX_PATTERNS
from sweep.sections import Data, FiniteFloat, Section, Seeds

MAX_STEPS = 2**31 - 1

PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegativeFloat = Annotated[float, Field(ge=0, allow_inf_nan=False)]
BelowOne = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Hidden = Annotated[int, Field(ge=1, le=65_536)]
Steps = Annotated[int, Field(ge=0, le=MAX_STEPS)]
Activation = Literal["relu", "leaky_relu", "elu", "softplus", "silu", "gelu", "sin", "tanh", "sigmoid", "identity"]
Optimizer = Literal["gd", "momentum", "nesterov", "rmsprop", "adam", "rprop"]
Loss = Literal["sse", "mse", "squared", "half_squared", "bce", "hinge"]

Role = Literal["kernel", "setting", "limit", "start"]

# Losses that are another name of a loss with a reduction.
LOSS_ALIASES = {"sse": ("squared", "sum"), "mse": ("squared", "mean")}

# Parameters of a network in the order in which they are drawn, if nothing else is said.
_DRAWN = ("w", "v", "b", "c", "k")


class Word(NamedTuple):
    """What a study can say of each cell, beside its type and default.

    Attributes
    ----------
    section
        Its table in the study file.
    meaning, unit
        As documented in results.
    role
        ``"kernel"``: it decides which kernel trains, so runs of one shard share it; ``"setting"``: a number of each
        cell, a field of :data:`kernels.recipe.SETTINGS`; ``"limit"``: of the steps of each cell; ``"start"``: it
        decides the initial weights of a seed.
    used_with
        Values of other words; where none of them occurs in a study, this word does nothing in it.
    is_swept
        Whether it can be swept.
    """

    section: str
    meaning: str
    unit: str
    role: Role
    used_with: dict[str, list[Any]]
    is_swept: bool


def _word(
    default: Any,
    role: Role,
    meaning: str,
    unit: str = "",
    used_with: dict[str, list[Any]] | None = None,
    is_swept: bool = True,
) -> Any:
    """Declare a word; see :class:`Word`."""
    notes: dict[str, Any] = {"unit": unit, "role": role, "used_with": used_with or {}, "is_swept": is_swept}
    return Field(default, description=meaning, json_schema_extra=notes)


def _expand_batch(given: Any, info: ValidationInfo) -> Any:
    """Return the patterns of a step as a number; ``info.context`` holds how many patterns there are."""
    n_patterns = info.context["n_patterns"] if info.context else MAX_PATTERNS
    batch = {"full": n_patterns, "online": 1}.get(given, given) if isinstance(given, str) else given
    if not isinstance(batch, int) or isinstance(batch, bool) or not 1 <= batch <= n_patterns:
        allowed = f"'full', 'online' or an integer from 1 to {n_patterns}, the number of patterns"
        raise ValueError(f"{shown(given)} given; must be {allowed}")
    return batch


def _complete_order(given: str) -> str:
    """Return an order of drawing with the names that it leaves out at its end, and single spaces."""
    words = given.split()
    names = [word.removesuffix(".T") if word in ("w.T", "v.T", "k.T") else word for word in words]
    if not set(names) <= set(_DRAWN) or len(set(names)) < len(names):
        raise ValueError(
            f"{shown(given)} given; must name each of w, v, b, c and k once, w, v and k as w.T, v.T and k.T where they "
            "are drawn transposed, as in 'w.T b v c'"
        )
    return " ".join([*words, *(name for name in _DRAWN if name not in names)])


class Network(Section):
    """What the networks are made of."""

    hidden: Hidden | None = _word(None, "kernel", "hidden units", "units")
    activation: Activation = _word("relu", "kernel", "activation of the hidden units")
    output: Activation = _word("identity", "kernel", "activation of the outputs")
    negative_slope: FiniteFloat = _word(
        0.01,
        "setting",
        "slope of leaky_relu below 0",
        used_with={"activation": ["leaky_relu"], "output": ["leaky_relu"]},
    )
    gain: FiniteFloat = _word(1.0, "setting", "factor of the sum that a hidden unit takes over its inputs")
    bias: bool = _word(True, "kernel", "whether units have biases")
    skip: bool = _word(False, "kernel", "whether inputs are joined to outputs directly too")
    scaling: Literal["standard", "ntk", "mean_field"] = _word(
        "standard", "kernel", "by which powers of their fan-in the sums of both layers are divided"
    )
    dtype: Literal["float64", "float32"] = _word(
        "float64", "kernel", "type of all numbers of the networks", is_swept=False
    )


class InitialWeights(Section):
    """Where the networks start."""

    distribution: Literal["normal", "uniform"] = _word("normal", "start", "distribution of the initial weights")
    scale: PositiveFloat = _word(
        1.0, "start", "deviation (normal) or half width (uniform) of the initial weights", "weight"
    )
    output_scale: NotNegativeFloat | None = _word(
        None, "start", "scale of the initial weights of the output layer", "weight"
    )
    bias_scale: NotNegativeFloat | None = _word(
        None, "start", "scale of the initial biases", "weight", used_with={"bias": [True]}
    )
    draw_order: Annotated[str, AfterValidator(_complete_order), "w, v, b, c, k in any order; w.T, v.T, k.T"] = _word(
        " ".join(_DRAWN), "start", "parameters in the order in which they are drawn"
    )
    stream: Literal["mt19937", "pcg64"] = _word("mt19937", "start", "random number generator of the initial weights")


class Training(Section):
    """How they learn."""

    loss: Loss = _word("sse", "kernel", "loss function")
    reduction: Literal["sum", "mean", "pattern_mean"] | None = _word(
        None, "kernel", "what the loss is: the sum of its terms, their mean, or the mean over patterns of such sums"
    )
    optimizer: Optimizer = _word("gd", "kernel", "update rule")
    learning_rate: NotNegativeFloat | None = _word(
        None, "setting", "step of the update along the gradient", "weight^2/loss"
    )
    output_learning_rate: NotNegativeFloat | None = _word(
        None, "setting", "learning rate of the output layer", "weight^2/loss"
    )
    momentum: BelowOne = _word(
        0.9, "setting", "share of the velocity that is kept", used_with={"optimizer": ["momentum", "nesterov"]}
    )
    alpha: BelowOne = _word(0.99, "setting", "decay of the mean squared gradient", used_with={"optimizer": ["rmsprop"]})
    beta1: BelowOne = _word(0.9, "setting", "decay of the mean gradient", used_with={"optimizer": ["adam"]})
    beta2: BelowOne = _word(0.999, "setting", "decay of the mean squared gradient", used_with={"optimizer": ["adam"]})
    eps: PositiveFloat = _word(
        1e-8, "setting", "added to the root of the mean squared gradient", used_with={"optimizer": ["rmsprop", "adam"]}
    )
    batch: Annotated[int, BeforeValidator(_expand_batch), "full, online, 1 to the number of patterns"] = _word(
        "full", "kernel", "patterns per update", "patterns"
    )
    order: Literal["cyclic", "shuffled"] = _word(
        "cyclic", "kernel", "order of the patterns where an epoch takes several updates"
    )
    max_steps: Steps = _word(5000, "limit", "updates after which a run is exhausted", "updates")
    max_epochs: Steps | None = _word(None, "limit", "epochs after which a run is exhausted", "epochs")


class Convergence(Section):
    """When a network has learned, and when it never will."""

    criterion: Literal["loss", "max_error", "correct", "none"] = _word("loss", "kernel", "convergence criterion")
    below: PositiveFloat = _word(1e-4, "setting", "threshold of the criterion", "loss or output")
    bound: PositiveFloat | None = _word(None, "setting", "loss above which a run has diverged", "loss")
    from_step: Steps = _word(
        0,
        "setting",
        "first step at which convergence is judged",
        "updates",
        used_with={"criterion": ["loss", "max_error", "correct"]},
    )


SECTIONS: dict[str, type[Section]] = {
    "network": Network,
    "initial_weights": InitialWeights,
    "training": Training,
    "convergence": Convergence,
}

# All words by name, and their types with limits.
WORDS: dict[str, Word] = {}
KINDS: dict[str, Any] = {}
for _section, _model in SECTIONS.items():
    _hints = get_type_hints(_model, include_extras=True)
    for _name, _field in _model.model_fields.items():
        _notes: Any = _field.json_schema_extra
        WORDS[_name] = Word(_section, str(_field.description), **_notes)
        KINDS[_name] = _hints[_name]

SWEEPABLE = {name: word.section for name, word in WORDS.items() if word.is_swept}

# Every key that can be changed, and the table it belongs to.
HOMES = {
    **{name: word.section for name, word in WORDS.items()},
    **dict.fromkeys(Seeds.model_fields, "seeds"),
    **dict.fromkeys(("task", "file", *Data.model_fields), "data"),
}
# What words mean that are left out: another word; those that are not here, no limit.
STANDS_FOR = {"output_scale": "scale", "bias_scale": "scale", "output_learning_rate": "learning_rate"}
REQUIRED = ("hidden", "learning_rate")

# What the canonical form holds also where it has its default, as it did in the first version. Any other word is left
# out then, so that studies keep their identity.
ALWAYS_WRITTEN = (
    *("hidden", "activation", "output", "bias", "dtype", "distribution", "scale", "stream"),
    *("loss", "optimizer", "learning_rate", "max_steps", "criterion", "below"),
)


def loss_and_reduction(loss: str, reduction: str | None = None) -> tuple[str, str]:
    """Return a loss and its reduction as kernels name them; without one, terms are added up."""
    return LOSS_ALIASES.get(loss, (loss, reduction or "sum"))


def with_role(role: str) -> tuple[str, ...]:
    """Return the words that have a role."""
    return tuple(name for name, word in WORDS.items() if word.role == role)


def takes_integers(name: str) -> bool:
    """Tell whether the values of a word are integers."""
    return _is_or_holds_int(KINDS[name])


def _is_or_holds_int(kind: Any) -> bool:
    return kind is int or any(map(_is_or_holds_int, get_args(kind)))
