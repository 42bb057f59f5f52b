"""The source of market data: frames as a venue sends them, from a simulator, a recording or a socket."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol


class Frame(NamedTuple):
    """One message as received. ``snapshot_of``: the market of a REST depth answer, which does not name it; else empty."""

    exchange: str
    raw: bytes
    snapshot_of: str = ""


Deliver = Callable[[Sequence[Frame]], None]  #: takes one batch: all that arrived in one turn of the loop, in order


class MarketDataFeed(Protocol):
    """A source of frames for all exchanges of a profile."""

    async def run(self, deliver: Deliver) -> None:
        """Deliver batches until cancelled, or return at the end of the data."""
        ...

    def request_snapshot(self, exchange: str, code: str) -> None:
        """Ask for a fresh depth snapshot of one market; it comes as a frame with ``snapshot_of``."""
        ...
