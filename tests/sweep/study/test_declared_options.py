"""The options of a study are those of the kernels, the oracle and the documentation."""

from __future__ import annotations

import math
from typing import Any, get_args

import kernels.recipe
import kernels.start.numbers
from kernels import vocabulary
from sweep.columns import STATUSES
from sweep.study.data.data_table import DATA_OPTIONS
from sweep.study.data.pattern_files import MAX_PATTERNS
from sweep.study.options.option_tables import (
    CONVERGENCE,
    INITIAL_WEIGHTS,
    LOSS_ALIASES,
    NETWORK,
    OPTIONS,
    SWEEPABLE,
    TRAINING,
    OptionTables,
    with_role,
)
from sweep.study.options.option_tables import SECTIONS as MODELS
from sweep.study.reading.section import MAX_SEED
from tests import oracle
from tests.oracle.components import ALIASES
from tests.sweep.support import SECTIONS, SHAPE, START, make_study


def test_every_scalar_but_the_dtype_can_be_swept() -> None:
    """The parameters that can be swept are the scalars of the sections."""
    assert SECTIONS | dict.fromkeys(DATA_OPTIONS, "data") == SWEEPABLE


def test_names_are_those_of_the_kernels() -> None:
    """The study model allows exactly the names that kernels know."""

    def allowed(model: type[Any], field: str) -> tuple[str, ...]:
        return get_args(model.model_fields[field].annotation)

    activations = tuple(vocabulary.ACTIVATIONS)
    assert allowed(NETWORK, "activation") == activations
    assert allowed(NETWORK, "output") == (*activations, "softmax")
    assert allowed(NETWORK, "scaling") == ("standard", "ntk", "mean_field")
    assert set(allowed(NETWORK, "dtype")) == {"float64", "float32"}
    assert allowed(TRAINING, "loss") == (*LOSS_ALIASES, *vocabulary.LOSSES)
    reductions = get_args(get_args(TRAINING.model_fields["reduction"].annotation)[0])
    assert reductions == ("sum", "mean", "pattern_mean")
    assert allowed(TRAINING, "optimizer") == tuple(vocabulary.OPTIMIZERS)
    assert allowed(TRAINING, "order") == ("cyclic", "shuffled")
    assert allowed(CONVERGENCE, "criterion") == tuple(vocabulary.CRITERIA)
    distributions = get_args(allowed(INITIAL_WEIGHTS, "distribution")[0])
    assert distributions == ("normal", "uniform", "truncated_normal", "constant")
    assert allowed(INITIAL_WEIGHTS, "generator") == ("mt19937", "pcg64")
    assert LOSS_ALIASES == ALIASES
    assert STATUSES == oracle.STATUSES
    assert MAX_SEED == kernels.start.numbers.MAX_SEED == 2**32 - 1
    assert MAX_PATTERNS == 65_536


def test_values_are_checked_once() -> None:
    """Tables are built for each set of custom components, and building them adds no checks to the declared fields."""
    for _ in range(2):
        for model in OptionTables().sections.values():
            for name, field in model.model_fields.items():
                assert [each for each in field.metadata if field.metadata.count(each) > 1] == [], name


def test_roles_are_those_of_the_kernels() -> None:
    """Recipes, settings and starts hold exactly the options of their role."""
    recipe, architecture = kernels.recipe.Recipe._fields, kernels.recipe.Architecture._fields
    of_study = {"architecture", "inputs", "outputs", "deep", "records_thresholds", "warms_up", "loss_sums"}
    of_study |= {"draws_steps", "counts_right", "one_hot", "keeps_best"}
    of_recipe = {*recipe, *architecture} - of_study
    of_trainer = {"hidden", "layers", "shortcuts", "validate_every"}
    assert set(with_role("kernel")) == {*of_trainer, *of_recipe} == {"validate_every", "thresholds_on", *SHAPE}
    of_settings = {*with_role("setting"), "max_steps", "patterns", "schedule_steps"}
    assert of_settings == set(kernels.recipe.SETTINGS.names or ())
    assert set(with_role("limit")) == {"max_steps", "max_epochs"}
    assert set(with_role("data")) == set(DATA_OPTIONS)
    assert {*with_role("start")} == {*START, "values"}
    of_start = set(kernels.start.initialize.Start._fields) - {"by_numpy", "attempt"}
    assert {name.replace("draw_order", "order") for name in START} == of_start


def test_defaults_are_those_of_the_kernels() -> None:
    """Omitted options have the same values in a study and in kernels, where None is NaN or infinity."""
    none = {"output_learning_rate": math.nan, "divergence_threshold": math.inf, "patience": math.inf}
    fixed = make_study(hidden=2, learning_rate=0.1).fixed()
    values = {name: none[name] if fixed[name] is None else fixed[name] for name in with_role("setting")}
    expected = {name: setting.default for name, setting in vocabulary.SETTINGS.items()}
    expected |= {"learning_rate": 0.1, "threshold": 0.01, "from_step": 0}
    assert values.keys() == expected.keys()
    for name, value in values.items():
        assert value == expected[name] or (math.isnan(value) and math.isnan(expected[name])), name


def test_every_option_is_documented() -> None:
    """Every option has a meaning, in its section."""
    for name, option in OPTIONS.items():
        assert option.section == "data" or name in MODELS[option.section].model_fields
        assert len(option.meaning) > 9
        assert set(option.used_with) <= set(OPTIONS)
