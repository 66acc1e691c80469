"""The same digests on every machine; ``make test-arm`` runs this file on 64-bit ARM, emulated where there is none."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path
from typing import Any

import pytest

import sweep
from kernels import vocabulary
from sweep import Study

STUDIES = tomllib.loads(Path(__file__).with_name("studies.toml").read_text("utf-8"))
KINDS = (
    vocabulary.OUTPUTS,
    vocabulary.LOSSES,
    vocabulary.OPTIMIZERS,
    vocabulary.SCHEDULES,
    vocabulary.CRITERIA,
    vocabulary.STOPPING_RULES,
)


def digest_of(study: Study) -> str:
    """Train a study."""
    return str(sweep.run(study).facts["digest"])


@pytest.mark.parametrize("name", STUDIES)
def test_same_digest(name: str) -> None:
    """Every component and way of training gives the same bits."""
    tables: dict[str, Any] = dict(STUDIES[name])
    digest = tables.pop("digest")
    assert digest_of(Study(name=name, seeds={"count": 12}, **tables))[:12] == digest


def test_studies_have_every_component() -> None:
    """No component is left out."""
    used = {"relu", "squared", "gd", "constant", "loss", "patience"}  # defaults, which studies need not name
    for study in STUDIES.values():
        used |= set(itertools.chain(*(study[name].values() for name in ("network", "training", "convergence"))))
        used |= {value for values in study["parameters"].values() for value in values}
    assert not {name for names in KINDS for name in names} - used


@pytest.mark.compiled
def test_digest_of_xor() -> None:
    """So does the study of the README, with fewer seeds: constants in kernels, packets that take turns."""
    assert digest_of(sweep.load_study("xor", {"count": 50}))[:12] == "e79a4a91ef5c"
