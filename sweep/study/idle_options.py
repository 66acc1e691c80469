"""Options of a study that no cell uses: refused, unless a change of another option made them so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sweep.errors import shown
from sweep.study.fields import IS_GIVEN
from sweep.study.options import known_tables

if TYPE_CHECKING:
    from sweep.study.content import StudyContent


class IdleOption(str):
    """A sentence on an option that no cell uses, whose name is ``option``."""

    option: str


def leave_out(raw: dict[str, Any], faults: Sequence[str], changes: Mapping[str, Any]) -> list[str]:
    """Take options without effect out of the tables of a study, where changes of other options made them so.

    Parameters
    ----------
    raw
        The tables of the study, changed.
    faults
        What is wrong with it.
    changes
        By key, dotted or not.

    Returns
    -------
    list of str
        The dotted keys that were taken out; none if there are other faults, if one of the options was changed itself,
        or varies together with others.
    """
    idle = [fault.option for fault in faults if isinstance(fault, IdleOption)]
    changed = {key.rpartition(".")[2] for key in changes}
    if not changes or len(idle) < len(faults) or changed & set(idle):
        return []
    homes, found = known_tables().homes, dict[str, tuple[str, str]]()
    for section in (*dict.fromkeys(map(homes.__getitem__, idle)), "parameters"):
        named = ((key, key.rpartition(".")[2]) for key in raw.get(section) or ())
        found |= {name: (section, key) for key, name in named if name in idle}
    if len(found) < len(idle):
        return []
    for section, key in found.values():
        del raw[section][key]
    return [f"{section}.{name}" for name, (section, _) in found.items()]


def idle_options(study: StudyContent, given: set[str]) -> Iterator[IdleOption]:
    """Yield a sentence for each option that was given, or swept, and that no cell uses; not for one at its default."""
    for name in study.tables.options:
        if name in given and not study.uses(name) and not _has_default(study, name):
            fault = IdleOption(_unused(study, name))
            fault.option = name
            yield fault


def _has_default(study: StudyContent, name: str) -> bool:
    """Return whether an option has the value in all cells that it has if it is not given."""
    fields = study.tables.sections[study.tables.options[name].section].model_fields
    return name not in study.parameters and study.values_of(name) == (fields[name].default,)


def _unused(study: StudyContent, name: str) -> str:
    """Return a sentence on an option that no cell uses."""
    values = study.values_of(name)
    given = f"{study.key_of(name)}: {shown(list(values) if name in study.parameters else values[0])} given"
    if name == "layers":
        told = next(text for text in study.values_of("hidden") if "-" in str(text))
        return f"{given} beside {study.key_of('hidden')} {told!r}, which tells its own layers; leave one out"
    users = " or ".join(
        f"{other} {'true' if value is True else repr(value)}" if value != IS_GIVEN else other
        for other, allowed in study.tables.options[name].used_with.items()
        for value in allowed
    )
    return f"{given}, which no cell uses; it is used with {users}"
