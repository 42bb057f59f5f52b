import asyncio
from collections.abc import Mapping
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.exchanges.adapter import ExchangeAdapter
from arbtui.model.book import BookState
from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import Balance, Fill, Side
from arbtui.positions.coordinator import CrossExchangePositionSync, Mismatch, PositionCoordinator
from arbtui.positions.inventory import InventoryLedger
from arbtui.portfolio.marks import Marks
from arbtui.positions.pnl import Pnl, PnlBook, cycle_pnl
from tests.positions.test_inventory import START, fill
from tests.routes.pairs import Pair
from tests.simulation.worlds import BINANCE_XRP, UPBIT_XRP, order


def _marks(pair: Pair) -> Marks:
    return Marks("USDT", pair.rates, [(UPBIT_XRP, pair.upbit), (BINANCE_XRP, pair.binance)])


def _set(pair: Pair, krw: float, xrp: float) -> None:
    assert pair.rates.book is not None
    pair.rates.book.replace([(krw - 0.5, 1.0)], [(krw + 0.5, 1.0)])
    pair.rates.refresh()
    pair.upbit.replace([(round(xrp * krw), 1.0)], [(round(xrp * krw) + 1.0, 1.0)])


def test_a_coin_is_worth_its_bid_and_a_won_its_mid() -> None:
    pair = Pair()
    marks = _marks(pair)
    assert marks.value("USDT") == 1
    assert marks.value("KRW") == Decimal(repr(1 / 1400.5))
    assert marks.value("XRP") == Decimal(repr(3030 / 1400.5))
    assert marks.value("DOGE") is None


def test_the_last_price_stays_when_a_book_goes_away() -> None:
    pair = Pair()
    marks = _marks(pair)
    before = marks.known()
    for book in (pair.upbit, pair.binance, pair.rates.book):
        assert book is not None
        book.clear(BookState.EMPTY)
    assert marks.known() == before
    assert {asset: marks.value(asset) for asset in before} == before


def test_a_book_without_a_bid_gives_way_to_the_next_venue() -> None:
    pair = Pair()
    marks = _marks(pair)
    pair.upbit.touch(0.0, 0.0, 3031.0, 1.0)
    assert marks.value("XRP") == Decimal("2.1397")


def test_restored_prices_hold_until_a_book_comes() -> None:
    pair = Pair()
    for book in (pair.upbit, pair.binance):
        book.clear(BookState.EMPTY)
    marks = _marks(pair)
    assert marks.value("XRP") is None
    marks.restore({"XRP": Decimal("1.5")})
    assert marks.value("XRP") == Decimal("1.5")


def test_what_a_cycle_earns_by_hand() -> None:
    pair = Pair()
    buy = fill(order(BINANCE_XRP, Side.BUY, "10", "2"), Decimal(10), Decimal(2), "t1")  # 20 USDT, 0.01 XRP of fee
    sell = fill(order(UPBIT_XRP, Side.SELL, "9.99", "3030"), Decimal("9.99"), Decimal(3030), "t2")  # 30269.7 KRW, 15.13485 of fee
    krw, xrp = Decimal(repr(1 / 1400.5)), Decimal(repr(3030 / 1400.5))
    pnl = cycle_pnl([buy, sell], _marks(pair))
    trading = Decimal("30269.7") * krw - 20
    fees = Decimal("15.13485") * krw + Decimal("0.01") * xrp
    assert pnl == Pnl(trading, fees, ZERO, Decimal("0.01") * xrp).rounded()
    assert abs(pnl.total - (Decimal("30254.56515") * krw - 20)) < Decimal("2e-8")  # all that is left over: money


