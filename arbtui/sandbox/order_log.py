"""A venue's orders and fills, read from its durable ledger."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from arbtui.model.money import ZERO
from arbtui.model.order import Fill, OrderState, Side, TimeInForce
from arbtui.simulation.ledger import BY_CLIENT_ID, OF_ORDER

_OPEN = "state IN ('ACCEPTED', 'PARTIALLY_FILLED')"
_KNOWN = "state <> 'REJECTED'"  # a refused order is unknown to the venue
_COLUMNS = "venue_order_id, client_order_id, market, side, qty, price, tif, ts_ms, state, filled_qty, locked"
_FILLS = "trade_id, client_order_id, venue_order_id, market, base, quote, side, qty, price, cost, fee, fee_currency, liquidity, ts_event"


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """One order with its fills. ``number`` is the venue's own, from 1 upwards over all its markets."""

    number: int
    client_order_id: str
    code: str
    side: Side
    qty: Decimal
    price: Decimal
    tif: TimeInForce
    ts_ms: int
    state: OrderState
    filled_qty: Decimal
    fills: tuple[Fill, ...] = ()
    locked: Decimal = ZERO  #: the part of the balance it locks

    @property
    def leaves_qty(self) -> Decimal:
        """What is not filled, in base."""
        return self.qty - self.filled_qty

    @property
    def cost(self) -> Decimal:
        """The cost of the fills, in quote."""
        return sum((fill.cost for fill in self.fills), ZERO)

    @property
    def fee(self) -> Decimal:
        """The sum of the fills' fees, in their currency."""
        return sum((fill.fee for fill in self.fills), ZERO)

    @property
    def updated_ms(self) -> int:
        """When it last changed, as far as the ledger shows."""
        return self.fills[-1].ts_event if self.fills else self.ts_ms


class OrderLog:
    """The committed orders and fills of one venue."""

    def __init__(self, exchange: str, reader: sqlite3.Connection) -> None:
        self._exchange = exchange
        self._reader = reader

    def by_client_id(self, client_order_id: str) -> OrderRecord | None:
        """The newest order of that client id."""
        found = self._orders(f"client_order_id = ? AND {_KNOWN} ORDER BY venue_order_id DESC LIMIT 1", client_order_id, index=BY_CLIENT_ID)
        return found[0] if found else None

    def by_number(self, number: int) -> OrderRecord | None:
        """The order of that number."""
        found = self._orders(f"venue_order_id = ? AND {_KNOWN}", number)
        return found[0] if found else None

    def open_orders(self, code: str | None = None) -> list[OrderRecord]:
        """Orders that rest, oldest first."""
        where, values = _of(code)
        return self._orders(f"{_OPEN} {where} ORDER BY venue_order_id", *values)

    def orders(
        self,
        code: str | None,
        *,
        states: Sequence[OrderState] = (),
        from_number: int = 0,
        since_ms: int = 0,
        until_ms: int = 2**62,
        limit: int = 500,
        oldest_first: bool = False,
    ) -> list[OrderRecord]:
        """Every order (in one of ``states``, where given), oldest first: the latest ``limit`` of them, or the first ones."""
        where, values = _of(code)
        if states:
            where, values = f"{where} AND state IN ({', '.join('?' * len(states))})", (*values, *(state.value for state in states))
        order = "ASC" if oldest_first else "DESC"
        found = self._orders(
            f"{_KNOWN} {where} AND venue_order_id >= ? AND ts_ms BETWEEN ? AND ? ORDER BY venue_order_id {order} LIMIT ?",
            *values, from_number, since_ms, until_ms, limit,
        )  # fmt: skip
        return found if oldest_first else found[::-1]

    def fills(self, code: str | None = None, *, since_ms: int = 0, until_ms: int = 2**62, number: int | None = None) -> list[Fill]:
        """Every fill, oldest first; of one order where ``number`` is given."""
        where, values = _of(code)
        index = ""
        if number is not None:
            where, values, index = f"{where} AND venue_order_id = ?", (*values, number), OF_ORDER
        return self._fills(f"ts_event BETWEEN ? AND ? {where}", since_ms, until_ms, *values, index=index)

    def rolled_up(self) -> dict[str, int]:
        """How many older fills are no rows any more (:mod:`arbtui.simulation.roll_up`), by market."""
        rows = self._reader.execute("SELECT market, fills FROM rolled_up WHERE exchange = ? ORDER BY market", (self._exchange,))
        return {market: int(fills) for market, fills in rows}

    def _orders(self, where: str, *values: object, index: str = "") -> list[OrderRecord]:
        self._reader.execute("BEGIN")  # one read transaction: no order without its fills
        try:
            sql = f"SELECT {_COLUMNS} FROM venue_order {index} WHERE exchange = ? AND {where}"
            rows = self._reader.execute(sql, (self._exchange, *values))
            return [self._order(row) for row in rows.fetchall()]
        finally:
            self._reader.execute("COMMIT")

    def _order(self, row: Sequence[str]) -> OrderRecord:
        number, client_order_id, code, side, qty, price, tif, ts_ms, state, filled, locked = row
        return OrderRecord(
            number=int(number),
            client_order_id=client_order_id,
            code=code,
            side=Side(side),
            qty=Decimal(qty),
            price=Decimal(price),
            tif=TimeInForce(tif),
            ts_ms=int(ts_ms),
            state=OrderState(state),
            filled_qty=Decimal(filled),
            fills=tuple(self._fills("venue_order_id = ?", number, index=OF_ORDER)),
            locked=Decimal(locked),
        )

    def _fills(self, where: str, *values: object, index: str = "") -> list[Fill]:
        sql = f"SELECT {_FILLS} FROM venue_fill {index} WHERE exchange = ? AND {where} ORDER BY trade_id"
        return [_fill(self._exchange, row) for row in self._reader.execute(sql, (self._exchange, *values))]


def _of(code: str | None) -> tuple[str, tuple[object, ...]]:
    return ("", ()) if code is None else ("AND market = ?", (code,))


def _fill(exchange: str, row: Sequence[str]) -> Fill:
    trade_id, client_order_id, number, market, base, quote, side, qty, price, cost, fee, currency, liquidity, ts = row
    money = (Decimal(qty), Decimal(price), Decimal(cost), Decimal(fee))
    return Fill(
        exchange, str(trade_id), client_order_id, str(number), market, base, quote, Side(side), *money, currency, liquidity, int(ts)
    )
