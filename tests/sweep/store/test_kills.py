"""Processes that are killed at any moment, and many of them in one folder: every run is present once, and correct."""

from __future__ import annotations

import random
import shutil
import signal

import pytest

from sweep import open_result
from tests.sweep.fault_lab import Lab, assert_told
from tests.sweep.fault_runs import Request

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "kills", [4, pytest.param(8, marks=pytest.mark.wide), pytest.param(200, marks=pytest.mark.soak)]
)
def test_kills_at_random_moments(lab: Lab, kills: int) -> None:
    """However often its process is killed, a study resumes from its commits."""
    choice, root, so_far, n_killed, n_ended = random.Random(5), lab.root(), 0, 0, 0
    while n_killed < kills:
        ended = lab.run(root, fault=None, kill_after=choice.uniform(0.0, 0.12))
        readable = lab.readable(root / "r")
        assert readable >= so_far
        if ended.code == -signal.SIGKILL:
            n_killed, so_far = n_killed + 1, readable
            continue
        assert ended.code == 0, ended
        lab.truth.check_finished(root / "r")
        root, so_far, n_ended = lab.root(), 0, n_ended + 1
    lab.complete(root)
    print(f"{n_killed} killed, and {n_ended} that came to their end before that")


@pytest.mark.parametrize("times", [1, pytest.param(50, marks=pytest.mark.soak)])
def test_eight_processes_share_a_folder(lab: Lab, times: int) -> None:
    """Each part is committed once, whichever process trains it, and all print the same digest."""
    for _ in range(times):
        root = lab.root()
        for ended in lab.zygote.run_all([lab.request(root) for _ in range(8)]):
            assert ended.code == 0, ended
            assert f"digest {lab.truth.digest}" in ended.out.splitlines()
            assert "Traceback" not in ended.err
        lab.truth.check_finished(root / "r")


@pytest.mark.parametrize("times", [1, pytest.param(50, marks=pytest.mark.soak)])
@pytest.mark.parametrize("words", [(), ("--overwrite",)], ids=["", "overwrite"])
def test_eight_processes_with_two_studies(lab: Lab, words: tuple[str, ...], times: int) -> None:
    """Each process ends with the digest of its study, or is refused while the other study is there."""
    choice = random.Random(times)
    truths = {truth.study.name: truth for truth in lab.truths.values()}
    for _ in range(times):
        root, names = lab.root(), choice.sample(["mine", "other"] * 4, 8)
        endings = lab.zygote.run_all([lab.request(root, name, words) for name in names])
        for name, ended in zip(names, endings, strict=True):
            if ended.code == 0:
                assert f"digest {truths[name].digest}" in ended.out.splitlines()
            else:
                assert_told(ended, str(root / "r"))
                assert any(text in ended.err for text in ("another study", "in use", "has locked"))
        winners = {name for name, ended in zip(names, endings, strict=True) if ended.code == 0}
        last = open_result(root / "r").study.name
        assert winners == {last} if not words else last in winners
        truths[last].check_finished(root / "r")
        shutil.rmtree(root)


@pytest.mark.parametrize("rounds", [1, pytest.param(3, marks=pytest.mark.wide)])
def test_eight_killed_processes(lab: Lab, rounds: int) -> None:
    """One more process completes the work of eight killed ones, and removes leftovers."""
    choice, root = random.Random(8), lab.root()
    for _ in range(rounds):
        requests: list[Request] = [lab.request(root, kill_after=choice.uniform(0.0, 0.3)) for _ in range(8)]
        for ended in lab.zygote.run_all(requests):
            assert ended.code in (0, -signal.SIGKILL), ended
        lab.readable(root / "r")
    lab.complete(root)
