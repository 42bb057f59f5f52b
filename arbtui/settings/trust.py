"""Whether a profile's state is the operator's alone: who may write there may hold, forge or redirect what the engine relies on.

In a folder that others may write, somebody could put a link in place of ``journal.db`` or take ``kill.flag`` away. So
nothing starts on one, nor on any link or pipe in place of a file. Standard library only.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from arbtui.model.errors import UsageError
from arbtui.model.halt import FLAG_NAME

_TAKE_AWAY = "take it away once you know who made it, or name another --state-dir"
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def refuse_untrusted(root: Path, folder: Path) -> None:
    """Look at the state folder ``root``, a profile's ``folder`` in it, and everything below that. What is not there yet is fine.

    Raises:
        UsageError: one of them is not the operator's alone; the message names it and what to do.
    """
    for trouble in distrusted(root, folder):
        raise UsageError(trouble)


def distrusted(root: Path, folder: Path) -> Iterator[str]:
    """Everything that speaks against ``folder``, in sentences. ``root`` may be reached over a link, nothing below it may."""
    try:
        yield from _root(root)
        if folder != root and not folder.is_symlink() and not folder.exists():
            return
        if folder != root:
            yield from _entry(folder, folder.lstat())
        if folder.is_symlink() or not folder.is_dir():
            return
        for above, folders, files in os.walk(folder, onerror=_raise):
            for name in sorted([*folders, *files]):
                path = Path(above, name)
                try:
                    yield from _entry(path, path.lstat())
                except FileNotFoundError:  # an engine that runs there took it away just now
                    continue
    except OSError as error:
        yield f"state folder {error.filename or folder} cannot be read ({error.strerror or error}); mend its owner and mode"


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _root(root: Path) -> Iterator[str]:
    try:
        facts = root.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    if not stat.S_ISDIR(facts.st_mode):
        return  # told by whoever makes folders there
    if facts.st_uid not in (os.geteuid(), 0):
        yield f"state folder {root} belongs to user {facts.st_uid}, who may change everything in it; name another with --state-dir"
    elif facts.st_mode & _OTHERS_WRITE:
        yield f"state folder {root} can be written by others ({_mode(facts)}): chmod go-w {root}, or name another with --state-dir"


def _entry(path: Path, facts: os.stat_result) -> Iterator[str]:
    if stat.S_ISLNK(facts.st_mode):
        yield f"{path} is a symbolic link, which is never followed: {_TAKE_AWAY}"
    elif not (stat.S_ISREG(facts.st_mode) or stat.S_ISDIR(facts.st_mode)):
        yield f"{path} is no ordinary file or folder: {_TAKE_AWAY}"
    elif facts.st_uid != os.geteuid():
        yield f"{path} belongs to user {facts.st_uid}, not to you ({os.geteuid()}): mend its owner, or name another --state-dir"
    elif facts.st_mode & _OTHERS_WRITE and not path.name.startswith(FLAG_NAME):  # whoever writes a flag can only halt
        yield f"{path} can be written by others ({_mode(facts)}): look at what it holds, then chmod go-w {path}"


def _mode(facts: os.stat_result) -> str:
    return f"mode {stat.S_IMODE(facts.st_mode):04o}"
