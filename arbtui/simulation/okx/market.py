"""A simulated OKX spot market's frames: the channels ``books``, whole and changed, ``bbo-tbt`` and ``trades``."""

from collections.abc import Callable
from typing import ClassVar

from arbtui.simulation.depth_diff_market import DepthDiffMarket
from arbtui.simulation.ladder import LadderSide

#: Behind price and size of each level: a deprecated zero, and how many orders make it up.
_TAIL = ',"0","1"'


class OkxMarket(DepthDiffMarket):
    """See :class:`DepthDiffMarket`. Each change of the book names the one before it (``prevSeqId``)."""

    __slots__ = ("_book_head", "_touch_head", "_trade_head")

    gone_text: ClassVar[str] = "0"
    snapshots_on_stream: ClassVar[bool] = True

    def prepare(self) -> None:
        """See :meth:`DepthDiffMarket.prepare`."""
        self._book_head, self._touch_head, self._trade_head = (
            f'{{"arg":{{"channel":"{channel}","instId":"{self.code}"}},' for channel in ("books", "bbo-tbt", "trades")
        )

    def price_text(self, unit: float) -> Callable[[int], str]:
        """See :meth:`DepthDiffMarket.price_text`: without zeros at the end."""

        def text(key: int) -> str:
            return f"{abs(key) * unit:.8f}".rstrip("0").rstrip(".")

        return text

    def touch_frame(self) -> bytes:
        """See :meth:`DepthDiffMarket.touch_frame`."""
        bids, asks = self.bids_sent, self.asks_sent
        text = (
            f'{self._touch_head}"data":[{{"asks":[["{asks.prices[0]}","{asks.sizes[0]}"{_TAIL}]],'
            f'"bids":[["{bids.prices[0]}","{bids.sizes[0]}"{_TAIL}]],"ts":"{self.scheduler.ts_ms}","seqId":{self.update_id}}}]}}'
        )
        return text.encode()

    def depth_frame(self, previous: int) -> bytes:
        """See :meth:`DepthDiffMarket.depth_frame`."""
        return self._book("update", self.bids_sent.take_changes(_TAIL), self.asks_sent.take_changes(_TAIL), previous, self.update_id)

    def snapshot_frame(self, empty: bool) -> bytes:
        """See :meth:`DepthDiffMarket.snapshot_frame`; it has the id of the last change, and the next one names that."""
        bids, asks = ("" if empty else side.whole(_TAIL) for side in (self.bids_sent, self.asks_sent))
        return self._book("snapshot", bids, asks, -1, self._depth_id)

    def trade_frame(self, side: LadderSide, qty: str, sold: bool) -> bytes:
        """See :meth:`DepthDiffMarket.trade_frame`."""
        text = (
            f'{self._trade_head}"data":[{{"instId":"{self.code}","tradeId":"{self.trade_id}","px":"{side.prices[0]}","sz":"{qty}",'
            f'"side":"{"sell" if sold else "buy"}","ts":"{self.scheduler.ts_ms}","count":"1","source":"0","seqId":{self.update_id}}}]}}'
        )
        return text.encode()

    def _book(self, action: str, bids: str, asks: str, before: int, last: int) -> bytes:
        text = (
            f'{self._book_head}"action":"{action}","data":[{{"asks":[{asks}],"bids":[{bids}],"ts":"{self.scheduler.ts_ms}",'
            f'"checksum":0,"prevSeqId":{before},"seqId":{last}}}]}}'
        )
        return text.encode()
