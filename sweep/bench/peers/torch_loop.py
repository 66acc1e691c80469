"""PyTorch, one network at a time: a module and autograd, as in the tutorials."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import nn

from sweep.bench.case import Array, Case
from sweep.bench.peers import Peer


class TorchLoop(Peer):
    """The update is written out: ``torch.optim.SGD`` makes a step a third slower."""

    title: ClassVar[str] = "PyTorch, one network at a time"

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        torch.set_num_threads(1)  # nothing here is worth a second thread

    def train(self, weights: Array) -> Array:
        """Train networks one by one."""
        return np.array([self._train_one(row) for row in weights[:, np.newaxis]])

    def _train_one(self, weights: Array) -> float:
        case, x, y = self.case, torch.from_numpy(self.case.inputs), torch.from_numpy(self.case.targets)
        function = nn.ReLU() if case.activation == "relu" else nn.Tanh()
        model = nn.Sequential(nn.Linear(2, case.hidden), function, nn.Linear(case.hidden, 1)).to(x.dtype)
        loss, parameters = nn.MSELoss(reduction="sum"), list(model.parameters())
        starts = [part[0].T for layer in case.split(weights) for part in layer]
        with torch.no_grad():
            for parameter, start in zip(parameters, starts, strict=True):
                parameter.copy_(torch.from_numpy(start))
        for _ in range(case.steps):
            gradients = torch.autograd.grad(loss(model(x), y), parameters)
            with torch.no_grad():
                for parameter, gradient in zip(parameters, gradients, strict=True):
                    parameter.sub_(gradient, alpha=case.learning_rate)
        with torch.no_grad():
            return float(loss(model(x), y))
