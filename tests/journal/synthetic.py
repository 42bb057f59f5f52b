"""A run as an engine would journal it, with a venue's bookkeeping of its own, so that a ledger of it can be audited."""

from collections.abc import Iterator
from decimal import Decimal

from arbtui.journal.events import (
    AlertAcknowledged,
    AlertGivenUp,
    AlertQueued,
    AlertSent,
    BalanceOpened,
    BreachAcknowledged,
    BreachRecorded,
    BreachRepeated,
    CommandActed,
    CommandReceived,
    CycleEnded,
    CycleOpened,
    Event,
    FillRecorded,
    Killed,
    Mark,
    MarksTaken,
    OrderChanged,
    OrderIntended,
    PlannedLeg,
    Rearmed,
    RunEnded,
    RunStarted,
)
from arbtui.model.clock import VIRTUAL_EPOCH_MS
from arbtui.model.order import Fill, OrderState, Purpose, Side, TimeInForce

MARKS = {"ABC": Mark(Decimal("20.04"), "binance:ABCUSDT", 12), "KRW": Mark(Decimal("0.00074"), "upbit:KRW-USDT", 3)}
ORIGINS = {"upbit": "http://127.0.0.1:9100", "binance": "http://127.0.0.1:9200"}
QTY = Decimal("0.30")
LOT = Decimal("0.001")


class FixedClock:
    """A clock that says what it is told. ``step_ms``: how far somebody has put its wall time ahead (back: negative)."""

    def __init__(self) -> None:
        self.now_ms = VIRTUAL_EPOCH_MS
        self.step_ms = 0

    def time_ms(self) -> int:
        return self.now_ms + self.step_ms

    def monotonic(self) -> float:
        return self.now_ms / 1000


class SyntheticRun:
    """Buys a coin at binance and sells it at upbit, again and again; each call yields what would be journaled."""

    def __init__(self, run_id: str = "r1") -> None:
        self.run_id = run_id
        self.balances = {
            ("binance", "ABC"): Decimal("5"),
            ("binance", "USDT"): Decimal("10000.5"),
            ("upbit", "ABC"): Decimal("500"),
            ("upbit", "KRW"): Decimal("9000000"),
        }

    def start(self) -> list[Event]:
        """The run's beginning with every balance."""
        return [
            RunStarted(self.run_id, "upbit-binance", "sim", 7, "0.1.0", "c0ffee", ORIGINS, "ARMED"),
            *(BalanceOpened(exchange, asset, amount) for (exchange, asset), amount in self.balances.items() if self.run_id == "r1"),
            MarksTaken("start", "2026-01-01", MARKS),
        ]

    def intents(self, number: int) -> list[Event]:
        """A cycle and its two orders."""
        cycle = f"{self.run_id}-{number}"
        legs = (
            PlannedLeg(0, "binance", "ABCUSDT", "ABC", "USDT", Side.BUY, QTY, Decimal("20.10"), LOT),
            PlannedLeg(1, "upbit", "KRW-ABC", "ABC", "KRW", Side.SELL, QTY, Decimal("27000"), LOT),
        )
        reserved = (("binance", "USDT", QTY * Decimal("20.2")), ("upbit", "ABC", QTY))
        opened: list[Event] = [CycleOpened(cycle, "ABC:binance>upbit", "ABC", 12.5, 6.03, legs, reserved, VIRTUAL_EPOCH_MS + number)]
        for leg in legs:
            opened.append(
                OrderIntended(
                    f"{cycle}-{leg.leg}", cycle, leg.leg, 1, Purpose.ENTRY, leg.exchange, leg.market, "ABC",
                    "USDT" if leg.exchange == "binance" else "KRW", leg.side, leg.qty, leg.price, TimeInForce.IOC, 0,
                )
            )  # fmt: skip
        return opened

    def fill(self, number: int, leg: int) -> list[Event]:
        """One whole fill of a leg and the order's end."""
        cycle = f"{self.run_id}-{number}"
        order = f"{cycle}-{leg}"
        if leg == 0:
            exchange, market, quote, side, price = "binance", "ABCUSDT", "USDT", Side.BUY, Decimal("20.05")
            fee, fee_currency = QTY * Decimal("0.001"), "ABC"
        else:
            exchange, market, quote, side, price = "upbit", "KRW-ABC", "KRW", Side.SELL, Decimal("27100")
            fee, fee_currency = QTY * price * Decimal("0.0005"), "KRW"
        cost = QTY * price
        sign = 1 if side is Side.BUY else -1
        self.balances[exchange, "ABC"] += sign * QTY
        self.balances[exchange, quote] -= sign * cost
        self.balances[exchange, fee_currency] -= fee
        marks = {asset: mark.price for asset, mark in MARKS.items()}
        fill = Fill(
            exchange, f"t{order}", order, f"v{order}", market, "ABC", quote, side, QTY, price, cost, fee, fee_currency, "taker", number
        )
        return [
            FillRecorded(fill, cycle, leg, "stream", VIRTUAL_EPOCH_MS + number, marks),
            OrderChanged(order, OrderState.FILLED, f"v{order}", QTY, ""),
        ]

    def end(self, number: int) -> list[Event]:
        """The cycle's end; the coin's fee (0.0003) is its dust."""
        return [CycleEnded(f"{self.run_id}-{number}", VIRTUAL_EPOCH_MS + number + 200, "")]

    def cycle(self, number: int) -> list[Event]:
        """A whole cycle."""
        return [*self.intents(number), *self.fill(number, 0), *self.fill(number, 1), *self.end(number)]

    def stop(self) -> list[Event]:
        """The run's clean end."""
        return [RunEnded(self.run_id, "max_runtime", 0)]

    def trouble(self) -> list[Event]:
        """A breach that somebody has seen, one that nobody has, and a kill that was taken back."""
        return [
            BreachRecorded(f"{self.run_id}-b1", "WARN", "BOOK_AGE", "ABC", "2100 ms", "BLOCKED"),
            BreachRecorded(f"{self.run_id}-b2", "CRIT", "MAX_LOSS_DAY", "global", "-1200 KRW", "HALTED"),
            BreachRepeated(f"{self.run_id}-b1", 41, 1_767_225_600_000),
            BreachAcknowledged(f"{self.run_id}-b1", "operator"),
            Killed("KEY", "", 1),
            Rearmed("operator", "looked at it"),
        ]

    def told(self) -> list[Event]:
        """Alerts of the trouble: one that was taken, one refused, one that waits; and the command that killed."""
        ids = [f"{self.run_id}-a{number}" for number in range(3)]
        return [
            *(AlertQueued(alert_id, "WARN", "BOOK_AGE", "ABC: 2100 ms") for alert_id in ids),
            AlertSent((ids[0], ids[1]), "telegram:1", 2, (ids[0],)),
            AlertGivenUp((ids[2],), "telegram:1", 3, "Bad Request", (ids[2],)),
            AlertAcknowledged(ids[0], "telegram user 42"),
            CommandReceived(7, 42, "/kill"),
            CommandActed(7, "killed"),
        ]


def whole_run(run_id: str = "r1", cycles: int = 3) -> Iterator[list[Event]]:
    """A run in the groups in which an engine would commit it."""
    run = SyntheticRun(run_id)
    yield run.start()
    yield run.trouble()
    yield run.told()
    for number in range(cycles):
        yield run.intents(number)
        yield run.fill(number, 0)
        yield run.fill(number, 1)
        yield run.end(number)
    yield run.stop()