_STEPS = st.lists(
    st.tuples(
        st.sampled_from([UPBIT_XRP, BINANCE_XRP]), st.sampled_from(Side), st.integers(1, 100), st.integers(1000, 2000), st.integers(50, 400)
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=150)
@given(_STEPS, st.integers(1000, 2000), st.integers(50, 400))
def test_the_parts_add_up_to_the_change_of_what_everything_is_worth(
    steps: list[tuple[Market, Side, int, int, int]], krw: int, xrp: int
) -> None:
    pair = Pair()
    marks = _marks(pair)
    ledger = InventoryLedger({})
    ledger.start(START)
    book = PnlBook(marks, ("KRW", "USDT"))
    book.start(ledger.totals())

    def equity(totals: Mapping[tuple[str, str], Decimal]) -> Decimal:
        return sum((amount * (marks.value(asset) or ZERO) for (_, asset), amount in totals.items()), ZERO)

    before = equity(ledger.totals())
    assert book.total(ledger.totals()).total == 0
    booked = ZERO
    for n, (market, side, tenths, rate, price) in enumerate(steps):
        _set(pair, float(rate), price / 100)
        at = Decimal(price * (14 if market is UPBIT_XRP else 1)) / 100
        told = fill(order(market, side, "1", "1"), Decimal(tenths) / 10, at, f"t{n}")
        ledger.apply(told, None)
        if n % 3 == 2:
            marks.value("XRP")  # a cycle still open: its flows are in the holdings before they are booked
        booked += book.book([told]).total
        assert abs(book.total(ledger.totals()).total - (equity(ledger.totals()) - before)) < Decimal("1e-7")
    _set(pair, float(krw), xrp / 100)
    total = book.total(ledger.totals())
    assert abs(total.total - (equity(ledger.totals()) - before)) < Decimal("1e-7")
    assert total.total == total.trading - total.fees + total.fx + total.inventory
    assert abs(book.cycles.total - booked) <= len(steps) * Decimal("2e-8")  # ledgers round each cycle, the session does not


def test_a_rise_of_the_won_is_currency_and_a_rise_of_the_coin_is_inventory() -> None:
    pair = Pair()
    marks = _marks(pair)
    book = PnlBook(marks, ("KRW", "USDT"))
    book.start(START)
    _set(pair, 1400.0, 2.0)
    book.total(START)
    _set(pair, 1300.0, 2.0)
    won = book.total(START)
    assert won.fx > 10
    assert abs(won.inventory) < Decimal("0.2")  # the coin's bid is on the won's grid
    _set(pair, 1300.0, 3.0)
    both = book.total(START)
    assert both.fx == won.fx
    assert both.inventory > 150
    assert both.trading == both.fees == 0


class _Venue:
    """Only the part of an adapter that is asked here."""

    def __init__(self, balances: Mapping[str, Balance], meanwhile: object = None) -> None:
        self.balances, self.meanwhile = balances, meanwhile

    async def fetch_balances(self) -> Mapping[str, Balance]:
        if callable(self.meanwhile):
            self.meanwhile()
        return self.balances


def _check(venue: _Venue, ledger: InventoryLedger) -> object:
    adapters: dict[str, ExchangeAdapter] = {"upbit": venue}  # type: ignore[dict-item]
    return asyncio.run(CrossExchangePositionSync(adapters, ledger).check())


def test_a_venue_that_holds_something_else_is_a_mismatch_unless_we_moved_meanwhile() -> None:
    ledger = InventoryLedger({})
    ledger.start({("upbit", "KRW"): Decimal(100)})
    assert _check(_Venue({"KRW": Balance(Decimal(60), Decimal(40))}), ledger) == []
    less = {"KRW": Balance(Decimal(99))}
    assert _check(_Venue(less), ledger) == [Mismatch("upbit", "KRW", Decimal(100), Decimal(99))]
    assert _check(_Venue(less, lambda: ledger.adjust("upbit", "KRW", Decimal(99))), ledger) is None


def test_the_coordinator_marks_what_is_held_now() -> None:
    pair = Pair()
    marks = _marks(pair)
    ledger = InventoryLedger({})
    ledger.start(START)
    book = PnlBook(marks, ("KRW", "USDT"))
    book.start(START)
    coordinator = PositionCoordinator(ledger, marks, book, CrossExchangePositionSync({}, ledger))
    assert coordinator.pnl() == Pnl()
    told: Fill = fill(order(BINANCE_XRP, Side.SELL, "10", "2"), Decimal(10), Decimal(2), "t")
    ledger.apply(told, None)
    worth = Decimal("19.98") - 10 * (marks.value("XRP") or ZERO)
    assert abs(coordinator.pnl().total - worth) < Decimal("1e-7")
