"""The study: everything that decides the numbers, and nothing else.

A study comes from a TOML file, a built-in name or keywords in Python; all become
one :class:`Study`, valid by construction. Its canonical form inlines defaults,
expanded parameter values and the patterns, and the SHA-256 of that is the
study's identity.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from sweep.errors import StudyError, unknown
from sweep.faults import sentences
from sweep.parameters import Scalar, expand
from sweep.patterns import MAX_PATTERNS, TASKS, read_patterns

MAX_SEED = 2**32 - 1
MAX_STEPS = 2**31 - 1
MAX_FLOAT32 = 3.4028234663852886e38

# Hidden activations of one network over all patterns; a thread keeps 128 bytes for each.
MAX_ACTIVATIONS = 2**24

FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Section(BaseModel):
    """One table of the study file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Data(Section):
    """Patterns to learn, given as a ``task``, a ``file`` or directly."""

    inputs: tuple[tuple[FiniteFloat, ...], ...]
    targets: tuple[tuple[FiniteFloat, ...], ...]

    @model_validator(mode="before")
    @classmethod
    def _find_patterns(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw
        given = [key for key in ("task", "file", "inputs") if key in raw]
        if len(given) != 1:
            raise ValueError(
                f"{' and '.join(given) or 'no patterns'} given; give one of task, file, or inputs and targets"
            )
        if given[0] != "inputs" and "targets" in raw:
            raise ValueError(f"targets given beside {given[0]}, which has its own; give targets with inputs only")
        found = dict(raw)
        if "task" in raw:
            task = found.pop("task")
            if not isinstance(task, str) or task not in TASKS:
                raise ValueError(unknown("task", str(task), list(TASKS)))
            found["inputs"], found["targets"] = TASKS[task]
        elif "file" in raw:
            found["inputs"], found["targets"] = read_patterns(Path(str(found.pop("file"))))
        for key in ("inputs", "targets"):
            if isinstance(found.get(key), (list, tuple)):
                found[key] = tuple(tuple(row) if isinstance(row, list) else row for row in found[key])
        return found

    @model_validator(mode="after")
    def _check_shape(self) -> Data:
        if not 1 <= len(self.inputs) <= MAX_PATTERNS:
            raise ValueError(f"{len(self.inputs)} patterns given; 1 to {MAX_PATTERNS} are allowed")
        if len(self.targets) != len(self.inputs):
            raise ValueError(
                f"{len(self.inputs)} rows of inputs and {len(self.targets)} of targets given; must be equal"
            )
        for name, rows in (("inputs", self.inputs), ("targets", self.targets)):
            widths = {len(row) for row in rows}
            if len(widths) > 1 or 0 in widths:
                raise ValueError(f"rows of {name} have {sorted(widths)} numbers; must all have the same, at least 1")
        return self


class Network(Section):
    """What the networks are made of."""

    hidden: Annotated[int, Field(ge=1, le=65_536)] | None = None
    activation: Literal["relu", "tanh", "sigmoid", "identity"] = "relu"
    output: Literal["relu", "tanh", "sigmoid", "identity"] = "identity"
    bias: bool = True
    dtype: Literal["float64", "float32"] = "float64"


class InitialWeights(Section):
    """Where the networks start."""

    distribution: Literal["normal", "uniform"] = "normal"
    scale: PositiveFloat = 1.0
    stream: Literal["mt19937", "pcg64"] = "mt19937"


class Training(Section):
    """How they learn."""

    loss: Literal["sse", "mse"] = "sse"
    optimizer: Literal["gd"] = "gd"
    learning_rate: PositiveFloat | None = None
    max_steps: Annotated[int, Field(ge=0, le=MAX_STEPS)] = 5000


class Convergence(Section):
    """When a network has learned."""

    criterion: Literal["loss", "max_error", "correct", "none"] = "loss"
    below: PositiveFloat = 1e-4


class Seeds(Section):
    """The replicates of every cell."""

    base: Annotated[int, Field(ge=0, le=MAX_SEED)] = 0
    count: Annotated[int, Field(ge=1, le=MAX_SEED + 1)] = 1000

    @model_validator(mode="after")
    def _check_last(self) -> Seeds:
        if self.base + self.count - 1 > MAX_SEED:
            raise ValueError(f"seeds {self.base} to {self.base + self.count - 1} given; the last allowed is {MAX_SEED}")
        return self


SECTIONS: dict[str, type[Section]] = {
    "network": Network,
    "initial_weights": InitialWeights,
    "training": Training,
    "convergence": Convergence,
}

# Every scalar that can be swept, and the section it belongs to.
SWEEPABLE = {name: section for section, model in SECTIONS.items() for name in model.model_fields if name != "dtype"}
REQUIRED = ("hidden", "learning_rate")

S = TypeVar("S", bound=Section)


class Study:
    """A sweep to run: patterns, networks, training, swept parameters and seeds.

    Parameters
    ----------
    name
        Names the default results folder; letters, digits, ``.``, ``_``, ``-``.
    description
        For people.
    data, network, initial_weights, training, convergence, seeds
        Tables as in the study file; what is left out takes its default.
    parameters
        Swept parameters: ``{"hidden": {"values": [2, 3]}, ..}``. The order decides
        the numbering of cells, the last one fastest.
    method
        ``"grid"``: every combination.

    Raises
    ------
    StudyError
        With a sentence for every fault.

    Examples
    --------
    >>> study = Study(
    ...     name="small",
    ...     data={"task": "xor"},
    ...     parameters={"hidden": {"values": [2, 4]}, "learning_rate": {"values": [0.1]}},
    ...     seeds={"count": 100},
    ... )
    >>> study.parameters
    {'hidden': (2, 4), 'learning_rate': (0.1,)}
    """

    def __init__(
        self,
        *,
        name: str = "study",
        description: str = "",
        data: Mapping[str, Any],
        network: Mapping[str, Any] | None = None,
        initial_weights: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
        convergence: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        seeds: Mapping[str, Any] | None = None,
        method: str = "grid",
    ) -> None:
        faults: list[str] = []
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", str(name)):
            faults.append(f"name: {name!r} given; must be letters, digits, '.', '_' and '-', as it names a folder")
        if method != "grid":
            faults.append(f"method: {method!r} given; must be 'grid'")
        self.name = str(name)
        self.description = str(description)
        self.data = _section("data", Data, data, faults)
        self.network = _section("network", Network, network, faults)
        self.initial_weights = _section("initial_weights", InitialWeights, initial_weights, faults)
        self.training = _section("training", Training, training, faults)
        self.convergence = _section("convergence", Convergence, convergence, faults)
        self.seeds = _section("seeds", Seeds, seeds, faults)
        self.parameters = _parameters({} if parameters is None else parameters, faults)
        given = {
            "network": network,
            "initial_weights": initial_weights,
            "training": training,
            "convergence": convergence,
        }
        faults += _conflicts(given, parameters or {})
        if not faults:
            faults += self._beyond_limits()
        if faults:
            raise StudyError(faults)

    def _beyond_limits(self) -> list[str]:
        """Say what is valid by itself but too large together."""
        faults = []
        hidden = max(int(value or 0) for value in self.parameters.get("hidden", (self.network.hidden,)))
        activations = len(self.data.inputs) * hidden
        if activations > MAX_ACTIVATIONS:
            faults.append(
                f"network.hidden: {len(self.data.inputs)} patterns times {hidden} units given; at most "
                f"{MAX_ACTIVATIONS} hidden activations are allowed"
            )
        largest = max(abs(value) for rows in (self.data.inputs, self.data.targets) for row in rows for value in row)
        if self.network.dtype == "float32" and largest > MAX_FLOAT32:
            faults.append(f"data: {largest!r} given; float32 holds at most {MAX_FLOAT32!r}")
        return faults

    @property
    def n_cells(self) -> int:
        """Number of combinations of the swept parameters."""
        count = 1
        for values in self.parameters.values():
            count *= len(values)
        return count

    @property
    def n_runs(self) -> int:
        """Number of networks: cells times seeds."""
        return self.n_cells * self.seeds.count

    def fixed(self) -> dict[str, Scalar]:
        """Return every scalar that is the same in all cells."""
        return {
            key: value
            for section in SECTIONS
            for key, value in getattr(self, section).model_dump().items()
            if key not in self.parameters
        }

    def canonical(self) -> dict[str, Any]:
        """Return the study with nothing left implicit, as tables of the study file."""
        tables: dict[str, Any] = {"name": self.name, "description": self.description, "method": "grid"}
        tables["data"] = {key: [list(row) for row in rows] for key, rows in self.data}
        for section in SECTIONS:
            table = getattr(self, section).model_dump()
            tables[section] = {key: value for key, value in table.items() if key not in self.parameters}
        tables["parameters"] = {key: {"values": list(values)} for key, values in self.parameters.items()}
        tables["seeds"] = self.seeds.model_dump()
        return tables

    @property
    def identity(self) -> str:
        """SHA-256 of the canonical form without name and description.

        The order of the parameters counts, that of other keys does not.
        """
        tables = self.canonical()
        del tables["name"], tables["description"]
        tables["parameters"] = list(tables["parameters"].items())
        text = json.dumps(tables, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_toml(self) -> str:
        """Return the canonical form as the text of a study file."""
        import tomli_w

        return tomli_w.dumps(self.canonical())

    def __eq__(self, other: object) -> bool:
        """Compare what decides the numbers."""
        return isinstance(other, Study) and self.identity == other.identity

    def __hash__(self) -> int:
        """Hash what decides the numbers."""
        return hash(self.identity)

    def __repr__(self) -> str:
        """Show name, size and the start of the identity."""
        return f"<Study {self.name!r}: {self.n_cells} cells x {self.seeds.count} seeds, {self.identity[:12]}>"


def _section(name: str, model: type[S], raw: Any, faults: list[str]) -> S:
    """Validate one table, None for an empty one; with a fault what is returned must not be used."""
    raw = {} if raw is None else raw
    try:
        return model.model_validate(dict(raw) if isinstance(raw, Mapping) else raw)
    except ValidationError as error:
        faults += sentences(error, name, list(_known_keys(model)))
        return model.model_construct()


def _known_keys(model: type[Section]) -> list[str]:
    return ["task", "file", *model.model_fields] if model is Data else list(model.model_fields)


def _parameters(raw: Any, faults: list[str]) -> dict[str, tuple[Scalar, ...]]:
    """Expand and validate the swept parameters."""
    if not isinstance(raw, Mapping):
        faults.append(f"parameters: {raw!r} given; must be a table")
        return {}
    expanded: dict[str, tuple[Scalar, ...]] = {}
    for key, spec in raw.items():
        section, _, name = key.rpartition(".")
        if name not in SWEEPABLE or section not in ("", SWEEPABLE[name]):
            faults.append(f"parameters: {_not_sweepable(key)}")
            continue
        if name in expanded:
            faults.append(f"parameters.{key}: {name} is given twice; give one")
            continue
        kind: Any = get_type_hints(SECTIONS[SWEEPABLE[name]], include_extras=True)[name]
        adapter: TypeAdapter[Any] = TypeAdapter(tuple[kind, ...], config=ConfigDict(strict=True))
        try:
            values = adapter.validate_python(tuple(expand(spec, integer=name in ("hidden", "max_steps"))))
        except ValidationError as error:
            faults += sentences(error, f"parameters.{key}", [])
            continue
        except ValueError as error:
            faults.append(f"parameters.{key}: {error}")
            continue
        if len(set(values)) < len(values):
            twice = next(value for k, value in enumerate(values) if value in values[:k])
            faults.append(f"parameters.{key}: value {twice!r} given twice; cells must differ")
        if None in values:
            faults.append(f"parameters.{key}: a value is missing")
        expanded[name] = values
    return expanded


def _not_sweepable(key: str) -> str:
    name = key.rpartition(".")[2]
    if name in ("dtype", *Data.model_fields, "task", "file", *Seeds.model_fields, "seed"):
        return f"{key!r} cannot be swept; make a study for each value (seeds are replicates, under [seeds])"
    return unknown("parameter", key, list(SWEEPABLE))


def _conflicts(given: Mapping[str, Any], parameters: Any) -> list[str]:
    """Say what is given twice or not at all."""
    swept = {key.rpartition(".")[2] for key in parameters} if isinstance(parameters, Mapping) else set()
    tables = {section: table for section, table in given.items() if isinstance(table, Mapping)}
    faults = [
        f"parameters.{name}: given here and as {section}.{name}; give one"
        for name, section in SWEEPABLE.items()
        if name in swept and name in tables.get(section, {})
    ]
    return faults + [
        f"{SWEEPABLE[name]}.{name}: is missing; give it there or sweep it under [parameters]"
        for name in REQUIRED
        if name not in swept and tables.get(SWEEPABLE[name], {}).get(name) is None
    ]
