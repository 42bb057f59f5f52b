#!/usr/bin/env python3
"""Starts Prometheus and Alertmanager for the engines of this machine, with the rules beside this file.

    python3 deploy/monitoring/start.py                                    # one engine, at its usual port
    python3 deploy/monitoring/start.py --engine a=127.0.0.1:9464 --engine b=127.0.0.1:9465
    python3 deploy/monitoring/start.py --write DIR                        # writes and checks the configuration, starts nothing

Who is told comes from the environment (docs/monitoring.md): ARBTUI_TELEGRAM_TOKEN and ALERT_CHAT_ID; ALERT_EMAIL_TO, ALERT_SMTP
(host:port), and where the mail server asks for them ALERT_SMTP_USER and ALERT_SMTP_PASSWORD; ALERT_WATCHDOG_URL. Both programs
listen on this machine only. Ctrl+C, or SIGTERM, ends both. Standard library only: it runs where no arbtui is installed.
"""

import argparse
import errno
import ipaddress
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAMS = ("prometheus", "promtool", "prometheus-alertmanager", "amtool")
#: Debian names it so; elsewhere it is `alertmanager`.
OTHER_NAMES = {"prometheus-alertmanager": "alertmanager"}
STOP_S = 10.0


class Refused(Exception):
    """Something is missing or wrong; the message says what to do."""


def channels(environment: Mapping[str, str]) -> tuple[dict[str, str], set[str]]:
    """The values of the Alertmanager's configuration as YAML, and the marks of the lines that stay.

    Raises:
        Refused: a channel is set up in part.
    """
    values: dict[str, str] = {}
    marks: set[str] = set()
    token, chat = environment.get("ARBTUI_TELEGRAM_TOKEN", ""), environment.get("ALERT_CHAT_ID", "")
    if chat:
        if not re.fullmatch(r"-?\d+", chat):
            raise Refused(f"ALERT_CHAT_ID is {chat!r}; a chat is a number, a group's is negative")
        if not token:
            raise Refused("ALERT_CHAT_ID is set and ARBTUI_TELEGRAM_TOKEN, the bot's token, is not")
        values |= {"CHAT_ID": chat, "TELEGRAM_TOKEN": json.dumps(token)}
        values["TELEGRAM_URL"] = json.dumps(environment.get("ALERT_TELEGRAM_URL", "https://api.telegram.org"))
        marks.add("telegram")
    to, smtp = environment.get("ALERT_EMAIL_TO", ""), environment.get("ALERT_SMTP", "")
    if to or smtp:
        if not (to and re.fullmatch(r"[^\s:]+:\d+", smtp)):
            raise Refused("e-mail needs both ALERT_EMAIL_TO and ALERT_SMTP, which is HOST:PORT of the mail server")
        tls = not _is_this_machine(smtp.rpartition(":")[0])
        values |= {"EMAIL_TO": json.dumps(to), "SMTP": json.dumps(smtp), "SMTP_TLS": json.dumps(tls)}
        values["EMAIL_FROM"] = json.dumps(environment.get("ALERT_EMAIL_FROM") or to.partition(",")[0].strip())
        marks.add("e-mail")
        user, password = environment.get("ALERT_SMTP_USER", ""), environment.get("ALERT_SMTP_PASSWORD", "")
        if bool(user) is not bool(password):
            raise Refused("set both ALERT_SMTP_USER and ALERT_SMTP_PASSWORD, or neither")
        if user:
            values |= {"SMTP_USER": json.dumps(user), "SMTP_PASSWORD": json.dumps(password)}
            marks.add("e-mail password")
        if "telegram" not in marks:
            marks.add("e-mail alone")
    url = environment.get("ALERT_WATCHDOG_URL", "")
    values |= {"WATCHDOG_URL": url.replace('"', "%22"), "WATCHDOG_EVERY": "5m" if url else "24h"}
    marks |= {"dead man's switch"} if url else {f"{mark}, no switch" for mark in marks & {"telegram", "e-mail alone"}}
    return values, marks


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


_MARK = re.compile(r"\s+# (telegram|e-mail|e-mail password|e-mail alone|dead man's switch|telegram, no switch|e-mail alone, no switch)$")


def alertmanager_config(template: str, values: Mapping[str, str], marks: set[str]) -> str:
    """``template`` with its values, without the lines of channels that nobody has set up."""
    kept = []
    for line in template.splitlines():
        mark = _MARK.search(line)
        if mark is None or mark[1] in marks:
            kept.append(line if mark is None else line[: mark.start()])
    return re.sub(r"\$\{(\w+)\}", lambda found: values.get(found[1], found[0]), "\n".join(kept)) + "\n"


