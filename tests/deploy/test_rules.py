"""The rules of Prometheus: they name what there is, fire each on its condition and not before its time, and are quiet in a healthy hour."""

import json
import math
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from arbtui.monitoring.metrics import families
from tests.conftest import REPOSITORY
from tests.deploy.conditions import CONDITIONS, FOLLOWS, NOT_OF_AN_ENGINE, At, healthy
from tests.deploy.stack import MONITORING, alerts, asked_by, program, recorded, written

RULES = [MONITORING / "rules" / name for name in ("recording.yml", "alerts.yml")]
HOUR = 60

Series = dict[str, tuple[float, float]]
"""A series, with its values at the beginning and at the end of an hour in which it changes evenly."""


@cache
def named() -> frozenset[str]:
    """Every name of the program's that the rules ask for."""
    return frozenset(name for path in RULES for name in re.findall(r"(?<![\w:])arbtui_\w+", path.read_text()))


def told() -> set[str]:
    """Every name that the program gives a series."""
    return {sample.name for family in families(healthy(HOUR)) for sample in family.samples}


def test_every_alert_can_be_brought_about() -> None:
    assert set(alerts()) == set(CONDITIONS) | set(NOT_OF_AN_ENGINE)


@pytest.mark.parametrize("name", alerts())
def test_every_alert_says_how_bad_it_is_what_it_means_and_what_to_do(name: str) -> None:
    text = alerts()[name]["text"]
    assert re.search(r"severity: (critical|warning|none)\b", text)
    assert re.search(r"summary: .{10}", text)
    assert re.search(r"action: .{10}", text)
    assert f"| `{name}` |" in (REPOSITORY / "docs" / "monitoring.md").read_text()


def test_rules_name_only_what_the_program_tells() -> None:
    assert named()
    assert named() - told() == set()
    used = {name for path in RULES for name in re.findall(r"\b(?:engine|exchange):\w+:\w+", path.read_text())}
    assert used == recorded()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"ARBTUI_TELEGRAM_TOKEN": "1:a", "ALERT_CHAT_ID": "-42"},
        {"ALERT_EMAIL_TO": "desk@example.org", "ALERT_SMTP": "mail.example.org:587"},
        {
            "ARBTUI_TELEGRAM_TOKEN": '1:"a"',
            "ALERT_CHAT_ID": "42",
            "ALERT_EMAIL_TO": "desk@example.org",
            "ALERT_SMTP": "mail.example.org:587",
            "ALERT_SMTP_USER": "desk",
            "ALERT_SMTP_PASSWORD": "p: #'\"",
            "ALERT_WATCHDOG_URL": "https://switch.example.org/ping",
        },
    ],
    ids=["nobody", "telegram", "e-mail", "everything"],
)
def test_what_is_started_passes_the_programs_own_checks(environment: Mapping[str, str], tmp_path: Path) -> None:
    written(tmp_path / "config", {"desk": "127.0.0.1:9464"}, environment, "127.0.0.1:9093")
    config = tmp_path / "config" / "alertmanager.yml"
    assert config.stat().st_mode & 0o077 == 0
    assert "${" not in config.read_text()
    shown = subprocess.run([program("amtool"), "config", "routes", "show", f"--config.file={config}"], capture_output=True, text=True)
    assert "watchdog" in shown.stdout


