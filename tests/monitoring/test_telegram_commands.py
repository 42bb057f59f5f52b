"""Commands from Telegram: only an allowed user in a private chat is obeyed, a kill once and always, and errors stop nobody."""

import asyncio
import logging
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from arbtui.journal.events import CommandReceived
from arbtui.journal.outbox import load_outbox
from arbtui.model.clock import SystemClock
from arbtui.model.turns import Turns
from arbtui.monitoring.command_log import CommandLog
from arbtui.monitoring.config import COMMAND_NAMES, TelegramConfig
from arbtui.monitoring.one_time_code import OneTimeCodes
from arbtui.monitoring.remote import TelegramRemote
from arbtui.monitoring.remote_console import RemoteConsole, RemoteModel
from arbtui.portfolio.config import DeskConfig
from arbtui.portfolio.valuation import Pnl
from arbtui.views import HeaderView
from arbtui.views.equity import EquityHistory, EquityPoint
from arbtui.views.remote_controls import RemoteControls
from tests.monitoring.bot_api import BotApi, bot_api, cuts, message, refuses, says
from tests.monitoring.outpost import BACKOFF_S, Outpost, outpost, until

USER, OTHER, STRANGER, GROUP = 42, 43, 666, -100
CODE = "042317"
HEADER = HeaderView(
    profile="desk", mode="SIM", scenario="", state="ARMED", halt_source="", halt_reason="", halt_ts_ms=0, halt_detail="", now_ms=0,
    session_s=3725.0, exchanges=[], rate=1380.0, rate_pair="KRW/USDT", rate_age_ms=5.0, pnl_day=-12.5, trading_day=-2.5, pnl_session=3.25,
    trading_session=1.25, pnl_currency="USDT", open_cycles=2, orders_in_flight=1,
    breaches_open=4, routes=40, opportunities=7, unhedged=100.0,
)  # fmt: skip


@dataclass
class Desk:
    """An engine as commands see it: its header, and what reached it."""

    kills: list[tuple[str, str]] = field(default_factory=list)
    halts: list[tuple[int, str, str, str]] = field(default_factory=list)  #: user, scope, depth, reason
    seen: list[tuple[str, str]] = field(default_factory=list)  #: breach, by
    halted: bool = False
    broken: bool = False
    equity: EquityHistory = field(default_factory=EquityHistory)

    def header(self) -> HeaderView:
        if self.broken:
            raise ValueError("no header")
        return HEADER

    async def pnl(self, turns: Turns) -> tuple[Pnl, Pnl]:
        return Pnl(trading=Decimal(2), fees=Decimal("0.75")), Pnl(trading=Decimal("-2.5"), inventory=Decimal(-10))

    async def note_equity(self, turns: Turns) -> bool:
        for number in range(2):
            self.equity.add(EquityPoint(1_700_000_000_000 + 60_000 * (len(self.equity.points) + number), 100.0 + number, 0.0))
        return True

    def kill(self, reason: str) -> bool:
        self.kills.append(("TELEGRAM", reason))
        closed, self.halted = not self.halted, True
        return closed

    def acknowledge(self, breach_id: str, by: str) -> str | None:
        self.seen.append((breach_id, by))
        return None

    def controls_of(self, user_id: int) -> "Person":
        return Person(self, user_id)


@dataclass
class Person:
    """The verbs of one user."""

    desk: Desk
    user_id: int

    def halt_scope(self, scope: str, depth: str, reason: str) -> str | None:
        self.desk.halts.append((self.user_id, scope, depth, reason))
        return None

    @property
    def by(self) -> str:
        return f"telegram user {self.user_id}"


