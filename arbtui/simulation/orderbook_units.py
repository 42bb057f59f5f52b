"""OrderbookUnits: the ``orderbook_units`` of a won venue's book frame, the n-th best ask beside the n-th best bid."""

from arbtui.simulation.ladder import LadderSide


class OrderbookUnits:
    """Writes them. A book fills in every second piece: joining the pieces is three times as fast as formatting.

    Args:
        levels: of a book.
        gone: how a size of zero is written, where a side is empty.
    """

    def __init__(self, levels: int, gone: str) -> None:
        self._pieces = ['},{"ask_price":', "", ',"bid_price":', "", ',"ask_size":', "", ',"bid_size":', ""] * levels
        self._pieces[0] = '{"ask_price":'
        self._padding = ["0", "0", gone, gone] * levels

    def text(self, bids: LadderSide, asks: LadderSide, empty: bool) -> tuple[str, float, float]:
        """The units, and what is asked and bid in all; levels of price and size zero where the book is ``empty``."""
        pieces = self._pieces
        if empty:
            pieces[1::2] = self._padding
            return f"{''.join(pieces)}}}", 0.0, 0.0
        pieces[1::8] = asks.prices
        pieces[3::8] = bids.prices
        pieces[5::8] = asks.sizes
        pieces[7::8] = bids.sizes
        return f"{''.join(pieces)}}}", sum(asks.qtys), sum(bids.qtys)
