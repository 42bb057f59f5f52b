"""Random lives of a journal: whatever happens, in whatever order, *live = fold(journal) = after restart*, and money adds up.

The oracle is written from the words of the design alone: it keeps every flow in a plain list and adds up from nothing.
The proof `machine-portfolio` runs 20,000 steps of it.
"""

from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from arbtui.journal.events import (
    Adjusted,
    BalanceOpened,
    CycleAcknowledged,
    CycleEnded,
    CycleOpened,
    CycleState,
    Event,
    FillRecorded,
    Mark,
    MarksTaken,
    OrderChanged,
    OrderIntended,
    PlannedLeg,
    Recorded,
    ResidualSettled,
    RunStarted,
    SettlementBegan,
    TargetSet,
    Transferred,
    decode,
    encode,
)
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import Fill, OrderState, Purpose, Side, TimeInForce
from arbtui.portfolio.inventory import InventoryLedger
from arbtui.portfolio.portfolio import Portfolio
from tests.proof.steps import machine_settings

SETTLEMENT = ("KRW", "USDT")
MARKETS = {("upbit", "XRP"): "KRW", ("binance", "XRP"): "USDT", ("upbit", "ADA"): "KRW", ("binance", "ADA"): "USDT"}
MARKETS["upbit", "USDT"] = "KRW"
LOT = Decimal("0.1")
QTYS = st.integers(1, 400).map(lambda tenths: Decimal(tenths) / 10)
PRICES = st.integers(1, 500).map(lambda cents: Decimal(cents) / 100)


