"""Random studies for hypothesis: valid ones, and anything at all."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from kernels import vocabulary
from kernels.components.declarations import Setting
from tests.sweep.support import SECTIONS
from tests.sweep.tasks_of_four import SWEPT_OF_FOUR, TASKS_OF_FOUR

REQUIRED = ("hidden", "learning_rate")
MAX_STEPS = 2**31 - 1
positive = st.floats(min_value=5e-324, allow_nan=False, allow_infinity=False)
not_negative = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
finite = st.floats(allow_nan=False, allow_infinity=False)
classes = st.sampled_from([0.0, 0.25, 0.5, 1.0])  # the first target of two, which add up to 1
activations = st.sampled_from(list(vocabulary.ACTIVATIONS))


def numbers(setting: Setting) -> st.SearchStrategy[float]:
    """Return the allowed numbers of a setting."""
    low = setting.at_least if setting.above is None else setting.above
    limits = {"min_value": low, "max_value": setting.below}
    given = {name: limit for name, limit in limits.items() if limit is not None}
    excluded = {f"exclude_{name.partition('_')[0]}": True for name, limit in limits.items() if limit is not None}
    if setting.at_least is not None:
        excluded["exclude_min"] = False
    if setting.multiple_of:
        return st.integers(1, 10**6).map(lambda k: k * setting.multiple_of)
    return st.floats(**given, **excluded, allow_nan=False, allow_infinity=False)


# Options that can be combined with all others.
ANY_LOSSES = [name for name, loss in vocabulary.LOSSES.items() if not (loss.output or loss.takes_target)]
ANY_OPTIMIZERS = [
    name for name, option in vocabulary.OPTIMIZERS.items() if not (option.full_batch or option.needs_decay)
]

PATIENCE = [1.0, 2.0, 5.0, 1000.0]

SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "hidden": st.integers(1, 700),
    "layers": st.integers(1, 8),
    "activation": activations,
    "output": activations,
    "gain": finite,
    "bias": st.booleans(),
    "skip": st.booleans(),
    "shortcuts": st.sampled_from(["outputs", "all"]),
    "dtype": st.just("float64"),  # float32 refuses some numbers
    "scaling": st.sampled_from(["standard", "ntk", "mean_field"]),
    "distribution": st.sampled_from(["normal", "uniform", "truncated_normal", "constant"]),
    "scale": positive,
    "output_scale": not_negative,
    "bias_scale": not_negative,
    "offset": finite,
    "mirrored": st.just(False),
    "draw_order": st.sampled_from(["w v b c k", "w.T b v c k", "k.T c b v.T w.T", "b c w v.T k", "w1 b1 v w.T b c k"]),
    "generator": st.sampled_from(["mt19937", "pcg64"]),
    "loss": st.sampled_from(ANY_LOSSES),
    "reduction": st.sampled_from(["sum", "mean", "pattern_mean"]),
    "optimizer": st.sampled_from(ANY_OPTIMIZERS),
    "learning_rate": not_negative,
    "output_learning_rate": not_negative,
    "weight_decay": not_negative,
    "schedule": st.sampled_from(list(vocabulary.SCHEDULES)),
    "warmup": not_negative,
    "shuffle_seed": st.integers(0, MAX_STEPS),
    "step_ratio": st.floats(min_value=1, allow_nan=False, allow_infinity=False),
    "schedule_steps": st.integers(1, MAX_STEPS),
    "freeze": st.sampled_from(["none", "w", "v"]),
    "share": st.just("none"),
    "decays": st.sampled_from(["w v b c k", "w", "v w"]),
    "penalty": st.just(False),  # which adamw does not allow
    "batch": st.integers(1, 4),
    "order": st.sampled_from(["cyclic", "shuffled"]),
    "max_steps": st.integers(0, MAX_STEPS),
    "max_epochs": st.integers(0, MAX_STEPS // 4),
    "criterion": st.sampled_from(list(vocabulary.CRITERIA)),
    "threshold": positive,
    "divergence_threshold": positive,
    "from_step": st.integers(0, MAX_STEPS),
    "tie": st.sampled_from(["wrong", "right", "sum"]),
    "stop": st.sampled_from(["before", "after"]),
    # Others look at held-out patterns, which these studies lack, or need a patience.
    **{"stopping_rule": st.just("patience"), "criterion_on": st.just("train")},
    **{name: numbers(setting) for name, setting in vocabulary.STOPPING_SETTINGS.items()},
    "patience": st.sampled_from(PATIENCE),
    "min_delta": st.floats(0, 1, exclude_max=True),  # of n_correct, less than any number of outputs
    "monitor": st.sampled_from(["loss", "running_loss", "n_correct", "train_accuracy"]),
    **{name: numbers(setting) for name, setting in vocabulary.COMPONENT_SETTINGS.items()},
    "step_min": st.floats(0, 0.5),
    "step_max": st.floats(0.5, 1e300),
}

# Options that need others: each draws its own values in place of the above, and targets.
DIALECTS: dict[str, tuple[dict[str, st.SearchStrategy[Any]], st.SearchStrategy[float]]] = {
    "any": ({"loss": SCALARS["loss"]}, finite),
    "bce": ({"loss": st.just("bce"), "output": st.just("sigmoid")}, st.floats(0, 1)),
    "cross_entropy": ({"loss": st.just("cross_entropy"), "output": st.just("softmax")}, classes),
    "hinge": ({"loss": st.just("hinge")}, st.sampled_from([-1.0, 1.0])),
    "names": ({"loss": st.sampled_from(["sse", "mse"]), "reduction": st.nothing()}, finite),
    "adamw": ({"loss": SCALARS["loss"], "optimizer": st.just("adamw"), "weight_decay": positive}, finite),
    "rprop": (
        {
            "loss": SCALARS["loss"],
            "optimizer": st.just("rprop"),
            "batch": st.just("full"),
            **dict.fromkeys(("schedule", "warmup"), st.nothing()),
            "learning_rate": positive,
            "output_learning_rate": positive,
        },
        finite,
    ),
}

# Conditions without which an option has no effect.
NEEDS: dict[str, dict[str, set[Any]]] = {
    "bias_scale": {"bias": {True}},
    "shortcuts": {"skip": {True}},
    **{
        name: {"criterion": {"loss", "max_error", "correct", "error_rate", "running_loss"}}
        for name in ("from_step", "criterion_on")
    },
    **{name: {"patience": set(PATIENCE)} for name in ("min_delta", "monitor")},
    **{
        name: {"stopping_rule": {"gl", "pq", "up", "gl_or_progress"}}
        for name in ("gl_threshold", "pq_threshold", "progress_threshold", "up_strips", "strip")
    },
    "stop": {"criterion": {"loss", "running_loss", "max_error", "correct", "error_rate"}, "patience": set(PATIENCE)},
    "shuffle_seed": {"order": {"shuffled"}},
    "step_ratio": {"optimizer": {"rprop"}},
    "schedule_steps": {"schedule": {"linear", "cosine"}},
    "draw_order": {"distribution": {"normal", "uniform", "truncated_normal"}},
    **{
        name: {
            kind: {user for user, option in options.items() if setting in option.settings}
            for kind, options in (
                ("activation", vocabulary.ACTIVATIONS),
                ("output", vocabulary.ACTIVATIONS),
                ("loss", vocabulary.LOSSES),
                ("optimizer", vocabulary.OPTIMIZERS),
                ("schedule", vocabulary.SCHEDULES),
            )
        }
        for name, setting in vocabulary.COMPONENT_SETTINGS.items()
    },
}
DEFAULTS = {
    "order": "cyclic",
    "distribution": "normal",
    **{"activation": "relu", "output": "identity", "bias": True, "skip": False},
    **{"loss": "sse", "optimizer": "gd", "criterion": "loss", "schedule": "constant", "patience": None},
    "stopping_rule": "patience",
}


@st.composite
def data_tables(draw: st.DrawFn, target: st.SearchStrategy[float]) -> dict[str, Any]:
    """Draw four patterns: a task, or rows of any finite numbers."""
    if target is finite and draw(st.booleans()):
        return draw(st.sampled_from(TASKS_OF_FOUR))
    n_inputs, n_outputs = draw(st.integers(1, 3)), draw(st.integers(1, 2))

    def rows(width: int, numbers: st.SearchStrategy[float]) -> list[list[float]]:
        return draw(st.lists(st.lists(numbers, min_size=width, max_size=width), min_size=4, max_size=4))

    if target is classes:
        return {"inputs": rows(n_inputs, finite), "targets": [[share, 1 - share] for (share,) in rows(1, classes)]}
    return {"inputs": rows(n_inputs, finite), "targets": rows(n_outputs, target)}


@st.composite
def study_tables(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the keywords of a valid study: some scalars swept, in any order, others fixed or default."""
    own, target = DIALECTS[draw(st.sampled_from(sorted(DIALECTS)))]
    scalars = {name: values for name, values in (SCALARS | own).items() if not values.is_empty}
    swept = draw(st.lists(st.sampled_from(sorted(scalars)), unique=True, max_size=4))
    fixed = [name for name in scalars if name not in swept and (name in (*own, *REQUIRED) or draw(st.booleans()))]
    values = {name: draw(st.lists(scalars[name], unique=True, min_size=1, max_size=4)) for name in swept}
    values |= {name: [draw(scalars[name])] for name in fixed}
    for name, needs in NEEDS.items():
        if not any(found & set(values.get(other, [DEFAULTS[other]])) for other, found in needs.items()):
            values.pop(name, None)
    if not any(values.get("weight_decay", ())):
        values = {name: each for name, each in values.items() if name not in ("decays", "penalty")}
    tables: dict[str, Any] = {
        "name": draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)),
        "description": draw(st.text(st.characters(codec="utf-8"), max_size=30)),
        "data": draw(data_tables(target)),
        "parameters": {name: {"values": values[name]} for name in swept if name in values},
    }
    if target is finite and draw(st.booleans()):
        tables["data"], swept_data = draw(st.sampled_from(SWEPT_OF_FOUR))
        of_data = {name: {"values": each[: draw(st.integers(1, 3))]} for name, each in swept_data.items()}
        order = draw(st.permutations([*tables["parameters"], *of_data]))
        tables["parameters"] = {name: (tables["parameters"] | of_data)[name] for name in order}
    for name in values.keys() & set(fixed):
        tables.setdefault(SECTIONS[name], {})[name] = values[name][0]
    base = draw(st.integers(0, 2**32 - 1))
    tables["seeds"] = {"base": base, "count": draw(st.integers(1, 2**32 - base))}
    if draw(st.booleans()):
        tables["record"] = {"loss_thresholds": draw(st.lists(positive, unique=True, min_size=1, max_size=16))}
    return tables


