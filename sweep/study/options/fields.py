"""Declaration of an option of a study: as a field of its table, with default, limits, role, meaning and unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, cast, get_type_hints

from pydantic import Field, create_model

from kernels import vocabulary
from kernels.components.declarations import Setting
from kernels.custom.registry import Declaration, record_of
from sweep.study.reading.section import Section

S = TypeVar("S", bound=Section)
Role = Literal["kernel", "setting", "limit", "start", "data"]

# In ``used_with``, in place of the values of another option: any value but None.
IS_SET = "set"


class Option(NamedTuple):
    """An option of a study: a property of each cell. Type and default belong to its field."""

    section: str  # its table in the study file
    # As in the documentation of results
    meaning: str
    unit: str
    # ``"kernel"``: it decides which kernel trains, so runs of one shape share it; ``"setting"``: a number of each
    # cell, a field of :data:`kernels.recipe.SETTINGS`; ``"limit"``: it limits the steps of each cell; ``"start"``: it
    # decides the initial weights of a seed; ``"data"``: it decides the patterns
    role: Role
    # Values of other options, or IS_SET for any that is not None. Without any of them this option has no effect.
    used_with: dict[str, list[Any]]
    is_swept: bool  # whether it can be swept


def option(
    default: Any,
    role: Role,
    meaning: str,
    unit: str = "",
    used_with: dict[str, list[Any]] | None = None,
    is_swept: bool = True,
) -> Any:
    """Return a pydantic field that declares an option; see :class:`Option`."""
    notes: dict[str, Any] = {"unit": unit, "role": role, "used_with": used_with or {}, "is_swept": is_swept}
    return Field(default, description=meaning, json_schema_extra=notes)


def choice(names: Iterable[str], default: str, meaning: str, role: Role = "kernel") -> Any:
    """Return type and field of an option whose values are names of components."""
    return Literal[tuple(names)], option(default, role, meaning)


# Components with settings, built in or custom, by the option whose values they are.
Users = Mapping[str, Mapping[str, Any]]


def users_with(custom: Iterable[Declaration]) -> Users:
    """Return the components with settings: built-in ones, and these custom ones."""
    users: dict[str, dict[str, Any]] = {
        "activation": {**vocabulary.ACTIVATIONS},
        "output": {**vocabulary.OUTPUTS},
        "loss": {**vocabulary.LOSSES},
        "optimizer": {**vocabulary.OPTIMIZERS},
        "schedule": {**vocabulary.SCHEDULES},
        "stopping_rule": {**vocabulary.STOPPING_RULES},
    }
    for each in custom:
        for key in ("activation", "output") if each.kind == "activation" else (each.kind,):
            users[key][each.name] = record_of(each)
    return users


def setting(declared: Setting | str, users: Users, used_with: dict[str, list[Any]] | None = None) -> Any:
    """Return type and field of a setting, declared here or in the vocabulary; an infinite default becomes None."""
    declared = vocabulary.SETTINGS[declared] if isinstance(declared, str) else declared
    limits = {"ge": declared.at_least, "gt": declared.above, "lt": declared.below}
    limits["multiple_of"] = declared.multiple_of
    limits = {key: limit for key, limit in limits.items() if limit is not None}
    number = Annotated[float, Field(allow_inf_nan=False, **limits)]
    has_default = isfinite(declared.default)
    default = declared.default if has_default else None
    notes = option(default, "setting", declared.meaning, declared.unit, used_with or _used_with(declared, users))
    return number if has_default else number | None, notes


def _used_with(setting: Setting, users: Users) -> dict[str, list[Any]]:
    """Return the components that use a setting, by the option whose values they are; none if all cells use it."""
    found = {of: [name for name, each in options.items() if setting in each.settings] for of, options in users.items()}
    return {of: names for of, names in found.items() if names}


def settings_of(kind: str, users: Users) -> dict[str, Any]:
    """Declare the settings of the components of a kind, by name, without names that no table can have."""
    settings = {each.name: each for user in users[kind].values() for each in user.settings}
    return {name: setting(each, users) for name, each in settings.items() if not hasattr(Section, name)}


def table(declared: type[S], behind: Mapping[str, dict[str, Any]]) -> type[S]:
    """Return a table with options inserted after the fields that are keys of ``behind``; ``""`` is the start."""
    hints = get_type_hints(declared, include_extras=True)
    fields = dict(behind.get("", {}))
    for name, field in declared.model_fields.items():
        fields[name] = hints[name], field
        fields |= behind.get(name, {})
    made = create_model(declared.__name__, __base__=Section, __doc__=declared.__doc__, **fields)
    return cast("type[S]", made)
