"""What a crash of the engine's process leaves on its disk."""

import shutil
from pathlib import Path
from typing import Protocol


class Disk(Protocol):
    """The disk under a story. Tests bring one that loses power: what was not synced is there in part, or not at all."""

    durable: bool  #: the journal syncs as in real time

    def mark(self) -> None:
        """Something begins to be written of which nobody knows before it is done."""
        ...

    def leave(self, folder: Path, target: Path, *, since_mark: bool) -> None:
        """Make ``target`` what is left of ``folder``. ``since_mark``: at any moment since the mark, as nobody knows better."""
        ...


class KeptDisk:
    """The process is gone, and the machine goes on: the files are as they are."""

    durable = False

    def mark(self) -> None:
        """See :meth:`Disk.mark`."""

    def leave(self, folder: Path, target: Path, *, since_mark: bool) -> None:
        """See :meth:`Disk.leave`."""
        shutil.copytree(folder, target, symlinks=True, ignore=shutil.ignore_patterns("*-shm", ".*"))
