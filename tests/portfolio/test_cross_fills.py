"""Fills on a market of one coin against another: the coin that is paid with, and its fee, count at the coin's own price."""

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from arbtui.exchanges.upbit.rules import btc_market
from arbtui.execution.plan import needs
from arbtui.journal.events import BalanceOpened, CycleState, PlannedLeg, SettlementBegan
from arbtui.model.money import ZERO
from arbtui.model.order import Fill, Purpose, Side
from arbtui.portfolio.accounts import CycleAccount, trifles_of
from arbtui.portfolio.valuation import value
from tests.portfolio.telling import Telling, intent_of

PRICES = {"BTC": Decimal(100_000), "ETH": Decimal(3500), "KRW": Decimal("0.0007")}
QTY, PRICE = Decimal("0.1"), Decimal("0.0349")
COST = QTY * PRICE
FEE = COST * Decimal("0.0025")
STOCK = Decimal("0.02")


def bought() -> Telling:
    """0.1 ETH bought for BTC at Upbit: 3,490 dollars a coin that is worth 3,500."""
    tell = Telling().start(balances={"upbit": {"KRW": Decimal(1_000_000), "BTC": STOCK, "ETH": Decimal(1)}})
    market = btc_market("ETH")
    leg = PlannedLeg(0, "upbit", market.code, "ETH", "BTC", Side.BUY, QTY, PRICE, market.lot_step, market.min_cost)
    tell.marks(PRICES)
    tell.open("c1", leg, reserved=(needs(market, Side.BUY, QTY, PRICE),))
    return tell


def fill(tell: Telling, prices: dict[str, Decimal]) -> None:
    traded = Fill(
        "upbit", "t1", "c1-0", "v1", "BTC-ETH", "ETH", "BTC", Side.BUY, QTY, PRICE, COST, FEE, "BTC", "taker", 0,
    )  # fmt: skip
    tell.fill("c1", traded, prices)


def test_the_coin_is_stock_that_is_set_aside_for_the_leg_that_spends_it() -> None:
    tell = bought()
    assert tell.portfolio.state.settlement == ("KRW", "USDT")
    assert tell.portfolio.state.targets["upbit"]["BTC"] == STOCK
    assert tell.portfolio.available("upbit", "BTC") == STOCK - COST - FEE
    fill(tell, PRICES)
    assert tell.portfolio.total("upbit", "BTC") == STOCK - COST - FEE


def test_trading_and_fees_in_the_coin_count_at_its_mark_and_the_parts_add_up() -> None:
    tell = bought()
    before = tell.portfolio.value(PRICES)
    fill(tell, PRICES)
    after = tell.portfolio.value(PRICES)
    pnl = after.since(before)
    assert pnl.trading == QTY * PRICES["ETH"] - COST * PRICES["BTC"] == Decimal(1)
    assert pnl.fees == FEE * PRICES["BTC"]
    assert pnl.total == after.equity - before.equity
    assert pnl.fx_open == pnl.fx_stock == ZERO
    assert pnl.unpriced == ()
    dearer = tell.portfolio.value({**PRICES, "BTC": Decimal(110_000)})
    assert dearer.since(after).inventory == (STOCK - COST - FEE) * 10_000  # a coin's price is no exchange rate


def test_what_was_paid_in_a_coin_without_a_price_is_named_and_never_nothing() -> None:
    tell = Telling().start(balances={"upbit": {"KRW": Decimal(1_000_000)}})
    tell(BalanceOpened("upbit", "BTC", STOCK))
    tell.open("c1", PlannedLeg(0, "upbit", "BTC-ETH", "ETH", "BTC", Side.BUY, QTY, PRICE, Decimal("0.00000001")))
    fill(tell, {})
    state = tell.portfolio.state
    found = value(state.counters, {"KRW": PRICES["KRW"]}, state.currency, state.settlement)
    assert found.so_far.unpriced == ("BTC", "ETH")
    priced = value(state.counters, PRICES, state.currency, state.settlement)
    assert priced.so_far.unpriced == ()
    assert priced.so_far.fees == FEE * PRICES["BTC"]


