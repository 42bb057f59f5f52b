"""F77: keys and a bot's token in live, through every error of a venue, a defect of ours and a crash: nothing that is left holds them."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lifecycle.canary import Canary
from tests.lifecycle.canary_sandbox import CANARIES, KEYS
from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import run, running
from tests.lifecycle.test_live import await_cycles
from tests.lifecycle.waiting import until
from tests.monitoring.bot_api import TOKEN, BotApi, bot_api

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

USER = 42
ALL = [*CANARIES.values(), Canary("telegram", TOKEN, TOKEN.partition(":")[2])]
#: Every way in which a venue may fail a request or a stream.
ON_ORDERS = ("error_before", "error_after", "timeout", "reset_before", "reset_after", "html", "truncated", "empty", "nulls", "duplicate_id")
ON_QUERIES = ("error_before", "reset_before", "html", "truncated", "empty", "nulls", "rate_limit")
ON_STREAMS = ("drop", "duplicate", "reorder", "lose")


@pytest.fixture
def bot() -> Iterator[BotApi]:
    with bot_api() as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, bot: BotApi) -> Iterator[LiveDesk]:
    monkeypatch.setenv("ARBTUI_TELEGRAM_TOKEN", TOKEN)
    for key, value in (("ENABLED", "true"), ("CHAT_IDS", f"[{USER}]"), ("USER_IDS", f"[{USER}]"), ("BASE_URL", f'"{bot.url}"')):
        monkeypatch.setenv(f"ARBTUI_TELEGRAM__{key}", value)
    with live_desk(tmp_path, monkeypatch, 3, program="tests.lifecycle.canary_sandbox", keys=KEYS) as made:
        yield made


#: What the log must tell by the end of it: the errors were met.
MET = (
    "not JSON",
    "a web page where the venue's answer should be",
    "ORDER_UNKNOWN upbit",
    "ORDER_UNKNOWN binance",
    "could not be compared",
)


def _script_all(desk: LiveDesk) -> None:
    """Script each fault once at each venue."""
    for venue in CANARIES:
        for on, kinds in (("order", ON_ORDERS), ("account", ON_QUERIES), ("query", ON_QUERIES)):
            for kind in kinds:
                desk.script(venue=venue, kind=kind, on=on, count=1)
        for kind in ON_STREAMS:
            desk.script(venue=venue, kind=kind, stream="private", count=1)


def test_f77_nothing_that_a_live_session_leaves_holds_a_key_or_a_token(
    desk: LiveDesk, tmp_path: Path, bot: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--profile", str(desk.profile), "--state-dir", str(desk.root))
    said: list[str] = []

    def ask(*commands: tuple[str, ...]) -> None:
        for command in commands:
            ended = run(*command)
            said.extend((ended.out, ended.err))

    # The errors of venues, keys that are revoked, and an end in order.
    with running(*desk.arguments("--json", str(tmp_path / "run" / "summary")), folder=tmp_path / "run") as engine:
        await_cycles(desk, engine, 1)
        _script_all(desk)
        log = desk.root / "desk" / "arbtui.log"
        until(lambda: engine.alive() and all(words in log.read_text() for words in MET), "every kind of error was met", within_s=450.0)
        desk.script(venue="upbit", kind="revoke", seconds=600)
        until(lambda: engine.alive() and "VENUE_DOWN upbit" in log.read_text(), "the key is refused")
        ask(("status", *where, "--json"), ("ledger", *where, "--json"), ("check", *where, "--mode", "live", "--json"))
        engine.signal(signal.SIGTERM)
        engine.ended()
    desk.clear()  # the next starts must get through, the key included
    # From here on as much as Python can be made to say; it makes a busy machine too slow for the deadlines of orders.
    for name in ("PYTHONASYNCIODEBUG", "PYTHONFAULTHANDLER", "PYTHONDEVMODE"):
        monkeypatch.setenv(name, "1")
    # A defect of ours, with its traceback, in the midst of a signed request.
    with running(*desk.arguments(), folder=tmp_path / "broken", program=("tests.lifecycle.breaking_child",)) as engine:
        broken = engine.ended()
        assert broken.code in (1, 3), broken
    assert "planted in a signed request" in log.read_text(), "its traceback is in the log"
    # A crash that dumps what it can.
    with running(*desk.arguments(), folder=tmp_path / "crashed") as engine:
        until(lambda: engine.alive() and "ARMED" in (tmp_path / "crashed" / "err").read_text(), "it is armed")
        engine.signal(signal.SIGABRT)
        _, status = os.waitpid(engine.pid, 0)
        engine.process.returncode = status
    assert "Fatal Python error: Aborted" in (tmp_path / "crashed" / "err").read_text()
    # Wrong secrets, and what is said of them.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARBTUI_UPBIT_SECRET", CANARIES["upbit"].secret[::-1])
        ask(desk.arguments("--headless", "--max-runtime", "1"))
    ask(("status", *where), ("ledger", *where), ("keys", "list", "--json"), ("kill", *where), ("journal", "verify", *where))
    said += bot.texts(USER)
    assert bot.taken, "the token was used"
    assert desk.told("/ledger"), "the keys were used"
    folders = [desk.root, tmp_path / "home", *(tmp_path / name for name in ("run", "broken", "crashed"))]
    for canary in ALL:
        assert canary.found(said, folders) == []
