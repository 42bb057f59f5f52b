"""Reading a small file that must be an ordinary one. Standard library only: ``arbtui kill`` reads so."""

import errno
import os
import stat
from pathlib import Path


def read_regular(path: Path, most: int = 1_000_000) -> bytes:
    """The first ``most`` bytes of ``path``. Never waits: a pipe in its place would keep a plain ``open`` for ever.

    Raises:
        FileNotFoundError: nothing stands there.
        OSError: it cannot be read, is a symbolic link (ELOOP), or no ordinary file (EINVAL).
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no ordinary file", str(path))
        parts, left = [], most
        while left and (part := os.read(descriptor, left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)
