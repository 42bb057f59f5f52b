"""A simulated Upbit market's frames: books of 15 units, and trades, in DEFAULT format."""

from arbtui.model.clock import iso_ms
from arbtui.simulation.ladder import LadderSide
from arbtui.simulation.orderbook_units import OrderbookUnits
from arbtui.simulation.whole_book_market import WholeBookMarket

UNITS = 15  #: levels of a book frame

_ORDERBOOK_UNITS = OrderbookUnits(UNITS, gone="0.00000000")


class UpbitMarket(WholeBookMarket):
    """See :class:`WholeBookMarket`."""

    __slots__ = ()

    levels = UNITS

    def book_frame(self, snapshot: bool, empty: bool) -> bytes:
        """See :meth:`WholeBookMarket.book_frame`."""
        units, sold, bought = _ORDERBOOK_UNITS.text(self.bids_sent, self.asks_sent, empty)
        text = (
            f'{{"type":"orderbook","code":"{self.code}","timestamp":{self.scheduler.ts_ms},'
            f'"total_ask_size":{sold:.8f},"total_bid_size":{bought:.8f},"orderbook_units":[{units}],'
            f'"stream_type":"{"SNAPSHOT" if snapshot else "REALTIME"}","level":0}}'
        )
        return text.encode()

    def trade_frame(self, side: LadderSide, qty: float, bought: bool) -> bytes:
        """See :meth:`WholeBookMarket.trade_frame`."""
        price, ts_ms = float(side.prices[0]), self.scheduler.ts_ms
        date, _, time = iso_ms(ts_ms)[:19].partition("T")
        opening = self.opening_price
        change = "EVEN" if price == opening else "RISE" if price > opening else "FALL"
        text = (
            f'{{"type":"trade","code":"{self.code}","timestamp":{ts_ms},'
            f'"trade_date":"{date}","trade_time":"{time}","trade_timestamp":{ts_ms},'
            f'"trade_price":{side.prices[0]},"trade_volume":{qty:.8f},"ask_bid":"{"BID" if bought else "ASK"}",'
            f'"prev_closing_price":{self.opening},"change":"{change}","change_price":{abs(price - opening):.8f},'
            f'"sequential_id":{self.trade_id},"stream_type":"REALTIME"}}'
        )
        return text.encode()
