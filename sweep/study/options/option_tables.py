"""The options of a study by name, and the tables of a study file that hold them, made from their records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import isfinite, isnan
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import Field, create_model

from kernels import vocabulary
from kernels.components.declarations import IS_SET, Setting
from kernels.custom.registry import Declaration, declared_components, record_of
from sweep.study.data.data_table import DATA_KEYS, DATA_OPTIONS
from sweep.study.options.declared import DECLARED, MEANINGS
from sweep.study.options.explicit_weights import WithWeights
from sweep.study.options.option import Option
from sweep.study.options.other_sections import Record, Restarts, Seeds
from sweep.study.reading.section import Section

# Names that stand for a loss and its reduction, such as mse.
LOSS_ALIASES = {
    alias: (name, reduction) for name, loss in vocabulary.LOSSES.items() for alias, reduction in loss.names.items()
}

# Components by the option whose values they are.
Users = Mapping[str, Mapping[str, Any]]

_WEIGHT = Annotated[float, Field(allow_inf_nan=False)]


def _users_with(custom: Iterable[Declaration]) -> Users:
    """Return all components: built-in ones, and these custom ones."""
    users: dict[str, dict[str, Any]] = {
        "activation": {**vocabulary.ACTIVATIONS},
        "output": {**vocabulary.OUTPUTS},
        "loss": {**vocabulary.LOSSES},
        "optimizer": {**vocabulary.OPTIMIZERS},
        "schedule": {**vocabulary.SCHEDULES},
        "criterion": {**vocabulary.CRITERIA},
        "stopping_rule": {**vocabulary.STOPPING_RULES},
    }
    for each in custom:
        for key in ("activation", "output") if each.kind == "activation" else (each.kind,):
            users[key][each.name] = record_of(each)
    return users


# Settings of all cells come right after the options of these names.
_BEFORE_GENERAL = ("output", "optimizer", "criterion")


def _options_of(section: str, users: Users) -> dict[str, Option]:
    """Return the options of a table by name, each followed by the settings of the components that it names."""
    found: dict[str, Option] = {}
    for option in DECLARED[section]:
        if option.components:
            aliases = LOSS_ALIASES if option.components == "loss" else ()
            option = option._replace(type=Literal[(*aliases, *users[option.components])])
        used_with = _resolved(option.used_with.items(), users)
        found[option.name] = option._replace(section=section, used_with=used_with)
        if option.name in _BEFORE_GENERAL:
            general = (each for each in vocabulary.GENERAL if each.section == section)
            found |= {each.name: _of_setting(each, section, users) for each in general}
        if option.components and option.name != "activation":  # those of activations follow the outputs
            settings = (setting for each in users[option.name].values() for setting in each.settings)
            for each in settings:
                if not hasattr(Section, each.name):  # no table can have such a name
                    found.setdefault(each.name, _of_setting(each, section, users))
    return found


def _of_setting(setting: Setting, section: str, users: Users) -> Option:
    """Return the option of a setting, whose default None stands for an infinite number or for that of another."""
    limits: dict[str, Any] = {"ge": setting.at_least, "gt": setting.above, "lt": setting.below}
    limits |= {"multiple_of": setting.multiple_of, "allow_inf_nan": False}
    number: Any = Annotated[float, Field(**{key: limit for key, limit in limits.items() if limit is not None})]
    has_default = isfinite(setting.default)
    used_with = dict(setting.used_with) or {
        of: lambda component: setting in component.settings
        for of, components in users.items()
        if any(setting in getattr(each, "settings", ()) for each in components.values())
    }
    return Option(
        setting.name,
        number if has_default else number | None,
        setting.default if has_default else None,
        "setting",
        setting.meaning,
        setting.unit,
        section,
        used_with=_resolved(used_with.items(), users),
        also=setting.also,
        case=setting.case,
        stands_for=setting.stands_for,
        is_required=isnan(setting.default) and not setting.stands_for,
        is_always_written=setting.is_always_written or setting.name not in vocabulary.SETTINGS,
    )


def _resolved(used_with: Iterable[tuple[str, Any]], users: Users) -> dict[str, list[Any]]:
    """Return values of other options, those of the components that pass a test where there is one."""
    return {
        other: [name for name, each in users[other].items() if needed(each)]
        if callable(needed)
        else [needed]
        if needed == IS_SET
        else list(needed)
        for other, needed in used_with
    }


class OptionTables:
    """The options that a study may use: built-in ones, and those of custom components, from their declarations."""

    def __init__(self, custom: tuple[Declaration, ...] = ()) -> None:
        self.custom = {each.name: each for each in custom}
        # Components by the option whose values they are
        self.users = _users_with(each for each in custom if each.kind != "measure")
        # All options by name. Those of [data] are options of cells only where swept.
        weight = Option("", _WEIGHT, None, "start", "initial value of this weight", "weight", "initial_weights")
        self.options: dict[str, Option] = WithWeights({}, weight)
        of_custom = {each.name: each for component in custom for each in component.settings}
        self.settings = of_custom | vocabulary.SETTINGS
        self.sections: dict[str, type[Section]] = {}
        for section in DECLARED:
            options = _options_of(section, self.users)
            self.sections[section] = _table(section, options)
            self.options.update(options)
        for name, argument in DATA_OPTIONS.items():
            self.options[name] = Option(name, argument.type, None, "data", argument.meaning, section="data")
        swept = {name: option.section for name, option in self.options.items() if option.is_swept}
        self.sweepable: dict[str, str] = WithWeights(swept, weight.section)
        self.section_of = {  # the table of every key that can be changed
            **dict.fromkeys(Record.model_fields, "record"),
            **dict.fromkeys(Restarts.model_fields, "restarts"),
            **{name: option.section for name, option in self.options.items()},
            **dict.fromkeys(Seeds.model_fields, "seeds"),
            **dict.fromkeys(DATA_KEYS, "data"),
        }

    def with_role(self, role: str) -> tuple[str, ...]:
        """Return the options with a role; see :class:`~sweep.study.options.option.Option`."""
        return tuple(name for name, option in self.options.items() if option.role == role)


def _table(section: str, options: Mapping[str, Option]) -> type[Section]:
    fields: Any = {name: (each.type, Field(each.default, description=each.meaning)) for name, each in options.items()}
    return create_model(section, __base__=Section, __doc__=MEANINGS[section], **fields)


@lru_cache(16)
def option_tables(custom: tuple[Declaration, ...]) -> OptionTables:
    """Return the options of studies that may use these custom components."""
    return OptionTables(custom)


def known_tables() -> OptionTables:
    """Return the options of studies that may use all custom components of this process."""
    return option_tables(tuple(component.declaration for component in declared_components().values()))


BUILT_IN = option_tables(())
SECTIONS = BUILT_IN.sections
OPTIONS = BUILT_IN.options
with_role = BUILT_IN.with_role
SWEEPABLE = BUILT_IN.sweepable
SECTION_OF = BUILT_IN.section_of


def loss_and_reduction(loss: str, reduction: str | None = None) -> tuple[str, str]:
    """Return the loss and the reduction that kernels use; the default reduction is the sum.

    A loss over classes has one term per pattern, so its mean is that over patterns, as in PyTorch and scikit-learn.
    """
    if reduction == "mean" and loss in (output.needs_loss for output in vocabulary.OVER_OUTPUTS.values()):
        reduction = "pattern_mean"
    return LOSS_ALIASES.get(loss, (loss, reduction or "sum"))


def takes_integers(kind: Any) -> bool:
    """Return whether the values of a type are integers."""
    return kind is int or any(map(takes_integers, get_args(kind)))


def names_of(kind: Any) -> tuple[str, ...]:
    """Return the names that a type allows, if its values are names."""
    if get_origin(kind) is Literal:
        return tuple(map(str, get_args(kind)))
    return next(filter(None, map(names_of, get_args(kind))), ())
