"""Coinone's rules, limits and refusals: from its documents."""

import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from arbtui.exchanges.answers import Answer, refusal_of
from arbtui.exchanges.coinone.limits import LIMITS, banned, used
from arbtui.exchanges.coinone.networks import Currency, networks_of
from arbtui.exchanges.coinone.refusals import CODES, refusal
from arbtui.exchanges.coinone.rules import KRW_PRICE_UNITS, code_of, krw_market, pair_of, units_of
from arbtui.exchanges.refusals import Meaning, Scope
from arbtui.model.market import FeeTakenIn

DOCUMENTED = Path(__file__).parent / "documented" / "coinone_codes.txt"


@pytest.mark.parametrize(
    ("price", "unit"),
    [
        ("116460000", "10000"),
        ("10000000", "10000"),
        ("9995000", "5000"),
        ("4999000", "1000"),
        ("999500", "500"),
        ("499900", "100"),
        ("99950", "50"),
        ("49990", "10"),
        ("9995", "5"),
        ("4999", "1"),
        ("999.5", "0.5"),
        ("499.9", "0.1"),
        ("65.25", "0.05"),
        ("49.59", "0.01"),
        ("9.995", "0.005"),
        ("4.999", "0.001"),
        ("0.2404", "0.0001"),
    ],
)
def test_price_unit_of_each_band(price: str, unit: str) -> None:
    assert krw_market("BTC").price_units.at(Decimal(price)) == Decimal(unit)


def test_each_unit_divides_the_units_above_it() -> None:
    """The simulator rules a whole ladder by its highest price's unit; that is only right as long as this holds."""
    assert all(higher % lower == 0 for (_, higher), (_, lower) in pairwise(KRW_PRICE_UNITS.bands))


def test_a_markets_own_units_may_come_in_any_order() -> None:
    units = units_of([(Decimal(0), Decimal("0.1")), (Decimal(1000), Decimal(1))])
    assert [units.at(Decimal(price)) for price in (1500, 999)] == [1, Decimal("0.1")]


def test_krw_market_rules() -> None:
    market = krw_market("XRP")
    assert (market.code, market.key, market.quote) == ("KRW-XRP", "coinone:KRW-XRP", "KRW")
    assert (market.fees.taker, market.fees.taken_in) == (Decimal("0.002"), FeeTakenIn.QUOTE)
    assert market.refusal(Decimal(3000), Decimal("1.66666667")) is None
    assert "MIN_COST" in (market.refusal(Decimal(3000), Decimal("1.66666666")) or "")
    assert code_of("krw", "xrp") == "KRW-XRP"
    assert pair_of("KRW-XRP") == {"quote_currency": "KRW", "target_currency": "XRP"}


def test_the_use_of_each_limit_is_read_off_its_own_header() -> None:
    assert list(used({"public-ratelimit-remaining": "1197"})) == [("public", 3.0)]
    assert list(used({"private-order-ratelimit-remaining": "35"})) == [("order", 5.0)]
    assert list(used({"private-ratelimit-remaining": "80"})) == [("query", 0.0)]
    assert list(used({"private-ratelimit-remaining": "many"})) == list(used({"private-ratelimit-remaining": "99"})) == list(used({})) == []
    assert {limit.name: (limit.hard, limit.window_s) for limit in LIMITS if "socket" not in limit.name} == {
        "public": (1200, 60.0),
        "order": (40, 1.0),
        "query": (80, 1.0),
    }


def test_a_refusal_for_too_many_requests_silences_its_own_limit() -> None:
    assert banned(429, "4", ("order",)) == ("order",)
    assert banned(429, "4", ()) is None
    row = refusal_of(Answer(200, "4", "Blocked user access", sent=True), refusal)
    assert (row.meaning, row.scope) == (Meaning.RATE_LIMITED, Scope.ACCOUNT)


def test_every_documented_code_has_a_row_and_no_other() -> None:
    documented = [line for line in DOCUMENTED.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert len(documented) > 90
    assert set(documented) == set(CODES)


@pytest.mark.parametrize(
    ("code", "meaning", "scope", "word"),
    [
        ("103", Meaning.REFUSED, Scope.ORDER, "INSUFFICIENT_FUNDS"),
        ("104", Meaning.NOT_FOUND, Scope.ORDER, "NOT_FOUND"),
        ("105", Meaning.REFUSED, Scope.SYMBOL, "PRICE_UNIT"),
        ("306", Meaning.REFUSED, Scope.SYMBOL, "MIN_COST"),
        ("305", Meaning.REFUSED, Scope.SYMBOL, "LOT_SIZE"),
        ("12", Meaning.KEYS, Scope.KEY, "KEYS"),
        ("10", Meaning.KEYS, Scope.IP, "KEYS"),
        ("50", Meaning.ACCOUNT, Scope.ACCOUNT, "ACCOUNT"),
        ("312", Meaning.UNKNOWN, Scope.EARLIER_COPY, "UNKNOWN"),
        ("132", Meaning.UNKNOWN, Scope.EARLIER_COPY, "UNKNOWN"),
        ("405", Meaning.UNKNOWN, Scope.VENUE, "UNKNOWN"),
        ("99999", Meaning.UNKNOWN, Scope.ACCOUNT, "UNKNOWN"),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_what_a_code_says_of_an_order(status: int, code: str, meaning: Meaning, scope: Scope, word: str) -> None:
    row = refusal_of(Answer(status, code, "x", sent=True), refusal)
    assert (row.meaning, row.scope, row.order_word) == (meaning, scope, word)


def test_a_recorded_answer_about_wallets_tells_their_terms(shared_data: Path) -> None:
    told = json.loads((shared_data / "fixtures" / "ccxt-korea-transcribed.json").read_text())["coinone"]["GET /public/v2/currencies"]
    (row,) = told["currencies"]
    fields = {name: row[name] for name in ("symbol", "deposit_status", "withdraw_status")}
    currency = Currency(
        **fields, withdrawal_min_amount=Decimal(row["withdrawal_min_amount"]), withdrawal_fee=Decimal(row["withdrawal_fee"])
    )
    (terms,) = networks_of([currency], ["USDT", "XRP"])["USDT"]
    assert (terms.deposits, terms.withdrawals, terms.fee, terms.least) == (True, True, Decimal(2), Decimal(1))
    suspended = networks_of([Currency("XRP", "suspended", "normal")], ["XRP"])["XRP"][0]
    assert (suspended.deposits, suspended.withdrawals) == (False, True)
    assert "deposits suspended" in suspended.words
