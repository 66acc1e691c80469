"""Lowest versions of the dependencies, and the versions with which the project is tested."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]


def pins(name: str) -> dict[str, Version]:
    """Return the versions that a constraints file pins."""
    lines = (line.strip() for line in (ROOT / name).read_text("utf-8").splitlines())
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(package): Version(version) for package, version in pairs}


def floors(extra: str | None = None) -> dict[str, Version]:
    """Return the lowest versions that pyproject.toml allows, of the dependencies or of an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    texts = project["optional-dependencies"][extra] if extra else project["dependencies"]
    requirements = [Requirement(text) for text in texts]
    return {
        canonicalize_name(each.name): Version(limit.version)
        for each in requirements
        for limit in each.specifier
        if limit.operator == ">="
    }


def test_oldest_versions_are_the_floors() -> None:
    """``make test-oldest`` installs the oldest versions that pyproject.toml allows."""
    oldest = pins("constraints-oldest.txt")
    wanted = floors() | floors("s3") | floors("explore")
    assert {name: oldest.get(name) for name in wanted} == wanted


def test_newest_versions_are_pinned() -> None:
    """``make`` installs pinned versions that pyproject.toml allows, including the tools of tests."""
    newest = pins("constraints.txt")
    extras = ("s3", "cluster", "explore", "test", "test-all", "docs")
    wanted = floors() | {name: floor for extra in extras for name, floor in floors(extra).items()}
    assert not {name for name, floor in wanted.items() if newest[name] < floor}


def test_tools_of_both_are_the_same() -> None:
    """The oldest dependencies are tested with the same tools as the newest."""
    newest, oldest = pins("constraints.txt"), pins("constraints-oldest.txt")
    tools = (floors("cluster") | floors("test") | floors("test-all")).keys() & oldest
    assert {"pytest", "hypothesis"} <= tools
    assert {name: oldest[name] for name in tools} == {name: newest[name] for name in tools}
