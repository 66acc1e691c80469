"""Values that random compositions draw for each key of a study: with them runs end in every way, after few steps.

An option has here the values of its record, unless runs of a few steps need others.
"""

from __future__ import annotations

import math
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st

from kernels import vocabulary
from kernels.components.declarations import Setting
from kernels.start.names import DISTRIBUTIONS
from sweep.study.options.option_tables import OPTIONS
from sweep.study.options.other_sections import FAILURES, Record, Restarts
from tests.sweep.strategies import numbers, positive

Values = st.SearchStrategy[Any]

# Initial weights, including some that are too large for finite results.
WEIGHT: Values = st.sampled_from([0.5, -1.0, 0.0, 0.1, 2.0, -0.25, 1e200])
WIDTHS = [2, 3, 1, 4, "2-3", "1-2-2", "3-4", 0]
_SCALES = [1.0, 0.3, 3.0, 1e160, "glorot", "he", "lecun", "torch"]
_BY_ARRAY = ["1 w=he w1=0.5", "lecun v=0.5"]
_ORDERS = ["w v b c k", "w.T b v c k", "k.T c b v.T w.T", "b c", "w1 b1 v w.T b", "b2 w1.T w"]
_PARAMETERS = ["none", "w", "v", "b c", "k", "w b", "v c k", "b"]


def _setting(setting: Setting) -> Values:
    """Draw usual values of a setting, and any allowed ones."""
    low = max(x for x in (setting.at_least, setting.above, -math.inf) if x is not None)
    usual = [x for x in (setting.default, 0.5, 0.9, 0.1, 1.0, 3.0, 0.0) if low <= x < (setting.below or math.inf)]
    usual = [x for x in usual if x != setting.above and not (setting.multiple_of and x % setting.multiple_of)]
    return st.one_of(st.sampled_from(usual), st.sampled_from(usual), numbers(setting))


def _named(kind: Any) -> list[Any]:
    """Return the values of a type of names or booleans, none for other types."""
    if kind is bool:
        return [False, True]
    if get_origin(kind) is Annotated:
        return _named(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [name for option in get_args(kind) for name in _named(option)]
    return list(get_args(kind)) if get_origin(kind) is Literal else []


def _values(name: str) -> Values:
    """Draw names or Booleans that an option allows, or those of its values that tests try, and its default."""
    option = OPTIONS[name]
    assert option.case is not None
    default = [] if option.default is None else [option.default]
    return st.sampled_from(_named(option.type) or [*option.case.values, *default])


# Values of every option except those of [data].
OPTION_VALUES: dict[str, Values] = {
    **{name: _values(name) for name, option in OPTIONS.items() if option.role != "data" and name != "values"},
    **{name: _setting(setting) for name, setting in vocabulary.COMPONENT_SETTINGS.items()},
    "hidden": st.sampled_from(WIDTHS),
    "scale": st.sampled_from([*_SCALES, *_BY_ARRAY]),
    "output_scale": st.sampled_from([0.25, 0.0, *_SCALES]),
    "bias_scale": st.sampled_from([0.25, 0.0, *_SCALES]),
    "offset": st.sampled_from([0.5, "0 w=-1 v=0.25"]),
    "distribution": st.sampled_from([*DISTRIBUTIONS, "uniform v=normal", "normal w=truncated_normal v=constant"]),
    "draw_order": st.sampled_from(_ORDERS),
    "learning_rate": st.one_of(st.sampled_from([0.1, 0.02, 0.5, 30.0]), st.sampled_from([0.0, 1e-30]), positive),
    "warmup": st.sampled_from([3.0, 0.0, 1.5, 30.0]),
    "freeze": st.sampled_from([*_PARAMETERS, "w v[0,0]", "c[0] v[0,0]", "k[0,0]"]),
    "share": st.sampled_from(["none", "v[0] v[1]", "v[1,0] v[0,0]", "w1[0,1] w1[0,0]; v[1] v[0]"]),
    "decays": st.sampled_from(_PARAMETERS[1:]),
    "max_steps": st.integers(0, 14),
    "max_epochs": st.integers(0, 9),
    "threshold": st.one_of(st.sampled_from([0.4, 0.05, 1.0, 1e-3, 10.0]), positive),
    "patience": st.sampled_from([1.0, 2.0, 4.0, 1000.0]),
    "from_step": st.integers(0, 8),
    "validate_every": st.integers(1, 3),
}

SEEDS: dict[str, Values] = {
    "base": st.sampled_from([0, 7, 2**32 - 4]),
    "count": st.integers(1, 4),
    "until": st.fixed_dictionaries({"width": st.sampled_from([0.7, 0.9, 0.3])}, optional={"first": st.integers(1, 3)}),
}
# Races, which need several cells.
RACE: Values = st.fixed_dictionaries(
    {"best": st.sampled_from(["final_loss", "n_correct"]), "compare": st.just("wins")},
    optional={
        "first": st.integers(1, 3),
        "confidence": st.sampled_from([0.5, 0.6]),
        "margin": st.sampled_from([1e-3, 2.0]),
    },
)
RESTARTS: dict[str, Values] = {
    "max_restarts": st.integers(1, 3),
    "after_steps": st.one_of(st.none(), st.integers(1, 6)),
    "on": st.lists(st.sampled_from(FAILURES), unique=True),
    "draw": st.sampled_from(_named(Restarts.model_fields["draw"].annotation)),
}

CURVES: Values = st.fixed_dictionaries(
    {"seeds": st.integers(1, 3)}, optional={"steps": st.lists(st.integers(0, 12), unique=True, min_size=1, max_size=4)}
)

RECORD: dict[str, Values] = {
    "loss_thresholds": st.lists(st.sampled_from([0.3, 5.0, 1.0, 0.05]), unique=True, min_size=1),
    "weights": st.sampled_from(_named(Record.model_fields["weights"].annotation)),
}

# Two targets of each kind, low and high, and the losses that take such: those that any option may be beside, and
# others.
LEVELS: dict[str, tuple[float, float]] = {
    "any": (-0.5, 1.25),
    "shares": (0.0, 0.75),
    "signs": (-1.0, 1.0),
    "classes": (0.0, 1.0),
}


def losses_for(kind: str) -> list[str]:
    """Return the losses, including their aliases, that allow a kind of targets."""
    low, high = LEVELS[kind]
    row = (high, low) if kind == "classes" else (low, high, high)
    own = [
        name
        for name, loss in vocabulary.LOSSES.items()
        if (loss.takes_target is None or all(map(loss.takes_target, row)))
        and (loss.takes_row is None or (kind == "classes" and loss.takes_row(row)))
    ]
    return own + [alias for name in own for alias in vocabulary.LOSSES[name].names]
