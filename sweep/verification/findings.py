"""What is found in a results folder."""

from __future__ import annotations

from dataclasses import dataclass, field

from sweep.store.commits import Commit


@dataclass
class Findings:
    """What is found in a results folder.

    Attributes
    ----------
    faults
        A sentence for each fault; none if the folder is intact.
    leftovers
        Files that killed processes have left; they do not count and do no harm.
    commits
        Those that were read, in visiting order; their parts may be damaged.
    bad_commits
        Names of commits that cannot be read or belong to other runs.
    bad_parts
        Commits whose parts are missing, damaged, or hold other bits than training gives.
    n_runs, n_retrained
        Runs whose rows or counts were read, and runs that were trained again to be compared.
    """

    faults: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    bad_commits: list[str] = field(default_factory=list)
    bad_parts: list[Commit] = field(default_factory=list)
    n_runs: int = 0
    n_retrained: int = 0

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults
