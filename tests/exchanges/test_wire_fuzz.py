"""Whatever arrives, a decoder either tells the sink sound numbers or raises WireError."""

import json
import math
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.exchanges.streams import PUBLIC_STREAMS
from arbtui.exchanges.wire import WireDecoder
from arbtui.model.errors import WireError
from tests.exchanges import test_binance_wire as binance
from tests.exchanges import test_bitget_wire as bitget
from tests.exchanges import test_bithumb_wire as bithumb
from tests.exchanges import test_coinone_wire as coinone
from tests.exchanges import test_upbit_wire as upbit
from tests.exchanges.bybit import wires as bybit
from tests.exchanges.frame_table import frames
from tests.exchanges.okx import test_wire as okx
from tests.exchanges.told import Told

FRAMES = (
    [upbit.BOOK, upbit.SHORT_BOOK, upbit.TRADE, upbit.SHORT_TRADE, bithumb.BOOK, bithumb.FIRST_BOOK, bithumb.TRADE]
    + [
        json.dumps(message, separators=(",", ":")).encode()
        for event in (binance.DEPTH, binance.USDM_DEPTH, binance.TICKER, binance.USDM_TICKER, binance.TRADE, binance.AGGREGATE)
        for message in (event, binance.combined(event))
    ]
    + [bybit.raw(message) for message in (bybit.SNAPSHOT, bybit.DELTA, bybit.TRADE, bybit.ONE_LEVEL, bybit.SUBSCRIBED, bybit.PONG)]
    + [coinone.BOOK, coinone.QUIET, coinone.TRADE, coinone.TICKER, coinone.CONNECTED, coinone.ERROR]
    + [bitget.BOOK, bitget.TOUCH, bitget.TRADE, bitget.TRADES]
    + [okx.raw(message) for message in (okx.SNAPSHOT, okx.UPDATE, okx.TOUCH, okx.TRADE)]
)
SNAPSHOT = b'{"lastUpdateId":155,"bids":[["10.0","1.0"]],"asks":[["11.0","2.0"]]}'
DECODERS = pytest.mark.parametrize("exchange", list(PUBLIC_STREAMS))
TOKENS = [b'"NaN"', b"NaN", b"-1", b"1e999", b'"inf"', b"null", b"{}", b"[]", b'""', b"true", b"9" * 23, b"\xff", b'"', b","]
HOSTILE = [
    b'"1.5"', b"1.16539E8", b'"1e-9"', b"1E400", b"NaN", b'"NaN"', b"Infinity", b'"-Infinity"', b"-0.0", b"-1", b"0", b'""', b'" 1 "',
    b"1618678262640123", b"99999999999999999999", b"4102444800000", b"null", b"true", b"[1]", b"{}", b"0x10", b"1_000", b'"1,5"',
]  # fmt: skip
WORDS = [
    "stream", "data", "e", "E", "s", "U", "u", "pu", "b", "a", "B", "A", "p", "q", "m", "T", "type", "ty", "code", "cd", "orderbook_units",
    "obu", "lastUpdateId", "bids", "asks", "action", "arg", "instType", "channel", "instId", "seq", "ts", "size", "side", "tradeId",
    "seqId", "prevSeqId", "response_type", "id", "price", "qty",
]  # fmt: skip


def decode(feed: Callable[[WireDecoder], None], exchange: str) -> bool:
    """Feed a decoder; True when it told its sink something, each of it sound, False when it refused and told nothing."""
    sink = Told()
    try:
        feed(PUBLIC_STREAMS[exchange].decoder(sink))
    except WireError:
        assert sink.events == []
        return False
    assert sink.events
    assert len(sink.events) == 1 or {event[0] for event in sink.events} == {"trade"}
    return True


