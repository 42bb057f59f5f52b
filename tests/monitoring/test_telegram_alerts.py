"""Alerts reach Telegram: every CRITICAL at least once and in order, whatever the server does, and nothing waits for it."""

import asyncio
import itertools
import re
from pathlib import Path

import pytest

from arbtui.journal.events import Killed
from arbtui.journal.outbox import load_outbox
from arbtui.monitoring.alert import FLOOD
from arbtui.monitoring.alert_rules import Urgency
from arbtui.portfolio.projections import rebuild
from tests.journal.synthetic import SyntheticRun
from tests.monitoring.bot_api import Answer, BotApi, Taken, bot_api, cuts, loses_the_reply, never, refuses, says
from tests.monitoring.outpost import CHAT, outpost, states, until


def numbers(server: BotApi, chat_id: int | None = None) -> list[int]:
    """The numbers of the breaches that were told, in order."""
    return [int(found) for text in server.texts(chat_id) for found in re.findall(r"number (\d+);", text)]


def test_a_breach_a_kill_and_the_start_are_told_and_marked(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    async def main(server: BotApi) -> None:
        async with outpost(path, server.url) as post:
            post.breach(1)
            post.journal.post(Killed("KEY", "enough", 3))
            await until(lambda: len(server.taken) == 3 and not post.alerts.waiting, "three messages")

    with bot_api() as server:
        asyncio.run(main(server))
    breach, kill, started = sorted(server.texts(CHAT), key=lambda text: "STARTED" in text)
    assert started.startswith("INFO STARTED run r1 of desk in sim")
    assert breach.startswith("CRITICAL RESIDUAL global: number 1;")
    assert "desk SIM" in breach
    assert kill.startswith("CRITICAL KILL killed by KEY: enough; epoch 3")
    assert states(path) == {"SENT": 3}
    assert rebuild(path) > 0
    assert states(path) == {"SENT": 3}


def test_a_server_that_is_down_delays_alerts_and_loses_none(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    async def main(server: BotApi) -> None:
        async with outpost(path, server.url) as post:
            await until(lambda: server.taken, "the start")
            server.down()
            for number in range(30):
                post.breach(number)
                await asyncio.sleep(0.01)
            await until(lambda: states(path) == {"QUEUED": 30, "SENT": 1}, "the outbox")
            server.up()
            await until(lambda: not post.alerts.waiting, "all sent")
            await until(lambda: states(path) == {"SENT": 31}, "all marked")

    with bot_api() as server:
        asyncio.run(main(server))
    assert list(dict.fromkeys(numbers(server))) == list(range(30))
    assert len(server.taken) < 20, "thirty that waited go together, not one by one"


def test_a_critical_goes_before_what_waits_and_is_less_urgent(tmp_path: Path) -> None:
    async def main(server: BotApi) -> None:
        async with outpost(tmp_path / "journal.db", server.url) as post:
            await until(lambda: server.taken, "the start")
            server.next_sends.extend([refuses(503, "later")] * 2)
            for number, kind in enumerate(["PRICE_BAND", "LOSSES", "MESSAGE_AGE"]):
                post.breach(number, "WARN", kind)
            post.breach(3)
            post.breach(4)
            await until(lambda: not post.alerts.waiting, "all sent")

    with bot_api() as server:
        asyncio.run(main(server))
    assert numbers(server) == [3, 4, 0, 1, 2]


def test_retry_after_is_honoured(tmp_path: Path) -> None:
    async def main(server: BotApi) -> float:
        async with outpost(tmp_path / "journal.db", server.url) as post:
            await until(lambda: server.taken, "the start")
            server.next_sends.append(refuses(429, "Too Many Requests: retry after 1", retry_after=1))
            post.breach(1)
            await until(lambda: server.asked == 2, "the refusal")
            asked_at = asyncio.get_running_loop().time()
            post.breach(2)
            await until(lambda: not post.alerts.waiting, "all sent")
            return server.taken[1].at - asked_at

    with bot_api() as server:
        assert asyncio.run(main(server)) > 0.9
    assert numbers(server) == [1, 2]
    assert server.asked == 4, "not one request while asked to wait"


def test_a_refused_critical_is_worded_plainly_then_set_aside_and_others_pass(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    healed = False

    def poison(taken: Taken) -> Answer | None:
        poisonous = not healed and ("number 1;" in taken.text or "see the journal" in taken.text)
        return refuses(400, "Bad Request: can't parse entities") if poisonous else None

    async def main(server: BotApi) -> None:
        nonlocal healed
        async with outpost(path, server.url) as post:
            server.every_send = poison
            for number in range(4):
                post.breach(number)
            await until(lambda: numbers(server) == [0, 2, 3], "the others")
            await until(lambda: post.alerts.waiting == 1, "only that one")
            healed = True
            await until(lambda: not post.alerts.waiting, "the refused one, tried again")

    with bot_api() as server:
        asyncio.run(main(server))
    assert numbers(server) == [0, 2, 3, 1]


def test_a_refused_warning_is_worded_plainly_then_given_up(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    async def main(server: BotApi) -> None:
        async with outpost(path, server.url) as post:
            await until(lambda: server.taken, "the start")
            server.next_sends.append(refuses(400, "Bad Request: message text is odd"))
            post.breach(1, "WARN", "LOSSES")
            await until(lambda: numbers(server) == [1], "the plain wording")
            server.next_sends.extend([refuses(400, "Bad Request: message text is odd")] * 3)
            post.breach(2, "WARN", "PRICE_BAND")
            await until(lambda: not server.next_sends, "three refusals")
            post.breach(3)
            await until(lambda: not post.alerts.waiting, "settled")
            await until(lambda: states(path) == {"GIVEN_UP": 1, "SENT": 3}, "marked")

    with bot_api() as server:
        asyncio.run(main(server))
    assert sorted(numbers(server)) == [1, 3]


@pytest.mark.parametrize("code", [401, 403, 404, 400])
def test_a_chat_that_refuses_holds_up_no_other_and_gets_all_once_it_relents(tmp_path: Path, code: int) -> None:
    path = tmp_path / "journal.db"
    relents = False

    def blocks(taken: Taken) -> Answer | None:
        return None if relents or taken.chat_id == CHAT else refuses(code, "Bad Request: chat not found")

    async def main(server: BotApi) -> None:
        nonlocal relents
        server.every_send = blocks
        async with outpost(path, server.url, (7, CHAT)) as post:
            for number in range(3):
                post.breach(number)
            await until(lambda: numbers(server, CHAT) == [0, 1, 2], "the other chat")
            await until(lambda: states(path) == {"QUEUED": 4}, "one chat is not enough")
            relents = True
            await until(lambda: not post.alerts.waiting, "the chat that refused")

    with bot_api() as server:
        asyncio.run(main(server))
    assert numbers(server, 7) == [0, 1, 2]
    assert numbers(server, CHAT) == [0, 1, 2]
    assert states(path) == {"SENT": 4}


@pytest.mark.parametrize("reply", ["cut", "lost", "html", "no JSON", "empty", "a list", "500", "redirect", "never"])
def test_an_unusable_reply_sends_again(tmp_path: Path, reply: str) -> None:
    async def main(server: BotApi) -> None:
        async with outpost(tmp_path / "journal.db", server.url, timeout_s=0.3) as post:
            await until(lambda: server.taken, "the start")
            server.next_sends.append(
                {
                    "cut": cuts,
                    "lost": loses_the_reply(server),
                    "html": says("<html>Bad gateway</html>", 502),
                    "no JSON": says("ok"),
                    "empty": says(""),
                    "a list": says("[]"),
                    "500": says("[]", 500),
                    "redirect": says("", 302),
                    "never": never,
                }[reply]
            )
            for number in range(3):
                post.breach(number)
            await until(lambda: not post.alerts.waiting, "all sent")

    with bot_api() as server:
        asyncio.run(main(server))
    assert list(dict.fromkeys(numbers(server))) == [0, 1, 2]
    assert numbers(server) == ([0, 0, 1, 2] if reply == "lost" else [0, 1, 2])


def test_what_was_sent_and_not_marked_is_sent_again_with_its_own_id(tmp_path: Path) -> None:
    """The journal of a process that died between the two: the mark is missing."""
    path = tmp_path / "journal.db"

    async def first(server: BotApi) -> None:
        async with outpost(path, server.url, timeout_s=30) as post:
            await until(lambda: server.taken, "the start")
            server.every_send = lambda taken: (server.take(taken), never)[1]
            post.breach(1)
            post.breach(2)
            await until(lambda: numbers(server) == [1], "delivered, unanswered")

    async def second(server: BotApi) -> None:
        async with outpost(path, server.url) as post:
            await until(lambda: not post.alerts.waiting, "the rest")

    with bot_api() as server:
        asyncio.run(first(server))
        assert states(path) == {"QUEUED": 2, "SENT": 1}
        server.every_send = lambda taken: None
        asyncio.run(second(server))
    assert numbers(server) == [1, 1, 2]
    told = [text.splitlines()[1] for text in server.texts() if "number 1;" in text]
    assert told[0] == told[1]
    assert states(path) == {"SENT": 4}


def test_a_flood_of_one_kind_is_one_message_with_its_count(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    async def main(server: BotApi) -> None:
        async with outpost(path, server.url, warn_every_s=0.5) as post:
            for number in range(1000):
                post.breach(number, "WARN", "STREAM_SILENT")
                if number % 100 == 0:
                    await asyncio.sleep(0.01)
            await until(lambda: not post.alerts.waiting, "all sent")

    with bot_api() as server:
        asyncio.run(main(server))
    told = [text for text in server.texts() if "STREAM_SILENT" in text]
    assert len(told) <= 3
    assert sum(int(found[1]) if (found := re.search(r"^(\d+) times", text, re.M)) else 1 for text in told) == 1000
    assert len(load_outbox(path).alerts) == 0


def test_a_chat_gets_one_message_a_second(tmp_path: Path) -> None:
    async def main(server: BotApi) -> None:
        async with outpost(tmp_path / "journal.db", server.url, every_s=1.0) as post:
            for number in range(2):
                post.breach(number)
            await until(lambda: not post.alerts.waiting, "all sent")

    with bot_api() as server:
        asyncio.run(main(server))
    times = [taken.at for taken in server.taken]
    assert len(times) == 3
    assert all(later - earlier >= 0.95 for earlier, later in itertools.pairwise(times))


def test_a_server_that_never_answers_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    async def main(server: BotApi) -> float:
        server.every_send = lambda taken: never
        loop = asyncio.get_running_loop()
        async with outpost(path, server.url, timeout_s=30) as post:
            await until(lambda: server.asked, "a message on its way")
            worst = 0.0
            for number in range(200):
                before = loop.time()
                post.breach(number)
                await asyncio.sleep(0)
                worst = max(worst, loop.time() - before)
            before = loop.time()
            await post.alerts.flush(0.2)
            assert loop.time() - before < 1.0
        return worst

    with bot_api() as server:
        worst = asyncio.run(main(server))
    assert worst < 0.25, "the journal's queue is all that a breach waits for"
    assert states(path) == {"QUEUED": FLOOD + 1}, "the start, and a flood: what is beyond it is counted in the newest"


def test_a_failed_journal_lets_criticals_out_directly(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    async def main(server: BotApi) -> None:
        async with outpost(path, server.url) as post:
            await until(lambda: not post.alerts.waiting, "the start")
            post.journal.on_failure = lambda failure: post.alerts.queue(Urgency.CRITICAL, "JOURNAL", str(failure))
            intent = SyntheticRun().intents(0)[1]
            post.journal.post(intent, intent)  # refused, as on a full disk
            await until(lambda: post.journal.failure, "the failure")
            post.breach(1)
            post.journal.post(Killed("JOURNAL", "the journal failed", 1))
            await until(lambda: len(server.taken) == 4 and not post.alerts.waiting, "all told")

    with bot_api() as server:
        asyncio.run(main(server))
    assert numbers(server) == [1]
    assert any(text.startswith("CRITICAL JOURNAL") for text in server.texts())
    assert any(text.startswith("CRITICAL KILL") for text in server.texts())
