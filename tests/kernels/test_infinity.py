"""Which custom optimizers never make numbers finite again, so that kernels may skip products with zero."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kernels import vocabulary
from kernels.custom import registry
from kernels.custom.source import keeps_infinity, read_function, write_source
from kernels.vocabulary import OPTIMIZERS
from sweep import load_plugin

HEAD = "import sweep\nfrom sweep.lanes import absolute, select, sqrt\nfrom sweep.lanes import select as where\n\n"

# The body of an optimizer of one or two states, and whether its numbers never become finite again.
BODIES = {
    "v = 0.9 * v + g\n    return p - rate * v, v": True,
    "v: object = -(absolute(g) + v)\n    return p, v": True,
    "return p - rate * (g / (sqrt(v) + 1.0)), v": True,
    "v = select(g > 0.0, v + g, g - v)\n    return p, 0.5 * v": True,
    "return where(g > 1.0, p - rate * g, p + g), v": True,
    "return where(g > 1.0, p, p - rate * g), v": False,
    "return p - rate / (1.0 + absolute(g)), v": False,
    "return p, g": False,  # for one update
    "p, v = v + g, p\n    return v, p": True,
    "p, v = v, p\n    return p, g + 0.0": False,
    "g = 0.0\n    return p - g, v": False,
    "m = g > 0.0\n    return p - rate * select(m, 1.0, v), v": False,
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_built_in_optimizers(name: str) -> None:
    """The proof agrees with the declarations of the built-in optimizers."""
    update = read_function(name, OPTIMIZERS[name].update)
    source = write_source(name, [update], {})
    assert keeps_infinity(source, update.name, len(OPTIMIZERS[name].states)) == OPTIMIZERS[name].keeps_infinity


@pytest.mark.parametrize("body", BODIES)
def test_custom_optimizers(body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proved property holds for any updates after a gradient that is not finite."""
    monkeypatch.setattr(registry, "_BY_NAME", {})
    file = tmp_path / "mine.py"
    file.write_text(f"{HEAD}@sweep.optimizer(states=(0.0,))\ndef mine(p, g, v, rate):\n    {body}\n")
    load_plugin(file)
    component = registry.declared_components()["mine"]
    assert vocabulary.OPTIMIZERS[component.declaration.key].keeps_infinity == BODIES[body]
    if BODIES[body]:
        random = np.random.default_rng(3)
        p, v, rate = random.normal(size=300), np.zeros(300), np.full(300, 0.1)
        with np.errstate(all="ignore"):
            for gradient in (np.resize([np.inf, -np.inf, np.nan], 300), *random.normal(size=(50, 300))):
                p, v = component.functions["function"](p, gradient, v, rate)
                assert not (np.isfinite(p) & np.isfinite(v)).any()
