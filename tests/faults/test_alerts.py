"""F69 to F71, F74 and F75: alerts that the way to the operator delays, refuses, doubles, or floods."""

import asyncio
import itertools
import json
import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring.alert_rules import Urgency
from arbtui.monitoring.channel import MessageRefused, SendLater
from tests.faults import flooded_child
from tests.lifecycle.profiles import TELEGRAM_ON, changed_profile
from tests.lifecycle.programs import run
from tests.monitoring.bot_api import TOKEN, bot_api
from tests.monitoring.outpost import states
from tests.monitoring.virtual_desk import Told, desk


def test_f69_telegram_is_down_for_thirty_minutes(tmp_path: Path) -> None:
    """In order of urgency, at most one message a second, INFO collapsed, nothing lost."""
    path, chat = tmp_path / "journal.db", Told("telegram:1")
    chat.refuses = lambda now, text: SendLater("no route to host") if now < 1800 else None

    async def main() -> None:
        async with desk(path, [chat]) as on:
            for number in range(300):
                on.alerts.queue(Urgency.INFO, "REARMED", f"info {number}")
                on.breach(number, "WARN", f"KIND_{number % 5}")
                if number % 60 == 0:
                    on.breach(1000 + number)
                await asyncio.sleep(5)
            await asyncio.sleep(1000)
            assert not on.alerts.waiting

    run_virtual(main())
    order = [text.split()[0] for text in chat.texts]
    assert order == sorted(order, key=["CRITICAL", "WARN", "INFO"].index)
    assert next(text for text in chat.texts if text.startswith("INFO REARMED")).count("300 times") == 1
    assert all(f"number {1000 + number};" in "".join(chat.texts) for number in range(0, 300, 60))
    times = [at for at, _ in chat.taken]
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= 1.0
    assert times[0] >= 1800
    assert any(at < 1800 for at in chat.asked), "it was asked while it was down"
    assert len(chat.asked) < 60, "it is not asked again and again"
    assert set(states(path)) == {"SENT"}


def test_f70_retry_after_is_obeyed_to_the_second_and_a_poisoned_text_goes_plain(tmp_path: Path) -> None:
    """429 with retry_after = 35, then 400 for what cannot be parsed."""
    chat = Told("telegram:1")
    refusals: list[Exception] = [SendLater("Too Many Requests", 35.0), MessageRefused("can't parse entities")]

    async def main() -> None:
        async with desk(tmp_path / "journal.db", [chat]) as on:
            await asyncio.sleep(5)
            chat.refuses = lambda now, text: refusals.pop(0) if refusals else None
            on.breach(1)
            on.breach(2)
            await asyncio.sleep(120)

    run_virtual(main())
    assert not refusals, "both were met"
    asked = [at for at in chat.asked if at >= 5]
    assert 35.0 <= asked[1] - asked[0] < 36.0
    assert ["number 1;" in text for text in chat.texts[1:]] == [True, False]
    assert chat.texts[1].isascii()


def test_f70_a_blocked_bot_is_told_by_the_second_way_and_gets_all_once_it_is_let_in(tmp_path: Path) -> None:
    """403 Forbidden."""
    chat, mail = Told("telegram:1"), Told("email")
    chat.refuses = lambda now, text: SendLater("Forbidden: bot was blocked by the user") if now < 1800 else None

    async def main() -> None:
        async with desk(tmp_path / "journal.db", [chat], [mail]) as on:
            on.breach(1)
            await asyncio.sleep(3600)
            assert not on.alerts.waiting

    run_virtual(main())
    assert len(mail.taken) == 1
    assert any("number 1;" in text for text in chat.texts)


def test_f71_a_lost_reply_delivers_twice_with_the_same_number(tmp_path: Path) -> None:
    path, chat = tmp_path / "journal.db", Told("telegram:1")
    lost: list[str] = []

    def loses_the_first_reply(now: float, text: str) -> Exception | None:
        if "RESIDUAL" not in text or lost:
            return None
        lost.append(text)  # delivered
        return SendLater("ReadTimeout")

    chat.refuses = loses_the_first_reply

    async def main() -> None:
        async with desk(path, [chat]) as on:
            on.breach(1)
            await asyncio.sleep(60)

    run_virtual(main())
    again = [text for text in chat.texts if "RESIDUAL" in text]
    assert lost == again, "the same words and the same number, so that a person sees one alert"
    assert states(path) == {"SENT": 2}


