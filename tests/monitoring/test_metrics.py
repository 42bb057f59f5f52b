"""Metrics say what the read model says, by the rules of Prometheus, with as many series for a thousand symbols as for ten."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.core import Metric

from arbtui.execution.executor import ENDINGS
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring.metrics import families
from arbtui.views.measures import Measures, MeasuresReader, RunMeasures
from tests.conftest import REPOSITORY
from tests.deploy.conditions import CONDITIONS, healthy
from tests.execution.world import world
from tests.views.test_detail import views_of

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


def values(measures: Measures) -> Values:
    """Every sample by name and labels."""
    return {(sample.name, frozenset(sample.labels.items())): sample.value for family in families(measures) for sample in family.samples}


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


FAMILIES = list(families(healthy(60.0)))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: str(family.name))
def test_names_and_types_follow_the_conventions(family: Metric) -> None:
    assert re.fullmatch(r"arbtui_[a-z0-9_]+", family.name)
    assert len(family.documentation) > 10
    assert family.documentation.endswith(".")
    assert not re.search(r"_(ms|milliseconds|bps|percent|mb|kb|minutes|hours)\b", family.name), "base units only"
    assert family.samples
    assert (family.type == "counter") == all(sample.name.endswith("_total") for sample in family.samples)
    if family.type == "histogram":
        assert family.name.endswith("_seconds")


def test_each_family_is_told_once() -> None:
    names = [family.name for family in FAMILIES]
    assert len(set(names)) == len(names)


def test_labels_hold_no_id_symbol_route_or_key() -> None:
    assert {label for family in FAMILIES for sample in family.samples for label in sample.labels} == {
        "version", "profile", "mode", "state", "depth", "severity", "limit", "end", "tier", "reason", "currency", "span", "part",
        "asset", "exchange", "level", "health", "kind", "pair", "outcome", "le",
    }  # fmt: skip
    assets = {sample.labels["asset"] for family in FAMILIES for sample in family.samples if "asset" in sample.labels}
    assert assets == {"KRW", "USDT"}, "settlement currencies only"


def test_every_reason_and_every_end_is_there_as_nought_before_it_happens() -> None:
    told = values(replace(healthy(0.0), denials={}, cycles={}, breaches={}, unacknowledged={}))
    for reason in Reason:
        assert told[key("arbtui_denials_total", tier=reason.tier, reason=reason)] == 0.0
    for state in ENDINGS:
        assert told[key("arbtui_cycles_total", end=state.lower())] == 0.0
    assert told[key("arbtui_orders_total", exchange="upbit", outcome="rejected")] == 0.0
    assert told[key("arbtui_breaches_total", severity="CRIT")] == 0.0


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_fault_adds_no_series(name: str) -> None:
    more = values(CONDITIONS[name](30.0)).keys() - values(healthy(30.0)).keys()
    assert {series[0] for series in more} <= {"arbtui_build_info"}  # which names the mode


def test_tiers_are_those_of_the_page_on_limits() -> None:
    listed: dict[str, set[str]] = {}
    for line in (REPOSITORY / "docs" / "limits.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) > 2:
            for name in re.findall(r"`([A-Z][A-Z_]+)`", cells[0]):
                listed.setdefault(name, set()).add(cells[1])
    assert {reason: reason.tier for reason in Reason if reason in listed and reason.tier not in listed[reason]} == {}
    assert len([reason for reason in Reason if reason in listed]) > 40


def test_parts_of_the_pnl_add_up_to_it() -> None:
    told = values(healthy(60.0))
    for span in ("run", "day"):
        parts = [value for (name, labels), value in told.items() if name == "arbtui_pnl_part" and ("span", span) in labels]
        assert len(parts) == 6
        assert sum(parts) == pytest.approx(told[key("arbtui_pnl", currency="USDT", span=span)])


def test_a_histogram_says_what_was_measured_in_seconds() -> None:
    told = values(healthy(1.0))
    labels = {"exchange": "upbit"}
    assert told[key("arbtui_order_acknowledgement_seconds_bucket", le="0.05", **labels)] == 0
    assert told[key("arbtui_order_acknowledgement_seconds_bucket", le="0.1", **labels)] == 120
    assert told[key("arbtui_order_acknowledgement_seconds_bucket", le="+Inf", **labels)] == 120
    assert told[key("arbtui_order_acknowledgement_seconds_count", **labels)] == 120
    assert told[key("arbtui_order_acknowledgement_seconds_sum", **labels)] == pytest.approx(120 * 0.08)


def test_a_trade_is_told_as_the_engine_knows_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            views = views_of(w)
            reader = MeasuresReader(w.engine, views, "0", RunMeasures)
            before = values(await reader.read())
            await w.trade()
            after = values(await reader.read())
            assert before.keys() <= after.keys()
            assert after[key("arbtui_cycles_opened_total")] == 1.0
            assert after[key("arbtui_cycles_total", end="hedged")] == w.portfolio.state.tally.outcomes["HEDGED"] == 1  # type: ignore[index]
            for exchange in w.components.adapters:
                assert before[key("arbtui_orders_total", exchange=exchange, outcome="filled")] == 0.0
                assert after[key("arbtui_orders_total", exchange=exchange, outcome="filled")] == 1.0
                assert after[key("arbtui_fills_total", exchange=exchange)] == w.engine.tracker.fills_per_exchange[exchange]
                assert after[key("arbtui_order_acknowledgement_seconds_count", exchange=exchange)] == 1.0
                for state in views.venues():
                    assert state.health == "HEALTHY"
            assert after[key("arbtui_pnl", currency="USDT", span="run")] == pytest.approx(views.header().pnl_session)
            assert after[key("arbtui_trading_state", state="ARMED")] == 1.0
            routes = sum(value for (name, _), value in after.items() if name == "arbtui_routes")
            assert routes == len(w.components.universe.routes)
            assert after[key("arbtui_kill_latched")] == 0.0
            w.engine.kill_switch.kill("CLI", "test")
            killed = values(await reader.read())
            assert killed[key("arbtui_kill_latched")] == 1.0
            assert killed[key("arbtui_kills_total")] == 1.0
            w.agree()

    run_virtual(main())
