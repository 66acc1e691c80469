"""The other side of a peer's process: starts it, asks it, ends it."""

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

from sweep.bench.case import Array, Case
from sweep.bench.peers import OWN, MissingError, UnsupportedError

# A peer that has not answered by then will not.
PATIENCE_SECONDS = 900.0


class Host:
    """The process of one peer, to be used as a context manager.

    Parameters
    ----------
    name
        A key of :data:`sweep.bench.peers.HOMES`.
    threads
        Threads that the peer may use.
    folder
        For what passes between the processes.

    Attributes
    ----------
    enough : dict
        Networks that take so many seconds, and the rate of training them, by case,
        variant and seconds; as :mod:`sweep.bench.measure` found out.
    """

    def __init__(self, name: str, threads: int, folder: Path) -> None:
        self.name = name
        self.enough: dict[tuple[Case, int, float], tuple[int, float]] = {}
        self._folder = folder / name
        self._folder.mkdir(parents=True)
        self._log = self._folder / "log.txt"
        environment = dict(os.environ)
        if name != OWN:
            environment.pop("OPENBLAS_CORETYPE", None)  # a choice made for other programs on this machine
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sweep.bench.worker", name, str(threads), str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                text=True,
                bufsize=1,
            )

    def hello(self) -> dict[str, Any]:
        """Return title, variants and same_bits of the peer, or raise MissingError."""
        return self._ask({"kind": "hello"})

    def train(self, case: Case, variant: int, n_networks: int) -> tuple[float, int]:
        """Train about ``n_networks``; return the seconds that took and how many they were.

        Raises
        ------
        MissingError
            If the peer cannot work on this machine.
        UnsupportedError
            If it cannot train this case.
        """
        reply = self._ask({"kind": "train", "case": asdict(case), "variant": variant, "n_networks": n_networks})
        return reply["seconds"], reply["n_networks"]

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
        """Nothing to do: the process runs."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self.close()
