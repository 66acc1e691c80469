"""What decides the last bits of rows beside the study, and so must be the same for all rows of one result."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple, Self

from sweep.study.model import Study


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
        """Return what run.json or a commit tells."""
        return cls(**{name: facts.get(name) for name in BITS})

    def told(self) -> dict[str, Any]:
        """Return what is told, for run.json and commits."""
        return {name: fact for name, fact in asdict(self).items() if fact is not None}

    def difference(self, other: Bits, study: Study, needed: Collection[str] = ()) -> Difference | None:
        """Return in what the rows of a study would not be alike, if in anything.

        Parameters
        ----------
        other, study
            What is compared, for which study.
        needed
            What both must tell; the others may be missing on either side.
        """
        for name in compared(study):
            one, two = getattr(self, name), getattr(other, name)
            if one != two and (name in needed or None not in (one, two)):
                return Difference(name, one, two)
        return None


class Difference(NamedTuple):
    """In what rows of one training are not alike to those of another one.

    Attributes
    ----------
    name
        Of the fact.
    one, other
        What it is of each of them.
    """

    name: str
    one: int | str | None
    other: int | str | None

    def told(self, where: str, elsewhere: str) -> str:
        """Tell both facts, with where one and the other are."""
        one, other = (str(fact)[:12] for fact in (self.one, self.other))
        return f"{BITS[self.name]} is {one!r} {where} and {other!r} {elsewhere}"

    @property
    def trained(self) -> str:
        """How one of them was trained, from the view of the other."""
        return _TRAINED[self.name]


# What each is called in sentences.
BITS = {
    "numerics": "the version of the numbers",
    "log_digest": "the digest of the machine's logarithm",
    "sources_digest": "the digest of the sources of kernels",
    "pcg64_digest": "the digest of the machine's log1p and exp",
}
assert list(BITS) == [field.name for field in fields(Bits)]

# What the run.json of every version tells.
ALWAYS_TOLD = ("numerics", "log_digest")

_TRAINED = {
    "numerics": "by a version of xor-sweep whose numbers have other last bits",
    "log_digest": "on a machine whose logarithm has other last bits, so normal initial weights would differ",
    "sources_digest": "by other sources of kernels, whose numbers might have other last bits",
    "pcg64_digest": "on a machine whose log1p or exp has other last bits, so normal initial weights would differ",
}


def compared(study: Study) -> list[str]:
    """Return what must be the same for all rows of a study: functions of the C library only where starts are normal."""
    normal = "normal" in study.values_of("distribution")
    matters = {"log_digest": normal, "pcg64_digest": normal and "pcg64" in study.values_of("stream")}
    return [name for name in BITS if matters.get(name, True)]
