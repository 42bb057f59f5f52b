"""The real program with Telegram on: told of start, kill and stop, killed from a phone, cut off and started anew; the token nowhere."""

import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from arbtui.journal.outbox import load_outbox
from arbtui.model.halt import read_flag
from arbtui.model.scoped_halts import read_halts
from tests.lifecycle.profiles import TELEGRAM_ON, changed_profile
from tests.lifecycle.programs import Running, run, running
from tests.lifecycle.waiting import until
from tests.monitoring.bot_api import TOKEN, BotApi, bot_api, cuts, loses_the_reply, message, never, refuses, says

USER = 42
SECRET = TOKEN.partition(":")[2]


@pytest.fixture
def server() -> Iterator[BotApi]:
    with bot_api() as running_server:
        yield running_server


@pytest.fixture
def profile(home: Path, monkeypatch: pytest.MonkeyPatch, server: BotApi) -> Path:
    monkeypatch.setenv("ARBTUI_TELEGRAM_TOKEN", TOKEN)
    return changed_profile(
        home,
        "desk",
        ("symbols = ", "symbols = 2"),
        TELEGRAM_ON,
        ("chat_ids", f"chat_ids = [{USER}]"),
        ("user_ids", f"user_ids = [{USER}]"),
        ("base_url", f'base_url = "{server.url}"'),
    )


def arguments(profile: Path, state: Path, *more: str) -> list[str]:
    return ["--profile", str(profile), "--state-dir", str(state), *more]


def told(server: BotApi, words: str) -> bool:
    return any(words in text for text in server.texts(USER))


def started(server: BotApi, number: int = 1) -> bool:
    """Told of the run's start, in a message of its own or in one with an earlier start that waited too long."""
    return any("INFO STARTED" in text and f"run r{number} of " in text for text in server.texts(USER))


def alert_id(text: str) -> str:
    """The id in a message: the last word of its last line but one."""
    return text.splitlines()[-2].split()[-1]


def journal_of(state: Path) -> Path:
    return state / "desk" / "sim" / "journal.db"


def cycles(state: Path) -> int:
    with closing(sqlite3.connect(journal_of(state))) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'cycle'").fetchone():
            return 0  # it has only just been made
        (count,) = db.execute("SELECT count(*) FROM cycle WHERE closed_ms IS NOT NULL").fetchone()
        return int(count)


def assert_no_secret(place: Path, *more: str) -> None:
    """The token's secret part is in no file under ``place``, nor in ``more``."""
    for path in place.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    for text in more:
        assert SECRET not in text


def ended(program: Running, state: Path) -> int:
    end = program.ended()
    assert_no_secret(state, end.out, end.err)
    return end.code


