"""Versions and digests on which the last bits of rows depend besides the study; they must agree in one result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple, Self

from sweep.study.model import Study


@dataclass(frozen=True)
class Bits:
    """Facts of a training on which the last bits of its rows depend.

    Attributes
    ----------
    numerics_version
        Version of the numerical results: ``kernels.NUMERICS``.
    log_digest
        Digest of the machine's logarithm, which normal initial weights use.
    sources_digest
        Digest of the sources of ``kernels``. Equal ``numerics_version`` promise the same bits; equal sources prove it.
    pcg64_digest
        Digest of the machine's log1p and exp, which normal initial weights of the generator pcg64 use.
    """

    numerics_version: int
    log_digest: str
    sources_digest: str
    pcg64_digest: str

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """Return the facts recorded in run.json or in a commit."""
        return cls(**{name: facts[name] for name in BITS})

    def told(self) -> dict[str, Any]:
        """Return the facts, for run.json and commits."""
        return asdict(self)

    def difference(self, other: Bits, study: Study, *, sources: bool = True) -> Difference | None:
        """Return the first fact in which two trainings of a study differ, or None.

        Parameters
        ----------
        other
            The facts of the other training.
        study
            The study; it decides which facts matter.
        sources
            Whether to compare the sources too. Equal ``numerics_version`` promise the same bits without.

        Returns
        -------
        Difference or None
            The fact and its two values; None if the rows of both trainings have the same bits.
        """
        for name in compared(study):
            one, two = getattr(self, name), getattr(other, name)
            if one != two and (sources or name != "sources_digest"):
                return Difference(name, one, two)
        return None


class Difference(NamedTuple):
    """A fact in which two trainings differ.

    Attributes
    ----------
    name
        Name of the fact.
    one, other
        Its value in each training.
    """

    name: str
    one: int | str
    other: int | str

    def told(self, where: str, elsewhere: str) -> str:
        """Return both values in a sentence, with the place of each."""
        one, other = (str(fact)[:12] for fact in (self.one, self.other))
        return f"{BITS[self.name]} is {one!r} {where} and {other!r} {elsewhere}"

    @property
    def trained(self) -> str:
        """How the first training differs, as part of a sentence."""
        return _TRAINED[self.name]


# Names of the facts in sentences.
BITS = {
    "numerics_version": "the version of the numbers",
    "log_digest": "the digest of the machine's logarithm",
    "sources_digest": "the digest of the sources of kernels",
    "pcg64_digest": "the digest of the machine's log1p and exp",
}
assert list(BITS) == [field.name for field in fields(Bits)]

_TRAINED = {
    "numerics_version": "by a version of xor-sweep whose numbers have other last bits",
    "log_digest": "on a machine whose logarithm has other last bits, so normal initial weights would differ",
    "sources_digest": "by other sources of kernels, whose numbers might have other last bits",
    "pcg64_digest": "on a machine whose log1p or exp has other last bits, so normal initial weights would differ",
}


def compared(study: Study) -> list[str]:
    """Return the facts that all rows of a study must share; digests of libm functions only where starts are normal."""
    normal = not {"normal", "truncated_normal"}.isdisjoint(study.values_of("distribution"))
    matters = {"log_digest": normal, "pcg64_digest": normal and "pcg64" in study.values_of("generator")}
    return [name for name in BITS if matters.get(name, True)]
