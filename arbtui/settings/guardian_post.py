"""Where a guardian of a profile stands: the folder ``guardian`` in the profile's, with its lock, its word and what it is asked.

The lock is the kernel's and ends with the process; the word (``state.json``) is written anew every second, so that a guardian
that hangs is not taken for one that watches. Standard library only: ``arbtui kill`` reads it.
"""

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from arbtui.model.regular_file import read_regular
from arbtui.settings.lock import holder

FOLDER = "guardian"
STATE_NAME = "state.json"
#: s for which a guardian may have written nothing and still counts as watching: cancelling keeps it from writing, for a minute at most.
FRESH_S = 75.0
NONE_WATCHES = "none watches: an engine that hangs or dies is not killed, and its orders are not cancelled, by anything else"


@dataclass(frozen=True, slots=True)
class GuardianWord:
    """What a guardian says of itself."""

    pid: int
    since_ms: int  #: ms since the epoch
    looked_ms: int  #: when it wrote this, ms since the epoch
    keys: dict[str, str]  #: of each venue whose keys it holds, where it found them
    lacks: dict[str, str]  #: of each other venue of the profile, why it holds none
    sees: str  #: what it sees of the engine, in words
    last: str = ""  #: what it did last, in words; empty where it has done nothing

    @property
    def can_cancel(self) -> bool:
        """Whether it holds the keys of every venue."""
        return bool(self.keys) and not self.lacks


def guardian_folder(profile_folder: Path) -> Path:
    """The guardian's folder of a profile; not created here."""
    return profile_folder / FOLDER


def write_word(profile_folder: Path, word: GuardianWord) -> None:
    """Leave ``word`` for whoever asks; a disk that is full leaves the last one."""
    folder = guardian_folder(profile_folder)
    part = folder / f".{STATE_NAME}.{word.pid}"
    with suppress(OSError):
        part.write_text(json.dumps(asdict(word)))
        part.chmod(0o600)
        part.replace(folder / STATE_NAME)


def read_word(profile_folder: Path) -> GuardianWord | None:
    """What the guardian that watches now says; None where none does, or where it hangs."""
    folder = guardian_folder(profile_folder)
    pid = holder(folder)
    if pid is None:
        return None
    try:
        word = GuardianWord(**json.loads(read_regular(folder / STATE_NAME)))
        is_fresh = word.looked_ms / 1000 > time.time() - FRESH_S
        return word if is_fresh and word.pid == pid else None
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def guardian_facts(profile_folder: Path) -> dict[str, Any]:
    """The guardian of a profile as JSON can hold it."""
    word, now_ms = read_word(profile_folder), time.time_ns() // 1_000_000
    if word is None:
        pid = holder(guardian_folder(profile_folder))
        hangs = f"a guardian (pid {pid or 'not known'}) runs and says nothing" if pid is not None else ""
        return {"watches": False, "pid": pid or None, "age_s": None, "holds_keys": False, "words": hangs or NONE_WATCHES}
    return {
        "watches": True,
        "pid": word.pid,
        "age_s": round(max(0, now_ms - word.since_ms) / 1000, 3),
        "looked_age_s": round(max(0, now_ms - word.looked_ms) / 1000, 3),
        "holds_keys": word.can_cancel,
        "keys": word.keys,
        "lacks": word.lacks,
        "sees": word.sees,
        "last": word.last or None,
        "words": _words(word, now_ms),
    }


def _words(word: GuardianWord, now_ms: int) -> str:
    lacks = f"; it lacks keys of {', '.join(word.lacks)}" if word.lacks else ""
    keys = f"holds keys of {', '.join(word.keys)}{lacks}" if word.keys else "holds no keys, so it cannot cancel"
    last = f"; last: {word.last}" if word.last else ""
    return f"pid {word.pid} watches since {max(0, now_ms - word.since_ms) // 1000} s, {keys}; sees {word.sees}{last}"


def make_post(profile_folder: Path) -> Path:
    """Create the guardian's folder, 0700; it.

    Raises:
        OSError: it cannot be created.
    """
    folder = guardian_folder(profile_folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chmod(folder, 0o700)
    return folder
