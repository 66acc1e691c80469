"""How values of options are written: shorthand, and texts that are numbers or names."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

from kernels.start.names import MAX_LAYERS, NAMED_SCALES
from sweep.errors import shown
from sweep.study.hints import meant_value
from sweep.study.patterns import MAX_PATTERNS

_MAX_HIDDEN = 65_536

_SCALES = ", ".join(map(repr, NAMED_SCALES))
_FORMULAS = ", ".join(f"{name}: {scale.formula}" for name, scale in NAMED_SCALES.items())

# Parameters of a network in the default order of drawing.
DRAWN = ("w", "v", "b", "c", "k")
# Those of one of several hidden layers, which may be drawn apart.
_OF_LAYERS = tuple(f"{kind}{layer}" for kind in "wb" for layer in range(1, MAX_LAYERS + 1))


def _expand_batch(given: Any, info: ValidationInfo) -> Any:
    """Return the patterns per step as a number; ``info.context`` holds the number of patterns."""
    n_patterns = info.context["n_patterns"] if info.context else MAX_PATTERNS
    batch = {"full": n_patterns, "online": 1}.get(given, given) if isinstance(given, str) else given
    if not isinstance(batch, int) or isinstance(batch, bool) or not 1 <= batch <= n_patterns:
        allowed = f"'full', 'online' or an integer from 1 to {n_patterns}, the number of patterns"
        raise ValueError(f"{shown(given)} given; must be {allowed}")
    return batch


def _expand_hidden(given: Any) -> Any:
    """Return hidden units as a number, or those of several layers as a text such as 8-4."""
    is_text = isinstance(given, str) and re.fullmatch("[0-9]{1,20}(-[0-9]{1,20})*", given)
    sizes = list(map(int, given.split("-"))) if is_text else [given]
    if any(isinstance(size, bool) or not isinstance(size, int) for size in sizes) or len(sizes) > MAX_LAYERS:
        needs = f"an integer, or of several layers, at most {MAX_LAYERS}, a text such as '8-4'"
        raise ValueError(f"{shown(given)} given; must be {needs}")
    for size in sizes:
        if not 1 <= size <= _MAX_HIDDEN:
            bound = "at least 1" if size < 1 else f"at most {_MAX_HIDDEN}"
            raise ValueError(f"{shown(given)} given; must be {bound}" + " each" * (len(sizes) > 1))
    return "-".join(map(str, sizes)) if len(sizes) > 1 else sizes[0]


def _checked_scale(*, above: bool) -> Callable[[Any], Any]:
    """Make the check of a scale: a number above 0, or from 0, or a name."""
    needs = f"must be a number {'above' if above else 'at least'} 0 or one of {_SCALES}"

    def check(given: Any) -> Any:
        if isinstance(given, str) and given in NAMED_SCALES:
            return given
        is_number = isinstance(given, (int, float)) and not isinstance(given, bool)
        if is_number and (0 < given <= sys.float_info.max or (given == 0 and not above)):
            return float(given)
        meant = meant_value(given, NAMED_SCALES) if isinstance(given, str) else None
        hint = f"; did you mean {meant!r}? {needs.capitalize()}" if meant else f"; {needs}"
        raise ValueError(f"{shown(given)} given{hint}")

    return check


def _expand_freeze(given: Any) -> Any:
    """Return the kinds of frozen parameters as a text, in the default order of drawing; without any, ``none``."""
    names = given.replace("none", "").split() if isinstance(given, str) else given
    if not isinstance(names, list) or not set(map(str, names)) <= set(DRAWN):
        raise ValueError(f"{shown(given)} given; must name some of {', '.join(DRAWN)}, as in 'w b' or ['w', 'b']")
    return " ".join(name for name in DRAWN if name in names) or "none"


def _complete_order(given: str) -> str:
    """Return an order of drawing, completed by the names that it omits, with single spaces."""
    options = given.split()
    names = [option.removesuffix(".T") if option[0] in "wvk" else option for option in options]
    if not set(names) <= {*DRAWN, *_OF_LAYERS} or len(set(names)) < len(names):
        raise ValueError(
            f"{shown(given)} given; must name each of w, v, b, c and k once, w, v and k as w.T, v.T and k.T where they "
            "are drawn transposed, as in 'w.T b v c'; w1, b1, w2, .. are those of one of several hidden layers"
        )
    return " ".join([*options, *(name for name in DRAWN if name not in names)])


# The types of options that functions validate, with what the schema of study files and the documentation say of them.
Batch = Annotated[
    int,
    BeforeValidator(_expand_batch),
    WithJsonSchema(
        {"anyOf": [{"enum": ["full", "online"]}, {"type": "integer", "minimum": 1, "maximum": MAX_PATTERNS}]}
    ),
    "full, online, 1 to the number of patterns",
]
HiddenUnits = Annotated[
    int | str,
    BeforeValidator(_expand_hidden),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": _MAX_HIDDEN},
                {"type": "string", "pattern": f"^0*[1-9][0-9]{{0,4}}(-0*[1-9][0-9]{{0,4}}){{0,{MAX_LAYERS - 1}}}$"},
            ]
        }
    ),
    f"an integer from 1 to {_MAX_HIDDEN:,}, or of several layers a text such as 8-4",
]
DrawOrder = Annotated[
    str,
    AfterValidator(_complete_order),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^\s*(([wvk](\.T)?|[bc]|w[1-{MAX_LAYERS}](\.T)?|b[1-{MAX_LAYERS}])(\s+|$))*$",
        }
    ),
    "w, v, b, c, k in any order; w.T, v.T, k.T; w1, b2, .. of one layer, w and b of all others from the inputs up",
]
Freeze = Annotated[
    str,
    BeforeValidator(_expand_freeze),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^\s*(none|([wvbck](\s+|$))*)$"},
                {"type": "array", "items": {"enum": list(DRAWN)}},
            ]
        }
    ),
    "none, or kinds of parameters such as 'w b'",
]


def _scale(*, above: bool) -> Any:
    """Return the type of a scale."""
    number: Any = Annotated[float, Field(gt=0) if above else Field(ge=0)]
    return Annotated[
        number | Literal[tuple(NAMED_SCALES)],
        BeforeValidator(_checked_scale(above=above)),
        f"a number {'above' if above else 'from'} 0, or by name the deviation of the weights of each layer, whatever "
        f"their distribution ({_FORMULAS})",
    ]


Scale, OutputScale = _scale(above=True), _scale(above=False)
