"""What a person can ask for from a phone: looks at the read model, and the verbs that hold back. It can never set anything free."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from arbtui.model.errors import UsageError
from arbtui.model.scoped_halts import GLOBAL, Depth, scope_of
from arbtui.model.turns import Turns
from arbtui.monitoring import replies
from arbtui.monitoring.alert_manager import AlertManager
from arbtui.monitoring.command_log import CommandLog
from arbtui.monitoring.commands import Command
from arbtui.monitoring.equity_picture import draw_equity
from arbtui.monitoring.one_time_code import LIVES_S, Asked, OneTimeCodes, is_code
from arbtui.monitoring.replies import Reply, TimeOf
from arbtui.portfolio.valuation import Pnl
from arbtui.views import HeaderView, ReadModel
from arbtui.views.equity import EquityHistory
from arbtui.views.remote_controls import RemoteControls

log = logging.getLogger("arbtui")

_Row = TypeVar("_Row")
_AT_ONCE = 40  #: rows brought up to date in one step
_LONGEST_REASON = 200


class RemoteModel(ReadModel, Protocol):
    """The read model, with the PnL's split and its course."""

    equity: EquityHistory

    async def pnl(self, turns: Turns) -> tuple[Pnl, Pnl]:
        """Of the run and of the desk's day."""
        ...

    async def note_equity(self, turns: Turns) -> bool:
        """Add what everything is worth now to :attr:`equity`; False where that is not known."""
        ...


