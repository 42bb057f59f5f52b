"""``InventoryLedger``: every unit of stock is in one state, against a target that a person may set."""

from dataclasses import replace
from decimal import Decimal

import pytest

from arbtui.journal.events import TargetSet
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import Purpose, Side
from arbtui.portfolio.flow import NO_FLOW, Runway
from arbtui.portfolio.inventory import AssetStock, InventoryLedger, Stock, stock_facts
from arbtui.portfolio.operator_events import new_target
from arbtui.portfolio.portfolio import Portfolio
from arbtui.routes.hops import Node
from tests.portfolio.telling import Telling, fill_of, intent_of, leg

PRICES = {"KRW": Decimal("0.0007"), "XRP": Decimal("2.1"), "USDT": ONE}


def place(portfolio: Portfolio, exchange: str, asset: str) -> Stock:
    (row,) = InventoryLedger(portfolio).read((asset,), PRICES)
    return next(stock for stock in row.places if stock.exchange == exchange)


def units(stock: Stock) -> dict[str, int]:
    return {name: int(getattr(stock, name)) for name in ("total", "free", "locked", "reserved")}


def asset(portfolio: Portfolio, name: str) -> AssetStock:
    (row,) = InventoryLedger(portfolio).read((name,), PRICES)
    return row


def test_an_open_sale_locks_its_coins_and_the_cycle_keeps_what_it_set_aside_beyond_them() -> None:
    tell = Telling().start()
    sell = leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000))
    tell.open("c1", sell, reserved=(("upbit", "XRP", Decimal(15)),))
    before = place(tell.portfolio, "upbit", "XRP")
    assert units(before) == {"total": 100, "free": 85, "locked": 10, "reserved": 5}
    tell.fill("c1", fill_of("upbit", Side.SELL, Decimal(4), Decimal(3000), "t1", client_order_id="c1-1"), PRICES)
    after = place(tell.portfolio, "upbit", "XRP")
    assert units(after) == {"total": 96, "free": 85, "locked": 6, "reserved": 5}
    tell.end("c1")
    ended = place(tell.portfolio, "upbit", "XRP")
    assert ended.free == ended.total - ended.locked
    assert ended.reserved == 0


def test_cash_of_a_purchase_is_locked_at_its_worst_price() -> None:
    tell = Telling().start()
    tell.open("c1", leg(0, "binance", Side.BUY, Decimal(10), Decimal(2)), reserved=(("binance", "USDT", Decimal(21)),))
    cash = place(tell.portfolio, "binance", "USDT")
    assert units(cash) == {"total": 200, "free": 179, "locked": 20, "reserved": 1}
    assert cash.value == 200


def test_value_share_and_imbalance_follow_from_totals_and_targets() -> None:
    tell = Telling().start()
    assert asset(tell.portfolio, "XRP").imbalance == 0.0
    tell.fill("c1", fill_of("upbit", Side.SELL, Decimal(80), Decimal(3000), "t1"), PRICES)
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(80), Decimal(2), "t2"), PRICES)
    row = asset(tell.portfolio, "XRP")
    assert [stock.share for stock in row.places] == [0.2, 1.8]
    assert row.total == row.target == 200
    assert row.value == 420
    assert row.imbalance == pytest.approx(0.8)
    assert asset(tell.portfolio, "KRW").imbalance is None  # one venue holds it: there is nothing to balance it with


def _stock(total: str, target: str, value: Decimal | None = None, exchange: str = "upbit") -> Stock:
    amounts = Decimal(total), Decimal(total), ZERO, ZERO
    return Stock(exchange, "XRP", *amounts, Decimal(target), value, NO_FLOW)


@pytest.mark.parametrize(
    ("places", "imbalance"),
    [
        ((_stock("0.2", "0.5"), _stock("0.2", "0.5")), 0.0),
        ((_stock("0", "0.5"), _stock("1", "0.5")), 1.0),
        ((_stock("30", "100"), _stock("60", "100")), 1 - 0.3 / 0.45),
        ((_stock("30", "100"), _stock("60", "100"), _stock("500", "0")), 1 - 0.3 / 0.45),  # what has no target has no part
        ((_stock("30", "100"), _stock("60", "0")), None),
        ((_stock("0", "100"), _stock("0", "100")), None),
        ((_stock("-1", "100"), _stock("60", "100")), 1.0),  # one cannot lack more than all of it
        ((), None),
    ],
)
def test_the_imbalance_is_what_the_emptiest_lacks_of_its_part(places: tuple[Stock, ...], imbalance: float | None) -> None:
    assert AssetStock("XRP", places).imbalance == (imbalance if imbalance is None else pytest.approx(imbalance))