# Texts that occur in studies, so that drawn studies are nearly valid.
OPTIONS = [
    *("name", "description", "method", "data", "network", "initial_weights", "training", "convergence", "parameters"),
    *("record", "record.loss_thresholds", "seeds", "task", "file", "inputs", "targets", "base", "count"),
    *("value", "values", "min", "max", "num", "zip", "samples", "exclude", "samples.count", "sobol"),
    *("distribution", "geomspace", "geomspace", "linspace", "range", "xor", "grid", "relu", "log_uniform_values"),
    *("bce", "hinge", "rprop", "adam", "full", "online", "shuffled", "mean", "w.T b v c"),
    *SCALARS,
]
TABLES = [*sorted(set(SECTIONS.values())), "data", "seeds", "record", "zip", "samples", "exclude"]
options = st.sampled_from(OPTIONS)
keys = st.one_of(options, st.text(max_size=8))
odd_scalars = st.one_of(
    *(st.none(), st.booleans(), st.integers(-5, 20), st.integers(), st.floats(), options, st.text(max_size=20)),
    st.sampled_from([10**400, -(10**1000), "x" * 1000, "\udcff", "a\nb", 2**63, 5e-324]),
)
anything = st.recursive(
    odd_scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=8,
)
few_numbers = st.lists(st.one_of(st.integers(-2, 9), finite), min_size=2, max_size=3)
swept = st.one_of(
    *(anything, st.lists(st.integers(-1, 9), max_size=4), st.lists(finite, max_size=4)),
    *(st.fixed_dictionaries({option: few_numbers}) for option in ("geomspace", "geomspace", "linspace", "range")),
    st.fixed_dictionaries({"min": st.integers(-1, 5), "max": st.integers(0, 9), "num": st.integers(0, 5)}),
)


