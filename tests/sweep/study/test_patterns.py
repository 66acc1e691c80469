"""Pattern files, good and bad."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep import Study, StudyError
from sweep.study.data import pattern_files as patterns
from sweep.study.data.pattern_files import open_patterns, read_patterns
from sweep.study.data.tasks import xor
from tests.sweep.strategies import finite

XOR = (((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)), ((0.0,), (1.0,), (1.0,), (0.0,)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a pattern file to write."""
    return tmp_path / "patterns.csv"


@pytest.fixture(scope="module")
def shared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a pattern file to write again and again."""
    return tmp_path_factory.mktemp("patterns") / "patterns.csv"


@pytest.mark.parametrize(
    "text",
    [
        "x0,x1,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n",
        "x0,x1,y0\n0,0,0\n0,1,1\n1,0,1\n1,1,0",
        "y,x1,x0\n0,0,0\n1,1,0\n1,0,1\n0,1,1\n",
        "x0, x1, y\r\n0, 0, 0\r\n0, 1, 1\r\n1, 0, 1\r\n1, 1, 0\r\n",
        '"x0","x1","y"\n"0","0","0"\n0,1,1\n1,0,1\n1,1,0\n',
        "\n\nx0,x1,y\n\n0,0,0\n0,1,1\n\n1,0,1\n1,1,0\n\n",
        "\ufeffx0,x1,y\n0,0,0\n0.0,1e0,+1\n1,-0,1\n1,1,0\n",
    ],
    ids=["plain", "y0, no last newline", "order", "Windows, spaces", "quotes", "blank lines", "byte order mark"],
)
def test_good_files(file: Path, text: str) -> None:
    """Every usual way to write a table of numbers is understood."""
    file.write_bytes(text.encode())
    assert read_patterns(open_patterns(file)) == XOR == xor()


def test_columns_are_ordered_by_their_number(file: Path) -> None:
    """More than ten columns stand in the order of their numbers, not of the file or the alphabet."""
    names = [f"x{k}" for k in range(12)] + ["y0", "y1"]
    order = [13, 3, 11, 0, 12, 10, 2, 1, 9, 8, 4, 7, 5, 6]
    lines = [",".join(names[k] for k in order), ",".join(str(k) for k in order)]
    file.write_text("\n".join(lines))
    assert read_patterns(open_patterns(file)) == ((tuple(float(k) for k in range(12)),), ((12.0, 13.0),))


@given(st.lists(st.tuples(finite, finite, finite), min_size=1, max_size=5))
def test_numbers_are_read_exactly(shared_file: Path, rows: list[tuple[float, float, float]]) -> None:
    """A float written in full is read back as it was."""
    shared_file.write_text("x0,y1,y0\n" + "\n".join(",".join(map(repr, row)) for row in rows))
    assert read_patterns(open_patterns(shared_file)) == (
        tuple((a,) for a, _, _ in rows),
        tuple((c, b) for _, b, c in rows),
    )


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ("empty", "name the columns")),
        (b"x0,x1,y\n", ("no patterns",)),
        (b"x0,x1,y\n0,0,zero\n", ("row 2", "'zero'", "finite number")),
        (b"x0,x1,y\n0,0,0\n0,,0\n", ("row 3, column 'x1': the value is missing, got ''; fill it in",)),
        (b"x0,x1,y\n0,nan,0\n", ("row 2", "missing, got 'nan'")),
        (b"x0,x1,y\n0,1_0,0\n", ("row 2", "'1_0'", "finite number")),
        ("x0,x1,y\n0,٣,0\n".encode(), ("row 2", "'٣'", "finite number")),
        ("x0,x1,y\n0,\uff11,0\n".encode(), ("row 2", "'\uff11'")),
        (b"x0,x1,y\n0,1\x00,0\n", ("cannot be read", "zero byte")),
        (b"x0,x1,y\n0,1\nx,0\n".replace(b"1\nx", b'"1\nx"'), ("row 3", "'1\\nx'")),
        (b"x0,x1,y\n0," + b"x" * 5000 + b",0\n", ("row 2", "xxx...xxx")),
        (b"x0,x1,y\n0,0,0\n0,1\n", ("row 3", "3 values", "got 2")),
        (b"x0,x1,y\n0,0,0,0\n", ("row 2", "3 values", "got 4")),
        (b"x0;x1;y\n0;0;0\n", ("columns", "x0;x1;y", "by commas, not by ';'")),
        (b"0,0,0\n0,1,1\n", ("columns", "0, 0, 0", "x0, x1")),
        (b"a,b,y\n0,0,0\n", ("columns", "a, b, y")),
        (b"x0,x2,y\n0,0,0\n", ("columns", "x2")),
        (b"x0,y,y0\n0,0,0\n", ("columns",)),
        (b"x\n0\n", ("got x;",)),
        (b",".join([b"a" * 100] * 1000) + b"\n0\n", ("got aaa", "and 992 more")),
        (b'"x\n0",y\n0,0\n', ("got x\\n0, y",)),
        (b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe", ("cannot be read", "text")),
        (b"x0,y\n0,\x01\n", ("row 2", "'\\x01'")),
        ("x0,y\n0,½\n".encode("latin-1"), ("cannot be read", "text")),
        (b'x0,y\n"' + b"1" * 200_000 + b'",0\n', ("patterns.csv",)),
    ],
)
def test_bad_files(file: Path, content: bytes, parts: tuple[str, ...]) -> None:
    """The fault of a bad file names its path and the row."""
    file.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(str(file))) as caught:
        read_patterns(open_patterns(file))
    assert type(caught.value) is ValueError
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("text", ["1", "+1.5", "-.5", "5.", "1e3", " 1E-3 ", "0001", "1" * 400 + "e-399", "\t2"])
def test_numbers(file: Path, text: str) -> None:
    """Numbers are read in every usual notation, with spaces around them."""
    file.write_text(f"x0,y\n{text},0\n")
    assert read_patterns(open_patterns(file)) == (((float(text),),), ((0.0,),))


def test_more_patterns_than_allowed_are_not_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of too many patterns is refused before any is converted."""
    file.write_text("x0,y\n" + "0,0\n" * 5)
    monkeypatch.setattr(patterns, "MAX_PATTERNS", 5)
    assert len(read_patterns(open_patterns(file))[0]) == 5
    file.write_text("x0,y\n" + "0,0\n" * 5 + "one,one\n")
    with pytest.raises(ValueError, match="more than 5 patterns"):
        read_patterns(open_patterns(file))


def test_rows_are_counted_as_in_the_file(file: Path) -> None:
    """Rows are numbered as an editor numbers lines, blank lines included."""
    file.write_text("x0,y\n\n1,2\n\n3,four\n")
    with pytest.raises(ValueError, match="row 5"):
        read_patterns(open_patterns(file))


def test_fault_of_a_file_is_a_fault_of_the_study(file: Path) -> None:
    """In a study, the fault of the pattern file is one of its faults."""
    file.write_text("x0,y\n1,one\n")
    with pytest.raises(StudyError) as caught:
        Study(data={"file": str(file)}, network={"hidden": -1}, training={"learning_rate": 0.1})
    data, hidden = caught.value.faults
    assert data.startswith("data: pattern file")
    assert "'one'" in data
    assert hidden.startswith("network.hidden")
