"""The options of [initial_weights]: how the weights of a seed are drawn, or set."""

from __future__ import annotations

from kernels.components.declarations import Case
from kernels.start.names import DISTRIBUTIONS, GENERATORS
from sweep.study.options.explicit_weights import Values
from sweep.study.options.option import Option
from sweep.study.options.option_values import DRAWN, Distribution, DrawOrder, Offset, OutputScale, Scale, one_of

OPTIONS = [
    Option(
        "distribution",
        Distribution,
        "normal",
        "start",
        "distribution of the initial weights; constant ones take no random numbers. NumPy draws arrays of different "
        "distributions one after another, which is slower",
        also=("init", "initializer", "initialization", "weight_init"),
        case=Case(("uniform", "truncated_normal", "constant"), example='{ w = "uniform", b = "constant" }'),
        is_always_written=True,
    ),
    Option(
        "scale",
        Scale,
        1.0,
        "start",
        "size of the initial weights: standard deviation (normal), half width (uniform) or value (constant)",
        "weight",
        also=("sigma", "std", "stddev", "init_scale", "weight_scale", "initial_scale"),
        case=Case(("glorot", "he", "lecun"), example='{ w = "he", b = 0.1 }'),
        is_always_written=True,
    ),
    Option(
        "output_scale",
        OutputScale | None,
        None,
        "start",
        "scale of the arrays v and k, the initial weights of the output layer",
        "weight",
        case=Case((0.1, 0.25, 0.0)),
        stands_for="scale",
    ),
    Option(
        "bias_scale",
        OutputScale | None,
        None,
        "start",
        "scale of the initial biases; by default 0 where scale is a name, except torch",
        "weight",
        used_with={"bias": [True]},
        case=Case((0.5, 0.25, 0.0)),
        stands_for="scale",
    ),
    Option(
        "offset",
        Offset,
        0.0,
        "start",
        "number added to the initial weights",
        "weight",
        case=Case((-0.5, 2.0), (("distribution", "uniform"),), "{ b = 0.1 }"),
    ),
    Option(
        "values",
        Values,
        None,
        "start",
        "explicit initial weights, in place of drawn ones",
        "weight",
        is_swept=False,
        also=("initial_values", "start", "w0"),
        case=Case(example="{ w = [[1, 0], [0, 1]], b = 0.1 }"),
    ),
    Option(
        "draw_order",
        DrawOrder,
        " ".join(DRAWN),
        "start",
        "order in which the arrays of initial weights are drawn",
        # Constant weights are not drawn.
        used_with={"distribution": [name for name in DISTRIBUTIONS if name != "constant"]},
        case=Case(("w.T v b c", "c b v.T w")),
    ),
    Option(
        "generator",
        one_of(GENERATORS),
        "mt19937",
        "start",
        "random number generator of the initial weights",
        also=("rng", "prng"),
        case=Case(("pcg64",)),
        is_always_written=True,
    ),
]
