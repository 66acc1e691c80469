"""The host of a peer's process: starts it, sends requests, and ends it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from kernels.effort import Effort
from sweep.bench.case import Array, Case
from sweep.bench.peers import MissingError, UnsupportedError
from sweep.schedule.kernel_count import study_effort
from sweep.schedule.plan import Plan
from sweep.study.model import Study

# A peer that has not answered by then hangs.
PATIENCE_SECONDS = 900.0

# Settings that limit a peer to the instructions of the CPU that ``NUMBA_CPU_NAME`` names.
LIMITS = {
    "haswell": {
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
    }
}


class Host:
    """The process of one peer, to be used as a context manager; files between the processes are in ``folder``.

    ``enough`` has, by case, variant and seconds, the networks that take that many seconds, and the rate of training
    them, as :mod:`sweep.bench.measurement` found.
    """

    def __init__(self, name: str, threads: int, folder: Path) -> None:
        self.name = name
        self.enough: dict[tuple[Case, int, float], tuple[int, float]] = {}
        self._folder = folder / name
        self._folder.mkdir(parents=True)
        self._log = self._folder / "log.txt"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._program(), str(threads), str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment(),
                text=True,
                bufsize=1,
            )

    def _program(self) -> list[str]:
        return ["-m", "sweep.bench.worker", self.name]

    def _environment(self) -> dict[str, str]:
        """Return an environment in which only the CPU limits a peer, or the CPU for which kernels are compiled."""
        environment = dict(os.environ)
        environment.pop("OPENBLAS_CORETYPE", None)  # a choice made for other programs on this machine
        limits = LIMITS.get(environment.get("NUMBA_CPU_NAME", ""), {})
        return environment | {name: f"{environment.get(name, '')} {value}".strip() for name, value in limits.items()}

    def hello(self, case: Case) -> dict[str, Any]:
        """Return title, variants to try on a case and same_bits of the peer, or raise MissingError."""
        return self._ask({"kind": "hello", "case": asdict(case)})

    def train(self, case: Case, variant: int, n_networks: int) -> tuple[float, int]:
        """Train about ``n_networks``; return the seconds and the exact number of networks.

        MissingError if the peer cannot work on this machine, UnsupportedError if it cannot train this case.
        """
        reply = self._ask(self._request(case, variant, n_networks))
        return reply["seconds"], reply["n_networks"]

    def _request(self, case: Case, variant: int, n_networks: int) -> dict[str, Any]:
        return {"kind": "train", "case": asdict(case), "variant": variant, "n_networks": n_networks}

    def fewest(self, case: Case) -> int:
        """Return the least number of networks whose speed is of interest."""
        return 1

    def losses(self) -> Array:
        """Return the final losses of the last training."""
        losses: Array = np.load(self._folder / "losses.npy")
        return losses

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._gone("ended") from None
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_SECONDS)
        line = self._process.stdout.readline() if ready else ""
        if not line:
            raise self._gone("ended" if ready else f"gave no answer in {PATIENCE_SECONDS:.0f} s")
        reply: dict[str, Any] = json.loads(line)
        if "missing" in reply:
            raise MissingError(reply["missing"])
        if "unsupported" in reply:
            raise UnsupportedError(reply["unsupported"])
        return reply

    def _gone(self, how: str) -> MissingError:
        self.close()
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return MissingError(f"its process {how}" + (f": {lines[-1]}" if lines else ""))

    def close(self) -> None:
        """End the process."""
        if self._process.stdin and not self._process.stdin.closed:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def __enter__(self) -> Host:
        """Return the host; its process already runs."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self.close()


class Checkout(Host):
    """The process of a checkout of xor-sweep, perhaps an earlier version, which trains with ``sweep.run``."""

    def __init__(self, name: str, root: Path, threads: int, folder: Path) -> None:
        self._root = root
        super().__init__(name, threads, folder)

    def _program(self) -> list[str]:
        return ["-P", str(Path(__file__).with_name("study_worker.py"))]  # -P: no module beside the script is found

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self._root)}

    def _request(self, case: Case, variant: int, n_networks: int) -> dict[str, Any]:
        return {"tables": case.study_tables(n_networks)}

    def fewest(self, case: Case) -> int:
        """Return the networks of a study that is long enough for the fastest kernels."""
        study = Study(**case.study_tables(1))
        operations, n_networks = Plan(study).parts.operations, 1
        while study_effort(study, n_networks * operations) is not Effort.MOST:
            n_networks *= 2
        return n_networks

    def hello(self, case: Case) -> dict[str, Any]:
        """Return what :meth:`Host.hello` does, of a side that has the same bits as any other checkout."""
        return {"title": f"sweep.run of {self._root}", "variants": {"1": ""}, "same_bits": True}
