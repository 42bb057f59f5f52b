"""Events go into JSON and come back equal; what a newer program wrote is refused, not guessed."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from msgspec import NODEFAULT
from msgspec.structs import fields

from arbtui.journal.events import (
    COMPACT_SINCE,
    VERSIONS,
    Adjusted,
    CycleEnded,
    CycleOpened,
    Event,
    FillRecorded,
    NoticeRead,
    NoticeStep,
    PlannedLeg,
    PlannedTransfer,
    Rearmed,
    RunStarted,
    SnapshotTaken,
    StateChanged,
    TransferBegun,
    decode,
    encode,
)
from arbtui.model.errors import UsageError
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import Side, TimeInForce
from tests.journal.sequences import any_event
from tests.journal.synthetic import SyntheticRun


@given(any_event())
def test_every_event_comes_back_equal(event: Event) -> None:
    assert decode(*encode(event)) == event


def test_amounts_keep_every_digit_and_enums_their_words() -> None:
    fill = SyntheticRun().fill(1, 0)[0]
    kind, version, payload = encode(fill)
    assert (kind, version) == ("FillRecorded", 3)
    assert '"buy","0.30","20.05"' in payload
    assert isinstance(fill, FillRecorded)
    exact = Adjusted("upbit", "ABC", Decimal("0.123456789012345678901234567890"), "", "operator")
    assert decode(*encode(exact)) == exact


@pytest.mark.parametrize("kind", list(VERSIONS))
def test_a_newer_version_is_refused_by_name(kind: type[object]) -> None:
    newer = VERSIONS[kind] + 1
    with pytest.raises(UsageError, match=f"{kind.__name__} version {newer}: written by a newer version"):
        decode(kind.__name__, newer, "{}")


TWO = Decimal(2)
LEG = PlannedLeg(0, "upbit", "KRW-XRP", "XRP", "KRW", Side.BUY, ONE, TWO, ONE, ZERO, TimeInForce.IOC, (), ZERO)
MOVE = PlannedTransfer(0, "XRP", "binance", "upbit", "XRP", ONE, 2.0, ZERO, ZERO)
#: Each as an earlier program wrote it, with its names, before there was more to tell; and what it means.
EARLIER: list[tuple[int, str, Event]] = [
    (
        1,
        '{"run_id":"r1","profile":"p","mode":"sim","seed":1,"version":"0","config_hash":"c","origins":{"upbit":"x"},"start_state":"ARMED"}',
        RunStarted("r1", "p", "sim", 1, "0", "c", {"upbit": "x"}, "ARMED", "USDT", ("KRW", "USDT"), "", "", 0, {}),
    ),
    (
        2,
        '{"cycle_id":"c","route":"r","symbol":"XRP","edge_bps":1.0,"value":2.0,"legs":[{"leg":0,"exchange":"upbit","market":"KRW-XRP",'
        '"base":"XRP","quote":"KRW","side":"buy","qty":"1","price":"2","lot":"1"}],"reserved":[],"opened_ms":3}',
        CycleOpened("c", "r", "XRP", 1.0, 2.0, (LEG,), (), 3, ZERO, ()),
    ),
    (
        2,
        '{"cycle_id":"c","route":"r","symbol":"XRP","edge_bps":1.0,"value":2.0,"legs":[],"reserved":[],"opened_ms":3,"transfers":[{"leg":0,'
        '"asset":"XRP","from_exchange":"binance","to_exchange":"upbit","network":"XRP","fee":"1","minutes":2.0}]}',
        CycleOpened("c", "r", "XRP", 1.0, 2.0, (), (), 3, ZERO, (MOVE,)),
    ),
    (
        2,
        '{"exchange":"upbit","asset":"XRP","change":"1","reason":"","kind":"dust"}',
        Adjusted("upbit", "XRP", ONE, "", "dust", ""),
    ),
    (
        1,
        '{"transfer_id":"t","asset":"XRP","from_exchange":"a","to_exchange":"b","network":"XRP","qty":"2","fee":"1","minutes":2.0,'
        '"by":"x","reason":"y"}',
        TransferBegun("t", "XRP", "a", "b", "XRP", TWO, ONE, 2.0, "x", "y", ""),
    ),
    (1, '{"by":"x","reason":"y"}', Rearmed("x", "y", False, ())),
    (
        1,
        '{"notice_id":"n","exchange":"upbit","title":"t","url":"u","digest":"d","published_ms":1,"kinds":["k"],"coins":["XRP"]}',
        NoticeRead("n", "upbit", "t", "u", "d", 1, ("k",), ("XRP",), None, None, (), ()),
    ),
    (
        1,
        '{"notice_id":"n","exchange":"upbit","title":"t","url":"u","digest":"d","published_ms":1,"kinds":[],"coins":[],"steps":'
        '[{"verb":"open","scope":"s","at_ms":2}]}',
        NoticeRead("n", "upbit", "t", "u", "d", 1, (), (), None, None, (NoticeStep("open", "s", 2, ""),), ()),
    ),
    (1, '{"state":"ARMED","why":""}', StateChanged("ARMED", "", False)),
    (1, '{"snapshot_no":1,"seq":2}', SnapshotTaken(1, 2, "")),
]


@pytest.mark.parametrize(("version", "payload", "meant"), EARLIER, ids=[type(meant).__name__ for _, _, meant in EARLIER])
def test_what_an_earlier_program_did_not_tell_is_read_as_nothing(version: int, payload: str, meant: Event) -> None:
    assert decode(type(meant).__name__, version, payload) == meant


def test_each_event_that_has_learned_to_tell_more_is_among_those() -> None:
    known = {type(meant) for _, _, meant in EARLIER}
    assert {kind for kind in VERSIONS if any(field.default is not NODEFAULT for field in fields(kind))} <= known


@given(any_event())
def test_those_that_every_order_makes_are_short_and_their_named_form_is_still_read(event: Event) -> None:
    kind, version, payload = encode(event)
    if type(event) not in COMPACT_SINCE:
        return
    named = msgspec.json.encode(event).decode()
    assert payload.startswith("[")
    assert len(payload) < len(named)
    assert decode(kind, version - 1, named) == event


@pytest.mark.parametrize("kind", [CycleOpened, FillRecorded, CycleEnded, Adjusted])
def test_an_earlier_version_is_refused_by_name(kind: type[object]) -> None:
    with pytest.raises(UsageError, match=f"{kind.__name__} version 1: written by an earlier version"):
        decode(kind.__name__, 1, "{}")


@pytest.mark.parametrize(("kind", "payload"), [("Teleported", "{}"), ("Killed", "{}"), ("Killed", "{"), ("Killed", "[]")])
def test_what_cannot_be_read_is_an_error_that_says_which(kind: str, payload: str) -> None:
    with pytest.raises(UsageError, match=kind):
        decode(kind, 1, payload)
