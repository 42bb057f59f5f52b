"""Where state lives: one folder for each profile's name, below it one for each mode. Standard library only.

``--state-dir``, else ``ARBTUI_STATE_DIR``, else the platform's state folder / ``arbtui``. Folders 0700, files 0600.
"""

import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from arbtui.model.durable_folder import make_folders
from arbtui.model.errors import UsageError
from arbtui.model.tip_file import vanished

MODES = ("sim", "paper", "live")
STATE_VARIABLE = "ARBTUI_STATE_DIR"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def keep_private() -> None:
    """From here on, every file and folder that this process creates is accessible to its user only (umask 077)."""
    os.umask(0o077)


def state_root(flag: str | Path | None = None) -> Path:
    """The folder that holds every profile's state; not created or checked here."""
    chosen = flag or os.environ.get(STATE_VARIABLE)
    if chosen:
        return Path(os.path.abspath(os.path.expanduser(chosen)))
    return platform_folder("XDG_STATE_HOME", ".local/state") / "arbtui"


def existing_root(flag: str | Path | None = None) -> Path:
    """:func:`state_root` for a command that reads what is there.

    Raises:
        UsageError: it is a file, in which nothing can be.
    """
    root = state_root(flag)
    if os.path.exists(root) and not os.path.isdir(root):
        raise UsageError(f"state folder {root} is a file; name the folder with --state-dir")
    return root


def platform_folder(variable: str, below_home: str) -> Path:
    """A folder by the platform's custom: ``~/Library/Application Support`` on macOS, ``variable`` or its default elsewhere.

    A relative path in ``variable`` is ignored, as the XDG base directory specification asks.
    """
    if sys.platform == "darwin":
        return _home() / "Library" / "Application Support"
    named = os.environ.get(variable, "")
    return Path(named) if os.path.isabs(named) else _home() / below_home


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # no HOME and no entry in the user database
        return Path(os.path.abspath("."))


def profile_name(name_or_path: str) -> str:
    """The name of a profile given by name or by path (its file's stem), valid as a folder's name.

    Raises:
        UsageError: it is empty, or not a valid name.
    """
    name = Path(name_or_path).stem if is_path(name_or_path) else name_or_path
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name_or_path!r} gives no profile's name: at most 64 letters, digits, `-`, `_` and `.`, a letter or digit first")
    return name


def is_path(name_or_path: str) -> bool:
    """True when a profile is given by its file rather than by its name."""
    return "/" in name_or_path or name_or_path.endswith(".toml")


def profile_folder(root: Path, name: str) -> Path:
    """The folder with ``lock``, ``kill.flag`` and ``arbtui.log`` of the profile ``name``."""
    return root / name


def mode_folder(root: Path, name: str, mode: str) -> Path:
    """The folder with ``journal.db`` and ``venue.db`` of the profile ``name`` in ``mode``."""
    return root / name / mode


def make_private(folder: Path) -> Path:
    """Create ``folder`` and its missing parents, each 0700, and check that files can be written there.

    Raises:
        UsageError: it cannot be created or written, or its path is a file.
    """
    try:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        make_folders(folder)
        for path in missing:
            path.chmod(0o700)
        if not folder.is_dir():
            raise UsageError(_taken(folder))
        probe = folder / f".probe-{os.getpid()}"
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        probe.unlink()
    except OSError as error:
        raise UsageError(
            f"state folder {folder} cannot be written ({error.strerror or error}); mend its permissions or choose another with --state-dir"
        ) from None
    return folder


def taken_folders(root: Path, name: str) -> list[str]:
    """What is wrong where a file stands in place of the folder of the profile ``name``, or of one of its modes."""
    folders = (profile_folder(root, name), *(mode_folder(root, name, mode) for mode in MODES))
    return [_taken(folder) for folder in folders if folder.exists() and not folder.is_dir()]


def _taken(folder: Path) -> str:
    return f"state folder {folder}: a file stands in its place; move it away or choose another with --state-dir"


def written_at(folder: Path) -> float | None:
    """When the journal in a mode's ``folder`` was written last, on the machine's clock in s; None without a journal.

    Raises:
        OSError: the folder cannot be looked into.
    """
    try:
        written = (folder / "journal.db").stat().st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return None
    with suppress(FileNotFoundError):  # a writer that ends takes its log away
        log = (folder / "journal.db-wal").stat()
        if log.st_size:  # a reader may leave an empty one behind
            written = max(written, log.st_mtime)
    return written


def vanished_journals(root: Path, name: str) -> dict[str, str]:
    """By mode, why a journal of the profile ``name`` that is not there is no new one; empty when none has vanished."""
    found = {mode: vanished(mode_folder(root, name, mode) / "journal.db") for mode in MODES}
    return {mode: why for mode, why in found.items() if why}


def hidden_mode(gone: Iterable[str], chosen: str | None) -> str | None:
    """Of the modes whose journals are ``gone``, one with more at stake than ``chosen``, which a page about that would hide; else None."""
    worst = max(gone, key=MODES.index, default=None)
    if worst is None or (chosen is not None and MODES.index(worst) <= MODES.index(chosen)):
        return None
    return worst


def chosen_mode(root: Path, name: str, mode: str | None = None) -> str | None:
    """The mode that a command is about: ``mode``, else that of the latest run; None where the profile ``name`` has no journal.

    Raises:
        UsageError: no such mode; a file in place of a folder; or its journal has vanished, or, where ``mode`` is None, that of one with
            more at stake.
    """
    if mode is not None and mode not in MODES:
        raise UsageError(f"--mode {mode!r}: expected {', '.join(MODES)}")
    for trouble in taken_folders(root, name):
        raise UsageError(trouble)
    chosen = mode or latest_mode(root, name)
    gone = vanished_journals(root, name)
    if chosen in gone:
        raise UsageError(gone[chosen])
    hidden = hidden_mode(gone, chosen) if mode is None else None
    if hidden is not None:
        raise UsageError(gone[hidden] + (f"; the journal of {chosen} is another: --mode {chosen} is about that" if chosen else ""))
    return chosen


def latest_mode(root: Path, name: str) -> str | None:
    """The mode whose journal of the profile ``name`` was written last, or None when there is no journal.

    Raises:
        OSError: its folder cannot be looked into.
    """
    newest: tuple[float, str] | None = None
    for mode in MODES:
        written = written_at(mode_folder(root, name, mode))
        if written is not None and (newest is None or written > newest[0]):
            newest = (written, mode)
    return newest[1] if newest else None
