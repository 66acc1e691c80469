"""Custom components that this process knows, by a key that identifies their source.

A recipe names such a component by its key, so kernels of different sources never meet, in this process or on disk, and
a component that is declared again under its old name is another component.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from kernels import vocabulary
from kernels.components.declarations import Activation, Loss, Optimizer, Schedule, Setting, ValueOf
from kernels.custom.source import Place, facts_of, keeps_infinity, read_source

Record: TypeAlias = Activation | Loss | Optimizer | Schedule

KINDS = ("activation", "loss", "optimizer", "schedule", "measure")
# What a declaration says beside its source and its settings.
FACTS = ("elementary", "full_batch", "operations", "label", "unit", "meaning", "more_is_better")


class Declaration(NamedTuple):
    """What a study holds of a custom component: everything but its code."""

    kind: str  # one of :data:`KINDS`
    name: str
    sha256: str  # of the source
    settings: tuple[Setting, ...] = ()
    elementary: bool = False  # whether an activation is a long chain of operations
    full_batch: bool = False  # whether a step of an optimizer must take all patterns
    operations: int = 0  # approximate number of operations of lanes in an update of one parameter
    # What tables and figures call a measure, its unit, and what it is
    label: str = ""
    unit: str = ""
    meaning: str = ""
    more_is_better: bool = False  # whether high values of a measure are good

    @property
    def key(self) -> str:
        """The name of the component in a recipe."""
        return f"{self.name} {self.sha256}"


class CustomComponent(NamedTuple):
    """A custom component with its code."""

    declaration: Declaration
    source: str  # the text that defines it; see :mod:`kernels.custom.source`
    places: Mapping[str, Place]  # where its functions stand in the user's files
    # By their role in the component: ``"function"``, ``"chain"``, ``"tick"``, ``"factors"`` or ``"finish"``
    functions: Mapping[str, Callable[..., Any]]
    options: Mapping[str, Any]  # other arguments of its decorator, as plain values, and what follows from the source


# Defaults of the decorators' options, which a source leaves out.
_OPTIONS: dict[str, dict[str, Any]] = {
    "activation": {"surrogate": False},
    "loss": {"surrogate": False},
    "optimizer": {"states": (), "clocks": (), "full_batch": False, "keeps_infinity": False},
    "schedule": {"states": ()},
    "measure": {"unit": "", "more_is_better": False},
}

# The components of this process by key, and the last declared ones by name.
_BY_KEY: dict[str, CustomComponent] = {}
_BY_NAME: dict[str, CustomComponent] = {}


def declared_components() -> dict[str, CustomComponent]:
    """Return the components that this process knows by name."""
    return dict(_BY_NAME)


def component_of(key: str) -> CustomComponent | None:
    """Return the component of a key, if this process has its code."""
    return _BY_KEY.get(key)


def add_source(source: str, places: Mapping[str, Sequence[Any]]) -> CustomComponent:
    """Register a component from its source, which another process of this user may have sent, and return it."""
    known = {name: Place(*place) for name, place in places.items()}
    found, declared = read_source(source, known)
    kind, name = declared["kind"], declared["name"]
    functions = {role: found[each] for role, each in declared["functions"].items()}
    ours = vocabulary.COMPONENT_SETTINGS
    settings = tuple(
        ours[each] if isinstance(each, str) else Setting(**{"meaning": "", **each}) for each in declared["settings"]
    )
    facts = facts_of(source, declared["functions"])
    facts["elementary"] &= kind == "activation" and not settings
    facts["operations"] *= kind == "optimizer"
    options = {**_OPTIONS[kind], **declared["options"], **facts}
    if kind == "optimizer" and not options["keeps_infinity"]:
        update = declared["functions"]["function"]
        n_states = len(options["states"])
        options["keeps_infinity"] = keeps_infinity(source, update, n_states)
    sha256 = hashlib.sha256(source.encode()).hexdigest()
    stated = {fact: options[fact] for fact in FACTS if fact in options}
    component = CustomComponent(Declaration(kind, name, sha256, settings, **stated), source, known, functions, options)
    _BY_KEY[component.declaration.key] = _BY_NAME[name] = component
    if kind != "measure":  # of which no kernel has a record
        vocabulary.CUSTOM_COMPONENTS[component.declaration.key] = _record(component.declaration, functions, options)
    return component


def record_of(declaration: Declaration) -> Record:
    """Return the record of a component, with its code if this process has it."""
    record: Record = vocabulary.CUSTOM_COMPONENTS.get(declaration.key) or _record(declaration, {}, {})
    return record


def _record(
    declaration: Declaration, functions: Mapping[str, Callable[..., Any]], options: Mapping[str, Any]
) -> Record:
    function = functions.get("function", _lacks_code)
    settings = declaration.settings
    if declaration.kind == "loss":
        return Loss(ValueOf(function, 0, skipped=1), ValueOf(function, 1), settings=settings)
    if declaration.kind == "activation":
        facts: dict[str, Any] = {"settings": settings, "elementary": declaration.elementary}
        if "chain" in functions:
            return Activation(function, chain=functions["chain"], **facts)
        return Activation(ValueOf(function, 0), function, **facts)
    if declaration.kind == "schedule":
        return Schedule(function, states=options.get("states", ()), settings=settings)
    names = ("states", "clocks", "n_factors", "keeps_infinity")
    facts = {name: options[name] for name in names if name in options}
    facts |= {name: functions[name] for name in ("tick", "factors") if name in functions}
    facts |= {"full_batch": declaration.full_batch, "operations": declaration.operations}
    return Optimizer(function, settings=settings, **facts)


def _lacks_code(*arguments: Any) -> Any:
    raise AssertionError("a component without code was called")
