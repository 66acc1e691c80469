"""Large matrices of patterns are packed in study files: the same bits, the same study, and sentences on damage."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import sys
import tomllib
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tomli_w

from sweep import Study, load_study
from sweep.study.data.packed import MOST_WRITTEN_OUT
from sweep.study.load import parse_study
from tests.sweep.schemas import accepts
from tests.sweep.support import refused, write_study

N_PATTERNS = MOST_WRITTEN_OUT // 10 + 1
STRANGE = [-0.0, 5e-324, -2.2250738585072e-308, sys.float_info.max, -sys.float_info.max, 0.1, 1e-5, 1e22, 2.0**53]


def matrix(columns: int = 10, seed: int = 0) -> list[list[float]]:
    """Return a matrix of the least number of rows with which one of 10 columns is packed."""
    rows: list[list[float]] = np.random.default_rng(seed).normal(size=(N_PATTERNS, columns)).tolist()
    rows[7][: len(STRANGE)] = STRANGE[:columns]
    return rows


def study_of(data: dict[str, Any]) -> Study:
    return Study(data=data, parameters={"hidden": [2], "learning_rate": [0.1]})


def bits(rows: Any) -> bytes:
    """Return the bits of a matrix, number by number."""
    return b"".join(struct.pack("<d", value) for row in rows for value in row)


def packed(content: bytes, columns: Any = 10) -> dict[str, Any]:
    """Return a packed matrix as study files have it."""
    return {"columns": columns, "packed": base64.b64encode(zlib.compress(content)).decode()}


def rewritten(study: Study) -> Study:
    """Return a study from a file that has all of its patterns as text."""
    return parse_study(tomli_w.dumps(study.canonical()), "there")


LARGE = {"inputs": matrix(), "targets": matrix(1, seed=1)}


def test_numbers_keep_their_bits() -> None:
    """Also denormals, the largest numbers and the sign of zero, in all tables of patterns."""
    held_out = enumerate(("validation", "test"))
    tables = {use: {"inputs": matrix(seed=k), "targets": matrix(10, k + 9)} for k, use in held_out}
    study = study_of({"inputs": matrix(seed=5), "targets": matrix(seed=6), **tables})
    text = study.to_toml()
    assert text.count("packed = ") == 6
    found = parse_study(text, "there")
    assert found.to_toml() == text
    for of in ("train", "validation", "test"):
        for read, made in zip(found.data.arrays(of), study.data.arrays(of), strict=True):  # type: ignore[arg-type]
            assert read.tobytes() == made.tobytes()
    assert bits(found.data.inputs) == bits(matrix(seed=5))
    written = tomllib.loads(text)["data"]["test"]["targets"]
    assert zlib.decompress(base64.b64decode(written["packed"])) == bits(matrix(seed=10))
    assert accepts(tomllib.loads(text))


def test_text_and_packed_are_the_same_study(tmp_path: Path) -> None:
    """The identity depends on the numbers, whatever the file, and on each bit of them."""
    study = study_of(LARGE)
    assert "packed" in study.to_toml()
    assert "packed" not in tomli_w.dumps(study.canonical())
    frame = pd.DataFrame({f"x{k}": column for k, column in enumerate(zip(*LARGE["inputs"], strict=True))})
    frame.assign(y=np.ravel(LARGE["targets"])).to_parquet(tmp_path / "patterns.parquet")
    others = [
        rewritten(study),
        load_study(write_study(tmp_path / "study.toml", study)),
        study_of({"file": str(tmp_path / "patterns.parquet")}),
        study_of({"inputs": np.array(LARGE["inputs"]), "targets": packed(bits(LARGE["targets"]), 1)}),
    ]
    assert {other.identity for other in others} == {study.identity}
    changed = matrix()
    changed[7][0] = 0.0  # it was -0.0
    assert study_of(LARGE | {"inputs": changed}) != study
    assert study_of(LARGE | {"inputs": matrix(seed=2)}) != study


def test_identity_is_a_fixed_number() -> None:
    """It is a hash of JSON with the SHA-256 of large matrices, and does not change from one version to the next."""
    rows = [[k + j / 8 for j in range(10)] for k in range(N_PATTERNS)]
    study = study_of({"inputs": rows, "targets": [k % 2 for k in range(N_PATTERNS)]})
    tables = study.canonical()
    inputs = tables["data"].pop("inputs")
    tables["data"]["large"] = {"inputs": [10, hashlib.sha256(bits(inputs)).hexdigest()]}
    tables["parameters"] = [*tables["parameters"].items()]
    del tables["name"], tables["description"]
    text = json.dumps(tables, sort_keys=True, separators=(",", ":"))
    assert study.identity == hashlib.sha256(text.encode()).hexdigest()
    assert study.identity == "2316f1d6d9aee006518cc3118793c8088be0e8761f9f3ce46495a4a831187a9e"


@pytest.mark.parametrize(("n_patterns", "is_packed"), [(MOST_WRITTEN_OUT // 10, False), (N_PATTERNS, True)])
def test_small_matrices_are_text(n_patterns: int, is_packed: bool) -> None:
    """Those of up to 10,000 numbers, as in the identity."""
    study = study_of({name: rows[:n_patterns] for name, rows in LARGE.items()})
    assert ("packed" in study.to_toml()) == is_packed
    assert rewritten(study) == study


@pytest.mark.parametrize("options", [{"standardize": True}, {"folds": 3}, {"test_count": 1, "label_noise": 0.1}])
def test_preparations(options: dict[str, Any]) -> None:
    """Patterns that are prepared, also in several ways, are packed as they were."""
    inputs = np.random.default_rng(3).integers(0, 4, (N_PATTERNS + 1, 15))
    study = study_of({"inputs": inputs, "targets": [k % 2 for k in range(N_PATTERNS + 1)], **options})
    text = study.to_toml()
    assert "packed" in text
    found = parse_study(text, "there")
    assert found == study
    assert found.data.sets == study.data.sets
    assert rewritten(study) == study


ROW = bits([[1.0] * 10])
FAULTS = [
    (packed(ROW) | {"packed": "?"}, "data: inputs.packed is damaged: it must hold numbers in zlib and base64"),
    (packed(ROW) | {"packed": "é"}, "data: inputs.packed is damaged: it must hold numbers in zlib and base64"),
    (packed(ROW) | {"packed": packed(ROW)["packed"][:-8]}, "data: inputs.packed is damaged: it must hold whole rows"),
    (packed(ROW, 3), "data: inputs.packed is damaged: it must hold whole rows of 3 numbers"),
    (packed(ROW[:-1]), "data: inputs.packed is damaged: it must hold whole rows of 10 numbers"),
    (packed(b""), "data: must have 1 to 65536 patterns, got 0"),
    (packed(bytes(65_537 * 80)), "data: inputs.packed must have at most 65,536 rows and 16,777,216 numbers, got"),
    (packed(b"", 2**24), "data: must have 1 to 65536 patterns, got 0"),
    (packed(ROW) | {"packed": base64.b64encode(2 * zlib.compress(ROW)).decode()}, "data: inputs.packed is damaged"),
    (packed(ROW, 0), "data: inputs must be a list of rows, or a table with the keys columns and packed, as in stored"),
    (packed(ROW, 2.0), "data: inputs must be a list of rows, or a table with the keys columns and packed"),
    (packed(ROW) | {"rows": 1}, "data: inputs must be a list of rows, or a table with the keys columns and packed"),
    ({"columns": 10}, "data: inputs must be a list of rows, or a table with the keys columns and packed"),
    (packed(bits([[0.0, np.nan]]), 2), "data.inputs[0][1]: must be a finite number, got nan"),
    (packed(bits([[0.0, np.inf]]), 2), "data.inputs[0][1]: must be a finite number, got inf"),
]


@pytest.mark.parametrize(("inputs", "fault"), FAULTS)
def test_refused(inputs: dict[str, Any], fault: str) -> None:
    """One sentence says what is wrong."""
    with refused(fault):
        study_of({"inputs": inputs, "targets": [0.0]})
