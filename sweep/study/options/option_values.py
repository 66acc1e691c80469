"""Types of options with several spellings: shorthand, and texts that are numbers or names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

from kernels.start.names import ARRAY, DISTRIBUTIONS, MAX_LAYERS, NAMED_SCALES
from sweep.errors import shown
from sweep.study.data.pattern_files import MAX_PATTERNS
from sweep.study.options.explicit_weights import WEIGHT_PATTERN, element_of
from sweep.study.reading.hints import value_hint
from sweep.system.plain_values import is_finite

_MAX_HIDDEN = 65_536

_SCALES = ", ".join(map(repr, NAMED_SCALES))
_FORMULAS = ", ".join(f"{name}: {scale.formula}" for name, scale in NAMED_SCALES.items())

# Parameters of a network in the default order of drawing.
DRAWN = ("w", "v", "b", "c", "k")
# Parameters of one of several hidden layers, which may be drawn separately.
_OF_LAYERS = tuple(f"{kind}{layer}" for kind in "wbk" for layer in range(1 + (kind == "k"), MAX_LAYERS + 1))


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
        needs = f"an integer, or for 2 to {MAX_LAYERS} layers a text such as '8-4' (8 units, then 4)"
        raise ValueError(f"must be {needs}, got {shown(value)}")
    least = 1 if len(sizes) > 1 else 0
    for size in sizes:
        if not least <= size <= _MAX_HIDDEN:
            bound = f"at least {least}" if size < least else f"at most {_MAX_HIDDEN}"
            each = " in each layer" if len(sizes) > 1 else ""
            raise ValueError(f"must be {bound}{each}, got {shown(value)}")
    return "-".join(map(str, sizes)) if len(sizes) > 1 else sizes[0]


def _checked_scale(*, above: bool) -> Callable[[Any], Any]:
    """Return the check of a scale: a number above 0, or from 0, or a name."""
    needs = f"a number {'above' if above else 'at least'} 0 or one of {_SCALES}"

    def check(value: Any) -> Any:
        if isinstance(value, str) and value in NAMED_SCALES:
            return value
        if is_finite(value) and (value > 0 or (value == 0 and not above)):
            return float(value)
        raise ValueError(f"must be {needs}, got {shown(value)}{value_hint(value, NAMED_SCALES)}")

    return check


def _checked_offset(value: Any) -> float:
    if not is_finite(value):
        raise ValueError(f"must be a finite number, got {shown(value)}")
    return float(value)


def _checked_offset_of_array(value: Any) -> float | str:
    """Return the number of all elements of an array, or numbers of single ones as a text such as ``[4,-4]``."""
    is_list = isinstance(value, str) and value[:1] == "["
    numbers = [_number_or_text(text) for text in value[1:-1].split(",")] if is_list else value
    if not isinstance(numbers, list):
        return _checked_offset(value)
    if not numbers or not all(map(is_finite, numbers)):
        raise ValueError(f"must be a finite number, or a list of one for each unit, got {shown(value)}")
    return f"[{','.join(_text(float(number)) for number in numbers)}]"


def _checked_distribution(value: Any) -> str:
    if value not in DISTRIBUTIONS:
        hint = value_hint(value, DISTRIBUTIONS)
        raise ValueError(f"must be one of {', '.join(map(repr, DISTRIBUTIONS))}, got {shown(value)}{hint}")
    return str(value)


# In a table by array, the value of all arrays that it does not name.
_OTHERS = "others"


def names_arrays(value: Any) -> bool:
    """Return whether a value is a table of values by array, such as ``{"w": "he", "b": 0.1}``."""
    return isinstance(value, Mapping) and any(key == _OTHERS or ARRAY.fullmatch(str(key)) for key in value)


def _by_array(default: Any, of_others: Callable[[Any], Any], of_array: Callable[[Any], Any]) -> BeforeValidator:
    """Return the check of an option with one value for all arrays, or a table by array, which becomes a text.

    ``{ w = "he", b = 0.1 }`` becomes ``"1 w=he b=0.1"`` where the default is 1; that text is allowed as well.
    """

    def check(value: Any) -> Any:
        table = _table_of(value) if isinstance(value, str) else value
        if not isinstance(table, Mapping):
            return of_others(value)
        entries = []
        for name in sorted(table.keys() - {_OTHERS}, key=lambda name: (DRAWN.index(name[0]), name)):
            try:
                entries.append(f"{name}={_text(of_array(table[name]))}")
            except ValueError as error:
                raise ValueError(f"{name} {error}") from None
        others = of_others(table.get(_OTHERS, default))
        return " ".join([_text(others), *entries]) if entries else others

    def checked_names(value: Any) -> Any:
        names = value.keys() if isinstance(value, Mapping) else ()
        wrong = next((name for name in names if name != _OTHERS and not ARRAY.fullmatch(str(name))), None)
        if wrong is not None or value == {}:
            raise ValueError(
                "a table must name arrays, as in { w = .., b2 = .., others = .. } with w, v, b, c, k, w1, b1, w2, ..; "
                f"got {shown(value if wrong is None else wrong)}"
            )
        return check(value)

    return BeforeValidator(checked_names)


def _table_of(text: str) -> Any:
    """Return the table that a text such as ``1 w=he b=0.1`` stands for; other texts unchanged."""
    entries = [entry.partition("=") for entry in text.split()]
    table = {name if equals else _OTHERS: value if equals else name for name, equals, value in entries}
    if len(table) < len(entries) or not table.keys() - {_OTHERS}:
        return text
    if not all(name == _OTHERS or ARRAY.fullmatch(name) for name in table):
        return text
    return {name: _number_or_text(value) for name, value in table.items()}


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else repr(value).removesuffix(".0")


def _expand_kinds(value: Any) -> Any:
    """Return kinds of parameters as a text, in the default order of drawing."""
    names = value.split() if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not set(map(str, names)) <= set(DRAWN):
        raise ValueError(f"must name some of {', '.join(DRAWN)}, as in 'w b' or ['w', 'b']; got {shown(value)}")
    return " ".join(name for name in DRAWN if name in names)


def _expand_freeze(value: Any) -> Any:
    """Return the kinds of frozen parameters and single weights of other kinds as a text; ``none`` without any."""
    names = re.sub(r",\s+", ",", value).replace("none", "").split() if isinstance(value, str) else value
    kinds = [name for name in names if name in DRAWN] if isinstance(names, list) else []
    weights = [(element_of(str(name)), name) for name in names if name not in kinds] if isinstance(names, list) else []
    if not isinstance(names, list) or any(element is None for element, _ in weights):
        needs = f"must name some of {', '.join(DRAWN)}, or single weights, as in 'w b' or 'v w[0,1]'"
        raise ValueError(f"{needs}; got {shown(value)}")
    found = {element: name for element, name in weights if element and element[0][0] not in kinds}
    return " ".join([*(kind for kind in DRAWN if kind in kinds), *(found[each] for each in sorted(found))]) or "none"


# A single weight, or a row of an array: all weights from an input or a unit.
_MEMBER = re.compile(rf"{WEIGHT_PATTERN}|(w[1-{MAX_LAYERS}]?|k[2-{MAX_LAYERS}]?|v)\[[0-9]+\]")
# Of a text of groups, in the schema of study files, which does not count their members.
_SHARED = {"type": "string", "pattern": rf"^(none|{_MEMBER.pattern}|[\s;])*$"}


def _expand_share(value: Any) -> Any:
    """Return groups of weights or rows as a text with ``;`` between them; ``none`` without any."""
    groups = value.replace("none", "").split(";") if isinstance(value, str) else value
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise ValueError(f"must be groups such as 'w[0] w[1]; b[0] b[2]' or a list of them; got {shown(value)}")
    found = [names for group in groups if (names := re.sub(r",\s+", ",", group).split())]
    members = [name for names in found for name in names]
    for names in found:
        alike = {(name.partition("[")[0], name.count(",")) for name in names}
        if not all(map(_MEMBER.fullmatch, names)) or len(names) < 2 or len(alike) > 1:
            raise ValueError(
                "must be groups of two or more weights, or of two or more rows, of one array, as in 'w[0,0] w[1,1]; "
                f"v[0] v[1]'; got {shown(' '.join(names))}"
            )
    rows = {f"{name.partition(',')[0]}]" for name in members if "," in name}
    twice = next((name for k, name in enumerate(members) if name in (*members[:k], *rows)), None)
    if twice:
        raise ValueError(f"must name each weight once, by itself or in a row; got {twice} twice")
    return "; ".join(map(" ".join, found)) or "none"


def groups_of(share: str) -> tuple[tuple[str, ...], ...]:
    """Return the names in each group of weights or rows that stay equal."""
    return tuple(tuple(group.split()) for group in share.split("; ")) if share != "none" else ()


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


MAX_STEPS = 2**31 - 1

Steps = Annotated[int, Field(ge=0, le=MAX_STEPS)]


def one_of(names: Iterable[str]) -> Any:
    """Return the type of values that are some of these names."""
    return Literal[tuple(names)]


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
                {"type": "integer", "minimum": 0, "maximum": _MAX_HIDDEN},
                {
                    "type": "string",
                    "pattern": f"^(0+|0*[1-9][0-9]{{0,4}}(-0*[1-9][0-9]{{0,4}}){{0,{MAX_LAYERS - 1}}})$",
                },
            ]
        }
    ),
    f"an integer from 0 (inputs join outputs directly, by v) to {_MAX_HIDDEN:,}, or for several layers a text such "
    "as 8-4",
]
DrawOrder = Annotated[
    str,
    AfterValidator(_complete_order),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^\s*(((w[1-{MAX_LAYERS}]?|k[2-{MAX_LAYERS}]?|v)(\.T)?|b[1-{MAX_LAYERS}]?|c)(\s+|$))*$",
        }
    ),
    "arrays (see 'sweep explain arrays'), of which those left out follow in the default order; w.T, v.T, k.T are drawn "
    "transposed; w1, b2, .. are of one hidden layer, w, b and k stand for all layers not named, from the inputs up",
]
Freeze = Annotated[
    str,
    BeforeValidator(_expand_freeze),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": rf"^\s*(none|(([wvbck]|{WEIGHT_PATTERN})(\s+|$))*)$"},
                {"type": "array", "items": {"type": "string", "pattern": f"^([wvbck]|{WEIGHT_PATTERN})$"}},
            ]
        }
    ),
    "none, or arrays and single weights (see 'sweep explain arrays') such as 'b w[0,1]'",
]

Share = Annotated[
    str,
    BeforeValidator(_expand_share),
    WithJsonSchema({"anyOf": [_SHARED, {"type": "array", "items": _SHARED}]}),
    "none, or groups with ; between them: of weights such as 'w[0,0] w[1,1]', or of rows of an array such as "
    "'w[0] w[1]', of which weights at equal places are equal (w[0,j] and w[1,j])",
]
Decays = Annotated[
    str,
    BeforeValidator(_expand_kinds),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^\s*([wvbck](\s+|$))+$"},
                {"type": "array", "items": {"enum": list(DRAWN)}, "minItems": 1},
            ]
        }
    ),
    "names of arrays such as 'w v'",
]


_NAMED = f"a name that sets the standard deviation of each layer, whatever the distribution ({_FORMULAS})"
_TABLE = "or a table by array (see 'sweep explain arrays') such as"
_ARRAYS = f"^([wb][1-{MAX_LAYERS}]?|k[2-{MAX_LAYERS}]?|[vc]|{_OTHERS})$"


def _schema(value: dict[str, Any], own: dict[str, Any] | None = None) -> WithJsonSchema:
    """Return the schema of values of an option, or of tables by array of these, or of ``own`` values."""
    by_name = {_ARRAYS: own or value}
    table = {"type": "object", "patternProperties": by_name, "additionalProperties": False, "minProperties": 1}
    text = {"type": "string", "pattern": "="}
    return WithJsonSchema({"anyOf": [*value.get("anyOf", [value]), table, text]})


def _scale_schema(limit: str) -> dict[str, Any]:
    return {"anyOf": [{"type": "number", limit: 0}, {"enum": list(NAMED_SCALES)}]}


def _type(kind: Any, *notes: Any) -> Any:
    """Return an annotated type that is made at run time, which type checkers take for any."""
    return Annotated[kind, *notes]


Scale = _type(
    float | Literal[tuple(NAMED_SCALES)] | str,
    _by_array(1.0, _checked_scale(above=True), _checked_scale(above=False)),
    f"a number above 0, {_NAMED}, {_TABLE} {{ w = 'he', b2 = 0.1, others = 1 }}",
    _schema(_scale_schema("exclusiveMinimum"), _scale_schema("minimum")),
)
OutputScale = _type(
    float | Literal[tuple(NAMED_SCALES)],
    BeforeValidator(_checked_scale(above=False)),
    "a number from 0, or a name as in scale",
    WithJsonSchema(_scale_schema("minimum")),
)
Offset = _type(
    float | str,
    _by_array(0.0, _checked_offset, _checked_offset_of_array),
    f"a number, {_TABLE} {{ b = 0.1 }}, or for biases with a number for each unit, {{ b = [-1, 1] }}",
    _schema({"type": "number"}, {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}}]}),
)
Distribution = _type(
    Literal[DISTRIBUTIONS] | str,
    _by_array("normal", _checked_distribution, _checked_distribution),
    f"{', '.join(DISTRIBUTIONS)}, {_TABLE} {{ w = 'uniform', b = 'constant', others = 'normal' }}",
    _schema({"enum": list(DISTRIBUTIONS)}),
)