def test_start_and_stop_are_told_and_status_answers(profile: Path, server: BotApi, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with running(*arguments(profile, state), folder=tmp_path / "run") as program:
        until(lambda: started(server), "told of the start")
        server.pending.append(message(1, "/status"))
        until(lambda: told(server, "desk SIM: ARMED") or None, "status")
        program.signal(signal.SIGTERM)
        assert ended(program, state) == 128 + signal.SIGTERM
    assert told(server, "STOPPED run r1: signal, exit code 143")
    assert load_outbox(journal_of(state)).alerts == []


def test_a_kill_from_a_phone_closes_the_gate_and_latches(profile: Path, server: BotApi, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with running(*arguments(profile, state), folder=tmp_path / "run") as program:
        until(lambda: started(server), "told of the start")
        server.pending.extend([message(1, "/kill", user=666), message(2, "/kill", chat=-5, kind="group"), message(3, "/status")])
        until(lambda: told(server, "ARMED") and re.search(r"messages ignored +2$", server.texts(USER)[-1]), "status")
        server.pending.append(message(4, "/kill"))
        until(lambda: told(server, "KILLED") and told(server, "CRITICAL KILL killed by TELEGRAM"), "killed")
        cause = read_flag(state / "desk")
        assert cause is not None
        assert cause.source == "TELEGRAM"
        until(lambda: told(server, "HALTED"), "what became of it")
        program.signal(signal.SIGTERM)
        ended(program, state)
    refused = run(*arguments(profile, state), "--headless", "--max-runtime", "1")
    assert refused.code == 2
    assert "killed by TELEGRAM" in refused.err


#: Each command that only looks, and what its answer says of a desk that trades.
LOOKS = {
    "/routes": "routes 4",
    "/fills": "last cycles",
    "/pnl": "fx stock",
    "/stock": "worth",
    "/exposure": "positions left over",
    "/health": "loop lag p99",
    "/breaches": "nothing waits for you",
    "/help": "/reduce [SCOPE [WHY]]",
}


def test_a_phone_looks_at_everything_and_holds_back_what_only_the_desk_sets_free(profile: Path, server: BotApi, tmp_path: Path) -> None:
    state = tmp_path / "state"
    folder = state / "desk"
    with running(*arguments(profile, state), folder=tmp_path / "run") as program:
        until(lambda: started(server) and cycles(state) >= 1, "a cycle")
        for number, (word, words) in enumerate(LOOKS.items(), 1):
            server.pending.append(message(number, word))
            until(lambda words=words: told(server, words), f"{word} is answered")  # type: ignore[misc]
        until(lambda: [one for one in server.taken if one.picture.startswith(b"\x89PNG")], "the picture")
        server.pending.append(message(20, "/pause exchange.upbit its wallet closes"))
        until(lambda: told(server, "exchange.upbit is PAUSED"), "paused")
        server.pending.append(message(21, "/reduce"))
        until(lambda: told(server, "send, within 60 s"), "a code")
        assert [halt.scope for halt in read_halts(folder)[0]] == ["exchange.upbit"]
        code = next(line for text in server.texts() for line in text.splitlines() if re.fullmatch(r"/reduce \d{6}", line))
        server.pending.append(message(22, code))
        until(lambda: told(server, "global is REDUCING"), "reducing")
        server.pending.append(message(23, "/kill"))
        until(lambda: told(server, "KILLED"), "killed")
        program.signal(signal.SIGTERM)
        ended(program, state)
    with closing(sqlite3.connect(journal_of(state))) as db:
        commands = db.execute("SELECT command, user_id, outcome FROM remote_command ORDER BY seq").fetchall()
    assert commands == [(word, USER, outcome) for word, outcome in (("/pause", "done"), ("/reduce", "done"), ("/kill", "killed"))]
    halts = {halt.scope: (halt.depth.value, halt.source, halt.by, halt.reason) for halt in read_halts(folder)[0]}
    assert halts == {
        "exchange.upbit": ("PAUSED", "TELEGRAM", f"telegram user {USER}", "its wallet closes"),
        "global": ("REDUCING", "TELEGRAM", f"telegram user {USER}", ""),
    }


def test_killed_between_sending_and_marking_sends_again(profile: Path, server: BotApi, tmp_path: Path) -> None:
    state = tmp_path / "state"
    server.every_send = lambda taken: (server.take(taken), never)[1]
    with running(*arguments(profile, state), folder=tmp_path / "run") as program:
        until(lambda: started(server), "delivered, and not answered")
        until(lambda: load_outbox(journal_of(state)).alerts, "durable")
        program.signal(signal.SIGKILL)
        program.ended()
    server.every_send = lambda taken: None
    first = server.texts()
    run(*arguments(profile, state), "--headless", "--max-runtime", "1")
    again = server.texts()[len(first)]
    assert again.startswith("INFO STARTED run r1 ")
    assert alert_id(again) == alert_id(first[0]), "the same alert, so the same id, whether or not the next start is told with it"
    assert started(server, 2)
    assert load_outbox(journal_of(state)).alerts == []


@pytest.mark.parametrize("trouble", ["never answers", "is gone"])
def test_a_dead_telegram_delays_no_cycle_and_no_end(profile: Path, server: BotApi, tmp_path: Path, trouble: str) -> None:
    state = tmp_path / "state"
    if trouble == "is gone":
        server.down()
    server.every_send = lambda taken: never
    with running(*arguments(profile, state, "--json", str(tmp_path / "summary")), folder=tmp_path / "run") as program:
        until(lambda: journal_of(state).exists() and program.alive(), "the start")
        until(lambda: cycles(state) >= 3 or None, "cycles")
        program.signal(signal.SIGTERM)
        assert ended(program, state) == 128 + signal.SIGTERM
    assert load_outbox(journal_of(state)).alerts[0].kind == "STARTED"
    server.every_send = lambda taken: None
    if trouble == "is gone":
        server.up()
    run(*arguments(profile, state), "--headless", "--max-runtime", "1")
    assert started(server)
    assert started(server, 2)


def test_a_journal_that_fails_is_told_directly(profile: Path, server: BotApi, tmp_path: Path) -> None:
    state = tmp_path / "state"
    flags = arguments(profile, state, "--headless", "--symbols", "10", "--max-runtime", "60")
    command = shlex.join([sys.executable, "-m", "arbtui", *flags])
    script = f"ulimit -f 700; exec {command}"  # no file may grow beyond 700 KiB
    done = subprocess.run(["bash", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90)
    assert done.returncode in (1, 3), done.stderr
    assert told(server, "CRITICAL JOURNAL the journal failed, the gate is closed")
    assert_no_secret(state, done.stdout, done.stderr)


def test_the_token_is_in_nothing_that_is_written(profile: Path, server: BotApi, tmp_path: Path) -> None:
    """Every way to fail, with answers that quote the whole request path, at the highest log levels that there are."""
    state = tmp_path / "state"
    quoting = [refuses(code, "refused: <path>") for code in (400, 400, 400, 401, 403, 404, 409, 413, 500)]
    sends = [*quoting, refuses(429, "<path>", retry_after=1), says("<path>"), says("<path>", 502), says("<path>", 302), cuts]
    server.next_sends.extend([*sends, loses_the_reply(server)])
    odd = says('{"ok": true, "result": "<path>"}')
    server.next_polls.extend([refuses(401, "<path>"), says("<path>"), odd, cuts, refuses(409, "<path>")])
    short = tmp_path / "short.py"
    short.write_text(
        "import logging, sys\n"
        "import arbtui.monitoring.alert_queue as lane, arbtui.monitoring.alert_manager as manager, arbtui.monitoring.remote as remote\n"
        "manager.BACKOFF_S = remote.BACKOFF_S = lane.BACKOFF_S = (0.01,)\n"
        "manager.AlertManager.__init__.__kwdefaults__['backoff_s'] = (0.01,)\n"
        "remote.TelegramRemote.__init__.__kwdefaults__['backoff_s'] = (0.01,)\n"
        "for name in ('httpx', 'httpcore', 'telegram', 'asyncio', ''):\n"
        "    logging.getLogger(name).setLevel(logging.DEBUG)\n"
        "from arbtui.cli import main\n"
        "sys.exit(main())\n"
    )
    end = run(*arguments(profile, state), "--headless", "--max-runtime", "12", program=short)
    assert_no_secret(tmp_path, end.out, end.err)
    assert not server.next_polls
    log = (state / "desk" / "arbtui.log").read_text()
    assert "[secret]" in log, "the probe: something did quote it"
    assert "remote commands are off" in log


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("chat_ids", "chat_ids = []"), "telegram.chat_ids: is empty"),
        (("chat_ids", 'chat_ids = ["me"]'), "telegram.chat_ids"),
        (("user_ids", "user_ids = [-3]"), "telegram.user_ids: holds a number that is not a user's"),
        (("commands", 'commands = { 7 = ["kill"] }'), "telegram.commands: '7' is no user of user_ids"),
        (
            ("commands", 'commands = { 42 = ["kill", "rearm"] }'),
            "telegram.commands: 42 names 'rearm', which is no command; there are status, routes",
        ),
        (("commands", "commands = { 42 = [] }"), "telegram.commands: 42 may use none"),
        (("commands", 'commands = { 42 = ["kill", "kill"] }'), "telegram.commands: 42 names one twice"),
        (("user_ids", "user_id = [3]"), "did you mean telegram.user_ids?"),
        (("base_url", 'base_url = "http://example.com"'), "would send the bot's token unencrypted"),
        (("base_url", 'base_url = "api.telegram.org"'), "is not a URL"),
        (("base_url", f'token = "{TOKEN}"'), "telegram.token looks like a secret"),
    ],
)
def test_a_wrong_table_is_refused_by_key_and_line(profile: Path, tmp_path: Path, change: tuple[str, str], said: str) -> None:
    beginning, new = change
    text = re.sub(rf"^{beginning} = .*$", new, profile.read_text(), flags=re.MULTILINE)
    profile.write_text(text)
    refused = run(*arguments(profile, tmp_path / "state"), "--headless", "--max-runtime", "1")
    assert refused.code == 2
    assert said in refused.err
    assert "desk.toml:" in refused.err
    assert SECRET not in refused.err


