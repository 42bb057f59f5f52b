"""The dashboard: JSON that Grafana's schema has, whose every query names what the program or a recording rule tells."""

import json
import re
from typing import Any

import pytest

from tests.deploy.stack import MONITORING, recorded
from tests.deploy.test_rules import told

DASHBOARD = json.loads((MONITORING / "grafana" / "dashboards" / "arbtui.json").read_text())
#: What Prometheus itself tells.
_ITS_OWN = {"up", "ALERTS"}


def panels() -> list[dict[str, Any]]:
    """Every panel that shows something."""
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def queries() -> list[str]:
    """Every query of the dashboard, with its variables filled in."""
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    asked += [annotation["expr"] for annotation in DASHBOARD["annotations"]["list"]]
    return [query.replace("$engine", ".+").replace("$__rate_interval", "1m") for query in asked]


@pytest.mark.parametrize("query", queries())
def test_a_query_names_only_what_is_told(query: str) -> None:
    bare = re.sub(r'"[^"]*"|\[[^]]*\]', "", query)
    names = set(re.findall(r"[a-zA-Z_:][\w:]*(?=\s*\{)", bare))
    assert names
    assert names - told() - recorded() - _ITS_OWN == set()
    assert "$" not in query


def test_every_family_is_shown_or_alerted_on() -> None:
    """What nobody looks at is not worth its series; these few are for whoever asks Prometheus by hand."""
    by_hand = {
        "arbtui_route_evaluations_total", "arbtui_updates_total", "arbtui_alert_channels", "arbtui_alert_oldest_overdue_seconds",
        "arbtui_kill_drill_gate_seconds", "arbtui_breaches_total", "arbtui_open_fx_age_seconds",
    }  # fmt: skip
    text = " ".join(queries()) + "".join(path.read_text() for path in (MONITORING / "rules").glob("*.yml"))
    unseen = {re.sub(r"_(bucket|sum|count)$", "", name) for name in told()} - set(re.findall(r"arbtui_\w+", text))
    unseen = {name for name in unseen if f"{name}_bucket" not in text}
    assert unseen <= by_hand


def test_panels_have_numbers_and_places_of_their_own() -> None:
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_panel_asks_the_data_source_that_is_provisioned() -> None:
    provisioned = re.search(r"uid: (\w+)", (MONITORING / "grafana/provisioning/datasources/arbtui.yml").read_text())
    assert provisioned is not None
    assert {panel["datasource"]["uid"] for panel in panels()} == {provisioned[1]}
    assert {target["datasource"]["uid"] for panel in panels() for target in panel["targets"]} == {provisioned[1]}
