"""What is known of every venue: its own addresses, its limits, and the money that it quotes in."""

import pytest

from arbtui.exchanges.config import ExchangeConfig, UrlsConfig
from arbtui.exchanges.venues import VENUES, account_origin, documented_limits, is_bank_money, roughly, strange_addresses


def test_f56_a_venue_s_other_hosts_hold_the_same_accounts() -> None:
    """Binance answers at several; a second profile that names another one trades on the same account."""
    own = ("https://api.binance.com", "https://api1.binance.com", "https://API-GCP.binance.com", "https://api.binance.com.")
    assert {account_origin("binance", origin) for origin in own} == {"https://binance.com"}
    for origin in ("http://127.0.0.1:9101", "https://binance.com.example.org", "https://notbinance.com"):
        assert account_origin("binance", origin) == origin
    assert account_origin("no venue", "https://api.binance.com") == "https://api.binance.com"
    assert account_origin("binance", "https://testnet.binance.vision") != "https://binance.com"


def test_real_orders_go_to_a_venue_s_own_addresses_alone_and_encrypted() -> None:
    def strange(name: str, rest: str, private: str = "wss://ws-api.binance.com/ws-api/v3") -> list[str]:
        urls = UrlsConfig(rest=rest, stream="wss://stream.binance.com:9443/stream", private=private)
        return strange_addresses(name, ExchangeConfig(quote="USDT", urls=urls))

    assert strange("binance", "https://api.binance.com") == []
    assert strange("binance", "https://binance.com.") == []
    assert strange("binance", "http://api.binance.com") == ["http://api.binance.com is not encrypted"]
    assert strange("binance", "https://api.binance.com", "ws://ws-api.binance.com/x") == ["ws://ws-api.binance.com/x is not encrypted"]
    for host in ("notbinance.com", "binance.com.example.org", "127.0.0.1:9101"):
        (words,) = strange("binance", f"https://{host}")
        assert words.startswith(f"https://{host} is no address of binance's (binance.com")
    assert len(strange("no venue", "https://api.binance.com")) == 3
    assert strange("no venue", "https://api.binance.com")[0] == "https://api.binance.com is no address of no venue's (none is known)"


def test_limits_of_an_unknown_venue_are_refused_with_those_that_are_known() -> None:
    assert documented_limits("upbit") is VENUES["upbit"].limits
    with pytest.raises(ValueError, match=r"^no rate limits are known for nowhere; known venues: upbit, binance, "):
        documented_limits("nowhere")


def test_money_that_moves_over_a_bank() -> None:
    assert (is_bank_money("KRW"), is_bank_money("USDT"), is_bank_money("XRP")) == (True, False, False)


def test_what_an_amount_is_roughly_in_another_currency() -> None:
    per_dollar = VENUES["upbit"].per_dollar
    assert roughly(5.0, "XRP", "XRP") == 5.0
    assert roughly(2.0, "USDT", "KRW") == 2.0 * per_dollar
    assert roughly(2.0 * per_dollar, "KRW", "USDT") == 2.0
    assert (roughly(1.0, "XRP", "KRW"), roughly(1.0, "KRW", "XRP")) == (None, None)
