"""A simulated Upbit market's frames: books of 15 units, and trades, in DEFAULT format."""

from arbtui.model.clock import iso_ms
from arbtui.simulation.ladder import LadderSide
from arbtui.simulation.whole_book_market import WholeBookMarket

UNITS = 15  #: levels of a book frame

#: The pieces of ``orderbook_units``; a book fills in every second one. Joining them is three times as fast as formatting.
_PIECES = ['},{"ask_price":', "", ',"bid_price":', "", ',"ask_size":', "", ',"bid_size":', ""] * UNITS
_PIECES[0] = '{"ask_price":'
_PADDING = ["0", "0", "0.00000000", "0.00000000"] * UNITS


class UpbitMarket(WholeBookMarket):
    """See :class:`WholeBookMarket`."""

    __slots__ = ()

    levels = UNITS

    def book_frame(self, snapshot: bool, empty: bool) -> bytes:
        """See :meth:`WholeBookMarket.book_frame`."""
        bids, asks = self.bids_sent, self.asks_sent
        pieces = _PIECES
        if empty:  # Upbit pads with levels of price and size zero
            pieces[1::2] = _PADDING
            sold = bought = 0.0
        else:
            pieces[1::8] = asks.prices
            pieces[3::8] = bids.prices
            pieces[5::8] = asks.sizes
            pieces[7::8] = bids.sizes
            sold, bought = sum(asks.qtys), sum(bids.qtys)
        text = (
            f'{{"type":"orderbook","code":"{self.code}","timestamp":{self.stage.ts_ms},'
            f'"total_ask_size":{sold:.8f},"total_bid_size":{bought:.8f},"orderbook_units":[{"".join(pieces)}}}],'
            f'"stream_type":"{"SNAPSHOT" if snapshot else "REALTIME"}","level":0}}'
        )
        return text.encode()

    def trade_frame(self, side: LadderSide, qty: float, bought: bool) -> bytes:
        """See :meth:`WholeBookMarket.trade_frame`."""
        price, ts_ms = float(side.prices[0]), self.stage.ts_ms
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