@DECODERS
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
    own = [raw for raw in FRAMES if decode(lambda decoder, raw=raw: decoder.feed(raw), exchange)]  # type: ignore[misc]
    for _ in range(6000):
        raw = mutated(rng.choice(own if rng.random() < 0.5 else FRAMES), rng)
        if decode(lambda decoder, raw=raw: decoder.feed(raw), exchange):  # type: ignore[misc]
            accepted += 1
        else:
            refused += 1
    assert accepted > 100, "the mutations must leave some frames whole, else nothing of the sink was tried"
    assert refused > 100


@pytest.mark.parametrize("exchange", ["upbit", "binance", "binanceusdm", "bitget"])
def test_mutations_of_recorded_frames(exchange: str, shared_data: Path) -> None:
    """Real shapes, real sizes: whatever a bit, a cut or a foreign token does to them, what is told is sound."""
    rng = random.Random(9)
    real = [(raw, code) for _, name, raw, code in frames(shared_data) if name == exchange]
    rng.shuffle(real)
    refused = 0
    for raw, code in real[:400]:
        for _ in range(12):
            broken = mutated(raw, rng)
            if rng.random() < 0.3:
                broken = mutated(broken or b"x", rng)
            feed = lambda decoder, raw=broken, code=code: decoder.feed_snapshot(code, raw) if code else decoder.feed(raw)  # noqa: E731
            refused += not decode(feed, exchange)
    assert refused > len(real[:400])


@DECODERS
@settings(max_examples=200)
@given(raw=st.sampled_from([*FRAMES, SNAPSHOT]), token=st.sampled_from(HOSTILE), where=st.floats(0, 1))
def test_hostile_numbers(exchange: str, raw: bytes, token: bytes, where: float) -> None:
    """Strings for numbers, exponents, NaN, infinities, microseconds, the far future: in the place of any number there is."""
    numbers = list(re.finditer(rb"-?\d+(\.\d+)?([eE][-+]?\d+)?", raw))
    hit = numbers[min(int(where * len(numbers)), len(numbers) - 1)]
    broken = raw[: hit.start()] + token + raw[hit.end() :]
    decode(lambda decoder: decoder.feed(broken), exchange)
    decode(lambda decoder: decoder.feed_snapshot("X", broken), exchange)


@DECODERS
@given(raw=st.sampled_from(FRAMES), repeats=st.integers(0, 3), junk=st.binary(max_size=40))
def test_merge_keys_are_read_off_anything(exchange: str, raw: bytes, repeats: int, junk: bytes) -> None:
    """What may be merged is decided before decoding, so it must bear whatever arrives, and never take a diff or a trade."""
    key_of = PUBLIC_STREAMS[exchange].framing.merge_key
    for frame in (junk, raw * repeats, raw + junk, junk + raw, raw[: len(junk)], raw):
        key = key_of(frame)
        assert key is None or frame.startswith(key)
    key = key_of(raw)
    assert key is None or b"book" in key.lower() or b"bbo" in key
    if any(
        kind in raw
        for kind in (
            b'"depthUpdate"',
            b'"trade"',
            b'"TRADE"',
            b'"aggTrade"',
            b'"orderbook.',
            b'"publicTrade.',
            b'"trades"',
            b'"books"',
            b'"tradeId"',
        )
    ):
        assert key is None


@DECODERS
@given(raw=st.one_of(st.binary(max_size=200), JSON.map(lambda message: json.dumps(message).encode()), st.just(SNAPSHOT)))
def test_probes_tell_numbers_or_refuse(exchange: str, raw: bytes) -> None:
    try:
        bid, ask = PUBLIC_STREAMS[exchange].framing.read_probe(raw)
    except WireError:
        return
    assert 0.0 <= bid < math.inf
    assert 0.0 < ask <= math.inf


@DECODERS
def test_mutated_snapshots(exchange: str) -> None:
    rng = random.Random(8)
    for _ in range(2000):
        raw = mutated(SNAPSHOT, rng)
        decode(lambda decoder, raw=raw: decoder.feed_snapshot("X", raw), exchange)  # type: ignore[misc]