class RemoteConsole:
    """Answers every command but ``/kill``.

    Args:
        controls_of: the verbs in the name of a user, by Telegram's number.
        epoch: the halt's.
        time_of: the desk's time at a moment in ms.
        commands: where what changes something is noted.
        codes: for what needs to be confirmed.
    """

    def __init__(
        self,
        views: RemoteModel,
        controls_of: Callable[[int], RemoteControls],
        epoch: Callable[[], int],
        time_of: TimeOf,
        alerts: AlertManager,
        commands: CommandLog,
        codes: OneTimeCodes,
    ) -> None:
        self.ignored = 0  #: updates that were no command of an allowed user
        self._views = views
        self._controls_of = controls_of
        self._epoch = epoch
        self._time_of = time_of
        self._alerts = alerts
        self._commands = commands
        self._codes = codes

    async def answer(self, command: Command, allowed: Collection[str]) -> Reply:
        """The answer to ``command``, by somebody who may use ``allowed``; never raises."""
        try:
            return await self._answer(command, allowed)
        except Exception:  # whatever a view or a picture raises, the next command must be answered
            log.exception("remote commands: %s could not be answered", command.word)
            return Reply(f"{command.word} could not be answered: the log has why.", is_table=False)

    def killed(self, *, closed_now: bool) -> Reply:
        """The answer to ``/kill``; never raises."""
        try:
            state = replies.state_lines(self._views.header(), self._epoch(), self._time_of)
        except Exception:  # the gate is closed, whatever a view raises
            log.exception("remote commands: the state after a kill could not be read")
            state = "The state could not be read: the log has why."
        return Reply(replies.killed(state, closed_now=closed_now), is_table=False)

    async def _answer(self, command: Command, allowed: Collection[str]) -> Reply:
        name = command.word.removeprefix("/")
        if name in replies.HELP and name not in allowed:
            log.warning("remote commands: user %d may not use %s", command.user_id, command.word)
            return self._said(f"You may not use {command.word}: telegram.commands in the profile says who may.")
        if self._commands.is_known(command):  # Telegram told it once more, after a crash
            return self._said(f"This {command.word} was acted on before.")
        header, views, asked = self._views.header(), self._views, " ".join(command.arguments[:1]).upper()
        match command.word:
            case "/status":
                return Reply(replies.status(header, self._epoch(), self._time_of, self._alerts.waiting, self.ignored))
            case "/routes":
                rows = [row for row in views.routes if asked in ("", row.symbol, row.id.upper())]
                await _in_steps(rows, views.refresh)
                return Reply(replies.routes(rows, asked, header, self._time_of))
            case "/fills":
                return Reply(replies.fills(views.cycles(), header, self._time_of))
            case "/pnl":
                return await self._pnl(header)
            case "/stock":
                stock = [row for row in views.stock() if asked in ("", row.asset)]
                await _in_steps(stock, views.refresh_stock)
                return Reply(replies.stock(stock, asked, header, self._time_of))
            case "/exposure":
                positions = [line for line in views.breaches() if line.kind == "RESIDUAL"]
                return Reply(replies.exposure(header, views.limits(), positions, self._time_of))
            case "/health":
                late = [f"{name}: {count:,} late, the oldest {age_s:,.0f} s" for name, (count, age_s, _) in self._alerts.overdue().items()]
                return Reply(replies.health(header, views.gauges(), late, self._alerts.waiting, self.ignored, self._time_of))
            case "/breaches":
                return Reply(replies.breaches(views.breaches(), self._time_of, header))
            case "/ack":
                return self._acknowledge(command)
            case "/pause":
                return self._pause(command)
            case "/reduce":
                return self._reduce(command)
        return self._said(replies.help_text(allowed))

    async def _pnl(self, header: HeaderView) -> Reply:
        run, day = await self._views.pnl(Turns())
        await self._views.note_equity(Turns())
        text = replies.pnl(header, run, day, self._epoch(), self._time_of)
        points = self._views.equity.points
        if len(points) < 2 or points[0].ts_ms == points[-1].ts_ms:
            return Reply(f"{text}\nno picture yet: ask again")
        title = f"{header.profile} {header.mode}"
        picture = await asyncio.to_thread(draw_equity, points, header.pnl_currency, title, self._time_of)
        return Reply(text, picture=picture)

    def _acknowledge(self, command: Command) -> Reply:
        if len(command.arguments) != 1:
            return self._said("Which? /ack ID, with the number of an alert, or an id of /breaches.")
        (number,) = command.arguments
        refusal = self._act(command, lambda controls: self._alerts.acknowledge(number, controls.by))
        if refusal is None:
            return self._said(f"{number} is acknowledged.")
        if self._alerts.silence(number, self._controls_of(command.user_id).by):
            return self._said(f"{number} is seen, and nobody else is called; it stays open: {refusal}.")
        return self._said(f"Not done: {refusal}.")

    def _pause(self, command: Command) -> Reply:
        place = _scope_and_reason(command)
        if isinstance(place, Reply):
            return place
        refusal = self._act(command, lambda controls: controls.halt_scope(place[0], Depth.PAUSED, place[1]))
        what = f"{place[0]} is PAUSED: open cycles finish, nothing new opens. It is ended at the console only."
        return self._said(f"Not done: {refusal}." if refusal else what)

    def _reduce(self, command: Command) -> Reply:
        *before, last = command.arguments or ("",)
        if len(before) > 1 or not is_code(last):
            return self._offer(command)
        place = _scope_and_reason(replace(command, arguments=tuple(before)))
        if isinstance(place, Reply):
            return place
        asked = self._codes.take(command.user_id, command.chat_id, command.word, last, place[0] if before else None)
        if isinstance(asked, str):
            return self._said(f"Not done: {asked}.")
        refusal = self._act(command, lambda controls: controls.halt_scope(asked.scope, Depth.REDUCING, asked.reason))
        what = f"{asked.scope} is REDUCING: only what shrinks exposure is sent. It is ended at the console only."
        return self._said(f"Not done: {refusal}." if refusal else what)

    def _offer(self, command: Command) -> Reply:
        """A code to confirm with."""
        place = _scope_and_reason(command)
        if isinstance(place, Reply):
            return place
        code = self._codes.give(Asked(command.user_id, command.chat_id, command.word, *place))
        if code is None:
            return self._said("Not done: too many wrong codes. Ask again in a minute.")
        return self._said(f"To set {place[0]} to REDUCING send, within {LIVES_S:.0f} s:\n{command.word} {code}")

    def _act(self, command: Command, verb: Callable[[RemoteControls], str | None]) -> str | None:
        """Do ``verb`` in the user's name, and note it; None when done, else why not."""
        self._commands.received(command)
        refusal = verb(self._controls_of(command.user_id))
        self._commands.acted(command.update_id, refusal or "done")
        return refusal

    def _said(self, text: str) -> Reply:
        """Plain words, with the state as it is now."""
        return Reply(f"{text}\n{replies.state_lines(self._views.header(), self._epoch(), self._time_of)}", is_table=False)


def _scope_and_reason(command: Command) -> tuple[str, str] | Reply:
    """The scope that the first word names, everything where there is none, and the other words; or what is wrong with it."""
    scope, *reason = command.arguments or (GLOBAL,)
    try:
        return scope_of(scope), " ".join(reason)[:_LONGEST_REASON]
    except UsageError as error:
        return Reply(f"Not done: {error}. The reason comes after the scope.", is_table=False)


async def _in_steps(rows: Sequence[_Row], refresh: Callable[[Sequence[_Row]], None]) -> None:
    """Bring ``rows`` up to date; the loop has its turn in between."""
    turns = Turns()
    for start in range(0, len(rows), _AT_ONCE):
        refresh(rows[start : start + _AT_ONCE])
        await turns.pause()
