"""The words of a study are those of the kernels, the oracle and the documentation."""

from __future__ import annotations

import math
from typing import Any, get_args

import kernels.recipe
import kernels.start.numbers
import kernels.words.activations
import kernels.words.criteria
import kernels.words.losses
import kernels.words.optimizers
from sweep.patterns import MAX_PATTERNS
from sweep.schema import STATUSES
from sweep.sections import MAX_SEED
from sweep.words import (
    LOSS_ALIASES,
    SWEEPABLE,
    WORDS,
    Convergence,
    InitialWeights,
    Network,
    Training,
    with_role,
)
from sweep.words import (
    SECTIONS as MODELS,
)
from tests import oracle
from tests.oracle.words import ALIASES
from tests.sweep.support import SECTIONS, SHAPE, START, make_study


def test_every_scalar_but_the_dtype_can_be_swept() -> None:
    """The parameters that can be swept are the scalars of the sections."""
    assert SWEEPABLE == SECTIONS


def test_names_are_those_of_the_kernels() -> None:
    """The study model allows just what the kernels can do."""

    def allowed(model: type[Any], field: str) -> tuple[str, ...]:
        return get_args(model.model_fields[field].annotation)

    activations = kernels.words.activations.NAMES
    assert allowed(Network, "activation") == allowed(Network, "output") == activations
    assert allowed(Network, "scaling") == ("standard", "ntk", "mean_field")
    assert set(allowed(Network, "dtype")) == {"float64", "float32"}
    assert allowed(Training, "loss") == (*LOSS_ALIASES, *kernels.words.losses.NAMES)
    reductions = get_args(get_args(Training.model_fields["reduction"].annotation)[0])
    assert reductions == kernels.words.losses.REDUCTIONS
    assert allowed(Training, "optimizer") == kernels.words.optimizers.NAMES
    assert allowed(Training, "order") == ("cyclic", "shuffled")
    assert allowed(Convergence, "criterion") == kernels.words.criteria.NAMES
    assert allowed(InitialWeights, "distribution") == kernels.start.numbers.DISTRIBUTIONS
    assert allowed(InitialWeights, "stream") == kernels.start.numbers.STREAMS
    assert LOSS_ALIASES == ALIASES
    assert STATUSES == oracle.STATUSES
    assert MAX_SEED == kernels.start.numbers.MAX_SEED == 2**32 - 1
    assert MAX_PATTERNS == 65_536


def test_roles_are_those_of_the_kernels() -> None:
    """Words of each role are just what recipes, settings and starts hold."""
    recipe, architecture = kernels.recipe.Recipe._fields, kernels.recipe.Architecture._fields
    of_recipe = {*recipe, *architecture} - {"architecture", "inputs", "outputs"}
    assert set(with_role("kernel")) == {"hidden", *of_recipe} == {"dtype", *SHAPE}
    assert {*with_role("setting"), "max_steps"} == set(kernels.recipe.SETTINGS.names or ())
    assert set(with_role("limit")) == {"max_steps", "max_epochs"}
    assert with_role("start") == START
    assert {name.replace("draw_order", "order") for name in START} == set(kernels.start.initialize.Start._fields)


def test_defaults_are_those_of_the_kernels() -> None:
    """What is not said of a cell is the same in a study and in kernels, where none is said as NaN or infinity."""
    none = {"output_learning_rate": math.nan, "bound": math.inf}
    fixed = make_study(hidden=2, learning_rate=0.1).fixed()
    own = {name: none[name] if fixed[name] is None else fixed[name] for name in with_role("setting")}
    own |= {"below": 0.0}  # which the kernels' users must say
    expected = {**kernels.recipe.DEFAULTS, "learning_rate": 0.1}
    assert own.keys() == expected.keys()
    for name, value in own.items():
        assert value == expected[name] or (math.isnan(value) and math.isnan(expected[name])), name


def test_every_word_is_documented() -> None:
    """Every word says what it means, in the section where it stands."""
    for name, word in WORDS.items():
        assert name in MODELS[word.section].model_fields
        assert len(word.meaning) > 9
        assert set(word.used_with) <= set(WORDS)
