"""Upbit, as it is declared. URLs: docs.upbit.com, WebSocket guide. Client ids: docs.upbit.com, new-order (``identifier``)."""

from typing import TYPE_CHECKING

from arbtui.exchanges.capabilities import Capabilities
from arbtui.exchanges.rate_limit import VenueLimits
from arbtui.exchanges.signing import RestFacts
from arbtui.exchanges.upbit import limits
from arbtui.exchanges.upbit.rules import CROSS, EXCHANGE, MIN_COST, QUOTE
from arbtui.exchanges.venue import Addresses, Captures, ClientIdRule, ClientIds, Venue
from arbtui.exchanges.won.rails import KOREAN

if TYPE_CHECKING:
    from arbtui.exchanges.public_stream import PublicStream
    from arbtui.exchanges.signing import Signing
    from arbtui.exchanges.upbit.adapter import UpbitAdapter


def _adapter() -> "type[UpbitAdapter]":
    from arbtui.exchanges.upbit.adapter import UpbitAdapter

    return UpbitAdapter


def _signing() -> "type[Signing]":
    from arbtui.exchanges.upbit.signing import UpbitSigning

    return UpbitSigning


def _public() -> "PublicStream":
    from arbtui.exchanges.public_stream import Numbering, PublicStream
    from arbtui.exchanges.upbit.subscriptions import UpbitFraming
    from arbtui.exchanges.upbit.wire import UpbitDecoder

    return PublicStream(UpbitDecoder, Numbering.WHOLE, UpbitFraming())


VENUE = Venue(
    name=EXCHANGE,
    title="Upbit",
    quotes=(QUOTE,),
    cross_quotes=(CROSS,),
    urls=Addresses("https://api.upbit.com", "wss://api.upbit.com/websocket/v1", "wss://api.upbit.com/websocket/v1/private"),
    domains=("upbit.com",),
    min_cost=MIN_COST,
    per_dollar=1400.0,  # the won has been between 1,300 and 1,500 for years
    limits=VenueLimits(limits.LIMITS, limits.used, limits.banned),
    client_ids=ClientIds(ClientIdRule.UNIQUE_FOREVER, longest=64, characters="A-Za-z0-9_-"),
    public=_public,
    adapter=_adapter,
    rest=RestFacts(
        ccxt_class="upbit",
        orders=frozenset({("POST", "orders")}),
        cancels=frozenset({("DELETE", "order"), ("DELETE", "orders/open")}),
        tests=frozenset({("POST", "orders/test")}),
        signing=_signing,
    ),
    is_proven=True,
    capabilities=Capabilities(notices=True, flags=True, lists_tell_halts=False, requests_carry_time=False),
    # Upbit's own examples have fees of nine and more decimals ("paid_fee": "3.697095875" of 7394.19175 KRW, ccxt's upbit.py,
    # parse_order): the plain product. So each fill's fee is known, also where only their sum is reported.
    fee_step=None,
    rails=KOREAN,
    captures=Captures(cryptofeed="UPBIT"),
)
