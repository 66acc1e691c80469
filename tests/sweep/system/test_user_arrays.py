"""Arrays in files that users name, and invalid files."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweep.system import user_files
from sweep.system.user_files import read_array, read_arrays

W = np.array([[1.5, -2.0, 1e30], [0.1, 0.0, 3e-30]])


def content_of(array: Any, **options: Any) -> bytes:
    """Return the content of a .npy file."""
    sink = io.BytesIO()
    np.lib.format.write_array(sink, array, **options)
    return sink.getvalue()


def header(descr: str, shape: tuple[int, ...]) -> bytes:
    """Return only the header of a .npy file."""
    sink = io.BytesIO()
    np.lib.format.write_array_header_1_0(sink, {"descr": descr, "fortran_order": False, "shape": shape})
    return sink.getvalue()


def archive(*members: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return the content of a .npz file."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", compression) as file:
        for name, content in members:
            file.writestr(name, content)
    return sink.getvalue()


@pytest.mark.parametrize(
    "array",
    [W, np.asfortranarray(W), W.astype(">f8"), W.astype("f4"), np.arange(3, dtype="u1"), np.float64(0.1), W[:0]],
)
def test_arrays(tmp_path: Path, array: Any) -> None:
    """Arrays are read exactly, in every order of bytes and axes and every version of the format."""
    for version in ((1, 0), (2, 0)):
        (tmp_path / "a.npy").write_bytes(content_of(np.asanyarray(array), version=version))
        assert read_array(tmp_path / "a.npy") == array.tolist()
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", array, w=W)
        assert read_arrays(tmp_path / "a.npz") == {"arr_0": array.tolist(), "w": W.tolist()}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is not a .npy file of numbers"),
        (b"\x93NUMPY\x01\x00\x10\x00{'descr': 1}    \n", "is not a .npy file of numbers"),
        (header("<f8", (2,)).replace(b"(2,)", b"(9,)"), "is not a .npy file of numbers"),
        (header("<f8", (2**50,)) + bytes(80), "is not a .npy file of numbers"),
        (header("<f8", (-2, -5)) + bytes(80), "is not a .npy file of numbers"),
        (content_of(W)[:-1], "is not a .npy file of numbers"),
        (archive(("w.npy", content_of(W))), "got an archive"),
        (content_of(np.zeros(3, "M8[ns]")), "values must be integers or floats of up to 64 bits, got datetime64[ns]"),
        (content_of(np.zeros(3, "m8[s]")), "got timedelta64[s]"),
        (content_of(np.zeros(3, "?")), "got bool"),
        (content_of(np.zeros(3, "c16")), "got complex128"),
        (content_of(np.array(["a"])), "got <U1"),
        (content_of(np.array([b"a"])), "got |S1"),
        (content_of(np.zeros(3, [("w", "f8")])), "got [('w', '<f8')]"),
        (header("|O", (1,)) + b"cos\nsystem\n(S'false'\ntR.", "is not a .npy file of numbers"),
    ],
)
def test_invalid_arrays(tmp_path: Path, content: bytes, fault: str) -> None:
    """A fault is reported in one sentence, for an array and for an archive."""
    (tmp_path / "a.npy").write_bytes(content)
    (tmp_path / "a.npz").write_bytes(archive(("v.npy", content_of(W)), ("w.npy", content)))
    with pytest.raises(ValueError, match=r"\w") as alone:
        read_array(tmp_path / "a.npy")
    with pytest.raises(ValueError, match="array 'w': ") as archived:
        read_arrays(tmp_path / "a.npz")
    for caught in (alone, archived):
        assert fault in str(caught.value)
        assert str(caught.value).isprintable()


# zipfile warns of a second member of one name when it writes it.
@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@pytest.mark.parametrize("names", [("w.npy", "w.npy"), ("w.npy", "w")])
def test_two_arrays_of_one_name(tmp_path: Path, names: tuple[str, str]) -> None:
    """Two arrays of one name are refused."""
    (tmp_path / "a.npz").write_bytes(archive(*((name, content_of(W)) for name in names)))
    with pytest.raises(ValueError, match="has several arrays named 'w'"):
        read_arrays(tmp_path / "a.npz")


def test_archives_that_are_much_larger_than_they_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sizes in the directory are compared with the limit before anything is decompressed."""
    path = tmp_path / "a.npz"
    path.write_bytes(archive(("v.npy", content_of(np.zeros(1000))), ("w.npy", content_of(np.zeros(1000)))))
    assert path.stat().st_size < 1000
    monkeypatch.setattr(user_files, "MAX_NUMBERS", 1999)
    with pytest.raises(ValueError, match="v, w have more than 1,999 numbers"):
        read_arrays(path)
    monkeypatch.setattr(user_files, "MAX_BYTES", 16_000)
    with pytest.raises(ValueError, match="its arrays take more than 16,000 bytes"):
        read_arrays(path)


def test_directory_with_too_small_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is decompressed than the directory states, which is not a whole array."""
    content, size = content_of(np.zeros(1_000_000)), (8_000_128).to_bytes(4, "little")
    forged = archive(("w.npy", content))
    assert forged.count(size) == 2
    (tmp_path / "a.npz").write_bytes(forged.replace(size, (1000).to_bytes(4, "little")))
    with pytest.raises(ValueError, match="not an archive of arrays: Bad CRC-32"):
        read_arrays(tmp_path / "a.npz")


@pytest.mark.parametrize("k", range(40))
def test_damaged_archives(tmp_path: Path, k: int) -> None:
    """Any damage is reported in one sentence."""
    content, random = (
        bytearray(archive(("w.npy", content_of(W)), ("b.npy", content_of(W[0])))),
        np.random.default_rng(k),
    )
    for at in random.integers(0, len(content), 2):
        content[at] ^= 1 << random.integers(0, 8)
    (tmp_path / "a.npz").write_bytes(content[: len(content) - k // 2 * (k % 2)])
    try:
        arrays = read_arrays(tmp_path / "a.npz")
    except ValueError as error:
        assert str(error).isprintable()  # noqa: PT017
    else:
        assert W.tolist() in arrays.values()
