"""The record of an option: everything that the program knows of a property of cells, in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from kernels.components.declarations import IS_SET, Case

# What an option decides:
# ``"kernel"``: which kernel trains, so runs of one shape share it; ``"setting"``: a number of each cell, a field of
# :data:`kernels.settings.SETTINGS`; ``"limit"``: the most steps of each cell; ``"start"``: the initial weights of a
# seed; ``"data"``: the patterns
Role = Literal["kernel", "setting", "limit", "start", "data"]


class Option(NamedTuple):
    """An option of a study: a property of each cell."""

    name: str
    type: Any  # of its values, as an annotation that pydantic reads; None if they are names of components
    default: Any
    role: Role
    meaning: str  # as in the documentation of results
    unit: str = ""
    section: str = ""  # its table in the study file, which follows from where it is declared
    components: str = ""  # the kind of components whose names are its values
    # Other options: values of them, IS_SET for any but None and 0, or a test of components. Without any of these the
    # option has no effect.
    used_with: Mapping[str, Any] = {}
    is_swept: bool = True  # whether it can be swept
    also: tuple[str, ...] = ()  # names in other programs and papers, for which errors suggest this one
    case: Case | None = None  # values to try; None for a setting of a custom component
    stands_for: str = ""  # the option whose value it has by default
    default_text: str = ""  # the default, where its value does not say it
    is_required: bool = False
    # Whether the canonical form holds it where it has its default; any other option is omitted then, so that studies
    # keep their identity when options are added.
    is_always_written: bool = False

    @property
    def example(self) -> str:
        """A value as in a study file."""
        if self.case is None:
            return _as_toml(self.default)
        return self.case.example or _as_toml(self.case.values[0])

    def has_effect(self, values_of: Callable[[str], Iterable[Any]]) -> bool:
        """Return whether it has an effect beside some values of the other options."""
        return not self.used_with or any(
            value in allowed or (allowed == [IS_SET] and bool(value))
            for other, allowed in self.used_with.items()
            for value in values_of(other)
        )


def _as_toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
