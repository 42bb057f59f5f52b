"""Orders in docs/faults.md, F10 and F17 to F20: a venue says no, for good, for a while, or to everybody.

Shorter than shipped: the pause after a refusal (1 s for 60), the time between two looks for a key (0.5 s for 5), and the time
to the first probe of a venue that refuses us (0.5 s for 5; it doubles from there).
"""

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges import refusal_watch, standing
from arbtui.journal.events import CycleState
from arbtui.model.errors import VenueFailed
from arbtui.model.reason import Reason
from arbtui.portfolio.trading_state import TradingState
from arbtui.sandbox.faults import WireFaultKind
from arbtui.simulation.played_venue import DEFAULT_VENUES as VENUES
from tests.faults.desk import SYMBOLS, Desk, desk, play

K = WireFaultKind
#: Each order that is refused leaves a cycle with one leg: how many of those a route may have in an hour is not what is looked at here.
ONE_LEGGED = {"max_one_leg_hour": 100_000}
PAUSE: dict[str, Any] = {"risk": {"route": {"refusal_pause_s": 1.0, **ONE_LEGGED}}}
#: Hedging orders that a cycle may send after its two legs, at most (``max_attempts`` of 8 for a leg).
MOST_ORDERS = 9


def code(venue: str, symbol: str) -> str:
    return f"KRW-{symbol}" if venue == "upbit" else f"{symbol}USDT"


