"""``arbtui limits`` beside an engine that runs: lowered in it at once, and not raised while it is armed."""

import json
import re
from pathlib import Path

import pytest

from tests.lifecycle.programs import run, running
from tests.lifecycle.waiting import until


@pytest.mark.slow
def test_a_running_engine_takes_a_lower_limit_and_no_higher_one(tmp_path: Path) -> None:
    place = ("--profile", "upbit-binance", "--state-dir", str(tmp_path / "state"))
    with running(*place, "--symbols", "3", "--seed", "1", folder=tmp_path / "process") as engine:
        log = tmp_path / "state" / "upbit-binance" / "arbtui.log"
        until(lambda: engine.alive() and log.exists() and "routes, 0 open cycles" in log.read_text(), "it trades")
        until(lambda: engine.alive() and "as the engine that runs holds them" in run("limits", *place).out, "it answers")
        lowered = run("limits", "set", "symbol.XRP.order_value", "40", *place, "--reason", "thin")
        assert (lowered.code, lowered.out) == (0, "symbol.XRP.order_value: 100 before, 40 holds now; journaled\n"), lowered.err
        rows = {row["scope"]: row for row in json.loads(run("limits", *place, "--json").out)}
        assert rows["symbol.XRP.order_value"]["holds"] == 40.0
        assert rows["global.max_orders_min"]["used"] is not None
        yes = ("--confirm", "upbit-binance", "--reason", "more")
        for raised in (
            run("limits", "set", "symbol.XRP.order_value", "50", *place, *yes),
            run("limits", "reset", "symbol.XRP.order_value", *place, *yes),
        ):
            assert raised.code == 2
            assert "the engine is ARMED" in raised.err
        assert "did you mean XRP?" in run("limits", "set", "symbol.XRPP.order_value", "5", *place).err
        assert re.search(r"limit symbol\.XRP\.order_value: 40 by .*: thin", log.read_text())
