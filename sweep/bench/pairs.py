"""Compare the speed of this checkout with that of another one, in turns, case by case.

``python -m sweep.bench.pairs --against PATH --hidden 2,8,32 --activation relu,tanh``
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sweep.bench.command import chosen_cases
from sweep.bench.measurement import Effort
from sweep.bench.report import print_findings
from sweep.bench.runner import Findings, run_benchmark
from sweep.system.host import available_threads


def main(arguments: list[str] | None = None) -> None:
    """Run the comparisons of the command line."""
    parser = argparse.ArgumentParser(prog="python -m sweep.bench.pairs", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--against", type=Path, metavar="PATH", required=True)
    for name in ("case", "hidden", "dtype", "activation"):
        parser.add_argument(f"--{name}", help="as in sweep bench")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="duration of each measurement")
    parser.add_argument("--threads", type=int, default=available_threads())
    given = parser.parse_args(arguments)
    if min(given.pairs, given.threads) < 1 or given.seconds <= 0:
        parser.error("--pairs, --threads and --seconds must be above 0")
    if not (given.against / "sweep" / "__init__.py").exists():
        parser.error(f"--against: must be a checkout with the package sweep, got {str(given.against)!r}")
    cases = chosen_cases(given.case, given.hidden, given.dtype, given.activation, quick=True)
    effort, findings = Effort(given.pairs, given.seconds, given.seconds), Findings()
    run_benchmark((str(given.against.resolve()),), cases, effort, given.threads, findings)
    print_findings(findings)


if __name__ == "__main__":
    main()
