"""Bitget spot, as it is declared (bitget.com/api-doc, 2025-11).

URLs: "Quick Start" and "Websocket API". Client ids: an id is taken again once its order has ended ("Place Order": idempotent for six
hours while the order is unfilled); 50 characters (error 40304), of letters, digits and ``_:#-+`` ("Place Order Channel", ``id``).
Fees are reported with as many decimals as their product has ("Order Channel": 0.00000018 BTC of 0.0003).
"""

from typing import TYPE_CHECKING

from arbtui.exchanges.bitget import limits
from arbtui.exchanges.bitget.rules import CROSS, EXCHANGE, FEE_COIN, MIN_COST
from arbtui.exchanges.capabilities import Capabilities
from arbtui.exchanges.rate_limit import VenueLimits
from arbtui.exchanges.signing import RestFacts
from arbtui.exchanges.venue import Addresses, Captures, ClientIdRule, ClientIds, Venue

if TYPE_CHECKING:
    from arbtui.exchanges.bitget.adapter import BitgetAdapter
    from arbtui.exchanges.public_stream import PublicStream
    from arbtui.exchanges.signing import Signing


def _adapter() -> "type[BitgetAdapter]":
    from arbtui.exchanges.bitget.adapter import BitgetAdapter

    return BitgetAdapter


def _signing() -> "type[Signing]":
    from arbtui.exchanges.bitget.signing import BitgetSigning

    return BitgetSigning


def _public() -> "PublicStream":
    from arbtui.exchanges.bitget.subscriptions import KEEPALIVE, BitgetFraming
    from arbtui.exchanges.bitget.wire import BitgetDecoder
    from arbtui.exchanges.public_stream import Numbering, PublicStream

    return PublicStream(BitgetDecoder, Numbering.WHOLE, BitgetFraming(), keepalive=KEEPALIVE)


VENUE = Venue(
    name=EXCHANGE,
    title="Bitget",
    quotes=("USDT", "USDC"),
    cross_quotes=(CROSS,),
    urls=Addresses("https://api.bitget.com", "wss://ws.bitget.com/v2/ws/public", "wss://ws.bitget.com/v2/ws/private"),
    domains=("bitget.com",),
    min_cost=MIN_COST,
    limits=VenueLimits(limits.LIMITS, banned=limits.banned),
    client_ids=ClientIds(ClientIdRule.UNIQUE_WHILE_OPEN, longest=50, characters="A-Za-z0-9_:#+-"),
    public=_public,
    adapter=_adapter,
    rest=RestFacts(
        ccxt_class="bitget",
        orders=frozenset({("POST", "v2/spot/trade/place-order")}),
        cancels=frozenset({("POST", "v2/spot/trade/cancel-order")}),
        paths={"spot": ""},
        options={"defaultType": "spot"},
        signing=_signing,
    ),
    capabilities=Capabilities(test_orders=False, publishes_contracts=True),
    key_parts=("key", "secret", "passphrase"),
    fee_step=None,
    fee_coin=FEE_COIN,
    captures=Captures(cryptofeed="BITGET"),
)
