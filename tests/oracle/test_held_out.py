"""The stopping rules of Prechelt on short histories, against numbers by hand."""

from __future__ import annotations

import numpy as np

from tests.oracle.held_out import RULES, History


@np.errstate(all="ignore")
def ends(rule: str, losses: list[float], scores: dict[int, float], **own: float) -> bool:
    """Return whether a run ends after its last evaluation: training losses by epoch, scores at some epochs."""
    history = History([np.float64(loss) for loss in losses], [*map(np.float64, scores.values())], [*scores])
    return RULES[rule](history, {name: np.float64(value) for name, value in own.items()})


def test_generalization_loss_in_percent() -> None:
    """A score of 0.55 is 10 % above the lowest, 0.5, whenever that was."""
    for scores in ({0: 0.5, 1: 0.55}, {0: 2.0, 2: 0.5, 4: 0.51, 6: 0.55}):
        assert ends("gl", [1.0] * 7, scores, gl_threshold=9.9)
        assert not ends("gl", [1.0] * 7, scores, gl_threshold=10.1)
    assert not ends("gl", [1.0], {0: 0.0}, gl_threshold=0.0)
    assert ends("gl", [1.0], {0: 0.0, 1: 1e-9}, gl_threshold=1e9)


def test_generalization_loss_or_progress() -> None:
    """Progress of the strip is 100 thousandths, and the generalization loss 50 %: either ends the run."""
    losses, scores = [9.0, 1.2, 1.0], {0: 1.0, 2: 1.5}
    for gl_threshold, progress_threshold, expected in ((49, 0, True), (51, 0, False), (51, 99, False), (51, 101, True)):
        own = {"gl_threshold": gl_threshold, "progress_threshold": progress_threshold}
        assert ends("gl_or_progress", losses, scores, strip=2, **own) == expected
    assert not ends("gl_or_progress", losses, scores, gl_threshold=51, progress_threshold=1e9, strip=3)
    losses, scores = [9.0, 5.0, 5.0, 1.2, 1.0], {0: 1.0, 2: 0.9, 4: 1.35}  # both are the same in the second strip
    for gl_threshold, progress_threshold, expected in ((49, 0, True), (51, 99, False), (51, 101, True)):
        own = {"gl_threshold": gl_threshold, "progress_threshold": progress_threshold}
        assert ends("gl_or_progress", losses, scores, strip=2, **own) == expected


def test_patience_counts_scores() -> None:
    """Scores within ``min_delta`` of the last improvement are none."""
    scores = {0: 1.0, 3: 0.95, 6: 0.93}
    assert ends("patience", [1.0] * 7, scores, patience=2, min_delta=0.1)
    assert not ends("patience", [1.0] * 7, scores, patience=2, min_delta=0.0)


def test_what_scores_are_compared_with() -> None:
    """Gains of 0.5 add up on the last improvement, not on the best; equal scores improve on the best without delta."""
    falling = {0: 8.0, 1: 7.5, 2: 7.0, 3: 6.5}
    for delta, on_best, on_last in ((0.5, False, False), (0.75, True, False), (2.0, True, True)):
        assert ends("patience_best", [1.0] * 4, falling, patience=3, min_delta=delta) == on_best
        assert ends("patience", [1.0] * 4, falling, patience=3, min_delta=delta) == on_last
    level = {0: 8.0, 1: 8.0, 2: 8.0}
    assert not ends("patience_best", [1.0] * 3, level, patience=2, min_delta=0.0)
    assert ends("patience", [1.0] * 3, level, patience=2, min_delta=0.0)
    back_and_forth = {0: 8.0, 1: 7.75, 2: 8.0, 3: 7.75}
    for delta, expected in ((0.25, True), (0.125, False)):
        assert ends("patience_change", [1.0] * 4, back_and_forth, patience=3, min_delta=delta) == expected
    assert not ends("patience_change", [1.0] * 4, back_and_forth, patience=4, min_delta=9.0)
