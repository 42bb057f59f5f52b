"""A session in virtual time whose KRW-USDT stream lies for a while; orders meet the true books. What it really earned by that."""

import asyncio
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import localcontext
from math import exp
from pathlib import Path
from typing import Any

from arbtui.exchanges.feed import Deliver, Frame
from arbtui.model.clock import iso_ms
from arbtui.model.halt import Halt
from arbtui.model.money import DIGITS
from arbtui.model.virtual_loop import VirtualTimeLoop
from arbtui.monitoring.log import LogRing
from arbtui.portfolio.ledger import read_ledger
from arbtui.runtime.modes import origins
from arbtui.runtime.plan import Plan
from arbtui.runtime.session import Session
from arbtui.runtime.venues import Ground, Venues, simulated_venues
from arbtui.sandbox.book_corruptor import corrupted, multiplied
from arbtui.sandbox.won.rewriting import rewritten
from arbtui.settings.load import load_profile
from arbtui.simulation.market_simulator import MarketSimulator

_RATE_CODE = b'"code":"KRW-USDT"'
#: The fault begins so many seconds after the start, ends so many later, and what it has opened has so many more to end.
BEGINS_S, LASTS_S, ENDS_S = 40.0, 40.0, 10.0
#: A real drift may be doubted after it as well.
AFTER_DRIFT_S = 30.0

Lie = Callable[[bytes, float], bytes | None]  #: a frame of the rate's book, and seconds since the fault began -> what is sent


def times(factor: float) -> Lie:
    """Every price so many times as high, at once."""
    return lambda raw, _: multiplied(raw, factor, rewritten)


def creeping(bps_per_s: float) -> Lie:
    """Further away every second."""
    return lambda raw, since: multiplied(raw, exp(bps_per_s * since / 1e4), rewritten)


def frozen(raw: bytes, since: float) -> bytes | None:
    """Nothing is sent."""
    return None


def one_sided(raw: bytes, since: float) -> bytes | None:
    """No offers."""
    return corrupted(raw, "empty", rewritten)


@dataclass
class Outcome:
    """What a run came to. ``cash`` is in USDT at the true rate of each fill's moment, coins left over at the price of their cycle."""

    cycles: int = 0  #: opened while the fault lasted
    cash: float = 0.0  #: of those
    before: int = 0  #: cycles opened in as long a time before it
    breaches: Counter[str] = field(default_factory=Counter)
    doubted_s: float = 0.0  #: how long the rate was doubted
    first_doubt_s: float | None = None  #: since the fault began


class _Feed:
    """The simulator's frames, with what is said of the rate rewritten; the true rate is noted, and may be made to drift."""

    def __init__(self, simulator: MarketSimulator, lie: Lie | None, drift_bps_per_s: float) -> None:
        self._simulator = simulator
        self._lie = lie
        self._drift = drift_bps_per_s
        self.began_ms = 0
        self.rates: list[tuple[int, float]] = []

    async def run(self, deliver: Deliver) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()

        def told(frames: Sequence[Frame]) -> None:
            simulator, since = self._simulator, loop.time() - began - BEGINS_S
            now_ms = simulator._scheduler.ts_ms
            if since >= 0.0 and not self.began_ms:
                self.began_ms = now_ms
            if 0.0 <= since < LASTS_S:
                simulator._rates["KRW"].log_rate += self._drift / 1e4 * 0.01
            self.rates.append((now_ms, simulator._rates["KRW"].fair))
            if self._lie is not None and 0.0 <= since < LASTS_S:
                frames = [kept for frame in frames if (kept := self._told(frame, since)) is not None]
            deliver(frames)

        await self._simulator.run(told)

    def _told(self, frame: Frame, since: float) -> Frame | None:
        if _RATE_CODE not in frame.raw or b'"orderbook_units"' not in frame.raw:
            return frame
        assert self._lie is not None
        raw = self._lie(frame.raw, since)
        return None if raw is None else Frame(frame.exchange, raw, frame.snapshot_of)

    def request_snapshot(self, exchange: str, code: str) -> None:
        self._simulator.request_snapshot(exchange, code)


def play(
    folder: Path, lie: Lie | None = None, *, symbols: int = 8, drift_bps_per_s: float = 0.0, seed: int = 1, scenario: str = "busy"
) -> Outcome:
    """Run until the fault and what it has opened are over, in virtual time."""
    runtime_s = BEGINS_S + LASTS_S + (AFTER_DRIFT_S if drift_bps_per_s else ENDS_S)
    settings = load_profile(
        "upbit-binance", {"mode": "sim", "universe": {"symbols": symbols}, "simulator": {"seed": seed, "scenario": scenario}}
    )
    feeds: list[_Feed] = []
    outcome = Outcome()

    async def opened(ground: Ground) -> Venues:
        venues = await simulated_venues(settings, ground)
        assert venues.simulator is not None
        feed = _Feed(venues.simulator, lie, drift_bps_per_s)
        feeds.append(feed)
        venues.feed = feed
        return venues

    class Watching(Session):
        async def _until_stopped(self, run, reconciled, venues, tasks, earlier):  # type: ignore[no-untyped-def]
            engine, loop = run.engine, asyncio.get_running_loop()
            assert engine.components.rate_watches[0]

            async def look() -> None:
                while True:
                    await asyncio.sleep(0.05)
                    if engine.components.rates.markets[0].doubted:
                        outcome.doubted_s += 0.05
                        if outcome.first_doubt_s is None and run.update_metrics.first_at is not None:
                            outcome.first_doubt_s = loop.time() - run.update_metrics.first_at - BEGINS_S

            looking = tasks.create_task(look())
            await super()._until_stopped(run, reconciled, venues, tasks, earlier)
            looking.cancel()
            outcome.breaches.update(breach.kind for breach in engine.breaches.breaches.values())

    state = folder / "sim"
    plan = Plan(settings, folder, state, opened, origins(settings), virtual=True, headless=True, max_runtime_s=runtime_s, json=None)
    state.mkdir(parents=True)
    with localcontext(prec=DIGITS), asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(Watching(plan, LogRing(), Halt(folder)).run()) in (0, 3)
    _count(outcome, read_ledger(state / "journal.db"), feeds[0])
    return outcome


def _count(outcome: Outcome, ledger: dict[str, Any], feed: _Feed) -> None:
    moments, rates = zip(*feed.rates, strict=True)
    earlier, begins, ends = (iso_ms(feed.began_ms + int(after_s * 1000)) for after_s in (-LASTS_S, 0.0, LASTS_S))
    fills = defaultdict(list)
    for row in ledger["fills"]:
        fills[row["cycle_id"]].append(row)
    for cycle in ledger["cycles"]:
        outcome.before += earlier <= cycle["opened"] < begins
        if not begins <= cycle["opened"] < ends:
            continue
        outcome.cycles += 1
        left, price = 0.0, 0.0
        for row in fills[cycle["id"]]:
            sign = 1.0 if row["side"] == "buy" else -1.0
            at_ms = datetime.fromisoformat(row["ts_init"]).timestamp() * 1000
            unit = 1.0 / rates[max(0, bisect_right(moments, at_ms) - 1)] if row["quote"] == "KRW" else 1.0
            price = float(row["price"]) * unit
            left += sign * float(row["qty"])
            outcome.cash -= sign * float(row["cost"]) * unit
            if row["fee_currency"] == row["base"]:
                left -= float(row["fee"])
            else:
                outcome.cash -= float(row["fee"]) * unit
        outcome.cash += left * price
