"""Live at Coinone, whole: ``arbtui sandbox`` in one process and the engine in another, over real sockets, with orders that rest."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import run, running
from tests.lifecycle.standing import as_sent_before, ours, rest_order
from tests.lifecycle.test_guardian import open_at_venues, where
from tests.lifecycle.test_live import await_cycles


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    with live_desk(tmp_path, monkeypatch, of="coinone-binance") as made:
        yield made


def test_it_trades_and_the_ledgers_agree_to_the_last_digit_over_a_restart(desk: LiveDesk, tmp_path: Path) -> None:
    for run_number in (1, 2):
        with running(*desk.arguments("--json", str(tmp_path / "summary")), folder=tmp_path / "run") as engine:
            await_cycles(desk, engine, 5 * run_number)
            engine.signal(signal.SIGTERM)
            ended = engine.ended()
        assert ended.code == 128 + signal.SIGTERM, ended.err
        assert "connecting to COINONE at http://127.0.0.1:" in ended.err
        desk.assert_agrees(tmp_path)
    ledger = desk.ledger()
    assert {fill["fee_currency"] for fill in ledger["fills"] if fill["exchange"] == "coinone"} == {"KRW"}
    ours = {fill["client_order_id"] for fill in ledger["fills"] if fill["exchange"] == "coinone"}
    assert {order["tif"] for order in ledger["orders"] if order["client_order_id"] in ours} == {"gtc"}
    assert json.loads((tmp_path / "summary").read_text())["mode"] == "live"
    assert "STRAY_FILL" not in (desk.root / "desk" / "arbtui.log").read_text()


def test_what_the_list_does_not_name_as_ours_is_cancelled_from_outside_and_at_a_start(desk: LiveDesk) -> None:
    """Coinone's list of open orders has its own ids only: which are ours, a process that has not sent them reads in the journal."""
    assert run(*desk.arguments("--headless", "--max-runtime", "1")).code in (0, 3)
    rest_order(desk.profile, "coinone", "BTC", "by-hand-1")
    as_sent_before(desk.journal, ours(1), venue="coinone")
    rest_order(desk.profile, "coinone", "XRP", ours(1))
    assert open_at_venues(desk) == {ours(1), "by-hand-1"}
    started = run(*desk.arguments("--headless", "--max-runtime", "1"))
    assert open_at_venues(desk) == {"by-hand-1"}, started.err

    for client_id, venue in ((ours(2), "coinone"), (ours(3), "binance")):
        as_sent_before(desk.journal, client_id, venue=venue)
        rest_order(desk.profile, venue, "XRP", client_id)
    assert open_at_venues(desk) == {ours(2), ours(3), "by-hand-1"}
    killed = run("kill", *where(desk))
    assert "BINANCE ok" in killed.err
    assert "COINONE ok, 1 foreign order left alone (KRW-BTC " in killed.err
    assert open_at_venues(desk) == {"by-hand-1"}
