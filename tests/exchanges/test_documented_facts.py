"""What each venue's documents state of it, as it is built in: limits, fees, bounds, abilities, and the rows of its refusals.

The documents are cited where the facts are: ``arbtui/exchanges/<venue>/limits.py``, ``rules.py``, ``venue.py``, ``refusals.py``.
"""

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from unittest.mock import create_autospec

import pytest

from arbtui.exchanges import refusals
from arbtui.exchanges.binance import refusals as binance_refusals
from arbtui.exchanges.binance.rules import linear_market
from arbtui.exchanges.binance.rules import spot_market as binance_market
from arbtui.exchanges.bitget import refusals as bitget_refusals
from arbtui.exchanges.bitget.rules import spot_market as bitget_market
from arbtui.exchanges.bithumb import refusals as bithumb_refusals
from arbtui.exchanges.bithumb.rules import market_of as bithumb_market
from arbtui.exchanges.bybit import refusals as bybit_refusals
from arbtui.exchanges.bybit.rules import spot_market as bybit_market
from arbtui.exchanges.capabilities import EVERYTHING, Capabilities
from arbtui.exchanges.coinone import refusals as coinone_refusals
from arbtui.exchanges.coinone.rules import krw_market as coinone_market
from arbtui.exchanges.okx import refusals as okx_refusals
from arbtui.exchanges.okx.rules import spot_market as okx_market
from arbtui.exchanges.public_stream import Numbering
from arbtui.exchanges.rate_limit import CANCELS_ONLY, DATA_ONLY, TRADING, Lane, RateLimit
from arbtui.exchanges.refusals import Meaning, Refusal, Retry, Scope
from arbtui.exchanges.subscriptions import Keepalive
from arbtui.exchanges.upbit import refusals as upbit_refusals
from arbtui.exchanges.upbit.rules import market_of as upbit_market
from arbtui.exchanges.venues import RAILS, VENUES
from arbtui.exchanges.wire import MarketDataSink
from arbtui.model.market import FeeTakenIn, Market

EACH = pytest.mark.parametrize("exchange", VENUES)

# limits

#: Limits of a venue's own clock: by whole seconds, minutes or days of UTC.
ALIGNED = {
    "binance": {"weight/1m", "raw/5m", "orders/10s", "orders/1d"},
    "binanceusdm": {"weight/1m", "orders/10s", "orders/1m"},
}
#: Limits of requests, whatever each costs.
PER_REQUEST = {"binance": {"raw/5m"}, "bitget": {"address/1m"}}
#: Names of limits that are not their group's, with a span or not.
OTHER_NAMES = {"raw/5m": "weight"}


@EACH
def test_a_limit_is_named_after_its_group_and_counts_as_the_venue_does(exchange: str) -> None:
    limits = VENUES[exchange].limits.limits
    assert [limit.name for limit in limits if limit.group != OTHER_NAMES.get(limit.name, limit.name.partition("/")[0])] == []
    assert {limit.name for limit in limits if limit.aligned} == ALIGNED.get(exchange, set())
    assert {limit.name for limit in limits if limit.per_request} == PER_REQUEST.get(exchange, set())
    assert len({limit.name for limit in limits}) == len(limits)


@EACH
def test_sockets_never_wait_for_orders_nor_orders_for_sockets(exchange: str) -> None:
    for limit in VENUES[exchange].limits.limits:
        if limit.group.startswith("socket-"):
            assert limit.shares is DATA_ONLY, limit.name
        if "cancel" in limit.group:
            assert limit.shares is CANCELS_ONLY, limit.name


def test_what_each_lane_may_fill_of_a_limit() -> None:
    limit = RateLimit("x", "x", 100, 1.0)
    assert [round(limit.cap(lane)) for lane in Lane] == [100, 80, 70, 50, 30]
    assert [TRADING.of(lane) for lane in Lane] == [1.0, 0.8, 0.7, 0.5, 0.3]
    assert [DATA_ONLY.of(lane) for lane in Lane] == [1.0, 0.9, 0.9, 0.9, 0.9]
    assert [CANCELS_ONLY.of(lane) for lane in Lane] == [1.0] * 5
    assert (limit.jitter_s, limit.per_request, limit.aligned) == (0.0, False, False)


# abilities

