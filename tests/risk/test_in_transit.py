"""What is on its way between venues has limits: everything, what is uncovered, and of one asset."""

from dataclasses import replace
from decimal import Decimal
from math import nan

import msgspec
import pytest

from arbtui.journal.events import PlannedTransfer, TransferArrived, TransferBegun, TransferLeft
from arbtui.model.reason import Reason
from arbtui.portfolio.operator_events import Transfer
from arbtui.risk.config import GlobalLimits, RouteLimits
from arbtui.risk.in_transit import InTransitGuard
from arbtui.risk.tiers import RouteGuard
from tests.portfolio.telling import Telling
from tests.risk.test_tiers import BUY, _marks
from tests.routes.pairs import Pair

EPS = 1e-6


def _limits(total: float = 1e9, uncovered: float = 1e9, asset: float = 1e9) -> GlobalLimits:
    return GlobalLimits(max_in_transit=total, max_uncovered_in_transit=uncovered, max_asset_in_transit=asset)


def _moving(tell: Telling, cycle_id: str, value: float, asset: str = "XRP") -> None:
    """Open a cycle that will have ``asset`` moved."""
    tell.open(cycle_id, BUY, value=value, transfers=(PlannedTransfer(0, asset, "binance", "upbit", "XRP", Decimal(1), 2.0),))


def test_each_of_the_three_holds_at_its_limit_and_not_beyond() -> None:
    tell, pair = Telling().start(), Pair()
    route = pair.over_network()
    guard = InTransitGuard(tell.portfolio, _marks(pair))
    _moving(tell, "c1", 100.0)
    _moving(tell, "c2", 50.0, "ADA")
    for limits, left in ((_limits(total=250.0), 100.0), (_limits(uncovered=250.0), 100.0), (_limits(asset=250.0), 150.0)):
        assert guard.check(route, left, limits) is None
        assert guard.check(route, left - EPS, limits) is None
        assert guard.check(route, left + EPS, limits) is Reason.IN_TRANSIT
        assert guard.check(route, nan, limits) is Reason.IN_TRANSIT
        assert guard.check(route, left + 100.0, limits, "c1") is None, "a cycle is not in its own way"
    assert guard.check(pair.to_upbit, 1e12, _limits(total=1.0)) is None, "what moves nothing is not asked"
    assert (guard.uncovered(), guard.uncovered("XRP"), guard.largest()) == (150.0, 100.0, 100.0)
    tell.end("c1")
    assert guard.uncovered() == 50.0


def test_stock_on_its_way_counts_in_the_total_alone_and_without_a_price_denies() -> None:
    tell, pair = Telling().start(), Pair()
    route = pair.over_network()
    guard = InTransitGuard(tell.portfolio, _marks(pair))
    begun = TransferBegun("T1", "XRP", "binance", "upbit", "XRP", Decimal(50), Decimal("0.2"), 4.0, "me", "refill")
    tell(begun)
    worth = guard.total()
    assert worth > 50.0
    assert guard.uncovered() == 0.0
    assert guard.check(route, 10.0, _limits(total=worth + 10.0 + EPS)) is None
    assert guard.check(route, 10.0, _limits(total=worth + 10.0 - EPS)) is Reason.IN_TRANSIT
    tell(TransferLeft("T1", "binance", "XRP", Decimal(50)))
    assert guard.total() == worth, "begun or on its way: the same"
    tell(TransferArrived("T1", "upbit", "XRP", Decimal("49.8")))
    assert guard.total() == 0.0
    tell(msgspec.structs.replace(begun, transfer_id="T2", asset="WHO"))
    assert guard.check(route, 1.0, _limits()) is Reason.IN_TRANSIT


@pytest.mark.parametrize("asset", ["XRP"])
def test_what_a_cycle_moves_is_counted_once(asset: str) -> None:
    tell, pair = Telling().start(), Pair()
    guard = InTransitGuard(tell.portfolio, _marks(pair))
    _moving(tell, "c1", 100.0)
    tell(TransferBegun("T1", asset, "binance", "upbit", "XRP", Decimal(50), Decimal("0.2"), 4.0, "arbtui", "cycle c1", "c1"))
    assert guard.total() == guard.uncovered() == 100.0