@st.composite
def any_tables(draw: st.DrawFn) -> dict[str, Any]:
    """Draw keywords of a study, mostly faulty: known tables with any content, some of it nearly right."""
    tables: dict[str, Any] = {"data": {"task": "xor"}, "network": {"hidden": 2}, "training": {"learning_rate": 0.1}}
    near = st.dictionaries(st.sampled_from(sorted(SCALARS)), swept, max_size=3)
    tables["parameters"] = draw(st.one_of(anything, near, near))
    for name in draw(st.lists(st.sampled_from(TABLES), max_size=3)):
        tables[name] = draw(st.one_of(anything, st.dictionaries(options, anything, max_size=3)))
    for name in draw(st.lists(st.sampled_from(["name", "description", "method"]), max_size=1)):
        tables[name] = draw(anything)
    return tables


@st.composite
def assignments(draw: st.DrawFn) -> str:
    """Draw a text for ``--set``, mostly of a known key."""
    key = draw(st.one_of(options, options, st.text(max_size=10)))
    forms = st.sampled_from(["", "[1, 2]", "{ range = [1, 3] }", ".5", "1_0", "nan", "1979-05-27"])
    numbers = st.lists(st.one_of(st.integers(-2, 99).map(str), st.floats().map(repr), forms), min_size=1, max_size=3)
    value = draw(st.one_of(numbers.map(",".join), st.text(max_size=20), options))
    return f"{key}={value}" if draw(st.integers(0, 9)) else key


@st.composite
def pattern_files(draw: st.DrawFn) -> str:
    """Draw the text of a pattern file, some of them right."""
    names = draw(st.sampled_from(["x0,y", "x0,x1,y", "y0,x0,y1", "x0", "y", "x0;y", 'x0,"y\n"', "x0,\0"]))
    cell = st.one_of(
        st.integers().map(str), finite.map(repr), st.sampled_from(["", " 1 ", "1_0", "nan", "\uff11", "\0"])
    )
    width = names.count(",") + 1
    line = st.one_of(st.lists(cell, min_size=width, max_size=width).map(",".join), st.text(max_size=10))
    return "\n".join([names, *draw(st.lists(line, max_size=4))])


def nested(depth: int) -> Any:
    """Return a number nested in a number of lists."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value
