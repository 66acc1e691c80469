"""Commands in processes with a separate cache of kernels."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def sweep_with_cache(cache: Path, *options: Any, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with this cache; only ``variables`` can disable the JIT."""
    kept = {name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"}
    environment = {**kept, "XDG_CACHE_HOME": str(cache), **variables}
    command = [sys.executable, "-m", "sweep", *map(str, options)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)


def kernels_in(cache: Path) -> set[str]:
    """Return the names of the files of compiled kernels."""
    return {path.name for path in cache.rglob("*.bin")}
