"""MarketCalls: what the calls without a signature of a door stand on: markets, their books and trades, and the time."""

from collections.abc import Callable, Collection, Mapping

from arbtui.model.market import Market
from arbtui.sandbox.tape import Tape
from arbtui.simulation.matching import BookSource


class MarketCalls:
    """The handlers of a venue's public calls are its subclass's.

    ``flags_of``: what the list of markets warns of at one, by its code; set by a venue whose list does.
    """

    flags_of: Callable[[str], Collection[str]]

    def __init__(
        self,
        markets: Mapping[str, Market],
        book_of: BookSource,
        tape: Tape,
        is_halted: Callable[[str], bool],
        now_ms: Callable[[], int],
    ) -> None:
        self._markets = markets
        self._book_of = book_of
        self._tape = tape
        self._is_halted = is_halted
        self._now_ms = now_ms
