"""What is found in a results folder."""

from __future__ import annotations

from dataclasses import dataclass, field

from sweep.store.commits import Commit
from sweep.system.formatting import count_text


@dataclass(repr=False)
class Findings:
    """What is found in a results folder.

    Attributes
    ----------
    faults
        A sentence for each fault; none if the folder is intact.
    leftovers
        Files that no commit names: of a run under way, or left by one that was cut short or by a repair. They do not
        count and do no harm.
    commits
        Those that were read, in visiting order; their parts may be damaged.
    bad_commits
        Names of commits that cannot be read or belong to other runs.
    bad_parts
        Commits whose parts are missing, damaged, or hold other bits than training gives.
    unchecked
        Commits of later rounds than the first with a fault: which runs their parts should hold follows from those
        before, so only their checksums were compared.
    passed
        Commits whose parts are as they should be.
    needed
        Before this visiting position every run must be there.
    n_runs, n_retrained
        Runs of all these commits, and runs that were trained again to be compared.
    sample_seed
        What drew these, unless all were or none.
    head_only
        Whether nothing but study.toml and run.json was checked, as they are damaged.
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
    head_only: bool = False

    def __repr__(self) -> str:
        """Say whether all is intact, and how much there is."""
        what = "intact" if self.intact else count_text(len(self.faults), "fault")
        return f"<Findings: {what}; {count_text(self.n_runs, 'run')} in {count_text(len(self.commits), 'part')}>"

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    @property
    def n_untold(self) -> int:
        """Number of commits, of older versions, that do not tell by what their rows were trained."""
        return sum(commit.numerics is None for commit in self.commits)

    @property
    def n_runs(self) -> int:
        """Number of runs that the commits hold."""
        return sum(commit.n_runs for commit in self.commits)
