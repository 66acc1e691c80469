"""Random compositions of all options of a study: each equals the oracle, however it is run and read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from kernels.numba import jit
from sweep.study.axes.samples import KEYS
from sweep.study.explanations.glossary import LISTS, entries
from sweep.study.options.other_sections import Until
from tests.kernels.support import sized
from tests.sweep.compositions.checks import Ways, check_composition, ways
from tests.sweep.compositions.data import File
from tests.sweep.compositions.studies import Tables, compositions, faults_of, valid_compositions

# How many compositions are drawn to find which options occur and how many studies are refused: some of each of several
# seeds, since those of one resemble each other.
N_SEEDS, N_OF_SEED = 24, 40
# Parts of the long test, which processes share, and compositions of each; compiled, each needs separate kernels.
N_PARTS, N_OF_PART = 20, sized(1, 100)

without_jit = pytest.mark.skipif(
    jit.ENABLED, reason="each composition would compile separate kernels, which give equal rows"
)

DRAWS = settings(
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def check_many(part: int, count: int) -> None:
    """Check a number of compositions of a seed."""

    @seed(part)
    @settings(DRAWS, max_examples=count)
    @given(valid_compositions(), ways)
    def check(tables: Tables, how: Ways) -> None:
        with TemporaryDirectory() as folder:
            check_composition(tables, how, Path(folder))

    check()


@without_jit
@pytest.mark.parametrize(("part", "count"), [(1, 2), pytest.param(0, 10, marks=pytest.mark.wide)])
def test_compositions(part: int, count: int) -> None:
    """Some compositions keep all promises; they are the same in each session, and those of `make test` are small."""
    check_many(part, count)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(1, N_PARTS + 1))
def test_many_compositions(part: int) -> None:
    """Thousands of compositions keep all promises."""
    check_many(part, N_OF_PART)


def draw_many() -> list[tuple[Tables, list[str]]]:
    """Draw compositions, with the faults of refused ones."""
    found: list[tuple[Tables, list[str]]] = []
    for number in range(N_SEEDS):

        @seed(number)
        @settings(DRAWS, max_examples=N_OF_SEED)
        @given(compositions())
        def draw(tables: Tables) -> None:
            found.append((tables, faults_of(tables)))

        draw()
    return found


def keys_and_values(tables: Any, section: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each key of tables by its last part, and each of its values, for lists their elements."""
    for key, value in tables.items():
        name = key.rpartition(".")[2]
        yield name, None
        if isinstance(value, File):
            yield f"file {value.suffix}", None
            yield from keys_and_values(value.columns)
        elif isinstance(value, dict):
            yield from keys_and_values(value)
        for each in value if isinstance(value, list) else [value]:
            yield from keys_and_values(each) if isinstance(each, dict) else [(name, json.dumps(each, default=str))]


def values_of_lists(tables: Any) -> Iterator[tuple[str, Any]]:
    """Yield the values of swept options, in all forms, by the name of the option."""
    for together in ({}, *tables.get("zip", []), *tables.get("samples", []), tables["parameters"]):
        for key, form in together.items():
            for each in form.get("values", [form.get("value")]) if isinstance(form, dict) else []:
                yield key.rpartition(".")[2], json.dumps(each)


@pytest.mark.wide
@without_jit
def test_every_option_is_drawn() -> None:
    """Each key, each named value, and each form of values and files occurs, and few studies are refused."""
    drawn = draw_many()
    refused = [faults for _, faults in drawn if faults]
    assert len(drawn) >= N_SEEDS * N_OF_SEED / 2
    assert len(refused) < len(drawn) / 20, refused
    valid = [tables for tables, faults in drawn if not faults]
    found = {pair for tables in valid for pair in (*keys_and_values(tables), *values_of_lists(tables))}
    keys = {entry.key for entry in entries()} | {*LISTS, *KEYS, *Until.model_fields}
    forms = {"values", "value", "geomspace", "linspace", "range", "min", "max", "num"}
    files = {f"file {suffix}" for suffix in (".csv", ".parquet", ".npy", ".npz")}
    missing = (keys | forms | files) - {key for key, _ in found}
    assert missing == set()
    names = {(entry.key, json.dumps(name)) for entry in entries() for name in entry.values}
    assert names - found == set()
    assert any("[" in key for key, _ in found), "no single weight is swept"
