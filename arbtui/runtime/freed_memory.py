"""Gives what was freed back to the system, so that a session does not grow by memory that nothing uses.

*Large buffers, at once.* glibc maps an allocation of 128 kB or more on its own at first, but raises that bound to the largest buffer
that was freed so far (mallopt(3), M_MMAP_THRESHOLD). From the first snapshot on, its text of a megabyte, made every 5 s, came from
the heap, and whatever was allocated after one kept the heap from shrinking. Measured at 500 symbols with the console, second 120 to
597 (python -m tests.bench.console_soak): the heap grew from 19 to 25 MB, with the bound held it stayed at 18.

*Free pages, once a minute.* glibc gives back the end of the heap by itself, never a page between two blocks that are in use. So the
heap keeps what its busiest moment needed (books that queue up behind a pause of the machine), and each busier one adds to it.
Measured at 20 symbols without the console, minute 8 to 20: the heap grew by 0.65 MB while what was in use of it stayed at 18.3 MB.
malloc_trim(3) gives those pages back; it takes about a millisecond for 20 MB.
"""

import ctypes
import sys

_M_MMAP_THRESHOLD = -3  #: mallopt(3)
BOUND = 128 * 1024  #: bytes, glibc's own at the start of a process
EVERY_S = 60.0  #: between two looks for free pages


def give_back_large_buffers() -> bool:
    """Hold the bound at :data:`BOUND` from here on; False where the C library knows none, and nothing was changed."""
    return _call("mallopt", ctypes.c_int(_M_MMAP_THRESHOLD), ctypes.c_int(BOUND))


def give_back_free_pages() -> bool:
    """Give back every whole page of the heap that is free; False where the C library cannot."""
    return _call("malloc_trim", ctypes.c_size_t(0))


def _call(name: str, *arguments: object) -> bool:
    """Whether the C library's function of that name did what it was asked."""
    if sys.platform != "linux":
        return False
    try:
        return bool(getattr(ctypes.CDLL(None), name)(*arguments))
    except (OSError, AttributeError):  # a C library without it
        return False
