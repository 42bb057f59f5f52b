"""The one command that starts Prometheus and Alertmanager: what it refuses, and that it ends both."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.deploy.stack import MONITORING, is_ready, program
from tests.deploy.test_end_to_end import free_port
from tests.lifecycle.waiting import until

TELEGRAM = {"ARBTUI_TELEGRAM_TOKEN": "1:a", "ALERT_CHAT_ID": "42"}


def start(*arguments: str, environment: Mapping[str, str] | None = None, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    told = {name: value for name, value in os.environ.items() if not name.startswith(("ALERT_", "ARBTUI_TELEGRAM"))}
    told |= environment or {}
    if path is not None:
        told["PATH"] = path
    command = [sys.executable, str(MONITORING / "start.py"), *arguments]
    return subprocess.run(command, env=told, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"ALERT_CHAT_ID": "42"}, "ARBTUI_TELEGRAM_TOKEN, the bot's token, is not"),
        ({**TELEGRAM, "ALERT_CHAT_ID": "@desk"}, "ALERT_CHAT_ID is '@desk'; a chat is a number"),
        ({"ALERT_EMAIL_TO": "desk@example.org"}, "e-mail needs both ALERT_EMAIL_TO and ALERT_SMTP"),
        ({"ALERT_EMAIL_TO": "desk@example.org", "ALERT_SMTP": "mail.example.org"}, "ALERT_SMTP, which is HOST:PORT"),
        (
            {"ALERT_EMAIL_TO": "desk@example.org", "ALERT_SMTP": "mail.example.org:587", "ALERT_SMTP_USER": "desk"},
            "set both ALERT_SMTP_USER and ALERT_SMTP_PASSWORD",
        ),
    ],
)
def test_a_channel_that_is_set_up_in_part_is_refused(environment: Mapping[str, str], said: str, tmp_path: Path) -> None:
    done = start("--write", str(tmp_path / "config"), environment=environment)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_engine_without_a_name_or_a_port_is_refused(tmp_path: Path) -> None:
    done = start("--write", str(tmp_path / "config"), "--engine", "127.0.0.1")
    assert done.returncode == 2
    assert "expected NAME=HOST:PORT" in done.stderr


def test_programs_that_are_missing_are_named_with_how_to_install_them(tmp_path: Path) -> None:
    done = start("--write", str(tmp_path / "config"), path=str(tmp_path))
    assert done.returncode == 2
    assert "prometheus, promtool, prometheus-alertmanager, amtool not found" in done.stderr
    assert "apt install prometheus prometheus-alertmanager" in done.stderr


def test_mail_to_another_machine_is_encrypted_and_to_this_one_need_not_be(tmp_path: Path) -> None:
    program("amtool")
    for smtp, tls in (("mail.example.org:587", "true"), ("127.0.0.1:2525", "false"), ("localhost:25", "false")):
        done = start("--write", str(tmp_path / "c"), environment={"ALERT_EMAIL_TO": "desk@example.org", "ALERT_SMTP": smtp})
        assert done.returncode == 0, done.stderr
        assert f"require_tls: {tls}\n" in (tmp_path / "c" / "alertmanager.yml").read_text()


def test_nobody_to_tell_is_said(tmp_path: Path) -> None:
    program("amtool")
    done = start("--write", str(tmp_path / "config"))
    assert done.returncode == 0
    assert "nobody is told of alerts" in done.stderr


def test_both_run_until_the_command_is_ended(tmp_path: Path) -> None:
    program("prometheus"), program("prometheus-alertmanager")
    prometheus, alertmanager = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    places = ["--dir", str(tmp_path / "data"), "--prometheus", prometheus, "--alertmanager", alertmanager]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, str(MONITORING / "start.py"), *places], stdout=log, stderr=log, cwd=REPOSITORY)
        try:
            until(partial(is_ready, prometheus), "Prometheus runs")
            until(partial(is_ready, alertmanager), "the Alertmanager runs")
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert not is_ready(prometheus)
    assert not is_ready(alertmanager)


def test_one_that_cannot_run_ends_the_other(tmp_path: Path) -> None:
    program("prometheus"), program("prometheus-alertmanager")
    taken = f"127.0.0.1:{free_port()}"
    done = start("--dir", str(tmp_path / "data"), "--prometheus", taken, "--alertmanager", taken)
    assert done.returncode == 1
    assert "one of them has ended" in done.stderr
    assert not is_ready(taken)


@pytest.mark.parametrize(("flag", "service"), [("--prometheus", "prometheus"), ("--alertmanager", "prometheus-alertmanager")])
def test_a_port_that_is_taken_is_named_before_anything_starts(flag: str, service: str, tmp_path: Path) -> None:
    """As on Debian, whose packages start both programs as services."""
    program("prometheus"), program("prometheus-alertmanager")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        others = {"--prometheus": f"127.0.0.1:{free_port()}", "--alertmanager": f"127.0.0.1:{free_port()}", flag: f"127.0.0.1:{port}"}
        done = start("--dir", str(tmp_path), *(word for pair in others.items() for word in pair))
    assert done.returncode == 2
    assert f"{service} cannot listen at 127.0.0.1:{port} (Address already in use)" in done.stderr
    assert f"systemctl disable --now {service}" in done.stderr
    assert "Prometheus is at" not in done.stdout
