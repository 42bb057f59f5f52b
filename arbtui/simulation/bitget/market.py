"""A simulated Bitget market's frames: ``books15``, ``books1`` and ``trade`` of the public v2 WebSocket."""

import math
from collections.abc import Callable

from arbtui.simulation.depth_diff_market import DepthDiffMarket
from arbtui.simulation.ladder import LadderSide


class BitgetMarket(DepthDiffMarket):
    """See :class:`DepthDiffMarket`; in place of changes the whole book is sent, so nothing that is lost leaves a gap."""

    __slots__ = ("_book_head", "_touch_head", "_trade_head")

    numbered = False
    levels = 15
    snapshots_on_stream = True

    def prepare(self) -> None:
        """See :meth:`DepthDiffMarket.prepare`."""
        self._book_head = _head("snapshot", "books15", self.code)
        self._touch_head = _head("snapshot", "books1", self.code)
        self._trade_head = _head("update", "trade", self.code)

    def price_text(self, unit: float) -> Callable[[int], str]:
        """See :meth:`DepthDiffMarket.price_text`: with the market's decimals."""
        decimals = max(0, -math.floor(math.log10(unit)))

        def text(key: int) -> str:
            return f"{abs(key) * unit:.{decimals}f}"

        return text

    def touch_frame(self) -> bytes:
        """See :meth:`DepthDiffMarket.touch_frame`."""
        bids, asks = self.bids_sent, self.asks_sent
        ask, bid = f'["{asks.prices[0]}","{asks.sizes[0]}"]', f'["{bids.prices[0]}","{bids.sizes[0]}"]'
        return self._framed(self._touch_head, f'"asks":[{ask}],"bids":[{bid}]')

    def depth_frame(self, previous: int) -> bytes:
        """See :meth:`DepthDiffMarket.depth_frame`: the book as it is."""
        self.bids_sent.changed.clear()
        self.asks_sent.changed.clear()
        return self.snapshot_frame(next(self.bids(), None) is None)

    def trade_frame(self, side: LadderSide, qty: str, sold: bool) -> bytes:
        """See :meth:`DepthDiffMarket.trade_frame`."""
        ts_ms = self.scheduler.ts_ms
        text = (
            f'{self._trade_head}"ts":"{ts_ms}","price":"{side.prices[0]}","size":"{qty}","side":"{"sell" if sold else "buy"}",'
            f'"tradeId":"{self.trade_id}"}}],"ts":{ts_ms}}}'
        )
        return text.encode()

    def snapshot_frame(self, empty: bool) -> bytes:
        """See :meth:`DepthDiffMarket.snapshot_frame`: what every frame of the book is."""
        bids, asks = ("" if empty else side.whole() for side in (self.bids_sent, self.asks_sent))
        return self._framed(self._book_head, f'"asks":[{asks}],"bids":[{bids}]')

    def _framed(self, head: str, sides: str) -> bytes:
        ts_ms = self.scheduler.ts_ms
        return f'{head}{sides},"checksum":0,"seq":{self.update_id},"ts":"{ts_ms}"}}],"ts":{ts_ms}}}'.encode()


def _head(action: str, channel: str, code: str) -> str:
    return f'{{"action":"{action}","arg":{{"instType":"SPOT","channel":"{channel}","instId":"{code}"}},"data":[{{'
