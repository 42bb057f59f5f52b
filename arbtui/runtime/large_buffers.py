"""Gives large buffers back to the system as soon as they are freed, so that a session does not grow by memory that nothing uses.

glibc maps an allocation of 128 kB or more on its own at first, but raises that bound to the largest buffer that was freed so
far (mallopt(3), M_MMAP_THRESHOLD). From the first snapshot on, its text of a megabyte, made every 5 s, came from the heap, and
whatever was allocated after one kept the heap from shrinking. Measured at 500 symbols with the console, second 120 to 597
(python -m tests.bench.console_soak): the heap grew from 19 to 25 MB, with the bound held it stayed at 18.
"""

import ctypes
import sys

_M_MMAP_THRESHOLD = -3  #: mallopt(3)
BOUND = 128 * 1024  #: bytes, glibc's own at the start of a process


def give_back_large_buffers() -> bool:
    """Hold the bound at :data:`BOUND` from here on; False where the C library knows none, and nothing was changed."""
    if sys.platform != "linux":
        return False
    try:
        return bool(ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, BOUND))
    except (OSError, AttributeError):  # a C library without it
        return False
