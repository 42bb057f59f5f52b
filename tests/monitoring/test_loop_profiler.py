"""The loop's turns: a stall of our own is seen, a wait for the CPU is told apart."""

import asyncio
import sys
import threading
import time

import pytest

from arbtui.monitoring.loop_profiler import STALL_MS, ProfiledLoop, ProfiledSelector


def timed(*, block_s: float = 0.0, burn_s: float = 0.0) -> ProfiledSelector:
    """A loop that turns quietly and then once blocks or computes."""

    async def main(turns: ProfiledSelector) -> None:
        turns.start()
        for _ in range(20):
            await asyncio.sleep(0.001)
        time.sleep(block_s)  # noqa: ASYNC251  the stall that is looked for
        until = time.thread_time() + burn_s
        while time.thread_time() < until:
            pass
        await asyncio.sleep(0.001)
        turns.stop()

    loop = ProfiledLoop()
    try:
        loop.run_until_complete(main(loop.turns))
    finally:
        loop.close()
    return loop.turns


def test_a_loop_that_blocks_is_a_stall() -> None:
    turns = timed(block_s=0.06)
    assert turns.longest_ms >= 59
    assert turns.stalls == 1
    assert turns.longest_at_s > 0.02


def test_a_loop_that_computes_is_a_stall() -> None:
    turns = timed(burn_s=0.06)
    assert turns.longest_ms >= 59
    assert turns.stalls == 1


def test_a_quiet_loop_has_none() -> None:
    turns = timed()
    assert turns.turns >= 20
    assert turns.stalls == 0
    assert turns.longest_ms < STALL_MS


def test_what_is_outside_start_and_stop_does_not_count() -> None:
    loop = ProfiledLoop()

    async def main() -> None:
        time.sleep(0.06)  # noqa: ASYNC251
        await asyncio.sleep(0)
        loop.turns.start()
        await asyncio.sleep(0)
        loop.turns.stop()
        time.sleep(0.06)  # noqa: ASYNC251
        await asyncio.sleep(0)

    loop.run_until_complete(main())
    loop.close()
    assert loop.turns.stalls == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long a thread waited for a core")
def test_a_wait_for_the_cpu_is_not_a_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run queue's clock, moved by hand: a turn of 60 ms of which 55 were waited is one of 5."""
    waited = [0.0]
    monkeypatch.setattr(ProfiledSelector, "_queued_ms", lambda _: waited[0])

    async def main(turns: ProfiledSelector) -> None:
        turns.start()
        await asyncio.sleep(0)
        time.sleep(0.06)  # noqa: ASYNC251
        waited[0] += 55.0
        await asyncio.sleep(0)
        turns.stop()

    loop = ProfiledLoop()
    loop.run_until_complete(main(loop.turns))
    loop.close()
    assert loop.turns.stalls == 0
    assert loop.turns.longest_wait_ms == 55.0
    assert loop.turns.waited_percent > 50


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long a thread waited for a core")
def test_the_machine_tells_of_the_wait() -> None:
    """The kernel's figure is read and rises while other threads of this machine compute."""
    loop = ProfiledLoop()
    loop.turns.start()
    before = loop.turns._queued_ms()
    others = [threading.Thread(target=sum, args=(range(3_000_000),)) for _ in range(4)]
    for other in others:
        other.start()
    until = time.perf_counter() + 0.2
    while time.perf_counter() < until:
        pass
    for other in others:
        other.join()
    assert loop.turns._queued_ms() > before
    loop.close()
