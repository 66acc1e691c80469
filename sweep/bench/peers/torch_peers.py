"""PyTorch on the CPU: one network, batches in eager mode, ``vmap`` and ``torch.compile``."""

from __future__ import annotations

import shutil
from abc import abstractmethod
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from torch._dynamo.exc import TorchDynamoException

from kernels.recipe import sizes_of
from sweep.bench.case import BETA1, BETA2, EPS, MOMENTUM, Array, Case
from sweep.bench.peers import BatchPeer, MissingError, Peer, UnsupportedError, refuse_all_but_xor

Tensor = Any


FUNCTIONS = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "identity": lambda z: z}


def _make_step(case: Case, parameters: list[Tensor]) -> Callable[[Sequence[Tensor]], None]:
    """Return a function that updates ``parameters`` in place from gradients.

    Plain gradient descent is written out: ``torch.optim.SGD`` makes a step a third slower.
    """

    def descend(gradients: Sequence[Tensor]) -> None:
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.sub_(gradient, alpha=case.learning_rate)

    if case.optimizer == "gd":
        return descend
    optimizer: Any = (
        torch.optim.Adam(parameters, case.learning_rate, (BETA1, BETA2), EPS)
        if case.optimizer == "adam"
        else torch.optim.SGD(parameters, case.learning_rate, MOMENTUM)
    )

    def step(gradients: Sequence[Tensor]) -> None:
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()

    return step


