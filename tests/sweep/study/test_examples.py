"""Each option has a valid example."""

from __future__ import annotations

import tomllib

import jsonschema
import pytest

from sweep.study.explanations.component_texts import COMPONENTS, component_texts
from sweep.study.explanations.glossary import Entry, entries
from sweep.study.schema import study_schema

SCHEMA = study_schema()


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: f"{entry.section}.{entry.key}")
def test_example(entry: Entry) -> None:
    """An example is a line of TOML that the schema of study files accepts."""
    values = tomllib.loads(entry.example)
    assert list(values) == [entry.key]
    allowed = SCHEMA["properties"][entry.section]["properties"][entry.key]
    jsonschema.Draft4Validator({"properties": {entry.key: allowed}}).validate(values)


def test_components_are_explained() -> None:
    """Each component has a sentence, and valid Python code for its functions."""
    texts = component_texts()
    assert [(text.kind, text.name) for text in texts] == [
        (kind, name) for kind in COMPONENTS for name in COMPONENTS[kind]
    ]
    for text in texts:
        assert text.meaning.endswith(".")
        compile(text.formula, text.name, "exec")
    without = {text.name for text in texts if not text.formula}
    assert without == {"softmax", "constant", "correct", "none"}
