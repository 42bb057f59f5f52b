"""What the guard asks of wallets, of closed markets and of what is on its way, and what it counts."""

from pathlib import Path

import pytest

from arbtui.model.book import BookState
from arbtui.model.reason import Reason
from arbtui.model.scoped_halts import Depth, ScopedHalt, ScopedHalts, write_halt
from tests.risk.test_tiers import LIMITS, ROUTE, Guarded
from tests.routes.pairs import NOW


def halted(folder: Path, scope: str, depth: Depth = Depth.PAUSED) -> Guarded:
    """A guard under one halt, which it has read."""
    folder.mkdir()
    write_halt(folder, ScopedHalt(scope, depth, "CLI", "ann", "", 1))
    guarded = Guarded()
    guarded.guard.halts = ScopedHalts(folder)
    guarded.guard.halts.look()
    return guarded


@pytest.mark.parametrize(
    ("scope", "moves", "is_gated"),
    [
        ("wallet.binance:XRP", True, True),
        ("wallet.upbit:XRP", True, True),
        ("wallet.upbit", True, True),
        ("wallet.binance:USDT", False, True),
        ("wallet.upbit:KRW", False, True),
        ("wallet.binance:KRW", False, False),
        ("wallet.okx:XRP", False, False),
        ("wallet.okx", False, False),
        ("symbol.ADA", False, False),
    ],
)
def test_a_wallet_that_is_halted_holds_back_what_is_moved_over_it_and_gates_what_is_traded_there(
    tmp_path: Path, scope: str, moves: bool, is_gated: bool
) -> None:
    """``moves``: whether a route whose coins go from Binance to Upbit is held back; one that trades from stock never is."""
    guarded = halted(tmp_path / "halts", scope)
    guard, pair = guarded.guard, guarded.pair
    for answer in (guard.scoped, guard.held_back):
        assert answer(pair.over_network()) is (Reason.SCOPE_PAUSED if moves else None)
        assert answer(pair.to_upbit) is None
    assert guard.is_gated(pair.to_upbit) is is_gated
    assert guard.is_gated(pair.to_binance) is is_gated


def test_without_a_halt_nothing_is_held_back_or_gated() -> None:
    guarded = Guarded()
    assert guarded.guard.held_back(guarded.pair.over_network()) is None
    assert guarded.guard.is_gated(guarded.pair.to_upbit) is False


def test_who_asks_about_many_routes_reads_the_halts_once(tmp_path: Path) -> None:
    guarded = Guarded()
    guarded.guard.halts = ScopedHalts(tmp_path)
    write_halt(tmp_path, ScopedHalt("symbol.XRP", Depth.PAUSED, "CLI", "ann", "", 1))
    assert guarded.guard.held_back(guarded.pair.to_upbit) is None
    assert guarded.guard.scoped(guarded.pair.to_upbit) is Reason.SCOPE_PAUSED
    assert guarded.guard.held_back(guarded.pair.to_upbit) is Reason.SCOPE_PAUSED


@pytest.mark.parametrize("exchange", ["binance", "upbit"])
def test_a_market_is_closed_to_every_order_by_the_deepest_halt_a_book_that_is_not_live_or_a_silent_venue(
    tmp_path: Path, exchange: str
) -> None:
    (hop,) = (hop for hop in Guarded().pair.to_upbit.trades if hop.market.exchange == exchange)
    market = hop.market

    def closed(guarded: Guarded, now: float = NOW) -> Reason | None:
        return guarded.guard.closed(market, getattr(guarded.pair, exchange), ROUTE, now)

    assert closed(Guarded()) is None
    for number, scope in enumerate((f"exchange.{exchange}", f"symbol.{market.base}", f"symbol.{market.quote}", f"route.{ROUTE}", "global")):
        for depth in Depth:
            guarded = halted(tmp_path / f"{number}{depth}", scope, depth)
            assert closed(guarded) is (Reason.SCOPE_HALTED if depth is Depth.HALTED else None)
    for number, scope in enumerate(("symbol.ADA", "route.XRP:upbit>binance", "exchange.okx", f"wallet.{exchange}:XRP")):
        assert closed(halted(tmp_path / f"beside{number}", scope, Depth.HALTED)) is None
    for state in BookState:
        guarded = Guarded()
        getattr(guarded.pair, exchange).state = state
        assert closed(guarded) is (None if state is BookState.LIVE else Reason.STALE)
    for age_s, reason in ((1.0, None), (1.001, Reason.MESSAGE_AGE)):
        guarded = Guarded(NOW - age_s)
        getattr(guarded.pair, exchange).ts_init = NOW - age_s
        assert closed(guarded) is reason
        getattr(guarded.pair, exchange).ts_init = NOW
        assert closed(guarded) is None, "the venue has answered about this book a moment ago"


def test_an_entry_is_held_to_what_may_be_on_its_way() -> None:
    guarded = Guarded()
    guard, route = guarded.guard, guarded.pair.over_network()
    for most, reason in ((100.0, None), (99.9, Reason.IN_TRANSIT)):
        guard.total.limits = LIMITS.global_.model_copy(update={"max_asset_in_transit": most})
        assert guard.check_entry(route, 50.0, 100.0, NOW) is reason


def test_an_order_that_the_gate_keeps_is_counted_and_its_route_told() -> None:
    guard, told = Guarded().guard, list[tuple[str, Reason]]()
    guard.count_order(Reason.STALE, ROUTE)
    guard.on_order_refused = lambda route_id, reason: told.append((route_id, reason))
    guard.count_order(Reason.STALE, ROUTE)
    assert guard.denials == {Reason.STALE: 2}
    assert told == [(ROUTE, Reason.STALE)]
