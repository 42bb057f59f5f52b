"""F42, F43: a disk that fails under an engine in live, and a journal that another process locks: nothing more leaves, a person is told, and
the next start asks the venues."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from arbtui.model.halt import read_flag
from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import run, running
from tests.lifecycle.test_kill_points import assert_nothing_lost, started
from tests.lifecycle.test_live import await_cycles, count
from tests.lifecycle.waiting import until
from tests.monitoring.bot_api import TOKEN, BotApi, bot_api

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

USER = 42
#: Orders that were journaled, and had not arrived, when the lock was taken: two legs and a hedge of each of three symbols.
UNDER_WAY = 9
#: What fails, and which errors the kernel then gives: of a sync once; of a write once, and from then on.
FAULTS = {
    "EIO of one sync": ("fdatasync", "EIO", "40"),
    "ENOSPC once": ("pwrite64", "ENOSPC", "150"),
    "ENOSPC for ever": ("pwrite64", "ENOSPC", "150+"),
}


@pytest.fixture
def bot() -> Iterator[BotApi]:
    with bot_api() as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, bot: BotApi) -> Iterator[LiveDesk]:
    monkeypatch.setenv("ARBTUI_TELEGRAM_TOKEN", TOKEN)
    for key, value in (("ENABLED", "true"), ("CHAT_IDS", f"[{USER}]"), ("BASE_URL", f'"{bot.url}"')):
        monkeypatch.setenv(f"ARBTUI_TELEGRAM__{key}", value)
    with live_desk(tmp_path, monkeypatch, 3) as made:
        yield made


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace makes the disk fail, and is not installed")
@pytest.mark.parametrize("fault", FAULTS)
def test_f42_a_disk_that_fails_once_is_never_believed_again(fault: str, desk: LiveDesk, tmp_path: Path, bot: BotApi) -> None:
    call, error, when = FAULTS[fault]
    with running(*desk.arguments(), folder=tmp_path / "before") as engine:
        await_cycles(desk, engine, 1)
        engine.process.terminate()
        engine.ended()
    calls = tmp_path / "calls"
    path = desk.journal.with_name("journal.db-wal")
    inject = ("strace", "-f", "-q", "-o", str(calls), "-P", str(path), "-e", f"trace={call}")
    with running(*desk.arguments(), folder=tmp_path / "run", before=(*inject, "-e", f"inject={call}:error={error}:when={when}")) as engine:
        ended = engine.ended()
    fired = calls.read_text().count("(INJECTED)")
    assert fired == 1 if when.isdigit() else fired >= 1
    assert ended.code in (1, 3), ended
    assert "Traceback" not in ended.err
    assert "nothing more is written; free space or repair the disk, then start again" in ended.err

    assert_halted_and_taken_up(desk, tmp_path, bot)


def test_f43_a_journal_that_another_process_locks_for_long_lets_no_order_out_without_its_intent(
    desk: LiveDesk, tmp_path: Path, bot: BotApi
) -> None:
    with running(*desk.arguments(), folder=tmp_path / "run") as engine:
        await_cycles(desk, engine, 1)
        with closing(sqlite3.connect(desk.journal, isolation_level=None)) as other:
            other.execute("PRAGMA busy_timeout = 10000")
            other.execute("BEGIN EXCLUSIVE")
            sent = len(desk.told("/orders"))
            ended = engine.ended()
            assert len(desk.told("/orders")) <= sent + UNDER_WAY, "orders left while nothing could be journaled"
            other.execute("ROLLBACK")
    assert ended.code in (1, 3), ended
    assert "database is locked" in ended.err
    assert "Traceback" not in ended.err
    assert_halted_and_taken_up(desk, tmp_path, bot)


def assert_halted_and_taken_up(desk: LiveDesk, tmp_path: Path, bot: BotApi) -> None:
    """The halt is latched and told, no order left without its intent, and the next start loses nothing."""
    cause = read_flag(desk.root / "desk")
    assert cause is not None, "the halt outlives the process"
    in_doubt = re.match(r"IN DOUBT after seq (\d+)", cause.reason)
    assert in_doubt is not None
    assert count(desk, "event", f"seq <= {in_doubt[1]}") == int(in_doubt[1]), "what was acknowledged is there"
    until(lambda: any("the journal failed, the gate is closed" in text for text in bot.texts(USER)), "the operator is told")
    sent = {order["client_order_id"] for order in desk.told("/orders")}
    assert sent <= {order["client_order_id"] for order in desk.ledger()["orders"]}, "an order left without its intent"

    refused = run(*desk.arguments("--headless", "--max-runtime", "1"))
    assert refused.code == 2
    assert "HALTED" in refused.err
    (desk.root / "desk" / "kill.flag").unlink()  # stands for the person who re-arms
    assert_nothing_lost(desk, tmp_path, started(desk, tmp_path / "again"))