@asynccontextmanager
async def commanded(
    server: BotApi, path: Path, desk: Desk, users: Mapping[int, Sequence[str]] | None = None
) -> AsyncIterator[tuple[Outpost, TelegramRemote]]:
    """A run that obeys :data:`USER`, or ``users`` in what each may use."""
    async with outpost(path, server.url, chats=()) as post:
        known, views = load_outbox(path).commands, cast(RemoteModel, desk)
        allowed = {} if users is None else {str(user): list(names) for user, names in users.items()}
        config = TelegramConfig(user_ids=[USER] if users is None else list(users), commands=allowed)
        clock, log = SystemClock(), CommandLog(post.journal, known)
        codes = OneTimeCodes(clock.monotonic, lambda: CODE)
        console = RemoteConsole(views, desk.controls_of, lambda: 5, DeskConfig().time_of, post.alerts, log, codes)
        remote = TelegramRemote(post.bot, config, clock, post.alerts, log, console, desk.kill, backoff_s=BACKOFF_S, poll_s=1)
        post.alerts.acknowledge_breach = desk.acknowledge
        remote.resume()
        polling = asyncio.create_task(remote.run())
        try:
            yield post, remote
        finally:
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)


def run(
    tmp_path: Path,
    desk: Desk,
    *updates: dict[str, Any],
    replies: int,
    ignored: int = 0,
    users: Mapping[int, Sequence[str]] | None = None,
) -> list[str]:
    """Send ``updates``, wait for so many replies and so many ignored; the replies."""

    async def main(server: BotApi) -> None:
        server.pending.extend(updates)
        async with commanded(server, tmp_path / "journal.db", desk, users) as (_, remote):
            await until(lambda: len(server.polls) > 1 and len(server.texts()) >= replies and remote.ignored >= ignored, "replies")
            assert remote.ignored == ignored

    with bot_api() as server:
        asyncio.run(main(server))
        assert {taken.chat_id for taken in server.taken} <= set(users or [USER])
        return server.texts()


def test_status_and_pnl_carry_state_and_epoch(tmp_path: Path) -> None:
    desk = Desk()
    status, pnl, unknown = run(tmp_path, desk, message(1, "/status"), message(2, "/Pnl@some_bot please"), message(3, "hello"), replies=3)
    for reply in (status, pnl, unknown):
        assert "desk SIM: ARMED, epoch 5" in reply
    assert re.search(r"^up +01:02:05$", status, re.MULTILINE)
    assert re.search(r"^unhedged +100.00 USDT$", status, re.MULTILINE)
    assert re.search(r"^USDT +today +this run$", pnl, re.MULTILINE)
    assert re.search(r"^total +-12.50 +\+1.25$", pnl, re.MULTILINE)
    assert "/kill" in unknown
    assert desk.kills == []


def test_pnl_comes_with_a_picture_and_tables_are_monospaced(tmp_path: Path) -> None:
    async def main(server: BotApi) -> None:
        server.pending.extend([message(1, "/pnl"), message(2, "hello")])
        async with commanded(server, tmp_path / "journal.db", Desk()):
            await until(lambda: len(server.taken) == 3, "text, picture, help")

    with bot_api() as server:
        asyncio.run(main(server))
    table, picture, words = server.taken
    assert (table.monospaced, words.monospaced) == (True, False)
    assert picture.picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert picture.chat_id == USER


def test_what_holds_back_is_done_once_for_its_update_in_the_users_name_and_journaled(tmp_path: Path) -> None:
    desk, path = Desk(), tmp_path / "journal.db"
    asked = [message(1, "/pause exchange.UPBIT its wallet closes"), message(2, "/ack r1-b4"), message(3, "/reduce symbol.xrp it falls")]
    paused, seen, offered = run(tmp_path, desk, *asked, replies=3)
    assert "exchange.upbit is PAUSED" in paused
    assert "r1-b4 is acknowledged" in seen
    assert offered.splitlines()[1] == f"/reduce {CODE}"
    assert desk.halts == [(USER, "exchange.upbit", "PAUSED", "its wallet closes")]  # nothing is reduced before it is confirmed
    assert desk.seen == [("r1-b4", f"telegram user {USER}")]
    (again,) = run(tmp_path, desk, *asked[:2], message(4, "/status"), replies=3)[2:]  # the offset was lost in a crash
    assert "desk SIM" in again
    assert (len(desk.halts), len(desk.seen)) == (1, 1)
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT user_id, command, outcome FROM remote_command ORDER BY seq").fetchall()
    assert rows == [(USER, "/pause", "done"), (USER, "/ack", "done")]


