"""F65: an engine that dies in any step of a halt starts halted, finishes what the halt was for, and is never armed by itself."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from arbtui.model.halt import read_flag
from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import run, running
from tests.lifecycle.standing import as_sent_before, ours, rest_order
from tests.lifecycle.terminal import CTRL_Q, console
from tests.lifecycle.test_guardian import open_at_venues, where
from tests.lifecycle.test_live import await_cycles, count
from tests.lifecycle.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    with live_desk(tmp_path, monkeypatch) as made:
        yield made


@pytest.mark.parametrize("step", ["begun", "listing", "cancelled", "settled"])
def test_f65_a_crash_in_a_step_of_a_halt_is_gone_on_with_by_the_next_start(step: str, desk: LiveDesk, tmp_path: Path) -> None:
    standing = {ours(number): venue for number, venue in enumerate(("upbit", "upbit", "binance", "binance"))}
    assert run(*desk.arguments("--headless", "--max-runtime", "1")).code in (0, 3)
    as_sent_before(desk.journal, *standing)
    before = count(desk, "cycle", "closed_ms IS NOT NULL")
    with running(*desk.arguments(), folder=tmp_path / "killed", program=("tests.lifecycle.halting_child", step)) as engine:
        await_cycles(desk, engine, 1, since=before)
        for client_id, venue in standing.items():
            rest_order(desk.profile, venue, "XRP", client_id)
        assert open_at_venues(desk) >= set(standing)
        (desk.root / "desk" / "kill.flag").touch()
        assert engine.ended().code == -signal.SIGKILL, "it died in the halt"
    if step in ("begun", "listing"):
        assert open_at_venues(desk) >= set(standing), "nothing was cancelled yet"
    assert read_flag(desk.root / "desk") is not None
    refused = run(*desk.arguments("--headless", "--max-runtime", "1"))
    assert refused.code == 2
    sent = {order["client_order_id"] for order in desk.told("/orders")}
    with console(*desk.arguments()) as terminal:
        terminal.shows("HALTED")
        until(lambda: terminal.read(0.05) and not open_at_venues(desk), "the halt is gone on with")
        until(
            lambda: terminal.read(0.05) and count(desk, "event", "type = 'StateChanged' AND run_id = 'r3' AND payload LIKE '%HALTED%'"),
            "HALTED",
        )
        terminal.type(CTRL_Q * 2)
        terminal.ended()
    assert count(desk, "event", "type = 'StateChanged' AND run_id = 'r3' AND payload LIKE '%\"ARMED\"%'") == 0
    assert {order["client_order_id"] for order in desk.told("/orders")} == sent, "no order has left"
    assert run(*where(desk), "--mode", "live", "--confirm", "desk", "--headless", "--max-runtime", "1").code == 2
