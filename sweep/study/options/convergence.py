"""The options of [convergence]: when a run has converged, when it has diverged, and when it stops early."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kernels import vocabulary
from kernels.components.declarations import IS_SET, Case, Criterion
from sweep.study.options.option import Option
from sweep.study.options.option_values import MAX_STEPS, Steps, one_of


def _is_criterion(criterion: Criterion) -> bool:
    """Return whether a criterion may be met, unlike none."""
    return criterion is not vocabulary.CRITERIA["none"]


# Without patience, most stopping rules end no run.
_STOPS = {"patience": [IS_SET], "stopping_rule": [*vocabulary.RULES_WITHOUT_PATIENCE]}

_PATTERNS = Literal["train", "validation", "test"]

# Options that may name held-out patterns.
HELD_OUT_OPTIONS = ("monitor", "criterion_on", "thresholds_on")

OPTIONS = [
    Option(
        "criterion",
        one_of(vocabulary.CRITERIA),
        "loss",
        "kernel",
        "convergence criterion",
        also=("convergence_criterion", "stopping"),
        case=Case(("max_error", "running_loss", "error_rate", "none"), (("threshold", 0.6), ("batch", 2)), '"correct"'),
        is_always_written=True,
    ),
    Option(
        "stopping_rule",
        None,
        "patience",
        "kernel",
        "rule that ends a run with status plateau (early stopping). patience, patience_best and patience_change end a "
        "run that does not improve, and need the option patience; gl (Prechelt) ends a run whose held-out loss rises, "
        "gl_or_progress also one whose training loss hardly falls",
        components="stopping_rule",
        also=("early_stopping", "early_stop"),
        case=Case(("gl", "gl_or_progress"), (("monitor", "validation_loss"),)),
    ),
    Option(
        "monitor",
        Literal[
            "loss", "running_loss", "n_correct", "train_accuracy", "validation_loss", "validation_accuracy", "test_loss"
        ],
        "loss",
        "kernel",
        "measure that the stopping rule watches. loss, running_loss, n_correct (number of correct outputs) and "
        "train_accuracy use training patterns, the others held-out ones. The best validation of "
        "a run (steps_at_best) has the lowest loss, or with validation_accuracy the highest accuracy",
        used_with=_STOPS,
        also=("metric", "early_stopping_metric"),
        case=Case(
            ("running_loss", "n_correct", "train_accuracy"),
            (("patience", 2), ("batch", 2), ("max_steps", 80), ("learning_rate", 0.5)),
            '"validation_accuracy"',
        ),
        default_text="validation_loss with validation patterns, otherwise loss",
    ),
    Option(
        "validate_every",
        Annotated[int, Field(ge=1, le=MAX_STEPS)],
        1,
        "kernel",
        "epochs from one evaluation on held-out patterns to the next",
        "epochs",
        is_swept=False,
        also=("eval_every", "validation_interval", "check_val_every_n_epoch"),
        case=Case((10,)),
    ),
    Option(
        "criterion_on",
        _PATTERNS,
        "train",
        "kernel",
        "patterns on which the criterion is evaluated",
        used_with={"criterion": _is_criterion},
        case=Case(("validation",), (("threshold", 1.5),)),
    ),
    Option(
        "thresholds_on",
        _PATTERNS,
        "train",
        "kernel",
        "the patterns whose loss is compared with record.loss_thresholds",
        is_swept=False,
        case=Case(("validation",)),
    ),
    Option(
        "from_step",
        Steps,
        0,
        "setting",
        "first step at which the criterion is evaluated",
        "updates",
        used_with={"criterion": _is_criterion},
        case=Case((1, 5), (("threshold", 1e6),)),
    ),
    Option(
        "stop",
        Annotated[
            Literal["before", "after"],
            "before: the run ends at once; after: it takes one more update (in minibatches, one more epoch), as a loop "
            "does that computes the loss, updates, and then breaks; its row and steps include that update",
        ],
        "before",
        "kernel",
        "whether a run that meets its criterion or stopping rule ends before or after the next update",
        used_with={"criterion": _is_criterion, **_STOPS},
        case=Case(("after",), (("threshold", 1.0), ("patience", 3))),
    ),
]
