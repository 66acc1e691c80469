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
from typing import Any, TypeVar

from pydantic import ValidationError

from sweep.errors import StudyError, shown
from sweep.faults import sentences
from sweep.parameters import Scalar
from sweep.plain import plain
from sweep.sections import SECTIONS, Convergence, Data, InitialWeights, Network, Section, Seeds, Training
from sweep.swept import conflicts, swept_parameters

MAX_FLOAT32 = 3.4028234663852886e38

# Hidden activations of one network over all patterns; a thread keeps 128 bytes for each.
MAX_ACTIVATIONS = 2**24

# File systems allow names of 255 bytes.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")

S = TypeVar("S", bound=Section)


class Study:
    """A sweep to run: patterns, networks, training, swept parameters and seeds.

    Parameters
    ----------
    name
        Names the default results folder; at most 255 letters, digits, ``.``, ``_``, ``-``.
    description
        For people.
    data, network, initial_weights, training, convergence, seeds
        Tables as in the study file; what is left out takes its default. In ``data``,
        ``targets`` may be a flat list where there is one output.
    parameters
        Swept parameters: ``{"hidden": [2, 4, 8]}``, or any other form that
        :func:`sweep.parameters.expand` takes, as ``{"hidden": {"range": [2, 8]}}``. The
        order decides the numbering of cells, the last one fastest.
    method
        ``"grid"``: every combination.

    Lists may be tuples, ranges, NumPy arrays or series of pandas, and scalars those of NumPy.

    Raises
    ------
    StudyError
        With a sentence for every fault.

    Examples
    --------
    >>> study = Study(
    ...     name="small",
    ...     data={"task": "xor"},
    ...     parameters={"hidden": [2, 4], "learning_rate": {"logspace": [0.01, 1.0, 3]}},
    ...     seeds={"count": 100},
    ... )
    >>> study.parameters
    {'hidden': (2, 4), 'learning_rate': (0.01, 0.1, 1.0)}
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
        name, description, method = plain((name, description, method))
        faults = _text_faults(name, description, method)
        self.name = name
        self.description = description
        given = plain(
            {
                "network": network,
                "initial_weights": initial_weights,
                "training": training,
                "convergence": convergence,
                "parameters": {} if parameters is None else parameters,
            }
        )
        self.data = _section("data", Data, plain(data), faults)
        self.network = _section("network", Network, given["network"], faults)
        self.initial_weights = _section("initial_weights", InitialWeights, given["initial_weights"], faults)
        self.training = _section("training", Training, given["training"], faults)
        self.convergence = _section("convergence", Convergence, given["convergence"], faults)
        self.seeds = _section("seeds", Seeds, plain(seeds), faults)
        self.parameters = swept_parameters(given["parameters"], faults)
        faults += conflicts(given, given["parameters"])
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


def _text_faults(name: Any, description: Any, method: Any) -> list[str]:
    """Say what is wrong with what stands outside of the tables."""
    faults = []
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        faults.append(
            f"name: {shown(name)} given; must be text of at most 255 letters, digits, '.', '_' and '-', as it names "
            "a folder"
        )
    if not isinstance(description, str) or not _is_unicode(description):
        faults.append(f"description: {shown(description)} given; must be text")
    if method != "grid":
        faults.append(f"method: {shown(method)} given; must be 'grid'")
    return faults


def _is_unicode(text: str) -> bool:
    """Tell whether text can be written to a file: bytes of the command line that are no UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _section(name: str, model: type[S], raw: Any, faults: list[str]) -> S:
    """Validate one table, None for an empty one; with a fault what is returned must not be used."""
    try:
        return model.model_validate({} if raw is None else raw)
    except ValidationError as error:
        faults += sentences(error, name, list(_known_keys(model)))
        return model.model_construct()


def _known_keys(model: type[Section]) -> list[str]:
    return ["task", "file", *model.model_fields] if model is Data else list(model.model_fields)
