"""Tells a portfolio what happened, event by event, without a journal on disk."""

from collections.abc import Mapping
from decimal import Decimal

from arbtui.journal.events import (
    BalanceOpened,
    CycleEnded,
    CycleOpened,
    Event,
    FillRecorded,
    Mark,
    MarkCause,
    MarksTaken,
    OrderChanged,
    OrderIntended,
    PlannedLeg,
    PlannedTransfer,
    Recorded,
    RunStarted,
)
from arbtui.model.clock import VIRTUAL_EPOCH_MS
from arbtui.model.money import ZERO
from arbtui.model.order import Fill, OrderState, Purpose, Side, TimeInForce
from arbtui.portfolio.portfolio import Portfolio

#: Where cycles trade here, and what each venue quotes in.
QUOTES = {"upbit": "KRW", "binance": "USDT"}
START = {
    "upbit": {"KRW": Decimal(300_000), "XRP": Decimal(100)},
    "binance": {"USDT": Decimal(200), "XRP": Decimal(100)},
}


def marks_of(prices: Mapping[str, Decimal]) -> dict[str, Mark]:
    """``prices`` as a book would give them."""
    return {asset: Mark(price, f"book:{asset}", 1) for asset, price in prices.items()}


def fill_of(
    exchange: str,
    side: Side,
    qty: Decimal,
    price: Decimal,
    trade_id: str,
    *,
    base: str = "XRP",
    fee: Decimal = ZERO,
    fee_currency: str = "",
    client_order_id: str = "",
) -> Fill:
    """A fill on the market of ``base`` against the venue's quote."""
    quote = QUOTES[exchange]
    return Fill(
        exchange, trade_id, client_order_id, f"v{client_order_id}", f"{base}{quote}", base, quote, side, qty, price, qty * price,
        fee, fee_currency or quote, "taker", 0,
    )  # fmt: skip


def leg(
    number: int, exchange: str, side: Side, qty: Decimal, price: Decimal, lot: Decimal = Decimal("0.1"), base: str = "XRP"
) -> PlannedLeg:
    """A planned leg on the market of ``base`` against the venue's quote."""
    return PlannedLeg(number, exchange, f"{base}{QUOTES[exchange]}", base, QUOTES[exchange], side, qty, price, lot)


def intent_of(cycle_id: str, planned: PlannedLeg, client_order_id: str, purpose: Purpose = Purpose.ENTRY) -> OrderIntended:
    """The intent of an order for ``planned``."""
    return OrderIntended(
        client_order_id, cycle_id, planned.leg, 1, purpose, planned.exchange, planned.market, planned.base, planned.quote, planned.side,
        planned.qty, planned.price, TimeInForce.IOC, 0,
    )  # fmt: skip


class Telling:
    """A portfolio, and everything that it was told so far."""

    def __init__(self, portfolio: Portfolio | None = None) -> None:
        self.portfolio = portfolio or Portfolio()
        self.run_id = ""
        self.now_ms = VIRTUAL_EPOCH_MS
        self.told: list[Recorded] = []

    def __call__(self, *events: Event) -> None:
        """Tell ``events``, a millisecond apart."""
        for event in events:
            if isinstance(event, RunStarted):
                self.run_id = event.run_id
            self.now_ms += 1
            recorded = Recorded(self.portfolio.state.seq + 1, self.now_ms, self.run_id, event)
            self.portfolio.apply(recorded)
            self.told.append(recorded)

    def start(self, run_id: str = "r1", balances: Mapping[str, Mapping[str, Decimal]] = START) -> "Telling":
        """A run begins; with ``balances``, if it is the first."""
        self(RunStarted(run_id, "p", "sim", 1, "0", "c", {}, "ARMED"))
        if not self.portfolio.state.opening:
            self(*(BalanceOpened(exchange, asset, total) for exchange, held in balances.items() for asset, total in held.items()))
        return self

    def marks(self, prices: Mapping[str, Decimal], cause: MarkCause = "time", day: str = "2026-01-01") -> None:
        """Prices are taken."""
        self(MarksTaken(cause, day, marks_of(prices)))

    def open(
        self,
        cycle_id: str,
        *legs: PlannedLeg,
        reserved: tuple[tuple[str, str, Decimal], ...] = (),
        route: str = "XRP:binance>upbit",
        send: bool = True,
        value: float = 100.0,
        most_cost: Decimal = ZERO,
        transfers: tuple[PlannedTransfer, ...] = (),
    ) -> None:
        """A cycle opens, and with ``send`` an order for each leg is intended: ``CYCLE-LEG``."""
        self(CycleOpened(cycle_id, route, legs[0].base, 10.0, value, legs, reserved, self.now_ms, most_cost, transfers))
        for planned in legs if send else ():
            self(intent_of(cycle_id, planned, f"{cycle_id}-{planned.leg}"))

    def fill(self, cycle_id: str, fill: Fill, marks: Mapping[str, Decimal] | None = None, number: int = 0) -> None:
        """A fill is booked."""
        self(FillRecorded(fill, cycle_id, number, "stream", self.now_ms, dict(marks or {})))

    def order(self, client_order_id: str, state: OrderState, filled: Decimal = ZERO) -> None:
        """An order changes."""
        self(OrderChanged(client_order_id, state, "v", filled, ""))

    def end(self, cycle_id: str, reason: str = "") -> None:
        """A cycle ends."""
        self(CycleEnded(cycle_id, self.now_ms, reason))
