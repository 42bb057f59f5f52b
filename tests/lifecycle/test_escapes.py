"""Venues, profiles, files and arguments that hold escape sequences: nothing of them reaches a terminal, a log or a page raw."""

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from arbtui.exchanges.venues import VENUES
from tests import warm_start
from tests.lifecycle.profiles import changed_profile
from tests.lifecycle.programs import run
from tests.lifecycle.state import State
from tests.lifecycle.terminal import CTRL_Q, console

#: Clears the screen; the same in eight bits; writes to the clipboard; turns the writing direction; rings; forges a line.
HOSTILE = "\x1b[2J\x9b31m\x1b]52;c;cm0=\x07\u202eCTB\u2066\x7f\r\n2026-11-28T00:00:00.000Z INFO arbtui: all is well"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def assert_harmless(*texts: str) -> None:
    for text in texts:
        assert not RAW.search(text), repr(text)


class _Hostile(BaseHTTPRequestHandler):
    """Whatever is asked: a refusal in hostile words."""

    def do_GET(self) -> None:
        body = json.dumps({"code": -1100, "msg": HOSTILE, "error": {"name": f"bad{HOSTILE}", "message": HOSTILE}}).encode()
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_DELETE = do_GET

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def hostile_desk(tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A profile whose venues are one hostile server."""
    for name in ("UPBIT", "BINANCE"):
        monkeypatch.setenv(f"ARBTUI_{name}_KEY", "key-of-a-test-1234")
        monkeypatch.setenv(f"ARBTUI_{name}_SECRET", "secret-of-a-test-12345678")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hostile) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = f"127.0.0.1:{server.server_address[1]}"
        profile = changed_profile(tmp_path, "desk")
        text = profile.read_text()
        for venue in (VENUES["upbit"], VENUES["binance"]):
            for url, scheme in zip(venue.urls.all, ("http", "ws", "ws"), strict=True):
                text = re.sub(rf'"{re.escape(url)}"', f'"{scheme}://{here}{"" if scheme == "http" else "/" + url.split("/", 3)[3]}"', text)
        assert text.count(here) == 6
        profile.write_text(text)
        yield profile
        server.shutdown()


@pytest.mark.parametrize("mode", ["paper", "live"])
def test_a_venue_at_a_start(hostile_desk: Path, state: State, mode: str) -> None:
    confirm = ("--confirm", "desk") if mode == "live" else ()
    ended = run(
        "--profile", str(hostile_desk), "--mode", mode, *confirm, "--headless", "--max-runtime", "2", "--state-dir", str(state.root)
    )
    assert ended.code == 2, ended.err
    assert r"\u001b[2J" in ended.err
    log = (state.root / "desk" / "arbtui.log").read_text(encoding="utf-8")
    assert_harmless(ended.out, ended.err, log)
    assert not re.search(r"^2026-11-28T00:00:00.000Z INFO", log + ended.err, re.MULTILINE)


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_venue_in_check(hostile_desk: Path, state: State, form: tuple[str, ...]) -> None:
    ended = run("check", "--profile", str(hostile_desk), "--mode", "live", "--state-dir", str(state.root), *form)
    assert ended.code == 2
    assert "u001b" in ended.out
    assert_harmless(ended.out, ended.err)
    if form:
        assert json.loads(ended.out)["ok"] is False


@pytest.mark.parametrize(
    "text",
    [
        '"\\u001b[2Jkey" = 1\n',
        '[execution]\n"order\\u202e_value" = 1\n',
        '[universe]\nsymbols = ["\\u009b31mBTC"]\n',
        '[telegram]\nbase_url = "https://x\\u001b]0;y\\u0007/?"\n',
        '[exchanges."bin\\u001b[5mance"]\nquote = "USDT"\n',
        "x = \x1b[2J\n",
    ],
    ids=["key", "key in a table", "symbol", "URL", "venue", "raw, which is no TOML"],
)
def test_a_profile(tmp_path: Path, state: State, text: str) -> None:
    profile = tmp_path / "desk.toml"
    profile.write_text("[exchanges.upbit]\n[exchanges.binance]\n" + text)
    for command in ((), ("check",), ("check", "--json")):
        more = () if command else ("--headless",)
        ended = run(*command, "--profile", str(profile), *more, "--state-dir", str(state.root))
        assert ended.code == 2
        assert_harmless(ended.out, ended.err)
        assert "Traceback" not in ended.err


@pytest.mark.parametrize("command", ["status", "check", "assets", "locate", "ledger"])
def test_files_of_the_state_folder(tmp_path: Path, state: State, command: str) -> None:
    folder = state.root / "upbit-binance"
    folder.mkdir(parents=True, mode=0o700)
    flag = {"source": HOSTILE, "reason": HOSTILE, "ts_ms": 1}
    (folder / "kill.flag").write_text(json.dumps(flag))
    (folder / "quarantined.json").write_text(json.dumps([{"symbol": HOSTILE, "reason": "unknown", "detail": HOSTILE}]))
    (folder / "assets.json").write_text(json.dumps([{"symbol": HOSTILE, "by": HOSTILE, "ts_ms": 1, "reason": HOSTILE}]))
    for form in ((), ("--json",)):
        ended = run(command, "--profile", "upbit-binance", "--state-dir", str(state.root), *form)
        assert_harmless(ended.out, ended.err)
        assert "Traceback" not in ended.err


def test_a_flag_at_a_start_and_for_a_second_kill(state: State) -> None:
    folder = state.root / "upbit-binance"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "kill.flag").write_text(json.dumps({"source": HOSTILE, "reason": HOSTILE, "ts_ms": 1}))
    start = run("--profile", "upbit-binance", "--headless", "--state-dir", str(state.root))
    assert (start.code, start.err.count("\n")) == (2, 1)
    kill = run("kill", "--profile", "upbit-binance", "--state-dir", str(state.root), "--x\x1b[2J")
    assert kill.code == 1
    assert_harmless(start.out, start.err, kill.out, kill.err)


def test_the_console_shows_it_written_out(state: State) -> None:
    folder = state.root / "upbit-binance"
    folder.mkdir(parents=True, mode=0o700)
    mark = "\x1b]52;c;cm0=\x07"
    (folder / "kill.flag").write_text(json.dumps({"source": f"me{mark}", "reason": f"why{mark}\u202e", "ts_ms": 1}))
    with console("--profile", "upbit-binance", "--symbols", "2", "--state-dir", str(state.root), size=(160, 40)) as terminal:
        seen = terminal.shows("by me")
        terminal.type(b"r")
        terminal.shows("Type the profile's name", since=seen)
        terminal.turns()
        assert mark.encode() not in terminal.screen
        assert "\u202e".encode() not in terminal.screen
        terminal.type(b"\x1b")
        terminal.type(CTRL_Q)


@pytest.mark.parametrize(
    "arguments",
    [
        [b"--profile", b"desk\x1b[2J"],
        [b"--profile", b"\xff\xfe\x9b.toml"],
        [b"check", b"--profile", b"/tmp/\xff\x1b[2J.toml"],
        [b"--profile", b"upbit-binance", b"--symbols", b"\x1b[31mBTC", b"--headless"],
        [b"--profile", b"upbit-binance", b"--mode", b"\xff"],
        [b"ledger", b"--profile", b"upbit-binance", b"--mode", b"\xe2\x80\xae"],
        [b"locate", b"--state-dir", b"/tmp/\xff\x1b[2J"],
        [b"assets", b"sign", b"\x1b[2J", b"--profile", b"upbit-binance", b"--reason", b"x"],
        [b"\x1b[2J"],
        [b"kill", b"--profile", b"\xff\x1b[2J"],
        [b"keys", b"set", b"\x1b[2J"],
        [b"init", b"\xff\x1b[2J"],
    ],
    ids=lambda value: "",
)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "euc-kr"])
def test_arguments(arguments: list[bytes], encoding: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "ARBTUI_STATE_DIR": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    pipe = subprocess.PIPE
    given = map(os.fsdecode, arguments)
    with warm_start.popen("arbtui", *given, env=environment, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode in (0, 2), err
    assert b"Traceback" not in err
    assert_harmless(out.decode(encoding), err.decode(encoding))
