"""The tip of a journal: how far it went, kept outside of it, so that an older, a cut off or another file is not taken for it.

One line of JSON, replaced whole. A journal may be ahead of its tip (it is written every few seconds), never behind it.
"""

import errno
import os
import pwd
import sqlite3
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from arbtui.journal.chain import is_chained
from arbtui.model.clock import iso_ms
from arbtui.model.errors import UsageError
from arbtui.model.regular_file import read_regular
from arbtui.model.tip_file import tip_file

_END_MS = 253_402_300_800_000  # of the last year that can be printed


class Tip(Struct, frozen=True):
    """The event ``seq`` was on disk at ``ts_ms`` of our clock. ``salt``: of the journal; ``hash``: of the event's row, hex."""

    salt: str
    seq: int
    hash: str
    ts_ms: int


class _Line(Struct, frozen=True):
    tip: Tip
    check: str


def read_tip(journal: Path) -> Tip | None:
    """The tip of ``journal``; None when there is none.

    Raises:
        UsageError: it cannot be read, or is not what was written.
    """
    file = tip_file(journal)
    try:
        line = msgspec.json.decode(read_regular(file), type=_Line)
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise _not_ours(file, journal, error) from error
    except (OSError, msgspec.DecodeError) as error:
        raise _unreadable(file, journal, str(error)) from error
    if line.check != _check(line.tip) or not 0 <= line.tip.ts_ms < _END_MS:
        raise _unreadable(file, journal, "it is not what was written")
    return line.tip


def write_tip(journal: Path, tip: Tip, *, sync: bool) -> None:
    """Replace the tip of ``journal``; ``sync``: wait until it is on disk.

    Raises:
        OSError: it cannot be written; the old one stands.
    """
    file = tip_file(journal)
    new = file.with_name(f"{file.name}.new")
    with suppress(FileNotFoundError):
        new.unlink()
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        line = msgspec.json.encode(_Line(tip, _check(tip))) + b"\n"
        if os.write(descriptor, line) != len(line):  # a disk that is nearly full takes a part of it
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(new))
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    new.replace(file)


def refuse_behind(connection: sqlite3.Connection, journal: Path, tip: Tip) -> None:
    """Compare what ``connection`` reads with the tip, which was read before.

    Raises:
        UsageError: it is older than the tip, another history, or another journal.
    """
    way_out = f"put the right file back; to go on with this one, move {tip_file(journal)} away: what it lacks is asked of the venues"
    row = connection.execute("SELECT payload FROM event WHERE seq = 1").fetchone()
    if row is not None and f'"salt":"{tip.salt}"' not in str(row[0]):
        raise UsageError(f"{journal} is another journal than the one that was written here: {way_out}")
    (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
    if last < tip.seq:
        raise UsageError(
            f"{journal} ends with event {last}, and event {tip.seq} was on disk at {iso_ms(tip.ts_ms)}: it is an older copy, or was cut "
            f"off: {way_out}"
        )
    found = connection.execute("SELECT hash FROM event WHERE seq = ?", (tip.seq,)).fetchone() if is_chained(connection) else None
    if found is None or not isinstance(found[0], bytes) or found[0].hex() != tip.hash:
        raise UsageError(
            f"{journal} is another history than the one that was written here, or damaged, at or before event {tip.seq}: {way_out}"
        )


def _check(tip: Tip) -> str:
    return sha256(f"{tip.salt} {tip.seq} {tip.hash} {tip.ts_ms}".encode()).hexdigest()[:16]


def _not_ours(file: Path, journal: Path, error: PermissionError) -> UsageError:
    """Nothing is wrong with the tip: moving it away, as where one is damaged, would throw away what guards the journal."""
    whose = ""
    with suppress(OSError):  # where even the folder may not be looked into
        whose = f"it belongs to {_user(file.stat().st_uid)}, this is {_user(os.geteuid())}; "
    return UsageError(
        f"{file}: {error.strerror}: {whose}it tells how far {journal} went, and is needed: run this as the user that the engine "
        "runs as, or mend its owner and mode"
    )


def _user(uid: int) -> str:
    with suppress(KeyError):
        return f"user {uid} ({pwd.getpwuid(uid).pw_name})"
    return f"user {uid}"


def _unreadable(file: Path, journal: Path, why: str) -> UsageError:
    return UsageError(f"{file}: {why}: it tells how far {journal} went; if that journal is the right one, move {file.name} away")
