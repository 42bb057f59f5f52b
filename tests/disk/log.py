"""What reached a disk, in order: writes, syncs, names; and what of it is there after a power cut at any moment.

The model: what was synced is there. Of what was not, any part may be: each write whole, in blocks, or not at all, in any combination; each
name of a file (creation, link, removal, renaming) until its folder was synced. A sync that failed makes nothing durable that was written
before it, also when a later one succeeds: the kernel may have dropped those pages.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

BLOCKS = (512, 4096)
FOLDER = -1  #: what a name leads to that is a folder's


@dataclass(frozen=True, slots=True)
class Write:
    """``data`` at ``offset`` of a file."""

    file: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    """A file ends at ``size``."""

    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """What was written to a file is durable, if the sync ``succeeded``."""

    file: int
    succeeded: bool = True


@dataclass(frozen=True, slots=True)
class Names:
    """Names in ``folder`` lead to other files, or to none, all at once."""

    folder: str
    changes: tuple[tuple[str, int | None], ...]


@dataclass(frozen=True, slots=True)
class SyncFolder:
    """The names in ``folder`` are durable."""

    folder: str


@dataclass(frozen=True, slots=True)
class Told:
    """No operation: by now somebody relies on ``what``."""

    what: Any


Op = Write | Truncate | Sync | Names | SyncFolder | Told


class DiskLog:
    """All operations on the files below ``root`` whose paths go on with ``prefix``; they begin as they are now."""

    def __init__(self, root: Path, prefix: str = "") -> None:
        self.root = root
        self._begin = f"{root}/{prefix}"
        self.ops: list[Op] = []
        self.names: dict[str, int] = {}  #: now
        self.contents: dict[int, bytes] = {}  #: at the beginning
        self._next = 0
        for path, content in _all(root):
            if self.has(path):
                self.add(path, content)
        self.first_names = dict(self.names)

    def add(self, path: str, content: bytes | None) -> int:
        """What has come to be at ``path`` without an operation, and is durable; its number. None: a folder."""
        self.names[path] = number = FOLDER if content is None else self._new()
        if content is not None:
            self.contents[number] = content
        return number

    def _new(self) -> int:
        self._next += 1
        return self._next

    def has(self, path: str) -> bool:
        """Whether ``path`` is on this disk."""
        return path.startswith(self._begin)

    def file(self, path: str) -> int:
        """The file at ``path``; a new one where none is."""
        if path not in self.names:
            self.name((path, self._new()))
        return self.names[path]

    def name(self, *changes: tuple[str, int | None]) -> None:
        """Change names in one folder, all at once."""
        for path, file in changes:
            if file is None:
                self.names.pop(path, None)
            else:
                self.names[path] = file
        self.ops.append(Names(str(Path(changes[0][0]).parent), changes))

    def tell(self, what: Any) -> None:
        """Somebody relies on ``what`` from now on."""
        self.ops.append(Told(what))


@dataclass(slots=True)
class _File:
    durable: bytearray
    pending: list[Write | Truncate] = field(default_factory=list)


class PowerCuts:
    """Walks through a log, and makes what a cut leaves. ``random`` decides what of the rest is kept."""

    def __init__(self, log: DiskLog, random: Random) -> None:
        self.told: list[Any] = []  #: what was told before the place that was reached
        self._log = log
        self._random = random
        self._place = 0
        self._files = {number: _File(bytearray(content)) for number, content in log.contents.items()}
        self._names = dict(log.first_names)
        self._pending_names: list[Names] = []

    def advance(self, place: int) -> None:
        """Go on to just before the operation ``place``."""
        for op in self._log.ops[self._place : place]:
            match op:
                case Write() | Truncate():
                    self._file(op.file).pending.append(op)
                case Sync(number, succeeded):
                    file = self._file(number)
                    if succeeded:
                        _apply(file.durable, file.pending, self._random)
                    else:
                        _apply(file.durable, self._some(file.pending, "torn"), self._random)
                    file.pending.clear()
                case Names():
                    self._pending_names.append(op)
                case SyncFolder(folder):
                    for names in self._pending_names:
                        if names.folder == folder:
                            _rename(self._names, names)
                    self._pending_names = [names for names in self._pending_names if names.folder != folder]
                case Told(what):
                    self.told.append(what)
        self._place = max(self._place, place)

    def adopt(self, folder: Path) -> None:
        """Take what is in ``folder`` for written and durable, though no operation tells of it."""
        for path, content in [(str(folder), None), *_all(folder)]:
            self._names[path] = number = self._log.add(path, content)
            if content is not None:
                self._files[number] = _File(bytearray(content))

    def forget(self) -> None:
        """Let go of the operations up to this place."""
        del self._log.ops[: self._place]
        self._place = 0

    def leave(self, target: Path, below: Path | None = None) -> None:
        """Write what is there after a cut at this place to ``target``: what was below the root, or ``below``."""
        random, below = self._random, below or self._log.root
        kept = random.choice(("nothing", "all", "some", "torn", "in order", "torn"))
        names = dict(self._names)
        for change in self._pending_names:
            if kept == "all" or (kept != "nothing" and random.random() < 0.5):
                _rename(names, change)
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path, number in sorted(names.items()):  # a folder comes before what is in it
            if not path.startswith(f"{below}/"):
                continue
            place = target / Path(path).relative_to(below)
            if not place.parent.is_dir():
                continue  # its folder is lost
            if number == FOLDER:
                place.mkdir(mode=0o700, exist_ok=True)
                continue
            file = self._file(number)
            content = bytearray(file.durable)
            _apply(content, self._some(file.pending, kept), random)
            place.write_bytes(content)
            place.chmod(0o600)

    def _file(self, number: int) -> _File:
        return self._files.setdefault(number, _File(bytearray()))

    def _some(self, pending: list[Write | Truncate], kept: str) -> Iterator[Write | Truncate]:
        random = self._random
        if kept == "nothing":
            return
        block = random.choice(BLOCKS)
        last = random.randrange(len(pending) + 1) if kept == "in order" else len(pending)
        often = random.random()
        for place, op in enumerate(pending[:last]):
            whole = kept == "all" or (kept == "in order" and place < last - 1)
            if whole or isinstance(op, Truncate) or kept == "some":
                if whole or random.random() < often:
                    yield op
                continue
            for piece in _pieces(op, block):
                if random.random() < often:
                    yield piece


def _all(root: Path) -> Iterator[tuple[str, bytes | None]]:
    """Every folder (None) and file below ``root``, but shared memory, which is on no disk."""
    for path in sorted(root.rglob("*")):
        if path.is_dir():
            yield str(path), None
        elif not path.name.endswith("-shm"):
            yield str(path), path.read_bytes()


def _pieces(write: Write, block: int) -> Iterator[Write]:
    start, end = write.offset, write.offset + len(write.data)
    while start < end:
        stop = min(end, (start // block + 1) * block)
        yield Write(write.file, start, write.data[start - write.offset : stop - write.offset])
        start = stop


def _apply(content: bytearray, ops: Iterator[Write | Truncate] | list[Write | Truncate], random: Random) -> None:
    for op in ops:
        if isinstance(op, Truncate):
            del content[op.size :]
            continue
        if op.offset > len(content):  # what lies between was never written, or lost: zeros, or what the disk held before
            hole = op.offset - len(content)
            content += bytes(hole) if random.random() < 0.5 else random.randbytes(hole)
        content[op.offset : op.offset + len(op.data)] = op.data


def _rename(names: dict[str, int], change: Names) -> None:
    for path, file in change.changes:
        if file is None:
            names.pop(path, None)
        else:
            names[path] = file
