"""Options of a study that no cell uses: refused, or left out where ``--set`` of another option made them so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kernels.components.declarations import IS_SET
from sweep.errors import shown
from sweep.study.options.option_tables import known_tables
from sweep.system.formatting import list_text
from sweep.system.plain_values import as_written

if TYPE_CHECKING:
    from sweep.study.content import StudyContent


# What options need that have no effect by themselves, and whatever the values of other options.
_NEEDS = {
    "validate_every": "validation patterns, or test patterns that convergence.monitor or criterion_on names",
    "thresholds_on": "record.loss_thresholds",
}


class IdleOption(str):
    """A sentence on an option that no cell uses; ``option`` is the name of that option."""

    option: str


def leave_out(raw: dict[str, Any], faults: Sequence[str], changes: Mapping[str, Any]) -> list[str]:
    """Remove options without effect from the tables of a study, where changes of other options made them so.

    Return the dotted keys of the removed options. Nothing is removed if ``raw``, the study after the changes, has other
    faults, or if one of the options was itself changed or varies together with others.
    """
    idle = [fault.option for fault in faults if isinstance(fault, IdleOption)]
    changed = {key.rpartition(".")[2] for key in changes}
    if not changes or len(idle) < len(faults) or changed & set(idle):
        return []
    section_of = known_tables().section_of
    found = dict[str, tuple[str, str]]()
    for section in (*dict.fromkeys(map(section_of.__getitem__, idle)), "parameters"):
        named = ((key, key.rpartition(".")[2]) for key in raw.get(section) or ())
        found |= {name: (section, key) for key, name in named if name in idle}
    if len(found) < len(idle):
        return []
    for section, key in found.values():
        del raw[section][key]
    return [f"{section}.{name}" for name, (section, _) in found.items()]


def idle_options(study: StudyContent, named: set[str]) -> Iterator[IdleOption]:
    """Yield a sentence for each named option that no cell uses, unless it has its default."""
    for name in study.tables.options:
        if name in named and not study.uses(name) and not _has_default(study, name):
            fault = IdleOption(_unused(study, name))
            fault.option = name
            yield fault


def _has_default(study: StudyContent, name: str) -> bool:
    default = study.default_monitor if name == "monitor" else study.tables.options[name].default
    return name not in study.parameters and study.values_of(name) == (default,)


def _unused(study: StudyContent, name: str) -> str:
    values = study.values_of(name)
    value = shown([as_written(each) for each in values] if name in study.parameters else as_written(values[0]))
    value = value.lower() if isinstance(values[0], bool) else value  # as in study files
    if study.hidden_layers == [(0,)] and not study.tables.options[name].used_with:
        return f"{study.key_of(name)}: {value} has no effect without hidden units; set hidden above 0, or remove it"
    if name == "layers":
        text = next(text for text in study.values_of("hidden") if "-" in str(text))
        return (
            f"{study.key_of(name)}: {value} has no effect, since {study.key_of('hidden')} {text!r} sets the layers; "
            "remove one"
        )
    if name in _NEEDS:
        return f"{study.key_of(name)}: {value} has no effect without {_NEEDS[name]}; set them, or remove it"
    named = {
        other: ["true" if each is True else repr(each) for each in allowed if each != IS_SET]
        for other, allowed in study.tables.options[name].used_with.items()
    }
    users = " or ".join(f"{other} {list_text(values, 'or')}".strip() for other, values in named.items())
    return f"{study.key_of(name)}: {value} has no effect in any cell; use it with {users}, or remove it"
