"""Keeps the garbage collector's pauses short: the loop, the gate and the kill key wait while it walks objects.

Measured at 500 symbols with the console on a shared machine, thread CPU (python -m tests.bench.console_soak): a young
collection costs what the books in it hold, 4 ms (at worst 26) at Python's own first threshold of 700 and 0.6 ms at 200, the
same in sum; a full one costs what has lived since the last freeze, 55 to 96 ms after a minute. So all are frequent, and what
survives a full one is taken out of the next: each object is walked by one full collection and not by all, however many there are.

What is taken out and becomes a cycle of garbage *later* is never freed. Cycles are mended at their source for that reason
(see arbtui.console.textual_fixes); the soak counts them with everything taken back in.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (200, 3, 1)
"""A full collection after some 1,600 objects that stay, 0.3 to 0.5 ms of them where a rate's jump opens thousands of gaps; with Python's
own second and third, after 13,000, it is 2 ms and more."""


@contextmanager
def short_collections() -> Iterator[None]:
    """Whatever :func:`keep_collections_short` changes holds until the end of this."""
    thresholds = gc.get_threshold()
    try:
        yield
    finally:
        if _freeze_survivors in gc.callbacks:
            gc.callbacks.remove(_freeze_survivors)
        gc.unfreeze()
        gc.set_threshold(*thresholds)


@contextmanager
def uncollected() -> Iterator[None]:
    """Nothing is collected inside: for what makes hundreds of thousands of objects that all stay, as a universe of routes does.

    Each collection would walk all of them; it doubles the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def keep_collections_short() -> None:
    """Collect once, take what is left out of later collections, and keep those short. Call it before anything trades."""
    gc.collect()
    gc.freeze()
    gc.collect()  # again, of next to nothing: Python puts off a full one until a quarter as much has come as the one before has left
    gc.set_threshold(*THRESHOLDS)
    if _freeze_survivors not in gc.callbacks:
        gc.callbacks.append(_freeze_survivors)


def _freeze_survivors(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()  # moves three lists in a microsecond
