"""`sweep verify` detects any damage, and `--repair` trains only damaged parts again."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import sweep
from sweep import StoreError, Study, open_result
from sweep.schemas.cell_columns import cells_columns
from sweep.store.local import FolderLock
from sweep.store.parquet import encode_table
from sweep.store.reader import StoreReader
from tests.sweep.in_parts import interrupt_in_parts, run_in_parts
from tests.sweep.records import rewrite
from tests.sweep.support import (
    assert_refused,
    assert_same_table,
    command,
    copy_result,
    forge,
    make_study,
    parts_of,
    replace_value,
    training_watched,
    tree,
    write_study,
)

STUDY = make_study(count=30, learning_rate=[0.2, 0.05], hidden=[3, 2], name="checked")
N_PARTS = 6


@pytest.fixture(scope="module")
def whole() -> sweep.Result:
    """Train the study without a folder."""
    return sweep.run(STUDY)


@pytest.fixture(scope="module", params=["runs", "cells"])
def pristine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished study of six parts that no version plans. Do not change it."""
    folder = tmp_path_factory.mktemp("pristine") / "r"
    run_in_parts(STUDY, out=folder, part_runs=20, keep=request.param)
    return folder


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Path:
    """Return a copy to damage."""
    return copy_result(pristine, tmp_path / "r")


def assert_repaired(folder: Path, pristine: Path, study: Study | None = None) -> list[int]:
    """Repair a folder, require the original results, and return the numbers of the trained parts."""
    with training_watched() as trained:
        found = sweep.repair(folder, study=study, threads=1)
    assert found.faults
    checked = sweep.verify(folder)
    assert (checked.faults, checked.leftovers) == ([], [])
    expected, result = open_result(pristine), open_result(folder)
    assert result.facts["digest"] == expected.facts["digest"]
    assert_same_table(result.cells, expected.cells)
    if result.keeps_runs:
        assert_same_table(result.runs(), expected.runs())
    assert len(parts_of(folder)) == len(list((folder / "parts").iterdir())) == N_PARTS
    return trained


def test_intact(pristine: Path) -> None:
    """An intact result has no faults, also if samples or all runs are trained again."""
    before = tree(pristine)
    found = sweep.verify(pristine)
    assert (found.faults, found.leftovers, found.n_runs, found.n_retrained) == ([], [], STUDY.n_runs, 0)
    assert sweep.verify(pristine, sample=-1).n_retrained == STUDY.n_runs
    sample = sweep.verify(pristine, sample=7)
    assert sample.faults == []
    assert sample.n_retrained in ([7] if open_result(pristine).keeps_runs else range(20, STUDY.n_runs + 1, 20))
    assert tree(pristine) == before