#: By venue: those that it has.
ABLE = {
    "upbit": {
        "immediate_orders", "private_stream", "test_orders", "lists_name_our_ids", "tells_price_units", "notices", "flags",
    },
    "binance": {
        "immediate_orders", "private_stream", "test_orders", "lists_name_our_ids", "lists_tell_halts", "requests_carry_time",
        "announces_shutdown", "tells_price_units", "notices", "publishes_contracts",
    },
    "binanceusdm": {
        "immediate_orders", "private_stream", "test_orders", "lists_name_our_ids", "lists_tell_halts", "requests_carry_time",
        "tells_price_units",
    },
    "bithumb": {"immediate_orders", "private_stream", "lists_name_our_ids", "requests_carry_time", "notices", "flags"},
    "bitget": {
        "immediate_orders", "private_stream", "lists_name_our_ids", "lists_tell_halts", "requests_carry_time", "tells_price_units",
        "publishes_contracts",
    },
    "bybit": {
        "immediate_orders", "private_stream", "lists_name_our_ids", "lists_tell_halts", "requests_carry_time", "tells_price_units",
        "flags", "publishes_contracts",
    },
    "okx": {
        "immediate_orders", "private_stream", "lists_name_our_ids", "lists_tell_halts", "requests_carry_time", "announces_shutdown",
        "tells_price_units", "publishes_contracts",
    },
    "coinone": {"private_stream", "lists_tell_halts", "tells_price_units"},
}  # fmt: skip


def able(capabilities: Capabilities) -> set[str]:
    return {field.name for field in fields(capabilities) if getattr(capabilities, field.name) is True}


@EACH
def test_what_a_venues_interface_can_do(exchange: str) -> None:
    assert able(VENUES[exchange].capabilities) == ABLE[exchange]


def test_a_venue_that_says_nothing_can_do_what_orders_need_and_no_more() -> None:
    assert able(EVERYTHING) == ABLE["binanceusdm"]


@EACH
def test_addresses_are_of_their_kind(exchange: str) -> None:
    urls = VENUES[exchange].urls
    assert urls.rest.startswith("https://")
    assert urls.stream.startswith("wss://")
    assert urls.private.startswith("wss://")
    assert urls.all == (urls.rest, urls.stream, urls.private)


def test_real_orders_were_proven_at_two_venues_in_their_first_quote() -> None:
    assert {venue.name for venue in VENUES.values() if venue.is_proven} == {"upbit", "binance"}
    assert [VENUES["upbit"].is_proven_in(quote) for quote in ("KRW", "BTC", "USDT")] == [True, False, False]
    assert [VENUES["bybit"].is_proven_in(quote) for quote in ("USDT", "BTC")] == [False, False]
    assert [(venue.name, venue.quote) for venue in VENUES.values() if venue.quote != venue.quotes[0]] == []


def test_koreas_rails() -> None:
    assert set(RAILS) == {"upbit", "bithumb", "coinone"}
    for rails in RAILS.values():
        assert (rails.currency, rails.lock_h, rails.first_lock_h, rails.travel_rule_from) == ("KRW", 24.0, 72.0, Decimal(1_000_000))


#: Of the public stream: least seconds between two messages, messages that are confirmed (0: each), s after which the venue closes a
#: socket, markets a socket, and what keeps it open.
FRAMING: Mapping[str, tuple[float, int, float, int, Keepalive | None]] = {
    "upbit": (0.25, 1, 86_400.0, 300, None),
    "binance": (0.25, 0, 86_400.0, 66, None),
    "binanceusdm": (0.25, 0, 86_400.0, 66, None),
    "bithumb": (0.25, 1, 86_400.0, 500, None),
    "bitget": (0.25, 0, 86_400.0, 16, Keepalive("ping", 20.0)),
    "bybit": (0.05, 0, 86_400.0, 60, Keepalive('{"op":"ping"}', 20.0)),
    "okx": (0.35, 0, 86_400.0, 25, Keepalive("ping", 20.0)),
    "coinone": (0.001, 0, 1_800.0, 400, None),
}


@EACH
def test_a_public_stream_keeps_the_venues_pace(exchange: str) -> None:
    public = VENUES[exchange].public()
    framing = public.framing
    markets = max(len(one.codes) for one in framing.subscriptions([f"C{number}" for number in range(600)]))
    told = (framing.message_gap_s, framing.confirmations, framing.lifetime_s, markets, public.keepalive)
    assert told == FRAMING[exchange]
    assert framing.connect_costs == {"socket-connect": 1}


