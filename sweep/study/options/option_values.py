"""Types of options with several spellings: shorthand, and texts that are numbers or names."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

from kernels.start.names import MAX_LAYERS, NAMED_SCALES
from sweep.errors import shown
from sweep.study.data.pattern_files import MAX_PATTERNS
from sweep.study.reading.hints import meant_value

_MAX_HIDDEN = 65_536

_SCALES = ", ".join(map(repr, NAMED_SCALES))
_FORMULAS = ", ".join(f"{name}: {scale.formula}" for name, scale in NAMED_SCALES.items())

# Parameters of a network in the default order of drawing.
DRAWN = ("w", "v", "b", "c", "k")
# Parameters of one of several hidden layers, which may be drawn separately.
_OF_LAYERS = tuple(f"{kind}{layer}" for kind in "wb" for layer in range(1, MAX_LAYERS + 1))


def _expand_batch(value: Any, info: ValidationInfo) -> Any:
    """Return the patterns per step as a number; ``info.context`` holds the number of patterns."""
    n_patterns = info.context["n_patterns"] if info.context else MAX_PATTERNS
    batch = {"full": n_patterns, "online": 1}.get(value, value) if isinstance(value, str) else value
    if not isinstance(batch, int) or isinstance(batch, bool) or not 1 <= batch <= n_patterns:
        allowed = f"'full', 'online' or an integer from 1 to {n_patterns}, the number of patterns"
        raise ValueError(f"must be {allowed}; got {shown(value)}")
    return batch


def _expand_hidden(value: Any) -> Any:
    """Return hidden units as a number, or those of several layers as a text such as 8-4."""
    is_text = isinstance(value, str) and re.fullmatch("[0-9]{1,20}(-[0-9]{1,20})*", value)
    sizes = list(map(int, value.split("-"))) if is_text else [value]
    if any(isinstance(size, bool) or not isinstance(size, int) for size in sizes) or len(sizes) > MAX_LAYERS:
        needs = f"an integer, or for 2 to {MAX_LAYERS} layers a text such as '8-4'"
        raise ValueError(f"must be {needs}; got {shown(value)}")
    for size in sizes:
        if not 1 <= size <= _MAX_HIDDEN:
            bound = "at least 1" if size < 1 else f"at most {_MAX_HIDDEN}"
            each = " in each layer" if len(sizes) > 1 else ""
            raise ValueError(f"must be {bound}{each}, got {shown(value)}")
    return "-".join(map(str, sizes)) if len(sizes) > 1 else sizes[0]


def _checked_scale(*, above: bool) -> Callable[[Any], Any]:
    """Return the check of a scale: a number above 0, or from 0, or a name."""
    needs = f"a number {'above' if above else 'at least'} 0 or one of {_SCALES}"

    def check(value: Any) -> Any:
        if isinstance(value, str) and value in NAMED_SCALES:
            return value
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if is_number and (0 < value <= sys.float_info.max or (value == 0 and not above)):
            return float(value)
        meant = meant_value(value, NAMED_SCALES) if isinstance(value, str) else None
        hint = f"; did you mean {meant!r}?" if meant else ""
        raise ValueError(f"must be {needs}, got {shown(value)}{hint}")

    return check


def _expand_freeze(value: Any) -> Any:
    """Return the kinds of frozen parameters as a text, in the default order of drawing; ``none`` without any."""
    names = value.replace("none", "").split() if isinstance(value, str) else value
    if not isinstance(names, list) or not set(map(str, names)) <= set(DRAWN):
        raise ValueError(f"must name some of {', '.join(DRAWN)}, as in 'w b' or ['w', 'b']; got {shown(value)}")
    return " ".join(name for name in DRAWN if name in names) or "none"


def _complete_order(value: str) -> str:
    """Return an order of drawing, completed by the names that it omits, with single spaces."""
    drawn = value.split()
    names = [each.removesuffix(".T") if each[0] in "wvk" else each for each in drawn]
    if not set(names) <= {*DRAWN, *_OF_LAYERS} or len(set(names)) < len(names):
        raise ValueError(
            "must name each of w, v, b, c and k at most once, as in 'w.T b v c' (.T: w, v or k drawn transposed; w1, "
            f"b1, w2, ..: one of several hidden layers); got {shown(value)}"
        )
    return " ".join([*drawn, *(name for name in DRAWN if name not in names)])


# Types of options that functions validate; the schema of study files and the documentation use the notes beside them.
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
    f"an integer from 1 to {_MAX_HIDDEN:,}, or for several layers a text such as 8-4",
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
    "w, v, b, c, k in any order; w.T, v.T, k.T are drawn transposed; w1, b2, .. are of one layer, w and b of all "
    "others from the inputs up",
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
    number: Any = Annotated[float, Field(gt=0) if above else Field(ge=0)]
    return Annotated[
        number | Literal[tuple(NAMED_SCALES)],
        BeforeValidator(_checked_scale(above=above)),
        f"a number {'above' if above else 'from'} 0, or the name of a standard deviation of the weights of each layer, "
        f"whatever their distribution ({_FORMULAS})",
    ]


Scale = _scale(above=True)
OutputScale = _scale(above=False)
