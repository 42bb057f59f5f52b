"""Binance spot and USD-M futures, as they are declared.

URLs: the Binance spot and USD-M API documentation. Least orders: NOTIONAL and MIN_NOTIONAL of most USDT markets (``exchangeInfo``). Test
networks, where money is not real: binance.vision and binancefuture.com (API documentation). Client ids: New order, ``newClientOrderId``.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from arbtui.exchanges.binance import limits
from arbtui.exchanges.binance.rules import FEE_COIN, SPOT, USDM
from arbtui.exchanges.capabilities import Capabilities
from arbtui.exchanges.rate_limit import VenueLimits
from arbtui.exchanges.signing import RestFacts
from arbtui.exchanges.venue import Addresses, Captures, ClientIdRule, ClientIds, Venue

if TYPE_CHECKING:
    from arbtui.exchanges.binance.adapter import BinanceAdapter
    from arbtui.exchanges.public_stream import PublicStream
    from arbtui.exchanges.signing import Signing
    from arbtui.model.market import Market

_CLIENT_IDS = ClientIds(ClientIdRule.UNIQUE_WHILE_OPEN, longest=36, characters="A-Za-z0-9_.:/-")
_LEAST = Decimal(5)


def _adapter() -> "type[BinanceAdapter]":
    from arbtui.exchanges.binance.adapter import BinanceAdapter

    return BinanceAdapter


def _signing() -> "type[Signing]":
    from arbtui.exchanges.binance.signing import BinanceSigning

    return BinanceSigning


def _public() -> "PublicStream":
    from arbtui.exchanges.binance.subscriptions import BinanceFraming
    from arbtui.exchanges.binance.wire import BinanceDecoder
    from arbtui.exchanges.public_stream import Numbering, PublicStream

    return PublicStream(BinanceDecoder, Numbering.SPOT, BinanceFraming())


def _usdm_public() -> "PublicStream":
    from arbtui.exchanges.binance.subscriptions import BinanceFraming
    from arbtui.exchanges.binance.wire import BinanceDecoder
    from arbtui.exchanges.public_stream import Numbering, PublicStream

    return PublicStream(lambda sink: BinanceDecoder(sink, usdm=True), Numbering.USDM, BinanceFraming(usdm=True))


def _usdm_market(base: str, tick: Decimal, lot: Decimal) -> "Market":
    from arbtui.exchanges.binance.rules import linear_market

    return linear_market(base, "USDT", tick, lot, _LEAST)


def _is_usdm(message: Mapping[str, Any]) -> bool:
    """USD-M's depth updates have ``pu``, and its best prices ``T``; those of spot have neither."""
    return ("pu" if message.get("e") == "depthUpdate" else "T") in message


VENUE = Venue(
    name=SPOT,
    title="Binance",
    quotes=("USDT", "USDC"),
    cross_quotes=("BTC",),
    urls=Addresses("https://api.binance.com", "wss://stream.binance.com:9443/stream", "wss://ws-api.binance.com/ws-api/v3"),
    domains=("binance.com", "binance.vision"),
    min_cost=_LEAST,
    limits=VenueLimits(limits.LIMITS, limits.used, limits.banned),
    client_ids=_CLIENT_IDS,
    public=_public,
    adapter=_adapter,
    rest=RestFacts(
        ccxt_class="binance",
        orders=frozenset({("POST", "order")}),
        cancels=frozenset({("DELETE", "order"), ("DELETE", "openOrders")}),
        tests=frozenset({("POST", "order/test")}),
        paths={"public": "/api/v3", "private": "/api/v3", "sapi": "/sapi/v1"},
        options={"defaultType": "spot"},
        signing=_signing,
    ),
    is_proven=True,
    capabilities=Capabilities(notices=True, announces_shutdown=True, publishes_contracts=True),
    fee_coin=FEE_COIN,
    captures=Captures(
        cryptofeed="BINANCE", snapshot=r"/api/v3/depth\?(?:\S*&)?symbol=([A-Z0-9_]+)", hftbacktest=lambda message: not _is_usdm(message)
    ),
)

#: Market data only: nothing is traded there yet.
USDM_VENUE = Venue(
    name=USDM,
    title="Binance USD-M",
    quotes=("USDT",),
    urls=Addresses("https://fapi.binance.com", "wss://fstream.binance.com/stream", "wss://ws-fapi.binance.com/ws-fapi/v1"),
    domains=("binance.com", "binancefuture.com"),
    min_cost=_LEAST,
    limits=VenueLimits(limits.USDM_LIMITS, limits.used, limits.banned),
    client_ids=_CLIENT_IDS,
    public=_usdm_public,
    rest=RestFacts(ccxt_class="binanceusdm", orders=frozenset(), cancels=frozenset()),
    plain_market=_usdm_market,
    captures=Captures(cryptofeed="BINANCE_FUTURES", snapshot=r"/fapi/v1/depth\?(?:\S*&)?symbol=([A-Z0-9_]+)", hftbacktest=_is_usdm),
)
