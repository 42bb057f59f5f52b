"""A simulated Bybit spot market's frames: ``orderbook.50``, whole and changed, and ``publicTrade``."""

from collections.abc import Callable
from typing import ClassVar

from arbtui.simulation.depth_diff_market import DepthDiffMarket
from arbtui.simulation.ladder import LadderSide


class BybitMarket(DepthDiffMarket):
    """See :class:`DepthDiffMarket`. Each change of the book has the number of the one before and one more (``u``)."""

    __slots__ = ("_book_head", "_number", "_trade_head")

    gone_text: ClassVar[str] = "0"
    snapshots_on_stream: ClassVar[bool] = True

    def prepare(self) -> None:
        """See :meth:`DepthDiffMarket.prepare`."""
        self._number = self.update_id  # ids rise faster than numbers, so a market that goes on has greater numbers than before
        self._book_head = f'{{"topic":"orderbook.50.{self.code}","ts":'
        self._trade_head = f'{{"topic":"publicTrade.{self.code}","ts":'

    def price_text(self, unit: float) -> Callable[[int], str]:
        """See :meth:`DepthDiffMarket.price_text`: without zeros at the end."""

        def text(key: int) -> str:
            return f"{abs(key) * unit:.8f}".rstrip("0").rstrip(".")

        return text

    def touch_frame(self) -> bytes:
        """Never asked for."""
        raise AssertionError("Bybit's best prices come with its books")

    def _send_touch(self) -> None:
        """Best prices come with the next change of the book."""
        self.update_id += 1

    def depth_frame(self, previous: int) -> bytes:
        """See :meth:`DepthDiffMarket.depth_frame`."""
        self._number += 1
        return self._book("delta", self.bids_sent.take_changes(), self.asks_sent.take_changes())

    def snapshot_frame(self, empty: bool) -> bytes:
        """See :meth:`DepthDiffMarket.snapshot_frame`; it has the number of the last change, and the next one follows."""
        bids, asks = ("" if empty else side.whole() for side in (self.bids_sent, self.asks_sent))
        return self._book("snapshot", bids, asks)

    def trade_frame(self, side: LadderSide, qty: str, sold: bool) -> bytes:
        """See :meth:`DepthDiffMarket.trade_frame`."""
        now = self.scheduler.ts_ms
        text = (
            f'{self._trade_head}{now},"type":"snapshot","data":[{{"i":"{self.trade_id}","T":{now},"p":"{side.prices[0]}","v":"{qty}",'
            f'"S":"{"Sell" if sold else "Buy"}","seq":{self.update_id},"s":"{self.code}","BT":false,"RPI":false}}]}}'
        )
        return text.encode()

    def _book(self, kind: str, bids: str, asks: str) -> bytes:
        now = self.scheduler.ts_ms
        text = (
            f'{self._book_head}{now},"type":"{kind}","data":{{"s":"{self.code}","b":[{bids}],"a":[{asks}],'
            f'"u":{self._number},"seq":{self.update_id}}},"cts":{now}}}'
        )
        return text.encode()