def test_the_files_as_they_are_pass_promtool() -> None:
    done = subprocess.run([program("promtool"), "check", "rules", *map(str, RULES)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(alerts())} rules found" in done.stdout
    done = subprocess.run([program("promtool"), "check", "config", str(MONITORING / "prometheus.yml")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def series(at: At, engine: str = "desk") -> Series:
    """All that the rules ask for, over an hour of one engine."""
    target = {"engine": engine, "instance": "127.0.0.1:9464", "job": "arbtui"}
    ends = [
        {(sample.name, *sorted(sample.labels.items())): sample.value for family in families(at(minute)) for sample in family.samples}
        for minute in (0.0, float(HOUR))
    ]
    found = {_name("up", **target): (1.0, 1.0)}
    for key, last in ends[1].items():
        name = str(key[0])
        if name in named():
            found[_name(name, **target, **dict(key[1:]))] = (ends[0].get(key, last), last)  # type: ignore[arg-type]
    return found


def _name(metric: str, **labels: str) -> str:
    return metric + "{" + ",".join(f"{name}={json.dumps(value)}" for name, value in sorted(labels.items())) + "}"


def _values(ends: tuple[float, float]) -> str:
    first, last = ends
    if not (math.isfinite(first) and math.isfinite(last)):
        word = "NaN" if math.isnan(last) else "Inf"
        return " ".join([word] * (HOUR + 1))
    return f"{first!r}+{(last - first) / HOUR!r}x{HOUR}"


def case(shown: Series, fires: Iterable[tuple[str, str]], quiet: Iterable[tuple[str, str, int]] = ()) -> dict[str, Any]:
    """An hour at whose end exactly these alerts fire, each at its engine, and Watchdog; ``quiet``: such as do not at that minute."""
    firing = 'group by (alertname, engine) (ALERTS{alertstate="firing"%s})'
    told = [f'{{alertname="{name}", engine="{engine}"}}' for name, engine in fires] + ['{alertname="Watchdog"}']
    asked = [{"expr": firing % "", "eval_time": f"{HOUR}m", "exp_samples": [{"labels": labels, "value": 1} for labels in told]}]
    for name, engine, minute in quiet:
        query = firing % f',alertname="{name}",engine="{engine}"'
        asked.append({"expr": query, "eval_time": f"{minute}m", "exp_samples": []})
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": _values(ends)} for name, ends in shown.items()],
        "promql_expr_test": asked,
    }


def _waits(name: str) -> int:
    """For how many minutes the condition must hold; 0: none."""
    found = re.fullmatch(r"(\d+)m", alerts()[name].get("for", ""))
    return int(found[1]) if found else 0


def cases() -> Iterator[dict[str, Any]]:
    """One hour in which each condition holds at an engine of its own, and those of no engine."""
    shown: Series = {}
    asked = {name: asked_by(name) for name in alerts()}
    for name, at in CONDITIONS.items():
        told, usual = series(at, name), series(healthy, name)
        changed = {key.partition("{")[0] for key in told if told[key] != usual.get(key)}
        # What no alert asks for beside something that has changed is as in the healthy hour, and that has an hour of its own.
        wanted = set[str]().union(*(names for names in asked.values() if names & changed))
        assert name in {alert for alert, names in asked.items() if names & changed}
        shown |= {key: ends for key, ends in told.items() if key.partition("{")[0] in {"up", *wanted}}
    fires = [(fired, name) for name in CONDITIONS for fired in (name, *FOLLOWS.get(name, ()))]
    yield case(shown, fires, [(name, name, _waits(name) - 1) for name in CONDITIONS if _waits(name)])
    down = {_name("up", engine="desk", instance="127.0.0.1:9464", job="arbtui"): (0.0, 0.0)}
    yield case(down, [("EngineDown", "desk"), ("NoEngine", "none")], [("EngineDown", "desk", 0), ("NoEngine", "none", 1)])
    yield case({}, [("NoEngine", "none")], [("NoEngine", "none", 1)])
    failed = _name("alertmanager_notifications_failed_total", engine="alertmanager", integration="telegram", job="alertmanager")
    yield case(series(healthy) | {failed: (0.0, 60.0)}, [("NotificationsFail", "alertmanager")])


def promtool_test(tmp_path: Path, tests: Sequence[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    """Let promtool play these hours."""
    file = tmp_path / "tests.yml"
    file.write_text(json.dumps({"rule_files": [str(path) for path in RULES], "evaluation_interval": "1m", "tests": tests}))
    return subprocess.run([program("promtool"), "test", "rules", str(file)], capture_output=True, text=True, check=False)


def test_a_healthy_hour_is_quiet(tmp_path: Path) -> None:
    done = promtool_test(tmp_path, [case(series(healthy), [])])
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_on_its_condition_alone_and_not_before_its_time(tmp_path: Path) -> None:
    done = promtool_test(tmp_path, list(cases()))
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_would_say_so_if_one_did_not_fire(tmp_path: Path) -> None:
    done = promtool_test(tmp_path, [case(series(healthy), [("KillLatched", "desk")])])
    assert done.returncode != 0
    assert "KillLatched" in done.stdout + done.stderr
