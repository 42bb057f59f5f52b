"""A real Prometheus reads a real engine: every rule and every query of the dashboard is worked out, and a kill reaches a person."""

import re
import signal
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.deploy.stack import Prometheus, alerts, is_ready, play_minutes_fast, program, running, written
from tests.deploy.test_dashboard import queries
from tests.deploy.test_end_to_end import free_port
from tests.lifecycle import programs
from tests.lifecycle.waiting import until

#: Queries with nothing to show at a healthy simulated desk: no venue is asked for anything there, and nothing is refused or rehearsed.
_EMPTY = ("arbtui_rate_limit_", "arbtui_kill_drill_", "changes(", "arbtui_denials_total")


@pytest.mark.slow
def test_a_scraped_engine_answers_every_query_and_a_kill_fires(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ARBTUI_METRICS__ENABLED", "true")
    monkeypatch.setenv("ARBTUI_METRICS__PORT", "0")
    where = ("--profile", "upbit-binance", "--state-dir", str(tmp_path / "state"))
    with ExitStack() as ends:
        engine = ends.enter_context(programs.running(*where, "--symbols", "5", folder=tmp_path / "run"))
        log = tmp_path / "state" / "upbit-binance" / "arbtui.log"
        found = until(lambda: re.findall(r"metrics are at http://(\S+)/metrics", log.read_text() if log.exists() else ""), "its address")
        address = found[0]
        config, prometheus = tmp_path / "config", f"127.0.0.1:{free_port()}"
        written(config, {"upbit-binance": address}, {}, f"127.0.0.1:{free_port()}")
        play_minutes_fast(config)
        command = [program("prometheus"), f"--config.file={config / 'prometheus.yml'}", f"--web.listen-address={prometheus}"]
        ends.enter_context(running(*command, f"--storage.tsdb.path={tmp_path / 'prometheus'}", log=tmp_path / "prometheus.log"))
        asked = Prometheus(prometheus)
        until(partial(is_ready, prometheus), "Prometheus answers")
        until(lambda: asked.value('arbtui_cycles_total{end="hedged"} > 3') or None, "cycles are counted")
        until(lambda: asked.value("engine:arbtui_cycles:increase1h > 0") or None, "recording rules are worked out")

        empty = [query for query in queries() if not asked.value(query.replace("[1m]", "[10s]"))]
        assert [query for query in empty if not any(word in query for word in _EMPTY)] == []
        rules = [rule for group in asked.ask("rules")["groups"] for rule in group["rules"]]
        assert {rule["name"] for rule in rules if rule["type"] == "alerting"} == set(alerts())
        assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"] == []

        assert programs.run("kill", *where).code == 0
        until(lambda: asked.value('ALERTS{alertname="KillLatched",alertstate="firing"}') or None, "the kill fires")
        engine.signal(signal.SIGKILL)
        until(lambda: asked.value('ALERTS{alertname="EngineDown",alertstate="firing"}') or None, "the death fires")
