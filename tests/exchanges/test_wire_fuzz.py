"""Whatever arrives, a decoder either tells the sink sound numbers or raises WireError."""

import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.exchanges.streams import PUBLIC_STREAMS
from arbtui.exchanges.wire import WireDecoder
from arbtui.model.errors import WireError
from tests.exchanges import test_binance_wire as binance
from tests.exchanges import test_upbit_wire as upbit
from tests.exchanges.told import Told

FRAMES = [upbit.BOOK, upbit.SHORT_BOOK, upbit.TRADE, upbit.SHORT_TRADE] + [
    json.dumps(message, separators=(",", ":")).encode()
    for event in (binance.DEPTH, binance.USDM_DEPTH, binance.TICKER, binance.USDM_TICKER, binance.TRADE, binance.AGGREGATE)
    for message in (event, binance.combined(event))
]
SNAPSHOT = b'{"lastUpdateId":155,"bids":[["10.0","1.0"]],"asks":[["11.0","2.0"]]}'
DECODERS = pytest.mark.parametrize("exchange", list(PUBLIC_STREAMS))
TOKENS = [b'"NaN"', b"NaN", b"-1", b"1e999", b'"inf"', b"null", b"{}", b"[]", b'""', b"true", b"9" * 23, b"\xff", b'"', b","]
WORDS = [
    "stream", "data", "e", "E", "s", "U", "u", "pu", "b", "a", "B", "A", "p", "q", "m", "T", "type", "ty", "code", "cd", "orderbook_units",
    "obu", "lastUpdateId", "bids", "asks",
]  # fmt: skip


def decode(feed: Callable[[WireDecoder], None], exchange: str) -> bool:
    """Feed a decoder; True when it told its sink exactly one sound thing, False when it refused and told nothing."""
    sink = Told()
    try:
        feed(PUBLIC_STREAMS[exchange].decoder(sink))
    except WireError:
        assert sink.events == []
        return False
    assert len(sink.events) == 1
    return True


@DECODERS
@settings(deadline=None)
@given(raw=st.binary(max_size=200))
def test_bytes(exchange: str, raw: bytes) -> None:
    decode(lambda decoder: decoder.feed(raw), exchange)
    decode(lambda decoder: decoder.feed_snapshot("X", raw), exchange)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["depthUpdate", "trade", "orderbook"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=20,
)


@DECODERS
@settings(deadline=None)
@given(message=JSON)
def test_json_of_the_right_words_in_the_wrong_places(exchange: str, message: object) -> None:
    raw = json.dumps(message).encode()
    decode(lambda decoder: decoder.feed(raw), exchange)
    decode(lambda decoder: decoder.feed_snapshot("X", raw), exchange)


def mutated(raw: bytes, rng: random.Random) -> bytes:
    kind = rng.randrange(4)
    i = rng.randrange(len(raw))
    if kind == 0:
        return raw[:i]
    if kind == 1:
        return raw[:i] + bytes([rng.randrange(256)]) + raw[i + 1 :]
    if kind == 2:
        j = min(len(raw), i + rng.randrange(1, 12))
        return raw[:i] + raw[j:]
    j = min(len(raw), i + rng.randrange(12))
    return raw[:i] + rng.choice(TOKENS) + raw[j:]


@DECODERS
def test_mutated_real_frames(exchange: str) -> None:
    rng = random.Random(7)
    accepted = refused = 0
    for _ in range(6000):
        raw = mutated(rng.choice(FRAMES), rng)
        if decode(lambda decoder, raw=raw: decoder.feed(raw), exchange):  # type: ignore[misc]
            accepted += 1
        else:
            refused += 1
    assert accepted > 100, "the mutations must leave some frames whole, else nothing of the sink was tried"
    assert refused > 100


@DECODERS
def test_mutated_snapshots(exchange: str) -> None:
    rng = random.Random(8)
    for _ in range(2000):
        raw = mutated(SNAPSHOT, rng)
        decode(lambda decoder, raw=raw: decoder.feed_snapshot("X", raw), exchange)  # type: ignore[misc]
