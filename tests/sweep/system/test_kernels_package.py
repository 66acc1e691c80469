"""A package of another distribution called ``kernels`` does no harm, or is reported with a remedy."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import kernels
import sweep
from sweep.system.kernels_package import BUNDLED

ROOT = Path(__file__).parents[3]
FOREIGN = "PROJECT = 'another'\n"


def install(site: Path, name: str, files: dict[str, str]) -> None:
    """Write the files of a distribution into a folder as pip does, over existing files."""
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


def install_ours(site: Path, bundled: bool = False) -> None:
    """Copy what an import needs of the packages, arranged as in a checkout or as in a wheel."""
    own = ("__init__.py", *(f"system/{name}.py" for name in ("__init__", "kernels_package", "version")))
    sources = {*(f"sweep/{name}" for name in own), "kernels/__init__.py", "kernels/sources.py"}
    homes = {package.__name__: Path(package.__path__[0]).parent for package in (sweep, kernels)}
    texts = {path: (homes[path.partition("/")[0]] / path).read_text("utf-8") for path in sources}
    if bundled:
        texts = {path.replace("kernels/", f"sweep/{BUNDLED}/"): text for path, text in texts.items()}
    install(site, "xor-sweep", texts)


def import_sweep(*path: Path, first: str = "", then: str = "") -> str:
    """Import sweep in a process with only these folders on its path; return the error's last line."""
    code = "\n".join((f"import sys; sys.path[:0] = {[str(place) for place in path]}", first, "import sweep", then))
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


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return a folder with our packages, as installed from a wheel."""
    site = tmp_path / "installed"
    install_ours(site, bundled=True)
    assert not (site / "kernels").exists()
    assert import_sweep(site) == ""
    return site


@pytest.mark.parametrize("text", [FOREIGN, "import a_package_that_is_missing", ""])
def test_beside_another(installed: Path, text: str) -> None:
    """Another distribution of that name may be installed in the same folder; each program finds its own package."""
    install(installed, "gpu-kernels", {"kernels/__init__.py": text, "kernels/sources.py": "raise RuntimeError"})
    assert import_sweep(installed, then="import kernels.sources; assert kernels.PROJECT == 'xor-sweep'") == ""
    assert (installed / "kernels" / "__init__.py").read_text() == text


def test_another_was_imported_before(installed: Path) -> None:
    """A process has one package of that name; the error names the one that was imported first."""
    install(installed, "gpu-kernels", {"kernels/__init__.py": FOREIGN})
    message = import_sweep(installed, first="import kernels")
    assert message.startswith("ImportError: the package 'kernels' at ")
    assert f"{str(installed / 'kernels')!r} is not xor-sweep's; uninstall or rename it, import" in message
    again = "del sys.modules['sweep']; import sweep"
    assert import_sweep(installed, then=again) == ""


def test_incomplete(installed: Path) -> None:
    """If files of ours are missing, the error advises to install xor-sweep again."""
    install(installed, "gpu-kernels", {"kernels/__init__.py": FOREIGN})
    (installed / "sweep" / "_kernels" / "__init__.py").unlink()
    message = import_sweep(installed)
    assert "is incomplete; run 'pip install --force-reinstall" in message
    install_ours(installed, bundled=True)
    assert import_sweep(installed) == ""


def test_wheels_hold_kernels_inside() -> None:
    """A wheel holds kernels where sweep looks for it, and has no top-level package of that name."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["only-include"] == ["sweep", "kernels"]
    assert wheel["sources"] == {"kernels": f"sweep/{BUNDLED}"}


@pytest.mark.parametrize("name", ["kernels.py", "kernels/__init__.py"])
def test_shadowed_by_a_file(sites: tuple[Path, Path], name: str) -> None:
    """If another package, or a script of the user, comes first on the path, the error names it."""
    ours, other = sites
    (other / name).parent.mkdir(exist_ok=True)
    (other / name).write_text(FOREIGN)
    message = import_sweep(other, ours)
    assert f"{str(other / name.removesuffix('/__init__.py'))!r} is not xor-sweep's; uninstall or rename it" in message
    (other / name).rename(other / "renamed.py")
    assert import_sweep(other, ours) == ""


def test_missing(sites: tuple[Path, Path]) -> None:
    """Without any package of that name, the error advises to install xor-sweep again."""
    ours, _ = sites
    shutil.rmtree(ours / "kernels")
    assert "run 'pip install --force-reinstall" in import_sweep(ours)
