"""A results folder in an object store: Amazon S3 or a compatible one. An upload creates a whole object or none."""

from __future__ import annotations

import random
import re
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, TypeVar

from sweep.errors import StoreError, shown
from sweep.store.files import Files
from sweep.store.requests import Failure, ask, connect, remove_one

if TYPE_CHECKING:
    from obstore.store import S3Store

T = TypeVar("T")

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
# Keys have at most 1024 bytes, including our names.
_MOST_PREFIX_BYTES = 900
# Most attempts and longest pause (seconds): a store may refuse an upload during another one of the same name.
_MOST_CONFLICTS, _LONGEST_WAIT = 50, 0.2
# Small objects read at once, since each takes a round trip.
_AT_ONCE = 16


class ObjectFiles(Files):
    """The files of a results folder in an object store, at bucket and prefix as in the address s3://BUCKET/PREFIX."""

    on_file_system = False

    def __init__(self, location: str) -> None:
        self.bucket, self.prefix = split_location(location)
        self.place = f"s3://{self.bucket}/{self.prefix}"
        self._store: S3Store = connect(self.bucket, self.place)
        self._met = self._has_bucket = False
        self._removes_many = True  # as far as is known

    def where(self, name: str = "") -> str:
        return f"{self.place}/{name}" if name else self.place

    def make(self) -> None:
        """Refuse a store that cannot be written to, or uploads an object although one exists."""
        name, honored = f".run.json.{secrets.token_hex(4)}", False  # the name of a draft, which --overwrite removes
        try:
            for content in (b"1", b"2", b"3", b"4"):  # another run with --overwrite may remove it
                self._request(partial(self._put_new, name, content))
        except Failure as failure:
            if failure.kind not in ("taken", "unconditional"):
                raise self._error("", "written", failure) from None
            honored = failure.kind == "taken"  # even by our first upload, if its answer was lost
        with suppress(StoreError):
            self.remove(name)
        if not honored:
            raise StoreError(
                f"results cannot be written to {self.place!r}: its object store has no conditional uploads "
                "(If-None-Match), so runs could overwrite each other's results; choose another place (--out)"
            )

    def make_folder(self, name: str) -> None:
        """Do nothing: folders exist once they contain objects."""

    def has_folder(self, name: str) -> bool:
        root = self._key(name)

        def look() -> bool:
            found = (each["path"] for batch in self._store.list(root) for each in batch)
            return any(path.startswith(f"{root}/") for path in found)

        return self._answer(name, "read", look)

    def modified(self, name: str) -> float | None:
        try:
            return self._request(partial(self._store.head, self._key(name)))["last_modified"].timestamp()
        except Failure as failure:
            if failure.kind != "absent":
                raise self._error(name, "read", failure) from None
            self._check_bucket()
            return None

    def names(self, folder: str = "") -> list[str]:
        """Return the names of objects and folders in a folder, without empty objects that stand for folders."""
        root = self._key(folder)
        found = self._answer(folder, "read", partial(self._store.list_with_delimiter, root))
        paths = [*(each["path"] for each in found["objects"]), *found["common_prefixes"]]
        return [path.removeprefix(f"{root}/") for path in paths if path.startswith(f"{root}/")]

    def read(self, name: str) -> bytes:
        return self._answer(name, "read", partial(self._get, name))

    def read_all(self, names: list[str]) -> Iterator[bytes]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            yield from pool.map(self.read, names)

    def write(self, name: str, content: bytes) -> None:
        """Upload an object in one request, so that a killed process leaves no unfinished upload that costs money."""
        self._answer(name, "written", partial(self._store.put, self._key(name), content, use_multipart=False))

    def create(self, name: str, content: bytes) -> bool:
        """Upload an object unless one exists; it may be this one if an answer was lost."""
        for _ in range(_MOST_CONFLICTS):
            try:
                self._request(partial(self._put_new, name, content))
                return True
            except Failure as failure:
                if failure.kind != "taken":
                    raise self._error(name, "written", failure) from None
            try:
                return self._request(partial(self._get, name)) == content
            except Failure as failure:
                if failure.kind != "absent":  # absent: another upload of it is under way, and may still fail
                    raise self._error(name, "read", failure) from None
            time.sleep(random.uniform(0.0, _LONGEST_WAIT))
        raise StoreError(f"{self.where(name)!r} cannot be written: other processes write and remove it repeatedly")

    def replace(self, name: str, content: bytes) -> None:
        self.write(name, content)

    def remove(self, *names: str) -> None:
        """Remove objects that exist: many per request, or one by one if the store does not support that."""
        if not names:
            return
        if self._removes_many:
            try:
                self._request(partial(self._store.delete, [self._key(name) for name in names]))
                return
            except Failure as failure:
                if failure.kind in ("passing", "unreached"):
                    raise self._error(names[0], "removed", failure) from None
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            requests = (partial(remove_one, self._store, self._key(name)) for name in names)
            list(pool.map(self._answer, names, repeat("removed"), requests))
        self._removes_many = False

    def settle(self, folder: str = "") -> None:
        """Do nothing: uploads are durable."""

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if name else self.prefix

    def _get(self, name: str) -> bytes:
        return bytes(self._store.get(self._key(name)).bytes())

    def _put_new(self, name: str, content: bytes) -> None:
        self._store.put(self._key(name), content, mode="create", use_multipart=False)

    def _check_bucket(self) -> None:
        """Check once that the bucket exists, since the store does not say why an object is missing."""
        if not self._has_bucket:
            self.names()
            self._has_bucket = True

    def _request(self, request: Callable[[], T]) -> T:
        """Make a request, and note that the store was reached."""
        try:
            answer = ask(request, self._met, self.check)
        except Failure as failure:
            self._met = self._met or failure.kind != "unreached"
            raise
        self._met = True
        return answer

    def _answer(self, name: str, done: str, request: Callable[[], T]) -> T:
        """Make a request, and turn a failure into a sentence."""
        try:
            return self._request(request)
        except Failure as failure:
            raise self._error(name, done, failure) from None

    def _error(self, name: str, done: str, failure: Failure) -> StoreError:
        return StoreError(f"{self.where(name)!r} cannot be {done}: {failure.reason}")


