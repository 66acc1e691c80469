"""All components by kind and name. Each is declared beside its formula, in its own module.

Importing this module imports no numerics, so studies can be read and planned at once.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from typing import Any, TypeVar

from kernels.components.declarations import (
    LEARNING_RATE,
    Activation,
    Case,
    Criterion,
    Loss,
    Optimizer,
    Output,
    Schedule,
    Setting,
    StoppingRule,
)

Component = TypeVar("Component", Activation, Output, Loss, Optimizer, Schedule, Criterion, StoppingRule)

# Records of custom components by their keys, which no component here has; see :mod:`kernels.custom`.
CUSTOM_COMPONENTS: dict[str, Any] = {}


class _Components(dict[str, Component]):
    """Components by name. Custom components are found by their keys, and are not listed."""

    def __missing__(self, key: str) -> Component:
        component: Component = CUSTOM_COMPONENTS[key]
        return component


def _read(folder: str, kind: type[Component]) -> dict[str, Component]:
    """Return the components in a folder of :mod:`kernels.components` by name."""
    package = import_module(f"kernels.components.{folder}")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    components = _Components({name: import_module(f"{package.__name__}.{name}").COMPONENT for name in names})
    assert all(isinstance(component, kind) for component in components.values())
    return components


ACTIVATIONS = _read("activations", Activation)
OVER_OUTPUTS = _read("outputs", Output)
OUTPUTS: dict[str, Activation | Output] = _Components[Any]({**ACTIVATIONS, **OVER_OUTPUTS})
LOSSES = _read("losses", Loss)
OPTIMIZERS = _read("optimizers", Optimizer)
SCHEDULES = _read("schedules", Schedule)
CRITERIA = _read("criteria", Criterion)
STOPPING_RULES = _read("stopping_rules", StoppingRule)

# Components with settings, by name.
NAMED: dict[str, Activation | Output | Loss | Optimizer | Schedule] = {**OUTPUTS, **LOSSES, **OPTIMIZERS, **SCHEDULES}


def _draws_first_steps(optimizer: Optimizer) -> bool:
    """Return whether a state starts at the learning rate, or the states are not known."""
    return optimizer.full_batch and (LEARNING_RATE in optimizer.states or not optimizer.states)


def _has_threshold(criterion: Criterion) -> bool:
    return any((criterion.of_loss, criterion.of_output, criterion.of_wrong))


def _has_own_output(loss: Loss) -> bool:
    """Return whether outputs are probabilities of classes, which only such losses take."""
    return loss.output is not None


# Settings of all cells, whatever their components. NaN and infinity stand for no value.
GENERAL = (
    Setting(
        "learning_rate",
        float("nan"),
        "step size of an update: with gd the factor of the gradient, with rprop the first step",
        "weight^2/loss",
        at_least=0,
        also=("lr", "eta", "step_size", "learning_rate_init"),
        case=Case((0.01, 0.2, 0.0)),
        section="training",
        is_always_written=True,
    ),
    Setting(
        "output_learning_rate",
        float("nan"),
        "learning rate of the output layer",
        "weight^2/loss",
        at_least=0,
        case=Case((0.05, 0.2, 0.0)),
        section="training",
        stands_for="learning_rate",
    ),
    Setting(
        "warmup",
        0.0,
        "number of updates at the start, in which the learning rates grow linearly to their full size",
        "updates",
        at_least=0,
        also=("warmup_steps", "n_warmup"),
        case=Case((30.0, 5.0, 1.5), (("batch", 2),), "100"),
        is_optional=True,
        section="training",
    ),
    Setting(
        "threshold",
        1e-4,
        "a run converges once its loss, its largest error or its error rate is below this",
        "loss, output or share",
        above=0,
        also=("tolerance", "tol", "target_loss"),
        case=Case((0.5, 2.0), example="0.01"),
        section="convergence",
        is_always_written=True,
        used_with=(("criterion", _has_threshold),),
    ),
    Setting(
        "divergence_threshold",
        float("inf"),
        "loss above which a run has diverged",
        "loss",
        above=0,
        also=("divergence", "max_loss"),
        case=Case((1e6, 2.0)),
        section="convergence",
    ),
    Setting(
        "step_ratio",
        1.0,
        "largest first step of rprop (or a custom optimizer like it), in learning rates: the first step of each "
        "parameter is drawn uniformly between the learning rate and this multiple, for each seed; restarts do not "
        "draw again",
        at_least=1,
        case=Case((4.0,)),
        is_optional=True,
        section="training",
        used_with=(("optimizer", _draws_first_steps),),
    ),
    Setting(
        "gain",
        1.0,
        "factor of the weighted sum of inputs of a hidden unit, before its bias is added",
        case=Case((1.5, -0.5)),
        is_optional=True,
        section="network",
    ),
    Setting(
        "weight_decay",
        0.0,
        "this factor times the parameter is added to its gradient (L2 regularization); adamw instead subtracts the "
        "learning rate times this factor times the parameter. Acts on the arrays of decays, by default on all. Losses "
        "include no penalty unless penalty is true",
        at_least=0,
        also=("decay", "wd", "l2_penalty", "regularization"),
        case=Case((0.01, 0.5), (("optimizer", "momentum"),)),
        is_optional=True,
        section="training",
    ),
    Setting(
        "clip_norm",
        float("inf"),
        "largest norm of the gradient of all trained weights: where it is larger, each update uses the gradient times "
        "clip_norm / (norm + 1e-6), as torch.nn.utils.clip_grad_norm_ does. Weight decay is added afterward",
        "loss/weight",
        above=0,
        also=("clip", "grad_clip", "gradient_clipping", "max_norm", "clip_grad_norm", "clipnorm"),
        case=Case((1.0, 0.1)),
        is_optional=True,
        section="training",
    ),
    Setting(
        "label_smoothing",
        0.0,
        "share of each target that is spread evenly over the classes: the training loss compares outputs with target * "
        "(1 - label_smoothing) + label_smoothing / classes, as torch.nn.CrossEntropyLoss does. With bce there are two "
        "classes. Validation and test losses use the targets themselves, and so do counts of correct outputs",
        "probability",
        at_least=0,
        below=1,
        also=("smoothing", "smooth_labels", "label_smooth", "smoothed_labels"),
        case=Case((0.1, 0.3), (("loss", "bce"), ("output", "sigmoid"))),
        is_optional=True,
        section="training",
        used_with=(("loss", _has_own_output),),
    ),
)

# What a run's stopping rule looks at: a loss, or the number of correct outputs or share of right patterns, of training
# patterns or of held-out ones.
MONITORS = ("loss", "running_loss", "n_correct", "accuracy", "held_out_loss", "held_out_accuracy")

# Integers of a cell besides its settings; see :data:`kernels.settings.SETTINGS`.
INTEGERS = ("from_step", "max_steps", "patterns", "schedule_steps")

# Sums over the evaluations of a run: of the losses, of their inverses, and of the last TAIL losses, for their mean. The
# last is the running loss of an epoch, see :mod:`kernels.step.running_loss`.
LOSS_SUMS = ("loss_sum", "inverse_loss_sum", "tail_loss", "running_loss")
TAIL = 20


def _settings_of(components: Iterable[Any]) -> dict[str, Setting]:
    """Return the settings of components by name, each once."""
    found: dict[str, Setting] = {}
    for component in components:
        for setting in component.settings:
            assert found.setdefault(setting.name, setting) == setting, f"{setting.name} is declared twice"
    return found


COMPONENT_SETTINGS = _settings_of(NAMED.values())
STOPPING_SETTINGS = _settings_of(STOPPING_RULES.values())
# Stopping rules that end runs although no patience is set.
RULES_WITHOUT_PATIENCE = tuple(
    name for name, rule in STOPPING_RULES.items() if STOPPING_SETTINGS["patience"] not in rule.settings
)
SETTINGS: dict[str, Setting] = {
    **{setting.name: setting for setting in GENERAL},
    **STOPPING_SETTINGS,
    **COMPONENT_SETTINGS,
}
