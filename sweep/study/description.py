"""The description of a study as text, for reports and notebooks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any, NamedTuple

from sweep.study.content import StudyContent
from sweep.study.options.other_sections import Record, Restarts, Until
from sweep.system.formatting import count_text, exact, list_text, short

# Most values that are listed; of more values, their number, their range and the first ones are shown.
_MOST_VALUES = 16


class Description(NamedTuple):
    """A study as text."""

    sentence: str
    # Name, value or values, and meaning of each option
    swept: list[tuple[str, str, str]]
    fixed: list[tuple[str, str, str]]
    patterns: list[tuple[str, str]]  # inputs and targets of each pattern, if there are few


def describe(study: StudyContent) -> Description:
    """Return the description of a study."""
    data = study.data
    patterns = patterns_text(study)
    seeds = count_text(study.seeds.count, "seed")
    if study.seeds.until:
        seeds = f"{study.seeds.until.first:,} to {seeds}, {until_text(study.seeds.until)},"
    layers = sorted({len(sizes) * (sizes != (0,)) for sizes in study.hidden_layers})
    named: dict[tuple[int, ...], str] = {(0,): "no hidden layer", (1,): "one hidden layer"}
    depth = named.get(tuple(layers)) or f"{list_text(list(map(str, layers)))} hidden layers"
    networks = ("at most " if study.seeds.until else "") + count_text(study.n_runs, "network")
    sentence = f"{networks} of {depth} to learn {patterns}: {seeds}"
    if study.n_cells > 1:
        which = "value" if len(study.parameters) == 1 else "point" if len(study.axes) == 1 else "combination"
        names = list_text([name.replace("_", " ") for name in study.parameters])
        sentence += f" in each of {study.n_cells:,} cells, one for each {which} of {names}"
        together = [axis for axis in study.axes if len(axis) > 1] if len(study.axes) > 1 else []
        for axis in together:
            options = list_text([name.replace("_", " ") for name in axis])
            sentence += f"; {options} vary together, in {count_text(len(next(iter(axis.values()))), 'point')}"
    fixed = study.fixed()
    swept = [(name, values_text(study.parameters[name])) for name in study.parameters]
    others = [(name, exact(fixed[name])) for name in fixed if fixed[name] is not None and study.uses(name)]
    fixed_options = [(name.replace("_", " "), value, study.tables.options[name].meaning) for name, value in others]
    if study.record.loss_thresholds:
        meaning = str(Record.model_fields["loss_thresholds"].description)
        fixed_options.append(("loss_thresholds", ", ".join(map(short, study.record.loss_thresholds)), meaning))
    for key, value in study.restarts if study.restarts.max_restarts else ():
        if value is not None:
            text = ", ".join(value) if isinstance(value, tuple) else str(value)
            fixed_options.append((f"restarts: {key}", text, str(Restarts.model_fields[key].description)))
    rows = (
        zip(data.inputs, data.targets, strict=True) if len(data.sets) == 1 and data.n_patterns <= _MOST_VALUES else ()
    )
    return Description(
        sentence=f"{sentence}.",
        swept=[(name.replace("_", " "), values, study.tables.options[name].meaning) for name, values in swept],
        fixed=fixed_options,
        patterns=[(", ".join(map(short, x)), ", ".join(map(short, y))) for x, y in rows],
    )


def patterns_text(study: StudyContent) -> str:
    """Return the numbers of patterns, inputs and targets as text."""
    n_patterns, n_inputs, n_targets = study.data.sets[0].shape
    inputs = count_text(n_inputs, "standardized input" if study.data.table.get("standardize") else "input")
    text = f"{count_text(n_patterns, 'pattern')} of {inputs} and "
    text += count_text(n_targets, "target")
    n_sets = len(study.data.sets)
    if study.data.drawn:
        text += ", drawn for each run"
    elif n_sets > 1:
        text += f", in {n_sets:,} sets (each cell has one)"
    for use, n_others in (("validated", study.data.n_validations), ("tested", study.data.n_tests)):
        text += f", {use} with {count_text(n_others, 'other')}" if n_others else ""
    return text


def study_html(study: StudyContent) -> str:
    """Return the description of a study as HTML, with the values of the swept parameters."""
    found = describe(study)
    table = html_table(["swept", "values", "meaning"], found.swept) if found.swept else ""
    fixed = "; ".join(f"{name} {value}" for name, value, _ in found.fixed)
    return f"<div><b>{escape(study.name)}</b>: {escape(found.sentence)}{table}<small>{escape(fixed)}</small></div>"


def html_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return an HTML table of a header and rows; texts are escaped."""
    lines = ["<tr>" + "".join(f"<th>{escape(text)}</th>" for text in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows]
    return f"<table>{''.join(lines)}</table>"


def values_text(values: Sequence[Any], write: Callable[[Any], str] = short) -> str:
    """Return the values of an option as text; of many values their number, their range and the first ones."""
    distinct = list(dict.fromkeys(values))
    if len(distinct) <= _MOST_VALUES:
        text = ", ".join(map(write, distinct))
        return f"{text}, in {len(values):,} points" if len(values) > len(distinct) else text
    span = "" if isinstance(distinct[0], str) else f" from {write(min(distinct))} to {write(max(distinct))}"
    return f"{len(values):,} values{span}: {', '.join(map(write, values[:3]))}, .."


def until_text(until: Until) -> str:
    """Return the clause on when a cell has enough seeds."""
    if until.best is None:
        return f"until the interval is narrower than {until.width}"
    assert until.confidence is not None
    margin = "" if until.margin is None else f" by more than {until.margin}"
    return f"while a cell may be the best by {until.best}{margin} ({100 * until.confidence:g} % confidence)"