def split_location(location: str) -> tuple[str, str]:
    """Return bucket and prefix of the address s3://BUCKET/PREFIX; ``location`` is what follows s3://."""
    # Messages must not contain passwords or signatures.
    path = re.split(r"[?#]", location, maxsplit=1)[0]
    _, at, path = path.rpartition("@") if "@" in path.partition("/")[0] else ("", "", path)
    got = f"got {shown(f's3://{path}')}"
    if at:
        raise StoreError(
            f"results folder: must be s3://BUCKET/PREFIX without a user, {got}; set AWS_ACCESS_KEY_ID instead"
        )
    if path != location:
        raise StoreError(f"results folder: must be s3://BUCKET/PREFIX without '?' and '#', {got} with one of them")
    bucket, _, prefix = path.partition("/")
    prefix = prefix.removesuffix("/")
    if not _BUCKET.fullmatch(bucket):
        raise StoreError(
            f"results folder: must be s3://BUCKET/PREFIX, where BUCKET has 3 to 63 lowercase letters, digits, dots and "
            f"hyphens, {got}"
        )
    if not prefix:
        raise StoreError(
            f"results folder: must be s3://BUCKET/PREFIX, {got}; add a prefix such as s3://{bucket}/NAME, since "
            "--overwrite would empty the whole bucket"
        )
    if any(part in ("", ".", "..") for part in prefix.split("/")) or not prefix.isprintable():
        raise StoreError(f"results folder: the names in its prefix must be printable, not empty, '.' or '..', {got}")
    if len(prefix.encode()) > _MOST_PREFIX_BYTES:
        raise StoreError(f"results folder: its prefix must have at most {_MOST_PREFIX_BYTES} bytes, {got}")
    return bucket, prefix
