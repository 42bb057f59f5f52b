"""What one answer means, at each side of every bound, before a venue's table is asked and after."""

import pytest

from arbtui.exchanges.answers import Answer, RequestFailed, VenueError, refusal_of
from arbtui.exchanges.refusals import (
    OPEN,
    THROTTLED,
    UNLISTED,
    UNLISTED_KEY,
    UNREACHABLE,
    Meaning,
    Refusal,
    Retry,
    Scope,
    of_account,
    of_key,
    of_order,
    of_symbol,
)
from arbtui.model.errors import OrderRejected, OrderUnknown, VenueFailed, VenueRefused

BUSY = Refusal(Scope.ACCOUNT, Meaning.RATE_LIMITED, Retry.LATER, "too many orders")
ROWS = {
    "order": of_order("too small", "MIN_COST"),
    "symbol": of_symbol("closed"),
    "key": of_key("make a new key"),
    "account": of_account("ask the venue"),
    "busy": BUSY,
    "gone": Refusal(Scope.ORDER, Meaning.NOT_FOUND, Retry.NEVER, "not there"),
}


def rows(code: str, message: str) -> Refusal | None:
    """A venue's table; a message alone says nothing there."""
    return None if message in ROWS else ROWS.get(code)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (None, "order", OPEN),
        (199, "order", OPEN),
        (200, "order", ROWS["order"]),
        (299, "order", ROWS["order"]),
        (300, "order", OPEN),
        (399, "order", OPEN),
        (400, "order", ROWS["order"]),
        (499, "order", ROWS["order"]),
        (500, "order", OPEN),
        (200, "", OPEN),
        (400, "", OPEN),
        (400, "of tomorrow", UNLISTED),
        (200, "of tomorrow", UNLISTED),
        (401, "of tomorrow", UNLISTED_KEY),
        (402, "of tomorrow", UNLISTED),
        (403, "of tomorrow", UNLISTED_KEY),
        (404, "of tomorrow", UNLISTED),
        (401, "order", ROWS["order"]),
        (417, "order", ROWS["order"]),
        (418, "order", THROTTLED),
        (419, "order", ROWS["order"]),
        (428, "busy", BUSY),
        (429, "order", THROTTLED),
        (429, "", THROTTLED),
        (429, "busy", BUSY),
        (430, "order", ROWS["order"]),
    ],
)
def test_what_an_answer_falls_under(status: int | None, code: str, expected: Refusal) -> None:
    assert refusal_of(Answer(status, code, "x", sent=True), rows) is expected
    assert refusal_of(Answer(status, code, "x", sent=False), rows) is UNREACHABLE


def failed(status: int | None, code: str, message: str = "words", *, sent: bool = True) -> RequestFailed:
    return RequestFailed("binance", "POST order", Answer(status, code, message, sent), rows)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (failed(400, "order"), "binance POST order: order words (HTTP 400)"),
        (failed(400, "order", ""), "binance POST order: order (HTTP 400)"),
        (failed(503, "", ""), "binance POST order: no usable answer (HTTP 503)"),
        (failed(None, "", "cut"), "binance POST order: cut"),
    ],
)
def test_a_failure_in_words(error: RequestFailed, text: str) -> None:
    assert str(error) == text
    assert error.meaning is error.refusal.meaning


@pytest.mark.parametrize(
    ("error", "is_of_one_market"),
    [
        (failed(400, "order"), True),
        (failed(400, "symbol"), True),
        (failed(400, "key"), False),
        (failed(400, "account"), False),
        (failed(404, "of tomorrow"), True),
        (failed(405, "of tomorrow"), False),
        (failed(200, "404"), True),
        (failed(200, "405"), False),
        (failed(503, ""), False),
    ],
)
def test_whether_a_refusal_is_for_one_markets_sake(error: RequestFailed, is_of_one_market: bool) -> None:
    assert error.is_of_one_market is is_of_one_market


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (failed(400, "order"), OrderRejected, "MIN_COST binance POST order: order words (HTTP 400)"),
        (failed(400, "symbol"), OrderRejected, "REFUSED binance POST order: symbol words (HTTP 400)"),
        (failed(429, ""), OrderRejected, "RATE_LIMITED binance POST order: words (HTTP 429)"),
        (failed(None, "", "no way", sent=False), OrderRejected, "UNREACHABLE binance POST order: no way"),
        (failed(503, ""), OrderUnknown, "binance POST order: words (HTTP 503)"),
        (failed(400, "of tomorrow"), OrderUnknown, "binance POST order: of tomorrow words (HTTP 400)"),
    ],
)
def test_what_the_sender_of_an_order_is_told(error: RequestFailed, kind: type[Exception], text: str) -> None:
    told = error.of_order()
    assert type(told) is kind
    assert str(told) == text


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (failed(401, "key"), VenueRefused, "binance POST order: key words (HTTP 401); make a new key"),
        (failed(400, "account"), VenueRefused, "binance POST order: account words (HTTP 400); ask the venue"),
        (failed(400, "order"), VenueFailed, "binance POST order: order words (HTTP 400)"),
        (failed(503, ""), VenueFailed, "binance POST order: words (HTTP 503)"),
    ],
)
def test_what_the_sender_of_a_query_is_told(error: RequestFailed, kind: type[Exception], text: str) -> None:
    told = error.of_query()
    assert type(told) is kind
    assert str(told) == text


def test_a_venues_error_need_not_say_when_it_is_over() -> None:
    assert VenueError("4", "busy") == ("4", "busy", None)
    assert Answer(429, "4", "busy", sent=True).retry_at_ms is None