@pytest.mark.parametrize(("token", "said"), [(None, "needs the bot's token"), ("", "needs the bot's token"), ("a/../b", "no bot's token")])
def test_enabled_without_a_token_is_refused_before_anything_is_made(
    profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str | None, said: str
) -> None:
    monkeypatch.delenv("ARBTUI_TELEGRAM_TOKEN")
    if token is not None:
        monkeypatch.setenv("ARBTUI_TELEGRAM_TOKEN", token)
    state = tmp_path / "state"
    refused = run(*arguments(profile, state), "--headless", "--max-runtime", "1")
    assert refused.code == 2
    assert "ARBTUI_TELEGRAM_TOKEN" in refused.err
    assert said in refused.err
    assert not journal_of(state).exists()
    checked = run("check", *arguments(profile, state))
    assert checked.code == 2
    assert "ARBTUI_TELEGRAM_TOKEN" in checked.out


def test_virtual_time_tells_nobody(profile: Path, server: BotApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARBTUI_TELEGRAM_TOKEN")
    end = run(*arguments(profile, tmp_path / "state"), "--headless", "--max-runtime", "5", "--speed", "max")
    assert end.code == 0, end.err
    assert server.asked == 0
    assert load_outbox(journal_of(tmp_path / "state")).alerts == []


def test_nothing_of_telegram_is_loaded_while_it_is_off(home: Path, tmp_path: Path) -> None:
    probe = tmp_path / "probe.py"
    probe.write_text(
        "import sys\nfrom arbtui.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('telegram', 'httpx', 'PIL')))\n"
    )
    state = tmp_path / "state"
    end = run("--profile", "upbit-binance", "--state-dir", str(state), "--headless", "--max-runtime", "1", "--symbols", "2", program=probe)
    assert end.out.strip() == "[]", end.err
    assert os.listdir(state / "upbit-binance")