def test_a_transfer_that_would_look_like_its_own_keeps_a_route_busy() -> None:
    tell, pair = Telling().start(), Pair()
    route = pair.over_network()
    guard = RouteGuard(RouteLimits(), tell.portfolio, lambda: tell.now_ms)
    assert not guard.is_busy(route)
    others = TransferBegun("T1", "XRP", "okx", "bybit", "XRP", Decimal(50), Decimal("0.2"), 4.0, "me", "refill")
    tell(others)
    tell(msgspec.structs.replace(others, transfer_id="T2", asset="ADA", to_exchange="upbit"))
    assert not guard.is_busy(route), "another coin, or other places"
    for number, (asset, sender, receiver) in enumerate((("XRP", "okx", "bybit"), ("ADA", "binance", "upbit"))):
        of_a_cycle = {"transfer_id": f"C{number}", "asset": asset, "from_exchange": sender, "to_exchange": receiver, "cycle_id": "c9"}
        tell(msgspec.structs.replace(others, **of_a_cycle))
    assert not guard.is_busy(route), "nor those of a cycle"
    tell(msgspec.structs.replace(others, transfer_id="T3", to_exchange="upbit", cycle_id="c1"))
    assert guard.is_busy(route)
    assert guard.is_busy(route, "c2")
    assert not guard.is_busy(route, "c1"), "a cycle is not in its own way"
    assert not guard.is_busy(pair.to_upbit), "what moves nothing is not asked"


@pytest.mark.parametrize(("qty", "reason"), [("49.59", None), ("49.6", Reason.ROUTE_BUSY), ("50.4", Reason.ROUTE_BUSY), ("50.41", None)])
def test_a_move_of_stock_is_in_the_way_of_a_transfer_by_its_amount_alone(qty: str, reason: Reason | None) -> None:
    tell, pair = Telling().start(), Pair()
    guard = RouteGuard(RouteLimits(), tell.portfolio, lambda: tell.now_ms)
    stock = TransferBegun("T1", "XRP", "binance", "upbit", "XRP", Decimal(50), Decimal("0.2"), 4.0, "me", "refill")
    tell(stock)
    assert not guard.is_busy(pair.over_network())
    wanted = Transfer("XRP", "binance", "upbit", Decimal(qty), "XRP", Decimal("0.1"), 4.0)
    assert guard.mistaken([wanted]) is reason
    assert guard.mistaken([replace(wanted, sender="bybit")]) is reason, "what comes to one place is told apart by nothing else"
    assert guard.mistaken([replace(wanted, sender="upbit", receiver="bybit")]) is reason
    assert guard.mistaken([replace(wanted, asset="ADA")]) is guard.mistaken([replace(wanted, sender="okx", receiver="bybit")]) is None


def test_what_is_still_to_come_of_a_move_of_stock_is_in_the_way_too() -> None:
    tell = Telling().start()
    guard = RouteGuard(RouteLimits(), tell.portfolio, lambda: tell.now_ms)
    tell(TransferBegun("T1", "XRP", "binance", "upbit", "XRP", Decimal(90), Decimal("0.2"), 4.0, "me", "refill"))
    tell(TransferLeft("T1", "binance", "XRP", Decimal(90)))
    wanted = Transfer("XRP", "binance", "upbit", Decimal(50), "XRP", Decimal("0.1"), 4.0)
    assert guard.mistaken([wanted]) is None
    tell(TransferArrived("T1", "upbit", "XRP", Decimal(40)))
    assert guard.mistaken([wanted]) is Reason.ROUTE_BUSY
    tell(TransferArrived("T1", "upbit", "XRP", Decimal("49.8")))
    assert guard.mistaken([wanted]) is None


def test_stock_is_put_on_its_way_only_where_cycles_may_still_put_all_there_that_they_may() -> None:
    tell, pair = Telling().start(), Pair()
    guard = InTransitGuard(tell.portfolio, _marks(pair))
    assert (guard.total(), guard.largest()) == (0.0, 0.0)
    mark = float(_marks(pair).prices(["XRP"])["XRP"])
    _moving(tell, "c1", 100.0)
    needed = 100.0 + 50 * mark + 200.0
    for room, fits in ((EPS, True), (-EPS, False)):
        assert guard.leaves_room("XRP", Decimal(50), _limits(total=needed + room, uncovered=200.0)) is fits
    assert not guard.leaves_room("WHO", Decimal(50), _limits(uncovered=1.0)), "what it is worth nobody knows"
    needed = guard.total() + float(Decimal(50) * _marks(pair).prices(["XRP"])["XRP"])
    limits = _limits(total=needed + 256.0, uncovered=256.0)
    assert limits.max_in_transit - limits.max_uncovered_in_transit == needed
    assert guard.leaves_room("XRP", Decimal(50), limits)
