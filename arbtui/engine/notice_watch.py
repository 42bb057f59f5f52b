"""Acts on venues' notices: halts, gated wallets, maintenance, changed rules. It only reduces; a person lifts what it did.

What a notice means is read by :mod:`arbtui.risk.notices`; here its steps are done when they are due, through the same files that an
operator's halts are in, and written to the journal, so that nothing is done twice and a restart goes on with the schedule. The one
thing that ends by itself is a maintenance whose end the venue has named: its halt goes once the venue has answered a probe, where
nobody but notices has set it.
"""

import asyncio
import logging
from collections.abc import Coroutine
from math import inf
from typing import Any

from arbtui.engine.breaches import BreachBook
from arbtui.engine.components import EngineComponents
from arbtui.engine.rules_check import RulesCheck, RulesRead
from arbtui.engine.scope_watch import ScopeWatch
from arbtui.engine.wallets import Wallets
from arbtui.exchanges.announcements import Announcement
from arbtui.exchanges.rate_limit import Lane
from arbtui.journal.events import NoticeActed, NoticeRead, NoticeStep
from arbtui.model import scoped_halts
from arbtui.model.book import BookState
from arbtui.model.clock import iso_ms
from arbtui.model.errors import ArbtuiError
from arbtui.model.scoped_halts import NOTICE, Depth, ScopedHalt, archive_halt, file_name, write_halt
from arbtui.portfolio.notices import NoticeRecord, Notices
from arbtui.risk.breach import Severity
from arbtui.risk.notices.kinds import NoticeKind
from arbtui.risk.notices.reading import AGAIN, HOLD, OPEN, RULES, TradedThere, read_notice
from arbtui.risk.notices.rules import NoticeRules

log = logging.getLogger("arbtui")

#: s before a step that failed is tried again: a halt that could not be written, a probe without an answer; and a reading of rules.
_AGAIN_S = 5.0
_RULES_AGAIN_S = 60.0
_PROBE_S = 10.0
#: s of one look after which no more halts are begun: each waits for the disk, and meanwhile open cycles for their hedges.
_WRITING_S = 0.05
#: Announcements that concern nothing of ours, by key and words, so that a list that is read again and again is not parsed each time.
_PASSED_OVER = 1000
_UNREAD = "RULES_UNREAD"  # breach: rules that a notice says have changed could not be compared
_WALLETS = ("", "wallets")  # the key of the one question for all wallets
_WAKES_A_PERSON = frozenset({NoticeKind.DELISTING, NoticeKind.MAINTENANCE, NoticeKind.CAUTION})


