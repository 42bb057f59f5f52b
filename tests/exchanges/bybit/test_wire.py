import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.exchanges.bybit.wire import BybitDecoder
from arbtui.model.errors import WireError
from arbtui.model.order import Side
from tests.exchanges.bybit.wires import DELTA, ONE_LEVEL, PONG, SNAPSHOT, SUBSCRIBED, TRADE, raw, recorded
from tests.exchanges.test_wire_fuzz import HOSTILE, mutated
from tests.exchanges.told import Event, Told

TOLD = {
    "snapshot": ("snapshot", "BTCUSDT", [(16493.5, 0.006), (16493.0, 0.1)], [(16611.0, 0.029), (16612.0, 0.213)], 1672304484976, 18521288),
    "delta": (
        "diff", "BTCUSDT", 177400507, 177400507, -1, [(30247.2, 30.028), (30240.0, 0.0)], [(30248.7, 0.0), (30249.3, 0.892)], 1687940967464,
    ),
    "trade": ("trade", "BTCUSDT", "2290000001189048101", 16578.5, 0.001, Side.BUY, 1672304486865),
}  # fmt: skip


def told(message: object) -> list[Event]:
    sink = Told()
    BybitDecoder(sink).feed(raw(message))
    return sink.events


@pytest.mark.parametrize(("name", "message"), [("snapshot", SNAPSHOT), ("delta", DELTA), ("trade", TRADE)])
def test_every_documented_frame_is_read_with_its_keys_in_any_order(name: str, message: dict[str, Any]) -> None:
    assert told(message) == [TOLD[name]]
    assert told(dict(reversed(message.items()))) == [TOLD[name]]
    contract_order = {key: message[key] for key in ("topic", "type", "ts", "data")}  # contracts put the type first
    assert told(contract_order | {"cts": message.get("cts", 0)}) == [TOLD[name]]


def test_a_book_without_the_engines_time_has_the_time_of_sending() -> None:
    (event,) = told({key: data for key, data in DELTA.items() if key != "cts"})
    assert event[-1] == 1687940967466


def test_several_trades_of_one_frame_are_told_one_by_one_and_those_agreed_outside_of_the_book_are_not() -> None:
    first, block = TRADE["data"][0], {**TRADE["data"][0], "BT": True, "i": "2290000001189048102"}
    sell = {**first, "S": "Sell", "i": "2290000001189048103"}
    assert [event[2] for event in told({**TRADE, "data": [first, block, sell]})] == ["2290000001189048101", "2290000001189048103"]
    assert told({**TRADE, "data": [block]}) == [("other", "block trade")]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (ONE_LEVEL, "orderbook.1"),  # as a book it would take every other level away
        (SUBSCRIBED, "subscribe"),
        (PONG, "ping"),
        ({"topic": "tickers.BTCUSDT", "ts": 1, "type": "snapshot", "data": {}}, "tickers"),
        ({"topic": "kline.1.BTCUSDT", "data": []}, "kline.1"),
        ({"success": False, "ret_msg": "error:invalid op", "conn_id": "5e079fdd", "request": {"op": "", "args": None}}, "error"),
    ],
)
def test_other_types_are_named(message: object, kind: str) -> None:
    assert told(message) == [("other", kind)]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (b"", "json"),
        (b"\x00", "json"),
        (b'{"topic":"orderbook.50', "json"),
        (b"<html>", "html"),
        (b"null", "unknown"),
        ({}, "unknown"),
        ({"topic": ""}, "unknown"),
        ({**SNAPSHOT, "type": "later"}, "orderbook"),
        ({**DELTA, "data": {**DELTA["data"], "u": -1}}, "orderbook"),
        ({**DELTA, "data": {**DELTA["data"], "b": [["0", "1"]]}}, "orderbook"),
        ({**DELTA, "data": {**DELTA["data"], "b": [["nan", "1"]]}}, "orderbook"),
        ({**DELTA, "data": {**DELTA["data"], "a": [["1", "-1"]]}}, "orderbook"),
        ({**DELTA, "data": {**DELTA["data"], "a": [["1"]]}}, "orderbook"),
        ({**DELTA, "data": {key: data for key, data in DELTA["data"].items() if key != "u"}}, "orderbook"),
        ({**TRADE, "data": [{**TRADE["data"][0], "S": "Hold"}]}, "publicTrade"),
        # A contract's trade: its number is none.
        ({**TRADE, "data": [{**TRADE["data"][0], "i": "20f43950-d8dd-5b31-9112-a178eb6023af"}]}, "publicTrade"),
    ],
)
def test_what_cannot_be_read_is_refused_before_anything_is_told(message: object, kind: str) -> None:
    sink = Told()
    with pytest.raises(WireError) as caught:
        BybitDecoder(sink).feed(raw(message))
    assert caught.value.kind == kind
    assert sink.events == []


def test_rest_books_count_in_other_numbers_and_are_never_taken() -> None:
    with pytest.raises(WireError, match="rest snapshot"):
        BybitDecoder(Told()).feed_snapshot("BTCUSDT", raw({"result": SNAPSHOT["data"]}))


def test_every_recorded_spot_frame_is_decoded_or_named(shared_data: Path) -> None:
    became: Counter[str] = Counter()
    for frame in recorded(shared_data):
        for event in told(frame):
            became[f"other {event[1]}" if event[0] == "other" else str(event[0])] += 1
    assert became == {"snapshot": 2, "diff": 548, "trade": 20, "other tickers": 81, "other kline.1": 25, "other subscribe": 7}


def decode(frame: bytes) -> bool:
    """Feed a frame; True when sound things were told, False when it was refused and nothing was."""
    sink = Told()
    try:
        BybitDecoder(sink).feed(frame)
    except WireError:
        assert sink.events == []
        return False
    assert sink.events
    return True


@settings(max_examples=300)
@given(message=st.sampled_from([SNAPSHOT, DELTA, TRADE]), token=st.sampled_from(HOSTILE), where=st.floats(0, 1))
def test_hostile_numbers(message: dict[str, Any], token: bytes, where: float) -> None:
    frame = raw(message)
    places = [at for at in range(len(frame)) if frame[at : at + 1].isdigit() and not frame[at - 1 : at].isdigit()]
    at = places[min(int(where * len(places)), len(places) - 1)]
    end = next(i for i in range(at, len(frame)) if not frame[i : i + 1].isdigit())
    decode(frame[:at] + token + frame[end:])


def test_mutations_of_recorded_frames(shared_data: Path) -> None:
    """Real shapes, real sizes: whatever a bit, a cut or a foreign token does to them, what is told is sound."""
    rng = random.Random(9)
    real = list(recorded(shared_data))
    rng.shuffle(real)
    refused = sum(not decode(mutated(frame, rng)) for frame in real[:300] for _ in range(12))
    assert refused > 300