@pytest.mark.parametrize("kind", ["flip", "cut", "gone"])
@pytest.mark.parametrize("name", ["parts", "commits", "cells.parquet", "run.json", "study.toml"])
def test_damage_is_detected_and_repaired(folder: Path, pristine: Path, name: str, kind: str) -> None:
    """A flipped bit, a truncated file and a missing one are detected; only the damaged part is trained again."""
    path = folder / name
    if path.is_dir():
        path = sorted(path.iterdir())[2]
    content = bytearray(path.read_bytes())
    if kind == "gone":
        path.unlink()
    elif kind == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        content[len(content) // 2] ^= 4
        path.write_bytes(content)
    found = sweep.verify(folder)
    assert len(found.faults) == 1
    assert str(folder) in found.faults[0]
    if name == "study.toml":
        with pytest.raises(StoreError, match="--study"):
            sweep.repair(folder)
        with pytest.raises(StoreError, match="--study"):
            sweep.repair(folder, study=make_study(count=3))
    trained = assert_repaired(folder, pristine, STUDY if name == "study.toml" else None)
    assert trained == ([2] if name in ("parts", "commits") else [])


def test_every_damaged_file_is_reported(folder: Path) -> None:
    """A damaged part does not hide damaged cells; a damaged run.json hides the parts, which is reported."""
    for path in (parts_of(folder)[1], folder / "cells.parquet"):
        path.write_bytes(path.read_bytes()[:-5])
    checked = command("verify", folder)
    assert [line.startswith("damaged: ") for line in checked.out.splitlines()] == [True, True, False]
    assert checked.out.splitlines()[-1].startswith("2 faults; ")
    assert command("verify", copy_result(folder, folder.parent / "c"), "--repair").out.count("repaired: ") == 2
    (folder / "run.json").write_bytes(b"{")
    assert "not checked: commits and parts" in command("verify", folder).out


def test_several_commits_in_a_row(folder: Path, pristine: Path) -> None:
    """Lost parts are trained again if this version plans the same ones; otherwise an error says why not."""
    for number in (1, 2):
        (folder / "commits" / f"{number:07d}.json").write_bytes(b"?")
    with pytest.raises(StoreError, match="plans other parts"):
        sweep.repair(folder)
    for number in (0, 3, 4, 5):
        (folder / "commits" / f"{number:07d}.json").unlink()
    with training_watched() as trained:
        sweep.repair(folder)
    assert trained == [0]
    assert sweep.verify(folder, sample=-1).faults == []
    assert open_result(folder).facts["digest"] == open_result(pristine).facts["digest"]


def test_unfinished_study(tmp_path: Path, whole: sweep.Result) -> None:
    """A damaged commit or part of an unfinished study can be repaired."""
    out = tmp_path / "r"
    interrupt_in_parts(STUDY, out, 4, part_runs=20)
    commits = sorted((out / "commits").iterdir())
    commits[0].write_bytes(b"{")
    part = out / "parts" / json.loads(commits[1].read_text())["file"]
    part.write_bytes(part.read_bytes()[:-3])
    with pytest.raises(StoreError):
        run_in_parts(STUDY, out=out, part_runs=20)
    assert len(sweep.verify(out).faults) == 2
    sweep.repair(out)
    assert sweep.verify(out).faults == []
    assert not open_result(out, partial=True).complete
    assert run_in_parts(STUDY, out=out, part_runs=20).facts["digest"] == whole.facts["digest"]


def test_rows_that_were_changed_with_all_their_hashes(tmp_path: Path, whole: sweep.Result) -> None:
    """Wrong rows with matching checksums are detected by the digest, or by training all runs again."""
    run_in_parts(STUDY, out=tmp_path / "true", part_runs=20)
    wrong = np.nextafter(whole.runs()["final_loss"][33], 2)
    forged = forge(tmp_path / "true", tmp_path / "forged", lambda table: replace_value(table, 33, "final_loss", wrong))
    assert "digest" in " ".join(sweep.verify(forged).faults)
    (fault,) = sweep.verify(forged, sample=-1).faults
    assert "training gives other bits in column 'final_loss'" in fault
    with training_watched() as trained:
        sweep.repair(forged)
    assert len(trained) == N_PARTS + 2  # each for comparison, and one to be written and compared again
    assert open_result(forged).facts["digest"] == whole.facts["digest"]
    moved = forge(tmp_path / "true", tmp_path / "moved", lambda table: replace_value(table, 33, "seed", 77))
    assert "column 'seed'" in sweep.verify(moved).faults[0]


def test_refusals(folder: Path, tmp_path: Path) -> None:
    """A folder in use is not repaired, and other folders are refused."""
    lock = FolderLock(folder)
    lock.take_shared()
    with pytest.raises(StoreError, match="in use"):
        sweep.repair(folder)
    lock.release()
    assert_refused(command("verify", tmp_path), ("not a results folder",))
    assert_refused(command("verify", tmp_path / "nowhere", "--repair"), ("not a results folder",))
    assert_refused(command("verify", folder, "--study", "xor"), ("--repair",))
    for name in ("parts", "commits"):
        shutil.rmtree(folder / name)
    assert_refused(command("verify", folder), ("published with its cells only",))


def test_other_numerics_are_not_mixed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results of another version are checked, but not trained again for comparison or repair."""
    monkeypatch.setattr("kernels.NUMERICS", 1000)
    assert sweep.verify(folder).faults == []
    with pytest.raises(StoreError, match="another version of the numerics"):
        sweep.verify(folder, sample=1)
    parts_of(folder)[1].unlink()
    with pytest.raises(StoreError, match="another version of the numerics"):
        sweep.repair(folder)


def test_commands(folder: Path, tmp_path: Path) -> None:
    """Exit code 0 means intact or repaired, 1 damaged; each fault is one line."""
    intact = command("verify", folder, "--sample", 3)
    assert intact.code == 0
    assert f"intact: {STUDY.n_runs} runs in {N_PARTS} parts" in intact.out
    assert "with the same bits" in intact.out
    part = parts_of(folder)[0]
    part.write_bytes(b"PAR1" + part.read_bytes()[4:-1] + b"?")
    (folder / "study.toml").write_bytes(b"name = 1")
    damaged = command("verify", folder)
    assert (damaged.code, damaged.err.count("error")) == (1, 0)
    assert "damaged: " in damaged.out
    assert "--repair" in damaged.out
    assert command("verify", folder, "--repair").code == 2
    repaired = command("verify", folder, "--repair", "--study", write_study(tmp_path / "s.toml", STUDY))
    assert repaired.code == 0
    assert repaired.out.count("repaired: ") == 2
    assert command("verify", folder, "--all").code == 0


@pytest.mark.parametrize(
    ("seed", "count", "cut"),
    [
        *((seed, 4, False) for seed in range(2)),
        *(pytest.param(*case, marks=pytest.mark.soak) for case in ((5, 200, False), (6, 25, True))),
    ],
)
def test_random_damage(pristine: Path, tmp_path: Path, seed: int, count: int, cut: bool) -> None:
    """A flipped bit anywhere in a file, or a file that is cut anywhere, is detected and repaired."""
    random = np.random.default_rng(seed)
    names = [name for name, content in tree(pristine).items() if content]
    for number in range(count):
        folder = copy_result(pristine, tmp_path / str(number))
        name = str(random.choice(names))
        content = bytearray((folder / name).read_bytes())
        place = int(random.integers(len(content)))
        content[place] ^= 1 << int(random.integers(8))
        (folder / name).write_bytes(content[:place] if cut else content)
        assert sweep.verify(folder).faults, (name, place)
        part = int(Path(name).name[:7]) if "/" in name else None
        assert set(assert_repaired(folder, pristine, STUDY)) <= {part}, (name, place)
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("column", "value"),
    [("convergence_rate_low", 0.123), ("n_converged", 31), ("restarted_steps", 1.0), ("expected_steps", np.nan)],
)
def test_other_statistics_are_found(folder: Path, column: str, value: float) -> None:
    """Cells are compared with those of the parts, even if the checksum fits."""
    table = StoreReader.open(folder).read_cells()
    changed = pa.array([value, *table[column].to_pylist()[1:]], table[column].type)
    content = encode_table(
        table.set_column(table.column_names.index(column), column, changed), cells_columns(STUDY), {}
    )
    (folder / "cells.parquet").write_bytes(content)
    rewrite(folder / "run.json", cells_sha256=hashlib.sha256(content).hexdigest())
    (fault,) = sweep.verify(folder).faults
    assert "its statistics differ" in fault
