"""What is known of every venue by its name: its hosts, what its quotes are worth roughly, its limits."""

from dataclasses import asdict
from decimal import Decimal

import pytest

from arbtui.exchanges.binance.rules import linear_market
from arbtui.exchanges.config import ExchangeConfig, UrlsConfig
from arbtui.exchanges.venues import VENUES, account_origin, documented_limits, is_bank_money, per_dollar, roughly, strange_addresses


def exchange(
    rest: str, stream: str = "wss://stream.binance.com/stream", private: str = "wss://ws-api.binance.com/ws-api/v3"
) -> ExchangeConfig:
    return ExchangeConfig(quote="USDT", urls=UrlsConfig(rest=rest, stream=stream, private=private))


@pytest.mark.parametrize(
    ("name", "origin", "held_at"),
    [
        ("binance", "https://api.binance.com", "https://binance.com"),
        ("binance", "https://api1.binance.com.", "https://binance.com"),
        ("binance", "https://binance.com:443", "https://binance.com"),
        ("binance", "https://API-GCP.binance.com", "https://binance.com"),
        ("binance", "https://testnet.binance.vision", "https://binance.vision"),
        ("binance", "https://binance.com.example.org", "https://binance.com.example.org"),
        ("binance", "https://notbinance.com", "https://notbinance.com"),
        ("binance", "http://127.0.0.1:9100", "http://127.0.0.1:9100"),
        ("upbit", "https://api.binance.com", "https://api.binance.com"),
        ("kraken", "https://api.kraken.com", "https://api.kraken.com"),
        ("binance", "nothing", "nothing"),
    ],
)
def test_f56_an_account_is_the_same_at_each_of_a_venues_own_hosts_and_another_one_anywhere_else(
    name: str, origin: str, held_at: str
) -> None:
    assert account_origin(name, origin) == held_at


@pytest.mark.parametrize(
    ("name", "rest", "found"),
    [
        ("binance", "https://api.binance.com", []),
        ("binance", "https://binance.com.", []),
        ("binance", "http://api.binance.com", ["http://api.binance.com is not encrypted"]),
        ("binance", "https://notbinance.com", ["https://notbinance.com is no address of binance's (binance.com or binance.vision)"]),
        ("binance", "http://127.0.0.1:9100", ["http://127.0.0.1:9100 is no address of binance's (binance.com or binance.vision)"]),
    ],
)
def test_real_orders_go_to_the_venues_own_encrypted_addresses_alone(name: str, rest: str, found: list[str]) -> None:
    assert strange_addresses(name, exchange(rest)) == found


def test_every_address_is_looked_at_and_each_is_named() -> None:
    assert strange_addresses("binance", exchange("https://a.com", "wss://b.com/stream", "ws://api.binance.com/ws-api/v3")) == [
        "https://a.com is no address of binance's (binance.com or binance.vision)",
        "wss://b.com/stream is no address of binance's (binance.com or binance.vision)",
        "ws://api.binance.com/ws-api/v3 is not encrypted",
    ]
    told = strange_addresses("kraken", exchange("https://api.kraken.com"))
    assert told[0] == "https://api.kraken.com is no address of kraken's (none is known)"
    assert len(told) == 3


def test_the_addresses_that_a_venue_is_shipped_with_are_its_own() -> None:
    for venue in VENUES.values():
        urls = UrlsConfig(rest=venue.urls.rest, stream=venue.urls.stream, private=venue.urls.private)
        assert strange_addresses(venue.name, ExchangeConfig(quote=venue.quote, urls=urls)) == []


def test_won_moves_over_a_bank_and_a_dollar_coin_does_not() -> None:
    assert is_bank_money("KRW") is True
    assert is_bank_money("USDT") is False


def test_amounts_are_roughly_the_same_in_another_currency() -> None:
    won = per_dollar("KRW")
    assert 1000.0 < won < 2000.0
    assert per_dollar("USDT") == 1.0
    assert per_dollar("EUR") == 1.0
    assert roughly(7.5, "KRW", "KRW") == 7.5
    assert roughly(7.5, "EUR", "EUR") == 7.5
    assert roughly(3.0, "USDT", "KRW") == 3.0 * won
    assert roughly(3.0 * won, "KRW", "USDT") == 3.0
    assert roughly(3.0, "EUR", "KRW") is None
    assert roughly(3.0, "KRW", "EUR") is None


def test_limits_are_those_of_the_venues_own_documents() -> None:
    for name, venue in VENUES.items():
        assert documented_limits(name) is venue.limits
    with pytest.raises(ValueError, match=r"^no rate limits are known for kraken; known venues: upbit, binance"):
        documented_limits("kraken")


def test_the_one_venue_that_no_simulator_plays_has_markets_for_a_replay() -> None:
    assert [venue.name for venue in VENUES.values() if venue.plain_market is not None] == ["binanceusdm"]
    plain = VENUES["binanceusdm"].plain_market
    assert plain is not None
    tick, lot = Decimal("0.0001"), Decimal("0.1")
    assert asdict(plain("XRP", tick, lot)) == asdict(linear_market("XRP", "USDT", tick, lot, Decimal(5)))
