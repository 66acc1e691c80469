"""The findings of a check of a results folder."""

from __future__ import annotations

from dataclasses import dataclass, field

from sweep.store.commits import Commit
from sweep.system.formatting import count_text


@dataclass(repr=False)
class Findings:
    """The findings of a check of a results folder.

    Attributes
    ----------
    faults
        A sentence for each fault; none if the folder is intact.
    leftovers
        Files without a commit, of an active run, or left by an interrupted process or a repair. They do not count and
        are harmless.
    commits
        Readable commits, in visiting order; their parts may be damaged.
    bad_commits
        Names of commits that cannot be read or belong to other runs.
    bad_parts
        Commits whose parts are missing, damaged, or have other bits than training gives.
    unchecked
        Commits of rounds after the first round with a fault. Earlier rounds decide their runs, so only their
        checksums were compared.
    passed
        Commits whose parts are correct.
    needed
        Every run before this visiting position must be present.
    n_runs, n_retrained
        Number of runs of all these commits, and of runs that were trained again for comparison.
    sample_seed
        Seed of the drawn runs, unless all or none were trained again.
    whole_parts
        Whether parts hold only counts, so that only whole parts can be trained again.
    head_only
        Whether only study.toml and run.json were checked, because they are damaged.
    """

    faults: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    bad_commits: list[str] = field(default_factory=list)
    bad_parts: list[Commit] = field(default_factory=list)
    unchecked: list[Commit] = field(default_factory=list)
    passed: set[Commit] = field(default_factory=set)
    needed: int = 0
    n_retrained: int = 0
    sample_seed: int | None = None
    whole_parts: bool = False
    head_only: bool = False

    def __repr__(self) -> str:
        what = "intact" if self.intact else count_text(len(self.faults), "fault")
        return f"<Findings: {what}; {count_text(self.n_runs, 'run')} in {count_text(len(self.commits), 'part')}>"

    @property
    def intact(self) -> bool:
        """Whether there are no faults."""
        return not self.faults

    @property
    def n_runs(self) -> int:
        """Number of runs that the commits hold."""
        return sum(commit.n_runs for commit in self.commits)