#: Of the public stream: how its books are numbered, and whether a market's whole book is sent again for the asking.
BOOKS: Mapping[str, tuple[Numbering, bool]] = {
    "upbit": (Numbering.WHOLE, False),
    "binance": (Numbering.SPOT, False),
    "binanceusdm": (Numbering.USDM, False),
    "bithumb": (Numbering.WHOLE, False),
    "bitget": (Numbering.WHOLE, False),
    "bybit": (Numbering.STREAM, True),
    "okx": (Numbering.STREAM, True),
    "coinone": (Numbering.WHOLE, False),
}


@EACH
def test_a_public_stream_is_read_by_the_venues_own_decoder_and_numbering(exchange: str) -> None:
    public = VENUES[exchange].public()
    folder = "binance" if exchange == "binanceusdm" else exchange
    decoder = public.decoder(create_autospec(MarketDataSink))
    assert type(decoder).__module__ == f"arbtui.exchanges.{folder}.wire"
    assert type(public.framing).__module__ == f"arbtui.exchanges.{folder}.subscriptions"
    assert (public.numbering, public.resubscription is not None) == BOOKS[exchange]


# markets by the documented rules

TICK, LOT = Decimal("0.01"), Decimal("0.001")
RECEIVED, QUOTE = FeeTakenIn.RECEIVED, FeeTakenIn.QUOTE


@pytest.mark.parametrize(
    ("market", "taker", "maker", "taken_in", "least", "most", "least_cost"),
    [
        (upbit_market("KRW-XRP"), "0.0005", "0.0005", QUOTE, "0.00000001", "1e13", "5000"),
        (upbit_market("BTC-XRP"), "0.0025", "0.0025", QUOTE, "0.00000001", "1e13", "0.00005"),
        (bithumb_market("KRW-XRP"), "0.0025", "0.0025", QUOTE, "0.00000001", "1e13", "5000"),
        (bithumb_market("BTC-XRP"), "0.0025", "0.0025", QUOTE, "0.00000001", "1e13", "0.00005"),
        (coinone_market("XRP"), "0.002", "0.002", QUOTE, "0.00000001", "1e13", "5000"),
        (binance_market("XRP", "USDT", TICK, LOT, Decimal(7)), "0.001", "0.001", RECEIVED, "0.001", "1e15", "7"),
        (linear_market("XRP", "USDT", TICK, LOT, Decimal(7)), "0.0005", "0.0002", QUOTE, "0.001", "1e15", "7"),
        (bitget_market("XRP", "USDT", TICK, LOT), "0.001", "0.001", RECEIVED, "0.001", "1e15", "5"),
        (bybit_market("XRP", "USDT", TICK, LOT), "0.001", "0.001", RECEIVED, "0.001", "1e15", "5"),
        (okx_market("XRP", "USDT", TICK, LOT, Decimal(3)), "0.001", "0.0008", RECEIVED, "3", "1e15", "0"),
    ],
    ids=lambda value: f"{value.exchange} {value.code}" if isinstance(value, Market) else None,
)
def test_a_market_by_the_documented_rules(
    market: Market, taker: str, maker: str, taken_in: FeeTakenIn, least: str, most: str, least_cost: str
) -> None:
    assert (market.fees.taker, market.fees.maker) == (Decimal(taker), Decimal(maker))
    assert (market.fees.taken_in, market.fees.coin) == (taken_in, "")
    assert (market.min_qty, market.max_qty, market.min_cost) == (Decimal(least), Decimal(most), Decimal(least_cost))
    assert market.base == "XRP"
    assert market.code in (f"XRP{market.quote}", f"XRP-{market.quote}", f"{market.quote}-XRP")
    if market.quote == "USDT":
        assert (market.price_units.at(Decimal(3)), market.lot_step) == (TICK, LOT)
    else:
        assert market.lot_step == Decimal("0.00000001")
    if market.quote == "BTC":
        assert [market.price_units.at(Decimal(price)) for price in ("0.00001", "2")] == [Decimal("0.00000001")] * 2


@pytest.mark.parametrize("market_of", [upbit_market, bithumb_market])
def test_a_market_of_another_quote_is_none(market_of: object) -> None:
    assert callable(market_of)
    with pytest.raises(ValueError, match="USDT-XRP is no KRW or BTC market"):
        market_of("USDT-XRP")


