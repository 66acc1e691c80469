"""Records on disk with changes that fit their checksums."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sweep.store.commits import encode_record


def rewrite(path: Path, **changes: Any) -> None:
    """Change keys of a record, or remove those with the value ``...``, and make its hash fit."""
    facts = json.loads(path.read_text()) | changes
    facts.pop("check")
    path.write_bytes(encode_record({key: value for key, value in facts.items() if value is not ...}))
