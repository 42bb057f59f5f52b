"""OKX spot, as it is declared. URLs and client ids: okx.com/docs-v5, "Production Trading Services", "Place order" (``clOrdId``)."""

from decimal import Decimal
from typing import TYPE_CHECKING

from arbtui.exchanges.capabilities import Capabilities
from arbtui.exchanges.okx import limits
from arbtui.exchanges.okx.rules import EXCHANGE
from arbtui.exchanges.rate_limit import VenueLimits
from arbtui.exchanges.signing import RestFacts
from arbtui.exchanges.venue import Addresses, Captures, ClientIdRule, ClientIds, Venue

if TYPE_CHECKING:
    from arbtui.exchanges.okx.adapter import OkxAdapter
    from arbtui.exchanges.public_stream import PublicStream
    from arbtui.exchanges.signing import Signing


def _adapter() -> "type[OkxAdapter]":
    from arbtui.exchanges.okx.adapter import OkxAdapter

    return OkxAdapter


def _signing() -> "type[Signing]":
    from arbtui.exchanges.okx.signing import OkxSigning

    return OkxSigning


def _public() -> "PublicStream":
    from arbtui.exchanges.okx.subscriptions import KEEPALIVE, OkxFraming, resubscription
    from arbtui.exchanges.okx.wire import OkxDecoder
    from arbtui.exchanges.public_stream import Numbering, PublicStream

    return PublicStream(OkxDecoder, Numbering.STREAM, OkxFraming(), resubscription=resubscription, keepalive=KEEPALIVE)


VENUE = Venue(
    name=EXCHANGE,
    title="OKX",
    quotes=("USDT", "USDC"),
    cross_quotes=("BTC",),
    urls=Addresses("https://openapi.okx.com", "wss://ws.okx.com:8443/ws/v5/public", "wss://ws.okx.com:8443/ws/v5/private"),
    domains=("okx.com",),
    min_cost=Decimal(1),  # of the simulator's markets: OKX itself has a least quantity only, which is worth about a dollar
    limits=VenueLimits(limits.LIMITS, banned=limits.banned),
    client_ids=ClientIds(ClientIdRule.UNIQUE_WHILE_OPEN, longest=32),
    public=_public,
    adapter=_adapter,
    rest=RestFacts(
        ccxt_class="okx",
        orders=frozenset({("POST", "trade/order")}),
        cancels=frozenset({("POST", "trade/cancel-order")}),
        paths={"rest": ""},
        options={"defaultType": "spot"},
        signing=_signing,
    ),
    capabilities=Capabilities(test_orders=False, announces_shutdown=True, publishes_contracts=True),
    key_parts=("key", "secret", "passphrase"),
    fee_step=None,
    captures=Captures(cryptofeed="OKX", hosts=("ws.okx.com",)),
)
