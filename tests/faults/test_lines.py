"""Lines that are dead, slow, broken or gone, under a live session that trades (F28, F37..F39 of the fault catalogue)."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from arbtui.marketdata.public_socket import SocketState
from arbtui.model.book import BookState
from arbtui.sandbox.faults import WireFaultKind as K
from tests.faults.desk import Desk, desk, play
from tests.faults.line import lines
from tests.faults.test_market_data import counts, stream, well_again
from tests.faults.watch import Watch

#: A dead line is noticed by pings; three seconds are the shipped value, less makes the test no truer.
QUICK = {"marketdata": {"ping_after_s": 1.0, "reconnect_max_s": 1.0, "connect_timeout_s": 2.0}}


def connects(d: Desk) -> dict[str, int]:
    return {one.name: one.connects for one in stream(d).status()}


def live(d: Desk) -> bool:
    return all(one.state is SocketState.LIVE for one in stream(d).status())


def test_f28_a_socket_that_is_open_and_dead(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, start=False, settings=QUICK) as d, lines(d) as made:
            await d.start()
            watch = Watch(d)
            await watch.trades()
            before = connects(d)
            watch.forget()
            made["upbit"].is_dead = True
            await d.until(lambda: not d.health()["upbit"], "it is noticed")
            await d.until(lambda: BookState.STALE in watch.states.get(("upbit", "KRW-XRP"), ()), "its books are STALE")
            since, reads = watch.now(), counts(d, "binance").read
            await d.until(lambda: counts(d, "binance").read > reads + 100, "the other venue talks on")
            assert watch.count(since=since) == 0
            made["upbit"].is_dead = False  # for new connections: what was dead stays so
            await d.until(lambda: connects(d)["upbit 1"] > before["upbit 1"] and live(d), "another connection is made")
            assert connects(d)["binance 1"] == before["binance 1"], "nothing happened there"
            await well_again(d, watch, "")

    play(main)


def test_f37_slow_and_sliced_lines_that_break(tmp_path: Path) -> None:
    async def main() -> None:
        patient = {"marketdata": {"ping_after_s": 20.0, "reconnect_max_s": 1.0}}  # a pong takes six seconds here
        async with desk(tmp_path, start=False, settings=patient) as d, lines(d) as made:
            await d.start()
            watch = Watch(d)
            await watch.trades()
            for latency_s in (0.05, 0.4, 3.0):
                for line in made.values():
                    line.latency_s = latency_s
                passed = {name: line.passed for name, line in made.items()}
                await d.until(lambda passed=passed: all(made[name].passed > passed[name] + 60 for name in made), "it passes on")  # type: ignore[misc]
            await d.until(lambda: not any(d.health().values()), "three seconds are too late to trade on")
            since, reads = watch.now(), counts(d, "upbit").read
            await d.until(lambda: counts(d, "upbit").read > reads + 25, "old news comes in")
            assert watch.count(since=since) == 0
            for line in made.values():
                line.latency_s, line.is_sliced = 0.02, True
            await d.healthy()
            assert all(line.passed for line in made.values())
            for line in made.values():
                line.resets, line.is_sliced = 0.01, False
            await d.until(lambda: all(line.broken >= 2 for line in made.values()), "connections break")
            for line in made.values():
                line.resets = line.latency_s = 0.0
            await well_again(d, watch, "")

    play(main)


def test_f38_names_that_do_not_resolve_while_an_order_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        # What was resolved once is remembered for half a minute, and would hide the fault.
        monkeypatch.setattr(aiohttp.connector._DNSCacheTable, "expired", lambda *_: True)
        loop = asyncio.get_running_loop()
        resolve, refused = loop.getaddrinfo, 0

        async def unresolved(host: Any, *more: Any, **told: Any) -> Any:
            nonlocal refused
            if host != "localhost":
                return await resolve(host, *more, **told)
            refused += 1
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

        async with desk(tmp_path, start=False, settings=QUICK) as d, lines(d, host="localhost") as made:
            await d.start()
            watch = Watch(d)
            await watch.trades()
            d.fault("binance", K.FREEZE, stream="private")
            await d.met(d.fault("binance", K.TIMEOUT))
            monkeypatch.setattr(loop, "getaddrinfo", unresolved)
            for line in made.values():
                line.cut()
            await d.until(lambda: not any(d.health().values()), "both are gone")
            await d.until(lambda: any("resolve" in one.why or "name" in one.why for one in stream(d).status()), "and it is said why")
            since, open_orders = watch.now(), len(d.engine.tracker.open)
            tries = refused
            await d.until(lambda: refused >= tries + 6, "tried again and again")
            assert watch.count(since=since) == 0
            assert len(d.engine.tracker.open) == open_orders > 0, "an order of unknown fate is kept"
            monkeypatch.setattr(loop, "getaddrinfo", resolve)
            d.box.faults["binance"].clear()
            await well_again(d, watch, "")

    play(main)


def test_f38_a_venue_that_refuses_connections(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, settings=QUICK) as d:
            watch = Watch(d)
            await watch.trades()
            for venue in ("upbit", "binance"):
                d.fault(venue, K.CRASH, seconds=2.5)
                await d.until(lambda venue=venue: not d.health()[venue], "it is gone")  # type: ignore[misc]
                since = watch.now()
                await d.until(lambda venue=venue: not d.box.fronts[venue].is_open, "nobody listens")  # type: ignore[misc]
                before = counts(d, venue).failures.get("unreachable", 0)
                await d.until(lambda venue=venue, before=before: counts(d, venue).failures.get("unreachable", 0) > before, "refused")  # type: ignore[misc]
                assert watch.count(since=since) == 0
                await d.until(lambda venue=venue: d.box.fronts[venue].is_open, "it is there again")  # type: ignore[misc]
                await d.healthy()
            await well_again(d, watch, "")

    play(main)


def test_f39_every_socket_is_cut_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, settings=QUICK) as d:
            watch = Watch(d)
            await watch.trades()
            for _ in range(3):
                before = connects(d)
                watch.forget()
                for venue in d.box.fronts:
                    d.fault(venue, K.DROP)
                await d.until(lambda: all(BookState.GAPPED in s or BookState.STALE in s for s in watch.states.values()), "no book is LIVE")
                await d.until(lambda before=before: live(d) and all(connects(d)[one] > before[one] for one in before), "all are back")  # type: ignore[misc]
            await d.healthy()
            assert {kind for venue in d.box.fronts for kind in counts(d, venue).failures} <= {"cut", "closed"}, "and nobody was refused"
            assert all(one.connects <= 8 for one in stream(d).status())
            await well_again(d, watch, "")

    play(main)


def test_delayed_answers_and_frames_of_one_venue(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            watch = Watch(d)
            await watch.trades()
            late = d.fault("upbit", K.DELAY, ms=2500)
            await d.until(lambda: not d.health()["upbit"], "its news is old")
            since, reads = watch.now(), counts(d, "upbit").read
            await d.until(lambda: counts(d, "upbit").read > reads + 25, "and comes in")
            assert watch.count(since=since) == 0
            d.box.faults["upbit"].clear()
            assert late.venue == "upbit"
            await well_again(d, watch, "")

    play(main)
