from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import Balance, Fill, Order, Purpose, Side
from arbtui.positions.inventory import InventoryLedger
from arbtui.routes.hops import Node
from tests.proof.steps import machine_settings
from tests.simulation.worlds import BINANCE_XRP, UPBIT_XRP, order

START = {
    ("upbit", "KRW"): Decimal(300_000),
    ("upbit", "XRP"): Decimal(100),
    ("binance", "USDT"): Decimal(200),
    ("binance", "XRP"): Decimal(100),
}


def fill(of: Order, qty: Decimal, price: Decimal, trade_id: str) -> Fill:
    """A fill as the market's venue would book it, fee included."""
    market = of.market
    in_base = market is BINANCE_XRP and of.side is Side.BUY
    fee = (qty if in_base else qty * price) * market.fees.taker
    return Fill(
        market.exchange, trade_id, of.client_order_id, "v", market.code, market.base, market.quote, of.side, qty, price, qty * price,
        fee, market.base if in_base else market.quote, "taker", 0,
    )  # fmt: skip


def _ledger() -> tuple[InventoryLedger, dict[tuple[str, str], Node]]:
    nodes = {key: Node(*key) for key in START}
    ledger = InventoryLedger(nodes)
    ledger.start(START)
    return ledger, nodes


def test_two_routes_never_spend_one_balance() -> None:
    ledger, nodes = _ledger()
    first, second = (order(UPBIT_XRP, Side.BUY, "60", "3000", name) for name in ("a1", "a2"))
    assert ledger.reserve(first)
    assert not ledger.reserve(second)
    assert not ledger.holds_reservation(second)
    assert ledger.available("upbit", "KRW") == nodes["upbit", "KRW"].available == Decimal(300_000) - Decimal(180_000) * Decimal("1.0005")
    ledger.release(second)  # of nothing: changes nothing
    ledger.release(first)
    ledger.release(first)
    assert ledger.available("upbit", "KRW") == 300_000
    assert ledger.reserve(second)


def test_a_sale_reserves_the_coin_and_the_last_of_it_can_be_sold() -> None:
    ledger, _ = _ledger()
    assert ledger.reserve(order(BINANCE_XRP, Side.SELL, "100", "2", "a1"))
    assert ledger.available("binance", "XRP") == 0
    assert not ledger.reserve(order(BINANCE_XRP, Side.SELL, "0.1", "2", "a2"))
    assert ledger.available("upbit", "XRP") == 100  # another venue's coins are another balance


def test_a_partial_fill_shrinks_the_reservation_to_what_is_left_of_the_order() -> None:
    ledger, _ = _ledger()
    buy = order(UPBIT_XRP, Side.BUY, "60", "3000", "a1")
    ledger.reserve(buy)
    buy.filled_qty += 20
    changed = ledger.apply(fill(buy, Decimal(20), Decimal(2990), "t1"), buy)
    assert changed == [("upbit", "XRP", Decimal(120), ZERO), ("upbit", "KRW", Decimal("240170.1000"), ZERO)]
    assert ledger.available("upbit", "KRW") == Decimal("240170.1") - 40 * 3000 * Decimal("1.0005")
    ledger.release(buy)
    assert ledger.available("upbit", "KRW") == Decimal("240170.1")


def test_a_fee_in_the_coin_leaves_the_coin() -> None:
    ledger, _ = _ledger()
    buy = order(BINANCE_XRP, Side.BUY, "10", "2.14", "a1")
    ledger.apply(fill(buy, Decimal(10), Decimal("2.14"), "t1"), None)
    assert ledger.total("binance", "XRP") == Decimal("109.99")
    assert ledger.total("binance", "USDT") == Decimal("178.6")


def test_a_third_coin_can_pay_the_fee() -> None:
    ledger, _ = _ledger()
    told = fill(order(BINANCE_XRP, Side.SELL, "10", "2", "a1"), Decimal(10), Decimal(2), "t1")
    ledger.apply(Fill(**{name: getattr(told, name) for name in Fill.__slots__} | {"fee_currency": "BNB", "fee": Decimal("0.001")}), None)
    assert ledger.total("binance", "BNB") == Decimal("-0.001")
    assert ledger.total("binance", "USDT") == 220


