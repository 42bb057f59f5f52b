"""One engine for one account: locks that a live engine holds on each account it trades on. Standard library only.

A profile's lock sees neither a second desk with another state folder nor another profile with the same keys. So these
locks lie in the platform's state folder, wherever ``--state-dir`` leads. They are the kernel's, so they end with the
process however that ends; what is written inside is only for messages. On another machine nobody sees them: there a
second engine is noticed by what it does (:mod:`arbtui.engine.account_watch`).

That folder is where ``XDG_STATE_HOME`` and ``HOME`` say, and a service's differ from a shell's. So on Linux each account
at a real venue is also a name in the kernel (an abstract socket, to which nothing is ever said): one for the
machine, whoever's process and whatever its environment and its view of the disk. A container with a network of its own
has names of its own: it is as another machine.
"""

import contextlib
import errno
import hashlib
import json
import os
import socket
import struct
import sys
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from arbtui.model.clock import iso_ms
from arbtui.model.errors import UsageError
from arbtui.model.loopback import is_loopback
from arbtui.model.regular_file import read_regular
from arbtui.settings.lock import FileLock
from arbtui.settings.state import make_private, platform_folder

#: No profile can have this name, so its folder is none of a profile below the default state folder.
FOLDER_NAME = ".accounts"
_PORTS = {"http": 80, "https": 443}


def accounts_folder() -> Path:
    """The folder of these locks; not created here."""
    return platform_folder("XDG_STATE_HOME", ".local/state") / "arbtui" / FOLDER_NAME


class AccountLocks:
    """The locks of one engine.

    Args:
        profile: its name.
        folder: of its profile, so that a message can say where the other engine is found.
    """

    def __init__(self, profile: str, folder: Path) -> None:
        self._word = {"pid": os.getpid(), "profile": profile, "folder": str(folder), "since_ms": time.time_ns() // 1_000_000}
        self._held: dict[Path, FileLock] = {}
        self._names: list[socket.socket] = []

    def take(self, exchange: str, origin: str, names: Iterable[str]) -> None:
        """Lock the account that has ``names`` at ``exchange``; each is a lock of its own, one held already is kept.

        Args:
            exchange: the venue's name.
            origin: its REST origin, so that a sandbox is another account than the real venue.
            names: what tells the account from others: a number of the venue's, ids of keys. Only a digest of each is stored.

        Raises:
            UsageError: another process holds one, or they cannot be written.
        """
        folder = accounts_folder()
        make_private(folder)
        for name in sorted(set(names)):
            path = folder / _file_name(exchange, origin, name)
            if path not in self._held:
                lock = FileLock(path, partial(_refusal, path, exchange, origin), json.dumps(self._word))
                lock.acquire()
                self._held[path] = lock
                if sys.platform == "linux" and not is_loopback(urlsplit(origin).hostname or ""):  # a sandbox's accounts are play money
                    self._names.append(_held_name(path.name, exchange, origin))

    def release(self) -> None:
        """Release all of them."""
        for lock in self._held.values():
            lock.release()
        self._held.clear()
        for name in self._names:
            name.close()
        self._names.clear()


def _refusal(path: Path, exchange: str, origin: str) -> UsageError:
    return _refused(exchange, origin, _holder_in_words(path))


def _refused(exchange: str, origin: str, holder: str) -> UsageError:
    return UsageError(
        f"{exchange} at {origin}: {holder}; one account, one engine: stop that one first, or give this profile the keys of another account"
    )


def _held_name(name: str, exchange: str, origin: str) -> socket.socket:
    """The kernel's ``name``, held until it is closed, or the process ends.

    Raises:
        UsageError: another process holds it, or the kernel gives none.
    """
    address = f"\0arbtui-account-{name}"
    holder = socket.socket(socket.AF_UNIX)
    try:
        holder.bind(address)
        holder.listen(socket.SOMAXCONN)  # so that who asks is told the process; nobody takes a call, so each has a place in the queue
    except OSError as error:
        holder.close()
        if error.errno == errno.EADDRINUSE:
            raise _refused(exchange, origin, f"{_listener_in_words(address)} trades on this account, with another state folder") from None
        why = error.strerror or error
        raise UsageError(f"{exchange} at {origin}: the account cannot be locked ({why}): let this process use Unix sockets") from None
    return holder


def _listener_in_words(address: str) -> str:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as asking:
        asking.setblocking(False)
        asking.connect(address)
        pid, uid, _ = struct.unpack("3i", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return f"process {pid} of user {uid}"
    return "another process"


def _file_name(exchange: str, origin: str, name: str) -> str:
    parts = urlsplit(origin)
    host = "loopback" if is_loopback(parts.hostname or "") else parts.hostname
    digest = hashlib.sha256(f"{parts.scheme}://{host}:{parts.port or _PORTS.get(parts.scheme)}\n{name}".encode()).hexdigest()
    return f"{exchange}-{digest[:32]}"


def _holder_in_words(path: Path) -> str:
    """Which process trades on the account, of which profile, and since when, as far as its lock tells."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        word = json.loads(read_regular(path, 10_000))
        since = iso_ms(int(word["since_ms"]))
        return f"process {int(word['pid'])} (profile {word['profile']} in {word['folder']}) trades on this account since {since}"
    return "another process trades on this account"
