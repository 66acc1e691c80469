"""Suggestions for unknown values in a study: names of other packages, and features that are not supported.

The comparison ignores case, hyphens and underscores: ``ReLU`` and ``leakyReLU`` are known, and ``LR`` is ``lr``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kernels import vocabulary
from kernels.start.names import NAMED_SCALES
from sweep.errors import closest

# Names of other packages and papers for values.
_VALUES = {
    **{name: each.also for name, each in vocabulary.NAMED.items()},
    **{name: each.also for name, each in vocabulary.CRITERIA.items()},
    "mse": ("mean_squared_error", "l2"),
    "sse": ("sum_of_squares", "sum_squared_error"),
    "normal": ("gaussian", "randn"),
    "truncated_normal": ("truncnorm", "trunc_normal"),
    **{name: scale.also for name, scale in NAMED_SCALES.items()},
    "shuffled": ("random", "shuffle"),
    "float32": ("single", "f32", "float"),
    "float64": ("double", "f64"),
    "running_loss": ("epoch_loss", "running_error", "loss_curve"),
    "train_accuracy": ("acc", "train_acc", "n_correct_patterns"),
    "validation_loss": ("val_loss",),
    "validation_accuracy": ("val_accuracy", "val_acc"),
}

# Features of other packages that studies do not have, with names that users try.
_WISHES = {
    "dropout is": ("dropout", "dropout_rate", "drop"),
    "noise added while training is": ("input_noise", "gradient_noise", "jitter", "augmentation"),
    "a penalty beside weight_decay is": ("l1", "lambda"),
    "clipping of single gradients is": ("clip_value", "clipvalue", "clip_grad_value"),
    "normalization is": ("batch_norm", "layer_norm", "normalization", "normalize", "batchnorm", "layernorm"),
    "this scheme of initial weights is": ("orthogonal", "fan_in", "sparse", "lsuv"),
    "this optimizer is": ("adagrad", "adadelta", "adamax", "nadam", "lbfgs", "l_bfgs", "lion", "muon", "newton", "cg"),
    "this loss is": ("mae", "l1_loss", "smooth_l1", "kl"),
    "this activation is": ("selu", "prelu", "celu", "hardtanh", "maxout"),
    "training on other devices is": ("gpu", "device", "cuda"),
}


def by_alias(names: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return the name that each of its other names stands for, in the form in which they are compared."""
    return {_plainly(alias): name for name, aliases in names.items() for alias in aliases}


def _plainly(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")


_VALUE_OF, _WISH_OF = map(by_alias, (_VALUES, _WISHES))


def meant_value(name: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed value that a name of another package means, or None."""
    return meant_name(name, list(allowed), _VALUE_OF)


def value_hint(value: Any, allowed: Iterable[str], key: str = "") -> str:
    """Return the end of the sentence on an unknown value: the value that is meant or similar; empty if there is none.

    >>> value_hint("gelu2", ["gelu", "relu"])
    "; did you mean 'gelu'?"
    >>> value_hint("test_accuracy", ["error_rate", "loss"], "criterion")
    "; did you mean 'error_rate' with criterion_on = 'test'?"
    """
    if not isinstance(value, str):
        return ""
    allowed, wish = list(allowed), not_supported(value)
    patterns, _, measure = value.partition("_")
    if key == "criterion" and patterns in ("train", "validation", "test"):
        beside, meant = f" with criterion_on = {patterns!r}", meant_value(measure, allowed)
    else:
        beside, meant = "", meant_value(value, allowed) or (None if wish else closest(value, allowed))
    return f"; did you mean {meant!r}{beside}?" if meant else f"; {wish}" if wish else ""


def not_supported(name: Any) -> str | None:
    """Return a sentence if a name stands for a feature that is not supported, else None.

    >>> not_supported("dropout")
    'dropout is not supported'
    """
    wish = _WISH_OF.get(_plainly(name)) if isinstance(name, str) else None
    return wish and f"{wish} not supported"


def meant_name(name: str, allowed: list[str], aliases: dict[str, str]) -> str | None:
    """Return the allowed name that is equal but for case and hyphens, or that another name stands for, or None."""
    plain = _plainly(name)
    same = next((known for known in allowed if _plainly(known) == plain), None)
    alias = aliases.get(plain)
    return same or (alias if alias in allowed else None)