def test_f71_a_crash_between_sending_and_marking_sends_again_with_the_same_number(tmp_path: Path) -> None:
    path, chat = tmp_path / "journal.db", Told("telegram:1")
    delivered: list[str] = []

    async def dies_before_the_answer(now: float, text: str) -> None:
        delivered.append(text)
        await asyncio.sleep(3600)

    async def first() -> None:
        silent = Told("telegram:1")
        silent.send = lambda text: dies_before_the_answer(0.0, text)  # type: ignore[method-assign]
        async with desk(path, [silent]) as on:
            on.breach(1)
            await asyncio.sleep(5)

    async def second() -> None:
        async with desk(path, [chat]):
            await asyncio.sleep(60)

    run_virtual(first())
    (sent,) = delivered
    assert "number 1;" in sent
    assert states(path) == {"QUEUED": 2}
    run_virtual(second())
    assert chat.texts.count(sent) == 1
    assert states(path) == {"SENT": 3}


def test_f74_a_second_poller_is_told_by_every_way_at_once(tmp_path: Path) -> None:
    """Whoever reads the chat may be whom the alert warns of."""
    chat, mail = Told("telegram:1"), Told("email")

    async def main() -> None:
        async with desk(tmp_path / "journal.db", [chat], [mail]) as on:
            on.alerts.queue(Urgency.CRITICAL, "TELEGRAM_CONFLICT", "another program polls with this bot's token")
            await asyncio.sleep(5)

    run_virtual(main())
    assert any("TELEGRAM_CONFLICT" in text for text in chat.texts)
    assert any("TELEGRAM_CONFLICT" in text for text in mail.texts)


def test_f75_a_flood_of_critical_alerts_is_one_and_one_with_its_count(tmp_path: Path) -> None:
    """1,000 breaches in 10 s; each is in the journal."""
    path, chat = tmp_path / "journal.db", Told("telegram:1")

    async def main() -> None:
        async with desk(path, [chat]) as on:
            await asyncio.sleep(5)
            for number in range(1000):
                on.breach(number)
                await asyncio.sleep(0.01)
            await asyncio.sleep(60)
            assert not on.alerts.waiting

    run_virtual(main())
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM breach").fetchone() == (1000,)
    told = [text for text in chat.texts if "RESIDUAL" in text]
    assert len(told) == 2
    assert "number 0;" in told[0]
    assert "\n999 times, the last: global: number 999;" in told[1]


def test_f75_a_flood_in_a_whole_program_stands_in_the_journal_and_the_engine_decides_on(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1,000 breaches in 10 s, each met twice, in real time and over real sockets. What the loop's lag was, meanwhile and else, is printed.

    Compared are no milliseconds: the share of the loop's time that recording takes, by its thread's CPU, and what it decides meanwhile.
    """
    state, facts = tmp_path / "state", tmp_path / "facts.json"
    monkeypatch.setenv("ARBTUI_TELEGRAM_TOKEN", TOKEN)
    monkeypatch.setenv("FLOOD_FACTS", str(facts))
    with bot_api() as server:
        profile = changed_profile(
            home,
            "desk",
            ("symbols = ", "symbols = 10"),
            TELEGRAM_ON,
            ("chat_ids", "chat_ids = [42]"),
            ("base_url", f'base_url = "{server.url}"'),
        )
        arguments = ("--profile", str(profile), "--state-dir", str(state), "--headless", "--max-runtime", "240")
        ended = run(*arguments, program=Path(flooded_child.__file__))
        assert ended.code == 128 + signal.SIGTERM, ended.err
        told = [text for text in server.texts() if "CRITICAL FLOOD" in text]
    with closing(sqlite3.connect(state / "desk" / "sim" / "journal.db")) as db:
        assert db.execute("SELECT count(*) FROM breach WHERE kind = 'FLOOD'").fetchone() == (1000,)
        counts = "SELECT sum(json_extract(payload, '$.times')) FROM event JOIN breach ON breach_id = json_extract(payload, '$.breach_id')"
        assert db.execute(f"{counts} WHERE type = 'BreachRepeated' AND kind = 'FLOOD'").fetchone() == (1000,), "written at the run's end"
    told_of = [
        int(found[1]) if (found := re.search(r"^(\d+) times", text, re.M)) else len(re.findall("CRITICAL FLOOD", text)) for text in told
    ]
    assert sum(told_of) == 1000
    assert len(told) <= 5, "the first, what came before it was a flood, and the count"
    measured = json.loads(facts.read_text())
    print(f"{len(told)} messages; {measured}")
    quiet, flood = measured["quiet"], measured["flood"]
    assert flood["recording_share"] < 0.1, "of the loop's time, however long a breach waits for others"
    assert flood["evaluations_per_s"] > quiet["evaluations_per_s"] / 4, "it decides on meanwhile"
