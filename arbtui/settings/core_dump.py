"""No core dump of a process that holds keys: neither a file nor what a debugger of the same user could read."""

import ctypes
import resource
import sys
from contextlib import suppress
from functools import cache

_PR_SET_DUMPABLE = 4  #: prctl(2)


@cache
def forbid_core_dump() -> None:
    """From here on, this process leaves no core dump. Called wherever a key, a token or a passphrase is read.

    The limit of the size alone does not hold where the kernel pipes dumps to a program (core(5)), so on Linux the process
    is marked as not dumpable too; that also keeps others of the same user from attaching to it (ptrace(2)). Children begin
    anew: a program that is started, a debugger too, is not marked.
    """
    with suppress(ValueError, OSError):  # a limit that may not even be lowered holds what it holds
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # a C library without it
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
