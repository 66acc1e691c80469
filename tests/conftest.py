"""Settings of all tests."""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent

# Tests of these folders train the same few kernels: compiling these takes less time than interpreting.
SHARE_KERNELS = {TESTS, *(TESTS / "sweep" / name for name in ("results", "store", "training", "verification"))}
SHARE_KERNELS |= {TESTS / "bench", TESTS / "sweep/figures", TESTS / "sweep/report"}
# Kernels of these modules, and of a single test, are used by no other tests. Their few steps take a sixth of the time
# without the JIT. Two modules are named learning_curves.
UNSHARED_KERNELS = {
    *("balance", "custom_measures", "custom_statistics", "data_runs", "given_starts"),
    *("held_out", "learning_curves", "names_of_settings", "network_measures", "no_hidden_units", "options"),
    *("packed_patterns", "partial", "patterns_by_run", "published_penalties", "recorded_measures", "recorded_weights"),
    *("replicates", "restarts", "sharpness", "shortcuts", "thresholds_without_criterion", "trace"),
}

# Numba makes so many objects while it compiles that garbage collection takes an eighth of the time.
gc.set_threshold(50_000, 50, 100)

# Background jobs of a shell ignore Ctrl-C, and so would the processes that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Commands that tests start compile their kernels, however little they train: other tests need the same kernels.
os.environ.setdefault("NUMBA_DISABLE_JIT", "0")

# The same examples in every session, however slow the machine; fewer without the JIT, where `make test` runs most.
settings.register_profile(
    "tests",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=20 if os.environ["NUMBA_DISABLE_JIT"] == "1" else 60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tests")


def may_be_compiled(module: Path) -> bool:
    """Return whether a module has compiled tests, as far as its place and its text say."""
    if module.parent in SHARE_KERNELS and module.stem.removeprefix("test_") not in UNSHARED_KERNELS:
        return True
    return bool(re.search(r"mark\.compiled|compiled_only", module.read_text("utf-8")))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out modules without compiled tests if only these run: each process takes seconds to import all modules."""
    only_compiled = config.option.markexpr.startswith("compiled and ")
    left_out = only_compiled and collection_path.suffix == ".py" and not may_be_compiled(collection_path)
    return True if left_out else None  # with None, other reasons decide


@pytest.hookimpl(tryfirst=True)  # before markers select
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that share kernels as compiled; in their folders ``make test`` takes only the first case of each."""
    seen: set[str] = set()
    for item in items:
        if item.path.parent in SHARE_KERNELS:
            test = item.nodeid.partition("[")[0]
            names = {name.removeprefix("test_") for name in (item.path.stem, test.rpartition(":")[2])}
            if not names & UNSHARED_KERNELS:
                item.add_marker(pytest.mark.compiled)
            if test in seen:
                item.add_marker(pytest.mark.wide)
            elif not any(map(item.get_closest_marker, ("soak", "wide"))):
                seen.add(test)
        if item.get_closest_marker("compiled"):
            assert may_be_compiled(item.path), f"{item.path}: mark.compiled must stand in the text of the module"


@pytest.fixture(autouse=True)
def options_end_with_their_test() -> Iterator[None]:
    """Forget the custom components that a test declares, so that no other test sees them."""
    before = dict(_names_of_options())
    yield
    names = _names_of_options()
    names.clear()
    names.update(before)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start with an empty cache on disk, as on a new machine."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def _names_of_options() -> dict[str, object]:
    """Return the table of these names, empty until a component is declared."""
    return getattr(sys.modules.get("kernels.custom.registry"), "_BY_NAME", {})
