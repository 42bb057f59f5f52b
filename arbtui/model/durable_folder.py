"""Folders, and names in them, that outlive a power cut. Standard library only: the kill flag is made so."""

import os
from contextlib import suppress
from pathlib import Path


def make_folders(folder: Path) -> None:
    """Make ``folder`` and its missing parents, each 0700, and durable: a file that was synced is gone with a folder that was not.

    Raises:
        OSError: one of them cannot be made.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    deepest = missing[-1].parent if missing else folder
    with suppress(PermissionError):  # whoever made it may have ended before this; above folders of ours others may not look
        sync_folder(deepest.parent)
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
        sync_folder(each.parent)


def sync_folder(folder: Path) -> None:
    """Make what was created, renamed or removed in ``folder`` durable.

    Raises:
        OSError: it is not there, or the disk failed.
    """
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
