"""F55: an engine in live that may open no more files, or take no more memory: the halt still halts."""

import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import Running, run, running
from tests.lifecycle.standing import ours, rest_order
from tests.lifecycle.test_guardian import open_at_venues, ready
from tests.lifecycle.test_live import await_cycles, count
from tests.lifecycle.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's"),
]


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    with live_desk(tmp_path, monkeypatch, 3) as made:
        yield made


def no_more_files(engine: Running) -> None:
    """Below its lowest free number, also of when no file is open for a moment only."""
    lowest = []
    for _ in range(100):
        used = {int(name) for name in os.listdir(f"/proc/{engine.pid}/fd")}
        lowest.append(next(number for number in range(len(used) + 1) if number not in used))
        time.sleep(0.01)
    resource.prlimit(engine.pid, resource.RLIMIT_NOFILE, (min(lowest), min(lowest)))


def no_more_memory(engine: Running) -> None:
    pages = int(Path(f"/proc/{engine.pid}/statm").read_text().split()[0])
    limit = pages * resource.getpagesize()
    resource.prlimit(engine.pid, resource.RLIMIT_AS, (limit, limit))


@pytest.mark.parametrize("way", ["file", "signal"])
def test_f55_a_kill_without_a_descriptor_left_clears_the_venues_and_outlives_the_process(way: str, desk: LiveDesk, tmp_path: Path) -> None:
    before = ready(desk, ours(1), ours(2))
    with running(*desk.arguments(), folder=tmp_path / "run") as engine:
        await_cycles(desk, engine, 1, since=before)
        rest_order(desk.profile, "upbit", "XRP", ours(1))
        rest_order(desk.profile, "binance", "XRP", ours(2))
        assert open_at_venues(desk) >= {ours(1), ours(2)}
        no_more_files(engine)
        if way == "file":
            (desk.root / "desk" / "kill.flag").touch()
        else:
            engine.signal(signal.SIGUSR1)
        until(lambda: engine.alive() and not open_at_venues(desk), "what stood is cancelled")
        until(lambda: count(desk, "event", "type = 'StateChanged' AND payload LIKE '%HALTED%'"), "HALTED")
        sent = len(desk.told("/orders"))
        frames = desk.told("/health")["frames"]
        until(lambda: engine.alive() and desk.told("/health")["frames"] > frames + 100, "the market moves on")
        assert len(desk.told("/orders")) == sent, "an order left after the kill"
        engine.signal(signal.SIGTERM)
        ended = engine.ended()
    assert ended.code in (3, 128 + signal.SIGTERM), ended.err
    assert "Too many open files" in (desk.root / "desk" / "arbtui.log").read_text() + ended.err, "the fault was met"
    assert run(*desk.arguments("--headless", "--max-runtime", "1")).code == 2
    desk.assert_agrees(tmp_path)


def test_f55_an_engine_without_memory_ends_or_halts_and_the_next_start_finds_everything(desk: LiveDesk, tmp_path: Path) -> None:
    with running(*desk.arguments(), folder=tmp_path / "run", cold=True) as engine:
        await_cycles(desk, engine, 1)
        no_more_memory(engine)
        until(lambda: engine.process.poll() is not None or count(desk, "fill") >= 60, "it ends, or trades on with what it has")
        if engine.process.poll() is None:
            (desk.root / "desk" / "kill.flag").touch()
            until(
                lambda: engine.process.poll() is not None or count(desk, "event", "type = 'StateChanged' AND payload LIKE '%HALTED%'"),
                "it is halted",
            )
            sent = len(desk.told("/orders"))
            frames = desk.told("/health")["frames"]
            until(lambda: desk.told("/health")["frames"] > frames + 100, "the market moves on")
            assert len(desk.told("/orders")) == sent, "an order left after the kill"
            engine.signal(signal.SIGTERM)
        ended = engine.ended()
    # A library in C that is refused memory may crash the process, which is as good as a kill -9: the next start has to find everything.
    assert ended.code in (1, 3, 128 + signal.SIGTERM, -signal.SIGSEGV, -signal.SIGABRT), ended.err
    assert ended.code != 1 or "MemoryError" in ended.err or "memory" in ended.err, ended.err
    (desk.root / "desk" / "kill.flag").unlink(missing_ok=True)  # stands for the person who re-arms
    again = run(*desk.arguments("--headless", "--max-runtime", "1"))
    assert again.code in (0, 2, 3), again.err
    desk.assert_agrees(tmp_path)
