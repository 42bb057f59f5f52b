"""Numbers, sides, flags and fees as venues write them, at each side of every bound."""

from dataclasses import replace
from decimal import Decimal

import pytest

from arbtui.exchanges.amounts import amount, fee_rate, last_price, number, read, reader, side_of
from arbtui.exchanges.fill_fee import fee_of
from arbtui.exchanges.market_flags import MarketFlag, untold
from arbtui.exchanges.wire import not_json
from arbtui.model.errors import WireError
from arbtui.model.market import FeeTakenIn
from arbtui.model.order import Side
from tests.exchanges.scripted_venue import BINANCE_XRP


@pytest.mark.parametrize("text", ["0", "0.00000001", "1e20"])
def test_an_amount_is_itself(text: str) -> None:
    assert amount(Decimal(text), "qty") == Decimal(text)


@pytest.mark.parametrize("text", ["-0.5", "NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(WireError, match=f"^qty: {text} is not an amount$"):
        amount(Decimal(text), "qty")


def test_a_number_may_be_missing_or_negative() -> None:
    assert [number(text, "x") for text in (None, "", "0", "-1.5", "1e3")] == [None, None, Decimal(0), Decimal("-1.5"), Decimal(1000)]
    for text in ("x", "NaN", "Infinity", "1,5"):
        with pytest.raises(WireError, match=f"^x: '{text}' is not a number$"):
            number(text, "x")


@pytest.mark.parametrize(("text", "is_rate"), [("0.999", True), ("-0.999", True), ("1", False), ("-1", False), ("NaN", False)])
def test_a_rate_is_below_the_whole(text: str, is_rate: bool) -> None:
    if is_rate:
        assert fee_rate(Decimal(text), "fee") == Decimal(text)
    else:
        with pytest.raises(WireError, match=f"^fee: {text} is not a fee's rate$"):
            fee_rate(Decimal(text), "fee")


def test_a_last_price() -> None:
    assert [last_price(Decimal(text)) for text in ("0.00000001", "0", "-0.00000001", "Infinity")] == [1e-8, 0.0, 0.0, 0.0]


def test_a_side_is_one_of_two_words() -> None:
    assert (side_of("bid", "bid", "ask"), side_of("ask", "bid", "ask")) == (Side.BUY, Side.SELL)
    with pytest.raises(WireError, match=r"^side: 'BID' is neither bid nor ask$"):
        side_of("BID", "bid", "ask")


def test_json_is_read_or_refused() -> None:
    assert read([1], list[int], "a") == [1]
    assert reader(list[int], "a")(b"[1]") == [1]
    for raw in (b"{", b'["\xff"]', b'["x"]'):
        with pytest.raises(WireError, match=r"^a: "):
            reader(list[int], "a")(raw)
    with pytest.raises(WireError, match=r"^a: "):
        read({}, list[int], "a")


@pytest.mark.parametrize(
    ("raw", "kind"),
    [(b"<html>", "html"), (b" \n<html>", "html"), (b" " * 63 + b"<", "html"), (b" " * 64 + b"<", "json"), (b"{<", "json"), (b"", "json")],
)
def test_a_web_page_has_its_own_kind(raw: bytes, kind: str) -> None:
    error = not_json(raw, ValueError("words"))
    assert (error.kind, error.detail) == (kind, "words")


@pytest.mark.parametrize("word", ["CAUTION", "!", "~", "x" * 64])
def test_a_flag_is_a_word(word: str) -> None:
    assert MarketFlag(word, is_grave=True).word == word


@pytest.mark.parametrize("word", ["", " ", "a b", "x" * 65, "주의", None, 7])
def test_what_is_no_flag(word: str) -> None:
    with pytest.raises(WireError, match=r"^market flag: .* is none$"):
        MarketFlag(word, is_grave=True)


def test_flags_that_are_not_told_are_not_none_at_all() -> None:
    assert untold(["A", "B"]) == {"A": None, "B": None}


QTY, PRICE = Decimal(10), Decimal("2.5")
COIN = replace(BINANCE_XRP, fees=replace(BINANCE_XRP.fees, taken_in=FeeTakenIn.COIN, coin="BNB"))
QUOTE = replace(BINANCE_XRP, fees=replace(BINANCE_XRP.fees, taken_in=FeeTakenIn.QUOTE))


@pytest.mark.parametrize(
    ("market", "side", "fee", "currency", "expected"),
    [
        (BINANCE_XRP, Side.BUY, "0.5", "BNB", ("0.5", "BNB")),
        (BINANCE_XRP, Side.SELL, "-0.5", "USDT", ("-0.5", "USDT")),
        (BINANCE_XRP, Side.BUY, "0", "", ("0", "XRP")),
        (BINANCE_XRP, Side.SELL, "0", None, ("0", "USDT")),
        (BINANCE_XRP, Side.BUY, "0", "BNB", ("0", "BNB")),
        (BINANCE_XRP, Side.BUY, None, "BNB", ("0.01", "XRP")),
        (BINANCE_XRP, Side.BUY, "0.5", "", ("0.01", "XRP")),
        (BINANCE_XRP, Side.BUY, "0.5", None, ("0.01", "XRP")),
        (BINANCE_XRP, Side.SELL, None, None, ("0.025", "USDT")),
        (QUOTE, Side.BUY, None, None, ("0.025", "USDT")),
        (QUOTE, Side.SELL, None, None, ("0.025", "USDT")),
        (COIN, Side.BUY, None, None, ("0.025", "USDT")),
    ],
)
def test_the_fee_of_a_fill(market: object, side: Side, fee: str | None, currency: str | None, expected: tuple[str, str]) -> None:
    found = fee_of(market, side, QTY, PRICE, None if fee is None else Decimal(fee), currency)  # type: ignore[arg-type]
    assert found == (Decimal(expected[0]), expected[1])
    assert not found[0].is_signed() or found[0] < 0
