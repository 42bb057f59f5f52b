import json
import math

import pytest

from arbtui.exchanges.bybit.subscriptions import BybitFraming
from arbtui.exchanges.subscriptions import NoticeKind
from arbtui.model.errors import WireError
from tests.exchanges.bybit.wires import DELTA, PONG, SNAPSHOT, SUBSCRIBED, TRADE, raw

FRAMING = BybitFraming()


def test_subscriptions_keep_the_venues_bounds() -> None:
    codes = [f"COIN{number}USDT" for number in range(130)]
    subscriptions = FRAMING.subscriptions(codes)
    assert [code for one in subscriptions for code in one.codes] == codes
    for one in subscriptions:
        topics = [topic for message in one.messages for topic in json.loads(message)["args"]]
        assert topics == [topic for code in one.codes for topic in (f"orderbook.50.{code}", f"publicTrade.{code}")]
        assert one.streams == len(topics)
        assert all(len(json.loads(message)["args"]) == 2 for message in one.messages)  # one bad topic, and nothing of its message is taken
        assert sum(len(topic) for topic in topics) < 21_000
    assert len(FRAMING.subscriptions(codes, sockets=5)) == 5


def test_a_book_is_asked_for_anew_by_its_topic() -> None:
    assert [json.loads(message) for message in FRAMING.resubscription("XRPUSDT")] == [
        {"op": "unsubscribe", "args": ["orderbook.50.XRPUSDT"]},
        {"op": "subscribe", "args": ["orderbook.50.XRPUSDT"]},
    ]
    assert FRAMING.snapshot("XRPUSDT") is None


@pytest.mark.parametrize("frame", [SNAPSHOT, DELTA, TRADE])
def test_market_data_is_told_by_its_first_bytes(frame: object) -> None:
    assert FRAMING.is_data(raw(frame))
    assert FRAMING.merge_key(raw(frame)) is None


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (SUBSCRIBED, NoticeKind.CONFIRMED),
        ({**SUBSCRIBED, "op": "unsubscribe"}, None),
        (PONG, None),
        ({"success": False, "ret_msg": "error:handler not found,topic:orderbook.7.X", "op": "subscribe"}, NoticeKind.REFUSED),
        ({"success": False, "ret_msg": "error:handler not found,topic:orderbook.50.XUSDT", "op": "subscribe"}, NoticeKind.UNLISTED),
        ({"success": False, "ret_msg": "Invalid symbol :[orderbook.50.XUSDT]", "op": "subscribe"}, NoticeKind.UNLISTED),
        ({"success": False, "ret_msg": "Invalid symbol :[publicTrade.XUSDT]", "op": "subscribe"}, NoticeKind.UNLISTED),
        ({"success": False, "ret_msg": "error:invalid op", "request": {"op": "", "args": None}}, NoticeKind.REFUSED),
        ({"topic": "tickers.BTCUSDT", "data": {}}, None),
        (b"\xff", None),
        (b"[1]", None),
    ],
)
def test_what_a_frame_says_of_its_connection(frame: object, kind: NoticeKind | None) -> None:
    assert not FRAMING.is_data(raw(frame))
    notice = FRAMING.notice(raw(frame))
    assert (notice and notice.kind) == kind
    if kind is NoticeKind.REFUSED:
        assert notice is not None
        assert notice.words.startswith("error:")
    if kind is NoticeKind.UNLISTED:
        assert notice is not None
        assert notice.words == "XUSDT"


# "Get Orderbook", response example
PROBE = {"retCode": 0, "retMsg": "OK", "result": {"s": "BTCUSDT", "a": [["65557.7", "16.606555"]], "b": [["65485.47", "47.081829"]],
         "ts": 1716863719031, "u": 230704, "seq": 1432604333, "cts": 1716863718905}, "retExtInfo": {}, "time": 1716863719382}  # fmt: skip


def test_a_probe_tells_best_prices_and_an_empty_side() -> None:
    assert FRAMING.read_probe(raw(PROBE)) == (65485.47, 65557.7)
    assert FRAMING.read_probe(raw({**PROBE, "result": {"b": [], "a": []}})) == (0.0, math.inf)
    assert FRAMING.probe("BTCUSDT").path == "/v5/market/orderbook?category=spot&symbol=BTCUSDT&limit=1"


@pytest.mark.parametrize(
    "answer",
    [{"retCode": 10001, "retMsg": "Not supported symbols", "result": {}}, {"retCode": 0, "result": {}}, {"retCode": 0}, b"<html>", b"{}"],
)
def test_an_answer_that_is_no_book_is_refused(answer: object) -> None:
    with pytest.raises(WireError):
        FRAMING.read_probe(raw(answer))
