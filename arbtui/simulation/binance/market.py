"""A simulated Binance spot market's frames: combined-stream ``depth@100ms``, ``bookTicker`` and ``trade``, and the REST depth answer."""

from arbtui.simulation.depth_diff_market import DepthDiffMarket
from arbtui.simulation.ladder import LadderSide


class BinanceMarket(DepthDiffMarket):
    """See :class:`DepthDiffMarket`."""

    __slots__ = ("_depth_head", "_touch_head", "_trade_head")

    def prepare(self) -> None:
        """See :meth:`DepthDiffMarket.prepare`."""
        lower = self.code.lower()
        self._depth_head = f'{{"stream":"{lower}@depth@100ms","data":{{"e":"depthUpdate","E":'
        self._touch_head = f'{{"stream":"{lower}@bookTicker","data":{{"u":'
        self._trade_head = f'{{"stream":"{lower}@trade","data":{{"e":"trade","E":'

    def touch_frame(self) -> bytes:
        """See :meth:`DepthDiffMarket.touch_frame`."""
        bids, asks = self.bids_sent, self.asks_sent
        text = (
            f'{self._touch_head}{self.update_id},"s":"{self.code}","b":"{bids.prices[0]}","B":"{bids.sizes[0]}",'
            f'"a":"{asks.prices[0]}","A":"{asks.sizes[0]}"}}}}'
        )
        return text.encode()

    def depth_frame(self, previous: int) -> bytes:
        """See :meth:`DepthDiffMarket.depth_frame`."""
        text = (
            f'{self._depth_head}{self.scheduler.ts_ms},"s":"{self.code}","U":{previous + 1},"u":{self.update_id},'
            f'"b":[{self.bids_sent.take_changes()}],"a":[{self.asks_sent.take_changes()}]}}}}'
        )
        return text.encode()

    def trade_frame(self, side: LadderSide, qty: str, sold: bool) -> bytes:
        """See :meth:`DepthDiffMarket.trade_frame`."""
        text = (
            f'{self._trade_head}{self.scheduler.ts_ms},"s":"{self.code}","t":{self.trade_id},"p":"{side.prices[0]}","q":"{qty}",'
            f'"T":{self.scheduler.ts_ms},"m":{"true" if sold else "false"},"M":true}}}}'
        )
        return text.encode()

    def snapshot_frame(self, empty: bool) -> bytes:
        """See :meth:`DepthDiffMarket.snapshot_frame`."""
        bids, asks = ("" if empty else side.whole() for side in (self.bids_sent, self.asks_sent))
        return f'{{"lastUpdateId":{self.update_id},"bids":[{bids}],"asks":[{asks}]}}'.encode()