class Life(RuleBasedStateMachine):
    """One journal, its live portfolio, and the oracle's lists."""

    currency, foreign, rate = "USDT", "KRW", Decimal("0.0007")  #: what PnL is counted in, the other one, and a unit of it in that
    price_of_foreign = Decimal("0.0007")  #: factor on drawn prices

    def __init__(self) -> None:
        super().__init__()
        self.live = Portfolio()
        self.journal: list[Recorded] = []
        self.now_ms = 0
        self.runs = 0
        # The oracle.
        self.flows: list[tuple[str, str, Decimal]] = []  # exchange, asset, change
        self.outside: list[tuple[str, Decimal]] = []  # asset, change, since the opening
        self.cycles: dict[str, list[tuple[str, Decimal]]] = {}  # traded asset, change
        self.largest: dict[tuple[str, str], Decimal] = {}
        self.taken: dict[str, dict[str, Decimal]] = {}  # cycle -> asset -> what a person took for stock
        self.mended: set[str] = set()  # cycles whose residual a person dealt with
        self.orders: dict[str, tuple[str, str, str, Side, Purpose]] = {}  # id -> cycle, exchange, coin, side, purpose
        self.final: set[str] = set()  # orders that have ended, as was told last
        self.revived: set[str] = set()  # orders that were told of as open after they had ended, or after their cycle's end
        self.fills: dict[tuple[str, str], FillRecorded] = {}
        self.marks: dict[str, Decimal] = {self.currency: ONE}
        self.first_marks: dict[str, Decimal] = {self.currency: ONE}
        self.won: list[tuple[Decimal, Decimal | None, int]] = []  # what fills did to it: change, its mark then, ms
        self.retargeted: list[tuple[Decimal, Decimal | None]] = []  # what a person made stock of it, and its mark then
        self.won_stock: list[tuple[Decimal, Decimal | None]] = []  # what it began with, and what came from outside, likewise
        self.opening: dict[str, Decimal] = defaultdict(lambda: ZERO)

    # the journal

    def record(self, *events: Event) -> None:
        """Number, encode, decode and apply events, as the journal does."""
        for event in events:
            self.now_ms += 7
            stored = decode(*encode(event))
            recorded = Recorded(len(self.journal) + 1, self.now_ms, f"r{self.runs}", stored)
            self.journal.append(recorded)
            self.live.apply(recorded)

    def fold(self, upto: int | None = None) -> Portfolio:
        """The journal, folded from its first event."""
        portfolio = Portfolio()
        for recorded in self.journal[:upto]:
            portfolio.apply(recorded)
        return portfolio

    # what happens

    @initialize()
    def begin(self) -> None:
        self.start()
        for exchange in ("upbit", "binance"):
            for asset in ("XRP", "ADA", "USDT", *(("KRW",) if exchange == "upbit" else ())):
                amount = Decimal(100_000_000 if asset == "KRW" else 1_000_000)
                self.record(BalanceOpened(exchange, asset, amount))
                self.flows.append((exchange, asset, amount))
                self.opening[asset] += amount
                if asset == self.foreign:
                    self.won_stock.append((amount, None))
        self.take({"XRP": Decimal("2.14"), "ADA": Decimal("0.8"), self.foreign: self.rate}, "start")

    def start(self) -> None:
        self.runs += 1
        self.record(RunStarted(f"r{self.runs}", "p", "sim", 1, "0", "c", {}, "RECOVERING", self.currency, SETTLEMENT))

    def take(self, prices: dict[str, Decimal], cause: str, day: str = "2026-01-01") -> None:
        self.record(MarksTaken(cause, day, {asset: Mark(price, "x", 1) for asset, price in prices.items()}))  # type: ignore[arg-type]
        for asset, price in prices.items():
            self.marks[asset] = price
            self.first_marks.setdefault(asset, price)

    @rule(data=st.data(), coin=st.sampled_from(["XRP", "ADA"]), qty=QTYS, reverse=st.booleans())
    def open_cycle(self, data: st.DataObject, coin: str, qty: Decimal, reverse: bool) -> None:
        cycle_id = f"r{self.runs}-{len(self.cycles) + 1}"
        legs = []
        for number, (exchange, side) in enumerate((("binance", Side.BUY), ("upbit", Side.SELL))):
            quote = MARKETS[exchange, coin]
            legs.append(PlannedLeg(number, exchange, f"{coin}/{quote}", coin, quote, side, qty, ONE, LOT))
        reserved = (("binance", "USDT", qty * 3), ("upbit", coin, qty))
        self.cycles[cycle_id] = []
        self.record(CycleOpened(cycle_id, f"{coin}:b>u", coin, 1.0, 100.0, tuple(legs), reserved, self.now_ms, ONE if reverse else ZERO))
        for leg in legs:
            self.intend(cycle_id, leg.exchange, coin, leg.side, Purpose.ENTRY)

    @rule(qty=QTYS, side=st.sampled_from(Side))
    def convert(self, qty: Decimal, side: Side) -> None:
        """A trade of one settlement currency for the other, as a cycle of its own."""
        cycle_id = f"r{self.runs}-{len(self.cycles) + 1}"
        self.cycles[cycle_id] = []
        leg = PlannedLeg(0, "upbit", "USDT/KRW", "USDT", "KRW", side, qty, Decimal(1400), LOT)
        reserved = (("upbit", "KRW", qty * 1500) if side is Side.BUY else ("upbit", "USDT", qty),)
        self.record(CycleOpened(cycle_id, "USDT/KRW:upbit", "USDT", -5.0, 0.0, (leg,), reserved, self.now_ms))
        self.intend(cycle_id, "upbit", "USDT", side, Purpose.ENTRY)

    def intend(self, cycle_id: str, exchange: str, coin: str, side: Side, purpose: Purpose) -> str:
        order = f"o{len(self.orders) + 1}"
        self.orders[order] = (cycle_id, exchange, coin, side, purpose)
        quote = MARKETS[exchange, coin]
        self.record(
            OrderIntended(
                order, cycle_id, 0, 0, purpose, exchange, f"{coin}/{quote}", coin, quote, side, Decimal(1000), ONE, TimeInForce.IOC, 0
            )
        )
        return order

    @precondition(lambda self: self.cycles)
    @rule(data=st.data(), exchange=st.sampled_from(["upbit", "binance"]), side=st.sampled_from(Side), unwind=st.booleans())
    def hedge(self, data: st.DataObject, exchange: str, side: Side, unwind: bool) -> None:
        cycle_id = data.draw(st.sampled_from(sorted(self.cycles)))
        if self.is_open(cycle_id):
            coin = next(coin for cycle, _, coin, _, _ in self.orders.values() if cycle == cycle_id)
            exchange = exchange if (exchange, coin) in MARKETS else "upbit"
            self.intend(cycle_id, exchange, coin, side, Purpose.UNWIND if unwind else Purpose.COMPLETE)

    @precondition(lambda self: self.orders)
    @rule(
        data=st.data(),
        qty=QTYS,
        price=PRICES,
        fee=st.integers(0, 30),
        fee_in=st.sampled_from(["quote", "base", "BNB"]),
        marked=st.booleans(),
    )
    def fill(self, data: st.DataObject, qty: Decimal, price: Decimal, fee: int, fee_in: str, marked: bool) -> None:
        """A fill, also of an order or a cycle that has ended."""
        order = data.draw(st.sampled_from(sorted(self.orders)))
        cycle_id, exchange, coin, side, _ = self.orders[order]
        quote = MARKETS[exchange, coin]
        price = price * (1400 if quote == "KRW" else 1)
        currency = {"quote": quote, "base": coin, "BNB": "BNB"}[fee_in]
        amount = Decimal(fee) / 1000 * (1400 if currency == "KRW" else 1)
        made = Fill(
            exchange, f"t{len(self.fills) + 1}", order, "v", f"{coin}/{quote}", coin, quote, side, qty, price, qty * price, amount,
            currency, "taker", self.now_ms,
        )  # fmt: skip
        known = {asset: mark for asset, mark in self.marks.items() if asset in (coin, quote, currency)} if marked else {}
        event = FillRecorded(made, cycle_id, 0, "stream", self.now_ms, known)
        self.fills[exchange, made.trade_id] = event
        self.book(event)

    def book(self, event: FillRecorded) -> None:
        made = event.fill
        sign = 1 if made.side is Side.BUY else -1
        self.record(event)
        for asset, change in ((made.base, sign * made.qty), (made.quote, -sign * made.cost), (made.fee_currency, -made.fee)):
            self.flows.append((made.exchange, asset, change))
            if asset == self.foreign and change:
                self.won.append((change, event.marks.get(self.foreign), self.now_ms))
        self.cycles[event.cycle_id] += [(made.base, sign * made.qty), (made.quote, -sign * made.cost)]
        if self.orders[made.client_order_id][4] is Purpose.SETTLE:
            self.mended.add(event.cycle_id)
        key = (event.cycle_id, made.base)
        self.largest[key] = max(made.qty, self.largest.get(key, ZERO))

    @precondition(lambda self: self.fills)
    @rule(data=st.data())
    def tell_again(self, data: st.DataObject) -> None:
        self.record(self.fills[data.draw(st.sampled_from(sorted(self.fills)))])

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), state=st.sampled_from(list(OrderState)))
    def change_order(self, data: st.DataObject, state: OrderState) -> None:
        key = data.draw(st.sampled_from(sorted(self.orders)))
        cycle_id, *_, purpose = self.orders[key]
        is_back = key in self.revived or key in self.final or self.is_ended(cycle_id)
        is_revived = is_back and not state.is_final and purpose is not Purpose.SETTLE
        (self.revived.add if is_revived else self.revived.discard)(key)
        (self.final.add if state.is_final else self.final.discard)(key)
        self.record(OrderChanged(key, state, "v", ZERO, ""))

    @precondition(lambda self: self.cycles)
    @rule(data=st.data())
    def end_cycle(self, data: st.DataObject) -> None:
        self.record(CycleEnded(data.draw(st.sampled_from(sorted(self.cycles))), self.now_ms, ""))

    @precondition(lambda self: self.cycles)
    @rule(data=st.data(), settle=st.booleans())
    def acknowledge_or_settle(self, data: st.DataObject, settle: bool) -> None:
        cycle_id = data.draw(st.sampled_from(sorted(self.cycles)))
        if settle and self.is_ended(cycle_id) and self.sided(cycle_id):
            taken = self.taken.setdefault(cycle_id, defaultdict(lambda: ZERO))
            for asset, amount in self.left(cycle_id).items():
                taken[asset] += amount
            self.mended.add(cycle_id)
        self.record(ResidualSettled(cycle_id, "written off", "me", "x") if settle else CycleAcknowledged(cycle_id, "me", "x"))

    @precondition(lambda self: any(self.is_ended(cycle_id) and self.sided(cycle_id) for cycle_id in self.cycles))
    @rule(data=st.data(), exchange=st.sampled_from(["upbit", "binance"]), part=st.integers(1, 4))
    def trade_away(self, data: st.DataObject, exchange: str, part: int) -> None:
        """A person has a residual traded away, the whole of it or a part."""
        cycle_id = data.draw(st.sampled_from(sorted(key for key in self.cycles if self.is_ended(key) and self.sided(key))))
        coin, amount = next(iter(self.sided(cycle_id).items()))
        if (exchange, coin) not in MARKETS:  # a fee's coin is no market
            return
        side = Side.SELL if amount > 0 else Side.BUY
        self.record(SettlementBegan(cycle_id, "flatten", exchange, "me", "x"))
        order = self.intend(cycle_id, exchange, coin, side, Purpose.SETTLE)
        # Venues trade in steps: a third that never ends would be rounded at 60 digits, and no sum of such is exact.
        qty = abs(amount) if part == 1 else (abs(amount) / part).quantize(Decimal("1e-12"))
        price = ONE if MARKETS[exchange, coin] == "USDT" else Decimal(1400)
        made = Fill(
            exchange, f"t{len(self.fills) + 1}", order, "v", f"{coin}/{MARKETS[exchange, coin]}", coin, MARKETS[exchange, coin], side, qty,
            price, qty * price, ZERO, MARKETS[exchange, coin], "taker", self.now_ms,
        )  # fmt: skip
        event = FillRecorded(made, cycle_id, 1000, "stream", self.now_ms, {})
        self.fills[exchange, made.trade_id] = event
        self.book(event)
        self.record(OrderChanged(order, OrderState.EXPIRED, "v", qty, ""))

    @rule(asset=st.sampled_from(["XRP", "", "BNB"]), change=QTYS, less=st.booleans())
    def adjust(self, asset: str, change: Decimal, less: bool) -> None:
        exchange, asset = "upbit", asset or self.foreign
        change = -change if less and asset != "BNB" else change
        self.record(Adjusted(exchange, asset, change, "x", "operator", "me"))
        self.flows.append((exchange, asset, change))
        self.outside.append((asset, change))
        if asset == self.foreign:
            self.won_stock.append((change, self.marks[self.foreign]))

    @rule(asset=st.sampled_from(["XRP", "ADA"]), sent=QTYS, cost=st.integers(0, 9))
    def transfer(self, asset: str, sent: Decimal, cost: int) -> None:
        received = sent - min(sent, Decimal(cost) / 10)
        self.record(Transferred("upbit", "binance", asset, sent, received, "x"))
        self.flows += [("upbit", asset, -sent), ("binance", asset, received)]

    @rule(exchange=st.sampled_from(["upbit", "binance"]), asset=st.sampled_from(["XRP", ""]), wanted=QTYS)
    def set_target(self, exchange: str, asset: str, wanted: Decimal) -> None:
        asset = asset or self.foreign
        if asset == self.foreign:  # what is stock from now on is open no more, and the other way round
            more = wanted - self.live.state.targets.get(exchange, {}).get(self.foreign, ZERO)
            self.won.append((-more, None, self.now_ms + 7))
            self.retargeted.append((more, self.marks.get(self.foreign)))
        self.record(TargetSet(exchange, asset, wanted, ZERO, "me", "x"))

    @rule(prices=st.dictionaries(st.sampled_from(["XRP", "ADA", "", "BNB"]), PRICES, max_size=4), cause=st.sampled_from(["time", "end"]))
    def mark(self, prices: dict[str, Decimal], cause: str) -> None:
        self.take({asset or self.foreign: price if asset else price * self.price_of_foreign for asset, price in prices.items()}, cause)

    @rule(number=st.integers(1, 30))
    def new_day(self, number: int) -> None:
        self.take({}, "day", f"2026-02-{number:02}")

    @rule()
    def restart(self) -> None:
        """The process dies here: the next one goes on from a snapshot of any earlier moment and the events after it."""
        at = max(0, len(self.journal) - 5)
        self.live = Portfolio.load(self.fold(at).dump())
        for recorded in self.journal[at:]:
            self.live.apply(recorded)
        self.start()

    @rule(lost=st.integers(1, 4))
    def failed_commit(self, lost: int) -> None:
        """The last events never became durable: what is read back is the fold of those before, and money adds up there too."""
        folded = self.fold(len(self.journal) - lost)
        assert folded.state.seq == len(self.journal) - lost
        assert Portfolio.load(folded.dump()).dump() == folded.dump()

    # what must hold

    def is_ended(self, cycle_id: str) -> bool:
        cycle = self.live.cycle(cycle_id)
        return cycle is not None and not cycle.is_open

    def left(self, cycle_id: str) -> dict[str, Decimal]:
        """What the cycle's fills leave of each coin, without what a person took for stock."""
        net: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for asset, change in self.cycles[cycle_id]:
            net[asset] += change
        for event in self.fills.values():
            if event.cycle_id == cycle_id and event.fill.fee_currency in net:
                net[event.fill.fee_currency] -= event.fill.fee
        for asset, amount in self.taken.get(cycle_id, {}).items():
            net[asset] -= amount
        return {asset: amount for asset, amount in net.items() if amount and asset not in SETTLEMENT}

    def sided(self, cycle_id: str) -> dict[str, Decimal]:
        """Of that, what is no dust."""
        left = self.left(cycle_id)
        dust = {a for a, q in left.items() if abs(q) < LOT and abs(q) * 50 <= self.largest.get((cycle_id, a), ZERO)}
        return {asset: amount for asset, amount in left.items() if asset not in dust}

    def is_open(self, cycle_id: str) -> bool:
        cycle = self.live.cycle(cycle_id)
        return cycle is not None and cycle.is_open

    @invariant()
    def live_is_the_fold_of_the_journal(self) -> None:
        if len(self.journal) % 5 == 0:  # the whole fold at each step would be quadratic
            assert self.fold().dump() == self.live.dump()
        assert Portfolio.load(self.live.dump()).dump() == self.live.dump()

    @invariant()
    def what_is_kept_beside_the_state_is_what_the_state_says(self) -> None:
        assert self.live.out_of_step() == []

    @invariant()
    def balances_are_the_sum_of_all_flows(self) -> None:
        held: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        for exchange, asset, change in self.flows:
            held[exchange, asset] += change
        for (exchange, asset), amount in held.items():
            assert self.live.total(exchange, asset) == amount
            if (exchange, asset) != ("binance", "BNB") and (exchange, asset) != ("upbit", "BNB"):
                assert amount > 0
        total: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for (_, asset), amount in held.items():
            total[asset] += amount
        assert {asset: qty for asset, qty in self.live.state.counters.qty.items() if qty} == {a: q for a, q in total.items() if q}

    @invariant()
    def every_unit_of_stock_is_in_one_state(self) -> None:
        for row in InventoryLedger(self.live).rows():
            for place in row.places:
                assert place.free + place.locked + place.reserved == place.total == self.live.total(place.exchange, row.asset)
                assert place.locked >= 0
                assert place.reserved >= 0

    @invariant()
    def pnl_is_the_change_of_equity(self) -> None:
        total: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for _, asset, change in self.flows:
            total[asset] += change
        prices = dict(self.marks)
        now = self.live.value(prices)
        priced = sum((qty * prices[asset] for asset, qty in total.items() if asset in prices), ZERO)
        assert now.equity == priced
        assert set(now.so_far.unpriced) == {
            asset for asset, qty in total.items() if asset not in prices and (qty or asset in now.so_far.unpriced)
        }
        start = sum((qty * self.first_marks[asset] for asset, qty in self.opening.items()), ZERO)
        assert now.so_far.total + now.so_far.adjustments == pytest.approx(now.equity - start, abs=Decimal("1e-12"))

    @invariant()
    def what_is_open_of_the_won_and_its_stock_are_revalued_apart(self) -> None:
        if not self.flows:
            return
        (open_won,) = self.live.open_fx()
        state, now = self.live.state, self.marks.get(self.foreign, ZERO)
        assert open_won.amount == sum((change for change, _, _ in self.won), ZERO)
        assert open_won.amount == sum((held.get(self.foreign, ZERO) for held in state.balances.values()), ZERO) - sum(
            (held.get(self.foreign, ZERO) for held in state.targets.values()), ZERO
        )
        first = self.first_marks.get(self.foreign, ZERO)
        split = self.live.value().so_far
        retargeted = sum((change * (now - (first if then is None else then)) for change, then in self.retargeted), ZERO)
        revalued = sum((change * (now - then) for change, then, _ in self.won if then is not None), ZERO) - retargeted
        stock = sum((change * (now - (first if then is None else then)) for change, then in self.won_stock), ZERO) + retargeted
        assert split.fx_open == pytest.approx(revalued, abs=Decimal("1e-12"))
        assert split.fx_stock == pytest.approx(stock, abs=Decimal("1e-12"))
        left, since = ZERO, None
        for change, _, ms in self.won:
            before, left = left, left + change
            since = None if not left else ms if not before or before * left < 0 else since
        assert open_won.since_ms == since

    @invariant()
    def every_cycle_stands_as_its_fills_say(self) -> None:
        for cycle_id, flows in self.cycles.items():
            cycle = self.live.cycle(cycle_id)
            if cycle is None:
                continue
            sided = self.sided(cycle_id)
            assert self.live.left(cycle) == sided
            if cycle.is_open:
                continue
            assert cycle.is_position == bool(sided)  # nothing that is held one-sidedly is out of sight
            assert (cycle.settled is not None) == (cycle.state is CycleState.RESIDUAL and not sided)
            if not flows:
                assert cycle.state in (CycleState.ABANDONED, CycleState.MISSED)
            elif sided or cycle_id in self.mended:
                assert cycle.state is CycleState.RESIDUAL
            else:
                assert cycle.state in (CycleState.HEDGED, CycleState.UNWOUND)
        kept = [cycle for cycle in self.live.state.cycles.values() if cycle.is_position]
        assert ([cycle.id for cycle in self.live.positions] and kept) or not kept
        assert {cycle.id for cycle in self.live.positions} == {cycle.id for cycle in kept}
        assert sum(self.live.state.outcomes.values()) == len(self.cycles)

    @invariant()
    def an_open_cycle_keeps_what_it_has_not_spent(self) -> None:
        for exchange, asset in (("binance", "USDT"), ("upbit", "XRP"), ("upbit", "ADA")):
            reserved = sum((cycle.still_reserved(exchange, asset) for cycle in self.live.open_cycles), ZERO)
            kept_for = [
                order
                for order in self.live.open_orders
                if order.intent.purpose is Purpose.SETTLE or order.intent.client_order_id in self.revived
            ]
            reserved += sum((order.still_uses(exchange, asset) for order in kept_for), ZERO)
            assert self.live.available(exchange, asset) == self.live.total(exchange, asset) - reserved
            assert reserved >= 0


TestLife = Life.TestCase
TestLife.settings = machine_settings(examples=15, steps=60)


class WonLife(Life):
    """The same of a desk that counts in won: dollars are what is open then."""

    currency, foreign, rate = "KRW", "USDT", Decimal(1400)
    price_of_foreign = Decimal(1400)


TestWonLife = WonLife.TestCase
TestWonLife.settings = machine_settings(examples=15, steps=60)
