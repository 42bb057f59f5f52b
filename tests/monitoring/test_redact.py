"""What a venue's protocol carries secrets under is masked wherever a line of log shows it."""

import logging

import pytest

from arbtui.monitoring.redact import redact
from arbtui.monitoring.redacting_formatter import RedactingFormatter


@pytest.mark.parametrize(
    "line",
    [
        "GET https://api.binance.com/api/v3/order?symbol=BTCUSDT&timestamp=canary&signature=canary&recvWindow=5000",
        "{'apiKey': 'canary', 'secret': 'canary'}",
        '{"listenKey":"canary","listen_key": "canary"}',
        "X-MBX-APIKEY: canary",
        "{'X-MBX-APIKEY': 'canary'}",
        "api_key=canary access_key=canary secretKey = canary SECRET_KEY=canary",
        '"access_key":"canary"',
        "passphrase=canary, token: canary",
        "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJhY2Nlc3Nfa2V5IjoiY2FuYXJ5In0.canary-canary",
        "{'Authorization': 'Bearer canary-canary'}",
        "authorization: BEARER canary-canary",
        "sent eyJhbGciOiJIUzI1NiJ9.eyJub25jZSI6ImNhbmFyeSJ9.canary as it is",
    ],
)
def test_what_is_carried_under_a_secrets_name_is_masked(line: str) -> None:
    told = redact(line)
    assert "canary" not in told
    assert "eyJ" not in told
    assert "[secret]" in told


@pytest.mark.parametrize(
    "line",
    [
        "XRP:upbit>binance enabled by the operator",
        "order=12 sent, 3 tokens left in the bucket; timestamps differ by 12 ms",
        "no API keys of upbit: store them with `arbtui keys set upbit`",
        "the signatures of 3 functions changed",
    ],
)
def test_the_rest_of_a_line_stays_as_it_is(line: str) -> None:
    assert redact(line) == line


def test_the_url_stays_readable_around_it() -> None:
    line = "timeout: https://h/api/v3/order?symbol=XRPUSDT&timestamp=1767225600000&signature=0123456789abcdef&recvWindow=5000"
    assert redact(line) == "timeout: https://h/api/v3/order?symbol=XRPUSDT&timestamp=[secret]&signature=[secret]&recvWindow=5000"


def test_tracebacks_are_covered() -> None:
    try:
        raise RuntimeError("binance GET https://h/order?signature=canary")
    except RuntimeError:
        import sys

        record = logging.LogRecord("arbtui", logging.ERROR, "f", 1, "failed", None, sys.exc_info())
    assert "canary" not in RedactingFormatter("%(message)s").format(record)
