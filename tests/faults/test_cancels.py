"""Orders in docs/faults.md, F11, F12 and the cancels of F18: too late, not answered, never come, or not wanted now."""

import asyncio
import json
import os
import sqlite3
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.engine import engine
from arbtui.exchanges import ccxt_client
from arbtui.journal.events import CycleState
from arbtui.model.ids import client_order_id
from arbtui.model.order import Order, OrderState, Purpose, Side, TimeInForce
from arbtui.model.scoped_halts import Depth, ScopedHalt, write_halt
from arbtui.portfolio.trading_state import TradingState
from arbtui.sandbox.faults import WireFaultKind
from arbtui.sandbox.keys import DEFAULT_KEYS
from arbtui.simulation.played_venue import DEFAULT_VENUES as VENUES
from tests.faults.desk import Desk, desk, play
from tests.faults.test_order_path import deaf

K = WireFaultKind


async def assert_killed_clean_of_orders(d: Desk) -> None:
    """After a kill with one resting leg: no order stands, none has left since, and the covered leg waits for a person."""
    await d.until(lambda: not d.engine.tracker.open and not d.engine.executor.open, "everything is at its end")
    await d.until(lambda: d.engine.state is TradingState.HALTED_DIRTY, "it says that something is left")
    assert all(core.open_orders() == () for core in d.box.cores.values())
    await d.agree()
    assert await d.stop() == 3


