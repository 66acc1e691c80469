"""Words of users' own for tests of sweep: known for as long as a test runs, in this process alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from kernels.own import words
from sweep import load_words

FILE = Path(__file__).parents[1] / "kernels" / "words_of_own.py"


@contextmanager
def only_words_of(*files: Path) -> Iterator[None]:
    """Know the words of these files and no others, as a new process would."""
    with mock.patch.object(words, "_BY_NAME", {}), mock.patch.object(words, "_BY_KEY", {}):
        for file in files:
            load_words(file)
        yield
