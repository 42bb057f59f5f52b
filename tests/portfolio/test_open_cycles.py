"""The sums over all open cycles are what adding up from nothing gives, whatever opened, traded, moved and ended, in whatever order."""

import random
from decimal import Decimal
from math import fsum, inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbtui.journal.events import (
    PlannedLeg,
    PlannedTransfer,
    RunStarted,
    TransferArrived,
    TransferBegun,
    TransferLeft,
    TransferSettled,
)
from arbtui.model.money import ZERO
from arbtui.model.order import OrderState, Purpose, Side, ways
from arbtui.portfolio.accounts import CycleAccount
from arbtui.portfolio.open_cycles import ExactSum, OpenCycles
from arbtui.portfolio.portfolio import Portfolio
from tests.portfolio.telling import Telling, fill_of, intent_of, leg

COINS = ("XRP", "ADA", "SOL")


def added_up(portfolio: Portfolio, but: str) -> dict[object, object]:
    """What checks ask for, written from the words of the limits, of all open cycles but one."""
    state = portfolio.state
    cycles = [cycle for cycle in state.cycles.values() if cycle.is_open]
    others = [cycle for cycle in cycles if cycle.id != but]
    found: dict[object, object] = {"value": fsum(cycle.value for cycle in others)}
    for way in (1.0, -1.0):
        going = [one for one in others if not one.transfers and ways((each.quote, each.side) for each in one.legs).get("KRW") == way]
        found["way", way] = fsum(cycle.value for cycle in going)
        found["pending", way] = sum((max(ZERO, int(way) * _pending(cycle)) for cycle in others), ZERO)
    for exchange in ("upbit", "binance"):
        for asset in (*COINS, "KRW", "USDT"):
            found["reserved", exchange, asset] = sum((cycle.still_reserved(exchange, asset) for cycle in cycles), ZERO)
    markets = {(each.exchange, each.market): set[str]() for coin in COINS for each in legs_of(coin, Decimal(1))}
    for cycle in cycles:
        for each in cycle.legs if not cycle.is_moving else ():
            markets[each.exchange, each.market].add(cycle.id)
    sided = [(cycle.id, net) for cycle in sorted(cycles, key=lambda one: one.seq) if (net := cycle.net(state.settlement))]
    return found | {("market", market): ids for market, ids in markets.items()} | {"sided": sided}


def _pending(cycle: CycleAccount) -> Decimal:
    planned = sum((each.qty * each.price * (1 if each.side is Side.SELL else -1) for each in cycle.legs if each.quote == "KRW"), ZERO)
    return planned - sum((held["KRW"] for held in cycle.flows.values() if "KRW" in held), ZERO)


def kept(portfolio: Portfolio, but: str) -> dict[object, object]:
    """The same from the sums that are kept."""
    sums = portfolio.under_way
    found: dict[object, object] = {"value": sums.value(but)}
    for way in (1.0, -1.0):
        found["way", way] = sums.value_of_way("KRW", way, but)
        found["pending", way] = sums.pending("KRW", int(way), but)
    for exchange in ("upbit", "binance"):
        for asset in (*COINS, "KRW", "USDT"):
            found["reserved", exchange, asset] = sums.reserved(exchange, asset)
    markets = {(each.exchange, each.market): None for coin in COINS for each in legs_of(coin, Decimal(1))}
    sided = [(cycle.id, dict(net)) for cycle, net in sums.one_sided()]
    return found | {("market", market): set(sums.on_market(market)) for market in markets} | {"sided": sided}


def legs_of(coin: str, qty: Decimal, *, to_upbit: bool = True) -> tuple[PlannedLeg, PlannedLeg]:
    sides = (Side.BUY, Side.SELL) if to_upbit else (Side.SELL, Side.BUY)
    return leg(0, "binance", sides[0], qty, Decimal("2.1"), base=coin), leg(1, "upbit", sides[1], qty, Decimal(3001), base=coin)


