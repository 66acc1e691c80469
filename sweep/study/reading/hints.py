"""Suggestions for unknown names in a study: names of other packages, and features that are not supported.

The comparison ignores case, hyphens and underscores: ``ReLU`` and ``leakyReLU`` are known, and ``LR`` is ``lr``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kernels import vocabulary
from kernels.start.names import NAMED_SCALES
from sweep.errors import closest, shown

# Names of other packages and papers for the keys of a study.
_KEYS = {
    **{name: setting.also for name, setting in vocabulary.SETTINGS.items() if setting.also},
    "hidden": ("units", "neurons", "width", "n_hidden", "hidden_layer_sizes", "hidden_units", "num_hidden"),
    "layers": ("depth", "n_layers", "num_layers", "hidden_layers", "layer"),
    "activation": ("act", "nonlinearity", "activation_function", "transfer"),
    "output": ("output_activation", "final_activation"),
    "bias": ("biases", "use_bias", "intercept", "fit_intercept"),
    "skip": ("residual", "shortcut", "skip_connections"),
    "shortcuts": ("dense_connections", "densely_connected", "cascade"),
    "dtype": ("precision", "float_type"),
    "distribution": ("init", "initializer", "initialization", "weight_init"),
    "scale": ("sigma", "std", "stddev", "init_scale", "weight_scale", "initial_scale"),
    "freeze": ("frozen", "freezing", "trainable", "requires_grad"),
    "values": ("initial_values", "start", "w0"),
    "generator": ("rng", "prng"),
    "loss": ("cost", "criterion_loss", "objective", "loss_function"),
    "optimizer": ("solver", "algorithm", "optimiser", "update_rule"),
    "schedule": ("scheduler", "lr_schedule", "lr_decay", "lr_scheduler"),
    "batch": ("batch_size", "minibatch", "minibatch_size"),
    "order": ("shuffle", "sampling"),
    "max_steps": ("iterations", "max_iter", "n_steps", "num_steps", "updates", "steps"),
    "max_epochs": ("n_epochs", "num_epochs", "epochs"),
    "threshold": ("tolerance", "tol", "target_loss"),
    "criterion": ("convergence_criterion", "stopping"),
    "stopping_rule": ("early_stopping", "early_stop"),
    "validate_every": ("eval_every", "validation_interval", "check_val_every_n_epoch"),
    "monitor": ("metric", "early_stopping_metric"),
    "divergence_threshold": ("divergence", "max_loss"),
    "base": ("seed", "first_seed", "random_state", "random_seed"),
    "count": ("seeds", "n_seeds", "num_seeds", "replicates", "repetitions", "runs", "trials"),
    "until": ("racing", "race", "pruner", "successive_halving", "hyperband", "early_terminate"),
    "inputs": ("features",),
    "targets": ("labels", "outputs"),
    "task": ("dataset",),
    "validation": ("validation_set", "val", "validation_data", "val_inputs", "val_targets", "validation_file"),
    "test": ("test_set", "test_inputs", "test_targets", "test_file"),
    "train_count": ("train_size", "train_fraction", "train_split", "n_train"),
    "test_count": ("test_size", "test_fraction", "test_split", "n_test"),
    "validation_count": ("validation_fraction", "validation_split", "val_size", "n_val", "val_split"),
    "folds": ("n_splits", "cv", "n_folds", "kfold"),
    "standardize": ("standardise", "standard_scaler", "scaler", "zscore", "normalize_inputs"),
    "label_noise": ("flip_y", "noisy_labels"),
    "decision_threshold": ("cutoff",),
    "max_restarts": ("restart", "n_restarts"),
}

# Names of other packages and papers for values.
_VALUES = {
    **{name: option.also for name, option in vocabulary.NAMED.items() if option.also},
    "mse": ("mean_squared_error", "l2"),
    "sse": ("sum_of_squares", "sum_squared_error"),
    "normal": ("gaussian", "randn"),
    "truncated_normal": ("truncnorm", "trunc_normal"),
    **{name: scale.also for name, scale in NAMED_SCALES.items()},
    "shuffled": ("random", "shuffle"),
    "float32": ("single", "f32", "float"),
    "float64": ("double", "f64"),
    "running_loss": ("epoch_loss", "running_error", "loss_curve"),
    "error_rate": ("accuracy", "zero_one_loss", "misclassification"),
    "train_accuracy": ("acc", "train_acc", "n_correct_patterns"),
    "validation_loss": ("val_loss",),
    "validation_accuracy": ("val_accuracy", "val_acc"),
}

# Features of other packages that studies do not have, with names that users try.
_WISHES = {
    "dropout is": ("dropout", "dropout_rate", "drop"),
    "noise added while training is": ("input_noise", "gradient_noise", "jitter", "augmentation"),
    "a penalty beside weight_decay is": ("l1", "lambda"),
    "clipping is": ("clip", "grad_clip", "gradient_clipping", "clip_norm", "max_norm"),
    "normalization is": ("batch_norm", "layer_norm", "normalization", "normalize", "batchnorm", "layernorm"),
    "this scheme of initial weights is": ("orthogonal", "fan_in", "sparse", "lsuv"),
    "this optimizer is": ("adagrad", "adadelta", "adamax", "nadam", "lbfgs", "l_bfgs", "lion", "muon", "newton", "cg"),
    "this loss is": ("mae", "l1_loss", "smooth_l1", "kl"),
    "this activation is": ("selu", "prelu", "celu", "hardtanh", "maxout"),
    "training on other devices is": ("gpu", "device", "cuda"),
}

_MOST_LISTED = 12


def _plainly(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")


def _by_alias(names: dict[str, tuple[str, ...]]) -> dict[str, str]:
    return {_plainly(alias): name for name, aliases in names.items() for alias in aliases}


_KEY_OF, _VALUE_OF, _WISH_OF = map(_by_alias, (_KEYS, _VALUES, _WISHES))


def meant_key(name: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed key that a name of another package means, or None.

    >>> meant_key("LR", ["learning_rate", "loss"])
    'learning_rate'
    """
    return _meant(name, list(allowed), _KEY_OF)