def test_a_stablecoin_moves_by_half_a_won_at_upbit_alone() -> None:
    assert [upbit_market(f"KRW-{base}").price_units.at(Decimal(1400)) for base in ("USDT", "USDC", "XRP")] == [
        Decimal("0.5"),
        Decimal("0.5"),
        Decimal(1),
    ]
    assert bithumb_market("KRW-USDT").price_units.at(Decimal(1400)) == 1


# refusals

TABLES: Mapping[str, Mapping[str, Refusal]] = {
    "upbit": upbit_refusals.NAMES,
    "binance": binance_refusals.CODES,
    "binance messages": binance_refusals.MESSAGES,
    "bithumb": bithumb_refusals.NAMES,
    "bitget": bitget_refusals.CODES,
    "bybit": bybit_refusals.CODES,
    "okx": okx_refusals.CODES,
    "coinone": coinone_refusals.CODES,
    "any venue": {name: row for name, row in vars(refusals).items() if isinstance(row, Refusal)},
}
#: What each meaning may be said of: a no to the keys never stops at one order, a no to an order never stops the account for good.
SCOPES: Mapping[Meaning, set[Scope]] = {
    Meaning.UNREACHABLE: {Scope.VENUE},
    Meaning.RATE_LIMITED: {Scope.IP, Scope.ACCOUNT, Scope.VENUE},
    Meaning.CLOCK: {Scope.ORDER},
    Meaning.KEYS: {Scope.KEY, Scope.IP},
    Meaning.ACCOUNT: {Scope.ACCOUNT},
    Meaning.VENUE: {Scope.VENUE},
    Meaning.NOT_FOUND: {Scope.ORDER},
    Meaning.ARCHIVED: {Scope.ORDER},
    Meaning.REFUSED: {Scope.ORDER, Scope.SYMBOL, Scope.ACCOUNT},
    Meaning.UNKNOWN: {Scope.VENUE, Scope.ACCOUNT, Scope.KEY, Scope.ORDER, Scope.EARLIER_COPY},
}
#: When what has that meaning may be asked again.
RETRIES: Mapping[Meaning, set[Retry]] = {
    Meaning.UNREACHABLE: {Retry.LATER},
    Meaning.RATE_LIMITED: {Retry.LATER},
    Meaning.CLOCK: {Retry.CLOCK},
    Meaning.KEYS: {Retry.PROBE},
    Meaning.ACCOUNT: {Retry.PROBE},
    Meaning.VENUE: {Retry.PROBE},
    Meaning.NOT_FOUND: {Retry.NEVER},
    Meaning.ARCHIVED: {Retry.NEVER},
    Meaning.REFUSED: {Retry.NEVER, Retry.LATER, Retry.PROBE},
    Meaning.UNKNOWN: {Retry.NEVER, Retry.LATER, Retry.PROBE},
}


@pytest.mark.parametrize("table", TABLES)
def test_every_row_says_whom_it_concerns_when_it_may_be_tried_again_and_what_to_do(table: str) -> None:
    assert TABLES[table]
    for code, row in TABLES[table].items():
        assert type(row.scope) is Scope, code
        assert type(row.meaning) is Meaning, code
        assert row.scope in SCOPES[row.meaning], code
        assert row.retry in RETRIES[row.meaning], code
        assert " " in row.say, code
        assert row.word == row.word.upper().replace(" ", "_"), code
        assert row.order_word == (row.word or row.meaning.value), code


def test_rows_that_stand_in_for_a_missing_one_say_so() -> None:
    standing_in = {name: {code for code, row in table.items() if not row.is_listed} for name, table in TABLES.items()}
    assert standing_in.pop("any venue") == {"UNLISTED", "UNLISTED_KEY"}
    assert {name for name, codes in standing_in.items() if codes} == {"binance"}
    assert standing_in["binance"] == {code for code, row in binance_refusals.CODES.items() if row is binance_refusals.CODES["-2010"]}
    spoken = binance_refusals.refusal("-2010", "words of tomorrow")
    assert spoken is not None
    assert (spoken.is_listed, spoken.scope, spoken.meaning, spoken.retry) == (False, Scope.ACCOUNT, Meaning.REFUSED, Retry.PROBE)
