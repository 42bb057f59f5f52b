"""Venue: everything that is known of a venue without asking it, declared once, in ``exchanges/<venue>/venue.py``.

Facts only, and cheap to import: what costs time (decoders, adapters, ccxt) is named by a function that imports it when it is needed.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from arbtui.exchanges.capabilities import EVERYTHING, Capabilities
from arbtui.exchanges.networks import Rails
from arbtui.exchanges.rate_limit import VenueLimits
from arbtui.exchanges.signing import RestFacts
from arbtui.model import ids
from arbtui.model.market import Market

if TYPE_CHECKING:
    from arbtui.exchanges.ccxt_adapter import CcxtAdapter
    from arbtui.exchanges.public_stream import PublicStream

#: Binance's step, and that of most: fees are booked with eight decimals.
EIGHT_DECIMALS = Decimal("0.00000001")


class ClientIdRule(Enum):
    """How long a client order id is taken."""

    UNIQUE_FOREVER = "forever"  #: never usable again, also after a refused order
    UNIQUE_WHILE_OPEN = "while open"  #: usable again when its order is final


@dataclass(frozen=True, slots=True)
class ClientIds:
    """A venue's rule of client order ids. ``characters``: those it takes, as a regular expression's class without the brackets."""

    rule: ClientIdRule
    longest: int
    characters: str = "A-Za-z0-9"

    def takes(self, client_order_id: str) -> bool:
        """Whether the venue takes an order of that id, as far as its letters go."""
        return re.fullmatch(f"[{self.characters}]{{1,{self.longest}}}", client_order_id) is not None

    @property
    def takes_ours(self) -> bool:
        """Whether it takes every id that :func:`arbtui.model.ids.client_order_id` makes."""
        return self.longest >= ids.LENGTH and re.fullmatch(f"[{self.characters}]+", ids.ALPHABET) is not None


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the real venue is reached: an origin without a path, and two WebSockets."""

    rest: str
    stream: str
    private: str

    @property
    def all(self) -> tuple[str, str, str]:
        """REST, public and private."""
        return self.rest, self.stream, self.private


@dataclass(frozen=True, slots=True)
class Captures:
    """How recordings of other programs name the venue, so that they can be replayed.

    Attributes:
        cryptofeed: cryptofeed's name of it.
        hosts: hosts that such recordings were made at, beside those of its addresses.
        path: path of the socket that its own markets come over, where a recording holds other markets of its operator, too.
        snapshot: pattern of the URL of a REST query whose answer starts a book; its first group is the market's code.
        hftbacktest: tells whether a depth update or a best price, the object inside the frame, is this venue's; None where hftbacktest
            has no captures of it.
    """

    cryptofeed: str = ""
    hosts: tuple[str, ...] = ()
    path: str = ""
    snapshot: str = ""
    hftbacktest: Callable[[Mapping[str, Any]], bool] | None = None


@dataclass(frozen=True, slots=True)
class Venue:
    """One venue.

    Attributes:
        name: in profiles, recordings and the journal.
        title: its name in text for people.
        quotes: currencies that its markets are priced in and that are built; the first is a profile's default.
        cross_quotes: coins that it trades others against, and that a profile may name; empty where it has no such markets.
        urls: of the real venue.
        domains: that its own addresses end with; real orders go to no others.
        min_cost: least order in any of ``quotes``, where a market's own rules do not say otherwise.
        per_dollar: any of ``quotes`` for one dollar, roughly: for messages, and for what counts as dust; where no rate is known yet.
        limits: its documented rate limits.
        client_ids: its rule of client order ids.
        public: its public streams.
        rest: its REST interface.
        adapter: the class that orders there; None where nothing is traded yet.
        is_proven: real orders have been proven there (docs/real-orders.md), in the first of ``quotes``; without that a profile cannot open
            it to them.
        capabilities: what its interface can do.
        key_parts: what a key of it consists of.
        fee_step: its fees are booked in multiples of this, rounded up once an order; None: to the last digit.
        fee_coin: a coin of its own that it may take fees in, whatever is traded; empty where there is none.
        rails: rules of its country for money and coins that move; None where there are none.
        plain_market: a market by base, tick and lot, for a replay of a venue that the simulator does not play.
        captures: how recordings of other programs name it.
    """

    name: str
    title: str
    quotes: tuple[str, ...]
    urls: Addresses
    domains: tuple[str, ...]
    min_cost: Decimal
    limits: VenueLimits
    client_ids: ClientIds
    public: Callable[[], "PublicStream"]
    rest: RestFacts
    adapter: "Callable[[], type[CcxtAdapter]] | None" = None
    is_proven: bool = False
    per_dollar: float = 1.0
    cross_quotes: tuple[str, ...] = ()
    capabilities: Capabilities = EVERYTHING
    key_parts: tuple[str, ...] = ("key", "secret")
    fee_step: Decimal | None = EIGHT_DECIMALS
    fee_coin: str = ""
    rails: Rails | None = None
    plain_market: Callable[[str, Decimal, Decimal], Market] | None = None
    captures: Captures = field(default_factory=Captures)

    def __post_init__(self) -> None:
        """Refuse a venue whose orders could not have our ids: each of them would be refused there.

        Raises:
            ValueError: it takes fewer characters than our ids have, or not all that are in them.
        """
        if not self.client_ids.takes_ours:
            rule = f"at most {self.client_ids.longest} of [{self.client_ids.characters}]"
            raise ValueError(
                f"{self.name}: its client order ids are {rule}, and ours {ids.LENGTH} of [{ids.ALPHABET}]: no order could be sent"
            )

    def is_proven_in(self, quote: str) -> bool:
        """Whether real orders have been proven there in markets of that currency."""
        return self.is_proven and quote == self.quote

    @property
    def quote(self) -> str:
        """The currency that its markets are priced in, where a profile names none."""
        return self.quotes[0]
