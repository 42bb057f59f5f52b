"""A simulated Bithumb market's frames: books of 15 units, many of them repeated, and trades, in DEFAULT format."""

from arbtui.model.clock import iso_ms
from arbtui.simulation.event_scheduler import GRID
from arbtui.simulation.ladder import LadderSide
from arbtui.simulation.orderbook_units import OrderbookUnits
from arbtui.simulation.whole_book_market import WholeBookMarket

UNITS = 15  #: levels of a book frame

#: How often a book is sent a second time before anything in it has changed: two of five books are such, as recorded.
_AGAIN = 0.7
_KST_MS = 9 * 3_600_000

_ORDERBOOK_UNITS = OrderbookUnits(UNITS, gone="0")


class BithumbMarket(WholeBookMarket):
    """See :class:`WholeBookMarket`."""

    __slots__ = ()

    levels = UNITS
    size_text = "{:.4f}"

    def book_frame(self, snapshot: bool, empty: bool) -> bytes:
        """See :meth:`WholeBookMarket.book_frame`. Its time is in microseconds."""
        units, sold, bought = _ORDERBOOK_UNITS.text(self.bids_sent, self.asks_sent, empty)
        text = (
            f'{{"type":"orderbook","code":"{self.code}","total_ask_size":{sold:.4f},"total_bid_size":{bought:.4f},'
            f'"orderbook_units":[{units}],"level":1,"timestamp":{self.scheduler.ts_ms}000,'
            f'"stream_type":"{"SNAPSHOT" if snapshot else "REALTIME"}"}}'
        )
        return text.encode()

    def trade_frame(self, side: LadderSide, qty: float, bought: bool) -> bytes:
        """See :meth:`WholeBookMarket.trade_frame`."""
        ts_ms = self.scheduler.ts_ms
        date, _, time = iso_ms(ts_ms + _KST_MS)[:19].partition("T")
        text = (
            f'{{"type":"trade","code":"{self.code}","trade_price":{side.prices[0]},"trade_volume":{qty:.8f},'
            f'"ask_bid":"{"BID" if bought else "ASK"}","trade_date":"{date}","trade_time":"{time}","trade_timestamp":{ts_ms},'
            f'"sequential_id":{self.trade_id},"timestamp":{ts_ms},"stream_type":"REALTIME"}}'
        )
        return text.encode()

    def _change(self) -> None:
        super()._change()
        if self._random() < _AGAIN:
            self.scheduler.at(self.scheduler.tick + GRID, self._repeat)

    def _repeat(self) -> None:
        """The present book once more, as Bithumb sends it; to nobody is it news."""
        if not self._halted:
            self.sink.send(self.book_frame(False, False))
