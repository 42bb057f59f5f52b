"""Our own file operations on a logged disk: flags, tips and folders, which no SQLite writes."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from tests.disk.failing import Failing
from tests.disk.log import FOLDER, DiskLog, Sync, SyncFolder, Truncate, Write


class _Files:
    """What :mod:`os` does, with a line in the log for what changes a disk."""

    def __init__(self, log: DiskLog, failing: Failing) -> None:
        self._log, self._failing = log, failing
        self._real = {
            name: getattr(os, name) for name in ("open", "write", "fsync", "close", "replace", "rename", "link", "unlink", "mkdir")
        }
        self._open: dict[int, tuple[str, int]] = {}  # path and position, by descriptor

    def _path(self, path: Any) -> str:
        return os.path.abspath(os.fspath(path)) if isinstance(path, str | os.PathLike) else ""

    def open(self, path: Any, flags: int, *more: Any, **options: Any) -> int:
        name = self._path(path)
        descriptor: int = self._real["open"](path, flags, *more, **options)
        if self._log.has(name) or name == str(self._log.root):
            self._open[descriptor] = name, 0
            if flags & os.O_CREAT:
                number = self._log.file(name)
                if flags & os.O_TRUNC:
                    self._log.ops.append(Truncate(number, 0))
        return descriptor

    def write(self, descriptor: int, data: bytes) -> int:
        if descriptor in self._open and self._failing.meets("write"):
            if self._failing.how != "short":
                raise OSError(self._failing.errno, os.strerror(self._failing.errno))
            data = data[: len(data) // 2]
        written: int = self._real["write"](descriptor, data)
        if descriptor in self._open:
            name, position = self._open[descriptor]
            self._log.ops.append(Write(self._log.file(name), position, bytes(data[:written])))
            self._open[descriptor] = name, position + written
        return written

    def fsync(self, descriptor: int) -> None:
        if descriptor not in self._open:
            self._real["fsync"](descriptor)
            return
        name, _ = self._open[descriptor]
        is_folder = name == str(self._log.root) or self._log.names.get(name) == FOLDER
        fails = self._failing.meets("sync")
        if not is_folder:
            self._log.ops.append(Sync(self._log.file(name), succeeded=not fails))
        elif not fails:
            self._log.ops.append(SyncFolder(name))
        if fails:
            raise OSError(self._failing.errno, os.strerror(self._failing.errno))

    def close(self, descriptor: int) -> None:
        self._open.pop(descriptor, None)
        self._real["close"](descriptor)

    def _moved(self, real: Callable[..., None], old: Any, new: Any, *more: Any, **options: Any) -> None:
        real(old, new, *more, **options)
        before, after = self._path(old), self._path(new)
        if self._log.has(before):
            self._log.name((before, None), (after, self._log.file(before)))

    def replace(self, old: Any, new: Any, *more: Any, **options: Any) -> None:
        self._moved(self._real["replace"], old, new, *more, **options)

    def rename(self, old: Any, new: Any, *more: Any, **options: Any) -> None:
        self._moved(self._real["rename"], old, new, *more, **options)

    def link(self, old: Any, new: Any, *more: Any, **options: Any) -> None:
        self._real["link"](old, new, *more, **options)
        if self._log.has(self._path(new)):
            self._log.name((self._path(new), self._log.file(self._path(old))))

    def unlink(self, path: Any, *more: Any, **options: Any) -> None:
        self._real["unlink"](path, *more, **options)
        if self._log.has(self._path(path)):
            self._log.name((self._path(path), None))

    def mkdir(self, path: Any, *more: Any, **options: Any) -> None:
        self._real["mkdir"](path, *more, **options)
        if self._log.has(self._path(path)):
            self._log.name((self._path(path), FOLDER))

    @contextmanager
    def replacing(self) -> Iterator[None]:
        """Stand in for :mod:`os` while the block lasts."""
        with ExitStack() as stack:
            for name in self._real:
                stack.enter_context(patch.object(os, name, getattr(self, name)))
            yield


@contextmanager
def logged_files(log: DiskLog, failing: Failing) -> Iterator[None]:
    """Log what this process does with files below the log's root, other than by SQLite, while the block lasts."""
    with _Files(log, failing).replacing():
        yield