def refused(d: Desk, word: str) -> list[str]:
    """Orders that the journal holds as refused for that reason, by their client ids."""
    with closing(sqlite3.connect(f"file:{d.folder / 'live' / 'journal.db'}?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT client_order_id, reason FROM order_ WHERE state = 'REJECTED'").fetchall()
    return [client_id for client_id, reason in rows if reason.split()[:1] == [word]]


def refused_again(d: Desk, word: str) -> bool:
    """The same, while what a refusal leaves, as it may on a busy machine, keeps no route from trading: a person settles it at once."""
    for position in d.engine.portfolio.positions:
        d.engine.operator.write_off(position.id, "upbit-binance", "of the test")
    return bool(refused(d, word))


def assert_nothing_is_set_aside(d: Desk) -> None:
    portfolio = d.engine.portfolio
    for exchange, held in portfolio.state.balances.items():
        assert {asset: portfolio.available(exchange, asset) for asset in held} == held


def assert_bounded(d: Desk) -> None:
    """No cycle has sent more orders than it may, however often it was refused."""
    orders: dict[str, int] = {}
    for row in d.ledger()["orders"]:
        orders[row["cycle_id"]] = orders.get(row["cycle_id"], 0) + 1
    assert max(orders.values()) <= MOST_ORDERS


RULES = [
    ("upbit", {"min_cost": "900000000"}, "MIN_COST"),
    ("binance", {"min_cost": "900000000"}, "MIN_COST"),
    ("upbit", {"tick": "777.5"}, "PRICE_UNIT"),
    ("binance", {"tick": "777.5"}, "PRICE_UNIT"),
    ("upbit", {"lot_step": "777777.5"}, "LOT_SIZE"),
    ("binance", {"lot_step": "777777.5"}, "LOT_SIZE"),
]


def test_f10_a_definite_no_is_final_is_not_repeated_and_gives_back_what_was_set_aside(tmp_path: Path) -> None:
    async def main() -> None:
        never = {"refusal_pause_s": 0.0, "max_consecutive_losses": 1000, **ONE_LEGGED}
        async with desk(tmp_path, settings={"risk": {"route": never}}) as d:
            words = ["MARKET_CLOSED", *(word for _, _, word in RULES), "INSUFFICIENT_FUNDS"]
            symbol = SYMBOLS[0]
            for venue in VENUES:
                await d.met(d.fault(venue, K.HALT, symbol=code(venue, symbol), count=1))
            await d.until(lambda: len(refused(d, "MARKET_CLOSED")) >= 2, "both refusals are known")
            for venue, rule, word in RULES:
                d.fault(venue, K.RULES, symbol=code(venue, symbol), **rule)
                await d.until(lambda word=word: refused_again(d, word), f"{venue} refuses for its {word}")  # type: ignore[misc]
                d.box.faults[venue].clear()
            disputed = d.engine.portfolio.state.disputes
            while not refused(d, "INSUFFICIENT_FUNDS"):
                taken = d.box.cores["upbit"].balances()["KRW"].free.quantize(Decimal(1)) - 1000
                await d.box.deposit("upbit", "KRW", str(-taken))  # somebody takes the won away
                await d.until(lambda: refused_again(d, "INSUFFICIENT_FUNDS") or "KRW" in disputed.get("upbit", {}), "upbit has no won left")
                # What nothing was bought with in time is in dispute, and then nothing is: given back, it is so no more.
                await d.box.deposit("upbit", "KRW", str(taken))
                await d.until(lambda: "KRW" not in disputed.get("upbit", {}), "the balances agree again")
            await d.settle()
            for word in words:
                assert refused(d, word), word
            assert_nothing_is_set_aside(d)
            assert_bounded(d)
            assert not d.unknown().keys() & {client_id for word in words for client_id in refused(d, word)}, "no is no doubt"

    play(main)


@pytest.mark.parametrize(
    ("venue", "rule"),
    [("binance", {"min_cost": "900000000"}), ("upbit", {"tick": "777.5"})],
    ids=["minimum", "tick"],
)
def test_f17_rules_that_change_after_the_start_pause_the_symbol_while_the_others_trade(
    venue: str, rule: dict[str, str], tmp_path: Path
) -> None:
    async def main() -> None:
        async with desk(tmp_path, settings=PAUSE) as d:
            symbol = SYMBOLS[0]
            routes = d.engine.components.universe.of_symbol(symbol)
            changed = d.fault(venue, K.RULES, symbol=code(venue, symbol), **rule)
            await d.met(changed)
            await d.until(lambda: bool(d.breaches("ORDER_REFUSED")), "the refusal is told")
            assert {breach.scope for breach in d.breaches("ORDER_REFUSED")} == {symbol}
            await d.until(lambda: any(route.denied is Reason.REFUSED for route in routes), "its route says why it does not trade")
            sent = changed.met
            assert sent <= MOST_ORDERS
            for other in SYMBOLS[1:]:
                await d.cycles(1, CycleState.HEDGED, other)
            # The next attempts are one cycle each, further and further apart.
            await d.until(lambda: len(d.breaches("ORDER_REFUSED")) >= 2, "it is tried once more")
            assert changed.met <= 2 * MOST_ORDERS
            assert "2 s" in d.breaches("ORDER_REFUSED")[1].action
            d.box.faults[venue].clear()
            await d.cycles(1, CycleState.HEDGED, symbol)
            await d.healthy()
            assert_bounded(d)
            await d.agree()

    play(main)


@pytest.mark.parametrize("venue", VENUES)
def test_f18_a_venue_that_says_slow_down_and_then_bans_us_hears_nothing_until_it_is_over(venue: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            await d.met(d.fault(venue, K.RATE_LIMIT, retry_after_s=1, on="order"))
            await d.healthy()
            ban = d.fault(venue, K.BAN, seconds=2.0)
            with pytest.raises(VenueFailed):
                await d.venues.adapters[venue].fetch_balances()
            assert ban.met
            assert d.engine.risk.exchange[venue].budget() is Reason.RATE_LIMITED
            await d.until(lambda: not d.health()[venue], "it is not HEALTHY while it bans us")
            heard = ban.met
            await d.until(lambda: not d.box.faults[venue], "the ban is over")
            assert ban.met <= heard + 20, "what was under way, and sockets that are opened anew; no order"
            assert refused(d, "RATE_LIMITED")
            await d.healthy()
            await d.agree()
            assert d.unknown() == {}

    play(main)


@pytest.mark.parametrize("venue", VENUES)
def test_f19_a_venue_that_refuses_our_key_is_down_at_once_and_back_when_it_takes_it(
    venue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusal_watch, "_KEYS_EVERY_S", 0.5)
    monkeypatch.setattr(standing, "FIRST_PROBE_S", 0.5)

    async def main() -> None:
        async with desk(tmp_path, settings=PAUSE) as d:
            revoked = d.fault(venue, K.REVOKE)
            await d.met(revoked)
            await d.until(lambda: not d.health()[venue], "the venue is DOWN")
            assert "key" in d.engine.risk.exchange[venue].health.why(d.engine.components.clock.monotonic())
            await d.until(lambda: any(breach.scope == venue for breach in d.breaches("VENUE_DOWN")), "the operator is told")
            await d.until(lambda: not d.engine.executor.open, "what was open is brought to its end without that venue")
            posts = d.posts.copy()
            await d.met(revoked, times=revoked.met + 2)  # it is asked whether it takes the key again, and nothing else
            assert d.posts == posts
            assert d.health()[other(venue)]
            assert d.engine.state is TradingState.ARMED
            d.box.faults[venue].clear()
            await d.healthy()
            await d.agree()

    play(main)


def other(venue: str) -> str:
    return next(name for name in VENUES if name != venue)


@pytest.mark.parametrize("venue", VENUES)
def test_f20_a_halted_symbol_is_left_alone_and_the_others_trade(venue: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, settings=PAUSE) as d:
            symbol = SYMBOLS[0]
            halted = d.fault(venue, K.HALT, symbol=code(venue, symbol))
            await d.met(halted)
            await d.until(lambda: bool(d.breaches("ORDER_REFUSED")), "the refusal is told")
            (told,) = d.breaches("ORDER_REFUSED")
            assert told.scope == symbol
            assert "MARKET_CLOSED" in told.detail
            assert halted.met <= MOST_ORDERS
            for name in SYMBOLS[1:]:
                await d.cycles(1, CycleState.HEDGED, name)
            # One cycle an attempt, and one may be under way: an attempt a second at most here, however long the others took.
            assert halted.met <= MOST_ORDERS * (len(d.breaches("ORDER_REFUSED")) + 1)
            assert all(d.health().values())
            d.box.faults[venue].clear()
            await d.cycles(1, CycleState.HEDGED, symbol)
            await d.healthy()
            await d.agree()

    play(main)