def test_what_a_leg_and_its_taking_back_leave_of_the_coin_they_trade_in_is_dust_though_no_leg_traded_the_coin_itself() -> None:
    """A lot of 0.01 SOL is 17e-6 BTC: what two fills a tick apart leave of BTC is less, and no order could trade it."""
    tell = Telling().start(balances={"binance": {"BTC": STOCK, "SOL": Decimal(10)}})
    qty, lot, least = Decimal("0.58"), Decimal("0.01"), Decimal("0.0001")
    legs = (
        PlannedLeg(0, "coinone", "KRW-BTC", "BTC", "KRW", Side.BUY, Decimal("0.001"), Decimal(137_000_000), Decimal("1e-8")),
        PlannedLeg(1, "binance", "SOLBTC", "SOL", "BTC", Side.BUY, qty, Decimal("0.001741"), lot, least),
    )
    tell.open("c1", *legs)
    for number, (side, price, fee, coin) in enumerate(
        [(Side.BUY, "0.001741", "0.00058", "SOL"), (Side.SELL, "0.001742", "0.00000102", "BTC")]
    ):
        cost = qty * Decimal(price)
        made = Fill(
            "binance", f"t{number}", "c1-1", f"v{number}", "SOLBTC", "SOL", "BTC", side, qty, Decimal(price), cost, Decimal(fee), coin,
            "taker", 0,
        )  # fmt: skip
        tell.fill("c1", made, {**PRICES, "SOL": Decimal(171)})
    cycle = tell.portfolio.state.cycles["c1"]
    assert cycle.left(tell.portfolio.state.settlement) == {}
    assert cycle.dust(tell.portfolio.state.settlement) == {"BTC": Decimal("-4.4E-7"), "SOL": Decimal("-0.00058")}


#: 0.58 SOL for BTC, which are sold for dollars: no order of less than 5 dollars, or 0.0001 BTC, or a lot.
SOL_FOR_BTC = PlannedLeg(
    0, "binance", "SOLBTC", "SOL", "BTC", Side.SELL, Decimal("0.58"), Decimal("0.00175"), Decimal("0.01"), Decimal("0.0001"),
    min_qty=Decimal("0.01"),
)  # fmt: skip
BTC_FOR_DOLLARS = PlannedLeg(
    1, "binance", "BTCUSDT", "BTC", "USDT", Side.SELL, Decimal("0.00101"), Decimal(100_000), Decimal("0.00001"), Decimal(5),
    min_qty=Decimal("0.00001"),
)  # fmt: skip
UNTOLD = msgspec.structs.replace(BTC_FOR_DOLLARS, min_qty=ZERO)
#: A venue whose smallest order is a quantity, of a dollar.
BY_LOT = msgspec.structs.replace(BTC_FOR_DOLLARS, leg=2, exchange="okx", least=ZERO)


@pytest.mark.parametrize(
    ("legs", "least", "little"),
    [
        ((SOL_FOR_BTC, BTC_FOR_DOLLARS), "0.00005", "0.00002"),  # five dollars; two, a fifth of the least that SOL is sold for
        ((BTC_FOR_DOLLARS,), "0.00005", "0.00001"),
        ((BTC_FOR_DOLLARS, BY_LOT), "0.00001", "0.00001"),
        ((BY_LOT,), "0.00001", "0.000002"),
        ((SOL_FOR_BTC, UNTOLD), "", ""),  # a plan of before it was told
        ((UNTOLD,), "", ""),
    ],
)
def test_less_than_any_order_and_little_is_a_trifle(legs: tuple[PlannedLeg, ...], least: str, little: str) -> None:
    found = trifles_of(legs, ("KRW", "USDT"))
    assert found.get("BTC") == ((Decimal(least), Decimal(little)) if least else None)
    assert "USDT" not in found


