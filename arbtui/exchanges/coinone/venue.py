"""Coinone, as it is declared: public version 2 and private version 2.1. Sources: docs.coinone.co.kr and the files beside this.

Client ids: reference/place-order (``user_order_id``: up to 150 of lower-case letters, digits, ``-``, ``_`` and ``.``; one that was used
before is never taken again, in any market).
"""

from typing import TYPE_CHECKING

from arbtui.exchanges.capabilities import Capabilities
from arbtui.exchanges.coinone import limits
from arbtui.exchanges.coinone.rules import EXCHANGE, MIN_COST, QUOTE
from arbtui.exchanges.rate_limit import VenueLimits
from arbtui.exchanges.signing import RestFacts
from arbtui.exchanges.venue import Addresses, ClientIdRule, ClientIds, Venue
from arbtui.exchanges.won.rails import KOREAN

if TYPE_CHECKING:
    from arbtui.exchanges.coinone.adapter import CoinoneAdapter
    from arbtui.exchanges.public_stream import PublicStream
    from arbtui.exchanges.signing import Signing


def _adapter() -> "type[CoinoneAdapter]":
    from arbtui.exchanges.coinone.adapter import CoinoneAdapter

    return CoinoneAdapter


def _signing() -> "type[Signing]":
    from arbtui.exchanges.coinone.signing import CoinoneSigning

    return CoinoneSigning


def _public() -> "PublicStream":
    from arbtui.exchanges.coinone.subscriptions import CoinoneFraming
    from arbtui.exchanges.coinone.wire import CoinoneDecoder
    from arbtui.exchanges.public_stream import Numbering, PublicStream

    return PublicStream(CoinoneDecoder, Numbering.WHOLE, CoinoneFraming())


VENUE = Venue(
    name=EXCHANGE,
    title="Coinone",
    quotes=(QUOTE,),
    urls=Addresses("https://api.coinone.co.kr", "wss://stream.coinone.co.kr", "wss://stream.coinone.co.kr/v1/private"),
    domains=("coinone.co.kr",),
    min_cost=MIN_COST,
    per_dollar=1400.0,  # as Upbit's
    limits=VenueLimits(limits.LIMITS, limits.used, limits.banned),
    client_ids=ClientIds(ClientIdRule.UNIQUE_FOREVER, longest=150, characters="a-z0-9._-"),
    public=_public,
    adapter=_adapter,
    rest=RestFacts(
        ccxt_class="Exchange",
        orders=frozenset({("POST", "v2.1/order")}),
        cancels=frozenset({("POST", "v2.1/order/cancel")}),
        questions=frozenset(
            ("POST", f"v2.1/{path}")
            for path in (
                "order/detail",
                "order/active_orders",
                "order/completed_orders",
                "order/completed_orders/all",
                "account/balance/all",
                "account/trade_fee",
            )
        ),
        signing=_signing,
    ),
    capabilities=Capabilities(immediate_orders=False, test_orders=False, lists_name_our_ids=False, requests_carry_time=False),
    # Fees are reported with each fill; the documents' examples have them cut after four decimals of a won, and no rule.
    fee_step=None,
    rails=KOREAN,
)
