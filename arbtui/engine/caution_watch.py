"""What venues warn of at their own markets, as flags in their lists: a market that is flagged is not entered until a person re-arms it.

A flag is the structured form of a notice, so it goes the way of one: it is journaled as a notice that is read (one of each market, whose
words are its flags), its halt has the same source, and it is shown among the notices. It confirms a notice, and where none was told or
heard it reduces by itself: ``symbol.VENUE:COIN`` REDUCING, since the flag says something of one venue's market. What has ended lifts
nothing. A halt that a person has lifted comes back only with a flag that was not there then.
"""

from collections.abc import Mapping, Sequence

import msgspec

from arbtui.engine.breaches import BreachBook
from arbtui.engine.components import EngineComponents
from arbtui.engine.notice_watch import NoticeWatch, planned
from arbtui.exchanges.market_flags import Flags, MarketFlag
from arbtui.journal.events import NoticeRead, NoticeStep
from arbtui.model.market import Market
from arbtui.model.scoped_halts import NOTICE, Depth
from arbtui.portfolio.notices import NoticeRecord, id_of_flags
from arbtui.risk.breach import Severity
from arbtui.risk.notices.kinds import NoticeKind
from arbtui.risk.notices.reading import HOLD

#: Breach: a market is flagged, or is no more.
KIND = "MARKET_FLAGGED"
_TOLD_ONLY = "told only: everything at that venue is priced in it"
_NOT_LIFTED = "nothing is lifted by itself: arbtui rearm --scope, once you have looked"
_CONFIRMED = frozenset({NoticeKind.CAUTION, NoticeKind.DELISTING})


class CautionWatch:
    """Compares the flags that venues tell once a minute with those that the journal knows."""

    def __init__(self, components: EngineComponents, breaches: BreachBook, notices: NoticeWatch) -> None:
        self._components = components
        self._breaches = breaches
        self._notices = notices
        self._now: dict[str, dict[str, list[str]]] = {}  # by venue and coin, what it told last of each market, in words

    def look(self, exchange: str, markets: Sequence[Market], told: Mapping[str, Flags]) -> None:
        """Take the flags that ``exchange`` reported. A market that it did not report, or without flags, keeps those it had."""
        now = self._now[exchange] = {}
        for market in markets:
            if (flags := told.get(market.code)) is not None:
                now.setdefault(market.base, []).append(f"{market.code}: {', '.join(_words(flags)) or 'no flag'}")
        if self._components.journal.failure is not None:
            return
        changed = [market for market in markets if self._take(market, told.get(market.code))]
        if changed:
            self._notices.look()

    def _take(self, market: Market, flags: Flags) -> bool:
        """Whether the flags of ``market`` have changed. A change is journaled; a breach is recorded where one is new or none is left."""
        known = self._notices.notices.by_id.get(id_of_flags(market.exchange, market.code))
        before = "" if known is None else known.read.digest
        if flags is None or before == _digest(flags):
            return False
        raised = frozenset(flag for flag in flags if flag.word not in before.split())
        holds = bool(raised) and self._holds(market, raised)
        steps = [self._hold(market, known)] if holds else () if known is None else known.read.steps
        read = self._read(market, flags, steps)
        self._notices.take_up(read)
        if raised or not flags:
            severity = Severity.CRIT if any(flag.is_grave for flag in raised) else Severity.WARN
            action = planned(read) if holds else _TOLD_ONLY if raised else _NOT_LIFTED
            self._breaches.record(severity, KIND, market.key, read.title, action, every_time=True)
        return True

    def _hold(self, market: Market, known: NoticeRecord | None) -> NoticeStep:
        """Due now; one that was done for flags of before is to be done again, so it is due after that."""
        step = NoticeStep(HOLD, self._scope(market), self._components.clock.time_ms(), Depth.REDUCING.value)
        done_ms = -1 if known is None else known.done_ms.get(step.key, -1)
        return step if step.at_ms > done_ms else msgspec.structs.replace(step, at_ms=done_ms + 1)

    def _read(self, market: Market, flags: frozenset[MarketFlag], steps: Sequence[NoticeStep]) -> NoticeRead:
        words = ", ".join(_words(flags))
        now_ms = self._components.clock.time_ms()
        return NoticeRead(
            notice_id=id_of_flags(market.exchange, market.code),
            exchange=market.exchange,
            title=f"{market.code} is {f'flagged by {market.exchange}: {words}' if words else f'no longer flagged by {market.exchange}'}",
            url="",
            digest=_digest(flags),
            published_ms=now_ms,
            kinds=((NoticeKind.CAUTION if words else NoticeKind.OVER).value,),
            coins=(market.base,),
            steps=tuple(steps),
        )

    def _holds(self, market: Market, raised: frozenset[MarketFlag]) -> bool:
        """Whether entries stop. An alarm by figures over a settlement currency is only reported: everything is priced in it."""
        return any(flag.is_grave for flag in raised) or market.base not in self._components.portfolio.state.settlement

    def _scope(self, market: Market) -> str:
        """That of the coin at its venue; of the coin everywhere where a notice that it confirms holds that already.

        It confirms a warning, and that the coin leaves. What holds the coin for another reason, as a maintenance, may be taken away
        without a look at this one.
        """
        everywhere = f"symbol.{market.base}"
        standing, notices = self._components.risk.halts.standing, self._notices.notices
        holds = any(halt.scope == everywhere and halt.source == NOTICE and halt.depth.rank >= Depth.REDUCING.rank for halt in standing)
        holds = holds and any(
            not _CONFIRMED.isdisjoint(record.read.kinds) and notices.holds(record, everywhere) for record in notices.by_id.values()
        )
        return everywhere if holds else f"symbol.{market.exchange}:{market.base}"

    def told(self, record: NoticeRecord) -> str:
        """What the venue's list says now of the coins that a notice of caution names; empty where it says nothing of them."""
        read = record.read
        if NoticeKind.CAUTION not in read.kinds:
            return ""
        now = self._now.get(read.exchange, {})
        return "; ".join(words for coin in read.coins for words in now.get(coin, ()))


def _words(flags: frozenset[MarketFlag]) -> list[str]:
    return sorted(flag.word for flag in flags)


def _digest(flags: frozenset[MarketFlag]) -> str:
    return " ".join(_words(flags))
