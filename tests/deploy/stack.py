"""The real Prometheus and Alertmanager, and their tools, on this machine."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY

MONITORING = REPOSITORY / "deploy" / "monitoring"


def program(name: str) -> str:
    """Where ``name`` is. Without it a test is skipped, and says so; in CI, which installs it, that is a failure."""
    found = shutil.which(name)
    if found is not None:
        return found
    message = f"{name} is not installed (apt install prometheus prometheus-alertmanager)"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def alerts() -> dict[str, dict[str, Any]]:
    """Every alerting rule by its name."""
    return {rule["alert"]: rule for rule in _rules("alerts.yml") if "alert" in rule}


def asked_by(*names: str) -> set[str]:
    """The metrics that these alerts are worked out of, by way of recording rules too."""
    text = "".join(alerts()[name]["expr"] for name in names)
    for rule in _rules("recording.yml"):
        text += rule["expr"] if rule["record"] in text else ""
    return set(re.findall(r"(?<![\w:])arbtui_\w+", text))


def recorded() -> set[str]:
    """The names of what the recording rules work out."""
    return {rule["record"] for rule in _rules("recording.yml")}


@cache
def _rules(name: str) -> list[dict[str, Any]]:
    """The rules of one file, as far as this reader of its plain YAML goes: one key a line, text over lines by ``>-``."""
    rules: list[dict[str, Any]] = []
    folded = ""
    for line in (MONITORING / "rules" / name).read_text().splitlines():
        start = re.match(r"      - (alert|record): (\S+)$", line)
        if start:
            rules.append({start[1]: start[2], "text": ""})
        if not rules or not line.startswith("      "):
            continue
        rules[-1]["text"] += line + "\n"
        key = re.match(r"        (\w+): ?(.*)$", line)
        if key:
            folded = key[1] if key[2] == ">-" else ""
            rules[-1][key[1]] = "" if folded else key[2]
        elif folded:
            rules[-1][folded] += line.strip() + " "
    return rules


@contextmanager
def running(*command: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that is ended with the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def written(folder: Path, engines: Mapping[str, str], environment: Mapping[str, str], alertmanager: str) -> None:
    """The configuration as ``start.py`` writes it, checked by promtool and amtool."""
    for name in ("promtool", "amtool", "prometheus", "prometheus-alertmanager"):
        program(name)
    told = [part for name, address in engines.items() for part in ("--engine", f"{name}={address}")]
    command = [sys.executable, str(MONITORING / "start.py"), "--write", str(folder), "--alertmanager", alertmanager, *told]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


#: Seconds for which a minute of the rules is played.
MINUTE_S = 2


def play_minutes_fast(folder: Path) -> None:
    """Every span that the written rules look back over is a thirtieth; no alert waits for more than two seconds, nor does the switch.

    How long each waits is promtool's to prove: here a busy machine would begin to count anew with each scrape that comes late.
    """
    for path in (folder / "rules").glob("*.yml"):
        text = re.sub(r"for: \d+m\b", "for: 2s", path.read_text())
        text = re.sub(r"\[(\d+)m\]", lambda minutes: f"[{int(minutes[1]) * MINUTE_S}s]", text)
        path.write_text(re.sub(r"\[(\d+)h\]", lambda hours: f"[{int(hours[1]) * 60 * MINUTE_S}s]", text))
    config = folder / "prometheus.yml"
    config.write_text(re.sub(r"_interval: 15s", "_interval: 1s", config.read_text()))
    config = folder / "alertmanager.yml"
    text = config.read_text().replace("group_wait: 5s", "group_wait: 1s").replace("group_interval: 1m", "group_interval: 1s")
    config.write_text(text.replace("repeat_interval: 5m", "repeat_interval: 1s"))


class Prometheus:
    """Asks a running Prometheus. ``address``: its host and port."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self, path: str, **query: str) -> Any:
        """The ``data`` of an answer of its API."""
        url = f"http://{self._address}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            told = json.load(answer)
        assert told["status"] == "success", told
        return told["data"]

    def value(self, query: str) -> list[tuple[dict[str, str], float]]:
        """What an instant query gives: labels and values."""
        return [(one["metric"], float(one["value"][1])) for one in self.ask("query", query=query)["result"]]


def is_ready(address: str) -> bool:
    """Whether the program there takes what it is sent."""
    try:
        with urllib.request.urlopen(f"http://{address}/-/ready", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
