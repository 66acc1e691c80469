"""The options of [training]: how the networks are trained."""

from __future__ import annotations

from typing import Literal

from kernels.components.declarations import IS_SET, Case
from kernels.components.reductions import REDUCTIONS
from sweep.study.options.option import Option
from sweep.study.options.option_values import DRAWN, Batch, Decays, Freeze, Share, Steps, one_of

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
