"""A sink that writes down what a decoder tells."""

from collections.abc import Sequence
from math import isfinite

from arbtui.model.book import Level
from arbtui.model.order import Side

Event = tuple[object, ...]


class Told:
    """Keeps every call as a tuple whose first item is the call's short name; refuses numbers that must never reach a book."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def on_snapshot(self, code: str, bids: Sequence[Level], asks: Sequence[Level], ts_event: int, update_id: int) -> None:
        self._check(code, ts_event, update_id, [*bids, *asks], least_qty=0.0)
        self.events.append(("snapshot", code, list(bids), list(asks), ts_event, update_id))

    def on_diff(
        self, code: str, first_id: int, last_id: int, prev_id: int, bids: Sequence[Level], asks: Sequence[Level], ts_event: int
    ) -> None:
        self._check(code, ts_event, last_id, [*bids, *asks], least_qty=0.0)
        assert 0 <= first_id <= last_id
        assert prev_id >= -1
        self.events.append(("diff", code, first_id, last_id, prev_id, list(bids), list(asks), ts_event))

    def on_touch(self, code: str, update_id: int, bid: float, bid_qty: float, ask: float, ask_qty: float, ts_event: int) -> None:
        for number in (bid, bid_qty, ask, ask_qty):
            assert isfinite(number)
            assert number >= 0.0
        self._check(code, ts_event, update_id, [], least_qty=0.0)
        self.events.append(("touch", code, update_id, bid, bid_qty, ask, ask_qty, ts_event))

    def on_trade(self, code: str, trade_id: str, price: float, qty: float, taker: Side, ts_event: int) -> None:
        self._check(code, ts_event, 0, [(price, qty)], least_qty=0.0)
        self.events.append(("trade", code, trade_id, price, qty, taker, ts_event))

    def on_other(self, kind: str) -> None:
        assert isinstance(kind, str)
        assert kind
        self.events.append(("other", kind))

    def _check(self, code: str, ts_event: int, update_id: int, levels: Sequence[Level], least_qty: float) -> None:
        assert isinstance(code, str)
        assert 0 <= ts_event <= 2**62
        assert 0 <= update_id <= 2**62
        for price, qty in levels:
            assert isfinite(price)
            assert price > 0.0
            assert isfinite(qty)
            assert qty >= least_qty
