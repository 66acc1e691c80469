"""Check and restore study.toml and run.json, without which the rest of a results folder cannot be checked."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from contextlib import suppress
from typing import Any

import pyarrow.parquet as pq

from sweep.errors import StoreError
from sweep.store.bits import BITS
from sweep.store.commits import COMMIT_NAME, PART_NAME, decode_record, encode_record
from sweep.store.contents import fitting
from sweep.store.files import Files
from sweep.store.run_facts import FormatError, check_format, read_facts, read_study, waves_of
from sweep.study.model import Study


def head_faults(files: Files) -> list[str]:
    """Return the faults of study.toml and run.json."""
    if not files.has("study.toml") and not files.has("run.json"):
        raise StoreError(f"{files.place!r} is not a results folder: it has no study.toml")
    study, facts, faults = _read(files)
    if study and facts and study.identity != facts["identity"]:
        wrong = "run.json" if study.identity == _identity_of_commits(files) else "study.toml"
        faults.append(f"{files.where(wrong)!r} is damaged: study.toml and run.json belong to different studies")
    elif study and facts and facts.get("study_sha256") not in (None, _digest(files)):
        faults.append(f"{files.where('study.toml')!r} is damaged: its SHA-256 differs from the one in run.json")
    return faults


def restore_head(files: Files, original: Study | None) -> list[str]:
    """Restore study.toml from the user's study, and run.json from the parts; return the faults."""
    faults = head_faults(files)
    if not faults:
        return []
    study, facts, _ = _read(files)
    most = _identity_of_commits(files)
    if facts and most not in (None, facts["identity"]):
        facts = None  # facts of another study
    about = {} if facts else _about_parts(files, most)
    identity = facts["identity"] if facts else about["identity"]
    sha256 = facts.get("study_sha256") if facts else None
    is_right = study is not None and study.identity == identity and sha256 in (None, _digest(files))
    wanted = study if is_right else original
    if wanted is None:
        raise StoreError(f"{files.where('study.toml')!r} is damaged; name the study to restore it (--study STUDY)")
    if wanted.identity != identity:
        raise StoreError(
            f"--study: must be study {identity[:12]}, whose results {files.place!r} holds, got {wanted.identity[:12]}"
        )
    if not is_right:
        files.replace("study.toml", wanted.to_toml().encode())
    facts = facts or {**about, "complete": False}
    files.replace("run.json", encode_record({**facts, "study_sha256": _digest(files)}))
    return faults


def _read(files: Files) -> tuple[Study | None, dict[str, Any] | None, list[str]]:
    study = None
    facts = None
    faults = []
    try:
        study = read_study(files)
    except StoreError as error:
        faults.append(str(error))
    try:
        facts = read_facts(files)
    except FormatError:
        raise
    except StoreError as error:
        faults.append(str(error))
    if study and facts and study.identity == facts["identity"]:
        try:
            waves_of(facts, study, files.where("run.json"))
        except StoreError as error:
            facts = None
            faults.append(str(error))
    return study, facts, faults


def _identity_of_commits(files: Files) -> str | None:
    """Return the most frequent identity among the commits that can be read."""
    named: Counter[str] = Counter()
    for name in fitting(files, "commits", COMMIT_NAME):
        with suppress(StoreError, KeyError):
            named[str(decode_record(files.read(name), files.where(name))["study"])] += 1
    return named.most_common(1)[0][0] if named else None


def _about_parts(files: Files, identity: str | None) -> dict[str, Any]:
    """Return the metadata of a part of this study, or of any, in the form of run.json."""
    import pyarrow as pa

    for name in sorted(fitting(files, "parts", PART_NAME)):
        try:
            schema = pq.read_schema(pa.BufferReader(files.read(name)))
            about = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
            facts: dict[str, Any] = {key: about[key] for key in ("identity", *BITS)}
            facts |= {"format": int(about["format"]), "numerics_version": int(about["numerics_version"])}
            facts |= {"keep": "runs" if "run" in schema.names else "cells", "waves": json.loads(about["waves"])}
        except (StoreError, pa.ArrowException, OSError, ValueError, KeyError):
            continue
        if identity in (None, facts["identity"]):
            check_format(facts, files)
            return facts
    raise StoreError(
        f"{files.where('run.json')!r} is damaged, and no part is left to restore it from; start over with --overwrite"
    )


def _digest(files: Files) -> str:
    return hashlib.sha256(files.read("study.toml")).hexdigest()
