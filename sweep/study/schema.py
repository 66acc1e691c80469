"""The JSON Schema of study files, of draft 4, with which editors complete and check keys and the values of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sys import float_info
from typing import Any

from pydantic import BaseModel, create_model

from sweep.study.data.data_table import DATA_OPTIONS, HELD_OUT, HELD_OUT_ARGUMENTS
from sweep.study.data.pattern_files import MAX_PATTERNS
from sweep.study.data.tasks import ARGUMENTS, BY_RUN, TASKS
from sweep.study.explanations.glossary import LISTS, entries, known_measures, models_of
from sweep.study.model import NAME
from sweep.study.options.explicit_weights import WEIGHT_PATTERN
from sweep.study.options.option_tables import OptionTables, known_tables
from sweep.study.options.other_sections import MAX_CURVE_STEP, MAX_POINTS, MAX_THRESHOLDS
from sweep.study.reading.value_forms import DISTRIBUTIONS
from sweep.system.plain_values import MAX_VALUES

Schema = dict[str, Any]

# Keywords of pydantic's schemas that are kept.
_KEPT = (
    *("description", "type", "enum", "pattern", "required", "additionalProperties", "default", "items", "minItems"),
    *("uniqueItems", "patternProperties", "minProperties", "multipleOf"),
)
_LIMITS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")

_NUMBERS = {"type": "array", "items": {"type": "number"}, "minItems": 1}
_ROWS = {"type": "array", "items": _NUMBERS, "minItems": 1, "maxItems": MAX_PATTERNS}
_PACKED: Schema = {
    "type": "object",
    "description": "a large matrix, as in stored studies: float64 by rows in zlib and base64",
    "properties": {"columns": {"type": "integer", "minimum": 1}, "packed": {"type": "string"}},
    "required": ["columns", "packed"],
    "additionalProperties": False,
}
_TABLES: Schema = {"type": "array", "items": {"type": "object"}}
_NAMES = {"type": "array", "items": {"type": "string"}, "minItems": 1}


def study_schema() -> Schema:
    """Return the schema of a study file, which may name the custom components of this process."""
    known = known_tables()
    models = models_of(known)
    meanings: dict[str, dict[str, str]] = {section: {} for section in models}
    meanings["data"] |= {name: DATA_OPTIONS[name].meaning for name in HELD_OUT_ARGUMENTS}
    for entry in entries():
        meanings[entry.section][entry.key] = f"{entry.meaning}; {entry.facts}"
    types: dict[str, Any] = {name: (argument.type, None) for name, argument in DATA_OPTIONS.items()}
    options = _of_model(create_model("Options", **types))["properties"]
    tables = {section: _of_model(model) for section, model in models.items() if section != "data"}
    swept = {
        name: tables[section]["properties"][name]
        for name, section in known.sweepable.items()
        if section in known.sections
    }
    tables["parameters"] = _parameters({**swept, **{name: options[name] for name in DATA_OPTIONS}}, meanings, known)
    tables["record"]["properties"]["measures"]["items"]["enum"] = list(known_measures())
    threshold = {"type": "number", "minimum": 0, "exclusiveMinimum": True}
    tables["record"]["properties"]["loss_thresholds"] = _forms(threshold, MAX_THRESHOLDS)
    step = {"type": "integer", "minimum": 0, "maximum": MAX_CURVE_STEP}
    tables["record"]["properties"]["curves"]["properties"]["steps"] = _forms(step, MAX_POINTS)
    del tables["convergence"]["properties"]["monitor"]["default"]  # it depends on the patterns
    tables["data"] = _data(options)
    for section, of_section in meanings.items():
        _describe(tables[section]["properties"], of_section)
    for name in HELD_OUT:
        _describe(tables["data"]["properties"][name]["properties"], meanings["data"])
    others = ("parameters", "restarts", "seeds", "record")
    declared = {
        "components": {
            "type": "object",
            "description": "declarations of custom components, as stored studies have them",
        }
    }
    texts: dict[str, Schema] = {
        "name": {"type": "string", "pattern": f"^{NAME.pattern}$", "description": "names the folder of results"},
        "description": {"type": "string", "description": "any text"},
        "method": {"enum": ["grid"], "description": "every combination of the values is a cell"},
        **{name: {"description": text, "anyOf": [_TABLES, _TABLES["items"]]} for name, text in LISTS.items()},
    }
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "title": "a study of xor-sweep",
        **_table({**texts, **{section: tables[section] for section in ("data", *known.sections, *others)}, **declared}),
        "required": ["data"],
    }


def _describe(properties: dict[str, Schema], meanings: Mapping[str, str]) -> None:
    for name in meanings.keys() & properties.keys():
        properties[name]["description"] = meanings[name]


def _table(properties: Mapping[str, Schema], required: Iterable[str] = ()) -> Schema:
    """Return the schema of a table with no other keys."""
    needed = {"required": list(required)} if required else {}
    return {"type": "object", "properties": dict(properties), "additionalProperties": False, **needed}


def _of_model(model: type[BaseModel]) -> Schema:
    made = model.model_json_schema()
    meaning = " ".join((model.__doc__ or "").replace("``", "").split())
    return {**_draft4(made, made.get("$defs", {})), "description": meaning}


def _draft4(made: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Return a schema of pydantic in draft 4, without references and without null, which TOML lacks."""
    if "$ref" in made:
        return _draft4(definitions[made["$ref"].rpartition("/")[2]], definitions)
    schema = {key: made[key] for key in _KEPT if made.get(key) is not None}
    if "const" in made:
        schema["enum"] = [made["const"]]
    for end in ("minimum", "maximum"):
        strict = f"exclusive{end.capitalize()}"
        if strict in made:
            schema |= {end: made[strict], strict: True}
        elif abs(made.get(end, float_info.max)) < float_info.max:  # otherwise any finite number
            schema[end] = made[end]
    if "properties" in made:
        schema["properties"] = {key: _draft4(each, definitions) for key, each in made["properties"].items()}
    options = [_draft4(each, definitions) for each in made.get("anyOf", ()) if each.get("type") != "null"]
    options = [each for option in options for each in option.get("anyOf", [option])]
    return {**options[0], **schema} if len(options) == 1 else {**schema, **({"anyOf": options} if options else {})}


