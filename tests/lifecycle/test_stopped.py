"""F51: an engine in live that is stopped for a while (Ctrl+Z, SIGSTOP, a machine that stood still), and goes on."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lifecycle.failpoints import OPENED
from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import Running, running
from tests.lifecycle.test_live import await_cycles, count
from tests.lifecycle.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: How long it stands, in s: longer than every limit of an order's and a book's age here.
STOP_S = 6.0
#: What a stream may be later than usual, in ms, in these tests, and what the books of a cycle may be older besides.
EXCESS_MS, QUIET_MS = 500, 1_000


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    monkeypatch.setenv("ARBTUI_RISK__SYMBOL__MAX_EXCESS_DELAY_MS", str(EXCESS_MS))
    monkeypatch.setenv(OPENED, str(tmp_path / "opened"))
    with live_desk(tmp_path, monkeypatch, 3) as made:
        yield made


def is_stopped(engine: Running) -> bool:
    return engine.alive() and Path(f"/proc/{engine.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def stand(engine: Running) -> int:
    """Wait until it has stopped, let it stand, and go on; when that was, ms since the epoch."""
    until(lambda: is_stopped(engine), "it stops")
    time.sleep(STOP_S)  # the pause itself is what is tested
    at_ms = time.time_ns() // 1_000_000
    engine.signal(signal.SIGCONT)
    return at_ms


def under_way(desk: LiveDesk) -> set[str]:
    return {order["client_order_id"] for order in desk.ledger()["orders"] if order["state"] == "SENDING"}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
@pytest.mark.parametrize("point", ["intent, after its commit", "after the send"])
def test_f51_what_was_queued_is_dropped_what_was_sent_is_found_and_no_old_book_is_traded_on(
    point: str, desk: LiveDesk, tmp_path: Path
) -> None:
    with running(*desk.arguments(), folder=tmp_path / "run", program=("tests.lifecycle.failpoints", point, "3", "STOP")) as engine:
        until(lambda: is_stopped(engine), "it stops")
        caught = under_way(desk)
        assert caught, "nothing was under way"
        at_ms = stand(engine)
        # Nothing of it is lost, whatever the venue had.
        until(lambda: engine.alive() and not caught & under_way(desk), "what was under way is at its end")
        await_cycles(desk, engine, 2, since=count(desk, "cycle", "closed_ms IS NOT NULL"))
        engine.signal(signal.SIGTERM)
        ended = engine.ended()
    assert ended.code in (3, 128 + signal.SIGTERM), ended.err
    assert count(desk, "breach", "kind = 'LOOP_STALL' AND severity = 'CRIT'") == 1
    ends = {order["client_order_id"]: order["state"] for order in desk.ledger()["orders"]}
    arrived = {order["client_order_id"] for order in desk.told("/orders")}
    if point == "after the send":
        assert caught & arrived, "it had left"
    else:
        assert {ends[one] for one in caught} == {"ABANDONED"}
        assert not caught & arrived
    after = [line.split() for line in (tmp_path / "opened").read_text().splitlines()]
    books = [int(book) for now, book in after if int(now) >= at_ms]
    assert books, "nothing was opened afterwards"
    assert min(books) >= at_ms - EXCESS_MS - QUIET_MS, "a cycle was opened on books from before"
    desk.assert_agrees(tmp_path)
