"""What is open of a settlement currency, as ledgers print it."""

from decimal import Decimal

from arbtui.portfolio.open_fx import OpenFx


def test_amounts_are_printed_to_eight_decimals_and_what_is_not_known_as_nothing() -> None:
    known = OpenFx("KRW", Decimal("12400.50"), Decimal("8.854337737"), 1_000, Decimal("1.123456789"), Decimal("-0.000000004"))
    assert known.facts() == {
        "asset": "KRW", "amount": "12400.5", "value_usdt": "8.85433774", "since": "1970-01-01T00:00:01.000Z",
        "converted_usdt": "1.12345679", "cost_usdt": "0",
    }  # fmt: skip
    unknown = OpenFx("KRW", Decimal(0), None, None, Decimal(0), Decimal(0)).facts()
    assert (unknown["value_usdt"], unknown["since"]) == (None, None)
