"""Random axes of a study: grids with every form of values, zipped lists, samples and exclusions."""

from __future__ import annotations

from math import prod
from typing import Any

from hypothesis import strategies as st

from kernels import vocabulary
from sweep.study.axes.samples import METHODS
from sweep.study.options.option_tables import OPTIONS, SWEEPABLE, takes_integers

# The most cells of a study, and the most points of an axis of several options.
_MOST_CELLS, _MOST_POINTS = 8, 3

Lists = dict[str, list[Any]]


@st.composite
def axes(draw: st.DrawFn, swept: Lists, together: list[list[str]]) -> dict[str, Any]:
    """Draw the tables of axes of swept options that are not empty; zipped options have equally many values."""
    zipped = [{name: swept[name] for name in names} for names in together]
    alone = [name for name in swept if not any(name in each for each in zipped)]
    places = {name: draw(st.sampled_from(["parameters", "parameters", "zip", "samples"])) for name in alone}
    grid, free, sampled = ([n for n in alone if places[n] == place] for place in ("parameters", "zip", "samples"))
    if free:
        length = min(max(len(swept[name]) for name in free), _MOST_POINTS)
        zipped.append({name: [swept[name][k % len(swept[name])] for k in range(length)] for name in free})
    samples = [draw(_sample({name: swept[name] for name in sampled}))] if sampled else []
    fixed = prod(len(next(iter(table.values()))) for table in zipped) * prod(table["count"] for table in samples)
    values = {name: swept[name] for name in draw(st.permutations(grid))}
    while fixed * prod(map(len, values.values())) > _MOST_CELLS and any(len(each) > 1 for each in values.values()):
        longest = max(values, key=lambda name: len(values[name]))
        values[longest] = values[longest][:-1]
    tables: dict[str, Any] = {"parameters": {_key(draw, name): draw(_form(name, values[name])) for name in values}}
    tables |= {"zip": [{_key(draw, name): each[name] for name in each} for each in zipped]} if zipped else {}
    tables |= {"samples": samples} if samples else {}
    lists = {name: each for name, each in values.items() if len(each) > 1 and tables["parameters"].get(name) == each}
    if lists and draw(st.booleans()):
        tables["exclude"] = [draw(_exclusion(lists))]
    return tables


def _key(draw: st.DrawFn, name: str) -> str:
    """Return the key of an option, sometimes with its table."""
    return f"{SWEEPABLE[name]}.{name}" if draw(st.integers(0, 5)) == 0 else name


def _is_number(name: str, values: list[Any]) -> bool:
    """Return whether the values are numbers with other numbers between them."""
    setting = vocabulary.SETTINGS.get(name)
    return all(type(value) in (int, float) for value in values) and not (setting and setting.multiple_of)


@st.composite
def _form(draw: st.DrawFn, name: str, values: list[Any]) -> Any:
    """Draw a form of these values, or of others between the same ends."""
    if len(values) == 1:
        return draw(st.sampled_from([values, {"values": values}, {"value": values[0]}]))
    forms: list[Any] = [values, values, {"values": values}]
    if _is_number(name, values):
        low, high, n = min(values), max(values), len(values)
        if takes_integers(OPTIONS[name].type):
            forms += [{"range": [low, high, high - low]}, {"min": low, "max": high, "num": 2}]
        else:
            forms += [{"linspace": [low, high, n]}, {"min": low, "max": high, "num": n}]
            forms += [{"geomspace": [low, high, n]}, {"geomspace": [high, low, n]}] if low > 0 else []
    return draw(st.sampled_from(forms))


@st.composite
def _sample(draw: st.DrawFn, options: Lists) -> dict[str, Any]:
    """Draw a table of samples from the values of options, or from all numbers between their ends."""
    table: dict[str, Any] = {}
    for name, values in options.items():
        low, high = (min(values), max(values)) if _is_number(name, values) else (0, 0)
        forms: list[Any] = [values]
        if low < high:
            kind = "linear" if takes_integers(OPTIONS[name].type) or low <= 0 else "log"
            forms += [{"min": low, "max": high}, {"geomspace" if kind == "log" else "linspace": [low, high]}]
        table[_key(draw, name)] = draw(st.sampled_from(forms))
    most = prod(len(set(values)) for values in options.values())
    table["count"] = draw(st.integers(1, min(most, _MOST_POINTS)))
    options = {"method": st.sampled_from(METHODS), "seed": st.integers(0, 2)}
    return table | draw(st.fixed_dictionaries({}, optional=options))


@st.composite
def _exclusion(draw: st.DrawFn, lists: Lists) -> dict[str, Any]:
    """Draw a table of values of one or two options that only some cells have."""
    names = draw(st.lists(st.sampled_from(sorted(lists)), unique=True, min_size=1, max_size=2))
    table: dict[str, Any] = {}
    for name in names:
        value = draw(st.sampled_from(lists[name]))
        ends = [{"min": max(lists[name])}, {"max": min(lists[name])}] if _is_number(name, lists[name]) else []
        table[name] = draw(st.sampled_from([value, [value], *ends]))
    return table