class _Life:
    """Random events, one after another."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.tell = Telling().start()
        self.count = 0

    def step(self) -> None:
        open_now = [cycle.id for cycle in self.tell.portfolio.open_cycles]
        what = self.draw.choice(["open", "fill", "fill", "order", "unwind", "move", "end", "end", "restart"])
        if what == "open" or not self.tell.portfolio.state.cycles:
            self._open()
        elif what == "fill":
            self._fill(self.draw.choice(list(self.tell.portfolio.state.cycles)))
        elif what == "order":
            self._change_an_order()
        elif what == "unwind" and open_now:
            self._unwind(self.draw.choice(open_now))
        elif what == "move" and open_now:
            self._move(self.draw.choice(open_now))
        elif what == "end":
            self.tell.end(self.draw.choice(list(self.tell.portfolio.state.cycles)))
        elif what == "restart" and self.draw.random() < 0.3:
            self._restart()

    def _open(self) -> None:
        self.count += 1
        coin, qty = self.draw.choice(COINS), Decimal(self.draw.randint(1, 400)) / 10
        legs = legs_of(coin, qty, to_upbit=self.draw.random() < 0.5)
        transfers = (PlannedTransfer(1, coin, "binance", "upbit", coin, Decimal("0.1"), 4.0),) if self.draw.random() < 0.3 else ()
        reserved = (("binance", "USDT", qty * 3), ("upbit", coin, qty))
        self.tell.open(f"c{self.count}", *legs, reserved=reserved, value=round(self.draw.uniform(1, 200), 6), transfers=transfers)

    def _fill(self, cycle_id: str) -> None:
        self.count += 1
        cycle = self.tell.portfolio.state.cycles[cycle_id]
        exchange, side = self.draw.choice(["upbit", "binance"]), self.draw.choice(list(Side))
        coin = self.draw.choice(COINS) if self.draw.random() < 0.1 else cycle.symbol
        qty, price = Decimal(self.draw.randint(1, 400)) / 10, Decimal(self.draw.randint(100, 300_000)) / 100
        fee_in = self.draw.choice(["", coin, "KRW", "SOL"])
        fee = Decimal(self.draw.randint(0, 30)) / 1000
        made = fill_of(
            exchange, side, qty, price, f"t{self.count}", base=coin, fee=fee, fee_currency=fee_in, client_order_id=f"{cycle_id}-0"
        )
        self.tell.fill(cycle_id, made, {coin: Decimal(2)})

    def _change_an_order(self) -> None:
        orders = [key for cycle in self.tell.portfolio.state.cycles.values() for key in cycle.orders]
        if orders:
            self.tell.order(self.draw.choice(orders), self.draw.choice(list(OrderState)))

    def _unwind(self, cycle_id: str) -> None:
        self.count += 1
        coin = self.tell.portfolio.state.cycles[cycle_id].symbol
        self.tell(intent_of(cycle_id, leg(2, "upbit", Side.SELL, Decimal(1), Decimal(1), base=coin), f"u{self.count}", Purpose.UNWIND))

    def _move(self, cycle_id: str) -> None:
        cycle = self.tell.portfolio.state.cycles[cycle_id]
        if not cycle.awaits:
            self.count += 1
            self.tell(
                TransferBegun(f"T{self.count}", cycle.symbol, "binance", "upbit", "n", Decimal(5), Decimal("0.1"), 4.0, "me", "x", cycle_id)
            )
            return
        one = self.tell.portfolio.state.transfers[cycle.awaits]
        if one.left_ms is None:
            self.tell(TransferLeft(one.id, "binance", one.asset, one.qty))
        elif self.draw.random() < 0.5:
            self.tell(TransferArrived(one.id, "upbit", one.asset, one.expected))
        else:
            self.tell(TransferSettled(one.id, self.draw.choice(["returned", "lost"]), "me", "x"))

    def _restart(self) -> None:
        """A run goes on from a snapshot; what the profile trades may settle in another currency now."""
        self.tell.portfolio = Portfolio.load(self.tell.portfolio.dump())
        settlement = self.draw.choice([("KRW", "USDT"), ("KRW", "USDT", "SOL")])
        self.tell(RunStarted(f"r{self.count}", "p", "sim", 1, "0", "c", {}, "ARMED", "USDT", settlement))


@pytest.mark.parametrize("seed", range(6))
def test_they_are_what_adding_up_from_nothing_gives(seed: int) -> None:
    life, most = _Life(seed), 0
    for _ in range(400):
        life.step()
        portfolio = life.tell.portfolio
        but = life.draw.choice(["", *portfolio.state.cycles])
        assert kept(portfolio, but) == added_up(portfolio, but)
        assert portfolio.out_of_step() == []
        most = max(most, len(portfolio.open_cycles))
        standing = [one for cycle in portfolio.state.cycles.values() for one in cycle.orders.values() if not one.state.is_final]
        assert sorted(one.intent.client_order_id for one in portfolio.open_orders) == sorted(one.intent.client_order_id for one in standing)
    assert most > 10, "many were open at once"


def test_the_sums_of_two_cycles_by_hand() -> None:
    """One buys 10 for 20 dollars in two orders and sells them for 30,000 won, the other goes the other way with 4."""
    tell = Telling().start()
    first = (leg(0, "binance", Side.BUY, Decimal(6), Decimal(2)), leg(1, "binance", Side.BUY, Decimal(4), Decimal(2)))
    tell.open("c1", *first, leg(2, "upbit", Side.SELL, Decimal(10), Decimal(3000)), value=100.0)
    back = (leg(0, "binance", Side.SELL, Decimal(4), Decimal(2)), leg(1, "upbit", Side.BUY, Decimal(4), Decimal(3100)))
    tell.open("c2", *back, value=7.5, reserved=(("upbit", "KRW", Decimal(12_400)),))
    sums = tell.portfolio.under_way
    assert [sums.value(but) for but in ("", "c1", "c2", "c9")] == [107.5, 7.5, 100.0, 107.5]
    ways_of = {
        (quote, way): [sums.value_of_way(quote, way, but) for but in ("", "c1", "c2")] for quote in ("KRW", "USDT") for way in (1.0, -1.0)
    }
    assert ways_of == {
        ("KRW", 1.0): [7.5, 7.5, 0.0],
        ("KRW", -1.0): [100.0, 0.0, 100.0],
        ("USDT", 1.0): [100.0, 0.0, 100.0],
        ("USDT", -1.0): [7.5, 7.5, 0.0],
    }
    assert sums.value_of_way("EUR", 1.0) == 0.0

    def pending(asset: str) -> list[tuple[int, int]]:
        return [(int(sums.pending(asset, 1, but)), int(sums.pending(asset, -1, but))) for but in ("", "c1", "c2", "c9")]

    assert pending("KRW") == [(30_000, 12_400), (0, 12_400), (30_000, 0), (30_000, 12_400)]
    assert pending("USDT") == [(8, 20), (8, 0), (0, 20), (8, 20)]
    assert pending("XRP") == [(0, 0)] * 4, "of money alone"
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(6), Decimal(2), "b", client_order_id="c1-0"), {"XRP": Decimal(2)})
    tell.fill("c2", fill_of("upbit", Side.BUY, Decimal(5), Decimal(3100), "u", client_order_id="c2-1"), {"XRP": Decimal(2)})
    assert pending("USDT") == [(8, 8), (8, 0), (0, 8), (8, 8)]
    assert pending("KRW") == [(33_100, 0), (3_100, 0), (30_000, 0), (33_100, 0)], "more was spent than planned"
    assert sums.reserved("upbit", "KRW") == 0
    assert [(cycle.id, dict(net)) for cycle, net in sums.one_sided()] == [("c1", {"XRP": Decimal(6)}), ("c2", {"XRP": Decimal(5)})]
    market = ("upbit", "XRPKRW")
    assert (list(sums.on_market(market)), sums.is_free([market]), sums.is_free([("okx", "x")])) == (["c1", "c2"], False, True)
    tell.end("c1")
    assert (list(sums.on_market(market)), list(sums.by_id), sums.value()) == (["c2"], ["c2"], 7.5)
    tell.fill("c1", fill_of("upbit", Side.SELL, Decimal(6), Decimal(3000), "late", client_order_id="c1-2"), {"XRP": Decimal(2)})
    assert pending("KRW")[0] == (3_100, 0), "what has ended brings nothing"
    tell.end("c2")
    assert (sums.is_free([market]), list(sums.one_sided()), pending("KRW")) == (True, [], [(0, 0)] * 4)


def test_what_ended_leaves_nothing_behind() -> None:
    life = _Life(1)
    for _ in range(200):
        life.step()
    for cycle in list(life.tell.portfolio.open_cycles):
        life.tell.end(cycle.id)
    assert life.tell.portfolio.under_way.sums() == OpenCycles().sums()


@given(st.lists(st.floats(0, 1e6), max_size=30), st.randoms())
def test_what_was_added_to_a_sum_and_taken_away_leaves_no_rounding(values: list[float], draw: random.Random) -> None:
    total = ExactSum()
    for value in values:
        total.add(value)
    assert total.without() == fsum(values)
    if values:
        assert total.without(values[0]) == fsum(values[1:])
    draw.shuffle(values)
    for left in range(len(values), 0, -1):
        total.take(values[left - 1])
        assert total.without() == fsum(values[: left - 1])


@pytest.mark.parametrize("odd", [nan, inf, -inf])
def test_what_is_no_number_is_over_every_limit_while_it_is_counted_and_no_longer(odd: float) -> None:
    total = ExactSum()
    total.add(5.0)
    total.add(odd)
    assert (total.without(), total.without(5.0), total.without(odd)) == (inf, inf, 5.0)
    total.add(inf)
    assert (total.without(), total.without(odd)) == (inf, inf), "the other one is still counted"
    total.take(inf)
    total.take(odd)
    assert total.without() == 5.0
