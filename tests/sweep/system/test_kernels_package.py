"""A package of another distribution called ``kernels`` is noticed, and the remedy fits how it came there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kernels
import sweep

FOREIGN = "PROJECT = 'another'\n"


def install(site: Path, name: str, files: dict[str, str]) -> None:
    """Put the files of a distribution into a folder, as pip does: over what is there."""
    record = "\n".join(f"{path},," for path in files)
    info = f"{name}-1.0.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/RECORD": record,
    }
    for path, text in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)


def install_ours(site: Path) -> None:
    """Copy the package as far as an import needs it."""
    own = ("__init__.py", *(f"system/{name}.py" for name in ("__init__", "kernels_package", "version")))
    sources = {*(f"sweep/{name}" for name in own), "kernels/__init__.py", "kernels/tuning.py"}
    homes = {package.__name__: Path(package.__path__[0]).parent for package in (sweep, kernels)}
    install(site, "xor-sweep", {path: (homes[path.partition("/")[0]] / path).read_text("utf-8") for path in sources})


def import_sweep(*path: Path) -> str:
    """Import sweep in a process that knows these folders alone; return the error's last line."""
    code = f"import sys; sys.path[:0] = {[str(place) for place in path]}; import sweep"
    finished = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    return finished.stderr.splitlines()[-1] if finished.returncode else ""


@pytest.fixture
def sites(tmp_path: Path) -> tuple[Path, Path]:
    """Return a folder with our packages, and an empty one."""
    ours, other = tmp_path / "ours", tmp_path / "other"
    install_ours(ours)
    other.mkdir()
    assert import_sweep(ours) == import_sweep(other, ours) == ""
    return ours, other


@pytest.mark.parametrize("text", [FOREIGN, "import a_package_that_is_missing", "raise RuntimeError", ""])
def test_overwritten(sites: tuple[Path, Path], text: str) -> None:
    """Of two distributions in one folder the later one wins; alone and installed again, ours is whole."""
    ours, _ = sites
    install(ours, "gpu-kernels", {"kernels/__init__.py": text, "kernels/load.py": ""})
    told = import_sweep(ours)
    assert told.startswith("ImportError: the package 'kernels' of xor-sweep at ")
    assert "overwritten by the distribution gpu-kernels; run 'pip uninstall gpu-kernels', then install" in told
    assert "xor-sweep again with pip's --force-reinstall" in told
    for path in ("kernels/__init__.py", "kernels/load.py", "gpu-kernels-1.0.dist-info/METADATA"):
        (ours / path).unlink()
    shutil.rmtree(ours / "gpu-kernels-1.0.dist-info")
    told = import_sweep(ours)
    assert "is not complete any more; install xor-sweep again" in told
    assert "uninstall" not in told
    install_ours(ours)
    assert import_sweep(ours) == ""


def test_shadowed_by_a_distribution(sites: tuple[Path, Path]) -> None:
    """Where the other one comes first on the path, as before an editable installation, removing it is enough."""
    ours, other = sites
    install(other, "gpu-kernels", {"kernels/__init__.py": FOREIGN})
    told = import_sweep(other, ours)
    assert f"'kernels' at {str(other / 'kernels')!r} is not xor-sweep's but that of the distribution gpu" in told
    assert told.endswith("; run 'pip uninstall gpu-kernels'")
    shutil.rmtree(other)
    assert import_sweep(other, ours) == ""


@pytest.mark.parametrize("name", ["kernels.py", "kernels/__init__.py"])
def test_shadowed_by_a_file(sites: tuple[Path, Path], name: str) -> None:
    """A script or a folder of that name beside the user's own code is to be renamed."""
    ours, other = sites
    (other / name).parent.mkdir(exist_ok=True)
    (other / name).write_text(FOREIGN)
    told = import_sweep(other, ours)
    assert f"{str(other / name.removesuffix('/__init__.py'))!r} is not xor-sweep's; rename it" in told
    (other / name).rename(other / "renamed.py")
    assert import_sweep(other, ours) == ""


def test_missing(sites: tuple[Path, Path]) -> None:
    """Without any package of that name ours is to be installed again."""
    ours, _ = sites
    shutil.rmtree(ours / "kernels")
    assert "install xor-sweep again" in import_sweep(ours)
