"""Records on disk that are changed as if they had been written so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sweep.store.records import encode_record


def rewrite(path: Path, **changes: Any) -> None:
    """Change keys of a record, or remove those given as ``...``, and make its own hash fit."""
    facts = json.loads(path.read_text()) | changes
    facts.pop("check")
    path.write_bytes(encode_record({key: value for key, value in facts.items() if value is not ...}))
