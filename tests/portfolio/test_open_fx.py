"""What is open of a settlement currency, as ledgers print it."""

from decimal import Decimal

from arbtui.portfolio.open_fx import OpenFx


def test_amounts_are_printed_to_eight_decimals_and_what_is_not_known_as_nothing() -> None:
    known = OpenFx("KRW", Decimal("12400.50"), Decimal("8.854337737"), 1_000, Decimal("1.123456789"), Decimal("-0.000000004"), "USDT")
    assert known.facts() == {
        "asset": "KRW", "amount": "12400.5", "value_usdt": "8.85433774", "since": "1970-01-01T00:00:01.000Z",
        "converted_usdt": "1.12345679", "cost_usdt": "0",
        "currency": "USDT", "value": "8.85433774", "converted": "1.12345679", "cost": "0",
    }  # fmt: skip
    unknown = OpenFx("KRW", Decimal(0), None, None, Decimal(0), Decimal(0), "USDT").facts()
    assert (unknown["value_usdt"], unknown["since"]) == (None, None)


def test_another_desk_s_amounts_are_named_by_its_currency() -> None:
    facts = OpenFx("USDT", Decimal(10), Decimal(14_000), None, Decimal(0), Decimal(0), "KRW").facts()
    assert (facts["currency"], facts["value"], facts["value_krw"]) == ("KRW", "14000", "14000")
    assert "value_usdt" not in facts