def few_sold(sold: str, leg: PlannedLeg) -> tuple[Telling, CycleAccount]:
    """0.1 SOL brought 0.000175 BTC, of which so many were sold."""
    tell = Telling().start(balances={"binance": {"BTC": STOCK, "SOL": Decimal(10)}})
    tell.open("c1", SOL_FOR_BTC, leg)
    one = Decimal("0.1")
    brought = Fill(
        "binance", "t1", "c1-0", "v1", "SOLBTC", "SOL", "BTC", Side.BUY, one, Decimal("0.00175"), Decimal("0.000175"), ZERO, "BTC",
        "taker", 0,
    )  # fmt: skip
    tell.fill("c1", replace(brought, side=Side.SELL), {**PRICES, "SOL": Decimal(171)})
    back = replace(brought, trade_id="t2", client_order_id="c1-2", quote="USDT", market="SOLUSDT", price=Decimal(175), fee_currency="USDT")
    tell.fill("c1", replace(back, cost=Decimal("17.5")), PRICES)
    tell.fill("c1", dollars("t3", sold), PRICES, 1)
    tell.end("c1", "NO_BOOK")
    return tell, tell.portfolio.state.cycles["c1"]


def dollars(trade_id: str, qty: str) -> Fill:
    cost = Decimal(qty) * 100_000
    return Fill(
        "binance", trade_id, "c1-1", "v2", "BTCUSDT", "BTC", "USDT", Side.SELL, Decimal(qty), Decimal(100_000), cost, ZERO, "USDT",
        "taker", 0,
    )  # fmt: skip


def test_what_no_market_takes_is_settled_as_dust_and_a_late_fill_makes_it_a_position() -> None:
    tell, cycle = few_sold("0.00017", BTC_FOR_DOLLARS)
    assert cycle.left(("USDT",)) == {"BTC": Decimal("0.000005")}, "a thirty-fifth of all of it"
    assert cycle.settled is not None
    assert (cycle.state, cycle.settled.how, cycle.settled.reason) == (CycleState.RESIDUAL, "dust", "0.000005 BTC: too little for an order")
    assert tell.portfolio.positions == []
    tell.fill("c1", dollars("t4", "0.00017"), PRICES, 1)
    assert tell.portfolio.positions == [cycle]


def test_what_a_market_takes_waits_for_a_person_and_so_does_all_that_an_earlier_plan_left() -> None:
    for sold, leg in (("0.00015", BTC_FOR_DOLLARS), ("0.00017", UNTOLD)):
        tell, cycle = few_sold(sold, leg)
        assert tell.portfolio.positions == [cycle]


def test_what_a_person_leaves_of_a_position_is_settled_as_the_person_did_it() -> None:
    tell, cycle = few_sold("0.0001", BTC_FOR_DOLLARS)
    assert tell.portfolio.positions == [cycle]
    tell(SettlementBegan("c1", "flatten", "binance", "ann", "by hand"), intent_of("c1", BTC_FOR_DOLLARS, "c1-1000", Purpose.SETTLE))
    tell.fill("c1", replace(dollars("t4", "0.00007"), client_order_id="c1-1000"), PRICES, 1000)
    assert cycle.left(("USDT",)) == {"BTC": Decimal("0.000005")}
    assert cycle.settled is not None
    assert (cycle.settled.how, cycle.settled.by, tell.portfolio.positions) == ("flattened", "ann", [])


@pytest.mark.parametrize(("fills", "is_position"), [(40, False), (20, True)])
def test_what_many_fills_leave_is_beside_all_of_them(fills: int, is_position: bool) -> None:
    """0.00004 BTC are four dollars: less than an order, and more than a fiftieth of any one fill."""
    tell = Telling().start(balances={"binance": {"BTC": STOCK}})
    tell.open("c1", BTC_FOR_DOLLARS)
    for number in range(fills):
        tell.fill("c1", replace(dollars(f"b{number}", "0.00006"), side=Side.BUY), PRICES)
    for number in range(fills - 1):
        tell.fill("c1", dollars(f"s{number}", "0.00006"), PRICES)
    tell.fill("c1", dollars("last", "0.00002"), PRICES)
    tell.end("c1")
    (cycle,) = tell.portfolio.state.cycles.values()
    assert cycle.left(("USDT",)) == {"BTC": Decimal("0.00004")}
    assert bool(tell.portfolio.positions) is is_position
