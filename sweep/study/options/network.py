"""The options of [network]: the architecture of the networks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kernels.components.declarations import Case
from kernels.components.scalings import SCALINGS
from kernels.start.names import MAX_LAYERS
from sweep.study.options.option import Option
from sweep.study.options.option_values import HiddenUnits, one_of

OPTIONS = [
    Option(
        "hidden",
        HiddenUnits | None,
        None,
        "kernel",
        "hidden units",
        "units",
        also=("units", "neurons", "width", "n_hidden", "hidden_layer_sizes", "hidden_units", "num_hidden"),
        case=Case((8, 3, 5)),
        is_required=True,
        is_always_written=True,
    ),
    Option(
        "activation",
        None,
        "relu",
        "kernel",
        "activation of the hidden units",
        components="activation",
        also=("act", "nonlinearity", "activation_function", "transfer"),
        case=Case(("tanh", "elu")),
        is_always_written=True,
    ),
    Option(
        "output",
        None,
        "identity",
        "kernel",
        "activation of the outputs",
        components="output",
        also=("output_activation", "final_activation"),
        case=Case(("sigmoid",)),
        is_always_written=True,
    ),
    Option(
        "layers",
        Annotated[int, Field(ge=1, le=MAX_LAYERS)],
        1,
        "kernel",
        "number of hidden layers, each with hidden units; not used with a text such as hidden = '8-4'",
        "layers",
        also=("depth", "n_layers", "num_layers", "hidden_layers", "layer"),
        case=Case((2, 4)),
    ),
    Option(
        "bias",
        bool,
        True,
        "kernel",
        "whether units have biases",
        also=("biases", "use_bias", "intercept", "fit_intercept"),
        case=Case((False,)),
        is_always_written=True,
    ),
    Option(
        "skip",
        bool,
        False,
        "kernel",
        "whether inputs also connect to outputs directly",
        also=("residual", "shortcut", "skip_connections"),
        case=Case((True,)),
    ),
    Option(
        "scaling",
        Annotated[
            one_of(SCALINGS),
            "standard: 1, ntk: 1 / sqrt(fan-in), mean_field: 1 / sqrt(fan-in) in hidden layers and 1 / fan-in in that "
            "of the outputs",
        ],
        "standard",
        "kernel",
        "factor of the sums of each layer, which exclude biases and skip connections",
        case=Case(("ntk", "mean_field")),
    ),
    Option(
        "shortcuts",
        Annotated[
            Literal["outputs", "all"],
            "outputs: from the inputs to the outputs; all: also between hidden layers, so that each layer receives the "
            "outputs of all earlier ones. With one hidden layer both are the same",
        ],
        "outputs",
        "kernel",
        "where skip connections lead",
        used_with={"skip": [True]},
        also=("dense_connections", "densely_connected", "cascade"),
        case=Case(("all",), (("skip", True), ("layers", 3))),
    ),
    Option(
        "dtype",
        Literal["float64", "float32"],
        "float64",
        "kernel",
        "type of all numbers of the networks",
        also=("precision", "float_type"),
        case=Case(("float32",), (("optimizer", "adam"),)),
        is_always_written=True,
    ),
]
