"""What decides the last bits of rows beside the study, and so must be the same for all rows of one result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from sweep.study import Study


@dataclass(frozen=True)
class Bits:
    """What rows were trained by, as far as their last bits depend on it; None is not told, as by older versions.

    Attributes
    ----------
    numerics
        Version of the numbers: ``kernels.NUMERICS``.
    log_digest
        Of the machine's logarithm, through which normal initial weights go.
    sources_digest
        Of the sources of ``kernels``: two with the same ``numerics`` should give the same bits, and this is the proof.
    pcg64_digest
        Of the machine's log1p and exp, through which normal initial weights of the stream pcg64 go.
    """

    numerics: int | None = None
    log_digest: str | None = None
    sources_digest: str | None = None
    pcg64_digest: str | None = None

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """Return what run.json tells."""
        return cls(**{name: facts.get(name) for name in BITS})

    def told(self) -> dict[str, Any]:
        """Return what is told, for run.json and commits."""
        return {name: fact for name, fact in asdict(self).items() if fact is not None}

    def difference(self, other: Bits, study: Study) -> str:
        """Return in what the rows of a study would not be alike, as far as both tell; empty if in nothing."""
        for name in compared(study):
            if None not in (facts := (getattr(self, name), getattr(other, name))) and facts[0] != facts[1]:
                return name
        return ""


# What each is called in sentences.
BITS = {
    "numerics": "the version of the numbers",
    "log_digest": "the digest of the machine's logarithm",
    "sources_digest": "the digest of the sources of kernels",
    "pcg64_digest": "the digest of the machine's log1p and exp",
}
assert list(BITS) == [field.name for field in fields(Bits)]


def compared(study: Study) -> list[str]:
    """Return what must be the same for all rows of a study: functions of the C library only where starts are normal."""
    normal = "normal" in study.values_of("distribution")
    matters = {"log_digest": normal, "pcg64_digest": normal and "pcg64" in study.values_of("stream")}
    return [name for name in BITS if matters.get(name, True)]
