"""Bithumb, as it is declared: the current generation of its interface (v2.1.5). Sources: apidocs.bithumb.com and the files beside this.

URLs: reference/api-레퍼런스. Client ids: reference/주문-요청 (``client_order_id``: 1 to 36 letters, digits, ``-`` and ``_``, unique; since
2026-03-12). Whether an id may be used again once its order has ended is in no document: here none ever is.
"""

from typing import TYPE_CHECKING

from arbtui.exchanges.bithumb import limits
from arbtui.exchanges.bithumb.rules import CROSS, EXCHANGE, MIN_COST, QUOTE
from arbtui.exchanges.capabilities import Capabilities
from arbtui.exchanges.rate_limit import VenueLimits
from arbtui.exchanges.signing import RestFacts
from arbtui.exchanges.venue import Addresses, Captures, ClientIdRule, ClientIds, Venue
from arbtui.exchanges.won.rails import KOREAN

if TYPE_CHECKING:
    from arbtui.exchanges.bithumb.adapter import BithumbAdapter
    from arbtui.exchanges.public_stream import PublicStream
    from arbtui.exchanges.signing import Signing


def _adapter() -> "type[BithumbAdapter]":
    from arbtui.exchanges.bithumb.adapter import BithumbAdapter

    return BithumbAdapter


def _signing() -> "type[Signing]":
    from arbtui.exchanges.bithumb.signing import BithumbSigning

    return BithumbSigning


def _public() -> "PublicStream":
    from arbtui.exchanges.bithumb.subscriptions import BithumbFraming
    from arbtui.exchanges.bithumb.wire import BithumbDecoder
    from arbtui.exchanges.public_stream import Numbering, PublicStream

    return PublicStream(BithumbDecoder, Numbering.WHOLE, BithumbFraming())


VENUE = Venue(
    name=EXCHANGE,
    title="Bithumb",
    quotes=(QUOTE,),
    cross_quotes=(CROSS,),
    urls=Addresses("https://api.bithumb.com", "wss://ws-api.bithumb.com/websocket/v1", "wss://ws-api.bithumb.com/websocket/v2/private"),
    domains=("bithumb.com",),
    min_cost=MIN_COST,
    per_dollar=1400.0,  # as Upbit's
    limits=VenueLimits(limits.LIMITS, limits.used, limits.banned),
    client_ids=ClientIds(ClientIdRule.UNIQUE_FOREVER, longest=36, characters="A-Za-z0-9_-"),
    public=_public,
    adapter=_adapter,
    rest=RestFacts(
        ccxt_class="bithumb",
        orders=frozenset({("POST", "v2/orders")}),
        cancels=frozenset({("DELETE", "v2/order"), ("POST", "v2/orders/cancel")}),
        signing=_signing,
    ),
    capabilities=Capabilities(notices=True, flags=True, test_orders=False, tells_price_units=False, lists_tell_halts=False),
    # The documents' examples have fees with two decimals and no rule: the plain product, so that each fill's fee is known where only
    # their sum is reported.
    fee_step=None,
    rails=KOREAN,
    captures=Captures(cryptofeed="BITHUMB", hosts=("pubwss.bithumb.com",)),
)
