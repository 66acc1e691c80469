"""Cases that contain every pair of components of a recipe, and every pair of kinds of settings.

A fault that needs two components together is found without the product of all components: a covering set has some
hundred cases in place of billions.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from kernels import vocabulary
from kernels.components.reductions import REDUCTIONS
from kernels.components.scalings import SCALINGS
from kernels.recipe import Architecture, Recipe
from tests.kernels.covering import Choice, cover_pairs
from tests.kernels.runs import Kinds, Runs, draw_runs
from tests.kernels.specs import RECIPE_FIELDS, TUNINGS, Spec, name_of
from tests.kernels.support import sized
from tests.oracle.components import OWN_OUTPUTS

# How many of the covering cases ``make test-all`` compiles: as many as contain every value once.
N_COMPILED = 15

# The optional settings that fit any component.
_OPTIONAL = [name for name, setting in vocabulary.SETTINGS.items() if setting.is_optional and not setting.used_with]

_WEIGHTS = ("w[1,0]", "v[0,0]", "b[0]", "w2[1,0]", "b1[1]", "c[0]", "k[1,0]", "k2[1,0]")
_TYPES = get_type_hints(Architecture) | get_type_hints(Recipe)


def _names_in(kind: Any) -> tuple[Any, ...]:
    """Return the Booleans and names that a type allows, none for other types."""
    if kind is bool:
        return (False, True)
    return get_args(kind) if get_origin(kind) is Literal else sum(map(_names_in, get_args(kind)), ())


# Values of the fields of specifications: all components, Booleans and names, and for other fields these.
DIMENSIONS: dict[str, tuple[Any, ...]] = {
    **{name: names for name in RECIPE_FIELDS if (names := _names_in(_TYPES[name]))},
    "activation": tuple(vocabulary.ACTIVATIONS),
    "output": tuple(vocabulary.OUTPUTS),
    "loss": tuple(vocabulary.LOSSES),
    "reduction": REDUCTIONS,
    "optimizer": tuple(vocabulary.OPTIMIZERS),
    "schedule": tuple(vocabulary.SCHEDULES),
    "criterion": tuple(vocabulary.CRITERIA),
    "stopping_rule": tuple(vocabulary.STOPPING_RULES),
    "monitor": ("", *vocabulary.MONITORS),
    "scaling": tuple(SCALINGS),
    "tuning": tuple(TUNINGS),
    "batch": (None, 1, "uneven"),
    "used": tuple(dict.fromkeys([(), *((name,) for name in _OPTIONAL), tuple(sorted(_OPTIONAL))])),
    "freeze": ((), ("w",), ("v", "k"), ("b", "c"), _WEIGHTS),
    "share": ((), (("w[0]", "w[1]"), ("b1[0]", "b1[1]"))),
    "decays": (tuple("wvbck"), ("w", "v"), ("b",), ("c", "k")),
    "loss_sums": (
        (),
        ("inverse_loss_sum",),
        ("loss_sum", "tail_loss"),
        ("running_loss",),
        ("tail_loss", "running_loss"),
    ),
    # Of tests
    "task": ("xor", "adder", "numbers", "parity", "many numbers"),
    "targets": ((), (3.0, 1.2, 0.6, 0.1)),
    "below": ((), (4,), (2, 3)),
    "held_out": (3, 1, 13),
    "validate_every": (1, 2, 3),
    "sets": ("one", "targets", "patterns"),
    "hidden": (1, 2, 3, 5),
    "output_rate": ("same", "own", "zero"),
    "divergence_threshold": ("none", "own"),
    "from_step": ("start", "own"),
}


# What a step with these values takes without the JIT: they are chosen seldom where they cover no further pair.
COSTS: dict[Choice, int] = {("task", "adder"): 3, ("task", "numbers"): 3, ("task", "many numbers"): 9}
COSTS |= {("task", "parity"): 20, ("below", (4,)): 6, ("below", (2, 3)): 6}


# Packets take turns where few patterns are constants; blocks need many patterns.
FEW = {"batch": (None,), "task": ("xor", "adder", "numbers")}
MANY = {"batch": (None, "uneven"), "task": ("parity", "many numbers")}
MATTERS = {"one packet": FEW, "small cache": FEW, "no constants": FEW}
MATTERS["three packets"] = FEW | {"hidden": (1, 2), "below": ((),)}
MATTERS |= {"small blocks": MANY, "uneven blocks": MANY, "large blocks": MANY}


def fits(one: Choice, other: Choice) -> bool:
    """Return whether two values can be combined.

    The loss bce needs a sigmoid, cross_entropy needs softmax, and some tunings matter only with some patterns. Rprop
    takes all patterns in a step, and a learning rate that changes later has no effect on it. Prechelt's rules look at
    the loss of held-out patterns.
    """
    case = dict((one, other))
    for name, values in MATTERS.get(case.get("tuning"), {}).items():
        if case.get(name, values[0]) not in values:
            return False
    own = OWN_OUTPUTS.get(case.get("loss"))
    if own and case.get("output", own) != own:
        return False
    if case.get("output") == "softmax" and case.get("loss", "cross_entropy") != "cross_entropy":
        return False
    rule = vocabulary.STOPPING_RULES[case.get("stopping_rule", "patience")]
    if rule.needs_loss and case.get("monitor", "held_out_loss") != "held_out_loss":
        return False
    if case.get("criterion") == "running_loss" and case.get("criterion_on", "train") != "train":
        return False  # held-out patterns have no running loss
    changes_rate = "warmup" in case.get("used", ()) or case.get("schedule", "constant") != "constant"
    return case.get("optimizer") != "rprop" or not (case.get("batch") or changes_rate)


@dataclass(frozen=True)
class Case:
    """What runs share, their hidden size, and which settings differ between them."""

    spec: Spec
    hidden: int
    kinds: Kinds

    @classmethod
    def of(cls, values: dict[str, Any]) -> Case:
        """Sort values by name."""
        spec, kinds = (kind(**{field.name: values[field.name] for field in fields(kind)}) for kind in (Spec, Kinds))
        return cls(spec, values["hidden"], kinds)

    def draw(self, seed: int) -> Runs:
        """Draw runs of up to a few epochs, fewer with many patterns."""
        many, windows = self.spec.task in ("parity", "many numbers"), self.spec.n_windows
        most_steps = sized(30, 5 if many else 8) if windows == 1 else sized(4, 1 if many else 2) * windows + 2
        return draw_runs(self.spec, self.hidden, sized(40, 16), seed, most_steps, self.kinds)

    def __str__(self) -> str:
        """Name the case in a test's id."""
        return f"{name_of(self.spec)}-{self.hidden} units"


@cache
def covering_values() -> list[dict[str, Any]]:
    """Cover every pair of values that can be combined, by name."""
    return cover_pairs(DIMENSIONS, fits, COSTS)


@cache
def covering_cases() -> tuple[Case, ...]:
    """Cover every pair of values that can be combined; earlier cases contain more new pairs."""
    return tuple(map(Case.of, covering_values()))
