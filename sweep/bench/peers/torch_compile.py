"""PyTorch: all steps of a batch, networks last, as one compiled loop."""

from __future__ import annotations

import shutil
from typing import Any, ClassVar

import numpy as np
import torch
from torch._dynamo.exc import TorchDynamoException

from sweep.bench.case import Array, Case
from sweep.bench.peers import BatchPeer, MissingError

# The C++ wrapper releases the GIL for the whole loop, so that batches of several threads run in parallel. Every peer
# compiles the same code once more.
OPTIONS: dict[str, Any] = {"fullgraph": True, "dynamic": False, "isolate_recompiles": True}
OPTIONS["options"] = {"cpp_wrapper": True, "cpp.threads": 1}


class TorchCompile(BatchPeer):
    """The loop is ``torch.while_loop``: one in Python over compiled steps holds the GIL most of the time."""

    title: ClassVar[str] = "PyTorch, torch.compile"
    variants: ClassVar[tuple[int, ...]] = (512, 1024, 2048, 4096)

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        if shutil.which("g++") is None:
            raise MissingError("torch.compile needs a C++ compiler: g++ is not installed")
        torch.set_num_threads(1)
        self._patterns = list(zip(case.inputs.astype(bool).tolist(), case.targets[:, 0].tolist(), strict=True))
        self._compiled = torch.compile(self._train, **OPTIONS)

    @torch.no_grad()
    def train_batch(self, weights: Array) -> Array:
        """Train one batch."""
        rows = torch.from_numpy(weights).T.contiguous()
        parts = [part.clone() for part in rows[:-1].split(self.case.hidden)]  # w of both inputs, v, b
        try:
            return np.asarray(self._compiled(torch.tensor(0), *parts, rows[-1].clone()))
        except TorchDynamoException as error:
            raise MissingError(f"torch.compile fails: {str(error).strip().splitlines()[0]}") from error

    def _train(self, *start: Any) -> Any:
        _, *trained = torch.while_loop(lambda i, *_: i < self.case.steps, self._step, start)
        return sum(e * e for _, e in self._forward(*trained))

    def _forward(self, w0: Any, w1: Any, v: Any, b: Any, c: Any) -> list[tuple[Any, Any]]:
        function = torch.relu if self.case.activation == "relu" else torch.tanh
        hs = [sum((w for w, is_set in zip((w0, w1), x, strict=True) if is_set), b) for x, _ in self._patterns]
        activations = [function(h) for h in hs]
        return [(a, (a * v).sum(0) + (c - y)) for a, (_, y) in zip(activations, self._patterns, strict=True)]

    def _step(self, i: Any, w0: Any, w1: Any, v: Any, b: Any, c: Any) -> tuple[Any, ...]:
        pairs, rate, relu = self._forward(w0, w1, v, b, c), 2 * self.case.learning_rate, self.case.activation == "relu"
        deltas = [torch.where(a > 0, e, 0.0) if relu else (1 - a * a) * e for a, e in pairs]
        of_w0, of_w1 = (sum(d for d, (x, _) in zip(deltas, self._patterns, strict=True) if x[k]) for k in range(2))
        of_v, of_c, scale = sum(a * e for a, e in pairs), sum(e for _, e in pairs), rate * v
        return i + 1, w0 - scale * of_w0, w1 - scale * of_w1, v - rate * of_v, b - scale * sum(deltas), c - rate * of_c
