"""F57: the machine's wall clock is put an hour ahead, an hour back and a day back under an engine in live, and set right again."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import running
from tests.lifecycle.stepping_child import put_ahead
from tests.lifecycle.test_live import await_cycles, count
from tests.lifecycle.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HOUR_MS = 3_600_000


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    with live_desk(tmp_path, monkeypatch, 3) as made:
        yield made


def noticed(desk: LiveDesk) -> int:
    """How often a venue was found to have another clock than ours."""
    return count(desk, "breach", "kind = 'VENUE_DEGRADED' AND detail LIKE '%clock%'")


def test_f57_a_clock_that_is_put_ahead_or_back_stops_entries_and_when_it_is_right_again_trading_goes_on(
    desk: LiveDesk, tmp_path: Path
) -> None:
    clock = tmp_path / "clock"
    put_ahead(clock, 0)
    with running(*desk.arguments(), folder=tmp_path / "run", program=("tests.lifecycle.stepping_child", str(clock))) as engine:
        for step_ms in (HOUR_MS, -HOUR_MS, -24 * HOUR_MS):
            await_cycles(desk, engine, 2, since=count(desk, "cycle", "closed_ms IS NOT NULL"))
            before = noticed(desk)
            put_ahead(clock, step_ms)
            until(lambda before=before: engine.alive() and noticed(desk) > before, f"{step_ms} ms are noticed")  # type: ignore[misc]
            put_ahead(clock, 0)
        await_cycles(desk, engine, 2, since=count(desk, "cycle", "closed_ms IS NOT NULL"))
        engine.signal(signal.SIGTERM)
        ended = engine.ended()
    assert ended.code in (3, 128 + signal.SIGTERM), ended.err
    assert count(desk, "event", "type = 'MarksTaken' AND json_extract(payload, '$.cause') = 'day'") <= 1, "a day begins once"
    assert count(desk, "cycle", "state = 'OPEN'") == 0
    desk.assert_agrees(tmp_path)
    ids = [(order["exchange"], order["client_order_id"]) for order in desk.told("/orders")]
    assert len(ids) == len(set(ids))
