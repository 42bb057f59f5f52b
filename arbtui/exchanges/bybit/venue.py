"""Bybit spot, as it is declared.

Source: bybit-exchange/docs, v5, of 2026-07-24 (commit 072c197). URLs: "Integration Guidance", "Connect"; the addresses of other sites of
Bybit (bybit.eu, bybit.kz, ...) belong to other accounts. Test networks, where money is not real, are api-testnet.bybit.com and
api-demo.bybit.com. Client ids: "Place Order", ``orderLinkId``. A spot order cannot be tested ("Pre Check Order").
"""

from typing import TYPE_CHECKING

from arbtui.exchanges.bybit import limits
from arbtui.exchanges.bybit.rules import EXCHANGE, FEE_COIN, MIN_COST
from arbtui.exchanges.capabilities import Capabilities
from arbtui.exchanges.rate_limit import VenueLimits
from arbtui.exchanges.signing import RestFacts
from arbtui.exchanges.venue import Addresses, Captures, ClientIdRule, ClientIds, Venue

if TYPE_CHECKING:
    from arbtui.exchanges.bybit.adapter import BybitAdapter
    from arbtui.exchanges.public_stream import PublicStream
    from arbtui.exchanges.signing import Signing


def _adapter() -> "type[BybitAdapter]":
    from arbtui.exchanges.bybit.adapter import BybitAdapter

    return BybitAdapter


def _signing() -> "type[Signing]":
    from arbtui.exchanges.bybit.signing import BybitSigning

    return BybitSigning


def _public() -> "PublicStream":
    from arbtui.exchanges.bybit.subscriptions import KEEPALIVE, BybitFraming
    from arbtui.exchanges.bybit.wire import BybitDecoder
    from arbtui.exchanges.public_stream import Numbering, PublicStream

    framing = BybitFraming()
    return PublicStream(BybitDecoder, Numbering.STREAM, framing, resubscription=framing.resubscription, keepalive=KEEPALIVE)


VENUE = Venue(
    name=EXCHANGE,
    title="Bybit",
    quotes=("USDT", "USDC"),
    cross_quotes=("BTC",),
    urls=Addresses("https://api.bybit.com", "wss://stream.bybit.com/v5/public/spot", "wss://stream.bybit.com/v5/private"),
    domains=("bybit.com",),
    min_cost=MIN_COST,
    limits=VenueLimits(limits.LIMITS, banned=limits.banned, used_in=limits.used),
    client_ids=ClientIds(ClientIdRule.UNIQUE_FOREVER, longest=36, characters="A-Za-z0-9_-"),
    public=_public,
    adapter=_adapter,
    rest=RestFacts(
        ccxt_class="bybit",
        orders=frozenset({("POST", "order/create")}),
        cancels=frozenset({("POST", "order/cancel"), ("POST", "order/cancel-all")}),
        paths={"public": "/v5", "private": "/v5"},
        options={"defaultType": "spot"},
        signing=_signing,
    ),
    capabilities=Capabilities(test_orders=False, flags=True, publishes_contracts=True),
    # Fees are not documented to be rounded: a fill's is the plain product.
    fee_step=None,
    fee_coin=FEE_COIN,
    captures=Captures(cryptofeed="BYBIT", path="/v5/public/spot"),
)
