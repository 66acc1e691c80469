"""The options of a study are those of the kernels, the oracle and the documentation."""

from __future__ import annotations

import math
from typing import Annotated, Any, get_args, get_origin

import kernels.recipe
import kernels.settings
import kernels.start.initialize
import kernels.start.numbers
from kernels import vocabulary
from sweep.columns import STATUSES
from sweep.study.data.data_table import DATA_OPTIONS
from sweep.study.data.pattern_files import MAX_PATTERNS
from sweep.study.options.option_tables import (
    LOSS_ALIASES,
    OPTIONS,
    with_role,
)
from sweep.study.options.option_tables import SECTIONS as MODELS
from sweep.study.reading.section import MAX_SEED
from tests import oracle
from tests.oracle.components import ALIASES
from tests.sweep.support import SHAPE, START, make_study


def test_names_are_those_of_the_kernels() -> None:
    """The study model allows exactly the names that kernels know."""

    def allowed(name: str) -> tuple[Any, ...]:
        kind = OPTIONS[name].type
        return get_args(get_args(kind)[0]) if get_origin(kind) is Annotated else get_args(kind)

    activations = tuple(vocabulary.ACTIVATIONS)
    assert allowed("activation") == activations
    assert allowed("output") == (*activations, "softmax")
    assert allowed("scaling") == ("standard", "ntk", "mean_field")
    assert set(allowed("dtype")) == {"float64", "float32"}
    assert allowed("loss") == (*LOSS_ALIASES, *vocabulary.LOSSES)
    reductions = get_args(allowed("reduction")[0])
    assert reductions == ("sum", "mean", "pattern_mean")
    assert allowed("optimizer") == tuple(vocabulary.OPTIMIZERS)
    assert allowed("order") == ("cyclic", "shuffled")
    assert allowed("criterion") == tuple(vocabulary.CRITERIA)
    distributions = get_args(allowed("distribution")[0])
    assert distributions == ("normal", "uniform", "truncated_normal", "constant")
    assert allowed("generator") == ("mt19937", "pcg64")
    assert LOSS_ALIASES == ALIASES
    assert STATUSES == oracle.STATUSES
    assert MAX_SEED == kernels.start.numbers.MAX_SEED == 2**32 - 1
    assert MAX_PATTERNS == 65_536


def test_roles_are_those_of_the_kernels() -> None:
    """Recipes, settings and starts hold exactly the options of their role."""
    recipe, architecture = kernels.recipe.Recipe._fields, kernels.recipe.Architecture._fields
    of_study = {"architecture", "inputs", "outputs", "deep", "records_thresholds", "used", "loss_sums"}
    of_study |= {"counts_right", "one_hot", "keeps_best"}
    of_recipe = {*recipe, *architecture} - of_study
    of_trainer = {"hidden", "layers", "shortcuts", "validate_every"}
    assert set(with_role("kernel")) == {*of_trainer, *of_recipe} == {"validate_every", "thresholds_on", *SHAPE}
    of_settings = {*with_role("setting"), "max_steps", "patterns", "schedule_steps"}
    assert of_settings == set(kernels.settings.SETTINGS.names or ())
    assert set(with_role("limit")) == {"max_steps", "max_epochs"}
    assert set(with_role("data")) == set(DATA_OPTIONS)
    assert {*with_role("start")} == {*START, "values"}
    of_start = set(kernels.start.initialize.Start._fields) - {"by_numpy", "attempt"}
    assert {name.replace("draw_order", "order") for name in START} == of_start


def test_defaults_are_those_of_the_kernels() -> None:
    """Omitted options have the same values in a study and in kernels, where None is NaN or infinity."""
    fixed = make_study(hidden=2, learning_rate=0.1).fixed()
    expected = {name: setting.default for name, setting in vocabulary.SETTINGS.items()}
    expected |= {"learning_rate": 0.1, "threshold": 0.01, "from_step": 0}
    assert set(with_role("setting")) == expected.keys()
    for name, value in expected.items():
        assert fixed[name] == (value if math.isfinite(value) else None), name


def test_every_option_is_documented() -> None:
    """Every option has a meaning, in its section."""
    for name, option in OPTIONS.items():
        assert option.section == "data" or name in MODELS[option.section].model_fields
        assert len(option.meaning) > 9
        assert set(option.used_with) <= set(OPTIONS)
