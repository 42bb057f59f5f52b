"""Gives what was freed back to the system, so that a session does not grow by memory that nothing uses.

*Large buffers, at once.* glibc maps an allocation of 128 kB or more on its own at first, but raises that bound to the largest buffer
that was freed so far (mallopt(3), M_MMAP_THRESHOLD). From the first snapshot on, its text of a megabyte, made every 5 s, came from
the heap, and whatever was allocated after one kept the heap from shrinking. Measured at 500 symbols with the console, second 120 to
597 (python -m tests.bench.console_soak): the heap grew from 19 to 25 MB, with the bound held it stayed at 18.

The bound is lower than glibc's, since what is a little smaller than that does the same more slowly. Each connection that reads the
journal (one for each fifty events of the second fold) takes 87 kB for its first pages, and the text of a snapshot grows through 33, 49
and 77 kB. In the hole that one leaves, smaller blocks settle, and the next one needs the heap to grow; a trace of all growth after the
start showed little else. Measured at 20 symbols without the console, minute 8 to 22: of the heap 18.3 MB were in use, and it grew from
19.9 to 20.8 MB.

*Free pages, once a minute.* glibc gives back the end of the heap by itself, never a page between two blocks that are in use: what a busy
moment needed (updates that wait behind a pause of the machine) would stay. malloc_trim(3) takes about a millisecond for 20 MB.
"""

import ctypes
import sys

_M_MMAP_THRESHOLD = -3  #: mallopt(3)
BOUND = 32 * 1024
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
