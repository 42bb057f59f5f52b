"""Alerts that do not arrive, and a chat with another number: followed where that is possible, and told at the desk in any case."""

import asyncio
import itertools
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arbtui.cli import run as command_line
from arbtui.journal.outbox import Undelivered
from arbtui.monitoring.delivery import alert_facts, alert_troubles
from tests.lifecycle.profiles import TELEGRAM_ON, changed_profile
from tests.lifecycle.programs import run, running
from tests.lifecycle.waiting import until as wait_until
from tests.monitoring.bot_api import TOKEN, Answer, BotApi, Taken, bot_api, refuses
from tests.monitoring.outpost import outpost, states, until

OLD, NEW, NEWER = -523456789, -1001557912345, -1001557999999
UPGRADED = "Bad Request: group chat was upgraded to a supergroup chat"


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
        ("chat_ids", f"chat_ids = [{OLD}]"),
        ("base_url", f'base_url = "{server.url}"'),
    )


def moved(*numbers: int) -> Any:
    """Each number but the last sends on to the next."""
    after = dict(itertools.pairwise(numbers))

    def answer(taken: Taken) -> Answer | None:
        return refuses(400, UPGRADED, migrate_to_chat_id=after[taken.chat_id]) if taken.chat_id in after else None

    return answer


@pytest.mark.parametrize("numbers", [(OLD, NEW), (OLD, NEW, NEWER)], ids=["once", "twice"])
def test_a_chat_is_followed(tmp_path: Path, server: BotApi, numbers: tuple[int, ...]) -> None:
    path, told = tmp_path / "journal.db", list[tuple[int, int]]()

    async def main() -> None:
        async with outpost(path, server.url, chats=[OLD, 7]) as post:
            post.bot.chat(OLD).on_moved = lambda old, new: told.append((old, new))
            server.every_send = moved(*numbers)
            for number in range(3):
                post.breach(number)
            await until(lambda: not post.alerts.waiting, "all sent")

    asyncio.run(main())
    for chat in (numbers[-1], 7):
        assert sum("CRITICAL RESIDUAL" in text for text in server.texts(chat)) == 3
    assert told == [(OLD, number) for number in numbers[1:]]
    assert states(path) == {"SENT": 4}


def test_two_chats_that_send_on_to_each_other_end_as_not_reached(tmp_path: Path, server: BotApi) -> None:
    async def main() -> None:
        async with outpost(tmp_path / "journal.db", server.url, chats=[OLD]) as post:
            server.every_send = moved(OLD, NEW, OLD)
            post.breach(1)
            await until(lambda: server.asked >= 6, "tries")
            assert post.alerts.waiting
            server.every_send = lambda taken: None
            await until(lambda: not post.alerts.waiting, "sent at last")

    asyncio.run(main())


def outside(command: str, profile: Path, state: Path) -> Any:
    ended = run(command, "--profile", str(profile), "--state-dir", str(state), "--json")
    return json.loads(ended.out)


def test_a_kill_reaches_the_new_number_and_the_desk_is_told(profile: Path, server: BotApi, tmp_path: Path) -> None:
    state = tmp_path / "state"
    server.every_send = moved(OLD, NEW)
    arguments = ("--profile", str(profile), "--state-dir", str(state))
    with running(*arguments, folder=tmp_path / "run") as program:
        wait_until(lambda: program.alive() and server.texts(NEW), "the start, told to the new number")
        assert run("kill", *arguments).code == 0
        wait_until(lambda: any("CRITICAL KILL" in text for text in server.texts(NEW)), "the kill")
        wait_until(lambda: "TELEGRAM_CHAT_MOVED" in (state / "desk" / "arbtui.log").read_text(), "the breach")
        program.signal(signal.SIGTERM)
        program.ended()
    said = f"telegram.chat_ids is out of date: group {OLD} has become supergroup {NEW}; write {NEW} in its place"
    status = outside("status", profile, state)
    assert said in [breach["detail"] for breach in status["breaches"]]
    assert status["alerts"]["chats_moved"] == {f"telegram:{OLD}": said}
    assert said in " ".join(run("status", *arguments).out.split())
    assert {"area": "alerts", "problem": f"sim: {said}"} in outside("check", profile, state)["problems"]
    profile.write_text(profile.read_text().replace(str(OLD), str(NEW)))
    assert "alerts" not in [problem["area"] for problem in outside("check", profile, state)["problems"]]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (400, "Bad Request: chat not found"),
        (403, "Forbidden: bot was kicked from the group chat"),
        (400, "Bad Request: TOPIC_CLOSED"),
        (502, "Bad Gateway"),
    ],
)
def test_what_is_not_taken_is_a_breach_at_the_desk(
    profile: Path,
    server: BotApi,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    code: int,
    words: str,
) -> None:
    state = tmp_path / "state"
    server.every_send = lambda taken: refuses(code, words)
    arguments = ("--profile", str(profile), "--state-dir", str(state))
    with running(*arguments, folder=tmp_path / "run", program=("tests.monitoring.overdue_child",)) as program:
        wait_until(lambda: program.alive() and server.asked, "the start, told in vain")
        wait_until(lambda: program.alive() and "ALERTS_WAIT" in (state / "desk" / "arbtui.log").read_text(), "the breach")
        program.signal(signal.SIGTERM)
        program.ended()
    status = outside("status", profile, state)
    waits = [breach for breach in status["breaches"] if breach["kind"] == "ALERTS_WAIT"]
    assert [breach["scope"] for breach in waits] == [f"telegram:{OLD}"], "once an outage"
    assert "not delivered, the oldest for" in waits[0]["detail"]
    assert status["alerts"]["waiting"] >= 1
    now_ns = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now_ns() + 61_000_000_000)  # a minute later

    def then(command: str, *more: str) -> str:
        command_line.run([command, *arguments, *more])
        return capsys.readouterr().out

    assert json.loads(then("status", "--json"))["alerts"]["overdue"] is True
    assert "not delivered, the oldest for" in then("status")
    (problem,) = [one["problem"] for one in json.loads(then("check", "--json"))["problems"] if one["area"] == "alerts"]
    assert "not delivered" in problem


@pytest.mark.parametrize(
    ("oldest_ms", "oldest_warn_ms", "overdue"),
    [(None, None, False), (40_000, None, False), (40_000 - 1, None, True), (None, -20_000, False), (None, -20_001, True)],
)
def test_how_long_is_too_long(oldest_ms: int | None, oldest_warn_ms: int | None, overdue: bool) -> None:
    facts = alert_facts(Undelivered(1, oldest_ms, oldest_warn_ms, {}), 100_000)
    assert facts["overdue"] is overdue
    assert bool(alert_troubles(facts)) is overdue
