"""An alert waits for a person until it, or every breach that it tells of, is acknowledged: by its number, from wherever it was read."""

import asyncio
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from arbtui.engine.breaches import BreachBook
from arbtui.journal.events import BreachAcknowledged, Rearmed, StateChanged
from arbtui.journal.outbox import load_outbox
from arbtui.model.clock import SystemClock
from arbtui.risk.breach import Severity
from tests.monitoring.bot_api import bot_api
from tests.monitoring.outpost import Outpost, outpost, until


def events(path: Path, kind: str) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return [row[0] for row in db.execute("SELECT payload FROM event WHERE type = ? ORDER BY seq", (kind,))]


def book_of(post: Outpost) -> BreachBook:
    """The breaches of the run, acknowledged as the engine's operator does it."""
    book = BreachBook(post.journal, SystemClock(), post.journal.run_id, [])
    post.alerts.acknowledge_breach = lambda breach_id, by: None if book.acknowledge(breach_id, by) else "nothing to acknowledge there"
    return book


def open_alerts(post: Outpost) -> list[tuple[str, int]]:
    return [(one.alert.kind, len(one.breaches)) for one in post.alerts.unacknowledged]


def test_the_number_in_a_message_acknowledges_every_breach_that_it_tells_of(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    async def main() -> None:
        with bot_api() as server:
            async with outpost(path, server.url) as post:
                book = book_of(post)
                for number in range(3):
                    book.record(Severity.WARN, "LOSSES", f"route {number}", "many", "paused")
                book.record(Severity.CRIT, "RESIDUAL", "c1", "1 BTC", "settle")
                assert open_alerts(post) == [("LOSSES", 3), ("RESIDUAL", 1)]
                await until(lambda: not post.alerts.waiting, "all sent")
                text = next(text for text in server.texts() if "LOSSES" in text)
                number = re.findall(r"r1-\d+", text)[0]
                assert post.alerts.acknowledge(number, "telegram user 42") is None
                assert open_alerts(post) == [("RESIDUAL", 1)]
                assert book.open == 1
                assert post.alerts.acknowledge(number, "telegram user 42") == "nothing to acknowledge there"
                assert post.alerts.acknowledge("r1-b4", "telegram user 42") is None
                assert not open_alerts(post)
            assert [payload.count("telegram user 42") for payload in events(path, "BreachAcknowledged")] == [1] * 4

    asyncio.run(main())


def test_an_alert_of_a_breach_that_the_desk_no_longer_lists_can_be_silenced(tmp_path: Path) -> None:
    async def main() -> None:
        with bot_api() as server:
            async with outpost(tmp_path / "journal.db", server.url) as post:
                post.breach(1)
                (waits,) = post.alerts.unacknowledged
                number = waits.alert.alert_id
                assert post.alerts.acknowledge(number, "a phone") == "the engine is not up yet: acknowledge it in a moment"
                assert open_alerts(post)
                book_of(post)  # of another run: it knows none of these
                assert post.alerts.acknowledge(number, "a phone") == "nothing to acknowledge there"
                assert open_alerts(post), "what is refused is not seen yet: the person is told so first"
                assert post.alerts.silence(number, "a phone")
                assert not open_alerts(post)

    asyncio.run(main())


def test_what_is_acknowledged_at_the_console_waits_no_more(tmp_path: Path) -> None:
    async def main() -> None:
        with bot_api() as server:
            async with outpost(tmp_path / "journal.db", server.url) as post:
                post.breach(1)
                assert open_alerts(post) == [("RESIDUAL", 1)]
                post.journal.post(BreachAcknowledged("b1", "operator"))
                assert not open_alerts(post)

    asyncio.run(main())


def test_an_alert_without_a_breach_is_acknowledged_itself(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    async def main() -> None:
        with bot_api() as server:
            async with outpost(path, server.url) as post:
                book_of(post)
                post.journal.post(StateChanged("HALTED_DIRTY", "UPBIT does not answer"))
                (waits,) = post.alerts.unacknowledged
                assert post.alerts.acknowledge(waits.alert.alert_id, "telegram user 42") is None
                assert not open_alerts(post)

    asyncio.run(main())
    (told,) = events(path, "AlertAcknowledged")
    assert "telegram user 42" in told


def test_a_re_arm_says_that_somebody_has_looked(tmp_path: Path) -> None:
    async def main() -> None:
        with bot_api() as server:
            async with outpost(tmp_path / "journal.db", server.url) as post:
                book_of(post)
                post.journal.post(StateChanged("HALTED_DIRTY", "UPBIT does not answer"))
                post.breach(1)
                post.journal.post(Rearmed("operator", "looked"))
                assert [kind for kind, _ in open_alerts(post)] == ["RESIDUAL"]

    asyncio.run(main())


def test_a_start_knows_what_nobody_has_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    async def first() -> None:
        with bot_api() as server:
            async with outpost(path, server.url) as post:
                for number in range(2):
                    post.breach(number)
                post.journal.post(BreachAcknowledged("b0", "operator"))
                await until(lambda: not post.alerts.waiting, "all sent")

    async def second() -> None:
        with bot_api() as server:
            async with outpost(path, server.url) as post:
                assert open_alerts(post) == [("RESIDUAL", 1)]
                post.journal.post(BreachAcknowledged("b1", "operator"))
                assert not open_alerts(post)

    asyncio.run(first())
    assert [row.breaches for row in load_outbox(path).unseen] == [("b1",)]
    asyncio.run(second())
