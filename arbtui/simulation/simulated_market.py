"""One simulated market of one venue, as everything around it sees it."""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

from arbtui.model.book import Level
from arbtui.model.market import Market
from arbtui.simulation.event_scheduler import EventScheduler
from arbtui.simulation.frame_sink import FrameSink

FIRST_UPDATE_ID, FIRST_TRADE_ID = 10_000_000_000, 1_000_000_000


class FairPrice(Protocol):
    """The fair price of one market, in its quote currency."""

    fair: float  #: as of the last :meth:`advance`

    @property
    def per_usdt(self) -> float:
        """Units of the quote currency for one USDT, as of the rate's own last step."""
        ...

    def advance(self, tick: int) -> None:
        """Advance to ``tick``."""
        ...


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Expected messages a second of one market, by kind."""

    books: float  #: whole books, or depth events
    touches: float  #: best prices; 0 where the venue sends none
    trades: float


@dataclass(frozen=True, slots=True)
class Quoting:
    """How one market is quoted, and the ids it goes on from."""

    rhythm: Rhythm
    spread_bps: float  #: median spread
    level_usdt: float  #: mean value of one level
    least_move_bps: float  #: quotes follow the fair price when it is at least this far away
    update_id: int = FIRST_UPDATE_ID  #: the last id given to a change of the book
    trade_id: int = FIRST_TRADE_ID  #: the last id given to a trade
    top_share: float = 1.0  #: mean value of the best level, as a share of that of any other
    on_unit: Callable[[float], None] | None = None  #: called with the price unit, in bps of the price, whenever it becomes another


class SimulatedMarket(ABC):
    """One market, quoted around the fair price of ``price``; it sends its frames to ``sink``."""

    __slots__ = ()

    #: Whether a lost update of the book shows at the receiver, as its number is missing.
    numbered: ClassVar[bool]

    code: str
    market: Market
    sink: FrameSink
    price: FairPrice
    update_id: int  #: the last id given to a change of the book
    trade_id: int  #: the last id given to a trade

    @abstractmethod
    def __init__(
        self, market: Market, price: FairPrice, scheduler: EventScheduler, stream: random.Random, sink: FrameSink, quoting: Quoting
    ) -> None: ...

    @abstractmethod
    def start(self, tick: int) -> None:
        """Send the first book at ``tick``, then continue without further calls."""

    @abstractmethod
    def request_snapshot(self) -> None:
        """Send a whole book soon, as the venue does at a subscription or on request."""

    @abstractmethod
    def halt(self, *, empty: bool) -> None:
        """Stop trading: the book stays unchanged, or becomes ``empty``."""

    @abstractmethod
    def resume(self) -> None:
        """Trade again, starting from the book before the halt."""

    @abstractmethod
    def bids(self) -> Iterator[Level]:
        """Bid levels, best first, as last sent."""

    @abstractmethod
    def asks(self) -> Iterator[Level]:
        """Ask levels, best first, as last sent."""
