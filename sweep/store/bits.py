"""Versions and digests on which the last bits of rows depend besides the study; they must be equal in one result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple, Self

import kernels
from kernels.sources import sources_digest
from kernels.start.names import distributions_in
from sweep.study.model import Study
from sweep.system import host


@dataclass(frozen=True)
class Bits:
    """Facts of a training on which the last bits of its rows depend."""

    numerics_version: int  # version of the numerical results: ``kernels.NUMERICS``
    log_digest: str  # digest of the machine's logarithm, which normal initial weights use
    # Digest of the sources of ``kernels``. Equal ``numerics_version`` promise the same bits; equal sources prove it.
    sources_digest: str
    pcg64_digest: str  # digest of the machine's log1p and exp, which normal initial weights of the generator pcg64 use

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """Return the facts recorded in run.json or in a commit."""
        return cls(**{name: facts[name] for name in BITS})

    def as_dict(self) -> dict[str, Any]:
        """Return the facts, for run.json and commits."""
        return asdict(self)

    def difference(self, other: Bits, study: Study, *, sources: bool = True) -> Difference | None:
        """Return the first fact in which two trainings differ, or None; without ``sources``, those may differ."""
        one, two = self.as_dict(), other.as_dict()
        for name in compared(study):
            if one[name] != two[name] and (sources or name != "sources_digest"):
                return Difference(name, one[name], two[name])
        return None


class Difference(NamedTuple):
    """A fact in which two trainings differ: its name and its value in each."""

    name: str
    one: int | str
    other: int | str

    def clause(self, where: str, elsewhere: str) -> str:
        """Return both values and their places, as part of a sentence."""
        one, other = (str(fact)[:12] for fact in (self.one, self.other))
        return f"{self.name} is {one!r} {where} and {other!r} {elsewhere}"

    @property
    def cause(self) -> str:
        """The cause of the difference, as part of a sentence about the first training."""
        return _CAUSES[self.name]


# Names of the facts.
BITS = tuple(field.name for field in fields(Bits))

_CAUSES = {
    "numerics_version": "with another version of the numerics, which may change the last bits of results",
    "log_digest": "on a machine whose log() rounds differently, which changes normal initial weights",
    "sources_digest": "with other sources of sweep's kernels, which may change the last bits of results",
    "pcg64_digest": "on a machine whose log1p() or exp() rounds differently, which changes normal initial weights",
}


def compared(study: Study) -> list[str]:
    """Return the facts that all rows of a study must share; digests of libm functions only where starts are normal."""
    distributions = set[str]().union(*map(distributions_in, study.values_of("distribution")))
    normal = not distributions.isdisjoint({"normal", "truncated_normal"})
    matters = {"log_digest": normal, "pcg64_digest": normal and "pcg64" in study.values_of("generator")}
    return [name for name in BITS if matters.get(name, True)]


def own_bits() -> Bits:
    """Return the facts of this process: the numerics, and digests of kernel sources and of this machine's functions."""
    return Bits(kernels.NUMERICS, host.log_digest(), sources_digest(), host.pcg64_digest())