def write(folder: Path, engines: Sequence[str], environment: Mapping[str, str], alertmanager: str = "127.0.0.1:9093") -> set[str]:
    """Write the whole configuration to ``folder``, which holds secrets from then on; which channels there are.

    Raises:
        Refused: a channel is set up in part, or an engine is not NAME=HOST:PORT.
    """
    values, marks = channels(environment)
    targets = []
    for engine in engines:
        name, is_given, address = engine.partition("=")
        if not (name and is_given and re.fullmatch(r"\S+:\d+", address)):
            raise Refused(f"--engine {engine!r}: expected NAME=HOST:PORT, such as upbit-binance=127.0.0.1:9464")
        targets.append({"targets": [address], "labels": {"engine": name}})
    os.umask(0o077)
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("rules", "templates", "targets"):
        shutil.rmtree(folder / part, ignore_errors=True)
        shutil.copytree(HERE / part, folder / part)
    if targets:
        (folder / "targets" / "engines.json").write_text(json.dumps(targets, indent=2) + "\n")
    prometheus = (HERE / "prometheus.yml").read_text().replace("127.0.0.1:9093", alertmanager)
    (folder / "prometheus.yml").write_text(prometheus)
    config = folder / "alertmanager.yml"
    config.unlink(missing_ok=True)
    config.write_text(alertmanager_config((HERE / "alertmanager.yml").read_text(), values, marks))
    return marks & {"telegram", "e-mail"}


def programs() -> dict[str, str]:
    """Where the programs are.

    Raises:
        Refused: one is not installed.
    """
    found = {name: shutil.which(name) or shutil.which(OTHER_NAMES.get(name, name)) for name in PROGRAMS}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise Refused(f"{', '.join(missing)} not found; on Debian and Ubuntu: apt install prometheus prometheus-alertmanager")
    return {name: path for name, path in found.items() if path is not None}


def check(folder: Path, tools: Mapping[str, str]) -> None:
    """Let both programs' own tools look at the configuration.

    Raises:
        Refused: one finds fault with it.
    """
    for command in (
        [tools["promtool"], "check", "config", str(folder / "prometheus.yml")],
        [tools["amtool"], "check-config", str(folder / "alertmanager.yml")],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refused(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")


def free(address: str, program: str, flag: str) -> None:
    """Check that nobody listens at ``address``.

    Raises:
        Refused: somebody does, or it is no address of this machine.
    """
    host, _, port = address.rpartition(":")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host.strip("[]") or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(place)
            one.listen()
    except (OSError, OverflowError) as error:
        said = (
            f"{program} cannot listen at {address} ({getattr(error, 'strerror', None) or error}); say another place with {flag} HOST:PORT"
        )
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            said += f", or end the service that Debian's package has started: systemctl disable --now {program}"
        raise Refused(said) from None


def run(folder: Path, data: Path, tools: Mapping[str, str], prometheus: str, alertmanager: str) -> int:
    """Run both until one ends or this is ended; the exit code."""
    commands = (
        [
            tools["prometheus-alertmanager"],
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={data / 'alertmanager'}",
            f"--web.listen-address={alertmanager}",
            "--cluster.listen-address=",
        ],
        [
            tools["prometheus"],
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={data / 'prometheus'}",
            "--storage.tsdb.retention.time=90d",
            f"--web.listen-address={prometheus}",
        ],
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    started: list[subprocess.Popen[bytes]] = []
    try:
        started += (subprocess.Popen(command) for command in commands)
        print(f"Prometheus is at http://{prometheus}/alerts, Alertmanager at http://{alertmanager}; Ctrl+C ends both", flush=True)
        while all(process.poll() is None for process in started):
            time.sleep(0.5)
        print("one of them has ended, which its last lines explain: ending the other", file=sys.stderr)
        return 1
    finally:
        for process in started:
            process.terminate()
        for process in started:
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, write, check, run; the exit code."""
    parser = argparse.ArgumentParser(description="Prometheus and Alertmanager for arbtui's engines; docs/monitoring.md")
    parser.add_argument("--engine", action="append", default=[], metavar="NAME=HOST:PORT", help="an engine's metrics; may be given again")
    parser.add_argument("--write", metavar="DIR", help="write and check the configuration there, and start nothing")
    parser.add_argument("--dir", metavar="DIR", help="where configuration and data are kept (default: the platform's state folder)")
    parser.add_argument("--prometheus", default="127.0.0.1:9090", metavar="HOST:PORT", help="where Prometheus listens")
    parser.add_argument("--alertmanager", default="127.0.0.1:9093", metavar="HOST:PORT", help="where Alertmanager listens")
    wish = parser.parse_args(arguments)
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    data = Path(wish.dir) if wish.dir else state / "arbtui-monitoring"
    folder = Path(wish.write) if wish.write else data / "config"
    try:
        told = write(folder, wish.engine, os.environ, wish.alertmanager)
        tools = programs()
        check(folder, tools)
        if not wish.write:
            free(wish.alertmanager, "prometheus-alertmanager", "--alertmanager")
            free(wish.prometheus, "prometheus", "--prometheus")
    except (Refused, OSError) as error:
        print(f"monitoring: {error}", file=sys.stderr)
        return 2
    if not told:
        print(
            "monitoring: nobody is told of alerts: set ARBTUI_TELEGRAM_TOKEN and ALERT_CHAT_ID, or ALERT_EMAIL_TO and ALERT_SMTP",
            file=sys.stderr,
        )
    if wish.write:
        print(f"written to {folder}, and found right; it holds the bot's token and the mail password where they are set")
        return 0
    return run(folder, data, tools, wish.prometheus, wish.alertmanager)


if __name__ == "__main__":
    sys.exit(main())
