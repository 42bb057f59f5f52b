"""Fills on a market of one coin against another: the coin that is paid with, and its fee, count at the coin's own price."""

from decimal import Decimal

from arbtui.exchanges.upbit.rules import btc_market
from arbtui.execution.plan import needs
from arbtui.journal.events import BalanceOpened, PlannedLeg
from arbtui.model.money import ZERO
from arbtui.model.order import Fill, Side
from arbtui.portfolio.valuation import value
from tests.portfolio.telling import Telling

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
