"""A stop while a venue has banned us: it waits for no ban to be over."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import running
from tests.lifecycle.test_live import await_cycles, count
from tests.lifecycle.waiting import until

#: s; shorter than a query waits for room in the limits (120 s), so that the last comparison of balances would wait for its end.
BAN_S = 100


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    with live_desk(tmp_path, monkeypatch, 3) as made:
        yield made


@pytest.mark.slow
def test_a_stop_waits_for_no_ban_to_be_over_and_says_what_was_not_compared(desk: LiveDesk, tmp_path: Path) -> None:
    with running(*desk.arguments(), folder=tmp_path / "run") as engine:
        await_cycles(desk, engine, 1)
        desk.script(venue="binance", kind="ban", seconds=BAN_S)
        banned_at = time.monotonic()
        until(lambda: engine.alive() and count(desk, "breach", "kind = 'VENUE_DEGRADED'"), "the ban is met")
        engine.signal(signal.SIGTERM)
        ended = engine.ended()
    assert time.monotonic() - banned_at < BAN_S / 2
    assert ended.code in (3, 128 + signal.SIGTERM), ended.err
    assert count(desk, "breach", "kind = 'BALANCES_UNREAD'") == 1
    log = (desk.root / "desk" / "arbtui.log").read_text()
    assert log.count("binance: trades could not be compared") <= 1
