"""The text of ``sweep explain NAME``: an option, a section, a component, a task, a measure, a statistic or a term."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from sweep.errors import StudyError
from sweep.measures import MEASURES
from sweep.measures.custom import CUSTOM_PLACE, custom_measure
from sweep.measures.measure import Measure
from sweep.statistics.definitions import definition_of, explain_statistic, symbols_in
from sweep.study.data.tasks import TASKS
from sweep.study.explanations.component_texts import components_named
from sweep.study.explanations.glossary import Entry, entries, glossary, note_on, note_on_task
from sweep.study.explanations.terms import TERMS, term_of
from sweep.study.options.key_hints import meant_key, unknown_key
from sweep.study.options.option_tables import known_tables
from sweep.study.reading.hints import meant_value

_OTHER_NAMES = (
    "sweep explain NAME also explains components, tasks, measures, statistics and terms: adam, parity, margin,\n"
    "expected_steps, stalled"
)


def explanation(name: str | None, width: int) -> str:
    """Return the explanation of a name, in lines without a final line feed; None is about all options."""
    everything = entries()
    if name is None:
        return f"{glossary(everything, width)}\n\n{_OTHER_NAMES}"
    return "\n".join(_lines(name, everything, width))


def _lines(name: str, everything: list[Entry], width: int) -> Iterator[str]:
    name = term_of(name)
    note, statistic = note_on(name), definition_of(name)
    value = meant_value(name, {value for entry in everything for value in entry.values})
    found = [] if note else _options_named(name, value, everything)
    components = components_named(value or name)
    if not (note or found or components or statistic or name in TERMS):
        sections = known_tables().section_of
        others = (value for entry in everything for value in entry.values)
        known = dict.fromkeys([*sections, *sections.values(), *TERMS, *TASKS, *MEASURES, *others])
        raise StudyError(unknown_key("name", name, known, {}))
    if name in TERMS:
        yield from textwrap.wrap(f"{name}: {TERMS[name]}", width)
    measures = _measures_named(name)
    for measure in measures:
        yield from textwrap.wrap(f"{measure.name}: {_meaning(measure)}", width)
    if note:
        yield from (note[0], *textwrap.wrap(note[1], width))
    for component in components:
        yield from component.lines(width)
    is_key = any(entry.key == name for entry in found)
    if found and (name in TERMS or (measures and not is_key)) and not components:
        yield from _fact("see also", ", ".join(f"option {entry.section}.{entry.key}" for entry in found), width)
    elif found:
        yield glossary(found, width)
        yield from [f"    example: {found[0].example}"] * (len(found) == 1)
    if name in TASKS:
        yield from (part for line in note_on_task(name) for part in textwrap.wrap(line, width))
    elif statistic and not found:
        first, *facts = explain_statistic(statistic)
        yield from textwrap.wrap(f"{statistic.name}: {first[1]}", width)
        for kind, text in facts:
            symbols = symbols_in(text) if kind == "formula" else ""
            yield from _fact(kind, f"{text} ({symbols})" if symbols else text, width)


def _measures_named(name: str) -> list[Measure]:
    """Return the measure of a name, or all custom ones for the option that lists measures."""
    declared = known_tables().custom.values()
    custom = {each.name: custom_measure(each) for each in declared if each.kind == "measure"}
    if name == "measures":
        return list(custom.values())
    known = MEASURES | custom
    return [known[name]] if name in known else []


def _meaning(measure: Measure) -> str:
    """Return what a measure is; of a custom one also its label and its unit."""
    if measure.place != CUSTOM_PLACE:
        return measure.meaning
    unit = f", in {measure.unit}" if measure.unit else ""
    return f"{measure.label}{unit}; {measure.meaning}"


def _options_named(name: str, value: str | None, everything: list[Entry]) -> list[Entry]:
    """Return the entries of a section, of an option by any of its names, or of options that have or need a value."""
    of_section = [entry for entry in everything if entry.section == name]
    if of_section:
        return of_section
    key = meant_key(name.rpartition(".")[2], known_tables().section_of)
    return [entry for entry in everything if entry.key == key or value in (*entry.values, *entry.users)]


def _fact(name: str, text: str, width: int) -> list[str]:
    return textwrap.wrap(f"{name}: {text}", width, initial_indent="    ", subsequent_indent="        ")