def _parameters(
    options: Mapping[str, Schema], meanings: Mapping[str, Mapping[str, str]], known: OptionTables
) -> Schema:
    """Return the schema of the table [parameters], whose keys may include their table: "network.hidden"."""
    properties = {}
    dotted = {}
    for name, section in known.sweepable.items():
        properties[name] = {"description": meanings[section][name], **_forms(options[name])}
        dotted[rf"^{section}\.{name}$"] = {"$ref": f"#/properties/parameters/properties/{name}"}
    weight = f"^(initial_weights\\.)?({WEIGHT_PATTERN})$"
    dotted[weight] = {"description": "initial value of this weight", **_forms({"type": "number"})}
    meaning = "Swept parameters: every combination of their values is a cell, and the last one varies fastest."
    return {"description": meaning, **_table(properties), "patternProperties": dotted}


def _forms(value: Schema, most: int = MAX_VALUES) -> Schema:
    """Return the schema of the values of a swept parameter: the forms that ``expand`` reads."""
    value = {key: each for key, each in value.items() if key not in ("default", "description")}
    kinds = value.get("anyOf", [value])
    listed = {"type": "array", "items": value, "minItems": 1, "maxItems": most, "uniqueItems": True}
    forms = [value, listed, _table({"value": value}, ["value"]), _table({"values": listed}, ["values"])]
    number = next((kind for kind in kinds if kind.get("type") in ("integer", "number")), None)
    if number:
        limits = {key: number[key] for key in _LIMITS if key in number}
        end = {"type": "number", **limits}
        integer = {"type": "integer", **limits}
        count = {"type": "integer", "minimum": 1, "maximum": most}
        positive = end if end.get("minimum", 0) > 0 else {**end, "minimum": 0, "exclusiveMinimum": True}
        spaced = {"geomspace": positive, "linspace": end}
        forms += [_table({key: _listed(each, each, count)}, [key]) for key, each in spaced.items()]
        steps = {**_listed(integer, integer, {"type": "integer"}), "minItems": 2}
        forms.append(_table({"range": steps}, ["range"]))
        bounds = {"min": end, "max": end, "num": count, "distribution": {"enum": list(DISTRIBUTIONS)}}
        forms.append(_table(bounds, ["min", "max"]))
    return {"anyOf": forms}


def _listed(*items: Schema) -> Schema:
    """Return the schema of a list with one value of each of these schemas."""
    return {
        "type": "array",
        "items": list(items),
        "minItems": len(items),
        "maxItems": len(items),
        "additionalItems": False,
    }


def _data(options: Mapping[str, Schema]) -> Schema:
    patterns = {
        "task": {"enum": list(TASKS)},
        **{name: dict(options[name]) for name in ARGUMENTS},
        "file": {"type": "string"},
        "inputs": {"anyOf": [_ROWS, _NAMES, _PACKED]},
        "targets": {"anyOf": [_ROWS, _NUMBERS, _NAMES, _PACKED]},
        "target": {"type": "string"},
        "target_one_hot": {"type": "boolean"},
        "one_hot": _NAMES,
        "split": {"type": "string"},
    }
    held_out = {key: patterns[key] for key in patterns if key not in ("one_hot", "split")}
    others = {
        "train": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "uniqueItems": True},
        **{name: _table(held_out) for name in HELD_OUT},
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "hash of patterns that are swept"},
    }
    prepared = {key: options[key] for key in DATA_OPTIONS if key not in {*patterns, *HELD_OUT_ARGUMENTS}}
    of_runs = {"data_seed": {"anyOf": [patterns["data_seed"], {"enum": [BY_RUN]}]}}
    return {"description": "The patterns to learn.", **_table({**patterns, **of_runs, **prepared, **others})}