def test_the_venue_is_compared_asset_by_asset_absent_ones_too() -> None:
    ledger, _ = _ledger()
    assert ledger.differences("upbit", {"KRW": Balance(Decimal(299_000), Decimal(1000)), "XRP": Balance(Decimal(100))}) == []
    assert ledger.differences("upbit", {"KRW": Balance(Decimal(300_000)), "DOGE": Balance(Decimal(1))}) == [
        ("XRP", Decimal(100), ZERO),
        ("DOGE", ZERO, Decimal(1)),
    ]
    assert ledger.adjust("upbit", "DOGE", Decimal(1)) == 1
    assert ledger.total("upbit", "DOGE") == 1


def test_every_change_raises_the_version() -> None:
    ledger, _ = _ledger()
    buy = order(UPBIT_XRP, Side.BUY, "10", "3000", "a1")
    seen = [ledger.version]
    told = fill(buy, Decimal(1), Decimal(3000), "t")
    for change in (lambda: ledger.reserve(buy), lambda: ledger.apply(told, buy), lambda: ledger.release(buy)):
        change()
        seen.append(ledger.version)
    assert sorted(set(seen)) == seen


class InventoryMachine(RuleBasedStateMachine):
    """Any order of reserving, filling and releasing, against plain bookkeeping beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger, self.nodes = _ledger()
        self.totals = dict(START)
        self.open: list[Order] = []
        self.count = 0

    def _worst(self, of: Order) -> tuple[tuple[str, str], Decimal]:
        market: Market = of.market
        if of.side is Side.SELL:
            return (market.exchange, market.base), of.leaves_qty
        return (market.exchange, market.quote), of.leaves_qty * of.price * (1 + market.fees.taker)

    @rule(
        market=st.sampled_from([UPBIT_XRP, BINANCE_XRP]),
        side=st.sampled_from(Side),
        lots=st.integers(1, 1000),
        bps=st.integers(-500, 500),
    )
    def send(self, market: Market, side: Side, lots: int, bps: int) -> None:
        self.count += 1
        price = (Decimal(3000) if market is UPBIT_XRP else Decimal("2.14")) * (1 + Decimal(bps) / 10_000)
        made = Order(f"a{self.count}", market, side, Decimal(lots) / 10, price, "c", 0, 0, Purpose.ENTRY, 0, 0.0, 1e9)
        key, needed = self._worst(made)
        promised = sum((self._worst(each)[1] for each in self.open if self._worst(each)[0] == key), ZERO)
        fits = self.totals[key] - promised >= needed
        assert self.ledger.reserve(made) is fits
        if fits:
            self.open.append(made)

    @precondition(lambda self: bool(self.open))
    @rule(data=st.data(), share=st.integers(1, 10), better=st.integers(0, 100))
    def fill(self, data: st.DataObject, share: int, better: int) -> None:
        of = data.draw(st.sampled_from(self.open))
        qty = of.leaves_qty * share / 10
        if qty <= 0:
            return
        price = of.price * (1 + Decimal(-better if of.side is Side.BUY else better) / 10_000)
        self.count += 1
        told = fill(of, qty, price, f"t{self.count}")
        sign = 1 if of.side is Side.BUY else -1
        for asset, change in ((told.base, sign * qty), (told.quote, -sign * told.cost), (told.fee_currency, -told.fee)):
            self.totals[told.exchange, asset] += change
        of.filled_qty += qty
        self.ledger.apply(told, of)

    @precondition(lambda self: bool(self.open))
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        of = data.draw(st.sampled_from(self.open))
        self.open.remove(of)
        self.ledger.release(of)
        assert not self.ledger.holds_reservation(of)

    @invariant()
    def totals_are_kept_to_the_last_digit(self) -> None:
        assert self.ledger.totals() == self.totals

    @invariant()
    def nothing_is_promised_that_is_not_there(self) -> None:
        for key in START:
            promised = sum((self._worst(each)[1] for each in self.open if self._worst(each)[0] == key), ZERO)
            assert self.ledger.available(*key) == self.totals[key] - promised
            assert self.ledger.available(*key) >= 0
            assert self.totals[key] >= 0
            assert self.nodes[key].available == float(self.ledger.available(*key))


TestInventoryMachine = InventoryMachine.TestCase
TestInventoryMachine.settings = machine_settings(examples=60, steps=30)
