"""Commands from Telegram: only an allowed user in a private chat is obeyed, a kill once and always, and errors stop nobody."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from arbtui.journal.events import CommandReceived
from arbtui.journal.outbox import load_outbox
from arbtui.model.clock import SystemClock
from arbtui.monitoring.remote import TelegramRemote
from arbtui.views import HeaderView
from tests.monitoring.bot_api import BotApi, bot_api, cuts, message, refuses, says
from tests.monitoring.outpost import BACKOFF_S, Outpost, outpost, until

USER, STRANGER, GROUP = 42, 666, -100
HEADER = HeaderView(
    profile="desk", mode="SIM", scenario="", state="ARMED", halt_source="", halt_reason="", halt_ts_ms=0, halt_detail="", now_ms=0,
    session_s=3725.0, exchanges=[], rate=1380.0, rate_pair="KRW/USDT", rate_age_ms=5.0, pnl_day=-12.5, trading_day=-2.5, pnl_session=3.25,
    trading_session=1.25, pnl_currency="USDT", open_cycles=2, orders_in_flight=1,
    breaches_open=4, routes=40, opportunities=7, unhedged=100.0,
)  # fmt: skip


@dataclass
class Desk:
    """An engine as commands see it: its header, and the kills that reached it."""

    kills: list[tuple[str, str]] = field(default_factory=list)
    halted: bool = False

    def header(self) -> HeaderView:
        return HEADER

    def kill(self, source: str, reason: str = "") -> bool:
        self.kills.append((source, reason))
        closed, self.halted = not self.halted, True
        return closed


@asynccontextmanager
async def commanded(server: BotApi, path: Path, desk: Desk) -> AsyncIterator[tuple[Outpost, TelegramRemote]]:
    """A run that obeys :data:`USER`."""
    async with outpost(path, server.url, chats=()) as post:
        known = load_outbox(path).commands
        views: Any = desk
        remote = TelegramRemote(
            post.bot, [USER], post.journal, SystemClock(), post.alerts, known, views, views, lambda: 5, backoff_s=BACKOFF_S, poll_s=1
        )
        remote.resume()
        polling = asyncio.create_task(remote.run())
        try:
            yield post, remote
        finally:
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)


def run(tmp_path: Path, desk: Desk, *updates: dict[str, Any], replies: int, ignored: int = 0) -> list[str]:
    """Send ``updates``, wait for so many replies and so many ignored; the replies."""

    async def main(server: BotApi) -> None:
        server.pending.extend(updates)
        async with commanded(server, tmp_path / "journal.db", desk) as (_, remote):
            await until(lambda: len(server.polls) > 1 and len(server.taken) >= replies and remote.ignored >= ignored, "replies")
            assert remote.ignored == ignored

    with bot_api() as server:
        asyncio.run(main(server))
        assert {taken.chat_id for taken in server.taken} <= {USER}
        return server.texts()


def test_status_and_pnl_carry_state_and_epoch(tmp_path: Path) -> None:
    desk = Desk()
    status, pnl, unknown = run(tmp_path, desk, message(1, "/status"), message(2, "/Pnl@some_bot please"), message(3, "hello"), replies=3)
    for reply in (status, pnl, unknown):
        assert "desk SIM: ARMED, epoch 5" in reply
    assert "up 1:02:05" in status
    assert "unhedged 100.00 USDT" in status
    assert pnl.startswith("PnL today -12.50 USDT (trading -2.50), this run +3.25 USDT (trading +1.25)")
    assert "/kill" in unknown
    assert desk.kills == []


def from_whom(sender: object) -> dict[str, Any]:
    """A /kill whose sender is told so."""
    update = message(1, "/kill")
    return update | {"message": update["message"] | {"from": sender}}


NOT_OBEYED = {
    "stranger": message(1, "/kill", user=STRANGER),
    "stranger in a group": message(1, "/kill", user=STRANGER, chat=GROUP, kind="group"),
    "allowed user in a group": message(1, "/kill", chat=GROUP, kind="supergroup"),
    "allowed user in another's chat": message(1, "/kill", chat=7),
    "forwarded": message(1, "/kill", forward_origin={"type": "user", "sender_user": {"id": USER}, "date": 1}),
    "forwarded from one who hides": message(1, "/kill", forward_sender_name="A", forward_date=1),
    "by another bot": message(1, "/kill", via_bot={"id": 9, "is_bot": True}),
    "in a chat's name": message(1, "/kill", sender_chat={"id": GROUP, "type": "channel"}),
    "edited": {"update_id": 1, "edited_message": message(1, "/kill")["message"]},
    "edited, as a message": message(1, "/kill", edit_date=5),
    "channel post": {"update_id": 1, "channel_post": {k: v for k, v in message(1, "/kill")["message"].items() if k != "from"}},
    "callback": {"update_id": 1, "callback_query": {"id": "1", "from": {"id": USER}, "data": "/kill", **message(1, "/kill")}},
    "callback of a stranger": {"update_id": 1, "callback_query": {"id": "1", "from": {"id": STRANGER}, "data": "/kill"}},
    "inline": {"update_id": 1, "inline_query": {"id": "1", "from": {"id": USER}, "query": "/kill"}},
    "id as a text": from_whom({"id": str(USER)}),
    "id as a truth": from_whom({"id": True}),
    "no sender": from_whom(None),
    "no text": message(1, None),
    "a photo": message(1, None, caption="/kill"),
    "an empty message": {"update_id": 1, "message": {}},
    "of a new kind": {"update_id": 1, "telepathy": {"from": {"id": USER}, "text": "/kill"}},
}


@pytest.mark.parametrize("update", NOT_OBEYED.values(), ids=NOT_OBEYED)
def test_everybody_else_is_ignored_and_counted(tmp_path: Path, update: dict[str, Any]) -> None:
    desk = Desk()
    (status,) = run(tmp_path, desk, update, message(2, "/status"), replies=1, ignored=1)
    assert desk.kills == []
    assert "remote messages ignored 1" in status


def test_a_stranger_is_logged_once_and_gets_no_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "arbtui"):
        run(tmp_path, Desk(), *(message(number, "/kill", user=STRANGER) for number in range(1, 40)), replies=0, ignored=39)
    assert len([line for line in caplog.messages if str(STRANGER) in line]) == 1


def test_a_kill_is_obeyed_even_when_old_and_other_commands_are_not(tmp_path: Path) -> None:
    desk, yesterday = Desk(), int(time.time()) - 86_400
    asked = [message(number, "/status", date=yesterday) for number in range(1, 30)]
    replies = run(tmp_path, desk, *asked, message(30, "/kill", date=yesterday), replies=1)
    assert desk.kills == [("TELEGRAM", f"user {USER}")]
    (reply,) = replies
    assert reply.startswith("KILLED")
    assert "epoch 5" in reply


def test_a_kill_acts_once_an_update_also_over_a_restart(tmp_path: Path) -> None:
    desk = Desk()
    run(tmp_path, desk, message(9, "/kill"), message(9, "/kill"), replies=1)
    run(tmp_path, desk, message(9, "/kill"), message(10, "/status"), replies=1)
    assert len(desk.kills) == 1
    desk.halted = False  # re-armed by a person
    run(tmp_path, desk, message(9, "/kill"), message(11, "/kill"), replies=1)
    assert len(desk.kills) == 2


def test_a_kill_is_journaled_before_it_acts_and_carried_out_after_a_crash_in_between(tmp_path: Path) -> None:
    path, desk = tmp_path / "journal.db", Desk()

    async def crashed(server: BotApi) -> None:
        async with outpost(path, server.url, chats=()) as post:
            await post.journal.commit(CommandReceived(9, USER, "/kill"))

    with bot_api() as server:
        asyncio.run(crashed(server))
    run(tmp_path, desk, message(9, "/kill"), message(10, "/status"), replies=1)
    assert len(desk.kills) == 1
    assert load_outbox(path).commands == {9: "killed"}
    with closing(sqlite3.connect(path)) as db:
        kinds = [kind for (kind,) in db.execute("SELECT type FROM event WHERE type LIKE 'Command%' ORDER BY seq")]
    assert kinds == ["CommandReceived", "CommandActed"]


def test_a_kill_needs_no_journal(tmp_path: Path) -> None:
    desk = Desk()

    async def main(server: BotApi) -> None:
        async with commanded(server, tmp_path / "journal.db", desk) as (post, _):
            await post.journal._writer.close()
            server.pending.append(message(1, "/kill"))
            await until(lambda: desk.kills, "the kill")

    with bot_api() as server:
        asyncio.run(main(server))


def test_a_kill_goes_before_the_commands_it_came_with(tmp_path: Path) -> None:
    replies = run(tmp_path, Desk(), message(1, "/status"), message(2, "/pnl"), message(3, "/kill"), replies=3)
    assert replies[0].startswith("KILLED")


@pytest.mark.parametrize(
    "answer",
    [
        refuses(401, "Unauthorized"),
        refuses(404, "Not Found"),
        refuses(429, "Too Many Requests", retry_after=1),
        refuses(500, "Internal"),
        says("<html>", 502),
        says("[]"),
        says('{"ok": true, "result": 7}'),
        says('{"ok": true, "result": [null, 5, "x", {}, {"update_id": "1"}, {"update_id": true, "message": []}]}'),
        cuts,
    ],
    ids=["401", "404", "429", "500", "html", "list", "number", "odd updates", "cut"],
)
def test_polling_goes_on_after_any_answer(tmp_path: Path, answer: Any) -> None:
    desk = Desk()

    async def main(server: BotApi) -> None:
        server.next_polls.extend([answer] * 2)
        server.pending.append(message(1, "/kill"))
        async with commanded(server, tmp_path / "journal.db", desk):
            await until(lambda: desk.kills, "the kill")

    with bot_api() as server:
        asyncio.run(main(server))


def test_a_second_poller_ends_remote_commands_and_alerts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, desk = tmp_path / "journal.db", Desk()

    async def main(server: BotApi) -> None:
        server.next_polls.append(refuses(409, "Conflict: terminated by other getUpdates request"))
        async with commanded(server, path, desk):
            await until(lambda: load_outbox(path).alerts, "the alert")
            server.pending.append(message(1, "/kill"))
            await asyncio.sleep(0.2)
            assert len(server.polls) == 1

    with bot_api() as server:
        asyncio.run(main(server))
    assert desk.kills == []
    assert any("remote commands are off" in line for line in caplog.messages)
    assert {alert.kind for alert in load_outbox(path).alerts} == {"STARTED", "TELEGRAM_CONFLICT"}


def test_a_server_that_does_not_wait_is_not_hammered(tmp_path: Path) -> None:
    async def main(server: BotApi) -> int:
        server.next_polls.extend([says('{"ok": true, "result": []}')] * 10_000)
        async with commanded(server, tmp_path / "journal.db", Desk()):
            await until(lambda: server.polls, "the first")
            before = len(server.polls)
            await asyncio.sleep(0.5)
            return len(server.polls) - before

    with bot_api() as server:
        assert asyncio.run(main(server)) <= 0.5 / BACKOFF_S[0] + 1


def test_updates_are_confirmed_once_taken(tmp_path: Path) -> None:
    async def main(server: BotApi) -> None:
        server.pending.extend([message(7, "/status"), message(8, "/status")])
        async with commanded(server, tmp_path / "journal.db", Desk()):
            await until(lambda: len(server.polls) >= 2, "two polls")

    with bot_api() as server:
        asyncio.run(main(server))
        assert server.polls[:2] == [None, 9]
