"""Declaration of a word of a study: as a field of its table, with default, limits, role, meaning and unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, cast, get_type_hints

from pydantic import Field, create_model

from kernels import vocabulary
from kernels.words.records import Setting
from sweep.study.sections import Section

S = TypeVar("S", bound=Section)
Role = Literal["kernel", "setting", "limit", "start", "data"]


class Word(NamedTuple):
    """A word of a study: a property of each cell. Type and default belong to its field.

    Attributes
    ----------
    section
        Its table in the study file.
    meaning, unit
        As documented in results.
    role
        ``"kernel"``: it decides which kernel trains, so runs of one shape share it; ``"setting"``: a number of each
        cell, a field of :data:`kernels.recipe.SETTINGS`; ``"limit"``: it limits the steps of each cell; ``"start"``: it
        decides the initial weights of a seed; ``"data"``: it decides the patterns.
    used_with
        Values of other words. In a study without any of them this word has no effect.
    is_swept
        Whether it can be swept.
    """

    section: str
    meaning: str
    unit: str
    role: Role
    used_with: dict[str, list[Any]]
    is_swept: bool


def word(
    default: Any,
    role: Role,
    meaning: str,
    unit: str = "",
    used_with: dict[str, list[Any]] | None = None,
    is_swept: bool = True,
) -> Any:
    """Declare a word as a field.

    Parameters
    ----------
    default
    role, meaning, unit, used_with, is_swept
        As in :class:`Word`.

    Returns
    -------
    FieldInfo
        The pydantic field.
    """
    notes: dict[str, Any] = {"unit": unit, "role": role, "used_with": used_with or {}, "is_swept": is_swept}
    return Field(default, description=meaning, json_schema_extra=notes)


def choice(names: Iterable[str], default: str, meaning: str, role: Role = "kernel") -> Any:
    """Declare a word whose values are names of the vocabulary.

    Parameters
    ----------
    names
        Its values.
    default
        One of them.
    meaning, role
        As in :class:`Word`.

    Returns
    -------
    tuple
        The type and the pydantic field.
    """
    return Literal[tuple(names)], word(default, role, meaning)


def setting(name: str) -> Any:
    """Declare a setting as the vocabulary does: return its type and field. An infinite default becomes None."""
    declared = vocabulary.SETTINGS[name]
    limits = {"ge": declared.at_least, "gt": declared.above, "lt": declared.below}
    given = {key: limit for key, limit in limits.items() if limit is not None}
    number = Annotated[float, Field(allow_inf_nan=False, **given)]
    is_given = isfinite(declared.default)
    default = declared.default if is_given else None
    notes = word(default, "setting", declared.meaning, declared.unit, _users(declared))
    return number if is_given else number | None, notes


def _users(setting: Setting) -> dict[str, list[Any]]:
    """Return the names that use a setting, by the word whose values they are; none for a setting of all cells."""
    kinds: dict[str, Mapping[str, Any]] = {
        "activation": vocabulary.ACTIVATIONS,
        "output": vocabulary.OUTPUTS,
        "loss": vocabulary.LOSSES,
        "optimizer": vocabulary.OPTIMIZERS,
        "schedule": vocabulary.SCHEDULES,
    }
    users = {of: [name for name, each in words.items() if setting in each.settings] for of, words in kinds.items()}
    return {of: names for of, names in users.items() if names}


def settings_of(*kinds: Mapping[str, Any]) -> dict[str, Any]:
    """Declare the settings of these tables of the vocabulary, by name."""
    names = dict.fromkeys(each.name for words in kinds for user in words.values() for each in user.settings)
    return {name: setting(name) for name in names}


def table(declared: type[S], behind: Mapping[str, dict[str, Any]]) -> type[S]:
    """Return a table with words of the vocabulary inserted after the words that key ``behind``; ``""`` is the start."""
    hints = get_type_hints(declared, include_extras=True)
    fields = dict(behind.get("", {}))
    for name, field in declared.model_fields.items():
        fields[name] = hints[name], field
        fields |= behind.get(name, {})
    made = create_model(declared.__name__, __base__=Section, __doc__=declared.__doc__, **fields)
    return cast("type[S]", made)
