"""The options of [training]: how the networks are trained."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema

from kernels.components.declarations import IS_SET, Case
from kernels.components.reductions import REDUCTIONS
from sweep.errors import shown
from sweep.study.options.option import Option
from sweep.study.options.option_values import DRAWN, Batch, Decays, Freeze, Share, Steps, one_of
from sweep.system.plain_values import is_finite


def class_weights(value: Any) -> tuple[float, ...] | str:
    """Return the weights of classes: numbers, ``"balanced"``, or nothing for ``"none"``."""
    if value in ("none", "balanced"):
        return str(value).replace("none", "")
    numbers = value.split() if isinstance(value, str) else value
    try:
        weights = tuple(map(float, numbers))
    except (TypeError, ValueError):
        weights = ()
    if len(weights) < 2 or not all(map(is_finite, weights)) or min(weights) < 0 or max(weights) == 0:
        raise ValueError(
            "must be 'none', 'balanced', or a list of a number from 0 up for each class, not all 0, as in '1 5'; got "
            f"{shown(value)}"
        )
    return weights


def _written(value: Any) -> str:
    """Return weights of classes as a text, such as ``1 5``."""
    weights = class_weights(value)
    if isinstance(weights, str):
        return weights or "none"
    return " ".join(repr(weight).removesuffix(".0") for weight in weights)


ClassWeight = Annotated[
    str,
    BeforeValidator(_written),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^(none|balanced|[0-9.eE+\-]+(\s+[0-9.eE+\-]+)+)$"},
                {"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 2},
            ]
        }
    ),
    "none, balanced, or a list of a number for each class, such as [1, 5]",
]

OPTIONS = [
    Option(
        "loss",
        None,
        "sse",
        "kernel",
        "loss function",
        components="loss",
        also=("cost", "criterion_loss", "objective", "loss_function"),
        case=Case(("mse", "half_squared")),
        is_always_written=True,
    ),
    Option(
        "reduction",
        one_of(REDUCTIONS) | None,
        None,
        "kernel",
        "how errors make one loss: their sum, their mean, or the mean over patterns of the sum over outputs; with "
        "cross_entropy, mean is that over patterns",
        case=Case(("mean", "pattern_mean"), (("loss", "squared"),)),
        default_text="sum (of mse: mean)",
    ),
    Option(
        "optimizer",
        None,
        "gd",
        "kernel",
        "update rule",
        components="optimizer",
        also=("solver", "algorithm", "optimiser", "update_rule"),
        case=Case(("momentum", "adam")),
        is_always_written=True,
    ),
    Option(
        "schedule",
        None,
        "constant",
        "kernel",
        "how learning rates change from update to update",
        components="schedule",
        also=("scheduler", "lr_schedule", "lr_decay", "lr_scheduler"),
        case=Case(("cosine", "exponential", "linear", "inverse_time")),
    ),
    Option(
        "batch",
        Batch,
        "full",
        "kernel",
        "patterns per update",
        "patterns",
        also=("batch_size", "minibatch", "minibatch_size"),
        case=Case((2, "online")),
    ),
    Option(
        "freeze",
        Freeze,
        "none",
        "kernel",
        "weights that keep their initial values",
        also=("frozen", "freezing", "trainable", "requires_grad"),
        case=Case(("w b", "v w[0,1]"), (("weight_decay", 0.1),)),
    ),
    Option(
        "share",
        Share,
        "none",
        "kernel",
        "groups of weights that stay equal (weight sharing): they start with the value of the first in the group, and "
        "each update uses the sum of their gradients. Weight decay and penalty count a group once",
        case=Case(("w[0] w[1]", "v[0,0] v[2,0]; b[0] b[1]"), (("optimizer", "momentum"),)),
    ),
    Option(
        "decays",
        Decays,
        " ".join(DRAWN),
        "kernel",
        "arrays that weight decay acts on (see 'sweep explain arrays')",
        used_with={"weight_decay": [IS_SET]},
        case=Case(("w v", "b"), (("weight_decay", 0.1),)),
    ),
    Option(
        "penalty",
        bool,
        False,
        "kernel",
        "whether the training loss, wherever it is reported or evaluated, includes a penalty whose gradient is weight "
        "decay: half of weight_decay times the sum of the squares of the weights in the arrays of decays; validation "
        "and test losses never do",
        used_with={"weight_decay": [IS_SET]},
        case=Case((True,), (("weight_decay", 0.1), ("decays", "w v"))),
    ),
    Option(
        "class_weight",
        ClassWeight,
        "none",
        "kernel",
        "factors of the training loss of each pattern, by its class; a mean still counts patterns. balanced: the "
        "number of patterns divided by that of the classes and by that of the patterns in the class, as in "
        "scikit-learn. With one target the classes are low and high, in this order. Validation and test losses have no "
        "weights",
        also=("class_weights", "pos_weight", "sample_weight", "loss_weights", "weights_of_classes"),
        case=Case(("balanced", "1 5"), (("loss", "cross_entropy"), ("output", "softmax"))),
    ),
    Option(
        "order",
        Literal["cyclic", "shuffled"],
        "cyclic",
        "kernel",
        "order of the patterns where an epoch takes several updates",
        also=("shuffle", "sampling"),
        case=Case(("shuffled",), (("batch", "online"),)),
    ),
    Option(
        "max_steps",
        Steps,
        5000,
        "limit",
        "updates after which a run ends as exhausted (right-censored)",
        "updates",
        also=("iterations", "max_iter", "n_steps", "num_steps", "updates", "steps"),
        case=Case((40, 7, 0), (("batch", "online"),), "20_000"),
        is_always_written=True,
    ),
    Option(
        "max_epochs",
        Steps | None,
        None,
        "limit",
        "epochs after which a run ends as exhausted (right-censored)",
        "epochs",
        also=("n_epochs", "num_epochs", "epochs"),
        case=Case((9, 2, 0), (("batch", 2),), "1_000"),
        default_text="unlimited",
    ),
]