def meant_value(name: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed value that a name of another package means, or None."""
    return _meant(name, list(allowed), _VALUE_OF)


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


def unknown_key(what: str, key: Any, allowed: Iterable[str], section_of: Mapping[str, str]) -> str:
    """Return a sentence on an unknown key, with a suggestion or the allowed keys, except dotted ones."""
    allowed = list(allowed)
    text = f"unknown {what} {shown(key)}"
    table, _, name = key.rpartition(".") if isinstance(key, str) else ("", "", "")
    if name not in section_of and table not in section_of.values() and meant_key(table, section_of):
        name = table  # as in race.first, for a key whose value is a table
    wish = not_supported(name)
    bare = [other for other in allowed if "." not in other]
    dotted = [other for other in allowed if "." in other]
    alias = None if name in bare else meant_key(name, bare)  # of a key in another table, suggest the dotted form
    in_other_table = f"{section_of.get(name)}.{name}"
    meant = alias or (in_other_table if in_other_table in dotted else closest(key, bare, dotted))
    meant = meant or (name if name in bare else None)
    if meant and f"seeds.{meant}" in allowed:
        meant = f"seeds.{meant}"  # since 'base' alone is not clear
    if meant:
        text += f"; did you mean {meant!r}?"
    elif wish:
        text += f": {wish}"
    else:
        if name in section_of:
            return f"{text}; it belongs in [{section_of[name]}]"
        elsewhere = meant_key(name, section_of)
        if elsewhere:
            return f"{text}; did you mean {elsewhere!r} of [{section_of[elsewhere]}]?"
    if len(bare) > _MOST_LISTED or wish:
        return f"{text}{'' if text.endswith('?') else ';'} 'sweep explain' lists all keys"
    return f"{text} Known: {', '.join(bare)}" if text.endswith("?") else f"{text}; known: {', '.join(bare)}"


def _meant(name: str, allowed: list[str], aliases: dict[str, str]) -> str | None:
    plain = _plainly(name)
    same = next((known for known in allowed if _plainly(known) == plain), None)
    alias = aliases.get(plain)
    return same or (alias if alias in allowed else None)