def test_the_value_is_of_what_has_a_mark_and_a_share_needs_a_target() -> None:
    assert AssetStock("XRP", (_stock("1", "1", ONE), _stock("2", "1", ONE * 3))).value == 4
    assert AssetStock("XRP", (_stock("1", "1", ONE), _stock("2", "1"))).value == 1
    assert AssetStock("XRP", (_stock("1", "1"),)).value is None
    assert (_stock("1", "0").share, _stock("1", "4").share) == (None, 0.25)


def test_a_place_as_json() -> None:
    assert _stock("1", "4").facts() == {
        "exchange": "upbit", "total": "1", "free": "1", "locked": "0", "reserved": "0", "target": "4", "leaving": "0", "coming": "0",
        "share": 0.25, "value": None, "runway_h": None, "drain_h": None, "runway_cycles": None, "out_per_hour": 0.0, "in_per_hour": 0.0,
        "refill_first": None,
    }  # fmt: skip
    lasting = replace(_stock("1", "4", ONE), runway=Runway(1.0, 2.0, 3.0, 4.0, 5.0, 0.5))
    told = lasting.facts()
    assert [told[name] for name in ("value", "runway_h", "drain_h", "runway_cycles", "out_per_hour", "in_per_hour", "refill_first")] == [
        "1", 1.0, 2.0, 3.0, 4.0, 5.0, 0.5,
    ]  # fmt: skip


def test_an_order_beyond_what_its_cycle_kept_locks_no_more_than_that() -> None:
    tell = Telling().start()
    tell.open("c1", leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000)), reserved=(("upbit", "XRP", Decimal(6)),))
    assert units(place(tell.portfolio, "upbit", "XRP")) == {"total": 100, "free": 94, "locked": 6, "reserved": 0}


def test_a_target_is_journaled_and_what_reads_it_follows() -> None:
    tell = Telling().start()
    node = Node("upbit", "XRP")
    tell.portfolio.follow({("upbit", "XRP"): node})
    events = new_target(tell.portfolio, "upbit", "XRP", Decimal(500), "ann", "more of it")
    assert events == (TargetSet("upbit", "XRP", Decimal(500), Decimal(100), "ann", "more of it"),)
    assert not isinstance(events, str)
    tell(*events)
    assert place(tell.portfolio, "upbit", "XRP").target == node.target == 500
    assert Portfolio.load(tell.portfolio.dump()).dump() == tell.portfolio.dump()


@pytest.mark.parametrize(
    ("exchange", "coin", "amount", "why"),
    [
        ("kraken", "XRP", "5", "no venue 'kraken' in this journal; there are binance, upbit"),
        ("upbit", "XRP", "-1", "-1 is no target"),
        ("upbit", "XRP", "NaN", "NaN is no target"),
        ("upbit", "XPR", "5", "no venue holds XPR"),
        ("upbit", "XRP", "100", "is 100 already"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused_in_words(exchange: str, coin: str, amount: str, why: str) -> None:
    told = new_target(Telling().start().portfolio, exchange, coin, Decimal(amount), "ann", "x")
    assert isinstance(told, str)
    assert why in told


def test_facts_hold_every_asset_coins_first() -> None:
    tell = Telling().start()
    tell.open("c1", leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000)), reserved=(("upbit", "XRP", Decimal(10)),))
    facts = stock_facts(tell.portfolio)
    assert [row["asset"] for row in facts] == ["XRP", "KRW", "USDT"]
    assert [venue["exchange"] for venue in facts[0]["venues"]] == ["upbit", "binance"]
    assert facts[0]["venues"][0]["locked"] == "10"
    assert (facts[0]["total"], facts[0]["target"], facts[0]["value"], facts[0]["imbalance"]) == ("200", "200", None, 0.0)
    tell.marks(PRICES)
    assert stock_facts(tell.portfolio)[0]["value"] == "420"


def test_a_place_has_the_runway_of_its_own_flow() -> None:
    tell = Telling().start()
    tell.now_ms += 600_000
    tell.open("c1", leg(0, "binance", Side.BUY, Decimal(10), Decimal(2)), leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000)))
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal(2), "b", client_order_id="c1-0"), PRICES)
    tell.fill("c1", fill_of("upbit", Side.SELL, Decimal(10), Decimal(3000), "s", client_order_id="c1-1"), PRICES, 1)
    tell.end("c1")
    drained = place(tell.portfolio, "upbit", "XRP").runway
    assert drained.cycles == pytest.approx(9.0)
    assert drained == tell.portfolio.runway("upbit", "XRP")


def test_an_order_that_settles_a_position_locks_what_it_sells() -> None:
    tell = Telling().start()
    sell = leg(1000, "upbit", Side.SELL, Decimal(10), Decimal(3000))
    tell(intent_of("c1", sell, "s1", Purpose.SETTLE))
    stock = place(tell.portfolio, "upbit", "XRP")
    assert units(stock) == {"total": 100, "free": 90, "locked": 10, "reserved": 0}
