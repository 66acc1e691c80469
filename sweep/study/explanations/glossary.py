"""The keys of a study, documented for users from the fields that declare them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from inspect import Parameter
from types import NoneType
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

from kernels.components.declarations import IS_SET
from sweep.measures import RECORDED
from sweep.study.axes.samples import METHODS
from sweep.study.data.data_table import DATA_OPTIONS, DATA_SOURCES, HELD_OUT_ARGUMENTS, Data
from sweep.study.data.splits import DEFAULTS, NEEDED, PREPARATIONS
from sweep.study.data.tasks import ARGUMENTS, CODINGS, TASKS, arguments_of, make_patterns
from sweep.study.options.explicit_weights import element_of
from sweep.study.options.option import Option
from sweep.study.options.option_tables import SECTION_OF, OptionTables, known_tables, names_of
from sweep.study.options.other_sections import FAILURES, Record, Restarts, Seeds
from sweep.study.reading.section import Section

# The lists of tables that let options vary together.
# How options are swept.
SWEPT = (
    "options that are swept: each combination of their values is a cell. Values are a list such as [2, 4, 8], "
    "{ geomspace = [first, last, number] } with equal ratios or { linspace = [first, last, number] } with equal steps, "
    "as in NumPy, { range = [first, last] } of integers, or { min, max, num, distribution }; both ends are included"
)
LISTS = {
    "samples": "count points of several options, drawn by method (sobol, the default, or random) with seed (default "
    "0); a form of [parameters] stands for its values, each equally likely; { geomspace = [first, last] }, "
    "{ linspace = [first, last] } and { min, max } without a number of values stand for all numbers in between",
    "zip": "lists of equal length of several options; their k-th values form a point",
    "exclude": "conditions on swept options: a value, a list of values, or { min, max } with one or both ends, which "
    "are included; cells that meet all conditions of a table are excluded",
}


def _listed(key: str) -> tuple[str, ...] | None:
    """Return the names that the list of a key may hold; None for other keys."""
    return {"measures": known_measures(), "on": FAILURES}.get(key)


def known_measures() -> tuple[str, ...]:
    """Return the measures that a study may record, custom ones of this process too."""
    custom = (each.name for each in known_tables().custom.values() if each.kind == "measure")
    return tuple(dict.fromkeys([*RECORDED, *custom]))


def note_on(name: str) -> tuple[str, str] | None:
    """Return heading and explanation of a name that is no key of a section, such as a list of tables."""
    if name in ("method", *METHODS):
        name = "samples"
    if name in LISTS:
        return f"[[{name}]]", LISTS[name]
    if name in ("parameters", "geomspace", "linspace", "range"):
        return "[parameters]", SWEPT
    if name in HELD_OUT_ARGUMENTS:
        argument, (use, key) = DATA_OPTIONS[name], HELD_OUT_ARGUMENTS[name]
        text = f"{name}: {argument.meaning}; {argument.allowed}"
        if argument.is_size:
            return f"[data.{use}]", f"{text}; set as {key} here, or by --set {name}=VALUE; cannot be swept"
        return "[parameters]", f"{text}; swept here, or fixed as {key} in [data.{use}]"
    if element_of(name):
        array, index = name.split("[")
        order = "input and unit" if "," in index else "unit"
        return (
            "[parameters]",
            f'"{name}": a single initial weight of array {array}, by {order} from 0; a finite number; swept here, or '
            "set in the table values of [initial_weights]; other weights do not change",
        )
    return None


# Tasks whose tables are shown, with arguments where there is no default or the default has too many patterns.
_SHOWN = {
    **{"xor": {}, "and": {}, "or": {}, "seed": {}, "negation": {}, "addition": {}},
    **{"boolean": {"bits": 2, "function": 8}, "parity": {"bits": 3}, "symmetry": {"bits": 4}, "encoder": {"n": 4}},
}


def note_on_task(name: str) -> list[str]:
    """Return lines that explain a task, with its inputs and targets where they fit on a screen."""
    lines = [f"task {name}: {str(TASKS[name].__doc__).removeprefix('Return ')}"]
    if name in _SHOWN:
        arguments = ", ".join(f"{key} {value}" for key, value in _SHOWN[name].items())
        lines.append(f"its patterns{f' with {arguments}' if arguments else ''}, inputs and targets:")
        for inputs, targets in zip(*make_patterns(name, _SHOWN[name]), strict=True):
            lines.append(f"    {' '.join(f'{x:2g}' for x in inputs)}  ->  {' '.join(f'{y:g}' for y in targets)}")
    return lines


class Entry(NamedTuple):
    """A key of a study."""

    section: str
    key: str
    meaning: str  # as documented in results
    allowed: str  # the values that it may have, with their unit
    default: str = ""  # its default, or that the key is required; empty where that depends on the task
    values: tuple[str, ...] = ()  # its values, if they are names
    users: tuple[str, ...] = ()  # names that it is used with
    used_with: str = ""  # the same as text
    is_swept: bool = True  # whether it can have several values in [parameters]
    value: str = ""  # an example, as in a study file

    @property
    def facts(self) -> str:
        """Allowed values with unit, default, and the names that it is used with."""
        used_with = f"used with {self.used_with}" if self.used_with else ""
        facts = (self.allowed, self.default, used_with, "" if self.is_swept else "cannot be swept")
        return "; ".join(filter(None, facts))

    @property
    def example(self) -> str:
        """A line of a study file, or of its table [parameters]."""
        return f"{self.key} = {self.value}"

    @property
    def change(self) -> str:
        """The key by which ``--set`` changes it: with its table where another table has a key of this name."""
        return self.key if SECTION_OF.get(self.key, self.section) == self.section else f"{self.section}.{self.key}"

    def lines(self, width: int) -> list[str]:
        """Return the entry as lines of at most ``width`` characters."""
        lines = textwrap.wrap(f"{self.key}: {self.meaning}", width, subsequent_indent="    ")
        return lines + textwrap.wrap(self.facts, width, initial_indent="    ", subsequent_indent="    ")


def models_of(tables: OptionTables) -> dict[str, type[Section]]:
    """Return the tables of a study file by name."""
    return {"data": Data, **tables.sections, "restarts": Restarts, "seeds": Seeds, "record": Record}


def entries() -> list[Entry]:
    """Return the entries of all keys, table by table, including settings of loaded custom components."""
    tables = known_tables()
    models = models_of(tables)
    patterns = [
        Entry(
            "data",
            "task",
            "built-in patterns to learn",
            ", ".join(TASKS),
            values=tuple(TASKS),
            is_swept=False,
            value='"parity"',
        ),
        *map(_argument_entry, ARGUMENTS),
        *(
            Entry(
                "data",
                key,
                *each[:3],
                users=(each.used_with,) * bool(each.used_with),
                used_with=each.used_with,
                is_swept=False,
                value=each.example,
            )
            for key, each in DATA_SOURCES.items()
        ),
        *map(_preparation_entry, PREPARATIONS),
    ]
    return patterns + [
        _entry(section, key, hint, model.model_fields[key], tables.options.get(key))
        for section, model in models.items()
        for key, hint in get_type_hints(model, include_extras=True).items()
        if key in model.model_fields
    ]


def _argument_entry(name: str) -> Entry:
    argument = ARGUMENTS[name]
    users = tuple(task for task in TASKS if name in arguments_of(task))
    defaults = {task: arguments_of(task)[name] for task in users}
    default = ", ".join(f"{value} ({task})" for task, value in defaults.items() if value is not Parameter.empty)
    if len(set(defaults.values())) == 1 and default:
        default = str(defaults[users[0]])
    elif argument.kind is str:  # many tasks share one default
        default = "; ".join(f"{value} ({', '.join(t for t in users if defaults[t] == value)})" for value in CODINGS)
    default = f"default {default}" if default else ""
    values = tuple(CODINGS) if argument.kind is str else ()
    allowed = argument.allowed
    if argument.also:
        allowed += f", or {argument.also}"
    used_with = f"task {', '.join(users)}"
    is_swept = not argument.is_size
    return Entry("data", name, argument.meaning, allowed, default, values, users, used_with, is_swept, argument.example)


def _preparation_entry(name: str) -> Entry:
    argument = PREPARATIONS[name]
    default = DEFAULTS[name]
    needed = NEEDED.get(name, ())
    default_text = "" if default is Parameter.empty else f"default {_text(default)}"
    used_with = " or ".join(needed)
    return Entry(
        "data",
        name,
        argument.meaning,
        argument.allowed,
        default_text,
        users=needed,
        used_with=used_with,
        is_swept=not argument.is_size,
        value=argument.example,
    )


def glossary(found: list[Entry], width: int = 80, indent: str = "") -> str:
    """Return entries as text, each table below its name, in indented lines of at most ``width`` characters."""
    lines: list[str] = []
    for entry in found:
        lines += [] if f"[{entry.section}]" in lines else [f"[{entry.section}]"]
        lines += entry.lines(width - len(indent))
    return "\n".join(f"{indent}{line}" for line in lines)


def _entry(section: str, key: str, hint: Any, field: FieldInfo, option: Option | None) -> Entry:
    listed = _listed(key)
    allowed = f"a list of {', '.join(listed)}" if listed else _allowed(hint)
    if option and option.unit and option.unit not in option.meaning:
        allowed += f"; unit: {option.unit}"
    if option is None or section == "data":
        default = "" if section == "data" else f"default {_text(field.default)}"
        example = field.examples[0] if field.examples else ""
        names = listed or names_of(hint)
        is_swept = option is not None
        return Entry(section, key, str(field.description), allowed, default, names, is_swept=is_swept, value=example)
    default = option.default_text or option.stands_for or _text(option.default)
    used_with = (
        other if values == [IS_SET] else f"{other} {', '.join(map(_text, values))}"
        for other, values in option.used_with.items()
    )
    return Entry(
        section,
        key,
        option.meaning,
        allowed,
        "required" if option.is_required else f"default {default}",
        names_of(hint),
        tuple(str(value) for values in option.used_with.values() for value in values if value != IS_SET),
        " or ".join(used_with),
        option.is_swept,
        option.example,
    )


def _text(value: Any) -> str:
    """Write a value as a study file does."""
    if isinstance(value, tuple) and value:
        return ", ".join(map(_text, value))
    return (
        "none"
        if value in (None, ())
        else str(value).lower().removesuffix(".0")
        if isinstance(value, bool | float)
        else str(value)
    )


def _allowed(hint: Any) -> str:
    """Return the allowed values of a type as text: its annotation, its names, or its limits."""
    if NoneType in get_args(hint):
        return _allowed(next(option for option in get_args(hint) if option is not NoneType))
    kind, *notes = get_args(hint) if get_origin(hint) is Annotated else [hint]
    text = next((note for note in notes if isinstance(note, str)), None)
    options = [option for option in get_args(kind) if option is not NoneType]
    if text or names_of(hint):
        return text or ", ".join(names_of(hint))
    if NoneType in get_args(kind):
        return _allowed(options[0])
    what = {bool: "true, false", int: "an integer", float: "a number"}.get(kind, "a list")
    limits = [limit for note in notes for limit in getattr(note, "metadata", ())]
    if any(getattr(limit, "multiple_of", None) == 1 for limit in limits):
        return " ".join(["an integer", *_limits(limits, {"ge": ("from", 0), "gt": ("from", 1), "lt": ("to", -1)})])
    texts = {"ge": ("from", 0), "gt": ("above", 0), "le": ("to", 0), "lt": ("and below", 0)}
    text = " ".join([what, *_limits(limits, texts)])
    return text.replace(" and below ", " to below ") if " from " in text else text


def _limits(limits: list[Any], texts: dict[str, tuple[str, int]]) -> Iterator[str]:
    """Yield the limits in order, each as its text and its number plus the one beside the text."""
    for limit in limits:
        for name, (text, more) in texts.items():
            if hasattr(limit, name):
                yield f"{text} {getattr(limit, name) + more:,}"
