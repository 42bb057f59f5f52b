"""Where the tip of a journal lies, and journals that are gone beside one. Standard library only: lists of profiles look at it.

The tip of ``PROFILE/MODE/journal.db`` is ``PROFILE/MODE.tip``: outside of the mode's folder, so that it is still there when that folder was
deleted or put back from a copy; inside the profile's, so that it moves with the profile.
"""

from pathlib import Path


def tip_file(journal: Path) -> Path:
    """The tip of ``journal``."""
    return journal.parent.parent / f"{journal.parent.name}.tip"


def vanished(journal: Path) -> str:
    """Why a journal that is not there, or empty, is no new one; empty when it is there, or there never was one."""
    try:
        if journal.stat().st_size:
            return ""
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError:  # it is there; who opens it says why it cannot be used
        return ""
    tip = tip_file(journal)
    try:
        left = tip if tip.exists() else _left_of(journal)
    except OSError:
        return ""
    if left is None:
        return ""
    return (
        f"{journal} has vanished: {left} tells that it was there; put it back, or restore a backup ({journal.parent / 'backups'}) and move "
        f"{tip.name} away; to begin anew, move the whole folder {journal.parent} and {tip.name} away and keep them"
    )


def _left_of(journal: Path) -> Path | None:
    """What only a journal leaves: its archives, or backups of it."""
    for folder in (journal.parent / "archives", journal.parent / "backups"):
        if folder.is_dir():
            left = next(folder.iterdir(), None)
            if left is not None:
                return left
    return None
