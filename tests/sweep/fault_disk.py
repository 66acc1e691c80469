"""What a disk certainly has of a folder, and what a power failure may leave of the rest.

The content of a file lasts as far as it was synced, and a name once its folder was; nothing else is guaranteed,
not even an order. Common file systems guarantee more.
"""

from __future__ import annotations

import itertools
import json
import os
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_link, _lstat, _scandir = os.link, os.lstat, os.scandir  # those of the system, even where faults replace them


@dataclass
class Node:
    """A file or a folder, whatever its names."""

    is_folder: bool
    size: int = 0  # bytes of a file that last
    lasting: dict[str, int] = field(default_factory=dict)  # names in a folder that last, and their nodes
    # Changes of names since then; each is made whole or not at all. None stands for a removal.
    pending: list[dict[str, int | None]] = field(default_factory=list)

    def names(self) -> dict[str, int]:
        """Return the names as processes see them."""
        return _changed(self.lasting, self.pending)


class Disk:
    """The disk below a folder, reconstructed from the calls of processes.

    The content of the folder lasts at first. The vault is another folder, which keeps every file under the number of
    its node.
    """

    def __init__(self, root: str, vault: str, nodes: list[Node] | None = None) -> None:
        self.root, self.vault = root, vault
        self.nodes = nodes or []
        if not self.nodes:
            self._take_in(root)

    @classmethod
    def load(cls, root: str, vault: str, noted: str | None) -> Disk:
        """Return the disk that an earlier process left, or a new one."""
        return cls(root, vault, [Node(**node) for node in json.loads(noted)] if noted else None)

    def noted(self) -> str:
        """Return the state as text."""
        return json.dumps([asdict(node) for node in self.nodes])

    def created(self, path: str) -> None:
        """Note that a file was created."""
        self._enter(path, self._new_file(path, lasts=False))

    def made(self, path: str) -> None:
        """Note that a folder was created."""
        self.nodes.append(Node(is_folder=True))
        self._enter(path, len(self.nodes) - 1)

    def linked(self, source: str, target: str) -> None:
        """Note that a file got another name."""
        self._enter(target, self._number(source))

    def replaced(self, source: str, target: str) -> None:
        """Note that a file was renamed within its folder."""
        folder, name = os.path.split(source)
        assert folder == os.path.dirname(target)
        number = self._number(source)
        self._node(folder).pending.append({name: None, os.path.basename(target): number})

    def unlinked(self, path: str) -> None:
        """Note that a name was removed."""
        folder, name = os.path.split(path)
        if name in self._node(folder).names():
            self._node(folder).pending.append({name: None})

    def synced(self, path: str) -> None:
        """Note that a file, or the names in a folder, last from now on."""
        node = self._node(path)
        if node.is_folder:
            node.lasting, node.pending = node.names(), []
        else:
            node.size = _lstat(path).st_size

    def _enter(self, path: str, number: int) -> None:
        folder, name = os.path.split(path)
        self._node(folder).pending.append({name: number})

    def _new_file(self, path: str, lasts: bool) -> int:
        self.nodes.append(Node(is_folder=False, size=_lstat(path).st_size if lasts else 0))
        _link(path, os.path.join(self.vault, str(len(self.nodes) - 1)))
        return len(self.nodes) - 1

    def _take_in(self, folder: str) -> int:
        node, number = Node(is_folder=True), len(self.nodes)
        self.nodes.append(node)
        for entry in _scandir(folder):
            is_folder = entry.is_dir(follow_symlinks=False)
            node.lasting[entry.name] = self._take_in(entry.path) if is_folder else self._new_file(entry.path, True)
        return number

    def _number(self, path: str) -> int:
        number = 0
        for name in Path(path).relative_to(self.root).parts:
            number = self.nodes[number].names()[name]
        return number

    def _node(self, path: str) -> Node:
        return self.nodes[self._number(path)]


@dataclass(frozen=True)
class Loss:
    """What a power failure destroys of the data that need not last."""

    names: str  # ``"kept"``, ``"gone"``, or ``"some"``: each change of names may have been made or not
    # Of what was written and not synced: ``"kept"``, ``"gone"``, ``"half"``, ``"zeros"`` in its place, or ``"some"``
    content: str
    seed: int = 0

    def leave(self, noted: str, vault: Path, target: Path) -> None:
        """Write what remains into a new folder."""
        nodes = [Node(**node) for node in json.loads(noted)]
        chance = random.Random(self.seed)

        def put(number: int, path: Path) -> None:
            node = nodes[number]
            if not node.is_folder:
                path.write_bytes(self._content(node, (vault / str(number)).read_bytes(), chance))
                return
            path.mkdir()
            for name, child in sorted(_changed(node.lasting, self._pending(node, chance)).items()):
                put(child, path / name)

        put(0, target)

    def _pending(self, node: Node, chance: random.Random) -> list[Any]:
        if self.names == "some":
            return [change for change in node.pending if chance.random() < 0.5]
        return node.pending if self.names == "kept" else []

    def _content(self, node: Node, content: bytes, chance: random.Random) -> bytes:
        how = chance.choice(("kept", "gone", "half", "zeros")) if self.content == "some" else self.content
        lost = len(content) - node.size
        if how == "zeros":
            return content[: node.size] + bytes(lost)
        return content[: node.size + {"kept": lost, "gone": 0, "half": lost // 2}[how]]


def losses(seeds: int) -> Iterator[Loss]:
    """Yield every loss without random choices, and some with them."""
    for names, content in itertools.product(("gone", "kept"), ("gone", "half", "zeros", "kept")):
        yield Loss(names, content)
    for seed in range(seeds):
        yield Loss("some", "some", seed)


def _changed(names: dict[str, int], changes: list[dict[str, int | None]]) -> dict[str, int]:
    found: dict[str, int | None] = dict(names)
    for change in changes:
        found |= change
    return {name: number for name, number in found.items() if number is not None}
