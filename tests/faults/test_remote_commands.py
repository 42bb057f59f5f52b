"""Commands from a phone while a live session trades against the sandbox: from whom they count, how old, how often, and who else polls."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from arbtui.model.scoped_halts import archive_halt, file_name, read_halts
from arbtui.monitoring.telegram import TelegramBot
from arbtui.portfolio.trading_state import TradingState
from tests.faults.desk import Desk, desk, play
from tests.monitoring.bot_api import TOKEN, BotApi, bot_api, message

USER, STRANGER, GROUP = 42, 666, -100


@asynccontextmanager
async def commanded(tmp_path: Path, server: BotApi, *, start: bool = True) -> AsyncIterator[Desk]:
    """A desk that :data:`USER` may command, and that tells its alerts to the same chat."""
    telegram = {"enabled": True, "chat_ids": [USER], "user_ids": [USER], "base_url": server.url}
    async with desk(tmp_path, ("XRP", "SOL"), settings={"telegram": telegram}, telegram=SecretStr(TOKEN), start=start) as d:
        yield d


def told(server: BotApi, words: str) -> bool:
    """Whether anything with ``words`` reached the user's chat."""
    return any(words in text for text in server.texts(USER))


def taken(server: BotApi, update_id: int) -> bool:
    """Whether the desk has confirmed the update: it was read, and is not asked for again."""
    return any(offset is not None and offset > update_id for offset in server.polls)


def of_strangers(number: int, text: str) -> list[dict[str, Any]]:
    """``text`` by everybody and in every form that must not count, with numbers from ``number`` on."""
    typed = message(0, text)["message"]
    forms: list[dict[str, Any]] = [
        message(0, text, user=STRANGER),
        message(0, text, user=STRANGER, chat=GROUP, kind="group"),
        message(0, text, chat=GROUP, kind="supergroup"),
        message(0, text, forward_origin={"type": "user", "sender_user": {"id": USER}, "date": 1}),
        message(0, text, forward_sender_name="A", forward_date=1),
        message(0, text, sender_chat={"id": GROUP, "type": "channel"}),
        message(0, text, via_bot={"id": 9, "is_bot": True}),
        {"edited_message": typed},
        message(0, text, edit_date=5),
        {"channel_post": {key: value for key, value in typed.items() if key != "from"}},
        {"callback_query": {"id": "1", "from": {"id": USER}, "data": text, "message": typed}},
    ]
    return [{**form, "update_id": number + place} for place, form in enumerate(forms)]


def test_f72_only_the_allowed_user_in_a_private_chat_is_obeyed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Strangers, groups, forwarded and edited messages, channels, old buttons: none of them acts, none gets an answer."""

    async def main() -> None:
        with bot_api() as server:
            async with commanded(tmp_path, server) as d:
                forged = [*of_strangers(100, "/kill"), *of_strangers(200, "/pause"), *of_strangers(300, "/reduce")]
                server.pending.extend([*forged, message(400, "/status")])
                await d.until(lambda: taken(server, 400) and told(server, "messages ignored"), "all of them were read")
                (status,) = [text for text in server.texts(USER) if "messages ignored" in text]
                assert int(status.splitlines()[-1].split()[-1]) == len(forged)
                assert not d.engine.components.halt.is_closed
                assert read_halts(d.folder)[0] == ()
                await d.cycles(1)  # it trades on
                assert {one.chat_id for one in server.taken} == {USER}
                assert len([line for line in caplog.messages if f"ignored one from user {STRANGER}" in line]) == 1
                server.pending.append(message(401, "/kill"))
                await d.until(lambda: d.engine.components.halt.is_closed and told(server, "KILLED"), "the user's own kill acts")
                await d.until(lambda: d.engine.state in (TradingState.HALTED, TradingState.HALTED_DIRTY), "it has halted")

    play(main)


def test_f73_of_a_day_of_old_commands_only_the_kill_counts_and_once(tmp_path: Path) -> None:
    async def main() -> None:
        with bot_api() as server:
            async with commanded(tmp_path, server) as d:
                old = int(time.time()) - 86_400
                words = ["/pause", "/reduce", "/ack r1-b1", "/status", "/pnl"]
                server.pending.extend(message(number, words[number % len(words)], date=old + number) for number in range(1, 160))
                server.pending.extend([message(160, "/kill", date=old), message(160, "/kill", date=old)])
                await d.until(lambda: told(server, "KILLED"), "the old kill acts")
                server.pending.append(message(161, "/status"))
                await d.until(lambda: taken(server, 161) and told(server, "messages ignored"), "what came after it is answered")
                answers = [text for text in server.texts(USER) if not text.startswith(("INFO", "WARN", "CRITICAL"))]
                assert [text.split()[0] for text in answers] == ["KILLED:", "upbit-binance"]
                assert len(d.events("CommandReceived")) == 1
                assert len(d.events("Killed")) == 1
                assert read_halts(d.folder)[0] == ()

    play(main)


def test_f73_an_update_that_comes_again_after_a_restart_does_not_act_again(tmp_path: Path) -> None:
    """The place in Telegram's list was lost; meanwhile a person at the desk has ended what the command had begun."""

    async def main() -> None:
        with bot_api() as server:
            async with commanded(tmp_path, server) as d:
                server.pending.append(message(7, "/pause exchange.upbit its wallet closes"))
                await d.until(lambda: told(server, "exchange.upbit is PAUSED"), "paused")
                (halt,) = read_halts(d.folder)[0]
                assert (halt.source, halt.by, halt.reason) == ("TELEGRAM", f"telegram user {USER}", "its wallet closes")
                await d.stop()
                archive_halt(d.folder, file_name("exchange.upbit"))
                server.pending[:] = [message(7, "/pause exchange.upbit its wallet closes")]
                await d.start()
                await d.until(lambda: told(server, "This /pause was acted on before."), "the same update once more")
                assert read_halts(d.folder)[0] == ()
                assert [event["by"] for event in d.events("ScopeHalted")] == [f"telegram user {USER}"]
                await d.cycles(1)

    play(main)


def test_f74_a_second_poller_ends_commands_is_told_and_trading_goes_on(tmp_path: Path) -> None:
    """Somebody else has the bot's token: 409, as Telegram ends the one that came first."""

    async def main() -> None:
        with bot_api() as server:
            async with commanded(tmp_path, server) as d:
                await d.until(lambda: bool(server.polls), "it polls")
                thief = TelegramBot(SecretStr(TOKEN), server.url)
                try:
                    await d.until(lambda: server._polling is not None, "one is under way")
                    stealing = asyncio.create_task(thief.updates(None, 25))
                    await d.until(lambda: server.conflicts == 1 and told(server, "TELEGRAM_CONFLICT"), "told")
                    polls = len(server.polls)
                    server.pending.append(message(1, "/kill"))
                    assert [update["update_id"] for update in await stealing] == [1]  # the thief reads what we do not see any more
                    await d.cycles(1)
                    assert len(server.polls) == polls
                    assert not d.engine.components.halt.is_closed
                finally:
                    await thief.close()

    play(main)
