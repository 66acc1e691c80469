"""Nothing that is read is executed, since studies, patterns, parts and commits may come from anybody."""

from __future__ import annotations

import ast
import base64
import hashlib
import os
import pickle
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import kernels
import sweep
from sweep import StoreError, StudyError, load_study, open_result
from sweep.store.commits import decode_record, encode_record
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import command, make_study, parts_of

SOURCES = [path for package in (sweep, kernels) for path in Path(package.__path__[0]).rglob("*.py")]
EXECUTES = {"eval", "exec", "compile", "__import__"}
UNPICKLES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml"}


class Bomb:
    """An object that creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Say how it is made again."""
        return os.mkdir, (str(self.path),)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Train a small study."""
    run_in_parts(make_study(count=3), out=tmp_path / "r", part_runs=6)
    return tmp_path / "r"


@pytest.mark.slow
def test_sources_execute_nothing() -> None:
    """Only custom components are executed from text, and results folders never lead to them.

    Only the cache of compiled kernels, which this user alone can write, unpickles.
    """
    users, executing = set(), set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                executing |= {path.name} if node.func.id in EXECUTES else set()
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if {name.partition(".")[0] for name in names} & UNPICKLES:
                users.add(path.name)
    assert users == {"entries.py"}
    assert executing <= {"plugins.py", "source.py"}


# Old versions of pyarrow warn that they load no pickle.
@pytest.mark.filterwarnings("ignore:pickle-based deserialization:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:pyarrow.PyExtensionType is deprecated:FutureWarning")
def test_part_that_carries_a_pickle(folder: Path, tmp_path: Path) -> None:
    """Neither a pickled type nor pickled metadata of pandas in a Parquet file is loaded."""
    bomb = pickle.dumps(Bomb(tmp_path / "made"))
    part = parts_of(folder)[0]
    table = pq.read_table(part)
    field = table.schema.field("steps")
    extension = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": bomb}
    index = table.schema.get_field_index("steps")
    table = table.set_column(index, field.with_metadata({**(field.metadata or {}), **extension}), table["steps"])
    table = table.replace_schema_metadata({b"pandas": base64.b64encode(bomb), b"PANDAS_ATTRS": bomb})
    pq.write_table(table, part)
    commit = next(path for path in (folder / "commits").iterdir() if part.name in path.read_text())
    facts = decode_record(commit.read_bytes(), str(commit))
    facts["sha256"] = hashlib.sha256(part.read_bytes()).hexdigest()
    commit.write_bytes(encode_record(facts))
    try:
        open_result(folder).runs()
    except StoreError as error:
        assert "damaged" in str(error)  # noqa: PT017
    sweep.verify(folder)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "name", ["../../evil.parquet", "/etc/passwd", "0000000-01234567.parquet/../../x", "..", "a\0b"]
)
def test_names_in_commits_stay_in_the_folder(folder: Path, name: str) -> None:
    """A commit that names a file outside the folder is damaged, and that file is neither read nor removed."""
    outside = folder.parent / "evil.parquet"
    outside.write_bytes(b"mine")
    commit = min((folder / "commits").iterdir())
    facts = decode_record(commit.read_bytes(), str(commit))
    commit.write_bytes(encode_record({**facts, "file": name}))
    with pytest.raises(StoreError, match="must name a file of its part"):
        open_result(folder).runs()
    assert sweep.verify(folder).faults
    sweep.repair(folder)
    assert sweep.verify(folder).faults == []
    assert outside.read_bytes() == b"mine"


@pytest.mark.parametrize(
    "text",
    [
        "[network]\nhidden = \"__import__('os').mkdir('made')\"",
        "[network]\nhidden = { __reduce__ = 1 }",
        '[training]\nlearning_rate = "{0.__class__}"',
        '[data]\nfile = "|mkdir made"',
        "!!python/object/apply:os.mkdir [made]",
    ],
)
def test_studies_and_patterns_are_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Text that looks like code in a study file or a pattern file is refused as an invalid value."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(text + "\n")
    with pytest.raises(StudyError):
        load_study("s.toml")
    (tmp_path / "p.csv").write_text("x0,y\n__import__('os').mkdir('made'),1\n")
    finished = command("run", "xor", "--set", "file=p.csv", "--out", "r")
    assert finished.code == 2
    assert not (tmp_path / "made").exists()


def test_study_of_a_result_reads_no_other_file(folder: Path, tmp_path: Path) -> None:
    """The study in a results folder holds its patterns; one that names a file of them is damaged."""
    (tmp_path / "p.csv").write_text("x0,y\n0,1\n")
    text = (folder / "study.toml").read_text()
    start, end = text.index("[data]"), text.index("[network]")
    (folder / "study.toml").write_text(f'{text[:start]}[data]\nfile = "{tmp_path / "p.csv"}"\n\n{text[end:]}')
    with pytest.raises(StoreError, match="names a file of them"):
        open_result(folder)
    (folder / "study.toml").write_text(text.replace("[data]\n", "[data]\nvalidation = 5\n"))
    with pytest.raises(StoreError, match="validation: must be a table"):
        open_result(folder)