class NoticeWatch:
    """Takes announcements as adapters bring them, and does what is due."""

    def __init__(
        self, components: EngineComponents, breaches: BreachBook, scopes: ScopeWatch, wallets: Wallets, tasks: asyncio.TaskGroup
    ) -> None:
        self._components = components
        self._breaches = breaches
        self._scopes = scopes
        self._wallets = wallets
        self._tasks = tasks
        self._rules = RulesCheck(components)
        NoticeRules.shipped()  # read now: later it would hold up the loop
        self._due_ms: float = -inf  # when the next step is due; the past: look
        self._passed_over: dict[str, None] = {}  # oldest first
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}  # steps that wait for a venue's answer
        self._not_before: dict[tuple[str, str], float] = {}  # monotonic s: steps that failed a moment ago
        self._why: dict[tuple[str, str], str] = {}  # by step: why it could not be done, so that it is told once
        self._differing: dict[tuple[str, str], str] = {}  # by market, what was told of its rules
        self._unread: dict[tuple[str, str], list[str]] = {}  # by step: the breaches of rules that were not to be had
        self._is_stopped = False
        self.version = 0  #: rises when anything about notices changed

    @property
    def notices(self) -> Notices:
        """What the journal says about them."""
        return self._components.portfolio.state.notices

    def on_announcement(self, said: Announcement) -> None:
        """A venue has published ``said``, or repeats it."""
        parts = self._components
        known = self.notices.by_id.get(said.key)
        passed = f"{said.key} {said.digest}"
        if parts.journal.failure is not None or passed in self._passed_over or (known is not None and known.read.digest == said.digest):
            return
        read = read_notice(said, self._traded(said.exchange), parts.clock.time_ms(), None if known is None else known.read)
        if read is None:
            self._pass_over(passed)
            log.info("notice of %s passed over: %s", said.exchange, said.title)
            return
        self.take_up(read)
        self._tell(read, is_update=known is not None)
        self.look()
        if NoticeKind.WALLET in read.kinds:
            self._ask_wallets()

    def take_up(self, read: NoticeRead) -> None:
        """Journal ``read``; its steps are done at the next look."""
        self._components.journal.post(read)
        self.version += 1
        self._due_ms = -inf

    def _ask_wallets(self) -> None:
        """Soon, instead of in ten minutes; once, however many notices come."""
        if _WALLETS not in self._running and not self._is_stopped:
            self._begin(_WALLETS, self._wallets.refresh())

    def told(self, record: NoticeRecord) -> str:
        """What the venue's wallets say of a suspended coin now; empty where the notice is of something else, or nothing is known."""
        if NoticeKind.WALLET not in record.read.kinds:
            return ""
        networks = self._wallets.networks.get(record.read.exchange, {})
        words = []
        for coin in record.read.coins:
            terms = networks.get(coin, ())
            if terms:
                shut = [] if all(one.deposits for one in terms) else ["deposits"]
                shut += [] if all(one.withdrawals for one in terms) else ["withdrawals"]
                words.append(f"{coin}: {' and '.join(shut)} suspended" if shut else f"{coin}: wallet open")
        return ", ".join(words)

    def stop(self) -> None:
        """The run ends: ask the venues nothing more. What is still to be done is left to the next run."""
        self._is_stopped = True
        for task in self._running.values():
            task.cancel()

    def look(self, writing_s: float = _WRITING_S) -> None:
        """Do what is due now; cheap while nothing is. After ``writing_s`` of halts the others wait for the next look."""
        parts = self._components
        now_ms = parts.clock.time_ms()
        if now_ms < self._due_ms or parts.journal.failure is not None:
            return
        now = parts.clock.monotonic()
        self._due_ms, has_held = inf, False
        for record, step in list(self.notices.due()):
            if step.at_ms > now_ms:
                self._due_ms = min(self._due_ms, step.at_ms)
                continue
            key = record.read.notice_id, step.key
            waits = self._is_stopped and step.verb != HOLD
            if waits or key in self._running or now < self._not_before.get(key, -inf):
                self._due_ms = -inf
                continue
            if has_held and parts.clock.monotonic() - now >= writing_s:
                self._due_ms = -inf
                break
            self._do(record, step)
            has_held = has_held or step.verb == HOLD
            if step.key not in record.done:
                self._due_ms = -inf
        if has_held:
            self._scopes.look()  # once, however many halts were written

    def _do(self, record: NoticeRecord, step: NoticeStep) -> None:
        match step.verb:
            case "hold":
                self._hold(record, step)
            case "open" | "rules":
                key = record.read.notice_id, step.key
                work = self._open(record, step) if step.verb == OPEN else self._read_rules(record, step)
                self._not_before[key] = self._components.clock.monotonic() + (_AGAIN_S if step.verb == OPEN else _RULES_AGAIN_S)
                self._begin(key, work)
            case _:
                self._acted(record, step, "unknown to this version: nothing was done")

    def _begin(self, key: tuple[str, str], work: Coroutine[Any, Any, None]) -> None:
        task = self._running[key] = self._tasks.create_task(work, name=f"{key[1]}, for notice {key[0]}")
        task.add_done_callback(lambda _: self._running.pop(key, None))

    # halts

    def _hold(self, record: NoticeRecord, step: NoticeStep) -> None:
        """Write the halt; one that stands as deep or deeper is left."""
        held = self._write(record, step, step.scope, Depth(step.depth), NOTICE)
        if held is None:
            return
        halt, written = held
        self._acted(record, step, f"{halt.short} at {self._now_iso()}" if written else f"stood as deep already: {halt.in_words()}")

    def _write(self, record: NoticeRecord, step: NoticeStep, scope: str, depth: Depth, source: str) -> tuple[ScopedHalt, bool] | None:
        """The halt that stands now, and whether it is a new one; None where that failed, which is reported and tried again.

        Whoever calls has the scopes looked at once it has written all of its halts.
        """
        parts, read = self._components, record.read
        halt = ScopedHalt(scope, depth, source, read.exchange, _reason(read), parts.clock.time_ms())
        try:
            held = write_halt(parts.halt.folder, halt)
        except OSError as error:
            self._not_before[read.notice_id, step.key] = parts.clock.monotonic() + _AGAIN_S
            detail = f"{scope} could not be halted ({error.strerror or error}), as {read.title!r} asks for"
            action = f"tried again every {_AGAIN_S:g} s; free the disk, or kill"
            self._breaches.record(Severity.CRIT, "NOTICE_NOT_ACTED", scope, detail, action)
            return None
        return held

    def _standing(self, scope: str) -> ScopedHalt | None:
        return next((halt for halt in self._components.risk.halts.standing if halt.scope == scope and not halt.is_doubt), None)

    # the end of a maintenance

    async def _open(self, record: NoticeRecord, step: NoticeStep) -> None:
        """Take the halt away if the venue is there again; else try later. What somebody else has set, too, stays."""
        read, key = record.read, (record.read.notice_id, step.key)
        if not self._is_to_open(record, step):
            return
        if (why := await self._why_not(read.exchange, step.scope)) is not None:
            if self._why.get(key) != why:
                self._why[key] = why
                log.info("%s stays as it is after %r: %s", step.scope, read.title, why)
            return
        # Meanwhile the notice may have been updated, another have arrived, a person have acted, or the run have ended.
        self._scopes.look()
        if not self._is_due(record, step) or not self._is_to_open(record, step):
            return
        try:
            gone = archive_halt(self._components.halt.folder, file_name(step.scope), only=self._standing(step.scope))
        except OSError as error:
            log.error("%s could not be opened: %s", step.scope, error.strerror or error)
            return
        if gone is not None:
            self._scopes.taken_by(step.scope, "engine", f"the maintenance is over and the venue has answered: {read.title}")
            self._scopes.look()
            self._acted(record, step, f"opened at {self._now_iso()}: books are live, the account was answered")

    def _is_due(self, record: NoticeRecord, step: NoticeStep) -> bool:
        """Whether ``step`` is still what the notice says, and to be done now: to be asked again after each wait."""
        now = self.notices.by_id.get(record.read.notice_id)
        return not self._is_stopped and now is not None and step in now.pending and step.at_ms <= self._components.clock.time_ms()

    def _is_to_open(self, record: NoticeRecord, step: NoticeStep) -> bool:
        """Whether the halt is for this notice to take away; where it is not, the step is done."""
        halt = self._standing(step.scope)
        if halt is None:
            self._acted(record, step, "nothing stood any more")
        elif not halt.may_end_by_itself:
            self._acted(record, step, f"left to a person: {halt.in_words()}")
        elif self._holds_longer(record, step.scope):
            self._acted(record, step, "another notice still holds it")
        else:
            return True
        return False

    def _holds_longer(self, record: NoticeRecord, scope: str) -> bool:
        """Whether another notice has halted ``scope``, and is not to open it, or not yet."""
        now_ms = self._components.clock.time_ms()
        for other in self.notices.by_id.values():
            held = self.notices.holds(other, scope)
            opens = next((step for step in other.read.steps if step.verb == OPEN and step.scope == scope), None)
            lasts = opens is None or (opens.key not in other.done and opens.at_ms > now_ms)
            if other.read.notice_id != record.read.notice_id and held and lasts:
                return True
        return False

    async def _why_not(self, exchange: str, scope: str) -> str | None:
        """Why the venue cannot be traded at yet; None once its books are live, it is healthy, and it has answered with our balances."""
        parts = self._components
        kind, _, coin = scope.partition(".")
        ours = [one for one in parts.universe.markets if one.exchange == exchange and (kind != "symbol" or coin in (one.base, one.quote))]
        if not any(parts.aggregator.books[exchange, one.code].state is BookState.LIVE for one in ours):
            return "no book is live"
        if parts.risk.exchange[exchange].unfit(parts.clock.monotonic()) is not None:
            return parts.risk.exchange[exchange].why_unfit(parts.clock.monotonic())
        try:
            async with asyncio.timeout(_PROBE_S):
                await parts.adapters[exchange].fetch_balances(Lane.CHECK)
        except (ArbtuiError, TimeoutError) as error:
            return f"its balances are not answered ({error or 'no answer'})"
        return None

    # rules

    async def _read_rules(self, record: NoticeRecord, step: NoticeStep) -> None:
        """Read the venue's rules again: a market whose rules are others than ours is not entered any more."""
        exchange, key = record.read.exchange, (record.read.notice_id, step.key)
        try:
            found = await self._rules.read(exchange, record.read.coins)
        except (ArbtuiError, TimeoutError) as error:
            why = str(error) or "no answer"
            if self._why.get(key) != why:
                self._why[key] = why
                detail = f"its rules could not be read again ({why}), as {record.read.title!r} asks for"
                action = f"asked again every {_RULES_AGAIN_S:g} s"
                breach = self._breaches.record(Severity.WARN, _UNREAD, exchange, detail, action, every_time=True)
                self._unread.setdefault(key, []).extend([] if breach is None else [breach.id])
            return
        for told in self._unread.pop(key, []):
            self._breaches.acknowledge(told, "recovered")
        if not self._is_due(record, step) or self._components.journal.failure is not None:
            return
        is_last = step.depth == AGAIN
        if found is None:
            if not is_last:
                self._tell_unread(exchange, record, "it tells no rules over its interface")
            self._acted(record, step, "not told by the venue: compare them with the notice")
            return
        if not await self._hold_differing(record, step, found):
            return
        if found.untold and is_last:
            self._tell_unread(exchange, record, f"not told (it does not trade, or its rules make no sense): {', '.join(found.untold)}")
        if not is_last and not self._components.adapters[exchange].capabilities.tells_price_units:
            self._tell_unread(exchange, record, "it does not tell its price units over its interface")
        same = found.asked - len(found.differ) - len(found.untold)
        words = [f"{same} of ours as they were"]
        words += [f"{len(found.differ)} differ: {', '.join(found.differ)}"] if found.differ else []
        words += [f"{len(found.untold)} not told: {', '.join(found.untold)}"] if found.untold else []
        self._acted(record, step, f"read: {', '.join(words)}")

    async def _hold_differing(self, record: NoticeRecord, step: NoticeStep, found: RulesRead) -> bool:
        """Halt what differs, under a source of its own: no end of a maintenance takes it away. False where it is to be done again.

        Higher fees are those of every market: the loop has its turn after each halt, which waits for the disk.
        """
        exchange, done = record.read.exchange, True
        for code, (coin, why) in found.differ.items():
            held = self._write(record, step, f"symbol.{coin}", Depth.REDUCING, scoped_halts.RULES)
            if held is None:
                done = False
            elif self._differing.get((exchange, code)) != why:  # the second reading finds the same
                self._differing[exchange, code] = why
                action = f"{coin} is REDUCING: restart, which reads the rules, then arbtui rearm --scope symbol.{coin}"
                self._breaches.record(Severity.CRIT, "RULES_CHANGED", f"{exchange}:{code}", why, action)
            await asyncio.sleep(0)
            if not self._is_due(record, step) or self._components.journal.failure is not None:
                done = False
                break
        self._scopes.look()
        return done

    def _tell_unread(self, exchange: str, record: NoticeRecord, why: str) -> None:
        detail = f"{why}, and {record.read.title!r} says that they change"
        self._breaches.record(Severity.WARN, _UNREAD, exchange, detail, "compare them with the notice by hand", every_time=True)

    # what is journaled, and told

    def _acted(self, record: NoticeRecord, step: NoticeStep, outcome: str) -> None:
        if self._components.journal.failure is not None:
            return
        self._components.journal.post(NoticeActed(record.read.notice_id, step.key, outcome))
        self._not_before.pop((record.read.notice_id, step.key), None)
        self._why.pop((record.read.notice_id, step.key), None)
        self.version += 1

    def _tell(self, read: NoticeRead, *, is_update: bool) -> None:
        kinds = [NoticeKind(kind) for kind in read.kinds]
        severity = Severity.CRIT if not _WAKES_A_PERSON.isdisjoint(kinds) else Severity.WARN
        scope = ", ".join(read.coins) or ", ".join(read.new_coins) or read.exchange
        detail = f"{read.exchange}{' (update)' if is_update else ''}: {read.title}{f' {read.url}' if read.url else ''}"
        self._breaches.record(severity, f"NOTICE_{kinds[0].upper()}", scope, detail, planned(read), every_time=True)

    def _traded(self, exchange: str) -> TradedThere:
        parts = self._components
        markets = {(market.base, market.quote) for market in parts.universe.markets if market.exchange == exchange}
        held = [asset for asset in parts.portfolio.state.balances.get(exchange, ()) if parts.portfolio.total(exchange, asset)]
        return TradedThere(markets, held)

    def _pass_over(self, passed: str) -> None:
        self._passed_over[passed] = None
        if len(self._passed_over) > _PASSED_OVER:
            del self._passed_over[next(iter(self._passed_over))]

    def _now_iso(self) -> str:
        return iso_ms(self._components.clock.time_ms())


def _reason(read: NoticeRead) -> str:
    return f"{read.title}{f' {read.url}' if read.url else ''}"


def planned(read: NoticeRead) -> str:
    """What a notice leads to, in words."""
    if read.new_coins:
        return "not traded by itself: name it in the profile, or sign it off, to trade it"
    if NoticeKind.OVER in read.kinds:
        return "nothing is lifted by itself: arbtui rearm --scope, once the venue shows it"
    if not read.steps:
        return "read it: it names no coin" if read.kinds != (NoticeKind.OTHER.value,) else "read it"
    return "; ".join(step_in_words(step) for step in read.steps)


def step_in_words(step: NoticeStep) -> str:
    """``XRP HALTED from 2026-12-15T05:00:00.000Z``."""
    name, at = step.scope.partition(".")[2], iso_ms(step.at_ms)
    if step.verb == OPEN:
        return f"{name} opens after a probe from {at}"
    if step.verb == RULES:
        return f"rules of {name} read again at {at}"
    return f"{name} {'not moved, and less of it traded,' if step.scope.startswith('wallet.') else step.depth} from {at}"