@pytest.mark.parametrize("venue", VENUES)
def test_f11_a_cancel_of_an_order_that_has_filled_is_no_error_and_loses_no_fill(venue: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            deaf(d)
            order = await d.met_by(d.rest_next(venue, crossing=True), venue, K.TIMEOUT)
            core = d.box.cores[venue]
            await d.until(lambda: core.find(order.client_order_id) is not None, "the venue has it")
            adapter = d.venues.adapters[venue]
            await adapter.cancel(order.market.code, order.client_order_id)  # refused: there is nothing left to cancel
            await adapter.cancel(order.market.code, "anobodyknowsthisid")
            await d.until(lambda: order.state.is_final, "it is looked up")
            assert order.state is OrderState.FILLED
            await d.healthy()
            await d.agree()

    play(main)


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("kind", [K.TIMEOUT, K.RESET_BEFORE, K.RESET_AFTER], ids=str)
def test_f12_a_kill_repeats_a_cancel_that_was_not_answered_until_the_venue_confirms(
    venue: str, kind: WireFaultKind, tmp_path: Path
) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            order = await d.resting(venue)
            lost = d.fault(venue, kind, on="cancel", count=2)
            posts = d.posts.copy()
            d.engine.kill_switch.kill("TEST", "a resting order")
            await d.met(lost)
            await assert_killed_clean_of_orders(d)
            assert order.state is OrderState.CANCELED
            assert d.posts == posts

    play(main)


@pytest.mark.parametrize("venue", VENUES)
def test_f12_what_cannot_be_cancelled_counts_as_open_and_is_cancelled_as_soon_as_it_can_be(
    venue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_SETTLE_S", 2.0)  # 10 s in earnest
    monkeypatch.setattr(engine, "_CANCEL_AGAIN_S", 1.0)  # 5 s

    async def main() -> None:
        async with desk(tmp_path) as d:
            order = await d.resting(venue)
            down = d.fault(venue, K.ERROR_BEFORE, on="cancel", count=1_000_000)
            d.engine.kill_switch.kill("TEST", "a resting order")
            await d.met(down, times=4)
            await d.until(lambda: d.engine.state is TradingState.HALTED_DIRTY, "it says that something is left")
            assert f"{venue.upper()} cancels not confirmed" in d.engine.halt_detail
            assert "1 order not settled" in d.engine.unsettled
            portfolio, asset = d.engine.portfolio, order.market.quote if order.side is Side.BUY else order.market.base
            assert portfolio.reserved(venue, asset) > 0, "it may still fill"
            assert d.engine.operator.rearm("upbit-binance", "no", d.engine.components.halt.kills), "nothing is armed on top of it"
            d.box.faults[venue].clear()
            await d.until(lambda: order.state is OrderState.CANCELED, "it is cancelled after all")
            await d.until(lambda: "not confirmed" not in d.engine.halt_detail, "the operator is told")
            await assert_killed_clean_of_orders(d)

    play(main)


@pytest.mark.parametrize("venue", VENUES)
def test_f18_a_kill_while_a_venue_bans_us_is_first_when_it_listens_again(venue: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            order = await d.resting(venue)
            posts = d.posts.copy()
            ban = d.fault(venue, K.BAN, seconds=3.0)
            d.engine.kill_switch.kill("TEST", "a resting order")
            await d.until(lambda: order.state is OrderState.CANCELED, "it is cancelled once the ban is over")
            assert 1 <= ban.met <= 10, "whoever is banned does not hammer"
            await assert_killed_clean_of_orders(d)
            assert d.posts == posts

    play(main)


@pytest.mark.parametrize(
    ("venue", "kind", "told"),
    [
        ("upbit", K.RATE_LIMIT, {"count": 1000}),  # each one in a row doubles our silence
        ("binance", K.REFUSE, {"error": "-1015", "words": "Too many new orders.", "status": 429, "retry_after_s": 25}),
    ],
)
def test_f18_a_venue_that_takes_no_more_orders_still_takes_the_cancels_of_a_kill(
    venue: str, kind: WireFaultKind, told: dict[str, Any], tmp_path: Path
) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            order = await d.resting(venue)
            await d.met(d.fault(venue, kind, on="order", **told))
            limits, clock = d.venues.limits[venue], d.engine.components.clock
            await d.until(lambda: limits.banned_until > clock.monotonic() + 5.0, "its orders are banned")
            until = limits.banned_until
            posts = d.posts.copy()
            d.engine.kill_switch.kill("TEST", "a resting order")
            await d.until(lambda: order.state is OrderState.CANCELED, "it is cancelled")
            assert clock.monotonic() < until, "while no order would be taken"
            await assert_killed_clean_of_orders(d)
            assert d.posts == posts

    play(main)


def test_f12_a_fill_that_overtakes_the_kill_is_booked(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            order = await d.resting("upbit")
            d.fault("upbit", K.RESET_BEFORE, on="cancel", count=2)
            d.engine.kill_switch.kill("TEST", "a resting order")
            d.fill_at_venue(order, order.qty)
            await d.until(lambda: order.state is OrderState.FILLED, "it filled first")
            await d.until(lambda: not d.engine.executor.open, "its cycle is at its end")
            assert d.ended[CycleState.HEDGED] >= 1
            # A slow machine may have left a residual before: that is a person's, kill or no kill.
            left = d.ended[CycleState.RESIDUAL] > 0
            halted = TradingState.HALTED_DIRTY if left else TradingState.HALTED
            await d.until(lambda: d.engine.state is halted and "not confirmed" not in d.engine.halt_detail, "nothing of it is left")
            await d.agree()
            assert await d.stop() == (3 if left else 0)

    play(main)


async def by_hand(d: Desk, venue: str, beside: Order, client_order_id: str = "by-hand-1") -> str:
    """Somebody else's order on the same account, far from the market and in another one than ``beside``; its market."""
    market = next(market for market in d.box.cores[venue].markets.values() if market.base != beside.market.base)
    price = market.price_down(Decimal(str(d.engine.components.aggregator.books[venue, market.code].bid)) * Decimal("0.5"))
    qty = market.lot_step * int(market.min_cost * 3 / price / market.lot_step + 1)
    made = Order(client_order_id, market, Side.BUY, qty, price, "x", 0, 0, Purpose.ENTRY, 0, 0.0, 0.0, tif=TimeInForce.GTC)
    await d.venues.adapters[venue].place(made, lambda: None)
    return market.code


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("exclusive", [False, True], ids=["shared", "exclusive"])
def test_a_kill_cancels_what_is_ours_and_names_what_is_not(venue: str, exclusive: bool, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, settings={"execution": {"exclusive_account": exclusive}}) as d:
            ours = await d.resting(venue)
            core = d.box.cores[venue]
            code = await by_hand(d, venue, beside=ours)
            await d.until(lambda: len(core.open_orders()) == 2, "both stand")
            d.engine.kill_switch.kill("TEST", "two resting orders")
            await d.until(lambda: d.engine.state is TradingState.HALTED_DIRTY, "it says what is left")
            assert ours.state is OrderState.CANCELED
            left = [one.client_order_id for one in core.open_orders()]
            assert left == ([] if exclusive else ["by-hand-1"])
            told = f"{venue.upper()} ok, 1 foreign order left alone ({code} by-hand-1)"
            assert (told in d.engine.halt_detail) is not exclusive
            assert await d.stop() == 3

    play(main)


@pytest.mark.parametrize("venue", VENUES)
def test_f63_an_order_that_the_venue_accepts_after_the_kill_is_found_and_cancelled(
    venue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its request was under way when the gate closed, and its answer never came: the first lists do not hold it."""
    monkeypatch.setattr(ccxt_client, "RECV_WINDOW_MS", 60_000)  # 5 s in earnest: what comes as late as here is not accepted at all

    async def main() -> None:
        async with desk(tmp_path, absence_s=20.0) as d:
            order = await d.met_by(d.rest_next(venue), venue, K.LATE, ms=5000)
            assert d.box.cores[venue].open_orders() == ()
            d.engine.kill_switch.kill("TEST", "an order is under way")
            await d.until(lambda: d.box.cores[venue].find(order.client_order_id) is not None, "it is accepted late")
            await d.until(lambda: order.state is OrderState.CANCELED, "it is found and cancelled")
            await d.until(lambda: d.engine.state is TradingState.HALTED_DIRTY or d.engine.state is TradingState.HALTED, "it has settled")
            assert all(core.open_orders() == () for core in d.box.cores.values())
            await d.agree()
            await d.stop()

    play(main)


@pytest.mark.parametrize("venue", VENUES)
def test_f62_a_kill_while_a_venue_is_gone_clears_the_other_one_at_once_and_that_one_when_it_is_back(
    venue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_SETTLE_S", 2.0)  # 10 s in earnest
    monkeypatch.setattr(engine, "_CANCEL_AGAIN_S", 1.0)  # 5 s

    async def main() -> None:
        async with desk(tmp_path) as d:
            (other,) = (name for name in VENUES if name != venue)
            order = await d.resting(venue)
            await by_hand(d, other, beside=order, client_order_id=client_order_id("another", "c1", 0, 0))
            await d.until(lambda: bool(d.box.cores[other].open_orders()), "one stands at each venue")
            posts = d.posts.copy()
            d.fault(venue, K.CRASH, seconds=8.0)
            await d.until(lambda: not d.box.fronts[venue].is_open, "it is gone")
            d.engine.kill_switch.kill("TEST", "one venue is gone")
            await d.until(lambda: not d.box.cores[other].open_orders(), "the other one is cleared")
            assert not d.box.fronts[venue].is_open, "while this one is gone"
            await d.until(lambda: d.engine.state is TradingState.HALTED_DIRTY, "it says that something is left")
            assert f"{venue.upper()} cancels not confirmed" in d.engine.halt_detail
            await d.until(lambda: order.state is OrderState.CANCELED, "it is cancelled once the venue is back")
            await d.until(lambda: "not confirmed" not in d.engine.halt_detail, "the operator is told")
            assert d.box.cores[venue].open_orders() == ()
            assert d.posts == posts
            await d.stop()

    play(main)


@pytest.mark.parametrize("venue", VENUES)
def test_f61_a_kill_while_another_process_holds_the_journal_needs_no_journal(venue: str, tmp_path: Path) -> None:
    """The gate closes and orders are cancelled while nothing can be committed; the journal has it as soon as it can."""

    async def main() -> None:
        async with desk(tmp_path) as d:
            order = await d.resting(venue)
            core, posts = d.box.cores[venue], d.posts.copy()
            with closing(sqlite3.connect(d.folder / "live" / "journal.db", isolation_level=None)) as holder:
                holder.execute("BEGIN IMMEDIATE")
                (durable,) = holder.execute("SELECT max(seq) FROM event").fetchone()
                d.engine.kill_switch.kill("TEST", "the journal is held")
                assert (d.folder / "kill.flag").exists()
                await d.until(lambda: not core.open_orders(), "it is cancelled at the venue")
                assert d.engine.components.journal.durable_seq <= durable, "nothing could be committed meanwhile"
                assert d.engine.components.journal.failure is None
                holder.execute("ROLLBACK")
            await d.until(lambda: order.state is OrderState.CANCELED, "it is known here")
            await d.engine.components.journal.commit()
            assert [row["source"] for row in d.events("Killed")] == ["TEST"]
            await assert_killed_clean_of_orders(d)
            assert d.posts == posts

    play(main)


@pytest.mark.parametrize("venue", VENUES)
def test_an_exchange_that_is_halted_is_cleared_and_the_other_one_is_left(venue: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            order = await d.resting(venue)
            halt = ScopedHalt(f"exchange.{venue}", Depth.HALTED, "CLI", "ann", "its wallet is closed", 1)
            write_halt(d.folder, halt)
            await d.until(lambda: order.state is OrderState.CANCELED, "it is cancelled")
            await d.until(lambda: not d.engine.executor.open, "its cycle is at its end")
            assert d.engine.state is TradingState.ARMED
            posts = {key: count for key, count in d.posts.items() if key[0] == venue}
            await d.engine.components.journal.commit()
            assert [(row["scope"], row["depth"]) for row in d.events("ScopeHalted")] == [(f"exchange.{venue}", "HALTED")]
            assert {key: count for key, count in d.posts.items() if key[0] == venue} == posts
            await d.agree()
            await d.stop()

    play(main)


@pytest.mark.parametrize("kind", ["symbol", "route"])
def test_a_symbol_or_a_route_that_is_halted_is_cleared_and_other_orders_of_ours_are_left(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            order = await d.resting("binance")
            core = d.box.cores["binance"]
            d.engine.tracker.on_stranger = lambda report: None  # as if the journal held it: an order of an earlier run
            await by_hand(d, "binance", beside=order, client_order_id=client_order_id("another", "c1", 0, 0))
            await d.until(lambda: len(core.open_orders()) == 2, "both stand")
            cycle = d.engine.cycles[order.cycle_id]
            scope = f"symbol.{order.market.base}" if kind == "symbol" else f"route.{cycle.plan.route.id}"
            write_halt(d.folder, ScopedHalt(scope, Depth.HALTED, "CLI", "ann", "its network is halted", 1))
            await d.until(lambda: order.state is OrderState.CANCELED, "it is cancelled")
            assert [one.client_order_id for one in core.open_orders()] == [client_order_id("another", "c1", 0, 0)]
            assert d.engine.state is TradingState.ARMED
            await d.until(lambda: not d.engine.tracker.open, "nothing of ours is open")

    play(main)


@pytest.mark.parametrize("venue", VENUES)
def test_without_an_engine_the_command_itself_cancels_what_is_ours(venue: str, tmp_path: Path) -> None:
    """The command is told of a state folder on which none runs; the engine here has not heard of the kill."""

    async def main() -> None:
        async with desk(tmp_path) as d:
            order = await d.resting(venue)
            other = await by_hand(d, venue, beside=order)
            state = tmp_path / "elsewhere"
            (state / "upbit-binance" / "live").mkdir(parents=True)
            (state / "upbit-binance" / "live" / "journal.db").touch()
            urls = {(name, what): url for name, told in d.box.urls.items() for what, url in told.items()}
            told_urls = {f"ARBTUI_EXCHANGES__{name}__URLS__{what}".upper(): url for (name, what), url in urls.items()}
            command = [sys.executable, "-m", "arbtui", "kill", "--profile", "upbit-binance", "--state-dir", str(state), "--json"]
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, env={**os.environ, **told_urls})
            out, err = await process.communicate()
            assert process.returncode == 1, "no engine runs there"
            facts = json.loads(out)
            assert sorted(word.split()[0] for word in facts["cancelled_here"]) == ["BINANCE", "UPBIT"], err
            told = f"{venue.upper()} ok, 1 foreign order left alone ({other} by-hand-1)"
            assert told in facts["cancelled_here"]
            assert [one.client_order_id for one in d.box.cores[venue].open_orders()] == ["by-hand-1"]
            assert (state / "upbit-binance" / "kill.flag").exists()
            for secret in DEFAULT_KEYS.values():
                assert secret.secret.encode() not in out + err
            await d.until(lambda: order.state is OrderState.CANCELED, "the engine learns of it")

    play(main)