def test_reduce_acts_on_its_code_once(tmp_path: Path) -> None:
    desk = Desk()
    asked = ["/reduce symbol.xrp it falls", f"/reduce {CODE}", f"/reduce {CODE}"]
    _, done, again = run(tmp_path, desk, *(message(number, text) for number, text in enumerate(asked)), replies=3)
    assert done.startswith("symbol.XRP is REDUCING")
    assert again.startswith("Not done: no code waits")
    assert desk.halts == [(USER, "symbol.XRP", "REDUCING", "it falls")]


def test_a_command_that_a_crash_cut_off_is_not_carried_out_later_unless_it_is_a_kill(tmp_path: Path) -> None:
    path, desk = tmp_path / "journal.db", Desk()

    async def crashed(server: BotApi) -> None:
        async with outpost(path, server.url, chats=()) as post:
            await post.journal.commit(CommandReceived(8, USER, "/pause"))

    with bot_api() as server:
        asyncio.run(crashed(server))
    run(tmp_path, desk, message(8, "/pause"), message(9, "/status"), replies=2)
    assert (desk.kills, desk.halts) == ([], [])


def test_each_user_may_use_what_the_profile_says(tmp_path: Path) -> None:
    desk, words = Desk(), [name for name in COMMAND_NAMES if name not in ("status", "ack")]
    asked = [message(number, f"/{word}", user=OTHER) for number, word in enumerate(words, 1)]
    users: dict[int, Sequence[str]] = {USER: COMMAND_NAMES, OTHER: ["status", "ack"]}
    *refused, status, told = run(
        tmp_path, desk, *asked, message(20, "/status", user=OTHER), message(21, "/hello", user=OTHER), replies=12, users=users
    )
    assert sorted(text.splitlines()[0] for text in refused) == sorted(
        f"You may not use /{word}: telegram.commands in the profile says who may." for word in words
    )
    assert status.startswith("desk SIM")
    assert "/ack" in told
    assert "/kill" not in told
    assert (desk.kills, desk.halts) == ([], [])


def test_a_user_whose_commands_lack_kill_cannot_kill_and_another_can(tmp_path: Path) -> None:
    desk = Desk()
    users: dict[int, Sequence[str]] = {USER: ["kill"], OTHER: ["status"]}
    run(tmp_path, desk, message(1, "/kill", user=OTHER), message(2, "/kill"), replies=2, users=users)
    assert desk.kills == [("TELEGRAM", f"user {USER}")]


def test_no_word_sets_anything_free(tmp_path: Path) -> None:
    """What a person may do at the console and nobody from a phone: each such word is no command, and gets the help."""
    desk = Desk()
    words = ["/arm", "/rearm", "/resume", "/unpause", "/start", "/limit", "/limits", "/set", "/enable", "/settle", "/flatten", "/free"]
    told = run(tmp_path, desk, *(message(number, f"{word} desk why") for number, word in enumerate(words, 1)), replies=len(words))
    assert {text.splitlines()[-2] for text in told} == {"Re-arming and limits are changed at the console only."}
    assert (desk.kills, desk.halts, desk.seen) == ([], [], [])
    assert {name for name in dir(RemoteControls) if not name.startswith("_")} == {"by", "halt_scope"}
    assert not any(word.removeprefix("/") in COMMAND_NAMES for word in words)


def test_what_raises_is_said_and_the_next_command_is_answered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(broken=True)

    async def main(server: BotApi) -> None:
        async with commanded(server, tmp_path / "journal.db", desk):
            server.pending.append(message(1, "/status"))
            await until(lambda: server.texts(), "the first answer")
            desk.broken = False
            server.pending.append(message(2, "/status"))
            await until(lambda: len(server.texts()) == 2, "the second answer")
            desk.broken = True
            server.pending.append(message(3, "/kill"))
            await until(lambda: len(server.texts()) == 3, "the kill's answer")

    with bot_api() as server:
        asyncio.run(main(server))
    assert desk.halted
    assert server.texts()[2].startswith("KILLED")
    assert server.texts()[0] == "/status could not be answered: the log has why."
    assert server.texts()[1].startswith("desk SIM")
    assert "no header" in caplog.text


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
    assert re.search(r"^messages ignored +1$", status, re.MULTILINE)


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
