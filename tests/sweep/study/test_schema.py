"""The schema of study files accepts every study, and refuses typing errors as the validation does."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from pydantic import ConfigDict, TypeAdapter, ValidationError

from sweep import Study, StudyError
from sweep.study.axes.swept_values import Reading, swept_parameters
from sweep.study.data.tasks import TASKS
from sweep.study.explanations.glossary import entries
from sweep.study.load import built_in_studies
from sweep.study.options.option_tables import BUILT_IN, OPTIONS, SECTIONS, SWEEPABLE
from sweep.study.reading.faults import Faults
from sweep.study.reading.value_forms import expand
from sweep.study.schema import study_schema
from tests.sweep.schemas import accepts, plain, validator, with_option
from tests.sweep.strategies import any_tables, swept
from tests.sweep.support import STUDY_TEXT, command

ROOT = Path(__file__).parents[3]
PAGES = sorted(page for part in ("tutorials", "how-to") for page in (ROOT / "docs" / part).glob("*.md"))
PLUGINS = ("fahlman", "hinton-t-c", "proben1", "sonar", "xor-tests")
TEXTS = {
    **{
        f"{page.parent.name}-{page.stem}-{number}": text
        for page in PAGES
        for number, text in enumerate(re.findall(r"^```toml\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S))
        if "[[figures]]" not in text  # expectations
    },
    **{f"published-{path.parent.name}": path.read_text("utf-8") for path in (ROOT / "results").rglob("study.toml")},
    "tests": STUDY_TEXT,
}
EXAMPLES = {
    # Without those of custom components, which the schema does not know
    **{name: tables for name, tables in built_in_studies().items() if not name.startswith(PLUGINS)},
    **{name: tomllib.loads(text) for name, text in TEXTS.items()},
}


def test_command() -> None:
    """`sweep schema` prints the schema, which is one of draft 4."""
    finished = command("schema")
    assert (finished.code, finished.err) == (0, "")
    assert json.loads(finished.out) == study_schema()
    Draft4Validator.check_schema(study_schema())


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_accepted(name: str) -> None:
    """Built-in studies, those of all pages, and published ones."""
    assert [error.message for error in validator().iter_errors(EXAMPLES[name])] == []


@given(any_tables())
def test_valid_studies_are_accepted(tables: dict[str, Any]) -> None:
    """Tables that the schema refuses are not a study."""
    if not accepts(plain(tables)):
        with pytest.raises(StudyError):
            Study(**tables)


@given(st.sampled_from(sorted(SWEEPABLE)), swept)
def test_forms_of_values(name: str, spec: Any) -> None:
    """Any valid form of the values of a parameter is accepted, under both names of the parameter."""
    faults = Faults()
    with faults.of("parameters"):
        swept_parameters({name: spec}, Reading(BUILT_IN, 65_536))
    for key in (name, f"{SWEEPABLE[name]}.{name}"):
        assert accepts(with_option("parameters", key, plain(spec))) or faults


POOL = [
    *(True, "x", "relu", "8-4", "full", -1, 0, 1, 2, 65_537, 2.0, 2**33, -0.5, 0.5, 1.5, 1e30),
    *([], [1], {}, "w.T b", "w z"),
]


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_values_of_options(name: str) -> None:
    """A value of an option is accepted exactly if it is valid, fixed or swept."""
    adapter: TypeAdapter[Any] = TypeAdapter(OPTIONS[name].type, config=ConfigDict(strict=True))
    verdicts = set()
    for value in POOL:
        try:
            adapter.validate_python(value)
            valid = True
        except ValidationError:
            valid = False
        verdicts.add(valid)
        if name in SWEEPABLE:
            for form in ([value], {"value": value}, {"values": [value]}):
                assert accepts(with_option("parameters", name, form)) == valid, form
        if name not in SWEEPABLE or SWEEPABLE[name] != "data":
            section = next(section for section, model in SECTIONS.items() if name in model.model_fields)
            assert accepts(with_option(section, name, value)) == valid, value
    assert False in verdicts


def test_each_key_is_described_and_misspelled() -> None:
    """Keys have the texts of `sweep explain`, and no table takes others."""
    tables = study_schema()["properties"]
    for entry in entries():
        assert tables[entry.section]["properties"][entry.key]["description"] == f"{entry.meaning}; {entry.facts}"
        for key in (f"{entry.key}s_", entry.key.capitalize()):
            for value in (1, 0.5, "xor", True, [0.5]):
                assert not accepts(with_option(entry.section, key, value))
    tables |= {name: tables["data"]["properties"][name] for name in ("validation", "test")}
    for table in tables.values():
        assert all(each["description"] for each in (table, *table.get("properties", {}).values()))
    for key in ("seed", "Network", "traning", "parameter"):
        assert not accepts({"data": {"task": "xor"}, key: {}})


@pytest.mark.parametrize(
    "spec",
    [
        [],
        [2, 2],
        {},
        {"geomspaces": [1, 8, 4]},
        {"geomspace": [1, 8]},
        {"geomspace": [1, 8, 4, 1]},
        {"geomspace": [0, 8, 4]},
        {"geomspace": [1, 8, 4.5]},
        {"linspace": [1, 8, "4"]},
        {"range": [1.5, 8]},
        {"range": [8]},
        {"range": [-1, 8]},
        {"values": [1], "value": 2},
        {"min": 1, "num": 2},
        {"min": 1, "max": 8, "distribution": "log_uniform"},
        {"value": [1]},
        "8-",
        "8-4-",
        "9-9-9-9-9-9-9-9-9",
    ],
    ids=str,
)
def test_wrong_forms_are_refused(spec: Any) -> None:
    """Wrong forms of values for an option that takes integers are refused."""
    with pytest.raises(StudyError):
        swept_parameters({"hidden": spec}, Reading(BUILT_IN, 4))
    assert not accepts(with_option("parameters", "hidden", spec))


def test_tests_are_of_all_options_and_tasks() -> None:
    """There are examples of each kind; random studies have every option but those of data, the schema every form."""
    assert {"xor", "hinton-symmetry", "published-boolean"} < set(EXAMPLES)
    assert any(name.startswith("how-to-") for name in EXAMPLES)
    tables = study_schema()["properties"]
    assert tables["data"]["properties"]["task"]["enum"] == list(TASKS)
    assert set(tables) == set(signature(Study).parameters) - {"unknown"}  # the keywords that it refuses
    forms = {
        key for form in tables["parameters"]["properties"]["hidden"]["anyOf"] for key in form.get("properties", ())
    }
    with pytest.raises(ValueError, match="unknown key 'zzz'; known: ") as refused:
        expand({"zzz": 1}, integer=True)
    assert forms == set(str(refused.value).partition("known: ")[2].split(", "))


@pytest.mark.skipif(not shutil.which("taplo"), reason="taplo is not installed")
def test_taplo_takes_it(tmp_path: Path) -> None:
    """The program behind editors finds the schema by its directive, and tells integers from floats."""
    (tmp_path / "study.schema.json").write_text(json.dumps(study_schema()))
    for name, text in TEXTS.items():
        (tmp_path / f"{name}.toml").write_text(f"#:schema ./study.schema.json\n{text}")
        done = subprocess.run(["taplo", "lint", f"{name}.toml"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    for line in ("count = 2.0", "count = 0", "cuont = 3"):
        (tmp_path / "bad.toml").write_text(f'#:schema ./study.schema.json\n[data]\ntask = "xor"\n[seeds]\n{line}\n')
        done = subprocess.run(["taplo", "lint", "bad.toml"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode != 0
        assert line.split()[0] in done.stderr
