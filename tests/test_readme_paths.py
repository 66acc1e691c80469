"""Each path that a README names exists, of modules beside it and of tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
READMES = sorted(
    path.relative_to(ROOT) for folder in ("sweep", "kernels") for path in (ROOT / folder).rglob("README.md")
)
# Folders of a room without tracked files.
PARTS_OF_ROOMS = ("", "executors")


def exists(readme: Path, named: str) -> bool:
    """Return whether a path in a README exists, below the root, its folder, the package or the tests."""
    tests = ROOT / "tests" / readme.parts[0]
    package = ROOT / readme.parts[0]
    if Path(named).name.startswith("test_"):
        return (ROOT / named if named.startswith("tests/") else tests / named).is_file()
    homes = (ROOT, package, *((ROOT / readme).parent / part for part in PARTS_OF_ROOMS))
    return any((home / named).is_file() for home in homes)


@pytest.mark.parametrize("readme", READMES, ids=str)
def test_paths_exist(readme: Path) -> None:
    """Readers find all named paths."""
    named = re.findall(r"`([\w./]+\.(?:py|html\.jinja|md))`", (ROOT / readme).read_text("utf-8"))
    assert [path for path in named if not exists(readme, path)] == []