class _Network(nn.Module):
    """The modules of the tutorials; layers that are scaled have no biases."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        sizes = case.architecture.inputs, *sizes_of(case.hidden), case.architecture.outputs
        self.layers = nn.ModuleList(nn.Linear(below, size, case.bias) for below, size in pairwise(sizes))
        self.functions = [FUNCTIONS[name] for name in case.functions]
        self.scales = case.scales
        if case.bias and set(self.scales) != {1}:
            raise UnsupportedError("PyTorch's modules have no scale before the bias")

    def forward(self, x: Tensor) -> Tensor:
        for layer, function, scale in zip(self.layers, self.functions, self.scales, strict=True):
            z = layer(x)
            x = function(z if scale == 1 else scale * z)
        return x


class TorchLoop(Peer):
    """A module and autograd, as in the tutorials, with one of its optimizers."""

    title: ClassVar[str] = "PyTorch, one network at a time"

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        torch.set_num_threads(1)  # nothing here is worth a second thread
        half = 0.5 if case.loss == "half_squared" else 1.0
        loss = nn.MSELoss(reduction=case.reduction)
        self._loss = loss if half == 1 else lambda outputs, y: half * loss(outputs, y)
        self._windows = [tuple(map(torch.from_numpy, window)) for window in case.windows]

    def train(self, weights: Array) -> Array:
        """Train networks one by one."""
        return np.array([self._train_one(row) for row in weights[:, np.newaxis]])

    def _train_one(self, weights: Array) -> float:
        case, windows = self.case, self._windows
        model = _Network(case).to(windows[0][0].dtype)
        parameters = list(model.parameters())
        starts = [part[0].T for layer in case.split(weights) for part in layer.parts]
        with torch.no_grad():
            for parameter, start in zip(parameters, starts, strict=True):
                parameter.copy_(torch.from_numpy(start))
        update = _make_step(case, parameters)
        for step in range(case.steps):
            x, y = windows[step % len(windows)]
            update(torch.autograd.grad(self._loss(model(x), y), parameters))
        with torch.no_grad():
            return float(self._loss(model(torch.from_numpy(case.inputs)), torch.from_numpy(case.targets)))


class _Batched(BatchPeer):
    """Batches in parallel threads, with one thread for each operation.

    Operations on batches that fit into a cache are too short to be divided: two of
    PyTorch's own threads are slower than one, two threads of Python 1.5 to 1.9 times
    as fast.
    """

    variants: ClassVar[tuple[int, ...]] = (1024, 4096, 16384)

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        torch.set_num_threads(1)

    def train_batch(self, weights: Array) -> Array:
        """Train one batch."""
        with torch.no_grad():
            return np.asarray(self._train_batch(torch.from_numpy(weights)))

    @abstractmethod
    def _train_batch(self, weights: Tensor) -> Tensor:
        """Train one batch of tensors."""


class TorchBmm(_Batched):
    """Matrix products over a batch, networks last, in place, without autograd.

    All networks have the same inputs. So both products with them are one product each
    over all networks and units, which makes a step 3 to 9 times as fast as with a small
    product for each network (``torch.baddbmm``).
    """

    title: ClassVar[str] = "PyTorch, batched by hand"

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        refuse_all_but_xor(case, "this PyTorch")
        super().__init__(case, variant, threads)

    def _train_batch(self, weights: Tensor) -> Tensor:
        case, hidden, batch = self.case, self.case.hidden, len(weights)
        rate, relu = 2 * case.learning_rate, case.activation == "relu"
        x = torch.from_numpy(np.column_stack([case.inputs, np.ones_like(case.targets)]))  # biases are weights of 1
        xt, y = x.T.contiguous(), torch.from_numpy(case.targets)
        rows = weights.T
        w = torch.cat([rows[: 2 * hidden], rows[3 * hidden : 4 * hidden]]).reshape(3, hidden * batch)
        v, c = rows[2 * hidden : 3 * hidden].contiguous(), rows[4 * hidden].clone()
        h, d = weights.new_empty(len(x), hidden * batch), weights.new_empty(len(x), hidden * batch)
        e, grad_c = weights.new_empty(len(x), batch), torch.empty_like(c)
        a, delta, e_wide = h.view(-1, hidden, batch), d.view(-1, hidden, batch), e.unsqueeze(1)
        patterns = list(zip(a, e, strict=True))
        for step in range(case.steps + 1):
            torch.mm(x, w, out=h)
            if relu:
                a.relu_()
            else:
                a.tanh_()
            torch.mul(a, v, out=delta)
            torch.sum(delta, 1, out=e)
            e.add_(c).sub_(y)
            if step == case.steps:
                break
            torch.mul(e_wide, v, out=delta)
            for a_pattern, e_pattern in patterns:
                v.addcmul_(a_pattern, e_pattern, value=-rate)
            if relu:
                torch.ops.aten.threshold_backward.grad_input(delta, a, 0, grad_input=delta)
            else:
                torch.ops.aten.tanh_backward.grad_input(delta, a, grad_input=delta)
            w.addmm_(xt, d, alpha=-rate)
            c.sub_(torch.sum(e, 0, out=grad_c), alpha=rate)
        return e.square_().sum(0)


class TorchVmap(_Batched):
    """The loss of one network under ``grad`` under ``vmap``, and an optimizer over the parameters of a batch."""

    title: ClassVar[str] = "PyTorch, torch.func vmap"

    def _train_batch(self, weights: Tensor) -> Tensor:
        case = self.case
        windows = [tuple(map(torch.from_numpy, window)) for window in case.windows]
        parameters = [torch.from_numpy(part.copy()) for layer in case.split(weights.numpy()) for part in layer.parts]
        gradient = torch.func.vmap(torch.func.grad(self._loss), in_dims=(0, None, None))
        update = _make_step(case, parameters)
        for step in range(case.steps):
            update(gradient(parameters, *windows[step % len(windows)]))
        patterns = torch.from_numpy(case.inputs), torch.from_numpy(case.targets)
        return torch.func.vmap(self._loss, in_dims=(0, None, None))(parameters, *patterns)

    def _loss(self, parameters: Sequence[Tensor], x: Tensor, y: Tensor) -> Tensor:
        case = self.case
        a, zero = x, x.new_zeros(())
        layers = zip(parameters[::2], parameters[1::2], strict=True) if case.bias else ((w, zero) for w in parameters)
        for (weights, biases), name, scale in zip(layers, case.functions, case.scales, strict=True):
            a = FUNCTIONS[name](torch.addmm(biases, a, weights, alpha=scale))
        return case.loss_scale(len(x)) * (a - y).square().sum()


class TorchCompile(_Batched):
    """All steps of a batch, networks last, as one compiled loop.

    The C++ wrapper releases the GIL for the whole loop, so that threads run in
    parallel; a loop in Python over compiled steps holds it most of the time.
    """

    title: ClassVar[str] = "PyTorch, torch.compile"
    variants: ClassVar[tuple[int, ...]] = (512, 1024, 2048, 4096)

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        refuse_all_but_xor(case, "this PyTorch")
        super().__init__(case, variant, threads)
        if shutil.which("g++") is None:
            raise MissingError("torch.compile needs a C++ compiler: g++ is not installed")
        self._compiled = torch.compile(
            _make_loop(case),
            fullgraph=True,
            dynamic=False,
            options={"cpp_wrapper": True, "cpp.threads": 1},
            isolate_recompiles=True,  # every peer compiles the same code once more
        )

    def _train_batch(self, weights: Tensor) -> Tensor:
        hidden = self.case.hidden
        rows = weights.T.contiguous()
        try:
            return self._compiled(
                torch.tensor(0), *(part.clone() for part in rows[:-1].split(hidden)), rows[-1].clone()
            )
        except TorchDynamoException as error:
            raise MissingError(f"torch.compile fails: {str(error).strip().splitlines()[0]}") from error


def _make_loop(case: Case) -> Callable[..., Tensor]:
    """Return all steps of a batch as a function of counter, w of both inputs, v, b, c."""
    targets = [float(y) for (y,) in case.targets]
    patterns = case.inputs.astype(bool).tolist()
    relu, rate, steps = case.activation == "relu", 2 * case.learning_rate, case.steps

    def forward(w: list[Tensor], v: Tensor, b: Tensor, c: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        hs = [sum((w_i for w_i, on in zip(w, x, strict=True) if on), b) for x in patterns]
        activations = [torch.relu(h) if relu else torch.tanh(h) for h in hs]
        return activations, [(a * v).sum(0) + (c - y) for a, y in zip(activations, targets, strict=True)]

    def step(i: Tensor, w0: Tensor, w1: Tensor, v: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        activations, errors = forward([w0, w1], v, b, c)
        pairs = list(zip(activations, errors, strict=True))
        deltas = [torch.where(a > 0, e, 0.0) if relu else (1 - a * a) * e for a, e in pairs]
        grad_w0, grad_w1 = (sum(d for d, x in zip(deltas, patterns, strict=True) if x[k]) for k in range(2))
        scale = rate * v
        return (
            i + 1,
            w0 - scale * grad_w0,
            w1 - scale * grad_w1,
            v - rate * sum(a * e for a, e in pairs),
            b - scale * sum(deltas),
            c - rate * sum(errors),
        )

    def loop(*start: Tensor) -> Tensor:
        _, w0, w1, v, b, c = torch.while_loop(lambda i, *_: i < steps, step, start)
        return sum(e * e for e in forward([w0, w1], v, b, c)[1])

    return loop
